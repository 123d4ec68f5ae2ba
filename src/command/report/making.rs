//! A page as it is made, and the tables beside it.

use crate::command::CommandError;
use crate::command::fresh_file::{FreshFile, unwritten};
use crate::report::document::Document;
use anyhow::{Context, anyhow};
use std::path::PathBuf;

/// A page that was made, and the tables of its rows.
pub(super) struct MadePage {
    pub(super) document: Document,
    /// None for a page that goes to standard output.
    pub(super) tables: Vec<TableBeside>,
}

/// A table beside the page.
pub(super) struct TableBeside {
    path: PathBuf,
    writer: csv::Writer<FreshFile>,
}

impl TableBeside {
    pub(super) fn create(path: PathBuf, header: &[&str]) -> Result<Self, CommandError> {
        let writer = csv::Writer::from_writer(FreshFile::create(&path)?);
        let mut table = Self { path, writer };
        table.write(header)?;
        Ok(table)
    }

    pub(super) fn write(&mut self, record: &[impl AsRef<[u8]>]) -> Result<(), CommandError> {
        self.writer.write_record(record).with_context(|| unwritten(&self.path))?;
        Ok(())
    }

    pub(super) fn name(&self) -> Result<String, CommandError> {
        let name = self.path.file_name().ok_or_else(|| anyhow!(unwritten(&self.path)))?;
        Ok(name.to_string_lossy().into_owned())
    }

    /// Writes it to its end.
    pub(super) fn finish(mut self) -> Result<FreshFile, CommandError> {
        self.writer.flush().with_context(|| unwritten(&self.path))?;
        let file = self.writer.into_inner().map_err(|error| anyhow!("{}: {error}", unwritten(&self.path)))?;
        Ok(file)
    }
}
