//! What rustls-webpki does not look at on a path that it accepts, and senders'
//! libraries do: key usages, the root's own certificate, key identifiers.
//!
//! RFC 5280 §6.1.4 (n) demands keyCertSign. The others are what `openssl
//! verify -purpose sslserver` refuses: a root is a certificate like any other
//! for it, though RFC 5280 §6.1.1 (d) takes name and key alone.

use super::refusal::ChainRefusal;
use crate::model::ChainStatus;
use crate::trust::purpose::{ChainDemands, Purpose};
use crate::x509::terms::{KeyState, Terms};

/// A path that leads to a root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    /// What each certificate says, leaf first, without the root.
    pub terms: &'a [&'a Terms],
    /// The certificates of the root: one is enough that fits. None where only
    /// name and key are known.
    pub root: &'a [Terms],
    /// Whether the leaf is the root.
    pub leaf_is_root: bool,
}

/// Looks at every certificate of a path.
pub(super) fn check(path: &Path<'_>, asked: ChainDemands) -> Result<(), ChainRefusal> {
    let Some((leaf, above)) = path.terms.split_first() else { return Ok(()) };
    check_leaf(leaf, asked.purpose)?;
    for issuer in above {
        check_issuer(issuer, "an intermediate", asked.purpose)?;
    }
    for pair in path.terms.windows(2) {
        if let [issued, issuer] = pair {
            check_link(issued, issuer)?;
        }
    }
    if !path.leaf_is_root {
        check_roots(path, asked)?;
    }
    check_key_known(leaf)
}

/// One certificate of the root that fits is enough.
fn check_roots(path: &Path<'_>, asked: ChainDemands) -> Result<(), ChainRefusal> {
    let mut refusal = None;
    for root in path.root {
        match check_root(root, path.terms, asked) {
            Ok(()) => return Ok(()),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    refusal.map_or(Ok(()), Err)
}

fn check_leaf(leaf: &Terms, purpose: Purpose) -> Result<(), ChainRefusal> {
    check_readable(leaf, "the leaf")?;
    check_purpose(leaf, purpose)?;
    if leaf.key_use.is_some_and(|usage| !usage.serves_tls) {
        return Err(ChainRefusal::invalid("the key usage of the leaf allows no TLS"));
    }
    match &leaf.key {
        KeyState::Broken(defect) => Err(ChainRefusal::invalid(format!("the leaf: {defect}"))),
        KeyState::Usable | KeyState::Unknown(_) => Ok(()),
    }
}

/// A key that nobody here knows is no fault of the chain.
fn check_key_known(leaf: &Terms) -> Result<(), ChainRefusal> {
    match &leaf.key {
        KeyState::Unknown(algorithm) => Err(ChainRefusal::new(
            ChainStatus::Unverifiable,
            format!("cannot be verified by mxray: the leaf's key, {algorithm} of unknown size"),
        )),
        KeyState::Usable | KeyState::Broken(_) => Ok(()),
    }
}

fn check_issuer(issuer: &Terms, which: &str, purpose: Purpose) -> Result<(), ChainRefusal> {
    check_readable(issuer, which)?;
    check_purpose(issuer, purpose)?;
    if issuer.key_use.is_some_and(|usage| !usage.signs_certificates) {
        return Err(ChainRefusal::invalid(format!("the key usage of {which} lacks keyCertSign")));
    }
    Ok(())
}

fn check_readable(terms: &Terms, which: &str) -> Result<(), ChainRefusal> {
    match &terms.defect {
        Some(defect) => Err(ChainRefusal::invalid(format!("{which}: {defect}"))),
        None => Ok(()),
    }
}

fn check_purpose(terms: &Terms, purpose: Purpose) -> Result<(), ChainRefusal> {
    match purpose {
        Purpose::Server if terms.server_auth == Some(false) => {
            Err(ChainRefusal::invalid("the extended key usage lacks server authentication"))
        }
        Purpose::Client if terms.server_auth == Some(false) && terms.client_auth == Some(false) => {
            Err(ChainRefusal::invalid("the extended key usage lacks client and server authentication"))
        }
        Purpose::Server | Purpose::Client => Ok(()),
    }
}

/// The identifiers of the issuer, where both sides have them (RFC 5280
/// §4.2.1.1). No rule of path validation; OpenSSL and GnuTLS hold them as one.
fn check_link(issued: &Terms, issuer: &Terms) -> Result<(), ChainRefusal> {
    let differ =
        |one: &Option<Vec<u8>>, other: &Option<Vec<u8>>| one.is_some() && other.is_some() && one != other;
    if differ(&issued.authority_key, &issuer.subject_key) || differ(&issued.authority_serial, &issuer.serial)
    {
        return Err(ChainRefusal::invalid("the authority key identifier names another certificate"));
    }
    Ok(())
}

fn check_root(root: &Terms, below: &[&Terms], asked: ChainDemands) -> Result<(), ChainRefusal> {
    if root.not_after.is_some_and(|end| end < asked.moment) {
        return Err(ChainRefusal::new(ChainStatus::ExpiredRoot, "the root's certificate has expired"));
    }
    if root.not_before.is_some_and(|start| start > asked.moment) {
        return Err(ChainRefusal::invalid("the root's certificate is not valid yet"));
    }
    if root.unknown_critical {
        return Err(ChainRefusal::invalid("a critical extension of the root is not known"));
    }
    // Version 1 has no extensions to say it with. Of version 3 the key usage
    // may say it, too: OpenSSL takes that, and old roots have no more.
    let signs = root.key_use.is_some_and(|usage| usage.signs_certificates);
    let is_ca = root.basic.map_or(root.version == Some(1) || signs, |basic| basic.ca);
    if !is_ca {
        return Err(ChainRefusal::invalid("the root is no CA"));
    }
    check_issuer(root, "the root", asked.purpose)?;
    let issuers = below.iter().skip(1).filter(|issuer| !issuer.self_issued).count();
    if root.basic.and_then(|basic| basic.path_len).is_some_and(|length| issuers > length as usize) {
        return Err(ChainRefusal::invalid("the path is longer than the root allows"));
    }
    below.last().map_or(Ok(()), |last| check_link(last, root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::roots::Store;
    use crate::x509::terms::{BasicConstraints, KeyUse, terms};
    use jiff::Timestamp;

    /// A rule that a root in use breaks would be a false one.
    #[test]
    fn every_root_that_is_built_in_may_issue() {
        for store in [Store::mozilla(), Store::microsoft().unwrap()] {
            for place in 0..store.len() {
                for root in store.terms(place) {
                    let moment = root.not_after.unwrap();
                    let told = check_root(root, &[], asked(moment));
                    assert_eq!(told, Ok(()), "{} {place} {root:?}", store.name());
                }
            }
        }
    }

    /// One that clients differ over would make every chain with it undetermined.
    #[test]
    fn every_root_that_is_built_in_is_of_sound_form() {
        for der in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            assert_eq!(terms(der).form_of_leaf(), crate::x509::form::CertificateForm::Sound);
        }
    }

    fn ca() -> Terms {
        Terms {
            version: Some(3),
            not_before: "2026-01-01T00:00:00Z".parse().ok(),
            not_after: "2027-01-01T00:00:00Z".parse().ok(),
            basic: Some(BasicConstraints { ca: true, path_len: None }),
            key_use: Some(KeyUse { signs_certificates: true, serves_tls: false }),
            ..Terms::default()
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn asked(moment: Timestamp) -> ChainDemands {
        ChainDemands { purpose: Purpose::Server, moment }
    }

    #[test]
    fn one_certificate_of_a_root_that_fits_is_enough() {
        let moment = at("2026-06-01T00:00:00Z");
        let old = Terms { not_after: "2026-02-01T00:00:00Z".parse().ok(), ..ca() };
        let leaf = Terms::default();
        let told =
            |root: &[Terms]| check(&Path { terms: &[&leaf], root, leaf_is_root: false }, asked(moment));
        assert_eq!(told(&[old.clone(), ca()]), Ok(()));
        assert_eq!(told(&[]), Ok(()));
        assert_eq!(told(&[old]).map_err(|refusal| refusal.status), Err(ChainStatus::ExpiredRoot));
    }

    #[test]
    fn a_root_is_valid_to_the_last_second() {
        for (moment, expected) in [
            ("2025-12-31T23:59:59Z", Err(ChainStatus::Invalid)),
            ("2026-01-01T00:00:00Z", Ok(())),
            ("2027-01-01T00:00:00Z", Ok(())),
            ("2027-01-01T00:00:01Z", Err(ChainStatus::ExpiredRoot)),
        ] {
            let told = check_root(&ca(), &[], asked(at(moment))).map_err(|refusal| refusal.status);
            assert_eq!(told, expected, "{moment}");
        }
    }
}
