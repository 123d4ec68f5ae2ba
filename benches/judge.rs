//! The judge: from what was found at the hosts of a domain to its verdict.
//! `mxray judge` does nothing else, and a scan does it once a domain.

// The macros make public functions without documentation.
#![allow(missing_docs)]

#[path = "fixtures/mod.rs"]
mod fixtures;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

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

criterion_group!(benches, verdict, observation);
criterion_main!(benches);
