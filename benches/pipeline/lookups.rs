//! What a question to the DNS costs, beside `dnsperf` with the same questions to
//! the same server in the same round: the floor is the kernel's.

use super::lab::Lab;
use super::timed::{self, Took};
use anyhow::{Context, ensure};
use clap::Args;
use futures_util::stream::{self, StreamExt};
use mxray::internals::lookup::{DnsLookup, LookupConfig};
use mxray::internals::model::{DomainName, Subject, Target};
use mxray::internals::stage::Lookup;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use tempfile::TempDir;

/// Domains of a round, each with a host of its own, and rounds.
const DOMAINS: usize = 20_000;
const ROUNDS: usize = 5;

/// Lookups at a time, and questions of `dnsperf`: as many as a scan has.
const AT_A_TIME: usize = 256;

/// CPU a question over that of `dnsperf`, at most.
const RATIO_MAX: f64 = 1.3;

/// `pipeline ask`
#[derive(Args)]
pub struct AskArgs {
    /// Where the DNS answers.
    #[arg(long)]
    resolver: SocketAddr,
    /// The domains, one a line.
    #[arg(long)]
    list: PathBuf,
}

/// Looks every domain up, and does nothing else.
pub fn ask(args: &AskArgs) -> anyhow::Result<()> {
    let list = fs::read_to_string(&args.list)?;
    let config = LookupConfig { nameservers: vec![args.resolver], ..LookupConfig::default() };
    let lookup = DnsLookup::new(config)?;
    let targets = list
        .lines()
        .zip(1..)
        .map(|(domain, line)| Ok(Target { line, subject: Subject::Domain(DomainName::parse(domain)?) }));
    let targets: Vec<Target> = targets.collect::<anyhow::Result<_>>()?;
    let asked = targets.len();
    let answered = tokio::runtime::Runtime::new()?.block_on(async {
        let looked = stream::iter(targets).map(|target| lookup.lookup(target)).buffer_unordered(AT_A_TIME);
        looked.filter(|facts| std::future::ready(facts.failure.is_none())).count().await
    });
    ensure!(answered == asked, "{answered} of {asked} domains were found");
    Ok(())
}

/// The table; an error where `check` finds the bound broken, or there is no
/// `dnsperf`.
pub fn run(check: bool) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let lab = Lab::start(dir.path(), "tls13_ecdsa", DOMAINS)?;
    let (host, port) = lab.dns.rsplit_once(':').context("no port")?;
    let questions: String = (0..DOMAINS)
        .map(|number| {
            let domain = format!("h{number:06}.example");
            format!("{domain} MX\nmx1.{domain} A\nmx1.{domain} AAAA\n")
        })
        .collect();
    fs::write(dir.path().join("questions.txt"), questions)?;
    let program = std::env::current_exe()?;
    let program = program.to_str().context("a path that is no text")?;
    let at_a_time = AT_A_TIME.to_string();
    let ours = [program, "ask", "--resolver", &lab.dns, "--list", "domains.txt"];
    let dnsperf =
        ["dnsperf", "-s", host, "-p", port, "-d", "questions.txt", "-n", "1", "-e", "-D", "-q", &at_a_time];
    let each = |took: Took| took.cpu_s * 1e6 / (3 * DOMAINS) as f64;
    let mut ratios = Vec::new();
    println!("{DOMAINS} domains, three questions each; CPU in \u{b5}s a question");
    for _ in 0..ROUNDS {
        let (floor, own) = (timed::measure(dir.path(), &dnsperf)?, timed::measure(dir.path(), &ours)?);
        let ratio = own.cpu_s / floor.cpu_s;
        println!("dnsperf {:>6.1}   mxray {:>6.1}   ratio {ratio:.2}", each(floor), each(own));
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
    println!("median ratio {median:.2}");
    ensure!(!check || median <= RATIO_MAX, "the ratio, {median:.2}, is over {RATIO_MAX}");
    Ok(())
}
