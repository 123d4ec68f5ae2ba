//! The judge: from what was found at the hosts of a domain to its verdict.
//! `mxray judge` does nothing else, and a scan does it once a domain.

// The macros make public functions without documentation.
#![allow(missing_docs)]

#[path = "fixtures/mod.rs"]
mod fixtures;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mxray::policy;
use std::hint::black_box;

fn verdict(c: &mut Criterion) {
    let mut group = c.benchmark_group("verdict of a domain");
    for hosts in [1, 4, 16] {
        let (facts, found) = fixtures::domain(hosts);
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{hosts} mail hosts with two addresses each"), |b| {
            b.iter(|| policy::verdict(black_box(&facts), black_box(&found)));
        });
    }
    group.finish();
}

criterion_group!(benches, verdict);
criterion_main!(benches);
