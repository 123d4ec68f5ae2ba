//! Whether a sender sees STARTTLS in an EHLO reply that does not write it as
//! RFC 3207 has it: by what its file says that it reads, and that it does not.

use crate::model::{Basis, Failure, KeywordForm, KeywordForms, Phase};
use crate::sender::Sender;

/// What the keyword is to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeywordReading {
    /// What it is to the scanner; on what that rests.
    AsScanned(Basis),
    /// It sees none where the scanner does.
    Unseen,
    /// It is not known what it sees, or it sees one where the scanner sees none.
    Open,
}

/// What the keyword of this host is to the sender.
pub(super) fn of(sender: &Sender, forms: KeywordForms, failure: Option<&Failure>) -> KeywordReading {
    let decided = || failure.is_none_or(|failure| failure.phase >= Phase::Starttls);
    if forms.is_plain() || !decided() {
        return KeywordReading::AsScanned(Basis::Observed);
    }
    let (read, unread) = (&sender.starttls_forms_read, &sender.starttls_forms_unread);
    let is_unread = forms.iter().any(|form| unread.value.contains(&form));
    let is_read = forms.iter().all(|form| read.value.contains(&form));
    match (forms.has(KeywordForm::FirstLine), is_unread, is_read) {
        // There the scanner sees none either, as RFC 5321 §4.1.1.1 has it.
        (true, true, _) => KeywordReading::AsScanned(Basis::Observed),
        (true, _, false) => KeywordReading::AsScanned(Basis::Assumed),
        (false, true, _) => KeywordReading::Unseen,
        (false, false, true) if read.is_assumed() => KeywordReading::AsScanned(Basis::Assumed),
        (false, false, true) => KeywordReading::AsScanned(Basis::Observed),
        _ => KeywordReading::Open,
    }
}
