//! What becomes of mail under connectors, by the connector and its partner.

use super::tally::Tally;
use crate::model::text::printable;
use crate::model::{ConnectorDelivery, ConnectorVerdict, DomainRecord};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Partners under connectors that are told one by one, those first whose mail does not
/// get through; the rest is only counted, and stands in `domains.csv`.
pub const CONNECTOR_PARTNERS_MAX: usize = 100;

/// A domain under a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectorPartner {
    /// The domain.
    pub domain: String,
    /// Name of the connector that takes its mail.
    pub connector: String,
    /// What becomes of that, as in the column `connector_delivery`.
    pub delivery: &'static str,
    /// Why it is not delivered.
    pub reason: Option<String>,
}

impl fmt::Display for ConnectorPartner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, connector, delivery, reason } = self;
        let reason = reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
        // A connector may have any name.
        f.write_str(&printable(&format!("{domain} by {connector}: {delivery}{reason}")))
    }
}

/// Mail under connectors, in counts, and by partner as far as there is room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectorTally {
    /// Domains that any connector takes.
    pub partners: u64,
    /// By connector and delivery, as `to-contoso: deferred`.
    pub by_connector: Tally,
    /// At most [`CONNECTOR_PARTNERS_MAX`], worst first, then in the order of the list.
    #[serde(rename = "first_partners", serialize_with = "values")]
    shown: BTreeMap<(u8, u64), ConnectorPartner>,
}

fn values<S: serde::Serializer>(
    shown: &BTreeMap<(u8, u64), ConnectorPartner>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(shown.values())
}

/// Worst first.
fn rank(delivery: ConnectorDelivery) -> u8 {
    match delivery {
        ConnectorDelivery::Deferred => 0,
        ConnectorDelivery::Undeliverable => 1,
        ConnectorDelivery::Undetermined => 2,
        ConnectorDelivery::Delivered => 3,
    }
}

impl ConnectorTally {
    pub(super) fn add(&mut self, record: &DomainRecord) {
        let Some(verdict) = &record.verdict.connector else { return };
        let ConnectorVerdict { name, delivery, reason, .. } = verdict;
        self.partners += 1;
        let told = format!("{name}: {}", delivery.name());
        self.by_connector.add_borrowed(&printable(&told));
        let target = &record.facts.target;
        let order = (rank(*delivery), target.line);
        if self.has_room_for(order) {
            let partner = ConnectorPartner {
                domain: target.subject.label(),
                connector: name.to_string(),
                delivery: delivery.name(),
                reason: reason.clone(),
            };
            self.show(order, partner);
        }
    }

    fn has_room_for(&self, order: (u8, u64)) -> bool {
        let last = self.shown.last_key_value();
        self.shown.len() < CONNECTOR_PARTNERS_MAX || last.is_some_and(|(last, _)| order < *last)
    }

    fn show(&mut self, order: (u8, u64), partner: ConnectorPartner) {
        self.shown.insert(order, partner);
        if self.shown.len() > CONNECTOR_PARTNERS_MAX {
            self.shown.pop_last();
        }
    }

    /// Those that are told one by one.
    pub fn shown(&self) -> impl ExactSizeIterator<Item = &ConnectorPartner> {
        self.shown.values()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.partners += other.partners;
        self.by_connector.merge(&other.by_connector);
        other.shown.iter().for_each(|(order, partner)| self.show(*order, partner.clone()));
    }
}
