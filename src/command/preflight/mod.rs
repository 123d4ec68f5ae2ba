//! `mxray preflight`: what should be right before a survey asks the machines of
//! others, looked at from the machine that will ask.

mod address_lists;
mod check;
mod machine;
mod names;
mod port;
mod probing_file;

use super::{CommandError, start_logging};
use crate::cli::{FormatArg, HelloArgs, JudgingArgs, PolicyArgs, PreflightArgs};
use crate::net;
use crate::plan::{self, LookupPace, UsageError};
use check::{CheckState, PreflightCheck};
use serde::Serialize;
use std::net::IpAddr;
use std::process::ExitCode;

/// Exit code where something is at fault.
const EXIT_FAULT: u8 = 1;

/// Version of the document: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// All that was looked at.
#[derive(Serialize)]
struct Preflight {
    schema_version: u32,
    mxray: &'static str,
    checks: Vec<PreflightCheck>,
    faults: usize,
    not_determined: usize,
}

/// Looks at everything, tells it, and writes the probing file.
pub(super) async fn run(args: PreflightArgs) -> Result<ExitCode, CommandError> {
    start_logging(args.asking.dialogue.verbose);
    let once = LookupPace { retries: 0, ..LookupPace::default() };
    let (hellos, judging) = (HelloArgs::default(), JudgingArgs::default());
    let stages = plan::stages(&args.asking, &PolicyArgs::none(), &hellos, &judging, once)?;
    let ehlo = stages.settings.ehlo_name.clone();
    let written =
        args.probing_file.as_deref().map(|path| probing_file::write(path, &args, &ehlo)).transpose()?;

    let sources = sources(&args.source);
    let mut checks = Vec::new();
    if sources.is_empty() {
        let cause =
            "this machine has no public address of its own; give the one that others see: --source ADDR";
        checks.push(PreflightCheck::not_determined(names::REVERSE, "", cause));
        checks.push(PreflightCheck::not_determined(names::FORWARD, &ehlo, cause));
    }
    for source in &sources {
        checks.extend(names::check(&stages.lookup, *source, &ehlo).await);
        for zone in &args.dnsbl {
            checks.push(address_lists::check(&stages.lookup, *source, zone).await);
        }
    }
    if sources.is_empty() {
        let unknown = "the address that others see is not known (--source)";
        checks.extend(
            args.dnsbl
                .iter()
                .map(|zone| PreflightCheck::not_determined("block list", zone.as_str(), unknown)),
        );
    }
    let ports = (args.asking.dialogue.port, &args.egress_host);
    checks.extend(port::check(&stages, ports.1, ports.0).await?);
    checks.push(machine::clock());
    checks.push(machine::descriptors(args.in_flight as usize, args.slow_in_flight as usize));
    checks.extend(written);
    tell(checks, args.format)
}

/// Those that are named, or those of this machine that others see as they are.
fn sources(named: &[IpAddr]) -> Vec<IpAddr> {
    if named.is_empty() {
        return net::source_addresses().into_iter().filter(|source| net::is_public(*source)).collect();
    }
    named.iter().map(IpAddr::to_canonical).collect()
}

fn tell(checks: Vec<PreflightCheck>, format: FormatArg) -> Result<ExitCode, CommandError> {
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (faults, not_determined) = (count(CheckState::Fault), count(CheckState::NotDetermined));
    let checked = Preflight {
        schema_version: SCHEMA_VERSION,
        mxray: env!("CARGO_PKG_VERSION"),
        checks,
        faults,
        not_determined,
    };
    let text = match format {
        FormatArg::Json => {
            serde_json::to_string_pretty(&checked).map_err(|error| UsageError(error.to_string()))? + "\n"
        }
        FormatArg::Text => checked.checks.iter().map(PreflightCheck::line).collect(),
    };
    super::tell(text)?;
    Ok(if faults > 0 { ExitCode::from(EXIT_FAULT) } else { ExitCode::SUCCESS })
}
