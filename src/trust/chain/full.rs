//! The path as RFC 5280 §6 defines it, policies and all, by the library
//! `pkix-path`, with our signature verifiers under it. It is asked where
//! rustls-webpki refused, and tells apart what both refuse.

use super::read::ReadCertificate;
use super::refusal::ChainRefusal;
use super::rules::{self, Path};
use super::{bounds, constraints, paths};
use crate::model::{CertificateFacts, ChainStatus};
use crate::trust::purpose::ChainDemands;
use crate::trust::roots::Store;
use crate::trust::signatures::{self, SignatureVerdict};
use crate::x509::old_dates::{Redated, redated};
use crate::x509::terms::Terms;
use jiff::Timestamp;
use pkix_path::{Error, SignatureVerifier, TrustAnchor, ValidationPolicy, validate_path};
use std::cell::RefCell;
use std::sync::Arc;
use x509_cert::Certificate;
use x509_cert::der::{self, Decode, Encode};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

/// Most CAs between leaf and root. More certificates are not kept.
const CAS_MAX: u8 = 100;

/// A chain that was read.
pub(super) struct Full<'a> {
    /// Those that can be read, the leaf first.
    certificates: Vec<Certificate>,
    terms: Vec<&'a Terms>,
    facts: Vec<&'a CertificateFacts>,
    /// Those that cannot, and why.
    unread: Vec<(&'a CertificateFacts, der::Error)>,
    /// Those whose dates before 1970 were set to its beginning.
    redated: Vec<Redated>,
    asked: ChainDemands,
}

impl<'a> Full<'a> {
    /// # Errors
    /// Why the leaf cannot be read.
    pub(super) fn read(chain: &'a [Arc<ReadCertificate>], asked: ChainDemands) -> Result<Self, der::Error> {
        let mut full = Self {
            certificates: Vec::new(),
            terms: Vec::new(),
            facts: Vec::new(),
            unread: Vec::new(),
            redated: Vec::new(),
            asked,
        };
        for (place, presented) in chain.iter().enumerate() {
            let redated = redated(&presented.der);
            match canonical(redated.as_ref().map_or(&presented.der, |redated| &redated.der)) {
                Ok(certificate) => {
                    full.certificates.push(certificate);
                    full.terms.push(&presented.terms);
                    full.facts.push(&presented.facts);
                    full.redated.extend(redated);
                }
                Err(error) if place == 0 => return Err(error),
                Err(error) => full.unread.push((&presented.facts, error)),
            }
        }
        Ok(full)
    }

    /// Gives the place of the root in the store that the chain ends in.
    ///
    /// # Errors
    /// Why there is none; of several ways that come to nothing, the one that
    /// came furthest.
    pub(super) fn verify(&self, roots: &Store) -> Result<usize, ChainRefusal> {
        let mut found = None;
        let mut refusal: Option<ChainRefusal> = None;
        let not_all = paths::each(&self.certificates, |path, _| {
            let last = path.last().and_then(|place| self.certificates.get(*place));
            let Some(issuer) = last.map(|last| &last.tbs_certificate.issuer) else { return false };
            for (place, anchor) in roots.full().named(issuer) {
                match self.attempt(path, anchor, roots.terms(place)) {
                    Ok(()) => {
                        found = Some(place);
                        return true;
                    }
                    Err(Some(error)) => keep(&mut refusal, error),
                    // Another's root of the same name.
                    Err(None) => {}
                }
            }
            false
        });
        match found {
            Some(place) => Ok(place),
            None if not_all => Err(ChainRefusal::new(
                ChainStatus::Unverifiable,
                format!("more ways up than the {} certificates that are looked at", paths::STEPS_MAX),
            )),
            None => Err(refusal.unwrap_or_else(|| self.without_root(roots))),
        }
    }

    /// One way to one root. `None` where the root's key did not sign the last
    /// certificate.
    fn attempt(
        &self,
        path: &[usize],
        anchor: &TrustAnchor,
        root: &[Terms],
    ) -> Result<(), Option<ChainRefusal>> {
        let certificates = self.along(path);
        let verifier = PathVerifier::new(&self.redated);
        self.validate(&certificates, anchor, &verifier).map_err(|error| {
            let top = certificates.len().saturating_sub(1);
            match error {
                PathFailure::Path(Error::SignatureInvalid { index }) if index == top => None,
                PathFailure::Path(Error::NoTrustedPath) => None,
                error => Some(error.into_refusal(&certificates, self.asked.moment)),
            }
        })?;
        let terms: Vec<&Terms> = path.iter().filter_map(|place| self.terms.get(*place)).copied().collect();
        let leaf_is_root = match certificates.as_slice() {
            [leaf] => leaf.tbs_certificate.subject_public_key_info == anchor.subject_public_key_info,
            _ => false,
        };
        rules::check(&Path { terms: &terms, root, leaf_is_root }, self.asked).map_err(Some)?;
        verifier.unverified().map_or(Ok(()), |refusal| Err(Some(refusal)))
    }

    /// Where the chain ends, if in no root of ours; and whether it would be
    /// good but for that.
    fn without_root(&self, roots: &Store) -> ChainRefusal {
        let mut end = None;
        let mut refusal = None;
        paths::each(&self.certificates, |path, is_end| {
            if !is_end {
                return false;
            }
            match self.up_to_its_end(path) {
                Ok(()) => {
                    end = Some(self.end(path, roots));
                    true
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                    false
                }
            }
        });
        end.or(refusal).unwrap_or_else(|| ChainRefusal::invalid("no path to a root"))
    }

    /// Looks at a path as if its last certificate could be trusted to be what
    /// it says.
    fn up_to_its_end(&self, path: &[usize]) -> Result<(), ChainRefusal> {
        let certificates = self.along(path);
        let Some(last) = certificates.last() else { return Ok(()) };
        let above = &last.tbs_certificate;
        let anchor = TrustAnchor::new(above.issuer.clone(), above.subject_public_key_info.clone());
        let taken = last.signature.raw_bytes().into();
        let verifier = PathVerifier { taken, ..PathVerifier::new(&self.redated) };
        self.validate(&certificates, &anchor, &verifier)
            .map_err(|error| error.into_refusal(&certificates, self.asked.moment))?;
        let terms: Vec<&Terms> = path.iter().filter_map(|place| self.terms.get(*place)).copied().collect();
        rules::check(&Path { terms: &terms, root: &[], leaf_is_root: false }, self.asked)
    }

    /// What a good path that ends without a root is.
    fn end(&self, path: &[usize], roots: &Store) -> ChainRefusal {
        let Some(last) = path.last().and_then(|place| self.facts.get(*place)) else {
            return ChainRefusal::invalid("no path to a root");
        };
        let issuer = last.issuer.as_deref().unwrap_or("a name that cannot be read");
        let unread = self.unread.iter().find(|(facts, _)| facts.subject.as_deref() == Some(issuer));
        if let Some((facts, error)) = unread {
            let subject = facts.subject.as_deref().unwrap_or_default();
            return ChainRefusal::invalid(format!("an issuer cannot be read, {subject}: {error}"));
        }
        if last.self_signed && path.len() > 1 {
            return ChainRefusal::new(ChainStatus::UntrustedRoot, format!("issued by {issuer}"));
        }
        let top = path.last().and_then(|place| self.certificates.get(*place));
        if top.is_some_and(|top| roots.full().named(&top.tbs_certificate.issuer).next().is_some()) {
            // A root of this name is there, and its key did not sign.
            return ChainRefusal::invalid("a signature does not verify");
        }
        let cause = match (path.len(), last.subject.as_deref()) {
            (2.., Some(subject)) => format!("{subject} came without its issuer, {issuer}"),
            _ => format!("came without its issuer, {issuer}"),
        };
        ChainRefusal::new(ChainStatus::IncompleteChain, cause)
    }

    fn along(&self, path: &[usize]) -> Vec<Certificate> {
        path.iter().filter_map(|place| self.certificates.get(*place)).cloned().collect()
    }

    fn validate(
        &self,
        certificates: &[Certificate],
        anchor: &TrustAnchor,
        verifier: &PathVerifier<'_>,
    ) -> Result<(), PathFailure> {
        bounds::check(certificates).map_err(PathFailure::Ours)?;
        constraints::check(certificates, anchor).map_err(PathFailure::Ours)?;
        if certificates.iter().any(|certificate| certificate.signature.as_bytes().is_none()) {
            return Err(PathFailure::Ours(ChainRefusal::invalid("a signature is of odd bits")));
        }
        // The library compares the OIDs alone (RFC 5280 §4.1.1.2).
        if certificates.iter().any(|it| it.signature_algorithm != it.tbs_certificate.signature) {
            return Err(PathFailure::Ours(ChainRefusal::invalid(
                "the two signature algorithms of a certificate differ",
            )));
        }
        let mut policy = ValidationPolicy::new(u64::try_from(self.asked.moment.as_second()).unwrap_or(0));
        policy.max_path_len = CAS_MAX;
        match validate_path(certificates, std::slice::from_ref(anchor), &policy, verifier) {
            Ok(_) => Ok(()),
            Err(Error::SignatureInvalid { .. }) if let Some(broken) = verifier.broken() => {
                Err(PathFailure::Ours(ChainRefusal::invalid(broken)))
            }
            Err(error) => Err(PathFailure::Path(error)),
        }
    }
}

/// Reads a certificate whose encoding is the one that DER allows: of another the
/// signature would be verified over other bytes than those that were signed.
fn canonical(der: &[u8]) -> Result<Certificate, der::Error> {
    let certificate = Certificate::from_der(der)?;
    if certificate.to_der()? == der {
        Ok(certificate)
    } else {
        Err(der::ErrorKind::Noncanonical { tag: der::Tag::Sequence }.into())
    }
}

/// Keeps the better evidence of two: what a root of ours lacks only, what could
/// not be verified, what is broken.
fn keep(kept: &mut Option<ChainRefusal>, other: ChainRefusal) {
    let rank = |refusal: &ChainRefusal| match refusal.status {
        ChainStatus::Unverifiable => 2,
        ChainStatus::ExpiredRoot => 1,
        _ => 0,
    };
    if kept.as_ref().is_none_or(|kept| rank(kept) < rank(&other)) {
        *kept = Some(other);
    }
}

/// Why a path was not validated.
enum PathFailure {
    Path(Error),
    Ours(ChainRefusal),
}

impl PathFailure {
    fn into_refusal(self, certificates: &[Certificate], moment: Timestamp) -> ChainRefusal {
        match self {
            PathFailure::Path(error) => ChainRefusal::invalid(explain(&error, certificates, moment)),
            PathFailure::Ours(refusal) => refusal,
        }
    }
}

fn explain(error: &Error, certificates: &[Certificate], moment: Timestamp) -> String {
    let at = |index: &usize| certificates.get(*index).map(|certificate| &certificate.tbs_certificate);
    let words = match error {
        Error::SignatureInvalid { .. } => "a signature does not verify",
        Error::MalformedCertificate { .. } => "an extension of a certificate is malformed",
        Error::ValidityPeriod { index } => {
            let end = at(index).map_or(0, |it| it.validity.not_after.to_unix_duration().as_secs());
            match end < u64::try_from(moment.as_second()).unwrap_or(0) {
                true => "a certificate had expired before the leaf did",
                false => "a certificate becomes valid only after the leaf",
            }
        }
        Error::NoTrustedPath | Error::ChainBroken { .. } => "no path to a root",
        Error::PathTooLong => "the path is longer than a CA allows",
        Error::NotCA { .. } => "an end-entity certificate stands as CA",
        Error::KeyUsageMissing { .. } => "the key usage of an intermediate lacks keyCertSign",
        Error::UnhandledCriticalExtension { .. } => "a critical extension is not known",
        Error::NameConstraintViolation { .. } => "a name is outside the name constraints",
        Error::PolicyViolation { .. } => "no certificate policy is left where a CA demands one",
        Error::DuplicateCertificate { .. } => "two certificates have one issuer and serial number",
        other => return other.to_string(),
    };
    words.to_string()
}

/// Signatures by our verifiers. One that they cannot verify counts as good
/// until the rest of the path is known to be, and is told then.
struct PathVerifier<'a> {
    /// A signature that is taken as good, if any.
    taken: Box<[u8]>,
    /// Certificates that were signed with other dates.
    redated: &'a [Redated],
    unverified: RefCell<Option<String>>,
    broken: RefCell<Option<&'static str>>,
}

impl<'a> PathVerifier<'a> {
    fn new(redated: &'a [Redated]) -> Self {
        Self { taken: Box::default(), redated, unverified: RefCell::default(), broken: RefCell::default() }
    }

    fn unverified(&self) -> Option<ChainRefusal> {
        let what = self.unverified.borrow().clone()?;
        Some(ChainRefusal::new(ChainStatus::Unverifiable, format!("cannot be verified by mxray: {what}")))
    }

    fn broken(&self) -> Option<&'static str> {
        *self.broken.borrow()
    }
}

impl SignatureVerifier for PathVerifier<'_> {
    fn verify_signature(
        &self,
        algorithm: AlgorithmIdentifierRef<'_>,
        key: SubjectPublicKeyInfoRef<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), signature::Error> {
        if !self.taken.is_empty() && *self.taken == *signature {
            return Ok(());
        }
        let signed = self.redated.iter().find(|redated| redated.tbs == message);
        let message = signed.map_or(message, |redated| &redated.signed);
        match signatures::verify(algorithm, key, message, signature) {
            SignatureVerdict::Good => Ok(()),
            SignatureVerdict::Bad => Err(signature::Error::new()),
            SignatureVerdict::Broken(what) => {
                *self.broken.borrow_mut() = Some(what);
                Err(signature::Error::new())
            }
            SignatureVerdict::Unverifiable(what) => {
                self.unverified.borrow_mut().get_or_insert(what);
                Ok(())
            }
        }
    }
}
