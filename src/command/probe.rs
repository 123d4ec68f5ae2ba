//! `mxray probe`: a few targets, each told as a transcript, or all as one document.

mod fail_on;
mod told;

use super::address_pause::AddressPause;
use super::error::EXIT_FAILED_ON;
use super::list_end::{is_unanswered, no_resolver};
use super::resolvers::warn_if_none_is_believed;
use super::signals::Signals;
use super::{CommandError, EXIT_NOTHING_ASKED, start_logging};
use crate::cli::ProbeArgs;
use crate::interrogate::{Known, RetryPlan, interrogate};
use crate::model::asked_question::QUESTIONS_TOLD_MAX;
use crate::model::{DomainFacts, DomainRecord, EndpointRecord, Exchange, ProbeKey, Subject, Target};
use crate::plan::{self, LookupPace, ProbeTarget, Stages, UsageError};
use crate::report::Retrying;
use crate::run_dir::ProbedTarget;
use crate::sender::Sender;
use crate::sender::situation::Situation;
use crate::stage::Lookup;
use crate::verdict::KeyContext;
use indexmap::IndexMap;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use told::{OpenEnd, ProbeOutput};

/// Probes every endpoint of each target, one target after the other, one connection at
/// a time.
pub(super) async fn run(args: ProbeArgs) -> Result<ExitCode, CommandError> {
    if args.quiet {
        super::be_quiet();
    }
    start_logging(args.asking.dialogue.verbose);
    let signals = Signals::new();
    let asked = targets(&args)?;
    let pace = LookupPace {
        retries: args.again.retries,
        retry_delay: args.again.retry_delay,
        ..LookupPace::default()
    };
    let stages = plan::stages(&args.asking, &args.policies, &args.hellos, &args.judging, pace)?;
    stages.lookup.tell_questions(QUESTIONS_TOLD_MAX);
    super::say_at_start(&stages.settings);
    if args.hellos.enumerate && !args.pace.per_ip_interval.is_zero() {
        super::say(format_args!(
            "mxray: to enumerate a host usually takes 30 to 130 connections, {:?} apart (--per-ip-interval)",
            args.pace.per_ip_interval
        ));
    }
    let open = OpenEnd::default();
    let leave = open.clone();
    let stop = signals.watch_and_leave("an open connection is ended in order", move || leave.leave());
    let rest = AddressPause::new(args.pace.per_ip_interval).telling().until(stop.token.clone());
    let told = ProbeOutput::new(&args, stages.settings.ehlo_name.clone(), open);
    let mut probing = Probing { args: &args, stages: &stages, stop: &stop.token, rest, told };
    let mut ends = Ends::default();
    probing.told.begin()?;
    let names: Vec<String> = asked.iter().map(|target| target.name.clone()).collect();
    for (number, target) in asked.into_iter().enumerate() {
        if stop.token.is_cancelled() {
            ends.not_asked.push(target.name);
        } else {
            probing.told.asks(&target.name, names.get(number..).unwrap_or_default())?;
            probing.target(target, &mut ends).await?;
        }
    }
    probing.told.end(stop.code().is_some(), &ends.not_asked)?;
    if let Some(code) = stop.code() {
        probing.rest.left_out().for_each(|told| super::say(format_args!("mxray: {told}")));
        return Ok(ExitCode::from(code));
    }
    Ok(ends.code(args.targets.len() > 1, &stages.settings.resolver()))
}

/// A target as it was named, and what that means.
struct NamedTarget {
    name: String,
    target: ProbeTarget,
}

/// What was named, each once.
fn targets(args: &ProbeArgs) -> Result<Vec<NamedTarget>, UsageError> {
    let mut seen = Vec::new();
    for name in &args.targets {
        let target = ProbeTarget::parse(name)?;
        if let (ProbeTarget::Domain(domain), Some(_)) = (&target, &args.recipient_domain) {
            return Err(UsageError(format!(
                "--recipient-domain goes with HOST:PORT or IP[:PORT]; {domain} is itself a domain"
            )));
        }
        if seen.iter().any(|known: &NamedTarget| known.target == target) {
            return Err(UsageError(format!("`{name}` is named twice")));
        }
        seen.push(NamedTarget { name: name.clone(), target });
    }
    Ok(seen)
}

/// How the targets ended, as far as the exit code depends on it.
#[derive(Default)]
struct Ends {
    /// Targets of which nothing is told, for the command was stopped.
    not_asked: Vec<String>,
    /// Those for which no resolver answered.
    unanswered: Vec<String>,
    /// Whether one meets what `--fail-on` names.
    failed: bool,
}

impl Ends {
    fn code(&self, several: bool, resolver: &str) -> ExitCode {
        for name in &self.unanswered {
            let of = if several { format!("{name}: ") } else { String::new() };
            super::say_error(format_args!(
                "mxray: {of}nothing could be contacted: {}",
                no_resolver(resolver)
            ));
        }
        match (self.failed, self.unanswered.is_empty()) {
            (true, _) => ExitCode::from(EXIT_FAILED_ON),
            (false, false) => ExitCode::from(EXIT_NOTHING_ASKED),
            (false, true) => ExitCode::SUCCESS,
        }
    }
}

/// What is needed for one target after the other.
struct Probing<'a> {
    args: &'a ProbeArgs,
    stages: &'a Stages,
    stop: &'a CancellationToken,
    rest: AddressPause,
    told: ProbeOutput,
}

impl Probing<'_> {
    async fn target(&mut self, asked: NamedTarget, ends: &mut Ends) -> Result<(), CommandError> {
        let (args, stages) = (self.args, self.stages);
        let NamedTarget { name, target } = asked;
        let by_mx = matches!(target, ProbeTarget::Domain(_));
        let plan = plan::retry_plan(&args.again);
        let port = args.asking.dialogue.port;
        let Some((mut facts, port)) = find_in_the_end(stages, target, port, plan, self.stop).await else {
            // Nothing is known of a target whose hosts were not found.
            ends.not_asked.push(name);
            return Ok(());
        };
        let answered = !is_unanswered(&facts);
        if facts.exchanges.iter().any(|exchange| exchange.tlsa.is_some()) {
            warn_if_none_is_believed(&stages.lookup.resolvers());
        }
        if let Some(recipient) = &args.recipient_domain {
            facts.target.subject = Subject::Domain(recipient.clone());
        }
        let (domain, endpoints) = ask_all(stages, plan, &mut self.rest, facts, port).await;
        let failed_on = fail_on::met(&args.fail_on, &domain.verdict);
        ends.failed |= !failed_on.is_empty();
        if !answered {
            ends.unanswered.push(name.clone());
        }
        let (questions, questions_excess) = stages.lookup.take_questions();
        self.told.target(
            &ProbedTarget {
                target: &name,
                answered,
                failed_on: &failed_on,
                domain: &domain,
                endpoints: &endpoints,
                questions: &questions,
                questions_excess,
            },
            by_mx,
            retrying(stages.policy.sender()),
        )
    }
}

/// What its file says of mail that it keeps.
fn retrying(sender: &Sender) -> Retrying<'_> {
    let returned = sender.codes.get(&Situation::Expired);
    Retrying {
        hours: sender.retry_hours.value,
        assumed: sender.retry_hours.is_assumed(),
        returned: returned.map(|logged| (&*logged.code, &*logged.text)),
    }
}

/// Finds them, and asks again for what the DNS did not answer or a policy host did
/// not give, as a survey does. After `stop` what is known is all; `None` where that is nothing.
async fn find_in_the_end(
    stages: &Stages,
    asked: ProbeTarget,
    port: u16,
    plan: RetryPlan,
    stop: &CancellationToken,
) -> Option<(DomainFacts, u16)> {
    let mut known: Option<(DomainFacts, u16)> = None;
    for number in 1.. {
        let (facts, port) = tokio::select! {
            biased;
            found = find(stages, asked.clone(), port) => found,
            () = stop.cancelled() => return known,
        };
        let earlier = known.as_ref().and_then(|(facts, _)| facts.policy_fetch().cloned());
        let facts = facts.with_earlier_fetch(earlier);
        let is_last = number > plan.retries || is_unanswered(&facts);
        let Some(open) = facts.open_question().filter(|_| !is_last) else { return Some((facts, port)) };
        let (label, pause) = (facts.target.subject.label(), plan.pause_before(number));
        super::say(format_args!(
            "mxray: {label}: {open}; asked again in {pause:?} (--retries 0: not at all)"
        ));
        known = Some((facts, port));
        tokio::select! {
            biased;
            () = stop.cancelled() => return known,
            () = sleep(pause) => {}
        }
    }
    known
}

/// Finds the mail hosts of the target, and the port to ask them at, `port`
/// unless the target names one.
pub(super) async fn find(stages: &Stages, asked: ProbeTarget, port: u16) -> (DomainFacts, u16) {
    let subject = match asked {
        ProbeTarget::Domain(domain) => Subject::Domain(domain),
        ProbeTarget::Host(name, port) => Subject::Host { name, port: Some(port) },
        ProbeTarget::Address(ip, port) => Subject::Endpoint { ip, port, name: None },
    };
    let port = subject.port().unwrap_or(port);
    (stages.lookup.lookup(Target { line: 1, subject }).await, port)
}

/// Asks each endpoint of the target, with a `rest` between the connections to
/// one address.
pub(super) async fn ask_all(
    stages: &Stages,
    plan: RetryPlan,
    rest: &mut AddressPause,
    facts: DomainFacts,
    port: u16,
) -> (DomainRecord, Vec<EndpointRecord>) {
    // A host may be named twice.
    let mut places: IndexMap<ProbeKey, Vec<usize>> = IndexMap::new();
    for (place, key) in facts.probe_keys(port) {
        places.entry(key).or_default().push(place);
    }
    let has_tlsa = |places: &Vec<usize>| {
        places.iter().any(|place| facts.exchanges.get(*place).is_some_and(Exchange::may_have_tlsa))
    };
    let keys: Vec<_> = places.iter().map(|(key, places)| (key.clone(), has_tlsa(places))).collect();
    let contexts: Vec<_> =
        keys.iter().map(|(_, tlsa)| KeyContext { tlsa: *tlsa, ..KeyContext::default() }).collect();
    let known = interrogate(&*stages.probe, &stages.policy, plan, keys, rest).await;
    let mut judged = Vec::new();
    let mut endpoints = Vec::new();
    for ((places, context), Known { observation, assessments }) in
        places.into_values().zip(contexts).zip(known)
    {
        let (record, endpoint) = stages.policy.endpoint_of_run(*observation, &assessments, context);
        let endpoint = Arc::new(endpoint);
        judged.extend(places.into_iter().map(|place| (place, endpoint.clone())));
        endpoints.push(record);
    }
    let verdict = stages.policy.verdict(&facts, &judged);
    (DomainRecord { facts, verdict }, endpoints)
}
