//! What a server says in clear after its hello, up to TLS 1.2: certificates,
//! its side of the key exchange, and whether it asks for a certificate.

use super::server_share::ServerShare;
use super::wire::{Malformed, MessageReader};
use crate::model::observation::CHAIN_CERTIFICATES_MAX;
use crate::model::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use std::sync::Arc;

/// A Certificate message (RFC 8446 §4.4.2, RFC 5246 §7.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateMessage {
    /// Certificates as DER, leaf first, at most [`CHAIN_CERTIFICATES_MAX`].
    pub certificates: Vec<Arc<[u8]>>,
    /// Certificates beyond the limit, not kept.
    pub excess: usize,
}

impl CertificateMessage {
    /// Reads the body of the message in its form up to TLS 1.2. What is in
    /// the certificates is not looked at.
    ///
    /// # Errors
    /// Where a length leads out of the message or bytes are left over.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new("Certificate", body);
        let mut list = reader.vector(3)?;
        reader.finish()?;
        let mut chain = Self::default();
        while !list.is_empty() {
            let der = list.vector(3)?.remaining();
            if chain.certificates.len() < CHAIN_CERTIFICATES_MAX {
                chain.certificates.push(der.into());
            } else {
                chain.excess += 1;
            }
        }
        Ok(chain)
    }
}

/// What the keys are agreed upon with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyExchange {
    /// A group by name.
    Group(NamedGroup),
    /// A curve written out, which no client should take (RFC 8422 §5.4).
    ExplicitCurve,
    /// Diffie-Hellman with a prime of the server's.
    Dh {
        /// Its length.
        prime_bits: usize,
    },
    /// A short RSA key for one session, of the export suites.
    ExportRsa {
        /// Its length.
        modulus_bits: usize,
    },
    /// Something that is not read: pre-shared keys, passwords, unknown suites.
    Other,
}

impl KeyExchange {
    fn of(share: &ServerShare) -> Self {
        match share {
            ServerShare::Group { group, .. } => Self::Group(*group),
            ServerShare::Dh { prime, .. } => Self::Dh { prime_bits: bits(prime) },
            ServerShare::ExportRsa { modulus, .. } => Self::ExportRsa { modulus_bits: bits(modulus) },
        }
    }
}

/// The ServerKeyExchange message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// What the keys are agreed upon with.
    pub key_exchange: KeyExchange,
    /// The public value; `None` where it was not read.
    pub share: Option<ServerShare>,
    /// The server's signature; `None` where the suite has none, or it was not
    /// read because what stands before it was not.
    pub signed: Option<SignedParams>,
}

/// What the server signs of its key exchange, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedParams {
    /// The parameters as they stand in the message. The signature is over both
    /// randoms and these (RFC 5246 §7.4.3).
    pub params: Box<[u8]>,
    /// The scheme; older versions than TLS 1.2 leave it to the kind of key.
    pub scheme: Option<SignatureScheme>,
    /// The bytes of the signature over both randoms and the parameters.
    pub signature: Box<[u8]>,
}

impl SignedParams {
    /// What the signature is over.
    pub fn message(&self, client_random: &[u8; 32], server_random: &[u8; 32]) -> Vec<u8> {
        [client_random, server_random, &*self.params].concat()
    }
}

/// The form of the message, by the suite's key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyExchangeForm {
    Ecdh,
    Dh,
    ExportRsa,
    Other,
}

/// Form, whether a hint for pre-shared keys stands before it (RFC 4279 §2),
/// and whether a signature follows. The names of the suites say it.
pub(super) fn form(suite: CipherSuite) -> (KeyExchangeForm, bool, bool) {
    let name = suite.name();
    let method = name.split_once("_WITH_").map_or("", |(method, _)| method);
    match method {
        "TLS_ECDHE_RSA" | "TLS_ECDHE_ECDSA" => (KeyExchangeForm::Ecdh, false, true),
        "TLS_ECDH_anon" => (KeyExchangeForm::Ecdh, false, false),
        "TLS_ECDHE_PSK" => (KeyExchangeForm::Ecdh, true, false),
        "TLS_DH_anon" | "TLS_DH_anon_EXPORT" => (KeyExchangeForm::Dh, false, false),
        "TLS_DHE_PSK" | "TLS_PSK_DHE" => (KeyExchangeForm::Dh, true, false),
        _ if method.starts_with("TLS_DHE_RSA") || method.starts_with("TLS_DHE_DSS") => {
            (KeyExchangeForm::Dh, false, true)
        }
        _ if method.starts_with("TLS_RSA_EXPORT") => (KeyExchangeForm::ExportRsa, false, true),
        _ => (KeyExchangeForm::Other, false, false),
    }
}

impl ServerKeyExchange {
    /// Reads the body of the message, whose form depends on version and suite
    /// (RFC 5246 §7.4.3, RFC 8422 §5.4).
    ///
    /// # Errors
    /// Where a length leads out of the message or bytes are left over.
    pub fn decode(body: &[u8], version: ProtocolVersion, suite: CipherSuite) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new("ServerKeyExchange", body);
        let (form, hint, signed) = form(suite);
        if hint {
            reader.vector(2)?;
        }
        let share = match form {
            KeyExchangeForm::Ecdh => read_curve(&mut reader)?,
            KeyExchangeForm::Dh => {
                let [prime, generator, public] =
                    [reader.vector(2)?, reader.vector(2)?, reader.vector(2)?].map(MessageReader::to_vec);
                Some(ServerShare::Dh { prime, generator, public })
            }
            KeyExchangeForm::ExportRsa => {
                let [modulus, exponent] = [reader.vector(2)?, reader.vector(2)?].map(MessageReader::to_vec);
                Some(ServerShare::ExportRsa { modulus, exponent })
            }
            KeyExchangeForm::Other => {
                return Ok(Self { key_exchange: KeyExchange::Other, share: None, signed: None });
            }
        };
        let Some(share) = share else {
            return Ok(Self { key_exchange: KeyExchange::ExplicitCurve, share: None, signed: None });
        };
        let key_exchange = KeyExchange::of(&share);
        let params = body.get(..body.len() - reader.len()).unwrap_or_default();
        let signed = if signed { Some(read_signature(&mut reader, params, version)?) } else { None };
        reader.finish()?;
        Ok(Self { key_exchange, share: Some(share), signed })
    }
}

/// The signature behind the parameters.
fn read_signature(
    reader: &mut MessageReader<'_>,
    params: &[u8],
    version: ProtocolVersion,
) -> Result<SignedParams, Malformed> {
    let named = version >= ProtocolVersion::TLS12;
    let scheme = if named { Some(SignatureScheme(reader.u16()?)) } else { None };
    let signature = reader.vector(2)?.remaining().into();
    Ok(SignedParams { params: params.into(), scheme, signature })
}

/// Curve and point; `None` for a curve that is written out, of which nothing
/// more is read.
fn read_curve(reader: &mut MessageReader<'_>) -> Result<Option<ServerShare>, Malformed> {
    match reader.u8()? {
        1 | 2 => Ok(None),
        3 => {
            let group = NamedGroup(reader.u16()?);
            Ok(Some(ServerShare::Group { group, public: reader.vector(1)?.to_vec() }))
        }
        _ => Err(reader.malformed("the curve is of an unknown kind")),
    }
}

/// Length of a number in bits, leading zeros not counted.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let top = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() - zeros) * 8 - top
}

/// The CertificateRequest message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// Kinds of certificates that the server takes.
    pub certificate_types: Vec<u8>,
    /// Signature schemes that it takes, from TLS 1.2 on.
    pub signature_schemes: Vec<SignatureScheme>,
    /// How many authorities it names.
    pub authorities: usize,
}

impl CertificateRequest {
    /// Reads the body of the message in its form up to TLS 1.2.
    ///
    /// # Errors
    /// Where a length leads out of the message or bytes are left over.
    pub fn decode(body: &[u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new("CertificateRequest", body);
        let certificate_types = reader.vector(1)?.remaining().to_vec();
        let signature_schemes = if version >= ProtocolVersion::TLS12 {
            reader.vector(2)?.code_points()?.map(SignatureScheme).collect()
        } else {
            Vec::new()
        };
        let mut names = reader.vector(2)?;
        let mut authorities = 0;
        while !names.is_empty() {
            names.vector(2)?;
            authorities += 1;
        }
        reader.finish()?;
        Ok(Self { certificate_types, signature_schemes, authorities })
    }
}

#[cfg(test)]
#[path = "server_flight_tests.rs"]
mod tests;
