//! `facts.jsonl` read back, the certificates of policy hosts put in their places.

use super::StoreError;
use super::certificates::StoredCertificates;
use super::line_numbers::LineNumbers;
use super::lines::{StoredLines, check_schema, check_version, json_cause};
use super::loss::Loss;
use crate::model::{DomainFacts, Sha256};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) const FILE: &str = "facts.jsonl";

/// What a line holds beside the facts.
#[derive(Deserialize)]
struct BesideFacts {
    schema: u32,
    #[serde(default)]
    policy_chain: Vec<Sha256>,
}

/// A target as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredFacts {
    /// All that was known of it.
    Whole(Box<DomainFacts>),
    /// A run that was killed did not write all certificates of its policy host
    /// down: what that host gave cannot be judged, and is not here.
    Incomplete(Box<DomainFacts>),
}

impl StoredFacts {
    /// What the DNS said, which is whole in any case.
    pub fn dns(&self) -> &DomainFacts {
        match self {
            Self::Whole(facts) | Self::Incomplete(facts) => facts,
        }
    }
}

/// Reads `facts.jsonl`.
pub struct Facts {
    lines: StoredLines,
    dir: PathBuf,
    lost: Loss,
    /// Opened for the first policy host that showed a chain.
    certificates: Option<StoredCertificates>,
    /// The targets read so far.
    read: LineNumbers,
}

impl Facts {
    pub(super) fn open(dir: &Path, lost: Loss) -> Result<Self, StoreError> {
        let lines = StoredLines::open(dir, FILE)?;
        Ok(Self { lines, dir: dir.to_owned(), lost, certificates: None, read: LineNumbers::default() })
    }

    /// The next target.
    ///
    /// # Errors
    /// [`StoreError`]: the line or a certificate cannot be read, or its target was
    /// read before.
    pub fn read_next(&mut self) -> Result<Option<StoredFacts>, StoreError> {
        let Some(line) = self.lines.read_next()? else { return Ok(None) };
        let read = parse(line.text);
        let (mut facts, chain) = read.map_err(|cause| self.lines.broken(cause))?;
        if !self.read.insert(facts.target.line) {
            return Err(self
                .lines
                .broken(format!("line {} of the list occurs a second time", facts.target.line)));
        }
        let is_whole = chain.is_empty() || self.put_chain(&mut facts, &chain)?;
        let facts = Box::new(facts);
        Ok(Some(if is_whole { StoredFacts::Whole(facts) } else { StoredFacts::Incomplete(facts) }))
    }

    fn put_chain(&mut self, facts: &mut DomainFacts, digests: &[Sha256]) -> Result<bool, StoreError> {
        let certificates = match &mut self.certificates {
            Some(certificates) => certificates,
            none => none.insert(StoredCertificates::open(&self.dir, self.lost)?),
        };
        put_chain(facts, digests, (certificates, self.lost), |cause| self.lines.broken(cause))
    }
}

/// Puts the chain of the policy host in its place; `false` where a run that was
/// killed did not write all of it down.
pub(super) fn put_chain(
    facts: &mut DomainFacts,
    digests: &[Sha256],
    (certificates, lost): (&mut StoredCertificates, Loss),
    broken: impl Fn(String) -> StoreError,
) -> Result<bool, StoreError> {
    let Some(mta_sts) = facts.mta_sts.as_mut().filter(|mta_sts| mta_sts.fetch.is_some()) else {
        return Err(broken("a chain of a policy host, and no policy host".to_owned()));
    };
    let mut chain = Vec::with_capacity(digests.len());
    for digest in digests {
        match certificates.der(digest)? {
            Some(der) => chain.push(der),
            None if lost != Loss::Nothing => {
                mta_sts.fetch = None;
                return Ok(false);
            }
            None => return Err(broken(format!("certificates.csv has no certificate {digest}"))),
        }
    }
    if let Some(fetch) = &mut mta_sts.fetch {
        Arc::make_mut(fetch).chain = chain;
    }
    Ok(true)
}

/// A line, and the digests of the chain of its policy host.
pub(super) fn parse(line: &[u8]) -> Result<(DomainFacts, Vec<Sha256>), String> {
    let read = serde_json::from_slice::<BesideFacts>(line);
    // A line of another schema may well lack something; that is not the cause.
    let cause = |error| check_schema(line).err().unwrap_or_else(|| json_cause(&error));
    let BesideFacts { schema, policy_chain } = read.map_err(cause)?;
    check_version(schema)?;
    let facts = serde_json::from_slice(line).map_err(|error| json_cause(&error))?;
    Ok((facts, policy_chain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mta_sts::{Published, StsFacts, StsFetch, StsRecord};
    use crate::model::{DomainName, DomainRecord, MxHost, Record, Subject, Target};
    use crate::run_dir::read::StoredRun;
    use crate::run_dir::{RunDirectory, RunInfo, fixtures};
    use std::fs;

    /// The facts of a line whose policy host showed this.
    fn facts(line: u64, chain: &[&[u8]]) -> DomainFacts {
        let domain = format!("d{line}.example");
        let target = Target { line, subject: Subject::Domain(DomainName::parse(&domain).unwrap()) };
        let fetch = StsFetch {
            chain: chain.iter().map(|der| Arc::from(*der)).collect(),
            status: Some(200),
            body: Some("version: STSv1\n".to_owned()),
            ..StsFetch::default()
        };
        let record = Published::Record(StsRecord { id: "1".to_owned() });
        let mta_sts = StsFacts { domain: MxHost::new(&domain), record, fetch: Some(Arc::new(fetch)) };
        DomainFacts { mta_sts: Some(mta_sts), ..DomainFacts::whole(target, Vec::new()) }
    }

    /// A run of these, that ended or was killed.
    fn write(dir: &Path, all: &[DomainFacts], killed: bool) {
        let mut run = RunDirectory::create(dir, &fixtures::run_info()).unwrap();
        for facts in all {
            let record = DomainRecord { facts: facts.clone(), ..fixtures::domain() };
            run.write(&Record::Domain(Box::new(record))).unwrap();
        }
        if killed {
            run.flush().unwrap();
        } else {
            run.finish(&RunInfo { finished: Some(true), ..fixtures::run_info() }, &()).unwrap();
        }
    }

    fn read(dir: &Path) -> Result<Vec<StoredFacts>, String> {
        let mut stored = StoredRun::open(dir).unwrap().facts().unwrap();
        let mut all = Vec::new();
        while let Some(facts) = stored.read_next().map_err(|error| error.to_string())? {
            all.push(facts);
        }
        Ok(all)
    }

    #[test]
    fn the_chain_of_a_policy_host_is_read_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let all = [facts(1, &[b"leaf 1", b"ca"]), facts(2, &[b"leaf 2", b"ca"]), facts(3, &[])];
        write(dir.path(), &all, false);
        assert_eq!(read(dir.path()).unwrap(), all.map(|facts| StoredFacts::Whole(Box::new(facts))));
        let rows = fs::read_to_string(dir.path().join("certificates.csv")).unwrap().lines().count();
        assert_eq!(rows, 1 + 3, "each certificate once");
    }

    /// Where nobody was killed, that is damage.
    #[test]
    fn a_chain_that_is_not_whole_is_told() {
        for killed in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), &[facts(1, &[b"leaf"])], killed);
            let path = dir.path().join("certificates.csv");
            let header = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
            fs::write(&path, header + "\n").unwrap();
            match read(dir.path()) {
                Ok(read) => {
                    assert!(killed && matches!(&read[..], [StoredFacts::Incomplete(_)]), "{read:?}");
                    let mta_sts = read[0].dns().mta_sts.as_ref().unwrap();
                    assert!(mta_sts.fetch.is_none(), "{mta_sts:?}");
                }
                Err(error) => assert!(!killed && error.contains("has no certificate"), "{error}"),
            }
        }
    }
}
