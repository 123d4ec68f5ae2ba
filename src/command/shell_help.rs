//! `mxray man` and `mxray completions`: what a system shows of the commands, made
//! from the one definition of their options.

use super::CommandError;
use super::fresh_file::{ExistingFile, FreshFile, unwritten};
use crate::cli::{Cli, CompletionsArgs, ManArgs};
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::generate;
use clap_mangen::Man;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Section of the manual for commands of users (man-pages(7)).
const SECTION: &str = "1";

/// Prints one page, or writes all of them into a folder.
pub(super) fn man(args: &ManArgs) -> Result<ExitCode, CommandError> {
    let command = built();
    match &args.output {
        Some(folder) => write_pages(&command, folder)?,
        None => super::tell(String::from_utf8(page(&command)?).context("a page is not UTF-8")?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitCode, CommandError> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "mxray", &mut script);
    super::tell(String::from_utf8(script).context("the script is not UTF-8")?)?;
    Ok(ExitCode::SUCCESS)
}

/// The definition with the names of commands within commands filled in: the page of
/// `mxray roots check` is `mxray-roots-check`.
fn built() -> clap::Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn page(command: &clap::Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    let source = concat!("mxray ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).section(SECTION).manual("mxray").source(source);
    man.render(&mut page).context("cannot make the page")?;
    Ok(page)
}

/// The page of a command, and those of the commands within it.
fn write_pages(command: &clap::Command, folder: &Path) -> Result<(), CommandError> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let file = folder.join(format!("{name}.{SECTION}"));
    // On a full disk the page that was there stays, and none of half its length comes.
    let mut fresh = FreshFile::create(&file)?;
    fresh.write_all(&page(command)?).with_context(|| unwritten(&file))?;
    fresh.put(ExistingFile::Replaced)?;
    command.get_subcommands().try_for_each(|within| write_pages(within, folder))
}
