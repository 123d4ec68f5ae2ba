//! What a run is told to take, by what the DNS said.

use super::*;
use crate::model::{DomainName, Endpoint, Subject, Target};
use std::num::NonZeroU32;

fn facts(domain: &str, hosts: &[(&str, &[&str])]) -> DomainFacts {
    let subject = Subject::Domain(DomainName::parse(domain).unwrap());
    let exchange = |(host, addresses): &(&str, &[&str])| {
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        Exchange::whole(10, Some(MxHost::new(host)), addresses)
    };
    let mut facts = DomainFacts::failed(
        Target { line: 1, subject },
        crate::model::Failure::new(crate::model::Phase::Dns, crate::model::Kind::NoData),
    );
    if !hosts.is_empty() {
        facts.failure = None;
    }
    facts.exchanges = hosts.iter().map(exchange).collect();
    facts
}

const ONE_EACH: ConnectionsEach = ConnectionsEach { named: 1, nameless: 1 };

/// Takes up one target of which private addresses are not connected to.
fn add(forecast: &mut Forecast, domain: &str, hosts: &[(&str, &[&str])]) -> bool {
    let refused = |key: &ProbeKey| {
        key.endpoint.ip.to_string().starts_with("10.").then(|| "private_address".to_string())
    };
    let is_free = |facts: &DomainFacts, _| facts.target.subject.label().starts_with("free");
    forecast.add(&facts(domain, hosts), &ForecastRules { refused, is_free })
}

#[test]
fn keys_count_once_for_each_place_that_they_are_in() {
    let mut forecast = Forecast::new(&EngineConfig::default(), ONE_EACH);
    let two: &[&str] = &["192.0.2.1", "192.0.2.2"];
    add(&mut forecast, "a.example", &[("mx.provider.net", two)]);
    add(&mut forecast, "b.example", &[("mx.provider.net", two)]);
    add(&mut forecast, "c.example", &[("mx2.provider.net", &["192.0.2.1"])]);
    add(&mut forecast, "d.example", &[("mx.d.example", &["10.0.0.1"])]);
    add(&mut forecast, "e.example", &[]);
    add(&mut forecast, "f.example", &[("mx.f.example", &[])]);
    let told = forecast.told();
    assert_eq!((told.domains, told.hosts, told.places), (6, 4, [2, 1, 1]));
    assert_eq!(told.hosts_without_address, 1);
    assert_eq!(told.most_names, Some(("192.0.2.1".parse().unwrap(), 2)));
    assert_eq!(told.without_hosts, BTreeMap::from([("dns: no_data".to_string(), 1)]));
    assert_eq!(told.left_alone, BTreeMap::from([("private_address".to_string(), 1)]));
    let slowest = told.slowest.first().unwrap();
    assert_eq!(slowest.place, Some(ForecastPlace::Address("192.0.2.1".parse().unwrap())));
    // Two connections a second apart; with their time, one after the other.
    assert_eq!((slowest.at_least, slowest.with_sessions), (Duration::from_secs(1), Duration::from_secs(3)));
    assert_eq!((told.run.connections, told.run.at_least), (3, Duration::from_secs(1)));
}

fn asked(keys: u64) -> KeysAsked {
    KeysAsked { keys, connections: keys }
}

/// Of ten thousand names some 330 are drawn, and one look without a name is made.
#[test]
fn a_sample_is_drawn_as_the_scan_draws_it() {
    let config = EngineConfig { sample: true, ..EngineConfig::default() };
    let mut forecast = Forecast::new(&config, ConnectionsEach { named: 2, nameless: 1 });
    for number in 0..10_000 {
        let host = format!("t{number}.provider.net");
        add(&mut forecast, &format!("d{number}.example"), &[(&host, &["192.0.2.1"])]);
        add(&mut forecast, &format!("e{number}.example"), &[(&host, &["192.0.2.1"])]);
    }
    add(&mut forecast, "free.example", &[("t9999.provider.net", &["192.0.2.1"])]);
    add(&mut forecast, "few.example", &[("mx.few.example", &["192.0.2.2"])]);
    let told = forecast.told();
    let sample = told.sample.unwrap();
    assert_eq!((sample.endpoints, sample.names_asked + sample.names_not_asked), (1, 10_000));
    assert!((250..450).contains(&sample.names_asked), "{sample:?}");
    let largest =
        (Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sample.names_asked, sample.names_not_asked);
    assert_eq!(sample.largest, [largest]);
    assert_eq!(told.run.asked, sample.names_asked + 2);
    assert_eq!(told.run.connections, sample.names_asked * 2 + 1 + 2);
    let operator = Some(ForecastPlace::Operator("provider.net".to_string()));
    let operator = told.slowest.iter().find(|bucket| bucket.place == operator).unwrap();
    assert_eq!(operator.connections, sample.names_asked * 2 + 1);
}

#[test]
fn shards_come_to_the_whole_plan() {
    let of = |shard| {
        let mut forecast = Forecast::new(&EngineConfig { shard, ..EngineConfig::default() }, ONE_EACH);
        for number in 0..200 {
            let (one, other) = (format!("192.0.{number}.1"), format!("198.51.{number}.1"));
            let hosts: &[(&str, &[&str])] = &[("mx.example.net", &[&one]), ("mx2.example.net", &[&other])];
            add(&mut forecast, &format!("d{number}.example"), hosts);
        }
        forecast.told()
    };
    let whole = of(None);
    let parts: Vec<_> = (1..=3).map(|number| of(Shard::new(number, 3))).collect();
    let sum = |count: fn(&Forecasted) -> u64| parts.iter().map(count).sum::<u64>();
    assert_eq!((whole.run.asked, sum(|part| part.run.asked)), (400, 400));
    assert_eq!(sum(|part| part.places[1]), whole.places[1]);
    assert!(parts.iter().all(|part| part.domains + part.of_other_shards == 200), "{parts:?}");
    assert!(parts.iter().all(|part| part.of_other_shards > 0 && part.run.asked < 200), "{parts:?}");
}

#[test]
fn the_run_takes_as_long_as_its_rate_or_its_slowest_bucket() {
    let limits = Limits { rate: NonZeroU32::new(2), ..Limits::none(1) };
    let run = whole(&limits, asked(11), &[]);
    assert_eq!((run.at_least, run.with_sessions), (Duration::from_secs(5), Duration::from_millis(16_500)));
    let slow = bucket(&Limits::default(), ForecastPlace::Address([192, 0, 2, 1].into()), asked(61));
    let run = whole(&Limits::default(), asked(61), &[slow]);
    assert_eq!((run.at_least, run.with_sessions), (Duration::from_secs(60), Duration::from_millis(91_500)));
}
