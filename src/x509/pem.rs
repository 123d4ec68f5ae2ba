//! Certificates out of files as people have them: PEM (RFC 7468) as OpenSSL,
//! Windows and editors leave it, or DER. No certificate is passed over: what
//! looks like one and cannot be taken is told with its line.

mod armour;
mod trust;

use crate::model::text::{escape, one_line};
use armour::{Block, Broken};
use encoding_rs::Encoding;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::Error;
use std::borrow::Cow;
use std::fmt;

/// Most reasons that are kept of one file; the others are counted.
pub const NOT_TAKEN_MAX: usize = 20;

/// A certificate of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCertificate {
    /// The line in which its block begins, from 1; `None` in a file of DER.
    pub line: Option<u64>,
    /// The certificate.
    pub der: CertificateDer<'static>,
    /// Whether the trust data behind it (OpenSSL's `TRUSTED CERTIFICATE`) say
    /// that it vouches for no TLS server.
    pub refuses_servers: bool,
}

/// Why something that looks like a certificate was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// The line in which it begins, from 1; `None` in a file of DER.
    pub line: Option<u64>,
    /// What is wrong, on one line of bounded length.
    pub what: String,
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for NotTaken {}

/// All that a file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFile {
    /// The certificates, in their order.
    pub certificates: Vec<FileCertificate>,
    /// What was not taken, in its order; the first [`NOT_TAKEN_MAX`].
    pub not_taken: Vec<NotTaken>,
    /// How much was not taken in all.
    pub not_taken_count: usize,
}

impl CertificateFile {
    /// Reads a file: PEM in UTF-8, or in UTF-16 with a byte order mark; or
    /// certificates as DER, one behind another. Whatever else stands in a PEM
    /// file (keys, revocation lists, comments) is passed over.
    pub fn read(file: &[u8]) -> Self {
        let mut found = Self::default();
        if is_der(file) {
            found.take_der(file, None);
            return found;
        }
        for block in armour::blocks(&text(file)) {
            match block {
                Ok(Block { line, der }) => found.take_one(&der, line),
                Err(Broken { line, what }) => found.refuse(Some(line), &what),
            }
        }
        found
    }

    fn take_one(&mut self, bytes: &[u8], line: u64) {
        let (der, behind) = trust::first_element(bytes);
        match trust::refuses_servers(behind) {
            Ok(refuses_servers) => self.push(der, Some(line), refuses_servers),
            Err(what) => self.refuse(Some(line), what),
        }
    }

    fn take_der(&mut self, file: &[u8], line: Option<u64>) {
        let mut rest = file;
        while !rest.is_empty() {
            let (der, behind) = trust::first_element(rest);
            let (data, next) = trust::first_element(behind);
            // Trust data, or the next certificate.
            match trust::refuses_servers(data) {
                Ok(refuses_servers) if !data.is_empty() => {
                    self.push(der, line, refuses_servers);
                    rest = next;
                }
                _ => {
                    self.push(der, line, false);
                    rest = behind;
                }
            }
        }
    }

    fn push(&mut self, der: &[u8], line: Option<u64>, refuses_servers: bool) {
        let der = CertificateDer::from(der.to_vec());
        self.certificates.push(FileCertificate { line, der, refuses_servers });
    }

    fn refuse(&mut self, line: Option<u64>, what: &str) {
        self.not_taken_count += 1;
        if self.not_taken.len() < NOT_TAKEN_MAX {
            self.not_taken.push(NotTaken { line, what: one_line(what) });
        }
    }
}

/// Every certificate of a file, in its order; none where it has none.
///
/// # Errors
/// The first that was not taken.
pub fn certificates(file: &[u8]) -> Result<Vec<FileCertificate>, NotTaken> {
    let CertificateFile { certificates, not_taken, .. } = CertificateFile::read(file);
    match not_taken.into_iter().next() {
        Some(first) => Err(first),
        None => Ok(certificates),
    }
}

/// Whether a file is DER: a SEQUENCE whose length takes bytes of its own, as
/// that of each certificate does. No text in UTF-8 begins like this.
fn is_der(file: &[u8]) -> bool {
    matches!(file, [0x30, 0x80..=0x84, ..])
}

/// The file as UTF-8, by its byte order mark.
fn text(file: &[u8]) -> Cow<'_, [u8]> {
    match Encoding::for_bom(file) {
        Some((encoding, mark_bytes)) => {
            let body = file.get(mark_bytes..).unwrap_or_default();
            if encoding == encoding_rs::UTF_8 {
                return Cow::Borrowed(body);
            }
            Cow::Owned(encoding.decode_without_bom_handling(body).0.into_owned().into_bytes())
        }
        None => Cow::Borrowed(file),
    }
}

/// What is wrong with a PEM text, on one line of bounded length: rustls's
/// types tell it as a list of numbers.
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
#[path = "pem/tests.rs"]
mod tests;
