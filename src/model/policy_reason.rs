//! Why DANE or MTA-STS keeps mail from a host, or leaves open whether they do.

use super::failure::Phase;
use std::fmt;

macro_rules! policy_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal at $phase:ident,)*) => {
        /// What a policy of the domain, or of the sender over it, comes to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum PolicyReason { $($(#[$doc])* $variant,)* }

        impl PolicyReason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable snake_case name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The phase that decided it.
            pub fn phase(self) -> Phase {
                match self { $(Self::$variant => Phase::$phase,)* }
            }
        }
    };
}

policy_reasons! {
    /// The MX records contradict their signatures.
    MxBogus = "mx_bogus" at Dns,
    /// The addresses of the host contradict their signatures.
    AddressBogus = "address_bogus" at Dns,
    /// What the DNS has of TLSA records contradicts its signatures.
    TlsaBogus = "tlsa_bogus" at Dns,
    /// The DNS gave no answer about TLSA records.
    TlsaLookupFailed = "tlsa_lookup_failed" at Dns,
    /// TLSA records were not asked for beyond so many hosts of a domain.
    TlsaHostsExcess = "tlsa_hosts_excess" at Dns,
    /// The sender demands DANE, and there is no usable TLSA record, or nobody
    /// vouches for it.
    DaneRequired = "dane_required" at Dns,
    /// The sender demands DANE, and nobody asked for TLSA records.
    DaneNotAsked = "dane_not_asked" at Dns,
    /// TLSA records demand TLS, and there is none for the sender.
    DaneNoTls = "dane_no_tls" at Starttls,
    /// No TLSA record is of use, the host offers no STARTTLS, and the sender gives
    /// the message up.
    DaneUnusableNoTls = "dane_unusable_no_tls" at Starttls,
    /// No TLSA record is about a certificate that the host shows.
    DaneMismatch = "dane_mismatch" at Tls,
    /// A TLSA record is about an issuer, and the leaf does not lead to it.
    DaneChain = "dane_chain" at Tls,
    /// The leaf leads to the issuer of a TLSA record, and bears none of the names
    /// that count.
    DaneNameMismatch = "dane_name_mismatch" at Tls,
    /// A TLSA record fits, and the leaf has expired.
    DaneCertificateExpired = "dane_certificate_expired" at Tls,
    /// A TLSA record fits, and the leaf is not valid yet, or has no dates.
    DaneNotYetValid = "dane_not_yet_valid" at Tls,
    /// No TLSA record fits of those that were kept, and there are more.
    TlsaExcess = "tlsa_excess" at Tls,
    /// A TLSA record may fit: mxray cannot verify what the chain is signed with.
    DaneUnverifiable = "dane_unverifiable" at Tls,
    /// There are TLSA records, and the certificate that the sender is shown was
    /// not seen, or not kept.
    DaneCertificateNotSeen = "dane_certificate_not_seen" at Tls,
    /// The policy of MTA-STS names other MX hosts.
    StsMxNotListed = "sts_mx_not_listed" at Dns,
    /// The policy of MTA-STS demands TLS, and there is none for the sender.
    StsNoTls = "sts_no_tls" at Starttls,
    /// The policy of MTA-STS demands a certificate that holds and bears the name
    /// of the host, and this one does not.
    StsCertificate = "sts_certificate" at Tls,
    /// There is a policy of MTA-STS, and whether the certificate that the sender
    /// is shown holds is not known.
    StsCertificateNotSeen = "sts_certificate_not_seen" at Tls,
    /// Whether there is a policy of MTA-STS was not learnt for a reason of this
    /// machine's.
    StsPolicyUnknown = "sts_policy_unknown" at Dns,
    /// No resolver that validates was asked, and all hangs on DNSSEC.
    NoValidatingResolver = "no_validating_resolver" at Dns,
}

impl fmt::Display for PolicyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
