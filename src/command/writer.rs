//! Writes the records down, on a thread of its own because disks block.

use super::asked::Asked;
use crate::model::Record;
use crate::report::Summary;
use crate::run_dir::{DomainStream, RunDirectory};
use std::io::{self, ErrorKind, Stdout};
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

/// Where records go.
pub(super) struct Outputs {
    /// The run directory, if one is written.
    pub(super) directory: Option<RunDirectory>,
    /// Domain rows for a pipe, if asked for.
    pub(super) stream: Option<DomainStream<Stdout>>,
}

/// What came of writing.
pub(super) struct Written {
    /// What is left open for the last words; `None` if it cannot be written.
    pub(super) directory: Option<RunDirectory>,
    /// The fold over everything that was sent, written or not.
    pub(super) summary: Summary,
    /// Whether anything could be asked.
    pub(super) asked: Asked,
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
    records: Receiver<Record>,
    stop: CancellationToken,
    unwanted: CancellationToken,
) -> JoinHandle<Written> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || Writer::new(outputs, stop, unwanted).run(records, &runtime))
}

struct Writer {
    outputs: Outputs,
    summary: Summary,
    asked: Asked,
    error: Option<io::Error>,
    pipe_closed: bool,
    stop: CancellationToken,
    unwanted: CancellationToken,
    /// When the directory must be flushed and looked for.
    due: Instant,
}

impl Writer {
    fn new(outputs: Outputs, stop: CancellationToken, unwanted: CancellationToken) -> Self {
        let (summary, asked) = (Summary::default(), Asked::default());
        Self {
            outputs,
            summary,
            asked,
            error: None,
            pipe_closed: false,
            stop,
            unwanted,
            due: Instant::now() + FLUSH_EVERY,
        }
    }

    fn run(mut self, mut records: Receiver<Record>, runtime: &Handle) -> Written {
        let mut batch = Vec::with_capacity(BATCH_RECORDS_MAX);
        while self.receive(&mut records, &mut batch, runtime) > 0 {
            for record in batch.drain(..) {
                self.summary.add(&record);
                self.asked.add(&record);
                let result = self.write(&record);
                self.note(result);
            }
            if records.is_empty() {
                self.flush_stream();
                std::thread::sleep(GATHER);
            }
            if Instant::now() >= self.due {
                self.flush_directory();
            }
        }
        self.flush_stream();
        self.flush_directory();
        let directory = self.outputs.directory.take();
        let Self { summary, asked, error, pipe_closed, .. } = self;
        Written { directory, summary, asked, error, pipe_closed }
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
        if let (Some(stream), Record::Domain(domain)) = (&mut self.outputs.stream, record) {
            let result = stream.write(domain);
            self.note_stream(result);
        }
        Ok(())
    }

    fn flush_stream(&mut self) {
        if let Some(stream) = &mut self.outputs.stream {
            let result = stream.flush();
            self.note_stream(result);
        }
    }

    fn flush_directory(&mut self) {
        self.due = Instant::now() + FLUSH_EVERY;
        if let Some(directory) = &mut self.outputs.directory {
            let result = directory.check_place().and_then(|()| directory.flush());
            self.note(result);
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
    use crate::run_dir::fixtures::{rejected, run_info};
    use std::fs;
    use tokio::sync::mpsc;

    /// How long a test waits for what must come.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_found_reaches_the_disk_while_no_record_comes() {
        let parent = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(parent.path(), &run_info()).unwrap();
        let outputs = Outputs { directory: Some(directory), stream: None };
        let (sender, records) = mpsc::channel(8);
        let token = CancellationToken::new();
        let writing = start(outputs, records, token.clone(), token);
        let rows = || fs::read_to_string(parent.path().join("rejects.csv")).unwrap().lines().count() - 1;
        for count in 1..=2 {
            sender.send(Record::Rejected(rejected())).await.unwrap();
            let written = async {
                while rows() < count {
                    tokio::time::sleep(GATHER).await;
                }
            };
            // Nothing else is sent: only time can bring it about.
            tokio::time::timeout(PATIENCE, written).await.expect("it is never written");
        }
        drop(sender);
        assert_eq!(writing.await.unwrap().summary.rejected, 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_directory_that_is_gone_ends_the_run_while_no_record_comes() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let directory = RunDirectory::create(&path, &run_info()).unwrap();
        let outputs = Outputs { directory: Some(directory), stream: None };
        let (sender, records) = mpsc::channel(8);
        let (stop, unwanted) = (CancellationToken::new(), CancellationToken::new());
        let writing = start(outputs, records, stop.clone(), unwanted.clone());
        fs::remove_dir_all(&path).unwrap();
        tokio::time::timeout(PATIENCE, unwanted.cancelled()).await.expect("nobody notices");
        assert!(stop.is_cancelled());
        drop(sender);
        let written = writing.await.unwrap();
        assert_eq!(written.error.unwrap().to_string(), format!("{} is gone, or moved", path.display()));
        assert!(written.directory.is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_gone_ends_the_run_while_no_record_comes() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let directory = RunDirectory::create(&path, &run_info()).unwrap();
        let outputs = Outputs { directory: Some(directory), stream: None };
        let (sender, records) = mpsc::channel(8);
        let (stop, unwanted) = (CancellationToken::new(), CancellationToken::new());
        let writing = start(outputs, records, stop.clone(), unwanted.clone());
        let rows = path.join("domains.csv");
        fs::remove_file(&rows).unwrap();
        tokio::time::timeout(PATIENCE, unwanted.cancelled()).await.expect("nobody notices");
        drop(sender);
        let told = format!("{} is gone, or moved", rows.display());
        assert_eq!(writing.await.unwrap().error.unwrap().to_string(), told);
        assert!(fs::read_to_string(path.join("run.json")).unwrap().contains(&told));
    }
}
