//! What a domain publishes of MTA-STS and TLS-RPT: where it is asked for, what
//! each answer comes to, and when a policy is fetched.

use super::server::txt;
use super::*;
use mxray::internals::fetch::policy::{ASKED_AGAIN_AFTER, PolicyHosts};
use mxray::internals::model::Blocklist;
use mxray::internals::model::mta_sts::{Fetching, Published, StsFetchFailure, StsRecordFault};
use mxray::internals::net::Gate;
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Table = Vec<(&'static str, RecordType, Reply)>;

const TXT: RecordType = RecordType::TXT;

/// A lookup that asks for all of it, of policy hosts at this port.
fn lookup(server: &DnsServer, port: u16, smart_hosts: SmartHosts) -> DnsLookup {
    lookup_again_after(ASKED_AGAIN_AFTER, server, port, smart_hosts)
}

/// The same, where one that failed is left alone for so long.
fn lookup_again_after(rest: Duration, server: &DnsServer, port: u16, smart_hosts: SmartHosts) -> DnsLookup {
    let hosts = PolicyHosts::new(Gate::new(Blocklist::default(), true)).at_port(port);
    let hosts = hosts.asked_again_after(rest);
    let config = LookupConfig { mta_sts: Some(hosts), tls_rpt: true, smart_hosts, ..config(server) };
    DnsLookup::new(config).unwrap()
}

/// `d.example` with a host, and what else is in the DNS.
fn with_host(more: Table) -> Table {
    let host = vec![("d.example", MX, Records(vec![mx(10, "mx.example")])), ("mx.example", A, v4(1))];
    [host, more].concat()
}

/// A word for what is published, and what was read.
fn word<R: Debug, F: Debug>(published: &Published<R, F>) -> String {
    match published {
        Published::Absent => "absent".to_owned(),
        Published::Record(record) => format!("{record:?}"),
        Published::Faulty(fault) => format!("{fault:?}"),
        Published::Failed(failure) => failure.kind.name().to_owned(),
    }
}

#[tokio::test]
async fn each_answer_for_a_record_has_its_outcome() {
    let sts = |reply| vec![("_mta-sts.d.example", TXT, reply)];
    let rpt = |reply| vec![("_smtp._tls.d.example", TXT, reply)];
    let texts = |texts: &[&[&str]]| Records(texts.iter().map(|strings| txt(strings)).collect());
    let alias = vec![
        ("_mta-sts.d.example", CNAME, Records(vec![cname("sts.provider.example")])),
        ("sts.provider.example", TXT, texts(&[&["v=STSv1; id=7;"]])),
    ];
    let several = format!("{:?}", StsRecordFault::Several(2));
    let rua = "TlsRptRecord { rua: [\"mailto:a@d.example\"] }";
    let rows: Vec<(Table, &str, &str)> = vec![
        (vec![], "absent", "absent"),
        (sts(Records(vec![])), "absent", "absent"),
        (sts(texts(&[&["v=spf1 -all"]])), "absent", "absent"),
        (sts(texts(&[&["v=STSv1; ", "id=1;"], &["else"]])), "StsRecord { id: \"1\" }", "absent"),
        (alias, "StsRecord { id: \"7\" }", "absent"),
        (sts(texts(&[&["v=STSv1; id=1"], &["v=STSv1; id=1"]])), &several, "absent"),
        (sts(Code(ResponseCode::ServFail)), "servfail", "absent"),
        (rpt(texts(&[&["v=TLSRPTv1; rua=", "mailto:a@d.example"]])), "absent", rua),
        (rpt(texts(&[&["v=TLSRPTv1;"]])), "absent", "Field(\"\")"),
        (rpt(Code(ResponseCode::Refused)), "absent", "servfail"),
    ];
    for (table, of_sts, of_rpt) in rows {
        let server = DnsServer::start(with_host(table)).await;
        let facts = lookup(&server, 1, SmartHosts::default()).lookup(target("d.example")).await;
        let (mta_sts, tls_rpt) = (facts.mta_sts.as_ref().unwrap(), facts.tls_rpt.as_ref().unwrap());
        assert_eq!((&*word(&mta_sts.record), &*word(tls_rpt)), (of_sts, of_rpt));
        assert_eq!(mta_sts.domain.as_str(), "d.example");
        assert_eq!(mta_sts.fetch.is_some(), of_sts.starts_with("StsRecord"));
        let is_open = [of_sts, of_rpt].contains(&"servfail");
        assert_eq!(facts.may_be_known_later(), is_open, "{of_sts} {of_rpt}");
    }
}

#[tokio::test]
async fn who_does_not_ask_for_it_sends_no_question() {
    let server = DnsServer::start(with_host(vec![])).await;
    let facts = DnsLookup::new(config(&server)).unwrap().lookup(target("d.example")).await;
    assert_eq!((facts.mta_sts, facts.tls_rpt), (None, None));
    assert!(server.log().iter().all(|(_, kind, _)| *kind != TXT), "{:?}", server.log());
    // Nor does anybody of a domain that no mail can be sent to.
    let lookup = lookup(&server, 1, SmartHosts::default());
    let facts = lookup.lookup(target("gone.example")).await;
    assert_eq!((kind(&facts), facts.mta_sts, facts.tls_rpt), (Some(Kind::Nxdomain), None, None));
    assert!(server.log().iter().all(|(_, kind, _)| *kind != TXT), "{:?}", server.log());
}

/// A policy host that says nothing to anybody, and counts.
async fn hang_on() -> (u16, tokio::sync::watch::Receiver<usize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, counted) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.unwrap());
            count.send_modify(|count| *count += 1);
        }
    });
    (port, counted)
}

#[tokio::test]
async fn while_a_run_pauses_no_policy_host_is_connected_to() {
    for (then, connections) in [(Fetching::Begins, 1), (Fetching::Ends, 0)] {
        let server = DnsServer::start(with_policy()).await;
        let (port, counted) = hang_up().await;
        let lookup = Arc::new(lookup(&server, port, SmartHosts::default()));
        lookup.set_fetching(Fetching::Waits);
        let asked = lookup.clone();
        let looking = tokio::spawn(async move { asked.lookup(target("d.example")).await });
        let is_found =
            |log: Vec<_>| log.iter().any(|(name, _, _): &(String, _, _)| name.starts_with("mta-sts."));
        while !is_found(server.log()) {
            tokio::task::yield_now().await;
        }
        assert_eq!(*counted.borrow(), 0);
        lookup.set_fetching(then);
        let facts = looking.await.unwrap();
        let fetch = facts.policy_fetch().unwrap();
        let is_ours = matches!(fetch.failure, Some(StsFetchFailure::Unfinished(_)));
        assert_eq!((is_ours, *counted.borrow()), (connections == 0, connections), "{fetch:?}");
    }
}

/// A policy host that hangs up on everybody, and counts.
async fn hang_up() -> (u16, tokio::sync::watch::Receiver<usize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, counted) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.send_modify(|count| *count += 1);
            let _ = stream.read_u8().await;
        }
    });
    (port, counted)
}

/// Of those that a connector takes to a host, its name is the policy domain; and
/// it is asked once for all of them.
#[tokio::test]
async fn the_policy_domain_of_smart_hosts_is_the_first_name_among_them() {
    let server = DnsServer::start(vec![
        ("relay.example", A, v4(1)),
        ("_mta-sts.relay.example", TXT, Records(vec![txt(&["v=STSv1; id=1"])])),
        ("mta-sts.relay.example", A, Records(vec![address("127.0.0.1")])),
        ("_mta-sts.d.example", TXT, Records(vec![txt(&["v=STSv1; id=2"])])),
    ])
    .await;
    let (port, fetches) = hang_up().await;
    let lookup = lookup(&server, port, smart_hosts_of(&["192.0.2.7", "relay.example", "other.example"]));
    let (first, second) =
        tokio::join!(lookup.lookup(target("d.example")), lookup.lookup(target("d.example")));
    assert_eq!(first, second);
    let mta_sts = first.mta_sts.unwrap();
    assert_eq!(
        (mta_sts.domain.as_str(), &*word(&mta_sts.record)),
        ("relay.example", "StsRecord { id: \"1\" }")
    );
    let fetch = mta_sts.fetch.unwrap();
    assert!(matches!(fetch.failure, Some(StsFetchFailure::TlsClosed(_))), "{fetch:?}");
    assert_eq!((*fetches.borrow(), fetch.policy.is_none()), (1, true));
    assert_eq!(server.count("_mta-sts.d.example"), 0);
}

#[tokio::test]
async fn a_policy_host_without_an_address_is_told_by_what_the_dns_says() {
    for (reply, expected) in [(Records(vec![]), Kind::NoData), (Code(ResponseCode::ServFail), Kind::Servfail)]
    {
        let server = DnsServer::start(with_host(vec![
            ("_mta-sts.d.example", TXT, Records(vec![txt(&["v=STSv1; id=1"])])),
            ("mta-sts.d.example", A, reply.clone()),
            ("mta-sts.d.example", AAAA, reply),
        ]))
        .await;
        let lookup = lookup(&server, 1, SmartHosts::default());
        let facts = lookup.lookup(target("d.example")).await;
        let fetch = facts.mta_sts.as_ref().unwrap().fetch.as_ref().unwrap();
        let Some(StsFetchFailure::Unresolved(failure)) = &fetch.failure else { panic!("{fetch:?}") };
        assert_eq!((failure.kind, facts.may_be_known_later()), (expected, expected == Kind::Servfail));
    }
}

/// One whose policy host is silent waits aside, and no longer than anybody wants
/// to know.
#[tokio::test]
async fn who_waits_for_a_policy_host_is_told_and_may_be_given_up() {
    let server = DnsServer::start(with_host(vec![
        ("_mta-sts.d.example", TXT, Records(vec![txt(&["v=STSv1; id=1"])])),
        ("mta-sts.d.example", A, Records(vec![address("127.0.0.1")])),
    ]))
    .await;
    let (port, mut fetches) = hang_on().await;
    let lookup = std::sync::Arc::new(lookup(&server, port, SmartHosts::default()));
    let mut aside = lookup.aside().unwrap();
    let looking = tokio::spawn({
        let lookup = lookup.clone();
        async move { lookup.lookup(target("d.example")).await }
    });
    fetches.wait_for(|count| *count == 1).await.unwrap();
    assert_eq!(*aside.borrow_and_update(), 1);
    lookup.give_up();
    let facts = tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap().unwrap();
    let fetch = facts.mta_sts.as_ref().unwrap().fetch.as_ref().unwrap();
    let Some(StsFetchFailure::Unfinished(_)) = &fetch.failure else { panic!("{fetch:?}") };
    assert_eq!(*aside.borrow_and_update(), 0);
    assert!(facts.may_be_known_later());
    // Nor is anybody asked from then on.
    lookup.lookup(target("d.example")).await;
    assert_eq!(*fetches.borrow(), 1);
}

/// A policy host that hangs up on the first so many, and is one for all others; and
/// how many came.
async fn hang_up_on(first: usize) -> (u16, tokio::sync::watch::Receiver<usize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, counted) = tokio::sync::watch::channel(0);
    let acceptor = acceptor("mta-sts.d.example");
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{POLICY}", POLICY.len());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.send_modify(|count| *count += 1);
            if *count.borrow() <= first {
                let _ = stream.read_u8().await;
                continue;
            }
            let mut tls = acceptor.accept(stream).await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && tls.read_buf(&mut request).await.unwrap() > 0 {}
            tls.write_all(answer.as_bytes()).await.unwrap();
            let _ = tls.shutdown().await;
        }
    });
    (port, counted)
}

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n";

fn acceptor(host: &str) -> TlsAcceptor {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new([host.to_owned()]).unwrap().self_signed(&key).unwrap();
    let private = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], private).unwrap();
    TlsAcceptor::from(std::sync::Arc::new(config))
}

fn with_policy() -> Table {
    with_host(vec![
        ("_mta-sts.d.example", TXT, Records(vec![txt(&["v=STSv1; id=1"])])),
        ("mta-sts.d.example", A, Records(vec![address("127.0.0.1")])),
    ])
}

/// A failure that may pass is not the last word of a policy host, and not asked after
/// at once.
#[tokio::test]
async fn a_policy_host_that_hangs_up_is_asked_again_and_no_sooner_than_agreed() {
    let server = DnsServer::start(with_policy()).await;
    for (rest, looks, fetches_made) in [(Duration::ZERO, 3, 3), (Duration::from_secs(3600), 3, 1)] {
        let (port, fetches) = hang_up_on(2).await;
        let lookup = lookup_again_after(rest, &server, port, SmartHosts::default());
        let mut known = Vec::new();
        for _ in 0..looks {
            let facts = lookup.lookup(target("d.example")).await;
            let fetch = facts.policy_fetch().unwrap();
            assert_eq!(fetch.body.is_none(), facts.may_be_known_later(), "{fetch:?}");
            known.push(fetch.body.as_deref() == Some(POLICY));
        }
        assert_eq!(*fetches.borrow(), fetches_made);
        assert_eq!(known, [false, false, fetches_made == 3]);
        // What is known is asked for once.
        lookup.lookup(target("d.example")).await;
        assert_eq!(*fetches.borrow(), fetches_made);
    }
}
