//! What OpenSSL writes behind a certificate under the label `TRUSTED
//! CERTIFICATE`: for what it is trusted, and for what not (`X509_CERT_AUX` in
//! OpenSSL's `x509.h`; x509(1), `-addtrust` and `-addreject`).

use x509_cert::der::asn1::{ContextSpecific, ObjectIdentifier, OctetStringRef, Utf8StringRef};
use x509_cert::der::{AnyRef, Decode, Reader, Result, SliceReader, TagNumber};

/// id-kp-serverAuth and anyExtendedKeyUsage (RFC 5280 §4.2.1.12).
const SERVERS: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"), ObjectIdentifier::new_unwrap("2.5.29.37.0")];

/// The first element of DER, and what follows it; `None` where it is none, or
/// not whole.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let element = SliceReader::new(bytes).and_then(|mut reader| reader.tlv_bytes()).ok()?;
    bytes.split_at_checked(element.len())
}

/// The same; all of it where it is none.
pub(super) fn first_element(bytes: &[u8]) -> (&[u8], &[u8]) {
    split(bytes).unwrap_or((bytes, &[]))
}

/// Whether trust data say that a certificate vouches for no TLS server: they
/// refuse it that, or name other uses only, as OpenSSL takes them for
/// `-purpose sslserver`. No data refuse nothing.
///
/// # Errors
/// Something else stands behind the certificate.
pub(super) fn refuses_servers(data: &[u8]) -> std::result::Result<bool, &'static str> {
    if data.is_empty() {
        return Ok(false);
    }
    let uses = Uses::from_der(data).map_err(|_| "bytes behind the certificate that are no trust data")?;
    let names_servers = |uses: &[ObjectIdentifier]| uses.iter().any(|oid| SERVERS.contains(oid));
    let refused = uses.refused.is_some_and(|refused| names_servers(&refused));
    Ok(refused || uses.trusted.is_some_and(|trusted| !names_servers(&trusted)))
}

/// The uses that the data name.
struct Uses {
    trusted: Option<Vec<ObjectIdentifier>>,
    refused: Option<Vec<ObjectIdentifier>>,
}

impl<'a> Decode<'a> for Uses {
    fn decode<R: Reader<'a>>(reader: &mut R) -> Result<Self> {
        reader.sequence(|data| {
            let trusted = Option::decode(data)?;
            let refused = ContextSpecific::decode_implicit(data, TagNumber::N0)?;
            let _alias: Option<Utf8StringRef<'a>> = Option::decode(data)?;
            let _key_id: Option<OctetStringRef<'a>> = Option::decode(data)?;
            let _other: Option<ContextSpecific<Vec<AnyRef<'a>>>> =
                ContextSpecific::decode_implicit(data, TagNumber::N1)?;
            Ok(Self { trusted, refused: refused.map(|field| field.value) })
        })
    }
}
