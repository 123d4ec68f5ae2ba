//! What a session costs that waits: memory of the scanner while 10,000 servers
//! take the connection and hold their banners back.

use crate::lab::Lab;
use crate::timed;
use anyhow::ensure;
use std::fs;
use tempfile::TempDir;

/// Sessions that wait at a time.
const SESSIONS: usize = 10_000;

/// Resident memory of the whole scanner, in MiB, at most: a quarter more than is
/// measured.
const MEMORY_MIB_MAX: f64 = 106.0;

/// How long the scanner waits for a banner, in seconds: long enough that all
/// connections are open before the first is given up.
const PATIENCE_S: f64 = 25.0;

/// Measures, prints, and with `check` fails above the bound.
pub fn run(check: bool) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let lab = Lab::start(dir.path(), "greeting_silence", SESSIONS)?;
    let (sessions, patience) = (SESSIONS.to_string(), format!("{PATIENCE_S}s"));
    let mut command = vec![env!("CARGO_BIN_EXE_mxray"), "scan", "endpoints.csv", "--input", "endpoints"];
    command.extend(["-o", "run", "--port", &lab.port, "--allow-private", "--in-flight", &sessions]);
    command.extend([
        "--cool-down",
        "0",
        "--rate",
        "0",
        "--per-ip-interval",
        "0",
        "--per-ip-connections",
        "0",
    ]);
    command.extend(["--per-network-connections", "0", "--per-operator-connections", "0"]);
    command.extend(["--timeout", &patience, "--retries", "0", "--ehlo", "bench.example"]);
    let took = timed::measure(dir.path(), &command)?;
    let told: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("run/run.json"))?)?;
    let silent = &told["summary"]["endpoints"]["outcomes"]["greeting_timeout"];
    ensure!(silent.as_u64() == Some(SESSIONS as u64), "{silent} of {SESSIONS} servers were silent");
    // One after the other, or in two halves, they would have taken longer.
    ensure!(took.wall_s < 2.0 * PATIENCE_S, "{:.0} s: they did not wait at the same time", took.wall_s);
    println!(
        "{SESSIONS} sessions that wait for a banner: {:.0} MiB resident at most, {:.1} KiB each, {:.2} s of CPU",
        took.memory_mib,
        took.memory_mib * 1024.0 / SESSIONS as f64,
        took.cpu_s
    );
    ensure!(!check || took.memory_mib <= MEMORY_MIB_MAX, "over {MEMORY_MIB_MAX} MiB");
    Ok(())
}
