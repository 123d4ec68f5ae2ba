//! What the hello codec and the judge cost in instructions, counted by
//! valgrind: the same number each time, also on a machine that does other
//! things besides.
//!
//! It needs valgrind, and `gungraun-runner` of the version that `Cargo.toml`
//! names. `just instructions` says so where one is missing.

// The macros make public items without documentation.
#![allow(missing_docs)]

#[path = "fixtures/mod.rs"]
mod fixtures;

use gungraun::{library_benchmark, library_benchmark_group, main};
use mxray::model::Verdict;
use mxray::tls::{ClientHello, HelloAnswer, HelloProbe};
use std::hint::black_box;

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
#[bench::one_host(fixtures::domain(1))]
#[bench::four_hosts(fixtures::domain(4))]
#[bench::sixteen_hosts(fixtures::domain(16))]
fn judge(domain: fixtures::Domain) -> Verdict {
    black_box(black_box(&domain).verdict())
}

library_benchmark_group!(name = costs, benchmarks = [hello_encode, answer_decode, judge]);

main!(library_benchmark_groups = costs);
