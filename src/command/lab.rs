//! `mxray lab`: the fleet as a process of its own.

mod check;

use super::CommandError;
use super::signals::Signals;
use crate::cli::LabArgs;
use crate::input::{self, Entry, InputOptions};
use crate::lab::{self, Fleet, FleetOptions, LabError, LogTo, Population};
use crate::model::{DomainName, Subject};
use crate::plan::UsageError;
use anyhow::{Context, anyhow};
use std::collections::HashSet;
use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Serves until Ctrl-C or SIGTERM; or tells of scenarios, or of a run.
pub(super) async fn run(args: LabArgs) -> Result<ExitCode, CommandError> {
    if args.list {
        return list_scenarios();
    }
    if !args.check.is_empty() {
        return check::run(&args);
    }
    serve(args).await
}

/// Each scenario with what it is about.
fn list_scenarios() -> Result<ExitCode, CommandError> {
    let scenarios = lab::scenarios().map_err(usage)?;
    let wide = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    let line = |scenario: &lab::Scenario| format!("{:wide$}  {}\n", scenario.name, scenario.title);
    super::tell(scenarios.iter().map(line).collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: LabArgs) -> Result<ExitCode, CommandError> {
    let mut options = FleetOptions::new(Vec::new()).map_err(usage)?;
    match (&args.population, &args.domains) {
        (Some(path), _) => populate(&mut options, path, args.count as usize)?,
        (None, list) => options.domains = domains(list.as_deref().unwrap_or_default())?,
    }
    options.seed = args.seed;
    options.dns = args.listen_dns;
    options.smtp_port = args.smtp_port;
    options.policy_port = args.policy_port;
    options.hosts_per_scenario = args.hosts_per_scenario as usize;
    if !args.scenario.is_empty() {
        let named: Result<Vec<_>, _> = args.scenario.iter().map(|name| lab::scenario(name)).collect();
        options.scenarios = named.map_err(usage)?;
        // Weight 0 keeps a scenario out of mixes that nobody asked for.
        options.scenarios.iter_mut().for_each(|scenario| scenario.weight = scenario.weight.max(1));
    }
    options.log = LogTo::Nowhere;
    let log = args.log.clone().map(Report::open).transpose()?;
    if let Some(log) = &log {
        options.log = LogTo::File(Arc::new(log.another()?));
    }
    let scan = ScanWords::new(&args);
    // The ports first: where another lab has them, its files stay as they are.
    let fleet = Fleet::start(options).await.map_err(usage)?;
    let [truth, roots, endpoints, connectors, counters, list] =
        [args.truth, args.roots, args.endpoints, args.connectors, args.counters, args.write_list]
            .map(|path| path.map(Report::open).transpose());
    let (truth, roots, endpoints) = (truth?, roots?, endpoints?);
    let (connectors, counters, list) = (connectors?, counters?, list?);
    // They stay open, and so locked, as long as the lab runs.
    for report in [&truth, &roots, &endpoints, &connectors, &counters, &log, &list].into_iter().flatten() {
        report.empty()?;
    }
    for name in fleet.left_out() {
        super::say(format_args!("mxray: scenario {name} is skipped: this machine has no ::1"));
    }
    write(&truth, |file| fleet.write_truth(file))?;
    write(&roots, |file| file.write_all(fleet.root_pem().as_bytes()))?;
    write(&endpoints, |file| fleet.write_endpoints(file))?;
    write(&list, |file| fleet.truth().iter().try_for_each(|row| writeln!(file, "{}", row.domain)))?;
    write(&connectors, |file| fleet.write_connectors(file))?;
    let mut signals = Signals::new();
    // Whoever started the lab with port 0 reads the ports here, and may scan
    // from the moment the line is there, or end the lab.
    let [dns, smtp, policies] =
        [fleet.dns_addr().to_string(), fleet.smtp_port().to_string(), fleet.policy_port().to_string()];
    let ready =
        format!("lab ready: dns {dns} smtp-port {smtp} policy-port {policies}\n{}\n", scan.line(&fleet));
    // A pipe that is full must not keep a signal from ending it.
    let telling = tokio::task::spawn_blocking(move || io::stdout().write_all(ready.as_bytes()));
    tokio::select! {
        told = telling => {
            told.map_err(io::Error::from).flatten().context("cannot write to standard output")?;
            signals.next().await;
        }
        _ = signals.next() => {}
    }
    write(&counters, |file| fleet.write_counters(file))?;
    let connections = fleet.log().clone();
    fleet.shutdown().await;
    if let Some(log) = &log {
        connections.close().map_err(|error| log.unwritten(&error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What of the command that scans the fleet follows from the words of this one.
struct ScanWords {
    list: String,
    files: String,
}

/// Pauses and times for servers that are near, and mind no haste.
const HASTE: &str = "--ehlo scanner.example --allow-private --rate 0 --per-ip-interval 0 --timeout 5s --retry-delay 1s \
                     --second-look-delay 1s --cool-down 0";

impl ScanWords {
    fn new(args: &LabArgs) -> Self {
        let written = args.write_list.as_ref().map(|path| path.display().to_string());
        // Whoever served a population and wrote no list sees where one is missing.
        let list = args.domains.clone().or(written).unwrap_or_else(|| "LIST".to_string());
        let option = |option: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" {option} {}", path.display())).unwrap_or_default()
        };
        let files = option("--roots", &args.roots) + &option("--connectors", &args.connectors);
        Self { list, files }
    }

    fn line(&self, fleet: &Fleet) -> String {
        let Self { list, files } = self;
        let (dns, smtp, policies) = (fleet.dns_addr(), fleet.smtp_port(), fleet.policy_port());
        format!("mxray scan {list} --resolver {dns} --port {smtp} --mta-sts-port {policies}{files} {HASTE}")
    }
}

/// Has a fleet play a population.
fn populate(options: &mut FleetOptions, path: &Path, count: usize) -> Result<(), CommandError> {
    let unread = |error: &dyn Display| UsageError(format!("cannot use {}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| unread(&error))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let population = Population::parse(&name, &text).map_err(|error| unread(&error))?;
    options.domains = Population::domains(count).map_err(usage)?;
    options.dns_latency_ms = population.dns_latency_ms;
    options.scenarios = population.scenarios(count).map_err(|error| unread(&error))?;
    Ok(())
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
                super::say(format_args!(
                    "mxray: {path} line {}: {}: not served",
                    rejected.line, rejected.cause
                ));
            }
        }
    }
    if domains.is_empty() {
        return Err(UsageError(format!("{path}: it has no domain to serve")).into());
    }
    Ok(domains)
}

/// A file that the lab was asked for.
struct Report {
    path: PathBuf,
    file: File,
}

impl Report {
    /// Opens it before anything is served, so that a wrong path is said at once.
    /// What is in it stays, and nobody else who asks gets it.
    fn open(path: PathBuf) -> Result<Self, UsageError> {
        let failed = |error: &dyn Display| UsageError(format!("cannot write {}: {error}", path.display()));
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| failed(&error))?;
        if is_regular(&file) {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(failed(&"another lab uses it")),
                // A file system without locks.
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
        }
        Ok(Self { path, file })
    }

    /// The same file, for another to write to.
    fn another(&self) -> Result<File, CommandError> {
        self.file.try_clone().map_err(|error| self.unwritten(&error))
    }

    /// Removes what is in it.
    fn empty(&self) -> Result<(), CommandError> {
        if !is_regular(&self.file) {
            return Ok(());
        }
        self.file.set_len(0).map_err(|error| self.unwritten(&error))
    }

    fn unwritten(&self, error: &io::Error) -> CommandError {
        anyhow!("cannot write {}: {error}", self.path.display()).into()
    }
}

/// Pipes and devices have no content of their own.
fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn write(
    report: &Option<Report>,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), CommandError> {
    let Some(report) = report else { return Ok(()) };
    let mut file = BufWriter::new(&report.file);
    let written = write(&mut file).and_then(|()| file.flush());
    written.map_err(|error| report.unwritten(&error))
}
