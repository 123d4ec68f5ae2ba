//! What DANE and MTA-STS do to delivery, as tables.

use crate::model::mta_sts::{Published, StsMode};
use crate::model::tlsa::TlsaFacts;
use crate::model::tlsa::{Authenticity, TlsaOutcome};
use crate::model::{
    ChainStatus, DomainFacts, DomainName, Failure, Kind, MxHost, Phase, Subject, Target, TlsFinding,
    TlsRptResult, Verdict,
};
use crate::sender::connector::parse_toml;
use crate::verdict::attempt;
use crate::verdict::fixtures::*;
use crate::verdict::policy_fixtures::*;
use std::sync::Arc;

const EXCHANGE: &str = "exchange-online";
const POSTFIX: &str = "postfix-dane";
const ONLY: &str = "postfix-dane-only";

#[test]
fn usable_records_demand_tls_and_a_certificate_that_fits() {
    let signed = |tlsa| domain(Authenticity::Secure, tlsa);
    for (sender, expected) in [
        (EXCHANGE, "encrypted observed dane matched -"),
        (POSTFIX, "encrypted inferred dane matched -"),
        (ONLY, "encrypted inferred dane matched -"),
    ] {
        assert_eq!(answer(sender, &signed(fitting()), shows(&PKI.host)), expected);
    }
    assert_eq!(
        answer(EXCHANGE, &signed(fitting()), shows(&PKI.other)),
        "deferred:dane_mismatch observed - mismatch 4.7.323"
    );
    assert_eq!(
        answer(POSTFIX, &signed(fitting()), shows(&PKI.other)),
        "deferred:dane_mismatch inferred - mismatch 4.7.5"
    );
    assert_eq!(
        answer(EXCHANGE, &signed(fitting()), in_clear()),
        "deferred:dane_no_tls observed - no_tls 4.7.321"
    );
    let unseen = (at(ip(1), None, Some(secure())), None);
    assert_eq!(
        answer(EXCHANGE, &signed(fitting()), unseen),
        "undetermined:dane_certificate_not_seen - - undetermined:dane_certificate_not_seen -"
    );
    assert_eq!(
        answer(EXCHANGE, &signed(fitting()), throttles()),
        "undetermined:greeting_throttled - - undetermined:greeting_throttled 450 4.4.317"
    );
    // An issuer that fits, and the name of the host on the leaf.
    let issuer = Some(secure_tlsa(vec![record(2, &PKI.host[1])]));
    assert_eq!(
        answer(EXCHANGE, &signed(issuer.clone()), shows(&PKI.host)),
        "encrypted observed dane matched -"
    );
    let mut named = signed(issuer.clone());
    named.exchanges[0].tlsa.as_mut().unwrap().base = Some(MxHost::new("mx9.example.com"));
    assert_eq!(
        answer(EXCHANGE, &named, shows(&PKI.host)),
        "deferred:dane_name_mismatch observed - name_mismatch 4.7.325"
    );
    let unrelated = Some(secure_tlsa(vec![record(2, &PKI.other[0])]));
    let chain = vec![PKI.host[0].clone(), PKI.other[0].clone()];
    assert_eq!(
        answer(EXCHANGE, &signed(unrelated), shows(&chain)),
        "deferred:dane_chain observed - chain 4.7.323"
    );
}

#[test]
fn dates_count_under_dane_ee_where_the_sender_says_so() {
    let facts = domain(Authenticity::Secure, Some(secure_tlsa(vec![record(3, &PKI.expired[0])])));
    assert_eq!(
        answer(EXCHANGE, &facts, shows(&PKI.expired)),
        "deferred:dane_certificate_expired observed - certificate_expired 4.7.322"
    );
    assert_eq!(answer(POSTFIX, &facts, shows(&PKI.expired)), "encrypted inferred dane matched -");
    let facts = domain(Authenticity::Secure, Some(secure_tlsa(vec![record(3, &PKI.future[0])])));
    assert_eq!(
        answer(EXCHANGE, &facts, shows(&PKI.future)),
        "deferred:dane_not_yet_valid observed - not_yet_valid 4.7.323"
    );
}

#[test]
fn what_hangs_on_an_assumption_about_dates_is_assumed() {
    let assuming = |count: bool| {
        let mut sender = profile(EXCHANGE);
        sender.sender.dane_leaf_dates.source = None;
        sender.sender.dane_leaf_dates.value = count;
        sender
    };
    let old = domain(Authenticity::Secure, Some(secure_tlsa(vec![record(3, &PKI.expired[0])])));
    let told_of =
        |count, facts: &DomainFacts, chain| told(&judge_at(&assuming(count), facts, vec![(0, shows(chain))]));
    let expired = "deferred:dane_certificate_expired assumed - certificate_expired 4.7.322";
    assert_eq!(told_of(true, &old, &PKI.expired), expired);
    assert_eq!(told_of(false, &old, &PKI.expired), "encrypted assumed dane matched -");
    let good = domain(Authenticity::Secure, fitting());
    for count in [true, false] {
        assert_eq!(told_of(count, &good, &PKI.host), "encrypted observed dane matched -");
        let mismatch = "deferred:dane_mismatch observed - mismatch 4.7.323";
        assert_eq!(told_of(count, &good, &PKI.other), mismatch);
    }
}

/// What was not asked may be there: that it is not is an assumption.
#[test]
fn what_nobody_asked_for_is_told_so_and_rests_on_an_assumption() {
    let not_asked = bare_facts(&[&[1]]);
    let told = |sender, does| answer(sender, &not_asked, does);
    let open = "assumed undetermined:not_asked - -";
    assert_eq!(told(EXCHANGE, shows(&PKI.host)), format!("encrypted {open}"));
    assert_eq!(told("google", shows(&PKI.host)), format!("encrypted {open}"));
    assert_eq!(told(POSTFIX, shows(&PKI.host)), format!("encrypted {open}"));
    assert_eq!(told(EXCHANGE, in_clear()), "plaintext:starttls_not_offered assumed - - -");
    assert_eq!(told(ONLY, shows(&PKI.host)), "undetermined:dane_not_asked - - - -");
    // Senders that ask for neither, and a host that takes no mail anyway.
    assert_eq!(told("postfix-may", shows(&PKI.host)), "encrypted inferred none - -");
    assert_eq!(told("exchange-online-2020", in_clear()), "plaintext:starttls_not_offered observed - - -");
    let refused = (at(ip(1), Some(Failure::new(Phase::Connect, Kind::Refused)), None), None);
    assert_eq!(told(EXCHANGE, refused), "deferred:connect_refused inferred - - 450 4.4.316");
}

#[test]
fn what_was_asked_of_the_one_does_not_answer_for_the_other() {
    let judged = |facts: &DomainFacts, does| answer(EXCHANGE, facts, does);
    let signed = DomainFacts { mta_sts: None, ..domain(Authenticity::Secure, fitting()) };
    // Whether a policy counts beside records that fit is not published.
    assert_eq!(judged(&signed, shows(&PKI.host)), "encrypted assumed dane matched -");
    assert_eq!(judged(&signed, shows(&PKI.other)), "deferred:dane_mismatch observed - mismatch 4.7.323");
    let mut stated = profile(EXCHANGE);
    stated.sender.mta_sts_beside_dane.source = Some("its manual".into());
    let verdict = judge_at(&stated, &signed, vec![(0, shows(&PKI.host))]);
    assert_eq!(told(&verdict), "encrypted observed dane matched -");
    let unsigned =
        DomainFacts { mta_sts: None, ..domain(Authenticity::Secure, without(TlsaOutcome::Absent)) };
    assert_eq!(judged(&unsigned, shows(&PKI.host)), "encrypted assumed undetermined:not_asked none -");
    // Records would come before a policy that fits.
    let mut listed = domain(Authenticity::Secure, None);
    listed.mta_sts = Some(policy(StsMode::Enforce, "*.example.com"));
    assert_eq!(judged(&listed, shows(&PKI.host)), "encrypted assumed undetermined:not_asked - -");
    assert_eq!(judged(&listed, in_clear()), "deferred:sts_no_tls assumed - - 4.7.5");
}

/// RFC 7672 section 2.2: an address has no TLSA records. RFC 8461 section 3.4: the
/// name of a smart host is the policy domain.
#[test]
fn only_what_the_sender_would_have_asked_is_missing() {
    let not_asked = bare_facts(&[&[1]]);
    let of = |subject: &Subject, named: bool, smart_hosts: bool| {
        let mut facts = DomainFacts { smart_hosts, ..not_asked.clone() };
        facts.target.subject = subject.clone();
        facts.exchanges[0].host = facts.exchanges[0].host.take().filter(|_| named);
        facts
    };
    let domain = not_asked.target.subject.clone();
    let name = DomainName::parse("mx0.example.com").unwrap();
    let host = Subject::Host { name, port: None };
    let endpoint = |name| Subject::Endpoint { ip: ip(1), port: None, name };
    let (bare, known) = (endpoint(None), endpoint(Some(MxHost::new("mx0.example.com"))));
    for (subject, named, smart_hosts, exchange, google) in [
        (&domain, true, false, "assumed", "assumed"),
        (&domain, true, true, "assumed", "assumed"),
        (&domain, false, true, "observed", "observed"),
        (&host, true, false, "assumed", "observed"),
        (&known, true, false, "assumed", "observed"),
        (&bare, false, false, "observed", "observed"),
    ] {
        let facts = of(subject, named, smart_hosts);
        for (sender, expected) in [(EXCHANGE, exchange), ("google", google)] {
            let told = answer(sender, &facts, in_clear());
            let expected = format!("plaintext:starttls_not_offered {expected} - - -");
            assert_eq!(told, expected, "{sender} {subject:?} {named} {smart_hosts}");
        }
    }
}

/// The DNS gave no answer, which may be ours: a policy may forbid the host.
fn of_unknown_policy(mx: Authenticity, tlsa: Option<TlsaFacts>) -> DomainFacts {
    let mut facts = domain(mx, tlsa);
    let timeout = Failure::new(Phase::Dns, Kind::Timeout);
    facts.mta_sts.as_mut().unwrap().record = Published::Failed(timeout);
    facts
}

#[test]
fn a_policy_that_is_not_known_leaves_it_open() {
    let facts = of_unknown_policy(Authenticity::Insecure, without(TlsaOutcome::InsecureAddresses));
    let open = "undetermined:sts_policy_unknown - - insecure_addresses -";
    for (sender, stand) in [(EXCHANGE, open), ("google", open)] {
        for (does, otherwise) in
            [(shows(&PKI.host), "encrypted"), (in_clear(), "plaintext:starttls_not_offered")]
        {
            let verdict = judge_at(&profile(sender), &facts, vec![(0, does)]);
            assert_eq!(told(&verdict), stand, "{sender}");
            let told: Vec<String> = verdict.otherwise.iter().map(ToString::to_string).collect();
            assert_eq!(told, [otherwise], "{sender}");
        }
    }
    // It says nothing to who does not look, and nothing changes what is open or
    // not taken anyway.
    let told = answer(POSTFIX, &facts, shows(&PKI.host));
    assert_eq!(told, "encrypted inferred none insecure_addresses -");
    let told = answer(EXCHANGE, &facts, throttles());
    assert!(told.starts_with("undetermined:greeting_throttled - -"), "{told}");
    let refused = (at(ip(1), Some(Failure::new(Phase::Connect, Kind::Refused)), None), None);
    let told = answer(EXCHANGE, &facts, refused);
    assert_eq!(told, "deferred:connect_refused inferred - insecure_addresses 450 4.4.316");
}

#[test]
fn what_dane_decides_no_unknown_policy_leaves_open() {
    let facts = of_unknown_policy(Authenticity::Secure, fitting());
    // Whether a policy counts there is not published.
    assert_eq!(answer(EXCHANGE, &facts, shows(&PKI.host)), "encrypted assumed dane matched -");
    let failing = "deferred:dane_mismatch observed - mismatch 4.7.323";
    assert_eq!(answer(EXCHANGE, &facts, shows(&PKI.other)), failing);
    let told = answer("google", &facts, shows(&PKI.host));
    assert_eq!(told, "undetermined:sts_policy_unknown - - matched -");
    let useless = of_unknown_policy(Authenticity::Secure, Some(secure_tlsa(vec![unusable()])));
    let told = answer(EXCHANGE, &useless, shows(&PKI.host));
    assert_eq!(told, "undetermined:sts_policy_unknown - - unusable -");
}

/// Where the first host may be forbidden, and mail goes through TLS to it or to
/// the next, it goes through TLS.
#[test]
fn an_unknown_policy_leaves_nothing_open_where_all_ways_are_encrypted() {
    let mut facts = bare_facts(&[&[1], &[2]]);
    facts.mx_authenticity = Some(Authenticity::Secure);
    facts.mta_sts = of_unknown_policy(Authenticity::Secure, None).mta_sts;
    facts.exchanges[0].tlsa = without(TlsaOutcome::Absent);
    facts.exchanges[1].tlsa = fitting();
    let second = || (at(ip(2), None, Some(secure())), Some(PKI.host.clone()));
    let verdict = |first| judge_at(&profile(EXCHANGE), &facts, vec![(0, first), (1, second())]);
    assert_eq!(
        told(&verdict(shows(&PKI.host))),
        "encrypted assumed undetermined:sts_policy_unknown matched -"
    );
    let open = verdict(in_clear());
    assert_eq!(told(&open), "undetermined:sts_policy_unknown - - none -");
    let otherwise =
        |verdict: &Verdict| -> Vec<String> { verdict.otherwise.iter().map(ToString::to_string).collect() };
    assert_eq!(otherwise(&open), ["plaintext:starttls_not_offered"]);
    // What would become of it if the first was not there, and no policy.
    let throttled = verdict(throttles());
    assert_eq!(told(&throttled), "undetermined:greeting_throttled - - none 450 4.4.317");
    assert_eq!(otherwise(&throttled), ["encrypted"]);
}

#[test]
fn a_certificate_that_nobody_saw_is_not_known_to_hold() {
    let mut facts = domain(Authenticity::Insecure, without(TlsaOutcome::InsecureAddresses));
    facts.mta_sts = Some(policy(StsMode::Enforce, "*.example.com"));
    let unseen = TlsFinding { leaf: None, ..secure() };
    let told = answer(EXCHANGE, &facts, (at(ip(1), None, Some(unseen)), None));
    assert!(told.starts_with("undetermined:sts_certificate_not_seen - -"), "{told}");
}

#[test]
fn what_is_no_usable_record_demands_less_or_the_sender_keeps_the_mail() {
    use Authenticity::{Insecure, NotValidated, Secure};
    let useless = || Some(secure_tlsa(vec![unusable()]));
    let clear = "plaintext:starttls_not_offered observed - ";
    for (mx, tlsa, tls, no_tls, only) in [
        (
            Secure,
            useless(),
            "none unusable",
            "undeliverable:dane_unusable_no_tls assumed - unusable 5.7.321",
            "unusable",
        ),
        (Secure, without(TlsaOutcome::Absent), "none none", clear, "none"),
        (Secure, without(TlsaOutcome::Insecure), "none insecure", clear, "insecure"),
        (
            Secure,
            without(TlsaOutcome::InsecureAddresses),
            "none insecure_addresses",
            clear,
            "insecure_addresses",
        ),
        (Insecure, without(TlsaOutcome::Absent), "none none", clear, "none"),
        (Insecure, fitting(), "none insecure_mx", "plaintext:starttls_not_offered assumed - ", "insecure_mx"),
    ] {
        let facts = domain(mx, tlsa);
        let told = answer(EXCHANGE, &facts, shows(&PKI.host));
        assert!(told.starts_with("encrypted ") && told.contains(tls), "{mx:?} {told}");
        let told = answer(EXCHANGE, &facts, in_clear());
        assert!(told.starts_with(no_tls), "{mx:?} {told}");
        let told = answer(ONLY, &facts, shows(&PKI.host));
        assert_eq!(told, format!("deferred:dane_required observed - {only} 4.7.5"));
    }
    // Without a resolver that validates a sender has no DANE, and mxray does not
    // know whether the domain has.
    let mut unknown = domain(NotValidated, without(TlsaOutcome::NotValidated));
    let cause = "undetermined:no_validating_resolver";
    assert_eq!(answer(EXCHANGE, &unknown, shows(&PKI.host)), format!("encrypted inferred {cause} {cause} -"));
    assert_eq!(
        answer(EXCHANGE, &unknown, in_clear()),
        format!("plaintext:starttls_not_offered inferred - {cause} -")
    );
    assert_eq!(answer(ONLY, &unknown, shows(&PKI.host)), format!("{cause} - - {cause} -"));
    // A policy that fits leaves it open, too: records would come before it.
    unknown.mta_sts = Some(policy(StsMode::Enforce, "*.example.com"));
    assert_eq!(answer(EXCHANGE, &unknown, shows(&PKI.host)), format!("encrypted inferred {cause} {cause} -"));
    assert_eq!(answer("google", &unknown, shows(&PKI.host)), format!("encrypted inferred sts {cause} -"));
    // Postfix uses records under MX records that nobody vouches for.
    let half = domain(Insecure, fitting());
    assert_eq!(answer(POSTFIX, &half, shows(&PKI.host)), "encrypted inferred dane matched -");
    assert_eq!(answer(POSTFIX, &half, shows(&PKI.other)), "deferred:dane_mismatch inferred - mismatch 4.7.5");
}

#[test]
fn what_the_dns_does_not_say_is_never_weaker() {
    let signed = |outcome| domain(Authenticity::Secure, without(outcome));
    let timeout = || TlsaOutcome::Failed(Failure::new(Phase::Dns, Kind::Timeout));
    for does in [shows(&PKI.host), in_clear()] {
        assert_eq!(
            answer(EXCHANGE, &signed(TlsaOutcome::Bogus), does.clone()),
            "deferred:tlsa_bogus observed - bogus 450 4.7.324"
        );
        assert_eq!(
            answer(EXCHANGE, &signed(timeout()), does.clone()),
            "undetermined:tlsa_lookup_failed - - undetermined:tlsa_lookup_failed 450 4.7.324"
        );
        // Nor where those that validate gave no answer for the MX either.
        let unvouched = DomainFacts { mx_authenticity: None, ..signed(timeout()) };
        assert_eq!(
            answer(EXCHANGE, &unvouched, does.clone()),
            "undetermined:tlsa_lookup_failed - - undetermined:tlsa_lookup_failed 450 4.7.324"
        );
        // A sender without DANE does not ask.
        let told = answer("google", &signed(TlsaOutcome::Bogus), does);
        assert!(
            ["encrypted assumed none bogus -", "plaintext:starttls_not_offered assumed - bogus -"]
                .contains(&&*told),
            "{told}"
        );
    }
    let mut excess = fitting();
    excess.as_mut().unwrap().records_excess = 1;
    let facts = domain(Authenticity::Secure, excess);
    assert_eq!(answer(EXCHANGE, &facts, shows(&PKI.host)), "encrypted observed dane matched -");
    assert_eq!(
        answer(EXCHANGE, &facts, shows(&PKI.other)),
        "undetermined:tlsa_excess - - undetermined:tlsa_excess -"
    );
    // Nor are bogus addresses: to who validates the host is not there.
    let mut gone = domain(Authenticity::Secure, None);
    let servfail = Failure::new(Phase::Dns, Kind::Servfail);
    (gone.failure, gone.exchanges[0].failure) = (Some(servfail.clone()), Some(servfail));
    (gone.exchanges[0].addresses, gone.exchanges[0].addresses_bogus) = (Vec::new(), true);
    let of = |sender: &str| judge_at(&profile(sender), &gone, Vec::new());
    let told_of = |sender| told(&of(sender));
    assert_eq!(told_of(EXCHANGE), "deferred:address_bogus inferred - bogus 450 4.7.324");
    assert_eq!(told_of(POSTFIX), "deferred:address_bogus inferred - bogus 4.4.3");
    assert_eq!(told_of(ONLY), "deferred:address_bogus inferred - bogus 4.4.3");
    assert_eq!(told_of("google"), "undetermined:dns_servfail - - bogus -");
    assert_eq!(of(EXCHANGE).unresolved, Some(0));
    assert_eq!(of(EXCHANGE).policies.tls_rpt_result.map(TlsRptResult::name), Some("dnssec-invalid"));
    assert_eq!(of(EXCHANGE).forced.encryption_only.to_string(), "fail:address_bogus");
    assert_eq!(of("google").forced.encryption_only.to_string(), "undetermined:dns_servfail");
    let mut bogus = domain(Authenticity::Bogus, None);
    bogus.failure = Some(Failure::new(Phase::Dns, Kind::Servfail));
    bogus.exchanges.clear();
    let told = |sender| told(&judge_at(&profile(sender), &bogus, Vec::new()));
    assert_eq!(told(EXCHANGE), "deferred:mx_bogus inferred - bogus 450 4.7.324");
    assert_eq!(told("postfix-may"), "undetermined:dns_servfail - - bogus 4.4.3");
}

/// The next-hop domain and what it is an alias of are names, too (RFC 7672
/// §3.2.2), where somebody vouches for the MX records.
#[test]
fn a_certificate_under_dane_ta_may_bear_what_the_domain_is_an_alias_of() {
    let mut tlsa = secure_tlsa(vec![record(2, &PKI.host[1])]);
    tlsa.base = Some(MxHost::new("mail.example.net"));
    let mut facts = domain(Authenticity::Secure, Some(tlsa));
    let mismatch = "deferred:dane_name_mismatch observed - name_mismatch";
    assert!(answer(EXCHANGE, &facts, shows(&PKI.host)).starts_with(mismatch));
    facts.mx_alias_end = Some(MxHost::new("mx0.example.com"));
    assert_eq!(answer(EXCHANGE, &facts, shows(&PKI.host)), "encrypted observed dane matched -");
    facts.smart_hosts = true;
    facts.exchanges[0].host = Some(MxHost::new("smart.example.net"));
    assert!(answer(EXCHANGE, &facts, shows(&PKI.host)).starts_with(mismatch));
}

/// Where no MX record was used, so is the host that is an alias of the base; of an MX
/// host that is one, the alias is none.
#[test]
fn a_certificate_under_dane_ta_may_bear_the_name_of_a_host_that_is_the_next_hop() {
    let mut tlsa = secure_tlsa(vec![record(2, &PKI.host[1])]);
    tlsa.base = Some(MxHost::new("mail.example.net"));
    let by_mx = domain(Authenticity::Secure, Some(tlsa));
    let mismatch = "deferred:dane_name_mismatch observed - name_mismatch";
    assert!(answer(EXCHANGE, &by_mx, shows(&PKI.host)).starts_with(mismatch));
    let host = Subject::Host { name: DomainName::parse("mx0.example.com").unwrap(), port: None };
    let named = DomainFacts {
        target: Target { subject: host, ..by_mx.target.clone() },
        mx_authenticity: None,
        ..by_mx.clone()
    };
    for facts in [
        DomainFacts { implicit_mx: true, ..by_mx.clone() },
        DomainFacts { smart_hosts: true, mx_authenticity: None, ..by_mx.clone() },
        named,
    ] {
        assert_eq!(answer(EXCHANGE, &facts, shows(&PKI.host)), "encrypted observed dane matched -");
    }
}

#[test]
fn a_policy_in_force_demands_a_host_of_its_own_and_a_certificate() {
    let with = |mode, mx: &str| {
        let mut facts = domain(Authenticity::Insecure, without(TlsaOutcome::InsecureAddresses));
        facts.mta_sts = Some(policy(mode, mx));
        facts
    };
    let all = "*.example.com";
    let dane = "insecure_addresses";
    let untrusted = || {
        let tls = TlsFinding { chain: Some(ChainStatus::SelfSigned), ..secure() };
        (at(ip(1), None, Some(tls)), None)
    };
    for (mode, mx, does, expected) in [
        (StsMode::Enforce, all, shows(&PKI.host), "encrypted observed sts"),
        (StsMode::Enforce, "*.example.net", shows(&PKI.host), "deferred:sts_mx_not_listed observed -"),
        (StsMode::Enforce, all, in_clear(), "deferred:sts_no_tls observed -"),
        (StsMode::Enforce, all, untrusted(), "deferred:sts_certificate observed -"),
        (StsMode::Enforce, all, throttles(), "undetermined:greeting_throttled - -"),
        (StsMode::Testing, all, untrusted(), "encrypted observed none"),
        (StsMode::Testing, "*.example.net", in_clear(), "plaintext:starttls_not_offered observed -"),
        (StsMode::None, all, untrusted(), "encrypted observed none"),
    ] {
        let told = answer(EXCHANGE, &with(mode, mx), does);
        assert!(told.starts_with(&format!("{expected} {dane}")), "{mode:?} {mx}: {told}");
    }
    let verdict =
        judge_at(&profile(EXCHANGE), &with(StsMode::Enforce, "*.example.net"), vec![(0, shows(&PKI.host))]);
    let logged = verdict.outcome.logged.unwrap();
    assert_eq!(
        (&*logged.code, &*logged.text),
        ("4.4.8", "MX hosts of example.com failed MTA-STS validation")
    );
}

#[test]
fn sts_never_makes_good_where_dane_fails_and_adds_where_no_record_is_of_use() {
    let with = |tlsa, mx: &str| {
        let mut facts = domain(Authenticity::Secure, tlsa);
        facts.mta_sts = Some(policy(StsMode::Enforce, mx));
        facts
    };
    let useless = || Some(secure_tlsa(vec![unusable()]));
    for (tlsa, mx, chain, expected) in [
        (fitting(), "*.example.com", &PKI.other, "deferred:dane_mismatch observed - mismatch"),
        // What a sender makes of a policy where DANE decides is not published.
        (fitting(), "*.example.net", &PKI.host, "encrypted assumed dane matched"),
        (fitting(), "*.example.com", &PKI.host, "encrypted observed dane matched"),
        (useless(), "*.example.com", &PKI.host, "encrypted observed sts unusable"),
        (useless(), "*.example.net", &PKI.host, "deferred:sts_mx_not_listed observed - unusable"),
    ] {
        let told = answer(EXCHANGE, &with(tlsa, mx), shows(chain));
        assert!(told.starts_with(expected), "{told}, not {expected}");
    }
}

/// RFC 7672 section 2.2.2: the host is out, and the next is tried; of a host with
/// another family that one is used.
#[test]
fn a_host_with_bogus_addresses_is_passed_over_by_who_validates() {
    let mut facts = facts(&[&[], &[2]]);
    facts.mx_authenticity = Some(Authenticity::Secure);
    facts.exchanges[0].failure = Some(Failure::new(Phase::Dns, Kind::Servfail));
    facts.exchanges[1].tlsa = fitting();
    let second = || (at(ip(2), None, Some(secure())), Some(PKI.host.clone()));
    let told_of = |sender: &str, facts: &DomainFacts| {
        let verdict = judge_at(&profile(sender), facts, vec![(1, second())]);
        let otherwise: Vec<String> = verdict.otherwise.iter().map(ToString::to_string).collect();
        format!("{} [{}]", told(&verdict), otherwise.join(" "))
    };
    let open = "undetermined:dns_servfail - - - 450 4.4.312 [encrypted]";
    assert_eq!(told_of(EXCHANGE, &facts), open);
    facts.exchanges[0].addresses_bogus = true;
    assert_eq!(told_of(EXCHANGE, &facts), "encrypted inferred dane matched - []");
    assert_eq!(told_of(POSTFIX, &facts), "encrypted inferred dane matched - []");
    assert_eq!(told_of("google", &facts), "undetermined:dns_servfail - - bogus - [encrypted]");
    // Addresses of one family, and the other is there.
    let mut family = domain(Authenticity::Secure, fitting());
    family.exchanges[0].unresolved = Some(Failure::new(Phase::Dns, Kind::Servfail));
    let of_family = |sender, family: &DomainFacts| answer(sender, family, in_clear());
    assert_eq!(of_family("postfix-may", &family), "undetermined:dns_servfail - - - 4.4.3");
    family.exchanges[0].addresses_bogus = true;
    assert_eq!(answer(EXCHANGE, &family, shows(&PKI.host)), "encrypted inferred dane matched -");
    assert_eq!(of_family("google", &family), "undetermined:dns_servfail - - bogus -");
}

#[test]
fn a_host_that_fails_is_passed_over() {
    let mut facts = facts(&[&[1], &[2]]);
    facts.mx_authenticity = Some(Authenticity::Secure);
    facts.mta_sts = no_policy();
    facts.exchanges[0].tlsa = Some(secure_tlsa(vec![record(3, &PKI.other[0])]));
    facts.exchanges[1].tlsa = without(TlsaOutcome::Absent);
    let second = |tls: bool| {
        let failure = (!tls).then(|| Failure::new(Phase::Starttls, Kind::NotOffered));
        (at(ip(2), failure, tls.then(secure)), None)
    };
    let told = |first: HostShows, tls| {
        told(&judge_at(&profile(EXCHANGE), &facts, vec![(0, first), (1, second(tls))]))
    };
    assert_eq!(told(shows(&PKI.host), true), "encrypted inferred none none -");
    // Preference goes before security: a backup without records is used (RFC 7672
    // section 2.2.1).
    assert_eq!(told(shows(&PKI.host), false), "plaintext:starttls_not_offered inferred - none -");
    assert_eq!(told(shows(&PKI.other), false), "encrypted observed dane matched -");
    // Throttled for the scanner: it may take the mail, and never in clear.
    assert_eq!(told(throttles(), true), "encrypted inferred none none -");
}

#[test]
fn a_connector_sets_its_own_modes_and_demands_its_strength_beside_them() {
    let under = |settings: &str, facts: &DomainFacts, chain: &DerChain| {
        let file = format!("[[connector]]\nname = 'C'\ndomains = ['example.com']\n{settings}");
        let connectors = parse_toml(&file).unwrap().in_force(Vec::new()).unwrap();
        let sender = profile(EXCHANGE);
        let (finding, chain) = shows(chain);
        let mut judged = attempt::judged(&sender, finding);
        judged.chain = chain.map(Vec::into_boxed_slice);
        let probes = [(0, Arc::new(judged))];
        let verdict = crate::verdict::verdict(&sender, &PKI.judge, &connectors, facts, &probes);
        let connector = verdict.connector.unwrap();
        format!("{} {}", connector.delivery.name(), connector.reason.unwrap_or_default())
    };
    let tls = "tls_settings = 'EncryptionOnly'";
    let (mandatory, none) = ("smtp_dane_mode = 'Mandatory'", "smtp_dane_mode = 'None'");
    let signed = |tlsa| domain(Authenticity::Secure, tlsa);
    let absent = || without(TlsaOutcome::Absent);
    for (settings, tlsa, chain, expected) in [
        (String::new(), fitting(), &PKI.other, "deferred dane_mismatch"),
        (String::new(), fitting(), &PKI.host, "delivered "),
        (none.to_string(), fitting(), &PKI.other, "delivered "),
        (mandatory.to_string(), absent(), &PKI.host, "deferred dane_required"),
        (tls.to_string(), fitting(), &PKI.other, "deferred dane_mismatch"),
        (format!("{tls}\n{none}"), fitting(), &PKI.other, "delivered "),
        (format!("{tls}\n{mandatory}"), absent(), &PKI.host, "deferred dane_required"),
        (tls.to_string(), absent(), &PKI.host, "delivered "),
    ] {
        assert_eq!(under(&settings, &signed(tlsa), chain), expected, "{settings}");
    }
    let mut sts = signed(absent());
    sts.mta_sts = Some(policy(StsMode::Enforce, "*.example.net"));
    assert_eq!(under(tls, &sts, &PKI.host), "deferred sts_mx_not_listed");
    assert_eq!(under(&format!("{tls}\nmta_sts_mode = 'None'"), &sts, &PKI.host), "delivered ");
}
