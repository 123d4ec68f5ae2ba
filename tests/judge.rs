//! Runs judged again: a lab is scanned and shut down, and `mxray judge` makes
//! of what was stored the same files, or other verdicts where it is asked to.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

mod survey;

use assert_cmd::Command;
use mxray::internals::lab::{self, Fleet, FleetOptions, Scenario};
use mxray::internals::model::DomainName;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use survey::{Row, Run, Scan, rows};

/// Every table and journal that a run directory may have.
const FILES: [&str; 9] = [
    "domains.csv",
    "endpoints.csv",
    "certificates.csv",
    "mx.csv",
    "rejects.csv",
    "observations.jsonl",
    "facts.jsonl",
    "suites.csv",
    "groups.csv",
];

/// Those that it has.
fn files(run: &Path) -> Vec<&'static str> {
    FILES.into_iter().filter(|name| run.join(name).exists()).collect()
}

/// Scenarios that are over at once.
const QUICK: [&str; 6] =
    ["tls13_ecdsa", "starttls_absent", "best_dead", "provider_pair", "dns_nxdomain", "null_mx"];

/// A scan of so many domains, when the lab is gone.
fn scanned(scenarios: Vec<Scenario>, count: usize) -> Run {
    played(scenarios, count, &[]).0
}

/// The same with further flags, and which scenario each domain has played.
fn played(mut scenarios: Vec<Scenario>, count: usize, flags: &[&str]) -> (Run, HashMap<String, Scenario>) {
    scenarios.iter_mut().for_each(|scenario| scenario.weight = 1);
    let domains: Vec<_> = (0..count).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect();
    let list: String = domains.iter().map(|domain| format!("{domain}\n")).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = FleetOptions {
        domains: domains.clone(),
        scenarios,
        hosts_per_scenario: 1000,
        ..FleetOptions::new(vec![]).unwrap()
    };
    let fleet = runtime.block_on(Fleet::start(options)).unwrap();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--mta-sts-port", fleet.policy_port().to_string());
    let mut connectors = Vec::new();
    fleet.write_connectors(&mut connectors).unwrap();
    if !connectors.is_empty() {
        scan.under(&connectors);
    }
    scan.arg("--timeout", "6s,dns=3s").arg("--in-flight", "128");
    flags.iter().for_each(|flag| {
        scan.flag(flag);
    });
    let run = scan.run(&format!("{list}no domain, \"at\" all\n"));
    let parts = fleet.truth().iter().map(|row| (row.domain.to_string(), (*row.scenario).clone())).collect();
    runtime.block_on(fleet.shutdown());
    (run, parts)
}

fn quick() -> Run {
    scanned(QUICK.map(|name| lab::scenario(name).unwrap()).to_vec(), 24)
}

/// What `mxray judge RUN -o AGAIN` came to, with more words between.
struct Again {
    dir: PathBuf,
    code: Option<i32>,
    stderr: String,
}

fn judged(run: &Run, words: &[&str]) -> Again {
    let dir = run.path("").parent().unwrap().join("again");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.arg("judge").arg(run.path("")).args(words).arg("-o").arg(&dir);
    let ended = command.output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    Again { dir, code: ended.status.code(), stderr }
}

impl Again {
    fn rows(&self, name: &str) -> Vec<Row> {
        rows(&self.dir.join(name))
    }

    fn info(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.dir.join("run.json")).unwrap()).unwrap()
    }

    /// Panics where a file is not the same, line by line. Certificates stand in the
    /// order in which they came: those of policy hosts, which judge reads after all
    /// others, among those of mail hosts.
    fn is_equal_to(&self, run: &Run) {
        assert_eq!(files(&run.path("")), files(&self.dir));
        for name in files(&run.path("")) {
            let lines = |path: PathBuf| {
                let mut lines: Vec<String> =
                    fs::read_to_string(path).unwrap().split('\n').map(String::from).collect();
                if name == "certificates.csv" {
                    lines.sort_unstable();
                }
                lines
            };
            let (old, new) = (lines(run.path(name)), lines(self.dir.join(name)));
            for (old, new) in old.iter().zip(&new) {
                assert_eq!(old, new, "{name}");
            }
            assert!(old == new, "{name}: {} lines, then {}", old.len(), new.len());
        }
    }

    /// The one line of a refusal, without the path of the folder.
    fn refusal(&self, code: i32) -> String {
        assert_eq!((self.code, self.stderr.lines().count()), (Some(code), 1), "{}", self.stderr);
        let folder = self.dir.parent().unwrap().display().to_string();
        self.stderr.replace(&folder, "…").trim_end().to_string()
    }
}

/// Puts other text in place of a file of the run.
fn change(run: &Run, name: &str, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(run.path(name)).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "{name} stays as it is");
    fs::write(run.path(name), changed).unwrap();
}

/// As if the process had been killed: `run.json` is that of the start.
fn kill(run: &Run) {
    change(run, "run.json", |text| {
        let mut info: serde_json::Value = serde_json::from_str(&text).unwrap();
        (info["finished"], info["ended"], info["summary"]) = Default::default();
        info["counts"].as_object_mut().unwrap().values_mut().for_each(|count| *count = 0.into());
        info.to_string()
    });
}

#[test]
fn every_scenario_is_judged_as_before_when_nothing_changed() {
    let scenarios = lab::scenarios().unwrap();
    let count = 3 * scenarios.len();
    let run = scanned(scenarios, count);
    let again = judged(&run, &[]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    again.is_equal_to(&run);
    let (mut old, mut new) = (run.info(), again.info());
    assert_ne!(old["counts"]["connections"].take(), 0);
    assert_eq!(new["counts"]["connections"].take(), 0, "not one packet");
    for key in ["schema", "summary", "counts", "finished", "roots", "judged_by", "resolver", "limits", "port"]
    {
        assert_eq!(old[key], new[key], "{key}");
    }
    assert_eq!(old["judged_from"], serde_json::Value::Null);
    assert_eq!(new["judged_from"]["command"], old["command"]);
    assert_eq!(new["command"][1], "judge");
}

/// The answers of an enumeration are stored, and say the same again.
#[test]
fn an_enumeration_is_judged_as_before_when_nothing_changed() {
    let mut scenarios = lab::scenarios().unwrap();
    scenarios.retain(|scenario| !scenario.expect.enumerated.is_empty());
    let count = 2 * scenarios.len();
    let (run, _) = played(scenarios, count, &["--enumerate", "--sender-hello"]);
    assert!(run.rows("suites.csv").len() > 100);
    let again = judged(&run, &[]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    again.is_equal_to(&run);
    assert_eq!(run.info()["summary"], again.info()["summary"]);
}

#[test]
fn another_moment_alters_the_dates_and_nothing_is_asked() {
    let run = quick();
    let again = judged(&run, &["--at", "2200-01-01"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let (old, new) = (run.rows("domains.csv"), again.rows("domains.csv"));
    assert_eq!(old.len(), new.len());
    let mut expired = 0;
    for (mut old, mut new) in old.into_iter().zip(new) {
        for column in ["cert_dates", "weakest_cert_dates"] {
            let (old, new) = (old.remove(column).unwrap(), new.remove(column).unwrap());
            assert!(new == "expired" || old == new, "{old} became {new}");
            expired += usize::from(old == "valid" && new == "expired");
        }
        // A strength of forced TLS that needs a valid certificate follows.
        for column in ["certificate_validation", "domain_validation"] {
            let (old, new) = (old.remove(column).unwrap(), new.remove(column).unwrap());
            assert!(old == new || new != "pass", "{old} became {new}");
        }
        assert_eq!(old, new);
    }
    assert!(expired > 0);
    assert_eq!(again.info()["judged_by"]["at"], "2200-01-01T00:00:00Z");
    // And back again from there.
    let at = run.info()["judged_by"]["at"].as_str().unwrap().to_string();
    let back = run.path("../back");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
    command.arg("judge").arg(&again.dir).args(["--at", &at]).arg("-o").arg(&back);
    command.assert().success();
    for name in files(&run.path("")) {
        assert!(fs::read(run.path(name)).unwrap() == fs::read(back.join(name)).unwrap(), "{name}");
    }
}

/// Scenarios of old TLS that a scan for another sender has decided, so that a
/// scan for Exchange Online need not have asked in that sender's name.
const DECIDED: [(&str, &str); 10] = [
    ("exchange-online-2018", "tls10_only"),
    ("exchange-online-2018", "tls10_self_signed"),
    ("exchange-online-2018", "tls10_sha1"),
    ("exchange-online-2018", "tls11_only"),
    ("exchange-online-2020", "intolerant_long_hello"),
    ("exchange-online-2020", "tls12_cbc_only"),
    ("postfix-encrypt", "ssl3_only"),
    ("postfix-may", "ssl2_only"),
    ("postfix-may", "ssl3_only"),
    ("rfc9325", "tls12_rsa"),
];

#[test]
fn what_servers_would_answer_to_another_sender_is_told_as_not_in_the_run() {
    let run = scanned(vec![lab::scenario("tls13_ecdsa").unwrap()], 3);
    let again = judged(&run, &["--sender", "google"]);
    let told = "mxray: what servers would answer to google is not in the run, as it was made for exchange-online: 3 \
                of 3 domains are undetermined for that; scan for google to know\n";
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), told));
    fs::remove_dir_all(again.dir).unwrap();
    assert_eq!(judged(&run, &[]).stderr, "");
}

/// What a sender does must not depend on in whose name a server was asked, but
/// for what was not learnt.
#[test]
fn another_sender_gets_what_a_scan_for_it_would_find_or_nothing() {
    let named = |scenario: &Scenario| scenario.expect.sender.len() > 1;
    let scenarios: Vec<Scenario> = lab::scenarios().unwrap().into_iter().filter(named).collect();
    let count = 2 * scenarios.len();
    let (run, parts) = played(scenarios, count, &[]);
    let mut decided = BTreeSet::new();
    for sender in
        ["exchange-online-2018", "exchange-online-2020", "postfix-encrypt", "postfix-may", "rfc9325"]
    {
        let again = judged(&run, &["--sender", sender]);
        assert_eq!(again.code, Some(0), "{}", again.stderr);
        for row in again.rows("domains.csv").iter().filter(|row| row["delivery"] != "undetermined") {
            let scenario = &parts[&row["domain"]];
            for (column, expected) in scenario.expect.sender(sender) {
                // What it rests on is less, and of a session less is known.
                let nothing = row[column].is_empty() || row[column].starts_with("undetermined");
                let of_connector =
                    column.starts_with("connector_") && row["connector_delivery"] == "undetermined";
                let open = column == "basis" || of_connector || (nothing && column != "reason");
                assert!(open || row[column] == expected, "{sender}, {}: {column} {row:#?}", scenario.name);
            }
            decided.insert((sender, scenario.name.clone()));
        }
        fs::remove_dir_all(again.dir).unwrap();
    }
    for (sender, scenario) in DECIDED {
        assert!(decided.contains(&(sender, scenario.to_string())), "{sender} {scenario}: {decided:#?}");
    }
}

#[test]
fn other_roots_alter_the_chain() {
    let run = quick();
    let again = judged(&run, &["--roots", "mozilla"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let trusted = |rows: Vec<Row>| rows.iter().filter(|row| row["cert_chain"] == "valid").count();
    assert!(trusted(run.rows("endpoints.csv")) > 0);
    assert_eq!(trusted(again.rows("endpoints.csv")), 0);
    assert_eq!(again.info()["roots"], serde_json::json!(["mozilla"]));
}

#[test]
fn roots_that_are_not_those_of_the_run_are_refused_unless_named() {
    let run = quick();
    let roots = run.path("../roots.pem");
    let pem = fs::read_to_string(&roots).unwrap();
    fs::write(&roots, lab_root_of_another_fleet()).unwrap();
    let told = judged(&run, &[]).refusal(2);
    assert!(told.contains("roots.pem: changed since mxray ") && told.contains("add --roots"), "{told}");
    fs::remove_file(&roots).unwrap();
    let told = judged(&run, &[]).refusal(2);
    assert!(told.contains("roots.pem: No such file"), "{told}");
    fs::write(&roots, format!("the same\n{pem}")).unwrap();
    assert_eq!(judged(&run, &[]).code, Some(0));
}

/// What a run names from its own working directory is found from another.
#[test]
fn a_sender_that_is_no_longer_what_it_was_is_refused_unless_named() {
    let run = quick();
    change(&run, "run.json", |text| {
        let mut info: serde_json::Value = serde_json::from_str(&text).unwrap();
        info["judged_by"]["options"]["sender"]["sha256"] = "00".repeat(32).into();
        info.to_string()
    });
    let told = judged(&run, &[]).refusal(2);
    assert!(told.contains("--sender: changed since mxray ") && told.contains("add --sender"), "{told}");
    for named in [&["--sender", "exchange-online"], &["--after-tls-failure", "plaintext"]] {
        let again = judged(&run, named);
        assert_eq!(again.code, Some(0), "{}", again.stderr);
        fs::remove_dir_all(again.dir).unwrap();
    }
}

#[test]
fn files_that_a_run_names_by_a_relative_path_are_found_again() {
    let run = quick();
    let folder = run.path("..").canonicalize().unwrap();
    let data = |path: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets").join(path);
    fs::copy(data("senders/rfc9325.toml"), folder.join("s.toml")).unwrap();
    fs::copy(data("expectations/exchange-online.toml"), folder.join("e.toml")).unwrap();
    let connector = "[[connector]]\nname = 'C'\ndomains = ['*']\ntls_settings = 'EncryptionOnly'\n";
    fs::write(folder.join("c.toml"), connector).unwrap();
    let judge = |from: &Path, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
        let ended = command.current_dir(from).arg("judge").args(words).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let named =
        ["--roots", "roots.pem", "--sender", "s.toml", "--expect", "e.toml", "--connectors", "c.toml"];
    let words = [&["run", "-o", "first"], &named[..]].concat();
    let (code, told) = judge(&folder, &words);
    // Nobody sent the ClientHello of that sender.
    let unseen = "mxray: what servers would answer to s.toml is not in the run";
    assert!(code == Some(0) && told.starts_with(unseen) && told.lines().count() == 1, "{told}");
    let [first, second, third] = ["first", "second", "third"].map(|name| folder.join(name));
    let words =
        |run: &Path, output: &Path| [run, Path::new("-o"), output].map(|path| path.display().to_string());
    for (from, to) in [(&first, &second), (&second, &third)] {
        let words = words(from, to);
        assert_eq!(judge(Path::new("/"), &words.each_ref().map(String::as_str)), (Some(0), String::new()));
        for name in files(from) {
            assert!(fs::read(from.join(name)).unwrap() == fs::read(to.join(name)).unwrap(), "{name}");
        }
    }
    let again = words(&first, &folder.join("last"));
    for (file, option) in named.chunks(2).map(|pair| (pair[1], pair[0])) {
        fs::rename(folder.join(file), folder.join("away")).unwrap();
        let (code, told) = judge(Path::new("/"), &again.each_ref().map(String::as_str));
        fs::rename(folder.join("away"), folder.join(file)).unwrap();
        assert_eq!((code, told.lines().count()), (Some(2), 1), "{told}");
        let place = format!("mxray: {option} {}: No such file", folder.join(file).display());
        assert!(told.starts_with(&place), "{told}");
        assert!(told.ends_with(&format!("this file; name another with {option}\n")), "{told}");
    }
}

fn lab_root_of_another_fleet() -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scenarios = vec![lab::scenario("tls13_ecdsa").unwrap()];
    let domains = vec![DomainName::parse("other.example").unwrap()];
    let options = FleetOptions { scenarios, ..FleetOptions::new(domains).unwrap() };
    let fleet = runtime.block_on(Fleet::start(options)).unwrap();
    let pem = fleet.root_pem().to_string();
    runtime.block_on(fleet.shutdown());
    pem
}

#[test]
fn of_a_run_that_was_killed_what_is_whole_is_judged() {
    let run = quick();
    kill(&run);
    for name in ["observations.jsonl", "facts.jsonl", "mx.csv", "domains.csv"] {
        change(&run, name, |text| text[..text.len() * 2 / 3].trim_end().to_string());
    }
    let again = judged(&run, &[]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let told = "mxray: the run was killed, or still goes on; the last line is incomplete in observations.jsonl, facts.jsonl";
    assert!(again.stderr.starts_with(told), "{}", again.stderr);
    assert_eq!(again.stderr.lines().count(), 1);
    let rest = format!("; targets judged: {}; how many more the list has (", again.rows("domains.csv").len());
    assert!(again.stderr.contains(&rest) && again.stderr.ends_with(") is not known\n"), "{}", again.stderr);
    let lines = |name: &str| fs::read_to_string(run.path(name)).unwrap().matches('\n').count();
    let (endpoints, domains) = (again.rows("endpoints.csv").len(), again.rows("domains.csv").len());
    assert_eq!(endpoints, lines("observations.jsonl"));
    assert!(domains > 0 && domains <= lines("facts.jsonl"));
    let info = again.info();
    let counts = &info["counts"];
    assert_eq!(
        (&counts["targets_read"], &counts["domains_written"]),
        (&lines("facts.jsonl").into(), &domains.into())
    );
    assert_eq!(info["finished"], false);
    assert_eq!(counts["unfinished"], serde_json::Value::Null, "nobody wrote down how long the list is");
    assert_eq!(info["judged_from"]["finished"], serde_json::Value::Null);
}

#[test]
fn rows_of_a_run_that_was_killed_whose_facts_or_probes_are_lost_are_counted() {
    let run = quick();
    kill(&run);
    let all = run.rows("domains.csv").len();
    change(&run, "observations.jsonl", |text| text.split_inclusive('\n').skip(1).collect());
    let again = judged(&run, &[]);
    let judged_rows = again.rows("domains.csv").len();
    let list = run.info()["input"].as_str().unwrap().to_string();
    let told = |left_out: usize, lost: usize, judged: usize| {
        format!(
            "mxray: the run was killed, or still goes on; {}rows of domains.csv that cannot be judged, because their data is \
            missing: {lost}; targets judged: {judged}; how many more the list has ({list}) is not known\n",
            if left_out > 0 {
                format!("stored incompletely and left out: probes 0, domains {left_out}; ")
            } else {
                String::new()
            }
        )
    };
    assert!(judged_rows < all);
    assert_eq!(
        (again.code, again.stderr),
        (Some(0), told(all - judged_rows, all - judged_rows, judged_rows))
    );
    fs::remove_dir_all(again.dir).unwrap();
    fs::write(run.path("facts.jsonl"), "").unwrap();
    let again = judged(&run, &[]);
    assert_eq!((again.code, again.stderr), (Some(0), told(0, all, 0)));
}

#[test]
fn lines_lost_in_a_run_that_ended_are_told() {
    let run = quick();
    let facts = fs::read_to_string(run.path("facts.jsonl")).unwrap();
    let lines: Vec<&str> = facts.split_inclusive('\n').collect();
    let all = lines.len();
    fs::write(run.path("facts.jsonl"), lines[5..].concat()).unwrap();
    let again = judged(&run, &[]);
    let told = format!(
        "mxray: facts.jsonl does not have the lines that run.json counted: 5 of {all} lines missing\n"
    );
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), told.as_str()));
    assert_eq!(again.info()["finished"], false);
}

/// What stands twice is not counted twice: the judgement ends there.
#[test]
fn lines_that_stand_twice_are_an_error_with_its_place() {
    for name in ["facts.jsonl", "observations.jsonl"] {
        let run = quick();
        change(&run, name, |text| format!("{text}{}\n", text.lines().next().unwrap()));
        let lines = fs::read_to_string(run.path(name)).unwrap().lines().count();
        let again = judged(&run, &[]);
        assert_eq!(again.code, Some(1), "{}", again.stderr);
        let last = again.stderr.lines().last().unwrap();
        assert!(last.contains(&format!("/run/{name}:{lines}: ")), "{last}");
        assert!(last.ends_with(" a second time"), "{last}");
        assert_eq!(again.info()["finished"], false);
    }
}

#[test]
fn a_run_that_was_interrupted_stays_so_when_it_is_judged() {
    let run = quick();
    change(&run, "run.json", |text| text.replace("\"interrupted\": false", "\"interrupted\": true"));
    let again = judged(&run, &[]);
    assert_eq!((again.code, &again.info()["interrupted"]), (Some(0), &true.into()), "{}", again.stderr);
}

#[test]
fn what_cannot_be_judged_is_said_in_one_line_before_anything_is_written() {
    let run = quick();
    let nothing = judged(&run, &["--at", "soon"]);
    assert!(nothing.refusal(2).contains("try 2026-11-24"), "{}", nothing.stderr);
    fs::rename(run.path("facts.jsonl"), run.path("../facts.jsonl")).unwrap();
    let told = judged(&run, &[]);
    assert!(
        told.refusal(2).starts_with("mxray: cannot read …/run/facts.jsonl: No such file"),
        "{}",
        told.stderr
    );
    fs::rename(run.path("../facts.jsonl"), run.path("facts.jsonl")).unwrap();
    fs::rename(run.path("run.json"), run.path("../run.json")).unwrap();
    let told = judged(&run, &[]);
    assert!(told.refusal(2).ends_with(" is not a run directory: it has no run.json"), "{}", told.stderr);
    fs::rename(run.path("../run.json"), run.path("run.json")).unwrap();
    assert!(!told.dir.exists());
    fs::create_dir(&told.dir).unwrap();
    fs::write(told.dir.join("note"), "mine").unwrap();
    assert!(judged(&run, &[]).refusal(2).contains(" is not empty; choose another with -o"));
}

#[test]
fn a_broken_line_in_the_middle_ends_it_and_is_named() {
    let run = quick();
    change(&run, "observations.jsonl", |text| text.replacen("\n{", "\n", 1));
    let again = judged(&run, &[]);
    assert!(again.refusal(1).starts_with("mxray: …/run/observations.jsonl:2: "), "{}", again.stderr);
    let info = again.info();
    assert_eq!(info["finished"], false);
    assert!(info["error"].as_str().unwrap().contains("observations.jsonl:2: "), "{info}");
}

#[test]
fn a_probe_that_is_missing_from_a_whole_run_ends_it() {
    let run = quick();
    change(&run, "observations.jsonl", |text| text.split_inclusive('\n').skip(1).collect());
    let again = judged(&run, &[]);
    assert!(again.refusal(1).contains("observations.jsonl has no probe of "), "{}", again.stderr);
}

#[test]
fn a_demo_is_judged_by_the_roots_that_it_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mxray = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
        command.current_dir(&folder).args(words).output().unwrap()
    };
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    assert!(mxray(&["demo", "--domains", "4", "-o", "run"]).status.success());
    // Twice: what was judged keeps the roots, too.
    for (from, to) in [("run", "again"), ("again", "and-again")] {
        let ended = mxray(&["judge", from, "-o", to]);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        for name in files(&folder.path().join("run")) {
            assert_eq!(read(&format!("run/{name}")), read(&format!("{to}/{name}")), "{name}");
        }
    }
    assert!(read("again/domains.csv").contains(",valid,"), "no chain is trusted");
    fs::remove_file(folder.path().join("run/lab-roots.pem")).unwrap();
    let refused = mxray(&["judge", "run", "-o", "last"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), told.lines().count()), (Some(2), 1), "{told}");
    assert!(told.contains("run/lab-roots.pem: ") && told.contains("; name others with --roots"), "{told}");
}

/// A record that fits nothing of its host is about the certificate of another
/// host: that is told apart where the run is named in which that was seen.
#[test]
fn records_of_a_certificate_that_was_seen_elsewhere_are_told_apart() {
    let scenarios = ["dane_mismatch", "tls13_ecdsa"].map(|name| lab::scenario(name).unwrap());
    let (run, parts) = played(scenarios.to_vec(), 2, &[]);
    let mismatch = parts.iter().find(|(_, scenario)| scenario.name == "dane_mismatch").unwrap().0;
    let other = run.rows("endpoints.csv").into_iter().find(|row| !row["sni"].contains(mismatch.as_str()));
    let sha256 = other.unwrap()["cert_sha256"].clone();
    change(&run, "facts.jsonl", |text| {
        let lines = text.lines().map(|line| {
            let mut facts: serde_json::Value = serde_json::from_str(line).unwrap();
            let tlsa = &mut facts["exchanges"][0]["tlsa"];
            let record = tlsa["records"].get_mut(0);
            if let Some(record) = record {
                (record["selector"], record["data"]) = (0.into(), sha256.clone().into());
            }
            format!("{facts}\n")
        });
        lines.collect()
    });
    let row =
        |again: &Again| again.rows("domains.csv").into_iter().find(|row| row["domain"] == *mismatch).unwrap();
    let without = judged(&run, &[]);
    assert_eq!(without.code, Some(0), "{}", without.stderr);
    let without = row(&without);
    assert_eq!((without["delivery"].as_str(), without["dane"].as_str()), ("deferred", "mismatch"));
    fs::remove_dir_all(run.path("").parent().unwrap().join("again")).unwrap();
    let with = row(&judged(&run, &["--earlier", run.path("").to_str().unwrap()]));
    assert_eq!((with["delivery"].as_str(), with["dane"].as_str()), ("deferred", "rollover"));
    assert_eq!(with["tls_rpt_result"], "tlsa-invalid");
    assert!(with["dane_detail"].contains("is about a certificate seen elsewhere"), "{with:?}");
}
