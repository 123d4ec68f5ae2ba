//! Which policies a sender keeps to, and on what it rests that it does.

use crate::model::Basis;
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
}

pub(super) fn basis<T>(stated: &Stated<T>) -> Basis {
    if stated.is_assumed() { Basis::Assumed } else { Basis::Observed }
}
