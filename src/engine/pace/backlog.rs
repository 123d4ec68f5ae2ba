//! Who waits where, and who would be last.
//!
//! An address is asked at its pace, however long its queue is. So a run takes at
//! least as long as its longest queue, and that one must not wait for permits of the
//! global rate behind those who have time. Whoever would not be done by the time at
//! which the global rate has been through all that wait goes first. All of these
//! together can never take the whole rate: each has more to do than its part of it.

use super::limits::Limits;
use super::place::{AskedPlace, BucketKey};
use std::collections::HashMap;
use std::net::IpAddr;

/// As long as fewer wait in all, nobody is late.
const WAITING_MIN: u64 = 1_000;

/// What waits at one network or one operator.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    /// Keys in the queue.
    pub(super) keys: u64,
    /// Domains in the file.
    pub(super) aside: u64,
    /// Addresses that have keys in the queue, or connections open.
    pub(super) addresses: u64,
}

impl Waiting {
    fn is_over(self) -> bool {
        self.keys == 0 && self.aside == 0 && self.addresses == 0
    }
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    groups: HashMap<BucketKey, Waiting>,
    /// Places at each address. Where every name is an operator of its own, many are at
    /// one.
    places: HashMap<IpAddr, u64>,
    /// Keys in the queue, and domains in the file.
    all: u64,
}

impl Backlog {
    /// Keys in the queue, and domains in the file.
    pub(super) fn all(&self) -> u64 {
        self.all
    }

    /// What waits at each network and each operator.
    pub(super) fn groups(&self) -> impl Iterator<Item = (BucketKey, Waiting)> {
        self.groups.iter().map(|(group, waiting)| (*group, *waiting))
    }

    /// Keys that wait at a network, or at an operator.
    pub(super) fn keys(&self, group: BucketKey) -> u64 {
        self.groups.get(&group).map_or(0, |waiting| waiting.keys)
    }

    /// Addresses of it that have keys in the queue, or connections open.
    pub(super) fn addresses(&self, group: BucketKey) -> u64 {
        self.groups.get(&group).map_or(0, |waiting| waiting.addresses)
    }

    pub(super) fn key_came(&mut self, place: AskedPlace) {
        self.all += 1;
        place.groups().for_each(|group| self.groups.entry(group).or_default().keys += 1);
    }

    pub(super) fn key_left(&mut self, place: AskedPlace) {
        self.all = self.all.saturating_sub(1);
        place.groups().for_each(|group| self.change(group, |waiting| waiting.keys -= 1));
    }

    pub(super) fn place_came(&mut self, place: AskedPlace) {
        let at_address = self.places.entry(place.endpoint.ip).or_default();
        *at_address += 1;
        let first = *at_address == 1;
        for group in place.groups().filter(|group| first || group.is_operator()) {
            self.groups.entry(group).or_default().addresses += 1;
        }
    }

    pub(super) fn place_left(&mut self, place: AskedPlace) {
        let ip = place.endpoint.ip;
        let left = self.places.get(&ip).map_or(0, |places| places.saturating_sub(1));
        if left == 0 {
            self.places.remove(&ip);
        } else {
            self.places.insert(ip, left);
        }
        for group in place.groups().filter(|group| left == 0 || group.is_operator()) {
            self.change(group, |waiting| waiting.addresses -= 1);
        }
    }

    /// So many domains wait in the file for this group now.
    pub(super) fn set_aside(&mut self, group: BucketKey, domains: usize) {
        let waiting = self.groups.entry(group).or_default();
        let before = std::mem::replace(&mut waiting.aside, domains as u64);
        self.all = (self.all + domains as u64).saturating_sub(before);
        self.change(group, |_| {});
    }

    fn change(&mut self, group: BucketKey, change: impl FnOnce(&mut Waiting)) {
        if let Some(waiting) = self.groups.get_mut(&group) {
            change(waiting);
            if waiting.is_over() {
                self.groups.remove(&group);
            }
        }
    }

    /// Whether a place belongs to what would not be done by the time at which the
    /// global rate has been through everything.
    pub(super) fn would_be_last(&self, place: AskedPlace, limits: &Limits) -> bool {
        let Some(rate) = limits.rate.filter(|_| self.all >= WAITING_MIN) else { return false };
        let interval_us = limits.per_ip.interval.as_micros();
        let takes_longer = |waiting: &Waiting| {
            let alone = u128::from(waiting.keys + waiting.aside) * interval_us * u128::from(rate.get());
            alone > u128::from(self.all) * 1_000_000 * u128::from(waiting.addresses.max(1))
        };
        place.groups().any(|group| self.groups.get(&group).is_some_and(takes_longer))
    }

    /// Nobody waits any more; addresses with open connections stay.
    pub(super) fn clear(&mut self) {
        self.all = 0;
        self.groups.retain(|_, waiting| {
            (waiting.keys, waiting.aside) = (0, 0);
            !waiting.is_over()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::operators::operator_ids;
    use crate::model::Endpoint;

    fn place(network: u8, last: u8) -> AskedPlace {
        AskedPlace { endpoint: Endpoint { ip: [192, 0, network, last].into(), port: 25 }, operator: None }
    }

    fn group(network: u8) -> BucketKey {
        BucketKey::Network([192, 0, network, 0].into())
    }

    /// A hundred a second in all, one a second to an address.
    #[test]
    fn whoever_needs_longer_than_all_by_the_global_rate_goes_first() {
        let (mut backlog, limits) = (Backlog::default(), Limits::default());
        for last in 0..2 {
            backlog.place_came(place(1, last));
            backlog.place_came(place(2, last));
        }
        // 10,000 take 100 seconds in all; so do a hundred at each of two addresses.
        (0..200).for_each(|_| backlog.key_came(place(1, 0)));
        (0..9_800).for_each(|_| backlog.key_came(place(9, 0)));
        assert!(!backlog.would_be_last(place(1, 1), &limits));
        backlog.set_aside(group(1), 10);
        assert!(backlog.would_be_last(place(1, 1), &limits));
        assert!(!backlog.would_be_last(place(2, 1), &limits));
        let unlimited = Limits { rate: None, ..limits };
        assert!(!backlog.would_be_last(place(1, 1), &unlimited));
        backlog.set_aside(group(1), 0);
        assert!(!backlog.would_be_last(place(1, 1), &limits));
    }

    /// Tenants whose hosts are in domains of their own.
    #[test]
    fn an_address_counts_once_however_many_operators_are_there() {
        let mut backlog = Backlog::default();
        let tenants: Vec<_> =
            operator_ids(3).map(|id| AskedPlace { operator: Some(id), ..place(1, 0) }).collect();
        tenants.iter().chain([&place(1, 1)]).for_each(|tenant| backlog.place_came(*tenant));
        assert_eq!(backlog.addresses(group(1)), 2);
        for (tenant, addresses) in tenants.iter().zip([2, 2, 1]) {
            let operator = tenant.groups().last().unwrap();
            assert_eq!(backlog.addresses(operator), 1);
            backlog.place_left(*tenant);
            assert_eq!((backlog.addresses(group(1)), backlog.addresses(operator)), (addresses, 0));
        }
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut backlog = Backlog::default();
        backlog.place_came(place(1, 1));
        backlog.key_came(place(1, 1));
        assert_eq!(backlog.keys(group(1)), 1);
        backlog.key_left(place(1, 1));
        backlog.place_left(place(1, 1));
        backlog.set_aside(group(2), 3);
        backlog.clear();
        assert!(backlog.groups.is_empty());
        assert_eq!(backlog.all, 0);
    }
}
