//! What must outlive a power cut: bytes that the system took are not on the disk
//! yet, nor is a name that was given or changed.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Waits until the disk has all that was written to the file `name` of the folder.
///
/// # Errors
/// That of the system.
pub(super) fn sync_file(dir: &Path, name: &str) -> io::Result<()> {
    #[cfg(test)]
    tests::note(name);
    // That of a handle of its own holds for all of them; Windows wants one that
    // may write.
    File::options().append(true).open(dir.join(name))?.sync_all()
}

/// Waits until the disk has the names of the files in the folder. Only Unix has a
/// way to ask for that.
///
/// # Errors
/// That of the system.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    #[cfg(test)]
    tests::note(".");
    match if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) } {
        // Some network file systems know of no such thing.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Keeps a folder for this process, as long as what it gives lives.
///
/// # Errors
/// `WouldBlock` if another process has it. Where the system has no such thing, a
/// folder is kept from nobody.
pub(super) fn lock_folder(dir: &Path) -> io::Result<Option<File>> {
    let Ok(folder) = File::open(dir) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Bytes that whoever writes to a folder may still use; `None` where the system does
/// not say.
#[cfg(unix)]
pub(super) fn room(dir: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(dir).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}

/// The same.
#[cfg(not(unix))]
pub(super) fn room(_dir: &Path) -> Option<u64> {
    None
}

/// Whether a folder could be made, those above it included: they are made, and taken
/// away again.
///
/// # Errors
/// One could not be made.
pub(super) fn try_folder(dir: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = dir.ancestors().take_while(is_missing).collect();
    let made = fs::create_dir_all(dir);
    // What somebody else put there meanwhile stays.
    missing.iter().for_each(|folder| drop(fs::remove_dir(folder)));
    made
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;

    thread_local! {
        static SYNCED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(name: &str) {
        SYNCED.with_borrow_mut(|synced| synced.push(name.to_owned()));
    }

    /// What this thread waited for, in order: files, and `.` for the folder.
    pub(in crate::run_dir) fn take_synced() -> Vec<String> {
        SYNCED.take()
    }
}
