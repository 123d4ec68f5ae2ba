//! Who is let in: a number of sessions at once, and fewer from one address.

use super::config::ListenLimits;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The sessions that are under way: no more addresses than sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionPlaces(Arc<Mutex<PlacesTaken>>);

#[derive(Debug, Default)]
struct PlacesTaken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place among the sessions, free again once it is dropped.
#[derive(Debug)]
pub(super) struct SessionPlace {
    admission: SessionPlaces,
    address: IpAddr,
}

impl SessionPlaces {
    /// A place for a client from there, if there is one.
    pub(super) fn enter(&self, address: IpAddr, limits: &ListenLimits) -> Option<SessionPlace> {
        let address = address.to_canonical();
        let mut admitted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = admitted.by_address.get(&address).copied().unwrap_or_default();
        if admitted.all >= limits.sessions || here >= limits.sessions_per_address {
            return None;
        }
        admitted.all += 1;
        admitted.by_address.insert(address, here + 1);
        Some(SessionPlace { admission: self.clone(), address })
    }
}

impl Drop for SessionPlace {
    fn drop(&mut self) {
        let mut admitted = self.admission.0.lock().unwrap_or_else(PoisonError::into_inner);
        admitted.all -= 1;
        if let Some(here) = admitted.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                admitted.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_its_session_is_over() {
        let admission = SessionPlaces::default();
        let limits = ListenLimits { sessions: 3, sessions_per_address: 2, ..ListenLimits::default() };
        let enter = |address: &str| admission.enter(address.parse().unwrap(), &limits);
        let (first, second) = (enter("127.0.0.1"), enter("::ffff:127.0.0.1"));
        assert!(first.is_some() && second.is_some() && enter("127.0.0.1").is_none());
        let third = enter("127.0.0.2");
        assert!(third.is_some() && enter("127.0.0.3").is_none());
        drop(second);
        assert!(enter("127.0.0.3").is_some() && enter("127.0.0.1").is_some());
        drop((first, third));
        assert!(admission.0.lock().unwrap().by_address.is_empty());
    }
}
