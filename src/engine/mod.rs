//! The pipeline: one way for the data, bounded at every joint.
//!
//! One task owns all bookkeeping ([`pipeline`]): which keys were probed
//! ([`coalesce`]), which are being asked ([`under_way`]), which may
//! start ([`pace`]), and when it did (`starts`), who runs many hosts (`operators`), whom
//! it gave up (`given_up`), where nobody answers (`nobody`), what was known before
//! it began (`earlier`), what a later one must know (`place_book`), what it will take
//! ([`forecast`]), by which rules it goes (`config`), how much it did (`counts`, `ends`, [`meters`]), what many endpoints
//! have in common (`common_parts`), what hosts of the user's own tell of the network (`canary`), what is left and how long that takes (`outlook`), which domains wait for what
//! ([`join`]), which are looked up (`lookups`), who waits in a file (`spill`), and whose names need
//! not all be asked (`samples`).
//! Lookups and probes run
//! beside it and report back.

mod canary;
pub mod coalesce;
mod common_parts;
mod config;
mod counts;
mod earlier;
mod ends;
mod findings;
pub mod forecast;
mod given_up;
pub mod join;
mod lookups;
pub mod meters;
mod nobody;
mod operators;
mod outlook;
pub mod pace;
pub mod pipeline;
mod place_book;
pub mod progress;
mod samples;
mod scratch_file;
mod spill;
mod starts;
pub mod under_way;

pub use canary::{CANARIES_MAX, CanaryPause};
pub use config::{EngineConfig, EngineError};
pub use counts::EngineCounts;
pub use earlier::Earlier;
pub use ends::PhaseEnd;
pub use findings::{Findings, InFile, KeptFinding};
pub use given_up::GivenUp;
pub use pipeline::{go_on, run};
pub use place_book::{PlaceBook, PlaceStanding};
pub use progress::{Progress, Snapshot};
pub use samples::{NAMES_ASKED_MIN, NAMES_PER_ASKED_MAX, SampleCounts};
