//! What Microsoft publishes of the certificates of Exchange Online: the CA
//! certificates by name, and where their revocation is told
//! (`datasets/exchange-online/README.md`).

use crate::model::Sha256;
use crate::trust::names::same_ca;
use serde::Deserialize;

const CA_CHAIN: &str = include_str!("../../datasets/exchange-online/ca-chain.csv");
const ADDRESSES: &str = include_str!("../../datasets/exchange-online/addresses.csv");

/// A CA certificate of the published table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedCertificate {
    /// `root`, `intermediate`, or what else the row is about.
    pub role: String,
    /// Its common name, or what it is known as.
    pub name: String,
    /// First day of validity, as published.
    pub not_before: String,
    /// Last day of validity, as published.
    pub not_after: String,
    /// Its fingerprint; `None` for a row that is about no one certificate.
    pub sha256: Option<Sha256>,
    /// Addresses of revocation lists that tell about it.
    pub crl_urls: Vec<String>,
    /// Addresses of OCSP responders that tell about it.
    pub ocsp_urls: Vec<String>,
}

/// What is at a published address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressKind {
    /// A revocation list.
    Crl,
    /// A host that has to be reached, whatever it answers.
    Host,
}

/// An address that has to be reached.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PublishedAddress {
    /// Whether a list or a responder answers there.
    pub kind: AddressKind,
    /// `http://…`
    pub url: String,
}

#[derive(Deserialize)]
struct PublishedRow {
    role: String,
    subject_cn: String,
    not_before: String,
    not_after: String,
    sha256: String,
    crl: String,
    ocsp: String,
}

/// The published CA certificates, in the order of the table.
pub fn certificates() -> Vec<PublishedCertificate> {
    read(CA_CHAIN).map(|row: PublishedRow| row.into()).collect()
}

/// The published addresses beside those of the certificates.
pub fn addresses() -> Vec<PublishedAddress> {
    read(ADDRESSES).collect()
}

/// The rows of a table that is built in. None is unreadable, which a test
/// holds.
fn read<R: serde::de::DeserializeOwned>(text: &'static str) -> impl Iterator<Item = R> {
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().filter_map(Result::ok)
}

impl From<PublishedRow> for PublishedCertificate {
    fn from(row: PublishedRow) -> Self {
        Self {
            sha256: Sha256::parse(&row.sha256),
            crl_urls: urls(&row.crl),
            ocsp_urls: urls(&row.ocsp),
            role: row.role,
            name: row.subject_cn,
            not_before: row.not_before,
            not_after: row.not_after,
        }
    }
}

/// The addresses among the words of a cell; the rest are remarks.
fn urls(cell: &str) -> Vec<String> {
    cell.split_ascii_whitespace().filter(|word| word.starts_with("http://")).map(str::to_string).collect()
}

/// The published certificates of that name which have a fingerprint.
pub fn named(name: &str) -> Vec<PublishedCertificate> {
    let all = certificates().into_iter();
    all.filter(|known| known.sha256.is_some() && same_ca(&known.name, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let lines = |text: &str| text.lines().count() - 1;
        let known = certificates();
        assert_eq!((known.len(), addresses().len()), (lines(CA_CHAIN), lines(ADDRESSES)));
        assert_eq!(known.iter().filter(|row| row.role == "root" && row.sha256.is_some()).count(), 4);
        let leaves = known.iter().find(|row| row.sha256.is_none()).unwrap();
        assert_eq!(
            (leaves.crl_urls.len(), &*leaves.ocsp_urls),
            (2, &["http://ocspx.digicert.com".into()][..])
        );
    }

    #[test]
    fn a_name_is_found_however_it_is_spelt() {
        for name in ["GlobalSign Root CA – R1", "globalsign root ca (R1)"] {
            let found = named(name);
            assert_eq!(found.len(), 1, "{name}");
            assert!(found[0].sha256.unwrap().to_string().starts_with("ebd41040"));
        }
        assert!(named("GlobalSign Root CA").is_empty() && named("").is_empty() && named("-").is_empty());
    }
}
