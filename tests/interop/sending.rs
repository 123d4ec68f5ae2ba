//! Systems that send one message each to a listener, with a client certificate, and what
//! they themselves say of it.

use super::listening::{Listening, Negotiated, Passage};
use super::mail_server::{configure_sendmail, keep_log};
use super::mail_system::{Root, exim_with, opensmtpd as start_opensmtpd};
use super::stack::left_out;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a recipient is refused by.
const REFUSED: &str = "451 4.7.1 This is a test by mxray";
/// How long the clients that are told so wait for an answer: less than `--behave slow` takes.
const PATIENCE_S: &str = "8";

/// A certificate and its key, PEM.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Exim with GnuTLS.
    Exim,
    /// OpenSMTPD, which is given no certificate: that of Debian 12 ends the handshake where
    /// it is asked for one that it has.
    OpenSmtpd,
    Sendmail,
    /// msmtp, which demands TLS and a certificate that it trusts.
    Msmtp,
    /// swaks, which demands TLS.
    Swaks,
}

pub use System::{Exim, Msmtp, OpenSmtpd, Sendmail, Swaks};

impl System {
    pub fn shows_certificate(self) -> bool {
        self != OpenSmtpd
    }

    /// Sends a message; what the system says of it. `None` where the system is not there.
    pub fn send(self, to: &Listening, identity: &Identity) -> Option<String> {
        match self {
            Exim => exim(to.port, identity),
            OpenSmtpd => opensmtpd(to.port),
            Sendmail => sendmail(to.port, identity),
            Msmtp => msmtp(to, identity),
            Swaks => swaks(to, identity),
        }
    }

    /// What became of the message, by what the system says.
    pub fn passage(self, log: &str) -> Passage {
        if !log.contains(REFUSED) {
            return Passage::Kept;
        }
        let in_tls = match self {
            // After a handshake that failed it connects once more.
            Exim => {
                log.rsplit("Connecting to").next().unwrap().contains("SMTP<< 220 2.0.0 Ready to start TLS")
            }
            OpenSmtpd => log.contains("mta tls ciphers="),
            Sendmail => log.contains("STARTTLS=client, relay=[127.0.0.1], version="),
            Msmtp => log.contains("TLS session parameters:"),
            Swaks => log.contains(" ~> RCPT TO:"),
        };
        if in_tls { Passage::InTls } else { Passage::InClear }
    }

    /// What was negotiated; `None` of a system that does not say so in OpenSSL's words.
    pub fn negotiated(self, log: &str) -> Option<Negotiated> {
        let found = |before: &str, between: &str, after: &str| {
            let told = log.split(before).skip(1);
            let words = told.filter_map(|told| told.split_once(between));
            words.map(|(version, rest)| (version.into(), rest.split(after).next().unwrap().into())).collect()
        };
        match self {
            OpenSmtpd => Some(found("mta tls ciphers=", ":", ":")),
            Sendmail => Some(found("version=", ", verify=FAIL, cipher=", ",")),
            Swaks => Some(found("TLS started with cipher ", ":", ":")),
            Exim | Msmtp => None,
        }
    }
}

/// Puts a certificate and its key where an account can read them, and nobody else.
fn put(folder: &Path, identity: &Identity, account: u32) {
    for (name, text) in [("client.pem", &identity.certificate), ("client.key", &identity.key)] {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&file, Some(account), Some(account)).unwrap();
    }
}

fn exim(port: u16, identity: &Identity) -> Option<String> {
    let root = Root::of("exim")?;
    put(&root.file("tmp"), identity, 200);
    let certificate = "  tls_certificate = /tmp/client.pem\n  tls_privatekey = /tmp/client.key\n";
    Some(exim_with(&root, port, certificate))
}

fn opensmtpd(port: u16) -> Option<String> {
    let root = Root::of("opensmtpd")?;
    let running = start_opensmtpd(&root, port);
    let log = root.log_that_says("var/log/smtpd", &["result=", "BANNER rejected"]);
    drop(running);
    Some(log)
}

/// Sendmail sends once at once, and once more from its queue.
fn sendmail(port: u16, identity: &Identity) -> Option<String> {
    let root = Root::of("sendmail")?;
    root.remove("run/mxray");
    root.folder("run/mxray", (0, 0), 0o755);
    put(&root.file("tmp"), identity, 0);
    configure_sendmail(&root, &SENDMAIL.replace("PORT", &port.to_string()));
    keep_log(&root, &root.file("run/mxray/log"));
    let program = ["/usr/libexec/sendmail/sendmail", "-C", "/run/mxray/sendmail.cf"];
    root.submit(&[&program[..], &["-odi", "-f", "a@scanner.example", "b@front.example"]].concat());
    let _ = root.command(&[&program[..], &["-qf"]].concat()).stdin(Stdio::null()).output();
    Some(root.log("run/mxray/log"))
}

/// `127.0.0.1` is no name of Sendmail's own, so that it may be a smart host.
const SENDMAIL: &str = "\
define(`confDOMAIN_NAME', `scanner.example')dnl
define(`confCLIENT_CERT', `/tmp/client.pem')dnl
define(`confCLIENT_KEY', `/tmp/client.key')dnl
define(`confCACERT', `/tmp/client.pem')dnl
define(`confCACERT_PATH', `/tmp')dnl
define(`confLOG_LEVEL', `15')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h PORT')dnl
";

fn msmtp(to: &Listening, identity: &Identity) -> Option<String> {
    put(to.folder(), identity, 0);
    // Above a leaf that signs itself there is none; msmtp has to have some.
    let authority = to.authority().unwrap_or_else(|| identity.certificate.clone());
    fs::write(to.path("authority.pem"), authority).unwrap();
    let mut command = Command::new("msmtp");
    command.args(["--file=/dev/null", "--debug", "--logfile=-", "--host=127.0.0.1"]);
    command.args([format!("--port={}", to.port), format!("--timeout={PATIENCE_S}")]);
    command.args(["--tls=on", "--tls-starttls=on", "--tls-trust-file=authority.pem"]);
    command.args(["--tls-cert-file=client.pem", "--tls-key-file=client.key"]);
    command.args(["--tls-host-override=front.example", "--domain=scanner.example"]);
    command.args(["--from=a@scanner.example", "b@front.example"]);
    said(command, to, "Subject: a message\n\nNo more.\n")
}

fn swaks(to: &Listening, identity: &Identity) -> Option<String> {
    put(to.folder(), identity, 0);
    let mut command = Command::new("swaks");
    command.args(["--server", "127.0.0.1", "--port", &to.port.to_string(), "--timeout", PATIENCE_S]);
    command.args(["--tls", "--tls-cert", "client.pem", "--tls-key", "client.key"]);
    command.args(["--helo", "scanner.example", "--from", "a@scanner.example", "--to", "b@front.example"]);
    said(command, to, "")
}

/// What a client says that is handed a message, in the folder of the listener.
fn said(mut command: Command, to: &Listening, message: &str) -> Option<String> {
    command.current_dir(to.folder()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        left_out(&command.get_program().to_string_lossy());
        return None;
    };
    // One that has left already takes no message, and says why.
    let _ = child.stdin.take().unwrap().write_all(message.as_bytes());
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}
