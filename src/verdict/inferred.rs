//! An endpoint that was not asked under this name: what a sample of the names of its
//! address tells of it.
//!
//! What becomes of mail there is inferred from one of the sample. What hangs on the
//! certificate, and whether a demand for TLS is met, is not known: any name may have
//! its own.

use super::finding;
use crate::model::{
    Basis, Check, CheckCause, EndpointRecord, JudgedEndpoint, Observation, Outcome, Reason, Unproven,
};
use crate::trust::pkix::Assessments;

/// Cuts it out, as `stand_in` was found; not determined where that is not known.
pub(super) fn endpoint(
    observation: Observation,
    stand_in: Option<&JudgedEndpoint>,
) -> (EndpointRecord, JudgedEndpoint) {
    let outcome = stand_in.map_or(Outcome::undetermined(Reason::NotAsked), |other| of(&other.outcome));
    let open = CheckCause::NoAnswer(Reason::NotAsked);
    let judged = JudgedEndpoint {
        finding: finding::finding(&observation, &Assessments::default()),
        outcome: outcome.clone(),
        encryption: Check::Undetermined(open),
        certificate: Check::Undetermined(open),
        certificate_basis: Basis::Inferred,
        unproven: Unproven { session: Some(open), certificate: Some(open) },
        presented: None,
        chain: None,
        second_handshake: None,
        stand_in: observation.stand_in().map(Box::new),
    };
    let record = EndpointRecord {
        observation,
        name: None,
        assessment: None,
        hello_assessments: Vec::new(),
        enumeration: None,
        outcome,
    };
    (record, judged)
}

/// What becomes of mail, without the session in which it was seen.
fn of(other: &Outcome) -> Outcome {
    Outcome {
        basis: other.basis.map(|basis| basis.max(Basis::Inferred)),
        session: None,
        unproven: Some(CheckCause::NoAnswer(Reason::NotAsked)),
        ..other.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, ip, profile, secure};
    use super::super::policy_fixtures::{PKI, domain, fitting, policy, told, without};
    use super::*;
    use crate::model::mta_sts::StsMode;
    use crate::model::tlsa::{Authenticity, TlsaOutcome};
    use crate::model::{DomainFacts, ProbeKey};
    use crate::sender::connector::Connectors;
    use jiff::Timestamp;
    use std::sync::Arc;

    /// The host of `example.com`, which was not asked, as one that was found secure.
    fn not_asked(stand_in: Option<&JudgedEndpoint>) -> JudgedEndpoint {
        let key =
            ProbeKey { sni: Some(crate::model::MxHost::new("mx0.example.com")), ..at(ip(1), None, None).key };
        let other = Some(crate::model::MxHost::new("mx.other.example"));
        endpoint(Observation::not_asked(key, Timestamp::UNIX_EPOCH, other), stand_in).1
    }

    fn told_of(sender: &str, facts: &DomainFacts, judged: JudgedEndpoint) -> (String, [String; 3]) {
        let verdict = crate::verdict::verdict(
            &profile(sender),
            &PKI.judge,
            &Connectors::default(),
            facts,
            &[(0, Arc::new(judged))],
        );
        let forced = verdict.forced;
        let all = [forced.encryption_only, forced.certificate_validation, forced.domain_validation];
        (told(&verdict), all.map(|check| check.to_string()))
    }

    #[test]
    fn what_hangs_on_the_certificate_is_not_asked_and_the_delivery_is_inferred() {
        let sender = profile("exchange-online");
        let found = super::super::attempt::judged(&sender, at(ip(1), None, Some(secure())));
        let plain = domain(Authenticity::Insecure, without(TlsaOutcome::Insecure));
        let with_tlsa = domain(Authenticity::Secure, fitting());
        let enforced =
            DomainFacts { mta_sts: Some(policy(StsMode::Enforce, "mx0.example.com")), ..plain.clone() };
        let tested =
            DomainFacts { mta_sts: Some(policy(StsMode::Testing, "mx0.example.com")), ..plain.clone() };
        for (facts, expected) in [
            (&plain, "encrypted inferred none insecure -"),
            (&with_tlsa, "undetermined:not_asked - - undetermined:not_asked -"),
            (&enforced, "undetermined:not_asked - - insecure -"),
            (&tested, "encrypted inferred none insecure -"),
        ] {
            let (delivery, forced) = told_of("exchange-online", facts, not_asked(Some(&found)));
            assert_eq!(delivery, expected);
            assert_eq!(forced, ["undetermined:not_asked"; 3], "{expected}");
        }
    }

    #[test]
    fn where_the_answer_of_the_other_is_lost_nothing_is_known() {
        let (delivery, forced) =
            told_of("exchange-online", &domain(Authenticity::Insecure, None), not_asked(None));
        assert!(delivery.starts_with("undetermined:not_asked"), "{delivery}");
        assert_eq!(forced, ["undetermined:not_asked"; 3]);
    }
}
