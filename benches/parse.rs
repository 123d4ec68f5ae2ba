//! What comes in from servers, read: SMTP replies, EHLO keywords, certificates,
//! DNS; and questions to the DNS written.
//! Small and large ones as servers of the field send them.

// The macros make public functions without documentation.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has failed")]

#[path = "fixtures/mod.rs"]
mod fixtures;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fixtures::dns;
use mxray::internals::model::Reply;
use mxray::internals::smtp::ehlo::starttls_keyword;
use mxray::internals::smtp::reply::ReplyReader;
use mxray::internals::x509;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::hint::black_box;

const GREETING: &[u8] = b"220 mx1.mail.example.com ESMTP Postfix (Debian/GNU)\r\n";

const EHLO_POSTFIX: &[u8] = b"250-mx1.mail.example.com\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n\
    250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n\
    250-SMTPUTF8\r\n250 CHUNKING\r\n";

const EHLO_EXCHANGE: &[u8] = b"250-DB5EUR03FT012.mail.protection.outlook.com Hello [192.0.2.1]\r\n\
    250-SIZE 157286400\r\n250-PIPELINING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n\
    250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n";

/// The real certificates of the field that the repository has.
const ROOTS: &[u8] = include_bytes!("../datasets/roots/microsoft.pem");

fn read(bytes: &[u8]) -> Reply {
    let mut reader = ReplyReader::default();
    reader.receive(bytes);
    reader.next_reply().unwrap().unwrap()
}

/// A greeting of a hundred lines, as abuse desks write them.
fn greeting_long() -> Vec<u8> {
    let line = "220-We do not authorize the use of this system to transport unsolicited e-mail.\r\n";
    let mut greeting = line.repeat(99);
    greeting.push_str("220 mx1.mail.example.com\r\n");
    greeting.into_bytes()
}

fn replies(c: &mut Criterion) {
    let mut group = c.benchmark_group("SMTP reply");
    let long = greeting_long();
    for (name, bytes) in [
        ("greeting", GREETING),
        ("EHLO of Postfix", EHLO_POSTFIX),
        ("EHLO of Exchange Online", EHLO_EXCHANGE),
        ("greeting of a hundred lines", &long),
    ] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(black_box(bytes))));
    }
    group.finish();
}

fn ehlo(c: &mut Criterion) {
    let mut group = c.benchmark_group("STARTTLS among EHLO keywords");
    for (name, bytes) in [("Postfix", EHLO_POSTFIX), ("Exchange Online", EHLO_EXCHANGE)] {
        let reply = read(bytes);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                black_box(starttls_keyword(black_box(&reply)));
            });
        });
    }
    group.finish();
}

fn certificates(c: &mut Criterion) {
    let mut roots: Vec<_> = CertificateDer::pem_slice_iter(ROOTS).collect::<Result<_, _>>().unwrap();
    roots.sort_by_key(|der| der.len());
    let all: usize = roots.iter().map(|der| der.len()).sum();
    let mut group = c.benchmark_group("certificate facts");
    for (name, der) in [
        ("smallest root", roots.first()),
        ("median root", roots.get(roots.len() / 2)),
        ("largest root", roots.last()),
    ] {
        let der = der.unwrap();
        group.throughput(Throughput::Bytes(der.len() as u64));
        group.bench_function(name, |b| b.iter(|| x509::read(black_box(der))));
    }
    group.throughput(Throughput::Bytes(all as u64));
    group.bench_function("all roots", |b| {
        b.iter(|| roots.iter().filter(|der| x509::read(black_box(der)).defect.is_some()).count());
    });
    group.finish();
}

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("DNS");
    group.bench_function("a question, written", |b| b.iter(|| dns::encode(black_box(&dns::mx()))));
    for (name, question, reply) in [
        ("MX", dns::mx(), dns::reply_mx()),
        ("TLSA", dns::tlsa(), dns::reply_tlsa()),
        ("TXT", dns::txt(), dns::reply_txt()),
    ] {
        group.throughput(Throughput::Bytes(reply.len() as u64));
        group.bench_function(format!("a reply, read: {name}"), |b| {
            b.iter(|| dns::decode(&question, black_box(&reply)));
        });
    }
    group.finish();
}

criterion_group!(benches, replies, ehlo, certificates, messages);
criterion_main!(benches);
