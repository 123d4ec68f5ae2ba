//! Certificates that clients showed.

use crate::model::inbound::{ClientChain, InboundSession, InboundTls, JudgedSession, NamedCause, SenderKey};
use crate::model::{CertificateFacts, ChainStatus, DateStatus, Sha256, SignatureCheck};
use jiff::Timestamp;
use std::collections::HashMap;

/// Certificates that are told; sessions with others are counted.
pub const CLIENT_CERTIFICATES_MAX: usize = 10_000;

/// What a client certificate is worth, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateState {
    /// Its key is proven, its chain leads to a trusted root, and its dates hold.
    Holds,
    /// The run judged no chains.
    NotJudged,
    /// Of one of these it is not known.
    NotDetermined,
    /// One of these is not so.
    DoesNotHold,
}

impl CertificateState {
    /// That of a session; `None` where the client showed no certificate.
    pub(super) fn of(tls: &InboundTls, judged: &JudgedSession) -> Option<Self> {
        if tls.chain.is_empty() {
            return None;
        }
        let Some(axes) = &judged.client_certificate else { return Some(Self::NotJudged) };
        let is_open = axes.chain == ChainStatus::Unverifiable
            || axes.dates == DateStatus::Unreadable
            || matches!(
                tls.signature,
                None | Some(SignatureCheck::Unverifiable(_) | SignatureCheck::NotShown)
            );
        let fails = !matches!(axes.chain, ChainStatus::Valid | ChainStatus::Unverifiable)
            || !matches!(axes.dates, DateStatus::Valid | DateStatus::Unreadable)
            || matches!(tls.signature, Some(SignatureCheck::Failed | SignatureCheck::NotOffered));
        Some(match (fails, is_open) {
            (true, _) => Self::DoesNotHold,
            (false, true) => Self::NotDetermined,
            (false, false) => Self::Holds,
        })
    }

    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::NotJudged => "not_judged",
            Self::NotDetermined => "undetermined",
            Self::DoesNotHold => "does_not_hold",
        }
    }
}

/// Whether a certificate is the one that the run was told to look for, from the best to the
/// worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateNamed {
    /// It is.
    Yes,
    /// That is not determined.
    NotDetermined(NamedCause),
    /// It is another.
    No,
}

impl CertificateNamed {
    /// What was found; `None` where the run was told of none.
    pub(super) fn of(chain: &ClientChain) -> Option<Self> {
        match (chain.named, chain.named_cause) {
            (Some(true), _) => Some(Self::Yes),
            (Some(false), _) => Some(Self::No),
            (None, cause) => cause.map(Self::NotDetermined),
        }
    }

    /// As in the columns of certificates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotDetermined(NamedCause::KeyNotProven) => "undetermined:key_not_proven",
            Self::NotDetermined(NamedCause::CertificateUnreadable) => "undetermined:certificate_unreadable",
        }
    }
}

/// A certificate that a client showed for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCertificate {
    /// Its digest.
    pub sha256: Sha256,
    /// Its subject; `None` where it cannot be read.
    pub subject: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When it ends.
    pub not_after: Option<Timestamp>,
    /// Sessions in which it was shown.
    pub sessions: u64,
    /// Those of them in which its key was proven.
    pub key_proven: u64,
    /// Chain, dates and key, in the words of the columns, as they were judged last; `None`
    /// where nobody did.
    pub axes: Option<[&'static str; 3]>,
    /// Whether it is the one that the run was told to look for, as it was judged last.
    pub named: Option<CertificateNamed>,
    /// Who showed it first.
    pub first_sender: SenderKey,
}

/// All of them.
#[derive(Debug, Default)]
pub struct ReceivedCertificates {
    kept: HashMap<Sha256, SeenCertificate>,
    /// Sessions with a certificate beyond [`CLIENT_CERTIFICATES_MAX`].
    pub not_kept: u64,
}

impl ReceivedCertificates {
    pub(super) fn add(
        &mut self,
        leaf: &CertificateFacts,
        session: &InboundSession,
        tls: &InboundTls,
        judged: &JudgedSession,
    ) {
        if self.kept.len() == CLIENT_CERTIFICATES_MAX && !self.kept.contains_key(&leaf.sha256) {
            self.not_kept += 1;
            return;
        }
        let certificate = self.kept.entry(leaf.sha256).or_insert_with(|| SeenCertificate {
            sha256: leaf.sha256,
            subject: leaf.subject.clone(),
            issuer: leaf.issuer.clone(),
            not_after: leaf.not_after,
            sessions: 0,
            key_proven: 0,
            axes: None,
            named: None,
            first_sender: SenderKey::of(session),
        });
        certificate.sessions += 1;
        certificate.key_proven += u64::from(tls.signature == Some(SignatureCheck::Verified));
        if let Some(axes) = &judged.client_certificate {
            certificate.axes = Some([axes.chain.name(), axes.dates.name(), axes.key.name()]);
            certificate.named = CertificateNamed::of(axes);
        }
    }

    /// Whether the run was told to look for one.
    pub fn is_one_named(&self) -> bool {
        self.kept.values().any(|one| one.named.is_some())
    }

    /// The one with this digest.
    pub fn get(&self, digest: &Sha256) -> Option<&SeenCertificate> {
        self.kept.get(digest)
    }

    /// All that are told, the one that ends first before the others.
    pub fn by_end(&self) -> Vec<&SeenCertificate> {
        let mut all: Vec<&SeenCertificate> = self.kept.values().collect();
        // One whose end cannot be read stands last.
        all.sort_by_key(|one| (one.not_after.is_none(), one.not_after, one.sha256));
        all
    }
}
