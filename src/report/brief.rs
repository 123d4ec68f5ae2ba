//! The summary in brief: what matters of a run on one screen, in lines of at most 80
//! columns. Every number of it stands in `run.json`, too.

use super::connectors::ConnectorPartner;
use super::policies::PolicyTally;
use super::summary::{OPERATORS_SHOWN, Summary};
use super::tally::{OTHER, Tally};
use crate::model::text::{grouped, printable};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Columns of a line.
pub(super) const COLUMNS: usize = 80;
/// Columns of what stands before the items.
const LABEL_COLUMNS: usize = 17;
/// Names that a line tells; the rest is one more item.
const ITEMS_MAX: usize = 3;
/// Partners under connectors that are told one by one.
const PARTNERS_SHOWN_MAX: usize = 3;

/// One thing that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BriefLine {
    /// As in `run.json`.
    key: &'static str,
    label: &'static str,
    items: Vec<(String, u64)>,
}

/// All of it but the headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    lines: Vec<BriefLine>,
    partners: Vec<ConnectorPartner>,
}

impl Serialize for Brief {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Items<'a>(&'a [(String, u64)]);
        impl Serialize for Items<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, count)| (name, count)))
            }
        }
        let mut map = serializer.serialize_map(Some(self.lines.len()))?;
        for line in &self.lines {
            map.serialize_entry(line.key, &Items(&line.items))?;
        }
        map.end()
    }
}

impl Summary {
    /// The same in brief.
    pub fn brief(&self) -> Brief {
        let (sending, forced, policies) = (&self.sending, &self.forced_tls, &self.policies);
        let known = |name: &str| (!name.starts_with("undetermined: ")).then(|| name.to_string());
        let open = |name: &str| name.strip_prefix("undetermined: ").map(str::to_string);
        let lines = vec![
            line("encrypted_with", "Encrypted with", top(&renamed(&sending.encrypted_with, version))),
            line("not_encrypted", "Not encrypted", top(&renamed(&sending.reasons, known))),
            line("not_determined", "Not determined", top(&renamed(&sending.reasons, open))),
            line("weakest_host", "Weakest host", all(&self.weakest_deliveries)),
            line("certificates", "Certificates", self.certificates()),
            line("dane", "DANE", all(&PolicyTally::classes(&policies.dane))),
            line("mta_sts", "MTA-STS", all(&PolicyTally::classes(&policies.mta_sts))),
            line("tls_rpt", "TLS-RPT", all(&PolicyTally::classes(&policies.tls_rpt))),
            line("mx_operators", "MX operators", self.operators()),
            line("enumerated_versions", "Versions taken", all(&self.enumerated.versions)),
            line("connectors", "Your connectors", top(&self.under_connectors.by_connector)),
            line("forced_tls_stopped_by", "Forced TLS fails", top(&forced.stops)),
        ];
        Brief {
            lines: lines.into_iter().filter(|line| !line.items.is_empty()).collect(),
            partners: self.under_connectors.shown().take(PARTNERS_SHOWN_MAX).cloned().collect(),
        }
    }

    /// Those that are sound by themselves, and what is wrong with others; one with
    /// several faults counts in each.
    fn certificates(&self) -> Vec<(String, u64)> {
        let counts = &self.domains;
        let mut faults = Tally::default();
        for (axis, tally, sound) in [
            ("chain", &counts.cert_chain, "valid"),
            ("dates", &counts.cert_dates, "valid"),
            ("key", &counts.cert_key, "strong"),
        ] {
            for (name, count) in tally.sorted().into_iter().filter(|(name, _)| *name != sound) {
                faults.add_borrowed_many(&format!("{axis} {name}"), count);
            }
        }
        faults.add_borrowed_many("no name that fits", self.cert_name.get("none"));
        let valid = ("chain valid".to_string(), counts.cert_chain.get("valid"));
        std::iter::once(valid).chain(top(&faults)).filter(|(_, count)| *count > 0).collect()
    }

    fn operators(&self) -> Vec<(String, u64)> {
        let (top, rest) = self.mx_operators.top(OPERATORS_SHOWN);
        let more = self.mx_operators.count().saturating_sub(top.len());
        let mut items: Vec<_> = top.into_iter().map(|(name, count)| (name.to_string(), count)).collect();
        if rest > 0 {
            items.push((format!("({more} more)"), rest));
        }
        items
    }
}

fn line(key: &'static str, label: &'static str, items: Vec<(String, u64)>) -> BriefLine {
    BriefLine { key, label, items }
}

/// `TLSv1.3` of `TLSv1.3, 1 step down`.
fn version(name: &str) -> Option<String> {
    name.split(", ").next().map(str::to_string)
}

/// Counts by what `name` makes of a name, without those of which it makes nothing.
fn renamed(tally: &Tally, name: impl Fn(&str) -> Option<String>) -> Tally {
    let mut told = Tally::default();
    for (before, count) in tally.sorted() {
        if let Some(after) = name(before) {
            told.add_borrowed_many(&after, count);
        }
    }
    told
}

fn all(tally: &Tally) -> Vec<(String, u64)> {
    tally.sorted().into_iter().map(|(name, count)| (name.to_string(), count)).collect()
}

/// The commonest, and all others as one. One other is told by its name.
fn top(tally: &Tally) -> Vec<(String, u64)> {
    let mut items = all(tally);
    if items.len() > ITEMS_MAX + 1 {
        let rest = items.split_off(ITEMS_MAX);
        items.push((format!("({} more)", rest.len()), rest.iter().map(|(_, count)| count).sum()));
    } else if let Some(other) = items.iter_mut().find(|(name, _)| name == OTHER) {
        other.0 = "(others)".to_string();
    }
    items
}

impl Brief {
    /// As lines.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let items =
                line.items.iter().map(|(name, count)| format!("{} {}", printable(name), grouped(*count)));
            push_wrapped(&mut out, line.label, items);
            if line.key == "connectors" {
                for partner in &self.partners {
                    out.push_str(&format!("  {}\n", shortened(&partner.to_string(), COLUMNS - 2)));
                }
            }
        }
        out
    }
}

/// A label and items behind it, on as many lines as they need. What is wider than a line
/// loses its middle.
fn push_wrapped(out: &mut String, label: &str, items: impl IntoIterator<Item = String>) {
    let room = COLUMNS - LABEL_COLUMNS - 1;
    let mut lines = vec![String::new()];
    for item in items {
        let item = shortened(&item, room);
        let last = lines.last_mut().filter(|line| !line.is_empty());
        match last {
            Some(line) if line.chars().count() + 2 + item.chars().count() > room => {
                line.push(';');
                lines.push(item);
            }
            Some(line) => {
                line.push_str("; ");
                line.push_str(&item);
            }
            None => lines = vec![item],
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        out.push_str(format!("{label:<LABEL_COLUMNS$}{line}").trim_end());
        out.push('\n');
    }
}

fn shortened(text: &str, room: usize) -> String {
    let length = text.chars().count();
    if length <= room {
        return text.to_string();
    }
    let (first, last) = (room / 2 - 1, room - room / 2);
    let begin: String = text.chars().take(first).collect();
    let end: String = text.chars().skip(length - last).collect();
    format!("{begin}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_a_terminal_at_most() {
        let mut out = String::new();
        let items = ["a".repeat(60), "b".repeat(30), "c".repeat(100), "d".to_string()];
        push_wrapped(&mut out, "Label", items);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 4, "{out}");
        assert!(lines.iter().all(|line| line.chars().count() <= COLUMNS), "{out}");
        assert!(lines[0].starts_with("Label            aaa") && lines[0].ends_with("a;"), "{out}");
        assert!(lines[2].contains("c…c") && lines[3].ends_with(" d"), "{out}");
    }

    #[test]
    fn the_commonest_are_told_and_the_rest_is_counted() {
        let mut tally = Tally::default();
        for (name, count) in [("a", 9), ("b", 8), ("c", 7), ("d", 6), ("e", 2), ("f", 1)] {
            tally.add_borrowed_many(name, count);
        }
        let told = top(&tally);
        assert_eq!((told.len(), told[3].clone()), (ITEMS_MAX + 1, ("(3 more)".to_string(), 9)));
    }
}
