//! What the words are about: why it matters, and where it is written.

/// A subject that several words are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Why it matters to whoever runs mail.
    pub matters: &'static str,
    /// Where it is written: an RFC with its section, or a page of the documentation.
    pub source: &'static str,
}

const fn topic(matters: &'static str, source: &'static str) -> Topic {
    Topic { matters, source }
}

const OURS: &str = "It is about this survey, and says nothing of the partner.";
const NO_MAIL: &str = "Where the DNS names no host, nobody can send mail there.";
const KEEPS: &str =
    "A sender that cannot deliver keeps the mail, tries again for days, and gives it back in the end.";
const CLEAR: &str = "Without STARTTLS mail goes in clear, or not at all where TLS is forced.";
const FAILS: &str =
    "After a handshake that fails a sender goes on in clear, or keeps the mail: each has its own rule.";
const OFFER: &str =
    "A sender offers what its maker publishes, and nothing else: what the scanner gets, it may not get.";
const CERTIFICATE: &str =
    "Most mail is sent with whatever certificate there is. Forced TLS, MTA-STS and DANE fail over it.";
const DANE: &str = "A sender with DANE sends nothing to a host that fails it.";
const STS: &str = "A sender that keeps to MTA-STS sends nothing to a host that fails the policy.";
const REPORTS: &str = "Who gets no reports does not hear that mail to him fails.";
const OLD: &str = "Old versions and weak keys can be broken by who records the mail.";
const REPLIES: &str = "Senders read odd replies each in its own way: what one takes, another stops at.";

const OUTCOMES: &str = "docs/outcomes.md";
const SENDERS: &str = "docs/senders.md";
const MANNERS: &str = "docs/manners.md";
const TRUST: &str = "RFC 5280 §6.1, docs/trust.md";

/// Words by how they begin; the first that fits counts.
const TOPICS: &[(&str, Topic)] = &[
    // Columns with a value.
    ("dane: ", topic(DANE, "RFC 7672 §2, docs/dane-mta-sts.md")),
    ("mta_sts: ", topic(STS, "RFC 8461 §3 to §5, docs/dane-mta-sts.md")),
    ("tls_rpt: ", topic(REPORTS, "RFC 8460 §3, docs/dane-mta-sts.md")),
    // Of the survey itself.
    ("not_asked", topic(OURS, MANNERS)),
    ("network_suspect", topic(OURS, OUTCOMES)),
    ("no_second_look", topic(OURS, OUTCOMES)),
    ("second_look_differs", topic(KEEPS, OUTCOMES)),
    ("not_probed", topic(OURS, "docs/connectors.md")),
    ("not_recorded", topic(OURS, OUTCOMES)),
    ("no_domain", topic(OURS, "docs/connectors.md")),
    ("certificate_not_seen", topic(CERTIFICATE, TRUST)),
    ("no_validating_resolver", topic(DANE, "RFC 7672 §2.2, RFC 4035 §4.9.3")),
    ("mx_bogus", topic(KEEPS, "RFC 4035 §5.5, RFC 7672 §2.1")),
    ("address_bogus", topic(KEEPS, "RFC 4035 §5.5, RFC 7672 §2.1")),
    // Policies.
    ("dane_", topic(DANE, "RFC 7672 §2 and §3")),
    ("tlsa_", topic(DANE, "RFC 7672 §2.1 and §2.2")),
    ("sts_", topic(STS, "RFC 8461 §4 and §5")),
    // What the sender offers and reads.
    ("no_published_", topic(OFFER, SENDERS)),
    ("offer_refused", topic(OFFER, SENDERS)),
    ("sha1_signature", topic(OFFER, "RFC 9155 §2")),
    ("sha1_certificate", topic(CERTIFICATE, "RFC 8446 §4.4.2.4")),
    ("certificate_form", topic(OFFER, SENDERS)),
    ("client_certificate_requested", topic(FAILS, "RFC 8446 §4.3.2")),
    ("no_secure_renegotiation", topic(FAILS, "RFC 5746 §3.4")),
    ("dh_prime_size", topic(FAILS, "RFC 7919 §3")),
    ("SSLv3", topic(OLD, "RFC 7568 §3")),
    ("TLSv1.", topic(OLD, "RFC 8996 §4 and §5")),
    ("no_forward_secrecy", topic(OLD, "RFC 9325 §4.1")),
    ("weak_", topic(OLD, "RFC 9325 §4.5")),
    ("starttls_keyword_form", topic(CLEAR, "RFC 5321 §4.1.1.1, RFC 3207 §4")),
    ("late_keyword", topic(CLEAR, "RFC 5321 §4.5.3.1.5, RFC 3207 §4")),
    ("plaintext_after_starttls", topic(CLEAR, "RFC 3207 §4.2")),
    ("empty_line", topic(REPLIES, "RFC 5321 §4.2")),
    ("long_reply", topic(REPLIES, "RFC 5321 §4.5.3.1.5")),
    ("nul_byte", topic(REPLIES, "RFC 5321 §4.2")),
    ("unsolicited_reply", topic(REPLIES, "RFC 5321 §4.2")),
    // Certificates.
    ("name_mismatch", topic(CERTIFICATE, "RFC 9525 §6")),
    ("public_suffix_wildcard", topic(CERTIFICATE, "RFC 9525 §6.3")),
    ("expired_root", topic(CERTIFICATE, TRUST)),
    ("expired", topic(CERTIFICATE, "RFC 5280 §4.1.2.5")),
    ("not_yet_valid", topic(CERTIFICATE, "RFC 5280 §4.1.2.5")),
    ("dates_unreadable", topic(CERTIFICATE, "RFC 5280 §4.1.2.5")),
    ("no_certificate", topic(CERTIFICATE, "RFC 8446 §4.4.2")),
    ("self_signed", topic(CERTIFICATE, TRUST)),
    ("untrusted_root", topic(CERTIFICATE, TRUST)),
    ("incomplete_chain", topic(CERTIFICATE, "RFC 8446 §4.4.2, RFC 5280 §6.1")),
    ("invalid_chain", topic(CERTIFICATE, TRUST)),
    ("chain_unverifiable", topic(CERTIFICATE, TRUST)),
    ("signature_unverifiable", topic(FAILS, "RFC 8446 §4.4.3")),
    ("key_not_proven", topic(FAILS, "RFC 8446 §4.4.3")),
    // How an attempt ended, by its phase.
    ("input_", topic(OURS, OUTCOMES)),
    ("dns_null_mx", topic(NO_MAIL, "RFC 7505 §3")),
    ("dns_", topic(NO_MAIL, "RFC 5321 §5.1")),
    ("connect_", topic(KEEPS, "RFC 5321 §4.5.4.1 and §5.1")),
    ("greeting_", topic(KEEPS, "RFC 5321 §3.1 and §4.2")),
    ("ehlo_", topic(CLEAR, "RFC 5321 §4.1.1.1")),
    ("starttls_", topic(CLEAR, "RFC 3207 §4")),
    ("tls_", topic(FAILS, "RFC 8446 §4 and §6, RFC 3207 §4.1")),
    ("after_tls_", topic(KEEPS, "RFC 3207 §4.2")),
    ("quit_", topic(OURS, "RFC 5321 §4.1.1.10")),
];

/// Ends of attempts that this machine or its user brought about, whatever the phase.
const OWN_ENDS: &[&str] = &["_local_error", "_no_route", "_blocklisted", "_not_asked"];

/// What a word is about; `None` of one that is none of the output.
pub(super) fn topic_of(code: &str) -> Option<Topic> {
    if OWN_ENDS.iter().any(|end| code.ends_with(end)) && !code.starts_with("dane_") {
        return Some(topic(OURS, OUTCOMES));
    }
    TOPICS.iter().find(|(begins, _)| code.starts_with(begins)).map(|(_, topic)| *topic)
}
