//! The gate of the instruction counts judges by what is committed. That the
//! counts themselves are right is shown by `just perf-gate`, where valgrind is.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
// The gate uses all of it.
#![allow(dead_code)]

#[path = "../benches/perf_gate/compare.rs"]
mod compare;
#[path = "../benches/perf_gate/summary.rs"]
mod summary;

use compare::{Baseline, Committed, Counts, Move, compare};

const RUSTC: &str = "rustc 1.95.0";

fn baseline() -> Baseline {
    let committed = |instructions, tolerance_percent| Committed { instructions, tolerance_percent };
    Baseline {
        rustc: RUSTC.to_string(),
        benchmark: [
            ("reply.banner".to_string(), committed(1000, 2.0)),
            ("session.ecdsa".to_string(), committed(1_000_000, 5.0)),
        ]
        .into(),
    }
}

fn counts(counts: &[(&str, u64)]) -> Counts {
    counts.iter().map(|(name, count)| ((*name).to_string(), *count)).collect()
}

#[test]
fn each_benchmark_has_its_own_tolerance() {
    for (reply, session, expected, fails) in [
        (1000, 1_000_000, [Move::Kept, Move::Kept], false),
        (1020, 1_049_000, [Move::Kept, Move::Kept], false),
        (1021, 1_049_000, [Move::Slower, Move::Kept], true),
        (1020, 1_050_100, [Move::Kept, Move::Slower], true),
        (979, 940_000, [Move::Faster, Move::Faster], false),
    ] {
        let counts = counts(&[("reply.banner", reply), ("session.ecdsa", session)]);
        let compared = compare(&baseline(), RUSTC, &counts);
        let moved: Vec<_> = compared.rows.iter().map(|row| row.moved).collect();
        assert_eq!((moved.as_slice(), compared.fails()), (expected.as_slice(), fails), "{reply} {session}");
    }
}

#[test]
fn the_table_says_what_moved_and_what_to_do() {
    let counts = counts(&[("reply.banner", 1500), ("reply.ehlo", 7)]);
    let compared = compare(&baseline(), RUSTC, &counts);
    assert!(compared.fails());
    insta::assert_snapshot!(compared, @r"
    3 benchmarks, 3 moved
    instructions                                  baseline         now    change  allowed
    reply.banner                                      1000        1500  +50.00 %      2 %  slower
    reply.ehlo                                           -           7                     not in the baseline
    session.ecdsa                                  1000000           -                5 %  not counted any more
    if it has to be so: `just perf-baseline`, and say in the commit why
    ");
}

#[test]
fn counts_of_another_compiler_are_told_and_pass_no_gate() {
    for banner in [1000, 9000] {
        let counts = counts(&[("reply.banner", banner), ("session.ecdsa", 1_000_000)]);
        assert!(compare(&baseline(), "rustc 1.96.0", &counts).fails(), "{banner}: judged by nothing");
    }
    let counts = counts(&[("reply.banner", 9000), ("session.ecdsa", 1_000_000)]);
    let told = compare(&baseline(), "rustc 1.96.0", &counts).to_string();
    assert!(told.contains("reply.banner") && told.contains("slower"), "{told}");
    assert!(
        told.contains("NOT JUDGED: the baseline is of rustc 1.95.0, and this is rustc 1.96.0."),
        "{told}"
    );
}

#[test]
fn a_new_baseline_keeps_the_tolerances() {
    let renewed = baseline().renewed("rustc 1.96.0", &counts(&[("session.ecdsa", 5), ("reply.ehlo", 7)]));
    let expected = [
        (
            "reply.ehlo".to_string(),
            Committed { instructions: 7, tolerance_percent: compare::TOLERANCE_PERCENT },
        ),
        ("session.ecdsa".to_string(), Committed { instructions: 5, tolerance_percent: 5.0 }),
    ];
    assert_eq!(renewed, Baseline { rustc: "rustc 1.96.0".to_string(), benchmark: expected.into() });
    assert_eq!(toml::from_str::<Baseline>(&toml::to_string(&renewed).unwrap()).unwrap(), renewed);
}

/// What is committed can be read, and has a count for every benchmark.
#[test]
fn the_committed_baseline_is_one() {
    let committed: Baseline = toml::from_str(include_str!("../benches/baseline.toml")).unwrap();
    let source = include_str!("../benches/instructions.rs");
    let cases = source.matches("#[bench::").count();
    assert_eq!(committed.benchmark.len(), cases);
    assert!(committed.benchmark.values().all(|one| one.instructions > 0 && one.tolerance_percent > 0.0));
}
