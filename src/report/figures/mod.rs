//! What a report counts: a fold over the rows of a run's tables.
//!
//! The rows say what was judged, so nothing is judged again, and nothing grows with
//! the list but what has a limit here. Certificates come first, then endpoints,
//! then domains.

mod cells;
mod certificates;
mod concern;
mod domains;
mod endpoints;
mod enumeration;
mod forced;
mod operators;
mod partners;
mod timings;

#[cfg(test)]
mod tests;

pub use cells::Cells;
pub use certificates::{
    CERTIFICATES_MAX, CertificateFigures, EXPIRING_MAX, ExpiringCertificate, SOON_DAYS, VERY_SOON_DAYS,
};
pub use concern::{Concern, ConcernKind};
pub use domains::DomainFigures;
pub use endpoints::EndpointFigures;
pub use enumeration::EnumerationFigures;
pub use forced::{ForcedFigures, StrengthFigures};
pub use operators::{OperatorFigures, OperatorRow};
pub use partners::{PARTNERS_SHOWN_MAX, PartnerRow, Partners};
pub use timings::{TIMED, TimingFigures};

/// All that a report counts.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Of `certificates.csv`.
    pub certificates: CertificateFigures,
    /// Of `endpoints.csv`.
    pub endpoints: EndpointFigures,
    /// Of `domains.csv`.
    pub domains: DomainFigures,
    /// Of `suites.csv` and `groups.csv`.
    pub enumeration: EnumerationFigures,
}

impl Figures {
    /// Nothing yet; certificates are looked at as of `at`, in seconds since 1970.
    pub fn new(at: i64) -> Self {
        Self {
            certificates: CertificateFigures::new(at),
            endpoints: EndpointFigures::default(),
            domains: DomainFigures::default(),
            enumeration: EnumerationFigures::default(),
        }
    }

    /// Counts a row of `certificates.csv`, before all rows of the other tables.
    pub fn add_certificate(&mut self, row: &impl Cells) {
        self.certificates.add(row);
    }

    /// Counts a row of `endpoints.csv`.
    pub fn add_endpoint(&mut self, row: &impl Cells) {
        self.endpoints.add(row);
    }

    /// Counts a row of `suites.csv`.
    pub fn add_suite(&mut self, row: &impl Cells) {
        self.enumeration.add_suite(row);
    }

    /// Counts a row of `groups.csv`.
    pub fn add_group(&mut self, row: &impl Cells) {
        self.enumeration.add_group(row);
    }

    /// Says that all rows of `suites.csv` and `groups.csv` are counted.
    pub fn end_enumeration(&mut self) {
        self.enumeration.end();
    }

    /// Counts a row of `domains.csv`, and says what its partner should hear, gravest
    /// first.
    pub fn add_domain(&mut self, row: &impl Cells) -> Vec<Concern> {
        let end = self.certificates.note_domain(row);
        let concerns = concern::concerns(row, end);
        self.domains.add(row, &concerns);
        concerns
    }
}
