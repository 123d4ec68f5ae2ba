//! A scan that is killed, and another process that goes on with it: in the end the
//! run is what it would have been, and nobody was asked twice for what was known.
//!
//! `MXRAY_KILLS=200 cargo test --test resume -- again` kills as often as that.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use mxray::internals::lab::{self, Fleet, FleetOptions, LogTo, MannersLimits, MannersOf};
use mxray::internals::model::DomainName;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use survey::content::{REJECTS, SCENARIOS, assert_same, content};
use survey::{Run, Scan};
use tempfile::TempDir;

/// A certificate, and not that of the lab.
const OTHER_ROOT: &[u8] = include_bytes!("old_runs/schema1/roots.pem");

const MXRAY: &str = env!("CARGO_BIN_EXE_mxray");

/// Kills in a usual run of the tests.
const KILLS: usize = 4;

/// The longest that a process lives until it is killed; a whole scan takes some
/// three seconds.
const LIFE_MAX: Duration = Duration::from_millis(2500);

/// Domains of a list.
const DOMAINS: usize = 52;

struct Lab {
    fleet: Fleet,
    list: String,
}

impl Lab {
    async fn start() -> Self {
        let mut scenarios = SCENARIOS.map(|name| lab::scenario(name).unwrap()).to_vec();
        scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
        let domains: Vec<_> =
            (0..DOMAINS).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect();
        let mut list: String = domains.iter().map(|domain| format!("{domain}\n")).collect();
        list.insert_str(list.len() / 2 + list[list.len() / 2..].find('\n').unwrap() + 1, REJECTS);
        let options = FleetOptions { domains, scenarios, ..FleetOptions::new(vec![]).unwrap() };
        Self { fleet: Fleet::start(options).await.unwrap(), list }
    }

    fn lines(&self) -> usize {
        self.list.lines().count()
    }

    /// A scan of it that takes some seconds.
    fn scan(&self) -> Scan {
        let mut scan = Scan::of_lab(self.fleet.dns_addr(), self.fleet.smtp_port(), self.fleet.root_pem());
        scan.arg("--mta-sts-port", self.fleet.policy_port().to_string());
        scan.arg("--timeout", "20s").arg("--rate", "60").arg("--in-flight", "8");
        scan
    }
}

fn begin(args: &[OsString]) -> Child {
    Command::new(MXRAY).args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn resume(run: &Path, more: &[&str]) -> Output {
    Command::new(MXRAY).args(["scan", "--resume"]).arg(run).args(more).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn kills() -> usize {
    std::env::var("MXRAY_KILLS").map_or(KILLS, |kills| kills.parse().unwrap())
}

/// Kills the process after some time, if it has not ended by then.
fn kill_after(mut child: Child, life: Duration) -> bool {
    let begun = std::time::Instant::now();
    while begun.elapsed() < life {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}: {}", stderr(&child.wait_with_output().unwrap()));
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_is_killed_again_and_again_comes_to_the_same() {
    killed_again_and_again(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_run_that_is_killed_again_and_again_comes_to_the_same() {
    for form in ["gzip", "zstd"] {
        killed_again_and_again(Some(form)).await;
    }
}

/// A run that is compressed so.
async fn killed_again_and_again(form: Option<&str>) {
    let lab = Lab::start().await;
    let (scan, list) = (lab.scan(), lab.list.clone());
    let whole = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    whole.check_books(lab.lines());
    let expected = content(&whole.path(""));
    let mut random = fastrand::Rng::with_seed(7);
    let mut killed = 0;
    while killed < kills() {
        let mut scan = lab.scan();
        if let Some(form) = form {
            scan.arg("--compress", form);
        }
        let (dir, args) = scan.words(&lab.list);
        let run = dir.path().join("run");
        let mut child = Some(begin(&args));
        while !run.join("run.json").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        while let Some(life) = child.take() {
            if killed == kills() {
                // The last kill is followed by a process that may live.
                let ended = life.wait_with_output().unwrap();
                assert!(ended.status.success(), "{}", stderr(&ended));
            } else if kill_after(life, LIFE_MAX.mul_f64(random.f64())) {
                killed += 1;
                // It may have had nothing left to do but to end.
                let finished = info(&run)["finished"] == true;
                child = (!finished).then(|| begin(&["scan".into(), "--resume".into(), run.clone().into()]));
            }
        }
        let run = Run::of(dir, String::new());
        assert_same(&run.path(""), &expected);
        run.check_books(lab.lines());
    }
}

/// Puts other text in place of a value of `run.json`.
fn change(run: &Path, key: &str, value: serde_json::Value) {
    let mut info = info(run);
    info[key] = value;
    fs::write(run.join("run.json"), info.to_string()).unwrap();
}

fn info(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

/// Stops a scan in order when it has so many rows.
fn stopped(lab: &Lab, rows: usize) -> TempDir {
    let (dir, args) = lab.scan().words(&lab.list);
    let child = begin(&args);
    let table = dir.path().join("run/domains.csv");
    while fs::read_to_string(&table).unwrap_or_default().lines().count() <= rows {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(143), "{}", stderr(&ended));
    dir
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_was_stopped_goes_on_with_what_it_began_with_and_nothing_else() {
    let lab = Lab::start().await;
    let (scan, list) = (lab.scan(), lab.list.clone());
    let whole = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    let expected = content(&whole.path(""));
    let dir = stopped(&lab, 5);
    let run = dir.path().join("run");
    let before = content(&run);
    assert!(info(&run)["counts"]["unfinished"].as_u64().unwrap() > 0);
    let refused = |more: &[&str], told: &str| {
        let ended = resume(&run, more);
        let said = stderr(&ended).replace(dir.path().to_str().unwrap(), "DIR");
        assert_eq!((ended.status.code(), said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(told), "{said}");
    };
    refused(
        &["--rate", "61", "--no-dane", "--retries", "0"],
        "cannot go on with DIR/run: it was begun with other options: --rate 61 (the run has 60), --no-dane (the run \
         does without); leave them out",
    );
    refused(&["-o", "other"], "cannot be used with");
    for (key, value, told) in [
        ("mxray", "0.0.9".into(), "it was made by mxray 0.0.9, and this is"),
        ("finished", true.into(), "it is finished"),
        ("asked_by", serde_json::Value::Null, "it was made by mxray demo, or by an mxray that could not"),
        ("command", ["mxray", "probe", "a.example"].as_slice().into(), "it was not made by mxray scan"),
    ] {
        let kept = fs::read(run.join("run.json")).unwrap();
        change(&run, key, value);
        refused(&[], told);
        fs::write(run.join("run.json"), kept).unwrap();
    }
    for (file, told) in [
        ("list", "its list DIR/list has changed: it had"),
        ("roots.pem", "--roots DIR/roots.pem: changed since"),
    ] {
        let kept = fs::read(dir.path().join(file)).unwrap();
        let other = if file == "list" { [&kept[..], b"more.example\n"].concat() } else { OTHER_ROOT.into() };
        fs::write(dir.path().join(file), other).unwrap();
        refused(&[], told);
        fs::write(dir.path().join(file), kept).unwrap();
    }
    let kept = fs::read(run.join("run.json")).unwrap();
    fs::write(run.join("run.json"), &kept[..kept.len() / 2]).unwrap();
    refused(&[], "DIR/run/run.json: not a run's: EOF");
    fs::write(run.join("run.json"), kept).unwrap();
    let held = fs::File::open(&run).unwrap();
    held.lock().unwrap();
    refused(&[], "another mxray writes to the run directory DIR/run");
    drop(held);
    assert_eq!(content(&run), before, "a refusal changes nothing");
    fs::write(dir.path().join("blocked"), "203.0.113.0/24\n").unwrap();
    let blocked = dir.path().join("blocked");
    let ended = resume(&run, &["--rate", "60", "--blocklist", blocked.to_str().unwrap()]);
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("goes on with"), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("; the rest of the list is asked now"), "{}", stderr(&ended));
    let run = Run::of(dir, String::new());
    assert_same(&run.path(""), &expected);
    run.check_books(lab.lines());
    assert_eq!(run.info()["resumed"].as_array().unwrap().len(), 1);
}

/// Whoever goes on does not know when the process before it connected to anyone: the
/// servers see no pause that is too short, whenever it was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_is_hurried_by_a_process_that_goes_on() {
    const NAMES: usize = 4;
    let mut options = FleetOptions::new(vec![DomainName::parse("d1.example").unwrap()]).unwrap();
    options.scenarios = vec![lab::scenario("tls13_ecdsa").unwrap()];
    options.scenarios[0].weight = 1;
    options.hosts_per_scenario = 1;
    options.log = LogTo::Memory;
    let fleet = Fleet::start(options).await.unwrap();
    let ip = fleet.endpoints()[0].ip;
    let list: String = (0..NAMES).map(|number| format!("{ip},n{number}.example\n")).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--input", "endpoints").arg("--timeout", "20s").arg("--extra-client-hellos", "0");
    scan.arg("--per-ip-interval", "1s");
    let (dir, args) = scan.words(&list);
    let run = dir.path().join("run");
    let mut child = begin(&args);
    for kills in 1..=2 {
        // As soon as it has connected once more.
        while fleet.log().connections().len() < kills {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        child = begin(&["scan".into(), "--resume".into(), run.clone().into()]);
    }
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "{}", stderr(&ended));
    let interval = Some(Duration::from_secs(1));
    let address = MannersOf { at_a_time: Some(1), interval, ..MannersOf::default() };
    let limits = MannersLimits { address, ..MannersLimits::default() };
    assert_eq!(lab::violations(&fleet.log().connections(), &limits, &BTreeMap::new()), []);
    Run::of(dir, String::new()).check_books(NAMES);
}

/// A server that complained is left alone for as long as it would have been.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cool_down_outlives_the_process_that_began_it() {
    const COOL_DOWN: Duration = Duration::from_secs(2);
    let mut options = FleetOptions::new(vec![DomainName::parse("d1.example").unwrap()]).unwrap();
    options.scenarios = vec![lab::scenario("greeting_421").unwrap()];
    options.scenarios[0].weight = 1;
    options.hosts_per_scenario = 1;
    options.log = LogTo::Memory;
    let fleet = Fleet::start(options).await.unwrap();
    let ip = fleet.endpoints()[0].ip;
    let list: String = (0..5).map(|number| format!("{ip},n{number}.example\n")).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--input", "endpoints").arg("--timeout", "20s").arg("--retries", "2").arg("--retry-delay", "1h");
    scan.arg("--cool-down", "2s").arg("--cool-down-max", "2s");
    let (dir, args) = scan.words(&list);
    let run = dir.path().join("run");
    let mut child = begin(&args);
    while !run.join("run.json").exists() || info(&run)["cool_downs"]["standing"][ip.to_string()].is_null() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(fleet.log().connections().len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let ended = tokio::task::spawn_blocking(move || resume(&run, &[])).await.unwrap();
    assert!(ended.status.success(), "{}", stderr(&ended));
    let opened: Vec<_> =
        fleet.log().connections().iter().map(|one| Duration::from_micros(one.opened_us)).collect();
    assert_eq!(opened.len(), 3, "two further looks in all: {opened:?}");
    assert!(opened.windows(2).all(|two| two[1] - two[0] >= COOL_DOWN), "{opened:?}");
    let run = Run::of(dir, String::new());
    run.check_books(5);
    let told = run.info()["cool_downs"].clone();
    assert_eq!((&told["begun"], &told["given_up"]), (&2.into(), &1.into()), "{told}");
    assert_eq!(told["given_up_places"], serde_json::json!([ip.to_string()]));
}
