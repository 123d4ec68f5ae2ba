//! From words on the command line to stages that are ready to run.
//!
//! Everything that can be wrong with the words is found here, before the
//! first packet: files are opened, roots and blocklists read, names checked.
//! No stage ever sees the whole configuration.

mod alike;
mod client_hello;
mod comparable;
#[cfg(feature = "receive")]
mod comparable_receive;
mod compress;
mod dialogue;
mod distinct_files;
mod error;
mod families;
mod files;
#[cfg(feature = "receive")]
mod inbound_judging;
mod judging;
mod load;
mod probe_target;
#[cfg(feature = "receive")]
mod receive;
mod resume;
mod sender;
mod shares;
mod standard_output;
mod stored_files;
mod stores;
mod system_store;

pub use alike::shards_in_order;
pub use comparable::{check_comparable, check_one_kind};
#[cfg(feature = "receive")]
pub use comparable_receive::check_comparable_receive;
pub use compress::packing;
pub use distinct_files::check_distinct_files;
pub use error::UsageError;
pub use files::{blocklist, read_file};
#[cfg(feature = "receive")]
pub use inbound_judging::{InboundJudging, inbound_judging_again};
pub use judging::{Judging, LAB_CONNECTORS_NAME, LAB_ROOTS_NAME, LAB_STORE, judging_again};
pub use load::{LoadPlan, load};
pub use probe_target::ProbeTarget;
#[cfg(feature = "receive")]
pub use receive::{LearnPlan, ReceivePlan, receive};
pub use resume::{asked_by, judging_on, resumed};
pub use shares::share;
pub use standard_output::check_standard_output;
pub use stores::{roots, store};

use crate::ask::enumeration::EnumerationPlan;
use crate::ask::step_down::HelloPlan;
use crate::cli::{AgainArgs, AskArgs, CoolDownArgs, HelloArgs, JudgingArgs, PaceArgs, PolicyArgs};
use crate::engine::EngineConfig;
use crate::engine::pace::{BucketLimits, CoolDown, Limits};
use crate::interrogate::RetryPlan;
use crate::lookup::{AskedResolver, DnsLookup, LookupConfig};
use crate::model::{BlocklistInForce, Shard};
use crate::net::{Gate, NetProbe, PhaseTimeouts, families_with_route};
use crate::run_dir::JudgedBy;
use crate::scanner::{Scanner, ScannerConfig};
use crate::sender::{AddressFamily, DEFAULT_SENDER, Sender};
use crate::smtp::EhloName;
use crate::trust::Store;
use crate::verdict::Policy;
use dialogue::{DNS_ATTEMPTS, ehlo_name, every_phase, key_shares, lookup, smart_hosts, timeouts, trusted_ad};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Name said to the servers of a lab.
const LAB_EHLO_NAME: &str = "scanner.mxray.example";

/// The stages of a survey, ready to run.
pub struct Stages {
    /// Finds mail hosts.
    pub lookup: Arc<DnsLookup>,
    /// Asks endpoints.
    pub probe: Arc<NetProbe>,
    /// Judges what they find.
    pub policy: Arc<Policy>,
    /// Whom both leave alone.
    pub blocklist: BlocklistInForce,
    /// What the stages were built from, in words, for `run.json`.
    pub settings: StageSettings,
}

/// What the stages were built from.
#[derive(Clone, Debug)]
pub struct StageSettings {
    /// Name said in EHLO.
    pub ehlo_name: String,
    /// The address family that is left out for want of a route.
    pub without_route: Option<AddressFamily>,
    /// The families in use: `ipv4`, `ipv6`.
    pub families: Vec<String>,
    /// Resolvers; empty for those of the system.
    pub resolvers: Vec<String>,
    /// Each of them, those of the system too, and whether its AD is believed, as
    /// far as that is known before the first question.
    pub asked_resolvers: Vec<AskedResolver>,
    /// Root stores.
    pub roots: Vec<String>,
    /// Whom verdicts are for.
    pub sender: String,
    /// What verdicts are made by.
    pub judged_by: JudgedBy,
    /// What whoever named the root stores should know about them, a line each.
    pub warnings: Vec<String>,
    /// Longest time of each phase of a dialogue.
    pub timeouts: PhaseTimeouts,
    /// Time of one DNS attempt.
    pub dns_timeout: Duration,
    /// Further hellos.
    pub hellos: HelloPlan,
    /// Most connections to a host for an enumeration; 0 for none.
    pub enumeration_connections: usize,
}

impl StageSettings {
    /// The resolvers with blanks between; `system` for those of the system.
    pub fn resolver(&self) -> String {
        if self.resolvers.is_empty() { "system".to_string() } else { self.resolvers.join(" ") }
    }
}

/// What is needed to build the stages, all of it checked.
struct StageParts {
    config: ScannerConfig,
    without_route: Option<AddressFamily>,
    hellos: HelloPlan,
    enumeration: Option<EnumerationPlan>,
    judging: Judging,
}

/// Questions to the DNS under way at once, if the system has room for them.
pub const QUESTIONS_MAX: usize = 1024;

/// How the DNS and policy hosts are asked.
#[derive(Clone, Copy, Debug)]
pub struct LookupPace {
    /// Most questions under way at once.
    pub questions_max: usize,
    /// Further looks at what broke off, which decide what time the first has to
    /// connect.
    pub retries: u32,
    /// Pause before the first retry: a policy host that failed is left alone for so
    /// long, so that no retry finds that it still is.
    pub retry_delay: Duration,
    /// The part of the list whose policy hosts are asked; `None` for all.
    pub shard: Option<Shard>,
}

impl Default for LookupPace {
    fn default() -> Self {
        let RetryPlan { retries, retry_delay, .. } = RetryPlan::default();
        Self { questions_max: QUESTIONS_MAX, retries, retry_delay, shard: None }
    }
}

/// Builds the stages that the command line asks for.
///
/// # Errors
/// [`UsageError`] for a word that cannot be followed.
pub fn stages(
    args: &AskArgs,
    policies: &PolicyArgs,
    hellos: &HelloArgs,
    judging: &JudgingArgs,
    pace: LookupPace,
) -> Result<Stages, UsageError> {
    // Where private addresses are asked, a route to loopback will do.
    stages_by_routes(args, policies, hellos, judging, pace, || families_with_route(args.allow_private))
}

/// The same, judged by what is there already.
///
/// # Errors
/// [`UsageError`] for a word that cannot be followed.
pub fn stages_judging(
    args: &AskArgs,
    policies: &PolicyArgs,
    hellos: &HelloArgs,
    judging: Judging,
    pace: LookupPace,
) -> Result<Stages, UsageError> {
    let with_route = || families_with_route(args.allow_private);
    stages_of(args, policies, hellos, judging, pace, with_route)
}

/// The same on a machine that has a route over these families (IPv4, IPv6).
pub(crate) fn stages_by_routes(
    args: &AskArgs,
    policies: &PolicyArgs,
    hellos: &HelloArgs,
    judging: &JudgingArgs,
    pace: LookupPace,
    with_route: impl FnOnce() -> (bool, bool),
) -> Result<Stages, UsageError> {
    let judging = judging::judging(judging, Timestamp::now())?;
    stages_of(args, policies, hellos, judging, pace, with_route)
}

fn stages_of(
    args: &AskArgs,
    policies: &PolicyArgs,
    hellos: &HelloArgs,
    judging: Judging,
    pace: LookupPace,
    with_route: impl FnOnce() -> (bool, bool),
) -> Result<Stages, UsageError> {
    let dialogue = &args.dialogue;
    let (timeouts, dns_timeout) = timeouts(&dialogue.timeout)?;
    let families = families::in_use(dialogue, with_route);
    let config = ScannerConfig {
        lookup: LookupConfig {
            ipv4: families.ipv4,
            ipv6: families.ipv6,
            queries_in_flight: pace.questions_max,
            smart_hosts: smart_hosts(&judging.connectors),
            dane: !policies.no_dane,
            tls_rpt: !(policies.no_dane && policies.no_mta_sts),
            trusted_ad: trusted_ad(&policies.trust_ad)?,
            ..lookup(dialogue, dns_timeout)
        },
        mta_sts: !policies.no_mta_sts,
        mta_sts_port: policies.mta_sts_port,
        contact: policies.contact.clone(),
        engine: EngineConfig { shard: pace.shard, ..retrying_after(pace.retry_delay) },
        timeouts: timeouts.for_retries(pace.retries),
        key_shares: key_shares(dialogue),
        blocklist: blocklist(&args.blocklist)?.into(),
        allow_private: args.allow_private,
        ..ScannerConfig::new(ehlo_name(dialogue.ehlo.as_deref())?)
    };
    build(StageParts {
        config: ScannerConfig { identity: client_hello::client_identity(&dialogue.client)?, ..config },
        without_route: families.without_route,
        hellos: client_hello::hello_plan(hellos)?,
        enumeration: client_hello::enumeration_plan(hellos),
        judging,
    })
}

/// What the stages have to know of an engine: when a retry comes.
fn retrying_after(retry_delay: Duration) -> EngineConfig {
    EngineConfig { retry: RetryPlan { retry_delay, ..RetryPlan::default() }, ..EngineConfig::default() }
}

/// How long a fleet on loopback is waited for.
#[derive(Clone, Copy, Debug)]
pub struct LabTime {
    /// Whole time of a question to its DNS.
    pub dns: Duration,
    /// Each phase of a dialogue.
    pub phase: Duration,
    /// Pause before the first retry.
    pub retry_delay: Duration,
}

/// Where a fleet on loopback is found.
#[derive(Clone, Copy, Debug)]
pub struct LabPlace {
    /// Its DNS.
    pub dns: SocketAddr,
    /// The port of its policy hosts.
    pub policy_port: u16,
}

/// Builds the stages for a fleet on loopback: its roots trusted and no others,
/// its connectors (TOML) in force.
///
/// # Errors
/// [`UsageError`] if a root is no certificate, or a connector none.
pub fn lab_stages(
    place: LabPlace,
    lab_roots: &[CertificateDer<'_>],
    connectors: &str,
    time: LabTime,
) -> Result<Stages, UsageError> {
    let lab_sender = Sender::named(DEFAULT_SENDER).map_err(|error| UsageError(error.to_string()))?;
    let mut roots = Store::new(judging::LAB_STORE);
    for der in lab_roots {
        roots.add_der(der).map_err(|error| UsageError(format!("the lab's root: {error}")))?;
    }
    let judging = judging::lab_judging(roots, connectors, Timestamp::now(), lab_sender)?;
    let ehlo = EhloName::new(LAB_EHLO_NAME).map_err(|error| UsageError(error.to_string()))?;
    let config = ScannerConfig {
        lookup: LookupConfig {
            nameservers: vec![place.dns],
            smart_hosts: smart_hosts(&judging.connectors),
            timeout: time.dns / DNS_ATTEMPTS as u32,
            attempts: DNS_ATTEMPTS,
            ..LookupConfig::default()
        },
        timeouts: every_phase(time.phase, &PhaseTimeouts::default()),
        mta_sts_port: place.policy_port,
        engine: retrying_after(time.retry_delay),
        allow_private: true,
        ..ScannerConfig::new(ehlo)
    };
    build(StageParts {
        config,
        without_route: None,
        hellos: HelloPlan::default(),
        enumeration: None,
        judging,
    })
}

/// As for users of the library: one way from a configuration to stages.
fn build(parts: StageParts) -> Result<Stages, UsageError> {
    let StageParts { config, without_route, hellos, enumeration, judging } = parts;
    let mut settings = StageSettings {
        ehlo_name: config.ehlo.as_str().to_string(),
        without_route,
        families: [("ipv4", config.lookup.ipv4), ("ipv6", config.lookup.ipv6)]
            .into_iter()
            .filter(|(_, used)| *used)
            .map(|(family, _)| family.to_string())
            .collect(),
        resolvers: config.lookup.nameservers.iter().map(ToString::to_string).collect(),
        asked_resolvers: Vec::new(),
        roots: judging.root_names,
        sender: judging.sender.name.to_string(),
        judged_by: judging.by,
        warnings: judging.warnings,
        timeouts: config.timeouts.clone(),
        dns_timeout: config.lookup.timeout,
        hellos,
        enumeration_connections: enumeration.as_ref().map_or(0, |plan| plan.connections_max),
    };
    let policy = Policy::new(judging.judge, judging.sender)
        .with_connectors(judging.connectors)
        .with_hellos(hellos)
        .with_enumeration(enumeration);
    let blocklist = config.blocklist.clone();
    let scanner = Scanner::new(config, policy).map_err(|error| UsageError(error.to_string()))?;
    let (lookup, probe, policy) = scanner.into_stages();
    settings.asked_resolvers = lookup.resolvers();
    Ok(Stages { lookup, probe, policy, blocklist, settings })
}

/// Where connections may go.
///
/// # Errors
/// [`UsageError`] for a blocklist that cannot be used.
pub fn gate(args: &AskArgs) -> Result<Gate, UsageError> {
    Ok(Gate::new(blocklist(&args.blocklist)?, args.allow_private))
}

/// How the engine goes about it.
pub fn engine(pace: &PaceArgs, port: u16) -> EngineConfig {
    EngineConfig {
        port,
        limits: Limits {
            rate: NonZeroU32::new(pace.rate),
            in_flight: pace.in_flight as usize,
            per_ip: bucket(pace.per_ip_connections, pace.interval.per_ip_interval, pace.per_ip_rate),
            per_network: bucket(
                pace.per_network_connections,
                pace.per_network_interval,
                pace.per_network_rate,
            ),
            per_operator: bucket(
                pace.per_operator_connections,
                pace.per_operator_interval,
                pace.per_operator_rate,
            ),
            slow_in_flight: pace.slow_in_flight as usize,
            cool_down: cool_down(pace),
            order_seed: pace.seed,
        },
        lookups_in_flight: pace.lookups_in_flight as usize,
        retry: retry_plan(&pace.again),
        spill_dir: None,
        sample: false,
        shard: None,
        ..EngineConfig::default()
    }
}

/// How long who complains is left alone; 0 is no longer than a retry waits.
fn cool_down(pace: &PaceArgs) -> Option<CoolDown> {
    let CoolDownArgs { cool_down: first, cool_down_max: longest } = pace.cool_downs;
    (!first.is_zero()).then(|| CoolDown { first, longest: longest.max(first) })
}

/// The limits of one bucket; 0 is none.
fn bucket(connections: u32, interval: Duration, rate: u32) -> BucketLimits {
    BucketLimits { connections: NonZeroU32::new(connections), interval, per_minute: NonZeroU32::new(rate) }
}

/// When and how often a host is asked again.
pub fn retry_plan(again: &AgainArgs) -> RetryPlan {
    RetryPlan {
        retries: again.retries,
        retry_delay: again.retry_delay,
        second_look_delay: again.second_look_delay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn the_defaults_of_the_library_are_those_of_the_command_line() {
        let cli = Cli::try_parse_from(["mxray", "scan", "list.txt"]).unwrap();
        let Command::Scan(args) = cli.command else { panic!("no scan") };
        assert_eq!(engine(&args.pace, args.asking.dialogue.port), EngineConfig::default());
    }
}
