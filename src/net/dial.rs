//! TCP connect, and what its errors mean.

use super::route::{has_lost_its_way, has_route};
use super::standstill;
use crate::model::{Endpoint, Failure, Kind, Phase};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Connects before `deadline`.
///
/// Commands are small and each waits for its answer, so Nagle's algorithm
/// (RFC 896) would only hold the EHLO back that follows the TLS Finished.
pub(crate) async fn connect(endpoint: Endpoint, deadline: Instant) -> Result<TcpStream, Failure> {
    let connected = standstill::by(deadline, TcpStream::connect(SocketAddr::from(endpoint))).await;
    let stream = match connected {
        None => return Err(Failure::new(Phase::Connect, Kind::Timeout)),
        Some(Err(error)) => {
            let failure = failure(&error, || has_route(endpoint.ip));
            // It may be asked again.
            let lost = failure.kind == Kind::NoRoute && has_lost_its_way(endpoint.ip);
            return Err(if lost { Failure { kind: Kind::LocalError, ..failure } } else { failure });
        }
        Some(Ok(stream)) => stream,
    };
    stream.set_nodelay(true).map_err(|error| failure(&error, || true))?;
    Ok(stream)
}

/// `has_route` says whether this machine has a route there. A router on the
/// way may say the same in other words, and that is no fault of ours.
fn failure(error: &io::Error, has_route: impl FnOnce() -> bool) -> Failure {
    let kind = match error.kind() {
        ErrorKind::ConnectionRefused => Kind::Refused,
        ErrorKind::TimedOut => Kind::Timeout,
        // A reset in answer to the SYN is told as refused. This one came after the
        // connection had opened and before anybody looked: the peer took it, and
        // dropped it instead of a greeting.
        ErrorKind::ConnectionReset => {
            return Failure::new(Phase::Greeting, Kind::Closed).with_detail("connection reset");
        }
        ErrorKind::ConnectionAborted => Kind::Reset,
        _ if !has_route() => Kind::NoRoute,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Kind::Unreachable,
        // Everything else (no descriptor, no port, not permitted) is of this
        // machine, and must not be taken for an answer of the peer.
        _ => Kind::LocalError,
    };
    Failure::new(Phase::Connect, kind).with_detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_this_machine_say_nothing_about_the_peer() {
        for (error, with_route, without) in [
            (ErrorKind::ConnectionRefused, Kind::Refused, Kind::Refused),
            (ErrorKind::ConnectionAborted, Kind::Reset, Kind::Reset),
            (ErrorKind::NetworkUnreachable, Kind::Unreachable, Kind::NoRoute),
            (ErrorKind::HostUnreachable, Kind::Unreachable, Kind::NoRoute),
            (ErrorKind::TimedOut, Kind::Timeout, Kind::Timeout),
            (ErrorKind::AddrNotAvailable, Kind::LocalError, Kind::NoRoute),
            (ErrorKind::PermissionDenied, Kind::LocalError, Kind::NoRoute),
        ] {
            assert_eq!(failure(&error.into(), || true).kind, with_route, "{error:?}");
            assert_eq!(failure(&error.into(), || false).kind, without, "{error:?}");
        }
    }

    #[test]
    fn a_connection_that_was_reset_once_open_has_opened() {
        let failure = failure(&ErrorKind::ConnectionReset.into(), || true);
        assert_eq!((failure.phase, failure.kind), (Phase::Greeting, Kind::Closed));
    }
}
