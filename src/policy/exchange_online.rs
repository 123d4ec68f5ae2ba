//! What Exchange Online offers, as far as it is published; what is not is an
//! assumption that says so.

use crate::model::{CipherSuite, HelloPurpose, HelloQuestion, NamedGroup, ProtocolVersion, SignatureScheme};

/// Suites of TLS 1.3. One was seen in outbound mail; the list is not
/// published, and assumed to be that of Windows Schannel.
const SUITES_TLS13: [u16; 2] = [0x1302, 0x1301];

/// Suites of TLS 1.2, strongest first (Microsoft, "Technical reference details
/// about encryption", table 1 of 2020-10 to 2023).
const SUITES: [u16; 8] = [0xc030, 0xc02f, 0xc028, 0xc027, 0xc014, 0xc013, 0x009d, 0x009c];

/// P-384 and P-256 are published; X25519 is not, and assumed not to be offered.
const GROUPS: [u16; 2] = [24, 23];

/// Not published; assumed to be that of Windows Schannel without SHA-1.
const SCHEMES: [u16; 9] = [0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0603];

/// The offer as a hello to send. TLS 1.0 and 1.1 are never used to send.
pub fn offer() -> HelloQuestion {
    HelloQuestion {
        purpose: HelloPurpose::Sender,
        versions: vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12],
        suites: SUITES_TLS13.into_iter().chain(SUITES).map(CipherSuite).collect(),
        groups: GROUPS.map(NamedGroup).to_vec(),
        signature_schemes: SCHEMES.map(SignatureScheme).to_vec(),
    }
}
