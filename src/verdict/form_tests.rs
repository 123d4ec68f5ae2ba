//! Which handshake counts for whom, as a table.

use super::super::attempt::judged;
use super::super::fixtures::{at, ip, leaf, own_hello, profile, secure};
use super::*;
use crate::model::{
    AlertDescription, Basis, ChainStatus, Check, CheckCause, CheckFailure, Delivery, HelloEnd, HelloPurpose,
    Kind, MxHost, Reason, ReplyForm,
};
use std::sync::Arc;

/// A sender like Exchange Online, which prefers the group of [`secure`].
fn sender(sends_sni: bool, shows: Option<bool>) -> SenderProfile {
    let mut sender = profile("exchange-online").sender;
    sender.sends_sni.value = sends_sni;
    let shown = sender.dh_bits_min.clone().unwrap();
    sender.shows_client_certificate = shows.map(|value| crate::sender::Stated {
        value,
        source: Some("a test".into()),
        assumption: shown.assumption.clone(),
    });
    sender.after_tls_failure.source = Some("a test".into());
    SenderProfile::new(sender)
}

fn named(failure: Option<Failure>, tls: Option<TlsFinding>) -> Finding {
    let mut finding = at(ip(1), failure, tls);
    finding.key.sni = Some(MxHost::new("mx.example.com"));
    finding
}

fn with(mut finding: Finding, names_host: bool, failure: Option<Failure>, tls: TlsFinding) -> Finding {
    let mut hello = own_hello(&profile("exchange-online"), HelloEnd::Agreed);
    hello.purpose = HelloPurpose::Handshake;
    hello.names_host = names_host;
    hello.handshake = Some(Box::new(SecondHandshake { failure, tls, reply_forms: ReplyForms::default() }));
    finding.extra_client_hellos = [hello].into();
    finding
}

fn alert(code: u8) -> Failure {
    Failure::new(Phase::Tls, Kind::Alert).with_alert(AlertDescription(code))
}

fn told(profile: &SenderProfile, finding: Finding) -> (Delivery, Option<Basis>, Check) {
    let judged = judged(profile, finding);
    (judged.outcome.delivery, judged.outcome.basis, judged.certificate)
}

#[test]
fn a_handshake_that_names_the_host_is_no_answer_to_one_that_does_not() {
    let (names, does_not) = (sender(true, Some(false)), sender(false, Some(false)));
    let good = || named(None, Some(secure()));
    let self_signed = TlsFinding { chain: Some(ChainStatus::SelfSigned), ..secure() };
    let (encrypted, observed, inferred) = (Delivery::Encrypted, Some(Basis::Observed), Some(Basis::Inferred));
    assert_eq!(told(&names, good()), (encrypted, observed, Check::Pass));
    let not_seen = Check::Undetermined(CheckCause::CertificateNotSeen);
    assert_eq!(told(&does_not, good()), (encrypted, inferred, not_seen));
    let without_name = || with(good(), false, None, self_signed.clone());
    assert_eq!(told(&names, without_name()), (encrypted, observed, Check::Pass));
    let failed = Check::Fail(CheckFailure::SelfSigned);
    assert_eq!(told(&does_not, without_name()), (encrypted, observed, failed));
    // To an address there is no name to send.
    let address = || at(ip(1), None, Some(secure()));
    assert_eq!(told(&does_not, address()), (encrypted, observed, Check::Pass));
}

#[test]
fn a_server_that_refuses_names_serves_who_sends_none() {
    let (names, does_not) = (sender(true, Some(false)), sender(false, Some(false)));
    let refused = || named(Some(alert(112)), Some(TlsFinding::default()));
    assert_eq!(told(&does_not, refused()).0, Delivery::Undetermined);
    let served = || with(refused(), false, None, secure());
    let judged = told(&does_not, served());
    assert_eq!(judged, (Delivery::Encrypted, Some(Basis::Observed), Check::Pass));
    assert_eq!(told(&names, served()).0, Delivery::Encrypted, "what is stuck is looked at again");
    assert_eq!(told(&names, served()).1, Some(Basis::Inferred));
}

#[test]
fn a_client_certificate_that_only_the_sender_has_leaves_it_inferred() {
    let asked = |client_certificate| TlsFinding { client_certificate, ..secure() };
    let (none, own) = (ClientCertificate::NotShown, ClientCertificate::Accepted);
    let (observed, inferred) = (Some(Basis::Observed), Some(Basis::Inferred));
    for (shows, certificate, expected) in [
        (Some(false), none, observed),
        (Some(true), none, inferred),
        (None, none, inferred),
        (Some(false), own, inferred),
        (Some(true), own, inferred),
        (Some(true), ClientCertificate::NeverAsked, observed),
    ] {
        let judged = told(&sender(true, shows), named(None, Some(asked(certificate))));
        assert_eq!(judged.1, expected, "{shows:?} {certificate:?}");
    }
    let without = with(named(None, Some(asked(own))), true, None, asked(none));
    assert_eq!(told(&sender(true, Some(false)), without).1, observed);
}

#[test]
fn a_server_that_demands_a_client_certificate_fails_who_shows_none() {
    let failure = Failure::new(Phase::Tls, Kind::ClientCertificateRequired).with_alert(AlertDescription(116));
    let tls = TlsFinding { client_certificate: ClientCertificate::NotShown, ..secure() };
    let reason = Reason::Ended { phase: Phase::Tls, kind: Kind::ClientCertificateRequired };
    for (shows, delivery, basis) in [
        (Some(false), Delivery::Deferred, Some(Basis::Observed)),
        (Some(true), Delivery::Undetermined, None),
        (None, Delivery::Undetermined, None),
    ] {
        let judged = judged(&sender(true, shows), named(Some(failure.clone()), Some(tls.clone())));
        let told = (judged.outcome.delivery, judged.outcome.basis, judged.outcome.reason);
        assert_eq!(told, (delivery, basis, Some(reason)), "{shows:?}");
    }
}

#[test]
fn a_host_that_is_silent_to_a_long_hello_shows_its_certificate_in_a_short_handshake() {
    let silent = named(Some(Failure::new(Phase::Tls, Kind::Timeout)), Some(TlsFinding::default()));
    let names = sender(true, Some(false));
    assert_eq!(told(&names, silent.clone()).0, Delivery::Undetermined);
    let judged = told(&names, with(silent.clone(), true, None, secure()));
    assert_eq!(judged, (Delivery::Encrypted, Some(Basis::Observed), Check::Pass));
    // One that fails too says no more than the first.
    let failed = with(silent, true, Some(alert(80)), TlsFinding::default());
    let outcome = super::super::attempt::judged(&names, failed).outcome;
    let reason = Reason::Ended { phase: Phase::Tls, kind: Kind::Timeout };
    assert_eq!((outcome.delivery, outcome.reason), (Delivery::Undetermined, Some(reason)));
}

/// What was found in the other form is not this sender's, nor may it have been
/// refused to this sender what was refused in that form.
#[test]
fn what_is_known_of_another_form_alone_says_nothing_against_the_sender() {
    let (names, does_not) = (sender(true, Some(false)), sender(false, Some(false)));
    let failure = Failure::new(Phase::Tls, Kind::ClientCertificateRequired).with_alert(AlertDescription(116));
    let not_shown = TlsFinding { client_certificate: ClientCertificate::NotShown, ..secure() };
    let wanted = || named(Some(failure.clone()), Some(not_shown.clone()));
    assert_eq!(
        (told(&names, wanted()).0, told(&does_not, wanted()).0),
        (Delivery::Deferred, Delivery::Undetermined)
    );
    let mut old = leaf(&["*.example.com"]);
    Arc::make_mut(&mut old).signed_with_sha1 = Some(true);
    let sha1 = || named(None, Some(TlsFinding { leaf: Some(old.clone()), ..secure() }));
    assert_eq!(
        (told(&names, sha1()).0, told(&does_not, sha1()).0),
        (Delivery::Deferred, Delivery::Encrypted)
    );
}

/// An agreement in TLS 1.3 shows no signature. The key that another form was
/// shown may be another.
#[test]
fn a_key_is_proven_to_who_names_the_host_alike() {
    let unproven = |profile: &SenderProfile| {
        let mut finding = named(None, Some(secure()));
        let mut hello = own_hello(profile, HelloEnd::Agreed);
        hello.names_host = profile.offer.sends_sni;
        hello.version = secure().version;
        (hello.suite, hello.group) = (secure().suite, secure().group);
        finding.extra_client_hellos = [hello].into();
        super::super::attempt::judged(profile, finding).unproven.session
    };
    assert_eq!(unproven(&sender(true, Some(false))), None);
    assert_eq!(unproven(&sender(false, Some(false))), Some(CheckCause::KeyNotProven));
}

/// A second handshake offers no X25519MLKEM768, which the server may prefer.
#[test]
fn what_a_second_handshake_did_not_offer_leaves_an_inference() {
    let mut does_not = sender(false, Some(false)).sender;
    for (groups, basis) in [(&[24, 29][..], Basis::Observed), (&[24, 0x11ec], Basis::Inferred)] {
        does_not.groups.value = groups.iter().copied().map(NamedGroup).collect();
        let profile = SenderProfile::new(does_not.clone());
        let found = with(named(None, Some(secure())), false, None, secure());
        assert_eq!(told(&profile, found).1, Some(basis), "{groups:?}");
    }
}

/// Who showed a certificate, or named the host, may be taken inside TLS, and who
/// did not be turned away there.
#[test]
fn what_the_second_handshake_met_inside_tls_counts() {
    let refused = || Failure::new(Phase::AfterTls, Kind::ClientCertificateRequired).with_reply(554);
    let shown = TlsFinding { client_certificate: ClientCertificate::Accepted, ..secure() };
    let not_shown = TlsFinding { client_certificate: ClientCertificate::NotShown, ..secure() };
    let shows_none = sender(true, Some(false));
    let reason = Some(Reason::Ended { phase: Phase::AfterTls, kind: Kind::ClientCertificateRequired });
    for (first, second) in [(None, Some(refused())), (Some(refused()), None)] {
        let finding =
            with(named(first.clone(), Some(shown.clone())), true, second.clone(), not_shown.clone());
        let outcome = super::super::attempt::judged(&shows_none, finding).outcome;
        assert_eq!(
            (outcome.delivery, outcome.reason),
            (Delivery::Undetermined, reason),
            "{first:?} {second:?}"
        );
    }
}

/// Only the second handshake names the host as the sender does, so that what is said
/// inside TLS may be said there alone.
#[test]
fn the_replies_of_a_second_handshake_count_as_well() {
    let exim = profile("exim");
    let told = |forms: ReplyForms| {
        let mut found = with(named(None, Some(secure())), false, None, secure());
        Arc::make_mut(&mut found.extra_client_hellos)[0].handshake.as_mut().unwrap().reply_forms = forms;
        let outcome = judged(&exim, found).outcome;
        (outcome.delivery, outcome.reason)
    };
    assert_eq!(told(ReplyForms::default()), (Delivery::Encrypted, None));
    let empty = ReplyForm::EmptyLineInTls;
    let failed = (Delivery::Plaintext, Some(Reason::ReplyForm(empty)));
    assert_eq!(told(ReplyForms::default().with(empty)), failed);
}
