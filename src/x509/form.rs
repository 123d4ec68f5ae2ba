//! The form of a certificate, as far as a handshake goes into it: whether every
//! TLS client can read it, only some can, or none (RFC 5280 §4.1).
//!
//! OpenSSL, GnuTLS and NSS were asked, in TLS 1.3 and 1.2, with a certificate of
//! each kind below. All end the handshake over a leaf whose frame is broken,
//! whatever they would make of its signature. Over the rest they differ.

use super::der::DerFault;
use super::frame::{Flaw, FlawText, Frame, frame};

pub use super::frame::why_broken;

/// What clients make of the form of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateForm {
    /// Each can read them.
    Sound,
    /// Some end the handshake over them; why.
    Disputed(String),
    /// Each ends the handshake over them; why.
    Broken(String),
}

/// What clients make of a certificate's frame alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameForm(FrameKind);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum FrameKind {
    /// It holds.
    #[default]
    Sound,
    /// It holds; over what some clients stumble, and what of it is such that
    /// OpenSSL makes no chain of the certificate.
    Odd { disputed: &'static str, unread: Option<&'static str> },
    /// It does not.
    Flawed(Flaw),
}

impl FrameForm {
    pub(super) fn of(der: &[u8]) -> Self {
        Self(match frame(der) {
            Err(flaw) => FrameKind::Flawed(flaw),
            Ok(Frame { disputed: Some(disputed), unread }) => FrameKind::Odd { disputed, unread },
            Ok(_) => FrameKind::Sound,
        })
    }

    /// `unread` tells what else of the certificate some clients cannot read.
    pub(super) fn of_leaf(&self, unread: impl FnOnce() -> Option<String>) -> CertificateForm {
        let disputed = match &self.0 {
            FrameKind::Flawed(flaw @ (DerFault::Broken, _)) => {
                return CertificateForm::Broken(format!("the certificate is {}", FlawText(*flaw)));
            }
            FrameKind::Flawed(flaw @ (DerFault::Ber, _)) => {
                return CertificateForm::Disputed(format!("the certificate is {}", FlawText(*flaw)));
            }
            FrameKind::Odd { disputed, .. } => Some((*disputed).to_string()),
            FrameKind::Sound => unread(),
        };
        disputed.map_or(CertificateForm::Sound, |why| {
            CertificateForm::Disputed(format!("the certificate: {why}"))
        })
    }

    pub(super) fn above_leaf(&self) -> CertificateForm {
        match &self.0 {
            FrameKind::Flawed(flaw) => CertificateForm::Disputed(FlawText(*flaw).to_string()),
            FrameKind::Odd { disputed, .. } => CertificateForm::Disputed((*disputed).to_string()),
            FrameKind::Sound => CertificateForm::Sound,
        }
    }

    /// Why OpenSSL reads no certificate there, whose encoding is else that of
    /// DER.
    pub(super) fn why_unread(&self) -> Option<String> {
        match &self.0 {
            FrameKind::Flawed((DerFault::Ber, _)) | FrameKind::Sound => None,
            FrameKind::Flawed(flaw) => Some(format!("the certificate is {}", FlawText(*flaw))),
            FrameKind::Odd { unread, .. } => unread.map(str::to_string),
        }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
