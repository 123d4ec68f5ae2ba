//! What a scanner must find: the expectations of the scenarios, filled in for
//! the domains and addresses of one fleet.

use super::expect::{
    DOMAIN_ONLY_COLUMNS, FINDING_COLUMNS, OBSERVATION_COLUMNS, POLICY_COLUMNS, SESSION_COLUMNS, USUAL_SENDER,
};
use super::plain;
use super::scenario::{Mode, Scenario};
use crate::model::DomainName;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// Where a role of a scenario sits for one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePlacement {
    /// MX host.
    pub host: String,
    /// MX preference.
    pub preference: u16,
    /// The address that is tried first.
    pub ip: IpAddr,
}

/// What `domains.csv` must say about one domain.
#[derive(Clone, Debug)]
pub struct TruthRow {
    /// The domain whose row it is.
    pub domain: DomainName,
    /// The scenario that was drawn for it.
    pub scenario: Arc<Scenario>,
    /// Where its servers sit, by role.
    pub places: BTreeMap<String, RolePlacement>,
    /// Name and preference of the host without addresses that the verdict rests
    /// on, if it rests on one.
    pub unresolved: Option<(String, u16)>,
}

impl TruthRow {
    /// The expected columns of `domains.csv` by name. Not among them is what
    /// no scenario can know (`line`, the digests and the `detail` columns), nor
    /// what this one does not say of DANE, MTA-STS and TLS-RPT.
    pub fn columns(&self, smtp_port: u16) -> Vec<(String, String)> {
        let expect = &self.scenario.expect;
        let implicit = if self.scenario.dns.mode == Mode::Implicit { "yes" } else { "no" };
        let tld = self.domain.as_str().rsplit('.').next().unwrap_or_default();
        let mut columns =
            vec![("domain".to_string(), self.domain.to_string()), ("tld".to_string(), tld.to_string())];
        let decides = self.decides(smtp_port);
        columns.push(("mx_operator".into(), operator(&decides[0].1)));
        columns.extend(decides);
        columns.push((STARTTLS_OFFERED.into(), self.starttls_offered()));
        columns.push(("implicit_mx".into(), implicit.into()));
        columns.extend(owned("", expect.finding(expect.best.as_deref())));
        columns.push(("mx_count".into(), expect.mx_count.to_string()));
        columns.extend(self.place("weakest_", expect.weakest.as_deref(), smtp_port));
        match expect.weakest.as_deref() {
            Some(role) => columns.extend(owned("weakest_", self.weakest(role))),
            None => columns.extend(owned("weakest_", FINDING_COLUMNS.iter().map(|&column| (column, "")))),
        }
        columns.extend(self.connector());
        // What is said of the sender goes before what follows from a server.
        for (column, cell) in self.scenario.expect.sender(USUAL_SENDER) {
            if let Some((_, expected)) = columns.iter_mut().find(|(name, _)| name == column) {
                *expected = cell.to_string();
            }
        }
        let policies = self.policies(&columns);
        columns.extend(policies);
        columns
    }

    /// What must be found of DANE, MTA-STS and TLS-RPT, as far as the scenario
    /// says it; `columns` are those of the rest.
    fn policies(&self, columns: &[(String, String)]) -> Vec<(String, String)> {
        let delivery = columns.iter().find(|(name, _)| name == "delivery");
        let plain = plain::columns(&self.scenario, delivery.map_or("", |(_, cell)| cell));
        let named: BTreeMap<&str, &str> = self.scenario.expect.sender(USUAL_SENDER).collect();
        let cell = |column: &'static str| {
            let usual = || plain.iter().find(|(name, _)| *name == column).map(|(_, cell)| *cell);
            Some((column.to_string(), named.get(column).copied().or_else(usual)?.to_string()))
        };
        POLICY_COLUMNS.iter().filter_map(|&column| cell(column)).collect()
    }

    /// Whether STARTTLS was offered there.
    fn starttls_offered(&self) -> String {
        let (expect, best) = (&self.scenario.expect, self.scenario.expect.best.as_deref());
        let named = best.and_then(|role| expect.endpoint.get(role)?.get(STARTTLS_OFFERED));
        let finding = expect.finding(best).collect();
        named.map_or_else(|| usual_offer(&finding).to_string(), |cell| cell.0.clone())
    }

    /// Where that is on which the verdict rests.
    fn decides(&self, smtp_port: u16) -> [(String, String); 4] {
        let mut cells = self.place("", self.scenario.expect.best.as_deref(), smtp_port);
        if let Some((host, preference)) = &self.unresolved {
            cells[0].1.clone_from(host);
            cells[1].1 = preference.to_string();
        }
        cells
    }

    /// What is found at the weakest. Where the scanner's own handshake came to
    /// nothing there, it is what the usual sender gets; and what the file says of
    /// that sender's weakest goes before all else.
    fn weakest<'a>(&'a self, role: &'a str) -> impl Iterator<Item = (&'static str, &'a str)> {
        let expect = &self.scenario.expect;
        let sent: BTreeMap<&str, &str> = expect.sender(USUAL_SENDER).collect();
        let shaken =
            expect.finding(Some(role)).any(|(column, cell)| column == "tls_version" && !cell.is_empty());
        let told = move |(column, cell): (&'static str, &'a str)| {
            let of_sender = format!("delivery_{column}");
            let by_sender = SESSION_COLUMNS.contains(&column) && !shaken;
            let usual = sent.get(of_sender.as_str()).copied().unwrap_or_default();
            let own = sent.get(format!("weakest_{column}").as_str()).copied();
            (column, own.unwrap_or(if by_sender { usual } else { cell }))
        };
        expect.finding(Some(role)).map(told)
    }

    /// What must be found under the connectors of the fleet.
    fn connector(&self) -> impl Iterator<Item = (String, String)> {
        let scenario = &self.scenario;
        let name = scenario.connector.as_ref().map_or("", |_| scenario.name.as_str());
        let smart = scenario.dns.exchanges.iter().any(|exchange| exchange.smart_host);
        let own = [("smart_hosts", if smart { "yes" } else { "no" }), ("connector", name)];
        owned("", own.into_iter().chain(scenario.expect.connector()))
    }

    fn place(&self, prefix: &str, role: Option<&str>, smtp_port: u16) -> [(String, String); 4] {
        let place = role.and_then(|role| self.places.get(role));
        let cells = match place {
            Some(place) => [
                place.host.clone(),
                place.preference.to_string(),
                place.ip.to_string(),
                smtp_port.to_string(),
            ],
            None => Default::default(),
        };
        let [host, preference, ip, port] = cells;
        let name = |column: &str| format!("{prefix}{column}");
        [(name("mx_host"), host), (name("mx_preference"), preference), (name("ip"), ip), (name("port"), port)]
    }
}

/// Column of an observation that the domain's row has, too.
const STARTTLS_OFFERED: &str = "starttls_offered";

/// Who runs a host of the lab, where no public suffix has two labels.
fn operator(host: &str) -> String {
    let labels: Vec<&str> = host.split('.').collect();
    labels[labels.len().saturating_sub(2)..].join(".")
}

fn owned<'a>(
    prefix: &str,
    cells: impl Iterator<Item = (&'static str, &'a str)>,
) -> impl Iterator<Item = (String, String)> {
    cells.map(move |(column, cell)| (format!("{prefix}{column}"), cell.to_string()))
}

/// What `endpoints.csv` must say about one address under one name.
#[derive(Clone, Debug)]
pub struct EndpointTruth {
    /// Address.
    pub ip: IpAddr,
    /// Name that is sent as SNI: that of the mail host, or the TLSA base domain.
    pub host: String,
    /// The scenario that is played there.
    pub scenario: Arc<Scenario>,
    /// The role that is played there.
    pub role: String,
}

impl EndpointTruth {
    /// The expected columns of `endpoints.csv` by name, without address, port
    /// and name. An observation column that the scenario does not name holds
    /// what a server without oddities shows, if anything.
    pub fn columns(&self) -> Vec<(String, String)> {
        let expect = &self.scenario.expect;
        let finding: BTreeMap<&str, &str> = expect.finding(Some(&self.role)).collect();
        let named = expect.endpoint.get(&self.role);
        let observed = OBSERVATION_COLUMNS.iter().filter_map(|column| {
            let named = named.and_then(|cells| cells.get(*column)).map(|cell| cell.0.clone());
            Some((column.to_string(), named.or_else(|| usual(column, &finding))?))
        });
        let judged = finding.iter().filter(|(column, _)| !DOMAIN_ONLY_COLUMNS.contains(column));
        owned("", judged.map(|(column, cell)| (*column, *cell))).chain(observed).collect()
    }
}

/// Whether STARTTLS was offered, by what ended the attempt.
fn usual_offer(finding: &BTreeMap<&str, &str>) -> &'static str {
    match (finding.get("phase").copied(), finding.get("outcome").copied()) {
        (_, Some("out_of_step")) => "",
        (_, Some("not_offered" | "keyword_mangled" | "helo_only")) => "no",
        (Some("starttls" | "tls" | "after_tls"), _) => "yes",
        _ => "",
    }
}

/// The cell of an observation column at a server without oddities; `None`
/// where that depends on what the server plays.
fn usual(column: &str, finding: &BTreeMap<&str, &str>) -> Option<String> {
    let spoke_tls = matches!(finding.get("phase"), Some(&("tls" | "after_tls")));
    let cell = match column {
        STARTTLS_OFFERED => usual_offer(finding),
        "plaintext_after_starttls" | "deviations" => "",
        "hello_retry" | "ocsp_stapled" | "client_certificate_requested" if spoke_tls => "no",
        // How many came when the client had enough is chance.
        "tickets" if finding.get("outcome") == Some(&"too_many_bytes") => return None,
        "tickets" if spoke_tls => "0",
        "session_id" if finding.get("tls_version") == Some(&"TLSv1.2") => "no",
        "hello_retry" | "ocsp_stapled" | "client_certificate_requested" | "tickets" | "session_id" => "",
        "signature" if finding.get("cert_chain").is_some_and(|chain| !chain.is_empty()) => "verified",
        "signature" | "signature_scheme" if !spoke_tls => "",
        _ => return None,
    };
    Some(cell.to_string())
}

/// Writes the rows as CSV: the columns of [`TruthRow::columns`] and `scenario`
/// after the domain.
///
/// # Errors
/// It cannot be written, or a scenario leaves out what others say, so that the
/// rows have not the same columns: no file of `datasets/lab` does.
pub(super) fn write(rows: &[TruthRow], smtp_port: u16, writer: impl io::Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    for (number, row) in rows.iter().enumerate() {
        let mut columns = row.columns(smtp_port);
        columns.insert(1, ("scenario".into(), row.scenario.name.clone()));
        if number == 0 {
            csv.write_record(columns.iter().map(|(name, _)| name))?;
        }
        csv.write_record(columns.iter().map(|(_, cell)| cell))?;
    }
    csv.flush()
}
