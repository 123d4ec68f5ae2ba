//! Which part of a list one of several machines asks: whole networks, so that the
//! limits of an address and of a network need no talk between the machines.

use super::facts::DomainFacts;
use super::mta_sts::StsFetchFailure;
use super::network::network;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Most shards of a run.
pub const SHARDS_MAX: u32 = 1000;

/// One of several shards. The shard of a network, and of a name, is the same on
/// every machine and in every version of mxray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// From 1.
    number: NonZeroU32,
    of: NonZeroU32,
}

/// What a shard has of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardPart {
    /// All that its verdict rests on.
    Whole,
    /// Some of it, or it is the one that keeps what the DNS said.
    Part,
    /// Nothing.
    Nothing,
}

impl Shard {
    /// That of this number, from 1, of so many; `None` if there is none, or more are
    /// meant than [`SHARDS_MAX`].
    pub fn new(number: u32, of: u32) -> Option<Self> {
        let (number, of) = (NonZeroU32::new(number)?, NonZeroU32::new(of)?);
        (number <= of && of.get() <= SHARDS_MAX).then_some(Self { number, of })
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number.get()
    }

    /// How many there are.
    pub fn of(self) -> NonZeroU32 {
        self.of
    }

    /// Whether what is at an address is asked by it: the network decides, a /24 of
    /// IPv4 or a /48 of IPv6.
    pub fn has_address(self, ip: IpAddr) -> bool {
        match network(ip) {
            IpAddr::V4(first) => self.has(&first.octets()),
            IpAddr::V6(first) => self.has(&first.octets()),
        }
    }

    /// Whether it keeps what the DNS said of a target of that name.
    pub fn has_name(self, name: &str) -> bool {
        self.has(name.to_ascii_lowercase().as_bytes())
    }

    /// Whether it fetches from a host with these addresses: that of the lowest does,
    /// whatever the order in which the DNS gives them. Where there is none, nobody
    /// does, and each may say so.
    pub fn has_host(self, addresses: &[IpAddr]) -> bool {
        addresses.iter().min().is_none_or(|lowest| self.has_address(*lowest))
    }

    /// What it has of a target; `port` where the input names none.
    pub fn part_of(self, facts: &DomainFacts, port: u16) -> ShardPart {
        let keys = facts.probe_keys(port).filter(|_| facts.failure.is_none());
        let own: Vec<bool> = keys.map(|(_, key)| self.has_address(key.endpoint.ip)).collect();
        let fetch = facts.policy_fetch().map(|fetch| fetch.failure.as_ref());
        let fetched = fetch.and_then(|failure| match failure {
            Some(StsFetchFailure::OtherShard) => Some(false),
            // Nobody was to be asked.
            Some(StsFetchFailure::Unresolved(_)) => None,
            _ => Some(true),
        });
        let keeps_facts = self.has_name(&facts.target.subject.label());
        let has_some = own.contains(&true) || fetched == Some(true);
        let lacks_some = own.contains(&false) || fetched == Some(false);
        match (keeps_facts || has_some, lacks_some) {
            (false, _) => ShardPart::Nothing,
            (true, true) => ShardPart::Part,
            (true, false) => ShardPart::Whole,
        }
    }

    fn has(self, bytes: &[u8]) -> bool {
        hash(bytes) % u64::from(self.of.get()) == u64::from(self.number.get()) - 1
    }
}

/// FNV-1a of 64 bits, mixed as the end of MurmurHash3 does, so that each bit
/// counts for the remainder.
fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((plain(number)?, plain(of)?)));
        numbers
            .and_then(|(number, of)| Self::new(number, of))
            .ok_or_else(|| format!("not a shard; try 1/3, the first of three (at most {SHARDS_MAX} shards)"))
    }
}

/// A number as it is written down, without a sign or zeros before it: one shard has one
/// name.
fn plain(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mta_sts::{Published, StsFacts, StsFetch, StsRecord};
    use crate::model::{DomainName, Exchange, Failure, Kind, MxHost, Phase, Subject, Target};
    use std::sync::Arc;

    fn shards(of: u32) -> Vec<Shard> {
        (1..=of).map(|number| Shard::new(number, of).unwrap()).collect()
    }

    #[test]
    fn a_shard_is_a_number_of_so_many() {
        for (text, read) in [("1/1", true), ("3/3", true), ("1000/1000", true), ("0/3", false)] {
            assert_eq!(text.parse::<Shard>().is_ok(), read, "{text}");
        }
        for text in ["4/3", "1/1001", "1/0", "1", "/", "a/b", "-1/3", "1/3/3", "01/3", "+1/3", "1/+3", "1/03"]
        {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!("2/3".parse::<Shard>().unwrap().to_string(), "2/3");
    }

    #[test]
    fn each_network_and_each_name_lies_in_one_shard_and_shards_are_alike() {
        let random = &mut fastrand::Rng::with_seed(1);
        for of in [1, 2, 3, 7, 64] {
            let all = shards(of);
            let mut sizes = vec![0u32; of as usize];
            for _ in 0..6400 {
                let ip: IpAddr = if random.bool() {
                    random.u32(..).to_be_bytes().into()
                } else {
                    (0x2000 << 112 | random.u128(..) >> 3).to_be_bytes().into()
                };
                let whose: Vec<_> = all.iter().filter(|shard| shard.has_address(ip)).collect();
                assert_eq!(whose.len(), 1, "{ip} of {of}");
                assert!(whose[0].has_address(network(ip)), "{ip}");
                sizes[whose[0].number() as usize - 1] += 1;
                let name = format!("d{}.example", random.u32(..));
                assert_eq!(all.iter().filter(|shard| shard.has_name(&name)).count(), 1, "{name}");
            }
            let usual = 6400 / of;
            assert!(sizes.iter().all(|size| (usual / 2..=usual * 2).contains(size)), "{of}: {sizes:?}");
        }
    }

    /// Machines of any kind and mxray of any version must come to the same.
    #[test]
    fn the_shard_of_a_network_never_changes() {
        let of = |ip: &str| {
            let ip = ip.parse().unwrap();
            shards(1000).into_iter().find(|shard| shard.has_address(ip)).unwrap().number()
        };
        let named = shards(1000).into_iter().find(|shard| shard.has_name("Example.ORG")).unwrap().number();
        assert_eq!(
            (of("192.0.2.77"), of("198.51.100.1"), of("2001:db8:1:2::3"), named),
            (718, 411, 233, 632)
        );
    }

    fn facts(addresses: &[&str], fetch: Option<Option<StsFetchFailure>>) -> DomainFacts {
        let target = Target { line: 1, subject: Subject::Domain(DomainName::parse("d.example").unwrap()) };
        let host = Some(MxHost::new("mx.d.example"));
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        let mut facts = DomainFacts::whole(target, vec![Exchange::whole(10, host, addresses)]);
        let record = Published::Record(StsRecord { id: "1".to_owned() });
        let domain = MxHost::new("d.example");
        facts.mta_sts = fetch.map(|failure| {
            let fetch = Some(Arc::new(StsFetch { failure, ..StsFetch::default() }));
            StsFacts { domain, record, fetch }
        });
        facts
    }

    /// The addresses of this many networks, of which the first lies in that shard.
    fn addresses(shard: Shard) -> (String, String) {
        let find = |own| {
            (0..=255).map(|n| format!("192.0.{n}.1")).find(|ip| shard.has_address(ip.parse().unwrap()) == own)
        };
        (find(true).unwrap(), find(false).unwrap())
    }

    #[test]
    fn a_target_is_whole_where_nothing_of_it_lies_elsewhere() {
        let home = shards(3).into_iter().find(|shard| shard.has_name("d.example")).unwrap();
        let other = shards(3).into_iter().find(|shard| *shard != home).unwrap();
        let elsewhere = || Some(Some(StsFetchFailure::OtherShard));
        for shard in [home, other] {
            let (own, foreign) = addresses(shard);
            let kept = if shard == home { ShardPart::Part } else { ShardPart::Nothing };
            for (facts, part) in [
                (facts(&[&own], None), ShardPart::Whole),
                (facts(&[&own], Some(None)), ShardPart::Whole),
                (facts(&[&own], elsewhere()), ShardPart::Part),
                (facts(&[&own, &foreign], None), ShardPart::Part),
                (facts(&[&foreign], None), kept),
                (facts(&[&foreign], elsewhere()), kept),
                (facts(&[&foreign], Some(None)), ShardPart::Part),
            ] {
                assert_eq!(shard.part_of(&facts, 25), part, "{shard} {facts:?}");
            }
            let failed =
                DomainFacts::failed(facts(&[], None).target, Failure::new(Phase::Dns, Kind::Nxdomain));
            let part = if shard == home { ShardPart::Whole } else { ShardPart::Nothing };
            assert_eq!(shard.part_of(&failed, 25), part);
        }
    }
}
