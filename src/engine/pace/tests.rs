//! The pacer under a clock of its own.

use super::super::coalesce::{KeyTable, Registration};
use super::super::operators::{OperatorId, operator_ids};
use super::*;
use crate::model::{Endpoint, ProbeKey, network};
use governor::clock::FakeRelativeClock;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::net::IpAddr;

const INTERVAL: Duration = Duration::from_secs(60);

const OPEN: Limits = Limits::none(1000);

const COOL_DOWN: CoolDown = CoolDown { first: Duration::from_secs(120), longest: Duration::from_secs(3600) };

const RETRY: RetryPlan = RetryPlan {
    retries: 2,
    retry_delay: Duration::from_secs(30),
    second_look_delay: Duration::from_secs(60),
};

const ONE: BucketLimits = BucketLimits::of_connections(1);

const PAUSED: BucketLimits = BucketLimits { interval: INTERVAL, ..BucketLimits::NONE };

fn ip(last: u8) -> AskedPlace {
    AskedPlace { endpoint: Endpoint { ip: [192, 0, 2, last].into(), port: 25 }, operator: None }
}

fn address(last: u8) -> BucketKey {
    BucketKey::Ip(ip(last).endpoint.ip)
}

pub(super) fn ids(count: usize) -> Vec<KeyId> {
    let mut table = KeyTable::default();
    (0..count)
        .map(|number| {
            let ip = IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
            match table.ask(ProbeKey { endpoint: Endpoint { ip, port: 25 }, sni: None }, 0) {
                Registration::New(id) | Registration::Waiting(id) | Registration::Done(id) => id,
            }
        })
        .collect()
}

#[test]
fn one_connection_at_a_time_to_one_address() {
    let ids = ids(3);
    let mut pacer = Pacer::new(Limits { per_ip: ONE, ..OPEN }, RETRY);
    for (id, last) in [(ids[0], 1), (ids[1], 1), (ids[2], 2)] {
        pacer.push(id, ip(last));
    }
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[2], ip(2)));
    assert_eq!(pacer.begin_next(), NextStart::Nothing);
    pacer.finished(ids[0], ip(1), Sign::Served);
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[1], ip(1)));
}

#[test]
fn a_key_that_had_a_connection_goes_before_those_that_had_none() {
    let ids = ids(5);
    let mut pacer = Pacer::new(Limits { in_flight: 1, per_ip: ONE, ..OPEN }, RETRY);
    for (id, last) in [(ids[0], 1), (ids[1], 2), (ids[2], 3), (ids[3], 1)] {
        pacer.push(id, ip(last));
    }
    let mut begun = Vec::new();
    while let NextStart::Start(id, at) = pacer.begin_next() {
        if begun.is_empty() {
            pacer.push_again(ids[4], at);
        }
        begun.push(id);
        pacer.finished(id, at, Sign::Served);
    }
    assert_eq!(begun, [ids[0], ids[4], ids[1], ids[2], ids[3]]);
}

#[test]
fn an_address_rests_between_connections() {
    let (ids, clock) = (ids(3), FakeRelativeClock::default());
    let mut pacer = Pacer::with_clock(Limits { per_ip: PAUSED, ..OPEN }, RETRY, clock.clone());
    for id in &ids {
        pacer.push(*id, ip(1));
    }
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
    assert_eq!(pacer.begin_next(), NextStart::Rest(address(1), INTERVAL));
    assert_eq!(pacer.begin_next(), NextStart::Nothing, "one pause is enough for all that wait");
    pacer.finished(ids[0], ip(1), Sign::Served);
    assert_eq!(pacer.begin_next(), NextStart::Nothing);
    clock.advance(INTERVAL / 2);
    pacer.rested(address(1));
    assert_eq!(
        pacer.begin_next(),
        NextStart::Rest(address(1), INTERVAL / 2),
        "woken too early, it rests again"
    );
    clock.advance(INTERVAL / 2);
    pacer.rested(address(1));
    assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
}

/// The process before it may have connected to anyone a moment ago.
#[test]
fn a_run_that_goes_on_lets_every_bucket_rest_first() {
    let (ids, clock) = (ids(2), FakeRelativeClock::default());
    let [second, minute] = [1, 60].map(Duration::from_secs);
    let per_ip = BucketLimits { interval: second, ..BucketLimits::NONE };
    let per_network = BucketLimits { per_minute: NonZeroU32::new(9), ..BucketLimits::NONE };
    let limits = Limits { per_ip, per_network, ..OPEN };
    let mut pacer = Pacer::with_clock(limits, RETRY, clock.clone()).after_another(true);
    pacer.push(ids[0], ip(1));
    assert_eq!(pacer.begin_next(), NextStart::Rest(address(1), second));
    clock.advance(second);
    pacer.rested(address(1));
    let network = BucketKey::Network(crate::model::network(ip(1).endpoint.ip));
    assert_eq!(pacer.begin_next(), NextStart::Rest(network, minute - second));
    clock.advance(minute - second);
    pacer.rested(network);
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
}

/// The pause is between starts: time spent in the queue does not count as
/// rest.
#[test]
fn a_pause_begins_when_the_connection_does() {
    let (ids, clock) = (ids(3), FakeRelativeClock::default());
    let limits = Limits { per_ip: PAUSED, in_flight: 1, ..OPEN };
    let mut pacer = Pacer::with_clock(limits, RETRY, clock.clone());
    for (id, last) in [(ids[0], 1), (ids[1], 2), (ids[2], 2)] {
        pacer.push(id, ip(last));
    }
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
    clock.advance(INTERVAL * 2);
    pacer.finished(ids[0], ip(1), Sign::Served);
    let first = pacer.begin_next();
    assert!(matches!(first, NextStart::Start(_, at) if at == ip(2)), "{first:?}");
    pacer.finished(ids[1], ip(2), Sign::Served);
    assert_eq!(pacer.begin_next(), NextStart::Rest(address(2), INTERVAL));
}

#[test]
fn a_permit_that_an_address_cannot_use_goes_to_the_next() {
    let (ids, clock) = (ids(3), FakeRelativeClock::default());
    let limits = Limits { rate: NonZeroU32::new(1), per_ip: PAUSED, ..OPEN };
    let mut pacer = Pacer::with_clock(limits, RETRY, clock.clone());
    for (id, last) in [(ids[0], 1), (ids[1], 1)] {
        pacer.push(id, ip(last));
    }
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], ip(1)));
    pacer.push(ids[2], ip(2));
    assert_eq!(pacer.begin_next(), NextStart::After(Duration::from_secs(1)));
    clock.advance(Duration::from_secs(1));
    assert!(matches!(pacer.begin_next(), NextStart::Rest(at, _) if at == address(1)));
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[2], ip(2)), "the permit was kept, not spent");
}

#[test]
fn the_global_rate_and_the_number_in_flight_hold() {
    let ids = ids(4);
    let mut pacer = Pacer::new(Limits { rate: NonZeroU32::new(1), in_flight: 2, ..OPEN }, RETRY);
    for id in &ids {
        pacer.push(*id, ip(1));
    }
    assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
    assert!(matches!(pacer.begin_next(), NextStart::After(wait) if wait <= Duration::from_secs(1)));
    let mut pacer = Pacer::new(Limits { in_flight: 2, ..OPEN }, RETRY);
    for id in &ids {
        pacer.push(*id, ip(1));
    }
    assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
    assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
    assert_eq!(pacer.begin_next(), NextStart::Nothing);
    pacer.finished(ids[0], ip(1), Sign::Served);
    assert!(matches!(pacer.begin_next(), NextStart::Start(..)));
}

#[test]
fn idle_addresses_are_forgotten() {
    let ids = ids(1);
    let mut pacer = Pacer::new(OPEN, RETRY);
    pacer.push(ids[0], ip(1));
    pacer.begin_next();
    pacer.finished(ids[0], ip(1), Sign::Served);
    assert!(pacer.classes.is_empty() && pacer.by_place.is_empty() && pacer.buckets.is_empty());
}

#[test]
fn a_network_and_an_operator_have_limits_of_their_own() {
    let ids = ids(4);
    let operator = operator_ids(1).next();
    let at = |network: u8, last: u8| AskedPlace {
        endpoint: Endpoint { ip: [192, 0, network, last].into(), port: 25 },
        operator,
    };
    for (limits, places, began) in [
        (Limits { per_network: ONE, ..OPEN }, [at(1, 1), at(1, 2), at(2, 1), at(2, 2)], [0, 2]),
        (
            Limits { per_operator: BucketLimits::of_connections(2), ..OPEN },
            [at(1, 1), at(2, 1), at(3, 1), at(4, 1)],
            [0, 1],
        ),
    ] {
        let mut pacer = Pacer::new(limits, RETRY);
        ids.iter().zip(places).for_each(|(id, place)| pacer.push(*id, place));
        let begun: Vec<_> = std::iter::from_fn(|| match pacer.begin_next() {
            NextStart::Start(id, place) => Some((id, place)),
            _ => None,
        })
        .collect();
        assert_eq!(begun, began.map(|number| (ids[number], places[number])));
        pacer.finished(ids[began[0]], places[began[0]], Sign::Served);
        assert!(matches!(pacer.begin_next(), NextStart::Start(..)), "what ends makes room");
    }
}

/// Room that the one who waited longest cannot use, as something else stands in
/// its way, goes to the next.
#[test]
fn room_goes_to_who_can_use_it() {
    let ids = ids(4);
    let operator = operator_ids(1).next();
    let limits = Limits { per_ip: ONE, per_operator: ONE, ..OPEN };
    let mut pacer = Pacer::new(limits, RETRY);
    let busy = AskedPlace { endpoint: Endpoint { ip: ip(1).endpoint.ip, port: 25 }, operator: None };
    let of_operator =
        |last| AskedPlace { endpoint: Endpoint { ip: ip(last).endpoint.ip, port: 25 }, operator };
    pacer.push(ids[0], of_operator(3));
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[0], of_operator(3)));
    pacer.push(ids[2], of_operator(1));
    pacer.push(ids[3], of_operator(2));
    assert_eq!(pacer.begin_next(), NextStart::Nothing, "both wait for the operator");
    pacer.push(ids[1], busy);
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[1], busy));
    pacer.finished(ids[0], of_operator(3), Sign::Served);
    assert_eq!(
        pacer.begin_next(),
        NextStart::Start(ids[3], of_operator(2)),
        "the address of the first is busy"
    );
    pacer.finished(ids[1], busy, Sign::Served);
    assert_eq!(pacer.begin_next(), NextStart::Nothing);
    pacer.finished(ids[3], of_operator(2), Sign::Served);
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[2], of_operator(1)));
}

#[test]
fn the_order_is_drawn_by_the_seed() {
    let ids = ids(50);
    let order = |order_seed: Option<u64>| {
        let mut pacer = Pacer::new(Limits { order_seed, ..OPEN }, RETRY);
        ids.iter().enumerate().for_each(|(number, id)| pacer.push(*id, ip(u8::try_from(number).unwrap())));
        std::iter::from_fn(|| match pacer.begin_next() {
            NextStart::Start(id, _) => Some(id),
            _ => None,
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(order(None), ids);
    assert_eq!(order(Some(1)), order(Some(1)));
    assert_ne!(order(Some(1)), order(Some(2)));
    assert_eq!(order(Some(1)).iter().collect::<HashSet<_>>().len(), ids.len());
}

/// Has the pacer start one key and end it by a sign, once its time has come.
fn ends_by(pacer: &mut Pacer<FakeRelativeClock>, clock: &FakeRelativeClock, sign: Sign) -> NextStart {
    let mut next = pacer.begin_next();
    while let NextStart::Rest(bucket, pause) = next {
        clock.advance(pause);
        pacer.rested(bucket);
        next = pacer.begin_next();
    }
    if let NextStart::Start(id, place) = next {
        pacer.finished(id, place, sign);
    }
    next
}

#[test]
fn keys_of_a_place_that_is_given_up_are_handed_back() {
    let (ids, clock) = (ids(6), FakeRelativeClock::default());
    let mut pacer = Pacer::with_clock(Limits { cool_down: Some(COOL_DOWN), ..OPEN }, RETRY, clock.clone());
    ids[..4].iter().for_each(|id| pacer.push(*id, ip(1)));
    for (id, counts) in [(ids[0], (1, 0)), (ids[1], (1, 0)), (ids[2], (0, 1))] {
        assert_eq!(ends_by(&mut pacer, &clock, Sign::Complained), NextStart::Start(id, ip(1)));
        let CoolDownCounts { cooling, given_up, .. } = pacer.cool_downs();
        assert_eq!((cooling, given_up), counts);
        assert!(pacer.is_shut(ip(1)));
    }
    assert_eq!(pacer.begin_next(), NextStart::Forgo(ids[3], address(1)));
    assert_eq!(pacer.begin_next(), NextStart::Nothing);
    pacer.push(ids[4], ip(1));
    assert_eq!(pacer.begin_next(), NextStart::Forgo(ids[4], address(1)), "one that comes later as well");
    pacer.push(ids[5], ip(2));
    assert_eq!(pacer.begin_next(), NextStart::Start(ids[5], ip(2)), "its neighbour is asked");
}

#[test]
fn a_place_that_is_served_after_its_cool_down_goes_on_slower() {
    let (ids, clock) = (ids(3), FakeRelativeClock::default());
    let mut pacer = Pacer::with_clock(Limits { cool_down: Some(COOL_DOWN), ..OPEN }, RETRY, clock.clone());
    ids.iter().for_each(|id| pacer.push(*id, ip(1)));
    for sign in [Sign::Complained, Sign::Served] {
        assert!(matches!(ends_by(&mut pacer, &clock, sign), NextStart::Start(..)));
    }
    assert!(!pacer.is_shut(ip(1)));
    assert_eq!(pacer.begin_next(), NextStart::Rest(address(1), Duration::from_secs(2)));
}

#[test]
fn three_addresses_that_complain_have_their_network_cool_down() {
    let (ids, clock) = (ids(4), FakeRelativeClock::default());
    let mut pacer = Pacer::with_clock(Limits { cool_down: Some(COOL_DOWN), ..OPEN }, RETRY, clock.clone());
    for last in 0..3 {
        pacer.push(ids[usize::from(last)], ip(last));
        assert!(!pacer.is_shut(ip(9)));
        ends_by(&mut pacer, &clock, Sign::Complained);
    }
    assert!(pacer.is_shut(ip(9)));
    pacer.push(ids[3], ip(9));
    let rests = pacer.begin_next();
    assert!(matches!(rests, NextStart::Rest(BucketKey::Network(_), _)), "{rests:?}");
}

/// Whoever waits for an address of it does not wait until that has cooled down.
#[test]
fn a_network_that_is_given_up_hands_back_all_its_keys_at_once() {
    let (ids, clock) = (ids(8), FakeRelativeClock::default());
    let limits = Limits { cool_down: Some(COOL_DOWN), ..OPEN };
    let mut pacer = Pacer::with_clock(limits, RETRY, clock.clone());
    for last in 1..6 {
        pacer.push(ids[usize::from(last)], ip(last));
        if last == 5 {
            pacer.push(ids[6], ip(5));
        }
        ends_by(&mut pacer, &clock, Sign::Complained);
    }
    let next = pacer.begin_next();
    assert!(matches!(next, NextStart::Forgo(id, BucketKey::Network(_)) if id == ids[6]), "{next:?}");
}

/// A key of a made-up list: where it is, how often it is asked, for how many
/// milliseconds each time, and what each of these says of the place.
#[derive(Clone, Debug)]
struct Asked {
    place: AskedPlace,
    times: u8,
    lasts: u16,
    signs: [Sign; 3],
}

fn asked() -> impl Strategy<Value = Asked> {
    let operators: Vec<OperatorId> = operator_ids(3).collect();
    let operator = prop::option::of(prop::sample::select(operators));
    let signs = [Sign::Served, Sign::Served, Sign::Complained, Sign::Dropped, Sign::Silent, Sign::Nothing];
    let signs = prop::array::uniform3(prop::sample::select(signs.to_vec()));
    (0u8..3, 0u8..4, operator, 1u8..4, 0u16..6000, signs).prop_map(
        |(network, last, operator, times, lasts, signs)| Asked {
            place: AskedPlace {
                endpoint: Endpoint { ip: [192, 0, network, last].into(), port: 25 },
                operator,
            },
            times,
            lasts,
            signs,
        },
    )
}

fn bucket_limits() -> impl Strategy<Value = BucketLimits> {
    (0u32..4, prop::sample::select(vec![0u64, 0, 700, 5000]), prop::sample::select(vec![0u32, 0, 1, 5]))
        .prop_map(|(connections, interval, per_minute)| BucketLimits {
            connections: NonZeroU32::new(connections),
            interval: Duration::from_millis(interval),
            per_minute: NonZeroU32::new(per_minute),
        })
}

fn limits() -> impl Strategy<Value = Limits> {
    let buckets = (bucket_limits(), bucket_limits(), bucket_limits());
    let cool_down = prop::option::of(Just(COOL_DOWN));
    (0u32..30, (1usize..20, 0usize..6), buckets, cool_down, prop::option::of(any::<u64>())).prop_map(
        |(rate, (in_flight, slow_in_flight), (per_ip, per_network, per_operator), cool_down, order_seed)| {
            Limits {
                rate: NonZeroU32::new(rate),
                in_flight,
                slow_in_flight,
                per_ip,
                per_network,
                per_operator,
                cool_down,
                order_seed,
            }
        },
    )
}

/// What a connection of the made-up run was: its place, start, end and sign.
type PlayedConnection = (AskedPlace, Duration, Duration, Sign);

/// Plays a list under virtual time; gives all its connections, in the order of
/// their starts, and how many more were forgone.
fn play(limits: Limits, list: &[Asked]) -> (Vec<PlayedConnection>, usize) {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Due {
        Ended(usize),
        Rested(usize),
        Permit,
    }
    let (ids, clock) = (ids(list.len()), FakeRelativeClock::default());
    let mut pacer = Pacer::with_clock(limits, RETRY, clock.clone());
    let mut left: Vec<u8> = list.iter().map(|asked| asked.times).collect();
    let mut waits = vec![true; list.len()];
    ids.iter().zip(list).for_each(|(id, asked)| pacer.push(*id, asked.place));
    let (mut now, mut due, mut rests, mut connections, mut forgone) =
        (Duration::ZERO, BinaryHeap::new(), Vec::new(), Vec::new(), 0);
    let sign = |number: usize, left: u8| list[number].signs[usize::from(list[number].times - left)];
    loop {
        match pacer.begin_next() {
            NextStart::Start(id, place) => {
                let number = ids.iter().position(|one| *one == id).unwrap();
                assert_eq!(place, list[number].place);
                waits[number] = false;
                let ends = now + Duration::from_millis(list[number].lasts.into());
                connections.push((place, now, ends, sign(number, left[number])));
                due.push(Reverse((ends, Due::Ended(number))));
                continue;
            }
            NextStart::Forgo(id, _) => {
                let number = ids.iter().position(|one| *one == id).unwrap();
                waits[number] = false;
                forgone += usize::from(left[number]);
                continue;
            }
            NextStart::Rest(bucket, pause) => {
                rests.push(bucket);
                due.push(Reverse((now + pause, Due::Rested(rests.len() - 1))));
                continue;
            }
            NextStart::After(pause) => due.push(Reverse((now + pause, Due::Permit))),
            // Nobody waits where no limit is in the way, once all that is due has happened.
            NextStart::Nothing
                if pacer.table.room(now) == Room::Yes
                    && due.peek().is_none_or(|Reverse((at, _))| *at > now) =>
            {
                for (asked, _) in list.iter().zip(&waits).filter(|(_, waits)| **waits) {
                    assert!(pacer.obstacle(asked.place).is_some(), "{asked:?} could begin at {now:?}");
                }
            }
            NextStart::Nothing => {}
        }
        let Some(Reverse((at, event))) = due.pop() else { break };
        clock.advance(at - now);
        now = at;
        match event {
            Due::Permit => {}
            Due::Rested(number) => pacer.rested(rests[number]),
            Due::Ended(number) => {
                pacer.finished(ids[number], list[number].place, sign(number, left[number]));
                left[number] -= 1;
                if left[number] > 0 {
                    waits[number] = true;
                    pacer.push_again(ids[number], list[number].place);
                }
            }
        }
    }
    assert!(pacer.classes.is_empty(), "nobody waits for ever: {:?} {:?}", pacer.classes, pacer.buckets);
    (connections, forgone)
}

/// What of these connections, all to one address and one at a time, comes too soon
/// after a complaint: the rule by itself, without what a network or an operator
/// adds to it.
fn too_soon(connections: &[PlayedConnection]) -> Option<String> {
    let (mut shut_until, mut trials) = (Duration::ZERO, 0);
    for (_, start, end, sign) in connections {
        if *start < shut_until {
            return Some(format!("at {start:?}, before {shut_until:?}"));
        }
        match sign {
            Sign::Complained => {
                let pause = COOL_DOWN.first * 5u32.pow(trials.min(3));
                shut_until = if trials < 3 { *end + pause.min(COOL_DOWN.longest) } else { Duration::MAX };
                trials += 1;
            }
            Sign::Served => trials = 0,
            _ => {}
        }
        if trials == 3 {
            shut_until = Duration::MAX;
        }
    }
    None
}

/// What of these connections, all to one service and one at a time, looks too soon
/// or too often whether somebody answers by now.
fn asked_in_vain(connections: &[PlayedConnection]) -> Option<String> {
    let (mut due, mut looks) = (Duration::ZERO, 0);
    for (_, start, end, sign) in connections {
        if *start < due {
            return Some(format!("at {start:?}, before {due:?}"));
        }
        looks = match sign {
            Sign::Silent => looks + 1,
            Sign::Nothing => looks,
            _ => 0,
        };
        due = *end
            + match (sign, looks) {
                (Sign::Silent, 1) => RETRY.retry_delay,
                (Sign::Silent, 2) => 2 * RETRY.retry_delay,
                (Sign::Silent, _) => Duration::from_secs(30 * 60),
                _ => Duration::ZERO,
            };
    }
    None
}

/// Where more of these connections than `most` are open that are not slow.
fn too_many_quick(most: usize, connections: &[PlayedConnection]) -> Option<String> {
    let starts = connections.iter().enumerate();
    let mut quick = starts.map(|(index, (_, start, ..))| {
        let is_quick = |(_, begun, end, _): &&PlayedConnection| end > start && *begun + SLOW_AFTER > *start;
        (start, 1 + connections[..index].iter().filter(is_quick).count())
    });
    let over = quick.find(|(_, open)| *open > most);
    over.map(|(start, open)| format!("{open} that are not slow at {start:?}"))
}

/// What of these connections breaks a limit.
fn broken(limits: &BucketLimits, connections: &[PlayedConnection]) -> Option<String> {
    for (index, (_, start, ..)) in connections.iter().enumerate() {
        let before = &connections[..index];
        let open = before.iter().filter(|(_, _, end, _)| end > start).count();
        if limits.connections.is_some_and(|most| open >= most.get() as usize) {
            return Some(format!("{} open at {start:?}", open + 1));
        }
        if before.last().is_some_and(|(_, last, ..)| *start - *last < limits.interval) {
            return Some(format!("too soon at {start:?}"));
        }
        let minute = before.iter().filter(|(_, other, ..)| *start - *other < Duration::from_secs(60)).count();
        if limits.per_minute.is_some_and(|most| minute >= most.get() as usize) {
            return Some(format!("{} in the minute before {start:?}", minute + 1));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// For any list and any limits none is ever exceeded, nobody waits where none
    /// is in the way, and everybody has every connection that is due.
    #[test]
    fn no_limit_is_exceeded_and_nobody_starves(limits in limits(), list in prop::collection::vec(asked(), 1..40)) {
        let (connections, forgone) = play(limits, &list);
        let due: usize = list.iter().map(|asked| usize::from(asked.times)).sum();
        prop_assert_eq!(connections.len() + forgone, due);
        let meets_nobody = list.iter().any(|asked| asked.signs.contains(&Sign::Silent));
        prop_assert!(forgone == 0 || limits.cool_down.is_some() || meets_nobody);
        let open_max = limits.in_flight + limits.slow_in_flight;
        let whole = BucketLimits::of_connections(u32::try_from(open_max).unwrap());
        prop_assert_eq!(broken(&whole, &connections), None);
        prop_assert_eq!(too_many_quick(limits.in_flight, &connections), None);
        let of = |belongs: &dyn Fn(&AskedPlace) -> bool| -> Vec<PlayedConnection> {
            connections.iter().filter(|(place, ..)| belongs(place)).copied().collect()
        };
        for (place, ..) in &connections {
            let at_ip = of(&|other| other.endpoint.ip == place.endpoint.ip);
            prop_assert_eq!(broken(&limits.per_ip, &at_ip), None, "address {}", place.endpoint.ip);
            if limits.per_ip.connections == NonZeroU32::new(1) {
                prop_assert_eq!(asked_in_vain(&at_ip), None, "address {}", place.endpoint.ip);
                let complains = limits.cool_down.and_then(|_| too_soon(&at_ip));
                prop_assert_eq!(complains, None, "address {}", place.endpoint.ip);
            }
            let at_network = of(&|other| network(other.endpoint.ip) == network(place.endpoint.ip));
            prop_assert_eq!(broken(&limits.per_network, &at_network), None, "network of {}", place.endpoint.ip);
            if place.operator.is_some() {
                let at_operator = of(&|other| other.operator == place.operator);
                prop_assert_eq!(broken(&limits.per_operator, &at_operator), None, "{:?}", place.operator);
            }
        }
    }
}
