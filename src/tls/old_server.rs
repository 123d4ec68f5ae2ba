//! A server of TLS 1.0 as far as it can be played without a key: it agrees to a suite
//! whose key exchange needs no signature, and reads whether the client goes along.

use super::client_hello::ClientHello;
use super::extension::{Extension, ExtensionType};
use super::server_flight::CertificateMessage;
use super::server_flight_encode::ServerFlight;
use super::server_hello::ServerHello;
use crate::model::{AlertDescription, CipherSuite, ProtocolVersion};
use std::sync::Arc;

/// The suites of RFC 2246 and RFC 3268 with RSA key exchange that clients still offer, in
/// the server's order.
const SUITES: [CipherSuite; 3] = [CipherSuite(0x002f), CipherSuite(0x0035), CipherSuite(0x000a)];
/// The signal among the suites that stands for renegotiation_info (RFC 5746 §3.3).
const EMPTY_RENEGOTIATION_INFO_SCSV: CipherSuite = CipherSuite(0x00ff);
/// Nobody computes with it.
const RANDOM: [u8; 32] = [0x6d; 32];

/// What the server says to a hello, and the suite of it.
///
/// # Errors
/// The alert by which it refuses: the hello does not offer the version, or none of the
/// suites.
pub(super) fn flight(
    hello: &ClientHello,
    chain: &[Arc<[u8]>],
) -> Result<(Vec<u8>, CipherSuite), AlertDescription> {
    // An old server does not know supported_versions, so that it believes the old field.
    if !hello.offers(ProtocolVersion::TLS10, false) {
        return Err(AlertDescription::PROTOCOL_VERSION);
    }
    let suite = SUITES.into_iter().find(|suite| hello.suites.contains(suite));
    let suite = suite.ok_or(AlertDescription::HANDSHAKE_FAILURE)?;
    let mut answer = ServerHello::new(ProtocolVersion::TLS10, suite, RANDOM);
    let asks = |extension: &Extension| extension.extension_type == ExtensionType::RENEGOTIATION_INFO;
    if hello.suites.contains(&EMPTY_RENEGOTIATION_INFO_SCSV) || hello.extensions.iter().any(asks) {
        answer.extensions.push(Extension::new(ExtensionType::RENEGOTIATION_INFO, [0]));
    }
    let chain = Some(CertificateMessage { certificates: chain.to_vec(), excess: 0 });
    let flight = ServerFlight { hello: answer, chain, share: None, certificate_request: None };
    let records = flight.to_records().map_err(|_| AlertDescription::HANDSHAKE_FAILURE)?;
    Ok((records, suite))
}
