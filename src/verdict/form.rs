//! Which of the handshakes with a server has the form of the sender's: names
//! the host or not, and shows a client certificate or not where one is asked
//! for. A server may answer each in its own way, so only that one counts.

use super::profile::SenderProfile;
use super::scanner_offer::{SCANNER_GROUPS, SHORT_GROUPS};
use crate::model::{ClientCertificate, Failure, Finding, NamedGroup, Phase, SecondHandshake, TlsFinding};
use std::borrow::Cow;

/// How the handshake that counts stands to that of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Whether it has its form. Of one that has not, nothing is observed.
    pub alike: bool,
    /// Whether it names the host as that does. Of one that does not, nobody
    /// knows which certificate is shown.
    pub named: bool,
    /// The groups that it offered.
    pub groups: &'static [NamedGroup],
}

/// What was found, with the handshake that counts for the sender in the place
/// of the first.
pub(super) fn as_met<'f>(profile: &SenderProfile, finding: &'f Finding) -> (Cow<'f, Finding>, Form) {
    let first = Form { alike: true, named: true, groups: SCANNER_GROUPS };
    // Before TLS there is nothing in which they could differ.
    let Some(tls) = &finding.tls else { return (Cow::Borrowed(finding), first) };
    let first = Form {
        alike: is_alike(profile, finding, true, tls),
        named: is_named_alike(profile, finding, true),
        ..first
    };
    let stuck = is_stuck(finding.failure.as_ref(), tls);
    if first.alike && !stuck {
        return (Cow::Borrowed(finding), first);
    }
    let second = finding.hellos.iter().rev().find_map(|hello| {
        let second = hello.handshake.as_deref()?;
        let alike = is_alike(profile, finding, hello.names_host, &second.tls);
        let named = is_named_alike(profile, finding, hello.names_host);
        Some((second, Form { alike, named, groups: SHORT_GROUPS }))
    });
    let tells_more = |second: &SecondHandshake, form: Form| {
        let another = (form.alike && !first.alike) || (form.named && !first.named);
        another || (stuck && !is_stuck(second.failure.as_ref(), &second.tls))
    };
    match second.filter(|(second, form)| tells_more(second, *form)) {
        Some((second, form)) => (Cow::Owned(with_second(finding, second)), form),
        None => (Cow::Borrowed(finding), first),
    }
}

/// Whether a handshake that named the host or not has the sender's form.
fn is_alike(profile: &SenderProfile, finding: &Finding, names_host: bool, tls: &TlsFinding) -> bool {
    is_named_alike(profile, finding, names_host) && is_shown_alike(profile, tls.client_certificate)
}

fn is_named_alike(profile: &SenderProfile, finding: &Finding, names_host: bool) -> bool {
    finding.key.sni.is_none() || names_host == profile.offer.sends_sni
}

/// Whether the server was shown what the sender shows it. The sender's own
/// certificate nobody else can show.
fn is_shown_alike(profile: &SenderProfile, shown: ClientCertificate) -> bool {
    match shown {
        ClientCertificate::NeverAsked => true,
        ClientCertificate::NotShown => !profile.may_show_certificate(),
        ClientCertificate::Shown | ClientCertificate::Accepted | ClientCertificate::Refused(_) => false,
    }
}

/// Whether a handshake ended before the server had chosen anything.
fn is_stuck(failure: Option<&Failure>, tls: &TlsFinding) -> bool {
    tls.suite.is_none() && failure.is_some_and(|failure| failure.phase == Phase::Tls)
}

/// What comes after the handshake, the first tells as well as the second.
fn with_second(finding: &Finding, second: &SecondHandshake) -> Finding {
    let failure = match (&second.failure, &finding.failure) {
        (Some(failure), _) if failure.phase <= Phase::Tls => Some(failure),
        (_, None) => None,
        (_, Some(first)) if first.phase > Phase::Tls => Some(first),
        (later, _) => later.as_ref(),
    };
    Finding { failure: failure.cloned(), tls: Some(second.tls.clone()), ..finding.clone() }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
