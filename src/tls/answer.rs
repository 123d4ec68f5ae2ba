//! What came of a hello.

use super::alert::Alert;
use super::record::HEADER_BYTES;
use super::server_flight::{
    CertificateMessage, CertificateRequest, KeyExchange, ServerKeyExchange, SignedParams,
};
use super::server_hello::ServerHello;
use super::wire::Malformed;
use crate::model::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use thiserror::Error;

/// A limit that an answer exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Limit {
    /// [`RECORD_BYTES_MAX`](super::record::RECORD_BYTES_MAX).
    #[error("record_bytes_max")]
    RecordBytes,
    /// [`HANDSHAKE_MESSAGE_BYTES_MAX`](super::handshake::HANDSHAKE_MESSAGE_BYTES_MAX).
    #[error("handshake_message_bytes_max")]
    MessageBytes,
    /// [`RECORDS_MAX`](super::probe::RECORDS_MAX).
    #[error("records_max")]
    Records,
    /// [`FLIGHT_BYTES_MAX`](super::probe::FLIGHT_BYTES_MAX).
    #[error("flight_bytes_max")]
    FlightBytes,
    /// What the driver takes from a server in one session.
    #[error("session_bytes_max")]
    SessionBytes,
}

/// How an answer ended. All but [`AnswerEnd::Complete`] may leave it without a
/// ServerHello, or with one and not all that should follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerEnd {
    /// It has not yet.
    #[default]
    Unfinished,
    /// The server said all that it says in clear.
    Complete,
    /// The server refused.
    Alert(Alert),
    /// The connection was closed.
    Closed,
    /// The deadline passed.
    Timeout,
    /// The server speaks SSLv2.
    Sslv2 {
        /// Whether it said so by an error, not by a ServerHello.
        error: bool,
    },
    /// The server does not speak TLS.
    NotTls {
        /// What stands where a record should, zeros where there is less.
        head: [u8; HEADER_BYTES],
    },
    /// A message cannot be read, or comes where it may not.
    Malformed(Malformed),
    /// The answer is longer than what is read.
    TooLong(Limit),
}

/// What a server answered to one hello. What the messages say is kept as it
/// was said; the methods read the usual questions out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelloAnswer {
    /// What the server chose, or asks for by a HelloRetryRequest.
    pub hello: Option<ServerHello>,
    /// Its certificates.
    pub chain: Option<CertificateMessage>,
    /// Its side of the key exchange.
    pub key_exchange: Option<ServerKeyExchange>,
    /// What it asks of a client certificate.
    pub certificate_request: Option<CertificateRequest>,
    /// Whether an OCSP response was stapled.
    pub ocsp_stapled: bool,
    /// The version in the header of the first record behind the ServerHello
    /// that is not the chosen one, up to TLS 1.2.
    pub foreign_record: Option<ProtocolVersion>,
    /// The first alert that did not end the answer.
    pub warning: Option<AlertDescription>,
    /// Whether the server agreed, refused or broke off.
    pub end: AnswerEnd,
}

impl HelloAnswer {
    /// The version that the server chose.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.hello.as_ref().map(ServerHello::version)
    }

    /// The suite that it chose.
    pub fn suite(&self) -> Option<CipherSuite> {
        self.hello.as_ref().map(|hello| hello.suite)
    }

    /// The group of the key exchange; in a retry the one asked for.
    pub fn group(&self) -> Option<NamedGroup> {
        match self.key_exchange {
            Some(ServerKeyExchange { key_exchange: KeyExchange::Group(group), .. }) => Some(group),
            _ => self.hello.as_ref().and_then(ServerHello::group),
        }
    }

    /// The length of the server's own Diffie-Hellman prime.
    pub fn dh_bits(&self) -> Option<usize> {
        match self.key_exchange {
            Some(ServerKeyExchange { key_exchange: KeyExchange::Dh { prime_bits }, .. }) => Some(prime_bits),
            _ => None,
        }
    }

    /// The server's signature in clear.
    pub fn signed(&self) -> Option<&SignedParams> {
        self.key_exchange.as_ref()?.signed.as_ref()
    }

    /// The scheme of the server's signature in TLS 1.2.
    pub fn signature_scheme(&self) -> Option<SignatureScheme> {
        self.signed().and_then(|signed| signed.scheme)
    }

    /// Whether the server asked for another hello.
    pub fn hello_retry(&self) -> bool {
        self.hello.as_ref().is_some_and(ServerHello::is_hello_retry)
    }

    /// Whether it asked for a client certificate in clear.
    pub fn client_certificate_requested(&self) -> bool {
        self.certificate_request.is_some()
    }

    /// The alert that refused.
    pub fn alert(&self) -> Option<AlertDescription> {
        match self.end {
            AnswerEnd::Alert(alert) => Some(alert.description),
            _ => None,
        }
    }
}
