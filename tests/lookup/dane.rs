//! What a sender with DANE asks, in which order, and what each answer comes to
//! (RFC 7672 §2).

use super::server::{dnskey, tlsa};
use super::*;
use mxray::internals::lookup::TLSA_HOSTS_MAX;
use mxray::internals::model::tlsa::{Authenticity, TLSA_RECORDS_MAX, TlsaOutcome};
use server::Reply::{Bogus, Secure, SecureOnce, SecureUntilReleased, SecurelyGone, ServfailUntilReleased};
use std::net::SocketAddr;

type Table = Vec<(&'static str, RecordType, Reply)>;

const TLSA: RecordType = RecordType::TLSA;
const ROOT_KEY: RecordType = RecordType::DNSKEY;
/// `3 1 1` and a digest.
const RECORD: [u8; 35] = {
    let mut record = [0xab; 35];
    (record[0], record[1], record[2]) = (3, 1, 1);
    record
};

/// A resolver that validates, with this table.
async fn start(mut table: Table) -> DnsServer {
    table.push(("", ROOT_KEY, Secure(vec![dnskey()])));
    DnsServer::start(table).await
}

fn of(servers: &[&DnsServer]) -> DnsLookup {
    let nameservers = servers.iter().map(|server| server.address).collect();
    DnsLookup::new(LookupConfig { dane: true, nameservers, ..config(servers[0]) }).unwrap()
}

fn secure_v4(last: u8) -> Reply {
    Secure(vec![address(&format!("192.0.2.{last}"))])
}

fn record() -> Reply {
    Secure(vec![tlsa(&RECORD)])
}

/// A signed domain with one host `mx.example`, and what else is in the DNS.
fn signed(more: Table) -> Table {
    [vec![("d.example", MX, Secure(vec![mx(10, "mx.example")]))], more].concat()
}

/// What came of TLSA at the only host: the outcome in a word, and where.
fn told(facts: &DomainFacts) -> String {
    let [exchange] = &facts.exchanges[..] else { panic!("{facts:?}") };
    let Some(tlsa) = &exchange.tlsa else { return "not asked".to_owned() };
    let base = tlsa.base.as_ref().map(|base| format!(" {base} {}", tlsa.records.len()));
    let word = match &tlsa.outcome {
        TlsaOutcome::Failed(failure) => format!("failed: {failure}"),
        other => format!("{other:?}"),
    };
    let short = match tlsa.records_short {
        0 => String::new(),
        count => format!(" and {count} short"),
    };
    word + &base.unwrap_or_default() + &short
}

/// The names asked for TLSA, in order.
fn asked_for_tlsa(server: &DnsServer) -> Vec<String> {
    let log = server.log().into_iter();
    log.filter(|(_, kind, _)| *kind == TLSA).map(|(name, ..)| name.replace("_25._tcp.", "")).collect()
}

/// Each row: what is in the DNS beside the signed MX, what comes of it, and the
/// names that are asked for TLSA.
#[tokio::test]
async fn each_state_of_a_host_has_its_outcome() {
    let at_mx = |reply| ("_25._tcp.mx.example", TLSA, reply);
    let at_end = |reply| ("_25._tcp.end.example", TLSA, reply);
    let alias = |reply| ("mx.example", CNAME, reply);
    let to_end = || vec![cname("end.example")];
    let rows: Vec<(Table, &str, &[&str])> = vec![
        // Secure, no alias.
        (vec![("mx.example", A, secure_v4(1)), at_mx(record())], "Secure mx.example 1", &["mx.example"]),
        (vec![("mx.example", A, secure_v4(1))], "Absent", &["mx.example"]),
        (vec![("mx.example", A, secure_v4(1)), at_mx(Secure(vec![]))], "Absent", &["mx.example"]),
        (vec![("mx.example", A, secure_v4(1)), at_mx(SecurelyGone)], "Absent", &["mx.example"]),
        (
            vec![("mx.example", A, secure_v4(1)), at_mx(Records(vec![tlsa(&RECORD)]))],
            "Insecure mx.example 1",
            &["mx.example"],
        ),
        // Insecure, no alias: nobody asks, whatever stands there.
        (vec![("mx.example", A, v4(1)), at_mx(record())], "InsecureAddresses", &[]),
        // One secure family is enough, whichever.
        (
            vec![
                ("mx.example", A, v4(1)),
                ("mx.example", AAAA, Secure(vec![address("2001:db8::1")])),
                at_mx(record()),
            ],
            "Secure mx.example 1",
            &["mx.example"],
        ),
        // A secure alias: the end of it first, then the host.
        (
            vec![
                alias(Secure(to_end())),
                ("end.example", A, secure_v4(1)),
                at_mx(record()),
                at_end(record()),
            ],
            "Secure end.example 1",
            &["end.example"],
        ),
        (
            vec![alias(Secure(to_end())), ("end.example", A, secure_v4(1)), at_mx(record())],
            "Secure mx.example 1",
            &["end.example", "mx.example"],
        ),
        (
            vec![
                alias(Secure(to_end())),
                ("end.example", A, secure_v4(1)),
                at_end(Records(vec![tlsa(&RECORD)])),
                at_mx(record()),
            ],
            "Secure mx.example 1",
            &["end.example", "mx.example"],
        ),
        (
            vec![
                alias(Secure(to_end())),
                ("end.example", A, secure_v4(1)),
                at_end(Code(ResponseCode::Refused)),
                at_mx(record()),
            ],
            "failed: dns: servfail: Query Refused",
            &["end.example", "end.example"],
        ),
        // A secure alias of something insecure: the host alone.
        (
            vec![alias(Secure(to_end())), ("end.example", A, v4(1)), at_mx(record()), at_end(record())],
            "Secure mx.example 1",
            &["mx.example"],
        ),
        // An insecure alias: nowhere.
        (
            vec![
                alias(Records(to_end())),
                ("end.example", A, secure_v4(1)),
                at_mx(record()),
                at_end(record()),
            ],
            "InsecureAddresses",
            &[],
        ),
        // An alias at the TLSA name leaves the base as it is, if all of it is secure.
        (
            vec![
                ("mx.example", A, secure_v4(1)),
                ("_25._tcp.mx.example", CNAME, Secure(vec![cname("tlsa.example")])),
                ("tlsa.example", TLSA, record()),
            ],
            "Secure mx.example 1",
            &["mx.example", "tlsa.example"],
        ),
        (
            vec![
                ("mx.example", A, secure_v4(1)),
                ("_25._tcp.mx.example", CNAME, Secure(vec![cname("tlsa.example")])),
                ("tlsa.example", TLSA, Records(vec![tlsa(&RECORD)])),
            ],
            "Insecure mx.example 1",
            &["mx.example", "tlsa.example"],
        ),
        // Errors are never "none".
        (
            vec![("mx.example", A, secure_v4(1)), at_mx(Code(ResponseCode::ServFail))],
            "failed: dns: servfail: Server Failure",
            &["mx.example"; 3],
        ),
        (
            vec![("mx.example", A, secure_v4(1)), at_mx(Code(ResponseCode::NotImp))],
            "failed: dns: servfail: Not Implemented",
            &["mx.example"; 2],
        ),
        (
            vec![("mx.example", A, secure_v4(1)), at_mx(Bogus(vec![tlsa(&RECORD)]))],
            "Bogus",
            &["mx.example"; 4],
        ),
        (vec![("mx.example", A, secure_v4(1)), at_mx(Bogus(vec![]))], "Bogus", &["mx.example"; 4]),
        // A refusal that passes is none.
        (
            vec![("mx.example", A, secure_v4(1)), at_mx(Flaky(vec![tlsa(&RECORD)]))],
            "Insecure mx.example 1",
            &["mx.example"; 2],
        ),
        // A record that is none is of no use, and says nothing of the others.
        (
            vec![("mx.example", A, secure_v4(1)), at_mx(Secure(vec![tlsa(&RECORD), tlsa(&[3, 1])]))],
            "Secure mx.example 1 and 1 short",
            &["mx.example"],
        ),
        (
            vec![
                ("mx.example", A, secure_v4(1)),
                at_mx(Secure(vec![tlsa(&[]), tlsa(&[3]), tlsa(&[3, 1, 1])])),
            ],
            "Secure mx.example 1 and 2 short",
            &["mx.example"],
        ),
    ];
    for (table, expected, asked) in rows {
        let server = start(signed(table.clone())).await;
        let facts = of(&[&server]).lookup(target("d.example")).await;
        assert_eq!(facts.mx_authenticity, Some(Authenticity::Secure));
        let outcome = told(&facts);
        let as_expected =
            if expected.starts_with("failed") { outcome.starts_with(expected) } else { outcome == expected };
        assert!(as_expected, "{outcome}, not {expected}: {:?}", server.log());
        let told_of: Vec<&str> = asked.to_vec();
        assert_eq!(asked_for_tlsa(&server), told_of, "{expected}");
    }
}

/// A domain without MX records is a host as any other (RFC 7672 §2.2.2): where it is
/// an alias, records count where that leads first, then at its own name.
#[tokio::test]
async fn a_domain_that_is_its_own_host_and_an_alias_has_the_base_where_the_alias_leads() {
    let alias = |reply: fn(Vec<_>) -> Reply| ("d.example", CNAME, reply(vec![cname("E.example")]));
    let no_mx = |reply: fn(Vec<_>) -> Reply| ("e.example", MX, reply(vec![]));
    let at_end = |reply| ("_25._tcp.e.example", TLSA, reply);
    let own = |reply| ("_25._tcp.d.example", TLSA, reply);
    let end = ("e.example", A, secure_v4(1));
    let rows: Vec<(Table, &str, &[&str])> = vec![
        (
            vec![alias(Secure), no_mx(Secure), end.clone(), at_end(record()), own(record())],
            "Secure e.example 1",
            &["e.example"],
        ),
        (
            vec![alias(Secure), no_mx(Secure), end.clone(), own(record())],
            "Secure d.example 1",
            &["e.example", "d.example"],
        ),
        (
            vec![alias(Secure), no_mx(Secure), ("e.example", A, v4(1)), at_end(record()), own(record())],
            "Secure d.example 1",
            &["d.example"],
        ),
        (vec![alias(Records), no_mx(Secure), end, at_end(record()), own(record())], "InsecureAddresses", &[]),
    ];
    for (table, expected, asked) in rows {
        let server = start(table).await;
        let facts = of(&[&server]).lookup(target("d.example")).await;
        assert!(facts.implicit_mx);
        assert_eq!(
            (&*told(&facts), asked_for_tlsa(&server)),
            (expected, asked.iter().map(ToString::to_string).collect())
        );
        assert_eq!(facts.exchanges[0].host.as_ref().unwrap().as_str(), "d.example");
        assert_eq!(facts.mx_alias_end, None);
    }
}

/// It is a name by which a certificate under DANE-TA may know the domain.
#[tokio::test]
async fn what_the_domain_is_an_alias_of_is_kept_where_all_of_the_way_is_secure() {
    let secure = || Secure(vec![mx(10, "mx.example")]);
    let (to_e, to_f) = (|| vec![cname("E.example")], || vec![cname("f.example")]);
    let e_to_f = || ("e.example", CNAME, Secure(to_f()));
    let rows: Vec<(Table, Option<&str>)> = vec![
        (vec![("d.example", CNAME, Secure(to_e())), ("e.example", MX, secure())], Some("e.example")),
        (
            vec![("d.example", CNAME, Secure(to_e())), e_to_f(), ("f.example", MX, secure())],
            Some("f.example"),
        ),
        (vec![("d.example", CNAME, Records(to_e())), e_to_f(), ("f.example", MX, secure())], None),
        (
            vec![
                ("d.example", CNAME, Secure(to_e())),
                ("e.example", MX, Records(vec![mx(10, "mx.example")])),
            ],
            None,
        ),
        (vec![("d.example", MX, secure())], None),
    ];
    for (mut table, expected) in rows {
        table.push(("mx.example", A, secure_v4(1)));
        let server = start(table).await;
        let facts = of(&[&server]).lookup(target("d.example")).await;
        let end = facts.mx_alias_end.as_ref().map(|end| end.as_str());
        assert_eq!(end, expected, "{:?}", server.log());
    }
}

/// The base is what the sender gives as SNI.
#[tokio::test]
async fn the_base_of_the_records_is_the_name_that_a_sender_gives() {
    let table = signed(vec![
        ("mx.example", CNAME, Secure(vec![cname("End.example")])),
        ("end.example", A, secure_v4(1)),
        ("_25._tcp.end.example", TLSA, record()),
    ]);
    let server = start(table).await;
    let facts = of(&[&server]).lookup(target("d.example")).await;
    let keys: Vec<String> = facts.probe_keys(2525).map(|(_, key)| key.to_string()).collect();
    assert_eq!(
        facts.exchanges[0].tls_name().map(ToString::to_string).as_deref(),
        Some("end.example"),
        "{keys:?}"
    );
    assert_eq!(facts.exchanges[0].host.as_ref().unwrap().as_str(), "mx.example");
}

#[tokio::test]
async fn who_vouches_for_the_mx_is_told_over_the_whole_chain() {
    let secure = || Secure(vec![mx(10, "mx.example")]);
    let insecure = || Records(vec![mx(10, "mx.example")]);
    let to_e = |reply: fn(Vec<hickory_proto::rr::RData>) -> Reply| reply(vec![cname("e.example")]);
    let own_address = ("d.example", A, secure_v4(1));
    let rows: Vec<(Table, Option<Authenticity>, Option<Kind>)> = vec![
        (vec![("d.example", MX, secure())], Some(Authenticity::Secure), None),
        (vec![("d.example", MX, insecure())], Some(Authenticity::Insecure), None),
        (
            vec![("d.example", CNAME, to_e(Secure)), ("e.example", MX, secure())],
            Some(Authenticity::Secure),
            None,
        ),
        (
            vec![("d.example", CNAME, to_e(Secure)), ("e.example", MX, insecure())],
            Some(Authenticity::Insecure),
            None,
        ),
        (
            vec![("d.example", CNAME, to_e(Records)), ("e.example", MX, secure())],
            Some(Authenticity::Insecure),
            None,
        ),
        // No MX: the denial counts.
        (vec![("d.example", MX, Secure(vec![])), own_address.clone()], Some(Authenticity::Secure), None),
        (vec![("d.example", MX, Records(vec![])), own_address], Some(Authenticity::Insecure), None),
        (vec![("d.example", MX, SecurelyGone)], Some(Authenticity::Secure), Some(Kind::Nxdomain)),
        (vec![], Some(Authenticity::Insecure), Some(Kind::Nxdomain)),
        // Refused, and answered if it is not to be checked.
        (
            vec![("d.example", MX, Bogus(vec![mx(10, "mx.example")]))],
            Some(Authenticity::Bogus),
            Some(Kind::Servfail),
        ),
        (vec![("d.example", MX, Bogus(vec![]))], Some(Authenticity::Bogus), Some(Kind::Servfail)),
        (vec![("d.example", MX, Code(ResponseCode::ServFail))], None, Some(Kind::Servfail)),
    ];
    for (mut table, expected, failure) in rows {
        table.push(("mx.example", A, v4(1)));
        let server = start(table).await;
        let facts = of(&[&server]).lookup(target("d.example")).await;
        assert_eq!((facts.mx_authenticity, kind(&facts)), (expected, failure), "{:?}", server.log());
        let is_bogus =
            facts.failure.and_then(|failure| failure.detail).is_some_and(|it| it.starts_with("bogus"));
        assert_eq!(is_bogus, expected == Some(Authenticity::Bogus));
    }
}

/// A sender asks for the records of a host under an insecure MX, or does not: the
/// facts have them.
#[tokio::test]
async fn records_are_asked_for_under_an_insecure_mx_too() {
    let table = vec![
        ("d.example", MX, Records(vec![mx(10, "mx.example")])),
        ("mx.example", A, secure_v4(1)),
        ("_25._tcp.mx.example", TLSA, record()),
    ];
    let server = start(table).await;
    let facts = of(&[&server]).lookup(target("d.example")).await;
    assert_eq!(
        (facts.mx_authenticity, &*told(&facts)),
        (Some(Authenticity::Insecure), "Secure mx.example 1")
    );
}

/// Each row: which families are asked over, what stands there, why there is no
/// address or not those of one family, and whether that is as it is bogus.
#[tokio::test]
async fn bogus_addresses_are_an_error_of_the_host_and_told_as_such() {
    let (a, aaaa) = (|reply| ("mx.example", A, reply), |reply| ("mx.example", AAAA, reply));
    let bogus_a = || a(Bogus(vec![address("192.0.2.1")]));
    let bogus_aaaa = || aaaa(Bogus(vec![address("2001:db8::1")]));
    let refused = || aaaa(Code(ResponseCode::ServFail));
    let v6 = || aaaa(Secure(vec![address("2001:db8::1")]));
    let rows: Vec<(bool, Table, Option<Kind>, bool)> = vec![
        (true, vec![bogus_a(), aaaa(Bogus(vec![]))], Some(Kind::Servfail), true),
        (true, vec![bogus_a(), aaaa(Secure(vec![]))], Some(Kind::Servfail), true),
        (true, vec![bogus_a(), refused()], Some(Kind::Servfail), false),
        (true, vec![bogus_a(), v6()], Some(Kind::Servfail), true),
        (true, vec![a(secure_v4(1)), refused()], Some(Kind::Servfail), false),
        (true, vec![a(secure_v4(1)), v6()], None, false),
        (true, vec![a(Secure(vec![]))], Some(Kind::NoData), false),
        // Over IPv4 alone: a sender may have the other.
        (false, vec![bogus_a(), aaaa(Secure(vec![]))], Some(Kind::Servfail), true),
        (false, vec![bogus_a(), bogus_aaaa()], Some(Kind::Servfail), true),
        (false, vec![bogus_a(), refused()], Some(Kind::Servfail), false),
        (false, vec![bogus_a(), v6()], Some(Kind::NoRoute), false),
        (false, vec![a(secure_v4(1)), bogus_aaaa()], None, false),
    ];
    for (ipv6, mut table, expected, is_bogus) in rows {
        table.push(("_25._tcp.mx.example", TLSA, record()));
        let server = start(signed(table)).await;
        let config = LookupConfig { dane: true, ipv6, ..config(&server) };
        let facts = DnsLookup::new(config).unwrap().lookup(target("d.example")).await;
        let [exchange] = &facts.exchanges[..] else { panic!("{facts:?}") };
        let failure = exchange.why_unresolved().map(|failure| failure.kind);
        assert_eq!((failure, exchange.addresses_bogus), (expected, is_bogus), "{:?}", server.log());
        let whole = exchange.failure.as_ref().filter(|_| is_bogus);
        assert!(whole.is_none_or(|failure| failure.detail.as_ref().unwrap().starts_with("bogus")));
    }
}

/// A domain without MX records is its own host (RFC 5321 section 5.1).
#[tokio::test]
async fn a_domain_that_is_its_own_host_keeps_it_where_its_addresses_are_bogus() {
    let own = |reply| vec![("d.example", MX, Secure(vec![])), ("d.example", A, reply)];
    let server = start(own(Bogus(vec![address("192.0.2.1")]))).await;
    let facts = of(&[&server]).lookup(target("d.example")).await;
    assert_eq!((kind(&facts), facts.implicit_mx), (Some(Kind::Servfail), true));
    assert!(facts.exchanges[0].addresses_bogus && facts.exchanges[0].tlsa.is_none());
    let server = start(own(Code(ResponseCode::ServFail))).await;
    let facts = of(&[&server]).lookup(target("d.example")).await;
    assert_eq!((kind(&facts), facts.exchanges.len()), (Some(Kind::Servfail), 0));
}

/// Only the port of mail between servers counts, and a host that is named outright
/// has records, too.
#[tokio::test]
async fn a_host_that_is_named_is_asked_for_records_of_port_25() {
    let server = start(vec![("mx.example", A, secure_v4(1)), ("_25._tcp.mx.example", TLSA, record())]).await;
    let subject = Subject::Host { name: DomainName::parse("mx.example").unwrap(), port: Some(2525) };
    let facts = of(&[&server]).lookup(Target { line: 1, subject }).await;
    assert_eq!((&*told(&facts), facts.mx_authenticity), ("Secure mx.example 1", None));
}

#[tokio::test]
async fn records_are_sorted_bounded_and_each_once() {
    let many = |count: u8| (0..count).rev().map(|n| tlsa(&[3, 1, 0, n])).collect::<Vec<_>>();
    let doubled = [many(3), many(3)].concat();
    for (records, kept, excess) in [(doubled, 3, 0), (many(40), TLSA_RECORDS_MAX, 8)] {
        let table =
            signed(vec![("mx.example", A, secure_v4(1)), ("_25._tcp.mx.example", TLSA, Secure(records))]);
        let server = start(table).await;
        let facts = of(&[&server]).lookup(target("d.example")).await;
        let tlsa = facts.exchanges[0].tlsa.as_ref().unwrap();
        assert_eq!((tlsa.records.len(), tlsa.records_excess), (kept, excess));
        assert!(tlsa.records.windows(2).all(|pair| pair[0].data.0 < pair[1].data.0));
    }
}

#[tokio::test]
async fn so_many_hosts_are_asked_for_records_and_the_others_are_told() {
    const HOSTS: [&str; 8] = [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
        "f.example",
        "g.example",
        "h.example",
    ];
    let mut table: Table =
        vec![("domain.example", MX, Secure(HOSTS.iter().zip(1..).map(|(host, n)| mx(n, host)).collect()))];
    // The first is insecure, and takes no question.
    table.push((HOSTS[0], A, v4(1)));
    table.extend(HOSTS[1..].iter().map(|host| (*host, A, secure_v4(2))));
    let server = start(table).await;
    let facts = of(&[&server]).lookup(target("domain.example")).await;
    let outcomes: Vec<_> =
        facts.exchanges.iter().map(|it| it.tlsa.as_ref().unwrap().outcome.clone()).collect();
    assert_eq!(outcomes[0], TlsaOutcome::InsecureAddresses);
    assert_eq!(outcomes[1..7], [const { TlsaOutcome::Absent }; TLSA_HOSTS_MAX]);
    let TlsaOutcome::Failed(failure) = &outcomes[7] else { panic!("{outcomes:?}") };
    assert_eq!((failure.kind, asked_for_tlsa(&server).len()), (Kind::TooMany, TLSA_HOSTS_MAX));
}

/// Hosts that several domains share, and names that one domain has twice, are
/// asked for once.
#[tokio::test]
async fn who_vouches_is_kept_with_the_answer() {
    let mut table = signed(vec![("mx.example", A, secure_v4(1)), ("_25._tcp.mx.example", TLSA, record())]);
    table.push(("e.example", MX, Secure(vec![mx(10, "mx.example"), mx(20, "MX.example")])));
    let server = start(table).await;
    let lookup = of(&[&server]);
    let first = lookup.lookup(target("d.example")).await;
    let again = lookup.lookup(target("d.example")).await;
    assert_eq!(first, again);
    let other = lookup.lookup(target("e.example")).await;
    assert!(other.exchanges.iter().all(|it| it.tlsa == first.exchanges[0].tlsa), "{other:?}");
    assert_eq!(asked_for_tlsa(&server), ["mx.example"]);
    assert_eq!(server.count("d.example"), 1);
    assert_eq!(server.count(""), 1, "once a run");
}

#[tokio::test]
async fn without_dane_nothing_of_it_is_asked() {
    let server = start(signed(vec![("mx.example", A, secure_v4(1))])).await;
    let facts = DnsLookup::new(config(&server)).unwrap().lookup(target("d.example")).await;
    assert_eq!((facts.mx_authenticity, &*told(&facts)), (None, "not asked"));
    assert_eq!((asked_for_tlsa(&server).len(), server.count("")), (0, 0));
}

/// Nobody says then that a host has none.
#[tokio::test]
async fn who_does_not_validate_vouches_for_nothing() {
    for root in [Records(vec![dnskey()]), Secure(vec![]), SecurelyGone, Code(ResponseCode::Refused)] {
        let mut table =
            signed(vec![("mx.example", A, secure_v4(1)), ("_25._tcp.mx.example", TLSA, record())]);
        table.push(("", ROOT_KEY, root));
        let server = DnsServer::start(table).await;
        let lookup = of(&[&server]);
        let facts = lookup.lookup(target("d.example")).await;
        assert_eq!(
            (facts.mx_authenticity, &*told(&facts)),
            (Some(Authenticity::NotValidated), "NotValidated")
        );
        assert_eq!(asked_for_tlsa(&server).len(), 0);
        let resolvers = lookup.resolvers();
        assert_eq!((resolvers.len(), resolvers[0].ad_believed), (1, Some(false)));
        assert!(resolvers[0].because.contains("`. DNSKEY`"), "{resolvers:?}");
    }
}

/// One that stops in the middle of a run is found out.
#[tokio::test]
async fn who_stops_validating_is_believed_no_longer() {
    let of_two = |root: Reply| {
        let mut table =
            signed(vec![("mx.example", A, v4(1)), ("e.example", MX, Records(vec![mx(1, "mx.example")]))]);
        table.push(("", ROOT_KEY, root));
        DnsServer::start(table)
    };
    for (root, expected) in [
        (SecureOnce(vec![dnskey()]), Authenticity::NotValidated),
        (Secure(vec![dnskey()]), Authenticity::Insecure),
    ] {
        let server = of_two(root).await;
        let lookup = of(&[&server]);
        let facts = lookup.lookup(target("d.example")).await;
        assert_eq!(facts.mx_authenticity, Some(Authenticity::Secure));
        assert!(!lookup.resolvers()[0].stopped_validating);
        let again = lookup.resolvers_looked_at_again().await;
        assert_eq!(again, lookup.resolvers());
        let facts = lookup.lookup(target("e.example")).await;
        assert_eq!(facts.mx_authenticity, Some(expected));
        let [resolver] = &lookup.resolvers()[..] else { panic!("one was named") };
        let has_stopped = expected == Authenticity::NotValidated;
        assert_eq!((resolver.stopped_validating, resolver.ad_believed), (has_stopped, Some(!has_stopped)));
    }
}

/// A signed domain and another, at a resolver that validates until it is released;
/// those that are believed are looked at again after so long.
async fn until_released(checked_after: Duration) -> (DnsServer, DnsLookup) {
    with_root(SecureUntilReleased(vec![dnskey()]), checked_after).await
}

/// The same where this is said of the keys of the root.
async fn with_root(root: Reply, checked_after: Duration) -> (DnsServer, DnsLookup) {
    let mut table = signed(vec![
        ("mx.example", A, secure_v4(1)),
        ("_25._tcp.mx.example", TLSA, record()),
        ("e.example", MX, Secure(vec![mx(1, "mx.example")])),
        ("f.example", MX, Secure(vec![mx(1, "mx.example")])),
    ]);
    table.push(("", ROOT_KEY, root));
    let server = DnsServer::start(table).await;
    let nameservers = vec![server.address];
    let config =
        LookupConfig { dane: true, nameservers, validation_checked_after: checked_after, ..config(&server) };
    (server, DnsLookup::new(config).unwrap())
}

/// That is looked for while the run goes on.
#[tokio::test]
async fn whether_those_that_are_believed_validate_is_looked_at_again_in_time() {
    let secure = Some(Authenticity::Secure);
    for (checked_after, expected) in [
        (LookupConfig::default().validation_checked_after, secure),
        (Duration::ZERO, Some(Authenticity::NotValidated)),
    ] {
        let (server, lookup) = until_released(checked_after).await;
        assert_eq!(lookup.lookup(target("d.example")).await.mx_authenticity, secure);
        server.release();
        assert_eq!(lookup.lookup(target("e.example")).await.mx_authenticity, expected);
        assert_eq!(lookup.resolvers()[0].stopped_validating, expected != secure);
    }
}

/// One that gave no answer at first, as it was busy, is believed once it does.
#[tokio::test]
async fn who_shows_later_that_it_validates_is_believed_from_then_on() {
    let (server, lookup) = with_root(ServfailUntilReleased(vec![dnskey()]), Duration::ZERO).await;
    let facts = lookup.lookup(target("d.example")).await;
    assert_eq!((facts.mx_authenticity, &*told(&facts)), (Some(Authenticity::NotValidated), "NotValidated"));
    let [resolver] = &lookup.resolvers()[..] else { panic!("one was named") };
    assert_eq!(resolver.ad_believed, Some(false));
    assert!(resolver.because.starts_with("it gave no answer to `. DNSKEY`"), "{resolver:?}");
    server.release();
    // The first question brings it about.
    lookup.lookup(target("e.example")).await;
    assert_eq!(lookup.resolvers()[0].ad_believed, Some(true));
    for domain in ["d.example", "e.example", "f.example"] {
        let facts = lookup.lookup(target(domain)).await;
        let told = (facts.mx_authenticity, &*told(&facts));
        assert_eq!(told, (Some(Authenticity::Secure), "Secure mx.example 1"), "{domain}");
    }
}

/// What it said counts no more either.
#[tokio::test]
async fn what_one_said_that_is_believed_no_longer_is_forgotten() {
    let (server, lookup) = until_released(Duration::ZERO).await;
    let facts = lookup.lookup(target("d.example")).await;
    assert_eq!((facts.mx_authenticity, &*told(&facts)), (Some(Authenticity::Secure), "Secure mx.example 1"));
    server.release();
    lookup.lookup(target("e.example")).await;
    let facts = lookup.lookup(target("d.example")).await;
    assert_eq!((facts.mx_authenticity, &*told(&facts)), (Some(Authenticity::NotValidated), "NotValidated"));
    // From then on answers are kept again.
    lookup.lookup(target("f.example")).await;
    assert_eq!(server.count("d.example"), 2);
    lookup.lookup(target("d.example")).await;
    assert_eq!(server.count("d.example"), 2);
}

/// The address of a stub is on loopback, and is believed on somebody's word alone.
#[tokio::test]
async fn a_stub_is_believed_if_it_is_named() {
    let stub: SocketAddr = "127.0.0.53:53".parse().unwrap();
    let lookup = |trusted_ad| {
        let config = LookupConfig { nameservers: vec![stub], trusted_ad, ..LookupConfig::default() };
        DnsLookup::new(config).unwrap().resolvers().remove(0)
    };
    let told = lookup(vec![]);
    assert_eq!(told.ad_believed, Some(false), "{told:?}");
    let told = lookup(vec!["127.0.0.53".parse().unwrap()]);
    assert_eq!(told.ad_believed, None, "it was not asked yet: {told:?}");
    assert!(told.because.starts_with("named by --trust-ad"), "{told:?}");
}

/// A validating resolver and one that is not, in either order.
#[tokio::test]
async fn no_answer_without_ad_overrules_a_refusal() {
    let plain =
        signed(vec![("mx.example", A, v4(1)), ("x.example", MX, Records(vec![mx(10, "mx.example")]))]);
    let plain = [
        vec![
            ("bogus.example", MX, Records(vec![mx(10, "mx.example")])),
            ("broken.example", MX, Records(vec![mx(10, "mx.example")])),
            ("flaky.example", MX, Records(vec![mx(10, "mx.example")])),
        ],
        plain,
    ]
    .concat();
    let validated = signed(vec![
        ("mx.example", A, secure_v4(1)),
        ("_25._tcp.mx.example", TLSA, record()),
        ("bogus.example", MX, Bogus(vec![mx(10, "mx.example")])),
        ("broken.example", MX, Code(ResponseCode::ServFail)),
        ("flaky.example", MX, Flaky(vec![mx(10, "mx.example")])),
    ]);
    for order in [[0, 1], [1, 0]] {
        let servers = [DnsServer::start(plain.clone()).await, start(validated.clone()).await];
        let order = order.map(|place| &servers[place]);
        let lookup = of(&order);
        // Asked first, wherever it stands.
        let facts = lookup.lookup(target("d.example")).await;
        assert_eq!(
            (facts.mx_authenticity, &*told(&facts)),
            (Some(Authenticity::Secure), "Secure mx.example 1")
        );
        let facts = lookup.lookup(target("bogus.example")).await;
        assert_eq!((kind(&facts), facts.mx_authenticity), (Some(Kind::Servfail), Some(Authenticity::Bogus)));
        // No answer at all, checked or not: the other's will do for addresses.
        let facts = lookup.lookup(target("broken.example")).await;
        assert_eq!((kind(&facts), facts.mx_authenticity), (None, None));
        let of_tlsa = told(&facts);
        assert!(of_tlsa.starts_with("failed: dns: servfail") && of_tlsa.contains("MX"), "{of_tlsa}");
        // It passes: its word counts.
        let facts = lookup.lookup(target("flaky.example")).await;
        assert_eq!((kind(&facts), facts.mx_authenticity), (None, Some(Authenticity::Insecure)));
        let believed: Vec<_> = lookup.resolvers().iter().map(|it| it.ad_believed).collect();
        assert_eq!(believed.iter().filter(|it| **it == Some(true)).count(), 1, "{believed:?}");
    }
}

/// Of two that validate, one that refuses leaves to the other only what that one
/// has validated.
#[tokio::test]
async fn one_that_validates_and_fails_leaves_the_word_to_the_next() {
    let table = |reply| signed(vec![("mx.example", A, v4(1)), ("e.example", MX, reply)]);
    for (failing, reply, expected) in [
        (ResponseCode::ServFail, Secure(vec![mx(10, "mx.example")]), Some(Authenticity::Secure)),
        (ResponseCode::ServFail, Records(vec![mx(10, "mx.example")]), None),
        (ResponseCode::Refused, Records(vec![mx(10, "mx.example")]), Some(Authenticity::Insecure)),
    ] {
        let failing = start(table(Code(failing))).await;
        let other = start(table(reply)).await;
        let facts = of(&[&failing, &other]).lookup(target("e.example")).await;
        assert_eq!((kind(&facts), facts.mx_authenticity), (None, expected));
    }
}

/// What is wrong at a resolver that is believed stays wrong, whatever another says
/// beside it, in either order.
#[tokio::test]
async fn an_error_of_one_that_is_believed_does_not_weaken_beside_another() {
    let table = |tlsa: Option<Reply>| {
        let at_mx = tlsa.map(|reply| ("_25._tcp.mx.example", TLSA, reply));
        signed([("mx.example", A, secure_v4(1))].into_iter().chain(at_mx).collect())
    };
    let plain = || signed(vec![("mx.example", A, v4(1))]);
    let servfail = || Code(ResponseCode::ServFail);
    let insecurely_none = || Some(Records(vec![]));
    for (reply, other, is_believed, expected) in [
        (servfail(), plain(), false, "failed: dns: servfail"),
        (Silence, plain(), false, "failed: dns: timeout"),
        (Bogus(vec![]), plain(), false, "Bogus"),
        (servfail(), table(insecurely_none()), true, "failed: dns: servfail"),
        (Bogus(vec![]), table(insecurely_none()), true, "Bogus"),
    ] {
        let believed = start(table(Some(reply))).await;
        let other = if is_believed { start(other).await } else { DnsServer::start(other).await };
        for order in [[&believed, &other], [&other, &believed]] {
            let nameservers = order.iter().map(|server| server.address).collect();
            let timeout = Duration::from_millis(700);
            let config = LookupConfig { dane: true, nameservers, timeout, ..config(order[0]) };
            let facts = DnsLookup::new(config).unwrap().lookup(target("d.example")).await;
            let outcome = told(&facts);
            // Of two that are believed the first is asked first.
            let is_first = order[0].address == believed.address;
            assert!(outcome.starts_with(expected) || is_believed && !is_first, "{outcome}, not {expected}");
            assert!(facts.may_be_known_later() || is_believed && !is_first, "{outcome}");
            assert!(is_believed || asked_for_tlsa(&other).is_empty(), "{outcome}");
        }
    }
}

#[tokio::test]
async fn addresses_of_another_than_the_believed_are_vouched_for_by_nobody_knows_whom() {
    let believed = start(signed(vec![
        ("mx.example", A, Code(ResponseCode::ServFail)),
        ("mx.example", AAAA, Code(ResponseCode::ServFail)),
    ]));
    let other = DnsServer::start(signed(vec![("mx.example", A, v4(1))]));
    let (believed, other) = tokio::join!(believed, other);
    let facts = of(&[&believed, &other]).lookup(target("d.example")).await;
    assert_eq!(facts.mx_authenticity, Some(Authenticity::Secure));
    assert_eq!((facts.exchanges[0].addresses.len(), facts.may_be_known_later()), (1, true));
    assert_eq!(told(&facts), "failed: dns: servfail: Server Failure");
}
