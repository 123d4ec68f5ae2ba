//! The three strengths, one table each.

use super::*;
use crate::model::{
    CheckCause, DomainName, Exchange, Failure, Kind, Leaf, MxHost, Phase, Sha256, Subject, Target, TlsFinding,
};
use std::sync::Arc;

fn tls(chain: ChainStatus, dates: DateStatus, names: &[&str]) -> TlsFinding {
    let leaf = Leaf {
        sha256: Sha256([0; 32]),
        dns_names: names.iter().map(|name| (*name).into()).collect(),
        ip_addresses: Box::new([]),
        common_name: None,
        subject: None,
        key_algorithm: None,
        thumbprint: [0; 20],
        signed_with_sha1: Some(false),
    };
    TlsFinding { chain: Some(chain), dates: Some(dates), leaf: Some(Arc::new(leaf)), ..TlsFinding::default() }
}

fn reason(phase: Phase, kind: Kind) -> Option<Reason> {
    Some(Reason::from(&Failure::new(phase, kind)))
}

fn texts(forced: ForcedTls) -> [String; 3] {
    [forced.encryption_only, forced.certificate_validation, forced.domain_validation]
        .map(|check| check.to_string())
}

fn check(delivery: Delivery, reason: Option<Reason>, tls: Option<&TlsFinding>) -> [String; 3] {
    let domain = DomainName::parse("contoso.com").unwrap();
    let demand = Demand { expected: Some(Expected::Recipient(&domain)), wildcard_covers_apex: false };
    texts(forced(
        (delivery, reason),
        Unproven::default(),
        tls.and_then(TlsFinding::presented).as_ref(),
        &demand,
    ))
}

#[test]
fn each_strength_stops_at_what_it_demands() {
    let good = ["contoso.com"];
    for (chain, dates, names, expected) in [
        (ChainStatus::Valid, DateStatus::Valid, good, ["pass", "pass", "pass"]),
        (ChainStatus::Valid, DateStatus::Valid, ["mx.contoso.com"], ["pass", "pass", "fail:name_mismatch"]),
        (ChainStatus::Valid, DateStatus::Expired, good, ["pass", "fail:expired", "fail:expired"]),
        (
            ChainStatus::Valid,
            DateStatus::NotYetValid,
            good,
            ["pass", "fail:not_yet_valid", "fail:not_yet_valid"],
        ),
        (
            ChainStatus::SelfSigned,
            DateStatus::Expired,
            good,
            ["pass", "fail:self_signed", "fail:self_signed"],
        ),
        (
            ChainStatus::UntrustedRoot,
            DateStatus::Valid,
            good,
            ["pass", "fail:untrusted_root", "fail:untrusted_root"],
        ),
        (
            ChainStatus::IncompleteChain,
            DateStatus::Valid,
            good,
            ["pass", "fail:incomplete_chain", "fail:incomplete_chain"],
        ),
        (ChainStatus::Invalid, DateStatus::Valid, good, ["pass", "fail:invalid_chain", "fail:invalid_chain"]),
        (
            ChainStatus::ExpiredRoot,
            DateStatus::Valid,
            good,
            ["pass", "fail:expired_root", "fail:expired_root"],
        ),
        // A chain that cannot be verified here is left open; what fails
        // whatever the chain is is not.
        (
            ChainStatus::Unverifiable,
            DateStatus::Valid,
            good,
            ["pass", "undetermined:chain_unverifiable", "undetermined:chain_unverifiable"],
        ),
        (
            ChainStatus::Unverifiable,
            DateStatus::Valid,
            ["mx.contoso.com"],
            ["pass", "undetermined:chain_unverifiable", "fail:name_mismatch"],
        ),
        (ChainStatus::Unverifiable, DateStatus::Expired, good, ["pass", "fail:expired", "fail:expired"]),
    ] {
        assert_eq!(check(Delivery::Encrypted, None, Some(&tls(chain, dates, &names))), expected);
    }
}

#[test]
fn a_leaf_signed_with_sha1_is_refused_by_name() {
    let mut old = tls(ChainStatus::Invalid, DateStatus::Valid, &["contoso.com"]);
    let mut leaf = Leaf::clone(old.leaf.as_deref().unwrap());
    leaf.signed_with_sha1 = Some(true);
    old.leaf = Some(Arc::new(leaf));
    let found = check(Delivery::Encrypted, None, Some(&old));
    assert_eq!(found, ["pass", "fail:sha1_certificate", "fail:sha1_certificate"]);
}

#[test]
fn without_encryption_no_strength_passes_and_what_is_not_known_stays_open() {
    let not_offered = reason(Phase::Starttls, Kind::NotOffered);
    assert_eq!(check(Delivery::Plaintext, not_offered, None), ["fail:starttls_not_offered"; 3]);
    let throttled = reason(Phase::Greeting, Kind::Throttled);
    assert_eq!(check(Delivery::Undetermined, throttled, None), ["undetermined:greeting_throttled"; 3]);
    assert_eq!(check(Delivery::Undetermined, None, None), ["undetermined:not_probed"; 3]);
    let unseen = "undetermined:certificate_not_seen";
    assert_eq!(check(Delivery::Encrypted, None, None), ["pass", unseen, unseen]);
}

#[test]
fn an_endpoint_without_a_domain_has_no_name_to_expect() {
    let seen = tls(ChainStatus::Valid, DateStatus::Valid, &["contoso.com"]);
    let demand = Demand { expected: None, wildcard_covers_apex: false };
    let found =
        texts(forced((Delivery::Encrypted, None), Unproven::default(), seen.presented().as_ref(), &demand));
    assert_eq!(found, ["pass", "pass", "undetermined:no_domain"]);
}

/// What is not known of the signature leaves a pass open, and no failure.
#[test]
fn a_signature_that_cannot_be_checked_passes_nothing() {
    let domain = DomainName::parse("contoso.com").unwrap();
    let demand = Demand { expected: Some(Expected::Recipient(&domain)), wildcard_covers_apex: false };
    let encrypted = (Delivery::Encrypted, None);
    for (cause, open) in [
        (CheckCause::SignatureUnverifiable, "undetermined:signature_unverifiable"),
        (CheckCause::KeyNotProven, "undetermined:key_not_proven"),
        (CheckCause::NotRecorded, "undetermined:not_recorded"),
    ] {
        for (names, domain_validation) in
            [(&["contoso.com"], open), (&["other.example"], "fail:name_mismatch")]
        {
            let seen = tls(ChainStatus::Valid, DateStatus::Valid, names);
            let texts = |session, certificate| {
                let unproven = Unproven { session, certificate };
                texts(forced(encrypted, unproven, seen.presented().as_ref(), &demand))
            };
            assert_eq!(texts(Some(cause), None), [open, open, domain_validation]);
            // Without a certificate there is no key to prove.
            assert_eq!(texts(None, Some(cause)), ["pass", open, domain_validation]);
        }
    }
}

fn facts(failures: &[Option<Kind>]) -> DomainFacts {
    let exchanges = failures.iter().map(|kind| Exchange {
        preference: 10,
        host: Some(MxHost::new("mx.contoso.com")),
        addresses: Vec::new(),
        addresses_excess: Some(0),
        failure: kind.map(|kind| Failure::new(Phase::Dns, kind)),
    });
    DomainFacts {
        target: Target { line: 1, subject: Subject::Domain(DomainName::parse("contoso.com").unwrap()) },
        exchanges: exchanges.collect(),
        implicit_mx: false,
        exchanges_excess: Some(0),
        smart_hosts: false,
        failure: None,
    }
}

#[test]
fn one_host_that_passes_is_enough_and_one_that_is_open_keeps_it_open() {
    let fail = ForcedTls::all(Check::Fail(CheckFailure::SelfSigned));
    let other = ForcedTls::all(Check::Fail(CheckFailure::Expired));
    let pass = ForcedTls::all(Check::Pass);
    let open = ForcedTls::all(Check::Undetermined(CheckCause::CertificateNotSeen));
    let none = facts(&[None]);
    for (endpoints, expected) in [
        (vec![fail, other], "fail:self_signed"),
        (vec![fail, pass], "pass"),
        (vec![open, pass], "pass"),
        (vec![open, fail], "undetermined:certificate_not_seen"),
        (vec![fail, open], "undetermined:certificate_not_seen"),
        (vec![], "undetermined:not_probed"),
    ] {
        assert_eq!(texts(roll_up(&none, &endpoints)), [expected; 3], "{endpoints:?}");
    }
}

#[test]
fn the_first_that_got_furthest_says_why() {
    let no_tls = |phase, kind| Check::Fail(CheckFailure::NoTls(Reason::Ended { phase, kind }));
    let refused = no_tls(Phase::Connect, Kind::Refused);
    let in_clear = no_tls(Phase::Starttls, Kind::NotOffered);
    let (expired, unnamed) = (Check::Fail(CheckFailure::Expired), Check::Fail(CheckFailure::NameMismatch));
    let silent = CheckCause::NoAnswer(Reason::Ended { phase: Phase::Greeting, kind: Kind::Timeout });
    let silent = Check::Undetermined(silent);
    let not_seen = Check::Undetermined(CheckCause::CertificateNotSeen);
    for (checks, expected) in [
        (vec![refused, in_clear, refused], in_clear),
        (vec![in_clear, unnamed, expired], unnamed),
        (vec![silent, not_seen, expired], not_seen),
        (vec![expired, silent], silent),
    ] {
        let endpoints: Vec<_> = checks.iter().copied().map(ForcedTls::all).collect();
        assert_eq!(roll_up(&facts(&[None]), &endpoints), ForcedTls::all(expected), "{checks:?}");
    }
}

#[test]
fn a_host_that_the_dns_may_yet_give_keeps_it_open_and_one_that_is_gone_does_not() {
    let fail = ForcedTls::all(Check::Fail(CheckFailure::SelfSigned));
    let open = roll_up(&facts(&[None, Some(Kind::Servfail)]), &[fail]);
    assert_eq!(texts(open), ["undetermined:dns_servfail"; 3]);
    let gone = roll_up(&facts(&[None, Some(Kind::Nxdomain)]), &[fail]);
    assert_eq!(texts(gone), ["fail:self_signed"; 3]);
}

#[test]
fn hosts_and_addresses_that_nobody_looked_at_keep_it_open() {
    let fail = ForcedTls::all(Check::Fail(CheckFailure::SelfSigned));
    let one = facts(&[None]);
    let more_hosts = DomainFacts { exchanges_excess: Some(1), ..one.clone() };
    let mut more_addresses = one.clone();
    more_addresses.exchanges[0].addresses_excess = Some(1);
    for cut in [more_hosts, more_addresses] {
        assert_eq!(texts(roll_up(&cut, &[fail])), ["undetermined:dns_too_many"; 3]);
        assert_eq!(texts(roll_up(&cut, &[ForcedTls::all(Check::Pass)])), ["pass"; 3]);
    }
}

/// Runs of old kept 16 hosts and 8 addresses of each, and did not say whether
/// there were more.
#[test]
fn old_facts_at_their_limits_keep_it_open() {
    let fail = ForcedTls::all(Check::Fail(CheckFailure::SelfSigned));
    for (hosts, addresses, expected) in [
        (15, 7, "fail:self_signed"),
        (16, 1, "undetermined:not_recorded"),
        (1, 8, "undetermined:not_recorded"),
    ] {
        let mut old = DomainFacts { exchanges_excess: None, ..facts(&vec![None; hosts]) };
        for exchange in &mut old.exchanges {
            exchange.addresses_excess = None;
            exchange.addresses = (0..addresses).map(|last| [192, 0, 2, last].into()).collect();
        }
        assert_eq!(texts(roll_up(&old, &[fail])), [expected; 3], "{hosts} {addresses}");
    }
}
