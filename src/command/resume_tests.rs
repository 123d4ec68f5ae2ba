//! Runs cut at any byte of any file, as by a power cut: what goes on with them comes
//! to what an undisturbed run comes to.
//!
//! `MXRAY_CUTS=2000 cargo test --lib every_byte_and_at_many -- --ignored` cuts at each byte of
//! the last three records of each file, and so often at random places.

use super::*;
use crate::model::mta_sts::{Published, StsFacts, StsFetch, StsRecord};
use crate::model::registry::ProtocolVersion;
use crate::model::{
    DomainFacts, DomainName, Endpoint, Failure, HelloEnd, HelloObservation, HelloPurpose, Kind, MxHost,
    Observation, Phase, Rejected, Subject, Target, TlsObservation,
};
use crate::packing::Packing;
use crate::run_dir::fixtures::run_info;
use crate::sender::{DEFAULT_SENDER, Sender};
use crate::trust::{Judge, Roots};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use tempfile::TempDir;

/// Targets of the list.
const TARGETS: u64 = 12;

/// Random cuts in a usual run of the tests.
const CUTS: usize = 60;

/// Of the last three records each so-many-th byte is cut at, in a usual run.
const STEP: usize = 97;

const PORT: u16 = 25;

/// How the files of a run are written.
const FORMS: [Option<Packing>; 3] = [None, Some(Packing::Gzip), Some(Packing::Zstd)];

fn policy() -> Arc<Policy> {
    let judge = Judge::new(Roots::default(), Timestamp::UNIX_EPOCH);
    Arc::new(Policy::new(judge, Sender::named(DEFAULT_SENDER).unwrap()))
}

/// A host of its own and one that three targets in a row share, DANE at one in four,
/// a policy host at one in three.
fn facts(line: u64) -> DomainFacts {
    let domain = format!("d{line}.example");
    let target = Target { line, subject: Subject::Domain(DomainName::parse(&domain).unwrap()) };
    if line == 5 {
        return DomainFacts::failed(target, Failure::new(Phase::Dns, Kind::Nxdomain));
    }
    let exchange = |preference, host: &str, last: u64| {
        let address = [192, 0, 2, u8::try_from(last).unwrap()].into();
        Exchange::whole(preference, Some(MxHost::new(host)), vec![address])
    };
    let own = exchange(10, &format!("mx.{domain}"), line);
    let shared = exchange(20, &format!("mx{}.shared.example", line / 3), 100 + line / 3);
    let mut facts = DomainFacts::whole(target, vec![own, shared]);
    if line.is_multiple_of(3) {
        let chain = vec![der("policy", line), der("ca", 0)];
        let fetch = StsFetch { chain, status: Some(200), ..StsFetch::default() };
        let record = Published::Record(StsRecord { id: "1".to_owned() });
        let domain = MxHost::new(&domain);
        facts.mta_sts = Some(StsFacts { domain, record, fetch: Some(Arc::new(fetch)) });
    }
    facts
}

fn der(name: &str, number: u64) -> Arc<[u8]> {
    format!("{name} {number} {}", "x".repeat(300)).into_bytes().into()
}

/// What is seen of a key.
fn seen(key: &ProbeKey) -> Observation {
    let Endpoint { ip, .. } = key.endpoint;
    let number = ip.to_string().bytes().map(u64::from).sum::<u64>();
    let failure = Failure::new(Phase::Greeting, Kind::Timeout);
    let mut seen = Observation::failed(key.clone(), Timestamp::UNIX_EPOCH, 1, failure);
    seen.tlsa = Some(number.is_multiple_of(4));
    if !number.is_multiple_of(5) {
        seen.failure = None;
        let chain = vec![der("leaf", number), der("ca", number % 2)];
        let version = Some(ProtocolVersion::TLS12);
        seen.tls = Some(TlsObservation { established: true, chain, version, ..TlsObservation::default() });
        let hello = HelloObservation::new(
            HelloPurpose::Version,
            ProtocolVersion::TLS12,
            Timestamp::UNIX_EPOCH,
            HelloEnd::Agreed,
        );
        seen.extra_client_hellos.push(HelloObservation { chain: vec![der("old", number)], ..hello });
    }
    seen
}

fn rejected(line: u64) -> Rejected {
    Rejected { line, text: format!("no domain {line}"), cause: "not a domain, \"at\" all".to_string() }
}

/// Asks for all that is not known yet, as a scan does.
fn ask(part: &mut EarlierPart, policy: &Policy, mut write: impl FnMut(&Record)) {
    for line in (1..=TARGETS).filter(|line| !part.done.contains(*line)) {
        let facts = facts(line);
        for (_, key) in facts.probe_keys(PORT).filter(|_| facts.failure.is_none()) {
            if !part.found.knows(&key) {
                let record = part.found.endpoint(policy, seen(&key), false, &part.progress).unwrap();
                write(&Record::Endpoint(Box::new(record)));
            }
        }
        let record = part.found.domain(policy, facts, PORT, &part.progress).unwrap().unwrap();
        write(&record);
    }
    for line in (TARGETS + 1..TARGETS + 4).filter(|line| !part.done.contains(*line)) {
        write(&Record::Rejected(rejected(line)));
    }
}

/// A whole run that does not say that it ended.
fn whole(dir: &Path, compress: Option<Packing>) {
    let mut directory = RunDirectory::create(dir, &RunInfo { compress, ..run_info() }).unwrap();
    let policy = policy();
    ask(&mut EarlierPart::default(), &policy, |record| {
        directory.write(record).unwrap();
        // Each record in a part of its own.
        directory.flush().unwrap();
    });
}

/// The text of a file.
fn text(path: &Path) -> String {
    let file = std::io::BufReader::new(File::open(path).unwrap());
    let mut text = String::new();
    match Packing::of_name(path.to_str().unwrap()) {
        None => Box::new(file),
        Some(packing) => packing.unpack(file).unwrap(),
    }
    .read_to_string(&mut text)
    .unwrap();
    text
}

/// Goes on with a run, up to where the asking begins.
fn taken_up(dir: &Path) -> Result<(RunDirectory, Fold, EarlierPart), CommandError> {
    let stored = StoredRun::open(dir)?;
    let directory = RunDirectory::go_on(dir, stored.info())?;
    let mut kept = KeptPart::new(directory, policy(), (PORT, None, dir.to_path_buf()));
    kept.take_up(&stored.as_killed())?;
    kept.settle()
}

/// Goes on with it to its end.
fn finished(dir: &Path) {
    let (mut directory, _, mut part) = taken_up(dir).unwrap();
    ask(&mut part, &policy(), |record| directory.write(record).unwrap());
    directory.flush().unwrap();
    directory.check_place().unwrap();
}

/// The lines of every file but `run.json`, sorted.
fn content(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with("run.json") {
            let text = text(&entry.path());
            assert!(text.ends_with('\n'), "{name}");
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            files.insert(name, lines);
        }
    }
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn cut(path: &Path, length: usize) {
    File::options().write(true).open(path).unwrap().set_len(length as u64).unwrap();
}

struct Reference {
    dir: TempDir,
    expected: BTreeMap<String, Vec<String>>,
}

impl Reference {
    fn new(compress: Option<Packing>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        whole(&dir.path().join("whole"), compress);
        let expected = content(&dir.path().join("whole"));
        Self { dir, expected }
    }

    fn whole(&self) -> std::path::PathBuf {
        self.dir.path().join("whole")
    }

    /// Goes on with a copy that `damage` was done to.
    fn check(&self, told: &str, damage: impl FnOnce(&Path)) {
        let run = self.dir.path().join("run");
        copy(&self.whole(), &run);
        damage(&run);
        finished(&run);
        let found = content(&run);
        for (name, lines) in &self.expected {
            assert_eq!(found.get(name), Some(lines), "{name}, {told}");
        }
        assert_eq!(found.len(), self.expected.len(), "{told}");
        fs::remove_dir_all(&run).unwrap();
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.expected.keys()
    }

    fn length(&self, name: &str) -> usize {
        fs::metadata(self.whole().join(name)).unwrap().len() as usize
    }

    /// Where the last three records of a file begin. Those of a packed file take less than a
    /// kilobyte.
    fn last_three(&self, name: &str) -> usize {
        if Packing::of_name(name).is_some() {
            return self.length(name).saturating_sub(1000);
        }
        let text = fs::read(self.whole().join(name)).unwrap();
        let ends: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'\n').collect();
        ends.len().checked_sub(4).map_or(0, |place| ends[place] + 1)
    }
}

fn cut_in_the_last_records(step: usize, compress: Option<Packing>) {
    let reference = Reference::new(compress);
    for name in reference.names() {
        for length in (reference.last_three(name)..reference.length(name)).step_by(step) {
            reference.check(&format!("{name} cut to {length}"), |run| cut(&run.join(name), length));
        }
    }
}

/// Files that the disk has to various lengths.
fn cut_at_random(count: usize, seed: u64, compress: Option<Packing>) {
    let reference = Reference::new(compress);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..count {
        let mut lengths: BTreeMap<_, _> =
            reference.names().map(|name| (name.clone(), random.usize(..=reference.length(name)))).collect();
        // Often one file alone.
        let chance = random.f64();
        lengths.retain(|_, _| random.f64() < chance);
        // Some file systems keep the length, and zeros for what was not written.
        let zeros = random.bool();
        reference.check(&format!("{lengths:?}, zeros {zeros}"), |run| {
            for (name, length) in &lengths {
                cut(&run.join(name), *length);
                if zeros {
                    cut(&run.join(name), reference.length(name));
                }
            }
        });
    }
}

#[test]
fn a_run_cut_in_its_last_records_goes_on_to_the_same() {
    FORMS.into_iter().for_each(|compress| cut_in_the_last_records(STEP, compress));
}

#[test]
fn a_run_cut_at_random_places_goes_on_to_the_same() {
    FORMS.into_iter().for_each(|compress| cut_at_random(CUTS, 1, compress));
}

#[test]
#[ignore = "takes minutes: MXRAY_CUTS says how many"]
fn a_run_cut_at_every_byte_and_at_many_places_goes_on_to_the_same() {
    let cuts = std::env::var("MXRAY_CUTS").map_or(2000, |cuts| cuts.parse().unwrap());
    for compress in FORMS {
        cut_at_random(cuts, 2, compress);
        cut_in_the_last_records(1, compress);
    }
}

/// A disk that lost a page in the middle, or gave back another bit.
#[test]
fn a_line_damaged_in_the_middle_is_asked_again() {
    let reference = Reference::new(None);
    for name in ["observations.jsonl", "facts.jsonl", "certificates.csv", "rejects.csv"] {
        for (damaged, at_line) in [(700, false), (1, false), (700, true), (1, true)] {
            // A text may hold any byte.
            if name == "rejects.csv" && damaged == 1 {
                continue;
            }
            reference.check(&format!("{name}, {damaged} bytes in the middle"), |run| {
                let mut bytes = fs::read(run.join(name)).unwrap();
                let middle = bytes.len() / 2;
                let line = bytes[middle..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
                let begin = if at_line { middle + line } else { middle };
                let end = bytes.len().min(begin + damaged);
                bytes[begin..end].fill(0);
                fs::write(run.join(name), bytes).unwrap();
            });
        }
    }
}

/// A packed file ends there: what was behind it is asked again.
#[test]
fn a_packed_file_damaged_in_the_middle_is_asked_again_from_there_on() {
    for compress in Packing::ALL {
        let reference = Reference::new(Some(compress));
        for name in reference.names() {
            reference.check(&format!("{name} damaged in the middle"), |run| {
                let mut bytes = fs::read(run.join(name)).unwrap();
                let start = compress.pack(b"").unwrap()[..4].to_vec();
                let parts: Vec<usize> =
                    (0..bytes.len()).filter(|place| bytes[*place..].starts_with(&start)).collect();
                assert!(parts.len() > 3, "{name}: {parts:?}");
                bytes[parts[parts.len() / 2]..][..4].fill(0);
                fs::write(run.join(name), bytes).unwrap();
            });
        }
    }
}

/// Nothing is changed until all that is kept was read and written anew.
#[test]
fn a_run_with_which_nobody_can_go_on_stays_as_it_is() {
    let reference = Reference::new(None);
    let run = reference.whole();
    fs::remove_file(run.join("facts.jsonl")).unwrap();
    fs::create_dir(run.join("facts.jsonl")).unwrap();
    let before = fs::read(run.join("run.json")).unwrap();
    let stored = StoredRun::open(&run);
    assert!(stored.is_err());
    let info = run_info();
    drop(RunDirectory::go_on(&run, &info).unwrap());
    assert_eq!(fs::read(run.join("run.json")).unwrap(), before);
    let left = fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = left.filter(|name| name.ends_with(".new") && name != "run.json.new").collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Whoever is killed while the files are put in place leaves some old and some new.
#[test]
fn a_process_killed_while_it_puts_files_in_place_loses_nothing() {
    let reference = Reference::new(None);
    let shorter = |run: &Path| {
        for name in ["certificates.csv", "observations.jsonl", "facts.jsonl", "domains.csv"] {
            cut(&run.join(name), reference.length(name) * 2 / 3);
        }
    };
    let new = reference.dir.path().join("new");
    copy(&reference.whole(), &new);
    shorter(&new);
    drop(taken_up(&new).unwrap());
    let order: Vec<&str> = crate::run_dir::NAMES.into_iter().filter(|name| new.join(name).exists()).collect();
    for placed in 0..=order.len() {
        reference.check(&format!("{placed} files in place"), |run| {
            shorter(run);
            for (number, name) in order.iter().enumerate() {
                let to = if number < placed { (*name).to_string() } else { format!("{name}.new") };
                fs::copy(new.join(name), run.join(to)).unwrap();
            }
        });
    }
}

/// A probe that was left before its end is asked again, and with it its domains.
#[test]
fn what_was_left_before_its_end_is_asked_again() {
    let reference = Reference::new(None);
    let run = reference.dir.path().join("stopped");
    copy(&reference.whole(), &run);
    let journal = fs::read_to_string(run.join("observations.jsonl")).unwrap();
    let left = journal.replacen("\"stopped\":false", "\"stopped\":true", 1);
    assert_ne!(left, journal);
    fs::write(run.join("observations.jsonl"), left).unwrap();
    let (_, fold, part) = taken_up(&run).unwrap();
    let endpoints = journal.lines().count() as u64;
    assert_eq!(fold.summary.endpoints.total, endpoints - 1);
    let open: Vec<u64> = (1..=TARGETS).filter(|line| !part.done.contains(*line)).collect();
    assert_eq!(open, [1], "the domain whose host it is");
}
