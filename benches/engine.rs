//! The engine alone: lookups and probes answer from memory, so that what is
//! measured is the bookkeeping of a run: CPU a domain, and what stays in memory
//! for each domain and for each distinct key.
//!
//! ```text
//! cargo bench --bench engine               # the table
//! cargo bench --bench engine -- --check    # and fail where a bound is broken
//! ```
//!
//! Each size runs in a process of its own: memory that one run gave back would
//! hide what the next one takes. One thread does all the work, so CPU is time.

#[path = "fixtures/mod.rs"]
mod fixtures;

use anyhow::{Context, ensure};
use clap::Parser;
use mimalloc::MiMalloc;
use mxray::internals::engine::pace::Limits;
use mxray::internals::engine::{EngineConfig, Progress, run};
use mxray::internals::interrogate::RetryPlan;
use mxray::internals::model::{
    ClientHelloSpec, DomainFacts, DomainName, Exchange, Failure, HelloObservation, MxHost, Observation,
    ProbeKey, Subject, Target,
};
use mxray::internals::stage::{Lookup, Probe};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

// As the program does.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// CPU a domain, in µs, at most: whatever the size, with shared keys and with
/// a key of its own.
const CPU_US_MAX: f64 = 11.0;
/// Memory that stays for a domain, in bytes, at most: nothing but what the
/// allocator rounds up. A pointer a domain would be 8.
const DOMAIN_BYTES_MAX: f64 = 6.0;
/// Memory that stays for a distinct key, in bytes, at most, where all show one
/// certificate.
const KEY_BYTES_MAX: f64 = 620.0;
/// The same where each shows a certificate of its own.
const KEY_WITH_CERTIFICATE_BYTES_MAX: f64 = 980.0;

/// Domains of the runs over few keys.
const DOMAINS: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Keys that they share.
const KEYS: usize = 1000;
/// Domains of the runs in which each has a key of its own.
const OWN_KEYS: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Domains of the runs in which each has a certificate of its own as well. What
/// judging them takes is no bookkeeping, and is not held to a bound.
const OWN_CERTIFICATES: [usize; 2] = [10_000, 100_000];

/// Times that each run is made. The least counts: what else goes on on the
/// machine adds to a run and takes nothing off.
const RUNS: usize = 3;

#[derive(Parser)]
struct Cli {
    /// One run: domains, and keys that they share.
    #[arg(long, num_args = 2, value_names = ["DOMAINS", "KEYS"])]
    one: Option<Vec<usize>>,
    /// Of that run: each key shows a certificate of its own.
    #[arg(long)]
    own_certificates: bool,
    /// Fail where a bound is broken.
    #[arg(long)]
    check: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one run took.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Took {
    domains: usize,
    keys: usize,
    /// A domain, in µs.
    cpu_us: f64,
    /// Most resident memory of the process, in bytes.
    memory: f64,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some([domains, keys]) = cli.one.as_deref() {
        println!("{}", serde_json::to_string(&one(*domains, *keys, cli.own_certificates)?)?);
        return Ok(());
    }
    println!("{:>10}{:>10}{:>14}{:>14}{:>8}", "domains", "keys", "certificates", "µs a domain", "MiB");
    let shared = DOMAINS.iter().map(|domains| least(*domains, KEYS, false));
    let shared = shared.collect::<anyhow::Result<Vec<Took>>>()?;
    let own = OWN_KEYS.iter().map(|domains| least(*domains, *domains, false));
    let own = own.collect::<anyhow::Result<Vec<Took>>>()?;
    let shown = OWN_CERTIFICATES.iter().map(|domains| least(*domains, *domains, true));
    let shown = shown.collect::<anyhow::Result<Vec<Took>>>()?;
    let (domain, key, certificate) = (growth(&shared), growth(&own), growth(&shown));
    println!(
        "stays in memory: {domain:.0} bytes a domain, {key:.0} bytes a distinct key, {certificate:.0} with a \
         certificate of its own"
    );
    let slowest = shared.iter().chain(&own).map(|took| took.cpu_us).fold(0.0, f64::max);
    if cli.check {
        ensure!(slowest <= CPU_US_MAX, "{slowest:.2} µs a domain, over {CPU_US_MAX}");
        ensure!(domain <= DOMAIN_BYTES_MAX, "{domain:.0} bytes a domain, over {DOMAIN_BYTES_MAX}");
        ensure!(key <= KEY_BYTES_MAX, "{key:.0} bytes a key, over {KEY_BYTES_MAX}");
        let most = KEY_WITH_CERTIFICATE_BYTES_MAX;
        ensure!(certificate <= most, "{certificate:.0} bytes a key with its certificate, over {most}");
    }
    Ok(())
}

/// Bytes for each further domain, from the smallest run to the largest.
fn growth(runs: &[Took]) -> f64 {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return 0.0 };
    (last.memory - first.memory) / (last.domains - first.domains) as f64
}

/// The least of [`RUNS`] runs, each in a process of its own.
fn least(domains: usize, keys: usize, own_certificates: bool) -> anyhow::Result<Took> {
    let mut least = in_a_process(domains, keys, own_certificates)?;
    for _ in 1..RUNS {
        let took = in_a_process(domains, keys, own_certificates)?;
        least.cpu_us = least.cpu_us.min(took.cpu_us);
        least.memory = least.memory.min(took.memory);
    }
    let (certificates, mib) = (if own_certificates { keys } else { 1 }, least.memory / 1024.0 / 1024.0);
    println!("{domains:>10}{keys:>10}{certificates:>14}{:>14.2}{mib:>8.0}", least.cpu_us);
    Ok(least)
}

fn in_a_process(domains: usize, keys: usize, own_certificates: bool) -> anyhow::Result<Took> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--one", &domains.to_string(), &keys.to_string()]);
    if own_certificates {
        command.arg("--own-certificates");
    }
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn one(domains: usize, keys: usize, own_certificates: bool) -> anyhow::Result<Took> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = cpu_s()?;
    runtime.block_on(survey(domains, InMemory::new(keys, own_certificates)?))?;
    let cpu_us = (cpu_s()? - before) * 1e6 / domains as f64;
    let memory = getrusage(UsageWho::RUSAGE_SELF)?.max_rss() as f64 * 1024.0;
    Ok(Took { domains, keys, cpu_us, memory })
}

fn cpu_s() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

async fn survey(domains: usize, stages: InMemory) -> anyhow::Result<()> {
    let keys = stages.keys;
    let (targets_in, targets) = mpsc::channel(1024);
    let (records_in, mut records) = mpsc::channel(256);
    tokio::spawn(async move {
        for line in 1..=domains {
            let Ok(name) = DomainName::parse(&format!("d{line}.example")) else { break };
            let target = Target { line: line as u64, subject: Subject::Domain(name) };
            if targets_in.send(target).await.is_err() {
                break;
            }
        }
    });
    let written = tokio::spawn(async move {
        let mut batch = Vec::new();
        while records.recv_many(&mut batch, 256).await > 0 {
            batch.clear();
        }
    });
    let lookups = Arc::new(stages);
    let stages = (lookups.clone(), lookups, Arc::new(fixtures::policy()));
    let progress = Arc::new(Progress::default());
    let counts = run(config(), stages, targets, records_in, progress, CancellationToken::new()).await?;
    written.await.context("the reader of the records")?;
    ensure!(counts.domains == domains as u64, "{} of {domains} rows", counts.domains);
    ensure!(counts.endpoints == keys as u64, "{} of {keys} keys", counts.endpoints);
    Ok(())
}

fn config() -> EngineConfig {
    let limits = Limits::none(1000);
    let pause = Duration::from_secs(1);
    let retry = RetryPlan { retries: 2, retry_delay: pause, second_look_delay: pause };
    EngineConfig {
        port: 25,
        limits,
        lookups_in_flight: 500,
        retry,
        spill_dir: None,
        sample: false,
        shard: None,
        ..EngineConfig::default()
    }
}

/// Both stages: every domain has one mail host, one of so many.
struct InMemory {
    keys: usize,
    /// What every probe answers, but for its key: made once, for its
    /// certificates are hashed and its dialogue is parsed.
    seen: Observation,
    /// A certificate that is made another for each key, as DER; `None` where
    /// all show the same.
    own_certificate: Option<Vec<u8>>,
}

/// Where the serial number of a leaf stands in its DER, behind the headers of
/// Certificate and TBSCertificate and the version: tag, length, number.
const SERIAL_AT: usize = 13;

impl InMemory {
    fn new(keys: usize, own_certificates: bool) -> anyhow::Result<InMemory> {
        let seen = fixtures::observation("mx.example", IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000)));
        let own_certificate = if own_certificates { Some(certificate()?) } else { None };
        Ok(InMemory { keys, seen, own_certificate })
    }
}

/// A leaf with two names and a serial number as long as public CAs make them.
fn certificate() -> anyhow::Result<Vec<u8>> {
    let names = ["mx.provider.example", "smtp.provider.example"].map(str::to_string);
    let mut parameters = rcgen::CertificateParams::new(names)?;
    parameters.serial_number = Some(vec![1; 16].into());
    let key = rcgen::KeyPair::generate()?;
    Ok(parameters.self_signed(&key)?.der().to_vec())
}

/// The certificate with a serial number that is the key's: another one, which
/// nobody signed.
fn renumbered(mut der: Vec<u8>, key: &ProbeKey) -> Vec<u8> {
    assert_eq!(der[SERIAL_AT], 2, "the serial number is elsewhere");
    if let IpAddr::V4(ip) = key.endpoint.ip {
        der[SERIAL_AT + 3..SERIAL_AT + 7].copy_from_slice(&ip.octets());
    }
    der
}

impl Lookup for InMemory {
    async fn lookup(&self, target: Target) -> DomainFacts {
        let key = (target.line % self.keys as u64) as u32;
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000 + key));
        let host = MxHost::new(&format!("mx{key}.example"));
        DomainFacts::whole(target, vec![Exchange::whole(10, Some(host), vec![address])])
    }
}

impl Probe for InMemory {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let mut seen = self.seen.clone();
        if let (Some(der), Some(tls)) = (&self.own_certificate, &mut seen.tls) {
            tls.chain = vec![renumbered(der.clone(), &key).into()];
        }
        Observation { key, attempts: attempt, ..seen }
    }

    async fn hello(&self, _key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None)
    }
}
