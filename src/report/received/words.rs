//! What was seen of a client, and what connectors make of it, in words: the same for
//! whoever watches the listener and for whoever reads its report.

use crate::model::inbound::{
    Comeback, InboundAcceptance, InboundCause, InboundEnd, InboundRefusal, InboundTlsFailure, InboundVerdict,
    PathDomain, SessionResult, UnmetDemand,
};
use crate::model::text::{grouped, printable};
use std::borrow::Cow;

/// Times that are told of what came again.
const TIMES_TOLD_MAX: usize = 5;

/// Why a handshake came to nothing.
pub fn failure_words(failure: &InboundTlsFailure) -> String {
    match failure {
        InboundTlsFailure::ClientAlert(alert) => format!("the client said {alert}"),
        InboundTlsFailure::ClientLeft => "the client left".to_string(),
        InboundTlsFailure::ClientFault(what) => format!("the client's fault: {what}"),
        InboundTlsFailure::AgreedOnPurpose => "the client went along, and we ended it on purpose".to_string(),
        InboundTlsFailure::OnPurpose(alert) => format!("refused on purpose by {alert}"),
        InboundTlsFailure::NothingInCommon(what) => {
            format!("nothing in common with what mxray can finish ({what}); its offer is in sessions.jsonl")
        }
        InboundTlsFailure::TimedOut => "the client was silent until our time limit".to_string(),
        InboundTlsFailure::Stopped => "we stopped".to_string(),
    }
}

/// Who ended a handshake that came to nothing.
pub fn failure_side(failure: &InboundTlsFailure) -> &'static str {
    match failure {
        InboundTlsFailure::ClientAlert(_)
        | InboundTlsFailure::ClientLeft
        | InboundTlsFailure::ClientFault(_) => "the client",
        InboundTlsFailure::OnPurpose(_) | InboundTlsFailure::AgreedOnPurpose => "mxray, on purpose",
        InboundTlsFailure::NothingInCommon(_) | InboundTlsFailure::TimedOut => "mxray, at a limit of its own",
        InboundTlsFailure::Stopped => "mxray, as it stopped",
    }
}

/// What a session came to.
pub fn result_words(result: SessionResult) -> &'static str {
    match result {
        SessionResult::MailInTls => "MAIL inside TLS",
        SessionResult::MailInClear => "MAIL in clear",
        SessionResult::TlsWithoutMail => "TLS and no MAIL",
        SessionResult::HandshakeFailed => "a handshake that failed",
        SessionResult::Nothing => "a session without TLS and MAIL",
    }
}

/// What came after a session without MAIL.
pub fn comeback_words(comeback: &Comeback) -> String {
    match comeback {
        Comeback::NothingCame => "nothing came; what became of the mail is not seen here".to_string(),
        Comeback::RunEnded => "not determined, the run ended before --watch was over".to_string(),
        Comeback::Again { after_s, result, other_offer } => {
            let again = if *result == SessionResult::HandshakeFailed { " again" } else { "" };
            let offer = if *other_offer == Some(true) { ", with another offer" } else { "" };
            format!("{}{again} {after_s} s later{offer}", result_words(*result))
        }
    }
}

/// What came after all sessions without MAIL of one sender, in their order: what it did when
/// it came again, and how it went on after the last; empty if there are none.
pub fn comebacks_words(comebacks: &[Comeback]) -> String {
    let Some(last) = comebacks.last() else { return String::new() };
    let again: Vec<(i64, SessionResult)> = comebacks
        .iter()
        .filter_map(|one| match one {
            Comeback::Again { after_s, result, .. } => Some((*after_s, *result)),
            Comeback::NothingCame | Comeback::RunEnded => None,
        })
        .collect();
    if again.len() < 2 && comebacks.len() < 2 {
        return comeback_words(last);
    }
    let results = [SessionResult::MailInTls, SessionResult::MailInClear, SessionResult::TlsWithoutMail];
    let parts = results.iter().filter_map(|result| {
        let count = again.iter().filter(|(_, one)| one == result).count() as u64;
        (count > 0).then(|| format!("{} with {}", grouped(count), result_words(*result)))
    });
    let parts: Vec<String> = parts.collect();
    let what = if parts.is_empty() { "never with TLS or MAIL".to_string() } else { parts.join(", ") };
    let times = again.iter().take(TIMES_TOLD_MAX).map(|(after_s, _)| format!("{after_s} s"));
    let mut times: Vec<String> = times.collect();
    if again.len() > TIMES_TOLD_MAX {
        times.push("…".to_string());
    }
    let came = match again.len() {
        0 => String::new(),
        1 => format!("it came again once (after {}), {what}; ", times.join(", ")),
        count => {
            format!("it came again {} times (after {}), {what}; ", grouped(count as u64), times.join(", "))
        }
    };
    match last {
        Comeback::Again { .. } => came.trim_end_matches("; ").to_string(),
        Comeback::NothingCame if again.is_empty() => comeback_words(last),
        Comeback::NothingCame => format!("{came}then {}", comeback_words(last)),
        Comeback::RunEnded => format!("{came}after that {}", comeback_words(last)),
    }
}

/// The kind of what came, to be counted.
pub fn comeback_kind(comeback: &Comeback) -> Cow<'static, str> {
    match comeback {
        Comeback::NothingCame => "nothing came within --watch".into(),
        Comeback::RunEnded => "not determined: the run ended before --watch was over".into(),
        Comeback::Again { result, .. } => format!("it came again, with {}", result_words(*result)).into(),
    }
}

/// How a session ended.
pub fn end_words(end: InboundEnd) -> &'static str {
    match end {
        InboundEnd::Quit => "ended by QUIT",
        InboundEnd::Closed => "closed without QUIT",
        InboundEnd::Reset => "reset without QUIT",
        InboundEnd::TimedOut => "silent until our time limit",
        InboundEnd::Limit => "ended at a limit of ours",
        InboundEnd::ByUs => "ended by us",
        InboundEnd::Protocol => "ended over what the client said",
    }
}

/// The domain of a path.
pub fn domain_words(domain: &PathDomain) -> &str {
    match domain {
        PathDomain::Null => "<>",
        PathDomain::Missing => "an address without a domain",
        PathDomain::Unreadable => "an address whose domain cannot be read",
        PathDomain::Domain(domain) => domain.as_str(),
    }
}

/// What connectors make of one MAIL to one recipient domain.
pub fn verdict_words(verdict: &InboundVerdict) -> String {
    let joint = if matches!(verdict, InboundVerdict::Accepted(_)) { " " } else { ": " };
    format!("{}{joint}{}", verdict_title(verdict), verdict_why(verdict))
}

/// The verdict in a word or two.
pub fn verdict_title(verdict: &InboundVerdict) -> &'static str {
    match verdict {
        InboundVerdict::Accepted(_) => "accepted",
        InboundVerdict::Rejected(_) => "rejected",
        InboundVerdict::NotDetermined(_) => "not determined",
    }
}

/// By what, for what, or why not.
pub fn verdict_why(verdict: &InboundVerdict) -> String {
    match verdict {
        InboundVerdict::Accepted(InboundAcceptance::Ordinary) => "as ordinary mail".to_string(),
        InboundVerdict::Accepted(InboundAcceptance::Connectors(names)) => {
            let names: Vec<_> = names.iter().map(|name| printable(name)).collect();
            format!("by {}", names.join(" or "))
        }
        InboundVerdict::Rejected(refusals) => {
            let refusals: Vec<String> = refusals.iter().map(refusal_words).collect();
            refusals.join(" or ")
        }
        InboundVerdict::NotDetermined(cause) => cause_words(*cause).to_string(),
    }
}

/// The words behind the codes of a refusal.
pub fn verdict_text(verdict: &InboundVerdict) -> String {
    let InboundVerdict::Rejected(refusals) = verdict else { return String::new() };
    let mut texts: Vec<&str> = refusals.iter().map(|refusal| refusal.text.as_ref()).collect();
    texts.dedup();
    texts.join(" / ")
}

fn refusal_words(refusal: &InboundRefusal) -> String {
    let demand = demand_words(refusal.why);
    match &refusal.connector {
        Some(connector) => format!("{} ({demand} of {})", refusal.code, printable(connector)),
        None => format!("{} ({demand})", refusal.code),
    }
}

fn demand_words(demand: UnmetDemand) -> &'static str {
    match demand {
        UnmetDemand::Tls => "RequireTls",
        UnmetDemand::Certificate => "RestrictDomainsToCertificate",
        UnmetDemand::Address => "RestrictDomainsToIPAddresses",
        UnmetDemand::Relay => {
            "no connector of type OnPremises fits, and the recipient is not the organisation's"
        }
        UnmetDemand::DirectSend => "RejectDirectSend",
    }
}

fn cause_words(cause: InboundCause) -> &'static str {
    match cause {
        InboundCause::KeyNotProven => "the certificate bears the name, and its key is not proven",
        InboundCause::CertificateNotTrusted => {
            "the certificate bears the name, and its chain or its dates do not hold"
        }
        InboundCause::CertificateUnreadable => "the certificate cannot be read",
        InboundCause::NameOutsideSubject => "the name stands in the subject alternative name only",
        InboundCause::SeveralCommonNames => {
            "the subject has several common names, and only some are the name"
        }
        InboundCause::NameInAnotherForm => {
            "a common name has the name in a form that is no plain domain name"
        }
        InboundCause::AssociatedDomain => {
            "of sender and recipient only one is of the domains that a connector is limited to"
        }
        InboundCause::WildcardOnCertificate => "only a wildcard on the certificate stands for the name",
        InboundCause::NameWithoutRestriction => {
            "RequireTls names a certificate that was not shown, and RestrictDomainsToCertificate is off"
        }
        InboundCause::AddressWithoutName => {
            "a connector of type OnPremises names a certificate and addresses, and only the address fits"
        }
        InboundCause::SenderDomain => "the domain of the sender is empty or cannot be read",
        InboundCause::RecipientDomain => "the domain of the recipient cannot be read",
        InboundCause::SeveralConnectors => "several connectors fit and do not agree",
        InboundCause::OnPremisesAndPartner => {
            "a connector of type OnPremises fits, and one of type Partner would refuse"
        }
        InboundCause::NoOnPremisesConnector => {
            "the recipient is not the organisation's, and there is no connector of type OnPremises"
        }
        InboundCause::RelayForStranger => {
            "the recipient is not the organisation's, and neither is the sender"
        }
        InboundCause::DirectSendNotTold => {
            "the sender is the organisation's, and whether RejectDirectSend is on is not told"
        }
    }
}
