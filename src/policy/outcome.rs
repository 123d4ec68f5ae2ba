//! What a sender would do with mail through one endpoint: a pure function of
//! the sender and of what was found there.
//!
//! The scanner's handshake is not the sender's. Where the server must answer
//! the sender's offer in the same way, the answer is taken over; where it may
//! differ, the outcome says [`Basis::Inferred`]; and where the sender's very
//! offer was sent, it is known. A server that refused the scanner may have
//! answered the offer of another sender, and that may decide, too.
//!
//! A handshake signature that fails is a handshake that fails, for every
//! sender (RFC 8446 §4.4.3); see `proof`. So is one with a certificate that no
//! client can read. Where clients differ over a form, nothing is known.

use super::downgrade::{self, Downgrade};
use super::offer::Offer;
use super::other_offers::{Inference, infer};
use super::proof::{self, Proof};
use super::sender::{AfterTlsFailure, Sender};
use super::situation::Situation;
use super::step_down;
use crate::model::{
    Basis, CheckCause, CipherSuite, Delivery, DomainFacts, DowngradeMark, Failure, Finding, HelloEnd,
    HelloFinding, HelloPurpose, Kind, Logged, NamedGroup, Outcome, Phase, Presented, ProtocolVersion, Reason,
    Session, SuiteFacts, TlsFinding,
};

/// Suites that the scanner's own handshake offers, in its order (rustls with
/// the aws-lc-rs provider).
pub const SCANNER_SUITES: &[CipherSuite] = &[
    CipherSuite(0x1302),
    CipherSuite(0x1301),
    CipherSuite(0x1303),
    CipherSuite(0xc02c),
    CipherSuite(0xc02b),
    CipherSuite(0xcca9),
    CipherSuite(0xc030),
    CipherSuite(0xc02f),
    CipherSuite(0xcca8),
];

/// What delivery through the endpoint would be.
pub fn outcome(sender: &Sender, finding: &Finding) -> Outcome {
    let (mut outcome, situation) = Question { sender, offer: sender.offer(), finding }.answer();
    outcome.logged = situation.and_then(|situation| logged(sender, situation));
    outcome
}

/// The certificate that the sender is shown: in the answer to its own offer, or
/// to one to which the answer must be alike; else in the scanner's handshake.
/// `None` where none was seen.
pub fn presented(sender: &Sender, finding: &Finding) -> Option<Presented> {
    let shaken = || finding.tls.as_ref().and_then(TlsFinding::presented);
    if finding.hellos.is_empty() {
        return shaken();
    }
    Question { sender, offer: sender.offer(), finding }.presented().or_else(shaken)
}

/// Why it is not known whether the server holds the key of the certificate that
/// it shows where one is demanded of it, and would else go without; `None`
/// where it shows its certificate anyway, and where that is known.
pub fn unproven_on_demand(sender: &Sender, finding: &Finding) -> Option<CheckCause> {
    let question = Question { sender, offer: sender.offer(), finding };
    question.own_hello().filter(|hello| is_without_certificate(hello))?;
    let agreed = question.agreed_on_demand()?;
    if agreed.presented.as_ref().is_some_and(|presented| presented.disputed) {
        return Some(CheckCause::NoAnswer(Reason::CertificateForm));
    }
    proof::of_hello_beside(agreed, finding, &question.offer).lack()
}

/// Whether the server has no certificate for this sender: it took a suite
/// without one from the sender's offer, and refused the offer without those.
pub fn is_anonymous(sender: &Sender, finding: &Finding) -> bool {
    let mut rest =
        finding.hellos.iter().filter(|hello| hello.purpose == HelloPurpose::Authenticated).peekable();
    // Hardly a host was sent one, and a digest costs more than a look.
    if rest.peek().is_none() {
        return false;
    }
    let Some(id) = sender.offer().authenticated().map(|offer| offer.id()) else { return false };
    rest.any(|hello| hello.offer.as_deref() == Some(id.as_str()) && hello.is_refused())
}

/// What delivery to a domain would be where nothing was probed. Smart hosts
/// that are not to be found say nothing of the domain: mail waits until whoever
/// named them mends it.
pub fn without_probe(sender: &Sender, facts: &DomainFacts, failure: &Failure) -> Outcome {
    if facts.smart_hosts && failure.kind == Kind::MxUnusable {
        let waits = Outcome::without_tls(Delivery::Deferred, failure, Some(Basis::Observed));
        return Outcome { logged: logged(sender, Situation::DnsQueryFailed), ..waits };
    }
    let mut outcome = match failure.kind {
        Kind::Nxdomain | Kind::NoData | Kind::NullMx | Kind::MxUnusable => {
            Outcome::without_tls(Delivery::Undeliverable, failure, Some(Basis::Observed))
        }
        _ => Outcome::undetermined(failure),
    };
    outcome.logged = Situation::of(failure.into()).and_then(|situation| logged(sender, situation));
    outcome
}

/// What the sender logs in a situation, if that is published.
pub fn logged(sender: &Sender, situation: Situation) -> Option<Logged> {
    let code = sender.code(situation)?;
    Some(Logged { code: code.code.as_str().into(), text: code.text.as_str().into() })
}

type Answer = (Outcome, Option<Situation>);

struct Question<'a> {
    sender: &'a Sender,
    offer: Offer,
    finding: &'a Finding,
}

impl Question<'_> {
    fn answer(&self) -> Answer {
        match &self.finding.failure {
            _ if let Some(kind) = self.fails_with_everyone() => self.by_failure_with_everyone(kind),
            None => self.by_hello().unwrap_or_else(|| self.by_handshake()),
            Some(failure) if self.is_about_the_offer(failure) => {
                let hellos = self.by_hello().or_else(|| self.by_other_hellos());
                let answer = hellos.or_else(|| self.by_downgrade(failure));
                answer.unwrap_or_else(|| self.not_learnt(failure))
            }
            Some(failure) if failure.says_no_tls() => self.no_tls(failure),
            Some(failure) => self.not_learnt(failure),
        }
    }

    fn not_learnt(&self, failure: &Failure) -> Answer {
        (Outcome::undetermined(failure), Situation::of(failure.into()))
    }

    /// What the scanner's own handshake proves to this sender.
    fn shaken(&self) -> Proof {
        let shown = self.finding.tls.as_ref().map(|tls| (tls.signature.as_ref(), tls.signature_scheme));
        let (signature, scheme) = shown.unwrap_or_default();
        proof::of(signature, scheme, &self.offer)
    }

    /// By what the handshake fails with whomever, if so.
    fn fails_with_everyone(&self) -> Option<Kind> {
        match self.shaken() {
            Proof::Refuted => return Some(Kind::SignatureFailed),
            Proof::OfAnotherOffer => return None,
            _ => {}
        }
        let failure = self.finding.failure.as_ref().filter(|failure| failure.phase == Phase::Tls)?;
        matches!(failure.kind, Kind::SignatureFailed | Kind::BadCertificate).then_some(failure.kind)
    }

    /// Whether a handshake failed over what it offered, so that another offer
    /// may fare better. Where the server agreed to version and suite, or
    /// signed under a scheme that only this sender offers, the rest is not of
    /// the offer.
    fn is_about_the_offer(&self, failure: &Failure) -> bool {
        let agreed = self.finding.tls.as_ref().is_some_and(|tls| tls.suite.is_some());
        step_down::is_about_the_offer(failure, agreed) || self.shaken() == Proof::OfAnotherOffer
    }

    /// The server's signature or certificate fails with whomever. Only where the
    /// sender's own offer shows a signature that holds does it have another key
    /// for this sender, and what it would do is open.
    fn by_failure_with_everyone(&self, kind: Kind) -> Answer {
        let reason = ended(kind);
        let own = self.own_hello().filter(|hello| hello.end == HelloEnd::Agreed);
        if own.is_some_and(|hello| proof::of_hello(hello, &self.offer) == Proof::Given) {
            return (Outcome::undetermined(reason), None);
        }
        let carried = self.finding.tls.as_ref().and_then(|tls| self.carries_over(tls));
        self.tls_failure(reason, carried.map_or(Basis::Inferred, |(basis, _)| basis))
    }

    /// In clear, unless the sender sends through TLS only.
    fn no_tls(&self, failure: &Failure) -> Answer {
        let delivery = if self.sender.requires_tls.value { Delivery::Deferred } else { Delivery::Plaintext };
        let situation = self.sender.requires_tls.value.then_some(Situation::StarttlsRequired);
        (Outcome::without_tls(delivery, failure, Some(Basis::Observed)), situation)
    }

    /// A server that was brought down from TLS 1.3 in the scanner's handshake
    /// would be in that of a sender which offers TLS 1.3, too.
    fn by_downgrade(&self, failure: &Failure) -> Option<Answer> {
        let offers = self.sender.versions.value.contains(&ProtocolVersion::TLS13);
        let alike = failure.kind == Kind::DowngradeDetected && offers && self.own_hello().is_none();
        alike.then(|| self.tls_failure(failure.into(), Basis::Inferred))
    }

    /// The hello of the sender's very offer, if it was sent.
    fn own_hello(&self) -> Option<&HelloFinding> {
        let is_offer = |hello: &&HelloFinding| hello.purpose == HelloPurpose::Sender;
        // Most hosts were sent none, and a digest costs more than a look.
        self.finding.hellos.iter().find(is_offer)?;
        let id = self.offer.id();
        let mut offers = self.finding.hellos.iter().filter(is_offer);
        offers.find(|hello| hello.offer.as_deref() == Some(id.as_str()))
    }

    /// The answer to it.
    fn by_hello(&self) -> Option<Answer> {
        let hello = self.own_hello()?;
        match hello.end {
            HelloEnd::Agreed | HelloEnd::BadCertificate => Some(self.agreed(hello, Basis::Observed)),
            HelloEnd::Sslv2 => Some(self.tls_failure(self.why_refused(), Basis::Observed)),
            _ if hello.is_refused() => Some(self.tls_failure(self.why_refused(), Basis::Observed)),
            _ => None,
        }
    }

    /// What the answers to other offers say.
    fn by_other_hellos(&self) -> Option<Answer> {
        let basis = Basis::Inferred;
        Some(match infer(&self.offer, self.finding, self.own_hello().is_some())? {
            Inference::Agreed(hello) => self.agreed(hello, basis),
            Inference::NoVersion => self.tls_failure(Reason::NoPublishedVersion, basis),
            Inference::Refused => self.tls_failure(self.why_refused(), basis),
        })
    }

    /// The certificate in the answer by which it is known, or follows, that
    /// the sender comes to an agreement.
    fn presented(&self) -> Option<Presented> {
        let own = self.own_hello();
        let agreed = own.filter(|hello| hello.end == HelloEnd::Agreed);
        let inferred = || match infer(&self.offer, self.finding, own.is_some())? {
            Inference::Agreed(hello) => Some(hello),
            _ => None,
        };
        let failed = self.finding.failure.is_some();
        if agreed.is_some_and(is_without_certificate) {
            return self.agreed_on_demand()?.presented.clone();
        }
        agreed.or_else(|| inferred().filter(|_| failed))?.presented.clone()
    }

    /// The agreement to which the server comes where the sender offers no
    /// suite without a certificate.
    fn agreed_on_demand(&self) -> Option<&HelloFinding> {
        let id = self.offer.authenticated()?.id();
        self.finding.hellos.iter().find(|hello| {
            hello.purpose == HelloPurpose::Authenticated
                && hello.offer.as_deref() == Some(id.as_str())
                && hello.end == HelloEnd::Agreed
                && proof::of_hello(hello, &self.offer) != Proof::Refuted
        })
    }

    fn agreed(&self, hello: &HelloFinding, basis: Basis) -> Answer {
        // A server that never heard of supported_versions chooses what was not
        // offered; the client ends the handshake then (RFC 8446 §4.1.3).
        if hello.version.is_some_and(|version| !self.sender.versions.value.contains(&version)) {
            return self.tls_failure(Reason::NoPublishedVersion, basis);
        }
        if hello.suite.is_some_and(|suite| self.offer.rank(suite).is_none()) {
            return self.tls_failure(Reason::NoPublishedSuite, basis);
        }
        let brought_down = self.brought_down(hello.offered_version, hello.version, hello.downgrade_mark);
        if brought_down == Downgrade::Ends {
            return self.tls_failure(ended(Kind::DowngradeDetected), basis);
        }
        if hello.end == HelloEnd::BadCertificate {
            return self.tls_failure(ended(Kind::BadCertificate), basis);
        }
        let mut proven = proof::of_hello_beside(hello, self.finding, &self.offer);
        if proven == Proof::Open && self.shaken() == Proof::OfAnotherOffer {
            // The server will sign by what the scanner did not offer.
            proven = Proof::Unverifiable;
        }
        if proven == Proof::Given && brought_down == Downgrade::NotRecorded {
            proven = Proof::NotRecorded;
        }
        match (proven, &self.finding.failure) {
            (Proof::Refuted, _) => return self.tls_failure(ended(Kind::SignatureFailed), basis),
            // Another offer lacked the scheme under which it signs.
            (Proof::OfAnotherOffer, Some(failure)) => return self.not_learnt(failure),
            _ => {}
        }
        if let Some(disputed) = disputed(brought_down, hello.presented.as_ref()) {
            return disputed;
        }
        if self.refuses_certificate(hello.presented.as_ref()) {
            return self.tls_failure(Reason::Sha1Certificate, basis);
        }
        if self.sender.refuses_sha1_signatures.value && signs_with_sha1(hello) {
            return self.tls_failure(Reason::Sha1Signature, basis);
        }
        let group = hello.group.filter(|group| self.offer.groups.contains(group));
        (proven.of_session(basis, self.session(hello.version, hello.suite, group)), None)
    }

    /// What becomes of this sender where a server that speaks a newer version
    /// says so.
    fn brought_down(
        &self,
        offered: ProtocolVersion,
        chosen: Option<ProtocolVersion>,
        mark: Option<DowngradeMark>,
    ) -> Downgrade {
        downgrade::of(self.sender.versions.value.iter().copied().max(), offered, chosen, mark)
    }

    /// What the other hellos say about a refusal.
    fn why_refused(&self) -> Reason {
        if self.finding.answers_by_sslv2() {
            return Reason::NoPublishedVersion;
        }
        let (Some(best), suite) = self.finding.server_best() else { return Reason::OfferRefused };
        if !self.sender.versions.value.contains(&best) {
            Reason::NoPublishedVersion
        } else if suite.is_some_and(|suite| self.offer.rank(suite).is_some()) {
            // It has what the sender offers, and stumbles over the offer.
            Reason::OfferRefused
        } else {
            Reason::NoPublishedSuite
        }
    }

    /// The handshake fails for this sender, by what `basis` says. What then
    /// becomes of the message may rest on less.
    fn tls_failure(&self, reason: Reason, basis: Basis) -> Answer {
        let after = &self.sender.after_tls_failure;
        let basis = if after.is_assumed() { Basis::Assumed } else { basis };
        let clear = after.value == AfterTlsFailure::Plaintext && !self.sender.requires_tls.value;
        let delivery = if clear { Delivery::Plaintext } else { Delivery::Deferred };
        (Outcome::without_tls(delivery, reason, Some(basis)), Some(Situation::TlsFailed))
    }

    fn refuses_certificate(&self, shown: Option<&Presented>) -> bool {
        let leaf = shown.map(|presented| &*presented.leaf);
        let shaken = self.finding.tls.as_ref().and_then(|tls| tls.leaf.as_deref());
        let leaf = leaf.or(shaken);
        self.sender.refuses_sha1_certificates.value
            && leaf.and_then(|leaf| leaf.signed_with_sha1) == Some(true)
    }

    /// What the scanner's own handshake says about the sender's.
    fn by_handshake(&self) -> Answer {
        let Some(tls) = &self.finding.tls else {
            // A dialogue that ran to its end went through TLS.
            return (Outcome::encrypted(Basis::Inferred, Session::default()), None);
        };
        if self.refuses_certificate(None) {
            return self.tls_failure(Reason::Sha1Certificate, Basis::Observed);
        }
        // The library looks at the mark of TLS 1.3 itself, and did before any
        // was written down.
        let brought_down = self.brought_down(ProtocolVersion::TLS13, tls.version, tls.downgrade_mark);
        if let Some(disputed) = disputed(brought_down, tls.presented().as_ref()) {
            return disputed;
        }
        match self.carries_over(tls) {
            Some((basis, session)) => (self.shaken().of_session(basis, session), None),
            // The server showed nothing that the sender has. It may have more.
            None => {
                let mut outcome = Outcome::undetermined(Reason::NoPublishedSuite);
                outcome.basis = Some(Basis::Inferred);
                (outcome, None)
            }
        }
    }

    /// As much of the scanner's session as the sender would get, and whether
    /// that is certain; `None` where it would get none of it.
    fn carries_over(&self, tls: &TlsFinding) -> Option<(Basis, Session)> {
        let (version, suite) = (tls.version?, tls.suite?);
        let versions = &self.sender.versions.value;
        let group = tls.group.filter(|group| self.sender.groups.value.contains(group));
        if !versions.contains(&version) {
            // The server takes the sender's newest version, one would think;
            // whether with a suite of the sender's, its key tells.
            return self.key_fits(tls).then(|| (Basis::Inferred, self.session(None, None, None)));
        }
        if self.offer.rank(suite).is_some() {
            let certain = group.is_some() && self.must_choose(version, suite);
            let basis = if certain { Basis::Observed } else { Basis::Inferred };
            return Some((basis, self.session(Some(version), Some(suite), group)));
        }
        // Every server of TLS 1.3 has a suite of everybody's (RFC 8446 §9.1).
        (version == ProtocolVersion::TLS13)
            .then(|| (Basis::Inferred, self.session(Some(version), None, group)))
    }

    /// Whether a suite of the sender's goes with the key that the server
    /// showed.
    fn key_fits(&self, tls: &TlsFinding) -> bool {
        let key = tls.leaf.as_deref().and_then(|leaf| leaf.key_algorithm.as_deref());
        let Some(key) = key else { return false };
        self.sender.suites.value.iter().any(|suite| authenticates_with(*suite, key))
    }

    /// Whether the server, which chose `suite` of the scanner's offer, must
    /// choose it of the sender's too. By its own preference it does if the
    /// sender offers nothing that the scanner did not; by the client's if
    /// besides it has refused all that the sender prefers.
    fn must_choose(&self, version: ProtocolVersion, suite: CipherSuite) -> bool {
        let tls13 = version == ProtocolVersion::TLS13;
        let offered = if tls13 { &self.sender.suites_tls13.value } else { &self.sender.suites.value };
        let Some(place) = SCANNER_SUITES.iter().position(|known| *known == suite) else { return false };
        let mut before = offered.iter().take_while(|better| **better != suite);
        let refused = |better: &CipherSuite| SCANNER_SUITES.iter().take(place).any(|known| known == better);
        offered.iter().all(|suite| SCANNER_SUITES.contains(suite)) && before.all(refused)
    }

    fn session(
        &self,
        version: Option<ProtocolVersion>,
        suite: Option<CipherSuite>,
        group: Option<NamedGroup>,
    ) -> Session {
        let offer = &self.offer;
        let rank = suite.and_then(|suite| offer.rank(suite));
        Session {
            version,
            suite,
            group,
            steps_down: rank.and_then(|rank| u16::try_from(rank).ok()),
            skipped: rank.and_then(|rank| offer.suites.get(..rank)).unwrap_or_default().to_vec(),
        }
    }
}

fn ended(kind: Kind) -> Reason {
    Reason::Ended { phase: Phase::Tls, kind }
}

/// What is not known where clients differ over what the server says.
fn disputed(brought_down: Downgrade, shown: Option<&Presented>) -> Option<Answer> {
    let reason = match brought_down {
        Downgrade::Disputed => ended(Kind::DowngradeDetected),
        _ if shown.is_some_and(|shown| shown.disputed) => Reason::CertificateForm,
        _ => return None,
    };
    Some((Outcome::undetermined(reason), None))
}

/// Whether a server agreed to a suite without a certificate.
fn is_without_certificate(hello: &HelloFinding) -> bool {
    let facts = hello.suite.and_then(CipherSuite::facts);
    hello.end == HelloEnd::Agreed && facts.is_some_and(SuiteFacts::is_anonymous)
}

/// Whether the server signs its key exchange as versions before TLS 1.2 have
/// it: under SHA-1, or MD5 and SHA-1 (RFC 4346 §7.4.3).
fn signs_with_sha1(hello: &HelloFinding) -> bool {
    let signs = hello.suite.and_then(CipherSuite::facts).and_then(SuiteFacts::signs_key_exchange);
    hello.version.is_some_and(|version| version < ProtocolVersion::TLS12) && signs == Some(true)
}

/// Whether a suite of TLS 1.2 and before goes with a key of this algorithm.
fn authenticates_with(suite: CipherSuite, key: &str) -> bool {
    let name = suite.name();
    let method = name.split_once("_WITH_").map_or("", |(method, _)| method);
    match key {
        "RSA" => method.ends_with("_RSA"),
        "ECDSA" | "Ed25519" | "Ed448" => method.ends_with("_ECDSA"),
        "DSA" => method.ends_with("_DSS"),
        _ => false,
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
