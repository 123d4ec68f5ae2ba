//! Which resolvers validate: looked at before the first question, and again while
//! others are asked, for it can end, and who gave no answer may give one.

use super::believed;
use super::nameserver::Nameserver;
use super::nameservers::Nameservers;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell, watch};
use tokio::time::Instant;

/// Time after which one that gave no answer is looked at again, at most.
const OPEN_LOOKED_AT_AFTER: Duration = Duration::from_secs(10);

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
            let each = nameservers.all.iter();
            join_all(each.map(|nameserver| look_at(nameservers, nameserver, nameservers.attempts))).await;
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
    /// that was believed is no longer, or one is that was not.
    pub(super) async fn look_again_in_time(&self, nameservers: &Nameservers) -> bool {
        let Ok(mut last) = self.looked_last.try_lock() else { return false };
        let is_open = nameservers.all.iter().any(Nameserver::is_open);
        let after = if is_open { self.checked_after.min(OPEN_LOOKED_AT_AFTER) } else { self.checked_after };
        if last.elapsed() < after {
            return false;
        }
        *last = Instant::now();
        // On the heap: this is rare, and would make every question larger.
        Box::pin(async {
            let open = nameservers.all.iter().filter(|nameserver| nameserver.is_open());
            let looking = join_all(open.map(|nameserver| look_at(nameservers, nameserver, 1)));
            let (ended, begun) = tokio::join!(look_again(nameservers), looking);
            ended || begun.contains(&true)
        })
        .await
    }
}

/// Looks whether one validates that may be believed, and says whether it is believed
/// for that.
async fn look_at(nameservers: &Nameservers, nameserver: &Nameserver, attempts: usize) -> bool {
    if !nameserver.may_be_believed() {
        return false;
    }
    match nameservers.ask_one(&believed::proof(), nameserver, attempts).await {
        Ok(told) if believed::proves(&told.answer) => nameserver.validates(Ok(())),
        Ok(_) => {
            let why = "it does not validate: its answer to `. DNSKEY` came without AD";
            nameserver.validates(Err(why.to_owned()))
        }
        Err(trouble) => {
            nameserver.gave_no_answer(trouble.failure().to_string());
            false
        }
    }
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
