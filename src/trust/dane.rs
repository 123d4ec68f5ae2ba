//! Whether a presented chain fits the TLSA records of its host (RFC 6698 §2,
//! RFC 7671, RFC 7672 §3), and which of them.

use super::chain::{self, ReadCertificate};
use super::names::covers;
use super::pkix::{self, Judge};
use super::purpose::{ChainDemands, Purpose};
use super::roots::{Roots, Store};
use crate::model::tlsa::{AssociationData, TlsaRecord, UnusableTlsa};
use crate::model::{ChainStatus, DateStatus};
use crate::x509;
use rustls::pki_types::CertificateDer;
use std::collections::HashSet;
use std::sync::Arc;
use webpki::EndEntityCert;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Tag, Tagged};

/// The usage DANE-TA(2): an issuer in the chain is trusted.
const DANE_TA: u8 = 2;
/// The usage DANE-EE(3): the leaf itself is trusted.
const DANE_EE: u8 = 3;
const SELECTOR_CERTIFICATE: u8 = 0;
const SELECTOR_KEY: u8 = 1;
const MATCHING_FULL: u8 = 0;
const MATCHING_SHA256: u8 = 1;
const MATCHING_SHA512: u8 = 2;

/// What a sender holds a chain against, besides the records.
#[derive(Clone, Copy, Debug)]
pub struct DaneReference<'a> {
    /// Names of which the leaf has to bear one under DANE-TA: the TLSA base
    /// domain and, where the MX records are secure, the domain and what it is
    /// an alias of (RFC 7672 §3.2.2).
    pub names: &'a [&'a str],
    /// Whether the leaf's dates count under DANE-EE, as for Exchange Online;
    /// RFC 7671 §5.1 says they do not.
    pub leaf_dates_count: bool,
    /// Whether of several digests only the strongest counts (RFC 7671 §9).
    pub digest_agility: bool,
}

/// What becomes of a chain under the TLSA records of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DaneStatus {
    /// The record at place `record` fits the certificate at `depth` of the
    /// chain, 0 the leaf; one that was not sent stands behind the last.
    Matched {
        /// Place among the records.
        record: usize,
        /// Place in the chain.
        depth: usize,
    },
    /// None of the records is of use.
    NoneUsable,
    /// No record of use fits; of several reasons, the one nearest to a match.
    Failed(DaneFailure),
    /// A record fits, and our verifiers lack what the chain is signed with.
    Unverifiable(String),
}

/// Why no record fits, the furthest from a match first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DaneFailure {
    /// No certificate is the one of a record.
    NoMatch,
    /// An issuer is, and the leaf does not lead to it.
    Chain(String),
    /// It does, and the leaf bears none of the names.
    Name,
    /// Everything fits but the leaf's dates.
    Dates(DateStatus),
}

/// Why a record is of no use, if so.
pub fn why_unusable(record: &TlsaRecord) -> Option<UnusableTlsa> {
    let data = &record.data.0;
    if !matches!(record.usage, DANE_TA | DANE_EE) {
        return Some(UnusableTlsa::Usage);
    }
    if !matches!(record.selector, SELECTOR_CERTIFICATE | SELECTOR_KEY) {
        return Some(UnusableTlsa::Selector);
    }
    let full_is_sound = || match record.selector {
        SELECTOR_CERTIFICATE => x509::subject_public_key_info(data).is_some(),
        _ => x509::key_size(data).is_some(),
    };
    match record.matching_type {
        MATCHING_FULL => (!full_is_sound()).then_some(UnusableTlsa::Data),
        MATCHING_SHA256 => (data.len() != 32).then_some(UnusableTlsa::DigestLength),
        MATCHING_SHA512 => (data.len() != 64).then_some(UnusableTlsa::DigestLength),
        _ => Some(UnusableTlsa::MatchingType),
    }
}

/// Which of many TLSA records are about certificates that come one by one.
#[derive(Debug, Default)]
pub struct RecordsMet {
    wanted: HashSet<TlsaRecord>,
    met: HashSet<TlsaRecord>,
}

impl RecordsMet {
    /// Looks out for a record, if it is of use.
    pub fn want(&mut self, record: &TlsaRecord) {
        if why_unusable(record).is_none() && !self.wanted.contains(record) {
            self.wanted.insert(record.clone());
        }
    }

    /// Whether there is nothing to look out for.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Holds a certificate against all of them.
    pub fn see(&mut self, der: &[u8]) {
        for selector in [SELECTOR_CERTIFICATE, SELECTOR_KEY] {
            for matching_type in [MATCHING_FULL, MATCHING_SHA256, MATCHING_SHA512] {
                if let Some(data) = association(selector, matching_type, der) {
                    self.see_data(selector, matching_type, data);
                }
            }
        }
    }

    fn see_data(&mut self, selector: u8, matching_type: u8, data: Vec<u8>) {
        let mut record = TlsaRecord { usage: 0, selector, matching_type, data: AssociationData(data) };
        for usage in [DANE_TA, DANE_EE] {
            record.usage = usage;
            if self.wanted.contains(&record) {
                self.met.insert(record.clone());
            }
        }
    }
}

impl Judge {
    /// The same, who knows which records are about a certificate that was seen
    /// elsewhere.
    #[must_use]
    pub fn knowing(mut self, records: RecordsMet) -> Self {
        self.met = records.met;
        self
    }

    /// Whether a record is about one, and about none of this chain.
    pub fn has_met(&self, record: &TlsaRecord, chain: &[Arc<[u8]>]) -> bool {
        self.met.contains(record) && !chain.iter().any(|der| is_associated(record, der))
    }

    /// Holds a chain of DER certificates, leaf first, against TLSA records.
    pub fn dane(
        &self,
        chain: &[Arc<[u8]>],
        records: &[TlsaRecord],
        reference: &DaneReference<'_>,
    ) -> DaneStatus {
        let usable: Vec<_> =
            records.iter().enumerate().filter(|(_, record)| why_unusable(record).is_none()).collect();
        if usable.is_empty() {
            return DaneStatus::NoneUsable;
        }
        let digests: Vec<_> = chain.iter().map(|der| x509::digest(der)).collect();
        let presented = Presented { chain: self.read(chain, &digests), judge: self, reference };
        let counts = |record: &TlsaRecord| {
            !reference.digest_agility || !usable.iter().any(|(_, other)| is_stronger(other, record))
        };
        let mut nearest = DaneStatus::Failed(DaneFailure::NoMatch);
        for (place, record) in usable.iter().filter(|(_, record)| counts(record)) {
            let status = match presented.fits(record) {
                Ok(depth) => return DaneStatus::Matched { record: *place, depth },
                Err(status) => status,
            };
            nearest = nearer(nearest, status);
        }
        nearest
    }
}

/// What is nearer to a match. What our verifiers lack may be one.
fn nearer(one: DaneStatus, other: DaneStatus) -> DaneStatus {
    match (&one, &other) {
        (DaneStatus::Failed(first), DaneStatus::Failed(second)) if first >= second => one,
        (DaneStatus::Unverifiable(_), _) => one,
        _ => other,
    }
}

/// Whether both are digests of the same for the same use, and `other` is the
/// stronger one.
fn is_stronger(other: &TlsaRecord, record: &TlsaRecord) -> bool {
    (other.usage, other.selector) == (record.usage, record.selector)
        && record.matching_type != MATCHING_FULL
        && other.matching_type > record.matching_type
}

/// A chain, and what it is held against.
struct Presented<'a> {
    chain: Vec<Arc<ReadCertificate>>,
    judge: &'a Judge,
    reference: &'a DaneReference<'a>,
}

impl Presented<'_> {
    /// The depth of the certificate that a record fits.
    fn fits(&self, record: &TlsaRecord) -> Result<usize, DaneStatus> {
        if record.usage == DANE_EE { self.end_entity(record) } else { self.trust_anchor(record) }
    }

    fn end_entity(&self, record: &TlsaRecord) -> Result<usize, DaneStatus> {
        let leaf = self.chain.first().filter(|leaf| is_associated(record, &leaf.der));
        let leaf = leaf.ok_or(DaneStatus::Failed(DaneFailure::NoMatch))?;
        if self.reference.leaf_dates_count { self.dates_of(leaf).map(|()| 0) } else { Ok(0) }
    }

    fn trust_anchor(&self, record: &TlsaRecord) -> Result<usize, DaneStatus> {
        let mut nearest = match chain::may_go_on(self.chain.len()) {
            true => DaneStatus::Unverifiable(chain::NOT_KEPT.into()),
            false => DaneStatus::Failed(DaneFailure::NoMatch),
        };
        for (depth, anchor) in self.anchors(record) {
            match self.leads_to(anchor) {
                Ok(()) => return Ok(depth),
                Err(status) => nearest = nearer(nearest, status),
            }
        }
        Err(nearest)
    }

    /// Each issuer that a record makes a trust anchor, as a store of its own,
    /// with its depth. Under `2 0 0` and `2 1 0` it need not have been sent
    /// (RFC 7671 §5.2.2, §5.2.3). The leaf is no issuer of itself.
    fn anchors(&self, record: &TlsaRecord) -> Vec<(usize, Store)> {
        let issuers = self.chain.iter().enumerate().skip(1);
        let sent = issuers.filter(|(_, issuer)| is_associated(record, &issuer.der));
        let mut anchors: Vec<_> =
            sent.filter_map(|(depth, issuer)| Some((depth, store_of(&issuer.der)?))).collect();
        if anchors.is_empty() && record.matching_type == MATCHING_FULL {
            let data = &record.data.0;
            let store = match record.selector {
                SELECTOR_CERTIFICATE => {
                    Some(data).filter(|data| !self.is_leaf(data)).and_then(|der| store_of(der))
                }
                _ => self.chain.last().and_then(|top| store_of_issuer(&top.der, data)),
            };
            anchors.extend(store.map(|store| (self.chain.len(), store)));
        }
        anchors
    }

    fn is_leaf(&self, der: &[u8]) -> bool {
        self.chain.first().is_some_and(|leaf| *leaf.der == *der)
    }

    /// Whether the leaf leads to the one root of a store, bears a name and is
    /// in its dates.
    fn leads_to(&self, anchor: Store) -> Result<(), DaneStatus> {
        let asked = ChainDemands { purpose: Purpose::Server, moment: self.judge.at() };
        let trust = chain::judge(&self.chain, &Roots::new(vec![anchor]), asked);
        let detail = trust.detail.unwrap_or_else(|| trust.status.name().to_owned());
        match trust.status {
            ChainStatus::Valid => {}
            ChainStatus::Unverifiable => return Err(DaneStatus::Unverifiable(detail)),
            _ => return Err(DaneStatus::Failed(DaneFailure::Chain(detail))),
        }
        let leaf = self.chain.first().ok_or(DaneStatus::Failed(DaneFailure::NoMatch))?;
        if !self.is_named(leaf) {
            return Err(DaneStatus::Failed(DaneFailure::Name));
        }
        self.dates_of(leaf)
    }

    /// The common name counts where there is no dNSName (RFC 7672 §3.2.3).
    fn is_named(&self, leaf: &ReadCertificate) -> bool {
        let mut names = pkix::names_of(&leaf.facts, &leaf.der);
        if names.dns_names.is_empty() {
            names.dns_names = names.common_name.iter().cloned().collect();
        }
        self.reference.names.iter().any(|name| covers(&names, name))
    }

    fn dates_of(&self, leaf: &ReadCertificate) -> Result<(), DaneStatus> {
        match pkix::dates(&leaf.facts, self.judge.at()) {
            DateStatus::Valid => Ok(()),
            other => Err(DaneStatus::Failed(DaneFailure::Dates(other))),
        }
    }
}

/// Whether a certificate is the one of a record (RFC 6698 §2.1).
fn is_associated(record: &TlsaRecord, der: &[u8]) -> bool {
    association(record.selector, record.matching_type, der).is_some_and(|data| data == record.data.0)
}

/// What a record of these values has of a certificate.
fn association(selector: u8, matching_type: u8, der: &[u8]) -> Option<Vec<u8>> {
    let selected = match selector {
        SELECTOR_CERTIFICATE => der,
        _ => x509::subject_public_key_info(der)?,
    };
    Some(match matching_type {
        MATCHING_FULL => selected.to_vec(),
        MATCHING_SHA256 => x509::digest(selected).0.to_vec(),
        _ => aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, selected).as_ref().to_vec(),
    })
}

/// The name of a store that serves one chain.
const STORE_NAME: &str = "tlsa";

fn store_of(der: &[u8]) -> Option<Store> {
    let mut store = Store::new(STORE_NAME);
    store.add_der(der).ok().map(|()| store)
}

/// A store of the key that is said to have issued a certificate.
fn store_of_issuer(issued: &[u8], key: &[u8]) -> Option<Store> {
    let issued = CertificateDer::from(issued);
    let issued = EndEntityCert::try_from(&issued).ok()?;
    let mut store = Store::new(STORE_NAME);
    store.add_key(issued.issuer(), content(key)?);
    Some(store)
}

/// What stands in a SEQUENCE.
fn content(der: &[u8]) -> Option<&[u8]> {
    AnyRef::from_der(der).ok().filter(|any| any.tag() == Tag::Sequence).map(|any| any.value())
}
