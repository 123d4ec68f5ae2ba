//! Exim, OpenSMTPD, Sendmail and stunnel as servers: how each is configured and
//! started in its root, and where it says what its clients did.

use super::mail_system::{Root, Running};
use super::stack::{Identities, free_port};
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it listens, or has written its log.
const READY_MAX: Duration = Duration::from_secs(20);
const READY_INTERVAL: Duration = Duration::from_millis(20);

/// The account that a server runs under, the first of its root.
const ACCOUNT: (u32, u32) = (200, 200);

/// One message to the system's log, at most.
const SYSLOG_MESSAGE_MAX: usize = 64 * 1024;

/// What is configured of one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    Rsa,
    Ecdsa,
    /// A certificate of each kind: the client has the choice.
    Both,
    NoTls,
    /// TLS is offered, and cannot be had: the certificate is not there.
    Broken,
}

/// A server, its log, and the words there that tell the end of a session.
pub struct MailServer {
    /// Ended before the root is free for others.
    _running: Running,
    _root: Root,
    log: PathBuf,
    /// What it writes of each session, once it has ended.
    end: &'static str,
    /// The port of each offer.
    pub ports: Vec<(Offer, u16)>,
}

impl MailServer {
    pub fn port(&self, offer: Offer) -> u16 {
        port_of(&self.ports, offer)
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn wait(&self, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < READY_MAX, "{}", self.log());
            thread::sleep(READY_INTERVAL);
        }
    }

    /// Nobody connects to see whether it is there: that would be in its log.
    fn listens(self) -> Self {
        for (_, port) in &self.ports {
            self.wait(|| is_listening(*port));
        }
        self
    }

    /// What the log says of one session, up to its end.
    pub async fn of_session<T>(&self, session: impl Future<Output = T>) -> (T, String) {
        let before = self.log().len();
        let seen = session.await;
        self.wait(|| self.log()[before..].contains(self.end));
        (seen, self.log()[before..].to_string())
    }
}

/// Whether somebody listens on a port of 127.0.0.1, by what Linux says.
pub fn is_listening(port: u16) -> bool {
    const LISTEN: &str = "0A";
    let address = format!("{:08X}:{port:04X}", u32::from_ne_bytes(Ipv4Addr::LOCALHOST.octets()));
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
    sockets.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next() == Some(&address) && fields.nth(1) == Some(LISTEN)
    })
}

/// A folder for this test's files, with the certificates and keys.
fn prepare(root: &Root, identities: &Identities, owner: (u32, u32)) {
    root.remove("run/mxray");
    root.folder("run/mxray", owner, 0o755);
    for name in ["rsa", "ecdsa"] {
        for (end, mode) in [("pem", 0o644), ("key", 0o600)] {
            let file = root.file(&format!("run/mxray/{name}.{end}"));
            fs::copy(identities.file(&format!("{name}.{end}")), &file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            std::os::unix::fs::chown(file, Some(owner.0), Some(owner.1)).unwrap();
        }
    }
}

fn ports<const N: usize>(offers: [Offer; N]) -> Vec<(Offer, u16)> {
    offers.map(|offer| (offer, free_port())).to_vec()
}

fn port_of(ports: &[(Offer, u16)], offer: Offer) -> u16 {
    ports.iter().find(|(this, _)| *this == offer).unwrap().1
}

/// Exim with GnuTLS, which has a certificate of each kind where it is told so.
pub fn exim(root: Root, identities: &Identities) -> MailServer {
    prepare(&root, identities, ACCOUNT);
    let ports = ports([Offer::Rsa, Offer::Both, Offer::NoTls, Offer::Broken]);
    let all: Vec<String> = ports.iter().map(|(_, port)| port.to_string()).collect();
    let [both, none, broken] = [Offer::Both, Offer::NoTls, Offer::Broken].map(|offer| port_of(&ports, offer));
    let files = |end: &str| {
        format!(
            "${{if ={{$received_port}}{{{both}}}{{/run/mxray/ecdsa.{end} : /run/mxray/rsa.{end}}}\
             {{${{if ={{$received_port}}{{{broken}}}{{/run/mxray/none.{end}}}{{/run/mxray/rsa.{end}}}}}}}}}"
        )
    };
    let (certificates, keys) = (files("pem"), files("key"));
    root.write(
        "run/mxray/conf",
        &format!(
            "primary_hostname = mx.example\nspool_directory = /run/mxray/spool\n\
             log_file_path = /run/mxray/%slog\nlog_selector = +smtp_connection +smtp_no_mail \
             +smtp_protocol_error +smtp_syntax_error +tls_cipher +tls_sni\n\
             exim_user = Debian-exim\nexim_group = Debian-exim\nnever_users =\nkeep_environment =\n\
             rfc1413_query_timeout = 0s\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {}\nsmtp_accept_max = 0\n\
             tls_advertise_hosts = ${{if ={{$received_port}}{{{none}}}{{}}{{*}}}}\n\
             tls_certificate = {certificates}\ntls_privatekey = {keys}\n",
            all.join(" : ")
        ),
    );
    root.folder("run/mxray/spool", ACCOUNT, 0o750);
    let program = ["/usr/sbin/exim4", "-C", "/run/mxray/conf", "-bdf", "-oP", "/run/mxray/pid"];
    let _running = root.start(&program, "run/mxray/out");
    let log = root.file("run/mxray/mainlog");
    MailServer { _running, _root: root, log, end: "no MAIL in SMTP connection", ports }.listens()
}

/// OpenSMTPD, which has one certificate a port.
pub fn opensmtpd(root: Root, identities: &Identities) -> MailServer {
    prepare(&root, identities, (0, 0));
    root.remove("var/spool/smtpd");
    root.folder("var/lib/opensmtpd/empty", (0, 0), 0o755);
    let ports = ports([Offer::Rsa, Offer::Ecdsa, Offer::NoTls]);
    let mut configuration = String::new();
    for name in ["rsa", "ecdsa"] {
        configuration +=
            &format!("pki {name} cert \"/run/mxray/{name}.pem\"\npki {name} key \"/run/mxray/{name}.key\"\n");
    }
    for (offer, port) in &ports {
        let tls = match offer {
            Offer::Rsa => " tls pki rsa",
            Offer::Ecdsa => " tls pki ecdsa",
            _ => "",
        };
        configuration += &format!("listen on 127.0.0.1 port {port} hostname mx.example{tls}\n");
    }
    configuration += "action \"out\" relay\nmatch from any for domain \"nowhere.example\" action \"out\"\n";
    root.write("run/mxray/conf", &configuration);
    let _ = fs::remove_file(root.file("var/run/smtpd.sock"));
    let _running = root.start(&["/usr/sbin/smtpd", "-d", "-f", "/run/mxray/conf"], "run/mxray/log");
    let log = root.file("run/mxray/log");
    MailServer { _running, _root: root, log, end: "smtp disconnected", ports }.listens()
}

/// Sendmail, as its own macros make its configuration. It writes to the system's
/// log alone, which is this test in its root.
pub fn sendmail(root: Root, identities: &Identities) -> MailServer {
    prepare(&root, identities, (0, 0));
    let ports = ports([Offer::Rsa, Offer::NoTls]);
    let [rsa, none] = [Offer::Rsa, Offer::NoTls].map(|offer| port_of(&ports, offer));
    configure_sendmail(&root, &SENDMAIL.replace("RSA", &rsa.to_string()).replace("NONE", &none.to_string()));
    let log = root.file("run/mxray/log");
    keep_log(&root, &log);
    let program = ["/usr/libexec/sendmail/sendmail", "-bD", "-C", "/run/mxray/sendmail.cf"];
    let _running = root.start(&program, "run/mxray/out");
    MailServer { _running, _root: root, log, end: "did not issue MAIL/EXPN/VRFY/ETRN", ports }.listens()
}

/// Has what a root's programs write to the system's log stand in a file.
pub fn keep_log(root: &Root, log: &Path) {
    let _ = fs::remove_file(root.file("dev/log"));
    let socket = UnixDatagram::bind(root.file("dev/log")).unwrap();
    fs::write(log, "").unwrap();
    let written = log.to_path_buf();
    thread::spawn(move || keep(&socket, written));
}

/// Keeps what comes to a system's log, until the test ends.
fn keep(socket: &UnixDatagram, log: PathBuf) {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().append(true).open(log).unwrap();
    let mut message = vec![0; SYSLOG_MESSAGE_MAX];
    while let Ok(length) = socket.recv(&mut message) {
        let mut line = message[..length].to_vec();
        line.push(b'\n');
        if file.write_all(&line).is_err() {
            return;
        }
    }
}

/// Sendmail's queue and its configuration, `/run/mxray/sendmail.cf`, with these macros
/// beside those that it needs in a root.
pub fn configure_sendmail(root: &Root, more: &str) {
    for folder in ["run/mxray/queue", "run/mxray/broken"] {
        root.folder(folder, (0, 0), 0o700);
    }
    root.write("run/mxray/switch", "hosts files\naliases files\n");
    root.write("run/mxray/hosts", "127.0.0.1 mx.example localhost\n");
    root.write("run/mxray/mc", &format!("{SENDMAIL_IN_ROOT}{more}MAILER(smtp)dnl\n"));
    root.write("run/mxray/sendmail.cf", &root.run(&["/usr/bin/m4", "/run/mxray/mc"]));
}

const SENDMAIL_IN_ROOT: &str = "\
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confSERVICE_SWITCH_FILE', `/run/mxray/switch')dnl
define(`confHOSTS_FILE', `/run/mxray/hosts')dnl
define(`QUEUE_DIR', `/run/mxray/queue')dnl
define(`confPID_FILE', `/run/mxray/pid')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `')dnl
define(`confTO_IDENT', `0')dnl
FEATURE(`nocanonify')dnl
";

const SENDMAIL: &str = "\
define(`confDOMAIN_NAME', `mx.example')dnl
define(`confSERVER_CERT', `/run/mxray/rsa.pem')dnl
define(`confSERVER_KEY', `/run/mxray/rsa.key')dnl
define(`confCACERT', `/run/mxray/rsa.pem')dnl
define(`confCACERT_PATH', `/run/mxray')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=tls, Addr=127.0.0.1, Port=RSA')dnl
DAEMON_OPTIONS(`Name=none, Addr=127.0.0.1, Port=NONE, M=S')dnl
";

/// stunnel in front of another server, which has no TLS: it speaks SMTP itself
/// up to STARTTLS, and hands on what comes after the handshake.
pub fn stunnel(root: Root, identities: &Identities, behind: u16) -> MailServer {
    prepare(&root, identities, (0, 0));
    let ports = ports([Offer::Rsa, Offer::Ecdsa, Offer::Broken]);
    let mut configuration = String::from("foreground = yes\ndebug = 5\nsyslog = no\npid =\n");
    for (offer, port) in &ports {
        let name = if *offer == Offer::Ecdsa { "ecdsa" } else { "rsa" };
        // What is broken is the server behind it: nobody listens there.
        let behind = if *offer == Offer::Broken { free_port() } else { behind };
        configuration += &format!(
            "[{offer:?}]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{behind}\nprotocol = smtp\n\
             cert = /run/mxray/{name}.pem\nkey = /run/mxray/{name}.key\n"
        );
    }
    root.write("run/mxray/conf", &configuration);
    let _running = root.start(&["/usr/bin/stunnel4", "/run/mxray/conf"], "run/mxray/log");
    let log = root.file("run/mxray/log");
    MailServer { _running, _root: root, log, end: "sent to socket", ports }.listens()
}
