//! What becomes of a sender's attempt where replies have a form over which mail
//! systems part ways: by what its file says that it does.

use crate::model::{Failure, Phase, ReplyForm, ReplyForms};
use crate::sender::{ReplyFormEffect, Sender};

/// The first form that changes what becomes of the attempt, of those behind
/// STARTTLS or of the others, and how; `None` for the latter where nobody knows.
pub(super) fn deciding(
    sender: &Sender,
    forms: ReplyForms,
    failure: Option<&Failure>,
    behind_starttls: bool,
) -> Option<(ReplyForm, Option<ReplyFormEffect>)> {
    if forms.is_plain() || !is_decided(failure) {
        return None;
    }
    let forms = forms.iter().filter(|form| form.is_behind_starttls() == behind_starttls);
    let mut told = forms.map(|form| (form, sender.reply_forms.value.get(&form).copied()));
    told.find(|(_, effect)| *effect != Some(ReplyFormEffect::Ignored))
}

/// Whether the dialogue came so far that something is said of TLS.
fn is_decided(failure: Option<&Failure>) -> bool {
    let decides = |failure: &Failure| failure.phase >= Phase::Starttls || failure.says_no_tls();
    failure.is_none_or(decides)
}

/// Whether what the sender does there is assumed.
pub(super) fn is_assumed(sender: &Sender, forms: ReplyForms) -> bool {
    !forms.is_plain() && sender.reply_forms.is_assumed()
}

#[cfg(test)]
mod tests {
    use crate::model::{
        Basis, Delivery, Dialogue, Failure, Finding, Kind, Outcome, Phase, Reason, ReplyForm,
    };
    use crate::sender::Sender;
    use crate::smtp::reply_forms;
    use crate::verdict::fixtures::{at, ip, secure};
    use crate::verdict::outcome::outcome;

    /// One that came to TLS, or to this, with plaintext behind the 220.
    fn found(failure: Option<Failure>) -> Finding {
        let dialogue = Dialogue { plaintext_after_starttls: "x".into(), ..Dialogue::default() };
        let tls = failure.is_none().then(secure);
        Finding { reply_forms: reply_forms(&dialogue), ..at(ip(1), failure, tls) }
    }

    fn of(sender: &Sender, failure: Option<Failure>) -> (Delivery, Option<Reason>, Option<Basis>) {
        let Outcome { delivery, reason, basis, .. } = outcome(sender, &found(failure));
        (delivery, reason, basis)
    }

    const FORM: Option<Reason> = Some(Reason::ReplyForm(ReplyForm::PlaintextAfterStarttls));

    #[test]
    fn each_sender_does_as_its_file_says() {
        for (sender, delivery, reason, basis) in [
            ("exchange-online", Delivery::Undetermined, FORM, None),
            ("postfix-encrypt", Delivery::Encrypted, None, Some(Basis::Inferred)),
            ("exim", Delivery::Plaintext, FORM, Some(Basis::Inferred)),
            ("opensmtpd", Delivery::Deferred, FORM, Some(Basis::Inferred)),
        ] {
            assert_eq!(of(&Sender::named(sender).unwrap(), None), (delivery, reason, basis), "{sender}");
        }
    }

    #[test]
    fn what_is_assumed_is_called_assumed() {
        let mut sender = Sender::named("opensmtpd").unwrap();
        sender.reply_forms.source = None;
        assert_eq!(of(&sender, None).2, Some(Basis::Assumed));
    }

    #[test]
    fn what_is_open_for_another_reason_keeps_that() {
        let silent = Failure::new(Phase::Tls, Kind::Timeout);
        let told = of(&Sender::named("exchange-online").unwrap(), Some(silent.clone()));
        assert_eq!(told, (Delivery::Undetermined, Some(Reason::from(&silent)), None));
    }
}
