//! What DANE and MTA-STS come to for a domain: the answers that stand in
//! columns beside what becomes of its mail.

use super::delivery::Reason;
use super::forced::CheckCause;
use super::mta_sts::StsMode;
use super::policy_reason::PolicyReason;
use std::fmt;

/// By what a sender knows that it talks to the host that it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authenticated {
    /// By nothing.
    None,
    /// By a policy of MTA-STS, and a certificate that holds.
    Sts,
    /// By TLSA records.
    Dane,
    /// Not known, as nobody asked for what a sender goes by.
    NotAsked,
    /// Not known, for this cause.
    Undetermined(CheckCause),
}

impl Authenticated {
    /// Not known, for the reason of a policy.
    pub fn open(reason: PolicyReason) -> Self {
        Self::Undetermined(CheckCause::NoAnswer(Reason::Policy(reason)))
    }

    /// Of two the one that says less for the sender.
    pub fn weakest(self, other: Self) -> Self {
        let rank = |one: Self| match one {
            Self::None => 0,
            Self::NotAsked | Self::Undetermined(_) => 1,
            Self::Sts => 2,
            Self::Dane => 3,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

impl fmt::Display for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Sts => f.write_str("sts"),
            Self::Dane => f.write_str("dane"),
            Self::NotAsked => f.write_str(NOT_ASKED),
            Self::Undetermined(cause) => write!(f, "undetermined:{cause}"),
        }
    }
}

/// Not known, as nobody asked.
const NOT_ASKED: &str = "undetermined:not_asked";

macro_rules! stands {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// Not known, for this reason.
            Undetermined(Reason),
        }

        impl $name {
            /// The names of all but the last.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)*
                    Self::Undetermined(reason) => write!(f, "undetermined:{reason}"),
                }
            }
        }
    };
}

stands! {
    /// How a host stands to DANE, whoever sends.
    DaneStand {
        /// A record fits.
        Matched = "matched",
        /// None is about a certificate of the host.
        Mismatch = "mismatch",
        /// None is, and one is about a certificate that was seen elsewhere in the
        /// run or in an earlier one, as after a change that left the records
        /// behind.
        Rollover = "rollover",
        /// One is about an issuer, to which the leaf does not lead.
        Chain = "chain",
        /// It leads there, and bears none of the names that count.
        NameMismatch = "name_mismatch",
        /// A record fits, and the leaf has expired, which counts.
        CertificateExpired = "certificate_expired",
        /// A record fits, and the leaf is not valid yet.
        NotYetValid = "not_yet_valid",
        /// There are usable records, and no TLS.
        NoTls = "no_tls",
        /// There are records, and none is of use.
        Unusable = "unusable",
        /// There is none.
        Absent = "none",
        /// There are records, and nobody vouches for them.
        Insecure = "insecure",
        /// There are records that count nowhere but with senders that use them
        /// under MX records for which nobody vouches.
        InsecureMx = "insecure_mx",
        /// Nobody vouches for the addresses, so that nobody asks.
        InsecureAddresses = "insecure_addresses",
        /// What the DNS says contradicts its signatures.
        Bogus = "bogus",
    }
}

stands! {
    /// How a domain stands to MTA-STS, whoever sends: the first thing that is
    /// wrong.
    StsStand {
        /// There is a policy, and every host is as it demands.
        Valid = "valid",
        /// No record announces one.
        Absent = "none",
        /// Several records do.
        RecordSeveral = "record_several",
        /// The version of the record is another.
        RecordVersion = "record_version",
        /// A part of it is no field.
        RecordSyntax = "record_syntax",
        /// Its id is none, or not there.
        RecordId = "record_id",
        /// The policy host has no address.
        HostUnresolved = "host_unresolved",
        /// TCP does not open there.
        HostUnreachable = "host_unreachable",
        /// The TLS handshake fails there.
        HostTls = "host_tls",
        /// Its certificate does not hold, or bears another name.
        HostCertificate = "host_certificate",
        /// What comes is no HTTP.
        Http = "http",
        /// The host sends elsewhere.
        HttpRedirect = "http_redirect",
        /// It answers with another status than 200.
        HttpStatus = "http_status",
        /// It takes longer than senders wait.
        HostTimeout = "host_timeout",
        /// The policy is longer than senders read.
        PolicyTooLong = "policy_too_long",
        /// It is no text, or a line of it is no field.
        PolicySyntax = "policy_syntax",
        /// Its version is another, or not there.
        PolicyVersion = "policy_version",
        /// Its mode is none, or not there.
        PolicyMode = "policy_mode",
        /// Its max_age is no number of seconds, or not there.
        PolicyMaxAge = "policy_max_age",
        /// It names no MX host, or what is none.
        PolicyMx = "policy_mx",
        /// No MX host of the domain is among those that it names.
        MxNotListed = "mx_not_listed",
        /// Some are not.
        MxPartlyListed = "mx_partly_listed",
        /// A host that is listed has no TLS for this sender.
        MxNoTls = "mx_no_tls",
        /// A host that is listed has a certificate that does not hold or bears
        /// another name.
        MxCertificate = "mx_certificate",
    }
}

macro_rules! results {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a report on TLS calls a policy that fails (RFC 8460 §4.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum TlsRptResult { $($(#[$doc])* $variant,)* }

        impl TlsRptResult {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

results! {
    /// No STARTTLS.
    StarttlsNotSupported = "starttls-not-supported",
    /// The certificate bears another name.
    CertificateHostMismatch = "certificate-host-mismatch",
    /// It has expired.
    CertificateExpired = "certificate-expired",
    /// It leads to nobody who is trusted.
    CertificateNotTrusted = "certificate-not-trusted",
    /// Something else failed.
    ValidationFailure = "validation-failure",
    /// No TLSA record fits, or is of use.
    TlsaInvalid = "tlsa-invalid",
    /// What the DNS says contradicts its signatures.
    DnssecInvalid = "dnssec-invalid",
    /// The sender demands DANE, and there is none.
    DaneRequired = "dane-required",
    /// The policy is not to be had.
    StsPolicyFetchError = "sts-policy-fetch-error",
    /// It is none.
    StsPolicyInvalid = "sts-policy-invalid",
    /// The certificate of the policy host does not hold.
    StsWebpkiInvalid = "sts-webpki-invalid",
}

/// What is told of DANE and MTA-STS beside what becomes of the mail of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyVerdict {
    /// Of mail that goes through TLS; `None` of any other.
    pub authenticated: Option<Authenticated>,
    /// Of the host that decides; `None` where nobody asked.
    pub dane: Option<DaneStand>,
    /// Which record fits which certificate, or why none does.
    pub dane_detail: Option<String>,
    /// TLSA records of that host; `None` where nobody asked.
    pub tlsa_records: Option<usize>,
    /// `None` where nobody asked.
    pub mta_sts: Option<StsStand>,
    /// The mode of the policy, where one holds.
    pub mta_sts_mode: Option<StsMode>,
    /// What is wrong, in words.
    pub mta_sts_detail: Option<String>,
    /// What a report would call it; `None` where no policy fails.
    pub tls_rpt_result: Option<TlsRptResult>,
}
