//! A run of `mxray receive` read back: its sessions, the certificates put in their
//! places.

use super::StoreError;
use super::certificates::StoredCertificates;
use super::lines::{Schema, StoredLines, check_version, json_cause};
use super::loss::Loss;
use super::run_file::StoredRunFile;
use crate::model::Sha256;
use crate::model::inbound::{ClientChain, InboundSession, JudgedSession, MailVerdict};
use crate::run_dir::{RECEIVE_KIND, ReceiveInfo, SESSIONS_NAME};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of a run of `mxray receive` whose `run.json` was understood.
#[derive(Debug)]
pub struct StoredReceiveRun {
    dir: PathBuf,
    info: ReceiveInfo,
}

impl StoredReceiveRun {
    /// Reads `run.json`; `None` where it tells of another kind of run.
    ///
    /// # Errors
    /// [`StoreError`]: no run directory, or one that cannot be used.
    pub fn find(dir: &Path) -> Result<Option<Self>, StoreError> {
        let file = StoredRunFile::read(dir)?;
        if file.is_of(Some(RECEIVE_KIND)) { Self::of(dir, &file).map(Some) } else { Ok(None) }
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// [`StoreError`]: as [`StoredReceiveRun::find`]; or it tells of another kind of run.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let file = StoredRunFile::read(dir)?;
        if file.is_of(Some(RECEIVE_KIND)) { Self::of(dir, &file) } else { Err(file.other_kind()) }
    }

    fn of(dir: &Path, file: &StoredRunFile) -> Result<Self, StoreError> {
        Ok(Self { dir: dir.to_path_buf(), info: file.info("a reader of sessions")? })
    }

    /// What was run, and how it ended.
    pub fn info(&self) -> &ReceiveInfo {
        &self.info
    }

    /// Its directory, as it was named.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether it goes on, or was killed.
    pub fn is_open(&self) -> bool {
        self.info.ended.is_none()
    }

    /// Whether the last line of `sessions.jsonl` is cut short. It is left out.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read.
    pub fn is_cut(&self) -> Result<bool, StoreError> {
        StoredLines::open(&self.dir, SESSIONS_NAME)?.was_cut()
    }

    /// Its sessions, in the order in which they ended.
    ///
    /// # Errors
    /// [`StoreError`]: a file cannot be read.
    pub fn sessions(&self) -> Result<StoredSessions, StoreError> {
        let lost = if self.info.sessions.is_none() { Loss::End } else { Loss::Nothing };
        Ok(StoredSessions {
            lines: StoredLines::open(&self.dir, SESSIONS_NAME)?,
            certificates: StoredCertificates::open(&self.dir, lost)?,
            lost,
            counted: self.info.sessions,
            path: self.dir.join(SESSIONS_NAME),
            read: HashSet::new(),
        })
    }
}

/// A line of `sessions.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedSession {
    /// The session, its certificates as DER.
    pub session: InboundSession,
    /// The digests of its certificates, leaf first.
    pub chain: Vec<Sha256>,
    /// What was made of it.
    pub judged: JudgedSession,
}

/// What a line holds beside the session.
#[derive(Deserialize)]
struct BesideSession {
    chain: Vec<Sha256>,
    /// What a line of an older version lacks.
    #[serde(default)]
    client_certificate: Option<ClientChain>,
    #[serde(default)]
    verdicts: Option<Vec<MailVerdict>>,
}

impl ReceivedSession {
    /// Reads a line, its end cut off; the certificates by name only.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        // The version first: a line of another one may well lack something, and that is not
        // the cause.
        let Schema { schema } = serde_json::from_slice(line).map_err(|error| json_cause(&error))?;
        check_version(schema)?;
        // Twice over the line, each time without what the other takes: to flatten one into
        // the other would copy the whole of it.
        let read = serde_json::from_slice::<InboundSession>(line)
            .and_then(|session| Ok((session, serde_json::from_slice::<BesideSession>(line)?)));
        let (session, beside) = read.map_err(|error| json_cause(&error))?;
        let BesideSession { chain, client_certificate, verdicts } = beside;
        if session.tls.is_none() && !chain.is_empty() {
            return Err("it has certificates, and no TLS".to_string());
        }
        Ok(Self { session, chain, judged: JudgedSession { client_certificate, verdicts } })
    }
}

/// A session as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredSession {
    /// A session with all of its certificates.
    Whole(Box<ReceivedSession>),
    /// A run that came to no end of its own has not all of its certificates.
    Incomplete,
}

/// Reads `sessions.jsonl`.
pub struct StoredSessions {
    lines: StoredLines,
    certificates: StoredCertificates,
    lost: Loss,
    /// How many `run.json` counted; `None` where nobody did.
    counted: Option<u64>,
    path: PathBuf,
    /// The numbers of the sessions read so far.
    read: HashSet<u64>,
}

impl StoredSessions {
    /// The next session.
    ///
    /// # Errors
    /// [`StoreError`]: its line or a certificate cannot be read, it was read before, or
    /// there are fewer or more than `run.json` counted.
    pub fn read_next(&mut self) -> Result<Option<StoredSession>, StoreError> {
        let Some(line) = self.lines.read_next()? else { return self.end() };
        let mut read = ReceivedSession::parse(line.text).map_err(|cause| self.lines.broken(cause))?;
        if !self.read.insert(read.session.number) {
            let cause = format!("session {} occurs a second time", read.session.number);
            return Err(self.lines.broken(cause));
        }
        let Some(chain) = self.chain(&read.chain)? else { return Ok(Some(StoredSession::Incomplete)) };
        if let Some(tls) = &mut read.session.tls {
            tls.chain = chain;
        }
        Ok(Some(StoredSession::Whole(Box::new(read))))
    }

    /// The certificates with these digests; `None` where the run lost one.
    fn chain(&mut self, digests: &[Sha256]) -> Result<Option<Vec<Arc<[u8]>>>, StoreError> {
        let mut chain = Vec::with_capacity(digests.len());
        for digest in digests {
            match self.certificates.der(digest)? {
                Some(der) => chain.push(der),
                None if self.lost == Loss::Nothing => {
                    return Err(self.lines.broken(format!("certificates.csv has no certificate {digest}")));
                }
                None => return Ok(None),
            }
        }
        Ok(Some(chain))
    }

    fn end(&self) -> Result<Option<StoredSession>, StoreError> {
        let found = self.read.len() as u64;
        match self.counted {
            Some(counted) if counted != found => {
                let cause = format!("it has {found} whole lines, where run.json counted {counted}");
                Err(StoreError::Unusable { path: self.path.clone(), cause })
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
#[path = "received_tests.rs"]
mod tests;
