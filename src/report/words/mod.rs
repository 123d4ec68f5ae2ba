//! What the words of the output mean to whoever runs mail, and what mends it.
//!
//! One table: the report takes it, and whatever else explains a word.

mod checks;
mod ends;
mod entry;
mod policies;
mod reasons;
mod receive;
mod request;
mod terms;
mod topics;

pub use receive::{ReceiveWord, receive_names, receive_words};
pub use request::request;
pub use terms::{Term, term_of, terms};
pub use topics::Topic;

use crate::model::{Kind, Phase};

/// A word of the output, in plain sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordMeaning {
    /// What was seen.
    pub means: &'static str,
    /// Who can do what about it.
    pub mends: &'static str,
}

/// Why such a word matters, and where it is written; `None` of a word that
/// [`words`] does not know.
pub fn topic(code: &str) -> Option<Topic> {
    words(code).and_then(|_| topics::topic_of(code))
}

/// The words that have a text in it, in the order of the tables; of the ends of
/// attempts those of each phase and kind.
pub fn known() -> Vec<String> {
    let all = checks::CHECKS.iter().chain(reasons::REASONS).chain(policies::POLICIES);
    let named = all.map(|(name, ..)| (*name).to_string());
    let ends =
        Phase::ALL.iter().flat_map(|phase| Kind::ALL.iter().map(move |kind| format!("{phase}_{kind}")));
    named.chain(ends.filter(|code| ended(code).is_some())).collect()
}

/// What a reason, a cause of a check or the end of an attempt (`tls_alert`) means, or
/// a column with its value (`dane: mismatch`); `None` of a word that is none of these.
pub fn words(code: &str) -> Option<WordMeaning> {
    let all = checks::CHECKS.iter().chain(reasons::REASONS).chain(policies::POLICIES);
    let named = all.into_iter().find(|(name, ..)| *name == code);
    named.map(|(_, means, mends)| WordMeaning { means, mends }).or_else(|| ended(code))
}

/// The end of an attempt, by its phase and its kind.
fn ended(code: &str) -> Option<WordMeaning> {
    let (phase, kind) = Phase::ALL.iter().find_map(|phase| {
        let kind = code.strip_prefix(phase.name())?.strip_prefix('_')?;
        // `tls` begins `tls_required` as well, and `starttls` ends in `tls`.
        Kind::ALL.iter().any(|known| known.name() == kind).then_some((phase.name(), kind))
    })?;
    let fits = |(phases, kinds, ..): &&ends::EndEntry| {
        (phases.is_empty() || phases.contains(&phase)) && kinds.contains(&kind)
    };
    let entry = ends::ENDS.iter().find(fits)?;
    Some(WordMeaning { means: entry.2, mends: entry.3 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CheckCause, CheckFailure, DaneStand, Reason, StsStand};

    #[test]
    fn every_reason_and_every_cause_has_words() {
        let causes = CheckFailure::NAMES.iter().chain(CheckCause::NAMES).map(|(name, _)| *name);
        let untold: Vec<&str> = Reason::names().chain(causes).filter(|name| words(name).is_none()).collect();
        assert!(untold.is_empty(), "{untold:?}");
    }

    #[test]
    fn every_policy_that_fails_has_words() {
        let sound = ["matched", "none", "insecure", "insecure_mx", "insecure_addresses", "valid"];
        for (column, names) in [("dane", DaneStand::NAMES), ("mta_sts", StsStand::NAMES)] {
            for name in names.iter().filter(|name| !sound.contains(name)) {
                assert!(words(&format!("{column}: {name}")).is_some(), "{column}: {name}");
            }
        }
    }

    /// `docs/outcomes.md` says which kinds end which phase.
    #[test]
    fn every_end_of_an_attempt_has_words() {
        for phase in Phase::ALL.iter().filter(|phase| **phase != Phase::Quit) {
            for kind in Kind::ALL {
                let code = format!("{phase}_{kind}");
                assert!(words(&code).is_some(), "{code}");
            }
        }
        assert_eq!(words("starttls_nonsense"), None);
        assert_eq!(words(""), None);
    }

    #[test]
    fn each_word_stands_once_and_is_one() {
        let names: Vec<&str> =
            checks::CHECKS.iter().chain(reasons::REASONS).map(|(name, ..)| *name).collect();
        for (place, name) in names.iter().enumerate() {
            assert!(!names[..place].contains(name), "{name} stands twice");
            let causes = CheckFailure::NAMES.iter().chain(CheckCause::NAMES);
            let known = Reason::names().chain(causes.map(|(name, _)| *name)).any(|known| known == *name);
            assert!(known, "{name} is no word of the output");
        }
    }

    #[test]
    fn every_word_matters_for_something_that_is_written() {
        for code in known() {
            let topic = topic(&code).unwrap_or_else(|| panic!("{code} is about nothing"));
            assert!(topic.source.starts_with("RFC ") || topic.source.starts_with("docs/"), "{code}");
        }
        assert_eq!(topic("tls_nonsense"), None);
    }

    #[test]
    fn words_are_whole_sentences() {
        let named =
            checks::CHECKS.iter().chain(reasons::REASONS).flat_map(|(_, means, mends)| [means, mends]);
        let named = named.chain(policies::POLICIES.iter().flat_map(|(_, means, mends)| [means, mends]));
        let ends = ends::ENDS.iter().flat_map(|(_, _, means, mends)| [means, mends]);
        for text in named.chain(ends) {
            assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{text}");
        }
    }
}
