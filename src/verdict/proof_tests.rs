//! What a signature comes to for a sender, as tables.

use super::*;
use crate::model::{
    ChainStatus, DateStatus, DowngradeMark, Endpoint, Failure, Finding, HelloEnd, HelloPurpose, Kind, Leaf,
    Phase, PresentedCertificate, ProbeKey, Sha256,
};
use crate::sender::Sender;
use crate::verdict::SenderProfile;
use crate::verdict::case::with_case;
use crate::verdict::outcome::outcome;
use std::sync::Arc;

const GCM: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
const STATIC: &str = "TLS_RSA_WITH_AES_256_GCM_SHA384";
const ANONYMOUS: &str = "TLS_ECDH_anon_WITH_AES_256_CBC_SHA";
const TLS13: &str = "TLS_AES_256_GCM_SHA384";
const ED448: SignatureScheme = SignatureScheme(0x0808);
const PSS: SignatureScheme = SignatureScheme(0x0804);

fn leaf(byte: u8) -> Arc<Leaf> {
    Arc::new(Leaf {
        sha256: Sha256([byte; 32]),
        dns_names: Box::new([]),
        ip_addresses: Box::new([]),
        common_name: None,
        key_algorithm: Some("RSA".into()),
        subject: None,
        thumbprint: [0; 20],
        signed_with_sha1: Some(false),
    })
}

fn finding(failure: Option<Kind>, tls: Option<TlsFinding>, hellos: &[HelloFinding]) -> Finding {
    let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
    Finding {
        key,
        failure: failure.map(|kind| Failure::new(Phase::Tls, kind)),
        tls,
        extra_client_hellos: hellos.into(),
        enumerated: None,
        starttls_forms: Default::default(),
        reply_forms: Default::default(),
    }
}

/// A handshake in TLS 1.2, or 1.3 by its suite.
fn tls(suite: &str, signature: Option<SignatureCheck>, scheme: SignatureScheme) -> TlsFinding {
    let version = if suite == TLS13 { ProtocolVersion::TLS13 } else { ProtocolVersion::TLS12 };
    TlsFinding {
        version: Some(version),
        suite: suite.parse().ok(),
        group: "secp384r1".parse().ok(),
        signature_scheme: Some(scheme),
        signature,
        leaf: Some(leaf(1)),
        renegotiation_info: Some(true),
        ..TlsFinding::default()
    }
}

/// The answer to the offer of a sender.
fn hello(
    sender: &str,
    suite: &str,
    signature: Option<SignatureCheck>,
    scheme: SignatureScheme,
    shown: Option<u8>,
) -> HelloFinding {
    let offer = Sender::named(sender).unwrap().offer();
    let version = if suite == TLS13 { ProtocolVersion::TLS13 } else { ProtocolVersion::TLS12 };
    HelloFinding {
        purpose: HelloPurpose::Sender,
        offer: Some(offer.id().into()),
        offered_version: ProtocolVersion::TLS13,
        offered_suites: offer.suites.len(),
        end: HelloEnd::Agreed,
        hello_retry: false,
        alert: None,
        version: Some(version),
        suite: suite.parse().ok(),
        group: "secp384r1".parse().ok(),
        signature_scheme: Some(scheme),
        signature,
        presented: shown.map(|byte| PresentedCertificate {
            chain: ChainStatus::Valid,
            dates: DateStatus::Valid,
            leaf: leaf(byte),
            disputed: false,
        }),
        downgrade_mark: Some(DowngradeMark::None),
        dh_bits: None,
        renegotiation_info: Some(true),
        client_certificate_requested: false,
        names_host: true,
        handshake: None,
    }
}

/// Delivery, reason, basis, and why unproven.
fn told(sender: &str, finding: &Finding) -> String {
    let outcome = outcome(&Sender::named(sender).unwrap(), finding);
    let words = [
        Some(outcome.delivery.to_string()),
        outcome.reason.map(|reason| reason.to_string()),
        outcome.basis.map(|basis| basis.name().to_string()),
        outcome.unproven.map(|cause| cause.to_string()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn unverifiable() -> Option<SignatureCheck> {
    Some(SignatureCheck::Unverifiable("mxray cannot check it".into()))
}

const VERIFIED: Option<SignatureCheck> = Some(SignatureCheck::Verified);
const FAILED: Option<SignatureCheck> = Some(SignatureCheck::Failed);
const NOT_OFFERED: Option<SignatureCheck> = Some(SignatureCheck::NotOffered);
const NONE: Option<SignatureCheck> = Some(SignatureCheck::None);
const NOT_SHOWN: Option<SignatureCheck> = Some(SignatureCheck::NotShown);

#[test]
fn a_failed_signature_is_decided_for_every_sender() {
    let found = |signature| finding(Some(Kind::SignatureFailed), Some(tls(TLS13, signature, PSS)), &[]);
    for signature in [FAILED, NOT_OFFERED] {
        for sender in Sender::names() {
            // PSS is not what exchange-online-2018 and others lack: it is
            // named as not offered by whom it was.
            let lacks = !Sender::named(sender).unwrap().signature_schemes.value.contains(&PSS);
            if signature == NOT_OFFERED && !lacks {
                continue;
            }
            let told = told(sender, &found(signature.clone()));
            assert!(told.contains("tls_signature_failed"), "{sender}: {told}");
            assert!(told.starts_with("deferred ") || told.starts_with("plaintext "), "{sender}: {told}");
        }
    }
    // What an mxray wrote down that went on after it.
    let went_on = finding(None, Some(tls(TLS13, FAILED, PSS)), &[]);
    assert_eq!(told("exchange-online", &went_on), "deferred tls_signature_failed assumed");
    assert_eq!(told("postfix-may", &went_on), "plaintext tls_signature_failed inferred");
}

#[test]
fn a_scheme_that_only_the_sender_offers_is_not_decided_by_the_scanners_offer() {
    let found = |hellos: &[HelloFinding]| {
        finding(Some(Kind::SignatureFailed), Some(tls(TLS13, NOT_OFFERED, ED448)), hellos)
    };
    // OpenSSL offers it, Windows does not.
    assert_eq!(told("postfix-may", &found(&[])), "undetermined tls_signature_failed");
    assert_eq!(told("exchange-online", &found(&[])), "deferred tls_signature_failed assumed");
    let own = hello("postfix-may", GCM, VERIFIED, ED448, Some(1));
    assert_eq!(told("postfix-may", &found(&[own])), "encrypted observed");
}

#[test]
fn a_hello_does_not_overrule_what_failed_after_the_servers_flight() {
    let own = || hello("exchange-online", GCM, VERIFIED, PSS, Some(1));
    for (kind, expected) in [
        (Kind::ClientCertificateRequired, "undetermined tls_client_certificate_required"),
        (Kind::ClientCertificateRefused, "undetermined tls_client_certificate_refused"),
        (Kind::Alert, "undetermined tls_alert"),
        (Kind::Malformed, "undetermined tls_malformed"),
        (Kind::Closed, "undetermined tls_closed"),
        (Kind::Timeout, "undetermined tls_timeout"),
    ] {
        for seen in [tls(GCM, VERIFIED, PSS), tls(TLS13, None, PSS)] {
            assert_eq!(told("exchange-online", &finding(Some(kind), Some(seen), &[own()])), expected);
        }
    }
    // Of a failed signature the sender may be spared, who knows.
    let failed = finding(Some(Kind::SignatureFailed), Some(tls(GCM, FAILED, PSS)), &[own()]);
    assert_eq!(told("exchange-online", &failed), "undetermined tls_signature_failed");
    let silent = hello("exchange-online", TLS13, NOT_SHOWN, PSS, None);
    let failed = finding(Some(Kind::SignatureFailed), Some(tls(TLS13, FAILED, PSS)), &[silent]);
    assert_eq!(told("exchange-online", &failed), "deferred tls_signature_failed assumed");
    // Before it was about the offer.
    for kind in [Kind::Alert, Kind::NoCommonSuite, Kind::NoCommonVersion, Kind::Closed] {
        assert_eq!(told("exchange-online", &finding(Some(kind), None, &[own()])), "encrypted observed");
    }
    // But not what is to be spoken inside.
    let mut protocol = finding(Some(Kind::Alert), None, &[own()]);
    protocol.failure.as_mut().unwrap().alert = Some(crate::model::AlertDescription::NO_APPLICATION_PROTOCOL);
    assert_eq!(told("exchange-online", &protocol), "undetermined tls_alert");
}

#[test]
fn a_hello_alone_is_observed_where_its_signature_holds() {
    for (suite, signature, shown, expected) in [
        (GCM, VERIFIED, Some(1), "encrypted observed"),
        (GCM, FAILED, Some(1), "deferred tls_signature_failed assumed"),
        (GCM, NOT_OFFERED, Some(1), "deferred tls_signature_failed assumed"),
        (GCM, unverifiable(), Some(1), "encrypted inferred signature_unverifiable"),
        (GCM, None, Some(1), "encrypted inferred not_recorded"),
        (STATIC, NONE, Some(1), "encrypted inferred key_not_proven"),
        (STATIC, None, Some(1), "encrypted inferred key_not_proven"),
        (TLS13, NOT_SHOWN, None, "encrypted inferred key_not_proven"),
        (TLS13, None, None, "encrypted inferred key_not_proven"),
    ] {
        let (name, scheme) = ("exchange-online", SignatureScheme(0x0201));
        let own = hello(name, suite, signature, scheme, shown);
        assert_eq!(told(name, &finding(Some(Kind::Alert), None, &[own])), expected, "{suite}");
    }
}

#[test]
fn beside_a_handshake_with_the_same_certificate_nothing_is_open() {
    let beside = |suite, signature, shown, proven: TlsFinding| {
        let own = hello("exchange-online", suite, signature, PSS, shown);
        told("exchange-online", &finding(None, Some(proven), &[own]))
    };
    const OPEN: &str = "encrypted inferred key_not_proven";
    let verified = || tls(TLS13, VERIFIED, PSS);
    assert_eq!(beside(TLS13, NOT_SHOWN, None, verified()), "encrypted observed");
    assert_eq!(beside(GCM, None, Some(1), verified()), "encrypted observed");
    assert_eq!(beside(GCM, None, Some(2), verified()), "encrypted inferred not_recorded");
    // A key that signs by what this sender does not offer is not the one that
    // it meets.
    assert_eq!(beside(TLS13, NOT_SHOWN, None, tls(TLS13, VERIFIED, ED448)), OPEN);
    assert_eq!(beside(TLS13, NOT_SHOWN, None, tls(TLS13, unverifiable(), PSS)), OPEN);
}

#[test]
fn what_cannot_be_checked_is_inferred() {
    let found = finding(None, Some(tls(TLS13, unverifiable(), PSS)), &[]);
    assert_eq!(told("exchange-online", &found), "encrypted inferred signature_unverifiable");
}

#[test]
fn an_anonymous_suite_has_nothing_to_prove() {
    let offer = Sender::named("exchange-online").unwrap().offer();
    for signature in [NONE, None] {
        let anonymous = hello("exchange-online", ANONYMOUS, signature, PSS, None);
        assert_eq!(of_hello(&anonymous, &offer), Proof::Given);
    }
}

/// The certificate that it shows where one is demanded is another matter.
#[test]
fn a_certificate_on_demand_is_to_be_proven_by_itself() {
    let profile = SenderProfile::new(Sender::named("postfix-may").unwrap());
    let unproven_on_demand =
        |finding: &Finding| with_case(&profile, finding, |case| case.unproven_on_demand());
    let on_demand = |suite, signature| HelloFinding {
        purpose: HelloPurpose::Authenticated,
        offer: profile.authenticated_id.clone(),
        ..hello("postfix-may", suite, signature, PSS, Some(1))
    };
    let anonymous = || hello("postfix-may", ANONYMOUS, NONE, PSS, None);
    for (suite, signature, expected) in [
        (STATIC, NONE, Some("key_not_proven")),
        (GCM, unverifiable(), Some("signature_unverifiable")),
        (GCM, None, Some("not_recorded")),
        (GCM, VERIFIED, None),
    ] {
        let found = finding(Some(Kind::Alert), None, &[anonymous(), on_demand(suite, signature)]);
        let cause = unproven_on_demand(&found).map(|cause| cause.to_string());
        assert_eq!(cause.as_deref(), expected, "{suite}");
        assert_eq!(told("postfix-may", &found), "encrypted observed");
    }
    // It shows one anyway: that session says it.
    let own = hello("postfix-may", STATIC, NONE, PSS, Some(1));
    let found = finding(Some(Kind::Alert), None, &[own, on_demand(STATIC, NONE)]);
    assert_eq!(unproven_on_demand(&found), None);
    assert_eq!(told("postfix-may", &found), "encrypted inferred key_not_proven");
}
