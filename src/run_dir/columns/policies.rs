//! Cells about DANE, MTA-STS and TLS-RPT.

use super::value::Value;
use crate::model::DomainRecord;
use crate::model::mta_sts::Published;
use crate::model::tls_rpt::TlsRptFault;
use crate::model::tlsa::Authenticity;
use std::fmt::Display;

fn told(cell: Option<impl Display>) -> Value<'static> {
    Value::name(cell.map(|cell| cell.to_string().into()))
}

pub(super) fn authenticated(record: &DomainRecord) -> Value<'_> {
    told(record.verdict.policies.authenticated)
}

pub(super) fn dane(record: &DomainRecord) -> Value<'_> {
    told(record.verdict.policies.dane)
}

pub(super) fn mta_sts(record: &DomainRecord) -> Value<'_> {
    told(record.verdict.policies.mta_sts)
}

pub(super) fn dnssec_mx(record: &DomainRecord) -> Value<'_> {
    Value::text(record.facts.mx_authenticity.map(|known| match known {
        Authenticity::NotValidated => "undetermined:no_validating_resolver",
        known => known.name(),
    }))
}

pub(super) fn tls_rpt(record: &DomainRecord) -> Value<'_> {
    let cell = match record.facts.tls_rpt.as_ref() {
        None => return Value::Absent,
        Some(Published::Failed(failure)) => {
            return told(Some(format_args!("undetermined:{}_{}", failure.phase, failure.kind)));
        }
        Some(Published::Absent) => "none",
        Some(Published::Record(_)) => "yes",
        Some(Published::Faulty(fault)) => match fault {
            TlsRptFault::Several(_) => "faulty_several",
            TlsRptFault::Version => "faulty_version",
            TlsRptFault::Field(_) => "faulty_field",
            TlsRptFault::NoRua => "faulty_no_rua",
            TlsRptFault::Uri(_) => "faulty_uri",
        },
    };
    Value::text(Some(cell))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tls_rpt::TlsRptRecord;
    use crate::model::{Failure, Kind, Phase};
    use crate::run_dir::fixtures;

    fn cell(value: &Value<'_>) -> String {
        let mut text = String::new();
        value.write_text(&mut text);
        text
    }

    #[test]
    fn what_stands_for_reports_has_its_name() {
        let mut record = fixtures::missing_domain();
        assert_eq!(cell(&tls_rpt(&record)), "");
        let timeout = Failure::new(Phase::Dns, Kind::Timeout);
        for (published, expected) in [
            (Published::Absent, "none"),
            (Published::Record(TlsRptRecord { rua: Vec::new() }), "yes"),
            (Published::Faulty(TlsRptFault::Several(2)), "faulty_several"),
            (Published::Faulty(TlsRptFault::Version), "faulty_version"),
            (Published::Faulty(TlsRptFault::Field("x".into())), "faulty_field"),
            (Published::Faulty(TlsRptFault::NoRua), "faulty_no_rua"),
            (Published::Faulty(TlsRptFault::Uri("x".into())), "faulty_uri"),
            (Published::Failed(timeout), "undetermined:dns_timeout"),
        ] {
            record.facts.tls_rpt = Some(published);
            assert_eq!(cell(&tls_rpt(&record)), expected);
        }
    }

    #[test]
    fn who_vouches_for_the_mx_is_told() {
        let mut record = fixtures::missing_domain();
        assert_eq!(cell(&dnssec_mx(&record)), "");
        for (known, expected) in [
            (Authenticity::Secure, "secure"),
            (Authenticity::Insecure, "insecure"),
            (Authenticity::Bogus, "bogus"),
            (Authenticity::NotValidated, "undetermined:no_validating_resolver"),
        ] {
            record.facts.mx_authenticity = Some(known);
            assert_eq!(cell(&dnssec_mx(&record)), expected);
        }
    }
}
