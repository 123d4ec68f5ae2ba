//! The judge: from what was found at the hosts of a domain to its verdict.
//! `mxray judge` does nothing else, and a scan does it once a domain. And what
//! is written down of it.

// The macros make public functions without documentation.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has failed")]

#[path = "fixtures/mod.rs"]
mod fixtures;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mxray::internals::model::Observation;
use mxray::internals::run_dir::{CsvTable, DomainStream, ENDPOINTS, StreamFormat};
use std::hint::black_box;
use std::io;

fn verdict(c: &mut Criterion) {
    let mut group = c.benchmark_group("verdict of a domain");
    for hosts in [1, 4, 16] {
        let domain = fixtures::domain(hosts);
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{hosts} mail hosts with two addresses each"), |b| {
            b.iter(|| black_box(&domain).verdict());
        });
    }
    group.finish();
}

fn observation(c: &mut Criterion) {
    let policy = fixtures::policy();
    let observation = fixtures::observation("mx.example.com", [192, 0, 2, 1].into());
    c.bench_function("finding of an observation whose chain is known", |b| {
        b.iter(|| fixtures::judged(&policy, black_box(observation.clone())));
    });
}

/// A row of a domain and one of an endpoint, in each format.
fn rows(c: &mut Criterion) {
    let domain = fixtures::domain(1).record();
    let endpoint = fixtures::record("mx.example.com", [192, 0, 2, 1].into());
    let mut group = c.benchmark_group("rows");
    group.throughput(Throughput::Elements(1));
    for (name, format) in [("domains as CSV", StreamFormat::Csv), ("domains as JSON", StreamFormat::Jsonl)] {
        let mut stream = DomainStream::new(format, io::sink()).unwrap();
        group.bench_function(name, |b| b.iter(|| stream.write(black_box(&domain)).unwrap()));
    }
    let mut table = CsvTable::new(ENDPOINTS, io::sink()).unwrap();
    group.bench_function("endpoints as CSV", |b| b.iter(|| table.write(black_box(&endpoint)).unwrap()));
    group.finish();
}

/// An observation into a line of the journal and back.
fn journal(c: &mut Criterion) {
    let observation = fixtures::observation("mx.example.com", [192, 0, 2, 1].into());
    let line = serde_json::to_vec(&observation).unwrap();
    let mut group = c.benchmark_group("journal");
    group.throughput(Throughput::Bytes(line.len() as u64));
    let mut buffer = Vec::new();
    group.bench_function("encode", |b| {
        b.iter(|| {
            buffer.clear();
            serde_json::to_writer(&mut buffer, black_box(&observation)).unwrap();
        });
    });
    group.bench_function("decode", |b| {
        b.iter(|| serde_json::from_slice::<Observation>(black_box(&line)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, verdict, observation, rows, journal);
criterion_main!(benches);
