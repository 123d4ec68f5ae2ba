//! TLSA records of a mail host, asked for as a sender with DANE does (RFC 7672
//! §2.1.3, §2.2.2, §2.2.3).
//!
//! ```text
//! addresses secure   ── no alias ─► at the host
//!                    └─ an alias ─► at the end of the aliases, then at the host
//! addresses insecure ── no alias ─► nowhere
//!                    └─ an alias ─► at the host, if the alias itself is secure
//! ```
//!
//! Where records are insecure, or there are none, the next name counts. An error
//! ends the search: it never makes a host one without records.

use super::answer::tlsa_record;
use super::names::{AddressWay, Names, below};
use super::vouched::{FoundRecords, NoRecords};
use crate::dns::{Name, RData, RecordType};
use crate::model::tlsa::{Authenticity, TLSA_RECORDS_MAX, TlsaFacts, TlsaOutcome, TlsaRecord};
use crate::model::{Exchange, Failure, Kind, MxHost, Phase};

/// Most hosts of a domain that are asked for TLSA records: of those that are
/// secure, the first by preference. Of the others it is told that they were not.
pub const TLSA_HOSTS_MAX: usize = 6;

/// What stands before a host's name: port 25, whatever port is asked (RFC 7672
/// §2.2).
const PORT_25: [&str; 2] = ["_25", "_tcp"];

/// Whether it takes a question to know that a host has none.
pub(super) fn needs_a_question(way: &AddressWay) -> bool {
    match way.authenticity {
        Authenticity::Secure => true,
        Authenticity::Insecure => way.end.is_some(),
        Authenticity::Bogus | Authenticity::NotValidated => false,
    }
}

/// What the records of hosts come to whose MX records nobody could vouch for, for
/// this reason: to nothing that is known, whatever stands there.
pub(super) fn leave_open(hosts: &mut [Exchange], why: &Failure) {
    let told = format_args!("who vouches for the MX records is not known: {why}");
    let outcome = TlsaOutcome::Failed(Failure::new(why.phase, why.kind).with_detail(told));
    for facts in hosts.iter_mut().filter_map(|host| host.tlsa.as_mut()) {
        *facts = TlsaFacts::without(outcome.clone());
    }
}

/// Of a host beyond [`TLSA_HOSTS_MAX`].
pub(super) fn of_too_many() -> TlsaFacts {
    let told = format_args!("TLSA records of more than {TLSA_HOSTS_MAX} hosts are not asked for");
    TlsaFacts::without(TlsaOutcome::Failed(Failure::new(Phase::Dns, Kind::TooMany).with_detail(told)))
}

impl Names {
    /// The records of `host`, whose addresses were found by that way.
    pub(super) async fn tlsa(&self, host: &Name, way: &AddressWay) -> TlsaFacts {
        let bases = match self.bases(host, way).await {
            Ok(bases) => bases,
            Err(outcome) => return TlsaFacts::without(outcome),
        };
        let mut weaker = TlsaFacts::without(TlsaOutcome::Absent);
        for base in bases {
            let told = self.tlsa_at(&base).await;
            match told.outcome {
                TlsaOutcome::Absent => {}
                TlsaOutcome::Insecure => weaker = told,
                _ => return told,
            }
        }
        weaker
    }

    /// The names at which records count, in order.
    async fn bases(&self, host: &Name, way: &AddressWay) -> Result<Vec<Name>, TlsaOutcome> {
        if let Some(failure) = &way.unvouched {
            return Err(TlsaOutcome::Failed(failure.clone()));
        }
        let host = host.clone();
        match (way.authenticity, &way.end) {
            (Authenticity::Secure, Some(end)) => Ok(vec![end.clone(), host]),
            (Authenticity::Secure, None) => Ok(vec![host]),
            (Authenticity::Insecure, Some(_)) => match self.alias_authenticity(&host).await? {
                Authenticity::Secure => Ok(vec![host]),
                Authenticity::Insecure => Err(TlsaOutcome::InsecureAddresses),
                Authenticity::Bogus => Err(TlsaOutcome::Bogus),
                Authenticity::NotValidated => Err(TlsaOutcome::NotValidated),
            },
            (Authenticity::Insecure, None) => Err(TlsaOutcome::InsecureAddresses),
            (Authenticity::Bogus, _) => Err(TlsaOutcome::Bogus),
            (Authenticity::NotValidated, _) => Err(TlsaOutcome::NotValidated),
        }
    }

    /// Who vouches for the first alias alone.
    async fn alias_authenticity(&self, host: &Name) -> Result<Authenticity, TlsaOutcome> {
        let told = self.questions.ask(host, RecordType::CNAME).await;
        let answer = told.map_err(no_answer)?;
        match &answer.unvouched {
            Some(failure) => Err(TlsaOutcome::Failed(failure.clone())),
            None => Ok(answer.authenticity),
        }
    }

    async fn tlsa_at(&self, base: &Name) -> TlsaFacts {
        let Some(name) = below(PORT_25, base) else { return TlsaFacts::without(TlsaOutcome::Absent) };
        match self.query(&name, RecordType::TLSA).await {
            Ok(FoundRecords { unvouched: Some(failure), .. }) => {
                TlsaFacts::without(TlsaOutcome::Failed(failure))
            }
            Ok(FoundRecords { answer, authenticity, .. }) => {
                let outcome = match authenticity {
                    Authenticity::Secure => TlsaOutcome::Secure,
                    Authenticity::Insecure => TlsaOutcome::Insecure,
                    Authenticity::Bogus => TlsaOutcome::Bogus,
                    Authenticity::NotValidated => TlsaOutcome::NotValidated,
                };
                with_records(outcome, base, &answer.records)
            }
            Err(none) => TlsaFacts::without(no_answer(none)),
        }
    }
}

/// What it comes to that there are no records: that there are none only if a
/// resolver that is believed says so.
fn no_answer(NoRecords { failure, authenticity, unvouched }: NoRecords) -> TlsaOutcome {
    if let Some(failure) = unvouched {
        return TlsaOutcome::Failed(failure);
    }
    match authenticity {
        Some(Authenticity::Secure | Authenticity::Insecure) => TlsaOutcome::Absent,
        Some(Authenticity::Bogus) => TlsaOutcome::Bogus,
        Some(Authenticity::NotValidated) => TlsaOutcome::NotValidated,
        None => TlsaOutcome::Failed(failure),
    }
}

/// The records in the order of their bytes, each once, whatever order the server
/// shuffled them into. Of too many the weaker digests go first: a stronger one
/// that is not kept would say what those count for (RFC 7671 §9).
fn with_records(outcome: TlsaOutcome, base: &Name, data: &[RData]) -> TlsaFacts {
    let mut records: Vec<TlsaRecord> = data.iter().filter_map(tlsa_record).collect();
    let bytes = |it: &TlsaRecord| (it.usage, it.selector, it.matching_type, it.data.0.clone());
    records.sort_by_cached_key(bytes);
    records.dedup();
    let records_excess = records.len().saturating_sub(TLSA_RECORDS_MAX);
    if records_excess > 0 {
        records.sort_by_key(|it| digest_rank(it.matching_type));
        records.truncate(TLSA_RECORDS_MAX);
        records.sort_by_cached_key(bytes);
    }
    let base = Some(MxHost::new(&base.to_ascii()));
    let records_short = data.iter().filter(|data| is_short(data)).count();
    TlsaFacts { outcome, base, records, records_excess, records_short }
}

/// Whether a record is too short to be a TLSA record.
fn is_short(data: &RData) -> bool {
    matches!(data, RData::Unknown { code: RecordType::TLSA, .. })
}

/// 0 is kept first.
fn digest_rank(matching_type: u8) -> u8 {
    match matching_type {
        // SHA-512, the data as it is, SHA-256 (RFC 7218 §2.3).
        2 => 0,
        0 => 1,
        1 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::TLSA;

    #[test]
    fn of_too_many_records_the_stronger_digests_stay() {
        let record = |matching_type: u8, data: u8| {
            let data = vec![data; if matching_type == 2 { 64 } else { 32 }];
            RData::TLSA(TLSA::new(3.into(), 1.into(), matching_type.into(), data))
        };
        let weaker = (0..40).map(|data| record(1, data));
        let data: Vec<RData> = weaker.chain([record(0, 7), record(2, 7), record(9, 7)]).collect();
        let base = Name::from_ascii("mx.example.").unwrap();
        let told = with_records(TlsaOutcome::Secure, &base, &data);
        assert_eq!((told.records.len(), told.records_excess), (TLSA_RECORDS_MAX, 11));
        let count = |kind: u8| told.records.iter().filter(|it| it.matching_type == kind).count();
        assert_eq!([0, 1, 2, 9].map(count), [1, 30, 1, 0]);
        assert!(told.records.is_sorted_by_key(|it| (it.matching_type, it.data.0.clone())));
    }
}
