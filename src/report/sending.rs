//! What a sender would do, in counts: as it is, and where TLS is forced.

use super::tally::Tally;
use crate::model::{Check, Delivery, ForcedTls, NegotiatedTls, Outcome, PolicyReason, TlsSettings, Verdict};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// How mail is sent, by domain, through the best endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SendingTally {
    /// Version, and suites of the offer that are better than the one agreed
    /// on, as `TLSv1.2, 2 steps down`.
    pub encrypted_with: Tally,
    /// Why not encrypted, as `deferred: no_published_version`.
    pub reasons: Tally,
    /// Codes that the sender would log, as `450 4.4.317`; of domains that are
    /// not determined none.
    pub codes: Tally,
    /// What the verdicts rest on; those not determined rest on nothing.
    pub basis: Tally,
}

impl SendingTally {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        if let Some(session) = &outcome.session {
            self.encrypted_with.add(encrypted_with(session).into());
        }
        if let Some(reason) = outcome.reason {
            self.reasons.add(format!("{}: {reason}", outcome.delivery).into());
        }
        // What is not determined may not be logged at all.
        if let Some(logged) = outcome.logged.as_ref().filter(|_| outcome.delivery != Delivery::Undetermined) {
            self.codes.add_borrowed(&logged.code);
        }
        if let Some(basis) = outcome.basis {
            self.basis.add(basis.name().into());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.encrypted_with.merge(&other.encrypted_with);
        self.reasons.merge(&other.reasons);
        self.codes.merge(&other.codes);
        self.basis.merge(&other.basis);
    }
}

fn encrypted_with(session: &NegotiatedTls) -> String {
    let version = session.version.map_or("version unknown".into(), |version| version.name());
    match session.steps_down {
        None => format!("{version}, suite not known"),
        Some(1) => format!("{version}, 1 step down"),
        Some(steps) => format!("{version}, {steps} steps down"),
    }
}

/// How many partners pass one strength of forced TLS, whatever higher one they pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StrengthCount {
    /// Those to which mail passes.
    pub pass: u64,
    /// Those to which it does not.
    pub fail: u64,
    /// Those of which that is not known.
    pub undetermined: u64,
}

/// The same of each strength, weakest first: whoever passes one passes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtLeast([StrengthCount; TlsSettings::FORCED.len()]);

impl AtLeast {
    /// Each strength with its count.
    pub fn iter(&self) -> impl Iterator<Item = (TlsSettings, StrengthCount)> {
        TlsSettings::FORCED.into_iter().zip(self.0)
    }

    fn add(&mut self, forced: &ForcedTls) {
        for (settings, count) in TlsSettings::FORCED.into_iter().zip(&mut self.0) {
            match forced.check(settings) {
                Check::Pass => count.pass += 1,
                Check::Fail(_) => count.fail += 1,
                Check::Undetermined(_) => count.undetermined += 1,
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (own, others) in self.0.iter_mut().zip(other.0) {
            own.pass += others.pass;
            own.fail += others.fail;
            own.undetermined += others.undetermined;
        }
    }
}

impl Serialize for AtLeast {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(settings, count)| (settings.name(), count)))
    }
}

/// Forced TLS, by domain; those that take no mail are no partners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ForcedTally {
    /// Domains that are partners.
    pub partners: u64,
    /// How many of them pass each strength at least.
    pub at_least: AtLeast,
    /// The highest strength that is known to deliver: `DomainValidation`,
    /// `CertificateValidation`, `EncryptionOnly`, `none`; `undetermined` where
    /// not even EncryptionOnly is known.
    pub strengths: Tally,
    /// What stops the next strength, as `CertificateValidation: expired`.
    pub stops: Tally,
    /// Why the next strength is not determined, in the same words.
    pub open: Tally,
    /// What becomes of mail under the connectors in force, as in the column
    /// `connector_delivery`.
    pub connectors: Tally,
    /// Why it is not delivered, as `deferred: name_mismatch`.
    pub connector_reasons: Tally,
}

impl ForcedTally {
    pub(super) fn add(&mut self, verdict: &Verdict) {
        if let Some(connector) = &verdict.connector {
            self.connectors.add(connector.delivery.name().into());
            if let Some(reason) = &connector.reason {
                self.connector_reasons.add(format!("{}: {reason}", connector.delivery.name()).into());
            }
        }
        // Mail that the sender gives up has a host.
        let given_up = verdict.outcome.reason == Some(PolicyReason::DaneUnusableNoTls.into());
        if verdict.outcome.delivery == Delivery::Undeliverable && !given_up {
            return;
        }
        self.partners += 1;
        self.at_least.add(&verdict.forced);
        let (passed, next) = strength(&verdict.forced);
        let open = matches!(next, Some(Check::Undetermined(_)));
        self.strengths.add(Cow::Borrowed(match passed {
            TlsSettings::None if open => "undetermined",
            TlsSettings::None => "none",
            passed => passed.name(),
        }));
        let higher = TlsSettings::FORCED.into_iter().find(|settings| *settings > passed);
        if let (Some(higher), Some(reason)) = (higher, next.and_then(Check::reason)) {
            let tally = if open { &mut self.open } else { &mut self.stops };
            tally.add(format!("{higher}: {reason}").into());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.partners += other.partners;
        self.at_least.merge(&other.at_least);
        self.strengths.merge(&other.strengths);
        self.stops.merge(&other.stops);
        self.open.merge(&other.open);
        self.connectors.merge(&other.connectors);
        self.connector_reasons.merge(&other.connector_reasons);
    }
}

/// The highest strength that is passed, and what stops the next: for the
/// highest of all nothing does.
fn strength(forced: &ForcedTls) -> (TlsSettings, Option<Check>) {
    let mut passed = TlsSettings::None;
    for settings in TlsSettings::FORCED {
        let check = forced.check(settings);
        if check != Check::Pass {
            return (passed, Some(check));
        }
        passed = settings;
    }
    (passed, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CheckCause, CheckFailure};

    #[test]
    fn the_strength_is_the_highest_that_is_passed() {
        let fail = Check::Fail(CheckFailure::Expired);
        let open = Check::Undetermined(CheckCause::CertificateNotSeen);
        let forced = |first, second, third| ForcedTls {
            encryption_only: first,
            certificate_validation: second,
            domain_validation: third,
        };
        for (forced, expected, stop) in [
            (forced(Check::Pass, Check::Pass, Check::Pass), TlsSettings::DomainValidation, None),
            (forced(Check::Pass, Check::Pass, fail), TlsSettings::CertificateValidation, Some(fail)),
            (forced(Check::Pass, open, open), TlsSettings::EncryptionOnly, Some(open)),
            (forced(fail, fail, fail), TlsSettings::None, Some(fail)),
        ] {
            assert_eq!(strength(&forced), (expected, stop));
        }
    }
}
