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
        Ok(names) if names.is_empty() => match (relay_refused(case), partner) {
            (Some(InboundVerdict::Rejected(relay)), Some(InboundVerdict::Rejected(partner))) => {
                InboundVerdict::Rejected([partner, relay].concat())
            }
            (Some(relay), _) => relay,
            (None, Some(partner)) => partner,
            (None, None) => ordinary(case),
        },
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
    match (case.is_own_mail(), case.organisation.reject_direct_send) {
        (true, Some(true)) => refused(UnmetDemand::DirectSend),
        (true, None) => InboundVerdict::NotDetermined(InboundCause::DirectSendNotTold),
        (true, Some(false)) | (false, _) => InboundVerdict::Accepted(InboundAcceptance::Ordinary),
    }
}

fn refused(why: UnmetDemand) -> InboundVerdict {
    InboundVerdict::Rejected(vec![InboundRefusal::new(why, None)])
}
