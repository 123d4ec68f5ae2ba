//! What DANE and MTA-STS do where a domain has several hosts, or a host several
//! names.

use super::*;
use crate::model::mta_sts::StsMode;
use crate::model::tlsa::{Authenticity, TlsaFacts, TlsaOutcome};
use crate::model::{Failure, Finding, Kind, MxHost, Phase, TlsFinding};
use crate::verdict::fixtures::{at, facts, ip, profile, secure};
use crate::verdict::policy_fixtures::*;

const EXCHANGE: &str = "exchange-online";

/// Two hosts, the second with records that fit: what is told of both.
fn told_before_a_match(first: Option<TlsaFacts>, does: HostShows) -> String {
    let mut facts = facts(&[&[1], &[2]]);
    facts.mx_authenticity = Some(Authenticity::Secure);
    facts.exchanges[0].tlsa = first;
    facts.exchanges[1].tlsa = fitting();
    let second = (at(ip(2), None, Some(secure())), Some(PKI.host.clone()));
    told(&judge_at(&profile(EXCHANGE), &facts, vec![(0, does), (1, second)]))
}

/// Beyond our own limit nothing is known of records, and the sender may find none.
#[test]
fn a_host_that_was_not_asked_for_records_may_get_mail_in_clear() {
    let beyond = || without(TlsaOutcome::Failed(Failure::new(Phase::Dns, Kind::TooMany)));
    let open = "undetermined:tlsa_hosts_excess - - undetermined:tlsa_hosts_excess -";
    assert_eq!(told_before_a_match(beyond(), in_clear()), open);
    // Through TLS in any case, but not known by what.
    let encrypted = "encrypted inferred undetermined:tlsa_hosts_excess matched -";
    assert_eq!(told_before_a_match(beyond(), shows(&PKI.host)), encrypted);
    let one = domain(Authenticity::Secure, beyond());
    assert_eq!(answer(EXCHANGE, &one, shows(&PKI.host)), open);
}

#[test]
fn by_what_a_host_is_known_counts_those_that_may_take_the_mail_before_it() {
    let failed = || without(TlsaOutcome::Failed(Failure::new(Phase::Dns, Kind::Servfail)));
    let lookup = "encrypted inferred undetermined:tlsa_lookup_failed matched -";
    assert_eq!(told_before_a_match(failed(), shows(&PKI.host)), lookup);
    assert_eq!(told_before_a_match(failed(), in_clear()), lookup);
    // It came to the handshake: it never gets the mail in clear, and may get it.
    let closes = || (at(ip(1), Some(Failure::new(Phase::Tls, Kind::Closed)), None), None);
    let closed = "encrypted assumed undetermined:tls_closed matched -";
    assert_eq!(told_before_a_match(without(TlsaOutcome::Absent), closes()), closed);
    // It passes with its records, or not at all.
    assert_eq!(
        told_before_a_match(fitting(), closes()),
        "encrypted inferred undetermined:tls_closed matched -"
    );
    assert_eq!(told_before_a_match(fitting(), in_clear()), "encrypted inferred dane matched -");
}

#[test]
fn the_weakest_is_one_that_gets_mail_under_the_policies() {
    let mut facts = facts(&[&[1], &[2]]);
    facts.mx_authenticity = Some(Authenticity::Secure);
    (facts.exchanges[0].tlsa, facts.exchanges[1].tlsa) = (fitting(), fitting());
    let found = || {
        let clear = at(ip(2), Some(Failure::new(Phase::Starttls, Kind::NotOffered)), None);
        vec![(0, shows(&PKI.host)), (1, (clear, None))]
    };
    let weakest = |sender: &str, facts: &DomainFacts| {
        let weakest = judge_at(&profile(sender), facts, found()).weakest.unwrap();
        weakest.finding().key.endpoint.ip
    };
    assert_eq!((weakest(EXCHANGE, &facts), weakest("google", &facts)), (ip(1), ip(2)));
    facts.mta_sts = Some(policy(StsMode::Enforce, "*.example.com"));
    assert_eq!(weakest("google", &facts), ip(1));
}

/// RFC 7672 section 8.1: only who uses the records calls the host by their name.
#[test]
fn a_certificate_that_was_shown_for_another_name_says_nothing() {
    let alias = |mx| {
        let mut facts = domain(mx, fitting());
        facts.exchanges[0].tlsa.as_mut().unwrap().base = Some(MxHost::new("end.example.net"));
        facts.mta_sts = Some(policy(StsMode::Enforce, "*.example.com"));
        facts
    };
    let shown = |name: &str, tls: TlsFinding| {
        let mut finding = at(ip(1), None, Some(tls));
        finding.key.sni = Some(MxHost::new(name));
        (finding, Some(PKI.host.clone()))
    };
    let wrong =
        || TlsFinding { leaf: Some(crate::verdict::fixtures::leaf(&["end.example.net"])), ..secure() };
    let told_of = |sender, mx, does| answer(sender, &alias(mx), does);
    let open = |stand: &str| format!("undetermined:sts_certificate_not_seen - - {stand} -");
    let (end, host) = ("end.example.net", "mx0.example.com");
    use Authenticity::{Insecure, Secure};
    assert_eq!(told_of("google", Secure, shown(end, wrong())), open("matched"));
    assert_eq!(told_of("google", Secure, shown(end, secure())), open("matched"));
    assert_eq!(
        told_of("google", Secure, shown(host, wrong())),
        "deferred:sts_certificate inferred - matched -"
    );
    // Exchange Online uses the records of a signed domain alone.
    assert_eq!(told_of(EXCHANGE, Insecure, shown(end, wrong())), open("insecure_mx"));
    assert_eq!(told_of(EXCHANGE, Secure, shown(end, wrong())), "encrypted assumed dane matched -");
    // So it is where a certificate is demanded.
    let forced = |sender: &str, mx, does| {
        let forced = judge_at(&profile(sender), &alias(mx), vec![(0, does)]).forced;
        format!("{} {} {}", forced.encryption_only, forced.certificate_validation, forced.domain_validation)
    };
    let not_seen = "undetermined:certificate_not_seen";
    let expected = format!("pass {not_seen} {not_seen}");
    assert_eq!(forced("google", Secure, shown(end, secure())), expected);
    assert_eq!(forced(EXCHANGE, Secure, shown(end, secure())), "pass pass fail:name_mismatch");
}

/// How Exchange Online does it where no record is of use, and STARTTLS is not
/// offered; one handshake that fails is another matter.
#[test]
fn mail_is_given_up_only_where_no_host_may_take_it_later() {
    let useless = || Some(secure_tlsa(vec![unusable()]));
    let of = |second: Finding| {
        let mut facts = facts(&[&[1], &[2]]);
        facts.mx_authenticity = Some(Authenticity::Secure);
        (facts.exchanges[0].tlsa, facts.exchanges[1].tlsa) = (useless(), without(TlsaOutcome::Absent));
        judge_at(&profile(EXCHANGE), &facts, vec![(0, in_clear()), (1, (second, None))])
    };
    let failed = |phase, kind| at(ip(2), Some(Failure::new(phase, kind)), None);
    let encrypted = of(at(ip(2), None, Some(secure())));
    assert_eq!(told(&encrypted), "encrypted assumed none none -");
    let refused = of(failed(Phase::Connect, Kind::Refused));
    assert_eq!(told(&refused), "deferred:connect_refused assumed - none 450 4.4.316");
    let throttled = of(failed(Phase::Greeting, Kind::Throttled));
    assert_eq!(told(&throttled), "undetermined:greeting_throttled - - none 450 4.4.317");
    let otherwise: Vec<String> = throttled.otherwise.iter().map(ToString::to_string).collect();
    assert_eq!(otherwise, ["undeliverable:dane_unusable_no_tls"]);
    let one = domain(Authenticity::Secure, useless());
    let given_up = "undeliverable:dane_unusable_no_tls assumed - unusable 5.7.321";
    assert_eq!(answer(EXCHANGE, &one, in_clear()), given_up);
    let refusing = (crate::verdict::fixtures::refusing(&profile(EXCHANGE), ip(1)), None);
    let kept = answer(EXCHANGE, &one, refusing);
    assert!(kept.starts_with("deferred:dane_no_tls ") && kept.ends_with(" unusable 4.7.321"), "{kept}");
    assert_eq!(answer("postfix-dane", &one, in_clear()), "deferred:dane_no_tls observed - unusable 4.7.4");
}
