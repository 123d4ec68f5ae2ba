//! What is wrong with a certificate, in words.

use crate::model::text::cut;
use std::fmt::Write;

/// Longest [`CertificateFacts::defect`](crate::model::CertificateFacts::defect), in bytes.
pub const DEFECT_BYTES_MAX: usize = 500;

/// Everything that is wrong with a certificate, as one bounded text.
#[derive(Debug, Default)]
pub(super) struct Defects(String);

impl Defects {
    pub(super) fn note(&mut self, defect: impl std::fmt::Display) {
        if self.0.len() < DEFECT_BYTES_MAX {
            let separator = if self.0.is_empty() { "" } else { "; " };
            let _ = write!(self.0, "{separator}{defect}");
            cut(&mut self.0, DEFECT_BYTES_MAX);
        }
    }

    pub(super) fn into_text(self) -> Option<String> {
        (!self.0.is_empty()).then_some(self.0)
    }
}
