//! Forced TLS: which of the three strengths of a connector a partner passes.

use super::delivery::{Delivery, Logged, Reason};
use super::failure::Phase;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// How much TLS a connector demands (`TlsSettings` of New-OutboundConnector).
/// The order is that of strength.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsSettings {
    /// Nothing: TLS where there is any.
    #[default]
    None,
    /// TLS, whatever the certificate.
    EncryptionOnly,
    /// And a certificate that a trusted root vouches for.
    CertificateValidation,
    /// And a name on it that was agreed.
    DomainValidation,
}

impl TlsSettings {
    /// The three that demand TLS, weakest first.
    pub const FORCED: [TlsSettings; 3] =
        [TlsSettings::EncryptionOnly, TlsSettings::CertificateValidation, TlsSettings::DomainValidation];

    /// As the cmdlet writes it.
    pub fn name(self) -> &'static str {
        match self {
            TlsSettings::None => "None",
            TlsSettings::EncryptionOnly => "EncryptionOnly",
            TlsSettings::CertificateValidation => "CertificateValidation",
            TlsSettings::DomainValidation => "DomainValidation",
        }
    }
}

impl fmt::Display for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! causes {
    (
        $(#[$outer:meta])* $causes:ident {
            $(#[$first_doc:meta])* $first:ident(Reason),
            $($(#[$doc:meta])* $variant:ident = $name:literal from $least:ident,)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $causes {
            $(#[$first_doc])* $first(Reason),
            $($(#[$doc])* $variant,)*
        }

        impl $causes {
            /// The names of those that are no [`Reason`], each with the weakest
            /// strength whose check can come to it; [`TlsSettings::None`] for
            /// what only a connector comes to, whatever it demands.
            pub const NAMES: &[(&str, TlsSettings)] = &[$(($name, TlsSettings::$least),)*];
        }

        impl fmt::Display for $causes {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $causes::$first(reason) => reason.fmt(f),
                    $($causes::$variant => f.write_str($name),)*
                }
            }
        }
    };
}

causes! {
    /// Why mail under forced TLS is not delivered.
    CheckFailure {
        /// There is no TLS for this sender; the reason is that of the opportunistic
        /// outcome: `starttls_not_offered`, `no_published_suite`, `dns_null_mx`.
        NoTls(Reason),
        /// The server agrees to suites without a certificate only.
        NoCertificate = "no_certificate" from CertificateValidation,
        /// The leaf is signed by its own key.
        SelfSigned = "self_signed" from CertificateValidation,
        /// The chain ends in a root that is not trusted.
        UntrustedRoot = "untrusted_root" from CertificateValidation,
        /// The issuer of the chain's last certificate was not sent along.
        IncompleteChain = "incomplete_chain" from CertificateValidation,
        /// The chain ends in a trusted root whose own certificate has expired.
        ExpiredRoot = "expired_root" from CertificateValidation,
        /// The chain breaks a rule: signature, constraint, usage, encoding.
        InvalidChain = "invalid_chain" from CertificateValidation,
        /// The leaf is signed with SHA-1, which Exchange Online refuses since 2016.
        Sha1Certificate = "sha1_certificate" from CertificateValidation,
        /// notAfter of the leaf is past.
        Expired = "expired" from CertificateValidation,
        /// notBefore of the leaf is to come.
        NotYetValid = "not_yet_valid" from CertificateValidation,
        /// The validity of the leaf cannot be read.
        DatesUnreadable = "dates_unreadable" from CertificateValidation,
        /// No name on the leaf is the one that is expected.
        NameMismatch = "name_mismatch" from DomainValidation,
    }
}

causes! {
    /// Why it is not known whether mail under forced TLS is delivered.
    CheckCause {
        /// The endpoint gave no answer; the reason is that of the opportunistic
        /// outcome: `greeting_throttled`, `dns_timeout`.
        NoAnswer(Reason),
        /// Nothing was asked: an endpoint list, or the smart hosts of another file.
        NotProbed = "not_probed" from None,
        /// TLS was spoken, but no certificate was seen.
        CertificateNotSeen = "certificate_not_seen" from CertificateValidation,
        /// The server's handshake signature cannot be checked by mxray; clients
        /// that can may end the handshake over it.
        SignatureUnverifiable = "signature_unverifiable" from EncryptionOnly,
        /// The server agreed, and showed nothing by which it is known that it
        /// holds the key of its certificate; one that does not gets no session.
        KeyNotProven = "key_not_proven" from EncryptionOnly,
        /// What it rests on was not written down by the mxray of that run.
        NotRecorded = "not_recorded" from EncryptionOnly,
        /// A signature in the chain is of an algorithm or size that this program
        /// cannot verify.
        ChainUnverifiable = "chain_unverifiable" from CertificateValidation,
        /// The expected name is borne by a wildcard over a public suffix only
        /// (`*.com`, `*.co.uk`), or expected by one. What senders make of that is
        /// not published (RFC 9525 §7.1).
        PublicSuffixWildcard = "public_suffix_wildcard" from DomainValidation,
        /// The target is an endpoint, so there is no domain whose name to expect.
        NoDomain = "no_domain" from DomainValidation,
    }
}

impl CheckCause {
    /// Why the server gave no answer, or none to this; `None` for the other causes.
    pub fn no_answer(self) -> Option<Reason> {
        match self {
            Self::NoAnswer(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Whether mail under one strength of forced TLS is delivered. As text `pass`,
/// `fail:untrusted_root`, `undetermined:greeting_throttled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// Mail is delivered.
    Pass,
    /// Mail is not delivered, for this reason.
    Fail(CheckFailure),
    /// Not known, for this reason.
    Undetermined(CheckCause),
}

impl Check {
    /// `pass`, `fail` or `undetermined`.
    pub fn name(self) -> &'static str {
        match self {
            Check::Pass => "pass",
            Check::Fail(_) => "fail",
            Check::Undetermined(_) => "undetermined",
        }
    }

    /// The text behind the colon; `None` for a pass.
    pub fn reason(self) -> Option<String> {
        match self {
            Check::Pass => None,
            Check::Fail(failure) => Some(failure.to_string()),
            Check::Undetermined(cause) => Some(cause.to_string()),
        }
    }

    /// The phase that mail came to before it was decided: how much the check
    /// tells. Certificates are looked at once TLS is there.
    pub fn phase(self) -> Phase {
        match self {
            Check::Fail(CheckFailure::NoTls(reason)) | Check::Undetermined(CheckCause::NoAnswer(reason)) => {
                reason.phase()
            }
            Check::Undetermined(CheckCause::NotProbed) => Phase::Input,
            Check::Pass | Check::Fail(_) | Check::Undetermined(_) => Phase::AfterTls,
        }
    }

    /// This check, and if it passes the next.
    pub fn and(self, next: impl FnOnce() -> Check) -> Check {
        if self == Check::Pass { next() } else { self }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Check::Pass => Ok(()),
            Check::Fail(failure) => write!(f, ":{failure}"),
            Check::Undetermined(cause) => write!(f, ":{cause}"),
        }
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One check for each strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ForcedTls {
    /// TLS, whatever the certificate.
    pub encryption_only: Check,
    /// And a certificate that a trusted root vouches for.
    pub certificate_validation: Check,
    /// And the name of the recipient domain on it.
    pub domain_validation: Check,
}

impl ForcedTls {
    /// The same answer for all three.
    pub fn all(check: Check) -> Self {
        Self { encryption_only: check, certificate_validation: check, domain_validation: check }
    }

    /// The check of one strength; nothing demanded is always passed.
    pub fn check(&self, settings: TlsSettings) -> Check {
        match settings {
            TlsSettings::None => Check::Pass,
            TlsSettings::EncryptionOnly => self.encryption_only,
            TlsSettings::CertificateValidation => self.certificate_validation,
            TlsSettings::DomainValidation => self.domain_validation,
        }
    }
}

/// What becomes of mail that a connector takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectorVerdict {
    /// Name of the connector.
    pub name: Arc<str>,
    /// Whether its mail gets through.
    pub delivery: ConnectorDelivery,
    /// Why not delivered, as behind the colon of a [`Check`].
    pub reason: Option<String>,
    /// What the sender logs; `None` where mail is delivered, or it is not
    /// published.
    pub logged: Option<Logged>,
}

/// Whether mail gets through a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectorDelivery {
    /// It does; whether encrypted follows from the connector.
    Delivered,
    /// It is kept and tried again until its time is over, and then comes back.
    Deferred,
    /// The domain takes no mail.
    Undeliverable,
    /// Not known.
    Undetermined,
}

impl ConnectorDelivery {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            ConnectorDelivery::Delivered => "delivered",
            ConnectorDelivery::Deferred => "deferred",
            ConnectorDelivery::Undeliverable => "undeliverable",
            ConnectorDelivery::Undetermined => "undetermined",
        }
    }
}

impl From<Delivery> for ConnectorDelivery {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Encrypted | Delivery::Plaintext => ConnectorDelivery::Delivered,
            Delivery::Deferred => ConnectorDelivery::Deferred,
            Delivery::Undeliverable => ConnectorDelivery::Undeliverable,
            Delivery::Undetermined => ConnectorDelivery::Undetermined,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_have_stable_texts() {
        for (check, expected) in [
            (Check::Pass, "pass"),
            (Check::Fail(CheckFailure::UntrustedRoot), "fail:untrusted_root"),
            (Check::Undetermined(CheckCause::NotProbed), "undetermined:not_probed"),
        ] {
            assert_eq!(check.to_string(), expected);
        }
    }
}
