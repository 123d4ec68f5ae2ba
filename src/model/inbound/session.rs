//! One session of `mxray receive`: an observation, as the listener made it.

use super::dialogue::InboundDialogue;
use super::offer::{ReceivedOffer, SecondHello};
use crate::model::{
    AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureCheck, SignatureScheme,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;

/// The TLS of a session, from the answer to STARTTLS on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundTls {
    /// What the ClientHello offers, the first where there were two; `None` where none came
    /// that can be read.
    pub offer: Option<ReceivedOffer>,
    /// Whether the handshake was gone through to its end.
    pub established: bool,
    /// Negotiated version.
    pub version: Option<ProtocolVersion>,
    /// Negotiated suite.
    pub suite: Option<CipherSuite>,
    /// Negotiated group.
    pub group: Option<NamedGroup>,
    /// Whether we asked for another key share (RFC 8446 §4.1.4).
    pub hello_retry: bool,
    /// What came of that; `None` where nothing came that can be read.
    pub second_hello: Option<SecondHello>,
    /// The client's certificates as DER, leaf first, at most
    /// [`CHAIN_CERTIFICATES_MAX`](crate::model::observation::CHAIN_CERTIFICATES_MAX);
    /// empty of a client that has none to show. The journal names them by SHA-256; the
    /// bytes stand once in `certificates.csv`.
    #[serde(skip)]
    pub chain: Vec<Arc<[u8]>>,
    /// Certificates beyond the limit, not kept.
    pub chain_excess: usize,
    /// Scheme of the client's CertificateVerify.
    pub signature_scheme: Option<SignatureScheme>,
    /// What became of it. Unless it is [`SignatureCheck::Verified`] nothing rests on the
    /// chain. `None` without a chain.
    pub signature: Option<SignatureCheck>,
    /// Why the handshake came to nothing, in the words of who refused it.
    pub failure: Option<InboundTlsFailure>,
}

impl InboundTls {
    /// Whether version and suite were agreed: a handshake that was gone through, or one that
    /// the client would have gone through.
    pub fn is_agreed(&self) -> bool {
        self.established || self.failure == Some(InboundTlsFailure::AgreedOnPurpose)
    }
}

/// Why a handshake came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundTlsFailure {
    /// The client refused, by this alert.
    ClientAlert(AlertDescription),
    /// The client closed, or reset the connection.
    ClientLeft,
    /// What the client said is not what is due; the words say what.
    ClientFault(Box<str>),
    /// We refused on purpose (`--behave`).
    OnPurpose(AlertDescription),
    /// The client went along with what was agreed, and we ended it on purpose
    /// (`--behave tls10-only`).
    AgreedOnPurpose,
    /// The client offers nothing that mxray can finish: a limit of ours, and no fault of
    /// the client's. Its offer says what it has.
    NothingInCommon(Box<str>),
    /// The client said nothing for as long as we wait. That is our limit.
    TimedOut,
    /// We stopped.
    Stopped,
}

/// One connection that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundSession {
    /// Its number in the run, from 1.
    pub number: u64,
    /// When it was taken.
    pub began: Timestamp,
    /// Who connected.
    pub peer: SocketAddr,
    /// What was said in SMTP.
    pub dialogue: InboundDialogue,
    /// What was seen of TLS, once STARTTLS was accepted.
    pub tls: Option<InboundTls>,
    /// When we said that over which the session came to nothing, in microseconds from its
    /// beginning: the answer to EHLO that offers no STARTTLS, the refusal of STARTTLS, the last
    /// flight of a handshake that failed; where there is none of these, what we said last.
    /// `None` in a line of an older version.
    #[serde(default)]
    pub over_us: Option<u64>,
    /// How long it took, in microseconds.
    pub total_us: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
}

impl InboundSession {
    /// The moment from which on the client can try anew, whatever it leaves open. A client is
    /// heard later than it decides, and so its next connection may be taken before the last
    /// is seen to end: what it decides upon is what we said.
    pub fn over_at(&self) -> Timestamp {
        let us = i64::try_from(self.over_us.unwrap_or(self.total_us)).unwrap_or(i64::MAX);
        self.began.checked_add(SignedDuration::from_micros(us)).unwrap_or(Timestamp::MAX)
    }
}
