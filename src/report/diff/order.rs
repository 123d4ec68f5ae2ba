//! The order of deliveries: what is better, and what is worse. It stands at [`ORDER`].

use super::row::{ComparedColumn, ComparedRow};
use crate::model::registry::{CipherSuite, SuiteClass};

/// One line of the order.
#[derive(Debug)]
pub struct Criterion {
    /// The column that is compared.
    pub column: ComparedColumn,
    rank: fn(&str) -> CellAnswer,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellAnswer {
    /// Nothing: it does not apply, or nobody asked.
    Nothing,
    /// That it is not determined.
    Undetermined,
    /// The more, the better.
    Rank(u8),
}

/// How an answer stands to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Turn {
    /// It is worse.
    Worse,
    /// It is better.
    Better,
    /// There is none any more.
    NowUndetermined,
    /// There was none.
    DeterminedNow,
}

impl Turn {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NowUndetermined => "now_undetermined",
            Self::DeterminedNow => "determined_now",
        }
    }
}

const fn line(column: ComparedColumn, rank: fn(&str) -> CellAnswer) -> Criterion {
    Criterion { column, rank }
}

/// The order, the most important first.
///
/// Two rows of a domain are held against each other by the lines of [`ORDER`], from
/// the first to the last; the first that differs decides. So a delivery that turns
/// from encrypted to plaintext is worse, whatever else became better.
///
/// | | what | best to worst |
/// |---|---|---|
/// | 1 | what becomes of mail | encrypted, plaintext, deferred, undeliverable |
/// | 2 | the same under the connector in force | delivered, deferred, undeliverable |
/// | 3 | the weakest host that takes mail | encrypted, plaintext |
/// | 4 | by what the host is authenticated | DANE, MTA-STS, nothing |
/// | 5–7 | whether mail passes under forced TLS of each strength | pass, fail |
/// | 8–9 | version, at the weakest host and of the delivery | TLS 1.3 … SSLv3 |
/// | 10–11 | class of the cipher suite, in the same way | recommended, acceptable, weak, broken |
/// | 12–19 | certificate, in the same way: chain, dates, name, key | valid, in force, the right name, strong; else not |
/// | 20 | key exchange | with a part that withstands quantum computers, without |
///
/// Mail in clear is better here than mail that stays away: a domain that takes no mail
/// any more is news of the worst kind for whoever writes to it. (Where hosts of equal
/// preference differ, `delivery` is the worst of them in another order, in which
/// plaintext is last: there the question is what others may read.)
///
/// A cell that is empty does not apply or was not asked, and is passed over. One that
/// is undetermined, where the other run has an answer, decides as well: what is less
/// important is no answer to what is not known. It is no change.
pub const ORDER: &[Criterion] = &[
    line(ComparedColumn::Delivery, delivery),
    line(ComparedColumn::ConnectorDelivery, |cell| {
        by_name(cell, &["undeliverable", "deferred", "delivered"])
    }),
    line(ComparedColumn::WeakestDelivery, delivery),
    line(ComparedColumn::Authenticated, |cell| by_name(cell, &["none", "sts", "dane"])),
    line(ComparedColumn::EncryptionOnly, check),
    line(ComparedColumn::CertificateValidation, check),
    line(ComparedColumn::DomainValidation, check),
    line(ComparedColumn::WeakestTlsVersion, version),
    line(ComparedColumn::DeliveryTlsVersion, version),
    line(ComparedColumn::WeakestCipherSuite, suite),
    line(ComparedColumn::DeliveryCipherSuite, suite),
    line(ComparedColumn::WeakestCertChain, chain),
    line(ComparedColumn::WeakestCertDates, dates),
    line(ComparedColumn::WeakestCertName, name),
    line(ComparedColumn::WeakestCertKey, key),
    line(ComparedColumn::CertChain, chain),
    line(ComparedColumn::CertDates, dates),
    line(ComparedColumn::CertName, name),
    line(ComparedColumn::CertKey, key),
    line(ComparedColumn::DeliveryKeyExchangeGroup, group),
];

impl Criterion {
    /// How the second row stands to the first; `None` if it is alike, or one of them
    /// says nothing.
    pub fn turn(&self, before: &ComparedRow<'_>, after: &ComparedRow<'_>) -> Option<Turn> {
        let (before, after) = (before.get(self.column), after.get(self.column));
        if before == after {
            return None;
        }
        match ((self.rank)(before), (self.rank)(after)) {
            (CellAnswer::Rank(before), CellAnswer::Rank(after)) if after < before => Some(Turn::Worse),
            (CellAnswer::Rank(before), CellAnswer::Rank(after)) if after > before => Some(Turn::Better),
            (CellAnswer::Rank(_), CellAnswer::Undetermined) => Some(Turn::NowUndetermined),
            (CellAnswer::Undetermined, CellAnswer::Rank(_)) => Some(Turn::DeterminedNow),
            _ => None,
        }
    }
}

/// The place of a value among those that a column has, the worst first. A cause behind
/// a colon does not count.
fn by_name(cell: &str, worst_first: &[&str]) -> CellAnswer {
    let value = cell.split(':').next().unwrap_or_default();
    let rank = worst_first.iter().position(|name| *name == value).and_then(|place| u8::try_from(place).ok());
    match rank {
        Some(rank) => CellAnswer::Rank(rank),
        None if value == "undetermined" => CellAnswer::Undetermined,
        None => CellAnswer::Nothing,
    }
}

fn delivery(cell: &str) -> CellAnswer {
    by_name(cell, &["undeliverable", "deferred", "plaintext", "encrypted"])
}

fn check(cell: &str) -> CellAnswer {
    by_name(cell, &["fail", "pass"])
}

fn version(cell: &str) -> CellAnswer {
    by_name(cell, &["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
}

/// An unknown suite has no class, and nothing is said of it.
fn suite(cell: &str) -> CellAnswer {
    match cell.parse().ok().and_then(CipherSuite::class) {
        Some(SuiteClass::Broken) => CellAnswer::Rank(0),
        Some(SuiteClass::Weak) => CellAnswer::Rank(1),
        Some(SuiteClass::Acceptable) => CellAnswer::Rank(2),
        Some(SuiteClass::Recommended) => CellAnswer::Rank(3),
        None => CellAnswer::Nothing,
    }
}

/// What cannot be verified here is not known to be bad.
fn chain(cell: &str) -> CellAnswer {
    match cell {
        "" => CellAnswer::Nothing,
        "unverifiable" => CellAnswer::Undetermined,
        "valid" => CellAnswer::Rank(1),
        _ => CellAnswer::Rank(0),
    }
}

fn dates(cell: &str) -> CellAnswer {
    match cell {
        "valid" => CellAnswer::Rank(1),
        "expired" | "not_yet_valid" => CellAnswer::Rank(0),
        "unreadable" => CellAnswer::Undetermined,
        _ => CellAnswer::Nothing,
    }
}

/// Connectors want either name.
fn name(cell: &str) -> CellAnswer {
    match cell {
        "mx_host" | "domain" => CellAnswer::Rank(1),
        "none" => CellAnswer::Rank(0),
        _ => CellAnswer::Nothing,
    }
}

fn key(cell: &str) -> CellAnswer {
    match cell {
        "strong" => CellAnswer::Rank(1),
        "weak" => CellAnswer::Rank(0),
        "unknown" => CellAnswer::Undetermined,
        _ => CellAnswer::Nothing,
    }
}

/// Registered hybrids name ML-KEM, drafts of them Kyber.
fn group(cell: &str) -> CellAnswer {
    match cell {
        "" => CellAnswer::Nothing,
        hybrid if hybrid.contains("MLKEM") || hybrid.contains("Kyber") => CellAnswer::Rank(1),
        _ => CellAnswer::Rank(0),
    }
}
