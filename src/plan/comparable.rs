//! Whether two runs were judged by the same: what differs between them is then what
//! servers and the DNS said.

use super::UsageError;
use super::judging::{LAB_ROOTS_NAME, LAB_STORE};
use crate::run_dir::RunInfo;
use std::path::Path;

const SENDER: &str = "sender";

/// Options that decide what becomes of mail, each with what is told of it.
const DECIDING: [(&str, &str); 5] = [
    (SENDER, "the sender differs"),
    ("after-tls-failure", "what the sender does after a failed handshake differs"),
    ("roots", "the root certificates differ"),
    ("connectors", "the connectors differ"),
    ("accepted-domain", "the accepted domains differ"),
];

/// Refuses runs that were judged by different senders, connectors or roots.
///
/// # Errors
/// [`UsageError`] that names what differs, and how to judge both alike.
pub fn check_comparable(
    (before_dir, before): (&Path, &RunInfo),
    (after_dir, after): (&Path, &RunInfo),
) -> Result<(), UsageError> {
    let differs = |(option, _): &(&str, &str)| !is_same(option, before, after);
    let differing: Vec<Differing> = DECIDING
        .into_iter()
        .filter(differs)
        .map(|(option, what)| Differing {
            option,
            what,
            words: [before, after].map(|info| words(option, info)),
        })
        .collect();
    if differing.is_empty() { Ok(()) } else { Err(refused([before_dir, after_dir], &differing)) }
}

/// Refuses to compare a run of endpoints with one of domains: whatever they have, nothing of it
/// is in both. `rows` has all of each, `endpoints` those of hosts that the list names.
///
/// # Errors
/// [`UsageError`]: one run has nothing but endpoints, the other none.
pub fn check_one_kind(dirs: [&Path; 2], rows: [u64; 2], endpoints: [u64; 2]) -> Result<(), UsageError> {
    let is_empty = rows.contains(&0);
    let [before, after] = [0, 1].map(|run| match endpoints[run] {
        0 => Some("domains"),
        all if all == rows[run] => Some("endpoints"),
        _ => None,
    });
    let (Some(before), Some(after)) = (before, after) else { return Ok(()) };
    if is_empty || before == after {
        return Ok(());
    }
    let [one, other] = dirs.map(Path::display);
    Err(UsageError(format!(
        "{one} and {other} cannot be compared: the first is of {before}, the second of {after}"
    )))
}

/// Whether an option meant the same for both. One that a run does not have was not named: a run
/// of a lab has no sender's file.
fn is_same(option: &str, before: &RunInfo, after: &RunInfo) -> bool {
    let [was, is] = [before, after].map(|info| info.judged_by.options.get(option));
    match (was, is) {
        (Some(was), Some(is)) => was.sha256 == is.sha256,
        (None, None) => true,
        _ if option == SENDER => before.sender == after.sender && before.mxray == after.mxray,
        (named, None) | (None, named) => named.is_none_or(|named| named.words.is_empty()),
    }
}

/// What an option named. A sender has a name, even where nobody named one.
fn words(option: &str, info: &RunInfo) -> Vec<String> {
    let named = info.judged_by.options.get(option).map(|named| named.words.clone()).unwrap_or_default();
    if named.is_empty() && option == SENDER { vec![info.sender.clone()] } else { named }
}

/// An option that meant something else for either run.
struct Differing {
    option: &'static str,
    what: &'static str,
    words: [Vec<String>; 2],
}

impl Differing {
    /// What differs, with the words of both.
    fn told(&self) -> String {
        let told = |words: &[String]| if words.is_empty() { "none".to_string() } else { words.join(" ") };
        let [was, is] = &self.words;
        if was == is {
            // By what these words name today.
            format!("{} (both {}, with other content)", self.what, told(was))
        } else {
            format!("{} ({} and {})", self.what, told(was), told(is))
        }
    }

    /// The words by which both are to be judged: those of the first, if it has any that
    /// the other can have.
    fn common(&self, dirs: [&Path; 2]) -> Vec<String> {
        let [was, is] = &self.words;
        let of_lab = |words: &[String]| words == [LAB_STORE];
        match (of_lab(was), of_lab(is)) {
            // Each has its own, and keeps them in a file.
            (true, true) => dirs.iter().map(|dir| dir.join(LAB_ROOTS_NAME).display().to_string()).collect(),
            (true, false) if !is.is_empty() => is.clone(),
            _ if was.is_empty() => is.clone(),
            _ => was.clone(),
        }
    }

    /// The words with which one of the runs is to be judged again; `None` if it was judged
    /// by them.
    fn again(&self, run: usize, dirs: [&Path; 2]) -> Option<String> {
        let common = self.common(dirs);
        let [was, is] = &self.words;
        let is_due = was == is || self.words.get(run) != Some(&common);
        is_due.then(|| common.iter().map(|word| format!(" --{} {word}", self.option)).collect())
    }
}

fn refused(dirs: [&Path; 2], differing: &[Differing]) -> UsageError {
    let names = dirs.map(|dir| dir.display().to_string());
    let mut compared = names.clone();
    let mut commands = Vec::new();
    for (run, name) in names.iter().enumerate() {
        let words: String = differing.iter().filter_map(|option| option.again(run, dirs)).collect();
        if words.is_empty() {
            continue;
        }
        let new = format!("{}-judged", name.trim_end_matches('/'));
        commands.push(format!("mxray judge {name}{words} -o {new}"));
        if let Some(compared) = compared.get_mut(run) {
            *compared = new;
        }
    }
    let what: Vec<String> = differing.iter().map(Differing::told).collect();
    let ([before, after], [one, other]) = (&names, &compared);
    UsageError(format!(
        "{before} and {after} cannot be compared: {}; judge both alike: {}; then mxray diff {one} {other}",
        what.join(", "),
        commands.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256;
    use crate::run_dir::OptionValue;
    use crate::run_dir::fixtures;
    use std::collections::BTreeMap;

    fn run(options: &[(&str, &str, u8)]) -> RunInfo {
        let mut info = fixtures::run_info();
        info.sender = "exchange-online".to_string();
        info.judged_by.options = options
            .iter()
            .map(|(option, words, content)| {
                let words = words.split_whitespace().map(str::to_string).collect();
                let named = OptionValue { words, files: BTreeMap::new(), sha256: Sha256([*content; 32]) };
                ((*option).to_string(), named)
            })
            .collect();
        info
    }

    #[test]
    fn endpoints_and_domains_are_not_compared() {
        let dirs = [Path::new("a"), Path::new("b")];
        let checked = |rows, endpoints| check_one_kind(dirs, rows, endpoints).map_err(|error| error.0);
        for (rows, endpoints) in
            [([3, 4], [0, 0]), ([3, 4], [3, 4]), ([3, 4], [0, 1]), ([3, 0], [3, 0]), ([0, 4], [0, 4])]
        {
            assert_eq!(checked(rows, endpoints), Ok(()), "{rows:?} {endpoints:?}");
        }
        let told = "a and b cannot be compared: the first is of domains, the second of endpoints";
        assert_eq!(checked([3, 4], [0, 4]), Err(told.to_string()));
        let told = "a and b cannot be compared: the first is of endpoints, the second of domains";
        assert_eq!(checked([3, 4], [3, 0]), Err(told.to_string()));
    }

    #[test]
    fn runs_are_comparable_if_what_decides_held_the_same() {
        // Nobody named a sender.
        let usual = [("sender", "", 1), ("roots", "mozilla", 2)];
        let checked = |before: &[(&str, &str, u8)], after: &[(&str, &str, u8)]| {
            let (before, after) = (run(before), run(after));
            check_comparable((Path::new("a"), &before), (Path::new("b"), &after))
                .map_err(|error| error.to_string())
        };
        // A name that means the same, and what is only told beside.
        let same = [("sender", "./my.toml", 1), ("roots", "mozilla", 2), ("expect", "partners.csv", 3)];
        assert_eq!(checked(&usual, &same), Ok(()));
        assert_eq!(checked(&usual, &[usual[1], ("connectors", "", 7)]), Ok(()), "nothing is named");
        for (after, told) in [
            (
                &[("sender", "google", 3), usual[1]][..],
                "the sender differs (exchange-online and google); judge both alike: \
                 mxray judge b --sender exchange-online -o b-judged; then mxray diff a b-judged",
            ),
            (
                &[usual[0], ("roots", "mozilla", 3)],
                "the root certificates differ (both mozilla, with other content); judge both alike: \
                 mxray judge a --roots mozilla -o a-judged; mxray judge b --roots mozilla -o b-judged; \
                 then mxray diff a-judged b-judged",
            ),
            (
                &[usual[0], ("roots", "lab", 3)],
                "the root certificates differ (mozilla and lab); judge both alike: \
                 mxray judge b --roots mozilla -o b-judged; then mxray diff a b-judged",
            ),
            (
                &[usual[0], usual[1], ("connectors", "c.json", 3), ("accepted-domain", "a.example", 4)],
                "the connectors differ (none and c.json), the accepted domains differ (none and a.example); \
                 judge both alike: mxray judge a --connectors c.json --accepted-domain a.example -o a-judged; \
                 then mxray diff a-judged b",
            ),
            (
                &[("sender", "google", 3), usual[1], ("connectors", "c.json", 3)],
                "the sender differs (exchange-online and google), the connectors differ (none and c.json); \
                 judge both alike: mxray judge a --connectors c.json -o a-judged; \
                 mxray judge b --sender exchange-online -o b-judged; then mxray diff a-judged b-judged",
            ),
            (
                &[usual[0], ("roots", "system mine.pem", 3)],
                "the root certificates differ (mozilla and system mine.pem); judge both alike: \
                 mxray judge b --roots mozilla -o b-judged; then mxray diff a b-judged",
            ),
        ] {
            assert_eq!(checked(&usual, after), Err(format!("a and b cannot be compared: {told}")));
        }
    }
}
