//! What sessions cost `mxray receive` that are all open at once: its memory, the whole
//! process, in clear and inside TLS. The clients are in this process, the listener is
//! the program itself.
//!
//! ```text
//! cargo bench --bench receive               # the table
//! cargo bench --bench receive -- --check    # and fail where a bound is broken
//! ```

use anyhow::{Context, ensure};
use clap::Parser;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::io::{BufRead, BufReader as LineReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Sessions that are open at once.
const SESSIONS: usize = 2000;
/// Sessions that come as far at the same time: a client that waits for all others
/// would be given up.
const COMING_MAX: usize = 100;
/// Most resident memory of the listener in clear, in MiB.
const CLEAR_MIB_MAX: f64 = 60.0;
/// The same inside TLS: half as much again as is measured.
const TLS_MIB_MAX: f64 = 100.0;
/// Longest that a session takes to be open.
const PATIENCE: Duration = Duration::from_secs(60);
/// Open files that the clients need, and to spare.
const OPEN_FILES: u64 = SESSIONS as u64 + 100;
/// The name of the listener.
const NAME: &str = "mx.example";

#[derive(Parser)]
struct Args {
    /// Fail where a bound is broken.
    #[arg(long)]
    check: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A connection in clear or inside TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}
type Open = BufReader<Box<dyn Stream>>;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    ensure!(rlimit::increase_nofile_limit(OPEN_FILES)? >= OPEN_FILES, "{OPEN_FILES} open files are needed");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (where_, in_tls, most) in [("in clear", false, CLEAR_MIB_MAX), ("inside TLS", true, TLS_MIB_MAX)] {
        let mib = runtime.block_on(at_once(in_tls))?;
        println!(
            "{SESSIONS} sessions at once {where_}: {mib:.0} MiB resident at most, {:.1} KiB each",
            mib * 1024.0 / SESSIONS as f64
        );
        ensure!(!args.check || mib <= most, "{mib:.0} MiB {where_}, over {most}");
    }
    Ok(())
}

/// Most resident memory of a listener, in MiB, with all sessions open.
async fn at_once(in_tls: bool) -> anyhow::Result<f64> {
    let listener = Listener::start()?;
    let connector = if in_tls { Some(listener.connector()?) } else { None };
    let (mut coming, mut open) = (JoinSet::new(), Vec::new());
    for _ in 0..SESSIONS {
        if coming.len() == COMING_MAX
            && let Some(session) = coming.join_next().await
        {
            open.push(session??);
        }
        let (at, connector) = (listener.at.clone(), connector.clone());
        coming.spawn(async move { timeout(PATIENCE, come(at, connector)).await? });
    }
    while let Some(session) = coming.join_next().await {
        open.push(session??);
    }
    let mib = listener.max_rss_mib()?;
    // Each is still served.
    for session in &mut open {
        timeout(PATIENCE, ask(session, "NOOP", "250")).await??;
    }
    drop(open);
    listener.end()?;
    Ok(mib)
}

/// Comes as far as MAIL.
async fn come(at: String, connector: Option<TlsConnector>) -> anyhow::Result<Open> {
    let mut stream = BufReader::new(TcpStream::connect(at).await?);
    reply(&mut stream, "220").await?;
    ask(&mut stream, "EHLO out.partner.example", "250").await?;
    let mut stream: Open = match connector {
        None => BufReader::new(Box::new(stream.into_inner())),
        Some(connector) => {
            ask(&mut stream, "STARTTLS", "220").await?;
            let name = ServerName::try_from(NAME)?;
            let tls = connector.connect(name, stream.into_inner()).await?;
            let mut tls: Open = BufReader::new(Box::new(tls));
            ask(&mut tls, "EHLO out.partner.example", "250").await?;
            tls
        }
    };
    ask(&mut stream, "MAIL FROM:<a@partner.example>", "250").await?;
    Ok(stream)
}

async fn ask(stream: &mut BufReader<impl Stream>, line: &str, code: &str) -> anyhow::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await?;
    reply(stream, code).await
}

async fn reply(stream: &mut BufReader<impl Stream>, code: &str) -> anyhow::Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        ensure!(line.starts_with(code), "{line:?} in place of {code}");
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// `mxray receive` in a process of its own, ended when dropped.
struct Listener {
    process: Child,
    /// Kept, so that it may say what it likes.
    _told: LineReader<ChildStderr>,
    folder: TempDir,
    at: String,
}

impl Listener {
    fn start() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let most = SESSIONS.to_string();
        let mut process = Command::new(env!("CARGO_BIN_EXE_mxray"))
            .current_dir(&folder)
            .args(["receive", "--listen", "127.0.0.1:0", "--name", NAME, "-o", "run", "--quiet"])
            .args(["--greeting-delay", "0", "--at-once", &most, "--per-ip-at-once", &most])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut told = LineReader::new(process.stderr.take().context("no standard error")?);
        let mut line = String::new();
        told.read_line(&mut line)?;
        let at = line.strip_prefix("mxray: listening on ").and_then(|rest| rest.split(' ').next());
        let at = at.with_context(|| format!("it does not listen: {line}"))?.to_string();
        Ok(Self { process, _told: told, folder, at })
    }

    /// What connects to it, and trusts the authority that it made.
    fn connector(&self) -> anyhow::Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("run/test-authority.pem"))?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// Peak resident memory in MiB (proc_pid_status(5), VmHWM in KiB).
    fn max_rss_mib(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Ends it, and holds what it wrote.
    fn end(mut self) -> anyhow::Result<()> {
        self.terminate();
        ensure!(self.process.wait()?.success(), "the listener failed");
        let run = fs::read(self.folder.path().join("run/run.json"))?;
        let run: serde_json::Value = serde_json::from_slice(&run)?;
        let counts = (run["sessions"].as_u64(), run["turned_away"].as_u64());
        ensure!(counts == (Some(SESSIONS as u64), Some(0)), "{counts:?} sessions and turned away");
        Ok(())
    }

    fn terminate(&self) {
        if let Ok(pid) = i32::try_from(self.process.id()).map(Pid::from_raw) {
            let _ = kill(pid, Signal::SIGTERM);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.terminate();
        let _ = self.process.wait();
    }
}
