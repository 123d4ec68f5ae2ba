//! What one endpoint said. It names no domain and judges nothing, so that it
//! can be judged again, for another sender, without a packet.

use super::address_tls::AddressTls;
use super::attempt::OtherAttempt;
use super::client_certificate::ClientCertificate;
use super::dialogue::Dialogue;
use super::downgrade_mark::DowngradeMark;
use super::endpoint::ProbeKey;
use super::failure::{Failure, Kind, Phase};
use super::hello::HelloObservation;
use super::name::MxHost;
use super::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use super::signature_check::SignatureCheck;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most certificates kept of one chain. A message of 64 KiB has no room for more
/// that are of any use; a chain that reaches it is never told to lead nowhere.
pub const CHAIN_CERTIFICATES_MAX: usize = 256;

/// The TLS side of an observation. A handshake that failed keeps what was
/// seen before it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsObservation {
    /// Whether the handshake ended in an established session.
    pub established: bool,
    /// Whether an earlier session was resumed. No survey does that, so that
    /// the journal has no word for it.
    #[serde(skip)]
    pub resumed: bool,
    /// Negotiated version.
    pub version: Option<ProtocolVersion>,
    /// Negotiated cipher suite.
    pub suite: Option<CipherSuite>,
    /// Key exchange group.
    pub group: Option<NamedGroup>,
    /// Scheme of the server's handshake signature.
    pub signature_scheme: Option<SignatureScheme>,
    /// Whether that signature holds; `None` where the handshake ended before
    /// it came.
    pub signature: Option<SignatureCheck>,
    /// ALPN protocol that the server chose; none is offered, so none is due.
    pub alpn: Option<String>,
    /// Presented certificates as DER, leaf first, at most
    /// [`CHAIN_CERTIFICATES_MAX`]. The journal names them by SHA-256; the
    /// bytes stand once in `certificates.csv`.
    #[serde(skip)]
    pub chain: Vec<Arc<[u8]>>,
    /// Certificates beyond the limit, not kept.
    pub chain_excess: usize,
    /// Whether an OCSP response was stapled (RFC 6066 §8).
    pub ocsp_stapled: bool,
    /// Whether the server asked for a client certificate.
    pub client_certificate_requested: bool,
    /// What became of ours.
    pub client_certificate: ClientCertificate,
    /// Whether the server asked for another key share (RFC 8446 §4.1.4).
    pub hello_retry: bool,
    /// Resumption tickets that came before QUIT was answered (RFC 8446 §4.6.1,
    /// RFC 5077 §3.3); `None` where that was not recorded.
    #[serde(default)]
    pub tickets: Option<u32>,
    /// Whether a server of TLS 1.2 or before named the session by an id (RFC
    /// 5246 §7.4.1.3); whether it would resume it was not tried. `None` in TLS
    /// 1.3, where the id is an echo, and where that was not recorded.
    #[serde(default)]
    pub session_id: Option<bool>,
    /// What the server's random says of newer versions, up to TLS 1.2; `None`
    /// in TLS 1.3, where there was no ServerHello, and where that was not
    /// recorded.
    #[serde(default)]
    pub downgrade_mark: Option<DowngradeMark>,
    /// Whether a server of TLS 1.2 or before answered the renegotiation
    /// extension (RFC 5746 §3.4). `None` in TLS 1.3, which has no renegotiation,
    /// and where that was not recorded.
    #[serde(default)]
    pub renegotiation_info: Option<bool>,
    /// Fatal alert received.
    pub alert: Option<AlertDescription>,
}

/// How long each phase took, in microseconds of the monotonic clock; `None`
/// for a phase that was not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// SYN to established.
    pub connect_us: Option<u64>,
    /// Established to the end of the banner.
    pub greeting_us: Option<u64>,
    /// EHLO (and HELO) sent to answered.
    pub ehlo_us: Option<u64>,
    /// STARTTLS sent to answered.
    pub starttls_us: Option<u64>,
    /// ClientHello sent to session established.
    pub handshake_us: Option<u64>,
    /// EHLO inside TLS sent to answered.
    pub ehlo_tls_us: Option<u64>,
    /// QUIT sent to answered.
    pub quit_us: Option<u64>,
    /// First SYN to the last byte.
    pub total_us: u64,
}

/// The connection to another name of the same address and port that an observation
/// was taken over from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferredFrom {
    /// The name that was asked; `None` if none was.
    pub sni: Option<MxHost>,
    /// How long that connection took, in microseconds; 0 where a sample stands for the
    /// key.
    pub total_us: u64,
}

/// What one [`ProbeKey`] said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Who was asked.
    pub key: ProbeKey,
    /// When the connection was begun.
    pub started: Timestamp,
    /// Connections made, this one included and those of the hellos not; 0 where
    /// none was allowed.
    pub attempts: u32,
    /// How the others ended, in their order, at most
    /// [`OTHER_ATTEMPTS_MAX`](super::attempt::OTHER_ATTEMPTS_MAX). `None` in what
    /// was written before that was recorded.
    #[serde(default)]
    pub other_attempts: Option<Vec<OtherAttempt>>,
    /// What all connections to this address and port had said of TLS when this was
    /// written, those under other names included. `None` in what was written
    /// before that was recorded.
    #[serde(default)]
    pub tls_at_address: Option<AddressTls>,
    /// Whether STARTTLS had been refused for now on any of these. `None` in what was
    /// written before that was recorded.
    #[serde(default)]
    pub refused_temporarily_at_address: Option<bool>,
    /// Whether TCP had opened on any of these. `None` in what was written before
    /// that was recorded.
    #[serde(default)]
    pub opened_at_address: Option<bool>,
    /// Whether its host had TLSA records, as far as the domains told that waited for
    /// it: what is kept of its chain goes by that. `None` in what was written before
    /// that was recorded.
    #[serde(default)]
    pub tlsa: Option<bool>,
    /// Whether the run was stopped before the key was asked to its end: what it
    /// said is true, and more was to be asked. `None` in what was written before
    /// that was recorded.
    #[serde(default)]
    pub stopped: Option<bool>,
    /// Who stands for the key, where it was not asked itself: of an address and port
    /// where nobody answers, the name of the last look, for what lies before the name
    /// is the same for all; with the failure [`Kind::NotAsked`], one of a sample of
    /// names that were all answered alike.
    #[serde(default)]
    pub inferred_from: Option<InferredFrom>,
    /// The terminal outcome; `None` if everything ran to its end.
    pub failure: Option<Failure>,
    /// What was said in SMTP.
    pub dialogue: Dialogue,
    /// What was seen of TLS, once the ClientHello was sent.
    pub tls: Option<TlsObservation>,
    /// What further hellos learnt, each on a connection of its own, in the
    /// order in which they were sent.
    #[serde(alias = "hellos")]
    pub extra_client_hellos: Vec<HelloObservation>,
    /// How long it took, without the hellos.
    pub timings: Timings,
    /// Bytes received on the socket, without those of the hellos.
    pub bytes_in: u64,
    /// Bytes sent on the socket, without those of the hellos.
    pub bytes_out: u64,
}

impl Observation {
    /// An observation that ended before anything was said.
    pub fn failed(key: ProbeKey, started: Timestamp, attempts: u32, failure: Failure) -> Self {
        Self {
            key,
            started,
            attempts,
            other_attempts: Some(Vec::new()),
            tls_at_address: Some(AddressTls::Nothing),
            refused_temporarily_at_address: Some(false),
            opened_at_address: Some(false),
            tlsa: Some(false),
            stopped: Some(false),
            inferred_from: None,
            failure: Some(failure),
            dialogue: Dialogue::default(),
            tls: None,
            extra_client_hellos: Vec::new(),
            timings: Timings::default(),
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// One of a name that was not asked, for which a sample of the names of its
    /// address and port stands, this one first.
    pub fn not_asked(key: ProbeKey, now: Timestamp, stand_in: Option<MxHost>) -> Self {
        let failure = Failure::new(Phase::Connect, Kind::NotAsked);
        let inferred_from = InferredFrom { sni: stand_in, total_us: 0 };
        Self { inferred_from: Some(inferred_from), ..Self::failed(key, now, 0, failure) }
    }

    /// The key whose answer counts for this one, which was not asked.
    pub fn stand_in(&self) -> Option<ProbeKey> {
        self.inferred_key().filter(|_| self.failure.as_ref().is_some_and(Failure::is_not_asked))
    }

    /// The same, or the key whose last look met nobody there.
    pub fn inferred_key(&self) -> Option<ProbeKey> {
        let other = self.inferred_from.as_ref()?;
        Some(ProbeKey { endpoint: self.key.endpoint, sni: other.sni.clone() })
    }
}
