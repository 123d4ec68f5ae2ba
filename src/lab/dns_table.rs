//! What the DNS holds of a domain besides its mail hosts: TLSA records, and the
//! texts that announce MTA-STS and ask for reports. Tables of a scenario.

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How a question is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// With the records, or that there are none.
    #[default]
    Records,
    /// No such name.
    Nxdomain,
    /// SERVFAIL, whoever asks.
    Servfail,
    /// SERVFAIL, and with the records where the question says not to check (CD).
    Bogus,
    /// NOTIMP.
    Notimp,
    /// Not at all.
    Timeout,
}

/// What the DNS says of a host without a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unresolved {
    /// No such name.
    #[default]
    Nxdomain,
    /// No address records.
    NoData,
    /// SERVFAIL.
    Servfail,
    /// No answer at all.
    Timeout,
}

/// The TLSA records of one name at port 25. In a scenario file either the list
/// of the records or a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlsa {
    /// The records.
    pub records: Vec<TlsaSpec>,
    /// So many further records `3 1 1` that fit nothing.
    pub more: usize,
    /// Whether they are signed; by default as the name itself.
    pub signed: Option<bool>,
    /// How the question is answered.
    pub answers: Answers,
    /// The name at which the records stand, where `_25._tcp.` is an alias
    /// (relative or absolute).
    pub cname: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsaTable {
    #[serde(default)]
    records: Vec<TlsaSpec>,
    #[serde(default)]
    more: usize,
    signed: Option<bool>,
    #[serde(default)]
    answers: Answers,
    cname: Option<String>,
}

/// Most further records of a name.
pub const MORE_RECORDS_MAX: usize = 200;

impl<'de> Deserialize<'de> for Tlsa {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TlsaVisitor;
        impl<'de> Visitor<'de> for TlsaVisitor {
            type Value = Tlsa;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("TLSA records or a table of records, more, signed, answers, cname")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Tlsa, A::Error> {
                let records = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(Tlsa { records, ..Tlsa::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Tlsa, A::Error> {
                let table = TlsaTable::deserialize(MapAccessDeserializer::new(map))?;
                let TlsaTable { records, more, signed, answers, cname } = table;
                Ok(Tlsa { records, more, signed, answers, cname })
            }
        }
        deserializer.deserialize_any(TlsaVisitor)
    }
}

impl Tlsa {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.more > MORE_RECORDS_MAX {
            return Err(format!("no name has more than {MORE_RECORDS_MAX} further TLSA records"));
        }
        Ok(())
    }
}

/// A TLSA record: its three numbers, and what it is made from. Written as
/// `"3 1 1"` or `"2 0 1 root"`; `"raw 0301"` is all of its data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum TlsaSpec {
    /// A record of numbers and association data.
    Made {
        /// Certificate usage.
        usage: u8,
        /// Selector.
        selector: u8,
        /// Matching type.
        matching_type: u8,
        /// What the data is made from.
        source: TlsaSource,
    },
    /// The data as it is, whatever it is.
    Raw(Vec<u8>),
}

/// What the association data of a TLSA record is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsaSource {
    /// The leaf that the server shows for the name.
    Leaf,
    /// The certificate that signed it.
    Issuer,
    /// The root above, whether it is sent or not.
    Root,
    /// Something that no server shows, and that is a certificate or a key where
    /// it is not a digest.
    Wrong,
    /// The leaf, and the last byte is missing.
    Short,
    /// Bytes that are no certificate, no key and no digest.
    Garbage,
}

impl TryFrom<String> for TlsaSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let odd = || format!("{text:?} is no TLSA record");
        let (usage, selector, matching_type, source) = match words[..] {
            ["raw"] => return Ok(TlsaSpec::Raw(Vec::new())),
            ["raw", digits] => return bytes(digits).map(TlsaSpec::Raw).ok_or_else(odd),
            [usage, selector, matching_type] => (usage, selector, matching_type, None),
            [usage, selector, matching_type, source] => (usage, selector, matching_type, Some(source)),
            _ => return Err(odd()),
        };
        let number = |text: &str| text.parse::<u8>().map_err(|_| odd());
        let (usage, selector, matching_type) = (number(usage)?, number(selector)?, number(matching_type)?);
        let source = match source {
            // Usages of trust anchors, and those of the leaf (RFC 6698 §2.1.1).
            None if matches!(usage, 0 | 2) => TlsaSource::Issuer,
            None => TlsaSource::Leaf,
            Some(source) => TlsaSource::named(source).ok_or_else(odd)?,
        };
        Ok(TlsaSpec::Made { usage, selector, matching_type, source })
    }
}

impl TlsaSource {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "leaf" => TlsaSource::Leaf,
            "issuer" => TlsaSource::Issuer,
            "root" => TlsaSource::Root,
            "wrong" => TlsaSource::Wrong,
            "short" => TlsaSource::Short,
            "garbage" => TlsaSource::Garbage,
            _ => return None,
        })
    }
}

/// What hexadecimal digits stand for.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// `[mta_sts]` and `[tls_rpt]`: what stands at `_mta-sts.` and at `_smtp._tls.`
/// before the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Txt {
    /// The TXT records.
    pub txt: Texts,
    /// How the question is answered.
    pub answers: Answers,
    /// The name at which they stand, where the other is an alias (relative or
    /// absolute).
    pub cname: Option<String>,
}

/// Texts of TXT records: in a scenario file one or a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMore")]
pub struct Texts(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Texts {
    fn from(texts: OneOrMore) -> Self {
        match texts {
            OneOrMore::One(text) => Self(vec![text]),
            OneOrMore::More(texts) => Self(texts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_are_written() {
        let record = |text: &str| TlsaSpec::try_from(text.to_string());
        let made = |usage, selector, matching_type, source| {
            Ok(TlsaSpec::Made { usage, selector, matching_type, source })
        };
        assert_eq!(record("3 1 1"), made(3, 1, 1, TlsaSource::Leaf));
        assert_eq!(record("2 0 2"), made(2, 0, 2, TlsaSource::Issuer));
        assert_eq!(record("2 0 1 root"), made(2, 0, 1, TlsaSource::Root));
        assert_eq!(record("255 9 8 wrong"), made(255, 9, 8, TlsaSource::Wrong));
        assert_eq!(record("raw"), Ok(TlsaSpec::Raw(Vec::new())));
        assert_eq!(record("raw 03ff"), Ok(TlsaSpec::Raw(vec![3, 255])));
        for odd in ["", "3 1", "3 1 1 cat", "256 1 1", "raw 0g", "3 1 1 leaf leaf"] {
            assert!(record(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn records_are_a_list_or_stand_in_a_table() {
        #[derive(Deserialize)]
        struct File {
            tlsa: Tlsa,
        }
        let read = |text: &str| toml::from_str::<File>(text).map(|file| file.tlsa);
        let list = read("tlsa = [\"3 1 1\"]").unwrap();
        assert_eq!(list, read("[tlsa]\nrecords = [\"3 1 1\"]").unwrap());
        assert_eq!(read("[tlsa]\nanswers = \"bogus\"").unwrap().answers, Answers::Bogus);
        assert!(read("[tlsa]\nanswer = \"bogus\"").is_err());
        assert!(read("tlsa = [\"3 1\"]").is_err());
    }
}
