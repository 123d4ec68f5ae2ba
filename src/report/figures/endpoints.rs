//! The endpoints of a run in counts: what the scanner's own handshake met.

use super::cells::Cells;
use super::timings::TimingFigures;
use crate::report::tally::Tally;

/// Names of one table of counts by endpoint or by domain.
#[derive(Clone, Debug, Default)]
pub struct HandshakeFigures {
    /// `ok`, or phase and outcome.
    pub outcomes: Tally,
    /// Negotiated versions.
    pub versions: Tally,
    /// Negotiated suites.
    pub suites: Tally,
    /// Groups of the key exchange.
    pub groups: Tally,
    /// Whether the key exchange is ephemeral.
    pub forward_secrecy: Tally,
    /// Chain axis.
    pub chain: Tally,
    /// Date axis.
    pub dates: Tally,
    /// Name axis.
    pub name: Tally,
    /// Key axis.
    pub key: Tally,
}

impl HandshakeFigures {
    pub(super) fn add(&mut self, row: &impl Cells) {
        let outcome = row.cell("outcome");
        let ended = outcome != "ok";
        let name = if ended { format!("{}_{outcome}", row.cell("phase")) } else { outcome.to_string() };
        self.outcomes.add(name.into());
        // A handshake that fails negotiates nothing; one that a server broke off once
        // it stood has its time.
        if !ended || row.cell("phase") == "after_tls" || !row.cell("handshake_us").is_empty() {
            add(&mut self.versions, row, "tls_version");
            add(&mut self.suites, row, "cipher_suite");
            add(&mut self.groups, row, "key_exchange_group");
        }
        add(&mut self.forward_secrecy, row, "forward_secrecy");
        add(&mut self.chain, row, "cert_chain");
        add(&mut self.dates, row, "cert_dates");
        add(&mut self.name, row, "cert_name");
        add(&mut self.key, row, "cert_key");
    }
}

pub(super) fn add(tally: &mut Tally, row: &impl Cells, column: &str) {
    let cell = row.cell(column);
    if !cell.is_empty() {
        tally.add_borrowed(cell);
    }
}

/// Endpoints, each counted once, however many domains it serves.
#[derive(Clone, Debug, Default)]
pub struct EndpointFigures {
    /// All.
    pub total: u64,
    /// Those that were not asked, for a sample of the names of their address stands
    /// for them.
    pub not_asked: u64,
    /// Those whose row tells of connections under another name of the address.
    pub inferred: u64,
    /// The handshake.
    pub handshake: HandshakeFigures,
    /// Classes of suites.
    pub suite_classes: Tally,
    /// Signature schemes of the handshake.
    pub signature_schemes: Tally,
    /// How long it took.
    pub timings: TimingFigures,
}

impl EndpointFigures {
    pub(super) fn add(&mut self, row: &impl Cells) {
        self.total += 1;
        self.not_asked += u64::from(row.cell("outcome") == "not_asked");
        self.inferred += u64::from(!row.cell("inferred_from").is_empty());
        self.handshake.add(row);
        add(&mut self.suite_classes, row, "cipher_suite_class");
        add(&mut self.signature_schemes, row, "signature_scheme");
        // The times of another name's connections count once.
        if row.cell("inferred_from").is_empty() {
            self.timings.add(row);
        }
    }
}
