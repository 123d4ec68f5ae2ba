//! Which resolvers validate: looked at before the first question, and again while
//! others are asked, for it can end.

use super::believed;
use super::nameserver::Nameserver;
use super::nameservers::Nameservers;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell, watch};
use tokio::time::Instant;

/// When it was looked who validates.
pub(super) struct Validation {
    /// Time after which those that are believed are looked at again.
    checked_after: Duration,
    /// Set once it was looked who validates; and for those who wait for that.
    looked: OnceCell<()>,
    looked_for_all: watch::Sender<bool>,
    /// When it was looked last; who looks again holds the lock.
    looked_last: Mutex<Instant>,
}

impl Validation {
    /// Nobody has looked yet.
    pub(super) fn new(checked_after: Duration) -> Self {
        Self {
            checked_after,
            looked: OnceCell::new(),
            looked_for_all: watch::Sender::default(),
            looked_last: Mutex::new(Instant::now()),
        }
    }

    /// Looks, the first time, which of those that may be believed validate.
    pub(super) async fn look_once(&self, nameservers: &Nameservers) {
        let looking = || async {
            join_all(nameservers.all.iter().map(|nameserver| look_at(nameservers, nameserver))).await;
        };
        self.looked.get_or_init(looking).await;
        self.looked_for_all.send_if_modified(|looked| !std::mem::replace(looked, true));
    }

    /// Waits until somebody has looked, which the first question has done.
    pub(super) async fn looked_at(&self) {
        // The other end is here.
        let _ = self.looked_for_all.subscribe().wait_for(|looked| *looked).await;
    }

    /// Looks again, where it is time, unless somebody does; and says whether one
    /// that was believed is no longer.
    pub(super) async fn look_again_in_time(&self, nameservers: &Nameservers) -> bool {
        let Ok(mut last) = self.looked_last.try_lock() else { return false };
        if last.elapsed() < self.checked_after {
            return false;
        }
        *last = Instant::now();
        // On the heap: this is rare, and would make every question larger.
        Box::pin(look_again(nameservers)).await
    }
}

async fn look_at(nameservers: &Nameservers, nameserver: &Nameserver) {
    if !nameserver.may_be_believed() {
        return;
    }
    let told = nameservers.ask_one(&believed::proof(), nameserver, nameservers.attempts).await;
    nameserver.validates(match told {
        Ok(told) if believed::proves(&told.answer) => Ok(()),
        Ok(_) => Err("it does not validate: its answer to `. DNSKEY` came without AD".to_owned()),
        Err(trouble) => Err(format!("it gave no answer to `. DNSKEY`: {}", trouble.failure())),
    });
}

/// Looks whether those that are believed still validate, and says whether one does
/// not. Who does not is not believed from there on; that one gives no answer says
/// nothing.
pub(super) async fn look_again(nameservers: &Nameservers) -> bool {
    let believed = nameservers.all.iter().filter(|nameserver| nameserver.is_believed());
    let looking = believed.map(|nameserver| async move {
        let told = nameservers.ask_one(&believed::proof(), nameserver, 1).await;
        told.is_ok_and(|told| !believed::proves(&told.answer)) && nameserver.stops_validating()
    });
    join_all(looking).await.contains(&true)
}
