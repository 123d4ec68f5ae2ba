//! A server of a real stack as a process, which ends with the test; and the
//! certificates that it shows.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take until it listens, and how often it is tried.
const READY_MAX: Duration = Duration::from_secs(20);
const READY_INTERVAL: Duration = Duration::from_millis(10);

/// How often a port that was free may be taken before the server has it.
const PORTS_TRIED: usize = 5;

/// Set, to whatever: nothing may be left out, and what is not there is a
/// failure.
pub const ALL: &str = "MXRAY_INTEROP_ALL";

/// Whether a program is there; says so if not.
pub fn is_there(program: &str, version_option: &str) -> bool {
    let found =
        Command::new(program).arg(version_option).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        left_out(program);
    }
    found.is_ok()
}

/// Says that a stack is not there, past what the test harness holds back of
/// tests that pass.
///
/// # Panics
/// Where nothing may be left out.
pub fn left_out(stack: &str) {
    assert!(std::env::var_os(ALL).is_none(), "missing, and {ALL} is set: {stack}");
    let _ = writeln!(std::io::stderr(), "left out: {stack}");
}

/// Certificates of both kinds, as files.
pub struct Identities {
    dir: TempDir,
}

impl Identities {
    pub fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = Self { dir };
        made.add("rsa", "mx.example", &rcgen::PKCS_RSA_SHA256);
        made.add("ecdsa", "mx.example", &rcgen::PKCS_ECDSA_P256_SHA256);
        made
    }

    /// One more, for a host: `file.pem` and `file.key`.
    pub fn add(&self, file: &str, host: &str, algorithm: &'static rcgen::SignatureAlgorithm) {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let parameters = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        std::fs::write(self.file(&format!("{file}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.file(&format!("{file}.key")), key.serialize_pem()).unwrap();
    }

    /// The files that are there, without their ends.
    pub fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| name.strip_suffix(".key").map(str::to_owned)).collect()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// A running server, which is ended by its process id when this is dropped.
pub struct Stack {
    child: Child,
    pub address: SocketAddr,
}

impl Stack {
    /// Starts `command(port)`, with another port if it ends before it takes a
    /// connection.
    pub fn start(command: impl Fn(u16) -> Command) -> Self {
        for _ in 0..PORTS_TRIED {
            let port = free_port();
            let mut command = command(port);
            // What nobody reads must not fill a pipe; what closes its input ends.
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().unwrap();
            let mut stack = Self { child, address: (Ipv4Addr::LOCALHOST, port).into() };
            if stack.listens() {
                return stack;
            }
        }
        panic!("the server never listened");
    }

    /// Whether it takes connections before it ends.
    fn listens(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < READY_MAX && self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(self.address).is_ok() {
                return self.child.try_wait().unwrap().is_none();
            }
            thread::sleep(READY_INTERVAL);
        }
        false
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free, each once in this process. Nobody else comes to have it
/// before the server does: it is none of those that systems give to sockets
/// without one, whether they listen or connect (Linux: from 32,768, others:
/// from 49,152).
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u32> = 10_000..32_768;
    const STEP_OF_PROCESS: u32 = 101;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        assert!(taken < PORTS.end, "no free port");
        let place = (process::id() % PORTS.end * STEP_OF_PROCESS + taken) % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + place).unwrap();
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
}
