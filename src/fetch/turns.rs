//! Whose turn it is: a few connections at a time to one address, so many in all,
//! and none to an address that has been silent, or has said that it is asked too
//! often, for a while.
//!
//! Many domains have their policy at one provider: all side by side their fetches
//! would be a burst, and where it is slow or down, one after the other they would
//! wait for hours. Who waits too long, or comes while the address is left alone,
//! gives up, which is told as ours: he may come again.

use crate::model::mta_sts::Fetching;
use quick_cache::sync::Cache;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout};

/// Most connections at a time, to all addresses together.
pub const FETCHES_MAX: usize = 128;
/// Most connections at a time to one address.
const AT_ONE_ADDRESS_MAX: usize = 4;
/// Longest wait for the turns of one fetch, at all its addresses together.
pub(super) const TURN_WAIT_MAX: Duration = Duration::from_secs(300);
/// Fetches in a row without an answer, or with "too many requests", after which an address is left alone.
const SILENCES_MAX: u32 = 3;
/// Addresses of which it is known how they did.
const ADDRESSES_KNOWN_MAX: usize = 4096;

/// The turns at all addresses.
pub(super) struct Turns {
    all: Arc<Semaphore>,
    places: Cache<IpAddr, Arc<Place>>,
    rest: Duration,
    fetching: watch::Sender<Fetching>,
}

struct Place {
    turn: Arc<Semaphore>,
    /// Silences in a row, and when the last of them ended.
    silences: Mutex<(u32, Instant)>,
}

impl Default for Place {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(AT_ONE_ADDRESS_MAX)), silences: Mutex::new((0, Instant::now())) }
    }
}

/// A turn that lasts until this is dropped.
pub(super) struct FetchTurn {
    place: Arc<Place>,
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// Why there is no turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoTurn {
    /// It did not come in time.
    Late,
    /// Nobody is to go there for now; why.
    Rests(String),
}

impl FetchTurn {
    /// The connection has ended, and the address was silent, or said that it is asked
    /// too often, or neither.
    pub(super) fn ended(self, was_silent: bool) {
        let mut silences = self.place.silences.lock().unwrap_or_else(PoisonError::into_inner);
        *silences = (if was_silent { silences.0.saturating_add(1) } else { 0 }, Instant::now());
    }
}

impl Turns {
    /// An address that has been silent is left alone for `rest`.
    pub(super) fn new(rest: Duration) -> Self {
        let all = Arc::new(Semaphore::new(FETCHES_MAX));
        Self { all, places: Cache::new(ADDRESSES_KNOWN_MAX), rest, fetching: watch::Sender::default() }
    }

    /// From now on it is done so.
    pub(super) fn set_fetching(&self, fetching: Fetching) {
        self.fetching.send_replace(fetching);
    }

    /// Waits until connections may begin; gives how long that took.
    ///
    /// # Errors
    /// [`NoTurn::Rests`]: none does any more.
    pub(super) async fn may_begin(&self) -> Result<Duration, NoTurn> {
        let begun = Instant::now();
        let mut fetching = self.fetching.subscribe();
        let waiting = fetching.wait_for(|fetching| *fetching != Fetching::Waits);
        match waiting.await.map(|now| *now) {
            Ok(Fetching::Begins) => Ok(begun.elapsed()),
            _ => Err(NoTurn::Rests("the run was stopped before it might be asked".to_owned())),
        }
    }

    /// Waits for the turn at an address, for `patience` at most.
    ///
    /// # Errors
    /// [`NoTurn`].
    pub(super) async fn take(&self, ip: IpAddr, patience: Duration) -> Result<FetchTurn, NoTurn> {
        timeout(patience, self.take_in_time(ip)).await.map_err(|_| NoTurn::Late)?
    }

    async fn take_in_time(&self, ip: IpAddr) -> Result<FetchTurn, NoTurn> {
        // It cannot fail.
        let made = self.places.get_or_insert_with(&ip, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let place: Arc<Place> = match made {
            Ok(place) => place,
            Err(never) => match never {},
        };
        // Neither is ever closed.
        let here = place.turn.clone().acquire_owned().await.map_err(|_| NoTurn::Late)?;
        let silences = *place.silences.lock().unwrap_or_else(PoisonError::into_inner);
        if rests(silences, Instant::now(), self.rest) {
            let (silences, rest) = (silences.0, self.rest);
            return Err(NoTurn::Rests(format!(
                "{ip} did not answer {silences} fetches in a row, or with 429, and is not asked for {rest:?}"
            )));
        }
        let in_all = self.all.clone().acquire_owned().await.map_err(|_| NoTurn::Late)?;
        Ok(FetchTurn { place, _permits: (here, in_all) })
    }
}

/// Whether an address with so many silences, the last of which ended then, is left
/// alone.
fn rests((silences, last): (u32, Instant), now: Instant, rest: Duration) -> bool {
    silences >= SILENCES_MAX && now.saturating_duration_since(last) < rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const REST: Duration = Duration::from_secs(300);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[tokio::test]
    async fn a_few_go_to_an_address_at_a_time() {
        let turns = Turns::new(REST);
        let mut under_way = Vec::new();
        for _ in 0..AT_ONE_ADDRESS_MAX {
            under_way.push(turns.take(HERE, REST).await.ok().unwrap());
        }
        assert!(turns.take(THERE, REST).await.is_ok());
        assert!(turns.take(HERE, REST).now_or_never().is_none());
        assert_eq!(turns.take(HERE, Duration::from_millis(1)).await.err(), Some(NoTurn::Late));
        under_way.pop().unwrap().ended(false);
        assert!(turns.take(HERE, REST).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_to_wait_begins_when_it_may_or_ends() {
        let turns = Turns::new(REST);
        assert_eq!(turns.may_begin().now_or_never(), Some(Ok(Duration::ZERO)));
        turns.set_fetching(Fetching::Waits);
        let later = async {
            tokio::time::sleep(REST).await;
            turns.set_fetching(Fetching::Begins);
        };
        let (waited, ()) = tokio::join!(turns.may_begin(), later);
        assert_eq!(waited, Ok(REST));
        turns.set_fetching(Fetching::Waits);
        let (ended, ()) = tokio::join!(turns.may_begin(), async { turns.set_fetching(Fetching::Ends) });
        assert!(ended.is_err());
    }

    #[tokio::test]
    async fn who_is_silent_is_left_alone_for_a_while() {
        let turns = Turns::new(REST);
        for was_silent in [true, true, false, true, true, true] {
            turns.take(HERE, REST).await.ok().unwrap().ended(was_silent);
        }
        let Some(NoTurn::Rests(why)) = turns.take(HERE, REST).await.err() else { panic!("asked") };
        assert_eq!(
            why,
            "127.0.0.1 did not answer 3 fetches in a row, or with 429, and is not asked for 300s"
        );
        assert!(turns.take(THERE, REST).await.is_ok());
        let now = Instant::now();
        let later = now + REST;
        assert_eq!(
            [rests((3, now), now, REST), rests((2, now), now, REST), rests((3, now), later, REST)],
            [true, false, false]
        );
    }
}
