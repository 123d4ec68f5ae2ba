//! Every point of the axes, on chains made for it.

use super::*;
use crate::model::ChainStatus;
use crate::model::observation::CHAIN_CERTIFICATES_MAX;
use crate::model::tlsa::AssociationData;
use crate::trust::dane::{DaneFailure, DaneReference, DaneStatus};
use crate::trust::roots::Store;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn at() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.subject_alt_names.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

fn root(name: &str) -> Ca {
    CertifiedIssuer::self_signed(ca_params(name), KeyPair::generate().unwrap()).unwrap()
}

fn intermediate(params: CertificateParams, issuer: &Ca) -> Ca {
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), issuer).unwrap()
}

fn issue(params: CertificateParams, issuer: &Ca) -> Arc<[u8]> {
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, issuer).unwrap().der().as_ref().into()
}

fn own(params: CertificateParams) -> Arc<[u8]> {
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().as_ref().into()
}

fn der(ca: &Ca) -> Arc<[u8]> {
    ca.der().as_ref().into()
}

fn judge(trusted: &[&Ca]) -> Judge {
    Judge::new(Roots::new(vec![store("one", trusted)]), at())
}

fn store(name: &str, trusted: &[&Ca]) -> Store {
    let mut store = Store::new(name);
    for ca in trusted {
        store.add_der(ca.der()).unwrap();
    }
    store
}

fn chain_status(judge: &Judge, chain: &[Arc<[u8]>]) -> (ChainStatus, Option<String>) {
    let assessed = judge.assess(chain).unwrap();
    assert_eq!(assessed.assessment.certificates.len(), chain.len());
    (assessed.assessment.chain, assessed.assessment.chain_detail.clone())
}

#[test]
fn chains_that_lead_to_a_root_are_valid() {
    let root = root("Root");
    let middle = intermediate(ca_params("Middle"), &root);
    let leaf = issue(params("mx.example"), &middle);
    let judge = judge(&[&root]);
    let stray = own(params("stray.example"));
    for chain in [
        vec![issue(params("mx.example"), &root)],
        vec![leaf.clone(), der(&middle)],
        vec![leaf.clone(), der(&middle), der(&root)],
        vec![leaf.clone(), der(&root), stray.clone(), der(&middle)],
        vec![leaf.clone(), leaf.clone(), der(&middle)],
    ] {
        assert_eq!(chain_status(&judge, &chain), (ChainStatus::Valid, None));
    }
}

#[test]
fn self_signed_leaves_are_told_apart() {
    let root = root("Root");
    let detail = Some("signed by its own key".to_string());
    let judge = judge(&[&root]);
    assert_eq!(chain_status(&judge, &[own(params("mx.example"))]), (ChainStatus::SelfSigned, detail.clone()));
    assert_eq!(chain_status(&judge, &[own(ca_params("CA as leaf"))]), (ChainStatus::SelfSigned, detail));
    let v1: Arc<[u8]> = include_bytes!("../x509/testdata/version-1.der")[..].into();
    let small: Arc<[u8]> = include_bytes!("../x509/testdata/rsa-1024.der")[..].into();
    assert_eq!(chain_status(&judge, &[v1]).0, ChainStatus::SelfSigned);
    assert_eq!(chain_status(&judge, &[small]).0, ChainStatus::SelfSigned);
    // A root of the store in place of a leaf is no stranger, but its key signs
    // certificates and nothing else.
    assert_eq!(
        chain_status(&judge, &[der(&root)]),
        (ChainStatus::Invalid, Some("the key usage of the leaf allows no TLS".into()))
    );
}

#[test]
fn untrusted_and_incomplete_chains_are_told_apart() {
    let (trusted, stranger) = (root("Root"), root("Stranger"));
    let middle = intermediate(ca_params("Middle"), &stranger);
    let leaf = issue(params("mx.example"), &middle);
    let direct = issue(params("mx.example"), &stranger);
    let judge = judge(&[&trusted]);
    let untrusted = (ChainStatus::UntrustedRoot, Some("issued by CN=Stranger".to_string()));
    assert_eq!(chain_status(&judge, &[leaf.clone(), der(&middle), der(&stranger)]), untrusted);
    assert_eq!(chain_status(&judge, &[leaf.clone(), der(&stranger), der(&middle)]), untrusted);
    assert_eq!(
        chain_status(&judge, &[leaf.clone(), der(&middle)]),
        (ChainStatus::IncompleteChain, Some("CN=Middle came without its issuer, CN=Stranger".into()))
    );
    assert_eq!(chain_status(&judge, &[direct.clone(), der(&stranger)]), untrusted);
    let incomplete =
        |issuer: &str| (ChainStatus::IncompleteChain, Some(format!("came without its issuer, CN={issuer}")));
    assert_eq!(chain_status(&judge, std::slice::from_ref(&leaf)), incomplete("Middle"));
    assert_eq!(chain_status(&judge, &[leaf, der(&trusted)]), incomplete("Middle"));
    assert_eq!(chain_status(&judge, &[direct]), incomplete("Stranger"));
}

#[test]
fn what_a_missing_issuer_would_make_valid_is_incomplete() {
    let root = root("Root");
    let middle = intermediate(ca_params("Middle"), &root);
    let leaf = issue(params("mx.example"), &middle);
    assert_eq!(chain_status(&judge(&[&root]), &[leaf]).0, ChainStatus::IncompleteChain);
}

#[test]
fn a_ca_of_the_name_of_its_leaf_is_no_loop() {
    let stranger = root("mx.example");
    let leaf = issue(params("mx.example"), &stranger);
    let judge = judge(&[&root("Root")]);
    assert_eq!(chain_status(&judge, &[leaf.clone(), der(&stranger)]).0, ChainStatus::UntrustedRoot);
    assert_eq!(chain_status(&judge, &[leaf]).0, ChainStatus::IncompleteChain);
}

#[test]
fn an_unusable_certificate_above_does_not_speak_for_the_chain() {
    let stranger = root("Stranger");
    let leaf = issue(params("mx.example"), &stranger);
    let v1: Arc<[u8]> = include_bytes!("../x509/testdata/version-1.der")[..].into();
    let judge = judge(&[&root("Root")]);
    for broken in [v1, b"no DER"[..].into()] {
        assert_eq!(
            chain_status(&judge, &[leaf.clone(), der(&stranger), broken]).0,
            ChainStatus::UntrustedRoot
        );
    }
}

/// A client's certificate is for clients or for servers; what is for neither is none. A
/// server's is for servers.
#[test]
fn what_a_client_shows_is_for_clients_or_servers() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
    let root = root("Root");
    let judge = judge(&[&root]);
    for (usages, client, server) in [
        (vec![], true, true),
        (vec![ClientAuth], true, false),
        (vec![ServerAuth], true, true),
        (vec![ServerAuth, ClientAuth], true, true),
        (vec![CodeSigning], false, false),
        (vec![Any], false, false),
    ] {
        let mut of_issuer = ca_params("Middle");
        of_issuer.extended_key_usages.clone_from(&usages);
        let middle = intermediate(of_issuer, &root);
        let mut params = params("out.partner.example");
        params.extended_key_usages.clone_from(&usages);
        for chain in [vec![issue(params.clone(), &root)], vec![issue(params, &middle), der(&middle)]] {
            let shown_by_client = judge.assess_client(&chain, at()).unwrap().assessment.chain;
            assert_eq!(shown_by_client == ChainStatus::Valid, client, "{usages:?}, {shown_by_client:?}");
            let shown_by_server = chain_status(&judge, &chain).0;
            assert_eq!(shown_by_server == ChainStatus::Valid, server, "{usages:?}, {shown_by_server:?}");
        }
    }
}

#[test]
fn broken_rules_are_invalid_with_their_cause() {
    let root = root("Root");
    let judge = judge(&[&root]);
    let with_usage = |usage| {
        let mut params = params("mx.example");
        params.extended_key_usages = vec![usage];
        issue(params, &root)
    };
    assert_eq!(
        chain_status(&judge, &[with_usage(ExtendedKeyUsagePurpose::ServerAuth)]).0,
        ChainStatus::Valid
    );
    let mut expired = ca_params("Middle");
    expired.not_after = date_time_ymd(2025, 1, 1);
    let expired = intermediate(expired, &root);
    let no_ca = intermediate(params("No CA"), &root);
    let mut forged = issue(params("mx.example"), &root).to_vec();
    *forged.last_mut().unwrap() ^= 1;
    for (chain, detail) in [
        (
            vec![with_usage(ExtendedKeyUsagePurpose::ClientAuth)],
            "the extended key usage lacks server authentication",
        ),
        (vec![issue(ca_params("CA as leaf"), &root)], "the key usage of the leaf allows no TLS"),
        (vec![issue(params("mx.example"), &no_ca), der(&no_ca)], "an end-entity certificate stands as CA"),
        (
            vec![issue(params("mx.example"), &expired), der(&expired)],
            "a certificate had expired before the leaf did",
        ),
        (vec![forged.into()], "a signature does not verify"),
        (vec![b"no DER"[..].into()], "a certificate is no DER"),
    ] {
        assert_eq!(chain_status(&judge, &chain), (ChainStatus::Invalid, Some(detail.to_string())));
    }
}

#[test]
fn dates_are_an_axis_of_their_own() {
    let root = root("Root");
    let judge = judge(&[&root]);
    for (from, until, expected) in [
        ((2026, 1, 1), (2027, 1, 1), DateStatus::Valid),
        ((2024, 1, 1), (2025, 1, 1), DateStatus::Expired),
        ((2026, 7, 1), (2027, 1, 1), DateStatus::NotYetValid),
    ] {
        let mut params = params("mx.example");
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let assessed = judge.assess(&[issue(params, &root)]).unwrap();
        assert_eq!(assessed.assessment.dates, expected);
        assert_eq!(assessed.assessment.chain, ChainStatus::Valid);
    }
    let assessed = judge.assess(&[b"no DER"[..].into()]).unwrap();
    assert_eq!(assessed.assessment.dates, DateStatus::Unreadable);
}

#[test]
fn the_last_second_is_valid() {
    let root = root("Root");
    let mut params = params("mx.example");
    params.not_after = date_time_ymd(2026, 6, 1);
    let leaf = issue(params, &root);
    let at = |second: &str| {
        let judge = Judge::new(Roots::default(), second.parse().unwrap());
        judge.assess(std::slice::from_ref(&leaf)).unwrap().assessment.dates
    };
    assert_eq!(at("2026-06-01T00:00:00Z"), DateStatus::Valid);
    assert_eq!(at("2026-06-01T00:00:01Z"), DateStatus::Expired);
}

#[test]
fn keys_are_weighed() {
    for (algorithm, bits, expected) in [
        (Some("RSA"), Some(2048), KeyStatus::Strong),
        (Some("RSA"), Some(2047), KeyStatus::Weak),
        (Some("RSA"), None, KeyStatus::Unknown),
        (Some("ECDSA"), Some(224), KeyStatus::Strong),
        (Some("ECDSA"), Some(192), KeyStatus::Weak),
        (Some("ECDSA"), None, KeyStatus::Unknown),
        (Some("Ed25519"), Some(256), KeyStatus::Strong),
        (Some("Ed448"), Some(456), KeyStatus::Strong),
        (Some("DSA"), Some(3072), KeyStatus::Weak),
        (Some("1.2.3"), None, KeyStatus::Unknown),
        (None, None, KeyStatus::Unknown),
    ] {
        let facts = CertificateFacts {
            key_algorithm: algorithm.map(str::to_string),
            key_bits: bits,
            ..x509::read(b"")
        };
        assert_eq!(key(&facts), expected, "{algorithm:?} {bits:?}");
    }
}

#[test]
fn a_chain_is_judged_once() {
    let root = root("Root");
    let judge = judge(&[&root]);
    let chain = [issue(params("mx.example"), &root), der(&root)];
    let other = [issue(params("mx2.example"), &root), der(&root)];
    let first = judge.assess(&chain).unwrap();
    assert!(Arc::ptr_eq(&first, &judge.assess(&chain).unwrap()));
    let second = judge.assess(&other).unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&first.assessment.certificates[1], &second.assessment.certificates[1]));
    assert!(judge.assess(&[]).is_none());
    assert_eq!(&*first.leaf.dns_names[0], "mx.example");
}

#[test]
fn a_long_chain_is_read_whole_and_one_of_which_there_may_be_more_leads_nowhere_for_sure() {
    let root = root("Root");
    let middle = intermediate(ca_params("Middle"), &root);
    let (leaf, middle) = (issue(params("mx.example"), &middle), der(&middle));
    let judge = judge(&[&root]);
    let stranger = der(&self::root("Stranger"));
    let chain = |others: usize| -> Vec<Arc<[u8]>> {
        let strangers = std::iter::repeat_n(stranger.clone(), others);
        std::iter::once(leaf.clone()).chain(strangers).chain([middle.clone()]).collect()
    };
    let status = |chain: &[Arc<[u8]>]| judge.assess(chain).unwrap().assessment.chain;
    assert_eq!(status(&chain(CHAIN_CERTIFICATES_MAX - 2)), ChainStatus::Valid);
    let cut = chain(CHAIN_CERTIFICATES_MAX - 1);
    let (kept, short) = (&cut[..CHAIN_CERTIFICATES_MAX], &cut[..CHAIN_CERTIFICATES_MAX - 1]);
    assert_eq!((status(kept), status(short)), (ChainStatus::Unverifiable, ChainStatus::IncompleteChain));

    let record = TlsaRecord {
        usage: 2,
        selector: 0,
        matching_type: 1,
        data: AssociationData(x509::digest(&middle).0.into()),
    };
    let reference = DaneReference { names: &["mx.example"], leaf_dates_count: true, digest_agility: true };
    let dane = |chain: &[Arc<[u8]>]| judge.dane(chain, std::slice::from_ref(&record), &reference);
    assert!(matches!(dane(&chain(20)), DaneStatus::Matched { .. }));
    assert!(matches!(dane(kept), DaneStatus::Unverifiable(_)));
    assert_eq!(dane(short), DaneStatus::Failed(DaneFailure::NoMatch));
}

#[test]
fn each_store_is_asked_whether_it_trusts_the_chain() {
    let (first, second, stranger) = (root("First"), root("Second"), root("Stranger"));
    let middle_key = KeyPair::generate().unwrap();
    let by_first = ca_params("Middle").signed_by(&middle_key, &first).unwrap();
    // The same CA, cross-signed: its leaves lead to two roots.
    let by_second = ca_params("Middle").signed_by(&middle_key, &second).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::new(ca_params("Middle"), middle_key);
    let leaf: Arc<[u8]> = params("mx.example").signed_by(&leaf_key, &issuer).unwrap().der().as_ref().into();
    let (by_first, by_second): (Arc<[u8]>, Arc<[u8]>) =
        (by_first.der().as_ref().into(), by_second.der().as_ref().into());
    let stores = || {
        vec![
            store("one", &[&first]),
            store("two", &[&second]),
            store("both", &[&second, &first]),
            store("none", &[&stranger]),
        ]
    };
    let told = |stores: Vec<Store>, chain: &[Arc<[u8]>]| {
        let assessed = Judge::new(Roots::new(stores), at()).assess(chain).unwrap();
        let root = assessed.assessment.root.clone();
        root.map(|root| (root.subject.clone().unwrap(), root.sha256.unwrap(), root.trusted_by.join(" ")))
    };
    let ends_in = |ca: &Ca, subject: &str, by: &str| {
        Some((subject.to_string(), x509::digest(ca.der()), by.to_string()))
    };
    let both_ways = [leaf.clone(), by_first.clone(), by_second.clone()];
    assert_eq!(told(stores(), &both_ways), ends_in(&first, "CN=First", "one two both"));
    let one_way = [leaf, by_second];
    assert_eq!(told(stores(), &one_way), ends_in(&second, "CN=Second", "two both"));
    assert_eq!(told(vec![store("none", &[&stranger])], &one_way), None);
}

#[test]
fn a_judge_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Judge>();
}
