//! The frame of a certificate, read to its last element as TLS clients do (RFC
//! 5280 §4.1): over what each of them stumbles, and over what some do.

use super::der::{DerFault, DerReader, tag};
use std::fmt;

/// A fault, and the field that has it.
pub(super) type Flaw = (DerFault, &'static str);

/// Whether each client ends the handshake over a chain, and why; cheap, for
/// every handshake asks.
pub fn why_broken(leaf: &[u8]) -> Option<String> {
    let flaw = frame(leaf).err().filter(|(fault, _)| *fault == DerFault::Broken)?;
    Some(format!("the certificate is {}", FlawText(flaw)))
}

pub(super) struct FlawText(pub Flaw);

impl fmt::Display for FlawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fault, field) = self.0;
        match fault {
            DerFault::Ber => write!(f, "no DER at {field}"),
            DerFault::Broken => write!(f, "broken at {field}"),
        }
    }
}

/// A frame that holds.
#[derive(Default)]
pub(super) struct Frame {
    /// Over what some clients stumble.
    pub disputed: Option<&'static str>,
    /// Over what OpenSSL does, so that it makes no chain of it.
    pub unread: Option<&'static str>,
}

impl Frame {
    fn dispute(&mut self, if_so: bool, why: &'static str) {
        if if_so {
            self.disputed.get_or_insert(why);
        }
    }

    /// The same, where it is OpenSSL that stumbles.
    fn refuse(&mut self, if_so: bool, why: &'static str) {
        self.dispute(if_so, why);
        if if_so {
            self.unread.get_or_insert(why);
        }
    }

    fn read_tbs(&mut self, mut tbs: DerReader<'_>, outside: &[u8]) -> Result<(), Flaw> {
        let version = read_version(&mut tbs).map_err(at("the version"))?;
        self.dispute(version.is_none(), "the version is written oddly");
        let serial = tbs.element(tag::INTEGER).map_err(at("the serial number"))?;
        self.refuse(!is_integer(serial), "the serial number is no INTEGER");
        let inside = read_algorithm(&mut tbs).map_err(at("the signature algorithm"))?;
        self.dispute(inside != outside, "the two signature algorithms differ");
        self.refuse(!is_oid(inside), "the signature algorithm is no OBJECT IDENTIFIER");
        let text = read_name(&mut tbs).map_err(at("the issuer"))?;
        self.refuse(!text, "the issuer has a value that is no text");
        read_validity(&mut tbs).map_err(at("the validity"))?;
        let text = read_name(&mut tbs).map_err(at("the subject"))?;
        self.refuse(!text, "the subject has a value that is no text");
        let odd = read_key(&mut tbs).map_err(at("the public key"))?;
        self.dispute(odd, "the public key is of odd bits");
        let identified = read_identifiers(&mut tbs).map_err(at("a unique identifier"))?;
        self.dispute(identified && version == Some(0), "a unique identifier in version 1");
        let extended = self.read_extensions(&mut tbs).map_err(at("the extensions"))?;
        self.dispute(extended && version < Some(2), "extensions before version 3");
        tbs.finish().map_err(at("what follows the fields"))
    }

    /// Whether there are any. What is in one is looked at by
    /// [`grammar`](super::grammar).
    fn read_extensions(&mut self, tbs: &mut DerReader<'_>) -> Result<bool, DerFault> {
        let Some(explicit) = tbs.optional(tag::constructed(3))? else { return Ok(false) };
        let mut explicit = DerReader::new(explicit);
        let mut list = explicit.inside(tag::SEQUENCE)?;
        self.refuse(!explicit.is_empty(), "something follows the extensions");
        while !list.is_empty() {
            let mut extension = list.inside(tag::SEQUENCE)?;
            let oid = read_oid(&mut extension)?;
            self.refuse(!is_oid(oid), "an extension is named by no OBJECT IDENTIFIER");
            let critical = extension.optional(tag::BOOLEAN)?;
            self.refuse(critical.is_some_and(|it| it.len() != 1), "a criticality is no BOOLEAN");
            extension.element(tag::OCTET_STRING)?;
            extension.finish()?;
        }
        Ok(true)
    }
}

fn at(field: &'static str) -> impl Fn(DerFault) -> Flaw {
    move |fault| (fault, field)
}

/// Reads a certificate as far as every client does.
pub(super) fn frame(der: &[u8]) -> Result<Frame, Flaw> {
    let mut outside = DerReader::new(der);
    let mut certificate = outside.inside(tag::SEQUENCE).map_err(at("the whole"))?;
    outside.finish().map_err(at("what follows the certificate"))?;
    let tbs = certificate.inside(tag::SEQUENCE).map_err(at("tbsCertificate"))?;
    let algorithm = read_algorithm(&mut certificate).map_err(at("the signature algorithm"))?;
    let signature = certificate.element(tag::BIT_STRING).map_err(at("the signature"))?;
    certificate.finish().map_err(at("what follows the signature"))?;
    let mut frame = Frame::default();
    frame.refuse(!matches!(signature, [0..=7, ..]), "the signature is no BIT STRING");
    frame.read_tbs(tbs, algorithm)?;
    Ok(frame)
}

/// The number, 0 for version 1; `None` where it is written as DER does not.
fn read_version(tbs: &mut DerReader<'_>) -> Result<Option<u8>, DerFault> {
    let Some(explicit) = tbs.optional(tag::constructed(0))? else { return Ok(Some(0)) };
    let mut explicit = DerReader::new(explicit);
    match explicit.element(tag::INTEGER)? {
        [] => Err(DerFault::Broken),
        [number] if explicit.is_empty() => Ok(Some(*number)),
        _ => Ok(None),
    }
}

/// The OID of the algorithm.
fn read_algorithm<'a>(reader: &mut DerReader<'a>) -> Result<&'a [u8], DerFault> {
    let mut inside = reader.inside(tag::SEQUENCE)?;
    let oid = read_oid(&mut inside)?;
    if !inside.is_empty() {
        inside.any()?;
    }
    inside.finish()?;
    Ok(oid)
}

/// An OBJECT IDENTIFIER; NSS takes any that is not empty.
fn read_oid<'a>(reader: &mut DerReader<'a>) -> Result<&'a [u8], DerFault> {
    let oid = reader.element(tag::OID)?;
    if oid.is_empty() { Err(DerFault::Broken) } else { Ok(oid) }
}

/// Whether each arc of an OID ends, and has no zeros before it (X.690 §8.19.2).
fn is_oid(content: &[u8]) -> bool {
    let begins = |place: usize| place.checked_sub(1).is_none_or(|before| content.get(before) < Some(&0x80));
    let padded = (0..content.len()).any(|place| begins(place) && content.get(place) == Some(&0x80));
    content.last().is_some_and(|last| *last < 0x80) && !padded
}

/// A Name; whether its values are such as OpenSSL takes for text.
pub(super) fn read_name(reader: &mut DerReader<'_>) -> Result<bool, DerFault> {
    let mut name = reader.inside(tag::SEQUENCE)?;
    let mut text = true;
    while !name.is_empty() {
        let mut relative = name.inside(tag::SET)?;
        while !relative.is_empty() {
            let mut attribute = relative.inside(tag::SEQUENCE)?;
            text &= is_oid(read_oid(&mut attribute)?);
            let (kind, value) = attribute.any()?;
            text &= is_text(kind, value);
            attribute.finish()?;
        }
    }
    Ok(text)
}

/// Whether OpenSSL takes a value for one of a name (`B_ASN1_PRINTABLE`).
fn is_text(kind: u8, value: &[u8]) -> bool {
    match kind {
        // UTF8String, UniversalString, BMPString.
        0x0c => std::str::from_utf8(value).is_ok(),
        0x1c => value.len().is_multiple_of(4),
        0x1e => value.len().is_multiple_of(2),
        // Strings of other kinds, and what has no kind of its own there.
        0x03 | 0x07..=0x09 | 0x0b | 0x0d..=0x0f | 0x12..=0x14 | 0x16 | 0x1d | 0x30 => true,
        _ => false,
    }
}

fn read_validity(tbs: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut validity = tbs.inside(tag::SEQUENCE)?;
    for _ in 0..2 {
        let (kind, _) = validity.any()?;
        if !matches!(kind, tag::UTC_TIME | tag::GENERALIZED_TIME) {
            return Err(DerFault::Broken);
        }
    }
    validity.finish()
}

/// Whether the key is not of whole bytes.
fn read_key(tbs: &mut DerReader<'_>) -> Result<bool, DerFault> {
    let mut info = tbs.inside(tag::SEQUENCE)?;
    read_algorithm(&mut info)?;
    let bits = info.element(tag::BIT_STRING)?;
    info.finish()?;
    Ok(bits.first() != Some(&0))
}

/// Whether there is any.
fn read_identifiers(tbs: &mut DerReader<'_>) -> Result<bool, DerFault> {
    let issuer = tbs.optional(tag::primitive(1))?;
    let subject = tbs.optional(tag::primitive(2))?;
    Ok(issuer.is_some() || subject.is_some())
}

/// Whether the content of an INTEGER is as short as it can be (X.690 §8.3.2).
pub(super) fn is_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0, next, ..] => *next >= 0x80,
        [0xff, next, ..] => *next < 0x80,
        _ => true,
    }
}
