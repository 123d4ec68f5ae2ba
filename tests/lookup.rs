//! The lookup stage against a real DNS server on loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "lookup/aliases.rs"]
mod aliases;
#[path = "lookup/dane.rs"]
mod dane;
#[path = "lookup/policies.rs"]
mod policies;
#[path = "lookup/server.rs"]
mod server;
#[path = "lookup/traffic.rs"]
mod traffic;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, MX};
use hickory_server::net::xfer::Protocol;
use mxray::internals::lookup::{
    ADDRESSES_PER_EXCHANGE_MAX, DnsLookup, EXCHANGES_MAX, LookupConfig, SmartHosts,
};
use mxray::internals::model::{DomainFacts, DomainName, Exchange, Kind, MxHost, Phase, Subject, Target};
use mxray::internals::sender::connector::parse_toml;
use mxray::internals::stage::Lookup;
use server::Reply::{self, Code, Flaky, Held, Records, Referral, Silence, Truncated};
use server::{DnsServer, address, cname, mx};
use std::time::Duration;

fn config(server: &DnsServer) -> LookupConfig {
    LookupConfig {
        nameservers: vec![server.address],
        timeout: Duration::from_secs(5),
        attempts: 2,
        dane: false,
        tls_rpt: false,
        ..LookupConfig::default()
    }
}

fn target(domain: &str) -> Target {
    Target { line: 1, subject: Subject::Domain(DomainName::parse(domain).unwrap()) }
}

/// A server with this table, and what is found for one domain of it.
async fn find(domain: &str, table: Vec<(&'static str, RecordType, Reply)>) -> (DnsServer, DomainFacts) {
    let server = DnsServer::start(table).await;
    let facts = DnsLookup::new(config(&server)).unwrap().lookup(target(domain)).await;
    assert_eq!(facts.target, target(domain));
    assert_eq!(facts.failure.is_none(), facts.exchanges.iter().any(|e| !e.addresses.is_empty()));
    (server, facts)
}

/// The kind of a failure in its phase, which is `dns` for all but one.
fn kind(facts: &DomainFacts) -> Option<Kind> {
    facts.failure.as_ref().map(|failure| {
        let phase = if failure.kind == Kind::NoRoute { Phase::Connect } else { Phase::Dns };
        assert_eq!(failure.phase, phase);
        failure.kind
    })
}

/// Each exchange in one line: `10 mx.example 192.0.2.1 ::1` or
/// `10 mx.example nxdomain`.
fn lines(facts: &DomainFacts) -> Vec<String> {
    facts.exchanges.iter().map(line).collect()
}

fn line(exchange: &Exchange) -> String {
    let host = exchange.host.as_ref().map_or("-".to_string(), ToString::to_string);
    let mut line = format!("{} {host}", exchange.preference);
    for ip in &exchange.addresses {
        line += &format!(" {ip}");
    }
    if let Some(failure) = &exchange.failure {
        line += &format!(" {}", failure.kind);
    }
    line
}

fn v4(last: u8) -> Reply {
    Records(vec![address(&format!("192.0.2.{last}"))])
}

#[tokio::test]
async fn exchangers_come_by_preference_and_addresses_by_family() {
    let (_, facts) = find(
        "d.example",
        vec![
            ("d.example", MX, Records(vec![mx(20, "c.example"), mx(10, "B.EXAMPLE"), mx(10, "a.example")])),
            ("a.example", A, Records(vec![address("192.0.2.10"), address("192.0.2.9")])),
            ("a.example", AAAA, Records(vec![address("2001:db8::1")])),
            ("b.example", A, v4(2)),
            ("c.example", AAAA, Records(vec![address("2001:db8::3")])),
        ],
    )
    .await;
    assert_eq!(kind(&facts), None);
    assert!(!facts.implicit_mx);
    assert_eq!(
        lines(&facts),
        [
            "10 a.example 192.0.2.9 192.0.2.10 2001:db8::1",
            "10 b.example 192.0.2.2",
            "20 c.example 2001:db8::3"
        ]
    );
}

/// Connectors whose one takes `d.example` to these smart hosts.
fn smart_hosts_of(smart_hosts: &[&str]) -> SmartHosts {
    let text = format!(
        "[[connector]]\nname = 'c'\ndomains = ['d.example']\nuse_mx_record = false\nsmart_hosts = {smart_hosts:?}"
    );
    let connectors = parse_toml(&text).unwrap().in_force(Vec::new()).unwrap();
    SmartHosts::new(move |domain| {
        connectors.choose(domain).map_or_else(Vec::new, |it| it.smart_hosts.clone())
    })
}

#[tokio::test]
async fn smart_hosts_stand_in_for_the_mx() {
    let server = DnsServer::start(vec![
        ("d.example", MX, Records(vec![mx(10, "a.example")])),
        ("a.example", A, v4(9)),
        ("relay.example", A, v4(1)),
        ("e.example", MX, Records(vec![mx(10, "a.example")])),
    ])
    .await;
    let smart_hosts = ["relay.example", "192.0.2.7", "192.0.2.16/30", "gone.example"];
    let config = LookupConfig { smart_hosts: smart_hosts_of(&smart_hosts), ..config(&server) };
    let lookup = DnsLookup::new(config).unwrap();
    let facts = lookup.lookup(target("d.example")).await;
    assert_eq!((kind(&facts), facts.smart_hosts), (None, true));
    assert_eq!(
        lines(&facts),
        [
            "0 relay.example 192.0.2.1",
            "0 - 192.0.2.7",
            "0 - 192.0.2.17 192.0.2.18",
            "0 gone.example nxdomain"
        ]
    );
    assert_eq!(server.count("d.example"), 0, "its MX does not matter");
    let facts = lookup.lookup(target("e.example")).await;
    assert_eq!((lines(&facts).len(), facts.smart_hosts), (1, false));
}

#[tokio::test]
async fn each_answer_to_mx_has_its_own_kind() {
    for (reply, expected, asked) in [
        (Code(ResponseCode::NXDomain), Kind::Nxdomain, 1),
        (Code(ResponseCode::ServFail), Kind::Servfail, 2),
        (Code(ResponseCode::Refused), Kind::Servfail, 2),
        (Code(ResponseCode::NotImp), Kind::Servfail, 2),
        (Code(ResponseCode::FormErr), Kind::Servfail, 2),
        // One of DNS Stateful Operations, which has no meaning here (RFC 8490 §10.2).
        (Code(ResponseCode::Unknown(11)), Kind::Servfail, 1),
        (Referral, Kind::Servfail, 1),
    ] {
        // An address is there: a failed MX question must not end in it.
        let (server, facts) =
            find("d.example", vec![("d.example", MX, reply), ("d.example", A, v4(1))]).await;
        assert_eq!(kind(&facts), Some(expected));
        assert_eq!(server.count("d.example"), asked, "{:?}", server.log());
    }
}

#[tokio::test]
async fn without_mx_the_domain_is_its_own_exchanger() {
    let (_, facts) = find("d.example", vec![("d.example", A, v4(1))]).await;
    assert!(facts.implicit_mx);
    assert_eq!(lines(&facts), ["0 d.example 192.0.2.1"]);
}

#[tokio::test]
async fn without_mx_and_address_there_is_no_data() {
    let (_, facts) = find("d.example", vec![("d.example", RecordType::TXT, Records(vec![]))]).await;
    assert_eq!(kind(&facts), Some(Kind::NoData));
    assert!(!facts.implicit_mx);
    assert_eq!(facts.exchanges, []);
}

#[tokio::test]
async fn an_open_question_about_the_implicit_mx_stays_open() {
    let (_, facts) = find("d.example", vec![("d.example", A, Code(ResponseCode::ServFail))]).await;
    assert_eq!(kind(&facts), Some(Kind::Servfail));
    assert!(!facts.implicit_mx);
}

#[tokio::test]
async fn null_mx_alone_means_no_mail() {
    let (server, facts) =
        find("d.example", vec![("d.example", MX, Records(vec![mx(0, ".")])), ("d.example", A, v4(1))]).await;
    assert_eq!(kind(&facts), Some(Kind::NullMx));
    assert_eq!(lines(&facts), ["0  null_mx"]);
    assert_eq!(server.log().len(), 1);
}

#[tokio::test]
async fn null_mx_beside_others_is_passed_over() {
    let (_, facts) = find(
        "d.example",
        vec![("d.example", MX, Records(vec![mx(0, "."), mx(10, "a.example")])), ("a.example", A, v4(1))],
    )
    .await;
    assert_eq!(kind(&facts), None);
    assert_eq!(lines(&facts), ["0  mx_unusable", "10 a.example 192.0.2.1"]);
}

#[tokio::test]
async fn exchangers_that_name_no_host_are_unusable() {
    let (server, facts) = find(
        "d.example",
        vec![
            (
                "d.example",
                MX,
                Records(vec![
                    mx(1, "192.0.2.1"),
                    mx(2, "localhost"),
                    mx(3, "gone.example"),
                    mx(4, "bare.example"),
                ]),
            ),
            ("bare.example", RecordType::TXT, Records(vec![])),
            ("d.example", A, v4(1)),
        ],
    )
    .await;
    assert_eq!(kind(&facts), Some(Kind::MxUnusable));
    assert_eq!(
        lines(&facts),
        [
            "1 192.0.2.1 mx_unusable",
            "2 localhost mx_unusable",
            "3 gone.example nxdomain",
            "4 bare.example no_data"
        ]
    );
    assert_eq!(server.count("localhost") + server.count("192.0.2.1"), 0);
}

#[tokio::test]
async fn what_is_in_no_dns_is_told_as_ours_and_not_asked_for() {
    for (domain, source) in
        [("d.localhost", "RFC 6761 §6.3"), ("d.invalid", "RFC 6761 §6.4"), ("d.onion", "RFC 7686 §2")]
    {
        let (server, facts) = find(domain, vec![]).await;
        assert_eq!(kind(&facts), Some(Kind::SpecialUseName), "{domain}");
        assert!(facts.failure.unwrap().detail.unwrap().ends_with(&format!("({source})")));
        assert_eq!(server.count(domain), 0);
        let host = Subject::Host { name: DomainName::parse(domain).unwrap(), port: None };
        let lookup = DnsLookup::new(config(&server)).unwrap();
        let facts = lookup.lookup(Target { line: 1, subject: host }).await;
        assert_eq!(kind(&facts), Some(Kind::SpecialUseName), "{domain} as a host");
    }
    // These are asked for like any other.
    for domain in ["d.test", "d.local", "d.alt"] {
        let (server, facts) = find(domain, vec![]).await;
        assert_eq!((kind(&facts), server.count(domain)), (Some(Kind::Nxdomain), 1), "{domain}");
    }
    // An alias leads there, of the domain or of its mail host.
    let (_, facts) = find("d.example", vec![("d.example", MX, Records(vec![cname("mx.invalid")]))]).await;
    assert_eq!(kind(&facts), Some(Kind::SpecialUseName));
    let alias = vec![
        ("d.example", MX, Records(vec![mx(10, "mx.example")])),
        ("mx.example", A, Records(vec![cname("x.localhost")])),
        ("mx.example", AAAA, Records(vec![cname("x.localhost")])),
    ];
    let (_, facts) = find("d.example", alias).await;
    assert_eq!(lines(&facts), ["10 mx.example special_use_name"]);
}

#[tokio::test]
async fn why_an_exchanger_names_no_host_is_told() {
    let exchangers = vec![mx(1, "192.0.2.1"), mx(2, "localhost"), mx(3, "mx.invalid"), mx(4, "a.onion")];
    let (_, facts) = find("d.example", vec![("d.example", MX, Records(exchangers))]).await;
    assert_eq!(kind(&facts), Some(Kind::MxUnusable));
    let told: Vec<_> = facts.exchanges.into_iter().map(|it| it.failure.unwrap().detail.unwrap()).collect();
    assert_eq!(
        told.iter().map(|text| &**text).collect::<Vec<_>>(),
        [
            "the MX names no host, but an address (RFC 5321 §5.1)",
            "the MX names no host: names under .localhost are not asked for (RFC 6761 §6.3)",
            "the MX names no host: names under .invalid are not asked for (RFC 6761 §6.4)",
            "the MX names no host: names under .onion are not asked for (RFC 7686 §2)",
        ]
    );
}

#[tokio::test]
async fn a_dead_best_exchanger_leaves_the_second() {
    let (_, facts) = find(
        "d.example",
        vec![
            ("d.example", MX, Records(vec![mx(1, "gone.example"), mx(2, "b.example")])),
            ("b.example", A, v4(2)),
        ],
    )
    .await;
    assert_eq!(kind(&facts), None);
    assert_eq!(lines(&facts), ["1 gone.example nxdomain", "2 b.example 192.0.2.2"]);
}

#[tokio::test]
async fn an_exchanger_that_may_come_back_keeps_the_domain_open() {
    let (_, facts) = find(
        "d.example",
        vec![
            ("d.example", MX, Records(vec![mx(1, "gone.example"), mx(2, "b.example")])),
            ("b.example", A, Code(ResponseCode::ServFail)),
        ],
    )
    .await;
    assert_eq!(kind(&facts), Some(Kind::Servfail));
    assert_eq!(lines(&facts), ["1 gone.example nxdomain", "2 b.example servfail"]);
}

#[tokio::test]
async fn a_family_that_fails_does_not_hide_the_other() {
    let (_, facts) = find(
        "d.example",
        vec![
            ("d.example", MX, Records(vec![mx(1, "a.example")])),
            ("a.example", A, Code(ResponseCode::ServFail)),
            ("a.example", AAAA, Records(vec![address("2001:db8::1")])),
        ],
    )
    .await;
    assert_eq!(lines(&facts), ["1 a.example 2001:db8::1"]);
}

#[tokio::test]
async fn cnames_are_followed_and_the_name_of_the_mx_is_kept() {
    let (_, facts) = find(
        "alias.example",
        vec![
            ("alias.example", CNAME, Records(vec![cname("real.example")])),
            ("real.example", MX, Records(vec![mx(1, "one.example"), mx(2, "lost.example")])),
            ("one.example", CNAME, Records(vec![cname("two.example")])),
            ("two.example", CNAME, Records(vec![cname("three.example")])),
            ("three.example", A, v4(3)),
            ("lost.example", CNAME, Records(vec![cname("nowhere.example")])),
        ],
    )
    .await;
    assert_eq!(lines(&facts), ["1 one.example 192.0.2.3", "2 lost.example nxdomain"]);
}

#[tokio::test]
async fn a_domain_that_is_an_alias_to_nowhere_does_not_exist() {
    let (_, facts) =
        find("d.example", vec![("d.example", CNAME, Records(vec![cname("nowhere.example")]))]).await;
    assert_eq!(kind(&facts), Some(Kind::Nxdomain));
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_over_tcp() {
    let (server, facts) = find(
        "d.example",
        vec![("d.example", MX, Truncated(vec![mx(1, "a.example")])), ("a.example", A, v4(1))],
    )
    .await;
    assert_eq!(lines(&facts), ["1 a.example 192.0.2.1"]);
    let log: Vec<Protocol> =
        server.log().into_iter().filter(|(_, kind, _)| *kind == MX).map(|asked| asked.2).collect();
    assert_eq!(log, [Protocol::Udp, Protocol::Tcp]);
}

#[tokio::test]
async fn the_list_of_exchangers_is_bounded() {
    let hosts: Vec<_> = (0..103).map(|n| mx(n, &format!("mx{n:03}.example"))).rev().collect();
    let (server, facts) =
        find("d.example", vec![("d.example", MX, Truncated(hosts)), ("mx000.example", A, v4(1))]).await;
    assert_eq!((facts.exchanges.len(), EXCHANGES_MAX), (100, 100));
    assert_eq!((facts.exchanges_excess, facts.is_cut()), (Some(3), true));
    assert_eq!(line(&facts.exchanges[0]), "0 mx000.example 192.0.2.1");
    assert_eq!(line(&facts.exchanges[99]), "99 mx099.example nxdomain");
    assert_eq!(server.count("mx100.example"), 0);
}

/// None of the hundred has an address; the others may have.
#[tokio::test]
async fn hosts_that_were_not_looked_up_keep_the_domain_open() {
    for (count, expected) in [(100, Kind::MxUnusable), (101, Kind::TooMany)] {
        let hosts: Vec<_> = (0..count).map(|n| mx(n, &format!("mx{n:03}.example"))).collect();
        let (_, facts) = find("d.example", vec![("d.example", MX, Truncated(hosts))]).await;
        assert_eq!(kind(&facts), Some(expected), "{count}");
    }
}

#[tokio::test]
async fn the_addresses_of_a_host_are_bounded_and_both_families_stay() {
    let of = |text: fn(usize) -> String| Truncated((1..=40).map(|n| address(&text(n))).collect());
    let (_, facts) = find(
        "d.example",
        vec![
            ("d.example", MX, Records(vec![mx(1, "a.example")])),
            ("a.example", A, of(|n| format!("192.0.2.{n}"))),
            ("a.example", AAAA, of(|n| format!("2001:db8::{n}"))),
        ],
    )
    .await;
    let kept = &facts.exchanges[0].addresses;
    assert_eq!((kept.len(), ADDRESSES_PER_EXCHANGE_MAX), (32, 32));
    assert_eq!(kept.iter().filter(|ip| ip.is_ipv4()).count(), 16);
    assert_eq!((facts.exchanges[0].addresses_excess, facts.is_cut()), (Some(48), true));
}

/// `::ffff:192.0.2.1` is another name of 192.0.2.1: asked as two addresses, it
/// would be connected to twice at a time.
#[tokio::test]
async fn an_address_that_is_mapped_into_ipv6_is_the_one_it_stands_for() {
    let (_, facts) = find(
        "d.example",
        vec![
            ("d.example", MX, Records(vec![mx(1, "both.example"), mx(2, "mapped.example")])),
            ("both.example", A, v4(1)),
            ("both.example", AAAA, Records(vec![address("::ffff:192.0.2.1"), address("2001:db8::1")])),
            ("mapped.example", AAAA, Records(vec![address("::ffff:192.0.2.2")])),
        ],
    )
    .await;
    assert_eq!(lines(&facts), ["1 both.example 192.0.2.1 2001:db8::1", "2 mapped.example 192.0.2.2"]);
}

/// That a host has no address of the one family says nothing where the other
/// is not asked over.
#[tokio::test]
async fn a_host_of_the_family_that_is_left_out_is_no_domain_without_mail() {
    let server = DnsServer::start([
        ("six.example", MX, Records(vec![mx(1, "a.six.example")])),
        ("a.six.example", AAAA, Records(vec![address("2001:db8::1")])),
        ("none.example", MX, Records(vec![mx(1, "a.none.example")])),
        ("a.none.example", RecordType::TXT, Records(vec![])),
        ("open.example", MX, Records(vec![mx(1, "a.open.example")])),
        ("a.open.example", AAAA, Code(ResponseCode::ServFail)),
        ("mapped.example", MX, Records(vec![mx(1, "a.mapped.example")])),
        ("a.mapped.example", AAAA, Records(vec![address("::ffff:192.0.2.2")])),
        ("implicit.example", AAAA, Records(vec![address("2001:db8::2")])),
        ("gone.example", MX, Records(vec![mx(1, "a.gone.example")])),
    ])
    .await;
    let lookup = DnsLookup::new(LookupConfig { ipv6: false, ..config(&server) }).unwrap();
    for (domain, expected) in [
        ("six.example", Some(Kind::NoRoute)),
        ("none.example", Some(Kind::MxUnusable)),
        ("open.example", Some(Kind::Servfail)),
        ("mapped.example", None),
        ("implicit.example", Some(Kind::NoRoute)),
        ("gone.example", Some(Kind::MxUnusable)),
    ] {
        assert_eq!(kind(&lookup.lookup(target(domain)).await), expected, "{domain}");
    }
    let six = lookup.lookup(target("six.example")).await.exchanges.remove(0);
    assert_eq!(six.failure.unwrap().phase, Phase::Connect);
    assert_eq!(server.count("a.gone.example"), 1, "a name that does not exist has no other family");
}

/// Where nothing is asked over a family, what a sender finds there is counted.
#[tokio::test]
async fn addresses_of_the_family_that_is_left_out_are_counted() {
    let server = DnsServer::start([
        ("a.example", A, v4(1)),
        ("both.example", A, v4(2)),
        ("both.example", AAAA, Records(vec![address("2001:db8::1"), address("2001:db8::2")])),
        ("open.example", A, v4(3)),
        ("open.example", AAAA, Code(ResponseCode::ServFail)),
        ("mapped.example", A, v4(4)),
        ("mapped.example", AAAA, Records(vec![address("::ffff:192.0.2.4")])),
    ])
    .await;
    for (ipv6, expected) in [(false, [Some(0), Some(2), None, Some(0)]), (true, [Some(0); 4])] {
        let lookup = DnsLookup::new(LookupConfig { ipv6, ..config(&server) }).unwrap();
        for (domain, expected) in ["a", "both", "open", "mapped"].into_iter().zip(expected) {
            let facts = lookup.lookup(target(&format!("{domain}.example"))).await;
            let [exchange] = &facts.exchanges[..] else { panic!("{facts:?}") };
            assert_eq!(exchange.addresses_of_other_family, expected, "{domain}");
            assert!(exchange.addresses.iter().all(|ip| ipv6 || ip.is_ipv4()), "{exchange:?}");
        }
    }
}

/// A family of which the DNS did not say is not one without addresses.
#[tokio::test]
async fn what_the_dns_does_not_say_of_one_family_is_written_down() {
    let server = DnsServer::start([
        ("four.example", A, v4(1)),
        ("fails.example", A, v4(2)),
        ("fails.example", AAAA, Code(ResponseCode::ServFail)),
        ("refused.example", A, Code(ResponseCode::Refused)),
        ("refused.example", AAAA, Records(vec![address("2001:db8::1")])),
    ])
    .await;
    let lookup = DnsLookup::new(config(&server)).unwrap();
    for (domain, is_open) in [("four", false), ("fails", true), ("refused", true)] {
        let facts = lookup.lookup(target(&format!("{domain}.example"))).await;
        let [exchange] = &facts.exchanges[..] else { panic!("{facts:?}") };
        assert_eq!((exchange.addresses.len(), exchange.failure.is_none()), (1, true));
        assert_eq!(
            exchange.unresolved.as_ref().map(|why| why.phase),
            is_open.then_some(Phase::Dns),
            "{domain}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_needs_no_dns() {
    let server = DnsServer::start([]).await;
    let subject = Subject::Endpoint {
        ip: "192.0.2.1".parse().unwrap(),
        port: Some(2525),
        name: Some(MxHost::new("mx.example")),
    };
    let target = Target { line: 7, subject };
    let facts = DnsLookup::new(config(&server)).unwrap().lookup(target.clone()).await;
    assert_eq!(facts.target, target);
    assert_eq!(lines(&facts), ["0 mx.example 192.0.2.1"]);
    assert_eq!((kind(&facts), facts.implicit_mx, server.log()), (None, false, vec![]));
}
