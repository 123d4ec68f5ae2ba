//! Which commit the program is of, for `--version` and `run.json`.
//!
//! Only of an optimised build: a test build would be made anew after each commit. It is
//! taken from `MXRAY_COMMIT`, from what `cargo package` notes, or from git.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=MXRAY_COMMIT");
    let is_optimised = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let told = std::env::var("MXRAY_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = told.or_else(|| if is_optimised { packaged().or_else(checked_out) } else { None });
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match commit {
        Some(commit) => {
            println!("cargo::rustc-env=MXRAY_COMMIT={commit}");
            println!("cargo::rustc-env=MXRAY_VERSION={version} ({commit})");
        }
        None => println!("cargo::rustc-env=MXRAY_VERSION={version}"),
    }
}

/// The commit that `cargo package` noted in the package.
fn packaged() -> Option<String> {
    let noted = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = noted.split_once("\"sha1\":")?;
    let commit = rest.split('"').nth(1)?;
    Some(commit.chars().take(12).collect())
}

/// The commit of the checkout, marked where files differ from it.
fn checked_out() -> Option<String> {
    // Not that of a repository in which this folder merely lies.
    if !Path::new(".git").exists() {
        return None;
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
    for source in ["src", "Cargo.toml", "Cargo.lock", "datasets"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let is_changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|files| !files.is_empty());
    Some(if is_changed { format!("{commit}-changed") } else { commit })
}

fn git(arguments: &[&str]) -> Option<String> {
    let ran = Command::new("git").args(arguments).output().ok().filter(|ran| ran.status.success())?;
    Some(String::from_utf8(ran.stdout).ok()?.trim().to_string())
}
