//! Presented chains judged against the root stores (RFC 5280 §6), each
//! distinct chain once.

use super::chain::{self, ReadCertificate};
use super::expectation::{self, SeenLeaf};
use super::purpose::{ChainDemands, Purpose};
use super::roots::Roots;
use crate::model::finding::SUBJECT_BYTES_MAX;
use crate::model::text;
use crate::model::tlsa::TlsaRecord;
use crate::model::{
    Assessment, CertificateFacts, DateStatus, Expectation, KeyStatus, Leaf, Observation,
    PresentedCertificate, Sha256,
};
use crate::x509;
use crate::x509::form::CertificateForm;
use jiff::Timestamp;
use quick_cache::sync::Cache;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Most judged chains remembered. Farms of mail hosts share one certificate.
pub const CHAIN_CACHE_ENTRIES_MAX: usize = 4096;
/// Most certificates remembered that stand above a leaf. A few dozen issue
/// nearly all leaves.
pub const ISSUER_CACHE_ENTRIES_MAX: usize = 1024;

/// RSA keys with fewer bits are weak (RFC 9325 §4.5).
const RSA_STRONG_BITS_MIN: u32 = 2048;
/// Curves with fewer bits are weak (RFC 9325 §4.5).
const CURVE_STRONG_BITS_MIN: u32 = 224;

/// A judged chain, and what a finding keeps of its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// Facts and axes.
    pub assessment: Arc<Assessment>,
    /// The leaf's names.
    pub leaf: Arc<Leaf>,
    /// Whether some clients end the handshake over the form of the chain.
    pub disputed: bool,
}

impl Assessed {
    /// The part that forced TLS goes into.
    pub fn presented(&self) -> PresentedCertificate {
        let Assessment { chain, dates, .. } = &*self.assessment;
        let (leaf, disputed) = (self.leaf.clone(), self.disputed);
        PresentedCertificate { chain: *chain, dates: *dates, leaf, disputed }
    }
}

/// The judged chains of one observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessments {
    /// The chain of the scanner's first handshake; `None` where none was seen.
    pub handshake: Option<Arc<Assessed>>,
    /// Those of the further hellos, in the order of [`Observation::extra_client_hellos`].
    pub hellos: Vec<Option<Arc<Assessed>>>,
}

/// Judges chains against all root stores together at one moment.
pub struct Judge {
    roots: Roots,
    at: Timestamp,
    expectations: Vec<Arc<Expectation>>,
    chains: Cache<Box<[Sha256]>, Arc<Assessed>>,
    issuers: Cache<Sha256, Arc<ReadCertificate>>,
    /// TLSA records that are about a certificate seen elsewhere.
    pub(super) met: HashSet<TlsaRecord>,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("roots", &self.roots.len())
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl Judge {
    /// A judge for whom it is always `at`: the same run, the same answers.
    pub fn new(roots: Roots, at: Timestamp) -> Self {
        Self {
            roots,
            at,
            expectations: Vec::new(),
            chains: Cache::new(CHAIN_CACHE_ENTRIES_MAX),
            issuers: Cache::new(ISSUER_CACHE_ENTRIES_MAX),
            met: HashSet::new(),
        }
    }

    /// Holds every leaf against these expectations, too.
    #[must_use]
    pub fn expecting(mut self, expectations: Vec<Expectation>) -> Self {
        self.expectations = expectations.into_iter().map(Arc::new).collect();
        self
    }

    /// Judges every chain of an observation.
    pub fn assess_all(&self, observation: &Observation) -> Assessments {
        Assessments {
            handshake: observation.tls.as_ref().and_then(|tls| self.assess(&tls.chain)),
            hellos: observation.extra_client_hellos.iter().map(|hello| self.assess(&hello.chain)).collect(),
        }
    }

    /// Judges a chain of DER certificates, leaf first; `None` for an empty
    /// one. The work is done once for each distinct chain.
    pub fn assess(&self, chain: &[Arc<[u8]>]) -> Option<Arc<Assessed>> {
        if chain.is_empty() {
            return None;
        }
        let digests: Vec<Sha256> = chain.iter().map(|der| x509::digest(der)).collect();
        if let Some(known) = self.chains.get(digests.as_slice()) {
            return Some(known);
        }
        let asked = ChainDemands { purpose: Purpose::Server, moment: self.at };
        let assessed = Arc::new(self.judge(chain, &digests, asked)?);
        self.chains.insert(digests.into_boxed_slice(), assessed.clone());
        Some(assessed)
    }

    /// The same for a chain that a client shows, at a moment of its own, and not
    /// remembered: clients come over weeks, each at its time.
    pub fn assess_client(&self, chain: &[Arc<[u8]>], at: Timestamp) -> Option<Assessed> {
        let digests: Vec<Sha256> = chain.iter().map(|der| x509::digest(der)).collect();
        self.judge(chain, &digests, ChainDemands { purpose: Purpose::Client, moment: at })
    }

    /// The moment for which it judges.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// The certificates of a chain, leaf first.
    pub(super) fn read(&self, chain: &[Arc<[u8]>], digests: &[Sha256]) -> Vec<Arc<ReadCertificate>> {
        let mut presented = chain.iter().zip(digests);
        let leaf = presented.next().map(|(der, digest)| Arc::new(ReadCertificate::read(der, *digest)));
        leaf.into_iter().chain(presented.map(|(der, digest)| self.issuer(der, *digest))).collect()
    }

    fn judge(&self, chain: &[Arc<[u8]>], digests: &[Sha256], asked: ChainDemands) -> Option<Assessed> {
        let at = asked.moment;
        let leaf_der = chain.first()?;
        let read = self.read(chain, digests);
        let first = read.first()?;
        let trust = chain::judge(&read, &self.roots, asked);
        let leaf = &first.facts;
        let seen = SeenLeaf { leaf, root: trust.root.as_deref(), chain: trust.status.name() };
        let assessment = Assessment {
            certificates: read.iter().map(|certificate| certificate.facts.clone()).collect(),
            chain: trust.status,
            chain_detail: trust.detail,
            root: trust.root.clone(),
            dates: dates(leaf, at),
            key: key(leaf),
            expectations: expectation::judge(&self.expectations, seen, at),
        };
        let (leaf, disputed) = (Arc::new(names_of(leaf, leaf_der)), is_disputed(&read));
        Some(Assessed { assessment: Arc::new(assessment), leaf, disputed })
    }

    fn issuer(&self, der: &Arc<[u8]>, digest: Sha256) -> Arc<ReadCertificate> {
        if let Some(known) = self.issuers.get(&digest) {
            return known;
        }
        let read = Arc::new(ReadCertificate::read(der, digest));
        self.issuers.insert(digest, read.clone());
        read
    }
}

/// Whether some clients end the handshake over the form of a chain.
fn is_disputed(chain: &[Arc<ReadCertificate>]) -> bool {
    let mut certificates = chain.iter();
    certificates.next().is_none_or(|leaf| leaf.terms.form_of_leaf() != CertificateForm::Sound)
        || certificates.any(|issuer| issuer.terms.form_above_leaf() != CertificateForm::Sound)
}

/// What a finding keeps of a leaf, from its DER and what was read of that.
pub fn names_of(leaf: &CertificateFacts, der: &[u8]) -> Leaf {
    let subject = leaf.subject.clone().map(|mut text| {
        text::cut(&mut text, SUBJECT_BYTES_MAX);
        text.into()
    });
    Leaf {
        sha256: leaf.sha256,
        dns_names: leaf.dns_names.iter().map(|name| name.as_str().into()).collect(),
        ip_addresses: leaf.ip_addresses.as_slice().into(),
        common_name: leaf.common_name.as_deref().map(Into::into),
        key_algorithm: leaf.key_algorithm.as_deref().map(Into::into),
        subject,
        thumbprint: x509::thumbprint(der),
        signed_with_sha1: leaf.signature_algorithm.as_deref().map(is_sha1),
    }
}

/// Whether a signature algorithm rests on SHA-1.
fn is_sha1(algorithm: &str) -> bool {
    algorithm.to_ascii_lowercase().contains("sha1")
}

pub(super) fn dates(leaf: &CertificateFacts, at: Timestamp) -> DateStatus {
    match (leaf.not_before, leaf.not_after) {
        (_, Some(not_after)) if not_after < at => DateStatus::Expired,
        (Some(not_before), _) if at < not_before => DateStatus::NotYetValid,
        (Some(_), Some(_)) => DateStatus::Valid,
        _ => DateStatus::Unreadable,
    }
}

/// Strength of a key. DSA is weak at any size: FIPS 186-5 no longer approves
/// it for signing, and TLS 1.3 dropped it.
fn key(leaf: &CertificateFacts) -> KeyStatus {
    let at_least = |bits_min| match leaf.key_bits {
        Some(bits) if bits >= bits_min => KeyStatus::Strong,
        Some(_) => KeyStatus::Weak,
        None => KeyStatus::Unknown,
    };
    match leaf.key_algorithm.as_deref() {
        Some("RSA") => at_least(RSA_STRONG_BITS_MIN),
        Some("ECDSA") => at_least(CURVE_STRONG_BITS_MIN),
        Some("Ed25519" | "Ed448") => KeyStatus::Strong,
        Some("DSA") => KeyStatus::Weak,
        _ => KeyStatus::Unknown,
    }
}

#[cfg(test)]
#[path = "pkix_tests.rs"]
mod tests;
