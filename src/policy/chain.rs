//! The trust axis: does a chain lead to a root, and if not, what stops it?

use super::roots::{Roots, Store};
use super::signatures;
use crate::model::{CertificateFacts, ChainStatus, TrustedRoot};
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage};

/// Longest [`Trust::detail`], in bytes.
const DETAIL_BYTES_MAX: usize = 200;

/// A point on the trust axis.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub status: ChainStatus,
    /// Why not valid.
    pub detail: Option<String>,
    /// Where it ends, if valid.
    pub root: Option<Arc<TrustedRoot>>,
}

impl Trust {
    fn new(status: ChainStatus, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        Self { status, detail: Some(detail), root: None }
    }
}

/// Judges a chain whose facts were read; `facts` go with `chain` one by one.
pub(super) fn judge(
    chain: &[Arc<[u8]>],
    facts: &[Arc<CertificateFacts>],
    roots: &Roots,
    at: Timestamp,
) -> Trust {
    let (Some(leaf), Some((leaf_der, above))) = (facts.first(), chain.split_first()) else {
        return Trust::new(ChainStatus::Invalid, "no certificate");
    };
    if leaf.self_signed && !roots.contains(leaf_der) {
        return Trust::new(ChainStatus::SelfSigned, "signed by its own key");
    }
    let moment = moment(leaf, at);
    match verify(leaf_der, above, roots.all(), moment) {
        Ok(place) => {
            let trusts = |store: &Store| verify(leaf_der, above, store, moment).is_ok();
            let root = Some(Arc::new(ended_in(place, roots, trusts)));
            Trust { status: ChainStatus::Valid, detail: None, root }
        }
        Err(Error::UnknownIssuer) => where_it_ends(facts),
        Err(error) => Trust::new(ChainStatus::Invalid, explain(&error)),
    }
}

/// The root that a chain was found to end in. A store that has it trusts the
/// chain; one that has it not is asked by `trusts`, since the chain may lead
/// to another root there (cross-signed CAs).
fn ended_in(place: usize, roots: &Roots, trusts: impl Fn(&Store) -> bool) -> TrustedRoot {
    let anchor = roots.all().anchors().get(place);
    let trusted_by =
        roots.stores().iter().filter(|store| anchor.is_some_and(|root| store.has(root)) || trusts(store));
    let facts = roots.facts(place);
    TrustedRoot {
        subject: facts.and_then(|facts| facts.subject.clone()),
        common_name: facts.and_then(|facts| facts.common_name.clone()),
        sha256: facts.map(|facts| facts.sha256),
        trusted_by: trusted_by.map(|store| store.name().clone()).collect(),
    }
}

/// Gives the place of the root in the store that the chain ends in.
fn verify(leaf: &[u8], above: &[Arc<[u8]>], roots: &Store, moment: UnixTime) -> Result<usize, Error> {
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf)?;
    let above: Vec<CertificateDer<'_>> =
        above.iter().map(|der| CertificateDer::from(&**der)).filter(is_usable).collect();
    let path = leaf.verify_for_usage(
        signatures::algorithms(),
        roots.anchors(),
        &above,
        moment,
        KeyUsage::server_auth(),
        None,
        None,
    )?;
    let place = roots.anchors().iter().position(|anchor| std::ptr::eq(anchor, path.anchor()));
    place.ok_or(Error::UnknownIssuer)
}

/// Whether a certificate can be part of a path at all. One that cannot (an
/// old root of version 1 at the end of the chain) would otherwise speak for
/// the whole chain with an error of its own.
fn is_usable(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok()
}

/// The moment inside the leaf's validity that is nearest to `at`.
fn moment(leaf: &CertificateFacts, at: Timestamp) -> UnixTime {
    let at = leaf.not_before.map_or(at, |not_before| at.max(not_before));
    let at = leaf.not_after.map_or(at, |not_after| at.min(not_after));
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)))
}

/// Follows the issuer names over the presented certificates, in any order,
/// each at most once.
fn where_it_ends(facts: &[Arc<CertificateFacts>]) -> Trust {
    let mut above: Vec<&CertificateFacts> = facts.iter().skip(1).map(Arc::as_ref).collect();
    let mut last: Option<&CertificateFacts> = None;
    let mut issuer = facts.first().and_then(|leaf| leaf.issuer.as_deref());
    while let Some(position) = above.iter().position(|candidate| is_named(candidate, issuer)) {
        let certificate = above.remove(position);
        last = Some(certificate);
        issuer = certificate.issuer.as_deref();
    }
    let issuer = issuer.unwrap_or("a name that cannot be read");
    match last {
        Some(_) => Trust::new(ChainStatus::UntrustedRoot, format!("issued by {issuer}")),
        None => Trust::new(ChainStatus::IncompleteChain, format!("came without its issuer, {issuer}")),
    }
}

fn is_named(certificate: &CertificateFacts, name: Option<&str>) -> bool {
    name.is_some() && certificate.subject.as_deref() == name
}

fn explain(error: &Error) -> String {
    let words = match error {
        Error::CaUsedAsEndEntity => "a CA certificate stands as end entity",
        Error::EndEntityUsedAsCa => "an end-entity certificate stands as CA",
        Error::InvalidSignatureForPublicKey => "a signature does not verify",
        Error::UnsupportedSignatureAlgorithmContext(_) => "a signature algorithm is not accepted",
        Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature algorithm does not fit its issuer's key"
        }
        Error::SignatureAlgorithmMismatch => "the two signature algorithms of a certificate differ",
        Error::CertExpired { .. } => "a certificate had expired before the leaf did",
        Error::CertNotValidYet { .. } => "a certificate becomes valid only after the leaf",
        Error::InvalidCertValidity => "a validity ends before it begins",
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            "the extended key usage lacks server authentication"
        }
        Error::UnsupportedCertVersion => "not X.509 version 3",
        Error::UnsupportedCriticalExtension => "a critical extension is not known",
        Error::NameConstraintViolation => "a name is outside the name constraints",
        Error::PathLenConstraintViolated => "the path is longer than a CA allows",
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => "a certificate is no DER",
        other => return other.to_string(),
    };
    words.to_string()
}
