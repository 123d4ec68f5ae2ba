//! A server that answers by script what no TLS library speaks any more, or
//! chooses as none would: the `[server.ROLE.legacy]` table of a scenario, and
//! its answer to each ClientHello, without a socket.

use super::client_hello::ClientOffer;
use super::step::{Step, Then, Words};
use super::tls_table::{LeafKeyKind, Tls};
use crate::model::DowngradeMark;
use crate::model::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::tls::ShareKind;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longest Diffie-Hellman prime, in bits.
pub const DH_BITS_MAX: usize = 16_384;

/// A server by script. Its certificate and whether it asks for one are those
/// of [`Tls`], of which nothing else counts then.
///
/// What it agrees to it says in clear up to its ServerHelloDone, and goes no
/// further: the signature is that of the certificate's key, the values under
/// it are made up. With [`Self::complete`] the choices that rustls speaks are
/// carried to the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Legacy {
    /// The versions spoken, and for each the suites, best first. The newest
    /// version in common is taken. A server that does not speak TLS 1.3 does
    /// not know supported_versions either.
    pub suites: BTreeMap<ProtocolVersion, Vec<CipherSuite>>,
    /// Whose order of suites decides.
    #[serde(default)]
    pub preference: SuitePreference,
    /// Groups, best first. In TLS 1.3 a hello without a share for the first in
    /// common is answered with a HelloRetryRequest.
    #[serde(default = "usual_groups")]
    pub groups: Vec<NamedGroup>,
    /// Length of the Diffie-Hellman prime, in bits.
    #[serde(default = "usual_dh_bits")]
    pub dh_bits: usize,
    /// The one signature scheme of TLS 1.2; by default that of the key with
    /// SHA-256.
    pub signature_scheme: Option<SignatureScheme>,
    /// What the random says, up to TLS 1.2, of newer versions that the server
    /// speaks.
    #[serde(default)]
    pub downgrade_mark: DowngradeMark,
    /// What the answer has that no client takes, or that some do not.
    #[serde(default)]
    pub deviations: Vec<AnswerDeviation>,
    /// Hands the connection to rustls where it speaks what was chosen.
    #[serde(default)]
    pub complete: bool,
    /// What is said where no version is in common.
    #[serde(default = "protocol_version")]
    pub no_common_version: Step,
    /// What is said where the version has no suite in common.
    #[serde(default = "handshake_failure")]
    pub no_common_suite: Step,
    /// Hellos that the server stumbles over.
    pub intolerant: Option<Intolerance>,
}

/// Whose order of suites decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuitePreference {
    /// The server's.
    #[default]
    Server,
    /// The client's.
    Client,
}

/// What an answer has that it must not have, or lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerDeviation {
    /// A compression that nobody offers any more.
    Compression,
    /// In TLS 1.3 a session id that is not the client's.
    SessionId,
    /// No answer to the renegotiation extension (RFC 5746).
    NoRenegotiationInfo,
    /// An answer to it as if there had been a handshake before.
    Renegotiated,
    /// An extension that belongs elsewhere: the protocol inside TLS (RFC 7301).
    Alpn,
    /// An extension that nobody knows.
    UnknownExtension,
    /// A point that is not on its curve.
    OffCurve,
    /// A group that was not offered.
    OtherGroup,
    /// A public value of Diffie-Hellman that gives the secret away.
    DhPublicOne,
    /// Records of another version.
    Records,
    /// A suite of TLS 1.3 in an older version.
    SuiteOfTls13,
}

/// Hellos that a server stumbles over, each for one reason at least.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intolerance {
    /// Those of more bytes than this, header of the message included.
    pub hello_bytes_over: Option<usize>,
    /// Those that offer TLS 1.3.
    #[serde(default)]
    pub tls13: bool,
    /// Those that name the host (SNI).
    #[serde(default)]
    pub names_host: bool,
    /// What a hello that it stumbles over is answered with.
    pub answer: Step,
}

fn usual_groups() -> Vec<NamedGroup> {
    vec![NamedGroup(29), NamedGroup(23), NamedGroup(24)]
}

fn usual_dh_bits() -> usize {
    2048
}

fn protocol_version() -> Step {
    refusal(AlertDescription::PROTOCOL_VERSION)
}

pub(super) fn handshake_failure() -> Step {
    refusal(AlertDescription::HANDSHAKE_FAILURE)
}

fn refusal(alert: AlertDescription) -> Step {
    Step { words: Words::Alert(alert), then: Then::Close, ..Step::default() }
}

/// What a hello is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerDecision {
    /// [`Intolerance::answer`].
    Stumbles,
    /// [`Legacy::no_common_version`].
    NoVersion,
    /// [`Legacy::no_common_suite`].
    NoSuite,
    /// The server agrees.
    Agrees(Choice),
}

/// What the server agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub version: ProtocolVersion,
    pub suite: CipherSuite,
    /// The group, where the suite needs one.
    pub group: Option<NamedGroup>,
    /// Whether the client must come again with a share of it.
    pub retry: bool,
}

impl Legacy {
    /// The answer to a hello whose message has `message_bytes` bytes.
    pub(super) fn answer(
        &self,
        hello: &ClientOffer,
        message_bytes: usize,
        key: LeafKeyKind,
    ) -> ServerDecision {
        if self.intolerant.as_ref().is_some_and(|limits| limits.refuses(hello, message_bytes)) {
            return ServerDecision::Stumbles;
        }
        let modern = self.suites.contains_key(&ProtocolVersion::TLS13);
        let version = self.suites.iter().rev().find(|(version, _)| hello.offers(**version, modern));
        let Some((&version, suites)) = version else { return ServerDecision::NoVersion };
        let (order, others) = match self.preference {
            SuitePreference::Server => (suites, &hello.suites),
            SuitePreference::Client => (&hello.suites, suites),
        };
        let mut common = order.iter().filter(|suite| others.contains(suite));
        let choice = common.find_map(|suite| self.choice(hello, version, *suite, key));
        choice.map_or(ServerDecision::NoSuite, ServerDecision::Agrees)
    }

    /// The choice of a suite that both know, if its key exchange can be agreed
    /// upon too.
    fn choice(
        &self,
        hello: &ClientOffer,
        version: ProtocolVersion,
        suite: CipherSuite,
        key: LeafKeyKind,
    ) -> Option<Choice> {
        let tls13 = version >= ProtocolVersion::TLS13;
        let share = ShareKind::of(suite);
        // A client that names no groups takes any (RFC 8422 §4).
        let common = |group: &&NamedGroup| hello.groups.is_empty() || hello.groups.contains(group);
        let group = if tls13 || share == Some(ShareKind::Group) {
            Some(*self.groups.iter().find(common)?)
        } else {
            None
        };
        let schemes = &hello.signature_schemes;
        let signs = share.is_some() && version == ProtocolVersion::TLS12 && !schemes.is_empty();
        if signs && !schemes.contains(&self.scheme(key)) {
            return None;
        }
        let retry = tls13 && !hello.shared_groups.iter().any(|shared| Some(*shared) == group);
        Some(Choice { version, suite, group, retry })
    }

    /// The signature scheme of TLS 1.2.
    pub(super) fn scheme(&self, key: LeafKeyKind) -> SignatureScheme {
        self.signature_scheme.unwrap_or(match key {
            LeafKeyKind::EcdsaP256 | LeafKeyKind::EcdsaP256Hybrid => SignatureScheme(0x0403),
            LeafKeyKind::EcdsaP384 => SignatureScheme(0x0503),
            LeafKeyKind::Ed25519 => SignatureScheme(0x0807),
            LeafKeyKind::Rsa2048 | LeafKeyKind::Rsa1024 => SignatureScheme(0x0401),
        })
    }

    /// Whether it can be played with the certificate of `tls`.
    pub(super) fn check(&self, tls: &Tls) -> Result<(), String> {
        if self.suites.is_empty() || self.suites.values().any(Vec::is_empty) {
            return Err("a server by script speaks no version, or one without suites".into());
        }
        if self.dh_bits == 0 || self.dh_bits > DH_BITS_MAX {
            return Err(format!("no prime has {} bits", self.dh_bits));
        }
        let rsa = matches!(tls.certificate.key, LeafKeyKind::Rsa2048 | LeafKeyKind::Rsa1024);
        let old = self.suites.iter().filter(|(version, _)| **version < ProtocolVersion::TLS13);
        for suite in old.flat_map(|(_, suites)| suites) {
            let name = suite.name();
            let fits = match (name.contains("_ECDSA_"), name.contains("_anon_")) {
                (_, true) => true,
                (ecdsa, _) => ecdsa != rsa,
            };
            if !fits {
                return Err(format!("{name} does not fit the key of the certificate"));
            }
        }
        let signs = |suite: &CipherSuite| suite.facts().and_then(|facts| facts.signs_key_exchange());
        let older = self.suites.iter().filter(|(version, _)| **version < ProtocolVersion::TLS12);
        if !rsa && older.flat_map(|(_, suites)| suites).any(|suite| signs(suite) == Some(true)) {
            return Err("before TLS 1.2 only keys of RSA can sign here".into());
        }
        let answers = [&self.no_common_version, &self.no_common_suite];
        answers
            .into_iter()
            .chain(self.intolerant.as_ref().map(|limits| &limits.answer))
            .try_for_each(check_end)
    }
}

/// After a refusal there is no dialogue that could go on.
fn check_end(step: &Step) -> Result<(), String> {
    step.check()?;
    match step.then {
        Then::Continue => Err("the answer to a hello must say what comes then".into()),
        Then::Close | Then::Reset | Then::Silence => Ok(()),
    }
}

impl Intolerance {
    fn refuses(&self, hello: &ClientOffer, message_bytes: usize) -> bool {
        self.hello_bytes_over.is_some_and(|limit| message_bytes > limit)
            || self.tls13 && hello.supported_versions.contains(&ProtocolVersion::TLS13)
            || self.names_host && hello.name.is_some()
    }
}

#[cfg(test)]
#[path = "legacy_tests.rs"]
mod tests;
