//! Words of runs of `mxray receive`: keys and values of `run.json` and `sessions.jsonl`.

/// A word of such a run, in plain sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveWord {
    /// As it is written.
    pub name: &'static str,
    /// Where it stands.
    pub place: &'static str,
    /// What it means.
    pub means: &'static str,
}

const fn word(place: &'static str, name: &'static str, means: &'static str) -> ReceiveWord {
    ReceiveWord { name, place, means }
}

const RUN: &str = "run.json";
const RESULT: &str = "what a session came to, in senders of run.json";
const DIALOGUE: &str = "dialogue in sessions.jsonl";
const STARTTLS: &str = "dialogue.starttls in sessions.jsonl";
const END: &str = "dialogue.end in sessions.jsonl";
const FAILURE: &str = "tls.failure in sessions.jsonl";
const CERTIFICATE: &str = "client_certificate in sessions.jsonl";
const VERDICT: &str = "verdicts in sessions.jsonl";
const WHY: &str = "why of a rejected verdict in sessions.jsonl";
const CAUSE: &str = "not_determined of a verdict in sessions.jsonl";

/// The words, by where they stand.
pub(super) const WORDS: &[ReceiveWord] = &[
    word(RUN, "behave", "What the listener did on purpose to every client."),
    word(RUN, "turned_away", "Connections that were told 421, since there were too many at once."),
    word(RUN, "senders", "What each client did, told apart by its address and its EHLO name."),
    word(RUN, "comebacks", "What came of the same sender after a session without TLS and without MAIL."),
    word(
        RUN,
        "nothing_came",
        "Nothing came of the sender within --watch. What became of its mail is not seen.",
    ),
    word(
        RUN,
        "run_ended",
        "The run ended before --watch was over: it is not determined whether the sender came.",
    ),
    word(RUN, "judged_from", "The run of whose sessions these are new verdicts, made by mxray judge."),
    word(RESULT, "mail_in_tls", "The client gave MAIL inside TLS."),
    word(RESULT, "mail_in_clear", "The client gave MAIL in clear, and none inside TLS."),
    word(RESULT, "tls_without_mail", "The handshake came to its end, and no MAIL followed."),
    word(RESULT, "handshake_failed", "The handshake came to nothing, and there was no MAIL."),
    word(DIALOGUE, "spoke_first", "The client spoke before it was greeted, against RFC 5321 §3.1."),
    word(DIALOGUE, "bare_lf", "A line of the client ended in LF alone, against RFC 5321 §2.3.8."),
    word(DIALOGUE, "requiretls", "The sender asks that each hop has TLS (RFC 8689)."),
    word(STARTTLS, "not_asked", "The client did not ask for STARTTLS."),
    word(STARTTLS, "pipelined", "The client went on in clear behind STARTTLS, which ended the session."),
    word(END, "quit", "The client ended the session by QUIT."),
    word(END, "closed", "The client closed the connection without QUIT."),
    word(END, "reset", "The client reset the connection."),
    word(END, "timed_out", "The client was silent for as long as mxray waits, a limit of mxray."),
    word(END, "limit", "The session reached a limit of mxray: of time, bytes, commands or errors."),
    word(END, "by_us", "mxray ended it: on purpose (--behave), or because the run ended."),
    word(END, "protocol", "What the client said is no SMTP."),
    word(FAILURE, "client_alert", "The client refused the handshake by the alert beside it."),
    word(FAILURE, "client_left", "The client closed or reset the connection during the handshake."),
    word(FAILURE, "client_fault", "What the client said in the handshake is not what is due."),
    word(FAILURE, "on_purpose", "mxray refused the handshake on purpose (--behave)."),
    word(FAILURE, "agreed_on_purpose", "The client went along, and mxray ended the handshake on purpose."),
    word(
        FAILURE,
        "nothing_in_common",
        "The client offers nothing that mxray can finish: a limit of mxray, and no fault of the client.",
    ),
    word(FAILURE, "timed_out", "The client was silent during the handshake for as long as mxray waits."),
    word(FAILURE, "stopped", "The run ended during the handshake."),
    word(CERTIFICATE, "named", "Whether it is the certificate that --tls-certificate-name names."),
    word(CERTIFICATE, "key_not_proven", "It has the names, and nothing proves that the client has its key."),
    word(CERTIFICATE, "certificate_unreadable", "Its names cannot be read, or not whole."),
    word(VERDICT, "accepted", "Exchange Online would take the mail, as far as inbound connectors go."),
    word(VERDICT, "ordinary", "No inbound connector is for this mail, and none has to be."),
    word(VERDICT, "rejected", "Exchange Online would refuse the mail, with the code beside it."),
    word(
        VERDICT,
        "not_determined",
        "It cannot be told what Exchange Online would do; the cause stands beside it.",
    ),
    word(WHY, "tls", "A Partner connector requires TLS (RequireTls), and MAIL came in clear."),
    word(
        WHY,
        "certificate",
        "A Partner connector is restricted to a certificate that the client did not show.",
    ),
    word(WHY, "address", "A Partner connector is restricted to addresses, and the client has another."),
    word(WHY, "relay", "The recipient is not the organisation's, and no connector of type OnPremises fits."),
    word(
        WHY,
        "direct_send",
        "The sender is of an accepted domain, direct send is rejected, and no connector fits.",
    ),
    word(
        CAUSE,
        "key_not_proven",
        "The certificate bears the name, and nothing proves that the client has its key.",
    ),
    word(
        CAUSE,
        "certificate_not_trusted",
        "The certificate bears the name, and its chain or its dates do not hold. Which of that counts is not published.",
    ),
    word(CAUSE, "certificate_unreadable", "The certificate, or its subject, cannot be read whole."),
    word(
        CAUSE,
        "name_outside_subject",
        "The name stands in the subject alternative name only. Microsoft speaks of the subject.",
    ),
    word(
        CAUSE,
        "several_common_names",
        "The subject has several common names, and only some are the name. Which counts is not published.",
    ),
    word(
        CAUSE,
        "name_in_another_form",
        "A common name has the name in a form that is no plain domain name. Whether it counts is not published.",
    ),
    word(
        CAUSE,
        "wildcard_on_certificate",
        "Only a wildcard on the certificate stands for the name. Whether it counts is not published.",
    ),
    word(
        CAUSE,
        "name_without_restriction",
        "RequireTls names a certificate that was not shown, and RestrictDomainsToCertificate is off.",
    ),
    word(
        CAUSE,
        "address_without_name",
        "A connector of type OnPremises names a certificate and addresses, and only the address fits.",
    ),
    word(
        CAUSE,
        "associated_domain",
        "Of sender and recipient only one is among AssociatedAcceptedDomains. Which has to be is not published.",
    ),
    word(
        CAUSE,
        "sender_domain",
        "The domain of the sender is empty or cannot be read, and a connector needs it.",
    ),
    word(CAUSE, "recipient_domain", "The domain of the recipient cannot be read."),
    word(
        CAUSE,
        "several_connectors",
        "Several connectors fit and do not agree. Which is taken is not published.",
    ),
    word(
        CAUSE,
        "on_premises_and_partner",
        "A connector of type OnPremises fits, and one of type Partner would refuse.",
    ),
    word(
        CAUSE,
        "no_on_premises_connector",
        "The recipient is not the organisation's, and there is no connector of type OnPremises.",
    ),
    word(CAUSE, "relay_for_stranger", "Neither the recipient nor the sender is the organisation's."),
    word(
        CAUSE,
        "direct_send_not_told",
        "The sender is the organisation's, and whether direct send is rejected is not told (reject_direct_send).",
    ),
];

/// What a word is in runs of `mxray receive`; it may stand in several places.
pub fn receive_words(name: &str) -> impl Iterator<Item = &'static ReceiveWord> {
    WORDS.iter().filter(move |word| word.name == name)
}

/// All of them.
pub fn receive_names() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|word| word.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inbound::{InboundCause, NamedCause, UnmetDemand};

    /// The word of a value without content.
    fn name(value: impl serde::Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_string()
    }

    #[test]
    fn every_cause_and_demand_has_words_in_its_place() {
        use InboundCause as Cause;
        let causes = [
            Cause::KeyNotProven,
            Cause::CertificateNotTrusted,
            Cause::CertificateUnreadable,
            Cause::NameOutsideSubject,
            Cause::SeveralCommonNames,
            Cause::NameInAnotherForm,
            Cause::WildcardOnCertificate,
            Cause::NameWithoutRestriction,
            Cause::AddressWithoutName,
            Cause::AssociatedDomain,
            Cause::SenderDomain,
            Cause::RecipientDomain,
            Cause::SeveralConnectors,
            Cause::OnPremisesAndPartner,
            Cause::NoOnPremisesConnector,
            Cause::RelayForStranger,
            Cause::DirectSendNotTold,
        ];
        let demands = [
            UnmetDemand::Tls,
            UnmetDemand::Certificate,
            UnmetDemand::Address,
            UnmetDemand::Relay,
            UnmetDemand::DirectSend,
        ];
        let named = [NamedCause::KeyNotProven, NamedCause::CertificateUnreadable];
        let all = causes.iter().map(|cause| (CAUSE, name(cause)));
        let all = all.chain(demands.iter().map(|demand| (WHY, name(demand))));
        for (place, name) in all.chain(named.iter().map(|cause| (CERTIFICATE, name(cause)))) {
            let found = receive_words(&name).filter(|word| word.place == place);
            assert_eq!(found.count(), 1, "{place}: {name}");
        }
        assert_eq!(WORDS.iter().filter(|word| word.place == CAUSE).count(), causes.len());
    }

    #[test]
    fn words_are_whole_sentences() {
        for word in WORDS {
            let begins = word.means.starts_with(char::is_uppercase) || word.means.starts_with("mxray");
            assert!(begins && word.means.ends_with('.'), "{}", word.means);
        }
    }
}
