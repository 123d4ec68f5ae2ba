//! DANE, MTA-STS and TLS-RPT over the domains of a run, in counts.

use super::tally::Tally;
use crate::model::mta_sts::{Published, StsMode};
use crate::model::{Authenticated, DaneStand, DomainFacts, DomainRecord, PolicyVerdict, StsStand};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Display;

/// What the domains publish, and by what the sender knows their hosts. A name is a
/// class, or a class and what stands in the column, as `failing: mismatch`.
/// Domains without a host that could be asked are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyTally {
    /// Of domains whose mail goes through TLS: `dane`, `sts`, `none`,
    /// `undetermined`.
    pub authenticated: Tally,
    /// Of the host that decides: `matched`, `failing`, `unusable`, `insecure`
    /// (records for which nobody vouches), `none`, `undetermined`, `not asked`.
    pub dane: Tally,
    /// By the mode of the policy where there is one, as `enforce` and `enforce,
    /// failing`; `faulty`, `none`, `undetermined`, `not asked`.
    pub mta_sts: Tally,
    /// `yes`, `faulty`, `none`, `undetermined`, `not asked`.
    pub tls_rpt: Tally,
}

type PolicyWord = Cow<'static, str>;

const NOT_ASKED: PolicyWord = Cow::Borrowed("not asked");
const NONE: PolicyWord = Cow::Borrowed("none");

impl PolicyTally {
    pub(super) fn add(&mut self, record: &DomainRecord) {
        let (facts, policies) = (&record.facts, &record.verdict.policies);
        if let Some(known) = policies.authenticated {
            self.authenticated.add(authenticated(known));
        }
        // What is bogus leaves no host, and is told all the same.
        if let Some(name) = policies.dane.map(dane).or_else(|| is_unasked(facts).then_some(NOT_ASKED)) {
            self.dane.add(name);
        }
        // Nobody asks what follows from a domain without a host.
        if facts.failure.is_none() {
            self.mta_sts.add(mta_sts(policies));
            self.tls_rpt.add(tls_rpt(facts));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.authenticated.merge(&other.authenticated);
        self.dane.merge(&other.dane);
        self.mta_sts.merge(&other.mta_sts);
        self.tls_rpt.merge(&other.tls_rpt);
    }

    /// Whether nobody asked at any domain.
    pub(super) fn is_unasked(tally: &Tally) -> bool {
        tally.total() > 0 && tally.get(&NOT_ASKED) == tally.total()
    }

    /// What nobody asked for at any domain.
    pub(super) fn unasked(&self) -> Vec<&'static str> {
        let parts = [("DANE", &self.dane), ("MTA-STS", &self.mta_sts), ("TLS-RPT", &self.tls_rpt)];
        parts.into_iter().filter(|(_, tally)| Self::is_unasked(tally)).map(|(title, _)| title).collect()
    }

    /// The classes of a tally, without what stands in the columns.
    pub(super) fn classes(tally: &Tally) -> Tally {
        let mut classes = Tally::default();
        for (name, count) in tally.sorted() {
            classes.add_borrowed_many(name.split_once(':').map_or(name, |(class, _)| class), count);
        }
        classes
    }
}

fn open(cause: impl Display) -> PolicyWord {
    format!("undetermined: {cause}").into()
}

fn of_class(class: &str, stand: impl Display) -> PolicyWord {
    format!("{class}: {stand}").into()
}

fn authenticated(known: Authenticated) -> PolicyWord {
    match known {
        Authenticated::None => NONE,
        Authenticated::Sts => "sts".into(),
        Authenticated::Dane => "dane".into(),
        Authenticated::NotAsked => open("not_asked"),
        Authenticated::Undetermined(cause) => open(cause),
    }
}

/// Whether there are hosts, and nobody asked for their TLSA records.
fn is_unasked(facts: &DomainFacts) -> bool {
    facts.failure.is_none() && facts.exchanges.iter().all(|exchange| exchange.tlsa.is_none())
}

fn dane(stand: DaneStand) -> PolicyWord {
    match stand {
        DaneStand::Matched => "matched".into(),
        DaneStand::Absent => NONE,
        // As at most domains: nothing is made for it.
        DaneStand::InsecureAddresses => "none: insecure_addresses".into(),
        DaneStand::Unusable => "unusable".into(),
        DaneStand::Insecure => "insecure".into(),
        DaneStand::InsecureMx => of_class("insecure", stand),
        DaneStand::Undetermined(reason) => open(reason),
        failing => of_class("failing", failing),
    }
}

fn mta_sts(policies: &PolicyVerdict) -> PolicyWord {
    let Some(stand) = policies.mta_sts else { return NOT_ASKED };
    match (stand, policies.mta_sts_mode) {
        (StsStand::Absent, _) => NONE,
        (StsStand::Undetermined(reason), _) => open(reason),
        (StsStand::Valid, Some(StsMode::None)) => "mode none".into(),
        (StsStand::Valid, Some(mode)) => mode.name().into(),
        (failing, Some(mode)) => of_class(&format!("{}, failing", mode.name()), failing),
        (faulty, None) => of_class("faulty", faulty),
    }
}

fn tls_rpt(facts: &DomainFacts) -> PolicyWord {
    match &facts.tls_rpt {
        None => NOT_ASKED,
        Some(Published::Absent) => NONE,
        Some(Published::Record(_)) => "yes".into(),
        Some(Published::Faulty(fault)) => of_class("faulty", fault.name()),
        Some(Published::Failed(failure)) => open(format_args!("{}_{}", failure.phase, failure.kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mta_sts::StsFacts;
    use crate::model::tls_rpt::{TlsRptFault, TlsRptRecord};
    use crate::model::tlsa::{TlsaFacts, TlsaOutcome};
    use crate::model::{
        DomainName, Exchange, Failure, ForcedTls, Kind, MxHost, Outcome, Phase, PolicyReason, Subject,
        Target, Verdict,
    };

    /// A domain of which all was asked for, and there is nothing.
    fn asked() -> DomainRecord {
        let name = DomainName::parse("d.example").unwrap();
        let mut exchange =
            Exchange::whole(10, Some(MxHost::new("mx.d.example")), vec![[192, 0, 2, 1].into()]);
        exchange.tlsa = Some(TlsaFacts::without(TlsaOutcome::Absent));
        let target = Target { line: 1, subject: Subject::Domain(name) };
        let mut facts = DomainFacts::whole(target, vec![exchange]);
        let domain = MxHost::new("d.example");
        facts.mta_sts = Some(StsFacts { domain, record: Published::Absent, fetch: None });
        facts.tls_rpt = Some(Published::Absent);
        let timeout = Failure::new(Phase::Connect, Kind::Timeout);
        let forced = ForcedTls::all(crate::model::Check::Pass);
        let mut verdict = Verdict::of_outcome(Outcome::undetermined(&timeout), forced);
        verdict.policies.authenticated = Some(Authenticated::None);
        verdict.policies.dane = Some(DaneStand::Absent);
        verdict.policies.mta_sts = Some(StsStand::Absent);
        DomainRecord { facts, verdict }
    }

    fn counted(records: &[DomainRecord]) -> PolicyTally {
        let mut tally = PolicyTally::default();
        records.iter().for_each(|record| tally.add(record));
        tally
    }

    fn names(tally: &Tally) -> Vec<String> {
        tally.sorted().into_iter().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn dane_is_counted_by_class_and_stand() {
        let lookup_failed = DaneStand::Undetermined(PolicyReason::TlsaLookupFailed.into());
        for (stand, expected) in [
            (DaneStand::Matched, "matched"),
            (DaneStand::Mismatch, "failing: mismatch"),
            (DaneStand::Rollover, "failing: rollover"),
            (DaneStand::Chain, "failing: chain"),
            (DaneStand::NameMismatch, "failing: name_mismatch"),
            (DaneStand::CertificateExpired, "failing: certificate_expired"),
            (DaneStand::NotYetValid, "failing: not_yet_valid"),
            (DaneStand::NoTls, "failing: no_tls"),
            (DaneStand::Bogus, "failing: bogus"),
            (DaneStand::Unusable, "unusable"),
            (DaneStand::Absent, "none"),
            (DaneStand::InsecureAddresses, "none: insecure_addresses"),
            (DaneStand::Insecure, "insecure"),
            (DaneStand::InsecureMx, "insecure: insecure_mx"),
            (lookup_failed, "undetermined: tlsa_lookup_failed"),
        ] {
            let mut record = asked();
            record.verdict.policies.dane = Some(stand);
            assert_eq!(names(&counted(&[record]).dane), [expected]);
        }
    }

    #[test]
    fn a_domain_whose_records_are_bogus_fails_though_it_has_no_host() {
        let mut record = asked();
        record.facts.failure = Some(Failure::new(Phase::Dns, Kind::Servfail));
        record.facts.exchanges.clear();
        record.verdict.policies.dane = Some(DaneStand::Bogus);
        assert_eq!(names(&counted(&[record]).dane), ["failing: bogus"]);
    }

    #[test]
    fn a_policy_is_counted_by_its_mode_and_by_what_fails() {
        let unknown = StsStand::Undetermined(PolicyReason::StsPolicyUnknown.into());
        for (stand, mode, expected) in [
            (StsStand::Valid, Some(StsMode::Enforce), "enforce"),
            (StsStand::Valid, Some(StsMode::Testing), "testing"),
            (StsStand::Valid, Some(StsMode::None), "mode none"),
            (StsStand::MxNotListed, Some(StsMode::Enforce), "enforce, failing: mx_not_listed"),
            (StsStand::MxCertificate, Some(StsMode::Testing), "testing, failing: mx_certificate"),
            (StsStand::RecordId, None, "faulty: record_id"),
            (StsStand::HostTls, None, "faulty: host_tls"),
            (StsStand::Absent, None, "none"),
            (unknown, None, "undetermined: sts_policy_unknown"),
        ] {
            let mut record = asked();
            record.verdict.policies.mta_sts = Some(stand);
            record.verdict.policies.mta_sts_mode = mode;
            assert_eq!(names(&counted(&[record]).mta_sts), [expected]);
        }
    }

    #[test]
    fn what_stands_for_reports_and_who_is_known_are_counted() {
        let timeout = Failure::new(Phase::Dns, Kind::Timeout);
        for (published, expected) in [
            (Published::Absent, "none"),
            (Published::Record(TlsRptRecord { rua: Vec::new() }), "yes"),
            (Published::Faulty(TlsRptFault::NoRua), "faulty: no_rua"),
            (Published::Failed(timeout), "undetermined: dns_timeout"),
        ] {
            let mut record = asked();
            record.facts.tls_rpt = Some(published);
            assert_eq!(names(&counted(&[record]).tls_rpt), [expected]);
        }
        for (known, expected) in [
            (Authenticated::Dane, "dane"),
            (Authenticated::Sts, "sts"),
            (Authenticated::None, "none"),
            (Authenticated::NotAsked, "undetermined: not_asked"),
            (Authenticated::open(PolicyReason::StsPolicyUnknown), "undetermined: sts_policy_unknown"),
        ] {
            let mut record = asked();
            record.verdict.policies.authenticated = Some(known);
            assert_eq!(names(&counted(&[record]).authenticated), [expected]);
        }
    }

    #[test]
    fn what_nobody_asked_for_is_told_so_and_a_domain_without_hosts_is_not_counted() {
        let mut unasked = asked();
        unasked.facts.exchanges[0].tlsa = None;
        (unasked.facts.mta_sts, unasked.facts.tls_rpt) = (None, None);
        (unasked.verdict.policies.dane, unasked.verdict.policies.mta_sts) = (None, None);
        let mut missing = unasked.clone();
        missing.facts.failure = Some(Failure::new(Phase::Dns, Kind::Nxdomain));
        missing.verdict.policies.authenticated = None;
        let tally = counted(&[unasked, missing]);
        for part in [&tally.dane, &tally.mta_sts, &tally.tls_rpt] {
            assert_eq!(part.sorted(), [("not asked", 1)]);
        }
        assert_eq!(tally.unasked(), ["DANE", "MTA-STS", "TLS-RPT"]);
        assert!(counted(&[asked()]).unasked().is_empty() && counted(&[]).unasked().is_empty());
    }

    #[test]
    fn classes_are_the_sums_of_what_stands_in_the_columns() {
        let failing = |stand| {
            let mut record = asked();
            record.verdict.policies.dane = Some(stand);
            record
        };
        let records = [failing(DaneStand::Mismatch), failing(DaneStand::NoTls), failing(DaneStand::Matched)];
        let classes = PolicyTally::classes(&counted(&records).dane);
        assert_eq!(classes.sorted(), [("failing", 2), ("matched", 1)]);
    }
}
