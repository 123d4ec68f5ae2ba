//! The judge of manners: holds a connection log against limits, and says what
//! was too much, with the connections that show it.

use super::log::LoggedConnection;
use crate::model::network;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Most connections that are shown for one violation.
pub const EVIDENCE_MAX: usize = 8;

/// What a client may do to one address, network or operator; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MannersOf {
    /// Most connections at a time.
    pub at_a_time: Option<usize>,
    /// Least time from the beginning of one connection to that of the next.
    pub interval: Option<Duration>,
    /// Most connections that begin in any [`MannersLimits::window`].
    pub in_window: Option<usize>,
}

/// The limits that a log is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MannersLimits {
    /// For the whole lab.
    pub all: MannersOf,
    /// For each address.
    pub address: MannersOf,
    /// For each network: a /24 of IPv4, a /48 of IPv6.
    pub network: MannersOf,
    /// For each operator.
    pub operator: MannersOf,
    /// In which [`MannersOf::in_window`] counts: a minute by default.
    pub window: Duration,
    /// How much later than it began a connection may be in the log, for a busy
    /// machine takes it up late: 100 ms by default. So much may a pause or a
    /// window be too short. It does not count for connections at a time: that one
    /// was left before the next began is looked up when the next is taken up.
    pub late: Duration,
}

impl Default for MannersLimits {
    fn default() -> Self {
        Self {
            all: MannersOf::default(),
            address: MannersOf::default(),
            network: MannersOf::default(),
            operator: MannersOf::default(),
            window: Duration::from_secs(60),
            late: Duration::from_millis(100),
        }
    }
}

/// To whom a limit applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitedTo {
    /// The whole lab.
    All,
    /// An address.
    Address(IpAddr),
    /// A network, by its first address.
    Network(IpAddr),
    /// An operator, by name.
    Operator(String),
}

impl fmt::Display for LimitedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("the lab"),
            Self::Address(ip) => write!(f, "{ip}"),
            Self::Network(ip) => write!(f, "{ip}/{}", if ip.is_ipv4() { 24 } else { 48 }),
            Self::Operator(name) => f.write_str(name),
        }
    }
}

/// What was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// So many connections at a time, the most there were.
    AtATime {
        /// How many there were.
        found: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// So little time between two beginnings, the least there was.
    Interval {
        /// How long it was.
        found: Duration,
        /// How long it has to be.
        allowed: Duration,
    },
    /// One more than is allowed began in so little time, the least there was.
    Window {
        /// From the first to the one that was too many.
        found: Duration,
        /// How many may begin in a window.
        allowed: usize,
    },
}

/// One limit that was not kept to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Whose limit it is.
    pub bucket: LimitedTo,
    /// The worst case.
    pub excess: Excess,
    /// How often it happened.
    pub times: usize,
    /// Connections of the worst case, the last [`EVIDENCE_MAX`] of them.
    pub evidence: Vec<LoggedConnection>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, excess, times, evidence } = self;
        match excess {
            Excess::AtATime { found, allowed } => {
                write!(f, "{bucket}: {found} connections at a time, {allowed} may be")?;
            }
            Excess::Interval { found, allowed } => {
                write!(
                    f,
                    "{bucket}: a connection {found:?} after another, at least {allowed:?} have to pass"
                )?;
            }
            Excess::Window { found, allowed } => {
                write!(f, "{bucket}: {} connections began within {found:?}, {allowed} may", allowed + 1)?;
            }
        }
        write!(f, "; {times} times, at the worst:")?;
        for LoggedConnection { number, opened_us, left_us, own, name, .. } in evidence {
            write!(f, " #{number} {} {name} {opened_us}-{left_us} us,", own.ip())?;
        }
        Ok(())
    }
}

/// Every limit that the connections did not keep to. `operators` says who runs an
/// address; one that is not there has no operator.
pub fn violations(
    log: &[LoggedConnection],
    limits: &MannersLimits,
    operators: &BTreeMap<IpAddr, String>,
) -> Vec<Violation> {
    let mut buckets: BTreeMap<LimitedTo, Vec<&LoggedConnection>> = BTreeMap::new();
    for connection in log {
        let ip = connection.own.ip();
        let mut count = |bucket| buckets.entry(bucket).or_default().push(connection);
        count(LimitedTo::All);
        count(LimitedTo::Address(ip));
        count(LimitedTo::Network(network(ip)));
        if let Some(operator) = operators.get(&ip) {
            count(LimitedTo::Operator(operator.clone()));
        }
    }
    let mut found = Vec::new();
    for (bucket, mut connections) in buckets {
        connections.sort_by_key(|connection| (connection.opened_us, connection.number));
        let of_bucket = match bucket {
            LimitedTo::All => limits.all,
            LimitedTo::Address(_) => limits.address,
            LimitedTo::Network(_) => limits.network,
            LimitedTo::Operator(_) => limits.operator,
        };
        let worst = [
            at_a_time(&connections, of_bucket),
            interval(&connections, of_bucket, limits),
            window(&connections, of_bucket, limits),
        ];
        let of = |worst: Worst| Violation {
            bucket: bucket.clone(),
            excess: worst.excess,
            times: worst.times,
            evidence: worst.evidence.into_iter().rev().take(EVIDENCE_MAX).rev().cloned().collect(),
        };
        found.extend(worst.into_iter().flatten().map(of));
    }
    found
}

/// The worst case of one limit.
struct Worst<'a> {
    excess: Excess,
    times: usize,
    evidence: Vec<&'a LoggedConnection>,
}

fn at_a_time<'a>(connections: &[&'a LoggedConnection], limits: MannersOf) -> Option<Worst<'a>> {
    let allowed = limits.at_a_time?;
    let (mut most, mut times) = (allowed, 0);
    let (mut open, mut evidence): (Vec<&LoggedConnection>, Vec<_>) = Default::default();
    for &connection in connections {
        open.retain(|other| other.left_us > connection.opened_us);
        open.push(connection);
        if open.len() > allowed {
            times += 1;
        }
        if open.len() > most {
            most = open.len();
            evidence = open.clone();
        }
    }
    (times > 0).then_some(Worst { excess: Excess::AtATime { found: most, allowed }, times, evidence })
}

fn interval<'a>(
    connections: &[&'a LoggedConnection],
    limits: MannersOf,
    all: &MannersLimits,
) -> Option<Worst<'a>> {
    let allowed = limits.interval?;
    let (found, times, evidence) = closest(connections, 1, allowed.saturating_sub(all.late))?;
    Some(Worst { excess: Excess::Interval { found, allowed }, times, evidence })
}

fn window<'a>(
    connections: &[&'a LoggedConnection],
    limits: MannersOf,
    all: &MannersLimits,
) -> Option<Worst<'a>> {
    let allowed = limits.in_window?;
    let (found, times, evidence) = closest(connections, allowed, all.window.saturating_sub(all.late))?;
    Some(Worst { excess: Excess::Window { found, allowed }, times, evidence })
}

/// The least time from a connection to the one `apart` further on, how often it is
/// less than `least`, and those from the one to the other.
fn closest<'a>(
    connections: &[&'a LoggedConnection],
    apart: usize,
    least: Duration,
) -> Option<(Duration, usize, Vec<&'a LoggedConnection>)> {
    let times = connections.windows(apart + 1).filter_map(|group| {
        let (first, last) = (group.first()?, group.last()?);
        Some((Duration::from_micros(last.opened_us.saturating_sub(first.opened_us)), group))
    });
    let (mut count, mut worst) = (0, None);
    for (time, group) in times.filter(|(time, _)| *time < least) {
        count += 1;
        if worst.is_none_or(|(known, _)| time < known) {
            worst = Some((time, group));
        }
    }
    worst.map(|(time, group)| (time, count, group.to_vec()))
}

#[cfg(test)]
#[path = "manners_tests.rs"]
mod tests;
