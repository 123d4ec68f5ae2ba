//! Whether a server has proven that it holds the key of its certificate, which
//! every client demands before it goes on.
//!
//! Its signature over the handshake proves it. One that fails, fails with every
//! client. One that mxray cannot check proves nothing either way. And what was
//! only said in clear, without a signature, proves nothing by itself: a server
//! without its key would say the same.

use crate::model::{
    Basis, CheckCause, HelloFinding, NegotiatedTls, Outcome, ProtocolVersion, SignatureCheck,
    SignatureScheme, TlsFinding,
};
use crate::sender::offer::Offer;

/// What the signature of a handshake comes to for one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It holds, or there is no certificate whose key would have to be proven.
    Given,
    /// It ends this sender's handshake.
    Refuted,
    /// It was made under a scheme that was not offered, but that this sender
    /// offers.
    OfAnotherOffer,
    /// There is none yet: what was said shows no signature.
    Open,
    /// mxray cannot check it.
    Unverifiable,
    /// Nobody wrote down what became of it.
    NotRecorded,
}

impl Proof {
    /// A session of this sender's that rests on this proof.
    pub(super) fn of_session(self, basis: Basis, session: NegotiatedTls) -> Outcome {
        let basis = if self == Proof::Given { basis } else { basis.max(Basis::Inferred) };
        Outcome { unproven: self.lack(), ..Outcome::encrypted(basis, session) }
    }

    /// Why it is not known whether the server holds its key; `None` where that
    /// is settled.
    pub(super) fn lack(self) -> Option<CheckCause> {
        match self {
            Proof::Given | Proof::Refuted => None,
            Proof::Unverifiable => Some(CheckCause::SignatureUnverifiable),
            Proof::NotRecorded => Some(CheckCause::NotRecorded),
            Proof::OfAnotherOffer | Proof::Open => Some(CheckCause::KeyNotProven),
        }
    }
}

/// What a signature comes to for the sender of `offer`.
pub(super) fn of(
    signature: Option<&SignatureCheck>,
    scheme: Option<SignatureScheme>,
    offer: &Offer,
) -> Proof {
    let offers = || scheme.is_some_and(|scheme| offer.signature_schemes.contains(&scheme));
    match signature {
        Some(SignatureCheck::Verified) => Proof::Given,
        Some(SignatureCheck::NotOffered) if offers() => Proof::OfAnotherOffer,
        Some(SignatureCheck::Failed | SignatureCheck::NotOffered) => Proof::Refuted,
        Some(SignatureCheck::Unverifiable(_)) => Proof::Unverifiable,
        Some(SignatureCheck::None | SignatureCheck::NotShown) => Proof::Open,
        None => Proof::NotRecorded,
    }
}

/// The same of a further hello, by itself.
pub(super) fn of_hello(hello: &HelloFinding, offer: &Offer) -> Proof {
    let anonymous = hello.suite.and_then(|suite| suite.facts()).is_some_and(|facts| facts.is_anonymous());
    match of(hello.signature.as_ref(), hello.signature_scheme, offer) {
        Proof::Open if anonymous => Proof::Given,
        Proof::NotRecorded => by_suite(hello, anonymous),
        proof => proof,
    }
}

/// What follows from version and suite alone, where nobody looked.
fn by_suite(hello: &HelloFinding, anonymous: bool) -> Proof {
    let facts = hello.suite.and_then(|suite| suite.facts());
    match facts.and_then(|facts| facts.signs_key_exchange()) {
        _ if anonymous => Proof::Given,
        _ if hello.version >= Some(ProtocolVersion::TLS13) => Proof::Open,
        Some(false) => Proof::Open,
        _ => Proof::NotRecorded,
    }
}

/// The same of a further hello beside the scanner's own handshake: where that
/// proved the key of the same certificate, nothing is open.
pub(super) fn of_hello_beside(hello: &HelloFinding, shaken: Option<&TlsFinding>, offer: &Offer) -> Proof {
    match of_hello(hello, offer) {
        Proof::Open | Proof::NotRecorded if is_proven_by_handshake(hello, shaken, offer) => Proof::Given,
        proof => proof,
    }
}

/// Whether the scanner's handshake proved the key with which the server would
/// go on. Where the hello shows no certificate, as in TLS 1.3, it is the same
/// one if its key signs under a scheme of the sender's.
fn is_proven_by_handshake(hello: &HelloFinding, shaken: Option<&TlsFinding>, offer: &Offer) -> bool {
    let Some(tls) = shaken.filter(|tls| tls.signature == Some(SignatureCheck::Verified)) else {
        return false;
    };
    match (&hello.presented, &tls.leaf) {
        (Some(shown), Some(proven)) => shown.leaf.sha256 == proven.sha256,
        (Some(_), None) => false,
        (None, _) => tls.signature_scheme.is_some_and(|scheme| offer.signature_schemes.contains(&scheme)),
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
