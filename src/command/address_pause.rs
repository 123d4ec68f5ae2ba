//! The pause between two connections to one address, for commands that ask one
//! question after the other. A survey has the
//! [`Pacer`](crate::engine::pace::Pacer), by the same rule.

use crate::interrogate::{Pacing, Pause, PauseCause};
use crate::model::{Failure, ProbeKey};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// When each address was last connected to, and which keys wait to be asked
/// again. There are no more than a target has.
pub(super) struct AddressPause {
    interval: Duration,
    begun: HashMap<IpAddr, Instant>,
    waiting: IndexMap<ProbeKey, PauseCause>,
    stop: CancellationToken,
    tells: bool,
}

impl AddressPause {
    /// With at least so long between the starts of two connections to one
    /// address; zero for no pause.
    pub(super) fn new(interval: Duration) -> Self {
        let (begun, waiting) = (HashMap::new(), IndexMap::new());
        Self { interval, begun, waiting, stop: CancellationToken::new(), tells: false }
    }

    /// The same, and whoever watches is told what a longer pause is for.
    pub(super) fn telling(self) -> Self {
        Self { tells: true, ..self }
    }

    /// The same; after `stop` no connection begins.
    pub(super) fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// What was not done for keys that waited to be asked again, a line each.
    pub(super) fn left_out(&self) -> impl Iterator<Item = String> {
        self.waiting.iter().map(|(key, cause)| match cause {
            PauseCause::Retry => format!("{key}: it was not asked again"),
            PauseCause::SecondLook => format!("{key}: the second look was not made"),
        })
    }
}

impl Pacing for AddressPause {
    async fn before(&mut self, key: &ProbeKey, due: Instant) -> bool {
        let ip = key.endpoint.ip;
        let rested = self.begun.get(&ip).map_or(due, |begun| due.max(*begun + self.interval));
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return false,
            () = sleep_until(rested) => {}
        }
        self.waiting.shift_remove(key);
        self.begun.insert(ip, Instant::now());
        true
    }

    fn pauses(&mut self, key: &ProbeKey, failure: Option<&Failure>, pause: Pause) {
        self.waiting.insert(key.clone(), pause.cause);
        if !self.tells || pause.time.is_zero() {
            return;
        }
        let ended = failure.map_or("a further ClientHello".to_string(), |Failure { phase, kind, .. }| {
            format!("{phase}: {kind}")
        });
        let (again, option) = match pause.cause {
            PauseCause::Retry => ("asked again", "--retries 0: not at all"),
            PauseCause::SecondLook => ("looked at once more", "--second-look-delay 0s: at once"),
        };
        super::say(format_args!("mxray: {key}: {ended}; {again} in {:?} ({option})", pause.time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;

    const INTERVAL: Duration = Duration::from_millis(40);

    fn key(last: u8) -> ProbeKey {
        ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, last].into(), port: 25 }, sni: None }
    }

    #[tokio::test]
    async fn one_address_rests_and_another_need_not_wait_for_it() {
        let [first, second] = [1, 2].map(key);
        let mut rest = AddressPause::new(INTERVAL);
        let mut begun = Vec::new();
        for key in [&first, &second, &first, &first] {
            assert!(rest.before(key, Instant::now()).await);
            begun.push((key, rest.begun[&key.endpoint.ip]));
        }
        let of_first: Vec<Instant> =
            begun.iter().filter(|(key, _)| *key == &first).map(|(_, at)| *at).collect();
        assert!(of_first.windows(2).all(|pair| pair[1] - pair[0] >= INTERVAL), "{of_first:?}");
        assert!(begun[1].1 < begun[2].1, "the second address is asked while the first rests");
    }

    #[tokio::test]
    async fn without_an_interval_nothing_waits() {
        let mut rest = AddressPause::new(Duration::ZERO);
        let asked = async {
            for _ in 0..1000 {
                rest.before(&key(1), Instant::now()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asked).await.unwrap();
    }

    #[tokio::test]
    async fn after_the_stop_nothing_begins_and_what_waited_is_told() {
        let stop = CancellationToken::new();
        let mut rest = AddressPause::new(INTERVAL).until(stop.clone());
        let (hour, now) = (Duration::from_secs(3600), Instant::now());
        for (last, cause) in [(1, PauseCause::SecondLook), (2, PauseCause::Retry), (3, PauseCause::Retry)] {
            rest.pauses(&key(last), None, Pause { time: hour, cause });
        }
        assert!(rest.before(&key(3), now).await, "it is asked again");
        let waits = key(1);
        let (begins, ()) = tokio::join!(rest.before(&waits, now + hour), async { stop.cancel() });
        assert!(!begins, "one that waits when the stop comes");
        assert!(!rest.before(&key(4), now).await, "one that is due");
        let told: Vec<String> = rest.left_out().collect();
        let expected = ["192.0.2.1:25: the second look was not made", "192.0.2.2:25: it was not asked again"];
        assert_eq!(told, expected);
    }
}
