//! The form of a certificate, as far as a handshake goes into it: whether every
//! TLS client can read it, only some can, or none (RFC 5280 §4.1).
//!
//! OpenSSL, GnuTLS and NSS were asked, in TLS 1.3 and 1.2, with a certificate of
//! each kind below. All end the handshake over a leaf whose frame is broken,
//! whatever they would make of its signature. Over the rest they differ.

use super::der::Fault;
use super::frame::{Flaw, Frame, Words, frame};

pub use super::frame::why_broken;

/// What clients make of the form of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each can read them.
    Sound,
    /// Some end the handshake over them; why.
    Disputed(String),
    /// Each ends the handshake over them; why.
    Broken(String),
}

/// What clients make of a certificate's frame alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameForm(Kind);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
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
            Err(flaw) => Kind::Flawed(flaw),
            Ok(Frame { disputed: Some(disputed), unread }) => Kind::Odd { disputed, unread },
            Ok(_) => Kind::Sound,
        })
    }

    /// `unread` tells what else of the certificate some clients cannot read.
    pub(super) fn of_leaf(&self, unread: impl FnOnce() -> Option<String>) -> Form {
        let disputed = match &self.0 {
            Kind::Flawed(flaw @ (Fault::Broken, _)) => {
                return Form::Broken(format!("the certificate is {}", Words(*flaw)));
            }
            Kind::Flawed(flaw @ (Fault::Ber, _)) => {
                return Form::Disputed(format!("the certificate is {}", Words(*flaw)));
            }
            Kind::Odd { disputed, .. } => Some((*disputed).to_string()),
            Kind::Sound => unread(),
        };
        disputed.map_or(Form::Sound, |why| Form::Disputed(format!("the certificate: {why}")))
    }

    pub(super) fn above_leaf(&self) -> Form {
        match &self.0 {
            Kind::Flawed(flaw) => Form::Disputed(Words(*flaw).to_string()),
            Kind::Odd { disputed, .. } => Form::Disputed((*disputed).to_string()),
            Kind::Sound => Form::Sound,
        }
    }

    /// Why OpenSSL reads no certificate there, whose encoding is else that of
    /// DER.
    pub(super) fn why_unread(&self) -> Option<String> {
        match &self.0 {
            Kind::Flawed((Fault::Ber, _)) | Kind::Sound => None,
            Kind::Flawed(flaw) => Some(format!("the certificate is {}", Words(*flaw))),
            Kind::Odd { unread, .. } => unread.map(str::to_string),
        }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
