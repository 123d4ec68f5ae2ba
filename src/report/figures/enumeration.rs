//! What enumerations found, in counts of endpoints: a fold over `suites.csv` and
//! `groups.csv`, in which the rows of an endpoint stand together.

use super::cells::Cells;
use crate::report::tally::Tally;
use std::collections::BTreeSet;

/// Endpoints whose suites were enumerated. One that takes several versions or suites is
/// counted with each, so shares are those of `endpoints`.
#[derive(Clone, Debug, Default)]
pub struct EnumerationFigures {
    /// All.
    pub endpoints: u64,
    /// Versions in which a suite is taken.
    pub versions: Tally,
    /// Classes of which a suite is taken, in whatever version.
    pub classes: Tally,
    /// Suites taken, in whatever version.
    pub suites: Tally,
    /// Groups taken, in whatever version.
    pub groups: Tally,
    /// Whose order decides, in the newest version that has two suites.
    pub preference: Tally,
    /// `complete`, or what keeps a list of suites from being so.
    pub completeness: Tally,
    /// The same of lists of groups, of endpoints that have any.
    pub group_completeness: Tally,
    suites_of: Option<EndpointSuites>,
    groups_of: Option<EndpointGroups>,
}

/// What is known of the endpoint whose rows are read.
#[derive(Clone, Debug, Default)]
struct EndpointSuites {
    key: String,
    versions: BTreeSet<String>,
    classes: BTreeSet<String>,
    suites: BTreeSet<String>,
    gaps: BTreeSet<String>,
    preference: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct EndpointGroups {
    key: String,
    groups: BTreeSet<String>,
    gaps: BTreeSet<String>,
}

fn key(row: &impl Cells) -> String {
    ["ip", "port", "sni"].map(|column| row.cell(column)).join(" ")
}

fn note(names: &mut BTreeSet<String>, name: &str) {
    if !name.is_empty() && !names.contains(name) {
        names.insert(name.to_string());
    }
}

fn note_gap(gaps: &mut BTreeSet<String>, row: &impl Cells) {
    if row.cell("complete") == "no" {
        note(gaps, row.cell("incomplete_reason"));
    }
}

fn count_gaps(tally: &mut Tally, gaps: &BTreeSet<String>) {
    if gaps.is_empty() {
        tally.add("complete".into());
    }
    gaps.iter().for_each(|gap| tally.add(format!("incomplete: {gap}").into()));
}

fn count(tally: &mut Tally, names: &BTreeSet<String>) {
    names.iter().for_each(|name| tally.add_borrowed(name));
}

impl EnumerationFigures {
    pub(super) fn add_suite(&mut self, row: &impl Cells) {
        let key = key(row);
        if self.suites_of.as_ref().is_some_and(|known| known.key != key) {
            self.end_suites();
        }
        let known = self.suites_of.get_or_insert_with(|| EndpointSuites { key, ..EndpointSuites::default() });
        let suite = row.cell("cipher_suite");
        if !suite.is_empty() {
            note(&mut known.versions, row.cell("tls_version"));
            note(&mut known.classes, row.cell("cipher_suite_class"));
            note(&mut known.suites, suite);
        }
        note_gap(&mut known.gaps, row);
        let preference = row.cell("cipher_preference");
        if known.preference.is_none() && !preference.is_empty() {
            known.preference = Some(preference.to_string());
        }
    }

    pub(super) fn add_group(&mut self, row: &impl Cells) {
        let key = key(row);
        if self.groups_of.as_ref().is_some_and(|known| known.key != key) {
            self.end_groups();
        }
        let known = self.groups_of.get_or_insert_with(|| EndpointGroups { key, ..EndpointGroups::default() });
        note(&mut known.groups, row.cell("key_exchange_group"));
        note_gap(&mut known.gaps, row);
    }

    fn end_suites(&mut self) {
        let Some(known) = self.suites_of.take() else { return };
        self.endpoints += 1;
        count(&mut self.versions, &known.versions);
        count(&mut self.classes, &known.classes);
        count(&mut self.suites, &known.suites);
        if let Some(preference) = &known.preference {
            self.preference.add_borrowed(preference);
        }
        count_gaps(&mut self.completeness, &known.gaps);
    }

    fn end_groups(&mut self) {
        let Some(known) = self.groups_of.take() else { return };
        count(&mut self.groups, &known.groups);
        count_gaps(&mut self.group_completeness, &known.gaps);
    }

    /// Counts the last endpoint, whose rows nothing follows.
    pub(super) fn end(&mut self) {
        self.end_suites();
        self.end_groups();
    }
}
