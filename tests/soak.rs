//! A scanner that is at it for long: it holds on to no descriptor, no task and no
//! memory, whatever its peers do.
//!
//! One scanner scans the same domains again and again, in a process of its own: the
//! lab plays every scenario that a demo plays, silence, resets, throttling and broken
//! TLS among them, and is gone in the middle of every second round, its DNS and all.
//!
//! ```sh
//! MXRAY_SOAK=1200 cargo test --test soak -- --ignored --nocapture   # twenty minutes
//! ```

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mimalloc::MiMalloc;
use mxray::judge::{Judge, Policy, Roots, Sender, Store};
use mxray::scan::{EhloName, Limits, RetryPlan, Scanner, ScannerConfig};
use mxray::{DomainName, Record, Subject, Target};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

// As the program does.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const DOMAINS: usize = 200;
/// The lab is gone for so long, so long after a round began.
const GONE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(2));
/// What the scanner may need to let go of what it no longer needs.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
/// The medians of so many rounds are compared: how much of a page an allocator keeps
/// differs by the moment.
const ROUNDS_COMPARED: usize = 9;
/// By so much the memory at the end may differ from that after a quarter of the time.
const MEMORY_GROWTH_MAX: f64 = 0.05;

/// The lab, in a process of its own.
struct Lab {
    process: Child,
    dns: String,
    smtp: String,
    policies: String,
}

impl Lab {
    /// At these ports, 0 for any.
    fn start(dir: &Path, dns: &str, smtp: &str, policies: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mxray"))
            .args(["lab", "--listen-dns", dns, "--smtp-port", smtp, "--policy-port", policies])
            .arg("--domains")
            .arg(dir.join("list"))
            .arg("--roots")
            .arg(dir.join("roots.pem"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let words: Vec<String> = ready.split_whitespace().map(ToString::to_string).collect();
        let [_, _, _, dns, _, smtp, _, policies] = words.try_into().unwrap();
        Self { process, dns, smtp, policies }
    }

    /// Ends it, and starts another where it was.
    async fn restart(&mut self, dir: &Path) {
        tokio::time::sleep(GONE.0).await;
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        tokio::time::sleep(GONE.1).await;
        *self = Self::start(dir, &self.dns, &self.smtp, &self.policies);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may have ended; that is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What this process holds.
#[derive(Clone, Copy, Debug)]
struct Holds {
    descriptors: usize,
    tasks: usize,
    memory_kib: usize,
}

impl Holds {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        Self {
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
            memory_kib: line.split_whitespace().nth(1).unwrap().parse().unwrap(),
        }
    }

    /// Once it holds no more descriptors and tasks than `before`, or does not get there.
    async fn settled(before: Option<Self>) -> Self {
        let begun = Instant::now();
        loop {
            let now = Self::now();
            let more = before.is_some_and(|b| now.descriptors > b.descriptors || now.tasks > b.tasks);
            if !more || begun.elapsed() > SETTLES_WITHIN {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn scanner(lab: &Lab, roots: &Path) -> Scanner {
    let second = Duration::from_secs(1);
    let mut config = ScannerConfig::new(EhloName::new("scanner.mxray.example").unwrap());
    config.lookup.nameservers = vec![lab.dns.parse().unwrap()];
    config.lookup.timeout = second;
    config.mta_sts_port = lab.policies.parse().unwrap();
    config.engine.port = lab.smtp.parse().unwrap();
    // Silence of three seconds is slow, and there is not room for all who keep it.
    let mut limits = Limits { rate: None, in_flight: 32, slow_in_flight: 64, ..Limits::default() };
    limits.per_ip.interval = Duration::ZERO;
    limits.cool_down = limits.cool_down.map(|mut plan| {
        (plan.first, plan.longest) = (second, 2 * second);
        plan
    });
    config.engine.limits = limits;
    config.engine.retry = RetryPlan { retries: 1, retry_delay: second, second_look_delay: second };
    let times = &mut config.timeouts;
    (times.connect, times.connect_retry) = (second, second);
    for phase in
        [&mut times.greeting, &mut times.ehlo, &mut times.starttls, &mut times.tls, &mut times.after_tls]
    {
        *phase = 3 * second;
    }
    config.allow_private = true;
    let mut store = Store::new("lab");
    store.add_whole_file(&std::fs::read(roots).unwrap()).unwrap();
    let judge = Judge::new(Roots::new(vec![store]), jiff::Timestamp::now());
    Scanner::new(config, Policy::new(judge, Sender::named("exchange-online").unwrap())).unwrap()
}

/// One scan of all; while it runs the lab may be gone for a while.
async fn round(scanner: &Scanner, mut lab: Lab, dir: &Path, gone: bool) -> Lab {
    let targets = (0..DOMAINS).map(|number| {
        let name = DomainName::parse(&format!("d{number}.example")).unwrap();
        Target { line: number as u64 + 1, subject: Subject::Domain(name) }
    });
    let mut rows = 0;
    let scan = scanner.scan(targets, |record| rows += usize::from(matches!(record, Record::Domain(_))));
    let churn = async {
        if gone {
            lab.restart(dir).await;
        }
    };
    let (counts, ()) = tokio::join!(scan, churn);
    assert_eq!((counts.unwrap().domains, rows), (DOMAINS as u64, DOMAINS), "each has its row");
    lab
}

/// Scans for so long; what is held after each round, with the time.
async fn soak(time: Duration) -> Vec<(Duration, Holds)> {
    let dir = tempfile::tempdir().unwrap();
    let list: String = (0..DOMAINS).map(|number| format!("d{number}.example\n")).collect();
    std::fs::write(dir.path().join("list"), list).unwrap();
    let mut lab = Lab::start(dir.path(), "127.0.0.1:0", "0", "0");
    let scanner = scanner(&lab, &dir.path().join("roots.pem"));
    let (begun, mut held) = (Instant::now(), Vec::<(Duration, Holds)>::new());
    while begun.elapsed() < time || held.len() < 2 {
        lab = round(&scanner, lab, dir.path(), held.len() % 2 == 1).await;
        let holds = Holds::settled(held.first().map(|(_, holds)| *holds)).await;
        println!("{:>5} s  {holds:?}", begun.elapsed().as_secs());
        held.push((begun.elapsed(), holds));
    }
    held
}

/// Whether the last rounds left no more descriptors and tasks behind than the early ones.
fn check_leaks(early: &[Holds], late: &[Holds]) {
    let most = |of: fn(&Holds) -> usize| early.iter().map(of).max();
    let least = |of: fn(&Holds) -> usize| late.iter().map(of).min();
    assert!(least(|h| h.descriptors) <= most(|h| h.descriptors), "descriptors: {early:?}, then {late:?}");
    assert!(least(|h| h.tasks) <= most(|h| h.tasks), "tasks: {early:?}, then {late:?}");
}

/// A round in peace, and one in which the lab is gone for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rounds_leave_no_descriptor_and_no_task_behind() {
    let held: Vec<Holds> = soak(Duration::ZERO).await.into_iter().map(|(_, holds)| holds).collect();
    let (first, later) = held.split_at(1);
    check_leaks(first, later);
}

/// For as many seconds as `MXRAY_SOAK` says; 1200 by default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "twenty minutes"]
async fn memory_stays_where_it_is() {
    let seconds = std::env::var("MXRAY_SOAK").map_or(1200, |seconds| seconds.parse().unwrap());
    let held = soak(Duration::from_secs(seconds)).await;
    let quarter = Duration::from_secs(seconds / 4);
    let from_then_on = held.iter().filter(|(at, _)| *at >= quarter).map(|(_, holds)| *holds);
    let from_then_on: Vec<Holds> = from_then_on.collect();
    let count = from_then_on.len().min(ROUNDS_COMPARED);
    let (early, late) = (&from_then_on[..count], &from_then_on[from_then_on.len() - count..]);
    check_leaks(early, late);
    let memory = |rounds: &[Holds]| {
        let mut all: Vec<_> = rounds.iter().map(|holds| holds.memory_kib).collect();
        all.sort_unstable();
        all[all.len() / 2] as f64
    };
    let (early, late) = (memory(early), memory(late));
    println!("{} rounds; {early} KiB after a quarter of the time, {late} KiB at the end", held.len());
    assert!((late / early - 1.0).abs() <= MEMORY_GROWTH_MAX, "{early} KiB, then {late} KiB");
}
