//! What a process leaves that is killed before its run has begun: a folder with the
//! files of a run, nothing in them, and no `run.json`. Nobody can go on with it, and
//! nothing is lost if the next run takes the folder.

use super::run_info::{FRESH_NAME, RUN_NAME};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Most bytes of the header of a file.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// Empties a folder that holds such a beginning or nothing; `false`, and nothing
/// is changed, if it holds anything else. A run has these files.
///
/// # Errors
/// That of the system.
pub(super) fn clear(dir: &Path, files: &[&str]) -> io::Result<bool> {
    let Some(left) = left(dir, files)? else { return Ok(false) };
    left.iter().try_for_each(fs::remove_file)?;
    Ok(true)
}

/// Whether [`clear`] would empty that folder; nothing is changed.
///
/// # Errors
/// That of the system.
pub(super) fn may_clear(dir: &Path, files: &[&str]) -> io::Result<bool> {
    Ok(left(dir, files)?.is_some())
}

/// The files of such a beginning; `None` if there is anything else.
fn left(dir: &Path, files: &[&str]) -> io::Result<Option<Vec<PathBuf>>> {
    let mut left = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_fresh = name == FRESH_NAME;
        let is_ours = is_fresh || files.iter().any(|ours| name == *ours);
        // A link may lead to what is not ours.
        let is_empty = is_ours && entry.file_type()?.is_file() && (is_fresh || has_no_record(&path)?);
        if name == RUN_NAME || !is_empty {
            return Ok(None);
        }
        left.push(path);
    }
    Ok(Some(left))
}

/// Whether there is nothing in a file beyond the header of a table.
fn has_no_record(path: &Path) -> io::Result<bool> {
    let file = BufReader::new(File::open(path)?);
    let has_header = path.extension().is_some_and(|extension| extension == "csv");
    let mut read = file.take(if has_header { HEADER_BYTES_MAX } else { 1 });
    let mut header = Vec::new();
    if has_header {
        read.read_until(b'\n', &mut header)?;
    }
    Ok(read.read(&mut [0])? == 0 && read.limit() > 0)
}
