//! What goes over the wire: attempts, time limits, cache, questions under way.

use super::*;
use std::time::Instant;

#[tokio::test]
async fn a_silent_server_ends_as_a_timeout_after_all_attempts() {
    let server = DnsServer::start([("d.example", MX, Silence)]).await;
    let timeout = Duration::from_millis(150);
    let lookup = DnsLookup::new(LookupConfig { timeout, attempts: 3, ..config(&server) }).unwrap();
    let begun = Instant::now();
    let facts = lookup.lookup(target("d.example")).await;
    assert_eq!(kind(&facts), Some(Kind::Timeout));
    assert!(begun.elapsed() >= 3 * timeout, "{:?}", begun.elapsed());
    assert_eq!(server.count("d.example"), 3);
}

#[tokio::test]
async fn a_dead_nameserver_ends_as_a_timeout_after_all_attempts() {
    // A port that was free a moment ago, and is held so that nobody takes it:
    // datagrams to it are dropped unread.
    let held = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let timeout = Duration::from_millis(150);
    let nameservers = vec![held.local_addr().unwrap()];
    let lookup =
        DnsLookup::new(LookupConfig { nameservers, timeout, attempts: 2, ..LookupConfig::default() })
            .unwrap();
    let begun = Instant::now();
    assert_eq!(kind(&lookup.lookup(target("d.example")).await), Some(Kind::Timeout));
    assert!(begun.elapsed() >= 2 * timeout, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn servfail_is_asked_again_as_often_as_configured() {
    for attempts in [1, 2, 5] {
        let server = DnsServer::start([("d.example", MX, Code(ResponseCode::ServFail))]).await;
        let lookup = DnsLookup::new(LookupConfig { attempts, ..config(&server) }).unwrap();
        assert_eq!(kind(&lookup.lookup(target("d.example")).await), Some(Kind::Servfail));
        assert_eq!(server.count("d.example"), attempts);
    }
}

#[tokio::test]
async fn a_server_that_recovers_is_believed() {
    let (server, facts) =
        find("d.example", vec![("d.example", MX, Flaky(vec![mx(1, "a.example")])), ("a.example", A, v4(1))])
            .await;
    assert_eq!(kind(&facts), None);
    assert_eq!(server.count("d.example"), 2);
}

#[tokio::test]
async fn answers_are_cached_the_negative_ones_too() {
    let server = DnsServer::start([
        ("one.example", MX, Records(vec![mx(1, "mx.example")])),
        ("two.example", MX, Records(vec![mx(1, "MX.example"), mx(2, "gone.example")])),
        ("mx.example", A, v4(1)),
    ])
    .await;
    let lookup = DnsLookup::new(config(&server)).unwrap();
    let first = lookup.lookup(target("two.example")).await;
    for domain in ["one.example", "two.example", "two.example", "gone.example", "gone.example"] {
        lookup.lookup(target(domain)).await;
    }
    assert_eq!(first, lookup.lookup(target("two.example")).await);
    let mut log: Vec<_> = server.log().into_iter().map(|(name, kind, _)| format!("{name} {kind}")).collect();
    log.sort();
    assert_eq!(
        log,
        [
            "gone.example A",
            "gone.example AAAA",
            "gone.example MX",
            "mx.example A",
            "mx.example AAAA",
            "one.example MX",
            "two.example MX"
        ]
    );
}

#[tokio::test]
async fn a_family_that_is_not_wanted_is_asked_for_last() {
    for (ipv4, ipv6, asked, expected) in [
        // Whether a sender may go elsewhere only its other family tells,
        (true, false, &[MX, A, AAAA], "1 a.example 192.0.2.1"),
        // and whether it is a host at all.
        (false, true, &[MX, AAAA, A], "1 a.example no_route"),
    ] {
        let server =
            DnsServer::start([("d.example", MX, Records(vec![mx(1, "a.example")])), ("a.example", A, v4(1))])
                .await;
        let lookup = DnsLookup::new(LookupConfig { ipv4, ipv6, ..config(&server) }).unwrap();
        let facts = lookup.lookup(target("d.example")).await;
        assert_eq!(lines(&facts), [expected]);
        assert_eq!(server.log().into_iter().map(|(_, kind, _)| kind).collect::<Vec<_>>(), asked);
    }
}

#[tokio::test]
async fn questions_under_way_are_bounded() {
    const BOUND: usize = 4;
    const NAMES: [&str; 8] = [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
        "f.example",
        "g.example",
        "h.example",
    ];
    let reply = Held(vec![mx(0, ".")]);
    let server = DnsServer::start(NAMES.map(|name| (name, MX, reply.clone()))).await;
    let lookup = DnsLookup::new(LookupConfig { queries_in_flight: BOUND, ..config(&server) }).unwrap();
    let other = DnsLookup::new(config(&server)).unwrap();
    let all = futures_util::future::join_all(NAMES.map(|name| lookup.lookup(target(name))));
    let watch = async {
        server.held(BOUND).await;
        // Round trips in which questions beyond the bound would come in.
        for name in ["x.example", "y.example", "z.example"] {
            other.lookup(target(name)).await;
        }
        let held = server.held(BOUND).await;
        server.release();
        held
    };
    let (facts, held) = tokio::join!(all, watch);
    assert_eq!(held, BOUND);
    assert!(facts.iter().all(|facts| kind(facts) == Some(Kind::NullMx)));
}
