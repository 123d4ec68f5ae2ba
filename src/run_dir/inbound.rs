//! The directory of a run of `mxray receive`: `run.json`, `sessions.jsonl` with one
//! line a session, and `certificates.csv` with each client certificate once.

use super::buffered_file::{BufferedFile, RunFile, WriteState};
use super::columns::certificates::{CERTIFICATES, CertificateRow};
use super::directory::CsvFile;
use super::durable;
use super::journal::LineFile;
use super::run_info::{FRESH_NAME, RUN_NAME};
use super::write_error::named;
use super::{OutputError, SCHEMA_VERSION};
use crate::model::Sha256;
use crate::model::inbound::InboundSession;
use crate::x509;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `kind` in the `run.json` of such a run.
pub const RECEIVE_KIND: &str = "receive";
/// Name of the file of sessions.
pub const SESSIONS_NAME: &str = "sessions.jsonl";
const CERTIFICATES_NAME: &str = "certificates.csv";

/// What was run, and how it ended: `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveInfo {
    /// [`RECEIVE_KIND`].
    pub kind: String,
    /// Version of the files.
    pub schema: u32,
    /// Version of mxray.
    pub mxray: String,
    /// The commit that it was built from; `None` where the build did not tell.
    pub commit: Option<String>,
    /// Name of the machine.
    pub host: Option<String>,
    /// The command line, program first.
    pub command: Vec<String>,
    /// The address and port that it listened on.
    pub listen: String,
    /// The name in the greeting.
    pub name: String,
    /// What it did on purpose: a word of `--behave`; `None` where it behaved.
    pub behave: Option<String>,
    /// When it began to listen.
    pub started: Timestamp,
    /// When it ended; `None` as long as it has not, hence also after it was killed.
    pub ended: Option<Timestamp>,
    /// What broke it off, as a disk that is full.
    pub error: Option<String>,
    /// Sessions that have their line; `None` as long as it has not ended.
    pub sessions: Option<u64>,
    /// Connections that were turned away because there were too many at once; `None` as
    /// long as it has not ended.
    pub turned_away: Option<u64>,
}

impl ReceiveInfo {
    /// A run that begins now.
    pub fn new(listen: String, name: String) -> Self {
        Self {
            kind: RECEIVE_KIND.to_string(),
            schema: SCHEMA_VERSION,
            mxray: String::new(),
            commit: None,
            host: None,
            command: Vec::new(),
            listen,
            name,
            behave: None,
            started: Timestamp::now(),
            ended: None,
            error: None,
            sessions: None,
            turned_away: None,
        }
    }
}

/// One line of `sessions.jsonl`.
#[derive(Serialize)]
struct SessionLine<'a> {
    schema: u32,
    #[serde(flatten)]
    session: &'a InboundSession,
    /// The client's chain, leaf first; the bytes are in `certificates.csv`.
    chain: &'a [Sha256],
}

/// The files of a run, written as sessions end.
pub struct ReceiveDirectory {
    dir: PathBuf,
    info: ReceiveInfo,
    certificates: CsvFile<CertificateRow, BufferedFile>,
    sessions: LineFile,
    /// Certificates that have their row, 32 bytes each.
    certificates_seen: HashSet<Sha256>,
    count: u64,
    /// Most bytes of both files together.
    bytes_max: u64,
    /// Keeps the folder for this process.
    _lock: Option<File>,
}

impl ReceiveDirectory {
    /// Makes the directory and its files, for at most so many bytes.
    ///
    /// # Errors
    /// [`OutputError`]: there is something in the directory already, or the system does
    /// not let us write there.
    pub fn create(dir: &Path, info: ReceiveInfo, bytes_max: u64) -> Result<Self, OutputError> {
        let failed = |source| OutputError::Create { dir: dir.to_path_buf(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        let in_use = |_| OutputError::InUse { dir: dir.to_path_buf() };
        let lock = durable::lock_folder(dir).map_err(in_use)?;
        if fs::read_dir(dir).map_err(failed)?.next().is_some() {
            return Err(OutputError::NotEmpty { dir: dir.to_path_buf() });
        }
        let whole = WriteState::default();
        let file = |name: &str| {
            let file = File::options().append(true).create_new(true).open(dir.join(name));
            let file = file.map_err(|error| named(name, &error)).map_err(failed)?;
            Ok(BufferedFile::new(file, whole.clone()))
        };
        let certificates = CsvFile::new(CERTIFICATES_NAME, CERTIFICATES, file(CERTIFICATES_NAME)?);
        let mut directory = Self {
            dir: dir.to_path_buf(),
            info,
            certificates: certificates.map_err(failed)?,
            sessions: LineFile::new(SESSIONS_NAME, file(SESSIONS_NAME)?),
            certificates_seen: HashSet::new(),
            count: 0,
            bytes_max,
            _lock: lock,
        };
        directory.flush().and_then(|()| directory.put_info()).map_err(failed)?;
        Ok(directory)
    }

    /// The directory as it was named.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Writes one session; it has reached the system then.
    ///
    /// # Errors
    /// That of the file, which the message names; or the files have as many bytes as they
    /// may have.
    pub fn write(&mut self, session: &InboundSession) -> io::Result<()> {
        let written = self.sessions.buffered().written() + self.certificates.buffered().written();
        if written >= self.bytes_max {
            let told = format!("the files have {written} bytes, and --disk-max allows {}", self.bytes_max);
            return Err(io::Error::new(ErrorKind::StorageFull, told));
        }
        let mut chain = Vec::new();
        for der in session.tls.iter().flat_map(|tls| &tls.chain) {
            chain.push(self.write_certificate(der)?);
        }
        self.sessions.write(&SessionLine { schema: SCHEMA_VERSION, session, chain: &chain })?;
        self.count += 1;
        self.flush()
    }

    fn write_certificate(&mut self, der: &Arc<[u8]>) -> io::Result<Sha256> {
        let digest = x509::digest(der);
        if self.certificates_seen.insert(digest) {
            self.certificates
                .write(&CertificateRow { facts: Arc::new(x509::read(der)), der: der.clone() })?;
        }
        Ok(digest)
    }

    /// Hands all that waits to the system, what sessions rest on first.
    fn flush(&mut self) -> io::Result<()> {
        RunFile::flush(&mut self.certificates)?;
        RunFile::flush(&mut self.sessions)
    }

    /// Says in `run.json` how it ended.
    ///
    /// # Errors
    /// That of the file, which the message names.
    pub fn finish(mut self, turned_away: u64, error: Option<String>) -> io::Result<()> {
        self.flush()?;
        self.info.ended = Some(Timestamp::now());
        self.info.sessions = Some(self.count);
        self.info.turned_away = Some(turned_away);
        self.info.error = error;
        self.put_info()
    }

    fn put_info(&self) -> io::Result<()> {
        self.replace_info().map_err(|error| named(RUN_NAME, &error))
    }

    /// Puts `run.json` in place of an older one in one step.
    fn replace_info(&self) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.info)?;
        text.push(b'\n');
        let fresh = self.dir.join(FRESH_NAME);
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        File::create_new(&fresh)?.write_all(&text)?;
        durable::sync_file(&self.dir, FRESH_NAME)?;
        fs::rename(&fresh, self.dir.join(RUN_NAME))?;
        durable::sync_folder(&self.dir)
    }
}
