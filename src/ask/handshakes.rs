//! When a host is worth a second handshake: the first was not in the form of
//! the sender's, or never showed what is behind it.
//!
//! A server may answer one that names the host otherwise than one that does
//! not, and go on with a client that shows a certificate otherwise than with
//! one that shows none. What it does for the sender, only a handshake in the
//! sender's form tells.

use crate::model::{
    CipherSuite, ClientCertificate, ClientHelloSpec, Failure, HelloEnd, HelloObservation, HelloPurpose, Kind,
    NamedGroup, Observation, Phase, ProtocolVersion, SignatureScheme,
};

/// The handshake that counts for the sender, among the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shaken<'a> {
    /// Whether it ended in a session.
    pub(super) established: bool,
    /// Why its dialogue ended early.
    pub(super) failure: Option<&'a Failure>,
    /// The suite that the server chose.
    pub(super) suite: Option<CipherSuite>,
    version: Option<ProtocolVersion>,
    group: Option<NamedGroup>,
    scheme: Option<SignatureScheme>,
}

/// The second handshake that the host is worth, if it was not made: once.
pub(super) fn second(sender: &ClientHelloSpec, seen: &Observation) -> Option<ClientHelloSpec> {
    let is_due = seen.extra_client_hellos.iter().all(|hello| hello.purpose != HelloPurpose::Handshake);
    let wanted = is_due && leads_to_tls(seen) && (is_of_another_form(sender, seen) || shows_nothing(seen));
    wanted.then(|| ClientHelloSpec::handshake(sender.names_host, sender.shows_certificate))
}

/// Whether the dialogue came to a handshake, and ended neither in clear, nor in
/// a flood, nor by this machine.
fn leads_to_tls(seen: &Observation) -> bool {
    let ends_it = [Kind::Throttled, Kind::TooManyBytes, Kind::TooLong, Kind::LocalError];
    let ended = seen.failure.as_ref().filter(|failure| failure.phase == Phase::Tls);
    seen.tls.is_some()
        && ended.is_none_or(|failure| failure.reply_code.is_none() && !ends_it.contains(&failure.kind))
}

/// Whether the first handshake was not in the form of the sender's: it names
/// the host, and shows a certificate where there is one to show.
fn is_of_another_form(sender: &ClientHelloSpec, seen: &Observation) -> bool {
    let named = seen.key.sni.is_some() && !sender.names_host;
    let shown = seen.tls.as_ref().is_some_and(|tls| {
        !matches!(tls.client_certificate, ClientCertificate::NeverAsked | ClientCertificate::NotShown)
    });
    named || (shown && !sender.shows_certificate)
}

/// Whether the server agreed to the sender's offer and showed no certificate,
/// neither there nor in the first handshake, which came to nothing: in TLS 1.3
/// that is encrypted.
fn shows_nothing(seen: &Observation) -> bool {
    let agreed = |hello: &HelloObservation| {
        hello.purpose == HelloPurpose::Sender
            && hello.end == HelloEnd::Agreed
            && hello.version >= Some(ProtocolVersion::TLS13)
    };
    first(seen).is_some_and(|first| first.suite.is_none()) && seen.extra_client_hellos.iter().any(agreed)
}

/// The handshake that counts for the sender; `None` where none was begun.
pub(super) fn counting<'a>(sender: &ClientHelloSpec, seen: &'a Observation) -> Option<Shaken<'a>> {
    let first = first(seen)?;
    let made = |hello: &&HelloObservation| {
        hello.purpose == HelloPurpose::Handshake && hello.end != HelloEnd::NotAsked
    };
    let second = seen.extra_client_hellos.iter().find(made).map(Shaken::of_second);
    let counts = |second: &Shaken<'_>| {
        is_of_another_form(sender, seen) || (first.suite.is_none() && second.established)
    };
    Some(second.filter(counts).unwrap_or(first))
}

fn first(seen: &Observation) -> Option<Shaken<'_>> {
    let tls = seen.tls.as_ref()?;
    Some(Shaken {
        established: tls.established,
        failure: seen.failure.as_ref(),
        suite: tls.suite,
        version: tls.version,
        group: tls.group,
        scheme: tls.signature_scheme,
    })
}

impl<'a> Shaken<'a> {
    fn of_second(hello: &'a HelloObservation) -> Self {
        let failed = hello.failure.as_ref().is_some_and(|failure| failure.phase <= Phase::Tls);
        Self {
            established: hello.end == HelloEnd::Agreed && !failed,
            failure: hello.failure.as_ref(),
            suite: hello.suite,
            version: hello.version,
            group: hello.group,
            scheme: hello.signature_scheme,
        }
    }

    /// Whether the server said nothing to its hello.
    pub(super) fn is_silent(&self) -> bool {
        let ended = self.failure.map(|failure| (failure.phase, failure.kind));
        self.suite.is_none() && ended == Some((Phase::Tls, Kind::Timeout))
    }

    /// Whether something that was chosen is not in the sender's offer: version,
    /// suite, group or signature scheme. Then only the answer to that offer
    /// tells what the sender gets, and whether it gets anything.
    pub(super) fn is_not_of(&self, sender: &ClientHelloSpec) -> bool {
        let (Some(version), Some(suite)) = (self.version, self.suite) else { return false };
        !sender.versions.contains(&version)
            || !sender.suites.contains(&suite)
            || self.group.is_some_and(|group| !sender.groups.contains(&group))
            || self.scheme.is_some_and(|scheme| !sender.signature_schemes.contains(&scheme))
    }
}

#[cfg(test)]
#[path = "handshakes_tests.rs"]
mod tests;
