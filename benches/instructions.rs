//! What the hot functions cost in instructions, counted by valgrind: the same
//! number each time, also on a machine that does other things besides.
//! `just perf-gate` compares them with `benches/baseline.toml`.
//!
//! It needs valgrind, and `gungraun-runner` of the version that `Cargo.toml`
//! names. `just instructions` says so where one is missing.

// The macros make public items without documentation.
#![allow(missing_docs)]

#[path = "fixtures/mod.rs"]
mod fixtures;

use fixtures::session::{Client, Key, Server};
use fixtures::{Rows, dialogue, dns, session};
use gungraun::{
    Callgrind, EntryPoint, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use mxray::internals::dns::{Question, Reading};
use mxray::internals::model::{CertificateFacts, Dialogue, DomainRecord, EndpointRecord, Reply, Verdict};
use mxray::internals::run_dir::journal_line;
use mxray::internals::run_dir::read::JournalLine;
use mxray::internals::smtp::SmtpClient;
use mxray::internals::smtp::ehlo::starttls_keyword;
use mxray::internals::tls::{ClientHello, HelloAnswer, HelloProbe};
use mxray::internals::x509;
use std::hint::black_box;

#[library_benchmark]
#[bench::banner(dialogue::BANNER.to_vec())]
#[bench::ehlo(dialogue::EHLO.to_vec())]
#[bench::longest(dialogue::longest_reply())]
fn smtp_reply(bytes: Vec<u8>) -> Reply {
    black_box(dialogue::reply(black_box(&bytes)))
}

#[library_benchmark]
#[bench::usual(dialogue::reply(dialogue::EHLO))]
#[bench::longest(dialogue::reply(&dialogue::longest_reply()))]
fn ehlo_offer(reply: Reply) -> bool {
    matches!(starttls_keyword(black_box(&reply)), mxray::internals::smtp::ehlo::StarttlsKeyword::Listed)
}

#[library_benchmark]
#[bench::to_quit(dialogue::session())]
fn smtp_session(session: SmtpClient) -> Dialogue {
    black_box(dialogue::converse(black_box(session)))
}

#[library_benchmark]
#[bench::leaf(fixtures::LEAF)]
#[bench::issuer(fixtures::ISSUER)]
fn certificate_facts(der: &'static [u8]) -> CertificateFacts {
    black_box(x509::read(black_box(der)))
}

#[library_benchmark]
#[bench::sslv3(fixtures::hello_sslv3())]
#[bench::sender(fixtures::hello_sender())]
#[bench::enumeration(fixtures::hello_enumeration())]
fn hello_encode(hello: ClientHello) -> Vec<u8> {
    black_box(black_box(&hello).to_records().unwrap_or_default())
}

#[library_benchmark]
#[bench::alert(fixtures::probe(), fixtures::answer_alert())]
#[bench::tls13(fixtures::probe(), fixtures::answer_tls13())]
#[bench::tls12_one_certificate(fixtures::probe(), fixtures::answer_tls12(1))]
#[bench::tls12_three_certificates(fixtures::probe(), fixtures::answer_tls12(3))]
fn answer_decode(probe: HelloProbe, answer: Vec<u8>) -> HelloAnswer {
    black_box(fixtures::read(probe, black_box(&answer)))
}

#[library_benchmark]
#[bench::mx(dns::mx())]
fn dns_encode(question: Question) -> Vec<u8> {
    black_box(dns::encode(black_box(&question)))
}

#[library_benchmark]
#[bench::mx(dns::mx(), dns::reply_mx())]
#[bench::tlsa(dns::tlsa(), dns::reply_tlsa())]
#[bench::txt(dns::txt(), dns::reply_txt())]
fn dns_decode(question: Question, reply: Vec<u8>) -> Reading {
    black_box(dns::decode(black_box(&question), black_box(&reply)))
}

// The domain is handed back: to free it and all that it is judged by costs three
// times as much as its verdict, and is not counted then.
#[library_benchmark]
#[bench::one_host(Box::new(fixtures::domain(1)))]
#[bench::four_hosts(Box::new(fixtures::domain(4)))]
#[bench::sixteen_hosts(Box::new(fixtures::domain(16)))]
fn judge(domain: Box<fixtures::Domain>) -> (Verdict, Box<fixtures::Domain>) {
    (black_box(black_box(&domain).verdict()), domain)
}

#[library_benchmark]
#[bench::probe(fixtures::endpoint())]
fn journal_encode(probe: EndpointRecord) -> Vec<u8> {
    black_box(journal_line(black_box(&probe)).unwrap_or_default())
}

#[library_benchmark]
#[bench::probe(journal_line(&fixtures::endpoint()).unwrap_or_default())]
fn journal_decode(line: Vec<u8>) -> Option<JournalLine> {
    black_box(JournalLine::parse(black_box(&line)).ok())
}

#[library_benchmark]
#[bench::one_host(fixtures::rows(1))]
#[bench::four_hosts(fixtures::rows(4))]
fn domains_row((mut rows, record): (Rows, DomainRecord)) -> bool {
    black_box(rows.write(black_box(&record)).is_ok())
}

/// One turn of the scanner, under a name of its own to be counted by: neither
/// the server's turns nor the session that goes ahead are.
#[inline(never)]
fn counted_turn(client: &mut Client, incoming: &[u8], outgoing: &mut Vec<u8>) {
    client.turn(incoming, outgoing);
}

fn counted_turns_only() -> Callgrind {
    let mut callgrind = Callgrind::default();
    callgrind.entry_point(EntryPoint::Custom("*counted_turn*".to_string()));
    callgrind
}

// Key pairs, signatures and key shares are random, and so is what they cost, by
// a little: the baseline gives it room.
#[library_benchmark(config = LibraryBenchmarkConfig::default().tool(counted_turns_only()))]
#[bench::tls13_ecdsa(session::prepared(Key::Ecdsa))]
#[bench::tls13_rsa(session::prepared(Key::Rsa))]
fn tls_session((client, server): (Client, Server)) -> Dialogue {
    black_box(session::converse(client, server, counted_turn))
}

library_benchmark_group!(
    name = costs,
    benchmarks = [
        smtp_reply,
        ehlo_offer,
        smtp_session,
        certificate_facts,
        hello_encode,
        answer_decode,
        dns_encode,
        dns_decode,
        judge,
        journal_encode,
        journal_decode,
        domains_row,
        tls_session
    ]
);

main!(library_benchmark_groups = costs);
