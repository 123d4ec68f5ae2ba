//! The directory of a run of `mxray receive`: `run.json`, `sessions.jsonl` with one
//! line a session, and `certificates.csv` with each client certificate once.

use super::buffered_file::{BufferedFile, WaitingFile, WriteState};
use super::columns::certificates::{CERTIFICATES, CertificateRow};
use super::durable;
use super::files::CsvFile;
use super::journal::LineFile;
use super::receive_info::ReceiveInfo;
use super::run_info::{ERROR_BYTES_MAX, FRESH_NAME, RUN_NAME};
use super::write_error::named;
use super::{OutputError, SCHEMA_VERSION};
use crate::model::Sha256;
use crate::model::inbound::{InboundSession, InboundVerdictCounts, JudgedSession, NamedCounts};
use crate::x509;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file of sessions.
pub const SESSIONS_NAME: &str = "sessions.jsonl";
const CERTIFICATES_NAME: &str = "certificates.csv";

/// One line of `sessions.jsonl`.
#[derive(Serialize)]
struct SessionLine<'a> {
    schema: u32,
    #[serde(flatten)]
    session: &'a InboundSession,
    /// The client's chain, leaf first; the bytes are in `certificates.csv`.
    chain: &'a [Sha256],
    #[serde(flatten)]
    judged: &'a JudgedSession,
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
    /// Verdicts of the sessions written; `None` without connectors.
    verdicts: Option<InboundVerdictCounts>,
    /// Certificates of the sessions written; `None` if none was named.
    named: Option<NamedCounts>,
    /// Most bytes of both files together.
    bytes_max: u64,
    /// Bytes of `sessions.jsonl` and of `certificates.csv` up to the last session that is
    /// whole; `None` after what is behind it could not be cut off.
    whole: Option<[u64; 2]>,
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
            Ok(BufferedFile::new(file, None, whole.clone()))
        };
        let certificates =
            CsvFile::new(CERTIFICATES_NAME.to_string(), CERTIFICATES, file(CERTIFICATES_NAME)?);
        let options = &info.judged_by.options;
        let verdicts = options.contains_key("connectors").then(<_>::default);
        let named = options.contains_key("tls-certificate-name").then(<_>::default);
        let mut directory = Self {
            dir: dir.to_path_buf(),
            info,
            certificates: certificates.map_err(failed)?,
            sessions: LineFile::new(SESSIONS_NAME.to_string(), file(SESSIONS_NAME)?),
            certificates_seen: HashSet::new(),
            count: 0,
            verdicts,
            named,
            bytes_max,
            whole: None,
            _lock: lock,
        };
        directory.flush().and_then(|()| directory.put_info()).map_err(failed)?;
        directory.keep_room().map_err(failed)?;
        directory.whole = Some(directory.written());
        Ok(directory)
    }

    /// The directory as it was named.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Tries to write and to replace `run.json`, as the end does: whoever became another user
    /// since the directory was made may no longer get there.
    ///
    /// # Errors
    /// That of the file, which the message names.
    pub fn try_out(&self) -> io::Result<()> {
        self.put_info()?;
        self.keep_room()
    }

    /// Writes one session; it has reached the system then.
    ///
    /// # Errors
    /// That of the file, which the message names; or the files would have more bytes than
    /// they may have. Nothing of the session is left in the files then, if they can be cut.
    pub fn write(&mut self, session: &InboundSession, judged: &JudgedSession) -> io::Result<()> {
        self.write_whole(session, judged).inspect_err(|_| self.cut())?;
        self.whole = Some(self.written());
        self.count += 1;
        if let Some(counts) = &mut self.verdicts {
            judged.verdicts.iter().flatten().for_each(|judged| counts.add(&judged.verdict));
        }
        if let (Some(counts), Some(certificate)) = (&mut self.named, &judged.client_certificate) {
            counts.add(certificate);
        }
        Ok(())
    }

    fn write_whole(&mut self, session: &InboundSession, judged: &JudgedSession) -> io::Result<()> {
        let mut chain = Vec::new();
        for der in session.tls.iter().flat_map(|tls| &tls.chain) {
            chain.push(self.write_certificate(der)?);
        }
        self.sessions.write(&SessionLine { schema: SCHEMA_VERSION, session, chain: &chain, judged })?;
        self.flush()?;
        let written = self.written().iter().sum::<u64>();
        if written > self.bytes_max {
            let told =
                format!("the files would have {written} bytes, and --disk-max allows {}", self.bytes_max);
            return Err(io::Error::new(ErrorKind::StorageFull, told));
        }
        Ok(())
    }

    /// Bytes of `sessions.jsonl` and of `certificates.csv`.
    fn written(&self) -> [u64; 2] {
        [self.sessions.buffered().written(), self.certificates.buffered().written()]
    }

    /// Cuts off what there is of a session that could not be written whole.
    fn cut(&mut self) {
        let Some([sessions, certificates]) = self.whole.take() else { return };
        let cut = |name, length| {
            let file = File::options().write(true).open(self.dir.join(name));
            file.and_then(|file| file.set_len(length))
        };
        let is_cut = cut(SESSIONS_NAME, sessions).and_then(|()| cut(CERTIFICATES_NAME, certificates));
        self.whole = is_cut.is_ok().then_some([sessions, certificates]);
    }

    /// How many verdicts there are so far; `None` without connectors.
    pub fn verdicts(&self) -> Option<InboundVerdictCounts> {
        self.verdicts
    }

    /// How many certificates so far are the one that is named; `None` if none is.
    pub fn named(&self) -> Option<NamedCounts> {
        self.named
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
        WaitingFile::flush(&mut self.certificates)?;
        WaitingFile::flush(&mut self.sessions)
    }

    /// What is known at the end beside the sessions: connections that were turned away, and
    /// what each sender did.
    ///
    /// # Errors
    /// None that senders of this model can bring about.
    pub fn note_end(&mut self, turned_away: u64, senders: &impl Serialize) -> io::Result<()> {
        self.info.senders = Some(serde_json::to_value(senders)?);
        self.info.turned_away = Some(turned_away);
        Ok(())
    }

    /// Says in `run.json` that it ended, and what broke it off, if something did although
    /// all sessions are written.
    ///
    /// # Errors
    /// That of the file, which the message names.
    pub fn finish(mut self, error: Option<String>) -> io::Result<()> {
        self.flush()?;
        self.info.sessions = Some(self.count);
        self.info.ended = Some(Timestamp::now());
        self.info.error = error;
        self.put_counts()
    }

    /// Says in `run.json` how the run ended of whose sessions these are new verdicts, which
    /// is nothing of one that was killed.
    ///
    /// # Errors
    /// That of the file, which the message names.
    pub fn finish_judged(mut self, before: &ReceiveInfo) -> io::Result<()> {
        self.flush()?;
        self.info.senders.clone_from(&before.senders);
        self.info.sessions = before.sessions.map(|_| self.count);
        self.info.turned_away = before.turned_away;
        self.info.ended = before.ended;
        self.info.error.clone_from(&before.error);
        self.put_counts()
    }

    fn put_counts(&mut self) -> io::Result<()> {
        self.info.verdicts = self.verdicts;
        self.info.named = self.named;
        self.put_info()
    }

    /// Says in `run.json`, if that can still be written, why nothing more is, and what is
    /// known. How many sessions there are nobody knows if the files could not be cut behind
    /// the last whole one.
    pub fn give_up(mut self, error: &io::Error) {
        self.info.ended = Some(Timestamp::now());
        self.info.error = Some(error.to_string());
        self.info.sessions = self.whole.map(|_| self.count);
        // Whoever gives up says so on standard error as well.
        if self.put_counts().is_err() {
            // There may be room for less.
            self.info.senders = None;
            let _ = self.put_info();
        }
    }

    /// Keeps room on the disk for `run.json` as it will be in the end.
    fn keep_room(&self) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&self.info)?;
        let room = vec![b'\n'; text.len() + ERROR_BYTES_MAX];
        let kept = File::create_new(self.dir.join(FRESH_NAME)).and_then(|mut file| file.write_all(&room));
        kept.map_err(|error| named(FRESH_NAME, &error))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inbound::{InboundDialogue, InboundTls};

    fn session(number: u64, chain: Vec<Arc<[u8]>>) -> InboundSession {
        InboundSession {
            number,
            began: Timestamp::UNIX_EPOCH,
            peer: ([192, 0, 2, 1], 4000).into(),
            dialogue: InboundDialogue::default(),
            tls: Some(InboundTls { chain, ..InboundTls::default() }),
            over_us: None,
            total_us: 1,
            bytes_in: 2,
            bytes_out: 3,
        }
    }

    fn info() -> ReceiveInfo {
        ReceiveInfo::new("127.0.0.1:25".into(), "mx.example".into())
    }

    fn run(dir: &Path) -> ReceiveInfo {
        serde_json::from_slice(&fs::read(dir.join(RUN_NAME)).unwrap()).unwrap()
    }

    #[test]
    fn a_certificate_is_written_once_and_named_by_each_session() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("run");
        let mut directory = ReceiveDirectory::create(&dir, info(), 1 << 20).unwrap();
        assert_eq!((run(&dir).ended, run(&dir).sessions), (None, None));
        let der: Arc<[u8]> = Arc::from(*b"no certificate that can be read");
        for number in 1..=2 {
            directory.write(&session(number, vec![der.clone()]), &JudgedSession::default()).unwrap();
        }
        directory.note_end(7, &["one"]).unwrap();
        directory.finish(None).unwrap();
        assert_eq!((run(&dir).sessions, run(&dir).turned_away), (Some(2), Some(7)));
        assert_eq!(run(&dir).senders, Some(serde_json::json!(["one"])));
        let lines = fs::read_to_string(dir.join(SESSIONS_NAME)).unwrap();
        assert_eq!(lines.matches(&x509::digest(&der).to_string()).count(), 2);
        assert_eq!(fs::read_to_string(dir.join(CERTIFICATES_NAME)).unwrap().lines().count(), 2);
        let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [CERTIFICATES_NAME, RUN_NAME, SESSIONS_NAME]);
    }

    #[test]
    fn the_files_are_bounded_and_the_run_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("run");
        let mut directory = ReceiveDirectory::create(&dir, info(), 5000).unwrap();
        let error = (1..)
            .find_map(|number| directory.write(&session(number, Vec::new()), &JudgedSession::default()).err())
            .unwrap();
        assert!(error.to_string().ends_with("and --disk-max allows 5000"), "{error}");
        directory.note_end(1, &["one"]).unwrap();
        directory.give_up(&error);
        let length = |name| fs::metadata(dir.join(name)).unwrap().len();
        let written = length(SESSIONS_NAME) + length(CERTIFICATES_NAME);
        assert!((4000..=5000).contains(&written), "{written}");
        let lines = fs::read_to_string(dir.join(SESSIONS_NAME)).unwrap();
        assert!(lines.ends_with('\n'), "{lines}");
        assert_eq!(run(&dir).sessions, Some(lines.lines().count() as u64));
        assert_eq!(run(&dir).senders, Some(serde_json::json!(["one"])));
        assert_eq!(run(&dir).error, Some(error.to_string()));
        assert!(run(&dir).ended.is_some());
    }

    #[test]
    fn a_folder_with_anything_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "").unwrap();
        let refused = ReceiveDirectory::create(folder.path(), info(), 1).err().unwrap();
        assert!(matches!(refused, OutputError::NotEmpty { .. }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
