//! Where a comparison or an export goes: standard output, or a file that must not be
//! there yet.

use crate::command::{CommandError, outlet};
use crate::plan::UsageError;
use anyhow::anyhow;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// An open output.
pub(in crate::command) struct Output {
    writer: BufWriter<Box<dyn Write>>,
    /// `None` for standard output.
    path: Option<PathBuf>,
}

impl Output {
    /// Opens the file, or standard output, which is `-`, too.
    ///
    /// # Errors
    /// [`UsageError`]: the file is there, or cannot be created.
    pub(in crate::command) fn open(path: Option<&Path>) -> Result<Self, UsageError> {
        let path = path.filter(|path| *path != Path::new("-"));
        let writer: Box<dyn Write> = match path {
            None => {
                outlet::settle();
                Box::new(io::stdout())
            }
            Some(path) => Box::new(File::create_new(path).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => {
                    UsageError(format!("{} is there already; choose another with -o", path.display()))
                }
                _ => UsageError(format!("cannot write {}: {error}", path.display())),
            })?),
        };
        let path = path.map(Path::to_path_buf);
        Ok(Self { writer: BufWriter::with_capacity(BUFFER_BYTES, writer), path })
    }

    /// Writes there.
    pub(in crate::command) fn writer(&mut self) -> &mut dyn Write {
        &mut self.writer
    }

    /// Hands everything over, as `written` says that it went. What is not whole does not
    /// stay.
    ///
    /// # Errors
    /// It could not be written. That a reader of standard output went away is a quiet end.
    pub(in crate::command) fn finish(mut self, written: io::Result<()>) -> Result<(), CommandError> {
        let Err(error) = written.and_then(|()| self.writer.flush()) else { return Ok(()) };
        match &self.path {
            None if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            None => Err(anyhow!("cannot write to standard output: {error}").into()),
            Some(path) => {
                self.discard();
                Err(anyhow!("cannot write {}: {error}", path.display()).into())
            }
        }
    }

    /// Takes away a file that is not whole.
    pub(in crate::command) fn discard(&self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}
