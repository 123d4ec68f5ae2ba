//! A file on its way to its name: nobody finds half of one, whatever stops
//! the writing.

use crate::command::CommandError;
use crate::plan::UsageError;
use anyhow::Context;
use std::ffi::OsString;
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
    /// Begins one.
    ///
    /// # Errors
    /// [`UsageError`]: there is no writing in the folder.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        let file = unnamed(path).map_err(|error| UsageError(format!("{}: {error}", unwritten(path))))?;
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

/// A file `.report.html.XXXXXX.new` in the same folder, which others may read as any
/// that the user makes.
fn unnamed(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(".new");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

pub(super) fn is_there(path: &Path) -> UsageError {
    UsageError(format!("{} is there already; choose another with -o", path.display()))
}

pub(super) fn unwritten(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
