//! The form of a certificate, as far as a handshake goes into it: whether every
//! TLS client can read it, only some can, or none (RFC 5280 §4.1).
//!
//! OpenSSL, GnuTLS and NSS were asked, in TLS 1.3 and 1.2, with a certificate of
//! each kind below. All end the handshake over a leaf whose frame is broken,
//! whatever they would make of its signature. Over the rest they differ.

use super::der::Fault;
use super::frame::{Words, frame};
use super::terms;
use std::sync::Arc;

pub use super::frame::why_broken;

/// What clients make of the form of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each can read them.
    Sound,
    /// Some end the handshake over them; why.
    Disputed(String),
    /// Each ends the handshake over them; why.
    Broken(String),
}

/// Looks at a chain, leaf first. Of the certificates above the leaf GnuTLS reads
/// none in TLS 1.3, so that over those clients differ at most.
pub fn of_chain(chain: &[Arc<[u8]>]) -> Form {
    let mut above = chain.iter().skip(1).enumerate();
    let leaf = chain.first().map_or_else(|| Form::Broken("no certificate".into()), |leaf| of(leaf));
    match leaf {
        Form::Sound => above.find_map(|(place, der)| flaw_above(place, der)).unwrap_or(Form::Sound),
        told => told,
    }
}

fn flaw_above(place: usize, der: &[u8]) -> Option<Form> {
    let why = match frame(der) {
        Err(flaw) => Words(flaw).to_string(),
        Ok(frame) => frame.disputed?.to_string(),
    };
    Some(Form::Disputed(format!("certificate {} of the chain: {why}", place + 2)))
}

/// Looks at one certificate.
pub fn of(der: &[u8]) -> Form {
    match frame(der) {
        Err(flaw @ (Fault::Broken, _)) => Form::Broken(format!("the certificate is {}", Words(flaw))),
        Err(flaw @ (Fault::Ber, _)) => Form::Disputed(format!("the certificate is {}", Words(flaw))),
        Ok(frame) => {
            let disputed = frame.disputed.map(str::to_string).or_else(|| terms::defect(der));
            disputed.map_or(Form::Sound, |why| Form::Disputed(format!("the certificate: {why}")))
        }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
