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

use super::case::{Case, with_case};
use super::demands::{self, Demand};
use super::downgrade::{self, Downgrade};
use super::enumerated::{self, Taken};
use super::keyword::{self, KeywordReading};
use super::other_offers::{Inference, infer};
use super::profile::SenderProfile;
use super::proof::{self, Proof};
use super::reply_form;
use crate::ask::step_down;
use crate::model::{
    AlertDescription, Basis, CipherSuite, Delivery, DomainFacts, DowngradeMark, Failure, Finding, HelloEnd,
    HelloFinding, Kind, NamedGroup, NegotiatedTls, Outcome, Phase, PresentedCertificate, ProtocolVersion,
    Reason, ReplyForm, SuiteFacts,
};
use crate::sender::situation::Situation;
use crate::sender::{AfterTlsFailure, ReplyFormEffect, Sender, Stated};

/// What delivery through the endpoint would be, for a sender that is judged for
/// once: [`SenderProfile`] spares what is made for each call here.
pub fn outcome(sender: &Sender, finding: &Finding) -> Outcome {
    of(&SenderProfile::new(sender.clone()), finding)
}

/// What delivery through the endpoint would be.
pub fn of(profile: &SenderProfile, finding: &Finding) -> Outcome {
    with_case(profile, finding, of_case)
}

/// The same of an endpoint as the sender meets it.
pub(super) fn of_case(case: &Case<'_>) -> Outcome {
    let profile = case.profile;
    let (mut outcome, situation) = case.answer_to_replies();
    outcome.logged = situation.and_then(|situation| profile.logged(situation));
    outcome
}

/// What delivery to a domain would be where nothing was probed. Smart hosts
/// that are not to be found say nothing of the domain: mail waits until whoever
/// named them mends it.
pub fn without_probe(profile: &SenderProfile, facts: &DomainFacts, failure: &Failure) -> Outcome {
    if facts.smart_hosts && failure.kind == Kind::MxUnusable {
        let waits = Outcome::without_tls(Delivery::Deferred, failure, Some(Basis::Observed));
        return Outcome { logged: profile.logged(Situation::DnsQueryFailed), ..waits };
    }
    let mut outcome = match failure.kind {
        Kind::Nxdomain | Kind::NoData | Kind::NullMx | Kind::MxUnusable => {
            Outcome::without_tls(Delivery::Undeliverable, failure, Some(Basis::Observed))
        }
        _ => Outcome::undetermined(failure),
    };
    outcome.logged = Situation::of(failure.into()).and_then(|situation| profile.logged(situation));
    outcome
}

type SituatedOutcome = (Outcome, Option<Situation>);

impl Case<'_> {
    /// The answer, if the sender reads the replies as the scanner does.
    fn answer_to_replies(&self) -> SituatedOutcome {
        let sender = &self.profile.sender;
        let forms = self.reply_forms;
        let answer = match reply_form::deciding(sender, forms, self.failure, false) {
            Some((form, effect)) => self.by_reply_form(form, effect),
            None => self.answer_to_keyword(),
        };
        if reply_form::is_assumed(sender, forms) { resting_on(Basis::Assumed, answer) } else { answer }
    }

    /// The answer, if the sender sees STARTTLS as the scanner does.
    fn answer_to_keyword(&self) -> SituatedOutcome {
        match keyword::of(&self.profile.sender, self.finding.starttls_forms, self.failure) {
            KeywordReading::AsScanned(rests_on) => resting_on(rests_on, self.answer_to_starttls()),
            KeywordReading::Unseen => self.without_keyword(Reason::StarttlsKeywordForm),
            KeywordReading::Open => (Outcome::undetermined(Reason::StarttlsKeywordForm), None),
        }
    }

    fn answer_to_starttls(&self) -> SituatedOutcome {
        match reply_form::deciding(&self.profile.sender, self.reply_forms, self.failure, true) {
            Some((form, effect)) => self.by_reply_form(form, effect),
            None => self.answer(),
        }
    }

    fn by_reply_form(&self, form: ReplyForm, effect: Option<ReplyFormEffect>) -> SituatedOutcome {
        let reason = Reason::ReplyForm(form);
        match effect {
            Some(ReplyFormEffect::Ignored) => self.answer(),
            Some(ReplyFormEffect::NoStarttls) => self.without_keyword(reason),
            Some(ReplyFormEffect::TlsFailure) => self.tls_failure(reason, Basis::Inferred),
            Some(ReplyFormEffect::Deferred) => {
                (Outcome::without_tls(Delivery::Deferred, reason, Some(Basis::Inferred)), None)
            }
            None => self.by_unknown_form(form),
        }
    }

    /// Nobody knows what the sender does there. Mail that is kept in any case is
    /// kept; and what is open for another reason keeps that, which says more.
    fn by_unknown_form(&self, form: ReplyForm) -> SituatedOutcome {
        let reason = Reason::ReplyForm(form);
        let answer = self.answer();
        let if_tls_fails = || self.tls_failure(reason, Basis::Inferred).0.delivery;
        match answer.0.delivery {
            Delivery::Undetermined => answer,
            Delivery::Deferred if form.is_behind_starttls() && if_tls_fails() == Delivery::Deferred => {
                resting_on(Basis::Inferred, answer)
            }
            _ => (Outcome::undetermined(reason), None),
        }
    }

    /// What becomes of mail where the sender sees no STARTTLS.
    fn without_keyword(&self, reason: Reason) -> SituatedOutcome {
        if !self.stayed() {
            return self.answer();
        }
        let alone = self.profile.sender.requires_tls.value;
        let delivery = if alone { Delivery::Deferred } else { Delivery::Plaintext };
        let outcome = Outcome::without_tls(delivery, reason, Some(Basis::Inferred));
        (outcome, alone.then_some(Situation::StarttlsRequired))
    }

    /// Whether the server stayed after its reply to EHLO, as whoever goes on in
    /// clear needs it to.
    fn stayed(&self) -> bool {
        self.failure.is_none_or(|failure| {
            failure.phase >= Phase::Tls || matches!(failure.kind, Kind::Refused | Kind::RefusedTemporarily)
        })
    }

    fn answer(&self) -> SituatedOutcome {
        match self.failure {
            _ if let Some(kind) = self.fails_with_everyone() => self.by_failure_with_everyone(kind),
            None => self.by_hello().unwrap_or_else(|| self.by_handshake()),
            Some(failure) if self.is_about_the_offer(failure) => {
                let hellos = self.by_hello().or_else(|| self.by_other_hellos());
                let answer = hellos.or_else(|| self.by_downgrade(failure)).or_else(|| self.by_enumeration());
                answer.unwrap_or_else(|| self.not_learnt(failure))
            }
            Some(failure) if self.lacks_client_certificate(failure) => self.by_missing_certificate(failure),
            Some(failure) if failure.says_no_tls() => self.no_tls(failure),
            Some(failure) if failure.denies_tls() => self.refused_for_now(failure),
            Some(failure) if failure.opens_for_nobody() => Self::not_there(failure),
            Some(failure) => self.not_learnt(failure),
        }
    }

    fn not_learnt(&self, failure: &Failure) -> SituatedOutcome {
        (Outcome::undetermined(failure), Situation::of(failure.into()))
    }

    /// Where TCP opens for nobody, it does not open for the sender, as far as
    /// can be told from here.
    fn not_there(failure: &Failure) -> SituatedOutcome {
        let waits = Outcome::without_tls(Delivery::Deferred, failure, Some(Basis::Inferred));
        (waits, Situation::of(failure.into()))
    }

    /// By what the handshake fails with whomever, if so.
    fn fails_with_everyone(&self) -> Option<Kind> {
        match self.shaken() {
            Proof::Refuted => return Some(Kind::SignatureFailed),
            Proof::OfAnotherOffer => return None,
            _ => {}
        }
        let failure = self.failure.filter(|failure| failure.phase == Phase::Tls)?;
        matches!(failure.kind, Kind::SignatureFailed | Kind::BadCertificate).then_some(failure.kind)
    }

    /// Whether a handshake failed over what it offered, so that another offer
    /// may fare better. Where the server agreed to version and suite, or
    /// signed under a scheme that only this sender offers, the rest is not of
    /// the offer.
    fn is_about_the_offer(&self, failure: &Failure) -> bool {
        let agreed = self.tls.is_some_and(|tls| tls.suite.is_some());
        step_down::is_about_the_offer(failure, agreed) || self.shaken() == Proof::OfAnotherOffer
    }

    /// The server's signature or certificate fails with whomever. Only where the
    /// sender's own offer shows a signature that holds does it have another key
    /// for this sender, and what it would do is open.
    fn by_failure_with_everyone(&self, kind: Kind) -> SituatedOutcome {
        let reason = ended(kind);
        let own = self.own_hello().filter(|hello| hello.end == HelloEnd::Agreed);
        if own.is_some_and(|hello| proof::of_hello(hello, &self.profile.offer) == Proof::Given) {
            return (Outcome::undetermined(reason), None);
        }
        let carried = self.carried().and_then(Result::ok);
        self.tls_failure(reason, carried.map_or(Basis::Inferred, |carried| carried.basis))
    }

    /// The server ends every handshake without a client certificate, as it
    /// ended the scanner's.
    fn by_missing_certificate(&self, failure: &Failure) -> SituatedOutcome {
        let carried = self.carried().and_then(Result::ok).map_or(Basis::Inferred, |carried| carried.basis);
        let shows = self.profile.sender.shows_client_certificate.as_ref();
        let assumed = shows.is_some_and(Stated::is_assumed);
        self.tls_failure(failure.into(), if assumed { Basis::Assumed } else { carried })
    }

    /// In clear, unless the sender sends through TLS only, or keeps what is meant
    /// for a host that offers STARTTLS and refuses it.
    fn no_tls(&self, failure: &Failure) -> SituatedOutcome {
        let sender = &self.profile.sender;
        let alone = sender.requires_tls.value;
        let after = Some(&sender.after_starttls_5xx).filter(|_| failure.kind == Kind::Refused && !alone);
        let kept = alone || after.is_some_and(|after| after.value == AfterTlsFailure::Defer);
        let delivery = if kept { Delivery::Deferred } else { Delivery::Plaintext };
        let basis = if after.is_some_and(Stated::is_assumed) { Basis::Assumed } else { Basis::Observed };
        let situation = alone.then_some(Situation::StarttlsRequired);
        (Outcome::without_tls(delivery, failure, Some(basis)), situation)
    }

    /// A sender that goes on in clear does so at once; of one that keeps the
    /// message it is open what comes of it later.
    fn refused_for_now(&self, failure: &Failure) -> SituatedOutcome {
        if !self.profile.goes_in_clear_after_4xx() {
            return self.not_learnt(failure);
        }
        let after = &self.profile.sender.after_starttls_4xx;
        let basis = if after.is_assumed() { Basis::Assumed } else { Basis::Inferred };
        (Outcome::without_tls(Delivery::Plaintext, failure, Some(basis)), None)
    }

    /// A server that was brought down from TLS 1.3 in the scanner's handshake
    /// would be in that of a sender which offers TLS 1.3, too.
    fn by_downgrade(&self, failure: &Failure) -> Option<SituatedOutcome> {
        let offers = self.profile.offers(ProtocolVersion::TLS13);
        let alike = failure.kind == Kind::DowngradeDetected && offers && self.own_hello().is_none();
        alike.then(|| self.tls_failure(failure.into(), Basis::Inferred))
    }

    /// The answer to the hello of the sender's very offer.
    fn by_hello(&self) -> Option<SituatedOutcome> {
        let hello = self.own_hello()?;
        match hello.end {
            // A HelloRetryRequest alone is no whole answer, least of all where
            // the key that was seen signs for nobody with this offer.
            HelloEnd::Agreed if hello.hello_retry && self.lacks_scheme() => None,
            HelloEnd::Agreed if hello.hello_retry => Some(self.agreed(hello, Basis::Inferred)),
            HelloEnd::Agreed => Some(self.agreed(hello, self.basis_of_own(hello))),
            HelloEnd::BadCertificate | HelloEnd::IllegalParameter => {
                Some(self.agreed(hello, Basis::Observed))
            }
            HelloEnd::Sslv2 => Some(self.tls_failure(self.why_refused(), Basis::Observed)),
            _ if hello.is_refused() => Some(self.tls_failure(self.why_refused(), Basis::Observed)),
            _ => None,
        }
    }

    /// What the answers to other offers say.
    fn by_other_hellos(&self) -> Option<SituatedOutcome> {
        let basis = Basis::Inferred;
        Some(match infer(&self.profile.offer, self.finding, self.own_hello().is_some())? {
            Inference::Agreed(hello) => self.agreed(hello, basis),
            Inference::NoVersion => self.tls_failure(Reason::NoPublishedVersion, basis),
            Inference::Refused => self.tls_failure(self.why_refused(), basis),
        })
    }

    /// What the suites and groups say that an enumeration found, of a server
    /// that was not asked for this sender.
    fn by_enumeration(&self) -> Option<SituatedOutcome> {
        let basis = Basis::Inferred;
        let found = self.finding.enumerated.as_ref().filter(|_| self.own_hello().is_none())?;
        let named = self.finding.key.sni.is_some();
        let (version, suite, dh_bits) = match enumerated::taken(&self.profile.offer, found, named)? {
            Taken::NoVersion => return Some(self.tls_failure(Reason::NoPublishedVersion, basis)),
            Taken::NoSuite => return Some(self.tls_failure(Reason::NoPublishedSuite, basis)),
            Taken::NoGroup => return Some(self.tls_failure(Reason::NoPublishedGroup, basis)),
            // It tells nothing of the schemes under which the server signs.
            Taken::Agreed { .. } if self.lacks_scheme() => return None,
            Taken::Agreed { version, suite, dh_bits } => (version, suite, dh_bits),
        };
        let info = self.tls.and_then(|tls| tls.renegotiation_info);
        Some(match demands::of(&self.profile.sender, Some(version), info, dh_bits) {
            Demand::Refused(reason, stated) => self.tls_failure(reason, basis.max(stated)),
            Demand::Unknown(reason) => (Outcome::undetermined(reason), None),
            demand => {
                let session = self.session(Some(version), suite, None);
                let (proven, basis) = under(demand, self.proven_by_another_session(version), basis);
                (proven.of_session(basis, session), None)
            }
        })
    }

    /// Up to TLS 1.2 another suite may go with another key.
    fn proven_by_another_session(&self, version: ProtocolVersion) -> Proof {
        match self.shaken() {
            Proof::Given if version >= ProtocolVersion::TLS13 => Proof::Given,
            _ => Proof::Open,
        }
    }

    fn agreed(&self, hello: &HelloFinding, basis: Basis) -> SituatedOutcome {
        // A server that never heard of supported_versions chooses what was not
        // offered; the client ends the handshake then (RFC 8446 §4.1.3).
        if hello.version.is_some_and(|version| !self.profile.sender.versions.value.contains(&version)) {
            return self.tls_failure(Reason::NoPublishedVersion, basis);
        }
        if hello.suite.is_some_and(|suite| self.profile.offer.rank(suite).is_none()) {
            return self.tls_failure(Reason::NoPublishedSuite, basis);
        }
        let brought_down = self.brought_down(hello.offered_version, hello.version, hello.downgrade_mark);
        if brought_down == Downgrade::Ends {
            return self.tls_failure(ended(Kind::DowngradeDetected), basis);
        }
        if let Some(kind) = ends_with_everyone(hello.end) {
            return self.tls_failure(ended(kind), basis);
        }
        let mut proven = proof::of_hello_beside(hello, self.tls, &self.profile.offer);
        if proven == Proof::Given && !self.form.named && hello.presented.is_none() && !is_anonymous(hello) {
            // For who names the host otherwise, the server may have another key.
            proven = Proof::Open;
        }
        if proven == Proof::Open && self.shaken() == Proof::OfAnotherOffer {
            // The server will sign by what the scanner did not offer.
            proven = Proof::Unverifiable;
        }
        if proven == Proof::Given && brought_down == Downgrade::NotRecorded {
            proven = Proof::NotRecorded;
        }
        match (proven, self.failure) {
            (Proof::Refuted, _) => return self.tls_failure(ended(Kind::SignatureFailed), basis),
            // Another offer lacked the scheme under which it signs.
            (Proof::OfAnotherOffer, Some(failure)) => return self.not_learnt(failure),
            _ => {}
        }
        let demand = self.demand(hello);
        if let Demand::Refused(reason, stated) = demand {
            return self.tls_failure(reason, basis.max(stated));
        }
        if let Some(disputed) = disputed(brought_down, self.is_disputed(hello)) {
            return disputed;
        }
        if self.refuses_certificate(hello.presented.as_ref()) {
            return self.tls_failure(Reason::Sha1Certificate, basis);
        }
        if self.profile.sender.refuses_sha1_signatures.value && signs_with_sha1(hello) {
            return self.tls_failure(Reason::Sha1Signature, basis);
        }
        if let Some(reason) = self.open(hello) {
            return (Outcome::undetermined(reason), None);
        }
        let (proven, basis) = under(demand, proven, basis);
        let group = hello.group.filter(|group| self.profile.offer.groups.contains(group));
        (proven.of_session(basis, self.session(hello.version, hello.suite, group)), None)
    }

    /// Whether clients differ over the form of the certificate that goes with an
    /// agreement. Where that hides it, it is the one of the handshake.
    fn is_disputed(&self, hello: &HelloFinding) -> bool {
        let shaken = || {
            let tls = self.tls.filter(|_| self.form.named && self.carries_certificate());
            tls.is_some_and(|tls| tls.disputed)
        };
        hello.presented.as_ref().map_or_else(shaken, |presented| presented.disputed)
    }

    /// What becomes of this sender where a server that speaks a newer version
    /// says so.
    fn brought_down(
        &self,
        offered: ProtocolVersion,
        chosen: Option<ProtocolVersion>,
        mark: Option<DowngradeMark>,
    ) -> Downgrade {
        downgrade::of(self.profile.offer.versions.iter().copied().max(), offered, chosen, mark)
    }

    /// What the other hellos say about a refusal.
    fn why_refused(&self) -> Reason {
        if self.finding.answers_by_sslv2() {
            return Reason::NoPublishedVersion;
        }
        let (Some(best), suite) = self.finding.server_best_beside(self.tls) else {
            return Reason::OfferRefused;
        };
        if self.profile.offer.versions.iter().all(|version| *version < best) {
            self.why_older_refused()
        } else if !self.profile.offers(best) {
            Reason::NoPublishedVersion
        } else if self.lacks_scheme() {
            Reason::NoPublishedSignatureScheme
        } else if suite.is_none_or(|suite| self.profile.offer.rank(suite).is_none()) {
            Reason::NoPublishedSuite
        } else if self.lacks_group() {
            Reason::NoPublishedGroup
        } else {
            // It has what the sender offers, and stumbles over the offer.
            Reason::OfferRefused
        }
    }

    /// The same at a server that speaks a newer version than the sender: it may
    /// speak the sender's, too.
    fn why_older_refused(&self) -> Reason {
        let alert = self.own_hello().and_then(|hello| hello.alert);
        match self.carried() {
            _ if alert == Some(AlertDescription::PROTOCOL_VERSION) => Reason::NoPublishedVersion,
            Some(Err(lack)) if lack != Reason::NoPublishedVersion => lack,
            _ => Reason::OfferRefused,
        }
    }

    /// The handshake fails for this sender, by what `basis` says. What then
    /// becomes of the message may rest on less.
    fn tls_failure(&self, reason: Reason, basis: Basis) -> SituatedOutcome {
        let sender = &self.profile.sender;
        let (after, alone) = (&sender.after_tls_failure, sender.requires_tls.value);
        // One that sends only over TLS keeps it, whatever else is assumed.
        let basis = if after.is_assumed() && !alone { Basis::Assumed } else { basis };
        let clear = after.value == AfterTlsFailure::Plaintext && !alone;
        let delivery = if clear { Delivery::Plaintext } else { Delivery::Deferred };
        (Outcome::without_tls(delivery, reason, Some(basis)), Some(Situation::TlsFailed))
    }

    fn refuses_certificate(&self, shown: Option<&PresentedCertificate>) -> bool {
        let leaf = shown.map(|presented| &*presented.leaf);
        let shaken = self.tls.and_then(|tls| tls.leaf.as_deref());
        let leaf = leaf.or(shaken);
        self.profile.sender.refuses_sha1_certificates.value
            && leaf.and_then(|leaf| leaf.signed_with_sha1) == Some(true)
    }

    /// What the scanner's own handshake says about the sender's.
    fn by_handshake(&self) -> SituatedOutcome {
        let Some(tls) = self.tls else {
            // A dialogue that ran to its end went through TLS.
            return (Outcome::encrypted(Basis::Inferred, NegotiatedTls::default()), None);
        };
        if self.form.named && self.carries_certificate() && self.refuses_certificate(None) {
            return self.tls_failure(Reason::Sha1Certificate, self.basis_of_shown(tls));
        }
        // The library looks at the mark of TLS 1.3 itself, and did before any
        // was written down.
        let brought_down = self.brought_down(ProtocolVersion::TLS13, tls.version, tls.downgrade_mark);
        if let Some(disputed) = disputed(brought_down, tls.disputed) {
            return disputed;
        }
        let demand = demands::of(&self.profile.sender, tls.version, tls.renegotiation_info, None);
        match (demand, self.carried()) {
            (Demand::Refused(reason, stated), carried) => {
                let basis = carried.and_then(Result::ok).map_or(Basis::Inferred, |carried| carried.basis);
                self.tls_failure(reason, basis.max(stated))
            }
            (Demand::Unknown(reason), _) => (Outcome::undetermined(reason), None),
            (demand, Some(Ok(carried))) => {
                let session = self.session(Some(carried.version), Some(carried.suite), carried.group);
                let (proven, basis) = under(demand, self.shaken(), carried.basis);
                (proven.of_session(basis, session), None)
            }
            // The server showed nothing that the sender has. It may have more.
            (_, lack) => {
                if let Some(answer) = self.by_enumeration() {
                    return answer;
                }
                let reason = lack.and_then(Result::err).unwrap_or(Reason::NoPublishedSuite);
                (Outcome::undetermined(reason), None)
            }
        }
    }

    fn session(
        &self,
        version: Option<ProtocolVersion>,
        suite: Option<CipherSuite>,
        group: Option<NamedGroup>,
    ) -> NegotiatedTls {
        let offer = &self.profile.offer;
        let rank = suite.and_then(|suite| offer.rank(suite));
        NegotiatedTls {
            version,
            suite,
            group,
            steps_down: rank.and_then(|rank| u16::try_from(rank).ok()),
            declined_suites: rank.and_then(|rank| offer.suites.get(..rank)).unwrap_or_default().to_vec(),
        }
    }
}

/// The same on a basis that is no better than this.
fn resting_on(rests_on: Basis, (outcome, situation): SituatedOutcome) -> SituatedOutcome {
    (Outcome { basis: outcome.basis.map(|basis| basis.max(rests_on)), ..outcome }, situation)
}

fn ended(kind: Kind) -> Reason {
    Reason::Ended { phase: Phase::Tls, kind }
}

/// What is not known where clients differ over what the server says.
fn disputed(brought_down: Downgrade, certificate: bool) -> Option<SituatedOutcome> {
    let reason = match brought_down {
        Downgrade::Disputed => ended(Kind::DowngradeDetected),
        _ if certificate => Reason::CertificateForm,
        _ => return None,
    };
    Some((Outcome::undetermined(reason), None))
}

/// A proof and a basis under what the sender demands besides.
fn under(demand: Demand, proven: Proof, basis: Basis) -> (Proof, Basis) {
    match (demand, proven) {
        (Demand::Accepted(stated), proven) => (proven, basis.max(stated)),
        (Demand::NotRecorded, Proof::Given) => (Proof::NotRecorded, basis),
        (_, proven) => (proven, basis),
    }
}

fn is_anonymous(hello: &HelloFinding) -> bool {
    hello.suite.and_then(CipherSuite::facts).is_some_and(SuiteFacts::is_anonymous)
}

/// What ends the handshake of every client, if that is how an answer ended.
fn ends_with_everyone(end: HelloEnd) -> Option<Kind> {
    match end {
        HelloEnd::BadCertificate => Some(Kind::BadCertificate),
        HelloEnd::IllegalParameter => Some(Kind::IllegalParameter),
        _ => None,
    }
}

/// Whether the server signs its key exchange as versions before TLS 1.2 have
/// it: under SHA-1, or MD5 and SHA-1 (RFC 4346 §7.4.3).
fn signs_with_sha1(hello: &HelloFinding) -> bool {
    let signs = hello.suite.and_then(CipherSuite::facts).and_then(SuiteFacts::signs_key_exchange);
    hello.version.is_some_and(|version| version < ProtocolVersion::TLS12) && signs == Some(true)
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
