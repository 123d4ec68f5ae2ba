//! What the end of a connection says of its place.

use super::Pipeline;
use crate::engine::coalesce::KeyId;
use crate::engine::meters::WaitingCounts;
use crate::engine::pace::{AskedPlace, BucketKey, Change, Sign};
use crate::engine::place_book::PlaceStanding;
use crate::interrogate::ConnectionResult;
use crate::stage::{Lookup, Probe};

impl<L: Lookup, P: Probe> Pipeline<L, P> {
    /// Says what is left, and who waits.
    pub(super) fn look_ahead(&self) {
        self.outlook.tell(&self.pacer, &self.counts, self.held_for_samples(), &self.progress);
        self.progress.meters().set_waiting(WaitingCounts {
            queued: self.pacer.queued(),
            domains: self.joiner.len() as u64,
            in_file: self.spill.len() as u64,
        });
    }

    pub(super) fn connection_ended(&mut self, id: KeyId, place: AskedPlace, answer: &ConnectionResult) {
        self.progress.meters().connection_ended(answer.failure());
        if let Some(key) = self.keys.key(id) {
            self.addresses.note(key.endpoint, answer.said_of_tls());
            self.reach.connection_ended(key.endpoint.ip, answer.failure());
        }
        let spoke = self.keys.key(id).is_some_and(|key| self.addresses.spoke(key.endpoint));
        let sign = Sign::of(answer.failure());
        let sign = if spoke { sign.where_it_spoke() } else { sign };
        let suspect = self.reach.is_suspect(place.endpoint.ip);
        let sign = if suspect { sign.where_nothing_opens() } else { sign };
        for (bucket, change) in self.pacer.finished(id, place, sign) {
            self.place_changed(id, bucket, change, answer);
        }
        self.progress.set_cool_downs(self.pacer.cool_downs());
        self.progress.set_in_flight(self.pacer.open());
    }

    /// Notes how it stands with a place that complains, or where nobody answers, after
    /// a connection to a key there.
    fn place_changed(&mut self, id: KeyId, bucket: BucketKey, change: Change, answer: &ConnectionResult) {
        let Some(key) = self.keys.key(id) else { return };
        let name = bucket.name(Some(key));
        tracing::info!(place = name, ?change, "how it stands with a place");
        match (bucket, change) {
            (BucketKey::Endpoint(_), Change::GivesUp) => self.nobody_there.note(key, answer),
            (BucketKey::Endpoint(_), _) => {}
            (_, change) => {
                if change == Change::GivesUp {
                    self.counts.given_up.add(name.clone());
                }
                let later = self.pacer.for_later(bucket);
                let standing = later.map(|(left, complaints)| PlaceStanding::new(left, complaints));
                self.progress.place_changed(name, change, standing);
            }
        }
    }
}
