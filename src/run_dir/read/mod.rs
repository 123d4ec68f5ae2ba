//! A run directory read back, so that what was seen can be judged again.
//!
//! Nothing is held in memory but one line at a time, of each certificate where
//! it stands, and what was read already: whatever stands twice is an error. A run that was killed may have left the last line of each
//! file cut short: that line is left out and told of ([`StoredRun::cut`]); any
//! other damage is an error that names file and line. Files may be packed; whoever
//! reads one need not know.

mod by_key;
mod by_line;
mod cell_checks;
mod certificate_keys;
mod certificates;
mod error;
mod facts;
mod line_numbers;
mod lines;
mod loss;
mod named_rows;
mod observations;
mod paired_rows;
mod place;
#[cfg(feature = "receive")]
mod received;
mod rejects;
mod run_file;
mod schema_1;
mod stored_file;
mod table_rows;
mod unpacked;

#[cfg(test)]
mod tests;

pub use by_key::ObservationsByKey;
pub use by_line::FactsByLine;
pub use cell_checks::WrittenBy;
pub use certificate_keys::CertificateKeys;
pub use error::StoreError;
pub use facts::{Facts, StoredFacts};
pub use line_numbers::LineNumbers;
pub use named_rows::{NamedRow, NamedRows};
pub use observations::{JournalLine, Observations, Stored};
pub use paired_rows::{DomainRow, PairedBy, PairedRows, RowPair};
#[cfg(feature = "receive")]
pub use received::{ReceivedSession, StoredReceiveRun, StoredSession, StoredSessions};
pub use rejects::Rejects;
pub use table_rows::{RowCells, TableRows};

use super::SCHEMA_VERSION;
use super::directory::NAMES;
use super::run_info::RunInfo;
use super::tables::{RunColumn, RunTable};
use crate::model::{DomainFacts, ProbeKey};
use crate::packing::file_name;
use lines::StoredLines;
use loss::Loss;
use run_file::StoredRunFile;
use std::io::Read;
use std::path::{Path, PathBuf};
use stored_file::StoredFile;

/// A run directory whose `run.json` was understood.
#[derive(Debug)]
pub struct StoredRun {
    dir: PathBuf,
    info: RunInfo,
    written_by: WrittenBy,
    lost: Loss,
}

impl StoredRun {
    /// Reads `run.json` and looks whether every other file is there.
    ///
    /// # Errors
    /// [`StoreError`]: no run directory, or one that cannot be used.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let file = StoredRunFile::read(dir)?;
        if !file.is_of(None) {
            return Err(file.other_kind());
        }
        let info: RunInfo = file.info("a judgement")?;
        let written_by = match &info.mxray {
            _ if file.schema < SCHEMA_VERSION => WrittenBy::OlderSchema,
            version if version == env!("CARGO_PKG_VERSION") => WrittenBy::ThisVersion,
            _ => WrittenBy::ThisSchema,
        };
        for name in NEEDED {
            StoredLines::open(dir, name)?;
        }
        let lost = if info.finished.is_none() { Loss::End } else { Loss::Nothing };
        Ok(Self { dir: dir.to_path_buf(), info, written_by, lost })
    }

    /// The same of a run that is no shard of one.
    ///
    /// # Errors
    /// [`StoreError`]: as [`StoredRun::open`]; or it is a shard.
    pub fn open_whole(dir: &Path) -> Result<Self, StoreError> {
        let run = Self::open(dir)?;
        match run.info.shard {
            Some(shard) => Err(StoreError::OneShard { dir: dir.to_path_buf(), shard }),
            None => Ok(run),
        }
    }

    /// What was run, and what it was judged by.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// Its directory, as it was named.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How far its tables are held to the columns of this version.
    pub fn written_by(&self) -> WrittenBy {
        self.written_by
    }

    /// Reads it as one whose rest is asked again, whatever it says: what is not whole
    /// is left out.
    #[must_use]
    pub fn as_killed(mut self) -> Self {
        self.lost = Loss::Any;
        self
    }

    /// Whether the run came to no end of its own, so that its last records
    /// may be missing.
    pub fn was_killed(&self) -> bool {
        self.lost != Loss::Nothing
    }

    /// Names of the files whose last line is cut short and left out.
    ///
    /// # Errors
    /// [`StoreError`]: a packed file cannot be read to its end.
    pub fn cut(&self) -> Result<Vec<&'static str>, StoreError> {
        let mut cut = Vec::new();
        for name in NEEDED {
            if StoredLines::open(&self.dir, name)?.was_cut()? {
                cut.push(name);
            }
        }
        Ok(cut)
    }

    /// The text of one of its tables as it stands there.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read.
    pub fn text(&self, name: &str) -> Result<impl Read + use<>, StoreError> {
        StoredFile::at(&self.dir, name)?.text()
    }

    /// Whether every file is packed as `run.json` says, so that whoever goes on with the run
    /// puts new ones in place of these.
    ///
    /// # Errors
    /// [`StoreError`]: one is not.
    pub fn check_packing(&self) -> Result<(), StoreError> {
        for name in NAMES {
            match StoredFile::find(&self.dir, name)? {
                Some(file) if file.packing != self.info.compress => {
                    let said = file_name(name, self.info.compress);
                    let cause = format!("by run.json it is {said}; make it that, and the run can go on");
                    return Err(StoreError::Unusable { path: file.path, cause });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Rows of `domains.csv` that are whole; 0 if it is gone, which nothing
    /// here needs.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read.
    pub fn domain_rows(&self) -> Result<u64, StoreError> {
        if StoredFile::find(&self.dir, DOMAINS_FILE)?.is_none() {
            return Ok(0);
        }
        self.whole_rows(DOMAINS_FILE)
    }

    fn whole_rows(&self, file: &str) -> Result<u64, StoreError> {
        let mut lines = StoredLines::open(&self.dir, file)?;
        let mut rows = 0;
        // The header.
        lines.read_next()?;
        while lines.read_next()?.is_some() {
            rows += 1;
        }
        Ok(rows)
    }

    /// Whether a table has every row that `run.json` counted, and ends in a whole one. A
    /// domain that is missing from a table that was cut off or damaged would look as if it had
    /// never been on the list. Of a run that was killed nobody counted them.
    ///
    /// # Errors
    /// [`StoreError`]: it has not, or cannot be read.
    pub fn check_complete(&self, file: &str) -> Result<(), StoreError> {
        if self.was_killed() || !self.has_table(file) {
            return Ok(());
        }
        let counts = &self.info.counts;
        let counted = match file {
            DOMAINS_FILE => counts.domains_written,
            ENDPOINTS_FILE => counts.endpoints_written,
            rejects::FILE => counts.rejected,
            _ if StoredLines::open(&self.dir, file)?.was_cut()? => {
                return Err(self.incomplete(file, "its last row is cut short".to_string()));
            }
            _ => return Ok(()),
        };
        self.check_count(file, self.whole_rows(file)?, counted)
    }

    /// The same where its whole rows have been counted.
    ///
    /// # Errors
    /// As [`StoredRun::check_complete`].
    pub fn check_rows(&self, rows: u64) -> Result<(), StoreError> {
        self.check_count(DOMAINS_FILE, rows, self.info.counts.domains_written)
    }

    fn check_count(&self, file: &str, rows: u64, counted: u64) -> Result<(), StoreError> {
        if self.was_killed() || rows == counted {
            return Ok(());
        }
        Err(self.incomplete(file, format!("it has {rows} whole rows, where run.json counted {counted}")))
    }

    /// The error that a table lacks rows. What the others are made of cannot be made anew.
    fn incomplete(&self, file: &str, cause: String) -> StoreError {
        let is_made = !matches!(file, rejects::FILE | certificates::FILE);
        let cause = if is_made { format!("{cause}; mxray judge makes it anew") } else { cause };
        StoreError::Unusable { path: path_of(&self.dir, file), cause }
    }

    /// The rows of one of its tables, as `domains.csv`.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read.
    pub fn table(&self, name: &str) -> Result<NamedRows, StoreError> {
        let columns = RunTable::of_file(name).map(|table| table.columns).unwrap_or_default();
        Ok(NamedRows::of(self.table_rows(name, &columns)?))
    }

    /// The same with the cells by the place of the column; those of `columns` must be what
    /// these hold.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read, or lacks a column.
    pub fn table_rows(&self, file: &str, columns: &[RunColumn]) -> Result<TableRows, StoreError> {
        if self.has_table(file) {
            TableRows::open_checked(&self.dir, file, columns, self.written_by)
        } else {
            Ok(TableRows::none(self.dir.join(file)))
        }
    }

    /// Whether the run must have this table: one that enumerated nobody has none of what
    /// hosts accept, unless an older version wrote it without a row.
    pub fn has_table(&self, file: &str) -> bool {
        let is_of_enumeration = matches!(file, SUITES_FILE | GROUPS_FILE);
        !is_of_enumeration || self.info.limits.enumerates() || path_of(&self.dir, file).exists()
    }

    /// What every probe saw, in the order in which they ended.
    ///
    /// # Errors
    /// [`StoreError`]: a file cannot be read.
    pub fn observations(&self) -> Result<Observations, StoreError> {
        Observations::open(&self.dir, self.lost)
    }

    /// What the DNS said of every target, in the order of `domains.csv`.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read.
    pub fn facts(&self) -> Result<Facts, StoreError> {
        Facts::open(&self.dir, self.lost)
    }

    /// What was seen of every key, by the key, of a run that ended; `check` says why
    /// a key is not to be there.
    ///
    /// # Errors
    /// [`StoreError`]: a file cannot be read, or what `check` says.
    pub fn observations_by_key(
        &self,
        check: impl Fn(&ProbeKey) -> Result<(), String>,
    ) -> Result<ObservationsByKey, StoreError> {
        ObservationsByKey::open(&self.dir, check)
    }

    /// What the DNS said of every target, in the order of the list, of a run that
    /// ended; `see` is shown all of them at once, in any order and without the
    /// certificates of policy hosts.
    ///
    /// # Errors
    /// [`StoreError`]: a file cannot be read.
    pub fn facts_by_line(&self, see: impl FnMut(&DomainFacts)) -> Result<FactsByLine, StoreError> {
        FactsByLine::open(&self.dir, see)
    }

    /// Hands over each certificate that the run saw, as DER.
    ///
    /// # Errors
    /// [`StoreError`]: one cannot be read.
    pub fn each_certificate(&self, take: impl FnMut(&[u8])) -> Result<(), StoreError> {
        certificates::StoredCertificates::open(&self.dir, self.lost)?.each(take)
    }

    /// The lines of the input that were no targets.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read.
    pub fn rejects(&self) -> Result<Rejects, StoreError> {
        Rejects::open(&self.dir)
    }
}

/// Where a file of a run is, under the name that it has.
pub fn path_of(dir: &Path, name: &str) -> PathBuf {
    let found = StoredFile::find(dir, name).ok().flatten();
    found.map_or_else(|| dir.join(name), |file| file.path)
}

/// Files without which nothing is read of a run.
const NEEDED: [&str; 4] = [observations::FILE, certificates::FILE, facts::FILE, rejects::FILE];

const DOMAINS_FILE: &str = "domains.csv";
const ENDPOINTS_FILE: &str = "endpoints.csv";
const SUITES_FILE: &str = "suites.csv";
const GROUPS_FILE: &str = "groups.csv";
