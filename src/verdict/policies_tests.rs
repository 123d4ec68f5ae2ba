//! What is told of DANE and MTA-STS in columns.

use super::*;
use crate::model::failure::{Failure, Kind, Phase};
use crate::model::mta_sts::{
    MxPattern, Published, StsFacts, StsFetch, StsFetchFailure, StsPolicyFault, StsRecordFault,
};
use crate::model::{Basis, ChainStatus, TlsFinding, Verdict};
use crate::verdict::fixtures::{at, facts, ip, profile, refusing, secure};
use crate::verdict::policy_fixtures::*;
use std::sync::Arc;

/// `stand result`, and the detail.
fn told(verdict: &Verdict) -> (String, String) {
    let policies = &verdict.policies;
    let stand = policies.mta_sts.map_or("-".to_string(), |stand| stand.to_string());
    let result = policies.tls_rpt_result.map_or("-", TlsRptResult::name);
    (format!("{stand} {result}"), policies.mta_sts_detail.clone().unwrap_or_default())
}

/// Of `example.com` with this MTA-STS, where its one host does this.
fn judged(sts: StsFacts, does: HostShows) -> (String, String) {
    let mut facts = domain(Authenticity::Insecure, without(TlsaOutcome::InsecureAddresses));
    facts.mta_sts = Some(sts);
    told(&judge_at(&profile("exchange-online"), &facts, vec![(0, does)]))
}

#[test]
fn each_fault_of_a_record_has_its_name() {
    for (fault, expected) in [
        (StsRecordFault::Several(2), "record_several -"),
        (StsRecordFault::Version, "record_version -"),
        (StsRecordFault::Field("x".into()), "record_syntax -"),
        (StsRecordFault::NoId, "record_id -"),
        (StsRecordFault::Id("-".into()), "record_id -"),
    ] {
        let words = fault.to_string();
        let sts = StsFacts { record: Published::Faulty(fault), ..no_policy().unwrap() };
        assert_eq!(judged(sts, shows(&PKI.host)), (expected.to_string(), words));
    }
    assert_eq!(judged(no_policy().unwrap(), shows(&PKI.host)).0, "none -");
    let failed = Published::Failed(Failure::new(Phase::Dns, Kind::Servfail));
    let sts = StsFacts { record: failed, ..no_policy().unwrap() };
    let expected = ("undetermined:sts_policy_unknown -".to_string(), "dns servfail".to_string());
    assert_eq!(judged(sts, shows(&PKI.host)), expected);
}

/// A policy that is announced, and this comes of its host.
fn fetched(chain: &DerChain, fetch: StsFetch) -> StsFacts {
    let fetch = Some(Arc::new(StsFetch { chain: chain.clone(), ..fetch }));
    StsFacts { fetch, ..policy(StsMode::Enforce, "*.example.com") }
}

#[test]
fn each_fault_of_a_policy_host_has_its_name() {
    let none = Vec::new();
    let (good, text) = (&PKI.policy, || "words".to_string());
    let unresolved = |kind| StsFetchFailure::Unresolved(Failure::new(Phase::Dns, kind));
    for (chain, failure, expected) in [
        (&none, unresolved(Kind::Nxdomain), "host_unresolved sts-policy-fetch-error"),
        (&none, unresolved(Kind::Servfail), "undetermined:sts_policy_unknown -"),
        (&none, StsFetchFailure::Connect(text()), "host_unreachable sts-policy-fetch-error"),
        (&none, StsFetchFailure::Timeout(60), "host_timeout sts-policy-fetch-error"),
        (&none, StsFetchFailure::Tls(text()), "host_tls sts-policy-fetch-error"),
        (&none, StsFetchFailure::TlsClosed(text()), "host_tls sts-policy-fetch-error"),
        (good, StsFetchFailure::HttpClosed(text()), "http sts-policy-fetch-error"),
        (good, StsFetchFailure::Status(503), "http_status sts-policy-fetch-error"),
        (good, StsFetchFailure::Http(text()), "http sts-policy-fetch-error"),
        (good, StsFetchFailure::Redirect(301), "http_redirect sts-policy-fetch-error"),
        (good, StsFetchFailure::Status(404), "http_status sts-policy-fetch-error"),
        (good, StsFetchFailure::TooLong(65536), "policy_too_long sts-policy-fetch-error"),
        (good, StsFetchFailure::Encoding, "policy_syntax sts-policy-invalid"),
        (&none, StsFetchFailure::NotAllowed(text()), "undetermined:sts_policy_unknown -"),
    ] {
        let words = failure.to_string();
        let fetch = StsFetch { failure: Some(failure), ..StsFetch::default() };
        assert_eq!(judged(fetched(chain, fetch), shows(&PKI.host)), (expected.to_string(), words));
    }
    // Before what it says counts whether it is the host.
    for (chain, words) in [
        (&PKI.host, "certificate for mx0.example.com"),
        (&PKI.old_policy, "certificate: chain valid, dates expired"),
    ] {
        let failures =
            [StsFetchFailure::Status(404), StsFetchFailure::Http(text()), StsFetchFailure::Encoding];
        for failure in failures {
            let fetch = StsFetch { failure: Some(failure), ..StsFetch::default() };
            let expected = ("host_certificate sts-webpki-invalid".to_string(), words.to_string());
            assert_eq!(judged(fetched(chain, fetch), shows(&PKI.host)), expected);
        }
    }
    // So it is where the handshake came to nothing for a reason of ours.
    for (chain, expected) in [
        (&PKI.host, ("host_certificate sts-webpki-invalid", "certificate for mx0.example.com")),
        (&PKI.policy, ("undetermined:sts_policy_unknown -", "words")),
    ] {
        let fetch = StsFetch { failure: Some(StsFetchFailure::NotAllowed(text())), ..StsFetch::default() };
        let (told, words) = judged(fetched(chain, fetch), shows(&PKI.host));
        assert_eq!((&*told, &*words), expected);
    }
    let own = policy(StsMode::Enforce, "*.example.com").fetch.unwrap();
    let told = judged(fetched(&PKI.host, StsFetch::clone(&own)), shows(&PKI.host));
    assert_eq!(
        told,
        ("host_certificate sts-webpki-invalid".into(), "certificate for mx0.example.com".into())
    );
    let told = judged(fetched(&PKI.old_policy, StsFetch::clone(&own)), shows(&PKI.host));
    assert_eq!(told.1, "certificate: chain valid, dates expired");
}

/// A sender that comes at another time may get what was not to be had at this one.
#[test]
fn what_may_pass_of_a_policy_host_is_not_observed() {
    let (none, good, text) = (&Vec::new(), &PKI.policy, || "words".to_string());
    for (chain, failure) in [
        (none, StsFetchFailure::Connect(text())),
        (none, StsFetchFailure::Timeout(60)),
        (none, StsFetchFailure::TlsClosed(text())),
        (none, StsFetchFailure::Tls(text())),
        (good, StsFetchFailure::HttpClosed(text())),
        (good, StsFetchFailure::Http(text())),
        (good, StsFetchFailure::Status(429)),
        (good, StsFetchFailure::Status(500)),
        (good, StsFetchFailure::Status(599)),
        (good, StsFetchFailure::Status(404)),
        (good, StsFetchFailure::Redirect(302)),
    ] {
        let expected = if failure.may_pass() { Basis::Inferred } else { Basis::Observed };
        let fetch = StsFetch { failure: Some(failure.clone()), ..StsFetch::default() };
        let mut facts = domain(Authenticity::Insecure, without(TlsaOutcome::InsecureAddresses));
        facts.mta_sts = Some(fetched(chain, fetch));
        let verdict = judge_at(&profile("exchange-online"), &facts, vec![(0, shows(&PKI.host))]);
        assert_eq!(verdict.outcome.basis, Some(expected), "{failure:?}");
    }
}

#[test]
fn each_fault_of_a_policy_has_its_name() {
    for (fault, expected) in [
        (StsPolicyFault::TooLong(65536), "policy_too_long sts-policy-fetch-error"),
        (StsPolicyFault::Encoding, "policy_syntax sts-policy-invalid"),
        (StsPolicyFault::EmptyLine(2), "policy_syntax sts-policy-invalid"),
        (StsPolicyFault::Field(1, "x".into()), "policy_syntax sts-policy-invalid"),
        (StsPolicyFault::NoVersion, "policy_version sts-policy-invalid"),
        (StsPolicyFault::Version("2".into()), "policy_version sts-policy-invalid"),
        (StsPolicyFault::NoMode, "policy_mode sts-policy-invalid"),
        (StsPolicyFault::Mode("x".into()), "policy_mode sts-policy-invalid"),
        (StsPolicyFault::NoMaxAge, "policy_max_age sts-policy-invalid"),
        (StsPolicyFault::MaxAge("x".into()), "policy_max_age sts-policy-invalid"),
        (StsPolicyFault::NoMx, "policy_mx sts-policy-invalid"),
        (StsPolicyFault::Mx(3, "192.0.2.1".into()), "policy_mx sts-policy-invalid"),
    ] {
        let words = fault.to_string();
        let fetch = StsFetch { policy: Some(Err(fault)), ..StsFetch::default() };
        let told = judged(fetched(&PKI.policy, fetch), shows(&PKI.host));
        assert_eq!(told, (expected.to_string(), words));
    }
}

/// STARTTLS is offered, and no offer of the sender's is taken.
fn fails_in_tls() -> HostShows {
    (refusing(&profile("exchange-online"), ip(1)), None)
}

/// STARTTLS is offered, and refused for good.
fn refuses_starttls() -> HostShows {
    (at(ip(1), Some(Failure::new(Phase::Starttls, Kind::Refused)), None), None)
}

fn shows_sha1() -> HostShows {
    let mut leaf = crate::verdict::fixtures::leaf(&["mx0.example.com"]);
    Arc::make_mut(&mut leaf).signed_with_sha1 = Some(true);
    (at(ip(1), None, Some(TlsFinding { leaf: Some(leaf), ..secure() })), Some(PKI.host.clone()))
}

#[test]
fn hosts_that_do_not_fit_a_policy_have_their_names() {
    let shown = |tls: TlsFinding| -> HostShows { (at(ip(1), None, Some(tls)), None) };
    let self_signed = TlsFinding { chain: Some(ChainStatus::SelfSigned), ..secure() };
    let expired = TlsFinding { dates: Some(crate::model::DateStatus::Expired), ..secure() };
    let misnamed = TlsFinding { leaf: Some(crate::verdict::fixtures::leaf(&["mx.example.net"])), ..secure() };
    for (mx, does, expected, detail) in [
        ("*.example.com", shows(&PKI.host), "valid -", ""),
        (
            "*.example.net",
            shows(&PKI.host),
            "mx_not_listed validation-failure",
            "mx0.example.com not among *.example.net",
        ),
        ("*.example.com", in_clear(), "mx_no_tls starttls-not-supported", "mx0.example.com"),
        ("*.example.com", fails_in_tls(), "mx_no_tls validation-failure", "mx0.example.com"),
        ("*.example.com", shows_sha1(), "mx_no_tls certificate-not-trusted", "mx0.example.com"),
        (
            "*.example.com",
            shown(self_signed),
            "mx_certificate certificate-not-trusted",
            "mx0.example.com: self_signed",
        ),
        ("*.example.com", shown(expired), "mx_certificate certificate-expired", "mx0.example.com: expired"),
        (
            "*.example.com",
            shown(misnamed),
            "mx_certificate certificate-host-mismatch",
            "mx0.example.com: name_mismatch",
        ),
    ] {
        let told = judged(policy(StsMode::Testing, mx), does);
        assert_eq!(told, (expected.to_string(), detail.to_string()));
    }
    let mut unlisted = domain(Authenticity::Insecure, without(TlsaOutcome::InsecureAddresses));
    unlisted.mta_sts = Some(policy(StsMode::Enforce, "*.example.net"));
    let reported = |sender: &str| told(&judge_at(&profile(sender), &unlisted, vec![(0, shows(&PKI.host))])).0;
    assert_eq!(reported("google"), "mx_not_listed validation-failure");
    assert_eq!(reported("postfix-dane"), "mx_not_listed -");
    let mut two = facts(&[&[1], &[2]]);
    two.mta_sts = Some(policy(StsMode::Enforce, "mx0.example.com"));
    let found = vec![(0, shows(&PKI.host)), (1, (at(ip(2), None, Some(secure())), None))];
    let verdict = judge_at(&profile("google"), &two, found);
    assert_eq!(told(&verdict).0, "mx_partly_listed validation-failure");
    assert_eq!(told(&verdict).1, "mx1.example.com not among mx0.example.com");
    assert_eq!(verdict.policies.mta_sts_mode, Some(StsMode::Enforce));
    assert!(MxPattern::new("mx0.example.com").covers(two.exchanges[0].host.as_ref().unwrap()));
}

#[test]
fn a_report_calls_what_fails_of_dane_by_its_name() {
    let unusable = || Some(secure_tlsa(vec![unusable()]));
    let issuer = |base: &str| {
        let mut tlsa = secure_tlsa(vec![record(2, &PKI.host[1])]);
        tlsa.base = Some(crate::model::MxHost::new(base));
        Some(tlsa)
    };
    let unrelated = || Some(secure_tlsa(vec![record(2, &PKI.other[0])]));
    let led_astray = vec![PKI.host[0].clone(), PKI.other[0].clone()];
    let old = || Some(secure_tlsa(vec![record(3, &PKI.expired[0])]));
    for (sender, tlsa, does, expected) in [
        ("exchange-online", fitting(), shows(&PKI.host), "-"),
        ("exchange-online", fitting(), shows(&PKI.other), "tlsa-invalid"),
        ("exchange-online", fitting(), in_clear(), "starttls-not-supported"),
        ("exchange-online", fitting(), refuses_starttls(), "validation-failure"),
        ("exchange-online", fitting(), fails_in_tls(), "validation-failure"),
        ("exchange-online", fitting(), shows_sha1(), "certificate-not-trusted"),
        ("exchange-online", unusable(), shows(&PKI.host), "tlsa-invalid"),
        ("exchange-online", issuer("mx9.example.com"), shows(&PKI.host), "certificate-host-mismatch"),
        ("exchange-online", unrelated(), shows(&led_astray), "certificate-not-trusted"),
        ("exchange-online", old(), shows(&PKI.expired), "certificate-expired"),
        ("exchange-online", without(TlsaOutcome::Bogus), shows(&PKI.host), "dnssec-invalid"),
        ("exchange-online", without(TlsaOutcome::Absent), shows(&PKI.host), "-"),
        ("postfix-dane-only", without(TlsaOutcome::Absent), shows(&PKI.host), "dane-required"),
        // A sender that does not look at records reports none.
        ("google", fitting(), shows(&PKI.other), "-"),
        ("google", without(TlsaOutcome::Bogus), shows(&PKI.host), "-"),
    ] {
        let verdict = judge_at(&profile(sender), &domain(Authenticity::Secure, tlsa), vec![(0, does)]);
        let result = verdict.policies.tls_rpt_result.map_or("-", TlsRptResult::name);
        assert_eq!(result, expected, "{:?}", verdict.policies);
    }
}

#[test]
fn the_detail_says_which_record_fits_and_which_is_of_no_use() {
    let detail = |tlsa: TlsaFacts, does| {
        let facts = domain(Authenticity::Secure, Some(tlsa));
        let policies = judge_at(&profile("exchange-online"), &facts, vec![(0, does)]).policies;
        (policies.tlsa_records, policies.dane_detail.unwrap_or_default())
    };
    let (count, text) = detail(secure_tlsa(vec![unusable(), record(3, &PKI.host[0])]), shows(&PKI.host));
    let digits = &record(3, &PKI.host[0]).data.to_string()[..16];
    assert_eq!(count, Some(2));
    let expected = format!(
        "3 0 1 {digits}… fits the leaf; 1 1 1 0707070707070707… is of no use: the usage is not 2 or 3"
    );
    assert_eq!(text, expected);
    let (_, text) = detail(secure_tlsa(vec![record(2, &PKI.host[1])]), shows(&PKI.host));
    assert!(text.ends_with("fits the issuer at depth 1"), "{text}");
    let (_, text) = detail(secure_tlsa(vec![record(3, &PKI.other[0])]), shows(&PKI.host));
    assert_eq!(text, "no record is about a certificate of the host");
    let mut short = secure_tlsa(vec![]);
    short.records_short = 2;
    let told = detail(short.clone(), shows(&PKI.host));
    assert_eq!(told, (Some(2), "2 records shorter than 3 octets are of no use".to_string()));
    let facts = domain(Authenticity::Secure, Some(short));
    assert!(
        answer("exchange-online", &facts, shows(&PKI.host)).starts_with("encrypted observed none unusable")
    );
    let many = secure_tlsa(vec![unusable(); 32]);
    assert!(detail(many, shows(&PKI.host)).1.len() <= DETAIL_BYTES_MAX);
}
