//! Feeds the list to the engine, on a thread of its own because files and
//! pipes block.

use crate::engine::Progress;
use crate::input::{self, Entry, InputList, InputOptions};
use crate::model::{Record, Target};
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc::{Sender, WeakSender};
use tokio::task::JoinHandle;

/// Reads the list to its end, or until nobody takes more; gives the error that
/// ended it early.
///
/// `records` is held weakly: a thread that sits in a read of standard input
/// must not keep the output of a stopped run open.
pub(super) fn start(
    list: InputList,
    targets: Sender<Target>,
    records: WeakSender<Record>,
) -> JoinHandle<Option<io::Error>> {
    tokio::task::spawn_blocking(move || {
        for entry in list {
            let taken = match entry {
                Ok(Entry::Target(target)) => targets.blocking_send(target).is_ok(),
                Ok(Entry::Rejected(rejected)) => records
                    .upgrade()
                    .is_some_and(|records| records.blocking_send(Record::Rejected(rejected)).is_ok()),
                Err(error) => return Some(error),
            };
            if !taken {
                break;
            }
        }
        None
    })
}

/// Counts the targets of a list that can be read twice, so that progress can
/// say how much is left.
pub(super) fn count_ahead(path: &str, options: InputOptions, progress: Arc<Progress>) {
    // `-` is standard input even where a file bears that name.
    if path == "-" || !std::fs::metadata(path).is_ok_and(|file| file.is_file()) {
        return;
    }
    let path = path.to_string();
    tokio::task::spawn_blocking(move || {
        let mut counted = 0;
        if let Ok(list) = input::open(&path, &options) {
            for entry in list {
                match entry {
                    Ok(Entry::Target(_)) => counted += 1,
                    Ok(Entry::Rejected(_)) => {}
                    Err(_) => return,
                }
            }
            progress.set_total(counted);
        }
    });
}
