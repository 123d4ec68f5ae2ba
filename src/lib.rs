//! mxray surveys how mail domains answer STARTTLS and says what each answer
//! means for the mail sent there.
//!
//! ```text
//! input ─► lookup ─► coalesce ─► pace ─► probe ─► join ─► verdict ─► run directory ─► report
//! list     MX A AAAA  one probe   global   dial     observation   per         tables         summary
//! of                  per         per-IP   smtp     back to every domain      and journal
//! domains             ProbeKey             tls      waiting domain
//! ```
//!
//! Two ideas carry the design. An *observation* is what one endpoint said and
//! judges nothing; a *verdict* is a pure function of observations. And the
//! protocol is apart from the sockets: [`smtp`] and [`tls`] are state machines
//! over byte slices that run the same under tokio, in a test and in a fuzzer.

// No fuzz target reaches a socket or the command line, and without these a
// fuzz build takes half as long.
#[cfg(not(fuzzing))]
pub mod cli;
#[cfg(not(fuzzing))]
pub mod command;
#[cfg(not(fuzzing))]
pub mod engine;
#[cfg(not(fuzzing))]
pub mod fetch;
#[cfg(not(fuzzing))]
pub mod interrogate;
#[cfg(not(fuzzing))]
pub mod load;
#[cfg(not(fuzzing))]
pub mod lookup;
#[cfg(not(fuzzing))]
pub mod net;
#[cfg(not(fuzzing))]
pub mod plan;
#[cfg(not(fuzzing))]
pub mod stage;

pub mod ask;
pub mod dialect;
pub mod input;
#[cfg(feature = "lab")]
pub mod lab;
pub mod model;
pub mod report;
pub mod revocation;
pub mod run_dir;
pub mod sender;
pub mod smtp;
pub mod tls;
pub mod trust;
pub mod verdict;
pub mod x509;
