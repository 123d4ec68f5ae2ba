//! When the connections to an address begin.
//!
//! What the [`Pacer`](super::pace::Pacer) lets go is a task, and a busy
//! machine runs a task a little later than it is told to. The pause of an
//! address is promised between connections, so it is counted from when they
//! begin.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Addresses whose pause is over are forgotten after so many starts.
const FORGET_EVERY_STARTS: u64 = 10_000;

/// The last start at each address that may still rest.
pub(super) struct Starts {
    interval: Duration,
    begun: Mutex<Begun>,
}

#[derive(Default)]
struct Begun {
    last: HashMap<IpAddr, Instant>,
    count: u64,
}

impl Starts {
    /// With at least so long between two starts at one address; zero for no
    /// pause.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, begun: Mutex::default() }
    }

    /// Waits until the address may be connected to; a connection begins now.
    pub(super) async fn before(&self, ip: IpAddr) {
        if self.interval.is_zero() {
            return;
        }
        while let Some(due) = self.begin(ip, Instant::now()) {
            sleep_until(due).await;
        }
    }

    /// Notes a start, or gives the moment until which the address rests.
    fn begin(&self, ip: IpAddr, now: Instant) -> Option<Instant> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let due = begun.last.get(&ip).map(|last| *last + self.interval);
        if let Some(due) = due.filter(|due| *due > now) {
            return Some(due);
        }
        begun.last.insert(ip, now);
        begun.count += 1;
        if begun.count.is_multiple_of(FORGET_EVERY_STARTS) {
            begun.last.retain(|_, last| *last + self.interval > now);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1);

    #[test]
    fn an_address_rests_from_its_last_start_on() {
        let starts = Starts::new(INTERVAL);
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let begun = Instant::now();
        let late = begun + INTERVAL / 2;
        for (ip, at, due) in [
            (one, begun, None),
            (other, late, None),
            (one, late, Some(begun + INTERVAL)),
            (one, begun + INTERVAL, None),
            (other, begun + INTERVAL, Some(late + INTERVAL)),
            (one, begun + INTERVAL + INTERVAL / 2, Some(begun + 2 * INTERVAL)),
        ] {
            assert_eq!(starts.begin(ip, at), due, "{ip}");
        }
    }

    #[test]
    fn addresses_that_have_rested_are_forgotten() {
        let starts = Starts::new(INTERVAL);
        let begun = Instant::now();
        for number in 0..FORGET_EVERY_STARTS {
            let ip = IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
            starts.begin(ip, begun + INTERVAL * u32::from(number + 1 == FORGET_EVERY_STARTS));
        }
        assert_eq!(starts.begun.lock().unwrap().last.len(), 1);
    }
}
