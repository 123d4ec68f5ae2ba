//! One endpoint as one sender meets it: what holds there whichever domain it
//! serves, worked out once.

use super::delivery::Basis;
use super::endpoint::ProbeKey;
use super::enumeration::AcceptedSuite;
use super::failure::Failure;
use super::finding::{Finding, PresentedCertificate, TlsFinding};
use super::forced::{Check, CheckCause};
use super::outcome::Outcome;
use std::sync::Arc;

/// Why it is not known whether the server holds the key of its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unproven {
    /// Of the session to which it comes with the sender's whole offer; `None`
    /// where that is known, and of one without a certificate.
    pub session: Option<CheckCause>,
    /// Of the certificate that it shows where the sender offers no suite
    /// without one, if that is another session.
    pub certificate: Option<CheckCause>,
}

/// What was found at one endpoint, and what it comes to for one sender.
///
/// An engine keeps one of these for every probed key of a run, and judges each
/// domain by reference to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JudgedEndpoint {
    /// What was found.
    pub finding: Finding,
    /// What delivery without a connector would be.
    pub outcome: Outcome,
    /// Whether there would be TLS. That the server holds the key of its
    /// certificate is [`JudgedEndpoint::unproven`].
    pub encryption: Check,
    /// The same, and a certificate that a trusted root vouches for.
    pub certificate: Check,
    /// What it rests on that the sender is shown that certificate.
    pub certificate_basis: Basis,
    /// What is not known of the key.
    pub unproven: Unproven,
    /// The certificate that the sender is shown; `None` where none was seen.
    pub presented: Option<PresentedCertificate>,
    /// That certificate with those above it, leaf first, for whoever holds them
    /// against TLSA records; `None` where none was seen, or nobody asked for it.
    pub chain: Option<Box<[Arc<[u8]>]>>,
    /// Where it is judged by a second handshake, which has the sender's form, its
    /// place in [`Finding::extra_client_hellos`].
    pub second_handshake: Option<u16>,
    /// Whose answer, or lack of one, counts for it, where it was not asked itself.
    pub stand_in: Option<Box<ProbeKey>>,
}

impl JudgedEndpoint {
    /// Roughly how much of it is as large as its server makes it, in bytes: names on
    /// leaves, chains, and what an enumeration found.
    pub fn peer_bytes(&self) -> usize {
        let finding = &self.finding;
        let second = finding.extra_client_hellos.iter().filter_map(|hello| hello.handshake.as_ref());
        let handshakes = finding.tls.iter().chain(second.map(|second| &second.tls));
        let shown = finding.extra_client_hellos.iter().filter_map(|hello| hello.presented.as_ref());
        let leaves = handshakes.filter_map(|tls| tls.leaf.as_ref()).chain(shown.map(|shown| &shown.leaf));
        let chain = self.chain.iter().flat_map(|chain| chain.iter()).map(|der| der.len());
        let versions = finding.enumerated.iter().flat_map(|enumerated| &enumerated.found.versions);
        let suites = versions.map(|version| version.suites.len() * size_of::<AcceptedSuite>());
        leaves.map(|leaf| leaf.bytes()).chain(chain).chain(suites).sum()
    }

    /// Whether it was not asked, for a sample of the names of its address stands for all.
    pub fn is_sampled(&self) -> bool {
        self.finding.failure.as_ref().is_some_and(Failure::is_not_asked)
    }

    /// What the handshake showed by which the sender is judged; `None` where
    /// there was none.
    pub fn handshake(&self) -> Option<&TlsFinding> {
        let second =
            self.second_handshake.and_then(|place| self.finding.extra_client_hellos.get(usize::from(place)));
        let second = second.and_then(|hello| hello.handshake.as_deref());
        second.map(|second| &second.tls).or(self.finding.tls.as_ref())
    }
}

#[cfg(test)]
impl JudgedEndpoint {
    /// One of which nothing counts but what was found and the outcome.
    pub(crate) fn of_outcome(finding: Finding, outcome: Outcome) -> Self {
        let open = Check::Undetermined(CheckCause::NotProbed);
        Self {
            finding,
            outcome,
            encryption: open,
            certificate: open,
            certificate_basis: Basis::Inferred,
            unproven: Unproven::default(),
            presented: None,
            chain: None,
            second_handshake: None,
            stand_in: None,
        }
    }
}
