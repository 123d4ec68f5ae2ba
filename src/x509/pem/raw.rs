//! A file cut into text, which may hold PEM, and DER, wherever in it they
//! stand: people join files of both kinds (`cat a.pem b.der`).

use super::armour::line_ends;
use super::trust::split;
use crate::x509::der::tag::BIT_STRING;
use x509_cert::der::{AnyRef, Decode};

/// A stretch of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) kind: PieceKind,
    pub(super) bytes: &'a [u8],
    /// Where in the file it begins, in bytes.
    pub(super) at: usize,
    /// The line in which it begins, from 1.
    pub(super) line: u64,
}

/// What a stretch looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// All that is not DER.
    Text,
    /// One element of DER, a SEQUENCE that begins with another, as that of
    /// each certificate does.
    Certificate,
    /// One element of DER, a private key (PKCS #1, PKCS #8, RFC 5915).
    Key,
    /// One element of DER that may hold certificates in a form that is not
    /// read here; what it is.
    Container(&'static str),
    /// It begins as a certificate in DER and is none, or is cut off.
    Broken,
}

/// contentType of PKCS #7 and CMS as DER, but for its last arc (RFC 5652 §3).
const PKCS7: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// The version of PKCS #12 (RFC 7292 §4).
const PKCS12: &[u8] = &[0x02, 0x01, 0x03];

/// What PEM begins with.
const PEM_BEGIN: &[u8] = b"-----BEGIN ";

/// Whether a file begins as DER: a SEQUENCE whose length takes bytes of its
/// own. No text in UTF-8 does.
pub(super) fn is_der(file: &[u8]) -> bool {
    matches!(file, [0x30, 0x80..=0x84, ..])
}

/// The stretches of a file in their order; together they are the file.
pub(super) fn pieces(file: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    Pieces { file, at: 0, line: 1 }
}

struct Pieces<'a> {
    file: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.file.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = match kind(rest) {
            None => (PieceKind::Text, text_bytes(rest)),
            Some(kind) => match split(rest) {
                Some((element, _)) if kind != PieceKind::Certificate || is_framed(element) => {
                    (kind, element.len())
                }
                _ => (PieceKind::Broken, broken_bytes(rest)),
            },
        };
        let bytes = rest.get(..length)?;
        let piece = Piece { kind, bytes, at: self.at, line: self.line };
        self.at += length;
        self.line += line_ends(bytes);
        Some(piece)
    }
}

/// What the element would be that begins here, if one does.
fn kind(bytes: &[u8]) -> Option<PieceKind> {
    let [0x30, length @ 0x81..=0x84, ..] = bytes else { return None };
    let content = bytes.get(2 + usize::from(length & 0x7f)..)?;
    match content {
        [0x30, ..] => Some(PieceKind::Certificate),
        _ if content.starts_with(PKCS7) => Some(PieceKind::Container("PKCS #7")),
        _ if content.starts_with(PKCS12) => Some(PieceKind::Container("PKCS #12")),
        [0x02, 0x01, 0x00 | 0x01, ..] => Some(PieceKind::Key),
        _ => None,
    }
}

/// Whether an element has the three parts of a certificate (RFC 5280 §4.1). One
/// that is cut off may have taken in what stands behind it.
fn is_framed(element: &[u8]) -> bool {
    let parts = || {
        let content = AnyRef::from_der(element).ok()?.value();
        let (_, rest) = split(content)?;
        let (_, rest) = split(rest)?;
        let (signature, rest) = split(rest)?;
        Some(signature.first() == Some(&BIT_STRING) && rest.is_empty())
    };
    parts().unwrap_or(false)
}

/// How far it is to the next DER.
fn text_bytes(rest: &[u8]) -> usize {
    let next = (1..rest.len()).find(|at| rest.get(*at..).is_some_and(|rest| kind(rest).is_some()));
    next.unwrap_or(rest.len())
}

/// How far it is to the next PEM: where one DER ends that is broken is not
/// known.
fn broken_bytes(rest: &[u8]) -> usize {
    rest.windows(PEM_BEGIN.len()).position(|part| part == PEM_BEGIN).unwrap_or(rest.len())
}
