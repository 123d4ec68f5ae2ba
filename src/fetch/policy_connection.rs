//! To which address of a policy host a connection opens: each in its turn, until
//! one does. Where none does, it is told apart whether all of that is the host's,
//! or whether another client might have come in.

use super::turns::{FetchTurn, NoTurn, TURN_WAIT_MAX, Turns};
use crate::model::mta_sts::StsFetchFailure;
use crate::model::{Failure, Kind, Phase, ProbeKey};
use crate::net::{Gate, dial};
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Addresses of one policy host that are tried.
pub const POLICY_ADDRESSES_MAX: usize = 8;
/// Longest time for a connection where there is another address to try.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Where a policy host is.
pub(super) struct Places {
    /// Its addresses, in the order in which they are tried.
    pub(super) keys: Vec<ProbeKey>,
    /// Why there may be others that are not tried.
    pub(super) others: Option<String>,
}

/// Why one address did not open.
enum Shut {
    /// By what the host did.
    Host(String),
    /// The host said nothing.
    Silent(String),
    /// This program does not go there, or cannot.
    Ours(String),
    /// This program did not get to it, and may later.
    Late(String),
}

impl Places {
    /// Opens a connection. Waits for the turn are bounded apart; all else is taken
    /// from the time that is `left`.
    ///
    /// # Errors
    /// Why there is none; `None` where only time has run out.
    pub(super) async fn connect(
        self,
        turns: &Turns,
        gate: &Gate,
        left: &mut Duration,
    ) -> Result<(TcpStream, FetchTurn), Option<StsFetchFailure>> {
        let mut waits_until = Instant::now() + TURN_WAIT_MAX;
        let mut shut = Vec::new();
        let tried = self.keys.len().min(POLICY_ADDRESSES_MAX);
        for (index, key) in self.keys.iter().take(tried).enumerate() {
            // The last has all that is left; before it each leaves the others a share.
            let time = match u32::try_from(tried - index) {
                Ok(1) | Err(_) => *left,
                Ok(to_try) => CONNECT_TIME.min(*left / to_try),
            };
            // That all of the run pauses is no wait for a turn.
            match turns.may_begin().await {
                Ok(held) => waits_until += held,
                Err(none) => {
                    shut.push(no_turn(key.endpoint.ip, none));
                    break;
                }
            }
            match open(key, (turns, gate), waits_until, time).await {
                Ok((stream, turn, spent)) => {
                    *left = left.saturating_sub(spent);
                    return Ok((stream, turn));
                }
                Err((why, spent)) => {
                    *left = left.saturating_sub(spent);
                    // Time of connecting is no wait.
                    waits_until += spent;
                    shut.push(why);
                }
            }
        }
        Err(self.none(shut))
    }

    /// What it comes to that none has opened.
    fn none(&self, shut: Vec<Shut>) -> Option<StsFetchFailure> {
        if shut.is_empty() && self.others.is_none() {
            return Some(StsFetchFailure::Unresolved(Failure::new(Phase::Dns, Kind::NoData)));
        }
        let untried = self.keys.len().saturating_sub(POLICY_ADDRESSES_MAX);
        let untried = (untried > 0).then(|| format!("{untried} addresses were not tried"));
        let is_late = shut.iter().any(|why| matches!(why, Shut::Late(_)));
        let is_ours = shut.iter().any(|why| matches!(why, Shut::Ours(_)));
        let is_silent = shut.iter().all(|why| matches!(why, Shut::Silent(_)));
        let is_whole = untried.is_none() && self.others.is_none();
        let told = shut
            .into_iter()
            .map(|(Shut::Host(why) | Shut::Silent(why) | Shut::Ours(why) | Shut::Late(why))| why);
        let told: Vec<String> = told.chain(untried).chain(self.others.clone()).collect();
        let told = told.join("; ");
        if is_late {
            let failure = Failure::new(Phase::Connect, Kind::LocalError).with_detail(told);
            return Some(StsFetchFailure::Unfinished(failure));
        }
        match is_ours || !is_whole {
            true => Some(StsFetchFailure::NotAllowed(told)),
            false if is_silent => None,
            false => Some(StsFetchFailure::Connect(told)),
        }
    }
}

/// Why there was no turn at an address, which says nothing of it.
fn no_turn(ip: IpAddr, none: NoTurn) -> Shut {
    Shut::Late(match none {
        NoTurn::Late => format!("{ip}: its turn did not come within {} s", TURN_WAIT_MAX.as_secs()),
        NoTurn::Rests(why) => why,
    })
}

/// A connection, its turn, and what it took of the time; or why there is none.
async fn open(
    key: &ProbeKey,
    (turns, gate): (&Turns, &Gate),
    waits_until: Instant,
    time: Duration,
) -> Result<(TcpStream, FetchTurn, Duration), (Shut, Duration)> {
    let ip = key.endpoint.ip;
    let tell = |why: &Failure| format!("{ip}: {why}");
    gate.check(key).map_err(|why| (Shut::Ours(tell(&why)), Duration::ZERO))?;
    let patience = waits_until.saturating_duration_since(Instant::now());
    let none = |none| (no_turn(ip, none), Duration::ZERO);
    let turn = turns.take(ip, patience).await.map_err(none)?;
    turns.may_begin().await.map_err(none)?;
    let begun = Instant::now();
    match dial::connect(key.endpoint, begun + time).await {
        Ok(stream) => Ok((stream, turn, begun.elapsed())),
        Err(why) => {
            let is_ours = matches!(why.kind, Kind::NoRoute | Kind::LocalError);
            if !is_ours {
                turn.ended(true);
            }
            let told = tell(&why);
            let shut = match why.kind {
                _ if is_ours => Shut::Ours(told),
                Kind::Timeout => Shut::Silent(told),
                _ => Shut::Host(told),
            };
            Err((shut, begun.elapsed()))
        }
    }
}
