//! Feeds the list to the engine, on a thread of its own because files and
//! pipes block.

use crate::engine::Progress;
use crate::input::{self, Entry, InputList, InputOptions};
use crate::model::{Record, Target};
use crate::run_dir::read::LineNumbers;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc::{Sender, WeakSender};
use tokio::task::JoinHandle;

/// What came of reading a list.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Targets of the list, if it was read to its end.
    pub(super) targets: Option<u64>,
    /// Why it could not be read on.
    pub(super) error: Option<io::Error>,
}

/// Reads the list to its end, or until nobody takes more; the lines that are `done`
/// are passed over, and counted.
///
/// `records` is held weakly: a thread that sits in a read of standard input
/// must not keep the output of a stopped run open.
pub(super) fn start(
    list: InputList,
    targets: Sender<Target>,
    records: WeakSender<Record>,
    done: LineNumbers,
) -> JoinHandle<Read> {
    tokio::task::spawn_blocking(move || {
        let mut read = 0;
        for entry in list {
            let taken = match entry {
                Ok(Entry::Target(target)) => {
                    read += 1;
                    done.contains(target.line) || targets.blocking_send(target).is_ok()
                }
                Ok(Entry::Rejected(rejected)) if done.contains(rejected.line) => true,
                Ok(Entry::Rejected(rejected)) => records
                    .upgrade()
                    .is_some_and(|records| records.blocking_send(Record::Rejected(rejected)).is_ok()),
                Err(error) => return Read { targets: None, error: Some(error) },
            };
            if !taken {
                return Read::default();
            }
        }
        Read { targets: Some(read), error: None }
    })
}

/// Whether a list has more targets than `most`; not known of one that cannot be read
/// twice.
pub(super) fn has_more_than(most: u64, path: &str, options: &InputOptions) -> Option<bool> {
    // `-` is standard input even where a file bears that name.
    if path == "-" || !std::fs::metadata(path).is_ok_and(|file| file.is_file()) {
        return None;
    }
    let mut counted = 0;
    for entry in input::open(path, options).ok()? {
        counted += u64::from(matches!(entry.ok()?, Entry::Target(_)));
        if counted > most {
            return Some(true);
        }
    }
    Some(false)
}

/// Counts the targets of a list that can be read twice, so that progress can
/// say how much is left, and a run that was stopped how much was not done.
/// Gives `None` where there is no such list.
pub(super) fn count_ahead(
    path: &str,
    options: InputOptions,
    progress: Arc<Progress>,
) -> JoinHandle<Option<u64>> {
    let path = path.to_string();
    tokio::task::spawn_blocking(move || {
        // `-` is standard input even where a file bears that name.
        if path == "-" || !std::fs::metadata(&path).is_ok_and(|file| file.is_file()) {
            return None;
        }
        let mut counted = 0;
        for entry in input::open(&path, &options).ok()? {
            counted += u64::from(matches!(entry.ok()?, Entry::Target(_)));
        }
        progress.set_total(counted);
        Some(counted)
    })
}
