//! Why mail under forced TLS is not delivered, or why that is not known.

use super::entry::WordsEntry;

pub(super) const CHECKS: &[WordsEntry] = &[
    (
        "no_certificate",
        "The server agrees to TLS only without a certificate, so nobody can tell who it is.",
        "The partner installs a certificate and turns anonymous cipher suites off.",
    ),
    (
        "self_signed",
        "The certificate is signed by its own key. It encrypts, and proves nothing.",
        "The partner installs a certificate of a public certification authority, which some give for nothing.",
    ),
    (
        "untrusted_root",
        "The certificate comes from an authority that the sender does not trust, often one inside the partner's house.",
        "The partner installs a certificate of a public certification authority.",
    ),
    (
        "incomplete_chain",
        "The server leaves out the intermediate certificate, so that a sender cannot follow the chain to a root.",
        "The partner lets the server send its intermediate certificates along (the file that many call fullchain).",
    ),
    (
        "expired_root",
        "The chain ends in a root whose own certificate has expired.",
        "The partner gets a certificate from a current chain of its authority.",
    ),
    (
        "invalid_chain",
        "The chain breaks a rule: a signature, a constraint, a usage or its encoding.",
        "The partner has the certificate issued anew by a public certification authority.",
    ),
    (
        "sha1_certificate",
        "The certificate is signed with SHA-1, which can be forged and which the sender refuses.",
        "The partner has the certificate issued anew; every authority signs with SHA-256.",
    ),
    ("expired", "The certificate has expired.", "The partner renews it, and lets renewal run by itself."),
    (
        "not_yet_valid",
        "The certificate is not valid yet.",
        "The partner installs one that is, or sets the clock of whoever issued it.",
    ),
    (
        "dates_unreadable",
        "The dates in the certificate cannot be read.",
        "The partner has the certificate issued anew.",
    ),
    (
        "name_mismatch",
        "The certificate bears the name of the mail host, and not the partner's domain. That is usual, and no fault.",
        "You name the mail host's domain in the connector (TlsDomain) after you agreed on it with the partner.",
    ),
    (
        "not_probed",
        "The hosts that this mail goes through were not asked.",
        "You scan the smart hosts of the connector as well (scan --connectors).",
    ),
    (
        "certificate_not_seen",
        "TLS was agreed on, and no certificate was seen, since the scanner's own handshake did not come that far.",
        "You probe the host by itself, with more further hellos.",
    ),
    (
        "signature_unverifiable",
        "The server signs the handshake in a way that mxray cannot check.",
        "You look at the host with another tool. The partner may use a commoner kind of key.",
    ),
    (
        "key_not_proven",
        "The server agreed, and nothing in its answer proves that it holds the key of its certificate.",
        "You send a test message and read in the log of the sender which session it got.",
    ),
    (
        "not_recorded",
        "The run was made by an older mxray, which did not write down what this rests on.",
        "You scan again.",
    ),
    (
        "chain_unverifiable",
        "A signature in the chain is of a kind or size that mxray cannot check.",
        "You check the chain with another tool. The partner may use a commoner kind of certificate.",
    ),
    (
        "public_suffix_wildcard",
        "The only name that fits is a wildcard over a whole registry, as *.com. What senders make of that is not published.",
        "The partner has a certificate issued that bears the host's name.",
    ),
    (
        "no_domain",
        "The line of the list is an address, so there is no domain whose name could be expected.",
        "You scan the domain instead of the address.",
    ),
];
