//! What holds of every domain, whatever its hosts do.

use super::*;
use crate::model::registry::{NamedGroup, SignatureScheme};
use crate::model::{
    Basis, ChainStatus, Check, CheckFailure, Delivery, Exchange, Failure, Finding, Kind, Phase,
    PossibleDelivery, SignatureCheck, TlsFinding, View,
};
use crate::verdict::fixtures::*;
use proptest::prelude::*;
use std::net::IpAddr;
use std::sync::LazyLock;

/// What an address does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Encrypted,
    AnotherGroup,
    SelfSigned,
    AnotherKey,
    Unproven,
    Clear,
    RefusesStarttls,
    RefusesTheOffer,
    Refuses,
    TimesOut,
    Throttles,
    IsSilent,
    IsSilentInTls,
    ThrottlesInTls,
    NoRoute,
}

const ALL: [Does; 15] = [
    Does::Encrypted,
    Does::AnotherGroup,
    Does::SelfSigned,
    Does::AnotherKey,
    Does::Unproven,
    Does::Clear,
    Does::RefusesStarttls,
    Does::RefusesTheOffer,
    Does::Refuses,
    Does::TimesOut,
    Does::Throttles,
    Does::IsSilent,
    Does::IsSilentInTls,
    Does::ThrottlesInTls,
    Does::NoRoute,
];

/// What may be done to a host so that it is unknown.
const UNKNOWN: [Does; 4] = [Does::Throttles, Does::IsSilent, Does::IsSilentInTls, Does::ThrottlesInTls];

impl Does {
    /// Whether one that does this may, where less is seen of it, look as if it did
    /// `other`. What never came to TLS cannot look as if it broke off there.
    fn may_look_like(self, other: Self) -> bool {
        let before_tls = matches!(other, Does::Throttles | Does::IsSilent);
        let never_came_to_tls =
            matches!(self, Does::Clear | Does::RefusesStarttls | Does::Refuses | Does::TimesOut);
        before_tls || !never_came_to_tls
    }

    fn is_unknown(self) -> bool {
        UNKNOWN.contains(&self) || self == Does::NoRoute
    }

    fn failure(self) -> Option<Failure> {
        let (phase, kind) = match self {
            Does::Clear => (Phase::Starttls, Kind::NotOffered),
            Does::RefusesStarttls => (Phase::Starttls, Kind::Refused),
            Does::Refuses => (Phase::Connect, Kind::Refused),
            Does::TimesOut => (Phase::Connect, Kind::Timeout),
            Does::Throttles => (Phase::Greeting, Kind::Throttled),
            Does::IsSilent => (Phase::Greeting, Kind::Timeout),
            Does::IsSilentInTls => (Phase::Tls, Kind::Timeout),
            Does::ThrottlesInTls => (Phase::AfterTls, Kind::Throttled),
            Does::NoRoute => (Phase::Connect, Kind::NoRoute),
            _ => return None,
        };
        Some(Failure::new(phase, kind))
    }

    fn finding(self, profile: &SenderProfile, ip: IpAddr) -> Finding {
        let mut tls = secure();
        match self {
            Does::RefusesTheOffer => return refusing(profile, ip),
            Does::AnotherGroup => tls.group = Some(NamedGroup(29)),
            Does::SelfSigned => tls.chain = Some(ChainStatus::SelfSigned),
            Does::AnotherKey => tls.signature_scheme = Some(SignatureScheme(0x0807)),
            Does::Unproven => tls.signature = Some(SignatureCheck::Unverifiable("a curve".into())),
            _ => {}
        }
        let failure = self.failure();
        let tls: Option<TlsFinding> = failure.is_none().then_some(tls);
        at(ip, failure, tls)
    }
}

/// A mail host.
#[derive(Clone, Debug)]
struct Host {
    preference: u16,
    name: String,
    /// Why the DNS gives no addresses.
    dns: Option<Kind>,
    addresses: Vec<(IpAddr, Does)>,
}

const SENDERS: [&str; 3] = ["exchange-online", "postfix-may", "postfix-encrypt"];

static PROFILES: LazyLock<[SenderProfile; 3]> = LazyLock::new(|| SENDERS.map(profile));

/// A domain before a sender.
#[derive(Clone, Debug)]
struct Setting {
    sender: &'static str,
    hosts: Vec<Host>,
}

impl Setting {
    /// The hosts and addresses of which something is known.
    fn known(&self) -> Vec<(usize, Option<usize>)> {
        let hosts = self.hosts.iter().enumerate();
        let known = hosts.flat_map(|(place, host)| {
            let addresses = host.addresses.iter().enumerate();
            let known = addresses.filter(|(_, (_, does))| !does.is_unknown());
            let gone = (host.dns == Some(Kind::Nxdomain)).then_some((place, None));
            known.map(move |(address, _)| (place, Some(address))).chain(gone)
        });
        known.collect()
    }

    fn profile(&self) -> &'static SenderProfile {
        PROFILES.iter().find(|profile| &*profile.sender.name == self.sender).unwrap()
    }

    /// Sorted as the DNS tells them: by preference.
    fn facts(&self) -> DomainFacts {
        let mut hosts: Vec<&Host> = self.hosts.iter().collect();
        hosts.sort_by_key(|host| host.preference);
        let facts = facts_of(hosts.into_iter().map(Host::exchange).collect());
        let failures: Option<Vec<&Failure>> =
            facts.exchanges.iter().map(|host| host.failure.as_ref()).collect();
        let failure = failures.map(|failures| {
            let open = failures.into_iter().find(|failure| !failure.kind.says_no_host()).cloned();
            open.unwrap_or_else(|| Failure::new(Phase::Dns, Kind::MxUnusable))
        });
        DomainFacts { failure, ..facts }
    }

    fn verdict(&self) -> Verdict {
        let (profile, facts) = (self.profile(), self.facts());
        let found: Vec<Found> = facts
            .exchanges
            .iter()
            .enumerate()
            .flat_map(|(place, exchange)| {
                let host = self.hosts.iter().find(|host| exchange.host == host.exchange().host).unwrap();
                host.addresses.iter().map(move |(ip, does)| (place, *ip, *does)).collect::<Vec<_>>()
            })
            .map(|(place, ip, does)| (place, does.finding(profile, ip)))
            .collect();
        judge(profile, &facts, &found)
    }
}

impl Host {
    fn exchange(&self) -> Exchange {
        let addresses: Vec<IpAddr> = self.addresses.iter().map(|(ip, _)| *ip).collect();
        let failure = self.dns.map(|kind| {
            let phase = if kind == Kind::NoRoute { Phase::Connect } else { Phase::Dns };
            Failure::new(phase, kind)
        });
        exchange(self.preference, &self.name, &addresses, failure)
    }
}

fn host() -> impl Strategy<Value = (u16, Option<Kind>, Vec<Does>)> {
    let dns = prop_oneof![
        8 => Just(None),
        1 => Just(Some(Kind::Servfail)),
        1 => Just(Some(Kind::Nxdomain)),
        1 => Just(Some(Kind::NoRoute)),
    ];
    let addresses = prop::collection::vec(prop::sample::select(&ALL[..]), 1..3);
    (prop::sample::select(&[10u16, 10, 20, 30][..]), dns, addresses)
}

fn setting() -> impl Strategy<Value = Setting> {
    let senders = prop::sample::select(&SENDERS[..]);
    (senders, prop::collection::vec(host(), 1..4)).prop_map(|(sender, hosts)| {
        let mut last = 0;
        let hosts = hosts.into_iter().enumerate().map(|(place, (preference, dns, does))| {
            let addresses = does.into_iter().map(|does| {
                last += 1;
                (ip(last), does)
            });
            let addresses = addresses.collect();
            let addresses = if dns.is_some() { Vec::new() } else { addresses };
            Host { preference, name: format!("mx{place}"), dns, addresses }
        });
        Setting { sender, hosts: hosts.collect() }
    })
}

/// All of a verdict but the names of the hosts, and their places among equals.
fn essence(setting: &Setting) -> impl PartialEq + std::fmt::Debug + use<> {
    let (verdict, facts) = (setting.verdict(), setting.facts());
    let view =
        |view: &Option<View>| view.as_ref().map(|view| (view.preference, view.endpoint.clone(), view.name));
    let unresolved = verdict.unresolved.map(|place| {
        let exchange = &facts.exchanges[place];
        (exchange.preference, exchange.failure.clone())
    });
    let told = (verdict.outcome.clone(), verdict.also.clone(), verdict.otherwise.clone());
    (told, view(&verdict.best), view(&verdict.weakest), unresolved, verdict.forced, verdict.forced_basis)
}

/// How little is certain: 3 where nothing is.
fn doubt(delivery: Delivery, basis: Option<Basis>) -> u8 {
    match (delivery, basis) {
        (Delivery::Undetermined, _) | (_, None) => 3,
        (_, Some(basis)) => basis as u8,
    }
}

fn doubts(verdict: &Verdict) -> [u8; 4] {
    let basis = verdict.forced_basis;
    let forced = [basis.encryption_only, basis.certificate_validation, basis.domain_validation];
    let [one, two, three] = forced.map(|basis| basis.map_or(3, |basis| basis as u8));
    [doubt(verdict.outcome.delivery, verdict.outcome.basis), one, two, three]
}

fn rank(verdict: &Verdict) -> PossibleDelivery {
    PossibleDelivery { delivery: verdict.outcome.delivery, reason: None }
}

fn checks(verdict: &Verdict) -> [Check; 3] {
    let forced = verdict.forced;
    [forced.encryption_only, forced.certificate_validation, forced.domain_validation]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Names and the order among equals are chance.
    #[test]
    fn renaming_and_reordering_equal_hosts_changes_nothing(
        setting in setting(),
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
        turn in any::<bool>(),
    ) {
        let mut changed = setting.clone();
        let hosts = setting.hosts.len();
        for (place, host) in changed.hosts.iter_mut().enumerate() {
            host.name = format!("mx{}", order[place]);
            if turn {
                host.addresses.reverse();
            }
        }
        let mut keys: Vec<usize> = (0..hosts).collect();
        keys.sort_by_key(|place| order[*place]);
        changed.hosts = keys.into_iter().map(|place| changed.hosts[place].clone()).collect();
        prop_assert!(essence(&setting) == essence(&changed), "{setting:?}\n{:?}\n{:?}", setting.verdict(), changed.verdict());
    }

    /// What is known less decides no more.
    #[test]
    fn making_a_host_unknown_never_makes_an_answer_more_certain(
        setting in setting(),
        which in any::<prop::sample::Index>(),
        how in prop::sample::select(&UNKNOWN[..]),
        by_dns in any::<bool>(),
    ) {
        let known = setting.known();
        if known.is_empty() {
            return Ok(());
        }
        let before = setting.verdict();
        let mut changed = setting.clone();
        let (host, address) = *which.get(&known);
        let host = &mut changed.hosts[host];
        match address {
            Some(address) if !by_dns && !host.addresses[address].1.may_look_like(how) => return Ok(()),
            Some(address) if !by_dns => host.addresses[address].1 = how,
            Some(_) if host.addresses.iter().any(|(_, does)| does.is_unknown()) => return Ok(()),
            _ => {
                host.addresses.clear();
                host.dns = Some(Kind::Servfail);
            }
        }
        let after = changed.verdict();
        for (less, more) in doubts(&before).into_iter().zip(doubts(&after)) {
            prop_assert!(less <= more, "{setting:?}\n{changed:?}\n{before:?}\n{after:?}");
        }
    }

    /// A host that is not there takes nothing away that was known.
    #[test]
    fn adding_an_unreachable_host_never_yields_a_weaker_answer_that_is_called_observed(
        setting in setting(),
        preference in prop::sample::select(&[5u16, 10, 20, 40][..]),
        does in prop::sample::select(&[Does::Refuses, Does::TimesOut, Does::NoRoute][..]),
        beside in any::<bool>(),
    ) {
        let before = setting.verdict();
        let mut changed = setting.clone();
        let address = (ip(200), does);
        match changed.hosts.iter_mut().find(|host| beside && !host.addresses.is_empty()) {
            Some(host) => host.addresses.push(address),
            None => changed.hosts.push(Host { preference, name: "new".into(), dns: None, addresses: vec![address] }),
        }
        let after = changed.verdict();
        let observed = after.outcome.basis == Some(Basis::Observed);
        prop_assert!(!(observed && rank(&after) < rank(&before)), "{setting:?}\n{before:?}\n{after:?}");
        let basis = after.forced_basis;
        let bases = [basis.encryption_only, basis.certificate_validation, basis.domain_validation];
        for ((was, is), basis) in checks(&before).into_iter().zip(checks(&after)).zip(bases) {
            let weaker = was == Check::Pass && is != Check::Pass;
            prop_assert!(!(weaker && basis == Some(Basis::Observed)), "{setting:?}\n{before:?}\n{after:?}");
        }
    }

    /// One roll-up: what is said of mail without a connector is not denied by
    /// what is said of EncryptionOnly.
    #[test]
    fn forced_and_opportunistic_never_contradict_each_other(setting in setting()) {
        let verdict = setting.verdict();
        let [encryption, certificate, domain] = checks(&verdict);
        let fails = |check: Check| matches!(check, Check::Fail(_));
        let open = |check: Check| matches!(check, Check::Undetermined(_));
        let told = format!("{setting:?}\n{verdict:?}");
        match verdict.outcome.delivery {
            Delivery::Encrypted => prop_assert!(!fails(encryption), "{told}"),
            Delivery::Deferred | Delivery::Undeliverable => {
                let reason = verdict.outcome.reason.unwrap();
                prop_assert!(encryption == Check::Fail(CheckFailure::NoTls(reason)), "{told}");
            }
            Delivery::Undetermined => prop_assert!(!fails(encryption), "{told}"),
            Delivery::Plaintext => {}
        }
        if setting.sender == "postfix-encrypt" {
            let unproven = verdict.outcome.unproven.is_some() || verdict.outcome.delivery != Delivery::Undetermined;
            prop_assert!(verdict.outcome.delivery != Delivery::Plaintext, "{told}");
            prop_assert!(open(encryption) || verdict.outcome.delivery != Delivery::Undetermined, "{told}");
            prop_assert!(!open(encryption) || unproven || verdict.outcome.delivery == Delivery::Undetermined, "{told}");
        }
        prop_assert!(certificate != Check::Pass || encryption == Check::Pass, "{told}");
        prop_assert!(domain != Check::Pass || certificate == Check::Pass, "{told}");
    }
}
