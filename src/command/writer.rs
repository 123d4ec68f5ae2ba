//! Writes the records down, on a thread of its own because disks block.

use super::list_end::{AnswerCount, no_way_out};
use super::outlet::{Handed, Outlet, UNREAD};
use super::run_news::NewsSource;
use crate::engine::{PlaceBook, Progress};
use crate::model::{DomainRecord, Record};
use crate::report::Summary;
use crate::run_dir::{DomainStream, RunDirectory, StreamFormat};
use crate::verdict::Reach;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// At most this much of a run is lost when the process is killed, also while
/// no record comes; and so long it takes to see that the directory is gone.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Records that are taken at once.
const BATCH_RECORDS_MAX: usize = 256;

/// How long to let records gather. To wake this thread costs more than to
/// write one down.
const GATHER: Duration = Duration::from_millis(5);

/// Bytes that are left free on the disk of a run directory: when there are fewer, the
/// run ends in order, while there is room for what is under way. A thousand
/// connections that bring 60 KiB each are as much.
const DISK_RESERVE_BYTES: u64 = 64 << 20;

/// Where records go.
pub(super) struct Outputs {
    /// The run directory, if one is written.
    pub(super) directory: Option<RunDirectory>,
    /// Domain rows for a pipe, if asked for.
    pub(super) stream: Option<RowStream>,
    /// What an earlier process wrote to the directory.
    pub(super) earlier: Fold,
    /// Knows who is left alone, which goes to the directory, too.
    pub(super) progress: Arc<Progress>,
}

/// The fold over the records of a run.
#[derive(Default)]
pub(super) struct Fold {
    /// What they come to.
    pub(super) summary: Summary,
    /// Where TCP opened.
    pub(super) reach: Reach,
    /// Whether anything could be asked.
    pub(super) asked: AnswerCount,
}

impl Fold {
    pub(super) fn add(&mut self, record: &Record) {
        self.summary.add(record);
        if let Record::Endpoint(endpoint) = record {
            self.reach.add(&endpoint.observation);
        }
        self.asked.add(record);
    }
}

/// Domain rows on their way to a pipe.
pub(super) struct RowStream {
    rows: DomainStream<Outlet>,
    outlet: Outlet,
    /// Lines so far, the header of CSV among them.
    lines: u64,
}

impl RowStream {
    /// That of standard output.
    ///
    /// # Errors
    /// The system has no thread or file left for it.
    pub(super) fn stdout(format: StreamFormat) -> io::Result<Self> {
        Self::new(format, Outlet::stdout()?)
    }

    fn new(format: StreamFormat, outlet: Outlet) -> io::Result<Self> {
        let lines = u64::from(format == StreamFormat::Csv);
        Ok(Self { rows: DomainStream::new(format, outlet.clone())?, outlet, lines })
    }

    fn write(&mut self, record: &DomainRecord) -> io::Result<()> {
        self.lines += 1;
        self.rows.write(record)
    }

    /// Rows that the system did not take whole.
    fn untaken(&self) -> u64 {
        self.lines.saturating_sub(self.outlet.lines())
    }
}

/// What came of writing.
pub(super) struct Written {
    /// What is left open for the last words; `None` if it cannot be written.
    pub(super) directory: Option<RunDirectory>,
    /// The fold over everything that was sent, written or not.
    pub(super) fold: Fold,
    /// How it stands with the places that complained.
    pub(super) places: PlaceBook,
    /// The first error, if writing broke off.
    pub(super) error: Option<io::Error>,
    /// Whoever read standard output has enough.
    pub(super) pipe_closed: bool,
}

/// Writes until the records end. An error stops the run and lets it drain:
/// records that can no longer be written are still counted. `unwanted` is said
/// when there is nothing left to write to, and so nothing to drain for.
pub(super) fn start(
    outputs: Outputs,
    news: NewsSource,
    records: Receiver<Record>,
    stop: CancellationToken,
    unwanted: CancellationToken,
) -> JoinHandle<Written> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || Writer::new(outputs, news, stop, unwanted).run(records, &runtime))
}

struct Writer {
    outputs: Outputs,
    news: NewsSource,
    fold: Fold,
    error: Option<io::Error>,
    pipe_closed: bool,
    /// Rows for a pipe that nobody reads, once that was given up.
    unread: Option<u64>,
    /// Whether it was said that this machine's network may let nothing out.
    warned: bool,
    stop: CancellationToken,
    unwanted: CancellationToken,
    /// When the directory must be flushed and looked for.
    due: Instant,
    /// Bytes that are left free on its disk.
    reserve: u64,
}

impl Writer {
    fn new(
        mut outputs: Outputs,
        news: NewsSource,
        stop: CancellationToken,
        unwanted: CancellationToken,
    ) -> Self {
        let fold = std::mem::take(&mut outputs.earlier);
        Self {
            outputs,
            news,
            fold,
            error: None,
            pipe_closed: false,
            unread: None,
            warned: false,
            stop,
            unwanted,
            due: Instant::now() + FLUSH_EVERY,
            reserve: DISK_RESERVE_BYTES,
        }
    }

    fn run(mut self, mut records: Receiver<Record>, runtime: &Handle) -> Written {
        let mut batch = Vec::with_capacity(BATCH_RECORDS_MAX);
        while self.receive(&mut records, &mut batch, runtime) > 0 {
            for record in batch.drain(..) {
                self.fold.add(&record);
                let result = self.write(&record);
                self.note(result);
            }
            self.warn_of_network();
            let all = records.is_empty();
            self.hand_over(all);
            if all {
                std::thread::sleep(GATHER);
            }
            if Instant::now() >= self.due {
                self.flush_directory();
            }
        }
        self.hand_over(true);
        self.flush_directory();
        let directory = self.outputs.directory.take();
        let places = self.outputs.progress.places().clone();
        let Self { fold, error, pipe_closed, unread, .. } = self;
        let error = error.or_else(|| {
            let told = format!("standard output: {UNREAD}; rows that were not written: {}", unread?);
            Some(io::Error::new(ErrorKind::TimedOut, told))
        });
        Written { directory, fold, places, error, pipe_closed }
    }

    /// Says once that this machine's own network may let nothing out, as soon
    /// as that is suspected: a list may take days.
    fn warn_of_network(&mut self) {
        if !self.warned && self.fold.reach.opened_nowhere() {
            self.warned = true;
            super::say(format_args!("mxray: warning: so far {}", no_way_out(&self.fold.reach)));
        }
    }

    /// Waits for records and flushes the directory in time; gives how many
    /// there are, 0 at their end.
    fn receive(
        &mut self,
        records: &mut Receiver<Record>,
        batch: &mut Vec<Record>,
        runtime: &Handle,
    ) -> usize {
        while self.outputs.directory.is_some() {
            // Nothing is taken out when the time is over.
            let taken = records.recv_many(batch, BATCH_RECORDS_MAX);
            match runtime.block_on(timeout_at(self.due, taken)) {
                Ok(count) => return count,
                Err(_) => self.flush_directory(),
            }
        }
        records.blocking_recv_many(batch, BATCH_RECORDS_MAX)
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        if let Some(directory) = &mut self.outputs.directory {
            directory.write(record)?;
        }
        let Record::Domain(domain) = record else { return Ok(()) };
        if let Some(stream) = &mut self.outputs.stream {
            let result = stream.write(domain);
            self.note_stream(result);
        } else if let Some(unread) = &mut self.unread {
            *unread += 1;
        }
        Ok(())
    }

    /// Hands rows to the pipe, all or what does not gather any more, and waits
    /// for its reader: that is what makes a run no faster than it is read. The
    /// directory is flushed meanwhile. Once the run is stopped, a pipe that
    /// nobody reads is given up.
    fn hand_over(&mut self, all: bool) {
        let Some(stream) = &mut self.outputs.stream else { return };
        if all {
            let result = stream.rows.flush();
            self.note_stream(result);
        }
        let Some(outlet) = self.outputs.stream.as_ref().map(|stream| stream.outlet.clone()) else { return };
        let handed = outlet.wait(|| {
            if Instant::now() >= self.due {
                self.flush_directory();
            }
            self.stop.is_cancelled()
        });
        match handed {
            Handed::Whole => {}
            Handed::Failed(error) => self.note_stream(Err(error)),
            Handed::Unread => self.unread = self.outputs.stream.take().map(|stream| stream.untaken()),
        }
    }

    fn flush_directory(&mut self) {
        self.due = Instant::now() + FLUSH_EVERY;
        if let Some(directory) = &mut self.outputs.directory {
            let mut result = directory.check_place().and_then(|()| directory.flush());
            if let Some(news) = self.news.take().filter(|_| result.is_ok()) {
                result = directory.set_news(news);
            }
            self.note(result);
        }
        self.look_for_room();
    }

    /// Ends the run before its disk is full. The directory stays as it is: it takes
    /// what is under way.
    fn look_for_room(&mut self) {
        let Some(directory) = self.outputs.directory.as_ref().filter(|_| !self.stop.is_cancelled()) else {
            return;
        };
        if let Err(error) = directory.check_room(self.reserve) {
            super::say(format_args!("mxray: stopping: {error}"));
            self.fail(error);
        }
    }

    /// What cannot be written to the directory leaves a hole in it.
    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            if let Some(directory) = self.outputs.directory.take() {
                directory.give_up(&error);
            }
            self.fail(error);
        }
    }

    /// A closed pipe is a quiet end, not an error. Either way the directory is
    /// whole and is closed in order.
    fn note_stream(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        if error.kind() != ErrorKind::BrokenPipe {
            return self.fail(io::Error::new(error.kind(), format!("standard output: {error}")));
        }
        self.pipe_closed = true;
        self.outputs.stream = None;
        self.end();
    }

    fn fail(&mut self, error: io::Error) {
        self.outputs.stream = None;
        self.error.get_or_insert(error);
        self.end();
    }

    fn end(&mut self) {
        self.stop.cancel();
        if self.outputs.directory.is_none() {
            self.unwanted.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_dir::fixtures::{domain, rejected, run_info};
    use std::fs;
    use std::path::PathBuf;
    use tempfile::TempDir;
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    /// How long a test waits for what must come.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// A pipe that takes nothing as long as the other end lives.
    struct Deaf(std::sync::mpsc::Receiver<()>);

    impl io::Write for Deaf {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn no_news() -> NewsSource {
        NewsSource::new(Arc::default(), Vec::new(), tokio::sync::watch::Sender::new(Vec::new()).subscribe())
    }

    /// A writer at work on a run directory, and perhaps a pipe.
    struct Writing {
        parent: TempDir,
        sender: mpsc::Sender<Record>,
        stop: CancellationToken,
        unwanted: CancellationToken,
        written: JoinHandle<Written>,
    }

    impl Writing {
        fn start(stream: Option<RowStream>) -> Self {
            let parent = tempfile::tempdir().unwrap();
            let directory = Some(RunDirectory::create(&parent.path().join("run"), &run_info()).unwrap());
            let (sender, records) = mpsc::channel(8);
            let (stop, unwanted) = (CancellationToken::new(), CancellationToken::new());
            let written = start(
                Outputs { directory, stream, earlier: Fold::default(), progress: Arc::default() },
                no_news(),
                records,
                stop.clone(),
                unwanted.clone(),
            );
            Self { parent, sender, stop, unwanted, written }
        }

        fn path(&self) -> PathBuf {
            self.parent.path().join("run")
        }

        /// Waits until a file has so many rows.
        async fn has_rows(&self, file: &str, count: usize) {
            let path = self.path().join(file);
            let written = async {
                while fs::read_to_string(&path).unwrap().lines().count() <= count {
                    tokio::time::sleep(GATHER).await;
                }
            };
            timeout(PATIENCE, written).await.expect("it is never written");
        }

        /// Waits until the run is told to end; gives what came of it.
        async fn ends(self) -> Written {
            timeout(PATIENCE, self.unwanted.cancelled()).await.expect("nobody notices");
            assert!(self.stop.is_cancelled());
            drop(self.sender);
            self.written.await.unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_found_reaches_the_disk_while_no_record_comes() {
        let writing = Writing::start(None);
        for count in 1..=2 {
            writing.sender.send(Record::Rejected(rejected())).await.unwrap();
            // Nothing else is sent: only time can bring it about.
            writing.has_rows("rejects.csv", count).await;
        }
        drop(writing.sender);
        assert_eq!(writing.written.await.unwrap().fold.summary.rejected, 2);
    }

    #[cfg(unix)]
    #[tokio::test(flavor = "multi_thread")]
    async fn a_disk_that_will_be_full_ends_the_run_in_order() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let directory = Some(RunDirectory::create(&path, &run_info()).unwrap());
        let (stop, unwanted) = (CancellationToken::new(), CancellationToken::new());
        let outputs = Outputs { directory, stream: None, earlier: Fold::default(), progress: Arc::default() };
        let mut writer = Writer::new(outputs, no_news(), stop.clone(), unwanted.clone());
        writer.reserve = u64::MAX;
        let (sender, records) = mpsc::channel(8);
        let runtime = Handle::current();
        let written = tokio::task::spawn_blocking(move || writer.run(records, &runtime));
        timeout(PATIENCE, stop.cancelled()).await.expect("nobody notices");
        // What was under way still finds its place.
        sender.send(Record::Rejected(rejected())).await.unwrap();
        drop(sender);
        let written = written.await.unwrap();
        assert!(!unwanted.is_cancelled());
        let error = written.error.unwrap().to_string();
        assert!(error.starts_with(&format!("the disk of {} has ", path.display())), "{error}");
        written.directory.unwrap().finish(&run_info(), &()).unwrap();
        assert_eq!(fs::read_to_string(path.join("rejects.csv")).unwrap().lines().count(), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_directory_that_is_gone_ends_the_run_while_no_record_comes() {
        let writing = Writing::start(None);
        let path = writing.path();
        fs::remove_dir_all(&path).unwrap();
        let written = writing.ends().await;
        assert_eq!(written.error.unwrap().to_string(), format!("{} is gone, or moved", path.display()));
        assert!(written.directory.is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_gone_ends_the_run_while_no_record_comes() {
        let writing = Writing::start(None);
        let path = writing.path();
        let rows = path.join("domains.csv");
        fs::remove_file(&rows).unwrap();
        let (told, run) = (format!("{} is gone, or moved", rows.display()), path.join("run.json"));
        // What becomes of the folder of a test is seen before it goes.
        timeout(PATIENCE, writing.unwanted.cancelled()).await.expect("nobody notices");
        assert!(fs::read_to_string(run).unwrap().contains(&told));
        assert_eq!(writing.ends().await.error.unwrap().to_string(), told);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pipe_that_nobody_reads_loses_rows_of_its_own_alone() {
        let (_silent, deaf) = std::sync::mpsc::channel();
        let outlet = Outlet::new("test", Deaf(deaf)).unwrap();
        let writing = Writing::start(Some(RowStream::new(StreamFormat::Jsonl, outlet).unwrap()));
        let row = || Record::Domain(Box::new(domain()));
        writing.sender.send(row()).await.unwrap();
        // Also while a reader is waited for.
        writing.has_rows("domains.csv", 1).await;
        for _ in 0..writing.sender.max_capacity() {
            writing.sender.try_send(row()).unwrap();
        }
        assert!(writing.sender.try_send(row()).is_err(), "a run is no faster than it is read");
        writing.stop.cancel();
        timeout(PATIENCE, writing.sender.send(row())).await.expect("it is not given up").unwrap();
        drop(writing.sender);
        let written = writing.written.await.unwrap();
        let told = "standard output: nobody reads it; rows that were not written: 10";
        assert_eq!(written.error.unwrap().to_string(), told);
        assert!(!writing.unwanted.is_cancelled(), "open connections still end in order");
        written.directory.unwrap().flush().unwrap();
        let rows = fs::read_to_string(writing.parent.path().join("run/domains.csv")).unwrap();
        assert_eq!(rows.lines().count() - 1, 10);
    }
}
