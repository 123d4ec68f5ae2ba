//! Domains with TLSA records and policies of MTA-STS, and chains for them, that
//! tests judge.

use super::attempt;
use super::fixtures::*;
use super::profile::SenderProfile;
use crate::model::mta_sts::{MxPattern, Published, StsFacts, StsFetch, StsMode, StsPolicy, StsRecord};
use crate::model::tlsa::{AssociationData, Authenticity, TlsaFacts, TlsaOutcome, TlsaRecord};
use crate::model::{DomainFacts, Failure, Finding, JudgedEndpoint, Kind, MxHost, Phase, Verdict};
use crate::sender::connector::Connectors;
use crate::trust::pkix::Judge;
use crate::trust::{Roots, Store};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::sync::{Arc, LazyLock};

pub(super) type DerChain = Vec<Arc<[u8]>>;

/// Chains of one CA that is trusted, and a judge of 2026-06.
pub(super) struct TwoChains {
    pub judge: Judge,
    /// Of the mail host.
    pub host: DerChain,
    /// The same, expired.
    pub expired: DerChain,
    /// The same, not valid yet.
    pub future: DerChain,
    /// Another one for the mail host.
    pub other: DerChain,
    /// Of the policy host.
    pub policy: DerChain,
    /// The same, expired.
    pub old_policy: DerChain,
}

pub(super) static PKI: LazyLock<TwoChains> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let chain = |name: &str, from: i32, until: i32| -> DerChain {
        let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
        vec![leaf.der().as_ref().into(), root.der().as_ref().into()]
    };
    let mut store = Store::new("test");
    store.add_der(root.der()).unwrap();
    TwoChains {
        judge: Judge::new(Roots::new(vec![store]), "2026-06-01T12:00:00Z".parse::<Timestamp>().unwrap()),
        host: chain("mx0.example.com", 2025, 2027),
        expired: chain("mx0.example.com", 2025, 2026),
        future: chain("mx0.example.com", 2027, 2028),
        other: chain("mx0.example.com", 2025, 2027),
        policy: chain("mta-sts.example.com", 2025, 2027),
        old_policy: chain("mta-sts.example.com", 2025, 2026),
    }
});

/// The record about a certificate as a whole, by its SHA-256.
pub(super) fn record(usage: u8, der: &Arc<[u8]>) -> TlsaRecord {
    let digest = PKI.judge.assess(std::slice::from_ref(der)).unwrap().leaf.sha256;
    TlsaRecord { usage, selector: 0, matching_type: 1, data: AssociationData(digest.0.to_vec()) }
}

pub(super) fn unusable() -> TlsaRecord {
    TlsaRecord { usage: 1, selector: 1, matching_type: 1, data: AssociationData(vec![7; 32]) }
}

pub(super) fn secure_tlsa(records: Vec<TlsaRecord>) -> TlsaFacts {
    let base = Some(MxHost::new("mx0.example.com"));
    TlsaFacts { outcome: TlsaOutcome::Secure, base, records, records_excess: 0, records_short: 0 }
}

pub(super) fn without(outcome: TlsaOutcome) -> Option<TlsaFacts> {
    Some(TlsaFacts::without(outcome))
}

pub(super) fn fitting() -> Option<TlsaFacts> {
    Some(secure_tlsa(vec![record(3, &PKI.host[0])]))
}

/// `example.com` with one host of this TLSA.
pub(super) fn domain(mx: Authenticity, tlsa: Option<TlsaFacts>) -> DomainFacts {
    let mut facts = facts(&[&[1]]);
    facts.mx_authenticity = Some(mx);
    facts.exchanges[0].tlsa = tlsa;
    facts.mta_sts = no_policy();
    facts
}

pub(super) fn no_policy() -> Option<StsFacts> {
    let domain = MxHost::new("example.com");
    Some(StsFacts { domain, record: Published::Absent, fetch: None })
}

pub(super) fn policy(mode: StsMode, mx: &str) -> StsFacts {
    let policy = StsPolicy { mode, max_age_s: 86400, mx: vec![MxPattern::new(mx)] };
    let fetch = StsFetch {
        chain: PKI.policy.clone(),
        status: Some(200),
        policy: Some(Ok(policy)),
        ..StsFetch::default()
    };
    StsFacts {
        domain: MxHost::new("example.com"),
        record: Published::Record(StsRecord { id: "1".into() }),
        fetch: Some(Arc::new(fetch)),
    }
}

/// What a host does, and the chain that it shows.
pub(super) type HostShows = (Finding, Option<DerChain>);

pub(super) fn shows(chain: &DerChain) -> HostShows {
    (at(ip(1), None, Some(secure())), Some(chain.clone()))
}

pub(super) fn in_clear() -> HostShows {
    (at(ip(1), Some(Failure::new(Phase::Starttls, Kind::NotOffered)), None), None)
}

pub(super) fn throttles() -> HostShows {
    (at(ip(1), Some(Failure::new(Phase::Greeting, Kind::Throttled)), None), None)
}

pub(super) fn judge_at(
    sender: &SenderProfile,
    facts: &DomainFacts,
    found: Vec<(usize, HostShows)>,
) -> Verdict {
    let probes: Vec<(usize, Arc<JudgedEndpoint>)> = found
        .into_iter()
        .map(|(exchange, (finding, chain))| {
            let mut judged = attempt::judged(sender, finding);
            judged.chain = chain.map(Vec::into_boxed_slice);
            (exchange, Arc::new(judged))
        })
        .collect();
    crate::verdict::verdict(sender, &PKI.judge, &Connectors::default(), facts, &probes)
}

/// `delivery:reason, basis, authenticated, dane, code`.
pub(super) fn told(verdict: &Verdict) -> String {
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_string());
    let outcome = &verdict.outcome;
    let reason = outcome.reason.map_or(String::new(), |reason| format!(":{reason}"));
    format!(
        "{}{reason} {} {} {} {}",
        outcome.delivery,
        outcome.basis.map_or("-", |basis| basis.name()),
        text(verdict.policies.authenticated.map(|known| known.to_string())),
        text(verdict.policies.dane.map(|stand| stand.to_string())),
        outcome.logged.as_ref().map_or("-", |logged| &*logged.code),
    )
}

pub(super) fn answer(sender: &str, facts: &DomainFacts, does: HostShows) -> String {
    told(&judge_at(&profile(sender), facts, vec![(0, does)]))
}
