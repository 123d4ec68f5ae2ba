//! `facts.jsonl` in the order of the list: where each target stands is kept in
//! memory, 24 bytes each, and its line read when its turn comes.

use super::StoreError;
use super::certificates::StoredCertificates;
use super::facts::{FILE, parse, put_chain};
use super::lines::StoredLines;
use super::loss::Loss;
use super::place::{LinePlace, PlacedLines};
use crate::model::DomainFacts;
use std::path::Path;

/// Reads `facts.jsonl` of a run that ended.
pub struct FactsByLine {
    lines: PlacedLines,
    certificates: StoredCertificates,
    /// Lines of the list, and where they stand, the last first.
    left: Vec<(u64, LinePlace)>,
}

impl FactsByLine {
    /// Notes where each target stands, and hands over what the DNS said of it.
    pub(super) fn open(dir: &Path, mut see: impl FnMut(&DomainFacts)) -> Result<Self, StoreError> {
        let certificates = StoredCertificates::open(dir, Loss::Nothing)?;
        let mut lines = StoredLines::open(dir, FILE)?;
        let mut left = Vec::new();
        while let Some(line) = lines.read_next()? {
            let (offset, bytes) = (line.offset, line.text.len());
            let read = parse(line.text);
            let (facts, _) = read.map_err(|cause| lines.broken(cause))?;
            left.push((facts.target.line, LinePlace::new(offset, bytes)));
            see(&facts);
        }
        left.sort_unstable_by_key(|(line, _)| std::cmp::Reverse(*line));
        let lines = PlacedLines::open(dir, FILE)?;
        if let Some([(line, _), _]) =
            left.windows(2).find(|two| matches!(two, [one, other] if one.0 == other.0))
        {
            return Err(lines.unusable(format!("line {line} of the list occurs a second time")));
        }
        Ok(Self { lines, certificates, left })
    }

    /// Targets that are left.
    pub fn left(&self) -> usize {
        self.left.len()
    }

    /// The line of the list that comes next.
    pub fn next_line(&self) -> Option<u64> {
        self.left.last().map(|(line, _)| *line)
    }

    /// The next target.
    ///
    /// # Errors
    /// [`StoreError`]: the line or a certificate cannot be read.
    pub fn read_next(&mut self) -> Result<Option<DomainFacts>, StoreError> {
        let Some((number, place)) = self.left.pop() else { return Ok(None) };
        let text = self.lines.read(place)?;
        let broken = |cause: String| self.lines.unusable(format!("line {number} of the list: {cause}"));
        let (mut facts, chain) = parse(&text).map_err(broken)?;
        if !chain.is_empty() {
            put_chain(&mut facts, &chain, (&mut self.certificates, Loss::Nothing), broken)?;
        }
        Ok(Some(facts))
    }
}
