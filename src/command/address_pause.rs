//! The pause between two connections to one address, for commands that ask one
//! question after the other. A survey has the
//! [`Pacer`](crate::engine::pace::Pacer), by the same rule.

use crate::interrogate::{Pacing, Pause, PauseCause};
use crate::model::{Failure, ProbeKey};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// When each address was last connected to. There are no more than a target
/// has.
pub(super) struct AddressPause {
    interval: Duration,
    begun: HashMap<IpAddr, Instant>,
    tells: bool,
}

impl AddressPause {
    /// With at least so long between the starts of two connections to one
    /// address; zero for no pause.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, begun: HashMap::new(), tells: false }
    }

    /// The same, and whoever watches is told what a longer pause is for.
    pub(super) fn telling(self) -> Self {
        Self { tells: true, ..self }
    }
}

impl Pacing for AddressPause {
    async fn before(&mut self, ip: IpAddr) {
        if let Some(begun) = self.begun.get(&ip) {
            sleep_until(*begun + self.interval).await;
        }
        self.begun.insert(ip, Instant::now());
    }

    fn pauses(&mut self, key: &ProbeKey, failure: Option<&Failure>, pause: Pause) {
        let Some(failure) = failure.filter(|_| self.tells && !pause.time.is_zero()) else { return };
        let Failure { phase, kind, .. } = failure;
        let (again, option) = match pause.cause {
            PauseCause::Retry => ("asked again", "--retries 0: not at all"),
            PauseCause::SecondLook => ("looked at once more", "--second-look-delay 0s: at once"),
        };
        super::say(format_args!("mxray: {key}: {phase}: {kind}; {again} in {:?} ({option})", pause.time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn one_address_rests_and_another_need_not_wait_for_it() {
        let [first, second] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut rest = AddressPause::new(INTERVAL);
        let mut begun = Vec::new();
        for ip in [first, second, first, first] {
            rest.before(ip).await;
            begun.push((ip, rest.begun[&ip]));
        }
        let of_first: Vec<Instant> = begun.iter().filter(|(ip, _)| *ip == first).map(|(_, at)| *at).collect();
        assert!(of_first.windows(2).all(|pair| pair[1] - pair[0] >= INTERVAL), "{of_first:?}");
        assert!(begun[1].1 < begun[2].1, "the second address is asked while the first rests");
    }

    #[tokio::test]
    async fn without_an_interval_nothing_waits() {
        let mut rest = AddressPause::new(Duration::ZERO);
        let asked = async {
            for _ in 0..1000 {
                rest.before([192, 0, 2, 1].into()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asked).await.unwrap();
    }
}
