//! Certificates by their digest: where each stands is kept in memory, forty
//! bytes each, and its DER read when an observation names it.

use super::StoreError;
use super::lines::StoredLines;
use super::loss::Loss;
use super::stored_file::StoredFile;
use crate::model::Sha256;
use crate::x509;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_cache::unsync::Cache;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Certificates whose DER is kept. Farms of mail hosts share one, and a few
/// dozen CAs issue nearly all.
const CERTIFICATES_KEPT_MAX: usize = 4096;

pub(super) const FILE: &str = "certificates.csv";

#[derive(Clone, Copy)]
struct RowPosition {
    offset: u64,
    bytes: usize,
    line: u64,
}

pub(super) struct StoredCertificates {
    path: PathBuf,
    file: File,
    /// Which column holds the DER.
    der_column: usize,
    places: HashMap<Sha256, RowPosition>,
    kept: Cache<Sha256, Arc<[u8]>>,
}

impl StoredCertificates {
    /// Notes where each certificate stands. A run that was killed may not even have
    /// written the header.
    pub(super) fn open(dir: &Path, lost: Loss) -> Result<Self, StoreError> {
        let found = StoredFile::at(dir, FILE)?;
        let path = found.path.clone();
        let mut lines = StoredLines::open(dir, FILE)?;
        let der_column = match lines.read_next() {
            Ok(None) if lost != Loss::Nothing => Some(0),
            Err(StoreError::Damaged { .. }) if lost == Loss::Any => Some(0),
            header => der_column(&header?.map(|line| cells(line.text)).unwrap_or_default()),
        };
        let Some(der_column) = der_column else {
            let cause = "its first column is not sha256, or it has not one column der_base64".to_string();
            return Err(StoreError::Header { path, cause });
        };
        let mut places = HashMap::new();
        let mut line = 1;
        loop {
            let row = match lines.read_next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(StoreError::Damaged { .. }) if lost == Loss::Any => break,
                Err(error) => return Err(error),
            };
            line += 1;
            let place = RowPosition { offset: row.offset, bytes: row.text.len(), line };
            let digest = row.text.split(|byte| *byte == b',').next().unwrap_or_default();
            match Sha256::parse(&String::from_utf8_lossy(digest)) {
                Some(digest) => places.insert(digest, place),
                // What rests on it is told as not whole.
                None if lost == Loss::Any => continue,
                None => return Err(lines.broken("does not begin with a SHA-256")),
            };
        }
        let file = found.with_places()?;
        Ok(Self { path, file, der_column, places, kept: Cache::new(CERTIFICATES_KEPT_MAX) })
    }

    /// The DER with this digest; `None` if there is none.
    pub(super) fn der(&mut self, digest: &Sha256) -> Result<Option<Arc<[u8]>>, StoreError> {
        if let Some(der) = self.kept.get(digest) {
            return Ok(Some(der.clone()));
        }
        let Some(place) = self.places.get(digest).copied() else { return Ok(None) };
        let row = self.row(place);
        let row = row.map_err(|source| StoreError::Unreadable { path: self.path.clone(), source })?;
        let cell = cells(&row).into_iter().nth(self.der_column).unwrap_or_default();
        let der = STANDARD.decode(cell).ok().filter(|der| x509::digest(der) == *digest);
        let Some(der) = der else {
            let cause = "the certificate is not the one that its SHA-256 names".to_string();
            return Err(StoreError::Broken { path: self.path.clone(), line: place.line, cause });
        };
        let der: Arc<[u8]> = der.into();
        self.kept.insert(*digest, der.clone());
        Ok(Some(der))
    }

    /// Hands over each of them.
    pub(super) fn each(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), StoreError> {
        let mut digests: Vec<(u64, Sha256)> =
            self.places.iter().map(|(digest, place)| (place.offset, *digest)).collect();
        digests.sort_unstable();
        for (_, digest) in digests {
            if let Some(der) = self.der(&digest)? {
                take(&der);
            }
        }
        Ok(())
    }

    fn row(&mut self, place: RowPosition) -> io::Result<Vec<u8>> {
        let mut row = vec![0; place.bytes];
        self.file.seek(SeekFrom::Start(place.offset))?;
        self.file.read_exact(&mut row)?;
        Ok(row)
    }
}

/// Which column holds the DER, under a header as we write it.
fn der_column(header: &[String]) -> Option<usize> {
    let mut columns = header.iter().enumerate().filter(|(_, cell)| *cell == "der_base64");
    let (column, _) = columns.next()?;
    let is_one = columns.next().is_none() && header.first().is_some_and(|cell| cell == "sha256");
    is_one.then_some(column)
}

/// The cells of one row of CSV; none if it is not UTF-8.
pub(super) fn cells(row: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(row);
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().map(str::to_string).collect()
}
