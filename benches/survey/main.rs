//! How long a survey takes: a population of mail domains under the default manners
//! of `mxray scan`, on a clock that jumps from one event to the next. What is real
//! is the engine: its buckets, cool-downs, retries, second looks and spill file. The
//! DNS and the servers are played from memory, by `datasets/population`.
//!
//! ```text
//! cargo bench --bench survey                      # a million domains: the table
//! cargo bench --bench survey -- --domains 100000
//! cargo bench --bench survey -- --sample          # as `scan` does with such a list
//! cargo bench --bench survey -- --check           # and fail where a bound is broken
//! cargo bench --bench survey -- --sockets         # a hundredth of it on real sockets
//! ```
//!
//! Not played: certificates (so that memory is less than a scan's), further
//! ClientHellos, DANE and MTA-STS.

mod sockets;
mod world;

use anyhow::{Context, ensure};
use clap::Parser;
use mimalloc::MiMalloc;
use mxray::internals::engine::pace::Limits;
use mxray::internals::engine::{EngineConfig, EngineCounts, Progress, run};
use mxray::internals::model::{DomainName, DomainRecord, Record, Subject, Target};
use mxray::internals::sender::Sender;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use nix::sys::resource::{UsageWho, getrusage};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender as Output};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use world::World;

// As the program does.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A run takes at most so many times what its slowest bucket takes alone.
const OVER_BOUND_MAX: f64 = 1.2;

/// Where peak memory has to stay, in MiB, for a million domains.
const MEMORY_MIB_MAX: f64 = 400.0;

#[derive(Parser)]
struct Args {
    /// Domains of the population [default: 1000000; with --sockets 10000]
    #[arg(long)]
    domains: Option<usize>,
    /// On real sockets, on a clock that goes as clocks do: a hundredth of the domains at
    /// the pace of a million, with cool-downs and retries a hundredth as long.
    #[arg(long)]
    sockets: bool,
    /// Seed of the list's order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ask a sample of the names on one address.
    #[arg(long)]
    sample: bool,
    /// Fail where a bound is broken; the slowest bucket's is not known of a sample.
    #[arg(long)]
    check: bool,
    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What became of one class of domains.
#[derive(Default)]
struct ClassResult {
    domains: u64,
    by_delivery: BTreeMap<String, u64>,
    last: Duration,
}

/// A survey that is over.
struct Done {
    classes: BTreeMap<String, ClassResult>,
    counts: EngineCounts,
    took: Duration,
    /// The slowest bucket, and how long it takes alone.
    bound: (String, Duration),
    /// What is in the memory of the process, and what is not.
    memory_of: &'static str,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let done = if args.sockets {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(sockets::survey(args.domains.unwrap_or(10_000), args.seed))?
    } else {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(survey(args.domains.unwrap_or(1_000_000), &args))?
    };
    tell(&done)?;
    if args.check {
        let ratio = done.took.as_secs_f64() / done.bound.1.as_secs_f64();
        ensure!(
            args.sample || ratio <= OVER_BOUND_MAX,
            "{ratio:.2} times its slowest bucket, over {OVER_BOUND_MAX}"
        );
        let memory = memory_mib()?;
        // On sockets the servers are in this process as well.
        ensure!(args.sockets || memory <= MEMORY_MIB_MAX, "{memory:.0} MiB, over {MEMORY_MIB_MAX}");
    }
    Ok(())
}

async fn survey(domains: usize, args: &Args) -> anyhow::Result<Done> {
    let world = Arc::new(World::of_population(domains)?);
    let spill = tempfile::tempdir()?;
    let limits = Limits { order_seed: Some(args.seed), ..Limits::default() };
    let config = EngineConfig {
        limits,
        spill_dir: Some(spill.path().into()),
        sample: args.sample,
        ..EngineConfig::default()
    };
    let judge = Judge::new(Roots::default(), jiff::Timestamp::UNIX_EPOCH);
    let policy = Arc::new(Policy::new(judge, Sender::named("exchange-online")?));
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, records) = mpsc::channel(64);
    tokio::spawn(list(world.clone(), args.seed, targets_in));
    let begun = Instant::now();
    let collected = tokio::spawn(collect(world.clone(), begun, records));
    let stages = (world.clone(), world.clone(), policy);
    let progress = Arc::new(Progress::default());
    let counts = run(config, stages, targets, records_in, progress, CancellationToken::new()).await?;
    let took = begun.elapsed();
    let classes = collected.await.context("the reader of the records")?;
    ensure!(counts.domains == domains as u64, "{} rows of {domains}", counts.domains);
    let bound = world.slowest(&limits);
    Ok(Done { classes, counts, took, bound, memory_of: "without certificates" })
}

/// The list, in an order of its own.
async fn list(world: Arc<World>, seed: u64, targets: Output<Target>) -> anyhow::Result<()> {
    let mut numbers: Vec<u32> = (0..u32::try_from(world.len())?).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut numbers);
    for (line, number) in (1..).zip(numbers) {
        let subject = Subject::Domain(DomainName::parse(&world.domain(number))?);
        if targets.send(Target { line, subject }).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn collect(
    world: Arc<World>,
    begun: Instant,
    mut records: Receiver<Record>,
) -> BTreeMap<String, ClassResult> {
    let mut classes: BTreeMap<String, ClassResult> = BTreeMap::new();
    while let Some(record) = records.recv().await {
        let Record::Domain(domain) = record else { continue };
        let class = world.class_of(&domain.facts.target.subject.label());
        note(&mut classes, class, &domain, begun.elapsed());
    }
    classes
}

/// Counts what became of a domain.
fn note(classes: &mut BTreeMap<String, ClassResult>, class: &str, domain: &DomainRecord, at: Duration) {
    let result = classes.entry(class.to_string()).or_default();
    let outcome = &domain.verdict.outcome;
    let delivery = match outcome.reason {
        Some(reason) => format!("{} {reason}", outcome.delivery.name()),
        None => outcome.delivery.name().to_string(),
    };
    result.domains += 1;
    *result.by_delivery.entry(delivery).or_default() += 1;
    result.last = at;
}

fn tell(done: &Done) -> anyhow::Result<()> {
    let Done { classes, counts, took, bound: (slowest, bound), memory_of } = done;
    let (unit, seconds) =
        if *took < Duration::from_secs(3600) { ("minutes", 60.0) } else { ("hours", 3600.0) };
    let in_units = |time: Duration| time.as_secs_f64() / seconds;
    println!("{:<26} {:>9} {unit:>8}  what was found", "class", "domains");
    for (name, result) in classes {
        let found: Vec<String> =
            result.by_delivery.iter().map(|(delivery, count)| format!("{delivery} {count}")).collect();
        println!("{name:<26} {:>9} {:>8.2}  {}", result.domains, in_units(result.last), found.join(", "));
    }
    println!();
    println!(
        "domains {}, endpoints {}, connections {}",
        counts.domains, counts.endpoints, counts.connections
    );
    println!("cool-downs {}, given up {}", counts.cool_downs.begun, counts.given_up.count);
    let samples = counts.samples;
    println!(
        "addresses where a sample stands for the rest {}, names asked there {}, not asked {}; where it does not {}",
        samples.alike, samples.names_asked, samples.names_inferred, samples.differs
    );
    println!(
        "{:.2} {unit}; the slowest bucket alone, {slowest}, takes {:.2}: {:.2} times that",
        in_units(*took),
        in_units(*bound),
        took.as_secs_f64() / bound.as_secs_f64()
    );
    println!("peak memory {:.0} MiB, {memory_of}", memory_mib()?);
    Ok(())
}

fn memory_mib() -> anyhow::Result<f64> {
    Ok(getrusage(UsageWho::RUSAGE_SELF)?.max_rss() as f64 / 1024.0)
}
