//! Names on one address under a clock of its own: who is asked, and what is told of
//! those who are not.

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use mxray::internals::engine::pace::Limits;
use mxray::internals::engine::{EngineConfig, EngineCounts, Progress, run};
use mxray::internals::interrogate::RetryPlan;
use mxray::internals::model::mta_sts::{Published, StsFacts, StsRecord};
use mxray::internals::model::{
    Basis, CipherSuite, ClientHelloSpec, Delivery, DomainFacts, DomainName, DomainRecord, EndpointRecord,
    Exchange, Failure, HelloEnd, HelloObservation, Kind, MxHost, NamedGroup, Observation, Phase, ProbeKey,
    ProtocolVersion, Record, SignatureCheck, SignatureScheme, Subject, Target, TlsObservation,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::{Lookup, Probe};
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod survey;

use mxray::internals::lab::{Certificate, Fleet, FleetOptions, IssuerKind, OddNames, Population};
use survey::Scan;

/// Addresses over which the tenants are spread, each at two of them.
const ADDRESSES: u32 = 4;

/// How the tenants of one provider are answered.
#[derive(Clone, Copy, Debug)]
struct Tenants {
    /// The one that has another suite.
    odd: Option<u32>,
    /// A session without a name gets another suite, too.
    nameless_differs: bool,
    /// One without a name meets silence in the handshake.
    nameless_unanswered: bool,
    /// Those from here on have a policy of MTA-STS.
    with_policy_from: u32,
    /// Nobody is let in.
    throttles: bool,
    /// Those from here on may not be connected to.
    forbidden_from: u32,
    /// Many are asked at a time at an address.
    at_once: bool,
    /// The list begins with each address, without a name.
    addresses_first: bool,
}

const ALIKE: Tenants = Tenants {
    odd: None,
    nameless_differs: false,
    nameless_unanswered: false,
    with_policy_from: u32::MAX,
    throttles: false,
    forbidden_from: u32::MAX,
    at_once: false,
    addresses_first: false,
};

fn number(label: &str) -> u32 {
    label.trim_start_matches("mx.t").trim_start_matches('t').split('.').next().unwrap().parse().unwrap()
}

impl Lookup for Tenants {
    async fn lookup(&self, target: Target) -> DomainFacts {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Subject::Endpoint { ip, .. } = &target.subject {
            let ips = vec![*ip];
            return DomainFacts::whole(target, vec![Exchange::whole(0, None, ips)]);
        }
        let label = target.subject.label().to_string();
        let at = |other: u32| [192, 0, 2, ((number(&label) + other) % ADDRESSES) as u8].into();
        let exchange = Exchange::whole(10, Some(MxHost::new(&format!("mx.{label}"))), vec![at(0), at(1)]);
        let record = Published::Record(StsRecord { id: "1".into() });
        let mta_sts = (number(&label) >= self.with_policy_from).then(|| StsFacts {
            domain: MxHost::new(&label),
            record,
            fetch: None,
        });
        DomainFacts { mta_sts, ..DomainFacts::whole(target, vec![exchange]) }
    }
}

impl Tenants {
    fn suite(&self, key: &ProbeKey) -> CipherSuite {
        let is_other = match &key.sni {
            Some(name) => self.odd == Some(number(name.as_str())),
            None => self.nameless_differs,
        };
        CipherSuite(if is_other { 0x1301 } else { 0x1302 })
    }
}

impl Probe for Tenants {
    fn permit(&self, key: &ProbeKey) -> Result<(), Failure> {
        let is_forbidden = |name: &MxHost| number(name.as_str()) >= self.forbidden_from;
        if key.sni.as_ref().is_some_and(is_forbidden) {
            return Err(Failure::new(Phase::Connect, Kind::Blocklisted));
        }
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let suite = self.suite(&key);
        // Who is odd is slow, too.
        let is_odd = suite != CipherSuite(0x1302);
        tokio::time::sleep(if is_odd { Duration::from_secs(1_000) } else { Duration::from_millis(300) })
            .await;
        let unanswered = self.nameless_unanswered && key.sni.is_none();
        let failure = if unanswered {
            Failure::new(Phase::Greeting, Kind::Timeout)
        } else {
            Failure::new(Phase::Greeting, Kind::Throttled)
        };
        let mut seen = Observation::failed(key, jiff::Timestamp::UNIX_EPOCH, attempt, failure);
        if self.throttles || unanswered {
            return seen;
        }
        seen.failure = None;
        seen.tls = Some(TlsObservation {
            established: true,
            version: Some(ProtocolVersion::TLS13),
            suite: Some(suite),
            group: Some(NamedGroup(24)),
            signature_scheme: Some(SignatureScheme(0x0804)),
            signature: Some(SignatureCheck::Verified),
            ..TlsObservation::default()
        });
        seen
    }

    async fn hello(&self, key: ProbeKey, question: &ClientHelloSpec) -> HelloObservation {
        let mut seen = HelloObservation::not_asked(question, jiff::Timestamp::UNIX_EPOCH, None);
        seen.end = HelloEnd::Agreed;
        seen.version = Some(ProtocolVersion::TLS13);
        seen.suite = Some(self.suite(&key));
        seen.group = Some(NamedGroup(24));
        seen
    }
}

/// What a survey of so many tenants told.
struct Told {
    domains: BTreeMap<u32, DomainRecord>,
    endpoints: BTreeMap<ProbeKey, EndpointRecord>,
    counts: EngineCounts,
}

impl Told {
    fn asked(&self) -> usize {
        self.endpoints.values().filter(|endpoint| endpoint.observation.attempts > 0).count()
    }
}

async fn surveyed(tenants: Tenants, count: u32, seed: u64) -> Told {
    let limits = if tenants.at_once { Limits::none(1_000) } else { Limits::default() };
    surveyed_by(tenants, count, Limits { order_seed: Some(seed), ..limits }, Arc::default()).await
}

async fn surveyed_by(tenants: Tenants, count: u32, limits: Limits, progress: Arc<Progress>) -> Told {
    let dir = tempfile::tempdir().unwrap();
    let config = EngineConfig {
        limits,
        retry: RetryPlan::default(),
        spill_dir: Some(dir.path().to_path_buf()),
        sample: true,
        ..EngineConfig::default()
    };
    let (targets_in, targets) = mpsc::channel(8);
    let (records_in, mut records) = mpsc::channel(8);
    tokio::spawn(async move {
        for address in (0..ADDRESSES as u8).filter(|_| tenants.addresses_first) {
            let subject = Subject::Endpoint { ip: [192, 0, 2, address].into(), name: None, port: None };
            targets_in.send(Target { line: (count + u32::from(address)).into(), subject }).await.unwrap();
        }
        for line in 0..count {
            let subject = Subject::Domain(DomainName::parse(&format!("t{line}.example")).unwrap());
            targets_in.send(Target { line: line.into(), subject }).await.unwrap();
        }
    });
    let collected = tokio::spawn(async move {
        let (mut domains, mut endpoints) = (BTreeMap::new(), BTreeMap::new());
        while let Some(record) = records.recv().await {
            match record {
                Record::Domain(domain) => {
                    let line = u32::try_from(domain.facts.target.line).unwrap();
                    let twice = domains.insert(line, *domain);
                    assert!(twice.is_none(), "a domain has two rows");
                }
                Record::Endpoint(endpoint) => {
                    let twice = endpoints.insert(endpoint.observation.key.clone(), *endpoint);
                    assert!(twice.is_none(), "a key has two rows");
                }
                _ => panic!("nothing is rejected"),
            }
        }
        (domains, endpoints)
    });
    let judge = Judge::new(Roots::default(), jiff::Timestamp::UNIX_EPOCH);
    let policy = Arc::new(Policy::new(judge, Sender::named("exchange-online").unwrap()));
    let stages = (Arc::new(tenants), Arc::new(tenants), policy);
    let counts = run(config, stages, targets, records_in, progress, CancellationToken::new()).await.unwrap();
    let (domains, endpoints) = collected.await.unwrap();
    let addresses = if tenants.addresses_first { ADDRESSES } else { 0 };
    assert_eq!(domains.len(), (count + addresses) as usize, "nobody is lost");
    Told { domains, endpoints, counts }
}

/// What a row says of forced TLS, the weakest demand first.
fn forced(domain: &DomainRecord) -> [String; 3] {
    let forced = &domain.verdict.forced;
    [&forced.encryption_only, &forced.certificate_validation, &forced.domain_validation]
        .map(ToString::to_string)
}

#[tokio::test(start_paused = true)]
async fn of_many_names_that_are_answered_alike_a_sample_is_asked() {
    const TENANTS: u32 = 10_000;
    let told = surveyed(ALIKE, TENANTS, 1).await;
    let names = 2 * TENANTS as usize;
    assert_eq!(told.endpoints.len(), names + ADDRESSES as usize, "each name, and a look without one");
    let asked = told.asked();
    // At each address fifty of the first, and of those that come later as many as a
    // draw of fifty takes.
    assert!((4 * 50..4 * 500).contains(&asked), "{asked}");
    for domain in told.domains.values() {
        let outcome = &domain.verdict.outcome;
        assert_eq!((outcome.delivery, outcome.reason), (Delivery::Encrypted, None));
        let endpoint = &told.endpoints[&domain.verdict.best.as_ref().unwrap().endpoint.finding.key];
        if endpoint.observation.attempts > 0 {
            assert_ne!(outcome.session, None);
            continue;
        }
        assert_eq!((endpoint.outcome.basis, &outcome.session), (Some(Basis::Inferred), &None));
        assert_eq!(forced(domain), ["undetermined:not_asked"; 3], "{outcome:?}");
        let stand_in = endpoint.observation.stand_in().unwrap();
        assert!(told.endpoints[&stand_in].observation.attempts > 0, "{stand_in} was asked");
        assert_eq!(stand_in.endpoint, endpoint.observation.key.endpoint);
        assert_eq!((&endpoint.assessment, &endpoint.observation.tls), (&None, &None));
    }
    let counts = told.counts.samples;
    assert_eq!((counts.alike, counts.differs), (4, 0));
    assert_eq!(counts.names_inferred as usize, names + 4 - asked);
    assert_eq!(counts.names_asked as usize, asked - 4);
}

/// One of ten thousand has another suite: it is found, and then all are asked, or it
/// was not asked, and is no pass. Both happen, by the draw.
#[tokio::test(start_paused = true)]
async fn the_odd_one_is_found_or_not_asked_and_never_a_pass() {
    const TENANTS: u32 = 2_000;
    let (mut found, mut missed) = (0, 0);
    for seed in 0..12 {
        let told = surveyed(Tenants { odd: Some(1_500), ..ALIKE }, TENANTS, seed).await;
        let odd = &told.domains[&1_500];
        let session = odd.verdict.outcome.session.as_ref().and_then(|session| session.suite);
        if session == Some(CipherSuite(0x1301)) {
            found += 1;
            assert!(told.counts.samples.differs >= 1, "{seed}");
        } else {
            missed += 1;
            assert_eq!(session, None, "{seed}");
            assert_eq!(forced(odd), ["undetermined:not_asked"; 3], "{seed}");
        }
        if found > 0 && missed > 0 {
            return;
        }
    }
    panic!("found {found} times, missed {missed}");
}

/// One that is asked in any case, as it is among the first, ends sampling at its two
/// addresses, and there everyone is asked.
#[tokio::test(start_paused = true)]
async fn where_one_differs_everyone_is_asked() {
    let told = surveyed(Tenants { odd: Some(0), ..ALIKE }, 1_000, 1).await;
    let counts = told.counts.samples;
    assert_eq!((counts.alike, counts.differs), (2, 2));
    for endpoint in told.endpoints.values() {
        let at_odd =
            [[192, 0, 2, 0].into(), [192, 0, 2, 1].into()].contains(&endpoint.observation.key.endpoint.ip);
        assert!(!at_odd || endpoint.observation.attempts > 0, "{}", endpoint.observation.key);
    }
}

/// As long as it may be that they are not asked, they are told apart from those that
/// are left.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_sample_is_counted_until_names_differ() {
    let progress = Arc::new(Progress::default());
    let watched = progress.clone();
    let begun = Instant::now();
    let watching = tokio::spawn(async move {
        let mut held = Vec::new();
        while watched.snapshot().domains_done < 4_000 {
            tokio::time::sleep(Duration::from_secs(50)).await;
            held.push((begun.elapsed().as_secs(), watched.snapshot().targets_held));
        }
        held
    });
    let limits = Limits { order_seed: Some(1), ..Limits::default() };
    let told = surveyed_by(Tenants { odd: Some(0), ..ALIKE }, 4_000, limits, progress).await;
    assert_eq!(told.counts.samples.differs, 2);
    let held = watching.await.unwrap();
    // The odd one takes a thousand seconds.
    let drawing: Vec<_> = held.iter().filter(|(at, _)| (400..1_000).contains(at)).collect();
    assert!(drawing.len() > 10 && drawing.iter().all(|(_, held)| *held > 2_000), "{held:?}");
    let differing: Vec<_> = held.iter().filter(|(at, _)| *at > 1_100).collect();
    assert!(differing.len() > 10 && differing.iter().all(|(_, held)| *held == 0), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn where_a_look_without_a_name_differs_everyone_is_asked() {
    let told = surveyed(Tenants { nameless_differs: true, ..ALIKE }, 500, 1).await;
    assert_eq!((told.counts.samples.alike, told.counts.samples.differs), (0, 4));
    assert_eq!((told.asked(), told.endpoints.len()), (1_004, 1_004));
}

/// Nothing is known then of a session without a name.
#[tokio::test(start_paused = true)]
async fn where_a_look_without_a_name_has_no_answer_everyone_is_asked() {
    let told = surveyed(Tenants { nameless_unanswered: true, ..ALIKE }, 300, 1).await;
    assert_eq!((told.counts.samples.alike, told.counts.samples.differs), (0, 4));
    assert_eq!((told.asked(), told.endpoints.len()), (604, 604));
}

/// Names that may not be connected to say nothing of whether the others are known: one
/// that differs, and takes its time, is waited for.
#[tokio::test(start_paused = true)]
async fn names_that_are_forbidden_end_no_sample_before_its_time() {
    let told = surveyed(Tenants { odd: Some(10), forbidden_from: 400, at_once: true, ..ALIKE }, 500, 1).await;
    let counts = told.counts.samples;
    assert_eq!((counts.alike, counts.differs), (2, 2));
    for endpoint in told.endpoints.values() {
        let at_odd =
            [[192, 0, 2, 2].into(), [192, 0, 2, 3].into()].contains(&endpoint.observation.key.endpoint.ip);
        assert!(!at_odd || endpoint.observation.stand_in().is_none(), "{}", endpoint.observation.key);
    }
}

/// Who is on the list without a name is looked at once, and that counts.
#[tokio::test(start_paused = true)]
async fn an_address_that_is_on_the_list_itself_is_looked_at_once() {
    let told = surveyed(Tenants { addresses_first: true, ..ALIKE }, 1_000, 1).await;
    assert_eq!((told.counts.samples.alike, told.counts.samples.differs), (4, 0));
    assert_eq!(told.endpoints.len(), 2_004);
}

#[tokio::test(start_paused = true)]
async fn up_to_fifty_names_everyone_is_asked_and_nobody_without_a_name() {
    let told = surveyed(ALIKE, 100, 1).await;
    assert_eq!((told.asked(), told.endpoints.len()), (200, 200));
    assert_eq!(told.counts.samples, Default::default());
}

/// A domain whose policy hangs on the certificate is asked, whatever its neighbours
/// say.
#[tokio::test(start_paused = true)]
async fn a_domain_with_a_policy_is_always_asked() {
    let told = surveyed(Tenants { with_policy_from: 900, ..ALIKE }, 1_000, 1).await;
    for number in 900..1_000 {
        let best = told.domains[&number].verdict.best.as_ref().unwrap();
        assert!(told.endpoints[&best.endpoint.finding.key].observation.attempts > 0, "{number}");
    }
    assert!(told.counts.samples.names_inferred > 500, "{:?}", told.counts.samples);
}

/// Who turns everybody away says nothing of a name.
#[tokio::test(start_paused = true)]
async fn where_nobody_is_let_in_nothing_is_inferred() {
    let told = surveyed(Tenants { throttles: true, ..ALIKE }, 400, 1).await;
    assert_eq!(told.counts.samples.names_inferred, 0);
    for domain in told.domains.values() {
        assert_eq!(domain.verdict.outcome.delivery, Delivery::Undetermined);
    }
}

/// A provider of the lab: a name for each tenant, at four addresses, over real sockets.
///
/// The tenants whose names begin so have certificates that nobody signed.
async fn provider(tenants: usize, odd: &[&str]) -> Fleet {
    let class = "name = \"provider\"\ntitle = \"A provider\"\n[[class]]\nname = \"tenants\"\nshare = 100.0\n\
        source = \"assumed\"\nscenario = \"provider_tenants\"\nhost = \"{tenant}.mail.provider.example.\"\n\
        addresses = 4\nper_network = 2\n";
    let population = Population::parse("provider", class).unwrap();
    let mut scenarios = population.scenarios(tenants).unwrap();
    for server in scenarios.iter_mut().flat_map(|scenario| scenario.server.values_mut()) {
        let certificate = Certificate { issuer: IssuerKind::Itself, ..server.tls.certificate.clone() };
        let begin = odd.iter().map(|begin| begin.to_string()).collect();
        server.tls.odd_names = Some(OddNames { begin, certificate });
    }
    let options = FleetOptions {
        seed: 1,
        scenarios,
        ..FleetOptions::new(Population::domains(tenants).unwrap()).unwrap()
    };
    Fleet::start(options).await.unwrap()
}

/// What the files say, and that another judging of the run says the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_tell_who_was_not_asked() {
    const TENANTS: usize = 1_000;
    let fleet = provider(TENANTS, &[]).await;
    let list: String = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--in-flight", "64").arg("--per-ip-connections", "16").arg("--seed", "7").flag("--sample");
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    let (domains, endpoints) = (run.rows("domains.csv"), run.rows("endpoints.csv"));
    assert_eq!((domains.len(), endpoints.len()), (TENANTS, TENANTS + 4));
    let asked: BTreeMap<(&str, &str), &survey::Row> = endpoints
        .iter()
        .filter(|row| row["outcome"] == "ok")
        .map(|row| ((row["ip"].as_str(), row["sni"].as_str()), row))
        .collect();
    assert!((4 * 51..4 * 200).contains(&asked.len()), "{}", asked.len());
    for row in &domains {
        let is_asked = row["inferred_from"].is_empty();
        let stand_in = if is_asked { &row["sni"] } else { &row["inferred_from"] };
        let stand_in = asked[&(row["ip"].as_str(), stand_in.as_str())];
        assert_eq!((row["delivery"].as_str(), stand_in["delivery"].as_str()), ("encrypted", "encrypted"));
        assert_eq!(row["outcome"], if is_asked { "ok" } else { "not_asked" });
        let weakest = [row["weakest_phase"].as_str(), row["weakest_outcome"].as_str()];
        assert_eq!(weakest, if is_asked { ["after_tls", "ok"] } else { ["connect", "not_asked"] });
        assert!(is_asked || row["basis"] == "inferred", "{row:?}");
        for column in ["encryption_only", "certificate_validation", "domain_validation"] {
            assert_eq!(row[column] == "undetermined:not_asked", !is_asked, "{row:?}");
        }
        for column in ["tls_version", "cert_chain", "cert_sha256", "cert_name", "delivery_tls_version"] {
            assert_eq!(row[column].is_empty(), !is_asked, "{column}: {row:?}");
        }
    }
    let info = run.info();
    let inferred = TENANTS + 4 - asked.len();
    let told = serde_json::json!({
        "endpoints_alike": 4, "names_asked": asked.len() - 4, "names_inferred": inferred, "endpoints_differ": 0,
    });
    assert_eq!(info["sample"], told);
    assert_eq!(info["summary"]["endpoints_not_asked"], inferred);
    assert_eq!(info["summary"]["endpoints"]["outcomes"]["not_asked"], inferred, "the word of the rows");
    assert_eq!(info["limits"]["names_asked_min"], 50);
    let page = assert_cmd::Command::new(env!("CARGO_BIN_EXE_mxray"))
        .arg("report")
        .arg(run.path(""))
        .args(["-o", "-", "--format", "md"])
        .unwrap();
    let unasked = domains.iter().filter(|row| row["outcome"] == "not_asked").count();
    assert_eq!(info["summary"]["domains_not_asked"], unasked);
    let told = format!(
        "A sample stands for many names on one address: {inferred} of 1,004 endpoints were not asked, and decide {unasked} \
         of 1,000 domains"
    );
    assert!(String::from_utf8_lossy(&page.stdout).contains(&told), "{told}");
    let again = tempfile::tempdir().unwrap();
    let judged = again.path().join("judged");
    let mut judging = assert_cmd::Command::new(env!("CARGO_BIN_EXE_mxray"));
    judging.arg("judge").arg(run.path("")).arg("-o").arg(&judged).assert().success();
    let sorted = |mut rows: Vec<survey::Row>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(survey::rows(&judged.join("domains.csv"))), sorted(domains));
    assert_eq!(sorted(survey::rows(&judged.join("endpoints.csv"))), sorted(endpoints));
}

/// Of ten thousand tenants some have certificates of their own, which version, suite
/// and group do not tell: each of them is found, or was not asked, and none is a pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_with_a_certificate_of_its_own_is_found_or_not_asked() {
    const TENANTS: usize = 10_000;
    let odd = ["d000000", "d009"];
    let fleet = provider(TENANTS, &odd).await;
    let list: String = fleet.truth().iter().map(|row| format!("{}\n", row.domain)).collect();
    let mut scan = Scan::of_lab(fleet.dns_addr(), fleet.smtp_port(), fleet.root_pem());
    scan.arg("--in-flight", "64").arg("--per-ip-connections", "16").arg("--seed", "7").flag("--sample");
    let run = tokio::task::spawn_blocking(move || scan.run(&list)).await.unwrap();
    let rows = run.rows("domains.csv");
    assert_eq!(rows.len(), TENANTS);
    let (mut found, mut not_asked) = (0, 0);
    for row in &rows {
        let is_odd = odd.iter().any(|begin| row["domain"].starts_with(begin));
        match row["certificate_validation"].as_str() {
            "undetermined:not_asked" => not_asked += usize::from(is_odd),
            "fail:self_signed" if is_odd => found += 1,
            "pass" if !is_odd => {}
            other => panic!("{other}: {row:?}"),
        }
        assert_eq!(row["delivery"], "encrypted");
    }
    assert!(found > 0 && not_asked > 900, "found {found}, not asked {not_asked}");
}
