//! What a process leaves that is killed before its run has begun: a folder with the
//! files of a run, nothing in them, and no `run.json`. Nobody can go on with it, and
//! nothing is lost if the next run takes the folder.

use super::run_info::{FRESH_NAME, RUN_NAME};
use crate::packing::{Packing, file_name};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
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
        let packing = name.to_str().and_then(Packing::of_name);
        let is_ours = is_fresh || files.iter().any(|ours| name == *file_name(ours, packing));
        // A link may lead to what is not ours.
        let is_empty =
            is_ours && entry.file_type()?.is_file() && (is_fresh || has_no_record(&path, packing)?);
        if name == RUN_NAME || !is_empty {
            return Ok(None);
        }
        left.push(path);
    }
    Ok(Some(left))
}

/// Whether there is nothing in a file beyond the header of a table.
fn has_no_record(path: &Path, packing: Option<Packing>) -> io::Result<bool> {
    let file = BufReader::new(File::open(path)?);
    let text = match packing {
        None => Box::new(file),
        Some(packing) => packing.unpack(file)?,
    };
    let stem = if packing.is_some() { path.file_stem() } else { path.file_name() };
    let has_header = stem.is_some_and(|stem| Path::new(stem).extension().is_some_and(|it| it == "csv"));
    let mut read = Vec::new();
    match text.take(HEADER_BYTES_MAX).read_to_end(&mut read) {
        // A header that was cut short.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        // Whoever wrote that did not pack it here.
        Err(_) if packing.is_some() => return Ok(false),
        read => drop(read?),
    }
    let header = read.iter().position(|byte| *byte == b'\n').map_or(read.len(), |end| end + 1);
    let is_all_header = has_header && header == read.len() && (read.len() as u64) < HEADER_BYTES_MAX;
    Ok(read.is_empty() || is_all_header)
}
