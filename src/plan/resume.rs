//! Going on with a run: with what it began with, and with nothing else. Two halves
//! of a run that were asked or judged differently would be no run.

use super::judging::{Judging, judging_again};
use super::{StageSettings, UsageError, read_file};
use crate::cli::{Cli, Command, JudgingArgs, ScanArgs};
use crate::model::Sha256;
use crate::run_dir::{AskedBy, ListFile, RunInfo};
use crate::x509;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use sha2::Digest;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{self, Path, PathBuf};

/// Name of the command, and of the option.
const SCAN: &str = "scan";
const RESUME: &str = "resume";

/// Options that say nothing of what is asked and how it is judged, or of which more
/// may be given: nobody is contacted whom the run would not have contacted.
const MAY_DIFFER: [&str; 9] =
    [RESUME, "verbose", "log", "summary", "require_targets", "blocklist", "metrics", "report", "parquet"];

/// Bytes of a list read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Name of the standard input as a list.
const STANDARD_INPUT: &str = "-";

/// What a scan is made of beside its command line.
///
/// # Errors
/// [`UsageError`]: the list or the client certificate cannot be read.
pub fn asked_by(args: &ScanArgs, settings: &StageSettings) -> Result<AskedBy, UsageError> {
    let list = args.list.as_deref().filter(|list| *list != STANDARD_INPUT).map(Path::new);
    let list = list.filter(|list| fs::metadata(list).is_ok_and(|file| file.is_file()));
    let certificate = &args.asking.dialogue.client.client_cert;
    Ok(AskedBy {
        list: list.map(list_file).transpose()?,
        folder: absolute(Path::new("")),
        families: settings.families.clone(),
        client_certificate: certificate.as_deref().map(certificate_digest).transpose()?,
    })
}

fn certificate_digest(path: &Path) -> Result<Sha256, UsageError> {
    Ok(x509::digest(&read_file("--client-cert", path)?))
}

/// The path from the root of the file system.
fn absolute(path: &Path) -> String {
    // An empty one is the working directory.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

fn list_file(list: &Path) -> Result<ListFile, UsageError> {
    let (bytes, sha256) = digest(list)
        .map_err(|error| UsageError(format!("cannot read the list {}: {error}", list.display())))?;
    Ok(ListFile { path: absolute(list), bytes, sha256 })
}

/// Length and SHA-256 of a file of any length.
fn digest(path: &Path) -> io::Result<(u64, Sha256)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut buffer) = (sha2::Sha256::new(), 0, vec![0; READ_BYTES]);
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        bytes += count as u64;
        hash.update(buffer.get(..count).unwrap_or_default());
    }
    Ok((bytes, Sha256(hash.finalize().into())))
}

/// The command line of a run that is to go on, as it is to be followed now; `given`
/// are the words of this process.
///
/// # Errors
/// [`UsageError`]: nobody can go on with the run, or what was given now is not what
/// it began with.
pub fn resumed(run: &Path, info: &RunInfo, given: &[OsString]) -> Result<ScanArgs, UsageError> {
    let asked_by = check_kind(run, info)?;
    let unreadable = |_| refused(run, "the command line in its run.json is not one of this mxray");
    let before = Cli::command().try_get_matches_from(&info.command).map_err(unreadable)?;
    let now = Cli::command().try_get_matches_from(given).map_err(|error| UsageError(error.to_string()))?;
    let Command::Scan(mut args) = Cli::from_arg_matches(&before).map_err(unreadable)?.command else {
        return Err(refused(run, "it was not made by mxray scan"));
    };
    if let (Some(before), Some(now)) = (before.subcommand_matches(SCAN), now.subcommand_matches(SCAN)) {
        check_options(run, before, now)?;
    }
    let Command::Scan(now) =
        Cli::from_arg_matches(&now).map_err(|error| UsageError(error.to_string()))?.command
    else {
        return Err(UsageError("not a scan".to_string()));
    };
    let list = check_list(run, asked_by)?;
    let from = |path: &PathBuf| Path::new(&asked_by.folder).join(path);
    args.list = Some(list.path.clone());
    args.output = None;
    args.format = None;
    args.log = now.log;
    args.summary = now.summary;
    args.metrics = now.metrics;
    args.require_targets |= now.require_targets;
    args.report |= now.report;
    #[cfg(feature = "export")]
    {
        args.parquet |= now.parquet;
    }
    args.pace.seed = info.seed;
    args.asking.blocklist = args.asking.blocklist.iter().map(from).chain(now.asking.blocklist).collect();
    let dialogue = &mut args.asking.dialogue;
    dialogue.verbose = now.asking.dialogue.verbose;
    dialogue.ehlo = Some(info.ehlo_name.clone());
    dialogue.ipv4 = asked_by.families.iter().any(|family| family == "ipv4");
    dialogue.ipv6 = asked_by.families.iter().any(|family| family == "ipv6");
    dialogue.client.client_cert = dialogue.client.client_cert.as_ref().map(from);
    dialogue.client.client_key = dialogue.client.client_key.as_ref().map(from);
    check_certificate(run, asked_by, dialogue.client.client_cert.as_deref())?;
    Ok(*args)
}

fn refused(run: &Path, cause: &str) -> UsageError {
    UsageError(format!("cannot go on with {}: {cause}", run.display()))
}

/// Whether it is a run with which somebody can go on.
fn check_kind<'a>(run: &Path, info: &'a RunInfo) -> Result<&'a AskedBy, UsageError> {
    let own = env!("CARGO_PKG_VERSION");
    if info.judged_from.is_some() {
        return Err(refused(run, "it was made by mxray judge, which asks nobody"));
    }
    if info.finished == Some(true) {
        return Err(refused(run, "it is finished"));
    }
    if info.mxray != own {
        return Err(refused(run, &format!("it was made by mxray {}, and this is {own}", info.mxray)));
    }
    let none = "it was made by mxray demo, or by an mxray that could not go on with a run";
    info.asked_by.as_ref().ok_or_else(|| refused(run, none))
}

/// Whether the list still is what it was.
fn check_list<'a>(run: &Path, asked_by: &'a AskedBy) -> Result<&'a ListFile, UsageError> {
    let no_file = "its list was no file (standard input or a pipe), and cannot be read again";
    let before = asked_by.list.as_ref().ok_or_else(|| refused(run, no_file))?;
    let now = list_file(Path::new(&before.path))?;
    if now != *before {
        let told = format!(
            "its list {} has changed: it had {} bytes and the SHA-256 {}, and has {} bytes and {}",
            before.path, before.bytes, before.sha256, now.bytes, now.sha256
        );
        return Err(refused(run, &told));
    }
    Ok(before)
}

fn check_certificate(run: &Path, asked_by: &AskedBy, path: Option<&Path>) -> Result<(), UsageError> {
    match path {
        Some(path) if Some(certificate_digest(path)?) != asked_by.client_certificate => {
            Err(refused(run, &format!("the client certificate {} has changed", path.display())))
        }
        _ => Ok(()),
    }
}

/// Whether every option that is given now has the value that it had.
fn check_options(run: &Path, before: &ArgMatches, now: &ArgMatches) -> Result<(), UsageError> {
    let whole = Cli::command();
    let scan = whole.find_subcommand(SCAN);
    let options = scan.into_iter().flat_map(clap::Command::get_arguments);
    let mut different = Vec::new();
    for option in options {
        let (id, Some(long)) = (option.get_id().as_str(), option.get_long()) else { continue };
        let is_given = |matches: &ArgMatches| {
            matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
        };
        if MAY_DIFFER.contains(&id) || !is_given(now) {
            continue;
        }
        let (old, new) = (words(before, id), words(now, id));
        if old == new {
            continue;
        }
        let told = if option.get_action().takes_values() {
            let had = if old.is_empty() { "none".to_string() } else { old.join(",") };
            format!("--{long} {} (the run has {had})", new.join(","))
        } else {
            format!("--{long} (the run does without)")
        };
        different.push(told);
    }
    if different.is_empty() {
        return Ok(());
    }
    let told = format!("it was begun with other options: {}; leave them out", different.join(", "));
    Err(refused(run, &told))
}

/// The words of an option, as they were given or by default.
pub(super) fn words(matches: &ArgMatches, id: &str) -> Vec<String> {
    let words = matches.try_get_raw(id).ok().flatten();
    words.into_iter().flatten().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// What a run was judged by, for the rest of it.
///
/// # Errors
/// [`UsageError`]: a file is gone, or holds another thing than it did.
pub fn judging_on(run: &Path, info: &RunInfo) -> Result<Judging, UsageError> {
    judging_again(&JudgingArgs::default(), None, run, info).map_err(|UsageError(told)| {
        // What may be named in its place is the concern of whoever judges again.
        let cause = told.split(';').next().unwrap_or_default();
        refused(run, &format!("it is judged by what it began with, and {cause}"))
    })
}
