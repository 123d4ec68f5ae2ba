//! What a scanner must find, as the scenario files say it.

use crate::model::{CipherSuite, ConnectorDelivery, Delivery, Kind, Phase, ProtocolVersion, Reason};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Columns of `domains.csv` that come from one endpoint, in their order. In
/// the file of a scenario a column that is left out is expected to be empty.
pub const FINDING_COLUMNS: &[&str] = &[
    "phase",
    "outcome",
    "reply_code",
    "alert",
    "delivery",
    "reason",
    "tls_version",
    "cipher_suite",
    "key_exchange_group",
    "forward_secrecy",
    "cert_chain",
    "cert_dates",
    "cert_name",
    "cert_key",
];

/// Finding columns of a session: those that `domains.csv` has, with
/// `delivery_` before, of the sender's own, too.
pub const SESSION_COLUMNS: &[&str] =
    &["tls_version", "cipher_suite", "key_exchange_group", "forward_secrecy"];

/// Finding columns whose cell depends on the domain: in `endpoints.csv`, where
/// no domain is known, it may be another than in `domains.csv`.
pub const DOMAIN_ONLY_COLUMNS: &[&str] = &["cert_name"];

/// Further columns of `endpoints.csv`; one that is left out holds what a server
/// without oddities shows.
pub const OBSERVATION_COLUMNS: &[&str] = &[
    "starttls_offered",
    "cipher_suite_class",
    "signature_scheme",
    "signature",
    "hello_retry",
    "ocsp_stapled",
    "client_certificate_requested",
    "client_certificate",
    "tickets",
    "session_id",
    "chain_length",
    "plaintext_after_starttls",
    "deviations",
];

/// The sender for whom a scan without further options judges, and whose
/// `delivery` and `reason` the tables of the endpoints name.
pub const USUAL_SENDER: &str = "exchange-online";

/// Columns of `domains.csv` that depend on the sender. In the table of a
/// sender one that is left out is not compared.
pub const SENDER_COLUMNS: &[&str] = &[
    "delivery",
    "reason",
    "basis",
    "delivery_also",
    "otherwise",
    "enhanced_code",
    "enhanced_text",
    "delivery_tls_version",
    "delivery_cipher_suite",
    "delivery_key_exchange_group",
    "delivery_forward_secrecy",
    "steps_down",
    "declined_suites",
    "encryption_only",
    "certificate_validation",
    "domain_validation",
    "encryption_only_basis",
    "certificate_validation_basis",
    "domain_validation_basis",
    "weakest_phase",
    "weakest_outcome",
    "weakest_delivery",
    "weakest_reason",
    "weakest_tls_version",
    "weakest_cipher_suite",
    "weakest_forward_secrecy",
    "weakest_cert_chain",
    "weakest_cert_dates",
    "weakest_cert_name",
    "weakest_cert_key",
    "server_best_version",
    "server_best_suite",
    "exchange_online_promise",
    "connector_delivery",
    "connector_reason",
    "connector_code",
    "connector_detail",
    "authenticated",
    "dnssec_mx",
    "dane",
    "dane_detail",
    "tlsa_records",
    "mta_sts",
    "mta_sts_mode",
    "mta_sts_detail",
    "tls_rpt",
    "tls_rpt_result",
];

/// Sender columns about DANE, MTA-STS and TLS-RPT that stand in `truth.csv`, too:
/// each scenario says what they hold for [`USUAL_SENDER`], or has nothing of it.
pub const POLICY_COLUMNS: &[&str] = &[
    "authenticated",
    "dnssec_mx",
    "dane",
    "tlsa_records",
    "mta_sts",
    "mta_sts_mode",
    "tls_rpt",
    "tls_rpt_result",
];

/// Columns of `domains.csv` that say what becomes of mail under the connector
/// of the scenario. One that is left out is expected to be empty.
pub const CONNECTOR_COLUMNS: &[&str] = &["connector_delivery", "connector_reason", "connector_code"];

/// What the words beside that code begin with; they may go on with a digest
/// that no scenario can know.
pub(super) const CONNECTOR_WORDS: &str = "connector_detail";

/// Ends of an attempt that a further hello may come to while the scanner's own
/// attempt ends in another way.
const ENDS_OF_FURTHER_HELLOS: &[&str] =
    &["tls_signature_failed", "tls_bad_certificate", "tls_illegal_parameter"];

/// `[expect]`: what comes of a domain, and what is found at each server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Exchanges that the facts keep.
    pub mx_count: u32,
    /// Role of the endpoint that the verdict rests on; none where nothing is
    /// probed, and then the four columns below say why.
    pub best: Option<String>,
    /// Host of the exchange without addresses that the verdict rests on, as it
    /// stands in `[dns]`; the four columns below say why.
    pub unresolved: Option<String>,
    /// Role of the weakest endpoint that takes mail; none where none does.
    pub weakest: Option<String>,
    /// Phase in which a domain without probes ended.
    pub phase: Option<String>,
    /// Cell of the `outcome` column; `None` where an endpoint decides.
    pub outcome: Option<String>,
    /// Cell of the `delivery` column; `None` where an endpoint decides.
    pub delivery: Option<String>,
    /// Cell of the `reason` column; `None` where an endpoint decides.
    pub reason: Option<String>,
    /// `[expect.endpoint.ROLE]`: columns by name.
    #[serde(default)]
    pub endpoint: BTreeMap<String, BTreeMap<String, Cell>>,
    /// `[expect.connector]`: columns by name, where there is one.
    #[serde(default)]
    pub connector: BTreeMap<String, Cell>,
    /// `[expect.sender.NAME]`: columns by name, of a scan for that sender.
    #[serde(default)]
    pub sender: BTreeMap<String, BTreeMap<String, Cell>>,
    /// `[expect.by_enumeration.NAME]`: the same of a scan with `--enumerate` in
    /// which nobody sends that sender's hello, so that only what was enumerated
    /// tells what it gets.
    #[serde(default)]
    pub by_enumeration: BTreeMap<String, BTreeMap<String, Cell>>,
    /// `[[expect.enumerated.ROLE]]`: what a scan with `--enumerate` finds, a
    /// table for each version in which the server takes any suite, or leaves open
    /// whether it does.
    #[serde(default)]
    pub enumerated: BTreeMap<String, Vec<ExpectedSuites>>,
}

/// The suites that a server takes in one version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSuites {
    /// The version whose suites these are.
    pub tls_version: ProtocolVersion,
    /// Whose order decides, as in `suites.csv`; empty with less than two
    /// suites.
    #[serde(default)]
    pub preference: String,
    /// The suites in the order in which the server chooses them.
    #[serde(default)]
    pub cipher_suites: Vec<CipherSuite>,
    /// Whether the server leaves open if these are all.
    #[serde(default)]
    pub incomplete: bool,
}

/// A cell as it stands in the CSV files: `yes` and `no` for booleans.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "CellValue")]
pub struct Cell(pub String);

#[derive(Deserialize)]
#[serde(untagged)]
enum CellValue {
    Truth(bool),
    Number(u64),
    Text(String),
}

impl From<CellValue> for Cell {
    fn from(value: CellValue) -> Self {
        Cell(match value {
            CellValue::Truth(true) => "yes".into(),
            CellValue::Truth(false) => "no".into(),
            CellValue::Number(number) => number.to_string(),
            CellValue::Text(text) => text,
        })
    }
}

impl Expect {
    /// The finding columns of a domain that rests on `role`, or on nothing.
    pub fn finding(&self, role: Option<&str>) -> impl Iterator<Item = (&'static str, &str)> {
        FINDING_COLUMNS.iter().map(move |&column| (column, self.cell(role, column)))
    }

    /// What becomes of mail under the connector, the words left out.
    pub fn connector(&self) -> impl Iterator<Item = (&'static str, &str)> {
        CONNECTOR_COLUMNS.iter().map(|&column| (column, self.connector_cell(column)))
    }

    /// What the words beside the code under the connector begin with.
    pub fn connector_words(&self) -> &str {
        self.connector_cell(CONNECTOR_WORDS)
    }

    fn connector_cell(&self, column: &str) -> &str {
        self.connector.get(column).map_or("", |cell| cell.0.as_str())
    }

    /// The columns that are named for a sender.
    pub fn sender(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.sender.get(name).into_iter().flatten();
        columns.map(|(column, cell)| (column.as_str(), cell.0.as_str()))
    }

    fn cell(&self, role: Option<&str>, column: &str) -> &str {
        match role {
            Some(role) => {
                let cell = self.endpoint.get(role).and_then(|columns| columns.get(column));
                cell.map_or("", |cell| cell.0.as_str())
            }
            None => self.own(column).unwrap_or_default(),
        }
    }

    fn own(&self, column: &str) -> Option<&str> {
        match column {
            "phase" => self.phase.as_deref(),
            "outcome" => self.outcome.as_deref(),
            "delivery" => self.delivery.as_deref(),
            "reason" => self.reason.as_deref(),
            _ => None,
        }
    }

    /// Whether it names only what there is.
    pub(super) fn check(&self, roles: &BTreeSet<&str>, under_connector: bool) -> Result<(), String> {
        let expected: BTreeSet<&str> = self.endpoint.keys().map(String::as_str).collect();
        if expected != *roles {
            return Err(format!("expects {expected:?} of servers {roles:?}"));
        }
        for role in [&self.best, &self.weakest].into_iter().flatten() {
            if !roles.contains(role.as_str()) {
                return Err(format!("rests on {role}, which is no server"));
            }
        }
        if let Some(role) = self.enumerated.keys().find(|role| !roles.contains(role.as_str())) {
            return Err(format!("enumerates {role}, which is no server"));
        }
        if self.best.is_some() == self.outcome.is_some() {
            return Err("either a server decides or the domain has an outcome of its own".into());
        }
        if self.best.is_none() {
            check_finding("the domain", |column| self.own(column))?;
        }
        for (role, columns) in &self.endpoint {
            check_columns(columns, &[FINDING_COLUMNS, OBSERVATION_COLUMNS])?;
            check_finding(role, |column| columns.get(column).map(|cell| cell.0.as_str()))?;
        }
        self.check_connector(under_connector)?;
        let mut of_senders = self.sender.values().chain(self.by_enumeration.values());
        of_senders.try_for_each(|columns| check_columns(columns, &[SENDER_COLUMNS]))
    }

    fn check_connector(&self, there: bool) -> Result<(), String> {
        check_columns(&self.connector, &[CONNECTOR_COLUMNS, &[CONNECTOR_WORDS]])?;
        let passages = [
            ConnectorDelivery::Delivered,
            ConnectorDelivery::Deferred,
            ConnectorDelivery::Undeliverable,
            ConnectorDelivery::Undetermined,
        ];
        let delivery = self.connector_cell("connector_delivery");
        if there && !passages.iter().any(|known| known.name() == delivery) {
            return Err(format!("the connector: connector_delivery {delivery:?}"));
        }
        if !there && !self.connector.is_empty() {
            return Err("expects something of a connector, and there is none".into());
        }
        Ok(())
    }
}

fn check_columns(columns: &BTreeMap<String, Cell>, lists: &[&[&str]]) -> Result<(), String> {
    let known = |name: &str| lists.iter().any(|list| list.contains(&name));
    match columns.keys().find(|name| !known(name)) {
        Some(name) => Err(format!("no column is named {name}")),
        None => Ok(()),
    }
}

/// Phase, outcome, delivery and reason must be words of the model and agree.
fn check_finding<'a>(whose: &str, cell: impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    let words = ["phase", "outcome", "delivery"].map(|column| cell(column).unwrap_or_default());
    let [phase, outcome, delivery] = words;
    let deliveries = [
        Delivery::Encrypted,
        Delivery::Plaintext,
        Delivery::Deferred,
        Delivery::Undeliverable,
        Delivery::Undetermined,
    ];
    if !Phase::ALL.iter().any(|known| known.name() == phase) {
        return Err(format!("{whose}: phase {phase:?}"));
    }
    if outcome != "ok" && !Kind::ALL.iter().any(|known| known.name() == outcome) {
        return Err(format!("{whose}: outcome {outcome:?}"));
    }
    if !deliveries.iter().any(|known| known.name() == delivery) {
        return Err(format!("{whose}: delivery {delivery:?}"));
    }
    // A sender may take what the scanner was refused, and the other way round.
    let fits = match cell("reason") {
        None => delivery == "encrypted",
        Some(reason) => {
            let own = outcome != "ok" && reason == format!("{phase}_{outcome}");
            let further =
                ENDS_OF_FURTHER_HELLOS.contains(&reason) || Reason::names().any(|name| name == reason);
            delivery != "encrypted" && (own || further)
        }
    };
    if !fits || (outcome != "ok" && phase != "tls" && delivery == "encrypted") {
        return Err(format!("{whose}: outcome, delivery and reason contradict each other"));
    }
    Ok(())
}
