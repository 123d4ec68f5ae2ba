//! What of `--fail-on` a verdict meets. What is not determined meets nothing but
//! `undetermined`.

use crate::cli::ProbeFailOnArg;
use crate::model::registry::ProtocolVersion;
use crate::model::{Check, ConnectorDelivery, Delivery, KeyStatus, NegotiatedTls, SuiteClass, Verdict, View};

/// Those that it meets, each once, in the order in which they are declared.
pub(super) fn met(named: &[ProbeFailOnArg], verdict: &Verdict) -> Vec<&'static str> {
    let others = || named.iter().filter(|what| **what != ProbeFailOnArg::Undetermined);
    let is_met = |what: &ProbeFailOnArg| match what {
        ProbeFailOnArg::Undetermined => {
            verdict.outcome.delivery == Delivery::Undetermined
                || others().any(|other| answer(*other, verdict).is_none())
        }
        other => answer(*other, verdict) == Some(true),
    };
    let mut met: Vec<&'static str> = Vec::new();
    for what in named.iter().filter(|what| is_met(what)) {
        if !met.contains(&what.name()) {
            met.push(what.name());
        }
    }
    met
}

/// Whether the verdict is what was named; `None` where that is not determined.
fn answer(what: ProbeFailOnArg, verdict: &Verdict) -> Option<bool> {
    match what {
        ProbeFailOnArg::Plaintext => may_be(Delivery::Plaintext, verdict),
        ProbeFailOnArg::Deferred => may_be(Delivery::Deferred, verdict),
        ProbeFailOnArg::Undeliverable => may_be(Delivery::Undeliverable, verdict),
        ProbeFailOnArg::Undetermined => Some(verdict.outcome.delivery == Delivery::Undetermined),
        ProbeFailOnArg::Weak => is_weak(verdict),
        ProbeFailOnArg::WeakestPlaintext => match &verdict.weakest {
            Some(weakest) => is(Delivery::Plaintext, weakest.outcome().delivery),
            None => may_be(Delivery::Plaintext, verdict),
        },
        ProbeFailOnArg::EncryptionOnly => fails(verdict.forced.encryption_only),
        ProbeFailOnArg::CertificateValidation => fails(verdict.forced.certificate_validation),
        ProbeFailOnArg::DomainValidation => fails(verdict.forced.domain_validation),
        ProbeFailOnArg::Connector => match verdict.connector.as_ref().map(|connector| connector.delivery) {
            Some(ConnectorDelivery::Undetermined) => None,
            delivery => {
                Some(matches!(delivery, Some(ConnectorDelivery::Deferred | ConnectorDelivery::Undeliverable)))
            }
        },
    }
}

/// Whether that becomes of mail, at one of the hosts that come first.
fn may_be(delivery: Delivery, verdict: &Verdict) -> Option<bool> {
    let also = verdict.also.iter().any(|possible| possible.delivery == delivery);
    if also { Some(true) } else { is(delivery, verdict.outcome.delivery) }
}

fn is(named: Delivery, found: Delivery) -> Option<bool> {
    (found != Delivery::Undetermined).then_some(found == named)
}

fn fails(check: Check) -> Option<bool> {
    match check {
        Check::Pass => Some(false),
        Check::Fail(_) => Some(true),
        Check::Undetermined(_) => None,
    }
}

/// Whether mail goes encrypted, and the session or the key of the certificate is old
/// or weak.
fn is_weak(verdict: &Verdict) -> Option<bool> {
    match (verdict.outcome.delivery, &verdict.outcome.session) {
        (Delivery::Undetermined, _) => None,
        (Delivery::Encrypted, Some(session)) => {
            let signs = [weak_session(session), weak_key(verdict.best.as_ref())];
            if signs.contains(&Some(true)) {
                return Some(true);
            }
            if signs.contains(&None) { None } else { Some(false) }
        }
        _ => Some(false),
    }
}

/// Older than TLS 1.2 (RFC 8996), without forward secrecy, or of a suite that is weak
/// or broken.
fn weak_session(session: &NegotiatedTls) -> Option<bool> {
    let class = session.suite.and_then(|suite| suite.class());
    let is_weak = session.version.is_some_and(|version| version < ProtocolVersion::TLS12)
        || session.forward_secrecy() == Some(false)
        || matches!(class, Some(SuiteClass::Weak | SuiteClass::Broken));
    // Every suite of TLS 1.3 is sound.
    let is_known = match session.version {
        Some(ProtocolVersion::TLS13) => true,
        Some(_) => class.is_some(),
        None => false,
    };
    (is_weak || is_known).then_some(is_weak)
}

/// Shorter than RFC 9325 §4.5 has it. A session without a certificate has no key.
fn weak_key(best: Option<&View>) -> Option<bool> {
    let handshake = best?.endpoint.handshake()?;
    match handshake.key {
        Some(KeyStatus::Weak) => Some(true),
        Some(KeyStatus::Unknown) => None,
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Basis, CheckCause, CheckFailure, ForcedTls, Kind, Outcome, Phase, Reason};
    use clap::ValueEnum;

    fn verdict(outcome: Outcome, check: Check) -> Verdict {
        Verdict::of_outcome(outcome, ForcedTls::all(check))
    }

    fn encrypted(version: ProtocolVersion, suite: Option<u16>) -> Verdict {
        let suite = suite.map(crate::model::CipherSuite);
        let session = NegotiatedTls { version: Some(version), suite, ..NegotiatedTls::default() };
        let mut verdict = verdict(Outcome::encrypted(Basis::Observed, session), Check::Pass);
        verdict.best = None;
        verdict
    }

    fn met_of(verdict: &Verdict) -> Vec<&'static str> {
        met(ProbeFailOnArg::value_variants(), verdict)
    }

    #[test]
    fn words_are_written_as_they_are_told() {
        for what in ProbeFailOnArg::value_variants() {
            assert_eq!(what.to_possible_value().unwrap().get_name(), what.name());
        }
    }

    #[test]
    fn what_is_not_determined_meets_undetermined_alone() {
        let reason = Reason::Ended { phase: Phase::Greeting, kind: Kind::Throttled };
        let open = Check::Undetermined(CheckCause::NoAnswer(reason));
        let found = verdict(Outcome::undetermined(reason), open);
        assert_eq!(met_of(&found), ["undetermined"]);
        assert_eq!(met(&[ProbeFailOnArg::Plaintext, ProbeFailOnArg::EncryptionOnly], &found), [""; 0]);
    }

    #[test]
    fn a_check_that_is_open_is_undetermined_where_it_is_named() {
        let clear = Outcome::without_tls(Delivery::Deferred, Reason::NotAsked, Some(Basis::Observed));
        let found = verdict(clear, Check::Undetermined(CheckCause::NoDomain));
        use ProbeFailOnArg::{Deferred, DomainValidation, Plaintext, Undetermined};
        assert_eq!(met(&[Plaintext, Undetermined], &found), [""; 0]);
        assert_eq!(met(&[DomainValidation], &found), [""; 0]);
        assert_eq!(met(&[Undetermined, DomainValidation, Deferred], &found), ["undetermined", "deferred"]);
        let failed = verdict(found.outcome.clone(), Check::Fail(CheckFailure::Expired));
        assert_eq!(met(&[DomainValidation, DomainValidation], &failed), ["domain_validation"]);
    }

    #[test]
    fn old_versions_and_poor_suites_are_weak() {
        let (tls10, tls12, tls13) = (ProtocolVersion(0x0301), ProtocolVersion::TLS12, ProtocolVersion::TLS13);
        for (version, suite, expected) in [
            // ECDHE with AES-GCM.
            (tls12, Some(0xc02f), Some(false)),
            (tls10, Some(0xc02f), Some(true)),
            // RSA key exchange; ECDHE with 3DES.
            (tls12, Some(0x009c), Some(true)),
            (tls12, Some(0xc012), Some(true)),
            (tls12, None, None),
            (tls10, None, Some(true)),
            (tls13, None, Some(false)),
        ] {
            let found = weak_session(encrypted(version, suite).outcome.session.as_deref().unwrap());
            assert_eq!(found, expected, "{version} {suite:?}");
        }
    }
}
