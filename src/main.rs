//! The `mxray` command: a thin shell around the library.

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Thousands of handshakes at a time allocate and free on every thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    match mxray::internals::cli::Cli::try_parse_from(&arguments) {
        Ok(cli) => mxray::internals::command::run(cli),
        Err(error) => mxray::internals::command::refuse(&error, &arguments),
    }
}
