//! Whether runs are the shards of one: made of one list with the same options, and
//! each of them once.

use super::UsageError;
use super::resume::words;
use crate::cli::Cli;
use crate::model::Shard;
use crate::run_dir::RunInfo;
use clap::{ArgMatches, CommandFactory};
use std::path::Path;

/// Options that may differ from machine to machine, or that say nothing of what is
/// asked; files that verdicts hang on are compared by what they held.
const MAY_DIFFER: [&str; 26] = [
    "shard",
    "output",
    "compress",
    "resume",
    "verbose",
    "log",
    "require_targets",
    "report",
    "parquet",
    "metrics",
    "canary",
    "canary_interval",
    "ehlo",
    "contact",
    "resolver",
    "trust_ad",
    "seed",
    "blocklist",
    "client_cert",
    "client_key",
    "roots",
    "connectors",
    "expect",
    "sender",
    "ipv4",
    "ipv6",
];

/// The command whose runs are joined.
const SCAN: &str = "scan";

/// A run, and where it stands.
pub type NamedRun<'a> = (&'a Path, &'a RunInfo);

/// The shards of one run in their order, of runs in any order.
///
/// # Errors
/// [`UsageError`]: what is missing, or does not belong together; it names the folder.
pub fn shards_in_order(runs: &[NamedRun<'_>]) -> Result<Vec<usize>, UsageError> {
    let shards = runs.iter().map(shard).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(of)) = (runs.first(), shards.first().map(|shard| shard.of().get())) else {
        return Err(UsageError("no shard was named".to_string()));
    };
    let mut order = vec![None; of as usize];
    for (place, (run, shard)) in runs.iter().zip(&shards).enumerate() {
        if shard.of().get() != of {
            let told = format!("it is shard {shard}, and {} is one of {of}", first.0.display());
            return Err(refused(run.0, &told));
        }
        let taken = order.get_mut(shard.number() as usize - 1).and_then(|slot| slot.replace(place));
        if let Some(earlier) = taken.and_then(|earlier| runs.get(earlier)) {
            return Err(refused(run.0, &format!("it is shard {shard}, and so is {}", earlier.0.display())));
        }
    }
    let missing: Vec<String> =
        (1..=of).zip(&order).filter(|(_, slot)| slot.is_none()).map(|(n, _)| n.to_string()).collect();
    if !missing.is_empty() {
        return Err(UsageError(format!("of {of} shards these are missing: {}", missing.join(", "))));
    }
    for run in runs {
        check_alike(*first, *run)?;
    }
    Ok(order.into_iter().flatten().collect())
}

fn refused(run: &Path, cause: &str) -> UsageError {
    UsageError(format!("cannot join {}: {cause}", run.display()))
}

/// Which shard a run is, if it came to its end.
fn shard((path, info): &NamedRun<'_>) -> Result<Shard, UsageError> {
    let Some(shard) = info.shard else {
        return Err(refused(path, "it is no shard of a run (scan --shard)"));
    };
    if info.finished != Some(true) {
        let told = format!("it is not finished; mxray scan --resume {} goes on with it", path.display());
        return Err(refused(path, &told));
    }
    Ok(shard)
}

/// Whether two shards were made of the same.
fn check_alike(first: NamedRun<'_>, run: NamedRun<'_>) -> Result<(), UsageError> {
    let ((one, before), (path, now)) = (first, run);
    let differs = |what: &str, was: &str, is: &str| {
        Err(refused(path, &format!("its {what} is not that of {}: {is} (there {was})", one.display())))
    };
    if before.mxray != now.mxray {
        return differs("mxray", &before.mxray, &now.mxray);
    }
    let [was, is] = [before, now].map(|info| info.asked_by.as_ref().and_then(|by| by.list.as_ref()));
    match (was, is) {
        (Some(was), Some(is)) if was.sha256 == is.sha256 => {}
        (Some(was), Some(is)) => {
            return differs("list", &format!("SHA-256 {}", was.sha256), &format!("SHA-256 {}", is.sha256));
        }
        _ => return Err(refused(path, "its list was no file")),
    }
    let families =
        |info: &RunInfo| info.asked_by.as_ref().map(|by| by.families.join(" and ")).unwrap_or_default();
    if families(before) != families(now) {
        return differs("address family in use", &families(before), &families(now));
    }
    let certificate = |info: &RunInfo| {
        let digest = info.asked_by.as_ref().and_then(|by| by.client_certificate);
        digest.map_or_else(|| "none".to_string(), |digest| format!("SHA-256 {digest}"))
    };
    if certificate(before) != certificate(now) {
        return differs("client certificate", &certificate(before), &certificate(now));
    }
    for (option, was) in &before.judged_by.options {
        let is = now.judged_by.options.get(option);
        if is.is_none_or(|is| is.sha256 != was.sha256) {
            let words = is.map(|is| is.words.join(" ")).unwrap_or_default();
            return differs(&format!("--{option}"), &was.words.join(" "), &words);
        }
    }
    check_options(first, run)
}

/// Whether their options were the same, also those that were left out.
fn check_options((one, before): NamedRun<'_>, (path, now): NamedRun<'_>) -> Result<(), UsageError> {
    let read = |path: &Path, info: &RunInfo| -> Result<ArgMatches, UsageError> {
        let told = "the command line in its run.json is not one of this mxray";
        let read = Cli::command().try_get_matches_from(&info.command);
        let scan = read.ok().and_then(|mut matches| matches.remove_subcommand());
        scan.filter(|(name, _)| name == SCAN).map(|(_, scan)| scan).ok_or_else(|| refused(path, told))
    };
    let (was, is) = (read(one, before)?, read(path, now)?);
    let whole = Cli::command();
    let options = whole.find_subcommand(SCAN).into_iter().flat_map(clap::Command::get_arguments);
    let told = |words: &[String]| if words.is_empty() { "none".to_string() } else { words.join(",") };
    let mut different = Vec::new();
    for option in options {
        let (id, Some(long)) = (option.get_id().as_str(), option.get_long()) else { continue };
        let (old, new) = (words(&was, id), words(&is, id));
        if old != new && !MAY_DIFFER.contains(&id) {
            different.push(format!("--{long} {} (there {})", told(&new), told(&old)));
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    let told = format!("it was made with other options than {}: {}", one.display(), different.join(", "));
    Err(refused(path, &told))
}
