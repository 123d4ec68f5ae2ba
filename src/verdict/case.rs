//! One endpoint before one sender: the answers that count for it, among all
//! that were given to hellos of several kinds.

use super::alike;
use super::carried::{self, Carried, carried};
use super::demands::{self, Demand};
use super::form::{self, Counted, HandshakeForm};
use super::other_offers::{Inference, infer};
use super::profile::SenderProfile;
use super::proof::{self, Proof};
use super::scanner_offer::SCANNER_SUITES;
use crate::model::{
    Basis, CheckCause, CipherSuite, ClientCertificate, Failure, Finding, HelloEnd, HelloFinding,
    HelloPurpose, Kind, Phase, PresentedCertificate, ProtocolVersion, Reason, ReplyForms, SuiteFacts,
    TlsFinding,
};

/// What was found at an endpoint, and for whom it is judged.
pub(super) struct Case<'a> {
    pub profile: &'a SenderProfile,
    /// All that was found.
    pub finding: &'a Finding,
    /// Why the dialogue ended early, by the handshake that counts for the sender.
    pub failure: Option<&'a Failure>,
    /// What that handshake showed.
    pub tls: Option<&'a TlsFinding>,
    /// How it stands to that of the sender.
    pub form: HandshakeForm,
    /// Of a second one its place in [`Finding::extra_client_hellos`].
    pub second: Option<u16>,
    /// Forms of the replies on the way to it.
    pub reply_forms: ReplyForms,
}

/// Has an endpoint judged by the handshake that counts for the sender.
pub(super) fn with_case<T>(
    profile: &SenderProfile,
    finding: &Finding,
    judge: impl FnOnce(&Case<'_>) -> T,
) -> T {
    let Counted { failure, tls, form, second, reply_forms } = form::counted(profile, finding);
    judge(&Case { profile, finding, failure, tls, form, second, reply_forms })
}

impl<'a> Case<'a> {
    /// What the scanner's own handshake proves to this sender.
    pub(super) fn shaken(&self) -> Proof {
        let shown = self.tls.map(|tls| (tls.signature.as_ref(), tls.signature_scheme));
        let (signature, scheme) = shown.unwrap_or_default();
        proof::of(signature, scheme, &self.profile.offer)
    }

    /// What of the scanner's session is this sender's; `None` without one.
    pub(super) fn carried(&self) -> Option<Result<Carried, Reason>> {
        self.tls.map(|tls| carried(self.profile, tls, self.form))
    }

    /// Whether the certificate of the scanner's handshake is, as far as can be
    /// told, the one that the sender is shown, whatever becomes of the rest. No
    /// server chooses it by the group. Of TLS 1.3 it does not choose it by the
    /// suite either (RFC 8446 §4.4.2.2).
    pub(super) fn carries_certificate(&self) -> bool {
        match self.carried() {
            Some(Ok(_) | Err(Reason::NoPublishedGroup)) => true,
            Some(Err(Reason::NoPublishedSuite)) => {
                let chosen = self.tls.and_then(|tls| tls.version);
                chosen == Some(ProtocolVersion::TLS13) && self.profile.offers(ProtocolVersion::TLS13)
            }
            _ => false,
        }
    }

    /// Whether the server signed under a scheme that the sender does not offer.
    pub(super) fn lacks_scheme(&self) -> bool {
        self.tls.is_some_and(|tls| carried::lacks_scheme(&self.profile.offer, tls))
    }

    /// Whether it chose a group that the sender does not offer.
    pub(super) fn lacks_group(&self) -> bool {
        self.tls.is_some_and(|tls| carried::lacks_group(&self.profile.offer, tls))
    }

    /// The hello of the sender's very offer, if it was sent.
    pub(super) fn own_hello(&self) -> Option<&'a HelloFinding> {
        let id = Some(&*self.profile.offer_id);
        self.hellos(HelloPurpose::Sender).find(|hello| hello.offer.as_deref() == id)
    }

    fn hellos(&self, purpose: HelloPurpose) -> impl Iterator<Item = &'a HelloFinding> {
        self.finding.extra_client_hellos.iter().filter(move |hello| hello.purpose == purpose)
    }

    /// The agreement to which the server comes where the sender offers no
    /// suite without a certificate.
    fn agreed_on_demand(&self) -> Option<&'a HelloFinding> {
        let id = Some(self.profile.authenticated_id.as_deref()?);
        self.hellos(HelloPurpose::Authenticated).find(|hello| {
            hello.offer.as_deref() == id
                && hello.end == HelloEnd::Agreed
                && proof::of_hello(hello, &self.profile.offer) != Proof::Refuted
        })
    }

    /// Why it is not known whether the server holds the key of the certificate
    /// that it shows where one is demanded of it, and would else go without;
    /// `None` where it shows its certificate anyway, and where that is known.
    pub(super) fn unproven_on_demand(&self) -> Option<CheckCause> {
        self.own_hello().filter(|hello| is_without_certificate(hello))?;
        let agreed = self.agreed_on_demand()?;
        if agreed.presented.as_ref().is_some_and(|presented| presented.disputed) {
            return Some(CheckCause::NoAnswer(Reason::CertificateForm));
        }
        let lack = || proof::of_hello_beside(agreed, self.tls, &self.profile.offer).lack();
        self.open(agreed).map(CheckCause::NoAnswer).or_else(lack)
    }

    /// What the sender makes of what an agreement has or lacks besides.
    pub(super) fn demand(&self, hello: &HelloFinding) -> Demand {
        demands::of(&self.profile.sender, hello.version, hello.renegotiation_info, hello.dh_bits)
    }

    /// Why it stays open whether an agreement leads to a session. A hello ends
    /// where the client's turn comes: what a server does that asks for a client
    /// certificate, only a whole handshake tells. And where the scanner's own
    /// was broken, in a suite of the scanner's the sender's may be, too.
    /// A handshake that went well shows it only if it was asked for one as well.
    pub(super) fn open(&self, hello: &HelloFinding) -> Option<Reason> {
        if let Demand::Unknown(reason) | Demand::Refused(reason, _) = self.demand(hello) {
            return Some(reason);
        }
        let broken = |failure: &&Failure| {
            failure.phase == Phase::Tls
                && matches!(failure.kind, Kind::Malformed | Kind::IllegalParameter)
                && hello.suite.is_some_and(|suite| SCANNER_SUITES.contains(&suite))
        };
        if let Some(failure) = self.failure.filter(broken) {
            return Some(failure.into());
        }
        let never_asked = |tls: &TlsFinding| tls.client_certificate == ClientCertificate::NeverAsked;
        let not_seen = self.failure.is_some() || self.tls.is_some_and(never_asked);
        (hello.client_certificate_requested && not_seen).then_some(Reason::ClientCertificateRequested)
    }

    /// Whether the server ends a handshake without a client certificate, and the
    /// sender shows none.
    pub(super) fn lacks_client_certificate(&self, failure: &Failure) -> bool {
        let not_shown = |tls: &TlsFinding| tls.client_certificate == ClientCertificate::NotShown;
        (failure.phase, failure.kind) == (Phase::Tls, Kind::ClientCertificateRequired)
            && self.form.alike
            && self.tls.is_some_and(not_shown)
            && !self.profile.may_show_certificate()
    }

    /// On what it rests that the answer to the sender's own hello is the one to
    /// the sender. A server that asks for a client certificate may not take the
    /// sender's, which nobody else can show.
    pub(super) fn basis_of_own(&self, hello: &HelloFinding) -> Basis {
        let asks = |tls: &TlsFinding| tls.client_certificate != ClientCertificate::NeverAsked;
        let asked = hello.client_certificate_requested || self.tls.is_some_and(asks);
        if asked && self.profile.may_show_certificate() { Basis::Inferred } else { Basis::Observed }
    }

    /// Whether the server has no certificate for this sender: it took a suite
    /// without one from the sender's offer, and refused the offer without those.
    pub(super) fn is_anonymous(&self) -> bool {
        let Some(id) = self.profile.authenticated_id.as_deref() else { return false };
        let mut rest = self.hellos(HelloPurpose::Authenticated);
        rest.any(|hello| hello.offer.as_deref() == Some(id) && hello.is_refused())
    }

    /// The certificate that the sender is shown, and on what that rests: in the
    /// answer to its own offer, or to one to which the answer must be alike;
    /// else in the scanner's handshake. `None` where none was seen.
    pub(super) fn presented(&self) -> Option<(PresentedCertificate, Basis)> {
        let by_hello =
            if self.finding.extra_client_hellos.is_empty() { None } else { self.presented_by_hello() };
        by_hello.or_else(|| {
            // What the sender gets instead was not seen.
            let tls = self.tls.filter(|_| self.form.named && self.carries_certificate())?;
            Some((tls.presented()?, self.basis_of_shown(tls)))
        })
    }

    fn presented_by_hello(&self) -> Option<(PresentedCertificate, Basis)> {
        let own = self.own_hello();
        let agreed = own.filter(|hello| hello.end == HelloEnd::Agreed);
        if agreed.is_some_and(is_without_certificate) {
            let shown = self.agreed_on_demand()?;
            return Some((shown.presented.clone()?, self.basis_of_own(shown)));
        }
        if let Some(hello) = agreed {
            return Some((hello.presented.clone()?, self.basis_of_own(hello)));
        }
        self.failure?;
        match infer(&self.profile.offer, self.finding, own.is_some())? {
            Inference::Agreed(hello) => Some((hello.presented.clone()?, Basis::Inferred)),
            _ => None,
        }
    }

    /// What it rests on that the scanner's handshake showed what the sender is
    /// shown.
    pub(super) fn basis_of_shown(&self, tls: &TlsFinding) -> Basis {
        match carried(self.profile, tls, self.form) {
            Ok(Carried { basis: Basis::Observed, version, .. })
                if alike::must_be_shown_alike(&self.profile.offer, tls, version) =>
            {
                Basis::Observed
            }
            _ => Basis::Inferred,
        }
    }
}

/// Whether a server agreed to a suite without a certificate.
fn is_without_certificate(hello: &HelloFinding) -> bool {
    let facts = hello.suite.and_then(CipherSuite::facts);
    hello.end == HelloEnd::Agreed && facts.is_some_and(SuiteFacts::is_anonymous)
}
