//! A server that answers any offer, as RFC 5246 and RFC 8446 let it: by its own
//! order or the client's, with one certificate or several, by the name that is
//! asked for, with a client certificate or without, and with the oddities that
//! are known. Whatever is said to be observed must be what it gives the sender.

#[path = "model_server.rs"]
mod server;

use crate::ask::step_down::{self, HelloPlan};
use crate::model::registry::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::model::{
    Basis, ChainStatus, Check, ClientCertificate, DateStatus, Delivery, Failure, Finding, HelloEnd,
    HelloFinding, HelloObservation, HelloPurpose, JudgedEndpoint, Kind, Leaf, MxHost, Observation, Phase,
    PresentedCertificate, ReplyForms, SecondHandshake, Sha256, SignatureCheck, TlsFinding, TlsObservation,
};
use crate::sender::offer::{HelloLength, Offer};
use crate::sender::{Sender, Stated};
use crate::verdict::attempt::judged;
use crate::verdict::fixtures::{at, ip, leaf, own_hello};
use crate::verdict::scanner_offer::SHORT_GROUPS;
use crate::verdict::{SCANNER_GROUPS, SCANNER_SUITES, SenderProfile};
use crate::x509::handshake::OFFERED_SCHEMES;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::subsequence;
use server::{AgreedTls, GroupChoice, ModelClientAuth, ModelHello, ModelNames, ModelServer, ServerKey};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

const TLS13_SUITES: &[u16] = &[0x1301, 0x1302, 0x1303];
/// ECDHE with both kinds of certificate, CBC, and static RSA.
const OLDER_SUITES: &[u16] = &[0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc028, 0xc024, 0x009d];
const GROUPS: &[u16] = &[0x11ec, 29, 23, 24, 25];
const SCHEMES: &[u16] = &[0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0403, 0x0503, 0x0807, 0x0808];

fn scanner() -> Offer {
    Offer {
        versions: vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12],
        suites: SCANNER_SUITES.to_vec(),
        groups: SCANNER_GROUPS.to_vec(),
        signature_schemes: OFFERED_SCHEMES.to_vec(),
        sends_sni: true,
    }
}

/// What a second handshake offers.
fn short() -> Offer {
    Offer { groups: SHORT_GROUPS.to_vec(), ..scanner() }
}

fn leaf_of(key: &str) -> Arc<Leaf> {
    let digest = Sha256([u8::try_from(key.len()).unwrap(); 32]);
    Arc::new(Leaf {
        sha256: digest,
        key_algorithm: Some(key.into()),
        ..Leaf::clone(&leaf(&["*.example.com"]))
    })
}

/// What a handshake shows in which nobody shows a certificate.
fn shaken(server: &ModelServer, hello: ModelHello<'_>) -> (Option<Failure>, TlsFinding) {
    let Some(agreed) = server.answer(hello) else {
        let silent = server.silent && hello.length == HelloLength::Long;
        let kind = if silent { Kind::Timeout } else { Kind::Alert };
        return (Some(Failure::new(Phase::Tls, kind)), TlsFinding::default());
    };
    let asked = if server.asks() { ClientCertificate::NotShown } else { ClientCertificate::NeverAsked };
    let tls = TlsFinding {
        renegotiation_info: Some(true),
        version: Some(agreed.version),
        suite: Some(CipherSuite(agreed.suite)),
        group: agreed.group.map(NamedGroup),
        signature_scheme: agreed.scheme.map(SignatureScheme),
        signature: Some(SignatureCheck::Verified),
        chain: Some(ChainStatus::Valid),
        dates: Some(DateStatus::Valid),
        leaf: Some(leaf_of(agreed.key)),
        client_certificate: asked,
        ..TlsFinding::default()
    };
    (server.ends(false).map(|kind| Failure::new(Phase::Tls, kind)), tls)
}

/// What the scanner finds at the server, and what its own form of the sender's
/// hello is answered, if that is sent.
fn found(server: &ModelServer, profile: &SenderProfile, asks: bool, looks: bool) -> Finding {
    let offer = scanner();
    let hello =
        ModelHello { offer: &offer, shares: &[0x11ec, 29], length: HelloLength::Long, names_host: true };
    let (failure, tls) = shaken(server, hello);
    let mut finding = at(ip(1), failure, Some(tls));
    finding.key.sni = Some(MxHost::new("mx.example.com"));
    let mut hellos = Vec::new();
    if looks {
        hellos.push(second(server, profile));
    }
    if asks || finding.failure.is_some() {
        hellos.push(own(server, profile));
    }
    finding.extra_client_hellos = hellos.into();
    finding
}

/// A second handshake in the form of the sender's.
fn second(server: &ModelServer, profile: &SenderProfile) -> HelloFinding {
    let offer = short();
    let names_host = profile.offer.sends_sni;
    let (failure, tls) = shaken(
        server,
        ModelHello { offer: &offer, shares: &[29], length: HelloLength::Stumbling, names_host },
    );
    HelloFinding {
        purpose: HelloPurpose::Handshake,
        offer: None,
        version: tls.version,
        suite: tls.suite,
        names_host,
        handshake: Some(Box::new(SecondHandshake { failure, tls, reply_forms: ReplyForms::default() })),
        ..own_hello(profile, HelloEnd::Agreed)
    }
}

/// It comes without shares, so a server of TLS 1.3 asks for one and says no
/// more.
fn own(server: &ModelServer, profile: &SenderProfile) -> HelloFinding {
    let offer = &profile.offer;
    let hello =
        ModelHello { offer, shares: &[], length: HelloLength::of(offer), names_host: offer.sends_sni };
    let Some(agreed) = server.answer(hello) else {
        return own_hello(profile, HelloEnd::Alert);
    };
    let tls13 = agreed.version == ProtocolVersion::TLS13;
    let presented = (!tls13).then(|| PresentedCertificate {
        chain: ChainStatus::Valid,
        dates: DateStatus::Valid,
        leaf: leaf_of(agreed.key),
        disputed: false,
    });
    let check = match (tls13, agreed.scheme) {
        (false, Some(_)) => SignatureCheck::Verified,
        (false, None) => SignatureCheck::None,
        (true, _) => SignatureCheck::NotShown,
    };
    HelloFinding {
        hello_retry: tls13,
        version: Some(agreed.version),
        suite: Some(CipherSuite(agreed.suite)),
        group: agreed.group.map(NamedGroup),
        signature_scheme: agreed.scheme.filter(|_| !tls13).map(SignatureScheme),
        signature: Some(check),
        presented,
        client_certificate_requested: !tls13 && server.asks(),
        names_host: offer.sends_sni,
        ..own_hello(profile, HelloEnd::Agreed)
    }
}

/// What the sender gets. The share that comes with its hello is that of the
/// group that it prefers.
fn answer_to(server: &ModelServer, profile: &SenderProfile) -> Option<AgreedTls> {
    let offer = &profile.offer;
    let shares: Vec<u16> = offer.groups.iter().take(1).map(|group| group.0).collect();
    let (length, names_host) = (HelloLength::of(offer), offer.sends_sni);
    let given = server.answer(ModelHello { offer, shares: &shares, length, names_host });
    given.filter(|_| server.ends(profile.may_show_certificate()).is_none())
}

/// The observation of which that was found, as far as what is asked next hangs
/// on it.
fn seen(finding: &Finding) -> Observation {
    let of = |tls: &TlsFinding| TlsObservation {
        established: true,
        version: tls.version,
        suite: tls.suite,
        group: tls.group,
        signature_scheme: tls.signature_scheme,
        ..TlsObservation::default()
    };
    let hello = |hello: &HelloFinding| {
        let SecondHandshake { failure, tls, .. } = &**hello.handshake.as_ref().unwrap();
        HelloObservation {
            failure: failure.clone(),
            version: tls.version,
            suite: tls.suite,
            group: tls.group,
            signature_scheme: tls.signature_scheme,
            ..HelloObservation::new(hello.purpose, hello.offered_version, Timestamp::UNIX_EPOCH, hello.end)
        }
    };
    let begun = Failure::new(Phase::Tls, Kind::Alert);
    Observation {
        failure: finding.failure.clone(),
        tls: finding.tls.as_ref().map(of),
        extra_client_hellos: finding.extra_client_hellos.iter().map(hello).collect(),
        ..Observation::failed(finding.key.clone(), Timestamp::UNIX_EPOCH, 1, begun)
    }
}

fn shuffled(pool: &'static [u16], least: usize) -> impl Strategy<Value = Vec<u16>> {
    subsequence(pool, least..=pool.len()).prop_shuffle()
}

fn versions() -> impl Strategy<Value = Vec<ProtocolVersion>> {
    prop_oneof![
        3 => Just(vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12]),
        1 => Just(vec![ProtocolVersion::TLS12]),
        1 => Just(vec![ProtocolVersion::TLS13]),
    ]
}

fn keys() -> impl Strategy<Value = Vec<ServerKey>> {
    let rsa = shuffled(&[0x0804, 0x0805, 0x0806, 0x0401, 0x0501], 1)
        .prop_map(|schemes| ServerKey { kind: "RSA", schemes });
    let ecdsa = Just(ServerKey { kind: "ECDSA", schemes: vec![0x0403] });
    let ed25519 = Just(ServerKey { kind: "Ed25519", schemes: vec![0x0807] });
    let ed448 = Just(ServerKey { kind: "Ed448", schemes: vec![0x0808] });
    (rsa, ecdsa, ed25519, ed448)
        .prop_flat_map(|(rsa, ecdsa, ed25519, ed448)| subsequence(vec![rsa, ecdsa, ed25519, ed448], 1..=2))
        .prop_shuffle()
}

/// Most servers ignore names and certificates.
const NAMES: [ModelNames; 6] = [
    ModelNames::Ignored,
    ModelNames::Ignored,
    ModelNames::Ignored,
    ModelNames::Refused,
    ModelNames::Demanded,
    ModelNames::Told,
];
const CLIENT_AUTH: [ModelClientAuth; 6] = [
    ModelClientAuth::None,
    ModelClientAuth::None,
    ModelClientAuth::None,
    ModelClientAuth::Asks,
    ModelClientAuth::Demands,
    ModelClientAuth::Verifies,
];

fn server() -> impl Strategy<Value = ModelServer> {
    let choice = prop::sample::select(&[GroupChoice::Own, GroupChoice::Client, GroupChoice::Share][..]);
    let lists =
        (versions(), shuffled(TLS13_SUITES, 1), shuffled(OLDER_SUITES, 1), shuffled(GROUPS, 1), keys());
    let names = prop::sample::select(&NAMES[..]);
    let client_auth = prop::sample::select(&CLIENT_AUTH[..]);
    let manners = (any::<bool>(), any::<bool>(), choice, any::<bool>(), any::<bool>());
    let of_form = (prop::bool::weighted(0.2), names, client_auth);
    (lists, manners, of_form).prop_map(|((versions, suites13, older, groups, keys), manners, of_form)| {
        let (suites_by_client, schemes_by_client, group_choice, follows_chacha20, stumbles) = manners;
        let (silent, names, client_auth) = of_form;
        ModelServer {
            versions,
            suites13,
            older,
            groups,
            keys,
            suites_by_client,
            schemes_by_client,
            group_choice,
            follows_chacha20,
            stumbles,
            silent,
            names,
            client_auth,
        }
    })
}

/// Suites that no server here has, so many that a hello is of the length over
/// which some stumble.
const PADDING: Range<u16> = 0xd100..0xd150;

static SENDERS: LazyLock<Vec<Sender>> = LazyLock::new(|| {
    let names = ["exchange-online", "exchange-online-2020", "rfc9325", "postfix-may"];
    names.map(|name| Sender::named(name).unwrap()).to_vec()
});

/// A sender of any lists, or one of those that come with mxray.
fn sender() -> impl Strategy<Value = SenderProfile> {
    let known = (0..SENDERS.len()).prop_map(|place| SENDERS[place].clone());
    let lists = (
        versions(),
        shuffled(TLS13_SUITES, 1),
        shuffled(OLDER_SUITES, 1),
        shuffled(GROUPS, 1),
        shuffled(SCHEMES, 4),
        prop::bool::weighted(0.2),
    );
    let made = lists.prop_map(|(versions, suites13, mut older, groups, schemes, long)| {
        let mut sender = SENDERS[0].clone();
        if long {
            older.extend(PADDING);
        }
        let tls13 = versions.contains(&ProtocolVersion::TLS13);
        let tls12 = versions.contains(&ProtocolVersion::TLS12);
        let suites = |codes: Vec<u16>, there: bool| {
            if there { codes.into_iter().map(CipherSuite).collect() } else { Vec::new() }
        };
        sender.suites_tls13.value = suites(suites13, tls13);
        sender.suites.value = suites(older, tls12);
        sender.versions.value = versions;
        sender.groups.value = groups.into_iter().map(NamedGroup).collect();
        sender.signature_schemes.value = schemes.into_iter().map(SignatureScheme).collect();
        sender
    });
    let form = (any::<bool>(), any::<bool>());
    (prop_oneof![1 => known, 4 => made], form).prop_map(|(mut sender, (sends_sni, shows))| {
        sender.sends_sni.value = sends_sni;
        sender.shows_client_certificate =
            Some(Stated { value: shows, source: Some("a test".into()), assumption: None });
        // What becomes of a message after a failure shall not hide the basis.
        let value = sender.after_tls_failure.value;
        sender.after_tls_failure = Stated { value, source: Some("a test".into()), assumption: None };
        SenderProfile::new(sender)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn what_is_observed_is_what_the_server_gives_the_sender(
        server in server(),
        profile in sender(),
        asks in prop::bool::weighted(0.1),
        looks in any::<bool>(),
    ) {
        let endpoint = judged(&profile, found(&server, &profile, asks, looks));
        let outcome = &endpoint.outcome;
        if outcome.basis != Some(Basis::Observed) {
            return Ok(());
        }
        let given = answer_to(&server, &profile);
        let told = format!("{server:?}\n{:?}\n{endpoint:?}\n{given:?}", profile.offer);
        if outcome.delivery != Delivery::Encrypted {
            prop_assert!(given.is_none(), "{told}");
            return Ok(());
        }
        let session = outcome.session.as_ref().unwrap();
        let Some(given) = given else { return Err(TestCaseError::fail(told)) };
        let wanted = (Some(given.version), Some(CipherSuite(given.suite)), given.group.map(NamedGroup));
        prop_assert!((session.version, session.suite, session.group) == wanted, "{told}");
        if endpoint.certificate_basis == Basis::Observed {
            let shown = endpoint.presented.as_ref().unwrap();
            prop_assert_eq!(&shown.leaf.sha256, &leaf_of(given.key).sha256, "{}", told);
        }
    }

    /// Where form and length of a hello are nothing to the server, and it asks
    /// for no certificate, all hangs on what is offered. Then nothing is told to
    /// be encrypted, nor is forced TLS told to pass, that the server refuses:
    /// inferred is what must come so, not what mostly does.
    #[test]
    fn what_is_inferred_of_an_offer_is_no_guess(
        server in server(),
        profile in sender(),
        asks in prop::bool::weighted(0.3),
        looks in any::<bool>(),
    ) {
        let server = by_the_offer_alone(server);
        let endpoint = judged(&profile, found(&server, &profile, asks, looks));
        let told = no_guess(&server, &profile, &endpoint)?;
        let delivery = endpoint.outcome.delivery;
        // What its own hello would tell is asked for.
        let lacks = endpoint.finding.extra_client_hellos.iter().all(|hello| hello.purpose != HelloPurpose::Sender);
        if delivery == Delivery::Undetermined && lacks {
            let next = step_down::next(&HelloPlan::default(), &profile.offer.spec(HelloPurpose::Sender), &seen(&endpoint.finding));
            // Or first a handshake in its form.
            let asks = [HelloPurpose::Sender, HelloPurpose::Handshake];
            prop_assert!(next.is_some_and(|next| asks.contains(&next.purpose)), "{told}");
        }
    }

    /// So it is with what the hellos of other senders were answered.
    #[test]
    fn what_is_inferred_of_another_senders_offer_is_no_guess(
        server in server(),
        asked in (0..SENDERS.len()).prop_map(|place| SenderProfile::new(SENDERS[place].clone())),
        profile in sender(),
    ) {
        let server = by_the_offer_alone(server);
        let endpoint = judged(&profile, found(&server, &asked, true, false));
        no_guess(&server, &profile, &endpoint)?;
    }
}

/// The same server, to which form and length of a hello are nothing.
fn by_the_offer_alone(server: ModelServer) -> ModelServer {
    ModelServer {
        stumbles: false,
        silent: false,
        names: ModelNames::Ignored,
        client_auth: ModelClientAuth::None,
        ..server
    }
}

/// Nothing is told to be encrypted or to pass that it refuses, nor deferred that it takes.
fn no_guess(
    server: &ModelServer,
    profile: &SenderProfile,
    endpoint: &JudgedEndpoint,
) -> Result<String, TestCaseError> {
    let given = answer_to(server, profile);
    let told = format!("{server:?}\n{:?}\n{endpoint:?}\n{given:?}", profile.offer);
    prop_assert!(endpoint.outcome.delivery != Delivery::Encrypted || given.is_some(), "{told}");
    prop_assert!(endpoint.outcome.delivery != Delivery::Deferred || given.is_none(), "{told}");
    let checks = [endpoint.encryption, endpoint.certificate];
    prop_assert!(!checks.contains(&Check::Pass) || given.is_some(), "{told}");
    Ok(told)
}
