//! The situations in which a sender logs a code of its own, and which failure
//! is which.

use crate::model::{Kind, Phase, PolicyReason, Reason};
use serde::Deserialize;

macro_rules! situations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a sender meets, as its log tells it apart
        /// (`datasets/exchange-online/smtp-codes.csv`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Situation { $($(#[$doc])* $variant,)* }

        impl Situation {
            /// Every situation.
            pub const ALL: &'static [Situation] = &[$(Situation::$variant,)*];

            /// Stable snake_case name.
            pub fn name(self) -> &'static str {
                match self { $(Situation::$variant => $name,)* }
            }
        }
    };
}

situations! {
    /// The DNS gives no answer.
    DnsQueryFailed = "dns_query_failed",
    /// TCP gets no answer.
    ConnectionTimedOut = "connection_timed_out",
    /// TCP is refused.
    ConnectionRefused = "connection_refused",
    /// The server answers with an error at once.
    SessionRefused = "session_refused",
    /// The server hangs up.
    ConnectionClosed = "connection_closed",
    /// TLS is required, and the server offers none.
    StarttlsRequired = "starttls_required",
    /// The handshake fails.
    TlsFailed = "tls_failed",
    /// The certificate is not valid.
    CertificateInvalid = "certificate_invalid",
    /// notAfter of the leaf is past.
    CertificateExpired = "certificate_expired",
    /// The certificate bears another name.
    SubjectMismatch = "subject_mismatch",
    /// TLSA records demand TLS, and there is none.
    DaneNoTls = "dane_no_tls",
    /// No TLSA record is of use, there is no TLS, and the message is given up.
    DaneUnusableNoTls = "dane_unusable_no_tls",
    /// The certificate has expired, and under DANE that counts.
    DaneCertificateExpired = "dane_certificate_expired",
    /// The certificate bears none of the names that DANE demands.
    DaneNameMismatch = "dane_name_mismatch",
    /// The certificate fits no TLSA record for another reason.
    DaneFailed = "dane_failed",
    /// DANE is mandatory, and there is no usable TLSA record.
    DaneRequired = "dane_required",
    /// The MX records, or the addresses of a host, contradict their signatures.
    DnssecInvalid = "dnssec_invalid",
    /// The TLSA records do, or are not to be had.
    TlsaLookupFailed = "tlsa_lookup_failed",
    /// No MX host is one of the policy's.
    StsMxNotListed = "sts_mx_not_listed",
    /// The certificate is not as MTA-STS demands it, or there is no TLS.
    StsCertificate = "sts_certificate",
    /// The time for trying is over.
    Expired = "expired",
}

impl Situation {
    fn of_policy(reason: PolicyReason) -> Option<Self> {
        use PolicyReason::{
            AddressBogus, DaneCertificateExpired, DaneChain, DaneMismatch, DaneNameMismatch, DaneNoTls,
            DaneNotYetValid, DaneRequired, DaneUnusableNoTls, MxBogus, StsCertificate, StsMxNotListed,
            StsNoTls, TlsaBogus, TlsaLookupFailed,
        };
        match reason {
            DaneNoTls => Some(Self::DaneNoTls),
            DaneUnusableNoTls => Some(Self::DaneUnusableNoTls),
            DaneCertificateExpired => Some(Self::DaneCertificateExpired),
            DaneNameMismatch => Some(Self::DaneNameMismatch),
            DaneMismatch | DaneNotYetValid | DaneChain => Some(Self::DaneFailed),
            DaneRequired => Some(Self::DaneRequired),
            MxBogus | AddressBogus => Some(Self::DnssecInvalid),
            TlsaBogus | TlsaLookupFailed => Some(Self::TlsaLookupFailed),
            StsMxNotListed => Some(Self::StsMxNotListed),
            StsCertificate | StsNoTls => Some(Self::StsCertificate),
            _ => None,
        }
    }

    /// The situation that an attempt puts a sender into that ended for this
    /// reason; `None` where no published code is known to belong to it.
    pub fn of(reason: Reason) -> Option<Self> {
        use Kind::{
            ClientCertificateRefused, ClientCertificateRequired, Closed, EhloRejected, LocalError, NotSmtp,
            Refused, Rejected, Reset, Servfail, Tempfail, Throttled, Timeout, UnexpectedCode, Unreachable,
        };
        if matches!(
            reason,
            Reason::NoSecondLook
                | Reason::SecondLookDiffers
                | Reason::NetworkSuspect
                | Reason::NotAsked
                | Reason::StarttlsKeywordForm
                | Reason::ReplyForm(_)
        ) {
            return None;
        }
        if let Reason::Policy(policy) = reason {
            return Self::of_policy(policy);
        }
        // What is no end of an attempt of ours is a handshake that the sender
        // ends.
        let Some(kind) = reason.kind() else { return Some(Self::TlsFailed) };
        match (reason.phase(), kind) {
            (_, LocalError) => None,
            (Phase::Dns, Servfail | Timeout) => Some(Self::DnsQueryFailed),
            (Phase::Connect, Timeout | Unreachable) => Some(Self::ConnectionTimedOut),
            (Phase::Connect, Refused) => Some(Self::ConnectionRefused),
            (Phase::Connect, Reset) => Some(Self::ConnectionClosed),
            (Phase::Greeting | Phase::Ehlo | Phase::Starttls | Phase::AfterTls, Closed) => {
                Some(Self::ConnectionClosed)
            }
            (
                Phase::Greeting | Phase::Ehlo | Phase::AfterTls,
                Throttled | Tempfail | Rejected | NotSmtp | UnexpectedCode,
            ) => Some(Self::SessionRefused),
            (Phase::Starttls, Throttled | Tempfail | Rejected)
            | (Phase::AfterTls, EhloRejected | ClientCertificateRequired | ClientCertificateRefused) => {
                Some(Self::SessionRefused)
            }
            (Phase::Tls, kind) if kind != Timeout => Some(Self::TlsFailed),
            _ => None,
        }
    }
}
