//! Resolvers as they should not be: what each of their faults costs, which is
//! nothing where another answers, and what is told where none does.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "resolvers/script.rs"]
mod script;
#[path = "resolvers/silence.rs"]
mod silence;

use futures_util::future::join_all;
use mxray::internals::lookup::{DnsLookup, LookupConfig};
use mxray::internals::model::{DomainFacts, DomainName, Kind, Phase, Subject, Target};
use mxray::internals::stage::Lookup;
use script::{Asked, MX, REPLY, Scripted, closed_port, null_mx_record};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

fn config(nameservers: &[SocketAddr]) -> LookupConfig {
    let timeout = Duration::from_secs(2);
    LookupConfig {
        nameservers: nameservers.to_vec(),
        timeout,
        attempts: 2,
        dane: false,
        tls_rpt: false,
        ..LookupConfig::default()
    }
}

fn lookup(nameservers: &[SocketAddr]) -> DnsLookup {
    DnsLookup::new(config(nameservers)).unwrap()
}

async fn find(lookup: &DnsLookup, domain: &str) -> DomainFacts {
    let subject = Subject::Domain(DomainName::parse(domain).unwrap());
    lookup.lookup(Target { line: 1, subject }).await
}

fn kind(facts: &DomainFacts) -> Option<Kind> {
    facts.failure.as_ref().map(|failure| {
        assert_eq!(failure.phase, Phase::Dns, "{failure}");
        failure.kind
    })
}

fn detail(facts: &DomainFacts) -> String {
    facts.failure.as_ref().and_then(|failure| failure.detail.as_deref()).unwrap_or_default().to_owned()
}

/// Says that there is no mail, for a minute: the one answer that needs no second
/// question.
fn good(asked: &Asked) -> Vec<Vec<u8>> {
    vec![asked.null_mx(60)]
}

/// MX data of one octet.
fn malformed(asked: &Asked) -> Vec<u8> {
    asked.reply(REPLY, [1, 0, 0], b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x01\0")
}

fn of_other_name(asked: &Asked) -> Vec<u8> {
    asked.reply(REPLY, [1, 0, 0], &null_mx_record(b"\x01x\0", 60))
}

/// NS of the root, and no SOA.
fn referral(asked: &Asked) -> Vec<u8> {
    asked.reply(REPLY, [0, 1, 0], b"\0\0\x02\0\x01\0\0\0\x3c\0\x01\0")
}

type Script = fn(&Asked) -> Vec<Vec<u8>>;

/// Each fault, and what it is told as where nobody else answers.
const FAULTS: [(&str, Script, Kind); 13] = [
    ("FORMERR", |asked| vec![asked.code(1)], Kind::Servfail),
    ("SERVFAIL", |asked| vec![asked.code(2)], Kind::Servfail),
    ("NOTIMP", |asked| vec![asked.code(4)], Kind::Servfail),
    ("REFUSED", |asked| vec![asked.code(5)], Kind::Servfail),
    ("code 11", |asked| vec![asked.code(11)], Kind::Servfail),
    ("lame", |asked| vec![asked.reply(0x8100, [0; 3], b"")], Kind::Servfail),
    ("referral", |asked| vec![referral(asked)], Kind::Servfail),
    ("other records", |asked| vec![of_other_name(asked)], Kind::Servfail),
    ("malformed", |asked| vec![malformed(asked)], Kind::Malformed),
    ("records that are not there", |asked| vec![asked.reply(REPLY, [0xffff, 0, 0], b"")], Kind::Malformed),
    ("silence", |_| vec![], Kind::Timeout),
    ("garbage", |_| vec![vec![0x5a; 200]], Kind::Timeout),
    ("TC, and TCP is refused", |asked| vec![asked.reply(REPLY | 0x200, [0; 3], b"")], Kind::Closed),
];

#[tokio::test]
async fn one_bad_resolver_of_two_costs_no_answer() {
    let domains: Vec<String> = (0..40).map(|n| format!("d{n}.example")).collect();
    let one_after_the_other = FAULTS.map(|(fault, script, _)| {
        let domains = &domains;
        async move {
            let (bad, other) = (Scripted::start(script).await, Scripted::start(good).await);
            for order in [[bad.address, other.address], [other.address, bad.address]] {
                let lookup = lookup(&order);
                let found = join_all(domains.iter().map(|domain| find(&lookup, domain))).await;
                let lost: Vec<_> = found.iter().filter(|it| kind(it) != Some(Kind::NullMx)).collect();
                assert!(lost.is_empty(), "{fault}: {lost:?}");
            }
        }
    });
    join_all(one_after_the_other).await;
}

#[tokio::test]
async fn each_fault_is_told_as_what_it_is() {
    let all = FAULTS.map(|(fault, script, expected)| async move {
        let bad = Scripted::start(script).await;
        let facts = find(&lookup(&[bad.address]), "d.example").await;
        assert_eq!(kind(&facts), Some(expected), "{fault}: {facts:?}");
    });
    join_all(all).await;
}

/// The last of three has as much time as the first.
#[tokio::test]
async fn a_slow_resolver_behind_silent_ones_is_heard() {
    let silent = [Scripted::start(|_| vec![]).await, Scripted::start(|_| vec![]).await];
    let slow = Scripted::late(Duration::from_millis(1200), good).await;
    let all = [silent[0].address, silent[1].address, slow.address];
    let timeout = Duration::from_millis(1800);
    let once = LookupConfig { timeout, attempts: 1, ..config(&all) };
    let facts = find(&DnsLookup::new(once).unwrap(), "d.example").await;
    assert_eq!(kind(&facts), Some(Kind::NullMx), "{facts:?}");
}

/// Whoever floods us keeps the socket readable without an end.
#[tokio::test]
async fn a_flood_of_strays_stops_no_clock() {
    let flood = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = flood.local_addr().unwrap();
    std::thread::spawn(move || {
        let (_, client) = flood.recv_from(&mut [0; 512]).unwrap();
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            let _ = flood.send_to(&[0x5a; 100], client);
        }
    });
    let other = Scripted::start(good).await;
    let facts = find(&lookup(&[address, other.address]), "d.example").await;
    assert_eq!(kind(&facts), Some(Kind::NullMx), "{facts:?}");
}

/// One after the other they would take a quarter of a minute.
#[tokio::test]
async fn tcp_that_never_answers_is_not_waited_for_by_each() {
    let (udp, listener) = script::bind().await;
    let server = Scripted::on(udp, Duration::ZERO, |asked| vec![asked.reply(REPLY | 0x200, [0; 3], b"")]);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let timeout = Duration::from_millis(600);
    let lookup = DnsLookup::new(LookupConfig { timeout, attempts: 1, ..config(&[server.address]) }).unwrap();
    let domains: Vec<String> = (0..200).map(|n| format!("d{n}.example")).collect();
    let begun = Instant::now();
    let found = join_all(domains.iter().map(|domain| find(&lookup, domain))).await;
    assert!(found.iter().all(|facts| kind(facts) == Some(Kind::Timeout)));
    assert!(begun.elapsed() < 10 * timeout, "{:?}", begun.elapsed());
}

/// The time of a silent resolver is lost by the first questions alone.
#[tokio::test]
async fn a_silent_resolver_is_asked_last_from_then_on() {
    let (silent, other) = (Scripted::start(|_| vec![]).await, Scripted::start(good).await);
    let lookup = lookup(&[silent.address, other.address]);
    let first: Vec<String> = (0..20).map(|n| format!("d{n}.example")).collect();
    join_all(first.iter().map(|domain| find(&lookup, domain))).await;
    let asked = silent.log().len();
    for n in 0..20 {
        assert_eq!(kind(&find(&lookup, &format!("e{n}.example")).await), Some(Kind::NullMx));
    }
    assert_eq!(silent.log().len(), asked);
}

#[tokio::test]
async fn a_port_at_which_nobody_listens_is_noticed_at_once() {
    let patient = LookupConfig { timeout: Duration::from_secs(20), ..config(&[closed_port()]) };
    let begun = Instant::now();
    let facts = find(&DnsLookup::new(patient).unwrap(), "d.example").await;
    assert_eq!(kind(&facts), Some(Kind::Closed));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// 1232 octets, version 0, DO (RFC 6891 §6.1.2).
#[tokio::test]
async fn every_question_is_asked_with_edns_and_do() {
    let server = Scripted::start(good).await;
    find(&lookup(&[server.address]), "d.example").await;
    let log = server.log();
    assert_eq!((log.len(), log[0].flags(), log[0].record_type), (1, 0x0100, MX));
    assert_eq!(log[0].options(), b"\0\0\x29\x04\xd0\0\0\x80\0\0\0");
}

#[tokio::test]
async fn who_does_not_know_edns_is_asked_without() {
    for code in [1, 4] {
        // A server that does not understand need not repeat the question.
        for repeats in [true, false] {
            let script = move |asked: &Asked| match asked.options() {
                [] => good(asked),
                _ if repeats => vec![asked.code(code)],
                _ => vec![[&asked.bytes[..2], &(REPLY | code).to_be_bytes(), &[0; 8]].concat()],
            };
            for attempts in [1, 2] {
                let server = Scripted::start(script).await;
                let lookup = DnsLookup::new(LookupConfig { attempts, ..config(&[server.address]) }).unwrap();
                assert_eq!(kind(&find(&lookup, "d.example").await), Some(Kind::NullMx));
                assert_eq!(server.log().len(), 2);
            }
        }
    }
}

/// Whoever can send us datagrams can send these (RFC 5452 §9.1).
fn strays(asked: &Asked) -> Vec<Vec<u8>> {
    let answer = asked.no_data(60);
    let changed = |at: usize, bits: u8| {
        let mut answer = answer.clone();
        answer[at] ^= bits;
        answer
    };
    vec![
        vec![],
        answer[..2].to_vec(),
        answer[..11].to_vec(),
        vec![0xa5; 200],
        // Another number, no reply, a reply to NOTIFY, another name.
        changed(0, 0x40),
        changed(2, 0x80),
        changed(2, 0x20),
        changed(13, 0x01),
        asked.bytes.clone(),
        [&answer[..4], &[0; 8]].concat(),
    ]
}

#[tokio::test]
async fn what_is_not_the_reply_is_dropped_and_waited_past() {
    let server = Scripted::start(|asked| [strays(asked), good(asked)].concat()).await;
    let facts = find(&lookup(&[server.address]), "d.example").await;
    assert_eq!((kind(&facts), server.log().len()), (Some(Kind::NullMx), 1));
    let server = Scripted::start(strays).await;
    let impatient = LookupConfig { timeout: Duration::from_millis(300), ..config(&[server.address]) };
    let facts = find(&DnsLookup::new(impatient).unwrap(), "d.example").await;
    assert_eq!(kind(&facts), Some(Kind::Timeout));
    assert_eq!(
        detail(&facts),
        format!(
            "instead came {} that answered nothing; the last: a reply that repeats no question",
            2 * strays(&server.log()[0]).len()
        )
    );
}

#[tokio::test]
async fn records_of_another_name_are_neither_believed_nor_kept() {
    let victim = b"\x06victim\x07example\0";
    let server = Scripted::start(move |asked| match asked.name.as_str() {
        "victim.example" => vec![asked.no_data(60)],
        _ => {
            let records = [null_mx_record(victim, 60), null_mx_record(b"\xc0\x0c", 60)].concat();
            vec![asked.reply(REPLY, [2, 0, 0], &records)]
        }
    })
    .await;
    let lookup = lookup(&[server.address]);
    let facts = find(&lookup, "poison.example").await;
    assert_eq!((kind(&facts), facts.exchanges.len()), (Some(Kind::NullMx), 1));
    assert_eq!(kind(&find(&lookup, "victim.example").await), Some(Kind::NoData));
}

#[tokio::test]
async fn equal_questions_under_way_are_asked_once() {
    // Never kept: only that they are under way together makes them one.
    let server = Scripted::start(|asked| vec![asked.null_mx(0)]).await;
    let lookup = lookup(&[server.address]);
    let all = join_all((0..50).map(|_| find(&lookup, "d.example"))).await;
    assert!(all.iter().all(|facts| kind(facts) == Some(Kind::NullMx)));
    assert_eq!(server.count("d.example"), 1);
    find(&lookup, "d.example").await;
    assert_eq!(server.count("d.example"), 2, "and not kept");
}

#[tokio::test]
async fn failures_are_not_kept() {
    let server = Scripted::start(|asked| vec![asked.code(2)]).await;
    let lookup = lookup(&[server.address]);
    for asked in [2, 4] {
        let all = join_all((0..50).map(|_| find(&lookup, "d.example"))).await;
        assert!(all.iter().all(|facts| kind(facts) == Some(Kind::Servfail)));
        assert_eq!(server.count("d.example"), asked);
    }
}

/// RFC 2308 §5: without a SOA nobody says for how long.
#[tokio::test]
async fn denials_are_kept_as_long_as_their_zone_says() {
    for (ttl, asked) in [(Some(60), 1), (Some(0), 3), (None, 3)] {
        let server =
            Scripted::start(move |asked| vec![ttl.map_or_else(|| asked.code(0), |ttl| asked.no_data(ttl))])
                .await;
        let lookup = lookup(&[server.address]);
        for _ in 0..3 {
            assert_eq!(kind(&find(&lookup, "d.example").await), Some(Kind::NoData));
        }
        assert_eq!(server.log().iter().filter(|it| it.record_type == MX).count(), asked, "{ttl:?}");
    }
}
