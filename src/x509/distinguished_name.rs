//! Distinguished names as text (RFC 5280 §4.1.2.4).

use super::defects::Defects;
use super::oid::dotted;
use crate::model::text::{cut, escape};
use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{AttributeTypeAndValue, FromDer, X509Name};

/// Longest distinguished name kept as text, in bytes.
pub const NAME_TEXT_BYTES_MAX: usize = 1024;

/// A name in the order of the certificate: `C=US, O=Example\, Inc., CN=mx`.
/// A comma or plus sign inside a value has a backslash before it.
#[derive(Clone, Debug, Default)]
pub(super) struct DistinguishedName {
    /// Empty for an empty name.
    pub text: String,
    /// The last common name.
    pub common_name: Option<String>,
}

impl DistinguishedName {
    pub(super) fn read(raw: &[u8], what: &str, defects: &mut Defects) -> Option<Self> {
        let Ok((_, name)) = X509Name::from_der(raw) else {
            defects.note(format_args!("{what} unreadable"));
            return None;
        };
        let mut read = Self::default();
        for relative in name.iter_rdn() {
            for (position, attribute) in relative.iter().enumerate() {
                let separator = match (position, read.text.is_empty()) {
                    (0, true) => "",
                    (0, false) => ", ",
                    _ => " + ",
                };
                read.text.push_str(separator);
                read.push(attribute);
            }
        }
        if read.text.len() > NAME_TEXT_BYTES_MAX {
            defects.note(format_args!("{what} of {} bytes", read.text.len()));
            cut(&mut read.text, NAME_TEXT_BYTES_MAX);
        }
        if let Some(name) = &mut read.common_name {
            cut(name, NAME_TEXT_BYTES_MAX);
        }
        Some(read)
    }

    fn push(&mut self, attribute: &AttributeTypeAndValue<'_>) {
        let oid = dotted(attribute.attr_type());
        let value = value(attribute);
        self.text.push_str(short_name(&oid).unwrap_or(&oid));
        self.text.push('=');
        for character in value.chars() {
            if matches!(character, ',' | '+') {
                self.text.push('\\');
            }
            self.text.push(character);
        }
        if oid == COMMON_NAME {
            self.common_name = Some(value);
        }
    }
}

const COMMON_NAME: &str = "2.5.4.3";

/// Attribute types by the names in use (RFC 4519, RFC 4514 §3).
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        COMMON_NAME => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "GN",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

/// A value as text, whatever string type it claims to be.
fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let bytes = attribute.attr_value().data;
    if attribute.attr_value().tag() == Tag::BmpString {
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        return escape(String::from_utf16_lossy(&units).as_bytes());
    }
    escape(bytes)
}
