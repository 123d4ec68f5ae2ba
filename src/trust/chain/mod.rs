//! The trust axis: does a chain lead to a root, and if not, what stops it?
//!
//! rustls-webpki judges first ([`fast`]). What it refuses is judged once more
//! by a full path validation of RFC 5280 §6 ([`full`]), against the same roots
//! at the same moment, since it leaves out what mail servers accept:
//! certificate policies, constraints on directory names, CA certificates as
//! leaves. What both refuse is told apart by [`full`], too.

mod bounds;
mod constraints;
mod fast;
mod full;
mod paths;
mod read;
mod refusal;
mod rules;

use super::purpose::ChainDemands;
use super::roots::{Roots, Store};
use crate::model::observation::CHAIN_CERTIFICATES_MAX;
use crate::model::{CertificateFacts, ChainStatus, TrustedRoot, text};
use fast::Fast;
use full::Full;
use jiff::Timestamp;
pub(super) use read::ReadCertificate;
use refusal::ChainRefusal;
use std::sync::Arc;

/// Longest [`Trust::detail`], in bytes.
const DETAIL_BYTES_MAX: usize = 200;

/// A point on the trust axis.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub status: ChainStatus,
    /// Why not valid; or who found it valid, if not rustls-webpki.
    pub detail: Option<String>,
    /// Where it ends, if valid.
    pub root: Option<Arc<TrustedRoot>>,
}

impl From<ChainRefusal> for Trust {
    fn from(refusal: ChainRefusal) -> Self {
        Self { status: refusal.status, detail: Some(bounded(refusal.cause)), root: None }
    }
}

fn bounded(mut detail: String) -> String {
    text::cut(&mut detail, DETAIL_BYTES_MAX);
    detail
}

/// Judges a chain, leaf first.
pub(super) fn judge(chain: &[Arc<ReadCertificate>], roots: &Roots, asked: ChainDemands) -> Trust {
    let trust = judge_kept(chain, roots, asked);
    match trust.status {
        ChainStatus::Valid | ChainStatus::SelfSigned => trust,
        // What was not kept may lead to a root.
        _ if may_go_on(chain.len()) => ChainRefusal::new(ChainStatus::Unverifiable, NOT_KEPT).into(),
        _ => trust,
    }
}

/// What is told of a chain of which there may be more.
pub(super) const NOT_KEPT: &str = "there may be more certificates than are kept of a chain";

/// Whether there may be more of a chain than these certificates.
pub(super) fn may_go_on(certificates: usize) -> bool {
    certificates >= CHAIN_CERTIFICATES_MAX
}

fn judge_kept(chain: &[Arc<ReadCertificate>], roots: &Roots, asked: ChainDemands) -> Trust {
    let Some((first, above)) = chain.split_first() else {
        return ChainRefusal::invalid("no certificate").into();
    };
    let leaf = &first.facts;
    if leaf.self_signed && !roots.contains(&first.der) {
        return ChainRefusal::new(ChainStatus::SelfSigned, "signed by its own key").into();
    }
    let asked = ChainDemands { moment: moment(leaf, asked.moment), ..asked };
    let refused = match fast::verify(first, above, roots.all(), asked) {
        Ok(place) => {
            let trusts = |store: &Store| fast::verify(first, above, store, asked).is_ok();
            return valid(place, roots, None, trusts);
        }
        Err(refused) => refused,
    };
    match Full::read(chain, asked) {
        Ok(full) => judge_in_full(&full, roots, &refused),
        Err(_) => unread(leaf, above, &refused).into(),
    }
}

fn judge_in_full(full: &Full<'_>, roots: &Roots, refused: &Fast) -> Trust {
    match full.verify(roots.all()) {
        Ok(place) => {
            let detail = format!("valid by a full RFC 5280 validation; rustls-webpki: {}", refused.words());
            valid(place, roots, Some(detail), |store| full.verify(store).is_ok())
        }
        Err(refusal) => refusal.into(),
    }
}

fn valid(place: usize, roots: &Roots, detail: Option<String>, trusts: impl Fn(&Store) -> bool) -> Trust {
    let root = Some(Arc::new(ended_in(place, roots, trusts)));
    Trust { status: ChainStatus::Valid, detail: detail.map(bounded), root }
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

/// The moment inside the leaf's validity that is nearest to `at`.
fn moment(leaf: &CertificateFacts, at: Timestamp) -> Timestamp {
    let at = leaf.not_before.map_or(at, |not_before| at.max(not_before));
    leaf.not_after.map_or(at, |not_after| at.min(not_after))
}

/// What becomes of a leaf that the full validator cannot read. rustls-webpki
/// says why; where it found but no root, its issuer is looked for by name.
fn unread(leaf: &CertificateFacts, above: &[Arc<ReadCertificate>], refused: &Fast) -> ChainRefusal {
    let issuer = leaf.issuer.as_deref();
    let sent = above.iter().any(|above| issuer.is_some() && above.facts.subject.as_deref() == issuer);
    match (refused, issuer) {
        (Fast::Webpki(webpki::Error::UnknownIssuer, _), Some(issuer)) if !sent => {
            ChainRefusal::new(ChainStatus::IncompleteChain, format!("came without its issuer, {issuer}"))
        }
        _ => ChainRefusal::invalid(refused.words()),
    }
}
