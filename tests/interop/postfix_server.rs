//! Postfix as the server: what is found is what `openssl s_client` finds, and
//! its own log shows a client with manners.

use super::front::Front;
use super::ground_truth::Truth;
use super::mail_system::{self, Root, Running};
use super::server_manners::{assert_told, further_hellos};
use super::stack::{Identities, free_port, is_there};
use super::{key_of, prober};
use mxray::internals::model::{Kind, Observation, Phase};
use mxray::internals::stage::Probe;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long Postfix may take until it listens, or has written its log.
const READY_MAX: Duration = Duration::from_secs(20);
const READY_INTERVAL: Duration = Duration::from_millis(20);

/// Words in Postfix's log that complain of a client.
const COMPLAINTS: [&str; 9] = [
    "lost connection",
    "pipelining",
    "SSL_accept",
    "TLS library problem",
    "PREGREET",
    "HANGUP",
    "BARE NEWLINE",
    "timeout after",
    "fatal:",
];

pub struct Server {
    _running: Running,
    root: Root,
}

impl Server {
    /// Postfix with `services` in its master.cf, each on a port of its own.
    pub fn start(root: Root, services: &[(u16, &str)]) -> Self {
        Self::start_with(root, &Identities::make(), services)
    }

    /// The same, with certificates of the test's own.
    pub fn start_with(root: Root, identities: &Identities, services: &[(u16, &str)]) -> Self {
        let running = mail_system::postfix_server(&root, identities, services);
        let server = Self { _running: running, root };
        for (port, _) in services {
            server.wait(|| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok());
        }
        // What looked whether it is there is no client of the test.
        server.wait(|| ends_in(&server.log()) >= services.len());
        server
    }

    fn log(&self) -> String {
        self.root.log(mail_system::POSTFIX_SERVER_LOG)
    }

    fn wait(&self, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < READY_MAX, "{}", self.log());
            thread::sleep(READY_INTERVAL);
        }
    }

    /// What the log says of one session: all lines up to its disconnect.
    pub async fn of_session<T>(&self, session: impl Future<Output = T>) -> (T, String) {
        let before = self.log().len();
        let seen = session.await;
        self.wait(|| ends_in(&self.log()[before..]) > 0);
        (seen, self.log()[before..].to_string())
    }
}

/// How many sessions the log tells the end of: smtpd's, and those that postscreen
/// has not handed on.
fn ends_in(log: &str) -> usize {
    let of_postscreen = |line: &&str| line.contains("/postscreen[") && line.contains(": DISCONNECT [");
    log.matches("disconnect from").count() + log.lines().filter(of_postscreen).count()
}

pub async fn probe(port: u16) -> Observation {
    prober().probe(key_of(&front(port)), 1).await
}

fn front(port: u16) -> Front {
    Front { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
}

pub fn assert_polite(log: &str, commands: &str) {
    for complaint in COMPLAINTS {
        assert!(!log.contains(complaint), "{complaint}:\n{log}");
    }
    assert!(log.contains(commands), "not {commands}:\n{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_sees_a_polite_client() {
    let Some(root) = Root::of("postfix").filter(|_| is_there("openssl", "version")) else { return };
    let [may, encrypt, asks, none, limited] = std::array::from_fn(|_| free_port());
    let server = Server::start(
        root,
        &[
            (may, "smtpd"),
            (encrypt, "smtpd -o smtpd_tls_security_level=encrypt"),
            (asks, "smtpd -o smtpd_tls_ask_ccert=yes"),
            (none, "smtpd -o smtpd_tls_security_level=none"),
            (
                limited,
                "smtpd -o smtpd_client_connection_rate_limit=1 -o smtpd_client_event_limit_exceptions=",
            ),
        ],
    );
    for (port, asked) in [(may, false), (encrypt, false), (asks, true)] {
        let (seen, log) = server.of_session(probe(port)).await;
        assert_eq!(seen.failure, None, "{log}");
        assert_polite(&log, "ehlo=2 starttls=1 quit=1 commands=4");
        let tls = seen.tls.unwrap();
        assert_eq!(tls.client_certificate_requested, asked);
        let (truth, _) = server.of_session(async { Truth::of(port, "mx.example") }).await;
        assert_eq!(Truth::found(Some(&tls)), truth);
        assert!(truth.is_some());
    }
    let (seen, log) = server.of_session(probe(none)).await;
    assert_eq!(seen.failure.map(|failure| failure.kind), Some(Kind::NotOffered));
    assert_polite(&log, "ehlo=1 quit=1 commands=2");
    // The first was the look whether it is there.
    let (seen, log) = server.of_session(probe(limited)).await;
    let failure = seen.failure.unwrap();
    assert_eq!((failure.phase, failure.kind), (Phase::Greeting, Kind::Throttled), "{log}");
    assert!(!log.contains("lost connection"), "{log}");
}

/// Postscreen tests a client before its banner is whole, and speaks SMTP itself
/// where it has more tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postscreen_finds_nothing_to_complain_of() {
    let Some(root) = Root::of("postfix") else { return };
    let [greet, deep] = std::array::from_fn(|_| free_port());
    let greet_wait = "postscreen -o postscreen_access_list= -o postscreen_greet_wait=2s \
         -o postscreen_greet_banner=wait -o postscreen_cache_map=";
    let deep_tests = format!(
        "{greet_wait} -o postscreen_pipelining_enable=yes -o postscreen_non_smtp_command_enable=yes \
         -o postscreen_bare_newline_enable=yes"
    );
    let server = Server::start(root, &[(greet, greet_wait), (deep, &deep_tests)]);
    for port in [greet, deep] {
        let (seen, log) = server.of_session(probe(port)).await;
        assert_eq!(seen.failure, None, "{log}");
        assert!(seen.timings.greeting_us >= Some(1_000_000), "{:?}", seen.timings);
        assert_polite(&log, "");
        assert!(seen.tls.unwrap().established);
    }
}

/// What docs/manners.md says that Postfix writes of a further hello.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_writes_of_further_hellos_what_the_manners_say() {
    let Some(root) = Root::of("postfix") else { return };
    let port = free_port();
    let server = Server::start(root, &[(port, "smtpd")]);
    for (spec, end) in further_hellos() {
        let (seen, log) = server.of_session(prober().hello(key_of(&front(port)), &spec)).await;
        assert_eq!(seen.end, end, "{seen:?}");
        assert_told("postfix", &log.replace("unknown[", "scanner.example["));
    }
}
