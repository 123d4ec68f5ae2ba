//! Whether a host offers STARTTLS to a sender.

use crate::model::{Delivery, Kind, Outcome, Phase, Reason};

/// Whether what was found is that the host does not offer it, or not so that the
/// sender sees it. One that offers it and then refuses does.
pub(super) fn says_no_starttls(found: &Outcome) -> bool {
    match found.reason {
        Some(Reason::Ended { phase: Phase::Ehlo, kind: Kind::HeloOnly }) => true,
        Some(Reason::Ended { phase: Phase::Starttls, kind: Kind::NotOffered | Kind::KeywordMangled }) => true,
        Some(Reason::StarttlsKeywordForm) => found.delivery != Delivery::Undetermined,
        // A sender that leaves the host over a form sees it, or never looks.
        Some(Reason::ReplyForm(form)) => !form.is_behind_starttls() && found.delivery == Delivery::Plaintext,
        _ => false,
    }
}
