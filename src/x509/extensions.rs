//! The extensions that matter here: names, usages, CA flag, key identifiers and
//! where to ask about the certificate (RFC 5280 §4.2).

use super::defects::Defects;
use super::fields::{Cursor, Element};
use super::oid::dotted;
use crate::model::text::escape;
use std::net::IpAddr;
use x509_parser::asn1_rs::{Oid, Tag};
use x509_parser::oid_registry::{OID_PKIX_AUTHORITY_INFO_ACCESS, OID_X509_EXT_CRL_DISTRIBUTION_POINTS};
use x509_parser::prelude::{
    AccessDescription, DistributionPointName, FromDer, GeneralName, ParsedExtension, X509Extension,
};

/// Most URLs kept of each kind.
pub const URLS_MAX: usize = 16;
/// Longest URL kept, in bytes.
pub const URL_BYTES_MAX: usize = 2048;
/// Most extended key usages kept.
pub const EXTENDED_KEY_USAGES_MAX: usize = 16;
/// Longest OID of an extended key usage kept, in bytes of DER content.
pub const USAGE_OID_BYTES_MAX: usize = 64;

/// What [`CertificateFacts`](crate::model::CertificateFacts) has not of the addresses that tell about the
/// revocation of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressesLeftOut {
    /// Addresses that are no text, over [`URL_BYTES_MAX`], or beyond
    /// [`URLS_MAX`] of their kind.
    pub over: usize,
    /// Why it cannot be said what addresses it names, if so.
    pub unread: Option<String>,
}

const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// OIDs of extended key usages and their names (RFC 5280 §4.2.1.12).
const USAGE_NAMES: [(&str, &str); 3] = [
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
];

const ALTERNATIVE_NAMES: &str = "2.5.29.17";

/// Identifier octets of the forms of a GeneralName: otherName, x400Address,
/// directoryName and ediPartyName are constructed, the others primitive.
const NAME_FORMS: [u8; 9] = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88];

/// Tag of a dNSName in a GeneralName (RFC 5280 §4.2.1.6).
const DNS_NAME: Tag = Tag(2);
/// Tag of a uniformResourceIdentifier.
const URI: Tag = Tag(6);

/// The extensions of a certificate, each read once for all who look at it.
#[derive(Default)]
pub(super) struct ExtensionList<'a> {
    pub all: Vec<ListedExtension<'a>>,
    /// Whether something follows that is none.
    breaks_off: bool,
}

pub(super) struct ListedExtension<'a> {
    pub raw: &'a [u8],
    /// What it says; `None` where it cannot be read.
    pub read: Option<X509Extension<'a>>,
}

impl<'a> ExtensionList<'a> {
    /// Reads the content of the extensions field; `None` where that is no list.
    pub(super) fn read(content: &'a [u8]) -> Option<Self> {
        let list = Cursor(content).universal(Tag::Sequence)?;
        let mut cursor = Cursor(list.content);
        let listed = |element: Element<'a>| ListedExtension {
            raw: element.raw,
            read: X509Extension::from_der(element.raw).ok().map(|(_, extension)| extension),
        };
        let all = cursor.by_ref().map(listed).collect();
        Some(Self { all, breaks_off: !cursor.0.is_empty() })
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub dns_names: Vec<String>,
    pub ip_addresses: Vec<IpAddr>,
    pub extended_key_usages: Vec<String>,
    pub is_ca: bool,
    pub subject_key: Option<Vec<u8>>,
    pub authority_key: Option<Vec<u8>>,
    pub ocsp_urls: Vec<String>,
    pub issuer_urls: Vec<String>,
    pub crl_urls: Vec<String>,
    /// Of the addresses of lists and responders.
    pub left_out: AddressesLeftOut,
}

impl Extensions {
    /// Takes each extension for itself; `None` is a field that holds no list.
    pub(super) fn read(list: Option<&ExtensionList<'_>>, defects: &mut Defects) -> Self {
        let mut read = Self::default();
        let Some(list) = list else {
            defects.note("extensions unreadable");
            read.lose_addresses("the extensions of the certificate cannot be read");
            return read;
        };
        for extension in &list.all {
            match &extension.read {
                Some(extension) => read.add(extension, defects),
                None => {
                    defects.note("an extension unreadable");
                    read.lose_addresses("an extension of the certificate cannot be read");
                }
            }
        }
        if list.breaks_off {
            defects.note("extensions break off");
            read.lose_addresses("the extensions of the certificate break off");
        }
        read
    }

    fn add(&mut self, extension: &X509Extension<'_>, defects: &mut Defects) {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(_) => self.add_names(extension.value, defects),
            ParsedExtension::ParseError { .. } if dotted(&extension.oid) == ALTERNATIVE_NAMES => {
                self.add_names(extension.value, defects);
            }
            ParsedExtension::ExtendedKeyUsage(_) => self.add_usages(extension.value, defects),
            ParsedExtension::BasicConstraints(constraints) => self.is_ca = constraints.ca,
            ParsedExtension::SubjectKeyIdentifier(key) => self.subject_key = Some(key.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(authority) => {
                self.authority_key = authority.key_identifier.as_ref().map(|key| key.0.to_vec());
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                access.iter().for_each(|description| self.add_access(description, defects));
            }
            ParsedExtension::CRLDistributionPoints(list) => {
                for point in list.iter() {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                        for name in names {
                            self.left_out.over += usize::from(!add_url(&mut self.crl_urls, name, defects));
                        }
                    }
                }
            }
            ParsedExtension::ParseError { .. } => {
                defects.note(format_args!("extension {} unreadable", dotted(&extension.oid)));
                let naming = [OID_X509_EXT_CRL_DISTRIBUTION_POINTS, OID_PKIX_AUTHORITY_INFO_ACCESS];
                if naming.contains(&extension.oid) {
                    self.lose_addresses("the extension that names addresses cannot be read");
                }
            }
            _ => {}
        }
    }

    /// Adds the names one by one: one that cannot be read costs no other.
    fn add_names(&mut self, value: &[u8], defects: &mut Defects) {
        let Some(list) = Cursor(value).universal(Tag::Sequence) else {
            defects.note("alternative names unreadable");
            return;
        };
        let mut cursor = Cursor(list.content);
        for element in cursor.by_ref() {
            if element.raw.first().is_none_or(|form| !NAME_FORMS.contains(form)) {
                defects.note("an alternative name of no known form");
            }
            match GeneralName::from_der(element.raw) {
                Ok((_, name)) => self.add_name(&name, defects),
                Err(_) => defects.note("an alternative name unreadable"),
            }
        }
        if !cursor.0.is_empty() {
            defects.note("alternative names break off");
        }
    }

    fn add_name(&mut self, name: &GeneralName<'_>, defects: &mut Defects) {
        match name {
            GeneralName::DNSName(name) => self.add_dns_name(name.as_bytes()),
            GeneralName::Invalid(DNS_NAME, bytes) => {
                defects.note("a dNSName that is no text");
                self.add_dns_name(bytes);
            }
            GeneralName::IPAddress(bytes) => match address(bytes) {
                Some(address) => self.ip_addresses.push(address),
                None => defects.note(format_args!("an iPAddress of {} bytes", bytes.len())),
            },
            _ => {}
        }
    }

    fn add_dns_name(&mut self, name: &[u8]) {
        let mut name = escape(name);
        name.make_ascii_lowercase();
        self.dns_names.push(name);
    }

    /// Adds the usages in the order of the certificate, which the parser does not keep.
    fn add_usages(&mut self, value: &[u8], defects: &mut Defects) {
        let list = Cursor(value).universal(Tag::Sequence).map_or(&[][..], |list| list.content);
        if list.is_empty() {
            defects.note("an extended key usage that names none");
        }
        for element in Cursor(list) {
            let over = element.content.len() > USAGE_OID_BYTES_MAX;
            if over || self.extended_key_usages.len() == EXTENDED_KEY_USAGES_MAX {
                defects.note("too many or too long extended key usages");
                return;
            }
            self.extended_key_usages.push(usage_name(&Oid::new(element.content.into())));
        }
    }

    fn add_access(&mut self, description: &AccessDescription<'_>, defects: &mut Defects) {
        let url = &description.access_location;
        match dotted(&description.access_method).as_str() {
            OCSP => self.left_out.over += usize::from(!add_url(&mut self.ocsp_urls, url, defects)),
            CA_ISSUERS => {
                add_url(&mut self.issuer_urls, url, defects);
            }
            _ => {}
        }
    }

    fn lose_addresses(&mut self, why: &str) {
        self.left_out.unread.get_or_insert_with(|| why.to_string());
    }
}

/// Keeps a URL; false for one that cannot be kept. What is no URL is none that
/// is lost.
fn add_url(urls: &mut Vec<String>, name: &GeneralName<'_>, defects: &mut Defects) -> bool {
    let url = match name {
        GeneralName::URI(url) => url,
        GeneralName::Invalid(URI, _) => {
            defects.note("a URL that is no text");
            return false;
        }
        _ => return true,
    };
    if urls.len() == URLS_MAX || url.len() > URL_BYTES_MAX {
        defects.note("too many or too long URLs");
        return false;
    }
    urls.push(escape(url.as_bytes()));
    true
}

fn usage_name(oid: &Oid<'_>) -> String {
    let oid = dotted(oid);
    let known = USAGE_NAMES.iter().find(|(known, _)| *known == oid);
    known.map_or(oid, |(_, name)| (*name).to_string())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}
