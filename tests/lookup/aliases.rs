//! Aliases: followed so far, never round and round, and not to a name that is
//! left alone.

use super::*;
use mxray::internals::lookup::ALIASES_MAX;
use mxray::internals::model::Blocklist;

/// What is found where these names are left alone.
async fn find_but_for(
    blocklist: &str,
    domain: &str,
    table: Vec<(&'static str, RecordType, Reply)>,
) -> (DnsServer, DomainFacts) {
    let server = DnsServer::start(table).await;
    let blocklist = Blocklist::parse(blocklist).unwrap().into();
    let config = LookupConfig { blocklist, ..config(&server) };
    let facts = DnsLookup::new(config).unwrap().lookup(target(domain)).await;
    (server, facts)
}

fn alias(of: &'static str, name: &str) -> (&'static str, RecordType, Reply) {
    (of, CNAME, Records(vec![cname(name)]))
}

/// `d.example`, whose better host is an alias of an alias.
fn aliases() -> Vec<(&'static str, RecordType, Reply)> {
    vec![
        ("d.example", MX, Records(vec![mx(1, "a.example"), mx(2, "z.example")])),
        alias("a.example", "B.example"),
        alias("b.example", "c.other.example"),
        ("c.other.example", A, v4(1)),
        ("z.example", A, v4(2)),
        alias("e.example", "f.example"),
        alias("f.example", "d.example"),
    ]
}

#[tokio::test]
async fn no_alias_leads_to_a_name_that_is_left_alone() {
    for (blocklist, found) in [
        ("", "1 a.example 192.0.2.1"),
        ("x.example\n", "1 a.example 192.0.2.1"),
        ("C.other.example\n", "1 a.example blocklisted"),
        ("other.example\n", "1 a.example blocklisted"),
        ("b.example\n", "1 a.example blocklisted"),
    ] {
        let (_, facts) = find_but_for(blocklist, "d.example", aliases()).await;
        assert_eq!(lines(&facts), [found, "2 z.example 192.0.2.2"], "{blocklist}");
        let failure = facts.exchanges[0].failure.as_ref();
        assert!(failure.is_none_or(|failure| failure.phase == Phase::Connect), "{failure:?}");
    }
}

#[tokio::test]
async fn what_is_behind_a_name_that_is_left_alone_is_not_asked_for() {
    let (server, facts) = find_but_for("b.example\n", "d.example", aliases()).await;
    let told = facts.exchanges[0].failure.as_ref().and_then(|failure| failure.detail.as_deref());
    assert_eq!(told, Some("a.example is an alias of b.example"));
    assert_eq!((server.count("b.example"), server.count("c.other.example")), (0, 0), "{:?}", server.log());
}

#[tokio::test]
async fn a_domain_that_is_an_alias_of_one_that_is_left_alone_is_left_alone() {
    for (blocklist, domain, blocked) in [
        ("d.example\n", "d.example", true),
        ("d.example\n", "e.example", true),
        ("f.example\n", "e.example", true),
        ("f.example\n", "d.example", false),
    ] {
        let (_, facts) = find_but_for(blocklist, domain, aliases()).await;
        let failure = facts.failure.as_ref().map(|failure| (failure.phase, failure.kind));
        assert_eq!(failure, blocked.then_some((Phase::Input, Kind::Blocklisted)), "{blocklist} {domain}");
        assert_eq!(facts.exchanges.is_empty(), blocked);
    }
    // One without MX, too, whether it has an address or not.
    for records in [vec![address("192.0.2.1")], vec![]] {
        let table = vec![alias("d.example", "b.example"), ("b.example", A, Records(records))];
        let (_, facts) = find_but_for("b.example\n", "d.example", table).await;
        let failure = facts.failure.as_ref().map(|failure| (failure.phase, failure.kind));
        assert_eq!(failure, Some((Phase::Input, Kind::Blocklisted)));
    }
}

/// No alias: the probe refuses to connect then, as it does for its address.
#[tokio::test]
async fn a_host_that_is_left_alone_is_found() {
    let table = vec![("d.example", MX, Records(vec![mx(1, "a.example")])), ("a.example", A, v4(1))];
    let (_, facts) = find_but_for("a.example\n192.0.2.1\n", "d.example", table).await;
    assert_eq!(lines(&facts), ["1 a.example 192.0.2.1"]);
}

/// What a circle of aliases comes to, each in a reply of its own: nobody says
/// that there is no such name, or nothing of the kind there.
#[tokio::test]
async fn aliases_in_a_circle_are_no_answer() {
    let host = |name: &str| ("host.example", MX, Records(vec![mx(1, name)]));
    for (domain, table) in [
        ("a.example", vec![alias("a.example", "a.example")]),
        ("a.example", vec![alias("a.example", "b.example"), alias("b.example", "A.example")]),
        (
            "a.example",
            vec![
                alias("a.example", "b.example"),
                alias("b.example", "c.example"),
                alias("c.example", "b.example"),
            ],
        ),
        (
            "host.example",
            vec![host("a.example"), alias("a.example", "b.example"), alias("b.example", "a.example")],
        ),
    ] {
        let (server, facts) = find(domain, table).await;
        assert_eq!(kind(&facts), Some(Kind::Servfail), "{:?}", server.log());
        let told = facts.failure.as_ref().and_then(|failure| failure.detail.as_deref()).unwrap();
        assert!(told.starts_with("aliases that lead in a circle"), "{told}");
        assert!(server.count("a.example") <= 2, "{:?}", server.log());
    }
}

#[tokio::test]
async fn so_many_aliases_are_followed_and_no_more() {
    const NAMES: [&str; 18] = [
        "a0.example",
        "a1.example",
        "a2.example",
        "a3.example",
        "a4.example",
        "a5.example",
        "a6.example",
        "a7.example",
        "a8.example",
        "a9.example",
        "a10.example",
        "a11.example",
        "a12.example",
        "a13.example",
        "a14.example",
        "a15.example",
        "a16.example",
        "a17.example",
    ];
    let mut table: Vec<_> = NAMES.windows(2).map(|pair| alias(pair[0], pair[1])).collect();
    table.push((NAMES[17], MX, Records(vec![mx(1, "mx.example")])));
    table.push(("mx.example", A, v4(1)));
    let server = DnsServer::start(table).await;
    let lookup = DnsLookup::new(config(&server)).unwrap();
    let found = lookup.lookup(target(NAMES[17 - ALIASES_MAX])).await;
    assert_eq!((kind(&found), lines(&found)), (None, vec!["1 mx.example 192.0.2.1".to_string()]));
    assert_eq!(server.count(NAMES[17]), 1);
    let beyond = lookup.lookup(target(NAMES[0])).await;
    assert_eq!(kind(&beyond), Some(Kind::Servfail));
    assert_eq!(server.count(NAMES[17]), 1, "not asked again");
    let told = beyond.failure.unwrap().detail.unwrap();
    assert_eq!(&*told, "over 16 aliases in a row");
}
