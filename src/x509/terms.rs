//! What a certificate says of its own use: dates, whether it may issue, for
//! what its key may serve, and whose key signed it (RFC 5280 §4.2.1).

use super::defects::Defects;
use super::extensions::ExtensionList;
use super::fields::{CertificateFields, Cursor, time};
use super::form::{CertificateForm, FrameForm};
use super::oid::dotted;
use super::{grammar, key};
use jiff::Timestamp;
use x509_cert::der::Decode;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{ExtendedKeyUsage, FromDer, KeyUsage, ParsedExtension, X509Extension};

/// The extensions that are read here, by the last arc of their OIDs under
/// `id-ce`. One that cannot be read, or that
/// stands twice, leaves open what the certificate may be used for.
const READ: [(u8, &str); 8] = [
    (14, "subject key identifier"),
    (15, "key usage"),
    (17, "subject alternative name"),
    (19, "basic constraints"),
    (30, "name constraints"),
    (31, "CRL distribution points"),
    (35, "authority key identifier"),
    (37, "extended key usage"),
];

/// Extensions that may be critical on a root: what OpenSSL processes
/// (`X509_supported_extension`).
const CRITICAL: [&str; 13] = [
    "1.3.6.1.5.5.7.1.14",
    "1.3.6.1.5.5.7.1.7",
    "1.3.6.1.5.5.7.1.8",
    "2.16.840.1.113730.1.1",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.31",
    "2.5.29.32",
    "2.5.29.33",
    "2.5.29.36",
    "2.5.29.37",
];
/// inhibitAnyPolicy, of the same list.
const INHIBIT_ANY_POLICY: &str = "2.5.29.54";

/// Server Gated Crypto of Microsoft and of Netscape: purposes of the days of
/// export ciphers, which OpenSSL takes for server authentication.
const SERVER_GATED_CRYPTO: [&str; 2] = ["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];

/// Basic constraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether it is a CA.
    pub ca: bool,
    /// Most CAs that may follow below it, self-issued ones not counted.
    pub path_len: Option<u32>,
}

/// What a key may do (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// keyCertSign.
    pub signs_certificates: bool,
    /// digitalSignature, keyEncipherment or keyAgreement: what some TLS
    /// handshake needs.
    pub serves_tls: bool,
}

/// What one certificate says of its use; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// 1, 2 or 3.
    pub version: Option<u32>,
    /// Subject and issuer are the same, byte by byte.
    pub self_issued: bool,
    /// notBefore.
    pub not_before: Option<Timestamp>,
    /// notAfter.
    pub not_after: Option<Timestamp>,
    /// The serial number, without the zeros before it.
    pub serial: Option<Vec<u8>>,
    /// Basic constraints (RFC 5280 §4.2.1.9); `None` where there are none.
    pub basic: Option<BasicConstraints>,
    /// Key usage.
    pub key_use: Option<KeyUse>,
    /// Whether the extended key usage allows TLS servers.
    pub server_auth: Option<bool>,
    /// Whether the extended key usage allows TLS clients.
    pub client_auth: Option<bool>,
    /// Subject key identifier.
    pub subject_key: Option<Vec<u8>>,
    /// Key identifier of the issuer.
    pub authority_key: Option<Vec<u8>>,
    /// Serial number of the issuer's certificate, without the zeros before it.
    pub authority_serial: Option<Vec<u8>>,
    /// Whether an extension is critical that nobody knows.
    pub unknown_critical: bool,
    /// What cannot be read, in words: a frame that is none, or the first
    /// extension of the above that is broken or stands twice.
    pub defect: Option<String>,
    /// What the public key is good for.
    pub key: KeyState,
    /// What clients make of its frame.
    pub form: FrameForm,
}

/// Whether a public key can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyState {
    /// As far as can be told.
    #[default]
    Usable,
    /// Algorithm or curve are not known here; which.
    Unknown(String),
    /// It is no key, in words.
    Broken(String),
}

/// Reads the terms of a certificate, leniently, as [`super::read`] does.
pub fn terms(der: &[u8]) -> Terms {
    let fields = CertificateFields::split(der, &mut Defects::default());
    let list = fields.extensions.and_then(ExtensionList::read);
    of(der, &fields, &key::KeyReading::of(fields.public_key), list.as_ref())
}

/// [`terms`] of a certificate whose frame, key and extensions were read.
pub(super) fn of(
    der: &[u8],
    fields: &CertificateFields<'_>,
    key: &key::KeyReading,
    list: Option<&ExtensionList<'_>>,
) -> Terms {
    let mut defects = Defects::default();
    let form = FrameForm::of(der);
    let mut terms = Terms {
        version: fields.version(&mut defects),
        self_issued: fields.subject.is_some() && fields.subject == fields.issuer,
        not_before: fields.not_before.and_then(|raw| time(raw, "notBefore", &mut defects)),
        not_after: fields.not_after.and_then(|raw| time(raw, "notAfter", &mut defects)),
        serial: fields.serial.map(significant),
        ..Terms::default()
    };
    terms.defect = form.why_unread();
    terms.form = form;
    terms.key = fields.public_key.map_or_else(KeyState::default, |info| key_state(info, key));
    let mut seen = [false; READ.len()];
    for extension in list.map_or(&[][..], |list| &list.all) {
        let patched = extension.read.is_none().then(|| with_criticality_of_der(extension.raw)).flatten();
        let patched = patched.as_ref().and_then(|raw| X509Extension::from_der(raw).ok());
        match extension.read.as_ref().or(patched.as_ref().map(|(_, extension)| extension)) {
            Some(extension) => terms.add(extension, &mut seen),
            None => {
                terms.defect.get_or_insert_with(|| "an extension cannot be read".into());
            }
        }
    }
    terms
}

/// An extension whose criticality is TRUE as BER writes it, any byte but 0, as
/// DER does; `None` for every other.
fn with_criticality_of_der(raw: &[u8]) -> Option<Vec<u8>> {
    let mut inside = Cursor(Cursor(raw).universal(Tag::Sequence)?.content);
    inside.universal(Tag::Oid)?;
    let place = raw.len() - inside.0.len();
    match inside.0 {
        [0x01, 0x01, value, ..] if !matches!(value, 0 | 0xff) => {
            let mut patched = raw.to_vec();
            *patched.get_mut(place + 2)? = 0xff;
            Some(patched)
        }
        _ => None,
    }
}

impl Terms {
    /// What clients make of the form of a leaf.
    pub fn form_of_leaf(&self) -> CertificateForm {
        self.form.of_leaf(|| self.unread())
    }

    /// What clients make of it above the leaf. GnuTLS reads none of these in TLS
    /// 1.3, so that they differ at most.
    pub fn form_above_leaf(&self) -> CertificateForm {
        self.form.above_leaf()
    }

    /// What of it some clients cannot read, or take for a fault of form: dates,
    /// and what [`Terms::defect`] tells.
    fn unread(&self) -> Option<String> {
        let dated = self.not_before.is_some() && self.not_after.is_some();
        if dated { self.defect.clone() } else { Some("a date cannot be read".into()) }
    }

    fn add(&mut self, extension: &X509Extension<'_>, seen: &mut [bool; READ.len()]) {
        self.unknown_critical |= extension.critical && !is_known_critical(extension);
        let [0x55, 0x1d, arc] = *extension.oid.as_bytes() else { return };
        let mut read = READ.iter().zip(seen).filter(|((read, _), _)| *read == arc);
        let Some(((_, name), seen)) = read.next() else { return };
        if std::mem::replace(seen, true) {
            self.defect.get_or_insert_with(|| format!("the {name} stands twice"));
        }
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => {
                self.basic =
                    Some(BasicConstraints { ca: constraints.ca, path_len: constraints.path_len_constraint });
            }
            ParsedExtension::KeyUsage(usage) => self.key_use = Some(key_use(usage)),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.server_auth = Some(serves(usage));
                self.client_auth = Some(usage.client_auth);
            }
            ParsedExtension::SubjectKeyIdentifier(key) => self.subject_key = Some(key.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(authority) => {
                self.authority_key = authority.key_identifier.as_ref().map(|key| key.0.to_vec());
                self.authority_serial = authority.authority_cert_serial.map(significant);
            }
            _ => {}
        }
        let unread = matches!(extension.parsed_extension(), ParsedExtension::ParseError { .. });
        if unread || !grammar::fits(arc, extension.value) {
            self.defect.get_or_insert_with(|| format!("the {name} cannot be read"));
        }
    }
}

fn key_state(info: &[u8], reading: &key::KeyReading) -> KeyState {
    match (&reading.key, &reading.defect) {
        (_, Some(defect)) => KeyState::Broken(defect.clone()),
        _ if SubjectPublicKeyInfoRef::from_der(info).is_err() => {
            KeyState::Broken("public key unreadable".into())
        }
        (Some(key::Key { algorithm, bits: None }), None) => KeyState::Unknown(algorithm.clone()),
        _ => KeyState::Usable,
    }
}

fn is_known_critical(extension: &X509Extension<'_>) -> bool {
    let oid = dotted(&extension.oid);
    CRITICAL.contains(&oid.as_str()) || oid == INHIBIT_ANY_POLICY
}

fn key_use(usage: &KeyUsage) -> KeyUse {
    KeyUse {
        signs_certificates: usage.key_cert_sign(),
        serves_tls: usage.digital_signature() || usage.key_encipherment() || usage.key_agreement(),
    }
}

/// Whether a purpose is server authentication. `anyExtendedKeyUsage` is not:
/// neither OpenSSL nor rustls-webpki takes it for one.
fn serves(usage: &ExtendedKeyUsage<'_>) -> bool {
    let gated = |oid: &x509_parser::asn1_rs::Oid<'_>| SERVER_GATED_CRYPTO.contains(&dotted(oid).as_str());
    usage.server_auth || usage.other.iter().any(gated)
}

fn significant(integer: &[u8]) -> Vec<u8> {
    let start = integer.iter().position(|byte| *byte != 0).unwrap_or(integer.len());
    integer.get(start..).unwrap_or_default().to_vec()
}
