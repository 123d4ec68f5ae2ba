//! What a run comes to in a few lines: what becomes of the mail, and how much of it would
//! pass if TLS were forced.

use super::render::share;
use super::sending::AtLeast;
use super::summary::Summary;
use crate::model::Delivery;
use crate::model::text::{counted, grouped};
use serde::{Serialize, Serializer};

/// The deliveries, best first, with what they mean to whoever reads them first.
const DELIVERIES: [(Delivery, &str); 5] = [
    (Delivery::Encrypted, "goes through TLS"),
    (Delivery::Plaintext, "goes in clear, readable on the way"),
    (Delivery::Deferred, "kept back, returned in the end"),
    (Delivery::Undeliverable, "comes back at once"),
    (Delivery::Undetermined, "not known, for causes that are told"),
];

/// The headline of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// All domains.
    domains: u64,
    /// What becomes of mail to them.
    #[serde(serialize_with = "by_name")]
    mail: [(Delivery, u64); DELIVERIES.len()],
    /// Domains that are not known to take no mail.
    partners: u64,
    /// How many of them pass each strength of forced TLS at least.
    forced_tls_at_least: AtLeast,
}

fn by_name<S: Serializer>(mail: &[(Delivery, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(mail.iter().map(|(delivery, count)| (delivery.name(), count)))
}

impl Summary {
    /// What the run comes to.
    pub fn headline(&self) -> Headline {
        Headline {
            domains: self.domains.total,
            mail: DELIVERIES.map(|(delivery, _)| (delivery, self.deliveries.get(delivery.name()))),
            partners: self.forced_tls.partners,
            forced_tls_at_least: self.forced_tls.at_least,
        }
    }
}

impl Headline {
    /// As lines of at most 80 columns, for mail of `sender`; nothing where there is no
    /// domain.
    pub fn render(&self, sender: &str) -> String {
        if self.domains == 0 {
            return String::new();
        }
        let mut out = format!("Mail of {sender} to {}:\n", counted(self.domains, "domain"));
        for ((delivery, count), (_, means)) in self.mail.iter().zip(DELIVERIES) {
            out.push_str(&row(delivery.name(), *count, self.domains));
            out.push_str(&format!("  {means}\n"));
        }
        if self.partners == 0 {
            return out;
        }
        out.push_str(&format!(
            "If TLS were forced, at this strength at least, of {}:\n{:>34}{:>23}{:>14}\n",
            counted(self.partners, "partner"),
            "pass",
            "fail",
            "not known"
        ));
        for (settings, count) in self.forced_tls_at_least.iter() {
            out.push_str(&row(settings.name(), count.pass, self.partners));
            out.push_str(&format!("{:>14}{:>14}\n", grouped(count.fail), grouped(count.undetermined)));
        }
        out
    }
}

fn row(name: &str, count: u64, whole: u64) -> String {
    format!("  {name:<21}{:>11}{:>7} %", grouped(count), share(count, whole))
}
