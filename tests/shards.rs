//! A list that several machines share: in the end it is as if one had asked all of it,
//! and nobody was asked by two.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use mxray::internals::lab::{self, Fleet, FleetOptions};
use mxray::internals::model::DomainName;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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
        let mut scan = Scan::of_lab(self.fleet.dns_addr(), self.fleet.smtp_port(), self.fleet.root_pem());
        scan.arg("--mta-sts-port", self.fleet.policy_port().to_string());
        scan.arg("--timeout", "20s").arg("--in-flight", "8");
        // As on another machine; all as long, so that as many octets are sent.
        scan.arg("--ehlo", format!("{:x<12}.example", name.replace('_', "-")));
        let (dir, mut args) = scan.words(list);
        args.extend(more.iter().map(OsString::from));
        let output = run(args).await;
        assert!(output.status.success(), "{}", stderr(&output));
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
