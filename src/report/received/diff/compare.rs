//! What became of one sender between two runs.

use super::SenderDiffHead;
use crate::model::inbound::SenderKey;
use crate::report::diff::{DomainChange, Turn};
use crate::report::received::{CertificateNamed, CertificateState, ReceivedFigures, SenderFigures};
use std::collections::BTreeMap;
use std::fmt;

/// What is compared of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SenderColumn {
    /// Whether all of its MAIL came inside TLS.
    Mail,
    /// The oldest version that was agreed.
    WeakestTlsVersion,
    /// What its client certificate is worth.
    ClientCertificate,
    /// Whether its certificate is the one that the run was told to look for.
    CertNamed,
    /// What connectors make of its MAIL, the worst.
    Verdict,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SenderAnswer {
    /// Nothing: it does not apply, or was not asked.
    Nothing,
    /// That it is not determined.
    Undetermined,
    /// The more, the better.
    Rank(u16),
}

impl SenderColumn {
    /// All of them: the first that differs decides what is better.
    pub const ALL: [Self; 5] =
        [Self::Mail, Self::WeakestTlsVersion, Self::ClientCertificate, Self::CertNamed, Self::Verdict];

    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::WeakestTlsVersion => "weakest_tls_version",
            Self::ClientCertificate => "client_certificate",
            Self::CertNamed => "cert_named",
            Self::Verdict => "verdict",
        }
    }

    /// What it is of a sender; empty where it does not apply or was not asked.
    pub fn cell(self, sender: &SenderFigures) -> String {
        self.read(sender).1
    }

    fn read(self, sender: &SenderFigures) -> (SenderAnswer, String) {
        let SenderFigures { seen, observed } = sender;
        let (answer, cell) = match self {
            Self::Mail => match (seen.mail_in_clear, seen.mail_in_tls) {
                (0, 0) => (SenderAnswer::Undetermined, "undetermined"),
                (0, _) => (SenderAnswer::Rank(1), "in_tls"),
                _ => (SenderAnswer::Rank(0), "in_clear"),
            },
            Self::WeakestTlsVersion => match observed.versions.first() {
                None => (SenderAnswer::Nothing, ""),
                Some(version) => return (SenderAnswer::Rank(version.0), version.to_string()),
            },
            Self::ClientCertificate => match observed.certificate_state {
                None | Some(CertificateState::NotJudged) => (SenderAnswer::Nothing, ""),
                Some(CertificateState::NotDetermined) => (SenderAnswer::Undetermined, "undetermined"),
                Some(CertificateState::Holds) => (SenderAnswer::Rank(1), "holds"),
                Some(CertificateState::DoesNotHold) => (SenderAnswer::Rank(0), "does_not_hold"),
            },
            Self::CertNamed => match observed.certificate_named {
                None => (SenderAnswer::Nothing, ""),
                Some(CertificateNamed::NotDetermined(_)) => (SenderAnswer::Undetermined, "undetermined"),
                Some(CertificateNamed::Yes) => (SenderAnswer::Rank(1), "yes"),
                Some(CertificateNamed::No) => (SenderAnswer::Rank(0), "no"),
            },
            Self::Verdict => match observed.verdicts {
                [0, 0, 0] => (SenderAnswer::Nothing, ""),
                [_, 0, 0] => (SenderAnswer::Rank(1), "accepted"),
                [_, 0, _] => (SenderAnswer::Undetermined, "undetermined"),
                _ => (SenderAnswer::Rank(0), "rejected"),
            },
        };
        (answer, cell.to_string())
    }

    fn turn(self, before: &SenderFigures, after: &SenderFigures) -> Option<Turn> {
        use SenderAnswer::{Nothing, Rank, Undetermined};
        match (self.read(before).0, self.read(after).0) {
            (Nothing, _) | (_, Nothing) | (Undetermined, Undetermined) => None,
            (Rank(_), Undetermined) => Some(Turn::NowUndetermined),
            (Undetermined, Rank(_)) => Some(Turn::DeterminedNow),
            (Rank(was), Rank(is)) if was == is => None,
            (Rank(was), Rank(is)) => Some(if is < was { Turn::Worse } else { Turn::Better }),
        }
    }
}

/// Something that differs. The order is that in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SenderSign {
    /// A column of the order.
    Turned(SenderColumn, Turn),
    /// It shows other certificates.
    CertificateChanged,
    /// It shows a certificate.
    CertificateAppeared,
    /// It shows none any more.
    CertificateGone,
    /// Connectors refuse it with other codes.
    RefusalChanged,
    /// Other suites were agreed.
    SuiteChanged,
    /// Its ClientHello has another fingerprint.
    OfferChanged,
}

impl fmt::Display for SenderSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Turned(column, turn) => return write!(f, "{}_{}", column.name(), turn.name()),
            Self::CertificateChanged => "certificate_changed",
            Self::CertificateAppeared => "certificate_appeared",
            Self::CertificateGone => "certificate_gone",
            Self::RefusalChanged => "refusal_changed",
            Self::SuiteChanged => "suite_changed",
            Self::OfferChanged => "offer_changed",
        })
    }
}

/// A sender of either run, and what became of it.
#[derive(Clone, Debug)]
pub struct SenderChange<'a> {
    /// Its address and name.
    pub key: SenderKey,
    /// What it did in the first run.
    pub before: Option<&'a SenderFigures>,
    /// What it did in the second.
    pub after: Option<&'a SenderFigures>,
    /// What became of it; the words are those of domains.
    pub change: DomainChange,
    /// The column that decided that, where one did.
    pub decided_by: Option<SenderColumn>,
    /// All that differs.
    pub signs: Vec<SenderSign>,
}

impl SenderChange<'_> {
    /// A column before and after; empty where a run does not have the sender.
    pub fn cells(&self, column: SenderColumn) -> [String; 2] {
        [self.before, self.after].map(|sender| sender.map_or_else(String::new, |sender| column.cell(sender)))
    }

    /// Whether its MAIL comes in clear now and did not before; one that came counts.
    pub fn is_in_clear_now(&self) -> bool {
        let in_clear = |sender: Option<&SenderFigures>| sender.is_some_and(|one| one.seen.mail_in_clear > 0);
        in_clear(self.after) && !in_clear(self.before)
    }
}

/// Two runs, sender by sender.
#[derive(Debug)]
pub struct SenderDiff<'a> {
    /// What is compared.
    pub head: SenderDiffHead,
    /// Every sender of either run, by name and address.
    pub senders: Vec<SenderChange<'a>>,
}

impl<'a> SenderDiff<'a> {
    /// Compares them.
    pub fn new(head: SenderDiffHead, before: &'a ReceivedFigures, after: &'a ReceivedFigures) -> Self {
        let mut pairs: BTreeMap<(Option<&str>, SenderKey), [Option<&SenderFigures>; 2]> = BTreeMap::new();
        for (place, figures) in [before, after].into_iter().enumerate() {
            for sender in &figures.senders {
                let key = SenderKey { address: sender.seen.address, name: sender.seen.name.clone() };
                let pair = pairs.entry((sender.seen.name.as_deref(), key)).or_default();
                if let Some(one) = pair.get_mut(place) {
                    *one = Some(sender);
                }
            }
        }
        let finished = [head.before.finished, head.after.finished];
        let senders = pairs.into_iter().map(|((_, key), pair)| compare(key, pair, finished)).collect();
        Self { head, senders }
    }

    /// Senders of which this became.
    pub fn of(&self, change: DomainChange) -> u64 {
        self.senders.iter().filter(|sender| sender.change == change).count() as u64
    }

    /// Senders whose MAIL comes in clear now and did not before.
    pub fn in_clear_now(&self) -> u64 {
        self.senders.iter().filter(|sender| sender.is_in_clear_now()).count() as u64
    }

    /// Every sign that was seen, with the senders that bear it.
    pub fn signs(&self) -> BTreeMap<SenderSign, u64> {
        let mut counts = BTreeMap::new();
        for sign in self.senders.iter().flat_map(|sender| &sender.signs) {
            *counts.entry(*sign).or_default() += 1;
        }
        counts
    }
}

fn compare(
    key: SenderKey,
    pair: [Option<&SenderFigures>; 2],
    [before_finished, after_finished]: [bool; 2],
) -> SenderChange<'_> {
    let [before, after] = pair;
    let (change, decided_by, signs) = match (before, after) {
        (Some(before), Some(after)) => compare_both(before, after),
        (Some(_), None) if after_finished => (DomainChange::Went, None, Vec::new()),
        (None, Some(_)) if before_finished => (DomainChange::Came, None, Vec::new()),
        _ => (DomainChange::NotReached, None, Vec::new()),
    };
    SenderChange { key, before, after, change, decided_by, signs }
}

fn compare_both(
    before: &SenderFigures,
    after: &SenderFigures,
) -> (DomainChange, Option<SenderColumn>, Vec<SenderSign>) {
    let turns = SenderColumn::ALL.iter().filter_map(|column| Some((*column, column.turn(before, after)?)));
    let turns: Vec<(SenderColumn, Turn)> = turns.collect();
    let mut signs: Vec<SenderSign> =
        turns.iter().map(|(column, turn)| SenderSign::Turned(*column, *turn)).collect();
    tell_others(before, after, &mut signs);
    let is_open = SenderColumn::Mail.read(after).0 == SenderAnswer::Undetermined;
    let change = match turns.first() {
        Some((_, Turn::Worse)) => DomainChange::Worse,
        Some((_, Turn::Better)) => DomainChange::Better,
        Some((_, Turn::NowUndetermined)) => DomainChange::NowUndetermined,
        Some((_, Turn::DeterminedNow)) => DomainChange::DeterminedNow,
        None if !signs.is_empty() => DomainChange::Changed,
        None if is_open => DomainChange::StillUndetermined,
        None => DomainChange::Same,
    };
    (change, turns.first().map(|(column, _)| *column), signs)
}

/// What differs beside the columns of the order. Where nothing was agreed or offered,
/// nothing is told of suites or of the offer.
fn tell_others(before: &SenderFigures, after: &SenderFigures, signs: &mut Vec<SenderSign>) {
    let (was, is) = (&before.observed, &after.observed);
    let had_tls = |sender: &SenderFigures| !sender.observed.versions.is_empty();
    if was.certificates != is.certificates && had_tls(before) && had_tls(after) {
        signs.push(match (was.certificates.is_empty(), is.certificates.is_empty()) {
            (true, _) => SenderSign::CertificateAppeared,
            (_, true) => SenderSign::CertificateGone,
            _ => SenderSign::CertificateChanged,
        });
    }
    let refused = |codes: &std::collections::BTreeSet<String>| !codes.is_empty();
    if refused(&was.refusal_codes) && refused(&is.refusal_codes) && was.refusal_codes != is.refusal_codes {
        signs.push(SenderSign::RefusalChanged);
    }
    if had_tls(before) && had_tls(after) && was.suites != is.suites {
        signs.push(SenderSign::SuiteChanged);
    }
    let offers = [&was.fingerprints, &is.fingerprints];
    if offers.iter().all(|offers| !offers.is_empty()) && was.fingerprints != is.fingerprints {
        signs.push(SenderSign::OfferChanged);
    }
}
