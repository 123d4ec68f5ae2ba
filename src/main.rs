//! The `mxray` command: a thin shell around the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    mxray::command::run(mxray::cli::Cli::parse())
}
