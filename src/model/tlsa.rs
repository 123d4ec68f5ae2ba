//! TLSA records as the DNS has them (RFC 6698 §2.1).

use super::failure::Failure;
use super::name::MxHost;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::fmt::Write;

/// One record, with values of which nobody has said yet whether they are of
/// use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TlsaRecord {
    /// Certificate usage: 2 is DANE-TA, 3 is DANE-EE (RFC 7218 §2.1).
    pub usage: u8,
    /// 0 the whole certificate, 1 its SubjectPublicKeyInfo.
    pub selector: u8,
    /// 0 as it is, 1 its SHA-256, 2 its SHA-512.
    pub matching_type: u8,
    /// Certificate association data.
    pub data: AssociationData,
}

/// Shown as in zone files: three numbers and hexadecimal digits.
impl fmt::Display for TlsaRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.usage, self.selector, self.matching_type, self.data)
    }
}

/// What a certificate is compared with; written in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssociationData(pub Vec<u8>);

impl fmt::Display for AssociationData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for AssociationData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = String::with_capacity(2 * self.0.len());
        // Writing to a text does not fail.
        let _ = write!(digits, "{self}");
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for AssociationData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = Cow::<str>::deserialize(deserializer)?;
        let pairs = digits.as_bytes().chunks(2).map(|pair| match std::str::from_utf8(pair) {
            Ok(pair) if pair.len() == 2 && !pair.starts_with('+') => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        });
        let bytes = pairs.collect::<Option<_>>();
        bytes.map(Self).ok_or_else(|| de::Error::custom("association data that is not hexadecimal"))
    }
}

/// Why a record is of no use to any sender (RFC 7671 §4, RFC 7672 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnusableTlsa {
    /// The usage is not DANE-TA(2) or DANE-EE(3): 0 and 1 are not used with
    /// SMTP (RFC 7672 §3.1.3), others are not known.
    #[error("the usage is not 2 or 3")]
    Usage,
    /// The selector is not 0 or 1.
    #[error("the selector is not 0 or 1")]
    Selector,
    /// The matching type is not 0, 1 or 2.
    #[error("the matching type is not 0, 1 or 2")]
    MatchingType,
    /// The digest has another length than its algorithm gives.
    #[error("the digest is not as long as its algorithm makes it")]
    DigestLength,
    /// What should be a certificate or a public key is none.
    #[error("the data is no certificate or public key")]
    Data,
}

/// Most TLSA records that are kept of one host. What is beyond is counted, and
/// leaves open what they come to.
pub const TLSA_RECORDS_MAX: usize = 32;

/// What the DNS says of TLSA records for a mail host, at port 25 whatever port
/// is asked (RFC 7672 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsaFacts {
    /// What came of it.
    pub outcome: TlsaOutcome,
    /// The TLSA base domain: the name below which the records stand, and which
    /// the sender gives as SNI (RFC 7672 §2.2.3, §8.1). `None` where there are
    /// none.
    pub base: Option<MxHost>,
    /// The records, at most [`TLSA_RECORDS_MAX`], in the order of their bytes.
    pub records: Vec<TlsaRecord>,
    /// Records beyond, not kept: none has a stronger digest than one that is.
    pub records_excess: usize,
    /// Records of fewer than the three octets of their numbers, not kept: they are of
    /// no use (RFC 6698 §4.1).
    #[serde(default, skip_serializing_if = "is_none")]
    pub records_short: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl TlsaFacts {
    /// How many records there are.
    pub fn count(&self) -> usize {
        self.records.len().saturating_add(self.records_excess).saturating_add(self.records_short)
    }

    /// Without a record, for this reason.
    pub fn without(outcome: TlsaOutcome) -> Self {
        Self { outcome, base: None, records: Vec::new(), records_excess: 0, records_short: 0 }
    }
}

/// What came of the question for TLSA records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TlsaOutcome {
    /// There are records, and a resolver that validates vouches for them.
    Secure,
    /// There are records, and nobody vouches for them: no sender uses them.
    Insecure,
    /// There are none.
    Absent,
    /// Nobody vouches for the addresses of the host, so that no sender asks (RFC
    /// 7672 §2.2.2).
    InsecureAddresses,
    /// What stands there contradicts its signatures: resolvers that validate
    /// give no answer, and the same ones answer if they are not to check.
    Bogus,
    /// There is no answer; why.
    Failed(Failure),
    /// No resolver that validates was asked, so that nothing follows.
    NotValidated,
}

/// Whether a resolver that validates vouches for an answer (RFC 4035 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authenticity {
    /// It does (AD).
    Secure,
    /// It does not: the zone is not signed, or nothing leads to its key.
    Insecure,
    /// As [`TlsaOutcome::Bogus`].
    Bogus,
    /// As [`TlsaOutcome::NotValidated`].
    NotValidated,
}

impl Authenticity {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Authenticity::Secure => "secure",
            Authenticity::Insecure => "insecure",
            Authenticity::Bogus => "bogus",
            Authenticity::NotValidated => "not_validated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_down_and_read_back() {
        let data = AssociationData(vec![0x00, 0x9f, 0xff]);
        let record = TlsaRecord { usage: 3, selector: 1, matching_type: 1, data };
        assert_eq!(record.to_string(), "3 1 1 009fff");
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<TlsaRecord>(&json).unwrap(), record);
        for odd in ["\"0\"", "\"0g\"", "\"+1\"", "\"é\""] {
            assert!(serde_json::from_str::<AssociationData>(odd).is_err(), "{odd}");
        }
    }
}
