//! What a cipher suite is made of, and how good that is.
//!
//! The class is a rule over the parts and not a column of its own, so that it
//! can be read, and disputed, in one place: [`SuiteFacts::class`].

use super::code_point::ProtocolVersion;
use serde::{Deserialize, Serialize};

/// Shortest key, in bits, that is not a weakness of its own (RFC 9325 §4.1).
const KEY_BITS_MIN: u16 = 112;

/// How good a suite is. Orders from the worst to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SuiteClass {
    /// It can be read or changed by whoever takes part of the way: no
    /// encryption, no authentication, or an algorithm that is broken.
    Broken,
    /// It holds for now, with a known defect: no forward secrecy, blocks of 64
    /// bits, signatures of DSS.
    Weak,
    /// Nothing is wrong with it today, yet there is better.
    Acceptable,
    /// What RFC 9325 §4.2 and RFC 8446 §9.1 ask for, or its equal.
    Recommended,
}

impl SuiteClass {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            SuiteClass::Broken => "broken",
            SuiteClass::Weak => "weak",
            SuiteClass::Acceptable => "acceptable",
            SuiteClass::Recommended => "recommended",
        }
    }
}

/// The parts of a cipher suite, in the words of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuiteFacts {
    /// Code point.
    pub code: u16,
    /// IANA name.
    pub name: &'static str,
    /// Name that OpenSSL gives it; empty if it gives none.
    pub openssl_name: &'static str,
    /// `RSA`, `DH`, `DHE`, `ECDH`, `ECDHE`, `PSK`, `SRP`, `KRB5`, `ECCPWD`, or
    /// `TLS13` where the suite does not say.
    pub key_exchange: &'static str,
    /// Kind of key that authenticates the server: `RSA`, `ECDSA`, `DSS`, `PSK`
    /// and others, `NULL` for none, `TLS13` where the suite does not say.
    pub authentication: &'static str,
    /// Cipher, as `AES`, `CHACHA20_POLY1305`, `3DES`; `NULL` for none.
    pub cipher: &'static str,
    /// `CBC`, `GCM` or `CCM`; empty or `NULL` where the cipher has none.
    pub mode: &'static str,
    /// Length of the cipher's key, in bits.
    pub key_bits: u16,
    /// `AEAD`, or as `HMAC-SHA1`.
    pub mac: &'static str,
    /// Whether it was made weak for export.
    pub export: bool,
    /// Whether the key exchange is ephemeral; `None` where the code point is a
    /// signal and no suite.
    pub forward_secrecy: Option<bool>,
}

impl SuiteFacts {
    /// How good the suite is: the first of these that fits.
    ///
    /// 1. *Broken*: no encryption; no authentication of the server; export; a
    ///    key under 112 bits; RC4 (RFC 7465), RC2, DES; a MAC of MD5.
    /// 2. *Weak*: no forward secrecy, that is a static key exchange of RSA, DH,
    ///    ECDH, or one of a shared key (RFC 9325 §4.1); blocks of 64 bits, that
    ///    is 3DES and IDEA (RFC 9325 §4.1, "Sweet32"); signatures of DSS, which
    ///    FIPS 186-5 withdrew.
    /// 3. *Recommended*: AES-GCM, AES-CCM or ChaCha20-Poly1305 with its whole
    ///    tag, under TLS 1.3, or under TLS 1.2 with ECDHE or DHE and a
    ///    certificate of RSA or ECDSA (RFC 9325 §4.2, RFC 8446 §9.1). DHE is
    ///    as good as the server's group, which the suite does not tell.
    /// 4. *Acceptable*: the rest. CBC with an HMAC; ARIA, Camellia, SM4 and
    ///    AEGIS, which IANA does not recommend; CCM_8 with its tag of 64 bits.
    ///
    /// The rule is about the suite alone: the same under TLS 1.0 is no better
    /// for being called acceptable (RFC 8996).
    pub fn class(&self) -> SuiteClass {
        if self.is_broken() {
            SuiteClass::Broken
        } else if self.is_weak() {
            SuiteClass::Weak
        } else if self.is_recommended() {
            SuiteClass::Recommended
        } else {
            SuiteClass::Acceptable
        }
    }

    fn is_broken(&self) -> bool {
        self.export
            || self.key_bits < KEY_BITS_MIN
            || self.is_anonymous()
            || self.mac == "HMAC-MD5"
            || matches!(self.cipher, "NULL" | "RC4" | "RC2" | "DES")
    }

    fn is_weak(&self) -> bool {
        self.forward_secrecy != Some(true)
            || matches!(self.cipher, "3DES" | "IDEA")
            || matches!(self.authentication, "DSS" | "SRP+DSS")
    }

    fn is_recommended(&self) -> bool {
        let cipher = match self.cipher {
            "AES" => self.mac == "AEAD" && !self.name.contains("CCM_8"),
            "CHACHA20_POLY1305" => true,
            _ => false,
        };
        let handshake = self.is_tls13()
            || matches!((self.key_exchange, self.authentication), ("ECDHE" | "DHE", "RSA" | "ECDSA"));
        cipher && handshake
    }

    /// Whether nobody is authenticated.
    pub fn is_anonymous(&self) -> bool {
        self.authentication == "NULL"
    }

    /// Whether the server has to show a certificate up to TLS 1.2 (RFC 5246
    /// §7.4.2).
    pub fn shows_certificate(&self) -> bool {
        matches!(self.authentication, "RSA" | "ECDSA" | "DSS") && self.key_exchange != "PSK"
    }

    /// Whether the server signs its share of the key exchange up to TLS 1.2;
    /// `None` where that depends on its key, as in suites for export (RFC 2246
    /// §7.4.3), or is no question of the suite.
    pub fn signs_key_exchange(&self) -> Option<bool> {
        match self.key_exchange {
            "TLS13" => None,
            "DHE" | "ECDHE" => Some(!self.is_anonymous() && self.authentication != "PSK"),
            "RSA" if self.export => None,
            _ => Some(false),
        }
    }

    /// Whether it is one of TLS 1.3, which go with any key exchange and
    /// certificate.
    pub fn is_tls13(&self) -> bool {
        self.key_exchange == "TLS13"
    }

    /// Whether the server chooses an elliptic curve for it up to TLS 1.2.
    pub fn is_ecdhe(&self) -> bool {
        self.key_exchange == "ECDHE" || (self.key_exchange == "ECDH" && self.is_anonymous())
    }

    /// The oldest version that has it: AEAD and the MACs of the SHA-2 family
    /// are of TLS 1.2 (RFC 5246 §1.2, RFC 5288 §2, RFC 5289 §3).
    pub fn first_version(&self) -> ProtocolVersion {
        if self.is_tls13() {
            ProtocolVersion::TLS13
        } else if matches!(self.mac, "AEAD" | "HMAC-SHA256" | "HMAC-SHA384") {
            ProtocolVersion::TLS12
        } else {
            ProtocolVersion::SSL3
        }
    }

    /// Whether a hello of this version can offer it. TLS 1.3 has suites of its
    /// own and no others (RFC 8446 §B.4). What TLS 1.1 and 1.2 took away (export,
    /// DES, IDEA) is counted in: servers do not always know.
    pub fn fits(&self, version: ProtocolVersion) -> bool {
        let tls13 = version >= ProtocolVersion::TLS13;
        self.is_tls13() == tls13 && self.first_version() <= version
    }
}

#[cfg(test)]
mod tests {
    use super::super::CipherSuite;
    use super::*;

    fn class(name: &str) -> &'static str {
        let suite: CipherSuite = name.parse().unwrap();
        suite.facts().unwrap().class().name()
    }

    #[test]
    fn classes_follow_the_rule() {
        for (name, expected) in [
            ("TLS_AES_256_GCM_SHA384", "recommended"),
            ("TLS_CHACHA20_POLY1305_SHA256", "recommended"),
            ("TLS_AES_128_CCM_8_SHA256", "acceptable"),
            ("TLS_SHA256_SHA256", "broken"),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "recommended"),
            ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "recommended"),
            ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "recommended"),
            ("TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256", "acceptable"),
            ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "acceptable"),
            ("TLS_DHE_DSS_WITH_AES_256_GCM_SHA384", "weak"),
            ("TLS_RSA_WITH_AES_256_GCM_SHA384", "weak"),
            ("TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", "weak"),
            ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "weak"),
            ("TLS_RSA_WITH_IDEA_CBC_SHA", "weak"),
            ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "broken"),
            ("TLS_RSA_WITH_DES_CBC_SHA", "broken"),
            ("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", "broken"),
            ("TLS_KRB5_WITH_3DES_EDE_CBC_MD5", "broken"),
            ("TLS_DH_anon_WITH_AES_256_GCM_SHA384", "broken"),
            ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "broken"),
            ("TLS_ECDHE_RSA_WITH_NULL_SHA", "broken"),
        ] {
            assert_eq!(class(name), expected, "{name}");
        }
    }

    #[test]
    fn versions_have_their_own_suites() {
        let fits = |name: &str, version| name.parse::<CipherSuite>().unwrap().facts().unwrap().fits(version);
        assert!(fits("TLS_RSA_WITH_RC4_128_MD5", ProtocolVersion::SSL3));
        assert!(!fits("TLS_RSA_WITH_AES_128_GCM_SHA256", ProtocolVersion::TLS11));
        assert!(!fits("TLS_RSA_WITH_AES_128_CBC_SHA256", ProtocolVersion::TLS11));
        assert!(fits("TLS_RSA_WITH_AES_128_CBC_SHA256", ProtocolVersion::TLS12));
        assert!(!fits("TLS_RSA_WITH_AES_128_CBC_SHA256", ProtocolVersion::TLS13));
        assert!(!fits("TLS_AES_128_GCM_SHA256", ProtocolVersion::TLS12));
        assert!(fits("TLS_AES_128_GCM_SHA256", ProtocolVersion::TLS13));
    }

    #[test]
    fn signals_are_no_suites() {
        assert_eq!(CipherSuite(0x5600).facts(), None);
        assert_eq!(CipherSuite(0x00ff).facts(), None);
        assert_eq!(CipherSuite(0x1a1a).facts(), None);
    }
}
