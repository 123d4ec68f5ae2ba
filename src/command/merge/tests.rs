//! What the DNS told two machines differently, joined.

use super::*;
use crate::cli::SummaryArgs;
use crate::model::mta_sts::{Published, StsFacts, StsFetch, StsFetchFailure, StsRecord};
use crate::model::{
    DomainFacts, DomainName, Exchange, Failure, Kind, MxHost, Observation, Phase, ProbeKey, Shard, Subject,
    Target,
};
use crate::run_dir::fixtures::run_info as fixture;
use crate::run_dir::{AskedBy, ListFile};
use crate::sender::{DEFAULT_SENDER, Sender};
use crate::trust::{Judge, Roots};
use crate::verdict::KeyContext;
use jiff::Timestamp;
use std::fs;
use std::net::IpAddr;
use std::sync::Arc;
use tempfile::TempDir;

const PORT: u16 = 25;

fn shard(number: u32) -> Shard {
    Shard::new(number, 2).unwrap()
}

/// An address of a network of that shard, one for each `nth`.
fn address(of: u32, nth: usize) -> IpAddr {
    let all = (0..=255).map(|third| IpAddr::from([192, 0, third, 1]));
    all.filter(|ip| shard(of).has_address(*ip)).nth(nth).unwrap()
}

/// A domain that the first shard keeps.
fn target() -> Target {
    let names = (0..).map(|n| format!("d{n}.example"));
    let name = names.into_iter().find(|name| shard(1).has_name(name)).unwrap();
    Target { line: 1, subject: Subject::Domain(DomainName::parse(&name).unwrap()) }
}

fn facts(addresses: &[IpAddr]) -> DomainFacts {
    let host = Some(MxHost::new("mx.d.example"));
    DomainFacts::whole(target(), vec![Exchange::whole(10, host, addresses.to_vec())])
}

/// What one shard was told, as its scan would have written it.
fn write(dir: &Path, number: u32, told: DomainFacts) {
    let mut info = fixture();
    info.command = ["mxray", "scan", "list.csv"].map(str::to_string).into();
    info.shard = Some(shard(number));
    let list = Some(ListFile { path: "list.csv".into(), bytes: 1, sha256: crate::x509::digest(b"list") });
    let folder = "/".to_string();
    info.asked_by = Some(AskedBy { list, folder, families: Vec::new(), client_certificate: None });
    let mut directory = RunDirectory::create(dir, &info).unwrap();
    let policy = policy();
    info.counts.targets_read = 1;
    let keys: Vec<ProbeKey> = told.probe_keys(PORT).map(|(_, key)| key).collect();
    for key in keys.into_iter().filter(|key| shard(number).has_address(key.endpoint.ip)) {
        let failure = Failure::new(Phase::Starttls, Kind::NotOffered);
        let seen = Observation::failed(key, Timestamp::UNIX_EPOCH, 1, failure);
        let assessments = policy.assess(&seen);
        let (record, _) = policy.endpoint_of_run(seen, &assessments, KeyContext::default());
        directory.write(&Record::Endpoint(Box::new(record))).unwrap();
        info.counts.endpoints_written += 1;
    }
    match shard(number).part_of(&told, PORT) {
        crate::model::ShardPart::Nothing => info.counts.of_other_shards = 1,
        _ => {
            directory.write(&Record::Part(Box::new(told))).unwrap();
            info.counts.parts_written = 1;
        }
    }
    info.finished = Some(true);
    info.ended = Some(Timestamp::UNIX_EPOCH);
    directory.finish(&info, &()).unwrap();
}

fn policy() -> Policy {
    let judge = Judge::new(Roots::default(), Timestamp::UNIX_EPOCH);
    Policy::new(judge, Sender::named(DEFAULT_SENDER).unwrap())
}

/// The line of the facts and those of the observations of the run that two such
/// shards come to.
fn merged(first: DomainFacts, second: DomainFacts) -> (String, Vec<String>) {
    let dir = TempDir::new().unwrap();
    let runs = ["one", "two"].map(|name| dir.path().join(name));
    write(&runs[0], 1, first);
    write(&runs[1], 2, second);
    let output = Some(dir.path().join("merged"));
    run(MergeArgs { runs: runs.into(), output: output.clone(), summary: SummaryArgs::default() }).unwrap();
    let read = |name: &str| fs::read_to_string(output.as_ref().unwrap().join(name)).unwrap();
    let facts = read("facts.jsonl");
    assert_eq!(facts.lines().count(), 1, "{facts}");
    (facts, read("observations.jsonl").lines().map(str::to_string).collect())
}

#[test]
fn whoever_asked_all_that_it_was_told_is_believed() {
    let (own, foreign, other) = (address(1, 0), address(2, 0), address(2, 1));
    // The keeper was told of an address that the shard of it was not told of.
    let (told, seen) = merged(facts(&[other]), facts(&[foreign]));
    assert!(told.contains(&foreign.to_string()) && !told.contains(&other.to_string()), "{told}");
    assert_eq!(seen.len(), 1, "{seen:?}");
    // The keeper got no answer, and the other did.
    let servfail = DomainFacts::failed(target(), Failure::new(Phase::Dns, Kind::Servfail));
    let (told, _) = merged(servfail, facts(&[foreign]));
    assert!(told.contains(&foreign.to_string()), "{told}");
    // Both were told the same.
    let (told, seen) = merged(facts(&[own, foreign]), facts(&[own, foreign]));
    assert!(told.contains(&own.to_string()) && told.contains(&foreign.to_string()), "{told}");
    assert_eq!(seen.len(), 2);
}

#[test]
fn what_nobody_asked_is_told_so() {
    let (own, foreign, other) = (address(1, 0), address(2, 0), address(2, 1));
    let (told, seen) = merged(facts(&[own, other]), facts(&[address(1, 1), foreign]));
    assert!(told.contains(&other.to_string()), "as the keeper has it: {told}");
    let unasked: Vec<_> = seen.iter().filter(|line| line.contains("to another shard alone")).collect();
    assert!(unasked.len() == 1 && unasked[0].contains(&format!("\"{other}\"")), "{seen:?}");
    assert!(unasked[0].contains("local_error"), "{seen:?}");
}

#[test]
fn the_policy_is_that_of_the_shard_that_fetched_it() {
    let with = |failure: Option<StsFetchFailure>| {
        let fetch = StsFetch { status: failure.is_none().then_some(200), failure, ..StsFetch::default() };
        let record = Published::Record(StsRecord { id: "1".to_owned() });
        let mta_sts = StsFacts { domain: MxHost::new("d.example"), record, fetch: Some(Arc::new(fetch)) };
        DomainFacts { mta_sts: Some(mta_sts), ..facts(&[address(1, 0)]) }
    };
    let elsewhere = || Some(StsFetchFailure::OtherShard);
    let (told, _) = merged(with(elsewhere()), with(None));
    assert!(told.contains("\"status\":200") && !told.contains("other_shard"), "{told}");
    // Where the DNS told each that the host is the other's, nobody has it.
    let (told, _) = merged(with(elsewhere()), with(elsewhere()));
    assert!(told.contains("other_shard"), "{told}");
}
