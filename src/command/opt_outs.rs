//! Who asks to be left alone while a survey runs: SIGHUP reads the blocklist again.
//!
//! A list that cannot be used whole is told, and the one of before stays in force:
//! to go on without it would ask those who said no.

#[cfg(unix)]
use super::say;
use crate::model::BlocklistInForce;
#[cfg(unix)]
use crate::plan;
use crate::run_dir::{BLOCKLIST_READS_MAX, BlocklistRead};
use jiff::Timestamp;
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The blocklist of a survey, and each time that it was read.
#[derive(Default)]
pub(super) struct OptOuts {
    reads: Arc<watch::Sender<Vec<BlocklistRead>>>,
    watching: Option<JoinHandle<()>>,
}

impl OptOuts {
    /// Notes that `files` were read, after what `earlier` processes read, and reads
    /// them again at every SIGHUP from now on. Without files the signal ends the
    /// process as it does any other.
    pub(super) fn watch(files: &[PathBuf], in_force: BlocklistInForce, earlier: &[BlocklistRead]) -> Self {
        let reads = Arc::new(watch::Sender::new(earlier.to_vec()));
        if files.is_empty() {
            return Self { reads, watching: None };
        }
        note(&reads, &in_force, None);
        #[cfg(unix)]
        let watching = match signal(SignalKind::hangup()) {
            Ok(hangup) => Some(tokio::spawn(watch(hangup, files.to_vec(), in_force, reads.clone()))),
            Err(error) => {
                say(format_args!("mxray: warning: SIGHUP will not read --blocklist again: {error}"));
                None
            }
        };
        #[cfg(not(unix))]
        let watching = None;
        Self { reads, watching }
    }

    /// Each time that it was read, for `run.json`.
    pub(super) fn end(self) -> Vec<BlocklistRead> {
        if let Some(watching) = &self.watching {
            watching.abort();
        }
        self.reads.send_replace(Vec::new())
    }

    /// The same as they come.
    pub(super) fn reads(&self) -> watch::Receiver<Vec<BlocklistRead>> {
        self.reads.subscribe()
    }
}

#[cfg(unix)]
async fn watch(
    mut hangup: Signal,
    files: Vec<PathBuf>,
    in_force: BlocklistInForce,
    reads: Arc<watch::Sender<Vec<BlocklistRead>>>,
) {
    while hangup.recv().await.is_some() {
        let (files, in_force, reads) = (files.clone(), in_force.clone(), reads.clone());
        // A disk may take its time.
        let reading = tokio::task::spawn_blocking(move || read_again(&files, &in_force, &reads));
        let _ = reading.await;
    }
}

/// Puts what the files say now in place, and tells how it went.
#[cfg(unix)]
fn read_again(files: &[PathBuf], in_force: &BlocklistInForce, reads: &watch::Sender<Vec<BlocklistRead>>) {
    let read = still_files(files).and_then(|()| plan::blocklist(files).map_err(|error| error.to_string()));
    let error = match read {
        Ok(list) => {
            let before = in_force.replace(list).entries();
            let now = in_force.now().entries();
            say(format_args!("mxray: --blocklist was read again; entries: {now}, before: {before}"));
            None
        }
        Err(error) => {
            let kept = in_force.now().entries();
            say(format_args!(
                "mxray: warning: {error}; so --blocklist was not read again, and the list of before stays; entries: {kept}"
            ));
            Some(error)
        }
    };
    note(reads, in_force, error);
}

/// What came through a pipe is read once: it would be found empty, or wait for
/// somebody who writes.
#[cfg(unix)]
fn still_files(files: &[PathBuf]) -> Result<(), String> {
    let regular = |path: &Path| path.metadata().map(|found| found.is_file());
    for path in files {
        match regular(path) {
            Ok(true) => {}
            Ok(false) => {
                return Err(format!("--blocklist {}: no file that can be read twice", path.display()));
            }
            Err(error) => return Err(format!("--blocklist {}: {error}", path.display())),
        }
    }
    Ok(())
}

fn note(reads: &watch::Sender<Vec<BlocklistRead>>, in_force: &BlocklistInForce, error: Option<String>) {
    reads.send_modify(|reads| {
        if reads.len() >= BLOCKLIST_READS_MAX {
            // The first tells what the run began with.
            reads.remove(1);
        }
        reads.push(BlocklistRead { at: Timestamp::now(), entries: in_force.now().entries() as u64, error });
    });
}
