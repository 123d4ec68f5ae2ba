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

pub mod cli;
pub mod command;
pub mod engine;
pub mod input;
pub mod lab;
pub mod load;
pub mod lookup;
pub mod model;
pub mod net;
pub mod output;
pub mod plan;
pub mod policy;
pub mod report;
pub mod revocation;
pub mod smtp;
pub mod store;
pub mod tls;
pub mod x509;
