//! What a connection says of how the server takes our coming.

use crate::model::{Failure, Kind, Phase};

/// What the end of a connection says of the place where it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The server did with it what it does.
    Served,
    /// It said "not now": 421, or another 4xx instead of going on.
    Complained,
    /// It broke off, or fell silent, before it had answered.
    Dropped,
    /// TCP was refused, or a router said that it cannot be.
    Refused,
    /// TCP did not open in time, or nobody spoke.
    Silent,
    /// Nothing: this machine ended it, or had no way there.
    Nothing,
}

impl Sign {
    /// The sign of a connection that ended by this; `None`: it ran to its end.
    ///
    /// What happens from the handshake on is no complaint of the place: the server
    /// had let TLS begin, and knows the name by then.
    pub fn of(failure: Option<&Failure>) -> Self {
        let Some(Failure { phase, kind, .. }) = failure else { return Self::Served };
        match (phase, kind) {
            (_, Kind::LocalError | Kind::NoRoute | Kind::PrivateAddress | Kind::Blocklisted) => Self::Nothing,
            (Phase::Tls | Phase::AfterTls, _) => Self::Served,
            (_, Kind::Throttled | Kind::Tempfail | Kind::RefusedTemporarily) => Self::Complained,
            (Phase::Connect, Kind::Refused | Kind::Unreachable) => Self::Refused,
            (Phase::Connect | Phase::Greeting, Kind::Timeout) => Self::Silent,
            (Phase::Connect, Kind::Reset)
            | (Phase::Greeting | Phase::Ehlo | Phase::Starttls, Kind::Closed)
            | (Phase::Ehlo | Phase::Starttls, Kind::Timeout) => Self::Dropped,
            _ => Self::Served,
        }
    }

    /// The same, where the server spoke in an earlier connection of the run: if
    /// nobody answers now, that has to do with us.
    pub fn where_it_spoke(self) -> Self {
        if self.met_nobody() { Self::Dropped } else { self }
    }

    /// The same, where this machine's own network may let nothing out.
    pub fn where_nothing_opens(self) -> Self {
        if self.met_nobody() { Self::Nothing } else { self }
    }

    fn met_nobody(self) -> bool {
        matches!(self, Self::Refused | Self::Silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_sign() {
        use Sign::*;
        for (phase, kind, sign) in [
            (Phase::Greeting, Kind::Throttled, Complained),
            (Phase::AfterTls, Kind::Throttled, Served),
            (Phase::Tls, Kind::Throttled, Served),
            (Phase::Greeting, Kind::Tempfail, Complained),
            (Phase::Ehlo, Kind::Tempfail, Complained),
            (Phase::Starttls, Kind::RefusedTemporarily, Complained),
            (Phase::Connect, Kind::Reset, Dropped),
            (Phase::Greeting, Kind::Closed, Dropped),
            (Phase::Starttls, Kind::Timeout, Dropped),
            (Phase::Tls, Kind::Closed, Served),
            (Phase::Tls, Kind::Timeout, Served),
            (Phase::Connect, Kind::Timeout, Silent),
            (Phase::Connect, Kind::Refused, Refused),
            (Phase::Connect, Kind::Unreachable, Refused),
            (Phase::Greeting, Kind::Timeout, Silent),
            (Phase::Greeting, Kind::Rejected, Served),
            (Phase::Starttls, Kind::NotOffered, Served),
            (Phase::Connect, Kind::LocalError, Nothing),
            (Phase::Greeting, Kind::LocalError, Nothing),
            (Phase::Connect, Kind::NoRoute, Nothing),
        ] {
            assert_eq!(Sign::of(Some(&Failure::new(phase, kind))), sign, "{phase}: {kind}");
        }
        assert_eq!(Sign::of(None), Served);
        for sign in [Served, Complained, Dropped, Refused, Silent, Nothing] {
            let nobody = [Refused, Silent].contains(&sign);
            assert_eq!(sign.where_it_spoke(), if nobody { Dropped } else { sign });
            assert_eq!(sign.where_nothing_opens(), if nobody { Nothing } else { sign });
        }
    }
}
