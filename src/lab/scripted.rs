//! A [`Legacy`] server ready to be played: what it says to each ClientHello, as
//! bytes.

use super::error::LabError;
use super::hello::ReceivedHello;
use super::legacy::{AnswerDeviation, Choice, Legacy, ServerDecision, handshake_failure};
use super::pki::Pki;
use super::step::{Prepared, Step};
use super::tls::{ServerCertificates, server_config};
use super::tls_table::{ClientAuth, LeafKeyKind, Tls};
use crate::model::registry::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::tls::server_hello::{MARK_BYTES, end_of_random};
use crate::tls::{
    CertificateMessage, CertificateRequest, Extension, ExtensionType, ServerFlight, ServerHello, ServerShare,
    ShareKind, SignedShare, TooLong,
};
use ::aws_lc_rs::agreement::{self, Algorithm, PrivateKey};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use std::collections::HashMap;
use std::sync::Arc;

/// Length of the short RSA key of an export suite, in bits.
const EXPORT_RSA_BITS: usize = 512;
/// Nobody computes with the server's random.
const RANDOM: [u8; 32] = [0x6d; 32];
/// A byte of made-up numbers: with its highest bit set, so that they are as
/// long as they are said to be, and odd, as primes are.
const NUMBER_BYTE: u8 = 0xfb;
/// rsa_sign and ecdsa_sign (RFC 5246 §7.4.4, RFC 8422 §5.5).
const CERTIFICATE_TYPES: [u8; 2] = [1, 64];

/// What is to be done with a hello.
pub(super) enum Reaction<'a> {
    /// A step is played.
    Play(&'a Prepared),
    /// This is said; a client that goes on is refused by
    /// [`Scripted::no_further`].
    Agree(Vec<u8>),
    /// rustls takes over.
    Complete(Arc<ServerConfig>),
}

/// A server by script.
#[derive(Debug)]
pub(super) struct Scripted {
    legacy: Legacy,
    key: LeafKeyKind,
    client_auth: ClientAuth,
    certificates: Arc<ServerCertificates>,
    /// What rustls can carry to the end.
    completed: HashMap<(ProtocolVersion, CipherSuite), Arc<ServerConfig>>,
    stumbles: Option<Prepared>,
    no_version: Prepared,
    no_suite: Prepared,
    /// What a client is told that believes what it was told.
    pub no_further: Prepared,
}

impl Scripted {
    pub(super) fn new(
        legacy: &Legacy,
        tls: &Tls,
        host: &str,
        pki: &Pki,
        certificates: Arc<ServerCertificates>,
    ) -> Result<Self, LabError> {
        let scheme = legacy.scheme(tls.certificate.key);
        if certificates.signer(Some(host)).sign(ProtocolVersion::TLS12, scheme, &[]).is_none() {
            return Err(rustls::Error::General(format!("the key cannot sign by {scheme}")).into());
        }
        let prepare = |step: &Step| step.prepare(host);
        Ok(Self {
            key: tls.certificate.key,
            client_auth: tls.client_auth,
            completed: completed(legacy, tls, pki, &certificates)?,
            certificates,
            stumbles: legacy.intolerant.as_ref().map(|limits| prepare(&limits.answer)),
            no_version: prepare(&legacy.no_common_version),
            no_suite: prepare(&legacy.no_common_suite),
            no_further: prepare(&handshake_failure()),
            legacy: legacy.clone(),
        })
    }

    /// What is to be done with this hello.
    pub(super) fn react(&self, hello: &ReceivedHello) -> Reaction<'_> {
        match self.legacy.answer(&hello.offer, hello.message_bytes, self.key) {
            ServerDecision::Stumbles => Reaction::Play(self.stumbles.as_ref().unwrap_or(&self.no_version)),
            ServerDecision::NoVersion => Reaction::Play(&self.no_version),
            ServerDecision::NoSuite => Reaction::Play(&self.no_suite),
            ServerDecision::Agrees(choice) => self.agree(hello, choice),
        }
    }

    fn agree(&self, hello: &ReceivedHello, choice: Choice) -> Reaction<'_> {
        if let Some(config) = self.completed.get(&(choice.version, choice.suite)) {
            return Reaction::Complete(config.clone());
        }
        match self.flight(hello, choice).and_then(|flight| flight.to_records()) {
            Ok(records) if self.deviates(AnswerDeviation::Records) => {
                Reaction::Agree(of_another_version(&records))
            }
            Ok(records) => Reaction::Agree(records),
            // Only a certificate of over 16 MiB would not fit.
            Err(_) => Reaction::Play(&self.no_further),
        }
    }

    fn flight(&self, hello: &ReceivedHello, choice: Choice) -> Result<ServerFlight, TooLong> {
        let Choice { version, suite, group, retry } = choice;
        let mut answer = match group {
            Some(group) if version >= ProtocolVersion::TLS13 && retry => ServerHello::retry(suite, group),
            Some(group) if version >= ProtocolVersion::TLS13 => {
                ServerHello::tls13(suite, RANDOM, group, &point(group))?
            }
            _ => ServerHello::new(version, suite, self.random()),
        };
        if version >= ProtocolVersion::TLS13 {
            answer.session_id = hello.offer.session_id.clone();
        } else if hello.offer.renegotiation_info && !self.deviates(AnswerDeviation::NoRenegotiationInfo) {
            let before: &[u8] = if self.deviates(AnswerDeviation::Renegotiated) { &[1, 7] } else { &[0] };
            answer.extensions.push(Extension::new(ExtensionType::RENEGOTIATION_INFO, before));
        }
        self.deviate(&mut answer);
        let share = self.share(suite, group).map(|share| self.signed(hello, version, share)).transpose()?;
        let request = (self.client_auth != ClientAuth::None).then(|| CertificateRequest {
            certificate_types: CERTIFICATE_TYPES.to_vec(),
            signature_schemes: vec![self.legacy.scheme(self.key)],
            authorities: 0,
        });
        let chain = if suite.name().contains("_anon_") { None } else { self.chain(hello) };
        Ok(ServerFlight { hello: answer, chain, share, certificate_request: request })
    }

    fn deviates(&self, deviation: AnswerDeviation) -> bool {
        self.legacy.deviations.contains(&deviation)
    }

    fn deviate(&self, answer: &mut ServerHello) {
        for deviation in &self.legacy.deviations {
            match deviation {
                AnswerDeviation::Compression => answer.compression = 1,
                AnswerDeviation::SuiteOfTls13 => answer.suite = CipherSuite(0x1301),
                AnswerDeviation::SessionId => answer.session_id = vec![b'x'; 32],
                AnswerDeviation::Alpn => {
                    answer.extensions.push(Extension::new(ExtensionType(16), *b"\0\x05\x04smtp"))
                }
                AnswerDeviation::UnknownExtension => {
                    answer.extensions.push(Extension::new(ExtensionType(0x4444), Vec::new()));
                }
                _ => {}
            }
        }
    }

    /// A share with the signature over it, of which a suite without one writes
    /// nothing.
    fn signed(
        &self,
        hello: &ReceivedHello,
        version: ProtocolVersion,
        share: ServerShare,
    ) -> Result<SignedShare, TooLong> {
        let message = [&hello.offer.random[..], &self.random(), &share.params()?].concat();
        let scheme = self.legacy.scheme(self.key);
        let signed = self.certificates.signer(hello.name()).sign(version, scheme, &message);
        let (scheme, signature) = signed.unwrap_or((scheme, Vec::new()));
        Ok(SignedShare { share, scheme, signature })
    }

    /// The random of a hello up to TLS 1.2.
    fn random(&self) -> [u8; 32] {
        let mut random = RANDOM;
        let end = random.last_chunk_mut::<MARK_BYTES>();
        if let (Some(end), Some(mark)) = (end, end_of_random(self.legacy.downgrade_mark)) {
            *end = mark;
        }
        random
    }

    fn share(&self, suite: CipherSuite, group: Option<NamedGroup>) -> Option<ServerShare> {
        Some(match ShareKind::of(suite)? {
            ShareKind::Group => {
                let group = if self.deviates(AnswerDeviation::OtherGroup) { SECP192R1 } else { group? };
                let mut public = point(group);
                if let (true, Some(last)) = (self.deviates(AnswerDeviation::OffCurve), public.last_mut()) {
                    *last ^= 1;
                }
                ServerShare::Group { group, public }
            }
            ShareKind::Dh => {
                let bits = self.legacy.dh_bits;
                let public =
                    if self.deviates(AnswerDeviation::DhPublicOne) { vec![1] } else { number(bits - 1) };
                ServerShare::Dh { prime: number(bits), generator: vec![2], public }
            }
            ShareKind::ExportRsa => {
                ServerShare::ExportRsa { modulus: number(EXPORT_RSA_BITS), exponent: vec![1, 0, 1] }
            }
        })
    }

    fn chain(&self, hello: &ReceivedHello) -> Option<CertificateMessage> {
        let certified = self.certificates.for_name(hello.name())?;
        let certificates = certified.cert.iter().map(|der| Arc::from(der.as_ref())).collect();
        Some(CertificateMessage { certificates, excess: 0 })
    }
}

/// Made-up number of so many bits.
fn number(bits: usize) -> Vec<u8> {
    let mut number = vec![NUMBER_BYTE; bits.div_ceil(8)];
    if let Some(first) = number.first_mut() {
        *first >>= (8 - bits % 8) % 8;
    }
    number
}

/// A curve that no sender offers any more.
const SECP192R1: NamedGroup = NamedGroup(19);

/// A point of the group: any value of X25519, one that is on the curve where
/// the library has it, else one of a length that a curve has.
fn point(group: NamedGroup) -> Vec<u8> {
    match group.name().as_ref() {
        "x25519" => vec![4; 32],
        "secp192r1" => vec![4; 49],
        "secp384r1" => on_curve(&agreement::ECDH_P384),
        "secp521r1" => on_curve(&agreement::ECDH_P521),
        "secp256r1" => on_curve(&agreement::ECDH_P256),
        _ => vec![4; 65],
    }
}

fn on_curve(curve: &'static Algorithm) -> Vec<u8> {
    let point = PrivateKey::generate(curve).and_then(|key| key.compute_public_key());
    point.map(|point| point.as_ref().to_vec()).unwrap_or_default()
}

/// Length of records that part a ServerHello from what is behind it, in bytes.
const FINE_RECORD_BYTES: usize = 64;

/// The same messages in fine records that are marked by TLS 1.0.
fn of_another_version(records: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (records, Vec::new());
    while let Some((&[kind, _, _, high, low], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (fragment, behind) = after.split_at(length.min(after.len()));
        rest = behind;
        for part in fragment.chunks(FINE_RECORD_BYTES) {
            out.extend([kind, 3, 1, 0, u8::try_from(part.len()).unwrap_or_default()]);
            out.extend(part);
        }
    }
    out
}

/// A configuration of rustls for each choice that it can carry to the end.
fn completed(
    legacy: &Legacy,
    tls: &Tls,
    pki: &Pki,
    certificates: &Arc<ServerCertificates>,
) -> Result<HashMap<(ProtocolVersion, CipherSuite), Arc<ServerConfig>>, LabError> {
    let mut configs = HashMap::new();
    if !legacy.complete {
        return Ok(configs);
    }
    let groups: Vec<String> = aws_lc_rs::ALL_KX_GROUPS
        .iter()
        .map(|group| NamedGroup(group.name().into()))
        .filter(|group| legacy.groups.contains(group))
        .map(|group| group.to_string())
        .collect();
    for known in aws_lc_rs::ALL_CIPHER_SUITES {
        let suite = CipherSuite(known.suite().into());
        let version = ProtocolVersion(known.version().version.into());
        if !legacy.suites.get(&version).is_some_and(|suites| suites.contains(&suite)) {
            continue;
        }
        let spec = Tls {
            versions: vec![version.to_string()],
            suites: vec![suite.to_string()],
            groups: groups.clone(),
            ..tls.clone()
        };
        configs.insert((version, suite), server_config(&spec, pki, certificates.clone())?);
    }
    Ok(configs)
}
