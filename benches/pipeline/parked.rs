//! What a session costs that waits: memory of the scanner while thousands of servers
//! take the connection and hold their banners back. Measured with few and with many,
//! so that what the program takes by itself is told apart.

use crate::lab::Lab;
use crate::timed::{self, Took};
use anyhow::ensure;
use std::fs;
use tempfile::TempDir;

/// Sessions that wait at a time: few, and many.
const FEW: usize = 1_000;
const MANY: usize = 10_000;

/// Resident memory of the scanner with the many, in MiB, and what one session more
/// takes of it, in KiB, at most: a quarter more than is measured.
const MEMORY_MIB_MAX: f64 = 90.0;
const SESSION_KIB_MAX: f64 = 6.2;

/// How long the scanner waits for a banner, in seconds: long enough that all
/// connections are open before the first is given up.
const PATIENCE_S: f64 = 25.0;

/// Measures, prints, and with `check` fails above the bounds.
pub fn run(check: bool) -> anyhow::Result<()> {
    let (few, many) = (waiting(FEW)?, waiting(MANY)?);
    let session_kib = (many.memory_mib - few.memory_mib) * 1024.0 / (MANY - FEW) as f64;
    println!(
        "sessions that wait for a banner: {FEW} in {:.0} MiB resident at most, {MANY} in {:.0} MiB and {:.2} s of CPU: {session_kib:.1} KiB each",
        few.memory_mib, many.memory_mib, many.cpu_s
    );
    ensure!(!check || many.memory_mib <= MEMORY_MIB_MAX, "over {MEMORY_MIB_MAX} MiB");
    ensure!(!check || session_kib <= SESSION_KIB_MAX, "over {SESSION_KIB_MAX} KiB a session");
    Ok(())
}

/// A scan of so many servers that all are silent.
fn waiting(sessions: usize) -> anyhow::Result<Took> {
    let dir = TempDir::new()?;
    let lab = Lab::start(dir.path(), "greeting_silence", sessions)?;
    let (in_flight, patience) = (sessions.to_string(), format!("{PATIENCE_S}s"));
    let mut command = vec![env!("CARGO_BIN_EXE_mxray"), "scan", "endpoints.csv", "--input", "endpoints"];
    command.extend(["-o", "run", "--port", &lab.port, "--allow-private", "--in-flight", &in_flight]);
    command.extend(["--cool-down", "0", "--rate", "0", "--per-ip-interval", "0"]);
    command.extend(["--per-ip-connections", "0"]);
    command.extend(["--per-network-connections", "0", "--per-operator-connections", "0"]);
    command.extend(["--timeout", &patience, "--retries", "0", "--ehlo", "bench.example"]);
    let took = timed::measure(dir.path(), &command)?;
    let told: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("run/run.json"))?)?;
    let silent = &told["summary"]["endpoints"]["outcomes"]["greeting_timeout"];
    ensure!(silent.as_u64() == Some(sessions as u64), "{silent} of {sessions} servers were silent");
    // One after the other, or in two halves, they would have taken longer.
    ensure!(took.wall_s < 2.0 * PATIENCE_S, "{:.0} s: they did not wait at the same time", took.wall_s);
    Ok(took)
}
