//! The words of a sender's log with places left for what was seen, as
//! `Expected Subject: {expected}.`

use super::situation::Situation;

/// What a place may be for where a policy of MTA-STS names no MX host: the
/// domain of the mail.
const DOMAIN: &[&str] = &["domain"];

/// What a place may be for, in the situations that are about a certificate:
/// the name that was expected, the subject that was presented, and the SHA-1
/// of that certificate.
const PLACES: &[&str] = &["expected", "presented", "thumbprint"];

/// The words with every place filled in. What `value` does not know is left
/// empty. What is filled in is not looked through for places again: it was
/// written by the other side.
pub(crate) fn fill(words: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = words.split('{');
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or(("", part));
        text.push_str(&value(name).unwrap_or_default());
        text.push_str(rest);
    }
    text
}

/// Whether the words leave places only for what there is in the situation.
///
/// # Errors
/// The first place that can never be filled.
pub(super) fn check(situation: Situation, words: &str) -> Result<(), String> {
    use Situation::{CertificateExpired, CertificateInvalid, StsMxNotListed, SubjectMismatch};
    let known = match situation {
        StsMxNotListed => DOMAIN,
        CertificateExpired | CertificateInvalid | SubjectMismatch => PLACES,
        _ => &[],
    };
    words.split('{').skip(1).try_for_each(|part| match part.split_once('}') {
        Some((name, _)) if known.contains(&name) => Ok(()),
        Some((name, _)) => Err(format!("nothing is known for {{{name}}}")),
        None => Err("a { without its }".to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once() {
        let value = |name: &str| match name {
            "expected" => Some("{presented}".to_string()),
            "presented" => Some("CN=a".to_string()),
            _ => None,
        };
        for (words, expected) in [
            ("no place", "no place"),
            ("{expected}, {presented}.", "{presented}, CN=a."),
            ("<{thumbprint}>", "<>"),
        ] {
            assert_eq!(fill(words, value), expected);
        }
    }

    #[test]
    fn a_place_that_is_never_filled_is_refused() {
        for (situation, words, cause) in [
            (Situation::SubjectMismatch, "{subject}", "nothing is known for {subject}"),
            (Situation::TlsFailed, "{presented}", "nothing is known for {presented}"),
            (Situation::SubjectMismatch, "{presented", "a { without its }"),
        ] {
            assert_eq!(check(situation, words), Err(cause.to_string()), "{words}");
        }
        assert_eq!(check(Situation::SubjectMismatch, "{presented} {expected}"), Ok(()));
    }
}
