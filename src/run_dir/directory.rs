//! The run directory: every file of a run, written as records come in.
//!
//! The files reach the system together and in one order, so that a run that is
//! killed has no row without what it rests on.

use super::OutputError;
use super::beginning;
use super::buffered_file::{BufferedFile, WaitingFile, WriteState};
use super::columns::certificates::{CERTIFICATES, CertificateRow};
use super::columns::domains::DOMAINS;
use super::columns::edges::{MX, MxRow, REJECTS, edges};
use super::columns::endpoints::ENDPOINTS;
use super::columns::enumeration::{GROUPS, SUITES};
use super::durable;
use super::files::{CsvFile, EnumerationFiles, NewFiles};
use super::journal::{self, LineFile};
use super::run_info::{self, RunInfo, RunNews};
use super::write_error::named;
use crate::model::{Assessment, DomainFacts, DomainRecord, EndpointRecord, Record, Rejected, Sha256};
use crate::x509;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is gathered of all files before it is handed to the system, in bytes,
/// beside what each CSV writer holds.
const BUFFERED_BYTES_MAX: usize = 256 * 1024;

/// The same where files are packed: each hand-over is a part of its own in each file, and
/// parts of 256 KiB take nearly as little room as larger ones. How much of a run is lost
/// when the process is killed, its writer decides by the clock.
const PACKED_BYTES_MAX: usize = 2 << 20;

/// Every file of a run. Whoever writes stops at the first error: what follows
/// it would leave a hole. The fields stand in the order in which they reach
/// the system, that of [`RunDirectory::flush`], for when they are dropped.
pub struct RunDirectory {
    dir: PathBuf,
    /// What `run.json` said at the start.
    pub(super) info: RunInfo,
    certificates: CsvFile<CertificateRow, BufferedFile>,
    journal: LineFile,
    enumeration: Option<EnumerationFiles>,
    endpoints: CsvFile<EndpointRecord, BufferedFile>,
    rejects: CsvFile<Rejected, BufferedFile>,
    facts: LineFile,
    mx: CsvFile<MxRow, BufferedFile>,
    domains: CsvFile<DomainRecord, BufferedFile>,
    /// Certificates that have their row, 32 bytes each.
    certificates_seen: HashSet<Sha256>,
    /// Keeps the folder for this process.
    _lock: Option<File>,
}

/// The files that a run may have, without `run.json` and before they are packed: what rests
/// on others before those.
pub(crate) const NAMES: [&str; 9] = [
    "domains.csv",
    "mx.csv",
    "facts.jsonl",
    "rejects.csv",
    "endpoints.csv",
    "groups.csv",
    "suites.csv",
    "observations.jsonl",
    "certificates.csv",
];

/// A folder that is made to see whether another takes any, and taken away at once.
const TRIED_NAME: &str = ".mxray-tried";

pub(super) fn lock(dir: &Path) -> Result<Option<File>, OutputError> {
    durable::lock_folder(dir).map_err(|_| OutputError::InUse { dir: dir.to_path_buf() })
}

impl RunDirectory {
    /// Makes the directory and in it every file, `run.json` with `info` as it
    /// is at the start. What a process left that was killed before its run began is
    /// cleared away.
    ///
    /// # Errors
    /// [`OutputError`]: there is something in the directory already, or the
    /// system does not let us write there.
    pub fn create(dir: &Path, info: &RunInfo) -> Result<Self, OutputError> {
        let failed = |source| OutputError::Create { dir: dir.to_path_buf(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        let lock = lock(dir)?;
        if !beginning::clear(dir, &NAMES).map_err(failed)? {
            return Err(OutputError::NotEmpty { dir: dir.to_path_buf() });
        }
        let mut directory = Self::open(dir, info, lock, str::to_owned).map_err(failed)?;
        directory.begin().map_err(failed)?;
        Ok(directory)
    }

    /// Whether a run could be written there. What is made to find out is taken away
    /// again: many a folder takes no other, and says so only then.
    ///
    /// # Errors
    /// [`OutputError`]: as [`RunDirectory::create`].
    pub fn check(dir: &Path) -> Result<(), OutputError> {
        let failed = |source| OutputError::Create { dir: dir.to_path_buf(), source };
        match fs::metadata(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return durable::try_folder(dir).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
            Ok(found) if !found.is_dir() => return Err(failed(io::ErrorKind::AlreadyExists.into())),
            Ok(_) => {}
        }
        let _lock = lock(dir)?;
        match beginning::may_clear(dir, &NAMES).map_err(failed)? {
            true => durable::try_folder(&dir.join(TRIED_NAME)).map_err(failed),
            false => Err(OutputError::NotEmpty { dir: dir.to_path_buf() }),
        }
    }

    /// Makes the files, under names of which each is made of its own by `place`.
    pub(super) fn open(
        dir: &Path,
        info: &RunInfo,
        lock: Option<File>,
        place: impl Fn(&str) -> String,
    ) -> io::Result<Self> {
        let files = NewFiles { dir, packing: info.compress, place, whole: WriteState::default() };
        let enumeration = || {
            io::Result::Ok(EnumerationFiles {
                suites: files.table("suites.csv", SUITES)?,
                groups: files.table("groups.csv", GROUPS)?,
            })
        };
        Ok(Self {
            dir: dir.to_path_buf(),
            info: info.clone(),
            certificates: files.table("certificates.csv", CERTIFICATES)?,
            journal: files.lines("observations.jsonl")?,
            enumeration: info.limits.enumerates().then(enumeration).transpose()?,
            endpoints: files.table("endpoints.csv", ENDPOINTS)?,
            rejects: files.table("rejects.csv", REJECTS)?,
            facts: files.lines("facts.jsonl")?,
            mx: files.table("mx.csv", MX)?,
            domains: files.table("domains.csv", DOMAINS)?,
            certificates_seen: HashSet::new(),
            _lock: lock,
        })
    }

    /// Writes the headers, so that no reader meets a file without, and `run.json`.
    fn begin(&mut self) -> io::Result<()> {
        self.flush()?;
        run_info::replace(&self.dir, &self.info, None::<&()>)
            .and_then(|()| run_info::keep_room(&self.dir, &self.info))
            .map_err(|error| named("run.json", &error))
    }

    /// The directory as it was named.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Writes one record to every file that it belongs to. It may stay in
    /// memory until [`RunDirectory::flush`].
    ///
    /// # Errors
    /// That of the file, which the message names.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Rejected(rejected) => self.rejects.write(rejected)?,
            Record::Endpoint(endpoint) => self.write_endpoint(endpoint)?,
            Record::Part(facts) => {
                let policy_chain = self.write_policy_chain(facts)?;
                journal::append_facts(&mut self.facts, facts, &policy_chain)?;
            }
            Record::Domain(domain) => {
                let policy_chain = self.write_policy_chain(&domain.facts)?;
                journal::append_facts(&mut self.facts, &domain.facts, &policy_chain)?;
                edges(&domain.facts).try_for_each(|edge| self.mx.write(&edge))?;
                self.domains.write(domain)?;
            }
        }
        let limit = if self.info.compress.is_some() { PACKED_BYTES_MAX } else { BUFFERED_BYTES_MAX };
        if self.buffered_bytes() >= limit { self.flush() } else { Ok(()) }
    }

    /// All files, what others rest on before those.
    pub(super) fn files(&self) -> Vec<&dyn WaitingFile> {
        let mut files: Vec<&dyn WaitingFile> = vec![&self.certificates, &self.journal];
        if let Some(EnumerationFiles { suites, groups }) = &self.enumeration {
            files.extend([suites as &dyn WaitingFile, groups]);
        }
        files.extend([
            &self.endpoints as &dyn WaitingFile,
            &self.rejects,
            &self.facts,
            &self.mx,
            &self.domains,
        ]);
        files
    }

    /// The same, to write to.
    fn files_mut(&mut self) -> Vec<&mut dyn WaitingFile> {
        let mut files: Vec<&mut dyn WaitingFile> = vec![&mut self.certificates, &mut self.journal];
        if let Some(EnumerationFiles { suites, groups }) = &mut self.enumeration {
            files.extend([suites as &mut dyn WaitingFile, groups]);
        }
        files.extend([&mut self.endpoints as &mut dyn WaitingFile, &mut self.rejects]);
        files.extend([&mut self.facts as &mut dyn WaitingFile, &mut self.mx, &mut self.domains]);
        files
    }

    fn buffered_bytes(&self) -> usize {
        self.files().into_iter().map(|file| file.buffered().len()).sum()
    }

    fn write_endpoint(&mut self, record: &EndpointRecord) -> io::Result<()> {
        if let Some(tls) = &record.observation.tls {
            self.write_certificates(record.assessment.as_deref(), &tls.chain)?;
        }
        for (assessment, hello) in
            record.hello_assessments.iter().zip(&record.observation.extra_client_hellos)
        {
            self.write_certificates(assessment.as_deref(), &hello.chain)?;
        }
        if let Some(enumeration) = &record.enumeration {
            let key = &record.observation.key;
            let Some(files) = &mut self.enumeration else {
                let told = format!("{key} was enumerated, and run.json says that no host is");
                return Err(io::Error::new(io::ErrorKind::InvalidData, told));
            };
            files.write(key, enumeration)?;
        }
        journal::append(&mut self.journal, record)?;
        self.endpoints.write(record)
    }

    /// Writes those that have no row yet.
    fn write_certificates(&mut self, assessment: Option<&Assessment>, chain: &[Arc<[u8]>]) -> io::Result<()> {
        let facts = assessment.into_iter().flat_map(|assessment| &assessment.certificates);
        for (facts, der) in facts.zip(chain) {
            if self.certificates_seen.insert(facts.sha256) {
                self.certificates.write(&CertificateRow { facts: facts.clone(), der: der.clone() })?;
            }
        }
        Ok(())
    }

    /// Writes what a policy host showed and has no row yet; the digests of all of
    /// it.
    fn write_policy_chain(&mut self, facts: &DomainFacts) -> io::Result<Vec<Sha256>> {
        let fetch = facts.mta_sts.as_ref().and_then(|mta_sts| mta_sts.fetch.as_deref());
        let chain = fetch.map_or(&[][..], |fetch| &fetch.chain);
        let mut digests = Vec::with_capacity(chain.len());
        for der in chain {
            let digest = x509::digest(der);
            if self.certificates_seen.insert(digest) {
                let facts = Arc::new(x509::read(der));
                self.certificates.write(&CertificateRow { facts, der: der.clone() })?;
            }
            digests.push(digest);
        }
        Ok(digests)
    }

    /// Whether the directory still is where it was made, and every file in it
    /// as long as what was written there: the system goes on to take what is
    /// written to files that nobody can find any more, or that another process
    /// cut short.
    ///
    /// # Errors
    /// The directory is not, or one of its files.
    pub fn check_place(&self) -> io::Result<()> {
        if self.length(run_info::RUN_NAME).is_none() {
            return Err(is_gone(&self.dir));
        }
        for file in self.files() {
            let (path, written) = (self.dir.join(file.name()), file.buffered().written());
            match self.length(file.name()) {
                None => return Err(is_gone(&path)),
                Some(length) if length < written => return Err(is_cut(&path, length, written)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Writes down what came to be known of the run, for whoever goes on if this process
    /// is killed.
    ///
    /// # Errors
    /// That of `run.json`.
    pub fn set_news(&mut self, news: RunNews) -> io::Result<()> {
        let RunNews { cool_downs, canary_pauses, blocklist } = news;
        let info = &mut self.info;
        info.cool_downs = cool_downs.or(info.cool_downs.take());
        info.canary_pauses = canary_pauses.unwrap_or(std::mem::take(&mut info.canary_pauses));
        info.blocklist = blocklist.unwrap_or(std::mem::take(&mut info.blocklist));
        self.begin()
    }

    /// Whether the disk has so many bytes left. It is looked at before the disk is
    /// full, so that what is under way still finds room.
    ///
    /// # Errors
    /// It has not.
    pub fn check_room(&self, reserve: u64) -> io::Result<()> {
        let Some(room) = durable::room(&self.dir).filter(|room| *room < reserve) else { return Ok(()) };
        let (dir, [room, reserve]) = (self.dir.display(), [room, reserve].map(|bytes| bytes >> 20));
        let mut told = format!("the disk of {dir} has {room} MiB left, and {reserve} MiB are kept free");
        if self.info.asked_by.as_ref().is_some_and(|by| by.list.is_some()) {
            told.push_str(&format!("; make room, and mxray scan --resume {dir} goes on"));
        }
        Err(io::Error::new(io::ErrorKind::StorageFull, told))
    }

    /// Bytes of the file of that name; `None` if there is none. What the system
    /// does not tell is no reason to break off.
    fn length(&self, name: &str) -> Option<u64> {
        match fs::metadata(self.dir.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some(u64::MAX),
            Ok(metadata) => Some(metadata.len()),
        }
    }

    /// Hands everything gathered to the system, what domains rest on first.
    ///
    /// # Errors
    /// That of the first file that fails, which the message names.
    pub fn flush(&mut self) -> io::Result<()> {
        self.files_mut().into_iter().try_for_each(WaitingFile::flush)
    }

    /// Waits until the disk has every file.
    fn sync(&self) -> io::Result<()> {
        self.files().into_iter().try_for_each(|file| {
            durable::sync_file(&self.dir, file.name()).map_err(|error| named(file.name(), &error))
        })
    }

    /// Flushes, waits until the disk has all of it, and puts the final `run.json`
    /// in place: no power cut leaves one that says more than the tables hold. If a
    /// file fails, is gone or was cut short, it is that of
    /// [`RunDirectory::give_up`].
    ///
    /// # Errors
    /// That of the first file that fails, which the message names.
    pub fn finish(mut self, info: &RunInfo, summary: &impl Serialize) -> io::Result<()> {
        let finished = self.close(info, summary);
        if let Err(error) = &finished {
            self.give_up(error);
        }
        finished
    }

    fn close(&mut self, info: &RunInfo, summary: &impl Serialize) -> io::Result<()> {
        self.flush()?;
        self.check_place()?;
        self.sync()?;
        run_info::replace(&self.dir, info, Some(summary)).map_err(|error| named("run.json", &error))
    }

    /// Says in `run.json`, if that can still be written, why nothing more is:
    /// as at the start otherwise, for nobody knows what reached the disk.
    pub fn give_up(self, error: &io::Error) {
        let Self { dir, info, .. } = self;
        let ended = Some(Timestamp::now());
        let error = Some(format!("cannot write the results: {error}"));
        // A directory that is gone, or another's by now, is not written to.
        if dir.join(run_info::RUN_NAME).exists() {
            // Whoever gave up says so on standard error as well.
            let _ = run_info::replace(&dir, &RunInfo { ended, error, ..info }, None::<&()>);
        }
    }
}

fn is_gone(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{} is gone, or moved", path.display()))
}

fn is_cut(path: &Path, length: u64, written: u64) -> io::Error {
    let path = path.display();
    io::Error::other(format!(
        "{path} has {length} bytes, and {written} were written to it: another process cut it short"
    ))
}
