//! Which further hellos a host is worth, by what it said so far.
//!
//! The scanner's own handshake offers what a modern library can. A server that
//! finds nothing in it may still speak an older TLS, and then it matters which:
//! what the sender would have got from it, and what is the best that it has.
//!
//! ```text
//! handshake ─┬─ not in the form ──────► a second one that is (SNI, client certificate)
//!            │  of the sender's
//!            ├─ established ──────────► the sender's offer, if asked to, or if the sender
//!            │                            does not offer what was chosen
//!            ├─ no answer in time ────► the sender's offer, which is shorter
//!            └─ no version or suite ──► the sender's offer
//!                 in common            │  ├─ took a suite without certificate ─► the same without those
//!                                      │  └─ agreed in TLS 1.3 ─► a second, short handshake, which
//!                                      │                           shows the certificate
//!                                      └► everything, newest version first, until the server agrees
//! ```
//!
//! The next hello is a function of the answers so far, so whoever has the
//! observation has the state. Nothing here waits, sends or counts time.

use super::enumeration::offer;
use super::handshakes::{self, Shaken};
use crate::model::hello::EXTRA_CLIENT_HELLOS;
use crate::model::{
    AlertDescription, CipherSuite, ClientHelloSpec, Failure, HelloEnd, HelloObservation, HelloPurpose, Kind,
    Observation, Phase, ProtocolVersion, SignatureCheck, SuiteFacts,
};
use crate::sender::offer::Offer;

/// What is asked for in turn, by the newest version offered. The first is
/// TLS 1.3 together with 1.2, the one hello that every server answers with the
/// best it has, unless it stumbles over what it does not know; each of the
/// others offers what a client of that time did.
pub(crate) const STEPS: [ProtocolVersion; 5] = [
    ProtocolVersion::TLS13,
    ProtocolVersion::TLS12,
    ProtocolVersion::TLS11,
    ProtocolVersion::TLS10,
    ProtocolVersion::SSL3,
];

/// How much to ask of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloPlan {
    /// Whether the sender's offer is sent to hosts with which the handshake
    /// succeeded, too.
    pub sender_hello: bool,
    /// Most further hellos to a host, each a connection of its own; those of
    /// an enumeration are not counted, nor second looks. 0 for none.
    pub hellos_max: usize,
}

impl Default for HelloPlan {
    fn default() -> Self {
        Self { sender_hello: false, hellos_max: EXTRA_CLIENT_HELLOS }
    }
}

/// The next hello to send to the host of an observation; `None` when all is
/// known that can be, or the budget is spent. `sender` is the sender's offer.
pub fn next(plan: &HelloPlan, sender: &ClientHelloSpec, seen: &Observation) -> Option<ClientHelloSpec> {
    let mut asked = seen.extra_client_hellos.iter().filter(|hello| hello.purpose.is_judged());
    if asked.clone().filter(|hello| !hello.is_second_look()).count() >= plan.hellos_max {
        return None;
    }
    let sender_is_due = asked.clone().all(|hello| hello.purpose != HelloPurpose::Sender);
    if let Some(spec) = handshakes::second(sender, seen) {
        return Some(spec);
    }
    let shaken = handshakes::counting(sender, seen)?;
    if shaken.established {
        let wanted = plan.sender_hello || shaken.is_not_of(sender);
        return (wanted && sender_is_due).then(|| sender.clone());
    }
    let silent = shaken.is_silent() && asked.clone().any(|hello| hello.end == HelloEnd::Timeout);
    let settled = silent || asked.any(settles);
    if sender_is_due && !settled && signs_for_the_sender(seen, sender) {
        return Some(sender.clone());
    }
    if !found_nothing_in_common(&shaken) {
        return None;
    }
    if let Some(spec) = with_certificate(sender, &seen.extra_client_hellos) {
        return Some(spec);
    }
    if settled {
        return None;
    }
    if sender_is_due {
        return Some(sender.clone());
    }
    let is_due = |version: &ProtocolVersion| {
        seen.extra_client_hellos
            .iter()
            .all(|hello| hello.purpose != HelloPurpose::Version || hello.offered_version != *version)
    };
    let everything = STEPS.into_iter().find(is_due).map(everything_of)?;
    Some(ClientHelloSpec { names_host: sender.names_host, ..everything })
}

/// The sender's offer without the suites that show no certificate, where the
/// server has taken one of them: whether it has a certificate to show to mail
/// that demands one is not known by then.
fn with_certificate(sender: &ClientHelloSpec, hellos: &[HelloObservation]) -> Option<ClientHelloSpec> {
    let is_due = hellos.iter().all(|hello| hello.purpose != HelloPurpose::Authenticated);
    if !is_due || !hellos.iter().any(took_anonymous) {
        return None;
    }
    let offer = Offer::of(sender.clone()).authenticated()?;
    Some(offer.spec(HelloPurpose::Authenticated))
}

/// Whether the server chose a suite without a certificate from the sender's
/// offer.
fn took_anonymous(hello: &HelloObservation) -> bool {
    hello.purpose == HelloPurpose::Sender
        && hello.end == HelloEnd::Agreed
        && hello.suite.and_then(CipherSuite::facts).is_some_and(SuiteFacts::is_anonymous)
}

/// Whether the handshake failed before the server agreed to a version and a
/// suite, in a way that another hello may not: some are silent to a long one. A
/// server that wants a client certificate has agreed to all else.
fn found_nothing_in_common(shaken: &Shaken<'_>) -> bool {
    shaken.failure.is_some_and(|failure| is_about_the_offer(failure, shaken.suite.is_some()))
}

/// Whether a handshake ended over what it offered. `agreed` says whether the
/// server had chosen version and suite before: what comes then is about
/// something else. So is a protocol inside TLS, which no hello here names.
pub(crate) fn is_about_the_offer(failure: &Failure, agreed: bool) -> bool {
    let kinds = [
        Kind::Alert,
        Kind::NoCommonVersion,
        Kind::NoCommonSuite,
        Kind::NotTls,
        Kind::Malformed,
        Kind::Closed,
        Kind::Timeout,
    ];
    // A server that goes on in SMTP has no TLS to be asked about. One that was
    // brought to an older version than it speaks may take what does not offer
    // the newer, and one that said what nobody can go on with may say another
    // thing to another offer.
    let of_this_offer = matches!(failure.kind, Kind::DowngradeDetected | Kind::IllegalParameter);
    failure.phase == Phase::Tls
        && failure.reply_code.is_none()
        && failure.alert != Some(AlertDescription::NO_APPLICATION_PROTOCOL)
        && (kinds.contains(&failure.kind) && !agreed || of_this_offer)
}

/// Whether the server signed under a scheme that the sender offers and the
/// scanner does not: then only the sender's own offer tells.
fn signs_for_the_sender(seen: &Observation, sender: &ClientHelloSpec) -> bool {
    let Some(tls) = &seen.tls else { return false };
    let offers = |scheme| sender.signature_schemes.contains(&scheme);
    tls.signature == Some(SignatureCheck::NotOffered) && tls.signature_scheme.is_some_and(offers)
}

/// Whether an answer ends the search: an agreement names the best version of
/// the server, since that is what it has to choose (RFC 5246 §E.1, RFC 8446
/// §4.2.1). Where the dialogue no longer comes to the hello, the server wants
/// to be left alone, and one that floods is.
fn settles(hello: &HelloObservation) -> bool {
    let left_alone = matches!(hello.end, HelloEnd::NotAsked | HelloEnd::TooLong);
    let answered = hello.end.is_agreement() || hello.end == HelloEnd::IllegalParameter;
    // A handshake that failed settles no more than the first did.
    left_alone || (answered && hello.purpose != HelloPurpose::Handshake)
}

/// Every suite, group and scheme that the version can have.
pub(crate) fn everything_of(version: ProtocolVersion) -> ClientHelloSpec {
    let mut versions = vec![version];
    if version == ProtocolVersion::TLS13 {
        versions.push(ProtocolVersion::TLS12);
    }
    let mut groups = Vec::new();
    for group in versions.iter().flat_map(|version| offer::groups(*version)) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    ClientHelloSpec {
        suites: versions.iter().flat_map(|version| offer::suites(*version)).copied().collect(),
        groups,
        signature_schemes: offer::schemes(),
        versions,
        ..ClientHelloSpec::of(HelloPurpose::Version)
    }
}

#[cfg(test)]
#[path = "step_down_tests.rs"]
mod tests;
