//! Domains and findings that tests judge.

use super::SenderProfile;
use crate::model::mta_sts::{Published, StsFacts};
use crate::model::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::model::tlsa::{TlsaFacts, TlsaOutcome};
use crate::model::{
    ChainStatus, DateStatus, DomainFacts, DomainName, DowngradeMark, Endpoint, Exchange, Failure, Finding,
    HelloEnd, HelloFinding, HelloPurpose, JudgedEndpoint, Kind, Leaf, MxHost, Phase, ProbeKey, Sha256,
    SignatureCheck, Subject, Target, TlsFinding, Verdict,
};
use crate::sender::Sender;
use crate::sender::connector::Connectors;
use crate::trust::Roots;
use crate::trust::pkix::Judge;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

pub(super) fn profile(name: &str) -> SenderProfile {
    SenderProfile::new(Sender::named(name).unwrap())
}

pub(super) fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

pub(super) fn target() -> Target {
    Target { line: 1, subject: Subject::Domain(DomainName::parse("example.com").unwrap()) }
}

/// A host with addresses, or one for which the DNS says why there are none.
pub(super) fn exchange(
    preference: u16,
    name: &str,
    addresses: &[IpAddr],
    failure: Option<Failure>,
) -> Exchange {
    let host = Some(MxHost::new(&format!("{name}.example.com")));
    Exchange { failure, ..Exchange::whole(preference, host, addresses.to_vec()) }
}

/// Facts of `example.com` with these exchanges, and neither TLSA records nor a
/// policy of MTA-STS.
pub(super) fn facts_of(mut exchanges: Vec<Exchange>) -> DomainFacts {
    for exchange in exchanges.iter_mut().filter(|exchange| !exchange.addresses.is_empty()) {
        exchange.tlsa = Some(TlsaFacts::without(TlsaOutcome::Absent));
    }
    let domain = MxHost::new("example.com");
    let mta_sts = Some(StsFacts { domain, record: Published::Absent, fetch: None });
    DomainFacts { mta_sts, ..DomainFacts::whole(target(), exchanges) }
}

/// Facts of `example.com` of a time when neither TLSA records nor policies were
/// asked for, with one exchange for each list of last octets, each of a
/// preference of its own.
pub(super) fn bare_facts(exchanges: &[&[u8]]) -> DomainFacts {
    let mut facts = DomainFacts { mta_sts: None, ..facts(exchanges) };
    facts.exchanges.iter_mut().for_each(|exchange| exchange.tlsa = None);
    facts
}

/// Facts of `example.com` with one exchange for each list of last octets, each
/// of a preference of its own.
pub(super) fn facts(exchanges: &[&[u8]]) -> DomainFacts {
    let exchanges = exchanges.iter().enumerate().map(|(index, octets)| {
        let addresses: Vec<IpAddr> = octets.iter().map(|last| ip(*last)).collect();
        let failure = octets.is_empty().then(|| Failure::new(Phase::Dns, Kind::Nxdomain));
        exchange(10 * (u16::try_from(index).unwrap() + 1), &format!("mx{index}"), &addresses, failure)
    });
    facts_of(exchanges.collect())
}

pub(super) fn at(ip: IpAddr, failure: Option<Failure>, tls: Option<TlsFinding>) -> Finding {
    let key = ProbeKey { endpoint: Endpoint { ip, port: 25 }, sni: None };
    Finding::of(key, failure, tls)
}

pub(super) fn leaf(names: &[&str]) -> Arc<Leaf> {
    Arc::new(Leaf {
        sha256: Sha256([0; 32]),
        dns_names: names.iter().map(|name| (*name).into()).collect(),
        ip_addresses: Box::new([]),
        common_name: None,
        key_algorithm: Some("RSA".into()),
        subject: None,
        thumbprint: [0; 20],
        signed_with_sha1: None,
    })
}

/// A session that every sender must get alike that offers secp384r1 first.
pub(super) fn secure() -> TlsFinding {
    TlsFinding {
        version: Some(ProtocolVersion::TLS13),
        suite: Some(CipherSuite(0x1302)),
        group: Some(NamedGroup(24)),
        signature_scheme: Some(SignatureScheme(0x0806)),
        signature: Some(SignatureCheck::Verified),
        chain: Some(ChainStatus::Valid),
        dates: Some(DateStatus::Valid),
        leaf: Some(leaf(&["*.example.com"])),
        renegotiation_info: Some(true),
        ..TlsFinding::default()
    }
}

/// An answer to the sender's own offer.
pub(super) fn own_hello(profile: &SenderProfile, end: HelloEnd) -> HelloFinding {
    HelloFinding {
        purpose: HelloPurpose::Sender,
        offer: Some(profile.offer_id.clone()),
        offered_version: ProtocolVersion::TLS13,
        offered_suites: profile.offer.suites.len(),
        end,
        hello_retry: false,
        alert: (end == HelloEnd::Alert).then_some(AlertDescription::HANDSHAKE_FAILURE),
        version: None,
        suite: None,
        group: None,
        signature_scheme: None,
        signature: Some(SignatureCheck::NotShown),
        presented: None,
        downgrade_mark: Some(DowngradeMark::None),
        dh_bits: None,
        renegotiation_info: Some(true),
        client_certificate_requested: false,
        names_host: true,
        handshake: None,
    }
}

/// A server that refused the scanner and the sender.
pub(super) fn refusing(profile: &SenderProfile, ip: IpAddr) -> Finding {
    let refused = at(ip, Some(Failure::new(Phase::Tls, Kind::Alert)), None);
    Finding { extra_client_hellos: [own_hello(profile, HelloEnd::Alert)].into(), ..refused }
}

/// One that trusts nobody.
pub(super) fn judge_of_nothing() -> Judge {
    Judge::new(Roots::default(), Timestamp::UNIX_EPOCH)
}

pub(super) type Found = (usize, Finding);

/// The verdict over these findings.
pub(super) fn judge(profile: &SenderProfile, facts: &DomainFacts, found: &[Found]) -> Verdict {
    let judged = |finding: &Finding| Arc::new(super::attempt::judged(profile, finding.clone()));
    let probes: Vec<(usize, Arc<JudgedEndpoint>)> =
        found.iter().map(|(exchange, finding)| (*exchange, judged(finding))).collect();
    super::verdict(profile, &judge_of_nothing(), &Connectors::default(), facts, &probes)
}
