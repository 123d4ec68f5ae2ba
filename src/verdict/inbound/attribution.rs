//! Which connectors mail comes under, and what becomes of it.

use super::case::{Holds, InboundCase};
use super::{on_premises, partner};
use crate::model::inbound::{InboundAcceptance, InboundCause, InboundRefusal, InboundVerdict, UnmetDemand};
use std::sync::Arc;

/// What becomes of one MAIL to one recipient domain.
pub fn verdict(case: &InboundCase<'_>) -> InboundVerdict {
    let partner = partner::verdict(case);
    match on_premises::fitting(case) {
        Err(cause) => InboundVerdict::NotDetermined(cause),
        Ok(names) if names.is_empty() => {
            let otherwise = || partner.unwrap_or_else(|| ordinary(case));
            relay_refused(case).unwrap_or_else(otherwise)
        }
        Ok(names) => match partner {
            None | Some(InboundVerdict::Accepted(_)) => relayed(case, names),
            Some(_) => InboundVerdict::NotDetermined(InboundCause::OnPremisesAndPartner),
        },
    }
}

/// Mail that a connector of type OnPremises takes.
fn relayed(case: &InboundCase<'_>, names: Vec<Arc<str>>) -> InboundVerdict {
    match case.recipient_is_accepted() {
        Holds::No if !case.sender_is_accepted() => {
            InboundVerdict::NotDetermined(InboundCause::RelayForStranger)
        }
        _ => InboundVerdict::Accepted(InboundAcceptance::Connectors(names)),
    }
}

/// Mail that is not for the organisation, without a connector of type OnPremises; `None`
/// where it is for the organisation, or the file does not tell.
fn relay_refused(case: &InboundCase<'_>) -> Option<InboundVerdict> {
    match case.recipient_is_accepted() {
        Holds::Yes => None,
        Holds::Open(cause) => Some(InboundVerdict::NotDetermined(cause)),
        Holds::No if on_premises::any(case.organisation) => Some(refused(UnmetDemand::Relay)),
        Holds::No => Some(InboundVerdict::NotDetermined(InboundCause::NoOnPremisesConnector)),
    }
}

/// Mail that no connector takes.
fn ordinary(case: &InboundCase<'_>) -> InboundVerdict {
    match (case.sender_is_accepted(), case.organisation.reject_direct_send) {
        (true, Some(true)) => refused(UnmetDemand::DirectSend),
        (true, None) => InboundVerdict::NotDetermined(InboundCause::DirectSendNotTold),
        (true, Some(false)) | (false, _) => InboundVerdict::Accepted(InboundAcceptance::Ordinary),
    }
}

fn refused(why: UnmetDemand) -> InboundVerdict {
    InboundVerdict::Rejected(vec![InboundRefusal::new(why, None)])
}
