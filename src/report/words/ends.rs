//! How an attempt can end, by phase and kind.

/// Phases (none for all), kinds, what it means and what mends it. The first that
/// fits counts.
pub(super) type EndEntry = (&'static [&'static str], &'static [&'static str], &'static str, &'static str);

const OWN_LIST: &str = "You look whether your list or address book has the right name.";
const LATER: &str = "You scan again later, more slowly. Nothing is known to be wrong at the partner.";
const UPDATE: &str = "The partner updates the mail server, or what stands before it.";
const ADMIT: &str =
    "You scan from an address with a good name: reverse DNS, no block list (mxray preflight looks).";
const OWN: &str = "You look at the machine that scans: its network, its limits, its clock.";

pub(super) const ENDS: &[EndEntry] = &[
    (&[], &["invalid_name"], "The line is no name that the DNS can be asked for.", OWN_LIST),
    (&[], &["special_use_name"], "The name is of a kind that is in no DNS.", OWN_LIST),
    (
        &[],
        &["blocklisted"],
        "The domain, host or address is on the blocklist of the survey, and was left alone.",
        "You take it off the list if that is wanted.",
    ),
    (
        &[],
        &["not_asked"],
        "The host was not asked under this name, since a sample of the names at its address stands for it.",
        "You scan with --every-name where it matters.",
    ),
    (&[], &["nxdomain"], "The domain does not exist.", OWN_LIST),
    (&[], &["no_data"], "The domain exists, and has neither mail hosts nor addresses.", OWN_LIST),
    (&[], &["null_mx"], "The domain says that it takes no mail (RFC 7505).", OWN_LIST),
    (
        &[],
        &["mx_unusable"],
        "The MX records name no host that has an address.",
        "The partner mends its MX records: each must name a host with an A or AAAA record.",
    ),
    (
        &[],
        &["servfail"],
        "The DNS servers of the domain gave no answer, or one that cannot be used.",
        "You scan again later. If it stays so, the partner's DNS is broken, and must be mended.",
    ),
    (
        &["dns"],
        &["timeout", "closed", "malformed", "too_long"],
        "The DNS did not answer as it should.",
        LATER,
    ),
    (
        &[],
        &["too_many"],
        "The domain has more mail hosts or addresses than are looked at.",
        "You probe the other hosts by themselves.",
    ),
    (&[], &["no_route"], "This machine has no way to the address: it lacks IPv4 or IPv6.", OWN),
    (
        &[],
        &["private_address"],
        "The mail host has a private address, which nobody reaches from outside.",
        "The partner publishes a public address for it.",
    ),
    (&[], &["local_error"], "Something went wrong at the machine that scanned.", OWN),
    (
        &["connect"],
        &["refused", "timeout", "unreachable", "reset", "closed"],
        "The mail host does not take connections.",
        "The partner starts its server, opens port 25, or takes the host out of its MX records.",
    ),
    (
        &["starttls"],
        &["not_offered"],
        "The server does not offer STARTTLS: mail to it can only go in clear.",
        "The partner turns STARTTLS on and installs a certificate.",
    ),
    (
        &["starttls"],
        &["keyword_mangled"],
        "Something on the way overwrites the word STARTTLS, mostly a firewall that inspects SMTP.",
        "The partner turns inspection of SMTP off at its firewall.",
    ),
    (&["ehlo"], &["helo_only"], "The server knows only the old greeting HELO, hence no TLS.", UPDATE),
    (
        &["starttls"],
        &["refused", "refused_temporarily"],
        "The server offers STARTTLS and then refuses it.",
        "The partner looks whether its certificate and key can be read, and restarts the server.",
    ),
    (
        &[],
        &["throttled", "tempfail"],
        "The server turned the scanner away for now. That says nothing about TLS.",
        LATER,
    ),
    (
        &["after_tls"],
        &["rejected", "ehlo_rejected"],
        "TLS was agreed on, and the server then refused to go on.",
        "The partner looks into the log of the mail server.",
    ),
    (
        &[],
        &["rejected", "ehlo_rejected"],
        "The server wants nothing to do with the scanner. That says nothing about TLS.",
        ADMIT,
    ),
    (
        &[],
        &["tls_required"],
        "The server demands TLS, and does not let it begin.",
        "The partner offers STARTTLS on port 25.",
    ),
    (
        &[],
        &["out_of_step"],
        "The server sent more replies than it was sent commands, so that nobody knows what it meant.",
        UPDATE,
    ),
    (
        &["greeting"],
        &["not_smtp"],
        "What answers on port 25 is no mail server.",
        "The partner starts its mail server, or mends its MX records.",
    ),
    (
        &["tls"],
        &["alert"],
        "The server ended the TLS handshake with an alert.",
        "The partner looks into the log of the mail server: its TLS settings are too narrow, or too old.",
    ),
    (
        &[],
        &["no_common_version", "no_common_suite"],
        "The server has no version or cipher suite of modern TLS.",
        "The partner turns TLS 1.2 and 1.3 on, or updates the mail server.",
    ),
    (
        &[],
        &["client_certificate_required", "client_certificate_refused"],
        "The server demands a client certificate, which senders of mail do not have.",
        "The partner does not demand client certificates on port 25.",
    ),
    (
        &[],
        &["signature_failed"],
        "The server's signature over the handshake is wrong: every sender ends the handshake.",
        "The partner installs the key that belongs to the certificate, or updates the server.",
    ),
    (
        &[],
        &["bad_certificate"],
        "The server shows no certificate, or one that is broken: every sender ends the handshake.",
        "The partner installs a valid certificate.",
    ),
    (
        &[],
        &["downgrade_detected"],
        "The server says that it speaks TLS 1.3, and something on the way brings the handshake down to TLS 1.2.",
        "The partner looks at what stands before its server and inspects TLS.",
    ),
    (&[], &["illegal_parameter"], "The server answers in TLS with what no sender can accept.", UPDATE),
    (&["tls"], &["not_tls"], "After it agreed to STARTTLS the server sends something else than TLS.", UPDATE),
    (
        &["tls", "starttls"],
        &["timeout", "closed", "reset"],
        "The server agreed to begin TLS, and then fell silent or hung up.",
        "You scan again later. If it stays so, the partner looks at the mail server and the firewall before it.",
    ),
    (
        &[],
        &["timeout", "closed", "reset"],
        "The server fell silent or hung up before it said anything of TLS.",
        "You scan again later, more slowly. If it stays so, the server may turn unknown clients away.",
    ),
    (&[], &["too_many_bytes", "too_long"], "The server sends more than any sender reads.", UPDATE),
    (&[], &["refused", "unreachable", "refused_temporarily"], "The server refused the attempt.", LATER),
    (
        &[],
        &["unexpected_code", "malformed", "not_smtp", "not_tls"],
        "What the server sends breaks the rules of SMTP or TLS.",
        UPDATE,
    ),
    (
        &[],
        &["not_offered", "keyword_mangled", "helo_only", "alert"],
        "The server offers no TLS that a sender could use.",
        UPDATE,
    ),
];
