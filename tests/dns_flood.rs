//! Many questions to one nameserver at once, over TCP too: each gets its own
//! answer, however many are under way and whatever becomes of the connections.
//! What the nameserver says is written here byte by byte (RFC 1035 §4).

#![allow(clippy::unwrap_used, reason = "a test, outside of functions that are marked as one")]

use futures_util::{StreamExt, stream};
use mxray::internals::lab::{self, Fleet, FleetOptions};
use mxray::internals::lookup::{DnsLookup, LookupConfig};
use mxray::internals::model::{DomainFacts, DomainName, Kind, Phase, Subject, Target};
use mxray::internals::stage::Lookup;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// Lookups under way at a time, as a survey has them by default.
const LOOKUPS: usize = 256;

/// Ports tried until one is free for UDP and TCP alike.
const BINDS_MAX: usize = 32;

/// What a nameserver does that sends everybody to TCP.
#[derive(Clone, Copy, Debug)]
enum Tcp {
    /// Answers so many questions on a connection and closes it, whatever is
    /// still open; 0 answers none.
    Closes { after: usize },
    /// Keeps the connection.
    Keeps,
    /// Nobody listens.
    Refuses,
    /// Replies to something that was not asked.
    Strays(Stray),
}

/// What a reply makes of the question.
#[derive(Clone, Copy, Debug)]
enum Stray {
    NoQuestion,
    OtherName,
    OtherType,
    TwoQuestions,
    /// To the question, but with a record of another name.
    OtherOwner,
}

fn target(line: usize, domain: &DomainName) -> Target {
    Target { line: line as u64, subject: Subject::Domain(domain.clone()) }
}

async fn look_up(nameserver: SocketAddr, domains: &[DomainName]) -> Vec<DomainFacts> {
    let nameservers = vec![nameserver];
    let lookup = &DnsLookup::new(LookupConfig { nameservers, ..LookupConfig::default() }).unwrap();
    let targets = domains.iter().enumerate().map(|(line, domain)| target(line, domain));
    stream::iter(targets).map(|target| lookup.lookup(target)).buffer_unordered(LOOKUPS).collect().await
}

fn domains(count: usize) -> Vec<DomainName> {
    (0..count).map(|n| DomainName::parse(&format!("d{n}.example")).unwrap()).collect()
}

/// How often each outcome was found; where one was not expected, its detail
/// tells why.
fn tally<'a>(facts: impl IntoIterator<Item = &'a DomainFacts>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for facts in facts {
        let told = facts.failure.as_ref().map_or("ok".to_string(), ToString::to_string);
        *counts.entry(told).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_truncated_names_beside_silent_ones_are_answered() {
    let mut scenarios = ["dns_truncated", "dns_timeout"].map(|name| lab::scenario(name).unwrap());
    [scenarios[0].weight, scenarios[1].weight] = [30, 1];
    let domains = domains(2000);
    let options =
        FleetOptions { scenarios: scenarios.to_vec(), ..FleetOptions::new(domains.clone()).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let silent: Vec<bool> = fleet.truth().iter().map(|row| row.scenario.name == "dns_timeout").collect();
    let (of_silent, of_others): (Vec<_>, Vec<_>) = look_up(fleet.dns_addr(), &domains)
        .await
        .into_iter()
        .partition(|facts| silent[facts.target.line as usize]);
    assert!(of_silent.len() > 20 && of_others.len() > 1500, "{} silent", of_silent.len());
    assert_eq!(tally(&of_others), BTreeMap::from([("ok".to_string(), of_others.len())]));
    assert_eq!(tally(&of_silent), BTreeMap::from([("dns: timeout".to_string(), of_silent.len())]));
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_closed_costs_no_question_its_answer() {
    for tcp in [Tcp::Keeps, Tcp::Closes { after: 1 }, Tcp::Closes { after: 5 }] {
        let nameserver = start(tcp).await;
        let facts = look_up(nameserver, &domains(300)).await;
        assert_eq!(tally(&facts), BTreeMap::from([("dns: null_mx".to_string(), 300)]), "{tcp:?}");
    }
}

/// No answer came, and that is not the domain's doing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nameserver_that_gives_no_answer_over_tcp_has_closed() {
    for tcp in [Tcp::Closes { after: 0 }, Tcp::Refuses] {
        let nameserver = start(tcp).await;
        for facts in look_up(nameserver, &domains(40)).await {
            let failure = facts.failure.unwrap();
            assert_eq!((failure.phase, failure.kind), (Phase::Dns, Kind::Closed), "{tcp:?}: {failure}");
        }
    }
}

/// What a reply does not repeat it does not answer (RFC 1035 §7.3): there may
/// be an MX all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_to_another_question_is_no_answer() {
    for stray in
        [Stray::NoQuestion, Stray::OtherName, Stray::OtherType, Stray::TwoQuestions, Stray::OtherOwner]
    {
        let nameserver = start(Tcp::Strays(stray)).await;
        for facts in look_up(nameserver, &domains(4)).await {
            let failure = facts.failure.unwrap();
            assert_eq!((failure.phase, failure.kind), (Phase::Dns, Kind::Servfail), "{stray:?}: {failure}");
            assert!(failure.detail.unwrap().contains("question"));
        }
    }
}

async fn start(tcp: Tcp) -> SocketAddr {
    let (udp, listener) = bind().await;
    let address = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 512];
        loop {
            let (length, client) = udp.recv_from(&mut query).await.unwrap();
            udp.send_to(&truncated(&query[..length]), client).await.unwrap();
        }
    });
    // A listener that is dropped refuses.
    if !matches!(tcp, Tcp::Refuses) {
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that goes away is no event.
                tokio::spawn(async move { serve(stream, tcp).await });
            }
        });
    }
    address
}

async fn bind() -> (UdpSocket, TcpListener) {
    for _ in 0..BINDS_MAX {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

async fn serve(mut stream: TcpStream, tcp: Tcp) -> std::io::Result<()> {
    let mut answered = 0;
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        if matches!(tcp, Tcp::Closes { after } if answered == after) {
            return Ok(());
        }
        let answer = match tcp {
            Tcp::Strays(stray) => strayed(&query, stray),
            _ => null_mx(&query),
        };
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &answer].concat()).await?;
        answered += 1;
        if matches!(tcp, Tcp::Closes { after } if answered == after) {
            return Ok(());
        }
    }
}

/// The header of an answer to `query`, and its question. `flags` holds TC
/// beside QR, RD and RA.
fn head(query: &[u8], flags: u16, answers: u16) -> Vec<u8> {
    let name_ends = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
    let mut head = query[..2].to_vec();
    for field in [flags, 1, answers, 0, 0] {
        head.extend(field.to_be_bytes());
    }
    head.extend(&query[12..name_ends + 4]);
    head
}

fn truncated(query: &[u8]) -> Vec<u8> {
    head(query, 0x8380, 0)
}

/// `0 .` for the name that was asked for, kept for a minute (RFC 7505 §3).
fn null_mx(query: &[u8]) -> Vec<u8> {
    let mut answer = head(query, 0x8180, 1);
    answer.extend([0xc0, 0x0c, 0, 15, 0, 1, 0, 0, 0, 60, 0, 3, 0, 0, 0]);
    answer
}

/// No data for a question that is not `query`'s, under its number.
fn strayed(query: &[u8], stray: Stray) -> Vec<u8> {
    let mut reply = head(query, 0x8180, 0);
    let type_at = reply.len() - 4;
    match stray {
        Stray::NoQuestion => {
            reply.truncate(12);
            reply[5] = 0;
        }
        Stray::OtherName => reply[13] = b'x',
        Stray::OtherType => reply[type_at + 1] = 1,
        Stray::OtherOwner => {
            reply = null_mx(query);
            let owner = reply.len() - 15;
            reply.splice(owner..owner + 2, *b"\x01x\x00");
        }
        Stray::TwoQuestions => {
            reply.extend(reply[12..].to_vec());
            reply[5] = 2;
        }
    }
    reply
}
