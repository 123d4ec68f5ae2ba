//! mxray surveys how mail domains answer STARTTLS and says what each answer
//! means for the mail sent there.
//!
//! ```text
//! input ─► lookup ─► coalesce ─► pace ─► probe ─► join ─► policy ─► output
//! list     MX A AAAA  one probe   global   dial     observation   verdict   run directory
//! of                  per         per-IP   smtp     back to every           + summary
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
pub mod load;
#[cfg(not(fuzzing))]
pub mod lookup;
#[cfg(not(fuzzing))]
pub mod net;
#[cfg(not(fuzzing))]
pub mod plan;

pub mod dialect;
pub mod input;
pub mod lab;
pub mod model;
pub mod output;
pub mod policy;
pub mod report;
pub mod revocation;
pub mod smtp;
pub mod store;
pub mod tls;
pub mod x509;
