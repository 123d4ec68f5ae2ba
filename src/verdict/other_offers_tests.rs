//! What one server's answers say to each sender, as tables.

use super::*;
use crate::model::{AlertDescription, Endpoint, Failure, HelloEnd, Kind, Phase, ProbeKey, SignatureCheck};
use crate::verdict::outcome::outcome;

const CBC: &str = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA";
const RC4: &str = "TLS_RSA_WITH_RC4_128_SHA";
const GCM: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";

/// A hello of all that a version has, by its name, or the offer of a sender,
/// by its own.
fn hello(what: &str, end: HelloEnd, chosen: Option<(&str, &str)>, group: &str) -> HelloFinding {
    let version = what.parse().ok();
    let whole = version.map(|version| Offer::of(step_down::everything_of(version)));
    let offer = whole.unwrap_or_else(|| Sender::named(what).unwrap().offer());
    let sender = version.is_none();
    HelloFinding {
        purpose: if sender { HelloPurpose::Sender } else { HelloPurpose::Version },
        offer: sender.then(|| offer.id().into()),
        offered_version: offer.versions[0],
        offered_suites: offer.suites.len(),
        end,
        hello_retry: false,
        alert: (end == HelloEnd::Alert).then_some(AlertDescription::HANDSHAKE_FAILURE),
        version: chosen.map(|(version, _)| version.parse().unwrap()),
        suite: chosen.map(|(_, suite)| suite.parse().unwrap()),
        group: group.parse().ok(),
        signature_scheme: None,
        signature: Some(SignatureCheck::Verified),
        presented: None,
        downgrade_mark: Some(crate::model::DowngradeMark::None),
        dh_bits: None,
        renegotiation_info: Some(true),
        client_certificate_requested: false,
        names_host: true,
        handshake: None,
    }
}

fn agreed(what: &str, version: &str, suite: &str, group: &str) -> HelloFinding {
    hello(what, HelloEnd::Agreed, Some((version, suite)), group)
}

fn ended(what: &str, end: HelloEnd) -> HelloFinding {
    hello(what, end, None, "")
}

fn refused(hellos: &[HelloFinding]) -> Finding {
    let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
    let failure = Some(Failure::new(Phase::Tls, Kind::Alert));
    Finding {
        key,
        failure,
        tls: None,
        extra_client_hellos: hellos.into(),
        enumerated: None,
        starttls_forms: Default::default(),
        reply_forms: Default::default(),
    }
}

/// Delivery, reason, basis, version, suite and group; what is absent is left
/// out.
fn told(sender: &str, finding: &Finding) -> String {
    let outcome = outcome(&Sender::named(sender).unwrap(), finding);
    let session = outcome.session.unwrap_or_default();
    let words = [
        Some(outcome.delivery.to_string()),
        outcome.reason.map(|reason| reason.to_string()),
        outcome.basis.map(|basis| basis.name().to_string()),
        session.version.map(|version| version.to_string()),
        session.suite.map(|suite| suite.to_string()),
        session.group.map(|group| group.to_string()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn check(hellos: &[HelloFinding], expected: &[(&str, &str)]) {
    let finding = refused(hellos);
    for (sender, expected) in expected {
        assert_eq!(told(sender, &finding), *expected, "{sender} of {hellos:#?}");
    }
}

const OPEN: &str = "undetermined tls_alert";

#[test]
fn a_server_that_chose_an_old_version_has_no_newer_one_for_anybody() {
    let encrypted = format!("encrypted inferred TLSv1.0 {CBC}");
    for (group, has_x25519_alone) in [("secp256r1", false), ("x25519", true)] {
        let hellos = [ended("exchange-online", HelloEnd::Alert), agreed("TLSv1.3", "TLSv1.0", CBC, group)];
        let encrypted = format!("{encrypted} {group}");
        check(
            &hellos,
            &[
                ("exchange-online-2020", "deferred no_published_version assumed"),
                ("rfc9325", "plaintext no_published_version inferred"),
                // Without x25519 it may have no curve in common.
                ("exchange-online-2018", if has_x25519_alone { OPEN } else { &encrypted }),
                ("postfix-may", &encrypted),
            ],
        );
    }
    // The newest version that was offered is older than the sender's newest,
    // but not than its oldest.
    let old = [agreed("exchange-online-2018", "TLSv1.0", CBC, "secp256r1")];
    check(
        &old,
        &[
            ("exchange-online", "deferred no_published_version assumed"),
            ("exchange-online-2020", "deferred no_published_version assumed"),
            // Whether it stumbles over an offer of TLS 1.3 nobody asked.
            ("postfix-may", OPEN),
        ],
    );
}

#[test]
fn an_answer_decides_for_those_who_offer_what_was_chosen() {
    let rc4 = [ended("exchange-online", HelloEnd::Alert), agreed("TLSv1.3", "TLSv1.2", RC4, "")];
    check(
        &rc4,
        &[
            // Its offer is a part of the one that was refused.
            ("exchange-online-2020", "deferred no_published_suite assumed"),
            // Of these it is not known: they offer suites that nobody tried.
            ("exchange-online-2018", OPEN),
            ("postfix-may", OPEN),
        ],
    );
    let cbc = [agreed("exchange-online", "TLSv1.2", CBC, "secp384r1")];
    check(
        &cbc,
        &[
            ("exchange-online-2020", &format!("encrypted inferred TLSv1.2 {CBC} secp384r1")),
            ("rfc9325", OPEN),
            // Its hello is longer than the one that the server took.
            ("postfix-may", OPEN),
        ],
    );
}

#[test]
fn a_server_that_stumbles_over_tls13_tells_nothing_of_those_who_offer_it() {
    let hellos = [
        ended("postfix-may", HelloEnd::Alert),
        ended("TLSv1.3", HelloEnd::Alert),
        agreed("TLSv1.2", "TLSv1.2", GCM, "secp256r1"),
    ];
    check(
        &hellos,
        &[
            ("exchange-online", OPEN),
            ("rfc9325", OPEN),
            ("exchange-online-2020", &format!("encrypted inferred TLSv1.2 {GCM} secp256r1")),
        ],
    );
}

#[test]
fn where_the_senders_own_offer_got_no_answer_only_the_lack_of_a_version_is_sure() {
    let closed = ended("exchange-online", HelloEnd::Closed);
    check(
        &[closed.clone(), agreed("TLSv1.3", "TLSv1.0", CBC, "")],
        &[("exchange-online", "deferred no_published_version assumed")],
    );
    check(&[closed, agreed("TLSv1.3", "TLSv1.2", GCM, "secp384r1")], &[("exchange-online", OPEN)]);
}

/// Over the name a server may refuse what it would else take.
#[test]
fn what_was_refused_together_with_a_name_is_not_refused_without() {
    let rc4 = [ended("exchange-online", HelloEnd::Alert), agreed("TLSv1.3", "TLSv1.2", RC4, "")];
    let mut finding = refused(&rc4);
    finding.key.sni = Some(crate::model::MxHost::new("mx.example"));
    let mut sender = Sender::named("exchange-online-2020").unwrap();
    for (sends_sni, refused) in [(true, true), (false, false)] {
        sender.sends_sni.value = sends_sni;
        let inference = infer(&sender.offer(), &finding, false);
        assert_eq!(inference == Some(Inference::Refused), refused, "{sends_sni}");
    }
}

#[test]
fn a_server_of_sslv2_speaks_no_version_that_anyone_offers() {
    let hellos = [ended("exchange-online", HelloEnd::Sslv2), ended("TLSv1.3", HelloEnd::Sslv2)];
    check(
        &hellos,
        &[
            ("exchange-online", "deferred no_published_version assumed"),
            ("postfix-may", "plaintext no_published_version inferred"),
        ],
    );
}

#[test]
fn what_was_offered_must_be_known() {
    // Another registry, or a sender of one's own.
    let mut other = agreed("TLSv1.3", "TLSv1.0", CBC, "");
    other.offered_suites += 1;
    let mut own = agreed("exchange-online", "TLSv1.0", CBC, "");
    own.offer = Some("0123456789abcdef".into());
    for hello in [other, own] {
        check(&[hello], &[("exchange-online-2020", OPEN), ("postfix-may", OPEN)]);
    }
    check(&[], &[("exchange-online", OPEN)]);
}
