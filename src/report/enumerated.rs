//! What enumerations found, in counts of endpoints.

use super::tally::Tally;
use crate::model::{Enumeration, SuiteClass};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What the endpoints take whose suites were enumerated. Shares are those of
/// [`EnumeratedTally::total`]: an endpoint stands in several rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EnumeratedTally {
    /// Endpoints enumerated.
    pub total: u64,
    /// Connections that took.
    pub connections: u64,
    /// `complete`, or what keeps a list from being so, as `incomplete: budget`;
    /// an endpoint whose lists have several gaps stands by each.
    pub completeness: Tally,
    /// Versions in which a suite is taken, and `SSLv2`.
    pub versions: Tally,
    /// Classes of which a suite is taken, in whatever version.
    pub classes: Tally,
    /// Suites taken, in whatever version.
    pub suites: Tally,
    /// Groups taken, in whatever version.
    pub groups: Tally,
    /// Whose order decides, in the newest version that has two suites.
    pub preference: Tally,
}

impl EnumeratedTally {
    pub(super) fn add(&mut self, found: &Enumeration) {
        self.total += 1;
        self.connections += found.connections as u64;
        add_all(&mut self.completeness, gaps(found));
        add_all(&mut self.versions, versions(found));
        let suites = || found.versions.iter().flat_map(|version| &version.suites).map(|taken| taken.suite);
        let classes = suites().filter_map(|suite| suite.class()).map(SuiteClass::name).map(Cow::Borrowed);
        add_all(&mut self.classes, classes);
        add_all(&mut self.suites, suites().map(|suite| suite.name()));
        let groups = found.versions.iter().filter_map(|version| version.groups.as_ref());
        add_all(&mut self.groups, groups.flat_map(|found| &found.groups).map(|group| group.name()));
        if let Some(preference) = found.versions.iter().find_map(|version| version.preference) {
            self.preference.add(preference.name().into());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.total += other.total;
        self.connections += other.connections;
        self.completeness.merge(&other.completeness);
        self.versions.merge(&other.versions);
        self.classes.merge(&other.classes);
        self.suites.merge(&other.suites);
        self.groups.merge(&other.groups);
        self.preference.merge(&other.preference);
    }
}

/// Counts each name once, however often an endpoint has it.
fn add_all(tally: &mut Tally, names: impl IntoIterator<Item = Cow<'static, str>>) {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().for_each(|name| tally.add(name));
}

fn gaps(found: &Enumeration) -> Vec<Cow<'static, str>> {
    if found.is_complete() {
        return vec!["complete".into()];
    }
    let groups = found.versions.iter().filter_map(|version| version.groups.as_ref());
    let gaps = found.versions.iter().map(|version| version.gap).chain(groups.map(|found| found.gap));
    gaps.flatten().map(|gap| format!("incomplete: {}", gap.name()).into()).collect()
}

fn versions(found: &Enumeration) -> impl Iterator<Item = Cow<'static, str>> {
    let taken = found.versions.iter().filter(|version| !version.suites.is_empty());
    taken.map(|version| version.version.name()).chain(found.sslv2.then_some("SSLv2".into()))
}
