//! The frame of a certificate, split into its fields without looking into
//! them (RFC 5280 §4.1).

use super::defects::Defects;
use jiff::Timestamp;
use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};
use x509_parser::prelude::ASN1Time;

/// The fields of a certificate; raw DER unless said otherwise. Reading stops
/// where the frame breaks and keeps what came before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CertificateFields<'a> {
    /// What the signature covers.
    pub tbs: Option<&'a [u8]>,
    /// Content of `[0]`, absent in version 1.
    version: Option<&'a [u8]>,
    /// Content of the INTEGER.
    pub serial: Option<&'a [u8]>,
    pub issuer: Option<&'a [u8]>,
    pub not_before: Option<&'a [u8]>,
    pub not_after: Option<&'a [u8]>,
    pub subject: Option<&'a [u8]>,
    pub public_key: Option<&'a [u8]>,
    /// Content of `[3]`.
    pub extensions: Option<&'a [u8]>,
    pub signature_algorithm: Option<&'a [u8]>,
    pub signature: Option<&'a [u8]>,
}

impl<'a> CertificateFields<'a> {
    pub(super) fn split(der: &'a [u8], defects: &mut Defects) -> Self {
        let mut fields = Self::default();
        if let Err(field) = fields.fill(der) {
            defects.note(format_args!("broken at {field}"));
        }
        fields
    }

    fn fill(&mut self, der: &'a [u8]) -> Result<(), &'static str> {
        let mut outside = Cursor(der);
        let mut certificate = Cursor(outside.universal(Tag::Sequence).ok_or("certificate")?.content);
        let tbs = certificate.universal(Tag::Sequence).ok_or("tbsCertificate")?;
        self.tbs = Some(tbs.raw);
        self.signature_algorithm = certificate.universal(Tag::Sequence).map(|element| element.raw);
        self.signature = certificate.universal(Tag::BitString).map(|element| element.raw);
        self.fill_tbs(Cursor(tbs.content))?;
        self.signature_algorithm.ok_or("signatureAlgorithm")?;
        self.signature.ok_or("signatureValue")?;
        if outside.0.is_empty() { Ok(()) } else { Err("what follows the certificate") }
    }

    fn fill_tbs(&mut self, mut tbs: Cursor<'a>) -> Result<(), &'static str> {
        self.version = tbs.tagged(0);
        self.serial = Some(tbs.universal(Tag::Integer).ok_or("serialNumber")?.content);
        tbs.universal(Tag::Sequence).ok_or("signature")?;
        self.issuer = Some(tbs.universal(Tag::Sequence).ok_or("issuer")?.raw);
        let mut validity = Cursor(tbs.universal(Tag::Sequence).ok_or("validity")?.content);
        // A missing date is one that cannot be read; the fields after it can.
        self.not_before = Some(validity.next().map_or(&[], |element| element.raw));
        self.not_after = Some(validity.next().map_or(&[], |element| element.raw));
        self.subject = Some(tbs.universal(Tag::Sequence).ok_or("subject")?.raw);
        self.public_key = Some(tbs.universal(Tag::Sequence).ok_or("subjectPublicKeyInfo")?.raw);
        // Unique identifiers ([1], [2]) are of no use to anybody.
        tbs.tagged(1);
        tbs.tagged(2);
        self.extensions = tbs.tagged(3);
        if tbs.0.is_empty() { Ok(()) } else { Err("what follows subjectPublicKeyInfo") }
    }

    /// Version 1, 2 or 3.
    pub(super) fn version(&self, defects: &mut Defects) -> Option<u32> {
        // Without a public key the frame broke before it could be told
        // whether a version was there.
        self.public_key?;
        let Some(explicit) = self.version else { return Some(1) };
        match Cursor(explicit).universal(Tag::Integer).map(|integer| integer.content) {
            Some([number @ 0..=2]) => Some(u32::from(*number) + 1),
            _ => {
                defects.note("version unknown");
                None
            }
        }
    }
}

/// One DER element.
pub(super) struct Element<'a> {
    pub tag: Tag,
    /// Header and content.
    pub raw: &'a [u8],
    pub content: &'a [u8],
}

/// Elements one after the other.
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<(Element<'a>, Class, &'a [u8])> {
        let (rest, any) = Any::from_der(self.0).ok()?;
        let raw = self.0.get(..self.0.len() - rest.len())?;
        Some((Element { tag: any.tag(), raw, content: any.data }, any.class(), rest))
    }

    /// The next element, if it is of this universal type.
    pub(super) fn universal(&mut self, tag: Tag) -> Option<Element<'a>> {
        let (element, class, rest) = self.peek()?;
        if class != Class::Universal || element.tag != tag {
            return None;
        }
        self.0 = rest;
        Some(element)
    }

    /// Content of the next element, if it has this context-specific tag.
    fn tagged(&mut self, number: u32) -> Option<&'a [u8]> {
        let (element, class, rest) = self.peek()?;
        if class != Class::ContextSpecific || element.tag != Tag(number) {
            return None;
        }
        self.0 = rest;
        Some(element.content)
    }
}

impl<'a> Iterator for Cursor<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (element, _, rest) = self.peek()?;
        self.0 = rest;
        Some(element)
    }
}

/// A date. One later than a [`Timestamp`] can tell is cut to its latest.
pub(super) fn time(raw: &[u8], what: &str, defects: &mut Defects) -> Option<Timestamp> {
    let Ok((_, time)) = ASN1Time::from_der(raw) else {
        defects.note(format_args!("{what} unreadable"));
        return None;
    };
    Some(Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX))
}
