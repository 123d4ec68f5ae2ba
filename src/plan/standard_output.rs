//! `-` where a directory is to be written: standard output is none, and a directory of
//! that name is not what anybody means.

use super::UsageError;
use crate::cli::Command;
use std::path::Path;

/// Refuses `-` as a directory, and where a file of a measurement is kept for later.
///
/// # Errors
/// [`UsageError`] that says what to do instead.
pub fn check_standard_output(command: &Command) -> Result<(), UsageError> {
    let (option, path, instead) = match command {
        Command::Scan(args) => ("-o", args.output.as_deref(), "--format writes rows to standard output"),
        Command::Judge(args) => ("-o", args.output.as_deref(), "name a directory"),
        Command::Merge(args) => ("-o", args.output.as_deref(), "name a directory"),
        #[cfg(feature = "lab")]
        Command::Demo(args) => ("-o", args.output.as_deref(), "name a directory"),
        #[cfg(feature = "receive")]
        Command::Receive(args) => ("-o", args.output.as_deref(), "name a directory"),
        Command::Man(args) => ("-o", args.output.as_deref(), "without -o the page of mxray is printed"),
        #[cfg(feature = "export")]
        Command::Export(args) => (
            "-o",
            args.output.as_deref(),
            "without -o a single table goes to standard output, as CSV or JSON Lines",
        ),
        Command::Bench(args) => {
            ("--save", args.save.as_deref(), "--format json has the measurement on standard output")
        }
        _ => return Ok(()),
    };
    if path != Some(Path::new("-")) {
        return Ok(());
    }
    let what = if option == "--save" { "a file" } else { "a directory" };
    Err(UsageError(format!("{option} -: {what} is written, and standard output is none; {instead}")))
}
