//! Root stores by name, and all of them together.
//!
//! A chain is judged against all stores at once; which of them trust it is
//! told beside. A store keeps the whole certificate of each root, since its
//! fingerprint is that of the certificate and not of the key in it.

use super::anchors::Anchors;
use crate::model::{CertificateFacts, Sha256};
use crate::x509;
use crate::x509::pem::{CertificateFile, NOT_TAKEN_MAX, NotTaken};
use crate::x509::terms::{Terms, terms};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// The roots of Microsoft's programme (`datasets/roots/README.md`).
const MICROSOFT_PEM: &[u8] = include_bytes!("../../datasets/roots/microsoft.pem");

/// Why a certificate cannot be a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// It is no certificate.
    #[error("not a certificate that can serve as a root: {0}")]
    NoRoot(webpki::Error),
    /// One of a file is none.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
}

/// What became of the certificates of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRoots {
    /// How many serve as roots, those included that were there already.
    pub taken: usize,
    /// How many refuse to vouch for TLS servers, by trust data of their own.
    pub refusing: usize,
    /// What was not taken, by its place; the first [`NOT_TAKEN_MAX`].
    pub not_taken: Vec<NotTaken>,
    /// How much was not taken in all.
    pub not_taken_count: usize,
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
    /// What whoever named the store should know about it.
    warnings: Vec<String>,
    /// What the certificates of each anchor say of their use, read when a
    /// chain first ends in it.
    terms: Vec<OnceLock<Vec<Terms>>>,
    /// The anchors as the full path validation takes them, read when it is
    /// first asked.
    full: OnceLock<Arc<Anchors>>,
}

impl Store {
    /// A store without roots.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            anchors: Vec::new(),
            first: Vec::new(),
            again: Vec::new(),
            warnings: Vec::new(),
            terms: Vec::new(),
            full: OnceLock::new(),
        }
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
        store.add_whole_file(MICROSOFT_PEM)?;
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

    /// Adds a root of which only name and key are known, both as DER without the
    /// header of their SEQUENCE.
    pub(super) fn add_key(&mut self, subject: &[u8], subject_public_key_info: &[u8]) {
        let anchor = TrustAnchor {
            subject: subject.into(),
            subject_public_key_info: subject_public_key_info.into(),
            name_constraints: None,
        };
        self.push(anchor.to_owned(), None);
    }

    /// Adds every certificate of a file, PEM or DER, that can serve as a root
    /// and does not refuse to ([`x509::pem`]), and says what became of all.
    pub fn add_file(&mut self, file: &[u8]) -> FileRoots {
        let CertificateFile { certificates, not_taken, not_taken_count } = CertificateFile::read(file);
        let mut found = FileRoots { not_taken, not_taken_count, ..FileRoots::default() };
        // Refused in one place is refused in the file.
        let refused: HashSet<_> =
            certificates.iter().filter(|one| one.refuses_servers).map(|one| &one.der).collect();
        for one in &certificates {
            if refused.contains(&one.der) {
                found.refusing += 1;
                continue;
            }
            match self.add_der(&one.der) {
                Ok(()) => found.taken += 1,
                Err(error) => {
                    found.not_taken_count += 1;
                    found.not_taken.push(NotTaken { place: one.place, what: error.to_string() });
                }
            }
        }
        found.not_taken.sort_by_key(|not_taken| not_taken.place);
        found.not_taken.truncate(NOT_TAKEN_MAX);
        found
    }

    /// Adds the certificates of a file of roots, all of which must serve.
    ///
    /// # Errors
    /// [`RootError`] for the first that looks like a certificate and cannot.
    pub fn add_whole_file(&mut self, file: &[u8]) -> Result<FileRoots, RootError> {
        let found = self.add_file(file);
        match found.not_taken.first() {
            Some(first) => Err(first.clone().into()),
            None => Ok(found),
        }
    }

    fn push(&mut self, anchor: TrustAnchor<'static>, certificate: Option<CertificateDer<'static>>) {
        if !self.anchors.contains(&anchor) {
            self.anchors.push(anchor);
            self.first.push(certificate);
            self.terms.push(OnceLock::new());
            self.full = OnceLock::new();
        } else if let Some(certificate) = certificate
            && self.certificates().all(|known| known != certificate.as_ref())
        {
            self.again.push(certificate);
            self.terms = vec![OnceLock::new(); self.anchors.len()];
        }
    }

    /// Adds another certificate of a root that is there.
    fn push_again(&mut self, certificate: &CertificateDer<'static>) {
        if self.certificates().all(|known| known != certificate.as_ref()) {
            self.again.push(certificate.clone());
        }
    }

    /// Says something about the store to whoever named it.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// What whoever named the store should know about it, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
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

    /// What each certificate of the root at a place says of its use; none
    /// where only name and key are known.
    pub(super) fn terms(&self, place: usize) -> &[Terms] {
        let read = || {
            let Some(anchor) = self.anchors.get(place) else { return Vec::new() };
            let again = self.again.iter().filter(|der| is_of(der, anchor));
            self.first.get(place).into_iter().flatten().chain(again).map(|der| terms(der)).collect()
        };
        self.terms.get(place).map_or(&[], |known| known.get_or_init(read))
    }

    /// The roots as the full path validation takes them.
    pub(super) fn full(&self) -> &Anchors {
        self.full.get_or_init(|| Arc::new(Anchors::new(&self.anchors)))
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

/// Whether a certificate is one of this root.
fn is_of(der: &CertificateDer<'_>, anchor: &TrustAnchor<'_>) -> bool {
    webpki::anchor_from_trusted_cert(der).is_ok_and(|candidate| is_same(&candidate, anchor))
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
            for certificate in &store.again {
                all.push_again(certificate);
            }
        }
        let facts = vec![OnceLock::new(); all.len()];
        Self { stores, all, facts }
    }

    /// What whoever named the stores should know about them, a line each.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.stores.iter().flat_map(Store::warnings)
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
        let pem = b"\n-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        let told = store.add_whole_file(pem).unwrap_err().to_string();
        assert!(told.starts_with("line 2: not base64: "), "{told}");
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let told = store.add_whole_file(pem).unwrap_err().to_string();
        assert_eq!(told, "line 1: not a certificate that can serve as a root: TrailingData(SignedData)");
        assert_eq!(store.add_whole_file(b"nothing"), Ok(FileRoots::default()));
        assert!(store.is_empty());
    }
}
