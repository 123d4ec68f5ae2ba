//! Tells what a ClientHello offers, by the names of the IANA registry.
//!
//! ```sh
//! cargo run --example decode_client_hello -- HEX
//! ```
//!
//! The bytes are those of the handshake message without its four bytes of type
//! and length.

use mxray::hello::{ClientHello, Malformed};
use std::error::Error;

/// What the hello offers, a line each.
pub fn offer(body: &[u8]) -> Result<Vec<String>, Malformed> {
    let hello = ClientHello::decode(body)?;
    let mut lines = Vec::new();
    match &hello.sni {
        Some(host) => lines.push(format!("for {}", host.as_str())),
        None => lines.push("for no name".to_string()),
    }
    if hello.supported_versions.is_empty() {
        lines.push(format!("up to {}", hello.legacy_version.name()));
    }
    lines.extend(hello.supported_versions.iter().map(|version| version.name().into_owned()));
    lines.extend(hello.suites.iter().map(|suite| suite.name().into_owned()));
    lines.extend(hello.groups.iter().map(|group| group.name().into_owned()));
    lines.extend(hello.signature_schemes.iter().map(|scheme| scheme.name().into_owned()));
    Ok(lines)
}

/// Bytes as `16 03 01`, or without the blanks.
pub fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, odd) = digits.as_chunks::<2>();
    odd.is_empty()
        .then(|| pairs.iter().filter_map(|[high, low]| u8::try_from(16 * high + low).ok()).collect())
}

#[allow(dead_code, reason = "a test takes this file in for what stands above")]
fn main() -> Result<(), Box<dyn Error>> {
    let hex = std::env::args().nth(1).ok_or("say the bytes in hexadecimal")?;
    for line in offer(&bytes(&hex).ok_or("no hexadecimal")?)? {
        println!("{line}");
    }
    Ok(())
}
