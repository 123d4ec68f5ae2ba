//! Certificates that a partner said it would present: the table, and what a
//! certificate that was seen is by it.

use super::certificate::Sha256;
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// What a partner said of its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What the table is called.
    pub name: String,
    /// Whose certificates it is about.
    pub applies_to: AppliesTo,
    /// The certificates, each with its time.
    pub certificates: Vec<ExpectedCertificate>,
}

/// Whose certificates an expectation is about. Without any entry: everybody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppliesTo {
    /// MX hosts under these names, or of these names; lower case.
    pub mx: Vec<String>,
    /// Recipient domains: `example.com`, or `*.example.com` for those below
    /// it; lower case.
    pub domains: Vec<String>,
}

impl AppliesTo {
    /// Whether a certificate of this MX host, met on the way to this domain,
    /// is one of those. Both names are in lower case.
    pub fn covers(&self, domain: Option<&str>, host: Option<&str>) -> bool {
        let everybody = self.mx.is_empty() && self.domains.is_empty();
        everybody
            || host.is_some_and(|host| self.mx.iter().any(|name| host == name || is_below(host, name)))
            || domain.is_some_and(|domain| {
                self.domains.iter().any(|name| match name.strip_prefix("*.") {
                    Some(parent) => is_below(domain, parent),
                    None => domain == name,
                })
            })
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
}

/// One row of the table. What is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedCertificate {
    /// Whether the partner itself calls it deprecated.
    pub deprecated: bool,
    /// First day on which it is presented.
    pub valid_from: Option<Date>,
    /// First day on which it no longer is.
    pub valid_until: Option<Date>,
    /// Common name of the root that the chain ends in, or the name by which
    /// the CA is known.
    pub root: Option<String>,
    /// SHA-256 of that root.
    pub root_sha256: Option<Sha256>,
    /// Common name of the leaf's issuer.
    pub issuer: Option<String>,
    /// A name of the leaf: its common name or a dNSName.
    pub name: Option<String>,
    /// Organization of the leaf's subject.
    pub organization: Option<String>,
    /// Organizational unit of the leaf's subject.
    pub unit: Option<String>,
    /// Size of the leaf's key in bits.
    pub key_bits: Option<u32>,
}

/// What a certificate is by an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExpectationStatus {
    /// As the partner says it is today.
    Current,
    /// As the partner said it would be until some day.
    Deprecated,
    /// Like no row of the table.
    Unexpected,
    /// As it should be, as far as that can be told.
    Undetermined,
}

impl ExpectationStatus {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            ExpectationStatus::Current => "current",
            ExpectationStatus::Deprecated => "deprecated",
            ExpectationStatus::Unexpected => "unexpected",
            ExpectationStatus::Undetermined => "undetermined",
        }
    }
}

impl fmt::Display for ExpectationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for ExpectationStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A certificate held against one expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpectationMatch {
    /// The expectation; in text its name.
    #[serde(serialize_with = "name_alone")]
    pub expectation: Arc<Expectation>,
    /// What the certificate is.
    pub status: ExpectationStatus,
    /// Which row it is, or in what it differs from the row that is nearest.
    pub detail: String,
}

fn name_alone<S: Serializer>(expectation: &Arc<Expectation>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&expectation.name)
}

impl ExpectationMatch {
    /// The first of `judged` that is about this MX host on the way to this
    /// domain.
    pub fn for_host<'a>(judged: &'a [Self], domain: Option<&str>, host: Option<&str>) -> Option<&'a Self> {
        judged.iter().find(|expected| expected.expectation.applies_to.covers(domain, host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_is_about_whom_it_names() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_string()).collect();
        let about = |mx: &[&str], domains: &[&str]| AppliesTo { mx: names(mx), domains: names(domains) };
        let (domain, host) = (Some("a.example.com"), Some("a-com.mx.example"));
        for (mx, domains, expected) in [
            (&[][..], &[][..], true),
            (&["mx.example"], &[], true),
            (&["a-com.mx.example"], &[], true),
            (&["x.example"], &[], false),
            (&["com.mx.example"], &[], false),
            (&[], &["a.example.com"], true),
            (&[], &["*.example.com"], true),
            (&[], &["example.com"], false),
            (&[], &["*.a.example.com"], false),
            (&["other.example"], &["*.example.com"], true),
        ] {
            assert_eq!(about(mx, domains).covers(domain, host), expected, "{mx:?} {domains:?}");
        }
        assert!(!about(&["mx.example"], &["b.example"]).covers(None, None));
        assert!(!about(&[".mx.example"], &[]).covers(None, Some(".mx.example.x")));
    }
}
