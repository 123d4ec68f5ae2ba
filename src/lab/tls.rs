//! TLS as a scenario wants it: a rustls configuration for each server.

use super::error::LabError;
use super::pki::{self, CertificateAndKey, LeafKey, Pki};
use super::signer::Signer;
use super::tls_table::{Certificate, ClientAuth, Tls};
use crate::model::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use quick_cache::sync::Cache;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoClientAuth, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::fmt;
use std::sync::Arc;

/// Certificates kept ready for one server; beyond that they are made again.
const CERTIFICATES_MAX: usize = 20_000;

/// An OCSPResponse of status `tryLater` (RFC 6960 §4.2.1): the least there is.
const OCSP_TRY_LATER: &[u8] = &[0x30, 0x03, 0x0a, 0x01, 0x03];

/// The configuration of a server that shows these certificates.
pub(super) fn server_config(
    spec: &Tls,
    pki: &Pki,
    certificates: Arc<ServerCertificates>,
) -> Result<Arc<ServerConfig>, LabError> {
    let provider = Arc::new(provider(spec)?);
    let versions = named(&spec.versions, rustls::ALL_VERSIONS, |version: &&SupportedProtocolVersion| {
        ProtocolVersion(version.version.into()).name()
    })?;
    let verifier = client_verifier(spec.client_auth, pki, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(certificates);
    config.ignore_client_order = true;
    config.send_tls13_tickets = spec.tickets;
    // For what is sealed by hand.
    config.enable_secret_extraction = true;
    if spec.tickets == 0 || spec.stateless {
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    if spec.stateless {
        config.ticketer = aws_lc_rs::Ticketer::new()?;
    }
    Ok(Arc::new(config))
}

fn provider(spec: &Tls) -> Result<CryptoProvider, LabError> {
    let cipher_suites =
        named(&spec.suites, aws_lc_rs::ALL_CIPHER_SUITES, |suite| CipherSuite(suite.suite().into()).name())?;
    let kx_groups =
        named(&spec.groups, aws_lc_rs::ALL_KX_GROUPS, |group| NamedGroup(group.name().into()).name())?;
    Ok(CryptoProvider { cipher_suites, kx_groups, ..aws_lc_rs::default_provider() })
}

/// What the names stand for, in their order.
fn named<T: Copy, N: AsRef<str>>(
    names: &[String],
    known: &[T],
    name_of: impl Fn(&T) -> N,
) -> Result<Vec<T>, LabError> {
    let find = |name: &String| {
        let found = known.iter().find(|item| name_of(item).as_ref() == name);
        found.copied().ok_or_else(|| rustls::Error::General(format!("{name} is not supported")).into())
    };
    names.iter().map(find).collect()
}

fn client_verifier(
    auth: ClientAuth,
    pki: &Pki,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, LabError> {
    if auth == ClientAuth::None {
        return Ok(Arc::new(NoClientAuth));
    }
    let mut roots = RootCertStore::empty();
    roots.add(pki.root().clone())?;
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let builder = match auth {
        ClientAuth::Requested => builder.allow_unauthenticated(),
        ClientAuth::None | ClientAuth::Required => builder,
    };
    builder.build().map_err(|cause| rustls::Error::General(cause.to_string()).into())
}

/// What one certificate differs from another in: the names it carries.
type CertificateNames = (Vec<String>, Option<String>);

/// The certificates of one server, each made at the first handshake for a
/// name that it covers.
pub(super) struct ServerCertificates {
    pki: Arc<Pki>,
    host: String,
    named: (Certificate, LeafKey),
    unnamed: Option<(Certificate, LeafKey)>,
    odd: Option<(Vec<String>, (Certificate, LeafKey))>,
    ocsp: bool,
    ready: Cache<CertificateNames, Arc<CertifiedKey>>,
}

impl ServerCertificates {
    /// `host` is the name that the server goes by where the client sends none.
    pub(super) fn new(spec: &Tls, host: &str, pki: &Arc<Pki>) -> Result<Self, LabError> {
        let with_key = |certificate: &Certificate| -> Result<_, LabError> {
            let key = LeafKey::new(certificate.key)?.signing(certificate.key, spec.handshake_signature)?;
            Ok((certificate.clone(), key))
        };
        let certificates = Self {
            pki: pki.clone(),
            host: host.to_string(),
            named: with_key(&spec.certificate)?,
            unnamed: spec.without_sni.as_ref().map(with_key).transpose()?,
            odd: spec
                .odd_names
                .as_ref()
                .map(|odd| Ok::<_, LabError>((odd.begin.clone(), with_key(&odd.certificate)?)))
                .transpose()?,
            ocsp: spec.ocsp,
            ready: Cache::new(CERTIFICATES_MAX),
        };
        // What cannot be made is found out now and not in a handshake.
        certificates.make(&certificates.named, host)?;
        if let Some(unnamed) = &certificates.unnamed {
            certificates.make(unnamed, host)?;
        }
        Ok(certificates)
    }

    fn make(&self, (spec, key): &(Certificate, LeafKey), host: &str) -> Result<Arc<CertifiedKey>, LabError> {
        let chain = self.pki.chain(spec, key, host)?.iter().map(|der| der.to_vec()).collect();
        let chain = spec.form.spoil(chain).into_iter().map(CertificateDer::from).collect();
        let mut certified = CertifiedKey::new(chain, key.signer.to_library());
        certified.ocsp = self.ocsp.then(|| OCSP_TRY_LATER.to_vec());
        Ok(Arc::new(certified))
    }
}

impl ServerCertificates {
    /// What signs for a client that asks for `name`.
    pub(super) fn signer(&self, name: Option<&str>) -> &Signer {
        let (_, key) = match name {
            Some(_) => &self.named,
            None => self.unnamed.as_ref().unwrap_or(&self.named),
        };
        &key.signer
    }

    /// The certificate for a client that asks for `name`.
    pub(super) fn for_name(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = name else {
            return self.make(self.unnamed.as_ref().unwrap_or(&self.named), &self.host).ok();
        };
        if let Some((begin, odd)) = &self.odd
            && begin.iter().any(|begin| name.starts_with(begin))
        {
            return self.make(odd, name).ok();
        }
        let names = pki::names(&self.named.0, name);
        self.ready.get_or_insert_with(&names, || self.make(&self.named, name)).ok()
    }
}

/// What TLSA records are made from.
impl ServerCertificates {
    /// The leaf that a client is shown that asks for `name`.
    pub(super) fn leaf(&self, name: &str) -> Result<CertificateAndKey, LabError> {
        let (_, key) = &self.named;
        let shown = self.for_name(Some(name));
        let leaf = shown.as_ref().and_then(|shown| shown.cert.first());
        let certificate = leaf.ok_or(rcgen::Error::CouldNotParseCertificate)?.to_vec();
        Ok(CertificateAndKey { certificate, key: key.public_key_info() })
    }

    /// What signed it: itself, where no authority did.
    pub(super) fn issuer(&self, name: &str) -> Result<CertificateAndKey, LabError> {
        self.pki.issuer(&self.named.0).map_or_else(|| self.leaf(name), Ok)
    }

    /// The root above.
    pub(super) fn root(&self, name: &str) -> Result<CertificateAndKey, LabError> {
        self.pki.root_above(&self.named.0).map_or_else(|| self.leaf(name), Ok)
    }

    /// A certificate that nobody shows.
    pub(super) fn unrelated(&self) -> &CertificateAndKey {
        self.pki.unrelated()
    }
}

impl ResolvesServerCert for ServerCertificates {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.for_name(client_hello.server_name())
    }
}

impl fmt::Debug for ServerCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("host", &self.host).finish_non_exhaustive()
    }
}
