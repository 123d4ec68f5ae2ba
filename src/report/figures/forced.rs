//! With how many partners TLS could be forced, at each strength.

use super::cells::Cells;
use super::concern::is_without_mail;
use crate::model::TlsSettings;
use crate::report::tally::Tally;

/// One strength.
#[derive(Clone, Debug, Default)]
pub struct StrengthFigures {
    /// Partners with which mail passes under it.
    pub pass: u64,
    /// Those with which it does not, and why not.
    pub fail: u64,
    /// Those of which that is not known.
    pub undetermined: u64,
}

/// All three, by domain; those that are known to take no mail are no partners.
#[derive(Clone, Debug, Default)]
pub struct ForcedFigures {
    /// Partners in all.
    pub partners: u64,
    /// EncryptionOnly, CertificateValidation, DomainValidation. Whoever passes one
    /// passes those before it.
    pub strengths: [StrengthFigures; 3],
    /// What stops the first strength that is not passed, as `EncryptionOnly:
    /// starttls_not_offered`; each partner once.
    pub stops: Tally,
    /// Why that is not determined.
    pub open: Tally,
}

/// Column of each of [`TlsSettings::FORCED`].
const COLUMNS: [&str; 3] = ["encryption_only", "certificate_validation", "domain_validation"];

/// The first strength that a domain fails; empty if it fails none.
pub(super) fn missed(row: &impl Cells) -> &'static str {
    let both = COLUMNS.into_iter().zip(TlsSettings::FORCED);
    let fails = |column: &str| row.cell(column).split(':').next() == Some("fail");
    both.into_iter().find(|(column, _)| fails(column)).map_or("", |(_, settings)| settings.name())
}

impl ForcedFigures {
    pub(super) fn add(&mut self, row: &impl Cells) {
        if is_without_mail(row) {
            return;
        }
        self.partners += 1;
        let mut stopped = false;
        for ((column, settings), strength) in
            COLUMNS.into_iter().zip(TlsSettings::FORCED).zip(&mut self.strengths)
        {
            let cell = row.cell(column);
            let (value, cause) = cell.split_once(':').unwrap_or((cell, ""));
            let tally = match value {
                "pass" => {
                    strength.pass += 1;
                    continue;
                }
                "fail" => {
                    strength.fail += 1;
                    &mut self.stops
                }
                _ => {
                    strength.undetermined += 1;
                    &mut self.open
                }
            };
            if !std::mem::replace(&mut stopped, true) {
                tally.add(format!("{settings}: {cause}").into());
            }
        }
    }
}
