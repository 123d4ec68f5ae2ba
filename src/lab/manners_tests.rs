//! Planted violations, and what is none.

use super::*;
use crate::lab::log::{ClientStage, ConnectionEnd};

/// A connection to `own` from `opened` to `left`, in milliseconds.
fn connection(own: &str, opened: u64, left: u64) -> LoggedConnection {
    LoggedConnection {
        number: opened + 1,
        opened_us: opened * 1000,
        left_us: left * 1000,
        peer: "127.0.0.1:40000".parse().unwrap(),
        own: own.parse().unwrap(),
        name: String::new(),
        reached: ClientStage::Connected,
        end: ConnectionEnd::Quit,
        detail: String::new(),
    }
}

const A: &str = "127.1.0.1:25";
/// Of the same network.
const B: &str = "127.1.0.2:25";
/// Of another one.
const C: &str = "127.1.1.1:25";

fn limits() -> MannersLimits {
    MannersLimits { late: Duration::ZERO, ..MannersLimits::default() }
}

fn of(limits: MannersOf, log: &[LoggedConnection]) -> [Vec<Violation>; 4] {
    let operators: BTreeMap<IpAddr, String> = [A, C]
        .iter()
        .map(|at| (at.parse::<std::net::SocketAddr>().unwrap().ip(), "op".to_string()))
        .collect();
    let judge = |all: MannersLimits| violations(log, &all, &operators);
    [
        judge(MannersLimits { address: limits, ..self::limits() }),
        judge(MannersLimits { network: limits, ..self::limits() }),
        judge(MannersLimits { operator: limits, ..self::limits() }),
        judge(MannersLimits { all: limits, ..self::limits() }),
    ]
}

fn counts(found: &[Vec<Violation>; 4]) -> [usize; 4] {
    found.each_ref().map(|violations| violations.iter().map(|violation| violation.times).sum())
}

#[test]
fn one_too_many_at_a_time_is_found_in_its_bucket() {
    let one = MannersOf { at_a_time: Some(1), ..MannersOf::default() };
    let behind = [connection(A, 0, 10), connection(A, 10, 20)];
    assert_eq!(counts(&of(one, &behind)), [0, 0, 0, 0], "one leaves as the next comes");
    assert_eq!(counts(&of(one, &[connection(A, 0, 11), connection(A, 10, 20)])), [1, 1, 1, 1]);
    assert_eq!(counts(&of(one, &[connection(A, 0, 11), connection(B, 10, 20)])), [0, 1, 0, 1]);
    assert_eq!(counts(&of(one, &[connection(A, 0, 11), connection(C, 10, 20)])), [0, 0, 1, 1]);
    assert_eq!(counts(&of(one, &[connection(B, 0, 11), connection(C, 10, 20)])), [0, 0, 0, 1]);
}

#[test]
fn two_too_close_are_found() {
    let pause = MannersOf { interval: Some(Duration::from_millis(100)), ..MannersOf::default() };
    assert_eq!(counts(&of(pause, &[connection(A, 0, 1), connection(A, 100, 101)])), [0; 4]);
    let found = of(pause, &[connection(A, 0, 1), connection(A, 99, 100), connection(A, 110, 120)]);
    assert_eq!(counts(&found), [2; 4]);
    let worst = &found[0][0];
    assert!(matches!(worst.excess, Excess::Interval { found, .. } if found == Duration::from_millis(11)));
    assert_eq!(worst.evidence.iter().map(|one| one.number).collect::<Vec<_>>(), [100, 111]);
    assert!(worst.to_string().contains("127.1.0.1: a connection 11ms after another"), "{worst}");
}

#[test]
fn the_window_is_any_and_not_that_of_the_clock() {
    let two = MannersOf { in_window: Some(2), ..MannersOf::default() };
    let at = |starts: [u64; 3]| starts.map(|start| connection(A, start, start + 1));
    assert_eq!(counts(&of(two, &at([0, 59_000, 60_000]))), [0; 4]);
    assert_eq!(counts(&of(two, &at([59_000, 61_000, 118_999]))), [1; 4]);
}

#[test]
fn what_a_busy_machine_takes_up_late_is_no_violation() {
    let pause = MannersOf { interval: Some(Duration::from_millis(100)), ..MannersOf::default() };
    let limits = MannersLimits { address: pause, late: Duration::from_millis(30), ..limits() };
    let judge =
        |second| violations(&[connection(A, 0, 1), connection(A, second, 90)], &limits, &BTreeMap::new());
    assert!(judge(70).is_empty());
    assert_eq!(judge(69).len(), 1);
}

#[test]
fn evidence_is_bounded() {
    let one = MannersOf { at_a_time: Some(1), ..MannersOf::default() };
    let log: Vec<_> = (0..50).map(|n| connection(A, n, 1000)).collect();
    let found = &of(one, &log)[0];
    assert_eq!((found[0].times, found[0].evidence.len()), (49, EVIDENCE_MAX));
    assert_eq!(found[0].excess, Excess::AtATime { found: 50, allowed: 1 });
    assert_eq!(found[0].evidence.last().unwrap().number, 50);
}
