//! What becomes of mail to a domain, one table each.

use super::*;
use crate::model::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::model::{
    Basis, ChainStatus, Check, CheckCause, DateStatus, Delivery, Failure, Finding, HelloEnd, HelloFinding,
    Kind, MxHost, NameStatus, Phase, PossibleDelivery, PresentedCertificate, SignatureCheck, TlsFinding,
    View,
};
use crate::verdict::SCANNER_SUITES;
use crate::verdict::fixtures::*;
use std::net::IpAddr;

fn exchange_online() -> SenderProfile {
    profile("exchange-online")
}

fn failed(index: usize, last: u8, phase: Phase, kind: Kind) -> Found {
    (index, at(ip(last), Some(Failure::new(phase, kind)), None))
}

fn encrypted(index: usize, last: u8) -> Found {
    (index, at(ip(last), None, Some(secure())))
}

fn throttled(index: usize, last: u8) -> Found {
    failed(index, last, Phase::Greeting, Kind::Throttled)
}

fn unreachable(index: usize, last: u8) -> Found {
    failed(index, last, Phase::Connect, Kind::Refused)
}

fn clear(index: usize, last: u8) -> Found {
    failed(index, last, Phase::Starttls, Kind::NotOffered)
}

fn refuses(index: usize, last: u8) -> Found {
    (index, refusing(&exchange_online(), ip(last)))
}

/// `delivery reason, basis | also | otherwise`.
fn answer(verdict: &Verdict) -> String {
    let list = |all: &[PossibleDelivery]| all.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" ");
    let outcome = &verdict.outcome;
    let whole = PossibleDelivery { delivery: outcome.delivery, reason: outcome.reason };
    let basis = outcome.basis.map_or("-", |basis| basis.name());
    format!("{whole}, {basis} | {} | {}", list(&verdict.also), list(&verdict.otherwise))
}

fn forced(verdict: &Verdict) -> String {
    let basis = verdict.forced_basis.encryption_only.map_or("-", |basis| basis.name());
    format!("{}, {basis}", verdict.forced.encryption_only)
}

#[test]
fn smart_hosts_that_are_not_to_be_found_say_nothing_of_the_domain() {
    let failure = Some(Failure::new(Phase::Dns, Kind::MxUnusable));
    for (smart_hosts, delivery, code) in
        [(false, Delivery::Undeliverable, None), (true, Delivery::Deferred, Some("450 4.4.312"))]
    {
        let facts = DomainFacts { smart_hosts, failure: failure.clone(), ..facts(&[]) };
        let outcome = judge(&exchange_online(), &facts, &[]).outcome;
        let logged = outcome.logged.as_ref().map(|logged| &*logged.code);
        assert_eq!((outcome.delivery, logged), (delivery, code), "{smart_hosts}");
    }
}

/// Delivery, reason, and the last octets of best and weakest.
fn told(verdict: &Verdict) -> (String, Option<IpAddr>, Option<IpAddr>) {
    let text = match verdict.outcome.reason {
        Some(reason) => format!("{} {reason}", verdict.outcome.delivery),
        None => verdict.outcome.delivery.to_string(),
    };
    let at = |view: &Option<View>| view.as_ref().map(|view| view.finding().key.endpoint.ip);
    (text, at(&verdict.best), at(&verdict.weakest))
}

#[test]
fn dns_failures_decide_without_a_probe() {
    for (phase, kind, expected) in [
        (Phase::Dns, Kind::Nxdomain, "undeliverable dns_nxdomain"),
        (Phase::Dns, Kind::NoData, "undeliverable dns_no_data"),
        (Phase::Dns, Kind::NullMx, "undeliverable dns_null_mx"),
        (Phase::Dns, Kind::MxUnusable, "undeliverable dns_mx_unusable"),
        (Phase::Dns, Kind::Servfail, "undetermined dns_servfail"),
        (Phase::Dns, Kind::Timeout, "undetermined dns_timeout"),
        (Phase::Input, Kind::Blocklisted, "undetermined input_blocklisted"),
        (Phase::Input, Kind::InvalidName, "undetermined input_invalid_name"),
    ] {
        let facts = DomainFacts::failed(target(), Failure::new(phase, kind));
        assert_eq!(told(&judge(&exchange_online(), &facts, &[])), (expected.into(), None, None));
    }
}

#[test]
fn the_first_set_of_which_one_takes_mail_decides() {
    let handshake = |index, last| failed(index, last, Phase::Tls, Kind::Alert);
    let facts = facts(&[&[], &[2, 1], &[3]]);
    for (probes, expected, best, weakest) in [
        (vec![encrypted(1, 2), clear(2, 3)], "encrypted", Some(2), Some(3)),
        // Addresses of a host are a set, and the worst of it is told.
        (vec![clear(1, 2), encrypted(1, 1)], "plaintext starttls_not_offered", Some(2), Some(2)),
        (vec![clear(1, 1), encrypted(1, 2)], "plaintext starttls_not_offered", Some(1), Some(1)),
        (vec![encrypted(2, 3), clear(1, 1)], "plaintext starttls_not_offered", Some(1), Some(1)),
        // Whoever is not known is the one on which it hangs.
        (vec![throttled(1, 2), encrypted(2, 3)], "undetermined greeting_throttled", Some(2), Some(3)),
        (vec![encrypted(1, 2), throttled(2, 3)], "encrypted", Some(2), Some(2)),
        (vec![unreachable(1, 2), handshake(1, 1), throttled(2, 3)], "undetermined tls_alert", Some(1), None),
        (vec![throttled(1, 1), throttled(1, 2)], "undetermined greeting_throttled", Some(1), None),
        (vec![], "undetermined", None, None),
    ] {
        let (text, found_best, found_weakest) = told(&judge(&exchange_online(), &facts, &probes));
        assert_eq!(
            (text.as_str(), found_best, found_weakest),
            (expected, best.map(ip), weakest.map(ip)),
            "{probes:?}"
        );
    }
}

#[test]
fn the_roll_up_is_one() {
    let hosts = facts(&[&[1], &[2]]);
    let open = "undetermined:greeting_throttled, -";
    let waits = |otherwise: &str| format!("{open} |  | {otherwise}");
    let ends = |delivery: &str| format!("{delivery} |  | ");
    for (found, delivery, encryption) in [
        ([encrypted(0, 1), encrypted(1, 2)], ends("encrypted, observed"), "pass, observed"),
        // A host that is not there is passed over, and that is an inference.
        ([unreachable(0, 1), encrypted(1, 2)], ends("encrypted, inferred"), "pass, inferred"),
        (
            [unreachable(0, 1), clear(1, 2)],
            ends("plaintext:starttls_not_offered, inferred"),
            "fail:starttls_not_offered, inferred",
        ),
        (
            [unreachable(0, 1), unreachable(1, 2)],
            ends("deferred:connect_refused, inferred"),
            "fail:connect_refused, inferred",
        ),
        // One that is unknown leaves it open; under forced TLS another passes.
        ([throttled(0, 1), encrypted(1, 2)], waits("encrypted"), "pass, inferred"),
        ([throttled(0, 1), clear(1, 2)], waits("plaintext:starttls_not_offered"), open),
        ([throttled(0, 1), unreachable(1, 2)], waits("deferred:connect_refused"), open),
        ([encrypted(0, 1), throttled(1, 2)], ends("encrypted, observed"), "pass, observed"),
        ([clear(0, 1), throttled(1, 2)], ends("plaintext:starttls_not_offered, observed"), open),
        // That the sender goes on after a handshake that fails is assumed of it.
        ([refuses(0, 1), encrypted(1, 2)], ends("encrypted, assumed"), "pass, inferred"),
        ([clear(0, 1), encrypted(1, 2)], ends("plaintext:starttls_not_offered, observed"), "pass, inferred"),
        ([refuses(0, 1), throttled(1, 2)], waits("deferred:offer_refused"), open),
    ] {
        let verdict = judge(&exchange_online(), &hosts, &found);
        assert_eq!((answer(&verdict), forced(&verdict).as_str()), (delivery, encryption), "{found:?}");
    }
}

/// A sender that defers where TLS fails sends nothing in clear to a host that
/// came to TLS, whatever else is unknown of it.
#[test]
fn the_answer_stands_where_it_is_the_same_whatever_the_unknown_host_does() {
    let hosts = facts(&[&[1], &[2]]);
    let broke_off = |last| failed(0, last, Phase::Tls, Kind::Timeout);
    let inside = |last| failed(0, last, Phase::AfterTls, Kind::Throttled);
    let clear_instead = |name: &str| {
        let sender = crate::sender::Sender::named(name).unwrap();
        SenderProfile::new(sender.with_after_tls_failure(crate::sender::AfterTlsFailure::Plaintext))
    };
    for (profile, first, second, expected) in [
        (exchange_online(), broke_off(1), encrypted(1, 2), "encrypted, assumed |  | "),
        (exchange_online(), inside(1), encrypted(1, 2), "encrypted, assumed |  | "),
        (
            exchange_online(),
            broke_off(1),
            clear(1, 2),
            "undetermined:tls_timeout, - |  | plaintext:starttls_not_offered",
        ),
        (
            exchange_online(),
            throttled(0, 1),
            encrypted(1, 2),
            "undetermined:greeting_throttled, - |  | encrypted",
        ),
        (
            clear_instead("exchange-online"),
            broke_off(1),
            encrypted(1, 2),
            "undetermined:tls_timeout, - |  | encrypted",
        ),
        // Whoever sends only over TLS passes over all that give none.
        (profile("postfix-encrypt"), throttled(0, 1), encrypted(1, 2), "encrypted, inferred |  | "),
        (
            profile("postfix-encrypt"),
            throttled(0, 1),
            clear(1, 2),
            "undetermined:greeting_throttled, - |  | deferred:starttls_not_offered",
        ),
    ] {
        let found = [first, second];
        assert_eq!(answer(&judge(&profile, &hosts, &found)), expected, "{found:?}");
    }
}

#[test]
fn a_host_that_the_dns_did_not_give_is_a_host() {
    let servfail = || Some(Failure::new(Phase::Dns, Kind::Servfail));
    let gone = || Some(Failure::new(Phase::Dns, Kind::Nxdomain));
    let open = "undetermined:dns_servfail, - |  | ";
    for (first, second, expected, host) in [
        ((10, servfail()), (20, None), format!("{open}encrypted"), Some(0)),
        ((10, None), (20, servfail()), "encrypted, observed |  | ".into(), None),
        ((10, None), (10, servfail()), format!("{open}encrypted"), Some(1)),
        ((10, gone()), (20, None), "encrypted, observed |  | ".into(), None),
    ] {
        let host_of = |(preference, failure): (u16, Option<Failure>), name, last| {
            let addresses = if failure.is_none() { vec![ip(last)] } else { Vec::new() };
            exchange(preference, name, &addresses, failure)
        };
        let answering = usize::from(first.1.is_some());
        let facts = facts_of(vec![host_of(first, "a", 1), host_of(second, "b", 2)]);
        let last = if answering == 0 { 1 } else { 2 };
        let verdict = judge(&exchange_online(), &facts, &[encrypted(answering, last)]);
        assert_eq!((answer(&verdict), verdict.unresolved), (expected, host), "{facts:?}");
        assert_eq!(verdict.forced.encryption_only, Check::Pass, "{facts:?}");
    }
    let facts = facts_of(vec![exchange(10, "a", &[ip(1)], None), exchange(20, "b", &[], servfail())]);
    let verdict = judge(&exchange_online(), &facts, &[refuses(0, 1)]);
    assert_eq!(answer(&verdict), format!("{open}deferred:offer_refused"));
    assert_eq!(forced(&verdict), "undetermined:dns_servfail, -");
    assert_eq!(verdict.outcome.logged.as_ref().map(|logged| &*logged.code), Some("450 4.4.312"));
}

#[test]
fn hosts_of_one_preference_are_a_set() {
    let older = || {
        let tls = TlsFinding { group: Some(NamedGroup(23)), ..secure() };
        at(ip(2), None, Some(tls))
    };
    let mangled = |last| failed(1, last, Phase::Starttls, Kind::KeywordMangled);
    let names = |first, second| {
        facts_of(vec![exchange(10, first, &[ip(1)], None), exchange(10, second, &[ip(2)], None)])
    };
    for (first, second, expected, best) in [
        (encrypted(0, 1), clear(1, 2), "plaintext:starttls_not_offered, inferred | encrypted | ", 2),
        (
            clear(0, 1),
            mangled(2),
            "plaintext:starttls_not_offered, inferred | plaintext:starttls_keyword_mangled | ",
            1,
        ),
        (encrypted(0, 1), throttled(1, 2), "undetermined:greeting_throttled, - |  | encrypted", 2),
        (encrypted(0, 1), unreachable(1, 2), "encrypted, inferred |  | ", 1),
        (encrypted(0, 1), refuses(1, 2), "encrypted, assumed |  | ", 1),
        // Another session is another answer, too.
        (encrypted(0, 1), (1, older()), "encrypted, inferred |  | ", 1),
        (encrypted(0, 1), encrypted(1, 2), "encrypted, observed |  | ", 1),
        (
            clear(0, 1),
            throttled(1, 2),
            "undetermined:greeting_throttled, - |  | plaintext:starttls_not_offered",
            2,
        ),
    ] {
        for facts in [names("a", "b"), names("b", "a")] {
            let found = [first.clone(), second.clone()];
            let verdict = judge(&exchange_online(), &facts, &found);
            let at = verdict.best.as_ref().map(|view| view.finding().key.endpoint.ip);
            assert_eq!((answer(&verdict).as_str(), at), (expected, Some(ip(best))), "{found:?}");
        }
    }
}

#[test]
fn an_address_without_a_route_is_no_host() {
    let six: IpAddr = "2001:db8::1".parse().unwrap();
    let no_route = |index| (index, at(six, Some(Failure::new(Phase::Connect, Kind::NoRoute)), None));
    let by_six = |index| (index, at(six, None, Some(secure())));
    let four_only = || {
        let mut sender = crate::sender::Sender::named("exchange-online").unwrap();
        sender.address_families.value = vec![crate::sender::AddressFamily::Ipv4];
        SenderProfile::new(sender)
    };
    let both = facts_of(vec![exchange(10, "a", &[ip(1), six], None)]);
    let two = facts_of(vec![exchange(10, "a", &[six], None), exchange(20, "b", &[ip(1)], None)]);
    for (profile, facts, found, expected) in [
        (exchange_online(), &both, vec![encrypted(0, 1), no_route(0)], "encrypted, inferred |  | "),
        (
            exchange_online(),
            &both,
            vec![clear(0, 1), no_route(0)],
            "plaintext:starttls_not_offered, inferred |  | ",
        ),
        (
            exchange_online(),
            &both,
            vec![throttled(0, 1), no_route(0)],
            "undetermined:greeting_throttled, - |  | ",
        ),
        // The other family did not answer: it is the one without a route.
        (
            exchange_online(),
            &both,
            vec![unreachable(0, 1), no_route(0)],
            "undetermined:connect_no_route, - |  | deferred:connect_refused",
        ),
        (
            exchange_online(),
            &two,
            vec![no_route(0), encrypted(1, 1)],
            "undetermined:connect_no_route, - |  | encrypted",
        ),
        // A sender without IPv6 has no such address.
        (four_only(), &both, vec![encrypted(0, 1), no_route(0)], "encrypted, observed |  | "),
        (four_only(), &both, vec![encrypted(0, 1), by_six(0)], "encrypted, observed |  | "),
        (four_only(), &two, vec![no_route(0), encrypted(1, 1)], "encrypted, observed |  | "),
        (four_only(), &two, vec![by_six(0)], "undeliverable:dns_mx_unusable, observed |  | "),
    ] {
        assert_eq!(answer(&judge(&profile, facts, &found)), expected, "{found:?}");
    }
}

#[test]
fn the_view_of_an_endpoint_is_the_domains_own() {
    let facts = facts(&[&[1]]);
    for (names, expected) in [
        (&["mx0.example.com"][..], NameStatus::MxHost),
        (&["example.com"], NameStatus::Domain),
        (&["mx.example.net"], NameStatus::None),
    ] {
        let tls = TlsFinding { leaf: Some(leaf(names)), ..secure() };
        let view = judge(&exchange_online(), &facts, &[(0, at(ip(1), None, Some(tls)))]).best.unwrap();
        assert_eq!(view.name, Some(expected));
        assert_eq!((view.preference, view.host), (10, Some(MxHost::new("mx0.example.com"))));
    }
    let found = [failed(0, 1, Phase::Starttls, Kind::Refused)];
    let view = judge(&exchange_online(), &facts, &found).best.unwrap();
    assert_eq!(view.name, None);
}

/// What the scanner's own handshake came to: one of its nine suites, in TLS 1.2
/// or 1.3, or nothing.
type SeenTls = (Option<Failure>, Option<TlsFinding>, Vec<HelloFinding>);

/// A session of the scanner's, but for `change`.
fn shaken(change: fn(&mut TlsFinding)) -> SeenTls {
    let mut tls = secure();
    change(&mut tls);
    assert!(tls.version >= Some(ProtocolVersion::TLS12), "no handshake of the scanner's");
    assert!(tls.suite.is_some_and(|suite| SCANNER_SUITES.contains(&suite)), "no suite of the scanner's");
    (None, Some(tls), Vec::new())
}

/// A server that refused the scanner, and took this of the sender's offer.
fn agreed(profile: &SenderProfile, version: ProtocolVersion, suite: &str, chain: ChainStatus) -> SeenTls {
    let leaf = secure().leaf.unwrap();
    let hello = HelloFinding {
        version: Some(version),
        suite: suite.parse().ok(),
        signature: Some(SignatureCheck::Verified),
        presented: Some(PresentedCertificate { chain, dates: DateStatus::Valid, leaf, disputed: false }),
        ..own_hello(profile, HelloEnd::Agreed)
    };
    (Some(Failure::new(Phase::Tls, Kind::Alert)), None, vec![hello])
}

fn seen(index: usize, last: u8, (failure, tls, hellos): &SeenTls) -> Found {
    let found = at(ip(last), failure.clone(), tls.clone());
    (index, Finding { extra_client_hellos: hellos.as_slice().into(), ..found })
}

#[test]
fn the_weakest_has_lost_most() {
    // A sender that offers every version.
    let old = profile("postfix-may");
    let hello = |version, suite, chain| agreed(&old, version, suite, chain);
    let (ecdhe, rsa) = ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA");
    // Weakest first; each is weaker than all that follow.
    let ranked = [
        (Some(Failure::new(Phase::Starttls, Kind::NotOffered)), None, Vec::new()),
        hello(ProtocolVersion::TLS10, rsa, ChainStatus::Valid),
        hello(ProtocolVersion::TLS10, ecdhe, ChainStatus::SelfSigned),
        hello(ProtocolVersion::TLS10, ecdhe, ChainStatus::Valid),
        hello(ProtocolVersion::TLS11, ecdhe, ChainStatus::Valid),
        hello(ProtocolVersion::TLS12, rsa, ChainStatus::Valid),
        shaken(|tls| {
            tls.version = Some(ProtocolVersion::TLS12);
            tls.suite = Some(CipherSuite(0xc02f));
            tls.chain = Some(ChainStatus::SelfSigned);
        }),
        shaken(|tls| tls.chain = Some(ChainStatus::UntrustedRoot)),
        shaken(|tls| tls.dates = Some(DateStatus::Expired)),
        shaken(|tls| tls.leaf = Some(leaf(&["mx.example.net"]))),
        (None, Some(secure()), Vec::new()),
    ];
    let facts = facts(&[&[1], &[2]]);
    for (place, weaker) in ranked.iter().enumerate() {
        for stronger in &ranked[place + 1..] {
            let probes = [seen(0, 1, weaker), seen(1, 2, stronger)];
            let found = judge(&old, &facts, &probes);
            assert_eq!(told(&found).2, Some(ip(1)), "{weaker:?} {stronger:?}");
            let probes = [seen(0, 1, stronger), seen(1, 2, weaker)];
            let found = judge(&old, &facts, &probes);
            assert_eq!(told(&found).2, Some(ip(2)), "{weaker:?} {stronger:?}");
        }
    }
    let found = judge(&old, &facts, &[encrypted(1, 2), encrypted(0, 1)]);
    assert_eq!(told(&found).2, Some(ip(1)), "the first of equals");
}

/// The rank is by what the sender gets, not by the scanner's own handshake.
#[test]
fn the_weakest_is_the_weakest_for_this_sender() {
    let old = profile("exchange-online-2020");
    let facts = facts(&[&[1], &[2]]);
    let clear = seen(0, 1, &shaken(|tls| tls.version = Some(ProtocolVersion::TLS13)));
    // Of the second the sender gets a session without forward secrecy.
    let mut static_rsa =
        agreed(&old, ProtocolVersion::TLS12, "TLS_RSA_WITH_AES_256_GCM_SHA384", ChainStatus::Valid);
    static_rsa.0 = None;
    static_rsa.1 = Some(secure());
    let found = judge(&old, &facts, &[clear, seen(1, 2, &static_rsa)]);
    assert_eq!(told(&found).2, Some(ip(2)));
}

#[test]
fn hosts_and_addresses_that_nobody_looked_at_count_as_unknown() {
    let refusing = |last| failed(0, last, Phase::Starttls, Kind::NotOffered);
    let mut elsewhere = facts(&[&[1], &[2]]);
    elsewhere.exchanges[1].addresses_excess = Some(3);
    let mut same = facts(&[&[1]]);
    same.exchanges[0].addresses_excess = Some(3);
    let more_hosts = DomainFacts { exchanges_excess: Some(1), ..facts(&[&[1]]) };
    let not_counted = DomainFacts { exchanges_excess: None, ..facts(&[[1].as_slice(); 16]) };
    let strict = profile("postfix-encrypt");
    let too_many = "undetermined:dns_too_many, - |  | deferred:starttls_not_offered";
    for (facts, found, expected) in [
        (&facts(&[&[1]]), refusing(1), "deferred:starttls_not_offered, observed |  | "),
        (&elsewhere, refusing(1), too_many),
        (&same, refusing(1), too_many),
        (&more_hosts, refusing(1), too_many),
        (&not_counted, refusing(1), too_many),
        (&elsewhere, throttled(0, 1), "undetermined:greeting_throttled, - |  | "),
        (&elsewhere, encrypted(0, 1), "encrypted, inferred |  | "),
        (&same, encrypted(0, 1), "encrypted, inferred |  | "),
    ] {
        assert_eq!(answer(&judge(&strict, facts, &[found])), expected, "{facts:?}");
    }
    let verdict = judge(&exchange_online(), &more_hosts, &[encrypted(0, 1)]);
    assert_eq!(answer(&verdict), "undetermined:dns_too_many, - |  | encrypted");
    let verdict = judge(&exchange_online(), &not_counted, &[refusing(1)]);
    assert_eq!(verdict.forced.encryption_only, Check::Undetermined(CheckCause::NotRecorded));
}

/// What the DNS did not say of one family is not what was found over the other.
#[test]
fn addresses_of_a_family_that_the_dns_did_not_give_are_unknown() {
    let mut facts = facts(&[&[1], &[2]]);
    facts.exchanges[0].unresolved = Some(Failure::new(Phase::Dns, Kind::Servfail));
    let mut four_only = crate::sender::Sender::named("exchange-online").unwrap();
    four_only.address_families.value = vec![crate::sender::AddressFamily::Ipv4];
    let (both, four_only) = (exchange_online(), SenderProfile::new(four_only));
    let in_clear = "plaintext:starttls_not_offered, observed |  | ";
    for (profile, found, expected) in [
        (&both, clear(0, 1), "undetermined:dns_servfail, - |  | plaintext:starttls_not_offered"),
        (&both, encrypted(0, 1), "undetermined:dns_servfail, - |  | encrypted"),
        (&four_only, clear(0, 1), in_clear),
    ] {
        let found = [found, encrypted(1, 2)];
        assert_eq!(answer(&judge(profile, &facts, &found)), expected, "{found:?}");
    }
    facts.exchanges.swap(0, 1);
    facts.exchanges[0].preference = 1;
    let verdict = judge(&both, &facts, &[clear(0, 2), encrypted(1, 1)]);
    assert_eq!(answer(&verdict), in_clear, "a host behind the one that takes mail");
}

/// A sender of both families may go to addresses that this machine did not ask.
#[test]
fn addresses_of_a_family_that_nothing_was_asked_over_leave_an_inference() {
    let with = |count| {
        let mut facts = facts(&[&[1], &[2]]);
        facts.exchanges[0].addresses_of_other_family = count;
        facts
    };
    let mut four_only = crate::sender::Sender::named("exchange-online").unwrap();
    four_only.address_families.value = vec![crate::sender::AddressFamily::Ipv4];
    let mut six_only = four_only.clone();
    six_only.address_families.value = vec![crate::sender::AddressFamily::Ipv6];
    let [four_only, six_only] = [four_only, six_only].map(SenderProfile::new);
    let both = exchange_online();
    for (profile, count, found, expected) in [
        (&both, Some(0), clear(0, 1), "plaintext:starttls_not_offered, observed |  | "),
        (&both, Some(2), clear(0, 1), "plaintext:starttls_not_offered, inferred |  | "),
        (&both, None, clear(0, 1), "plaintext:starttls_not_offered, inferred |  | "),
        (&four_only, Some(2), clear(0, 1), "plaintext:starttls_not_offered, observed |  | "),
        (&four_only, None, clear(0, 1), "plaintext:starttls_not_offered, observed |  | "),
        // The other family did not answer: it is the one that was not asked.
        (&both, Some(2), unreachable(0, 1), "undetermined:connect_no_route, - |  | encrypted"),
        // Nobody knows of any.
        (&both, None, unreachable(0, 1), "encrypted, inferred |  | "),
        (&four_only, Some(2), unreachable(0, 1), "encrypted, inferred |  | "),
        // There is none that the sender could go to, or nobody knows.
        (&six_only, Some(0), clear(0, 1), "undeliverable:dns_mx_unusable, observed |  | "),
        (&six_only, None, clear(0, 1), "undetermined:connect_no_route, - |  | "),
    ] {
        let found = [found, encrypted(1, 2)];
        assert_eq!(answer(&judge(profile, &with(count), &found)), expected, "{count:?} {found:?}");
    }
    // A host behind the one that takes mail changes nothing.
    let mut behind = facts(&[&[1], &[2]]);
    behind.exchanges[1].addresses_of_other_family = Some(1);
    let verdict = judge(&both, &behind, &[clear(0, 1), encrypted(1, 2)]);
    assert_eq!(answer(&verdict), "plaintext:starttls_not_offered, observed |  | ");
    // What TLS is demanded of rests on it, too.
    let verdict = judge(&both, &with(Some(1)), &[encrypted(0, 1), encrypted(1, 2)]);
    assert_eq!(verdict.forced_basis.encryption_only, Some(Basis::Inferred));
}
