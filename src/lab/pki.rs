//! The certificate authorities of a fleet, and leaves made on demand.

use super::der::{downgrade_to_v1, with_sha1, with_sha224};
use super::error::LabError;
use super::signer::Signer;
use super::tls_table::{
    Certificate, HandshakeSignature, IssuerKind, LeafKeyKind, PurposeKind, Sent, SignatureKind,
};
use super::weak_rsa::WeakRsa;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, RsaKeySize, SanType, SerialNumber, SignatureAlgorithm,
};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const RSA_1024: &[u8] = include_bytes!("../../datasets/lab/pki/rsa-1024.pkcs1.der");
const RSA_2048: &[u8] = include_bytes!("../../datasets/lab/pki/rsa-2048.pkcs8.der");

/// Validity of the certificate authorities to either side of the start of the
/// fleet, in days.
const CA_DAYS: i32 = 3650;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest common name (RFC 5280 §A.1, ub-common-name).
const COMMON_NAME_BYTES_MAX: usize = 64;

/// Three hierarchies of root and intermediate: the lab's own, one whose root is
/// trusted too and has expired, and one whose root nobody trusts.
pub(super) struct Pki {
    lab: Authority,
    lab_odd: OddAuthority,
    expired: Authority,
    stranger: Authority,
    unrelated: CertificateAndKey,
    roots_pem: String,
    start: Duration,
}

/// A certificate and its SubjectPublicKeyInfo, both as DER: what TLSA records
/// are made from.
pub(super) struct CertificateAndKey {
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

struct Authority {
    root: CertificateDer<'static>,
    root_pem: String,
    intermediate: CertificateDer<'static>,
    root_issuer: Issuer<'static, KeyPair>,
    issuer: Issuer<'static, KeyPair>,
}

/// An intermediate CA whose RSA key signs with SHA-1 or SHA-224.
struct OddAuthority {
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    key: WeakRsa,
}

/// A leaf key, shared by all certificates of one server.
pub(super) struct LeafKey {
    pair: Option<KeyPair>,
    public: PublicKey,
    /// What signs handshakes.
    pub signer: Signer,
}

struct PublicKey {
    der: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKey {
    /// Writes the point in hybrid form: both coordinates, and whether the
    /// second is odd (X9.62 §4.3.6).
    fn make_hybrid(&mut self) {
        let odd = self.der.last().is_some_and(|byte| byte & 1 == 1);
        if let Some(form) = self.der.first_mut() {
            *form = if odd { 7 } else { 6 };
        }
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.der
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl LeafKey {
    pub(super) fn new(kind: LeafKeyKind) -> Result<Self, LabError> {
        let pair = match kind {
            LeafKeyKind::EcdsaP256 | LeafKeyKind::EcdsaP256Hybrid => {
                KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?
            }
            LeafKeyKind::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?,
            LeafKeyKind::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519)?,
            LeafKeyKind::Rsa2048 => KeyPair::try_from(RSA_2048)?,
            LeafKeyKind::Rsa1024 => return Self::weak_rsa(),
        };
        let signer = Signer::of_pair(&pair)?;
        let mut public = PublicKey { der: pair.der_bytes().to_vec(), algorithm: pair.algorithm() };
        if kind == LeafKeyKind::EcdsaP256Hybrid {
            public.make_hybrid();
        }
        Ok(Self { pair: Some(pair), public, signer })
    }

    /// The SubjectPublicKeyInfo, as DER.
    pub(super) fn public_key_info(&self) -> Vec<u8> {
        self.public.subject_public_key_info()
    }

    fn weak_rsa() -> Result<Self, LabError> {
        let key = WeakRsa::from_pkcs1(RSA_1024).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
        let public = PublicKey { der: key.public_key().to_vec(), algorithm: &rcgen::PKCS_RSA_SHA256 };
        Ok(Self { pair: None, public, signer: Signer::weak(key) })
    }

    /// The same, with handshakes signed as a scenario has it.
    pub(super) fn signing(self, kind: LeafKeyKind, how: HandshakeSignature) -> Result<Self, LabError> {
        let signer = match (how, kind) {
            (HandshakeSignature::AnotherKey, LeafKeyKind::Rsa2048 | LeafKeyKind::Rsa1024) => {
                let another = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?;
                Signer::of_pair(&another)?
            }
            (HandshakeSignature::AnotherKey, _) => Self::new(kind)?.signer,
            _ => self.signer,
        };
        Ok(Self { signer: signer.signing(how), ..self })
    }
}

impl Pki {
    /// Makes all hierarchies; dates count from `now`.
    pub(super) fn new(now: SystemTime) -> Result<Self, LabError> {
        let start = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let lab = Authority::new("mxray lab", start, CA_DAYS)?;
        let expired = Authority::new("mxray lab expired", start, -1)?;
        let unrelated = Authority::new("mxray lab unrelated", start, CA_DAYS)?;
        Ok(Self {
            unrelated: CertificateAndKey::new(&unrelated.root, unrelated.root_issuer.key()),
            lab_odd: OddAuthority::new(&lab, start)?,
            roots_pem: [lab.root_pem.as_str(), &expired.root_pem].concat(),
            lab,
            expired,
            stranger: Authority::new("mxray lab stranger", start, CA_DAYS)?,
            start,
        })
    }

    /// The lab's root.
    pub(super) fn root(&self) -> &CertificateDer<'static> {
        &self.lab.root
    }

    /// The roots that the lab trusts: its own, and the expired one.
    pub(super) fn roots(&self) -> Vec<CertificateDer<'static>> {
        vec![self.lab.root.clone(), self.expired.root.clone()]
    }

    /// The same as PEM.
    pub(super) fn root_pem(&self) -> &str {
        &self.roots_pem
    }

    /// A certificate for `host` and what is sent with it, leaf first.
    pub(super) fn chain(
        &self,
        spec: &Certificate,
        key: &LeafKey,
        host: &str,
    ) -> Result<Vec<CertificateDer<'static>>, LabError> {
        let (names, common_name) = names(spec, host);
        let params = self.leaf(spec, &names, common_name.as_ref().or(names.first()))?;
        let Some(authority) = self.authority(spec) else {
            let pair = key.pair.as_ref().ok_or(rcgen::Error::KeyGenerationUnavailable)?;
            return Ok(vec![params.self_signed(pair)?.into()]);
        };
        if spec.signature != SignatureKind::Sha256 {
            let odd = &self.lab_odd;
            let leaf = odd.leaf(&params, key, spec.signature)?;
            return Ok(sent(spec.send, leaf, &odd.intermediate, &authority.root));
        }
        let mut leaf: CertificateDer<'static> = params.signed_by(&key.public, &authority.issuer)?.into();
        if spec.version == 1 {
            let sign = |tbs: &[u8]| rcgen::SigningKey::sign(authority.issuer.key(), tbs);
            let v1 = downgrade_to_v1(&leaf, sign).ok_or(rcgen::Error::CouldNotParseCertificate)??;
            leaf = v1.into();
        }
        Ok(sent(spec.send, leaf, &authority.intermediate, &authority.root))
    }

    /// Who signs such leaves; `None`: they do it themselves.
    fn authority(&self, spec: &Certificate) -> Option<&Authority> {
        match spec.issuer {
            IssuerKind::Lab => Some(&self.lab),
            IssuerKind::Expired => Some(&self.expired),
            IssuerKind::Stranger => Some(&self.stranger),
            IssuerKind::Itself => None,
        }
    }

    /// The intermediate CA that signs such leaves, sent or not; `None`: they sign
    /// themselves.
    pub(super) fn issuer(&self, spec: &Certificate) -> Option<CertificateAndKey> {
        let authority = self.authority(spec)?;
        let (certificate, key) = match spec.signature {
            SignatureKind::Sha256 => (&authority.intermediate, authority.issuer.key()),
            SignatureKind::Sha1 | SignatureKind::Sha224 => {
                (&self.lab_odd.intermediate, self.lab_odd.issuer.key())
            }
        };
        Some(CertificateAndKey::new(certificate, key))
    }

    /// The root above it.
    pub(super) fn root_above(&self, spec: &Certificate) -> Option<CertificateAndKey> {
        let authority = self.authority(spec)?;
        Some(CertificateAndKey::new(&authority.root, authority.root_issuer.key()))
    }

    /// A certificate that no server shows.
    pub(super) fn unrelated(&self) -> &CertificateAndKey {
        &self.unrelated
    }

    fn leaf(
        &self,
        spec: &Certificate,
        names: &[String],
        common_name: Option<&String>,
    ) -> Result<CertificateParams, LabError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = common_name.filter(|name| name.len() <= COMMON_NAME_BYTES_MAX) {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        for name in names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.serial_number = Some(serial(names));
        set_period(&mut params, self.start, spec.from_day, spec.to_day);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match spec.purpose {
            PurposeKind::Server => ExtendedKeyUsagePurpose::ServerAuth,
            PurposeKind::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }
}

impl CertificateAndKey {
    fn new(certificate: &[u8], key: &KeyPair) -> Self {
        Self { certificate: certificate.to_vec(), key: key.subject_public_key_info() }
    }
}

/// What is sent of a chain.
fn sent(
    what: Sent,
    leaf: CertificateDer<'static>,
    intermediate: &CertificateDer<'static>,
    root: &CertificateDer<'static>,
) -> Vec<CertificateDer<'static>> {
    match what {
        Sent::Chain => vec![leaf, intermediate.clone()],
        Sent::LeafOnly => vec![leaf],
        Sent::WithRoot => vec![leaf, intermediate.clone(), root.clone()],
    }
}

impl Authority {
    /// `to_day` is the end of the root's validity, in days from the start.
    fn new(name: &str, start: Duration, to_day: i32) -> Result<Self, LabError> {
        let root_key = KeyPair::generate()?;
        let mut root_params = authority_params(&format!("{name} root"), start);
        set_period(&mut root_params, start, -CA_DAYS, to_day);
        let root = root_params.self_signed(&root_key)?;
        let root_pem = root.pem();
        let root_issuer = Issuer::new(root_params, root_key);
        let key = KeyPair::generate()?;
        let params = authority_params(&format!("{name} intermediate"), start);
        let intermediate = params.signed_by(&key, &root_issuer)?;
        Ok(Self {
            root: root.into(),
            root_pem,
            intermediate: intermediate.into(),
            root_issuer,
            issuer: Issuer::new(params, key),
        })
    }
}

impl OddAuthority {
    fn new(parent: &Authority, start: Duration) -> Result<Self, LabError> {
        let pair = KeyPair::try_from(RSA_2048)?;
        let params = authority_params("mxray lab odd intermediate", start);
        let intermediate = params.signed_by(&pair, &parent.root_issuer)?.into();
        let key = WeakRsa::from_pkcs8(RSA_2048).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
        Ok(Self { intermediate, issuer: Issuer::new(params, pair), key })
    }

    fn leaf(
        &self,
        params: &CertificateParams,
        key: &LeafKey,
        signature: SignatureKind,
    ) -> Result<CertificateDer<'static>, LabError> {
        let sha256 = params.signed_by(&key.public, &self.issuer)?;
        let made = match signature {
            SignatureKind::Sha224 => with_sha224(sha256.der(), |tbs| self.key.sign_sha224(tbs)),
            _ => with_sha1(sha256.der(), |tbs| self.key.sign_sha1(tbs)),
        };
        Ok(made.ok_or(rcgen::Error::CouldNotParseCertificate)??.into())
    }
}

fn authority_params(name: &str, start: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "mxray lab");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_period(&mut params, start, -CA_DAYS, CA_DAYS);
    params
}

/// Sets the dates, in days from the start of the fleet.
fn set_period(params: &mut CertificateParams, start: Duration, from_day: i32, to_day: i32) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(start.as_secs());
    let day = |days: i32| {
        let span = DAY * days.unsigned_abs();
        if days < 0 { epoch - span } else { epoch + span }
    };
    params.not_before = day(from_day);
    params.not_after = day(to_day);
}

/// Different certificates of one authority need different serials
/// (RFC 5280 §4.1.2.2), and a scanner keeps certificates apart by digest.
fn serial(names: &[String]) -> SerialNumber {
    let mut digest = Sha256::digest(names.join(" ").as_bytes()).to_vec();
    digest.truncate(16);
    // Positive, and no leading zero byte.
    if let Some(first) = digest.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::from(digest)
}

/// The names that a certificate for `host` carries: those of its subject
/// alternative name, and its common name where that is another.
pub(super) fn names(spec: &Certificate, host: &str) -> (Vec<String>, Option<String>) {
    let more = (0..spec.more_names).map(|number| format!("n{number}.{host}"));
    let names = spec.names.iter().map(|name| expand(name, host)).chain(more).collect();
    (names, spec.common_name.as_ref().map(|name| expand(name, host)))
}

/// The name with `{host}`, `{parent}` and `{grandparent}` filled in: the host, and
/// what is left of it without its first label, and without its first two.
fn expand(name: &str, host: &str) -> String {
    let parent = host.split_once('.').map_or(host, |(_, parent)| parent);
    let grandparent = parent.split_once('.').map_or(parent, |(_, grandparent)| grandparent);
    name.replace("{host}", host).replace("{parent}", parent).replace("{grandparent}", grandparent)
}

#[cfg(test)]
#[path = "pki_tests.rs"]
mod tests;
