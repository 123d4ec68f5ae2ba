//! The files of a run directory as they are made and written.

use super::buffered_file::{BufferedFile, WaitingFile, WriteState};
use super::columns::enumeration::{GroupRow, SuiteRow, group_rows, suite_rows};
use super::columns::{Column, CsvTable};
use super::journal::LineFile;
use super::write_error::named;
use crate::model::{Enumeration, ProbeKey};
use crate::packing::{self, Packing};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A CSV file whose errors bear its name.
pub(super) struct CsvFile<R: 'static, W: Write> {
    name: String,
    table: CsvTable<R, W>,
}

impl<R, W: Write> CsvFile<R, W> {
    pub(super) fn new(name: String, columns: &'static [Column<R>], writer: W) -> io::Result<Self> {
        let table = CsvTable::new(columns, writer).map_err(|error| named(&name, &error))?;
        Ok(Self { name, table })
    }

    pub(super) fn write(&mut self, row: &R) -> io::Result<()> {
        self.table.write(row).map_err(|error| named(&self.name, &error))
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.table.flush().map_err(|error| named(&self.name, &error))
    }
}

impl<R> WaitingFile for CsvFile<R, BufferedFile> {
    fn name(&self) -> &str {
        &self.name
    }

    fn buffered(&self) -> &BufferedFile {
        self.table.writer()
    }

    fn flush(&mut self) -> io::Result<()> {
        CsvFile::flush(self)
    }
}

/// Tables of what hosts accept, of a run that enumerates.
pub(super) struct EnumerationFiles {
    pub(super) suites: CsvFile<SuiteRow, BufferedFile>,
    pub(super) groups: CsvFile<GroupRow, BufferedFile>,
}

impl EnumerationFiles {
    pub(super) fn write(&mut self, key: &ProbeKey, enumeration: &Enumeration) -> io::Result<()> {
        suite_rows(key, enumeration).try_for_each(|row| self.suites.write(&row))?;
        group_rows(key, enumeration).try_for_each(|row| self.groups.write(&row))
    }
}

/// Makes the files of a run.
pub(super) struct NewFiles<'a, P> {
    pub(super) dir: &'a Path,
    pub(super) packing: Option<Packing>,
    /// Under which name a file is made at first.
    pub(super) place: P,
    pub(super) whole: WriteState,
}

impl<P: Fn(&str) -> String> NewFiles<'_, P> {
    pub(super) fn table<R>(
        &self,
        name: &str,
        columns: &'static [Column<R>],
    ) -> io::Result<CsvFile<R, BufferedFile>> {
        let (name, file) = self.file(name)?;
        CsvFile::new(name, columns, file)
    }

    pub(super) fn lines(&self, name: &str) -> io::Result<LineFile> {
        let (name, file) = self.file(name)?;
        Ok(LineFile::new(name, file))
    }

    fn file(&self, name: &str) -> io::Result<(String, BufferedFile)> {
        let name = packing::file_name(name, self.packing);
        // At its end, wherever that is: if another process cuts the file
        // short, it stays too short, and that is seen.
        let file = File::options().append(true).create_new(true).open(self.dir.join((self.place)(&name)));
        let file = file.map_err(|error| named(&name, &error))?;
        Ok((name, BufferedFile::new(file, self.packing, self.whole.clone())))
    }
}
