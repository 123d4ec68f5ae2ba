//! Terms of the summary and of the pages that are no reason and no cause, or that stand
//! in many columns.

/// A term in plain sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// As it is written.
    pub name: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Where it is written.
    pub source: &'static str,
}

const fn term(name: &'static str, means: &'static str, source: &'static str) -> Term {
    Term { name, means, source }
}

const CONNECTORS: &str = "docs/connectors.md";
const SENDERS: &str = "docs/senders.md";
const OUTCOMES: &str = "docs/outcomes.md";
const MANNERS: &str = "docs/manners.md";

/// The terms, with blanks between their words.
const TERMS: &[Term] = &[
    // What becomes of mail.
    term(
        "encrypted",
        "Mail goes through TLS. By what the host is known is told beside it (`authenticated`).",
        OUTCOMES,
    ),
    term("plaintext", "Mail goes in clear: whoever is on the way can read it and change it.", OUTCOMES),
    term(
        "deferred",
        "Mail is kept back by its sender and tried again, for a day or for several; then it comes back to whoever wrote it.",
        OUTCOMES,
    ),
    term(
        "kept back",
        "The same as deferred: the sender keeps the mail and tries again, and gives it back in the end.",
        OUTCOMES,
    ),
    term(
        "undeliverable",
        "Mail comes back at once: the domain takes none, or the sender gives it up.",
        OUTCOMES,
    ),
    term(
        "undetermined",
        "It is not known, and the cause stands beside it. It is no answer: a host that is silent, throttles or could not be \
         asked has not said that it has no TLS. It counts neither as good nor as bad, in no sum and in no comparison.",
        OUTCOMES,
    ),
    // What a statement rests on.
    term("basis", "What a statement rests on: observed, inferred or assumed.", SENDERS),
    term(
        "observed",
        "The server answered this sender's very offer, or one to which the answer must be the same.",
        SENDERS,
    ),
    term(
        "inferred",
        "The server may answer this sender in another way: it answered another offer, or under another name; or hosts that come first by chance differ.",
        SENDERS,
    ),
    term(
        "assumed",
        "It rests on what nobody publishes of the sender, or on what was not asked for.",
        SENDERS,
    ),
    term(
        "published",
        "What the maker of the sending system says of it in public: the versions, suites and groups that it offers. \
         no_published_suite: the server takes none of these suites.",
        SENDERS,
    ),
    term(
        "steps down",
        "How many cipher suites of the sender's offer are better than the one that the server chose: 0 is the best of the \
         offer.",
        SENDERS,
    ),
    // Forced TLS.
    term(
        "forced TLS",
        "A connector that demands TLS: mail that would not pass is kept back, and does not go in clear. Its strengths are \
         EncryptionOnly, CertificateValidation and DomainValidation.",
        CONNECTORS,
    ),
    term(
        "EncryptionOnly",
        "The weakest strength of forced TLS: there is TLS, whatever the certificate.",
        CONNECTORS,
    ),
    term(
        "CertificateValidation",
        "Forced TLS, and a certificate that is in date and that a trusted root vouches for, whatever name it bears.",
        CONNECTORS,
    ),
    term(
        "DomainValidation",
        "Forced TLS, a certificate that a trusted root vouches for, and the expected name on it: that of the recipient \
         domain, or the one that the connector names (TlsDomain).",
        CONNECTORS,
    ),
    term(
        "connector",
        "A rule of the sending organisation that says for which domains TLS is demanded, and to which hosts mail goes.",
        CONNECTORS,
    ),
    // Hosts.
    term(
        "operator",
        "Who runs a mail host: the registrable domain of its name, by the Public Suffix List.",
        "docs/columns.md",
    ),
    term(
        "weakest",
        "Of all hosts of a domain that take mail the one that gives least: what an attacker gets who keeps a sender from the \
         others.",
        OUTCOMES,
    ),
    // The survey.
    term(
        "second look",
        "A host that says it has no TLS, or fails in TLS, is asked once more later, before that is believed.",
        MANNERS,
    ),
    term(
        "cool down",
        "A host, network or operator that throttles or refuses is left alone for a while, longer each time, and then asked \
         again.",
        MANNERS,
    ),
    term(
        "canary",
        "A mail server of one's own that is asked now and then, to see whether this network is well.",
        MANNERS,
    ),
    term(
        "sample",
        "Of many names on one address some are asked by chance; if all answer alike, the rest are told as inferred.",
        MANNERS,
    ),
];

/// The term of that name, in whatever case, with blanks, hyphens or underscores.
pub fn term_of(word: &str) -> Option<Term> {
    let plain = word.to_lowercase().replace(['_', '-'], " ");
    TERMS.iter().copied().find(|term| term.name.to_lowercase() == plain)
}

/// All of them.
pub fn terms() -> &'static [Term] {
    TERMS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Basis, TlsSettings};

    #[test]
    fn a_term_is_found_however_it_is_written() {
        for word in ["second look", "Second-Look", "second_look"] {
            assert_eq!(term_of(word).map(|term| term.name), Some("second look"), "{word}");
        }
        assert_eq!(term_of("certificatevalidation").map(|term| term.name), Some("CertificateValidation"));
        assert_eq!(term_of("second"), None);
    }

    #[test]
    fn every_strength_and_every_basis_is_one() {
        let strengths = TlsSettings::FORCED.map(TlsSettings::name);
        let bases = [Basis::Observed, Basis::Inferred, Basis::Assumed].map(Basis::name);
        for name in strengths.into_iter().chain(bases) {
            assert!(term_of(name).is_some(), "{name}");
        }
        let sentence = |term: &Term| term.means.ends_with('.') && !term.means.contains("  ");
        assert!(TERMS.iter().all(sentence));
    }
}
