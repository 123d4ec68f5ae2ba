//! Which signature schemes one key can sign under: what a sender must offer to
//! get through a handshake with the server that has it.
//!
//! The scheme of one handshake tells the kind of the key. In TLS 1.3 the scheme
//! of ECDSA names its curve, and RSA signs by PSS alone (RFC 8446 §4.2.3); in
//! TLS 1.2 neither is so (RFC 5246 §7.4.1.4.1).

use crate::model::{ProtocolVersion, SignatureScheme};

/// RSASSA-PSS by a key of rsaEncryption.
const RSA_PSS: &[u16] = &[0x0804, 0x0805, 0x0806];
/// RSASSA-PSS by a key of RSASSA-PSS.
const RSA_PSS_KEY: &[u16] = &[0x0809, 0x080a, 0x080b];
/// RSASSA-PKCS1-v1_5, by the digests from MD5 to SHA-512.
const RSA_PKCS1: &[u16] = &[0x0101, 0x0201, 0x0301, 0x0401, 0x0501, 0x0601];
/// ECDSA, by the digests from SHA-1 to SHA-512.
const ECDSA: &[u16] = &[0x0203, 0x0303, 0x0403, 0x0503, 0x0603];

/// Whether a key that signed under `shown` may sign under `scheme` in a
/// handshake of `version`.
pub(super) fn is_of_the_same_key(
    shown: SignatureScheme,
    scheme: SignatureScheme,
    version: ProtocolVersion,
) -> bool {
    let both = |list: &[u16]| list.contains(&shown.0) && list.contains(&scheme.0);
    let of_rsa = |scheme: &SignatureScheme| RSA_PSS.contains(&scheme.0) || RSA_PKCS1.contains(&scheme.0);
    if shown == scheme || both(RSA_PSS_KEY) {
        return true;
    }
    match version >= ProtocolVersion::TLS13 {
        true => of_rsa(&shown) && RSA_PSS.contains(&scheme.0),
        false => both(ECDSA) || (of_rsa(&shown) && of_rsa(&scheme)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_under_the_schemes_of_its_kind() {
        let scheme = |name: &str| name.parse::<SignatureScheme>().unwrap();
        for (shown, other, tls12, tls13) in [
            ("rsa_pss_rsae_sha512", "rsa_pss_rsae_sha256", true, true),
            ("rsa_pss_rsae_sha512", "rsa_pkcs1_sha256", true, false),
            ("rsa_pkcs1_sha256", "rsa_pss_rsae_sha256", true, true),
            ("rsa_pss_rsae_sha256", "rsa_pss_pss_sha256", false, false),
            ("rsa_pss_pss_sha256", "rsa_pss_pss_sha384", true, true),
            ("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", true, false),
            ("ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256", true, true),
            ("ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", false, false),
            ("ed25519", "ed25519", true, true),
            ("ed25519", "ed448", false, false),
            ("ed25519", "ecdsa_secp256r1_sha256", false, false),
        ] {
            for (version, expected) in [(ProtocolVersion::TLS12, tls12), (ProtocolVersion::TLS13, tls13)] {
                let found = is_of_the_same_key(scheme(shown), scheme(other), version);
                assert_eq!(found, expected, "{shown} {other} {version}");
            }
        }
    }
}
