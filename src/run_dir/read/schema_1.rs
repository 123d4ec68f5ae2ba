//! What an observation of schema 1 says, in the words of today.

use crate::model::{Failure, Kind, Observation, Phase, ProtocolVersion, SignatureCheck};
use crate::x509::handshake::{OFFERED_SCHEMES, SignatureRefusal, Verifier, has_usual_key};

/// Tells apart what schema 1 called one: a signature that failed, and one that
/// was beyond the verifier of that time. A handshake went on after either; it
/// is one that fails if its signature did.
pub(super) fn judge_signature(observation: &mut Observation) {
    let Some(tls) = &mut observation.tls else { return };
    let (Some(check), Some(version), Some(leaf)) = (&tls.signature, tls.version, tls.chain.first()) else {
        return;
    };
    let settled = Verifier::new(leaf, version, tls.signature_scheme, &OFFERED_SCHEMES).err();
    let (check, cause) = match (check, settled) {
        (SignatureCheck::Failed, None) if !has_usual_key(leaf) => {
            (SignatureCheck::Unverifiable("this signature was not verified when it was made".into()), None)
        }
        (SignatureCheck::Failed, Some(refusal @ SignatureRefusal::Unverifiable(_)))
        | (
            SignatureCheck::Failed | SignatureCheck::Unverifiable(_),
            Some(refusal @ SignatureRefusal::NotOffered(_)),
        )
        | (SignatureCheck::Unverifiable(_), Some(refusal @ SignatureRefusal::Failed(_))) => {
            let cause = refusal.cause().to_string();
            (refusal.into(), Some(cause))
        }
        (check, _) => (check.clone(), None),
    };
    let failed = matches!(check, SignatureCheck::Failed | SignatureCheck::NotOffered);
    tls.signature = Some(check);
    if failed {
        let failure = Failure::new(Phase::Tls, Kind::SignatureFailed);
        let failure = cause.map_or(failure.clone(), |cause| failure.with_detail(cause));
        observation.dialogue.failure = Some(failure.clone());
        observation.failure = Some(failure);
    }
}

/// Up to TLS 1.2 schema 1 counts a session id as a ticket.
pub(super) fn forget_mixed_tickets(observation: &mut Observation) {
    let Some(tls) = &mut observation.tls else { return };
    let mixed = tls.version.is_some_and(|version| version < ProtocolVersion::TLS13);
    tls.tickets = tls.tickets.filter(|tickets| *tickets == 0 || !mixed);
}

/// The code by which a server takes its leave (RFC 5321 §4.1.1.10).
const CLOSING: u16 = 221;

/// Replies were not counted against commands: an extra one was taken for the
/// answer to the next command, and the last stood under QUIT. What stands
/// there and is neither a farewell nor a refusal shows it, and then a "no TLS"
/// is none (RFC 5321 §4.3.1).
pub(super) fn count_replies(observation: &mut Observation) {
    let Some(quit) = &observation.dialogue.quit else { return };
    let shifted = quit.code < 400 && quit.code != CLOSING;
    let Some(failure) = observation.failure.as_mut().filter(|failure| shifted && failure.denies_tls()) else {
        return;
    };
    let told = format!("{}: {} but for a reply too many: {} to QUIT", failure.phase, failure.kind, quit.code);
    *failure = Failure { kind: Kind::OutOfStep, ..failure.clone() }.with_detail(told);
    observation.dialogue.failure = Some(failure.clone());
}
