//! Reasons that depend on the sender, on policies, or on several looks.

use super::entry::WordsEntry;

const NEWER_TLS: &str = "The partner updates the mail server or turns TLS 1.2 and 1.3 on.";
const FORM: &str = "The partner updates the mail server, or what stands before it and rewrites its replies.";
const SIGN_ANEW: &str = "The partner mends DNSSEC with whoever runs the zone: it is signed wrongly, or its signatures have expired.";
const ROLL: &str =
    "The partner publishes a TLSA record of the certificate in use, before it changes, each time it changes.";
const AGAIN: &str = "You scan again later. Nothing is known to be wrong at the partner.";
const VALIDATE: &str = "You scan with a resolver that validates DNSSEC (--resolver, --trust-ad).";
const PROBE: &str = "You probe the host by itself, with more further hellos.";

pub(super) const REASONS: &[WordsEntry] = &[
    (
        "no_published_version",
        "No version of TLS is known that the server speaks and the sender offers.",
        NEWER_TLS,
    ),
    (
        "no_published_suite",
        "No cipher suite is known that the server takes and the sender offers.",
        "The partner allows suites with ECDHE and AES-GCM, or updates the mail server.",
    ),
    (
        "no_published_group",
        "The server takes no key exchange group that the sender offers.",
        "The partner allows the groups x25519, secp256r1 and secp384r1.",
    ),
    (
        "offer_refused",
        "The server refuses what the sender offers in TLS, and does not say what it lacks.",
        "The partner looks into the log of the mail server, and updates it or widens its TLS settings.",
    ),
    (
        "sha1_signature",
        "The server agrees to TLS 1.1 or older only, whose signatures rest on SHA-1. The sender refuses that.",
        NEWER_TLS,
    ),
    (
        "certificate_form",
        "The certificate has a form at which some senders end the handshake and others do not.",
        "The partner has the certificate issued anew.",
    ),
    (
        "no_published_signature_scheme",
        "The server signs the handshake in no way that the sender offers.",
        "The partner uses a commoner key: RSA of 2048 bits or more, or ECDSA on P-256 or P-384.",
    ),
    (
        "client_certificate_requested",
        "The server asks for a client certificate, and whether it goes on without one was not seen.",
        "The partner does not ask for client certificates on port 25.",
    ),
    (
        "no_secure_renegotiation",
        "The server does not know secure renegotiation (RFC 5746), which the sender demands.",
        NEWER_TLS,
    ),
    (
        "dh_prime_size",
        "The server's Diffie-Hellman group is too short for the sender, or longer than some senders take.",
        "The partner uses ECDHE, or a group of 2048 to 4096 bits (RFC 7919).",
    ),
    (
        "no_second_look",
        "The host said that there is no TLS, or failed in TLS, and was looked at only once. One look is not believed.",
        AGAIN,
    ),
    (
        "second_look_differs",
        "The host gave different answers at different looks. Several servers may stand behind it, or it limits who connects.",
        "You scan again later. If it stays so, the partner makes its servers alike.",
    ),
    ("starttls_keyword_form", "The server writes STARTTLS in a form that not every sender reads.", FORM),
    (
        "network_suspect",
        "No connection opened anywhere over this family of addresses, so the fault may be the scanner's own network.",
        "You scan from a network that lets port 25 out (mxray preflight looks whether it does).",
    ),
    (
        "not_asked",
        "The host was not asked under this name, since a sample of the names at its address stands for it.",
        "You scan with --every-name where it matters.",
    ),
    ("empty_line", "The server sends an empty line where a reply belongs.", FORM),
    ("long_reply", "The server's reply is longer than the sender reads.", FORM),
    ("nul_byte", "The server's reply holds a NUL byte.", FORM),
    ("late_keyword", "STARTTLS stands so late in the reply that the sender does not see it.", FORM),
    (
        "plaintext_after_starttls",
        "The server says more in clear after it agreed to STARTTLS, which is how commands are slipped in.",
        FORM,
    ),
    ("empty_line_in_tls", "The server sends an empty line where a reply belongs, inside TLS.", FORM),
    ("long_reply_in_tls", "The server's reply inside TLS is longer than the sender reads.", FORM),
    ("unsolicited_reply", "The server sends replies to commands that it was not sent.", FORM),
    ("mx_bogus", "The MX records of the domain contradict their DNSSEC signatures.", SIGN_ANEW),
    ("address_bogus", "The addresses of the host contradict their DNSSEC signatures.", SIGN_ANEW),
    (
        "tlsa_bogus",
        "The TLSA records contradict their DNSSEC signatures, so that the sender keeps the mail.",
        SIGN_ANEW,
    ),
    (
        "tlsa_lookup_failed",
        "The DNS gave no answer about TLSA records. A sender with DANE sends nothing in clear then.",
        "You scan again later. If it stays so, the partner's DNS servers must answer questions for TLSA.",
    ),
    (
        "tlsa_hosts_excess",
        "The domain has more mail hosts than mxray asks for TLSA records.",
        "You probe the other hosts by themselves.",
    ),
    (
        "dane_required",
        "The sender demands DANE, and the host has no TLSA record of use, or its zone is not signed.",
        "The partner signs its zone and publishes TLSA records, or you demand less.",
    ),
    (
        "dane_not_asked",
        "The sender demands DANE, and nobody asked for TLSA records.",
        "You scan without --no-dane.",
    ),
    (
        "dane_no_tls",
        "TLSA records demand TLS, and the sender gets none.",
        "The partner turns STARTTLS on at that host, or takes the TLSA records away.",
    ),
    (
        "dane_unusable_no_tls",
        "There are TLSA records, none of use, and the host offers no STARTTLS. The sender gives the message up.",
        "The partner mends the TLSA records and turns STARTTLS on.",
    ),
    ("dane_mismatch", "No TLSA record fits a certificate that the host shows.", ROLL),
    (
        "dane_chain",
        "A TLSA record names an issuer, and the certificate does not lead to it.",
        "The partner lets the server send the whole chain, or mends the record.",
    ),
    (
        "dane_name_mismatch",
        "The certificate leads to the issuer of the TLSA record, and bears none of the names that count.",
        "The partner has a certificate issued that bears the host's name.",
    ),
    (
        "dane_certificate_expired",
        "A TLSA record fits, and the certificate has expired.",
        "The partner renews the certificate, and publishes its TLSA record before.",
    ),
    (
        "dane_not_yet_valid",
        "A TLSA record fits, and the certificate is not valid yet.",
        "The partner installs a certificate that is valid.",
    ),
    (
        "tlsa_excess",
        "There are more TLSA records than mxray looks at, and none of the first fits.",
        "The partner takes old TLSA records away.",
    ),
    (
        "dane_unverifiable",
        "A TLSA record may fit, and mxray cannot check what the chain is signed with.",
        "You check the host with another tool.",
    ),
    ("dane_certificate_not_seen", "There are TLSA records, and the certificate was not seen.", PROBE),
    (
        "sts_mx_not_listed",
        "The partner's MTA-STS policy does not name this mail host, so the sender does not use it.",
        "The partner adds the host to the policy, or takes it out of its MX records.",
    ),
    (
        "sts_no_tls",
        "The partner's MTA-STS policy demands TLS, and the sender gets none.",
        "The partner turns STARTTLS on at that host, or takes it out of its MX records.",
    ),
    (
        "sts_certificate",
        "The partner's MTA-STS policy demands a valid certificate with the host's name, and the host shows another.",
        "The partner installs a certificate of a public certification authority that bears the host's name.",
    ),
    ("sts_certificate_not_seen", "There is an MTA-STS policy, and the certificate was not seen.", PROBE),
    (
        "sts_policy_unknown",
        "Whether the partner has an MTA-STS policy could not be learnt.",
        "You scan again later. If it stays so, the partner's policy host must answer.",
    ),
    ("no_validating_resolver", "All hangs on DNSSEC, and no resolver that validates was asked.", VALIDATE),
];
