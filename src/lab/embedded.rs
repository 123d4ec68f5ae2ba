//! The scenarios that come with mxray, compiled in, so that `demo` and `lab`
//! need no files beside the program.

use super::error::LabError;
use super::scenario::Scenario;

macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../datasets/lab/", $name, ".toml"))),)*]
    };
}

/// Name and text of every file in `datasets/lab`, in the order of the names.
pub(super) const FILES: &[(&str, &str)] = files![
    "after_tls_421",
    "after_tls_closed",
    "after_tls_ehlo_rejected",
    "after_tls_silence",
    "alert_handshake_failure",
    "alert_insufficient_security",
    "alert_protocol_version",
    "all_dead",
    "best_dead",
    "best_nxdomain",
    "best_throttled",
    "best_weaker",
    "bytewise",
    "cert_by_sni",
    "cert_common_name_only",
    "cert_expired",
    "cert_missing_intermediate",
    "cert_not_yet_valid",
    "cert_recipient_name",
    "cert_rsa_1024",
    "cert_self_signed",
    "cert_sha1",
    "cert_untrusted_root",
    "cert_wildcard",
    "cert_with_root",
    "cert_wrong_name",
    "cert_x509_v1",
    "client_cert_requested",
    "client_cert_required_tls12",
    "client_cert_required_tls13",
    "connect_never_accepted",
    "connect_refused",
    "dhe_1024",
    "dns_no_data",
    "dns_nxdomain",
    "dns_servfail",
    "dns_timeout",
    "dns_truncated",
    "dual_stack",
    "ehlo_421",
    "ehlo_450",
    "ehlo_bare_lf",
    "ehlo_closed_mid_reply",
    "ehlo_code_changes",
    "ehlo_eight_bit",
    "ehlo_endless",
    "ehlo_line_overlong",
    "ehlo_line_too_long",
    "ehlo_nul_byte",
    "ehlo_rejected",
    "ehlo_reset",
    "ehlo_silence",
    "equal_preferences",
    "exchange_online_mx",
    "exchange_online_mx_without_fs",
    "export_only",
    "greeting_421",
    "greeting_450",
    "greeting_554",
    "greeting_closed",
    "greeting_multiline",
    "greeting_silence",
    "greeting_slow",
    "helo_only",
    "http_server",
    "implicit_mx",
    "intolerant_long_hello",
    "intolerant_tls13_alert",
    "intolerant_tls13_closes",
    "ipv6_only",
    "mx_cname",
    "mx_cname_loose",
    "mx_is_address",
    "mx_is_localhost",
    "mx_no_address",
    "mx_nxdomain",
    "mx_servfail",
    "mx_timeout",
    "no_common_suite",
    "null_mx",
    "null_mx_beside_others",
    "prefers_cbc",
    "provider_one_host",
    "provider_pair",
    "provider_pool",
    "provider_tenants",
    "rc4_only",
    "second_older",
    "second_plaintext",
    "second_self_signed",
    "ssh_server",
    "ssl2_only",
    "ssl3_only",
    "starttls_421",
    "starttls_454",
    "starttls_5xx",
    "starttls_absent",
    "starttls_accepted_then_closed",
    "starttls_accepted_then_garbage",
    "starttls_accepted_then_reset",
    "starttls_accepted_then_silence",
    "starttls_lower_case",
    "starttls_mangled",
    "starttls_only_in_greeting_line",
    "starttls_residue",
    "static_rsa_only",
    "tls10_only",
    "tls10_self_signed",
    "tls10_sha1",
    "tls11_only",
    "tls12_cbc_only",
    "tls12_client_preference",
    "tls12_ecdsa",
    "tls12_p256",
    "tls12_rsa",
    "tls13_aes_128",
    "tls13_chacha20",
    "tls13_ecdsa",
    "tls13_ed25519",
    "tls13_hello_retry",
    "tls13_ocsp_stapled",
    "tls13_p384_certificate",
    "tls13_post_quantum",
    "tls13_rsa",
    "tls13_tickets",
    "tls13_x25519",
    "tls_many_suites",
    "triple_des_only",
];

/// All scenarios that come with mxray, in the order of their names.
///
/// # Errors
/// A file is broken.
pub fn scenarios() -> Result<Vec<Scenario>, LabError> {
    FILES.iter().map(|(name, text)| Scenario::parse(name, text)).collect()
}

/// The scenario of that name.
///
/// # Errors
/// There is none, or its file is broken.
pub fn scenario(name: &str) -> Result<Scenario, LabError> {
    match FILES.iter().find(|(known, _)| *known == name) {
        Some((name, text)) => Scenario::parse(name, text),
        None => Err(LabError::scenario(
            name,
            "there is none of that name; they are named after the files in datasets/lab",
        )),
    }
}
