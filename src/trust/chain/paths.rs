//! The ways up from a leaf through the certificates that came with it, by
//! name, in whatever order they came (RFC 4158). `pkix-path-builder` does the
//! same, but stops at the first root of a name whoever signed, and brings
//! signature verifiers of its own along.

use pkix_path::names_match;
use x509_cert::Certificate;

/// Most certificates looked at for one leaf, each as often as it is come to.
/// Of sixteen that bear one name there are more ways than anybody can try.
pub(super) const STEPS_MAX: usize = 200;

/// Calls `visit` with each way up, shorter ones first: the places of its
/// certificates, leaf first, and whether nothing that came goes on from there.
/// Ends early once `visit` says true, or where [`STEPS_MAX`] is reached; whether
/// a way may have been left out for that.
pub(super) fn each(certificates: &[Certificate], mut visit: impl FnMut(&[usize], bool) -> bool) -> bool {
    let mut open = vec![vec![0]];
    let mut steps = 0;
    while let Some(path) = open.pop() {
        let issuers = issuers(certificates, &path);
        if visit(&path, issuers.is_empty()) {
            return false;
        }
        steps += 1;
        if steps == STEPS_MAX {
            return !open.is_empty() || !issuers.is_empty();
        }
        for issuer in issuers.into_iter().rev() {
            open.push([path.as_slice(), &[issuer]].concat());
        }
    }
    false
}

/// The certificates that bear the name of the issuer of the last of a path,
/// and whose name and key are not in it yet.
fn issuers(certificates: &[Certificate], path: &[usize]) -> Vec<usize> {
    let at = |place: &usize| certificates.get(*place).map(|certificate| &certificate.tbs_certificate);
    let Some(issuer) = path.last().and_then(at).map(|last| &last.issuer) else { return Vec::new() };
    let fits = |candidate: &usize| {
        at(candidate).is_some_and(|candidate| {
            names_match(&candidate.subject, issuer)
                && path.iter().filter_map(at).all(|seen| {
                    seen.subject != candidate.subject
                        || seen.subject_public_key_info != candidate.subject_public_key_info
                })
        })
    };
    (1..certificates.len()).filter(fits).collect()
}
