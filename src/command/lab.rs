//! `mxray lab`: the fleet as a process of its own.

use super::CommandError;
use crate::cli::LabArgs;
use crate::input::{self, Entry, InputOptions};
use crate::lab::{self, Fleet, FleetOptions, LabError};
use crate::model::{DomainName, Subject};
use crate::plan::UsageError;
use anyhow::{Context, anyhow};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

/// Serves until Ctrl-C or SIGTERM.
pub(super) async fn run(args: LabArgs) -> Result<ExitCode, CommandError> {
    let domains = domains(&args.domains)?;
    let mut options = FleetOptions::new(domains).map_err(usage)?;
    options.seed = args.seed;
    options.dns = args.listen_dns;
    options.smtp_port = args.smtp_port;
    options.hosts_per_scenario = args.hosts_per_scenario as usize;
    if !args.scenario.is_empty() {
        let named: Result<_, _> = args.scenario.iter().map(|name| lab::scenario(name)).collect();
        options.scenarios = named.map_err(usage)?;
    }
    let fleet = Fleet::start(options).await.map_err(usage)?;
    for name in fleet.left_out() {
        eprintln!("mxray: scenario {name} is left out: this machine has no ::1");
    }
    write_to(args.truth.as_deref(), |file| fleet.write_truth(file))?;
    write_to(args.roots.as_deref(), |file| file.write_all(fleet.root_pem().as_bytes()))?;
    write_to(args.endpoints.as_deref(), |file| fleet.write_endpoints(file))?;
    // Whoever started the lab with port 0 reads the ports here, and may scan
    // from the moment the line is there.
    let mut stdout = io::stdout();
    let ready = writeln!(stdout, "lab ready: dns {} smtp-port {}", fleet.dns_addr(), fleet.smtp_port());
    ready.and_then(|()| stdout.flush()).context("cannot write to standard output")?;
    super::signal().await;
    write_to(args.counters.as_deref(), |file| fleet.write_counters(file))?;
    fleet.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn usage(error: LabError) -> CommandError {
    UsageError(error.to_string()).into()
}

/// The distinct domains of a list; the fleet holds them all.
fn domains(path: &str) -> Result<Vec<DomainName>, CommandError> {
    let mut seen = HashSet::new();
    let mut domains = Vec::new();
    for entry in input::open(path, &InputOptions::default())? {
        match entry.map_err(|error| anyhow!("{path}: {error}"))? {
            Entry::Target(target) => {
                if let Subject::Domain(domain) = target.subject
                    && seen.insert(domain.clone())
                {
                    domains.push(domain);
                }
            }
            Entry::Rejected(rejected) => {
                eprintln!("mxray: {path} line {}: {}: not served", rejected.line, rejected.cause);
            }
        }
    }
    Ok(domains)
}

fn write_to(
    path: Option<&Path>,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), CommandError> {
    let Some(path) = path else { return Ok(()) };
    let written = File::create(path).map(BufWriter::new).and_then(|mut file| {
        write(&mut file)?;
        file.flush()
    });
    written.map_err(|error| anyhow!("cannot write {}: {error}", path.display()).into())
}
