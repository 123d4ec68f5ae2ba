//! The signature over a handshake, by which a server proves that it holds the
//! key of its certificate: whether it holds, does not, or cannot be checked
//! here.
//!
//! Only what no client in the world would take is called failed. Where a key,
//! a curve, a hash or an encoding is beyond the library, that is our limit and
//! is told as such, whether or not the signature is good.

#[path = "handshake/algorithm.rs"]
mod algorithm;
#[path = "handshake/key.rs"]
mod key;
#[path = "handshake/md5_sha1.rs"]
mod md5_sha1;
#[path = "handshake/refusal.rs"]
mod refusal;
#[path = "handshake/shown.rs"]
mod shown;

pub use refusal::SignatureRefusal;
pub use shown::{ShownChain, ShownSignature, check_shown, offered_schemes};

use crate::model::{ProtocolVersion, SignatureScheme};
use algorithm::{Hash, Hashes, SignatureFamily};
use aws_lc_rs::signature::{ParsedPublicKey, RsaPssSaltLength, VerificationAlgorithm};
use key::VerifyingKey;
use md5_sha1::Md5Sha1Key;

/// Schemes that the scanner's own handshake offers, in this order: all that
/// TLS 1.3 and 1.2 have and the library can check.
pub const OFFERED_SCHEMES: [SignatureScheme; 13] = [
    SignatureScheme(0x0503),
    SignatureScheme(0x0403),
    SignatureScheme(0x0603),
    SignatureScheme(0x0807),
    SignatureScheme(0x0806),
    SignatureScheme(0x0805),
    SignatureScheme(0x0804),
    SignatureScheme(0x0601),
    SignatureScheme(0x0501),
    SignatureScheme(0x0401),
    SignatureScheme(0x0904),
    SignatureScheme(0x0905),
    SignatureScheme(0x0906),
];

/// Lengths of a PSS salt, in bytes, that signers use beside that of the digest
/// and the longest that fits: none, and those of other digests.
const USUAL_SALTS: [u16; 5] = [0, 20, 32, 48, 64];

/// Checks the signatures that a server makes in one handshake.
pub struct Verifier<'c> {
    with: With<'c>,
}

enum With<'c> {
    Library(ParsedPublicKey),
    /// The same, where the length of the salt may be the only fault.
    Pss {
        key: ParsedPublicKey,
        der: &'c [u8],
        hash: Hash,
    },
    Md5Sha1(Md5Sha1Key),
}

impl std::fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl<'c> Verifier<'c> {
    /// What checks a signature that is made in this version by the key of
    /// `certificate` under `scheme`; `None` up to TLS 1.1, where the kind of
    /// key says it. `offered` is what the ClientHello offered.
    ///
    /// The key is taken as it stands in the certificate, so that one of a
    /// certificate that is no X.509 v3 is tried, too.
    ///
    /// # Errors
    /// [`SignatureRefusal`], where it is settled whatever the signature is.
    pub fn new(
        certificate: &'c [u8],
        version: ProtocolVersion,
        scheme: Option<SignatureScheme>,
        offered: &[SignatureScheme],
    ) -> Result<Self, SignatureRefusal> {
        let scheme = scheme.filter(|_| version >= ProtocolVersion::TLS12);
        if let Some(scheme) = scheme {
            allowed(version, scheme, offered)?;
        }
        let key = VerifyingKey::of(certificate).ok_or_else(SignatureRefusal::unreadable_key)?;
        if let Some(scheme) = scheme {
            fits(scheme, &key)?;
        }
        if version >= ProtocolVersion::TLS13 {
            algorithm::check_curve(scheme, &key)?;
        }
        let (family, hashes) = match scheme {
            Some(scheme) => algorithm::of_scheme(scheme)?,
            None => algorithm::of_old_key(&key)?,
        };
        Ok(Self { with: With::new(family, hashes, &key)? })
    }

    /// Checks `signature` over `message`.
    ///
    /// # Errors
    /// [`SignatureRefusal`]: it does not hold, or it holds in a way of which it is not
    /// known what clients make of it.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureRefusal> {
        let holds = match &self.with {
            With::Library(key) | With::Pss { key, .. } => key.verify_sig(message, signature).is_ok(),
            With::Md5Sha1(key) => key.verifies(message, signature),
        };
        match &self.with {
            _ if holds => Ok(()),
            With::Pss { der, hash, .. } if has_other_salt(der, *hash, message, signature) => {
                Err(SignatureRefusal::unverifiable(
                    "a PSS signature whose salt is not as long as its digest (RFC 8446 §4.2.3)",
                ))
            }
            _ => {
                Err(SignatureRefusal::failed("the signature does not hold under the key of the certificate"))
            }
        }
    }
}

impl<'c> With<'c> {
    fn new(
        family: SignatureFamily,
        hashes: Hashes,
        key: &VerifyingKey<'c>,
    ) -> Result<Self, SignatureRefusal> {
        let hash = match hashes {
            Hashes::One(hash) => hash,
            Hashes::Md5Sha1 => return Ok(Self::Md5Sha1(Md5Sha1Key::new(key.rsa_within(1024)?)?)),
        };
        let (algorithm, bytes) = algorithm::in_library(family, hash, key)?;
        let parsed = ParsedPublicKey::new(algorithm, bytes).map_err(|_| key.why_rejected())?;
        match key {
            VerifyingKey::Rsa(rsa)
                if matches!(family, SignatureFamily::PssRsae | SignatureFamily::PssPss) =>
            {
                Ok(Self::Pss { key: parsed, der: rsa.der, hash })
            }
            _ => Ok(Self::Library(parsed)),
        }
    }
}

/// Whether a certificate has a key of such a form that a signature which an
/// mxray of before called failed did fail, and was not beyond its verifier.
pub fn has_usual_key(certificate: &[u8]) -> bool {
    VerifyingKey::of(certificate).is_some_and(|key| key.is_usual())
}

/// Whether a signature under this scheme may stand in the handshake at all.
/// TLS 1.3 has done with PKCS#1, SHA-1 and SHA-224 (RFC 8446 §4.4.3).
fn allowed(
    version: ProtocolVersion,
    scheme: SignatureScheme,
    offered: &[SignatureScheme],
) -> Result<(), SignatureRefusal> {
    let [hash, algorithm] = scheme.0.to_be_bytes();
    let old = hash < 4 || hash <= 6 && algorithm != 3;
    if version >= ProtocolVersion::TLS13 && old {
        return Err(SignatureRefusal::failed(format!("signed with {scheme}, which TLS 1.3 does not have")));
    }
    if !offered.contains(&scheme) {
        return Err(SignatureRefusal::NotOffered(format!("signed with {scheme}, which was not offered")));
    }
    Ok(())
}

/// Whether the kind of key is that of the scheme (RFC 8446 §4.2.3, RFC 5246
/// §7.4.3), which needs no library. A kind that is not known here may be it.
fn fits(scheme: SignatureScheme, key: &VerifyingKey<'_>) -> Result<(), SignatureRefusal> {
    match (algorithm::kind_of_key(scheme), key.kind()) {
        (Some(wanted), Some(kind)) if wanted != kind => Err(SignatureRefusal::failed(format!(
            "signed with {scheme}, which is none of a key of {}",
            key.name()
        ))),
        _ => Ok(()),
    }
}

/// Whether only the salt is of another length than clients expect.
fn has_other_salt(der: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let mut lengths = USUAL_SALTS.into_iter().map(RsaPssSaltLength::Custom).chain([RsaPssSaltLength::Max]);
    lengths.any(|salt| {
        let parameters = algorithm::pss(hash).map(|pss| pss.with_pss_salt_length(salt));
        parameters.is_some_and(|parameters| parameters.verify_sig(der, message, signature).is_ok())
    })
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
