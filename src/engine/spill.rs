//! Domains that wait for a host that many wait for already: what the DNS said of
//! them goes to a file, so that they neither fill the memory nor stop the reading of
//! the list.

use super::pace::BucketKey;
use super::scratch_file::{ScratchFile, Span};
use crate::model::{DomainFacts, Endpoint};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What is written of one domain. The chain of a policy host is no part of the facts
/// as they are kept elsewhere; its certificates follow this, each as long as is
/// said here.
#[derive(Serialize, Deserialize)]
struct SpilledDomain<F> {
    facts: F,
    certificates: Vec<usize>,
}

/// The domains that wait in the file, by the bucket that many wait for. The file has
/// no name, and is gone with the run.
#[derive(Debug, Default)]
pub(super) struct Spill {
    file: ScratchFile,
    waiting: HashMap<BucketKey, VecDeque<Span>>,
    len: usize,
}

impl Spill {
    /// Domains in the file.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Domains that wait there for this bucket.
    pub(super) fn waiting(&self, bucket: BucketKey) -> usize {
        if self.len == 0 { 0 } else { self.waiting.get(&bucket).map_or(0, VecDeque::len) }
    }

    /// The addresses and ports for which domains wait there.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        let endpoint = |bucket: &BucketKey| match bucket {
            BucketKey::Endpoint(endpoint) => Some(*endpoint),
            _ => None,
        };
        self.waiting.keys().filter_map(endpoint).collect()
    }

    /// Writes a domain to the file, which is made in `dir` when first needed.
    ///
    /// # Errors
    /// The file cannot be made or written to, or the domain is too large for it; the
    /// domain is not in it then.
    pub(super) fn put(&mut self, dir: &Path, bucket: BucketKey, facts: &DomainFacts) -> io::Result<()> {
        let span = self.file.put(dir, &written(facts)?)?;
        self.len += 1;
        self.waiting.entry(bucket).or_default().push_back(span);
        Ok(())
    }

    /// Takes out the domain that has waited longest for this bucket.
    ///
    /// # Errors
    /// What was written cannot be read again.
    pub(super) fn take(&mut self, bucket: BucketKey) -> io::Result<Option<DomainFacts>> {
        let Some(spans) = self.waiting.get_mut(&bucket) else { return Ok(None) };
        let span = spans.pop_front();
        if spans.is_empty() {
            self.waiting.remove(&bucket);
        }
        let Some(span) = span else { return Ok(None) };
        self.len -= 1;
        let octets = self.file.read(span)?;
        if self.len == 0 {
            // What is left of it is read by nobody.
            self.file.clear()?;
        }
        read(&octets).map(Some)
    }

    /// Nobody waits any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn written(facts: &DomainFacts) -> io::Result<Vec<u8>> {
    let chain = facts.policy_fetch().map_or(&[][..], |fetch| &fetch.chain);
    let certificates = chain.iter().map(|certificate| certificate.len()).collect();
    let mut octets = serde_json::to_vec(&SpilledDomain { facts, certificates })?;
    chain.iter().for_each(|certificate| octets.extend_from_slice(certificate));
    Ok(octets)
}

fn read(octets: &[u8]) -> io::Result<DomainFacts> {
    let mut entries = serde_json::Deserializer::from_slice(octets).into_iter::<SpilledDomain<DomainFacts>>();
    let entry = entries.next().transpose()?;
    let SpilledDomain { mut facts, certificates } = entry.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut rest = octets.get(entries.byte_offset()..).unwrap_or_default();
    let mut chain = Vec::new();
    for length in certificates {
        let (certificate, behind) = rest.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        chain.push(Arc::from(certificate));
        rest = behind;
    }
    if let Some(fetch) = facts.mta_sts.as_mut().and_then(|sts| sts.fetch.as_mut()) {
        Arc::make_mut(fetch).chain = chain;
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mta_sts::{Published, StsFacts, StsFetch, StsRecord};
    use crate::model::{DomainName, Exchange, MxHost, Subject, Target};

    fn facts(line: u64, chain: &[&[u8]]) -> DomainFacts {
        let target = Target { line, subject: Subject::Domain(DomainName::parse("a.example").unwrap()) };
        let exchange = Exchange::whole(10, Some(MxHost::new("mx.a.example")), vec![[192, 0, 2, 1].into()]);
        let chain = chain.iter().map(|certificate| Arc::from(*certificate)).collect();
        let fetch = StsFetch { chain, body: Some("version: STSv1\r\n".into()), ..StsFetch::default() };
        DomainFacts {
            mta_sts: Some(StsFacts {
                domain: MxHost::new("a.example"),
                record: Published::Record(StsRecord { id: "1".into() }),
                fetch: Some(Arc::new(fetch)),
            }),
            ..DomainFacts::whole(target, vec![exchange])
        }
    }

    fn bucket(last: u8) -> BucketKey {
        BucketKey::Network([192, 0, 2, last].into())
    }

    #[test]
    fn what_waits_comes_back_as_it_was_and_in_its_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut spill = Spill::default();
        let all = [facts(1, &[]), facts(2, &[b"leaf\n{}", b"issuer"]), facts(3, &[b""])];
        for round in 0..2 {
            for (facts, last) in all.iter().zip([1, 2, 1]) {
                spill.put(dir.path(), bucket(last), facts).unwrap();
            }
            assert_eq!((spill.len(), spill.waiting(bucket(3))), (3, 0), "{round}");
            for (number, last) in [(0, 1), (1, 2), (2, 1)] {
                assert!(spill.waiting(bucket(last)) > 0);
                assert_eq!(spill.take(bucket(last)).unwrap().as_ref(), Some(&all[number]));
            }
            assert_eq!((spill.len(), spill.take(bucket(1)).unwrap()), (0, None));
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_holds_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let mut spill = Spill::default();
        assert!(spill.put(&dir.path().join("gone"), bucket(1), &facts(1, &[])).is_err());
        assert_eq!((spill.len(), spill.waiting(bucket(1))), (0, 0));
    }
}
