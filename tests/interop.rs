//! The hello codec and the enumeration against real stacks: the servers of
//! OpenSSL, GnuTLS and NSS, each behind a front that speaks SMTP up to STARTTLS.
//! What is found must be what the stacks' own clients find, suite by suite.
//!
//! And the other way round: what the mail systems that send offer is what the
//! files of the senders say.
//!
//! A test whose program is missing says so and passes; with
//! `MXRAY_INTEROP_ALL` set, as `.ci/run` does, it fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "interop/capture.rs"]
mod capture;
#[path = "interop/dane.rs"]
mod dane;
#[path = "interop/dnssec.rs"]
mod dnssec;
#[path = "interop/dnssec_cases.rs"]
mod dnssec_cases;
#[path = "interop/front.rs"]
mod front;
#[path = "interop/gnutls.rs"]
mod gnutls;
#[path = "interop/ground_truth.rs"]
mod ground_truth;
#[path = "interop/levels.rs"]
mod levels;
#[cfg(feature = "receive")]
#[path = "interop/listening.rs"]
mod listening;
#[path = "interop/mail_server.rs"]
mod mail_server;
#[path = "interop/mail_system.rs"]
mod mail_system;
#[path = "interop/missing.rs"]
mod missing;
#[path = "interop/nss.rs"]
mod nss;
#[path = "interop/objections.rs"]
mod objections;
#[path = "interop/older.rs"]
mod older;
#[path = "interop/openssl.rs"]
mod openssl;
#[path = "interop/postfix_server.rs"]
mod postfix_server;
#[path = "interop/postfix_variants.rs"]
mod postfix_variants;
#[cfg(feature = "receive")]
#[path = "interop/receive.rs"]
mod receive;
#[cfg(feature = "receive")]
#[path = "interop/receive_postfix.rs"]
mod receive_postfix;
#[cfg(feature = "receive")]
#[path = "interop/receive_systems.rs"]
mod receive_systems;
#[path = "interop/senders.rs"]
mod senders;
#[cfg(feature = "receive")]
#[path = "interop/sending.rs"]
mod sending;
#[path = "interop/server_manners.rs"]
mod server_manners;
#[path = "interop/signed_dns.rs"]
mod signed_dns;
#[path = "interop/smtp.rs"]
mod smtp;
#[path = "interop/sslscan.rs"]
mod sslscan;
#[path = "interop/stack.rs"]
mod stack;

use front::Front;
use mxray::internals::ask::enumeration::{self, EnumerationPlan};
use mxray::internals::lab::{Fleet, FleetOptions, scenario};
use mxray::internals::model::{
    Blocklist, CipherSuite, DomainName, Endpoint, Enumeration, HelloEnd, HelloObservation, MxHost,
    NamedGroup, ProbeKey, ProtocolVersion, SignatureCheck, VersionSuites,
};
use mxray::internals::net::{Gate, Handshaker, KeyShares, NetProbe, PhaseTimeouts};
use mxray::internals::smtp::EhloName;
use mxray::internals::stage::Probe;

fn prober() -> NetProbe {
    let gate = Gate::new(Blocklist::default(), true);
    let ehlo = EhloName::new("scanner.example").unwrap();
    let handshaker = Handshaker::new(KeyShares::Reused).unwrap();
    NetProbe::new(gate, ehlo, PhaseTimeouts::default(), handshaker)
}

/// Whatever listens behind `front`.
fn key_of(front: &Front) -> ProbeKey {
    let endpoint = Endpoint { ip: front.address.ip(), port: front.address.port() };
    ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) }
}

/// The fleet of one scenario, and its server.
async fn of_scenario(name: &str) -> (Fleet, ProbeKey) {
    let domains = vec![DomainName::parse("d0.example").unwrap()];
    let scenarios = vec![scenario(name).unwrap()];
    let options = FleetOptions { scenarios, ..FleetOptions::new(domains).unwrap() };
    let fleet = Fleet::start(options).await.unwrap();
    let endpoint = Endpoint { ip: fleet.endpoints()[0].ip, port: fleet.smtp_port() };
    (fleet, ProbeKey { endpoint, sni: Some(MxHost::new("mx1.d0.example")) })
}

/// Enumerates whatever listens behind `front`.
async fn enumerate(front: &Front) -> Enumeration {
    let (probe, key) = (prober(), key_of(front));
    let plan = EnumerationPlan::default();
    let mut history = Vec::new();
    while let Some(question) = enumeration::next(&plan, &history) {
        history.push(probe.hello(key.clone(), &question).await);
    }
    history.iter().for_each(assert_signed);
    enumeration::summary(&plan, &history)
}

/// Every stack signs its key exchange by the key of its certificate, and each
/// such signature in clear is found to hold.
fn assert_signed(hello: &HelloObservation) {
    let signs = hello.suite.and_then(CipherSuite::facts).and_then(|facts| facts.signs_key_exchange());
    let clear = hello.end == HelloEnd::Agreed && hello.version < Some(ProtocolVersion::TLS13);
    if clear && signs == Some(true) {
        assert_eq!(hello.signature, Some(SignatureCheck::Verified), "{hello:?}");
    } else {
        assert!(
            matches!(hello.signature, Some(SignatureCheck::None | SignatureCheck::NotShown)),
            "{hello:?}"
        );
    }
}

fn of(enumeration: &Enumeration, version: ProtocolVersion) -> &VersionSuites {
    enumeration.versions.iter().find(|found| found.version == version).unwrap()
}

fn suites(found: &VersionSuites) -> Vec<CipherSuite> {
    found.suites.iter().map(|accepted| accepted.suite).collect()
}

/// Names as the stack gives them; suites that it has no name for by code.
fn openssl_names(found: &VersionSuites) -> Vec<String> {
    suites(found).iter().map(|suite| suite.facts().unwrap().openssl_name.to_string()).collect()
}

fn groups(found: &VersionSuites) -> Vec<NamedGroup> {
    found.groups.iter().flat_map(|found| found.groups.iter().copied()).collect()
}
