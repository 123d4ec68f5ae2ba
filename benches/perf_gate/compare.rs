//! Counts of instructions beside those that were committed: which of them
//! moved, and whether that is a reason to stop.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Write};

/// Room for a benchmark that is new, in per cent: the counts of one program
/// are the same each time, and differ a little between processors.
pub const TOLERANCE_PERCENT: f64 = 2.0;

/// What is committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// `rustc --version` of the compiler whose code was counted.
    pub rustc: String,
    /// Benchmarks by `function.case`.
    pub benchmark: BTreeMap<String, Committed>,
}

/// One benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    pub instructions: u64,
    /// More than that many per cent above is a regression.
    pub tolerance_percent: f64,
}

/// Counts by `function.case`.
pub type Counts = BTreeMap<String, u64>;

/// What became of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Within its tolerance.
    Kept,
    /// Above it.
    Slower,
    /// Below it: the baseline allows what was gained to be lost again.
    Faster,
    /// Not committed.
    New,
    /// Committed, and not counted any more.
    Gone,
}

/// A benchmark in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub was: Option<Committed>,
    pub is: Option<u64>,
    pub moved: Move,
}

/// Both side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub rows: Vec<Row>,
    /// The compilers of the two, if they differ: then the counts say nothing
    /// of the sources.
    pub compilers: Option<(String, String)>,
}

/// Puts counts beside the baseline.
pub fn compare(baseline: &Baseline, rustc: &str, counts: &Counts) -> Comparison {
    let names: BTreeSet<&String> = baseline.benchmark.keys().chain(counts.keys()).collect();
    let rows = names.into_iter().map(|name| {
        let (was, is) = (baseline.benchmark.get(name).copied(), counts.get(name).copied());
        Row { name: name.clone(), was, is, moved: moved(was, is) }
    });
    let compilers = (baseline.rustc != rustc).then(|| (baseline.rustc.clone(), rustc.to_string()));
    Comparison { rows: rows.collect(), compilers }
}

fn moved(was: Option<Committed>, is: Option<u64>) -> Move {
    match (was, is) {
        (None, _) => Move::New,
        (_, None) => Move::Gone,
        (Some(was), Some(is)) => {
            let (before, now) = (was.instructions as f64, is as f64);
            let room = was.tolerance_percent / 100.0;
            if now > before * (1.0 + room) {
                Move::Slower
            } else if now < before * (1.0 - room) {
                Move::Faster
            } else {
                Move::Kept
            }
        }
    }
}

/// In per cent of what it was.
fn change(was: u64, is: u64) -> f64 {
    (is as f64 / was.max(1) as f64 - 1.0) * 100.0
}

impl Baseline {
    /// The baseline that these counts make; tolerances stay what they are.
    pub fn renewed(&self, rustc: &str, counts: &Counts) -> Self {
        let tolerance = |name: &str| {
            self.benchmark.get(name).map_or(TOLERANCE_PERCENT, |committed| committed.tolerance_percent)
        };
        let benchmark = counts.iter().map(|(name, instructions)| {
            let committed = Committed { instructions: *instructions, tolerance_percent: tolerance(name) };
            (name.clone(), committed)
        });
        Self { rustc: rustc.to_string(), benchmark: benchmark.collect() }
    }
}

impl Comparison {
    /// Whether a change may not land so: something is slower, or the baseline
    /// is not that of these benchmarks, or of this compiler: a gate that has
    /// judged nothing has not been passed.
    pub fn fails(&self) -> bool {
        let stops = |row: &Row| matches!(row.moved, Move::Slower | Move::New | Move::Gone);
        self.compilers.is_some() || self.rows.iter().any(stops)
    }
}

impl Display for Comparison {
    /// What moved, as a table, and what is to be done about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moved: Vec<&Row> = self.rows.iter().filter(|row| row.moved != Move::Kept).collect();
        writeln!(f, "{} benchmarks, {} moved", self.rows.len(), moved.len())?;
        if !moved.is_empty() {
            writeln!(f, "{:<42}{:>12}{:>12}{:>10}  allowed", "instructions", "baseline", "now", "change")?;
        }
        for row in moved {
            write!(f, "{row}")?;
        }
        if let Some((was, is)) = &self.compilers {
            writeln!(f, "NOT JUDGED: the baseline is of {was}, and this is {is}.")?;
            writeln!(
                f,
                "Counts depend on the compiler, so nothing above says whether the code got slower. Either"
            )?;
            writeln!(
                f,
                "use that compiler, or take the code as it was before, let `just perf-baseline` make a"
            )?;
            writeln!(f, "baseline of this one, and come again.")?;
        } else if self.fails() {
            writeln!(f, "if it has to be so: `just perf-baseline`, and say in the commit why")?;
        } else if self.rows.iter().any(|row| row.moved == Move::Faster) {
            writeln!(f, "faster: `just perf-baseline` keeps what was gained")?;
        }
        Ok(())
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |number: Option<u64>| number.map_or_else(|| "-".to_string(), |number| number.to_string());
        let was = self.was.map(|was| was.instructions);
        write!(f, "{:<42}{:>12}{:>12}", self.name, number(was), number(self.is))?;
        let mut percent = String::new();
        if let (Some(was), Some(is)) = (was, self.is) {
            write!(percent, "{:+.2} %", change(was, is))?;
        }
        let allowed = self.was.map_or_else(String::new, |was| format!("{} %", was.tolerance_percent));
        let word = match self.moved {
            Move::Kept => "",
            Move::Slower => "slower",
            Move::Faster => "faster",
            Move::New => "not in the baseline",
            Move::Gone => "not counted any more",
        };
        writeln!(f, "{percent:>10}{allowed:>9}  {word}")
    }
}
