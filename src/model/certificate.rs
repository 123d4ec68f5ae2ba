//! What a certificate says, read leniently.

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// A SHA-256 digest; shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Reads 64 hexadecimal digits in either case, with or without colons
    /// between the bytes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let mut digits = text.trim().chars().filter(|character| *character != ':');
        for byte in &mut digest {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Self(digest))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format_args!("no SHA-256: `{text}`")))
    }
}

/// The facts of one certificate (RFC 5280). What could not be read is `None`
/// or empty, and [`CertificateFacts::defect`] says why; the digest is always
/// there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    /// SHA-256 of the whole DER.
    pub sha256: Sha256,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: Option<Sha256>,
    /// X.509 version: 1, 2 or 3.
    pub version: Option<u32>,
    /// Subject distinguished name as text.
    pub subject: Option<String>,
    /// Issuer distinguished name as text.
    pub issuer: Option<String>,
    /// The subject's last common name.
    pub common_name: Option<String>,
    /// dNSName entries of the subject alternative name, lower case.
    pub dns_names: Vec<String>,
    /// iPAddress entries of the subject alternative name.
    pub ip_addresses: Vec<IpAddr>,
    /// Serial number in lower-case hexadecimal.
    pub serial: Option<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity, inclusive.
    pub not_after: Option<Timestamp>,
    /// Public key algorithm: `RSA`, `ECDSA`, `Ed25519`, `Ed448`, `DSA` or an OID.
    pub key_algorithm: Option<String>,
    /// Key size in bits: RSA modulus or curve size.
    pub key_bits: Option<u32>,
    /// Signature algorithm, as `sha256WithRSAEncryption`, or an OID.
    pub signature_algorithm: Option<String>,
    /// Usages of the extended key usage, in its order: `serverAuth`, `clientAuth`,
    /// `anyExtendedKeyUsage`, or an OID. Empty where the extension is absent: the key is
    /// then for any usage (RFC 5280 §4.2.1.12).
    pub extended_key_usages: Vec<String>,
    /// cA flag of the basic constraints.
    pub is_ca: bool,
    /// Whether subject and issuer are the same and the key verifies the
    /// certificate's own signature.
    pub self_signed: bool,
    /// OCSP responders of the authority information access.
    pub ocsp_urls: Vec<String>,
    /// Issuer certificates of the authority information access.
    pub issuer_urls: Vec<String>,
    /// CRL distribution points.
    pub crl_urls: Vec<String>,
    /// Why something above is missing.
    pub defect: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_people_write_it() {
        let digest = Sha256([0xAB; 32]);
        for text in ["ab".repeat(32), "AB".repeat(32), ["aB"; 32].join(":")] {
            assert_eq!(Sha256::parse(&text), Some(digest), "{text}");
        }
        for text in [String::new(), "ab".repeat(31), "ab".repeat(33), "ag".repeat(32), "é".repeat(32)] {
            assert_eq!(Sha256::parse(&text), None, "{text}");
        }
    }
}
