//! Certificates for a listener that was given none, and with one fault each for
//! `--behave`. The authority above them is made for the run; whoever wants a sender to
//! see the one fault alone has it trust that authority.

use super::tls::ServerIdentity;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Validity of what is made, in days.
const VALID_DAYS: u32 = 90;
/// The name on a certificate for another host. `invalid` is nobody's (RFC 2606 §2).
const OTHER_NAME: &str = "another-host.invalid";

/// What is wrong with a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafFault {
    /// Nothing.
    None,
    /// It ended yesterday.
    Expired,
    /// It is for another name.
    WrongName,
    /// No authority stands above it.
    SelfSigned,
    /// Nothing, but its key is of ECDSA, for which a sender may offer no suite.
    Ecdsa,
}

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate: {0}")]
pub enum TestCertificateError {
    /// The library did not make it.
    Make(#[from] rcgen::Error),
    /// The library of TLS does not take it.
    Take(#[from] rustls::Error),
}

/// A listener's certificate, and the authority above it.
#[derive(Debug)]
pub struct TestCertificate {
    /// The certificate and its key.
    pub identity: ServerIdentity,
    /// The authority as PEM; `None` above a leaf that signs itself.
    pub authority_pem: Option<String>,
}

/// Makes a certificate for `host` with this fault.
///
/// # Errors
/// Where `host` cannot stand in a certificate.
pub fn test_certificate(host: &str, fault: LeafFault) -> Result<TestCertificate, TestCertificateError> {
    // The suites that Exchange Online publishes for TLS 1.2 all need an RSA key.
    let key = match fault {
        LeafFault::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        _ => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
    };
    let params = leaf(host, fault)?;
    let (certificate, authority_pem) = match fault {
        LeafFault::SelfSigned => (params.self_signed(&key)?, None),
        _ => {
            let (pem, issuer) = authority()?;
            (params.signed_by(&key, &issuer)?, Some(pem))
        }
    };
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let identity = ServerIdentity::new(vec![CertificateDer::from(certificate)], private)?;
    Ok(TestCertificate { identity, authority_pem })
}

fn leaf(host: &str, fault: LeafFault) -> Result<CertificateParams, rcgen::Error> {
    let name = if fault == LeafFault::WrongName { OTHER_NAME } else { host };
    let mut params = CertificateParams::new(vec![name.to_string()])?;
    params.distinguished_name = named(name);
    let to = match fault {
        LeafFault::Expired => SystemTime::now() - DAY,
        _ => SystemTime::now() + DAY * VALID_DAYS,
    };
    params.not_before = (SystemTime::now() - DAY * VALID_DAYS).into();
    params.not_after = to.into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = fault != LeafFault::SelfSigned;
    Ok(params)
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = named("mxray receive, test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = (SystemTime::now() - DAY * VALID_DAYS).into();
    params.not_after = (SystemTime::now() + DAY * VALID_DAYS).into();
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn named(name: &str) -> DistinguishedName {
    let mut told = DistinguishedName::new();
    told.push(DnType::CommonName, name);
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509;

    /// The leaf that is shown, and what openssl's rules make of the fault is the business
    /// of the tests with a real sender.
    #[test]
    fn each_leaf_has_its_one_fault() {
        for (fault, expired, name, algorithm, has_authority) in [
            (LeafFault::None, false, "mx.example", "RSA", true),
            (LeafFault::Expired, true, "mx.example", "RSA", true),
            (LeafFault::WrongName, false, OTHER_NAME, "RSA", true),
            (LeafFault::SelfSigned, false, "mx.example", "RSA", false),
            (LeafFault::Ecdsa, false, "mx.example", "ECDSA", true),
        ] {
            let made = test_certificate("mx.example", fault).unwrap();
            let facts = x509::read(&made.identity.chain()[0]);
            assert_eq!(facts.not_after.unwrap() < jiff::Timestamp::now(), expired, "{fault:?}");
            assert_eq!(facts.dns_names, [name], "{fault:?}");
            assert_eq!(facts.key_algorithm.as_deref(), Some(algorithm), "{fault:?}");
            assert_eq!(made.authority_pem.is_some(), has_authority, "{fault:?}");
            assert_eq!(facts.subject == facts.issuer, !has_authority, "{fault:?}");
        }
    }
}
