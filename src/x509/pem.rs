//! Certificates out of files as people have them: PEM (RFC 7468) as OpenSSL,
//! Windows and editors leave it, DER, or both one behind the other. No
//! certificate is passed over: what looks like one and cannot be taken is told
//! with its place.

mod armour;
mod raw;
mod trust;

use crate::model::text::{escape, one_line};
use armour::{Block, Broken};
use encoding_rs::Encoding;
use raw::{Piece, PieceKind};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::Error;
use std::borrow::Cow;
use std::fmt;

/// Most reasons that are kept of one file; the others are counted.
pub const NOT_TAKEN_MAX: usize = 20;

/// Where in a file something begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FilePosition {
    /// The line of a block of PEM, from 1.
    Line(u64),
    /// The byte at which DER begins, from 0.
    Byte(usize),
}

impl fmt::Display for FilePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilePosition::Line(line) => write!(f, "line {line}"),
            FilePosition::Byte(byte) => write!(f, "byte {byte}"),
        }
    }
}

/// A certificate of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCertificate {
    /// Line or byte at which the certificate begins.
    pub place: FilePosition,
    /// The certificate as it stands there, not yet read.
    pub der: CertificateDer<'static>,
    /// Whether the trust data behind it (OpenSSL's `TRUSTED CERTIFICATE`) say
    /// that it vouches for no TLS server.
    pub refuses_servers: bool,
}

/// Why something that looks like a certificate was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// Line or byte at which it begins.
    pub place: FilePosition,
    /// What is wrong, on one line of bounded length.
    pub what: String,
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
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
    /// Reads a file: PEM in UTF-8, or in UTF-16 with a byte order mark, and
    /// certificates as DER, one behind another. Whatever else stands in a PEM
    /// file (keys, revocation lists, comments) is passed over.
    pub fn read(file: &[u8]) -> Self {
        let mut found = Self::default();
        let (text, is_sound) = text(file);
        if !is_sound {
            found.refuse(FilePosition::Byte(0), "not valid UTF-16, although its byte order mark says so");
        }
        let has_der = raw::is_der(&text) || raw::pieces(&text).any(|piece| piece.kind != PieceKind::Text);
        for piece in raw::pieces(&text) {
            found.take(&piece, has_der);
        }
        found
    }

    fn take(&mut self, piece: &Piece<'_>, has_der: bool) {
        let place = FilePosition::Byte(piece.at);
        match piece.kind {
            PieceKind::Text => self.take_text(piece, has_der),
            PieceKind::Certificate if self.take_trust_data(piece) > 0 => {}
            PieceKind::Certificate => self.push(piece.bytes, place, false),
            PieceKind::Key => {}
            PieceKind::Container(what) => {
                self.refuse(place, &format!("{what} in DER is not read; convert it to PEM with `openssl`"));
            }
            PieceKind::Broken => self.refuse(place, "DER that is not a certificate, or is cut off"),
        }
    }

    fn take_text(&mut self, piece: &Piece<'_>, has_der: bool) {
        let trust_data = self.take_trust_data(piece);
        let text = piece.bytes.get(trust_data..).unwrap_or_default();
        if has_der && !armour::has_boundary(text) {
            // In a file of DER nobody writes comments.
            if !text.trim_ascii().is_empty() {
                self.refuse(
                    FilePosition::Byte(piece.at + trust_data),
                    "neither a certificate in DER nor PEM",
                );
            }
            return;
        }
        for block in armour::blocks(text, piece.line) {
            match block {
                Ok(Block { line, der }) => self.take_block(&der, FilePosition::Line(line)),
                Err(Broken { line, what }) => self.refuse(FilePosition::Line(line), &what),
            }
        }
    }

    /// Trust data right behind a certificate in DER belong to it; how many
    /// bytes they take.
    fn take_trust_data(&mut self, piece: &Piece<'_>) -> usize {
        let Some(last) = self.certificates.last_mut() else { return 0 };
        let FilePosition::Byte(begin) = last.place else { return 0 };
        let (data, _) = trust::first_element(piece.bytes);
        match trust::refuses_servers(data) {
            Ok(refuses_servers) if begin + last.der.len() == piece.at => {
                last.refuses_servers = refuses_servers;
                data.len()
            }
            _ => 0,
        }
    }

    fn take_block(&mut self, bytes: &[u8], place: FilePosition) {
        let (der, behind) = trust::first_element(bytes);
        match trust::refuses_servers(behind) {
            Ok(refuses_servers) => self.push(der, place, refuses_servers),
            Err(what) => self.refuse(place, what),
        }
    }

    fn push(&mut self, der: &[u8], place: FilePosition, refuses_servers: bool) {
        let der = CertificateDer::from(der.to_vec());
        self.certificates.push(FileCertificate { place, der, refuses_servers });
    }

    fn refuse(&mut self, place: FilePosition, what: &str) {
        self.not_taken_count += 1;
        if self.not_taken.len() < NOT_TAKEN_MAX {
            self.not_taken.push(NotTaken { place, what: one_line(what) });
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

/// The file as UTF-8, by its byte order mark, and whether all of it could be
/// read by that.
fn text(file: &[u8]) -> (Cow<'_, [u8]>, bool) {
    match Encoding::for_bom(file) {
        // The mark of UTF-8 stays: places are counted from it.
        Some((encoding, mark_bytes)) if encoding != encoding_rs::UTF_8 => {
            let body = file.get(mark_bytes..).unwrap_or_default();
            let (text, broken) = encoding.decode_without_bom_handling(body);
            (Cow::Owned(text.into_owned().into_bytes()), !broken)
        }
        _ => (Cow::Borrowed(file), true),
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
