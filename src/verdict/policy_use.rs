//! Which policies a sender keeps to, and on what it rests that it does.

use crate::model::connector::{MtaStsMode, SmtpDaneMode};
use crate::model::{Basis, Connector};
use crate::sender::{DaneUse, Sender, Stated};

/// DANE and MTA-STS as one sender uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PolicyUse {
    /// Whether TLSA records count, and what is done without them.
    pub dane: DaneUse,
    /// On what that rests.
    pub dane_basis: Basis,
    /// Whether policies of MTA-STS count.
    pub mta_sts: bool,
    /// On what that rests.
    pub mta_sts_basis: Basis,
}

impl PolicyUse {
    pub(super) fn of(sender: &Sender) -> Self {
        Self {
            dane: sender.dane.value,
            dane_basis: basis(&sender.dane),
            mta_sts: sender.mta_sts.value,
            mta_sts_basis: basis(&sender.mta_sts),
        }
    }

    /// The same of mail under a connector; what the sender does not use, no
    /// connector brings in.
    pub(super) fn under(sender: &Sender, connector: &Connector) -> Self {
        let own = Self::of(sender);
        let dane = match (own.dane, connector.smtp_dane_mode) {
            (DaneUse::No, _) | (_, SmtpDaneMode::None) => DaneUse::No,
            (_, SmtpDaneMode::Mandatory) => DaneUse::Mandatory,
            (own, _) => own,
        };
        let mta_sts = own.mta_sts && connector.mta_sts_mode != MtaStsMode::None;
        // What a connector turns off is off.
        let dane_basis = if dane == own.dane { own.dane_basis } else { Basis::Observed };
        let mta_sts_basis = if mta_sts == own.mta_sts { own.mta_sts_basis } else { Basis::Observed };
        Self { dane, dane_basis, mta_sts, mta_sts_basis }
    }
}

fn basis<T>(stated: &Stated<T>) -> Basis {
    if stated.is_assumed() { Basis::Assumed } else { Basis::Observed }
}
