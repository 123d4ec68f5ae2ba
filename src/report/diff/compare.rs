//! What became of one domain between two runs.

use super::order::{ORDER, Turn};
use super::row::{ComparedColumn, ComparedRow};
use std::fmt;

/// What became of a domain. Each is in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DomainChange {
    /// The first line of the order that differs is worse.
    Worse,
    /// It is better.
    Better,
    /// There is no answer any more where there was one. That is no change.
    NowUndetermined,
    /// There is an answer where there was none. That is no change, either.
    DeterminedNow,
    /// Neither better nor worse, but there is something to tell.
    Changed,
    /// Only the second run has it.
    Came,
    /// Only the first run has it.
    Went,
    /// Only one run has it, and the other did not come to its end.
    NotReached,
    /// Nothing differs, and what becomes of mail is not determined in either.
    StillUndetermined,
    /// Nothing differs.
    Same,
}

impl DomainChange {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Worse,
        Self::Better,
        Self::Changed,
        Self::NowUndetermined,
        Self::DeterminedNow,
        Self::Came,
        Self::Went,
        Self::NotReached,
        Self::StillUndetermined,
        Self::Same,
    ];

    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NowUndetermined => "now_undetermined",
            Self::DeterminedNow => "determined_now",
            Self::Changed => "changed",
            Self::Came => "came",
            Self::Went => "went",
            Self::NotReached => "not_reached",
            Self::StillUndetermined => "still_undetermined",
            Self::Same => "same",
        }
    }

    /// Whether there is a row to tell.
    pub fn is_told(self) -> bool {
        !matches!(self, Self::StillUndetermined | Self::Same)
    }
}

/// Something that differs. The order is that in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DiffSign {
    /// A line of the order.
    Turned(ComparedColumn, Turn),
    /// The reason is another.
    ReasonChanged,
    /// The mail host that decides is another operator's.
    OperatorMoved,
    /// It is another of the same operator.
    HostMoved,
    /// The same host shows another certificate.
    CertificateRenewed,
    /// That is about the same key.
    KeyReused,
    /// The cipher suite of the delivery is another.
    SuiteChanged,
    /// The group of its key exchange is another.
    GroupChanged,
    /// There are TLSA records.
    DaneAppeared,
    /// There are none any more.
    DaneGone,
    /// They fit in another way, or do not any more.
    DaneChanged,
    /// MTA-STS is announced.
    MtaStsAppeared,
    /// It is not any more.
    MtaStsGone,
    /// What is wrong with it is another thing, or nothing.
    MtaStsChanged,
    /// The mode of its policy is another.
    MtaStsModeChanged,
    /// Reports on TLS are asked for.
    TlsRptAppeared,
    /// They are not any more.
    TlsRptGone,
    /// What is wrong with the record is another thing, or nothing.
    TlsRptChanged,
    /// Another connector takes the mail, or none does.
    ConnectorChanged,
}

impl DiffSign {
    /// All but those of the lines of the order.
    pub const OTHERS: [Self; 18] = [
        Self::ReasonChanged,
        Self::OperatorMoved,
        Self::HostMoved,
        Self::CertificateRenewed,
        Self::KeyReused,
        Self::SuiteChanged,
        Self::GroupChanged,
        Self::DaneAppeared,
        Self::DaneGone,
        Self::DaneChanged,
        Self::MtaStsAppeared,
        Self::MtaStsGone,
        Self::MtaStsChanged,
        Self::MtaStsModeChanged,
        Self::TlsRptAppeared,
        Self::TlsRptGone,
        Self::TlsRptChanged,
        Self::ConnectorChanged,
    ];
}

impl fmt::Display for DiffSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Turned(column, turn) => return write!(f, "{}_{}", column.name(), turn.name()),
            Self::ReasonChanged => "reason_changed",
            Self::OperatorMoved => "operator_moved",
            Self::HostMoved => "host_moved",
            Self::CertificateRenewed => "certificate_renewed",
            Self::KeyReused => "key_reused",
            Self::SuiteChanged => "suite_changed",
            Self::GroupChanged => "group_changed",
            Self::DaneAppeared => "dane_appeared",
            Self::DaneGone => "dane_gone",
            Self::DaneChanged => "dane_changed",
            Self::MtaStsAppeared => "mta_sts_appeared",
            Self::MtaStsGone => "mta_sts_gone",
            Self::MtaStsChanged => "mta_sts_changed",
            Self::MtaStsModeChanged => "mta_sts_mode_changed",
            Self::TlsRptAppeared => "tls_rpt_appeared",
            Self::TlsRptGone => "tls_rpt_gone",
            Self::TlsRptChanged => "tls_rpt_changed",
            Self::ConnectorChanged => "connector_changed",
        })
    }
}

/// What became of a domain, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainComparison {
    /// What became of it.
    pub change: DomainChange,
    /// The column that decided that, where one did.
    pub decided_by: Option<ComparedColumn>,
    /// All that differs.
    pub signs: Vec<DiffSign>,
}

impl DomainComparison {
    fn without_signs(change: DomainChange) -> Self {
        Self { change, decided_by: None, signs: Vec::new() }
    }
}

/// Which runs came to their end, so that a domain that they lack is not on their list.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// The first.
    pub before: bool,
    /// The second.
    pub after: bool,
}

/// Compares what two runs have of a domain; `None` if neither has anything.
/// `same_key` says of two certificates by their SHA-256 whether they are about one key,
/// where that is known.
pub fn compare(
    before: Option<&ComparedRow<'_>>,
    after: Option<&ComparedRow<'_>>,
    finished: Finished,
    same_key: impl FnOnce(&str, &str) -> Option<bool>,
) -> Option<DomainComparison> {
    let change = match (before, after) {
        (Some(before), Some(after)) => return Some(compare_rows(before, after, same_key)),
        (None, None) => return None,
        (Some(_), None) if finished.after => DomainChange::Went,
        (None, Some(_)) if finished.before => DomainChange::Came,
        _ => DomainChange::NotReached,
    };
    Some(DomainComparison::without_signs(change))
}

fn compare_rows(
    before: &ComparedRow<'_>,
    after: &ComparedRow<'_>,
    same_key: impl FnOnce(&str, &str) -> Option<bool>,
) -> DomainComparison {
    let turns = ORDER.iter().filter_map(|line| Some((line.column, line.turn(before, after)?)));
    let turns: Vec<(ComparedColumn, Turn)> = turns.collect();
    let mut signs: Vec<DiffSign> =
        turns.iter().map(|(column, turn)| DiffSign::Turned(*column, *turn)).collect();
    tell_hosts(before, after, same_key, &mut signs);
    tell_policies(before, after, &mut signs);
    let is_open = after.get(ComparedColumn::Delivery) == "undetermined";
    let change = match turns.first() {
        Some((_, Turn::Worse)) => DomainChange::Worse,
        Some((_, Turn::Better)) => DomainChange::Better,
        Some((_, Turn::NowUndetermined)) => DomainChange::NowUndetermined,
        Some((_, Turn::DeterminedNow)) => DomainChange::DeterminedNow,
        None if !signs.is_empty() => DomainChange::Changed,
        None if is_open => DomainChange::StillUndetermined,
        None => DomainChange::Same,
    };
    DomainComparison { change, decided_by: turns.first().map(|(column, _)| *column), signs }
}

/// Whether both cells say something, and not the same.
fn differ(before: &ComparedRow<'_>, after: &ComparedRow<'_>, column: ComparedColumn) -> bool {
    let (before, after) = (before.get(column), after.get(column));
    before != after && !before.is_empty() && !after.is_empty()
}

fn tell_hosts(
    before: &ComparedRow<'_>,
    after: &ComparedRow<'_>,
    same_key: impl FnOnce(&str, &str) -> Option<bool>,
    signs: &mut Vec<DiffSign>,
) {
    let differs = |column| differ(before, after, column);
    let same_delivery = !differs(ComparedColumn::Delivery);
    if same_delivery
        && after.get(ComparedColumn::Delivery) != "undetermined"
        && differs(ComparedColumn::Reason)
    {
        signs.push(DiffSign::ReasonChanged);
    }
    let column = ComparedColumn::Connector;
    if before.get(column) != after.get(column) {
        signs.push(DiffSign::ConnectorChanged);
    }
    if differs(ComparedColumn::MxOperator) {
        signs.push(DiffSign::OperatorMoved);
    } else if differs(ComparedColumn::MxHost) {
        signs.push(DiffSign::HostMoved);
    } else if differs(ComparedColumn::CertSha256) {
        signs.push(DiffSign::CertificateRenewed);
        let certificate = |row: &ComparedRow<'_>| row.get(ComparedColumn::CertSha256).to_string();
        if same_key(&certificate(before), &certificate(after)) == Some(true) {
            signs.push(DiffSign::KeyReused);
        }
    }
    if differs(ComparedColumn::DeliveryCipherSuite) {
        signs.push(DiffSign::SuiteChanged);
    }
    if differs(ComparedColumn::DeliveryKeyExchangeGroup) {
        signs.push(DiffSign::GroupChanged);
    }
}

/// Whether something is published; `None` where that is not known: nobody asked, or
/// what the DNS says does not count, so that senders do not look (`insecure_addresses`,
/// `bogus`).
fn is_published(cell: &str) -> Option<bool> {
    match cell {
        "" | "insecure_addresses" | "bogus" => None,
        "none" => Some(false),
        open if open.starts_with("undetermined") => None,
        _ => Some(true),
    }
}

fn tell_policies(before: &ComparedRow<'_>, after: &ComparedRow<'_>, signs: &mut Vec<DiffSign>) {
    use ComparedColumn::{Dane, MtaSts, MtaStsMode, TlsRpt};
    let policies = [
        (Dane, [DiffSign::DaneAppeared, DiffSign::DaneGone, DiffSign::DaneChanged]),
        (MtaSts, [DiffSign::MtaStsAppeared, DiffSign::MtaStsGone, DiffSign::MtaStsChanged]),
        (TlsRpt, [DiffSign::TlsRptAppeared, DiffSign::TlsRptGone, DiffSign::TlsRptChanged]),
    ];
    for (column, [appeared, gone, changed]) in policies {
        let (before, after) = (before.get(column), after.get(column));
        match (is_published(before), is_published(after)) {
            (Some(false), Some(true)) => signs.push(appeared),
            (Some(true), Some(false)) => signs.push(gone),
            (Some(true), Some(true)) if before != after => signs.push(changed),
            _ => {}
        }
    }
    if differ(before, after, MtaStsMode) {
        signs.push(DiffSign::MtaStsModeChanged);
    }
}
