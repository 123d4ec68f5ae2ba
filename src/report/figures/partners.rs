//! The partners to write to: the gravest, as many as a page can bear.

use super::cells::Cells;
use super::concern::{Concern, ConcernKind};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Partners that stand on the page.
pub const PARTNERS_SHOWN_MAX: usize = 200;
/// A domain with what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRow {
    /// Line in the list.
    pub line: u64,
    /// The domain.
    pub domain: String,
    /// Who runs its mail host; or the host where that is not known.
    pub operator: String,
    /// What is wrong, gravest first.
    pub concerns: Vec<Concern>,
    /// Which host said so, and what.
    pub evidence: String,
    /// The first strength of forced TLS under which mail does not pass; empty if there is none.
    pub missed_strength: &'static str,
}

impl PartnerRow {
    /// The row of a domain; `None` if nothing is wrong there.
    pub fn of(row: &impl Cells, concerns: &[Concern]) -> Option<Self> {
        if concerns.is_empty() {
            return None;
        }
        let known = |columns: [&str; 2]| {
            let cells = columns.map(|column| row.cell(column));
            cells.into_iter().find(|cell| !cell.is_empty()).unwrap_or_default().to_string()
        };
        Some(Self {
            line: row.cell("line").parse().unwrap_or_default(),
            domain: row.cell("domain").to_string(),
            operator: known(["mx_operator", "mx_host"]),
            concerns: concerns.to_vec(),
            evidence: evidence(row, concerns),
            missed_strength: super::forced::missed(row),
        })
    }

    fn order(&self) -> (ConcernKind, u64) {
        (self.concerns.first().map_or(ConcernKind::NoMail, |gravest| gravest.kind), self.line)
    }
}

/// Host, address, and what it said, by which the gravest can be checked.
fn evidence(row: &impl Cells, concerns: &[Concern]) -> String {
    let kind = concerns.first().map(|gravest| gravest.kind);
    let of_weakest = kind == Some(ConcernKind::OneHostInClear);
    let prefix = if of_weakest { "weakest_" } else { "" };
    let cell = |name: &str| row.cell(&format!("{prefix}{name}"));
    let host = match (cell("mx_host"), cell("ip")) {
        ("", ip) => ip.to_string(),
        (host, "") => host.to_string(),
        (host, ip) => format!("{host} ({ip})"),
    };
    let policy = match kind {
        Some(ConcernKind::PolicyBroken) if concerns.iter().any(|c| c.code.starts_with("dane:")) => {
            row.cell("dane_detail")
        }
        Some(ConcernKind::PolicyBroken) => row.cell("mta_sts_detail"),
        _ => "",
    };
    if kind == Some(ConcernKind::KeptByConnector) {
        let told = ["connector", "connector_code", "connector_detail"].map(|column| row.cell(column));
        let told: Vec<&str> =
            std::iter::once(host.as_str()).chain(told).filter(|part| !part.is_empty()).collect();
        return told.join(": ");
    }
    let said = if policy.is_empty() && !of_weakest { row.cell("detail") } else { policy };
    let certificate = concerns.first().map_or("", |gravest| gravest.evidence.as_str());
    let parts: Vec<&str> =
        [host.as_str(), said, certificate].into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}

/// Ordered by gravity, the least grave on top of the heap.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RankedPartner(PartnerRow);

impl Ord for RankedPartner {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order().cmp(&other.0.order())
    }
}

impl PartialOrd for RankedPartner {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The gravest partners.
#[derive(Clone, Debug, Default)]
pub struct Partners {
    heap: BinaryHeap<RankedPartner>,
    /// Domains at which anything is wrong, those that are not kept included.
    pub total: u64,
}

impl Partners {
    pub(super) fn add(&mut self, row: &impl Cells, concerns: &[Concern]) {
        let Some(partner) = PartnerRow::of(row, concerns) else { return };
        self.total += 1;
        self.heap.push(RankedPartner(partner));
        if self.heap.len() > PARTNERS_SHOWN_MAX {
            self.heap.pop();
        }
    }

    /// Those that are kept, gravest first; of one gravity those of an operator together, then in
    /// the order of the list.
    pub fn gravest(&self) -> Vec<&PartnerRow> {
        let mut all: Vec<&PartnerRow> = self.heap.iter().map(|ranked| &ranked.0).collect();
        let key = |partner: &&PartnerRow| (partner.order().0, partner.operator.clone(), partner.line);
        all.sort_by_cached_key(key);
        all
    }
}
