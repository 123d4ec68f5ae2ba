//! A summary as `run.json` has it: the counts, and what the terminal is told of them.

use super::brief::Brief;
use super::headline::Headline;
use super::summary::Summary;
use serde::Serialize;

/// A summary as `run.json` has it.
#[derive(Debug, Serialize)]
pub struct ToldSummary<'a> {
    headline: Headline,
    brief: Brief,
    /// MX operators that are told apart, of which `mx_operators` has the largest.
    mx_operators_told_apart: usize,
    #[serde(flatten)]
    summary: &'a Summary,
}

impl Summary {
    /// As `run.json` has it.
    pub fn told(&self) -> ToldSummary<'_> {
        ToldSummary {
            headline: self.headline(),
            brief: self.brief(),
            mx_operators_told_apart: self.mx_operators.count(),
            summary: self,
        }
    }
}
