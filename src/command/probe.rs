//! `mxray probe`: one target, told as a transcript.

use super::asked::{is_unanswered, no_resolver};
use super::rest::Rest;
use super::{CommandError, EXIT_NOTHING_ASKED, start_logging};
use crate::cli::ProbeArgs;
use crate::model::{
    DomainFacts, DomainRecord, Endpoint, EndpointRecord, Observation, ProbeKey, Subject, Target,
};
use crate::plan::{self, Asked, Stages, UsageError};
use crate::report::{self, Probed};
use crate::stage::{Lookup, Probe};
use jiff::Timestamp;
use std::process::ExitCode;
use std::sync::Arc;

/// Probes every endpoint of the target, one after the other.
pub(super) async fn run(args: ProbeArgs) -> Result<ExitCode, CommandError> {
    start_logging(args.asking.dialogue.verbose);
    let asked = Asked::parse(&args.target)?;
    if let (Asked::Domain(domain), Some(_)) = (&asked, &args.recipient_domain) {
        let wrong =
            format!("--recipient-domain goes with HOST:PORT or IP[:PORT]; {domain} is itself a domain");
        return Err(UsageError(wrong).into());
    }
    let stages = plan::stages(&args.asking, &args.hellos, &args.judging, plan::QUESTIONS_MAX)?;
    super::warn_of_bare_name(&stages.told.ehlo_name);
    super::warn_of_missing_route(stages.told.without_route);
    super::warn(&stages.told.warnings);
    if args.hellos.enumerate && !args.pace.per_ip_interval.is_zero() {
        super::say(format_args!(
            "mxray: a usual host takes 30 to 130 connections to enumerate, {:?} apart (--per-ip-interval)",
            args.pace.per_ip_interval
        ));
    }
    let by_mx = matches!(asked, Asked::Domain(_));
    let (mut facts, port) = find(&stages, asked, args.asking.dialogue.port).await;
    let unanswered = is_unanswered(&facts);
    if let Some(recipient) = args.recipient_domain {
        facts.target.subject = Subject::Domain(recipient);
    }
    let (domain, endpoints) = ask_all(&stages, Rest::new(args.pace.per_ip_interval), facts, port).await;
    let ehlo_name = &stages.told.ehlo_name;
    let probed = Probed { domain: &domain, endpoints: &endpoints, by_mx, ehlo_name };
    super::tell(report::transcript(&probed))?;
    if unanswered {
        super::say(format_args!("mxray: nothing was asked: {}", no_resolver(&stages.told.resolver())));
        return Ok(ExitCode::from(EXIT_NOTHING_ASKED));
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds the mail hosts of the target, and the port to ask them at, `port`
/// unless the target names one.
pub(super) async fn find(stages: &Stages, asked: Asked, port: u16) -> (DomainFacts, u16) {
    let subject = match asked {
        Asked::Domain(domain) => Subject::Domain(domain),
        Asked::Host(name, port) => Subject::Host { name, port: Some(port) },
        Asked::Address(ip, port) => Subject::Endpoint { ip, port, name: None },
    };
    let port = subject.port().unwrap_or(port);
    (stages.lookup.lookup(Target { line: 1, subject }).await, port)
}

/// Asks each endpoint of the target, with a `rest` between the connections to
/// one address.
pub(super) async fn ask_all(
    stages: &Stages,
    mut rest: Rest,
    facts: DomainFacts,
    port: u16,
) -> (DomainRecord, Vec<EndpointRecord>) {
    let mut judged = Vec::new();
    let mut endpoints = Vec::new();
    for (index, exchange) in facts.exchanges.iter().enumerate() {
        for ip in &exchange.addresses {
            let key = ProbeKey { endpoint: Endpoint { ip: *ip, port }, sni: exchange.host.clone() };
            let observation = ask(stages, &mut rest, key).await;
            let assessments = stages.policy.assess(&observation);
            let (record, endpoint) = stages.policy.endpoint(observation, &assessments);
            judged.push((index, Arc::new(endpoint)));
            endpoints.push(record);
        }
    }
    let verdict = stages.policy.verdict(&facts, &judged);
    (DomainRecord { facts, verdict }, endpoints)
}

/// Probes a key and sends the hellos that its answers are worth.
async fn ask(stages: &Stages, rest: &mut Rest, key: ProbeKey) -> Observation {
    if let Err(failure) = stages.probe.permit(&key) {
        return Observation::failed(key, Timestamp::now(), 0, failure);
    }
    rest.before(key.endpoint.ip).await;
    let mut observation = stages.probe.probe(key, 1).await;
    while let Some(question) = stages.policy.next_hello(&observation) {
        rest.before(observation.key.endpoint.ip).await;
        let hello = stages.probe.hello(observation.key.clone(), &question).await;
        observation.hellos.push(hello);
    }
    observation
}
