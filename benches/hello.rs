//! The hello codec: how long it takes to write a question and to read an
//! answer. An enumeration does both dozens of times a host.

// The macros make public functions without documentation.
#![allow(missing_docs)]

#[path = "fixtures/mod.rs"]
mod fixtures;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("client hello, written");
    for (name, hello) in [
        ("SSLv3, 5 suites", fixtures::hello_sslv3()),
        ("a sender's, 12 suites", fixtures::hello_sender()),
        ("an enumeration's, 350 suites", fixtures::hello_enumeration()),
    ] {
        group.bench_function(name, |b| b.iter(|| black_box(&hello).to_records()));
    }
    group.finish();
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("answer, read");
    for (name, answer) in [
        ("alert", fixtures::answer_alert()),
        ("TLS 1.3", fixtures::answer_tls13()),
        ("TLS 1.2, 1 certificate", fixtures::answer_tls12(1)),
        ("TLS 1.2, 3 certificates", fixtures::answer_tls12(3)),
        ("TLS 1.2, 16 certificates", fixtures::answer_tls12(16)),
    ] {
        group.throughput(Throughput::Bytes(answer.len() as u64));
        group.bench_function(name, |b| {
            b.iter_batched(
                fixtures::probe,
                |probe| fixtures::read(probe, black_box(&answer)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
