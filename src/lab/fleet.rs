//! A running fleet: its sockets and tasks, from start to shutdown.

use super::address::IPV6;
use super::cast::Cast;
use super::connector_file;
use super::counters::{AddressCounter, Counters, PolicyCounter};
use super::dnsd::Dnsd;
use super::embedded::scenarios;
use super::error::LabError;
use super::httpsd::{Httpsd, ReadyHost};
use super::listen::{Listener, bind_all, has_ipv6, stopper};
use super::log::{ConnectionLog, LogTo};
use super::pki::Pki;
use super::scenario::Scenario;
use super::scripted::Scripted;
use super::server::{Listen, Server};
use super::smtpd::{Handshake, Script};
use super::tls::{ServerCertificates, server_config};
use super::tlsa;
use super::truth::{self, EndpointTruth, TruthRow};
use crate::model::DomainName;
use rustls::pki_types::CertificateDer;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Addresses in the pool of each role, unless told otherwise.
pub const HOSTS_PER_SCENARIO: usize = 8;

/// What a fleet is made of.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// The mail domains; doubles count once.
    pub domains: Vec<DomainName>,
    /// Decides who plays what.
    pub seed: u64,
    /// Where the DNS server listens; port 0 is any free one.
    pub dns: SocketAddr,
    /// Port of all SMTP servers; 0 is any that is free on all addresses.
    pub smtp_port: u16,
    /// Port of all policy hosts, in the same way.
    pub policy_port: u16,
    /// Each domain plays one of these, drawn by their weights.
    pub scenarios: Vec<Scenario>,
    /// Addresses in the pool of each role of each scenario.
    pub hosts_per_scenario: usize,
    /// Whether the DNS server answers as a resolver that validates.
    pub validating: bool,
    /// Least and most milliseconds of an answer of the DNS, always the same for a name.
    pub dns_latency_ms: (u64, u64),
    /// What becomes of the log of connections.
    pub log: LogTo,
}

impl FleetOptions {
    /// A mix of all scenarios that come with mxray, on free ports of loopback,
    /// with seed 0.
    ///
    /// # Errors
    /// A scenario file is broken.
    pub fn new(domains: Vec<DomainName>) -> Result<Self, LabError> {
        Ok(Self {
            domains,
            seed: 0,
            dns: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            smtp_port: 0,
            policy_port: 0,
            scenarios: scenarios()?,
            hosts_per_scenario: HOSTS_PER_SCENARIO,
            validating: true,
            dns_latency_ms: (0, 0),
            log: LogTo::Memory,
        })
    }
}

/// A running fleet. Dropping it stops it too; [`Fleet::shutdown`] waits for
/// the end.
#[derive(Debug)]
pub struct Fleet {
    dns: Dnsd,
    smtp_port: u16,
    policy_port: u16,
    policies: Arc<PolicyCounter>,
    roots: Vec<CertificateDer<'static>>,
    root_pem: String,
    truth: Vec<TruthRow>,
    endpoints: Vec<EndpointTruth>,
    left_out: Vec<String>,
    counters: Vec<(IpAddr, Arc<AddressCounter>)>,
    log: Arc<ConnectionLog>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
    _stop_on_drop: tokio_util::sync::DropGuard,
}

impl Fleet {
    /// Starts a fleet on the runtime of the caller; the DNS server has a
    /// thread of its own. Scenarios that need `::1` are left out where there
    /// is none ([`Fleet::left_out`]).
    ///
    /// # Errors
    /// An address is not loopback or not to be had, names collide, or there
    /// is no room for so much.
    pub async fn start(options: FleetOptions) -> Result<Self, LabError> {
        if !options.dns.ip().is_loopback() {
            return Err(LabError::NotLoopback(options.dns.ip()));
        }
        let (scenarios, left_out) = playable(options.scenarios)?;
        let mut cast = Cast::new(&options.domains, &scenarios, options.seed, options.hosts_per_scenario)?;
        let pki = Arc::new(Pki::new(SystemTime::now())?);
        let listening: Vec<(IpAddr, u32)> = cast
            .stations
            .iter()
            .filter_map(|(ip, station)| Some((*ip, station.backlog(&scenarios)?)))
            .collect();
        let (smtp_port, sockets) = bind_all(&listening, options.smtp_port)?;
        let stop = CancellationToken::new();
        let mut parts = ScriptMaker {
            pki: &pki,
            scenarios: &scenarios,
            handshakes: HashMap::new(),
            certificates: HashMap::new(),
        };
        let mut tasks = JoinSet::new();
        let log = ConnectionLog::new(options.log);
        let mut counters = Vec::with_capacity(sockets.len());
        for ((ip, backlog), socket) in listening.into_iter().zip(sockets) {
            let Some(station) = cast.stations.get(&ip) else { continue };
            let script = parts.script(&station.part, &station.host)?;
            let counter = Arc::new(AddressCounter::default());
            counters.push((ip, counter.clone()));
            let stopper = stopper(SocketAddr::new(ip, smtp_port), backlog).await?;
            let listener = Listener { socket, script, _stopper: stopper, counter, log: log.clone() };
            tasks.spawn(listener.run(stop.clone()));
        }
        cast.zone.validating = options.validating;
        for (owner, planned) in &cast.tlsa {
            let shown = parts.certificates(&planned.part, &planned.name)?;
            cast.zone.publish_tlsa(owner, tlsa::records(&planned.tlsa, &shown, &planned.name)?);
        }
        let dns = Dnsd::start(options.dns, cast.zone, options.dns_latency_ms, stop.clone())?;
        let policies = Arc::new(PolicyCounter::default());
        let (policy_port, hosts) =
            policy_hosts(&cast.policies, &scenarios, options.policy_port, &policies, &pki)?;
        hosts.into_iter().for_each(|host| _ = tasks.spawn(host.run(stop.clone())));
        Ok(Self {
            dns,
            smtp_port,
            policy_port,
            policies,
            roots: pki.roots(),
            root_pem: pki.root_pem().to_string(),
            truth: cast.truth,
            endpoints: cast.endpoints,
            left_out,
            counters,
            log,
            tasks,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Where the DNS server listens.
    pub fn dns_addr(&self) -> SocketAddr {
        self.dns.address()
    }

    /// The port of all SMTP servers.
    pub fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    /// The port of all policy hosts.
    pub fn policy_port(&self) -> u16 {
        self.policy_port
    }

    /// The root certificates to trust, as DER.
    pub fn root_certificates(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }

    /// The same as PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// What must be found for each domain, in the order of the list.
    pub fn truth(&self) -> &[TruthRow] {
        &self.truth
    }

    /// What must be found at each address and name: the endpoints of the
    /// fleet, each once.
    pub fn endpoints(&self) -> &[EndpointTruth] {
        &self.endpoints
    }

    /// Names of the scenarios that this machine cannot play.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Writes `truth.csv`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_truth(&self, writer: impl io::Write) -> io::Result<()> {
        truth::write(&self.truth, self.smtp_port, writer)
    }

    /// Writes the connectors that domains of the fleet are under, as a file for
    /// `--connectors`; without any the file is empty.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_connectors(&self, writer: impl io::Write) -> io::Result<()> {
        connector_file::write(&self.truth, writer)
    }

    /// Writes the endpoints as a list for `--input endpoints`: `ip,name`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_endpoints(&self, mut writer: impl io::Write) -> io::Result<()> {
        self.endpoints.iter().try_for_each(|endpoint| writeln!(writer, "{},{}", endpoint.ip, endpoint.host))
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        let mut snapshot = Counters::default();
        for (ip, counter) in &self.counters {
            counter.collect(*ip, &mut snapshot);
        }
        self.dns.queries().collect(&mut snapshot);
        self.policies.collect(&mut snapshot);
        snapshot
    }

    /// The log of connections to mail servers.
    pub fn log(&self) -> &Arc<ConnectionLog> {
        &self.log
    }

    /// Writes what was seen so far as CSV; see [`Counters::write`].
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_counters(&self, writer: impl io::Write) -> io::Result<()> {
        self.counters().write(writer)
    }

    /// Stops all servers and waits for their end.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.dns.join().await;
    }
}

/// The policy hosts of the fleet on one port, and the port.
fn policy_hosts(
    addresses: &BTreeMap<IpAddr, usize>,
    scenarios: &[Arc<Scenario>],
    port: u16,
    requests: &Arc<PolicyCounter>,
    pki: &Arc<Pki>,
) -> Result<(u16, Vec<Httpsd>), LabError> {
    let table =
        |index: usize| scenarios.get(index).and_then(|scenario| Some((scenario, scenario.policy.as_ref()?)));
    let heard = addresses.iter().filter_map(|(ip, index)| {
        let (scenario, host) = table(*index)?;
        Some((*ip, host.listen.backlog()?, *index, scenario, host))
    });
    let heard: Vec<_> = heard.collect();
    let listening: Vec<_> = heard.iter().map(|(ip, backlog, ..)| (*ip, *backlog)).collect();
    let (port, sockets) = bind_all(&listening, port)?;
    let mut made = HashMap::new();
    let mut hosts = Vec::with_capacity(sockets.len());
    for ((_, _, index, scenario, host), socket) in heard.into_iter().zip(sockets) {
        let ready = match made.entry(index) {
            Entry::Occupied(ready) => ready.into_mut(),
            Entry::Vacant(vacant) => {
                let ready = ReadyHost::new(host, requests, pki);
                vacant.insert(ready.map_err(|cause| LabError::scenario(&scenario.name, cause))?)
            }
        };
        hosts.push(Httpsd::new(socket, ready.clone()));
    }
    Ok((port, hosts))
}

/// The scenarios that this machine can play, and the names of the others.
fn playable(all: Vec<Scenario>) -> Result<(Vec<Arc<Scenario>>, Vec<String>), LabError> {
    let ipv6 = has_ipv6(IPV6);
    let (kept, left): (Vec<_>, Vec<_>) = all.into_iter().partition(|scenario| ipv6 || !scenario.needs_ipv6());
    if kept.is_empty() {
        return Err(LabError::NoScenario);
    }
    let left = left.into_iter().map(|scenario| scenario.name).collect();
    Ok((kept.into_iter().map(Arc::new).collect(), left))
}

/// Makes scripts; servers of one part share one TLS configuration, and with it
/// key and certificates, unless they answer without SNI under their own name.
struct ScriptMaker<'a> {
    pki: &'a Arc<Pki>,
    scenarios: &'a [Arc<Scenario>],
    handshakes: HashMap<(usize, String), Handshake>,
    certificates: HashMap<(usize, String), Arc<ServerCertificates>>,
}

impl<'a> ScriptMaker<'a> {
    fn script(&mut self, part: &(usize, String), host: &str) -> Result<Option<Script>, LabError> {
        let (_, server) = self.server(part)?;
        if server.listen != Listen::Serve {
            return Ok(None);
        }
        let handshake = match self.handshakes.get(part) {
            Some(handshake) => handshake.clone(),
            None => {
                let handshake = self.handshake(part, host)?;
                self.handshakes.insert(part.clone(), handshake.clone());
                handshake
            }
        };
        Ok(Some(Script::new(server, host, handshake)))
    }

    fn server(&self, part: &(usize, String)) -> Result<(&'a Scenario, &'a Server), LabError> {
        let scenario = self.scenarios.get(part.0).ok_or(LabError::NoScenario)?;
        let server = scenario.server.get(&part.1).ok_or(LabError::NoScenario)?;
        Ok((scenario, server))
    }

    /// What a part shows.
    fn certificates(
        &mut self,
        part: &(usize, String),
        host: &str,
    ) -> Result<Arc<ServerCertificates>, LabError> {
        if let Some(made) = self.certificates.get(part) {
            return Ok(made.clone());
        }
        let (scenario, server) = self.server(part)?;
        let made = ServerCertificates::new(&server.tls, host, self.pki)
            .map_err(|cause| LabError::scenario(&scenario.name, cause))?;
        let made = Arc::new(made);
        self.certificates.insert(part.clone(), made.clone());
        Ok(made)
    }

    /// Who answers a ClientHello there.
    fn handshake(&mut self, part: &(usize, String), host: &str) -> Result<Handshake, LabError> {
        let (scenario, server) = self.server(part)?;
        if let Some(step) = &server.client_hello {
            return Ok(Handshake::Step(Arc::new(step.prepare(host))));
        }
        let shown = self.certificates(part, host)?;
        let made = match &server.legacy {
            Some(legacy) => Scripted::new(legacy, &server.tls, host, self.pki, shown)
                .map(|scripted| Handshake::Script(Arc::new(scripted))),
            None => server_config(&server.tls, self.pki, shown).map(Handshake::Library),
        };
        made.map_err(|cause| LabError::scenario(&scenario.name, cause))
    }
}
