//! The gate of the instruction counts: runs `benches/instructions.rs`, and
//! fails with a table where a count is above what `benches/baseline.toml`
//! allows.
//!
//! ```text
//! cargo bench --bench perf_gate                # just perf-gate
//! cargo bench --bench perf_gate -- --renew     # just perf-baseline
//! ```

mod compare;
mod summary;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use compare::{Baseline, Counts, compare};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// What stands at the head of the baseline.
const HEAD: &str = "# Instructions of the benchmarks in benches/instructions.rs, counted by valgrind, and how many\n\
    # per cent above that is still no regression. `just perf-gate` compares with it; `just perf-baseline`\n\
    # writes the counts anew and keeps the tolerances, which are set by hand.\n\n";

#[derive(Parser)]
struct Cli {
    /// Write the counts as the baseline instead of comparing them.
    #[arg(long)]
    renew: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let path = folder.join("baseline.toml");
    let baseline = read(&path, cli.renew)?;
    let rustc = rustc()?;
    let counts = counts(&folder)?;
    let compared = compare(&baseline, &rustc, &counts);
    print!("{compared}");
    if cli.renew {
        let text = toml::to_string(&baseline.renewed(&rustc, &counts))?;
        fs::write(&path, format!("{HEAD}{text}")).with_context(|| path.display().to_string())?;
        println!("written to benches/baseline.toml");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if compared.fails() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The baseline; where it is to be made there need not be one yet.
fn read(path: &Path, renew: bool) -> anyhow::Result<Baseline> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).with_context(|| path.display().to_string()),
        Err(_) if renew => Ok(Baseline { rustc: rustc()?, benchmark: BTreeMap::new() }),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The compiler that Cargo uses here.
fn rustc() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).arg("--version").output().context("rustc --version")?;
    ensure!(told.status.success(), "rustc --version: {}", told.status);
    Ok(String::from_utf8(told.stdout)?.trim().to_string())
}

/// Counts every benchmark.
fn counts(folder: &Path) -> anyhow::Result<Counts> {
    let mut counting = Command::new(folder.join("instructions.sh"));
    let counted = counting.arg("--output-format=json").stderr(Stdio::inherit()).output()?;
    if !counted.status.success() {
        bail!("benches/instructions.sh: {}", counted.status);
    }
    let counts = summary::read(&counted.stdout)?;
    ensure!(!counts.is_empty(), "nothing was counted");
    Ok(counts)
}
