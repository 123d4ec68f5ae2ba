//! What is wrong with a policy that a domain publishes, or with the TLS of a session,
//! under the names of the columns that say so.

use super::entry::WordsEntry;

const ROLL: &str =
    "The partner publishes a TLSA record of the certificate in use, before it changes, each time it changes.";
const RECORD: &str =
    "The partner mends the TXT record at _mta-sts: one record, v=STSv1; id=SOMETHING; (RFC 8461 §3.1).";
const HOST: &str = "The partner's web server at mta-sts.DOMAIN serves /.well-known/mta-sts.txt over HTTPS, with a valid certificate.";
const POLICY: &str = "The partner mends the text of its policy (RFC 8461 §3.2).";
const NEWER_TLS: &str = "The partner updates the mail server or turns TLS 1.2 and 1.3 on.";
const RPT: &str = "The partner mends the TXT record at _smtp._tls (RFC 8460 §3).";

pub(super) const POLICIES: &[WordsEntry] = &[
    ("dane: mismatch", "No TLSA record fits a certificate that the host shows.", ROLL),
    ("dane: rollover", "The TLSA records fit the certificate of before, and the host shows another.", ROLL),
    (
        "dane: chain",
        "A TLSA record names an issuer, and the certificate does not lead to it.",
        "The partner lets the server send the whole chain, or mends the record.",
    ),
    (
        "dane: name_mismatch",
        "The certificate leads to the issuer of the TLSA record, and bears none of the names that count.",
        "The partner has a certificate issued that bears the host's name.",
    ),
    (
        "dane: certificate_expired",
        "A TLSA record fits, and the certificate has expired.",
        "The partner renews the certificate, and publishes its TLSA record before.",
    ),
    (
        "dane: not_yet_valid",
        "A TLSA record fits, and the certificate is not valid yet.",
        "The partner installs a certificate that is valid.",
    ),
    (
        "dane: no_tls",
        "TLSA records demand TLS, and the host has none.",
        "The partner turns STARTTLS on at that host, or takes the TLSA records away.",
    ),
    (
        "dane: unusable",
        "There are TLSA records, and none is of use for mail (RFC 7672 §3.1).",
        "The partner publishes records of usage 3 or 2, as 3 1 1.",
    ),
    (
        "dane: bogus",
        "What the DNS says contradicts its DNSSEC signatures. Senders with DANE keep the mail back.",
        "The partner mends DNSSEC with whoever runs the zone.",
    ),
    ("mta_sts: record_several", "There are several records that announce a policy of MTA-STS.", RECORD),
    (
        "mta_sts: record_version",
        "The record that announces the policy of MTA-STS has another version.",
        RECORD,
    ),
    ("mta_sts: record_syntax", "The record that announces the policy of MTA-STS cannot be read.", RECORD),
    (
        "mta_sts: record_id",
        "The record that announces the policy of MTA-STS has no id, or a wrong one.",
        RECORD,
    ),
    ("mta_sts: host_unresolved", "A policy of MTA-STS is announced, and its host is not in the DNS.", HOST),
    (
        "mta_sts: host_unreachable",
        "A policy of MTA-STS is announced, and its host takes no connections.",
        HOST,
    ),
    ("mta_sts: host_tls", "A policy of MTA-STS is announced, and TLS with its host fails.", HOST),
    (
        "mta_sts: host_certificate",
        "A policy of MTA-STS is announced, and the certificate of its host does not hold.",
        HOST,
    ),
    (
        "mta_sts: http",
        "A policy of MTA-STS is announced, and its host does not answer as HTTP demands.",
        HOST,
    ),
    (
        "mta_sts: http_redirect",
        "The host of the policy of MTA-STS redirects, which senders do not follow.",
        HOST,
    ),
    ("mta_sts: http_status", "The host of the policy of MTA-STS answers with an error.", HOST),
    ("mta_sts: host_timeout", "The host of the policy of MTA-STS does not answer in time.", HOST),
    ("mta_sts: policy_too_long", "The policy of MTA-STS is longer than is read.", POLICY),
    ("mta_sts: policy_syntax", "The policy of MTA-STS cannot be read.", POLICY),
    ("mta_sts: policy_version", "The policy of MTA-STS lacks version: STSv1.", POLICY),
    ("mta_sts: policy_mode", "The policy of MTA-STS has no mode, or an unknown one.", POLICY),
    ("mta_sts: policy_max_age", "The policy of MTA-STS has no max_age, or a wrong one.", POLICY),
    ("mta_sts: policy_mx", "The policy of MTA-STS names no mail host, or names one wrongly.", POLICY),
    (
        "mta_sts: mx_not_listed",
        "The policy of MTA-STS names none of the mail hosts.",
        "The partner adds its mail hosts to the policy.",
    ),
    (
        "mta_sts: mx_partly_listed",
        "The policy of MTA-STS does not name all of the mail hosts.",
        "The partner adds the other hosts to the policy, or takes them out of its MX records.",
    ),
    (
        "mta_sts: mx_no_tls",
        "The policy of MTA-STS demands TLS, and a mail host has none.",
        "The partner turns STARTTLS on at that host.",
    ),
    (
        "mta_sts: mx_certificate",
        "The policy of MTA-STS demands a valid certificate with the host's name, and a mail host shows another.",
        "The partner installs a certificate of a public certification authority that bears the host's name.",
    ),
    ("tls_rpt: faulty_several", "There are several records that ask for reports on TLS.", RPT),
    ("tls_rpt: faulty_version", "The record that asks for reports on TLS has another version.", RPT),
    ("tls_rpt: faulty_field", "The record that asks for reports on TLS cannot be read.", RPT),
    ("tls_rpt: faulty_no_rua", "The record that asks for reports on TLS says not where to.", RPT),
    (
        "tls_rpt: faulty_uri",
        "The record that asks for reports on TLS has an address that cannot be used.",
        RPT,
    ),
    ("SSLv3", "The sender would get SSLv3, which is broken.", NEWER_TLS),
    ("TLSv1.0", "The sender would get TLS 1.0, which nobody should use any more (RFC 8996).", NEWER_TLS),
    ("TLSv1.1", "The sender would get TLS 1.1, which nobody should use any more (RFC 8996).", NEWER_TLS),
    (
        "no_forward_secrecy",
        "Whoever records the mail today and gets the server's key one day can read it then.",
        "The partner prefers suites with ECDHE, or updates the mail server.",
    ),
    (
        "weak_key",
        "The certificate has a key that is too short (RFC 9325 §4.5).",
        "The partner has a certificate issued for a key of RSA with 2048 bits, or of ECDSA.",
    ),
];
