//! TLSA records as the DNS has them (RFC 6698 §2.1).

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
