//! Why a run directory cannot be read back.

use crate::model::Shard;
use std::io;
use std::path::PathBuf;

/// Why a run directory cannot be read back. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no `run.json`.
    #[error("{} is not a run directory: it has no run.json", dir.display())]
    NoRun {
        /// The directory.
        dir: PathBuf,
    },
    /// A file is missing, or the system does not let us read it.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory cannot be judged as a whole.
    #[error("{}: {cause}", path.display())]
    Unusable {
        /// The file that says so.
        path: PathBuf,
        /// What is wrong with it, in words.
        cause: String,
    },
    /// It is a part of a run, and what is asked for takes all of it.
    #[error(
        "{} is shard {shard} of a run, which can be judged as a whole only; mxray merge joins the shards", dir.display()
    )]
    OneShard {
        /// The directory.
        dir: PathBuf,
        /// Which part it is.
        shard: Shard,
    },
    /// A packed file cannot be unpacked to its end.
    #[error(
        "{} is damaged {source}; take it from a copy, or go on with the run (mxray scan --resume), or scan again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: io::Error,
    },
    /// There is no room to unpack a file in, or the system does not let us.
    #[error("cannot unpack {} in {}: {source}; TMPDIR names another folder", path.display(), folder.display())]
    NotUnpacked {
        /// The file.
        path: PathBuf,
        /// The folder of the temporary file.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no room to sort in, or the system does not let us.
    #[error("cannot sort in {}: {source}; TMPDIR names another folder", folder.display())]
    Unsorted {
        /// The folder of the temporary files.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The header of a table is not that which was written, so that none of its rows can be
    /// read.
    #[error("{}:1: {cause}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words.
        cause: String,
    },
    /// A line is not what was written.
    #[error("{}:{line}: {cause}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// What is wrong with the line, in words.
        cause: String,
    },
}

impl StoreError {
    /// Passes over what is no whole record, and counts it: nothing rests on a damaged
    /// line of a run whose rest is asked again. A packed file ends where it is damaged.
    ///
    /// # Errors
    /// All others of `read_next`.
    pub fn pass_over_broken<T>(
        broken: &mut u64,
        mut read_next: impl FnMut() -> Result<Option<T>, Self>,
    ) -> Result<Option<T>, Self> {
        loop {
            match read_next() {
                Err(Self::Broken { .. }) => *broken += 1,
                Err(Self::Damaged { .. }) => {
                    *broken += 1;
                    return Ok(None);
                }
                other => return other,
            }
        }
    }

    /// Whether nothing at all can be done with the directory.
    pub fn is_unusable(&self) -> bool {
        !matches!(
            self,
            StoreError::Broken { .. } | StoreError::NotUnpacked { .. } | StoreError::Unsorted { .. }
        )
    }
}
