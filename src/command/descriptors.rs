//! How many connections and questions fit into the open files that the system
//! grants, so that a lack of them is said before the run and not found in its
//! results.

/// Open files that a survey asks for; each connection is one, each question
/// to the DNS up to [`PER_QUESTION`].
const WANTED: u64 = 65_536;

/// Those of the run directory, the streams and the runtime, and to spare.
const OTHERS: usize = 32;

/// Sockets of one question to the DNS while its server is silent.
const PER_QUESTION: usize = 3;

/// What fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) connections: usize,
    /// Those beside them that are open for long.
    pub(super) slow: usize,
    pub(super) questions: usize,
}

/// Raises the soft limit as far as the hard one lets it; gives what it is, if
/// the system says.
pub(super) fn raise() -> Option<u64> {
    rlimit::increase_nofile_limit(WANTED).ok()
}

impl Share {
    /// As much of it as `limit` open files have room for: connections get at
    /// most half, unless the questions need less than the other; those that are open
    /// for long get what is left.
    pub(super) fn within(self, limit: Option<u64>) -> Self {
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let room = limit.saturating_sub(OTHERS);
        let for_questions = self.questions.saturating_mul(PER_QUESTION);
        let connections = self.connections.min((room / 2).max(room.saturating_sub(for_questions)));
        let questions = self.questions.min(room.saturating_sub(connections) / PER_QUESTION);
        let slow = self.slow.min(room.saturating_sub(connections + questions * PER_QUESTION));
        Self { connections: connections.max(1), slow, questions: questions.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_is_shared() {
        let wanted = Share { connections: 1000, slow: 4000, questions: 1024 };
        let share = |limit| wanted.within(limit);
        assert_eq!((share(None), share(Some(u64::MAX)), share(Some(8104))), (wanted, wanted, wanted));
        assert_eq!(share(Some(8103)), Share { slow: 3999, ..wanted });
        assert_eq!(share(Some(4104)), Share { slow: 0, ..wanted });
        assert_eq!(share(Some(1024)), Share { connections: 496, slow: 1, questions: 165 });
        assert_eq!(share(Some(64)), Share { connections: 16, slow: 1, questions: 5 });
        assert_eq!(share(Some(0)), Share { connections: 1, slow: 0, questions: 1 });
        let many = Share { connections: 10_000, slow: 10, questions: 10 };
        assert_eq!(many.within(Some(4128)), Share { connections: 4066, slow: 0, questions: 10 });
    }
}
