//! `run.json` before it is known which kind of run it tells of.

use super::StoreError;
use super::lines::check_version;
use super::stored_file::open_regular;
use crate::model::text::printable;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest `run.json`, in bytes. What grows in it has limits of its own.
const RUN_FILE_BYTES_MAX: u64 = 64 << 20;

/// What tells one kind of run from another: a survey has none.
#[derive(Deserialize)]
struct RunKind {
    schema: u32,
    kind: Option<String>,
}

/// A `run.json` of a schema that is read here.
pub(super) struct StoredRunFile {
    path: PathBuf,
    bytes: Vec<u8>,
    /// The kind of run, as `receive`; `None` for a survey.
    kind: Option<String>,
    pub(super) schema: u32,
}

impl StoredRunFile {
    /// Reads it.
    pub(super) fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("run.json");
        let mut bytes = Vec::new();
        match open_regular(&path).and_then(|file| file.take(RUN_FILE_BYTES_MAX).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(StoreError::NoRun { dir: dir.to_path_buf() });
            }
            Err(source) => return Err(StoreError::Unreadable { path, source }),
        }
        let read = serde_json::from_slice(&bytes).map_err(|error| format!("not a run's: {error}"));
        match read.and_then(|RunKind { schema, kind }| check_version(schema).map(|()| (schema, kind))) {
            Ok((schema, kind)) => Ok(Self { path, bytes, kind, schema }),
            Err(cause) => Err(StoreError::Unusable { path, cause }),
        }
    }

    /// Whether it tells of a run of this kind.
    pub(super) fn is_of(&self, kind: Option<&str>) -> bool {
        self.kind.as_deref() == kind
    }

    /// The error that a command does not read runs of its kind.
    pub(super) fn other_kind(&self) -> StoreError {
        let cause = match &self.kind {
            Some(kind) => {
                format!("a run of mxray {}, which this command does not read", printable(kind))
            }
            None => "a survey, which this command does not read".to_string(),
        };
        self.unusable(cause)
    }

    /// What it says.
    pub(super) fn info<T: DeserializeOwned>(&self, needed_for: &str) -> Result<T, StoreError> {
        let info = serde_json::from_slice(&self.bytes);
        info.map_err(|error| self.unusable(format!("lacks what {needed_for} needs: {error}")))
    }

    fn unusable(&self, cause: String) -> StoreError {
        StoreError::Unusable { path: self.path.clone(), cause }
    }
}
