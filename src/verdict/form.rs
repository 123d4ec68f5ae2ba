//! Which of the handshakes with a server has the form of the sender's: names
//! the host or not, and shows a client certificate or not where one is asked
//! for. A server may answer each in its own way, so only that one counts.

use super::profile::SenderProfile;
use super::scanner_offer::{SCANNER_GROUPS, SHORT_GROUPS};
use crate::model::{
    ClientCertificate, Failure, Finding, NamedGroup, Phase, ReplyForms, SecondHandshake, TlsFinding,
};

/// How the handshake that counts stands to that of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HandshakeForm {
    /// Whether it has its form. Of one that has not, nothing is observed.
    pub alike: bool,
    /// Whether it names the host as that does. Of one that does not, nobody
    /// knows which certificate is shown.
    pub named: bool,
    /// The groups that it offered.
    pub groups: &'static [NamedGroup],
}

/// The handshake that counts for a sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<'f> {
    /// Why the dialogue ended early, if that handshake is taken for the first.
    pub failure: Option<&'f Failure>,
    /// What was seen of TLS.
    pub tls: Option<&'f TlsFinding>,
    /// How it stands to that of the sender.
    pub form: HandshakeForm,
    /// Of a second one its place in [`Finding::extra_client_hellos`].
    pub second: Option<u16>,
    /// Forms of the replies on the way: of a second one those of the first as well,
    /// as what the first was told inside TLS.
    pub reply_forms: ReplyForms,
}

/// Which of the handshakes counts: a second one that tells more, else the first.
pub(super) fn counted<'f>(profile: &SenderProfile, finding: &'f Finding) -> Counted<'f> {
    let form = HandshakeForm { alike: true, named: true, groups: SCANNER_GROUPS };
    let first = Counted {
        failure: finding.failure.as_ref(),
        tls: finding.tls.as_ref(),
        form,
        second: None,
        reply_forms: finding.reply_forms,
    };
    // Before TLS there is nothing in which they could differ.
    let Some(tls) = first.tls else { return first };
    let form = HandshakeForm {
        alike: is_alike(profile, finding, true, tls),
        named: is_named_alike(profile, finding, true),
        ..form
    };
    let stuck = is_stuck(first.failure, tls);
    if form.alike && !stuck {
        return first;
    }
    let tells_more = |second: &SecondHandshake, of_second: HandshakeForm| {
        let another = (of_second.alike && !form.alike) || (of_second.named && !form.named);
        another || (stuck && !is_stuck(second.failure.as_ref(), &second.tls))
    };
    match second(profile, finding).filter(|(_, second, of_second)| tells_more(second, *of_second)) {
        Some((place, second, form)) => {
            let failure = failure_with(finding, second);
            let reply_forms = finding.reply_forms.union(second.reply_forms);
            Counted { failure, tls: Some(&second.tls), form, second: u16::try_from(place).ok(), reply_forms }
        }
        None => Counted { form, ..first },
    }
}

/// The last handshake that was made once more.
fn second<'f>(
    profile: &SenderProfile,
    finding: &'f Finding,
) -> Option<(usize, &'f SecondHandshake, HandshakeForm)> {
    finding.extra_client_hellos.iter().enumerate().rev().find_map(|(place, hello)| {
        let second = hello.handshake.as_deref()?;
        let alike = is_alike(profile, finding, hello.names_host, &second.tls);
        let named = is_named_alike(profile, finding, hello.names_host);
        Some((place, second, HandshakeForm { alike, named, groups: SHORT_GROUPS }))
    })
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

/// How the dialogue ended that the second handshake belongs to: as it was seen,
/// for a server may turn away inside TLS whom it took in the first. What only the
/// first was told inside TLS counts as well.
fn failure_with<'f>(finding: &'f Finding, second: &'f SecondHandshake) -> Option<&'f Failure> {
    let of_first = finding.failure.as_ref().filter(|first| first.phase > Phase::Tls);
    second.failure.as_ref().or(of_first)
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
