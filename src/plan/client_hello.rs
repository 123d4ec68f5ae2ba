//! What the command line says about further hellos and the client certificate.

use super::{UsageError, read_file};
use crate::ask::enumeration::EnumerationPlan;
use crate::ask::step_down::HelloPlan;
use crate::cli::{ClientCertArgs, HelloArgs};
use crate::net::ClientIdentity;
use crate::x509;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// How much to ask of a host.
///
/// # Errors
/// [`UsageError`] if one hello more is wanted and none allowed.
pub(super) fn hello_plan(args: &HelloArgs) -> Result<HelloPlan, UsageError> {
    if args.sender_hello && args.extra_client_hellos == 0 {
        return Err(UsageError("--sender-hello needs --extra-client-hellos of at least 1".into()));
    }
    Ok(HelloPlan { sender_hello: args.sender_hello, hellos_max: args.extra_client_hellos as usize })
}

/// Whether suites and groups are to be enumerated, and how many connections
/// that may cost.
pub(super) fn enumeration_plan(args: &HelloArgs) -> Option<EnumerationPlan> {
    let connections_max = args.enumerate_connections as usize;
    args.enumerate.then(|| EnumerationPlan { connections_max, ..EnumerationPlan::default() })
}

/// Where the text of a private key says that it is encrypted: PKCS #8 (RFC
/// 7468 §11), and what OpenSSL wrote before (RFC 1421 §4.6.1.1).
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];

/// The keys that rustls signs with.
const KEYS: &str = "RSA of 2048 to 8192 bits, ECDSA over P-256, P-384 or P-521, and Ed25519";

/// The certificate to show to servers that ask for one.
///
/// # Errors
/// [`UsageError`] if a file holds none, or the key belongs to another.
pub(super) fn client_identity(args: &ClientCertArgs) -> Result<Option<ClientIdentity>, UsageError> {
    let (Some(cert), Some(key)) = (&args.client_cert, &args.client_key) else { return Ok(None) };
    let (chain, private) = (read_chain("--client-cert", cert)?, read_key("--client-key", key)?);
    let identity = ClientIdentity::new(chain, private).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            told("--client-key", key, &format!("not the key of the certificate in {}", cert.display()))
        }
        rustls::Error::General(_) => {
            told("--client-key", key, &format!("not a usable private key; usable are {KEYS}"))
        }
        error => UsageError(format!("--client-cert {}, --client-key: {error}", cert.display())),
    })?;
    Ok(Some(identity))
}

fn told(option: &str, path: &Path, error: &str) -> UsageError {
    UsageError(format!("{option} {}: {error}", path.display()))
}

/// Certificates of a file, leaf first.
///
/// # Errors
/// [`UsageError`] if it holds none.
pub(super) fn read_chain(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, UsageError> {
    let file = read_file(option, path)?;
    let chain = x509::pem::certificates(&file).map_err(|error| told(option, path, &error.to_string()))?;
    if chain.is_empty() {
        return Err(told(option, path, "it holds no certificate, PEM or DER"));
    }
    Ok(chain.into_iter().map(|certificate| certificate.der).collect())
}

/// The private key of a file.
///
/// # Errors
/// [`UsageError`] if it holds none that can be used.
pub(super) fn read_key(option: &str, path: &Path) -> Result<PrivateKeyDer<'static>, UsageError> {
    let pem = read_file(option, path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let encrypted = ENCRYPTED.iter().any(|mark| pem.windows(mark.len()).any(|part| part == *mark));
        let why = match error {
            _ if encrypted => "it is encrypted; only an unencrypted key can be used".to_string(),
            pem::Error::NoItemsFound => "it holds no PEM private key".to_string(),
            error => format!("not PEM: {}", x509::pem::words(&error)),
        };
        told(option, path, &why)
    })
}
