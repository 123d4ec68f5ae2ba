//! What one endpoint said. It names no domain and judges nothing, so that it
//! can be judged again, for another sender, without a packet.

use super::address_tls::AddressTls;
use super::attempt::OtherAttempt;
use super::client_certificate::ClientCertificate;
use super::downgrade_mark::DowngradeMark;
use super::endpoint::ProbeKey;
use super::failure::Failure;
use super::hello::HelloObservation;
use super::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use super::reply::{Deviation, Reply, SmtpCommand};
use super::signature_check::SignatureCheck;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most certificates kept of one chain.
pub const CHAIN_CERTIFICATES_MAX: usize = 16;

/// The SMTP side of an observation: every reply that came in whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// The banner.
    pub greeting: Option<Reply>,
    /// Answer to EHLO in clear.
    pub ehlo: Option<Reply>,
    /// Answer to HELO, sent only where EHLO was refused.
    pub helo: Option<Reply>,
    /// Answer to STARTTLS.
    pub starttls: Option<Reply>,
    /// Plaintext that came in after the 220 to STARTTLS and before the
    /// handshake, escaped as in [`Reply::lines`]: evidence of the
    /// response-injection class (RFC 3207 §5). Never fed to TLS.
    #[serde(alias = "residue")]
    pub plaintext_after_starttls: String,
    /// Whether there was more of it than is kept. `None` in what was written
    /// before that was recorded.
    #[serde(default, alias = "residue_cut")]
    pub plaintext_after_starttls_cut: Option<bool>,
    /// Answer to EHLO inside TLS.
    pub ehlo_tls: Option<Reply>,
    /// Answer to QUIT: the 221, or in its place the last reply that came.
    pub quit: Option<Reply>,
    /// Replies beyond those that were asked for, in their order: what came
    /// between QUIT and its own answer, and behind that, or a 421 that came
    /// before QUIT. `None` in what was written before they were counted.
    #[serde(default)]
    pub unsolicited: Option<Vec<Reply>>,
    /// The command that was sent and has no whole reply; all before it have.
    /// `None` also in what was written before that was recorded.
    #[serde(default)]
    pub unanswered: Option<SmtpCommand>,
    /// What came of a reply that is none or never became whole, from its first
    /// byte on, escaped as in [`Reply::lines`]. `None` also in what was written
    /// before that was recorded.
    #[serde(default)]
    pub broken_off: Option<String>,
    /// What was odd about that, each oddity once, in the order of
    /// [`Deviation`]; nothing where it stands behind QUIT. `None` in what was
    /// written before that was recorded.
    #[serde(default)]
    pub broken_off_deviations: Option<Vec<Deviation>>,
    /// Where the dialogue ended early; `None` if it ran to its end.
    pub failure: Option<Failure>,
}

/// Nothing was said, and that is recorded.
impl Default for Dialogue {
    fn default() -> Self {
        Self {
            greeting: None,
            ehlo: None,
            helo: None,
            starttls: None,
            plaintext_after_starttls: String::new(),
            plaintext_after_starttls_cut: Some(false),
            ehlo_tls: None,
            quit: None,
            unsolicited: Some(Vec::new()),
            unanswered: None,
            broken_off: None,
            broken_off_deviations: Some(Vec::new()),
            failure: None,
        }
    }
}

impl Dialogue {
    /// In what anything that was said breaks the letter of RFC 5321, each
    /// oddity once, in order.
    pub fn deviations(&self) -> Vec<Deviation> {
        let replies = self.replies().flat_map(|reply| &reply.deviations);
        let mut seen: Vec<_> = replies.chain(self.broken_off_deviations.iter().flatten()).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    /// Every whole reply, in the order in which the questions were asked, the
    /// unsolicited ones last.
    pub fn replies(&self) -> impl Iterator<Item = &Reply> {
        let asked = [&self.greeting, &self.ehlo, &self.helo, &self.starttls, &self.ehlo_tls, &self.quit];
        asked.into_iter().flatten().chain(self.unsolicited.iter().flatten())
    }
}

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
            failure: Some(failure),
            dialogue: Dialogue::default(),
            tls: None,
            extra_client_hellos: Vec::new(),
            timings: Timings::default(),
            bytes_in: 0,
            bytes_out: 0,
        }
    }
}
