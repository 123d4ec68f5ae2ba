//! Root stores by name, and all of them together.
//!
//! A chain is judged against all stores at once; which of them trust it is
//! told beside. A store keeps the whole certificate of each root, since its
//! fingerprint is that of the certificate and not of the key in it.

use crate::model::{CertificateFacts, Sha256};
use crate::x509;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use std::sync::{Arc, OnceLock};

/// The roots of Microsoft's programme (`datasets/roots/README.md`).
const MICROSOFT_PEM: &[u8] = include_bytes!("../../datasets/roots/microsoft.pem");

/// Why a certificate cannot be a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// It is no certificate.
    #[error("not a certificate that can serve as a root: {0}")]
    NoRoot(webpki::Error),
    /// One of a PEM text is none; the first is number 1.
    #[error("certificate {0}: not a certificate that can serve as a root: {1}")]
    NoRootInPem(usize, webpki::Error),
    /// It is not even PEM.
    #[error("not PEM: {0}")]
    NoPem(String),
}

impl RootError {
    fn of_number(self, number: usize) -> Self {
        match self {
            RootError::NoRoot(error) => RootError::NoRootInPem(number, error),
            other => other,
        }
    }
}

/// The roots of one store.
#[derive(Clone, Debug)]
pub struct Store {
    name: Arc<str>,
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificate of each anchor, at the same place; `None` where only
    /// name and key are known. Of several with one name and key (a root that
    /// was issued again) the first.
    first: Vec<Option<CertificateDer<'static>>>,
    /// The others of them.
    again: Vec<CertificateDer<'static>>,
}

impl Store {
    /// A store without roots.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), anchors: Vec::new(), first: Vec::new(), again: Vec::new() }
    }

    /// The roots that Mozilla trusts for servers, as they are built in. The
    /// anchors bear the name constraints that Mozilla puts on some of them.
    pub fn mozilla() -> Self {
        let mut store = Self::new("mozilla");
        let whole: Vec<_> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .filter_map(|der| Some((webpki::anchor_from_trusted_cert(der).ok()?, der)))
            .collect();
        for anchor in webpki_roots::TLS_SERVER_ROOTS {
            let certificate = whole.iter().find(|(candidate, _)| is_same(candidate, anchor));
            store.push(anchor.clone(), certificate.map(|(_, der)| (*der).clone()));
        }
        store
    }

    /// The roots of Microsoft's programme, as they are built in.
    ///
    /// # Errors
    /// [`RootError`] if the data that is built in is broken.
    pub fn microsoft() -> Result<Self, RootError> {
        let mut store = Self::new("microsoft");
        store.add_pem(MICROSOFT_PEM)?;
        Ok(store)
    }

    /// Adds a root; one that is there already is not added again.
    ///
    /// # Errors
    /// [`RootError`] if the DER is no certificate.
    pub fn add_der(&mut self, der: &[u8]) -> Result<(), RootError> {
        let certificate = CertificateDer::from(der);
        let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(RootError::NoRoot)?.to_owned();
        self.push(anchor, Some(certificate.into_owned()));
        Ok(())
    }

    /// Adds every certificate of a PEM text and says how many there are.
    ///
    /// # Errors
    /// [`RootError`] for the first that is none; those before it are added,
    /// where all of it is PEM.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<usize, RootError> {
        let mut found = 0;
        for der in x509::pem::certificates(pem).map_err(RootError::NoPem)? {
            found += 1;
            self.add_der(&der).map_err(|error| error.of_number(found))?;
        }
        Ok(found)
    }

    fn push(&mut self, anchor: TrustAnchor<'static>, certificate: Option<CertificateDer<'static>>) {
        if !self.anchors.contains(&anchor) {
            self.anchors.push(anchor);
            self.first.push(certificate);
        } else if let Some(certificate) = certificate
            && self.certificates().all(|known| known != certificate.as_ref())
        {
            self.again.push(certificate);
        }
    }

    /// What the store is called on the command line.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How many roots there are, by name and key.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there are none, and so every chain is untrusted.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The whole certificates, as far as they are known.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.first.iter().flatten().chain(&self.again).map(AsRef::as_ref)
    }

    /// The root with this fingerprint.
    pub fn by_sha256(&self, sha256: &Sha256) -> Option<&[u8]> {
        self.certificates().find(|der| x509::digest(der) == *sha256)
    }

    pub(super) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Whether it has this root with these constraints.
    pub(super) fn has(&self, anchor: &TrustAnchor<'_>) -> bool {
        self.anchors.iter().any(|known| known == anchor)
    }

    /// Whether this very certificate is one of them, by name and key.
    fn contains(&self, der: &[u8]) -> bool {
        let certificate = CertificateDer::from(der);
        webpki::anchor_from_trusted_cert(&certificate)
            .is_ok_and(|candidate| self.anchors.iter().any(|anchor| is_same(&candidate, anchor)))
    }
}

/// Whether two anchors have the same name and key.
fn is_same(one: &TrustAnchor<'_>, other: &TrustAnchor<'_>) -> bool {
    one.subject == other.subject && one.subject_public_key_info == other.subject_public_key_info
}

/// The certificates that a chain may end in: those of one store or several.
#[derive(Clone, Debug)]
pub struct Roots {
    stores: Vec<Store>,
    all: Store,
    /// What each root says, read when a chain first ends in it: reading
    /// verifies the root's signature, which costs as much as a handshake's.
    facts: Vec<OnceLock<Option<CertificateFacts>>>,
}

impl Roots {
    /// All stores together, in the order in which they are told of.
    pub fn new(stores: Vec<Store>) -> Self {
        let mut all = Store::new("all");
        for store in &stores {
            for (anchor, certificate) in store.anchors.iter().zip(&store.first) {
                all.push(anchor.clone(), certificate.clone());
            }
        }
        let facts = vec![OnceLock::new(); all.len()];
        Self { stores, all, facts }
    }

    /// The stores one by one.
    pub fn stores(&self) -> &[Store] {
        &self.stores
    }

    /// SHA-256 over every root, constraints and certificates included, store
    /// by store: that of another set is another.
    pub fn digest(&self) -> Sha256 {
        let mut bytes = Vec::new();
        let mut push = |part: &[u8]| {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        for store in &self.stores {
            push(b"store");
            for anchor in &store.anchors {
                push(&anchor.subject);
                push(&anchor.subject_public_key_info);
                push(anchor.name_constraints.as_deref().unwrap_or_default());
            }
            store.certificates().for_each(&mut push);
        }
        x509::digest(&bytes)
    }

    /// How many roots there are; one of several stores counts once.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none, and so every chain is untrusted.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether this very certificate is one of them, by name and key.
    pub(super) fn contains(&self, der: &[u8]) -> bool {
        self.all.contains(der)
    }

    /// Every root once.
    pub(super) fn all(&self) -> &Store {
        &self.all
    }

    /// What the certificate of a root of [`Roots::all`] says, by its place
    /// there; `None` where the store holds no whole certificate.
    pub(super) fn facts(&self, place: usize) -> Option<&CertificateFacts> {
        let read = || self.all.first.get(place)?.as_deref().map(x509::read);
        self.facts.get(place)?.get_or_init(read).as_ref()
    }
}

impl Default for Roots {
    /// No store at all.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DigiCert Global Root G2, in both stores; GlobalSign Root CA, in one.
    const G2: &str = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f";
    const R1: &str = "ebd41040e4bb3ec742c9e381d31ef2a41a48b6685c96e7cef3c1df6cd4331c99";

    fn has(store: &Store, hex: &str) -> bool {
        store.by_sha256(&Sha256::parse(hex).unwrap()).is_some()
    }

    #[test]
    fn every_root_that_is_built_in_has_its_certificate() {
        let (mozilla, microsoft) = (Store::mozilla(), Store::microsoft().unwrap());
        for store in [&mozilla, &microsoft] {
            assert!(store.len() > 100, "{}", store.name());
            assert!(store.first.iter().all(Option::is_some), "{}", store.name());
            assert!(has(store, G2), "{}", store.name());
        }
        // Six were issued again with the same name and key.
        assert_eq!((microsoft.certificates().count(), microsoft.len()), (211, 205));
        assert!(has(&microsoft, R1) && !has(&mozilla, R1));
    }

    #[test]
    fn a_root_of_two_stores_counts_once() {
        let (mozilla, microsoft) = (Store::mozilla(), Store::microsoft().unwrap());
        let twice = Roots::new(vec![mozilla.clone(), mozilla.clone()]);
        assert_eq!((twice.len(), twice.stores().len()), (mozilla.len(), 2));
        let both = Roots::new(vec![mozilla.clone(), microsoft.clone()]);
        assert!(both.len() < mozilla.len() + microsoft.len());
        assert!(both.len() > mozilla.len().max(microsoft.len()));
        assert!(Roots::default().is_empty());
        let sets =
            [&Roots::default(), &twice, &both, &Roots::new(vec![mozilla]), &Roots::new(vec![microsoft])];
        let digests: std::collections::HashSet<_> = sets.iter().map(|set| set.digest()).collect();
        assert_eq!(digests.len(), sets.len(), "each set has a digest of its own");
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let mut store = Store::new("file");
        assert!(matches!(store.add_der(b"no DER"), Err(RootError::NoRoot(_))));
        let pem = b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(store.add_pem(pem), Err(RootError::NoPem(_))));
        assert_eq!(store.add_pem(b"nothing"), Ok(0));
        assert!(store.is_empty());
    }
}
