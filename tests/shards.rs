//! A list that several machines share: in the end it is as if one had asked all of it,
//! and nobody was asked by two.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use mxray::internals::lab::{self, Fleet, FleetOptions, Population};
use mxray::internals::model::DomainName;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use survey::Scan;
use survey::content::{REJECTS, SCENARIOS, assert_same, content};
use tempfile::TempDir;

const MXRAY: &str = env!("CARGO_BIN_EXE_mxray");

const DOMAINS: usize = 65;

const SHARDS: usize = 3;

struct Lab {
    fleet: Fleet,
    list: String,
    dir: TempDir,
}

impl Lab {
    async fn start() -> Self {
        let mut scenarios = SCENARIOS.map(|name| lab::scenario(name).unwrap()).to_vec();
        scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
        let domains: Vec<_> =
            (0..DOMAINS).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect();
        let mut list: String = domains.iter().map(|domain| format!("{domain}\n")).collect();
        list.insert_str(list.find('\n').unwrap() + 1, REJECTS);
        let options = FleetOptions { domains, scenarios, ..FleetOptions::new(vec![]).unwrap() };
        Self { fleet: Fleet::start(options).await.unwrap(), list, dir: tempfile::tempdir().unwrap() }
    }

    /// Scans into a folder of that name, and gives it.
    async fn scan(&self, name: &str, list: &str, more: &[&str]) -> PathBuf {
        let (dir, args) = self.words(name, list, more);
        let output = run(args).await;
        assert!(output.status.success(), "{}", stderr(&output));
        self.keep(dir, name)
    }

    /// The folder of a scan, and the words that begin it.
    fn words(&self, name: &str, list: &str, more: &[&str]) -> (TempDir, Vec<OsString>) {
        let mut scan = Scan::of_lab(self.fleet.dns_addr(), self.fleet.smtp_port(), self.fleet.root_pem());
        scan.arg("--mta-sts-port", self.fleet.policy_port().to_string());
        scan.arg("--timeout", "20s");
        if !more.contains(&"--in-flight") {
            scan.arg("--in-flight", "8");
        }
        // As on another machine; all as long, so that as many octets are sent.
        scan.arg("--ehlo", format!("{:x<12}.example", name.replace('_', "-")));
        let (dir, mut args) = scan.words(list);
        args.extend(more.iter().map(OsString::from));
        (dir, args)
    }

    /// Puts the run of a folder where all of them are.
    fn keep(&self, dir: TempDir, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::rename(dir.path().join("run"), &path).unwrap();
        // The roots stand where the run says.
        std::mem::forget(dir);
        path
    }

    async fn shards(&self) -> Vec<PathBuf> {
        let mut shards = Vec::new();
        for number in 1..=SHARDS {
            let shard = format!("{number}/{SHARDS}");
            shards.push(self.scan(&format!("shard{number}"), &self.list, &["--shard", &shard]).await);
        }
        shards
    }

    async fn merge(&self, shards: &[&Path], to: &str) -> (PathBuf, Output) {
        let path = self.dir.path().join(to);
        let mut args: Vec<OsString> = vec!["merge".into(), "-o".into(), path.clone().into()];
        args.extend(shards.iter().map(OsString::from));
        (path, run(args).await)
    }
}

async fn run(args: Vec<OsString>) -> Output {
    tokio::task::spawn_blocking(move || Command::new(MXRAY).args(args).output().unwrap()).await.unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn info(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

fn endpoints(run: &Path) -> BTreeSet<(String, String, String)> {
    let rows = survey::rows(&run.join("endpoints.csv"));
    rows.iter().map(|row| (row["ip"].clone(), row["port"].clone(), row["sni"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_that_are_joined_are_one_run() {
    let lab = Lab::start().await;
    let whole = lab.scan("whole", &lab.list, &[]).await;
    let shards = lab.shards().await;
    let mut asked = BTreeMap::new();
    for shard in &shards {
        let own = endpoints(shard);
        assert!(!own.is_empty(), "each has something to do");
        own.into_iter().for_each(|key| *asked.entry(key).or_insert(0) += 1);
    }
    assert!(asked.values().all(|count| *count == 1), "{asked:?}");
    let parts: u64 =
        shards.iter().map(|shard| info(shard)["counts"]["parts_written"].as_u64().unwrap()).sum();
    assert!(parts > 0, "some domain lies in two shards");
    for shard in &shards {
        let counts = &info(shard)["counts"];
        let count = |name: &str| counts[name].as_u64().unwrap();
        assert_eq!(count("unfinished"), 0);
        let all = count("domains_written") + count("parts_written") + count("of_other_shards");
        assert_eq!((count("targets_read"), all), (DOMAINS as u64, DOMAINS as u64));
        let refused = run(vec!["judge".into(), shard.into()]).await;
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("mxray merge joins the shards"), "{}", stderr(&refused));
    }
    let (merged, output) = lab.merge(&[&shards[2], &shards[0], &shards[1]], "merged").await;
    assert!(output.status.success(), "{}", stderr(&output));
    let expected = content(&whole);
    assert_same(&merged, &expected);
    let (one, other) = (info(&merged), info(&whole));
    assert_eq!(one["summary"]["deliveries"], other["summary"]["deliveries"]);
    assert_eq!((&one["finished"], &one["shard"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(one["limits"], other["limits"], "the shares come to the whole");
    assert_eq!(one["counts"]["domains_written"], DOMAINS);
    let lines: Vec<_> = survey::rows(&merged.join("domains.csv"))
        .iter()
        .map(|row| row["line"].parse::<u64>().unwrap())
        .collect();
    assert!(lines.is_sorted(), "in the order of the list");
    let judged = lab.dir.path().join("judged");
    let output = run(vec!["judge".into(), merged.into(), "-o".into(), judged.clone().into()]).await;
    assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    assert_same(&judged, &expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_belong_together_is_refused() {
    let lab = Lab::start().await;
    let shards = lab.shards().await;
    let [one, two, three] = [0, 1, 2].map(|place| shards[place].as_path());
    let more = format!("{}more.example\n", lab.list);
    let other_list = lab.scan("other_list", &more, &["--shard", "3/3"]).await;
    let of_two = lab.scan("of_two", &lab.list, &["--shard", "2/2"]).await;
    let no_dane = lab.scan("no_dane", &lab.list, &["--shard", "3/3", "--no-dane"]).await;
    let whole = lab.scan("whole", &lab.list, &[]).await;
    let damaged = |name: &str, damage: &dyn Fn(&Path)| {
        let copy = lab.dir.path().join(name);
        fs::create_dir(&copy).unwrap();
        for entry in fs::read_dir(three).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
        damage(&copy);
        copy
    };
    let without_last = |name: &'static str| {
        move |run: &Path| {
            let text = fs::read_to_string(run.join(name)).unwrap();
            let lines: Vec<_> = text.lines().collect();
            fs::write(run.join(name), lines[..lines.len() - 1].join("\n") + "\n").unwrap();
        }
    };
    let unfinished = damaged("unfinished", &|run| {
        let mut info = info(run);
        info["finished"] = serde_json::Value::Null;
        fs::write(run.join("run.json"), info.to_string()).unwrap();
    });
    let short_facts = damaged("short_facts", &without_last("facts.jsonl"));
    let short_journal = damaged("short_journal", &without_last("observations.jsonl"));
    let foreign = damaged("foreign", &|run| {
        fs::copy(two.join("observations.jsonl"), run.join("observations.jsonl")).unwrap();
        fs::copy(two.join("certificates.csv"), run.join("certificates.csv")).unwrap();
    });
    for (third, code, told) in [
        (None, 2, "of 3 shards these are missing: 3"),
        (Some(two), 2, "cannot join DIR/shard2: it is shard 2/3, and so is DIR/shard2"),
        (Some(&other_list), 2, "cannot join DIR/other_list: its list is not that of DIR/shard1: SHA-256"),
        (Some(&of_two), 2, "cannot join DIR/of_two: it is shard 2/2, and DIR/shard1 is one of 3"),
        (Some(&whole), 2, "cannot join DIR/whole: it is no shard of a run"),
        (
            Some(&no_dane),
            2,
            "cannot join DIR/no_dane: it was made with other options than DIR/shard1: --no-dane",
        ),
        (
            Some(&unfinished),
            2,
            "cannot join DIR/unfinished: it is not finished; mxray scan --resume DIR/unfinished",
        ),
        (Some(&short_facts), 1, "cannot join DIR/short_facts: facts.jsonl has"),
        (Some(&short_journal), 1, "cannot join DIR/short_journal: observations.jsonl has"),
        (Some(&foreign), 1, "DIR/foreign/observations.jsonl:1: "),
    ] {
        let all: Vec<&Path> = [one, two].into_iter().chain(third).collect();
        let (merged, output) = lab.merge(&all, "merged").await;
        let said = stderr(&output).replace(lab.dir.path().to_str().unwrap(), "DIR");
        assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{said}");
        assert!(said.contains(told), "{said}");
        assert!(!merged.exists(), "nothing is written: {told}");
    }
    let (_, output) = lab.merge(&[one, two, three], "merged").await;
    assert!(output.status.success(), "{}", stderr(&output));
    let mut refused = vec!["scan".into(), "-".into()];
    refused.extend(["--shard", "1/3", "-o"].map(OsString::from));
    refused.push(lab.dir.path().join("none").into());
    let output = run(refused).await;
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("the list must be a file"), "{}", stderr(&output));
}

/// One machine may fail, as any may: its shard is gone on with, and comes to the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_was_killed_is_gone_on_with_and_joined() {
    let lab = Lab::start().await;
    let whole = lab.scan("whole", &lab.list, &["--rate", "60"]).await;
    let mut shards = Vec::new();
    for number in 1..=SHARDS {
        let shard = format!("{number}/{SHARDS}");
        shards
            .push(lab.scan(&format!("shard{number}"), &lab.list, &["--rate", "60", "--shard", &shard]).await);
    }
    // That with the most to do is asked once more, and killed.
    let largest = (0..SHARDS).max_by_key(|place| endpoints(&shards[*place]).len()).unwrap();
    let shard = format!("{}/{SHARDS}", largest + 1);
    let (dir, args) = lab.words("again", &lab.list, &["--rate", "60", "--shard", &shard]);
    let path = dir.path().join("run");
    let mut child = Command::new(MXRAY).args(args).stderr(Stdio::null()).spawn().unwrap();
    // It has found something, and has not found all of it.
    while fs::read_to_string(path.join("endpoints.csv")).unwrap_or_default().lines().count() < 4 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it was killed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(info(&path)["finished"], serde_json::Value::Null);
    let mut other = vec!["scan".into(), "--resume".into(), path.clone().into()];
    other.extend(["--shard".into(), format!("{}/{SHARDS}", (largest + 1) % SHARDS + 1).into()]);
    let refused = run(other).await;
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--shard"), "{}", stderr(&refused));
    let output = run(vec!["scan".into(), "--resume".into(), path.into()]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    shards[largest] = lab.keep(dir, "again");
    let told = info(&shards[largest]);
    assert_eq!((&told["shard"], told["resumed"].as_array().unwrap().len()), (&shard.into(), 1));
    let shards: Vec<&Path> = shards.iter().map(PathBuf::as_path).collect();
    let (merged, output) = lab.merge(&shards, "merged").await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_same(&merged, &content(&whole));
}

/// A provider with a name for each tenant, at eight addresses of as many networks.
async fn provider(tenants: usize) -> Lab {
    let class = "name = \"provider\"\ntitle = \"A provider\"\n[[class]]\nname = \"tenants\"\nshare = 100.0\n\
        source = \"assumed\"\nscenario = \"provider_tenants\"\nhost = \"{tenant}.mail.provider.example.\"\n\
        addresses = 8\nper_network = 1\n";
    let scenarios = Population::parse("provider", class).unwrap().scenarios(tenants).unwrap();
    let domains = Population::domains(tenants).unwrap();
    let options = FleetOptions { seed: 1, scenarios, ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let list = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    Lab { fleet, list, dir: tempfile::tempdir().unwrap() }
}

/// A sample is drawn by each shard of what lies in it: joined there is a row for each
/// name as without shards, and those that were not asked are told apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_with_a_sample_are_one_run() {
    const TENANTS: usize = 900;
    let lab = provider(TENANTS).await;
    let options = ["--sample", "--seed", "7"];
    let with = |shard: Option<usize>| {
        let words = shard.map(|number| ["--shard".to_string(), format!("{number}/{SHARDS}")]);
        options.iter().map(ToString::to_string).chain(words.into_iter().flatten()).collect::<Vec<_>>()
    };
    let scan = async |name: &str, shard| {
        let words = with(shard);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        lab.scan(name, &lab.list, &words).await
    };
    let whole = scan("whole", None).await;
    let mut shards = Vec::new();
    for number in 1..=SHARDS {
        shards.push(scan(&format!("shard{number}"), Some(number)).await);
    }
    let shards: Vec<&Path> = shards.iter().map(PathBuf::as_path).collect();
    let (merged, output) = lab.merge(&shards, "merged").await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        endpoints(&merged),
        endpoints(&whole),
        "each name at its address, and eight looks without one"
    );
    let told = |run: &Path| {
        let rows = survey::rows(&run.join("domains.csv"));
        let cell = |row: &survey::Row| (row["delivery"].clone(), row["ip"].clone(), row["sni"].clone());
        let told: BTreeMap<_, _> = rows.iter().map(|row| (row["domain"].clone(), cell(row))).collect();
        assert_eq!((rows.len(), told.len()), (TENANTS, TENANTS), "each has one row");
        told
    };
    assert_eq!(told(&merged), told(&whole));
    let rows = survey::rows(&merged.join("endpoints.csv"));
    assert_eq!(rows.len(), endpoints(&merged).len(), "none is doubled");
    let not_asked = rows.iter().filter(|row| row["outcome"] == "not_asked").count();
    let (one, other) = (info(&merged), info(&whole));
    for (run, sample) in [(&merged, &one["sample"]), (&whole, &other["sample"])] {
        let count = |name: &str| sample[name].as_u64().unwrap();
        assert_eq!((count("endpoints_alike"), count("endpoints_differ")), (8, 0), "{sample}");
        assert_eq!(count("names_asked") + count("names_inferred"), TENANTS as u64, "{}", run.display());
    }
    assert!(not_asked > 100, "{not_asked}");
    assert_eq!(one["sample"]["names_inferred"], not_asked);
    assert_eq!(one["summary"]["deliveries"], other["summary"]["deliveries"]);
}

/// Machines that know nothing of each other come to no more than one may do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_at_the_same_time_keep_to_the_limit_of_an_operator() {
    const TENANTS: usize = 240;
    let lab = provider(TENANTS).await;
    let options = ["--per-operator-connections", "6", "--per-ip-connections", "6", "--in-flight", "60"];
    let scan = |number: usize| {
        let shard = format!("{number}/{SHARDS}");
        let more: Vec<&str> = options.into_iter().chain(["--shard", &shard]).collect();
        let (dir, args) = lab.words(&format!("shard{number}"), &lab.list, &more);
        async move { (run(args).await, dir) }
    };
    let (one, two, three) = tokio::join!(scan(1), scan(2), scan(3));
    for (output, _) in [&one, &two, &three] {
        assert!(output.status.success(), "{}", stderr(output));
    }
    let operators =
        lab.fleet.endpoints().iter().map(|one| (one.ip, "provider.example".to_string())).collect();
    let log = lab.fleet.log().connections();
    let at_a_time = |most| {
        let operator = lab::MannersOf { at_a_time: Some(most), ..lab::MannersOf::default() };
        let limits = lab::MannersLimits { operator, ..lab::MannersLimits::default() };
        lab::violations(&log, &limits, &operators)
    };
    let names: BTreeSet<_> = log.iter().map(|one| one.name.clone()).collect();
    assert!(log.len() >= TENANTS, "{} {}", log.len(), names.len());
    assert_eq!(at_a_time(6), []);
    assert!(!at_a_time(2).is_empty(), "the shards did not run at the same time");
}
