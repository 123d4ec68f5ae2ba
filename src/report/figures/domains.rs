//! The domains of a run in counts.

use super::cells::Cells;
use super::concern::{Concern, ConcernKind};
use super::endpoints::{HandshakeFigures, add};
use super::forced::ForcedFigures;
use super::operators::OperatorFigures;
use super::partners::Partners;
use crate::report::tally::Tally;

/// Domains, each line of the list counted once.
#[derive(Clone, Debug, Default)]
pub struct DomainFigures {
    /// All rows.
    pub total: u64,
    /// Rows of endpoints: the list named hosts and no mail domains.
    pub listed_endpoints: u64,
    /// What becomes of mail.
    pub deliveries: Tally,
    /// Why not encrypted, as `plaintext: starttls_not_offered`.
    pub reasons: Tally,
    /// Through the weakest host that answers.
    pub weakest_deliveries: Tally,
    /// What the verdicts rest on.
    pub basis: Tally,
    /// Codes that the sender would log.
    pub codes: Tally,
    /// Versions that the sender would get.
    pub sent_versions: Tally,
    /// Suites that it would get.
    pub sent_suites: Tally,
    /// Groups that it would get.
    pub sent_groups: Tally,
    /// The scanner's own handshake with the best host.
    pub handshake: HandshakeFigures,
    /// Forced TLS.
    pub forced: ForcedFigures,
    /// Under connectors: what becomes of mail.
    pub connectors: Tally,
    /// Why it is not delivered then.
    pub connector_reasons: Tally,
    /// By what hosts are authenticated, as in the column.
    pub authenticated: Tally,
    /// How the domains stand to DANE.
    pub dane: Tally,
    /// To MTA-STS, with the mode where a policy stands.
    pub mta_sts: Tally,
    /// To TLS-RPT.
    pub tls_rpt: Tally,
    /// DNSSEC of the MX records.
    pub dnssec_mx: Tally,
    /// Domains whose deciding host was not asked, as a sample stands for it.
    pub not_asked: u64,
    /// Domains by the kind of what is wrong, in the order of [`ConcernKind::ALL`].
    pub concerns: [u64; ConcernKind::ALL.len()],
    /// Whom to write to.
    pub partners: Partners,
    /// Who runs the hosts.
    pub operators: OperatorFigures,
}

impl DomainFigures {
    pub(super) fn add(&mut self, row: &impl Cells, concerns: &[Concern]) {
        self.total += 1;
        // Of an endpoint there is no top-level domain, and no MX was looked up.
        let is_endpoint = row.cell("tld").is_empty() && row.cell("implicit_mx").is_empty();
        self.listed_endpoints += u64::from(is_endpoint);
        self.add_sending(row);
        self.handshake.add(row);
        self.forced.add(row);
        self.add_policies(row);
        add(&mut self.connectors, row, "connector_delivery");
        add(&mut self.connector_reasons, row, "connector_reason");
        self.not_asked += u64::from(row.cell("outcome") == "not_asked");
        for (kind, count) in ConcernKind::ALL.iter().zip(&mut self.concerns) {
            *count += u64::from(concerns.iter().any(|concern| concern.kind == *kind));
        }
        self.partners.add(row, concerns);
        self.operators.add(row, concerns);
    }

    fn add_sending(&mut self, row: &impl Cells) {
        let delivery = row.cell("delivery");
        add(&mut self.deliveries, row, "delivery");
        add(&mut self.weakest_deliveries, row, "weakest_delivery");
        add(&mut self.basis, row, "basis");
        let reason = row.cell("reason");
        if !reason.is_empty() {
            self.reasons.add(format!("{delivery}: {reason}").into());
        }
        // What is not determined may not be logged at all.
        if delivery != "undetermined" {
            add(&mut self.codes, row, "enhanced_code");
        }
        add(&mut self.sent_versions, row, "delivery_tls_version");
        add(&mut self.sent_suites, row, "delivery_cipher_suite");
        add(&mut self.sent_groups, row, "delivery_key_exchange_group");
    }

    fn add_policies(&mut self, row: &impl Cells) {
        add(&mut self.authenticated, row, "authenticated");
        add(&mut self.dane, row, "dane");
        add(&mut self.tls_rpt, row, "tls_rpt");
        add(&mut self.dnssec_mx, row, "dnssec_mx");
        match (row.cell("mta_sts"), row.cell("mta_sts_mode")) {
            ("", _) => {}
            (stand, "") => self.mta_sts.add_borrowed(stand),
            ("valid", mode) => self.mta_sts.add(format!("mode {mode}").into()),
            (stand, mode) => self.mta_sts.add(format!("mode {mode}, failing: {stand}").into()),
        }
    }
}
