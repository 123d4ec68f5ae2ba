//! Certificates out of PEM text (RFC 7468), and what is wrong with one that
//! has none, in words: rustls's types tell it as a list of numbers.

use crate::model::text::{escape, one_line};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

/// Every certificate of a PEM text, in its order; none where it has none.
///
/// # Errors
/// What is not PEM about it, in words on one line.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    certificates.map_err(|error| words(&error))
}

/// What is wrong with a PEM text, on one line of bounded length.
pub fn words(error: &Error) -> String {
    match error {
        Error::MissingSectionEnd { end_marker } => {
            one_line(&format!("cut off before `-----END {}-----`", escape(end_marker)))
        }
        Error::IllegalSectionStart { line } => {
            one_line(&format!("no section begins with `{}`", escape(line.trim_ascii_end())))
        }
        error => one_line(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pem_is_told_in_words() {
        for (pem, told) in [
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "cut off before `-----END CERTIFICATE-----`"),
            ("-----BEGIN CERTIFICATE\nAAAA\n", "no section begins with `-----BEGIN CERTIFICATE`"),
        ] {
            assert_eq!(certificates(pem.as_bytes()), Err(told.to_string()));
        }
        assert_eq!(certificates(b"no PEM"), Ok(vec![]));
    }
}
