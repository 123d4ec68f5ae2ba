//! The path as rustls-webpki finds it: fast, strict, and enough for nearly
//! every chain. On each path that it accepts, [`rules`] looks at the rest; one
//! that fails there is none, and the search goes on.

use super::read::ReadCertificate;
use super::refusal::ChainRefusal;
use super::rules::{self, Path};
use crate::trust::purpose::{ChainDemands, Purpose};
use crate::trust::roots::Store;
use crate::trust::signatures;
use crate::x509::terms::Terms;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath};

/// Gives the place of the root in the store that the chain ends in.
pub(super) fn verify(
    leaf: &ReadCertificate,
    above: &[Arc<ReadCertificate>],
    roots: &Store,
    asked: ChainDemands,
) -> Result<usize, Fast> {
    let refused = RefCell::new(None);
    path(leaf, above, roots, asked, &refused).map_err(|error| match refused.take() {
        Some(refusal) => Fast::Ours(refusal),
        None => Fast::Webpki(error, asked.purpose),
    })
}

/// Why there is no path.
#[derive(Debug)]
pub(super) enum Fast {
    /// rustls-webpki found none, for this purpose.
    Webpki(Error, Purpose),
    /// It found one that fails what it does not look at.
    Ours(ChainRefusal),
}

impl Fast {
    pub(super) fn words(&self) -> String {
        match self {
            Fast::Webpki(error, purpose) => explain(error, *purpose),
            Fast::Ours(refusal) => refusal.cause.clone(),
        }
    }
}

fn path(
    leaf: &ReadCertificate,
    above: &[Arc<ReadCertificate>],
    roots: &Store,
    asked: ChainDemands,
    refused: &RefCell<Option<ChainRefusal>>,
) -> Result<usize, Error> {
    let leaf_der = CertificateDer::from(&*leaf.der);
    let end_entity = EndEntityCert::try_from(&leaf_der)?;
    let usable: Vec<CertificateDer<'_>> =
        above.iter().map(|issuer| CertificateDer::from(&*issuer.der)).filter(is_usable).collect();
    let look = |path: &VerifiedPath<'_>| {
        look_at(leaf, above, path, roots, asked).map_err(|refusal| {
            refused.borrow_mut().get_or_insert(refusal);
            Error::UnknownIssuer
        })
    };
    let path = end_entity.verify_for_usage(
        signatures::algorithms(),
        roots.anchors(),
        &usable,
        unix(asked.moment),
        usage(asked.purpose),
        None,
        Some(&look),
    )?;
    place(roots, &path).ok_or(Error::UnknownIssuer)
}

fn look_at(
    leaf: &ReadCertificate,
    above: &[Arc<ReadCertificate>],
    path: &VerifiedPath<'_>,
    roots: &Store,
    asked: ChainDemands,
) -> Result<(), ChainRefusal> {
    let issuers = path.intermediate_certificates().filter_map(|issuer| {
        let der = issuer.der();
        above.iter().find(|presented| *presented.der == *der.as_ref()).map(|presented| &presented.terms)
    });
    let terms: Vec<&Terms> = std::iter::once(&leaf.terms).chain(issuers).collect();
    let root = place(roots, path).map_or(&[][..], |place| roots.terms(place));
    let leaf_is_root = path.intermediate_certificates().next().is_none()
        && leaf.terms.self_issued
        && path.end_entity().subject_public_key_info().as_ref() == path.issuer_spki().as_ref();
    rules::check(&Path { terms: &terms, root, leaf_is_root }, asked)
}

/// One alone; [`Purpose::Client`] is judged to its end by the full validation.
fn usage(purpose: Purpose) -> KeyUsage {
    match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    }
}

fn place(roots: &Store, path: &VerifiedPath<'_>) -> Option<usize> {
    roots.anchors().iter().position(|anchor| std::ptr::eq(anchor, path.anchor()))
}

/// Whether a certificate can be part of a path at all. One that cannot (an
/// old root of version 1 at the end of the chain) would otherwise speak for
/// the whole chain with an error of its own.
fn is_usable(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok()
}

fn unix(moment: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(moment.as_second()).unwrap_or(0)))
}

fn explain(error: &Error, purpose: Purpose) -> String {
    let words = match error {
        Error::UnknownIssuer => "no path to a root",
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
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => match purpose {
            Purpose::Server => "the extended key usage lacks server authentication",
            Purpose::Client => "the extended key usage lacks client authentication",
        },
        Error::UnsupportedCertVersion => "not X.509 version 3",
        Error::UnsupportedCriticalExtension => "a critical extension is not known",
        Error::NameConstraintViolation => "a name is outside the name constraints",
        Error::PathLenConstraintViolated => "the path is longer than a CA allows",
        Error::MaximumPathDepthExceeded => "the path is longer than this library goes",
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => "a certificate is no DER",
        other => return other.to_string(),
    };
    words.to_string()
}
