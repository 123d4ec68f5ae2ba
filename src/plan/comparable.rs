//! Whether two runs were judged by the same: what differs between them is then what
//! servers and the DNS said.

use super::UsageError;
use super::judging::LAB_STORE;
use crate::run_dir::RunInfo;
use std::fmt::Display;
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
    for (option, what) in DECIDING {
        if is_same(option, before, after) {
            continue;
        }
        let words = [before, after].map(|info| words(option, info));
        return Err(refused(before_dir, after_dir, (option, what), words));
    }
    Ok(())
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

fn refused(
    before: &Path,
    after: &Path,
    (option, what): (&str, &str),
    [was, is]: [Vec<String>; 2],
) -> UsageError {
    let (before, after) = (before.display(), after.display());
    let again = |run: &dyn Display, words: &[String]| {
        // Nobody else has those of a lab.
        let words =
            if words == [LAB_STORE] { "FILE".to_string() } else { words.join(&format!(" --{option} ")) };
        format!("mxray judge {run} --{option} {words} -o NEW_RUN")
    };
    let told = |words: &[String]| if words.is_empty() { "none".to_string() } else { words.join(" ") };
    let how = if was == is {
        // By what these words name today.
        let both = format!("both {}, with other content", told(&was));
        format!("({both}); judge both again: {}, and so with {after}", again(&before, &was))
    } else if was.is_empty() {
        format!("(none and {}); judge the first again: {}", told(&is), again(&before, &is))
    } else {
        format!("({} and {}); judge the second again: {}", told(&was), told(&is), again(&after, &was))
    };
    UsageError(format!("{before} and {after} cannot be compared: {what} {how}"))
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
                "the sender differs (exchange-online and google); judge the second again: \
                 mxray judge b --sender exchange-online -o NEW_RUN",
            ),
            (
                &[usual[0], ("roots", "mozilla", 3)],
                "the root certificates differ (both mozilla, with other content); judge both again: \
                 mxray judge a --roots mozilla -o NEW_RUN, and so with b",
            ),
            (
                &[usual[0], ("roots", "lab", 3)],
                "the root certificates differ (mozilla and lab); judge the second again: \
                 mxray judge b --roots mozilla -o NEW_RUN",
            ),
            (
                &[usual[0], usual[1], ("connectors", "c.json", 3), ("accepted-domain", "a.example", 4)],
                "the connectors differ (none and c.json); judge the first again: \
                 mxray judge a --connectors c.json -o NEW_RUN",
            ),
            (
                &[usual[0], ("roots", "system mine.pem", 3)],
                "the root certificates differ (mozilla and system mine.pem); judge the second again: \
                 mxray judge b --roots mozilla -o NEW_RUN",
            ),
        ] {
            assert_eq!(checked(&usual, after), Err(format!("a and b cannot be compared: {told}")));
        }
    }
}
