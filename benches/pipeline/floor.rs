//! The floor of a survey's cost: the plainest tokio and tokio-rustls client
//! that speaks the same dialogue and does the same cryptography as a probe,
//! and nothing else: no deadlines, no pacing, no records, no output. It verifies
//! the server's signature over the handshake and, with `--roots`, the chain up
//! to a root, as clients do, in every handshake anew.
//!
//! What the scanner costs above this loop, in the same run against the same
//! fleet, is what its own work costs.
//!
//! ```text
//! cargo bench --bench pipeline -- floor --endpoints list.csv --port 2525
//! ```

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// Longest reply read, in bytes.
const REPLY_BYTES_MAX: usize = 16 * 1024;
/// Clock ticks a second in `/proc/self/stat`: USER_HZ, fixed on Linux.
const TICKS_PER_S: f64 = 100.0;

/// `pipeline floor`
#[derive(Args)]
pub struct FloorArgs {
    /// CSV of `ip,name[,port]`, without a header.
    #[arg(long)]
    endpoints: PathBuf,
    /// Port where a line gives none.
    #[arg(long, default_value_t = 25)]
    port: u16,
    /// Sessions kept in flight.
    #[arg(long, default_value_t = 1000)]
    concurrency: usize,
    /// Worker threads; 0 for one a core.
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Key exchange groups offered: X25519MLKEM768 first, or X25519 alone.
    #[arg(long, value_enum, default_value = "default")]
    groups: Groups,
    /// The only TLS version offered; both by default.
    #[arg(long, value_enum)]
    tls: Option<Version>,
    /// Verify chains up to these roots (PEM); else any chain is accepted.
    #[arg(long)]
    roots: Option<PathBuf>,
    /// Name sent in EHLO.
    #[arg(long, default_value = "floor.example")]
    ehlo: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Groups {
    Default,
    X25519,
}

#[derive(Clone, Copy, ValueEnum)]
enum Version {
    #[value(name = "1.3")]
    Tls13,
    #[value(name = "1.2")]
    Tls12,
}

struct Endpoint {
    address: SocketAddr,
    name: ServerName<'static>,
}

/// What every session shares.
struct Shared {
    endpoints: Vec<Endpoint>,
    next: AtomicUsize,
    failures: AtomicUsize,
    connector: TlsConnector,
    ehlo: String,
}

/// Runs the list once and prints one line of JSON.
pub fn run(args: &FloorArgs) -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the limit of open files")?;
    let shared = Arc::new(Shared {
        endpoints: read_endpoints(&args.endpoints, args.port)?,
        next: AtomicUsize::new(0),
        failures: AtomicUsize::new(0),
        connector: TlsConnector::from(Arc::new(client_config(args)?)),
        ehlo: format!("EHLO {}\r\n", args.ehlo),
    });
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if args.workers > 0 {
        builder.worker_threads(args.workers);
    }
    let runtime = builder.enable_all().build()?;
    let (user_before, sys_before) = cpu_seconds()?;
    let begun = Instant::now();
    runtime.block_on(all(&shared, args.concurrency));
    let wall = begun.elapsed().as_secs_f64();
    let (user, sys) = cpu_seconds()?;
    report(&shared, wall, user - user_before, sys - sys_before)
}

async fn all(shared: &Arc<Shared>, concurrency: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..concurrency.clamp(1, shared.endpoints.len().max(1)) {
        tasks.spawn(work(shared.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

async fn work(shared: Arc<Shared>) {
    let mut buffer = Vec::with_capacity(4096);
    while let Some(endpoint) = shared.endpoints.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
        let Err(error) = session(&shared, endpoint, &mut buffer).await else { continue };
        if shared.failures.fetch_add(1, Ordering::Relaxed) == 0 {
            eprintln!("first failure, {}: {error:#}", endpoint.address);
        }
    }
}

async fn session(shared: &Shared, endpoint: &Endpoint, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut tcp = TcpStream::connect(endpoint.address).await.context("connect")?;
    tcp.set_nodelay(true)?;
    expect(&mut tcp, buffer, b"220").await.context("greeting")?;
    command(&mut tcp, &shared.ehlo, buffer, b"250").await.context("EHLO")?;
    command(&mut tcp, "STARTTLS\r\n", buffer, b"220").await.context("STARTTLS")?;
    let mut tls = shared.connector.connect(endpoint.name.clone(), tcp).await.context("handshake")?;
    command(&mut tls, &shared.ehlo, buffer, b"250").await.context("EHLO inside TLS")?;
    command(&mut tls, "QUIT\r\n", buffer, b"221").await.context("QUIT")?;
    tls.get_mut().1.send_close_notify();
    tls.flush().await.context("close_notify")
}

async fn command<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    line: &str,
    buffer: &mut Vec<u8>,
    code: &[u8; 3],
) -> anyhow::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.flush().await?;
    expect(stream, buffer, code).await
}

/// Reads one complete reply (RFC 5321 §4.2.1) and checks its code.
async fn expect<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    code: &[u8; 3],
) -> anyhow::Result<()> {
    buffer.clear();
    while !is_complete(buffer) {
        ensure!(buffer.len() < REPLY_BYTES_MAX, "a reply without end");
        if stream.read_buf(buffer).await? == 0 {
            bail!("closed");
        }
    }
    ensure!(buffer.starts_with(code), "{}", String::from_utf8_lossy(buffer).trim_end());
    Ok(())
}

/// Whether the last line is whole and no continuation.
fn is_complete(reply: &[u8]) -> bool {
    let Some(lines) = reply.strip_suffix(b"\r\n") else { return false };
    let last = lines.rsplit(|&byte| byte == b'\n').next().unwrap_or(lines);
    last.get(3) != Some(&b'-')
}

fn read_endpoints(path: &Path, port: u16) -> anyhow::Result<Vec<Endpoint>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let records = reader.records();
    records.map(|record| endpoint(&record?, port)).collect()
}

fn endpoint(record: &csv::StringRecord, port: u16) -> anyhow::Result<Endpoint> {
    let field = |index: usize| record.get(index).map(str::trim).filter(|text| !text.is_empty());
    let ip: IpAddr =
        field(0).and_then(|text| text.parse().ok()).with_context(|| format!("no address: {record:?}"))?;
    let port = field(2).map_or(Ok(port), str::parse).with_context(|| format!("no port: {record:?}"))?;
    // Without a name no SNI is sent, as rustls does for an address.
    let name = match field(1) {
        Some(name) => ServerName::try_from(name.to_owned())?,
        None => ServerName::from(ip),
    };
    Ok(Endpoint { address: SocketAddr::new(ip, port), name })
}

fn client_config(args: &FloorArgs) -> anyhow::Result<ClientConfig> {
    let mut provider: CryptoProvider = aws_lc_rs::default_provider();
    if let Groups::X25519 = args.groups {
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    }
    let versions = match args.tls {
        None => vec![&TLS13, &TLS12],
        Some(Version::Tls13) => vec![&TLS13],
        Some(Version::Tls12) => vec![&TLS12],
    };
    let roots = args.roots.as_deref().map(read_roots).transpose()?;
    let verifier = Verifier { algorithms: provider.signature_verification_algorithms, roots };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn read_roots(path: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

/// Accepts any name, and without roots any chain; the signature over the
/// handshake must hold.
#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    roots: Option<RootCertStore>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let leaf = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&leaf, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn report(shared: &Shared, wall: f64, user: f64, sys: f64) -> anyhow::Result<()> {
    let failures = shared.failures.load(Ordering::Relaxed);
    ensure!(failures == 0, "{failures} of {} handshakes failed", shared.endpoints.len());
    let handshakes = shared.endpoints.len();
    let line = serde_json::json!({
        "handshakes": handshakes,
        "wall_s": wall,
        "cpu_user_s": user,
        "cpu_sys_s": sys,
        "cpu_ms_per_handshake": (user + sys) * 1000.0 / handshakes.max(1) as f64,
        "handshakes_per_s": handshakes as f64 / wall,
        "max_rss_mib": max_rss_mib()?,
    });
    println!("{line}");
    Ok(())
}

/// User and system time of this process so far (proc_pid_stat(5), fields 14
/// and 15).
fn cpu_seconds() -> anyhow::Result<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The command in field 2 may hold blanks; what follows its parenthesis
    // begins with field 3.
    let (_, rest) = stat.rsplit_once(')').context("/proc/self/stat without a command")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let seconds = |field: usize| -> anyhow::Result<f64> {
        let ticks: f64 = fields.get(field - 3).context("/proc/self/stat is too short")?.parse()?;
        Ok(ticks / TICKS_PER_S)
    };
    Ok((seconds(14)?, seconds(15)?))
}

/// Peak resident memory in MiB (proc_pid_status(5), VmHWM in KiB).
fn max_rss_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
