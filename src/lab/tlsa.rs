//! TLSA records made from what the servers of the fleet show (RFC 6698 §2.1).

use super::dns_table::{Tlsa, TlsaSource, TlsaSpec};
use super::error::LabError;
use super::pki::CertificateAndKey;
use super::tls::ServerCertificates;
use sha2::{Digest, Sha256, Sha512};

/// The records of one name as their data.
pub(super) fn records(tlsa: &Tlsa, shown: &ServerCertificates, name: &str) -> Result<Vec<Vec<u8>>, LabError> {
    let mut records =
        tlsa.records.iter().map(|spec| record(spec, shown, name)).collect::<Result<Vec<_>, _>>()?;
    let more = 0..tlsa.more;
    records.extend(more.map(|number| {
        let digest = Sha256::digest(number.to_string());
        [&[3, 1, 1], digest.as_slice()].concat()
    }));
    Ok(records)
}

fn record(spec: &TlsaSpec, shown: &ServerCertificates, name: &str) -> Result<Vec<u8>, LabError> {
    let (usage, selector, matching_type, source) = match spec {
        TlsaSpec::Raw(data) => return Ok(data.clone()),
        TlsaSpec::Made { usage, selector, matching_type, source } => {
            (*usage, *selector, *matching_type, *source)
        }
    };
    let of = |what: &CertificateAndKey| {
        let data = if selector == 1 { &what.key } else { &what.certificate };
        digest(matching_type, data)
    };
    let mut data = match source {
        TlsaSource::Leaf | TlsaSource::Short => of(&shown.leaf(name)?),
        TlsaSource::Issuer => of(&shown.issuer(name)?),
        TlsaSource::Root => of(&shown.root(name)?),
        TlsaSource::Wrong => of(shown.unrelated()),
        TlsaSource::Garbage => b"garbage".to_vec(),
    };
    if source == TlsaSource::Short {
        data.pop();
    }
    Ok([&[usage, selector, matching_type], data.as_slice()].concat())
}

/// What a matching type makes of it; SHA-256 where nobody knows the type.
fn digest(matching_type: u8, data: &[u8]) -> Vec<u8> {
    match matching_type {
        0 => data.to_vec(),
        2 => Sha512::digest(data).to_vec(),
        _ => Sha256::digest(data).to_vec(),
    }
}
