//! Files that the command line names.

use super::error::UsageError;
use crate::model::Blocklist;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest file of roots or of a blocklist, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Reads a text file that a person named. Its size is not asked beforehand:
/// a pipe or a device has none.
///
/// # Errors
/// [`UsageError`] if it cannot be read or is too large.
pub fn read_file(option: &str, path: &Path) -> Result<Vec<u8>, UsageError> {
    let told = |error: String| UsageError(format!("{option} {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| told(error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(told(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// Every blocklist that is named, as one.
///
/// # Errors
/// [`UsageError`] for the first that cannot be used.
pub fn blocklist(paths: &[PathBuf]) -> Result<Blocklist, UsageError> {
    let mut list = Blocklist::default();
    for path in paths {
        let text = read_file("--blocklist", path)?;
        let text = String::from_utf8(text)
            .map_err(|_| UsageError(format!("--blocklist {}: not UTF-8 text", path.display())))?;
        let part = Blocklist::parse(&text)
            .map_err(|error| UsageError(format!("--blocklist {}: {error}", path.display())))?;
        list.extend(part);
    }
    Ok(list)
}
