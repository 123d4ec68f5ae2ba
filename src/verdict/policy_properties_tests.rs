//! What holds of DANE and MTA-STS, whatever stands in the DNS and whatever the
//! hosts show.

use super::*;
use crate::model::mta_sts::StsMode;
use crate::model::tlsa::{AssociationData, Authenticity, TlsaFacts, TlsaOutcome, TlsaRecord};
use crate::model::{Delivery, DomainFacts, Failure, Kind, Phase, PolicyVerdict, Verdict};
use crate::verdict::fixtures::{at, facts, ip, profile, secure};
use crate::verdict::policy_fixtures::*;
use proptest::prelude::*;
use std::sync::LazyLock;

const SENDERS: [&str; 3] = ["exchange-online", "postfix-dane", "postfix-dane-only"];

static PROFILES: LazyLock<[SenderProfile; 3]> = LazyLock::new(|| SENDERS.map(profile));

/// A record that stands in the DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Leaf,
    OtherLeaf,
    Issuer,
    OtherIssuer,
}

const RECORDS: [Stands; 4] = [Stands::Leaf, Stands::OtherLeaf, Stands::Issuer, Stands::OtherIssuer];

impl Stands {
    fn record(self) -> TlsaRecord {
        match self {
            Stands::Leaf => record(3, &PKI.host[0]),
            Stands::OtherLeaf => record(3, &PKI.other[0]),
            Stands::Issuer => record(2, &PKI.host[1]),
            Stands::OtherIssuer => record(2, &PKI.other[0]),
        }
    }
}

/// One that is of no use to anybody.
fn useless() -> impl Strategy<Value = TlsaRecord> {
    let of = |usage, selector, matching_type, len| TlsaRecord {
        usage,
        selector,
        matching_type,
        data: AssociationData(vec![7; len]),
    };
    prop::sample::select(vec![
        of(0, 0, 1, 32),
        of(1, 1, 1, 32),
        of(9, 0, 1, 32),
        of(3, 2, 1, 32),
        of(3, 1, 9, 32),
        of(3, 0, 1, 20),
        of(3, 0, 2, 63),
        of(2, 0, 0, 5),
    ])
}

/// What a host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acts {
    Shows,
    ShowsAnother,
    Clear,
    Throttles,
    Refuses,
}

const ACTS: [Acts; 5] = [Acts::Shows, Acts::ShowsAnother, Acts::Clear, Acts::Throttles, Acts::Refuses];

impl Acts {
    fn at(self, last: u8) -> HostShows {
        let failed = |phase, kind| (at(ip(last), Some(Failure::new(phase, kind)), None), None);
        let shown = |chain: &DerChain| (at(ip(last), None, Some(secure())), Some(chain.clone()));
        match self {
            Acts::Shows => shown(&PKI.host),
            Acts::ShowsAnother => shown(&PKI.other),
            Acts::Clear => failed(Phase::Starttls, Kind::NotOffered),
            Acts::Throttles => failed(Phase::Greeting, Kind::Throttled),
            Acts::Refuses => failed(Phase::Connect, Kind::Refused),
        }
    }
}

/// A domain before a sender: its hosts have a preference each.
#[derive(Clone, Debug)]
struct PublishedDomain {
    sender: usize,
    mx: Authenticity,
    sts: Option<(StsMode, bool)>,
    hosts: Vec<(TlsaFacts, Acts)>,
}

impl PublishedDomain {
    fn facts(&self) -> DomainFacts {
        let addresses: Vec<[u8; 1]> = (1..).map(|last| [last]).take(self.hosts.len()).collect();
        let mut facts = facts(&addresses.iter().map(|last| &last[..]).collect::<Vec<_>>());
        facts.mx_authenticity = Some(self.mx);
        for (exchange, (tlsa, _)) in facts.exchanges.iter_mut().zip(&self.hosts) {
            exchange.tlsa = Some(tlsa.clone());
        }
        let policy =
            self.sts.map(|(mode, fits)| policy(mode, if fits { "*.example.com" } else { "*.example.net" }));
        facts.mta_sts = policy.or_else(no_policy);
        facts
    }

    fn verdict(&self) -> Verdict {
        let found = self.hosts.iter().zip(1..).map(|((_, acts), last)| acts.at(last));
        judge_at(&PROFILES[self.sender], &self.facts(), found.enumerate().collect())
    }

    fn with_tlsa(&self, host: usize, tlsa: TlsaFacts) -> Self {
        let mut changed = self.clone();
        changed.hosts[host].0 = tlsa;
        changed
    }
}

/// All but what names the records.
fn essence(verdict: &Verdict) -> Verdict {
    let policies = PolicyVerdict { dane_detail: None, tlsa_records: None, ..verdict.policies.clone() };
    Verdict { policies, ..verdict.clone() }
}

fn records() -> impl Strategy<Value = TlsaFacts> {
    let kinds = prop::sample::subsequence(&RECORDS[..], 1..=4);
    kinds.prop_map(|kinds| secure_tlsa(kinds.into_iter().map(Stands::record).collect()))
}

fn tlsa() -> impl Strategy<Value = TlsaFacts> {
    let without = prop::sample::select(vec![
        TlsaOutcome::Absent,
        TlsaOutcome::Insecure,
        TlsaOutcome::InsecureAddresses,
        TlsaOutcome::Bogus,
        TlsaOutcome::Failed(Failure::new(Phase::Dns, Kind::Timeout)),
    ]);
    prop_oneof![2 => records(), 1 => without.prop_map(TlsaFacts::without)]
}

fn published(host: impl Strategy<Value = TlsaFacts>) -> impl Strategy<Value = PublishedDomain> {
    let mx = prop::sample::select(&[Authenticity::Secure, Authenticity::Secure, Authenticity::Insecure][..]);
    let mode = prop::sample::select(&[StsMode::Enforce, StsMode::Testing][..]);
    let sts = prop::option::of((mode, any::<bool>()));
    let hosts = prop::collection::vec((host, prop::sample::select(&ACTS[..])), 1..3);
    (0..SENDERS.len(), mx, sts, hosts).prop_map(|(sender, mx, sts, hosts)| PublishedDomain {
        sender,
        mx,
        sts,
        hosts,
    })
}

fn error() -> impl Strategy<Value = TlsaOutcome> {
    let kinds = prop::sample::select(&[Kind::Timeout, Kind::Servfail, Kind::Closed][..]);
    prop_oneof![
        Just(TlsaOutcome::Bogus),
        kinds.prop_map(|kind| TlsaOutcome::Failed(Failure::new(Phase::Dns, kind)))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A host of which the DNS contradicts itself about TLSA records, or says
    /// nothing, gets no mail for certain: that is what it would come to without
    /// the host, or nobody knows.
    #[test]
    fn an_error_at_tlsa_never_makes_a_verdict_weaker(
        published in published(tlsa()),
        place in any::<prop::sample::Index>(),
        error in error(),
    ) {
        let published = PublishedDomain { mx: Authenticity::Secure, ..published };
        let host = place.index(published.hosts.len());
        let bogus = error == TlsaOutcome::Bogus;
        let after = published.with_tlsa(host, TlsaFacts::without(error)).verdict();
        let mut gone = published.with_tlsa(host, TlsaFacts::without(TlsaOutcome::Bogus));
        gone.hosts[host].1 = Acts::Refuses;
        let gone = gone.verdict();
        let same = after.outcome.delivery == gone.outcome.delivery;
        let open = !bogus && after.outcome.delivery == Delivery::Undetermined;
        // A better host may have left it open, and still does.
        prop_assert!(same || open, "{published:?}\n{after:?}\n{gone:?}");
        if published.hosts.len() == 1 {
            let kept = [Delivery::Deferred, Delivery::Undetermined].contains(&after.outcome.delivery);
            prop_assert!(kept, "{published:?}\n{after:?}");
        }
    }

    /// A record of no use beside others changes nothing but what is told of it.
    #[test]
    fn a_record_of_no_use_changes_nothing_but_what_is_told(
        published in published(records()),
        host in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        record in useless(),
    ) {
        let host = host.index(published.hosts.len());
        let mut tlsa = published.hosts[host].0.clone();
        tlsa.records.insert(place.index(tlsa.records.len() + 1), record);
        let (before, after) = (published.verdict(), published.with_tlsa(host, tlsa).verdict());
        prop_assert_eq!(essence(&before), essence(&after), "{:?}", published);
    }

    /// The DNS gives records in any order.
    #[test]
    fn the_order_of_records_is_irrelevant(
        published in published(records()),
        useless in prop::collection::vec(useless(), 0..3),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut tlsa = published.hosts[0].0.clone();
        tlsa.records.extend(useless);
        let before = published.with_tlsa(0, tlsa.clone()).verdict();
        let middle = seed.index(tlsa.records.len());
        tlsa.records.rotate_left(middle);
        let turned = published.with_tlsa(0, tlsa.clone()).verdict();
        tlsa.records.reverse();
        let reversed = published.with_tlsa(0, tlsa).verdict();
        prop_assert_eq!(essence(&before), essence(&turned), "{:?}", published);
        prop_assert_eq!(essence(&before), essence(&reversed), "{:?}", published);
    }

    /// A policy of MTA-STS only ever keeps mail back.
    #[test]
    fn a_policy_of_mta_sts_lets_nothing_through_that_was_kept(
        published in published(tlsa()),
        fits in prop::sample::select(&[true, true, false][..]),
    ) {
        let mut published = PublishedDomain { sender: 0, sts: Some((StsMode::Enforce, fits)), ..published };
        published.hosts.truncate(1);
        let without = PublishedDomain { sts: None, ..published.clone() };
        let (with, without) = (published.verdict(), without.verdict());
        let kept = |verdict: &Verdict| verdict.outcome.delivery == Delivery::Deferred;
        prop_assert!(!kept(&without) || kept(&with), "{published:?}\n{with:?}\n{without:?}");
    }
}
