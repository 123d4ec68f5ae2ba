//! TLS without sockets: the hello codec for what a modern TLS library cannot
//! ask and will not read, and that library fed by hand.
//!
//! It asks a server with a ClientHello of any version from SSLv3 to TLS 1.3,
//! any suites, groups and signature schemes, and reads in clear what the
//! server would have agreed to: up to its ServerHelloDone, or its ServerHello
//! in TLS 1.3, where all else is encrypted. The codec computes no key and
//! proves nothing.
//!
//! [`HelloProbe`] is the state machine that a driver runs on a connection;
//! [`ClientHello`] is the question and [`HelloAnswer`] what comes of it.
//!
//! [`TlsClient`] drives the handshakes that are finished: rustls over byte
//! slices, and what it does not tell beside it.
//!
//! # Why nothing here is decoded by `tls-parser`
//!
//! It was the first candidate. It keeps the raw code points of suites and
//! versions, but not what a survey of odd servers lives on:
//!
//! - a ServerHello with a version other than 3.0 to 3.3 is an error without
//!   its suite; extensions in one of SSLv3 are dropped, and a broken extension
//!   block reads as none at all;
//! - HelloRetryRequest is known in its draft form only, not by its random (RFC
//!   8446 §4.1.3); key shares stay opaque;
//! - ServerKeyExchange is opaque, and which of its readers applies is left to
//!   the caller, who needs version and suite for it; CertificateRequest is
//!   read by trying the TLS 1.2 form first, whatever the version;
//! - a certificate list with a broken end loses it without a word, and its
//!   count has no bound;
//! - records are put together up to 10 MiB, and parsed again from the start
//!   with each that comes in.
//!
//! What is left, numbers and vectors behind their lengths, is the fifty lines
//! of `wire.rs`.

pub mod alert;
pub mod answer;
pub mod client;
pub mod client_hello;
mod client_hello_decode;
mod decrypted;
pub mod extension;
pub mod handshake;
mod in_clear;
mod last_words;
pub mod objection;
mod old_server;
pub mod probe;
pub mod public_value;
mod received_offer;
pub mod record;
mod second_hello;
pub mod server;
pub mod server_flight;
mod server_flight_encode;
pub mod server_hello;
mod server_share;
mod wire;

pub use answer::{AnswerEnd, HelloAnswer, Limit};
pub use client::{TlsClient, TlsFault};
pub use client_hello::{ClientHello, KeyShare};
pub use extension::{Extension, ExtensionType};
pub use in_clear::Resumable;
pub use objection::{Objection, objection};
pub use probe::{HelloAction, HelloProbe};
pub use received_offer::received_offer;
pub use server::{TlsServer, TlsServerFault, TlsServerManner};
pub use server_flight::{
    CertificateMessage, CertificateRequest, KeyExchange, ServerKeyExchange, SignedParams,
};
pub use server_flight_encode::{ServerFlight, ShareKind, SignedShare};
pub use server_hello::ServerHello;
pub use server_share::ServerShare;
pub use wire::{Malformed, TooLong};
