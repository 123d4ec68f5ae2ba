//! A file on its way to its name: nobody finds half of one, whatever stops
//! the writing.

use crate::command::CommandError;
use crate::plan::UsageError;
use anyhow::Context;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// What becomes of a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExistingFile {
    /// It is mxray's own, of the run as it was, and gives way.
    Replaced,
    /// It is the user's, and stays.
    Kept,
}

/// A file that is written beside its place, and goes away if it does not get there.
pub(super) struct FreshFile {
    path: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl FreshFile {
    /// Begins one. What an earlier process left of it when it was stopped goes away.
    ///
    /// # Errors
    /// [`UsageError`]: there is no writing in the folder.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        clear_left(path);
        let file = unnamed(path).map_err(|error| UsageError(format!("{}: {error}", unwritten(path))))?;
        // Tells the next process that it is in use; without locks it is only not told.
        let _ = file.as_file().try_lock();
        Ok(Self { path: path.to_path_buf(), writer: BufWriter::new(file) })
    }

    /// Puts it where it belongs, in one step.
    ///
    /// # Errors
    /// It cannot be written, or another file is there that is kept.
    pub(super) fn put(self, earlier: ExistingFile) -> Result<(), CommandError> {
        let Self { path, writer } = self;
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.with_context(|| unwritten(&path))?;
        file.as_file().sync_all().with_context(|| unwritten(&path))?;
        let put = match earlier {
            ExistingFile::Replaced => file.persist(&path),
            ExistingFile::Kept => file.persist_noclobber(&path),
        };
        match put.map_err(|error| error.error) {
            Err(error) if earlier == ExistingFile::Kept && error.kind() == ErrorKind::AlreadyExists => {
                Err(is_there(&path).into())
            }
            put => Ok(put.map(drop).with_context(|| unwritten(&path))?),
        }
    }
}

impl Write for FreshFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// How such a file begins and ends: `.report.html.XXXXXX.new`.
fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

const SUFFIX: &str = ".new";

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file in the same folder, which others may read as any that the user makes.
fn unnamed(path: &Path) -> io::Result<NamedTempFile> {
    let prefix = prefix(path);
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(path))
}

/// Takes away what a process that was killed left of the file. One that is written now is
/// locked, and stays.
fn clear_left(path: &Path) {
    let prefix = prefix(path);
    let Ok(entries) = fs::read_dir(folder(path)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let between = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        let drawn = between.and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
        if drawn.is_some_and(|drawn| drawn.iter().all(u8::is_ascii_alphanumeric)) && is_free(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_free(path: &Path) -> bool {
    File::options().write(true).open(path).is_ok_and(|file| file.try_lock().is_ok())
}

pub(super) fn is_there(path: &Path) -> UsageError {
    UsageError(format!("{} is there already; choose another with -o", path.display()))
}

pub(super) fn unwritten(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_what_is_written_now_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        let names = || {
            let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        for other in [".report.html.ab12cd.new", ".report-partners.csv.ab12cd.new", ".report.html.my own.new"]
        {
            fs::write(dir.path().join(other), "half").unwrap();
        }
        let held = FreshFile::create(&path).unwrap();
        assert!(!names().contains(&".report.html.ab12cd.new".to_string()), "{:?}", names());
        let second = FreshFile::create(&path).unwrap();
        held.put(ExistingFile::Kept).unwrap();
        drop(second);
        let kept = [".report-partners.csv.ab12cd.new", ".report.html.my own.new", "report.html"];
        assert_eq!(names(), kept);
    }
}
