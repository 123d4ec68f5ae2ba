//! The certificate axes: judged apart from each other and from the outcome.

use super::certificate::{CertificateFacts, Sha256};
use super::expectation::ExpectationMatch;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! axis {
    ($(#[$outer:meta])* $axis:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $axis { $($(#[$doc])* $variant,)* }

        impl $axis {
            /// Stable snake_case name.
            pub fn name(self) -> &'static str {
                match self { $($axis::$variant => $name,)* }
            }
        }

        impl fmt::Display for $axis {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

axis! {
    /// Does the presented chain lead to a trusted root? Judged at a moment
    /// inside the leaf's own validity, so that dates stay an axis of their own.
    ChainStatus {
        /// It leads to a trusted root and breaks no rule.
        Valid = "valid",
        /// The leaf is signed by its own key and is no root of the store.
        SelfSigned = "self_signed",
        /// It ends in a self-signed certificate that is not in the store.
        UntrustedRoot = "untrusted_root",
        /// The issuer of its last certificate was not sent and is not in the
        /// store.
        IncompleteChain = "incomplete_chain",
        /// It ends in a root of the store whose own certificate has expired.
        ExpiredRoot = "expired_root",
        /// It breaks a rule: signature, constraint, usage, encoding.
        Invalid = "invalid",
        /// It breaks no rule, but bears a signature of an algorithm or size
        /// that this program cannot verify: our limit, not the chain's.
        Unverifiable = "unverifiable",
    }
}

axis! {
    /// Is the leaf in its period of validity?
    DateStatus {
        /// Between notBefore and notAfter.
        Valid = "valid",
        /// notAfter is past.
        Expired = "expired",
        /// notBefore is to come.
        NotYetValid = "not_yet_valid",
        /// The dates could not be read.
        Unreadable = "unreadable",
    }
}

axis! {
    /// Which name does the leaf carry, by subject alternative name alone
    /// (RFC 9525 §6.3)?
    NameStatus {
        /// That of the MX host (or, for a bare endpoint, its name or address).
        MxHost = "mx_host",
        /// That of the recipient domain only.
        Domain = "domain",
        /// Neither.
        None = "none",
    }
}

axis! {
    /// Is the leaf's key of a size that RFC 9325 §4.5 still accepts?
    KeyStatus {
        /// RSA of 2048 bits or more, a curve of 224 or more, EdDSA.
        Strong = "strong",
        /// Less.
        Weak = "weak",
        /// Size or algorithm unknown, or the point of the key is not on its
        /// curve.
        Unknown = "unknown",
    }
}

/// The root that a valid chain ends in, and who trusts the chain.
///
/// A chain may lead to different roots in different stores, where a CA is
/// cross-signed. This is the one that the path through all stores together
/// ends in, while each store is asked for itself whether it trusts the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedRoot {
    /// Its subject; `None` where the store holds no whole certificate.
    pub subject: Option<String>,
    /// Its last common name.
    #[serde(skip)]
    pub common_name: Option<String>,
    /// SHA-256 of its certificate, where the store holds the whole of it.
    pub sha256: Option<Sha256>,
    /// The stores that trust the chain, in the order in which they were given.
    pub trusted_by: Vec<Arc<str>>,
}

/// A presented chain, judged against root stores at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// Facts of each presented certificate, leaf first.
    pub certificates: Vec<Arc<CertificateFacts>>,
    /// Trust.
    pub chain: ChainStatus,
    /// Why the chain is not valid, in words. Of a valid one, who found it so
    /// where rustls-webpki did not.
    pub chain_detail: Option<String>,
    /// Where a valid chain ends.
    pub root: Option<Arc<TrustedRoot>>,
    /// Validity period of the leaf.
    pub dates: DateStatus,
    /// Strength of the leaf's key.
    pub key: KeyStatus,
    /// What the leaf is by each expectation, in the order in which they were
    /// given, whomever they are about; see [`ExpectationMatch::for_host`].
    pub expectations: Arc<[ExpectationMatch]>,
}

#[cfg(test)]
impl Assessment {
    /// Of a chain of which nothing else is told.
    pub(crate) fn of_chain(chain: ChainStatus, dates: DateStatus, key: KeyStatus) -> Self {
        let (certificates, expectations) = (Vec::new(), Arc::default());
        Self { certificates, chain, chain_detail: None, root: None, dates, key, expectations }
    }
}
