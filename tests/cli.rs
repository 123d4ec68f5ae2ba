//! The command as a person meets it: what it says, what it leaves behind, how
//! it ends. Every test runs the real binary, against a fleet of its own where
//! one is needed.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used)]

#[cfg(unix)]
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/book.rs"]
mod book;
#[cfg(unix)]
#[path = "cli/canary.rs"]
mod canary;
#[path = "cli/colour.rs"]
mod colour;
#[path = "cli/command.rs"]
mod command;
#[cfg(unix)]
#[path = "cli/compress.rs"]
mod compress;
#[path = "cli/config.rs"]
mod config;
#[path = "cli/connectors.rs"]
mod connectors;
#[path = "cli/damaged_tables.rs"]
mod damaged_tables;
#[cfg(unix)]
#[path = "cli/delay.rs"]
mod delay;
#[cfg(target_os = "linux")]
#[path = "cli/descriptors.rs"]
mod descriptors;
#[path = "cli/diff.rs"]
mod diff;
#[cfg(unix)]
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "lookup/server.rs"]
mod dns;
#[path = "cli/documents.rs"]
mod documents;
#[path = "cli/dry_run.rs"]
mod dry_run;
#[path = "cli/enumerate.rs"]
mod enumerate;
#[path = "cli/exit_codes.rs"]
mod exit_codes;
#[path = "cli/expect.rs"]
mod expect;
#[path = "cli/explain.rs"]
mod explain;
#[cfg(feature = "export")]
#[path = "cli/export.rs"]
mod export;
#[path = "cli/fleet.rs"]
mod fleet;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/json.rs"]
mod json;
#[cfg(unix)]
#[path = "cli/lab.rs"]
mod lab;
#[path = "cli/manners.rs"]
mod manners;
#[cfg(target_os = "linux")]
#[path = "cli/metrics.rs"]
mod metrics;
#[cfg(target_os = "linux")]
#[path = "cli/network_down.rs"]
mod network_down;
#[path = "cli/odd.rs"]
mod odd;
#[cfg(unix)]
#[path = "cli/opt_outs.rs"]
mod opt_outs;
#[cfg(unix)]
#[path = "cli/preflight.rs"]
mod preflight;
#[path = "cli/probe.rs"]
mod probe;
#[path = "cli/probe_json.rs"]
mod probe_json;
#[cfg(all(unix, feature = "receive"))]
#[path = "cli/receive.rs"]
mod receive;
#[cfg(all(unix, feature = "receive"))]
#[path = "cli/receive_judged.rs"]
mod receive_judged;
#[cfg(all(unix, feature = "receive"))]
#[path = "cli/received_run.rs"]
mod received_run;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/responders.rs"]
mod responders;
#[path = "cli/revocation.rs"]
mod revocation;
#[path = "cli/roots.rs"]
mod roots;
#[path = "cli/routes.rs"]
mod routes;
#[path = "cli/second_look.rs"]
mod second_look;
#[path = "cli/senders.rs"]
mod senders;
#[path = "cli/shell_help.rs"]
mod shell_help;
#[cfg(unix)]
#[path = "cli/standstill.rs"]
mod standstill;
#[cfg(unix)]
#[path = "cli/stopping.rs"]
mod stopping;
#[path = "cli/streams.rs"]
mod streams;
#[cfg(unix)]
#[path = "cli/tlsrpt.rs"]
mod tlsrpt;
#[path = "cli/unread.rs"]
mod unread;
#[path = "cli/verbose.rs"]
mod verbose;
#[path = "cli/wrong_use.rs"]
mod wrong_use;
