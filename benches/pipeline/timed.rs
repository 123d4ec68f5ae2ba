//! Runs a command and says what it took, in a process of its own: the system
//! adds up all children of a process, and the largest of them would hide the
//! others.

use anyhow::{Context, ensure};
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// `pipeline timed`
#[derive(Args)]
pub struct TimedArgs {
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<String>,
}

/// What a command took, from its start to its end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Took {
    /// User and system time, in seconds.
    pub cpu_s: f64,
    /// By the wall clock, in seconds.
    pub wall_s: f64,
    /// Most resident memory, in MiB.
    pub memory_mib: f64,
}

/// Runs the command and prints what it took as one line of JSON.
pub fn run(args: &TimedArgs) -> anyhow::Result<()> {
    let (program, rest) = args.command.split_first().context("no command")?;
    let begun = Instant::now();
    let status = Command::new(program).args(rest).stdout(Stdio::null()).status()?;
    let wall_s = begun.elapsed().as_secs_f64();
    ensure!(status.success(), "{program} failed: {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu_s = seconds(usage.user_time()) + seconds(usage.system_time());
    let took = Took { cpu_s, wall_s, memory_mib: usage.max_rss() as f64 / 1024.0 };
    println!("{}", serde_json::to_string(&took)?);
    Ok(())
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// Runs a command in `dir` through [`run`].
pub fn measure(dir: &Path, command: &[&str]) -> anyhow::Result<Took> {
    let output =
        Command::new(std::env::current_exe()?).current_dir(dir).arg("timed").args(command).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {told}", command.join(" "));
    Ok(serde_json::from_slice(&output.stdout)?)
}
