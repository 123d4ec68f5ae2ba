//! `mxray tlsrpt`: what a run saw of one domain, in the shape of a report on TLS.

use super::CommandError;
use super::judge::suspects;
use crate::cli::{JudgingArgs, TlsrptArgs};
use crate::model::{DomainFacts, DomainName, Exchange, JudgedEndpoint, ProbeKey, Subject};
use crate::plan::{self, Judging, UsageError};
use crate::report::tls_rpt::{Observed, report};
use crate::run_dir::read::{Stored, StoredFacts, StoredRun};
use crate::verdict::{KeyContext, Policy};
use anyhow::{Context, anyhow};
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Writes the report of one domain.
pub(super) fn run(args: &TlsrptArgs) -> Result<ExitCode, CommandError> {
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    file.map_or(Ok(()), refuse_what_is_there)?;
    let stored = StoredRun::open_whole(&args.run)?;
    let info = stored.info();
    let judging = plan::judging_again(&JudgingArgs::default(), None, &args.run, info)?;
    super::warn(&judging.warnings);
    let facts = facts(&stored, &args.domain)?;
    let Judging { judge, sender, .. } = judging;
    let name = sender.name.clone();
    let policy = Policy::new(judge, sender);
    let probes = probes(&stored, &policy, &facts)?;
    let observed = Observed {
        domain: args.domain.as_str(),
        sender: &name,
        started: info.started,
        ended: info.ended.unwrap_or(info.started),
    };
    let report = report(&observed, &policy.policy_sessions(&facts, &probes));
    let text = serde_json::to_string_pretty(&report).context("no text")? + "\n";
    match file {
        Some(path) => write(path, &text)?,
        None => super::tell(text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the DNS said of the domain: of a list that has it twice, the last time.
fn facts(stored: &StoredRun, domain: &DomainName) -> Result<DomainFacts, CommandError> {
    let mut all = stored.facts()?;
    let mut found = None;
    while let Some(facts) = all.read_next()? {
        if matches!(&facts.dns().target.subject, Subject::Domain(name) if name == domain) {
            found = Some(facts);
        }
    }
    match found {
        Some(StoredFacts::Whole(facts)) => Ok(*facts),
        Some(_) => Err(anyhow!(
            "the run was killed before it had written down all certificates of the policy host of {domain}"
        )
        .into()),
        None => Err(anyhow!("the run has no domain {domain}").into()),
    }
}

/// What was found at its addresses, each with the place of its host.
fn probes(
    stored: &StoredRun,
    policy: &Policy,
    facts: &DomainFacts,
) -> Result<Vec<(usize, Arc<JudgedEndpoint>)>, CommandError> {
    let mut wanted: HashMap<ProbeKey, Vec<usize>> = HashMap::new();
    for (exchange, key) in facts.probe_keys(stored.info().port) {
        wanted.entry(key).or_default().push(exchange);
    }
    let suspects = suspects(stored)?;
    let mut observations = stored.observations()?;
    let mut found = Vec::new();
    while let Some(read) = observations.read_next()? {
        let Stored::Whole(observation) = read else { continue };
        let Some(exchanges) = wanted.remove(&observation.key) else { continue };
        let family = if observation.key.endpoint.ip.is_ipv4() { "ipv4" } else { "ipv6" };
        let context = KeyContext {
            network_suspect: suspects.iter().any(|suspect| suspect == family),
            tlsa: exchanges
                .iter()
                .any(|place| facts.exchanges.get(*place).is_some_and(Exchange::may_have_tlsa)),
            // A session that did not take place is in no report.
            stand_in: None,
        };
        let assessments = policy.assess(&observation);
        let (_, judged) = policy.endpoint_of_run(*observation, &assessments, context);
        let judged = Arc::new(judged);
        found.extend(exchanges.into_iter().map(|exchange| (exchange, judged.clone())));
        if wanted.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A file that is there is another's; that is better said before a long run is
/// read.
fn refuse_what_is_there(output: &Path) -> Result<(), UsageError> {
    // A link that leads nowhere is there, too.
    match output.symlink_metadata() {
        Ok(_) => Err(is_there(output)),
        Err(_) => Ok(()),
    }
}

fn is_there(output: &Path) -> UsageError {
    UsageError(format!("{} is there already; choose another with -o", output.display()))
}

fn write(output: &Path, text: &str) -> Result<(), CommandError> {
    let mut file = File::create_new(output).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(output),
        _ => UsageError(format!("cannot write {}: {error}", output.display())),
    })?;
    let written = file.write_all(text.as_bytes());
    Ok(written.with_context(|| format!("cannot write {}", output.display()))?)
}
