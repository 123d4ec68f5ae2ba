//! What the words of `mxray receive` mean.

use super::client_hello::{read_chain, read_key};
use super::inbound_judging::{InboundJudging, inbound_judging};
use super::sender::is_file;
use super::{UsageError, dialogue, read_file};
use crate::cli::{BehaveArg, ReceiveArgs};
use crate::listen::{
    ALL_VERSIONS, LeafFault, ListenLimits, ListenerConfig, ListenerTls, ServerIdentity, TLS12_ONLY,
    TestCertificate, test_certificate,
};
use crate::model::AlertDescription;
use crate::sender::Sender;
use crate::sender::learnt::{Learnt, sender_file};
use crate::smtp::{ServerManner, StarttlsManner};
use crate::trust::names::covers;
use crate::trust::pkix::names_of;
use crate::x509;
use jiff::Timestamp;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

/// What `--behave slow` waits before each answer: longer than hurried senders wait, and
/// shorter than RFC 5321 §4.5.3.2 has any wait.
const SLOW: Duration = Duration::from_secs(20);

/// Answers of a session with one mail: the greeting, and those to EHLO, STARTTLS, EHLO, MAIL,
/// RCPT and QUIT.
const ANSWERS: u32 = 7;

/// Most bytes taken from one session: a dialogue in clear, one inside TLS, and a chain of
/// client certificates.
const SESSION_BYTES_MAX: u64 = 1 << 20;

/// A listener, ready to be started.
pub struct ReceivePlan {
    /// What it does with each connection.
    pub config: ListenerConfig,
    /// The authority above a certificate that was made for the run, PEM.
    pub authority_pem: Option<String>,
    /// The file of a sender that is to be written.
    pub learn: Option<LearnPlan>,
    /// What sessions are judged by.
    pub judging: InboundJudging,
}

/// What is to be learnt.
pub struct LearnPlan {
    /// The name of the sender.
    pub name: String,
    /// The name of the template.
    pub template: String,
    /// Its text.
    pub text: String,
}

/// Checks the command line, reads what it names, and the certificate, or makes one.
///
/// # Errors
/// [`UsageError`] for what cannot be used, or cannot be done together.
pub fn receive(args: &ReceiveArgs) -> Result<ReceivePlan, UsageError> {
    if !args.public && !args.listen.ip().is_loopback() {
        let at = args.listen;
        let text = format!("--listen {at}: others can connect there; add --public if they are to");
        return Err(UsageError(text));
    }
    let reply_delay = if args.behave == Some(BehaveArg::Slow) { SLOW } else { Duration::ZERO };
    check_times(args, reply_delay)?;
    let name = dialogue::own_name("--name", args.name.as_deref())?;
    let host = name.as_str();
    let (tls, authority_pem) = tls(args, host)?;
    let config = ListenerConfig {
        host: host.into(),
        smtp: ServerManner {
            starttls: starttls(args.behave),
            unavailable: args.behave == Some(BehaveArg::Unavailable421),
            refusal: args.refuse,
        },
        tls,
        greeting_delay: args.greeting_delay,
        reply_delay,
        limits: ListenLimits {
            sessions: args.at_once as usize,
            sessions_per_address: args.per_ip_at_once as usize,
            session: args.session_time,
            silence: args.silence,
            bytes: SESSION_BYTES_MAX,
        },
    };
    let mut judging = inbound_judging(&args.judging)?;
    if let (Some(cert), Some(leaf)) = (&args.cert, config.tls.leaf()) {
        judging.warnings.extend(doubts(cert, leaf, host));
    }
    Ok(ReceivePlan { config, authority_pem, learn: learn(args)?, judging })
}

/// A session that ends over waits of our own would be told as if the client had been slow.
fn check_times(args: &ReceiveArgs, reply_delay: Duration) -> Result<(), UsageError> {
    let (delay, longest) = (args.greeting_delay, args.session_time);
    if delay >= args.silence {
        return Err(UsageError(format!(
            "--silence {:?}: it has to be longer than --greeting-delay, which is {delay:?}",
            args.silence
        )));
    }
    if delay >= longest {
        return Err(UsageError(format!(
            "--session-time {longest:?}: it has to be longer than --greeting-delay, which is {delay:?}"
        )));
    }
    let ours = delay + reply_delay * ANSWERS;
    if ours >= longest {
        return Err(UsageError(format!(
            "--session-time {longest:?}: with --behave slow it has to be longer than {ours:?}, for {ANSWERS} answers"
        )));
    }
    Ok(())
}

/// The template of what is to be learnt, tried out.
fn learn(args: &ReceiveArgs) -> Result<Option<LearnPlan>, UsageError> {
    let Some(name) = args.learn.clone() else { return Ok(None) };
    let template = args.learn_from.clone();
    let told = |error: &dyn Display| UsageError(format!("--learn-from {template}: {error}"));
    let text = match Sender::built_in_file(&template) {
        Some(text) => text.to_string(),
        None if is_file(&template) => {
            let bytes = read_file("--learn-from", Path::new(&template))?;
            String::from_utf8(bytes).map_err(|_| told(&"not UTF-8 text"))?
        }
        None => return Err(told(&format_args!("no such sender; there are {}", Sender::names().join(", ")))),
    };
    sender_file(&name, (&template, &text), &Learnt::default()).map_err(|error| told(&error))?;
    Ok(Some(LearnPlan { name, template, text }))
}

fn starttls(behave: Option<BehaveArg>) -> StarttlsManner {
    match behave {
        Some(BehaveArg::NoStarttls) => StarttlsManner::Absent,
        Some(BehaveArg::Refused454) => StarttlsManner::RefusedForNow,
        Some(BehaveArg::Mangled) => StarttlsManner::Mangled,
        _ => StarttlsManner::Offered,
    }
}

/// What is wrong with the certificate, if one is to be made for that.
fn fault(behave: Option<BehaveArg>) -> Option<LeafFault> {
    match behave? {
        BehaveArg::Expired => Some(LeafFault::Expired),
        BehaveArg::WrongName => Some(LeafFault::WrongName),
        BehaveArg::SelfSigned => Some(LeafFault::SelfSigned),
        BehaveArg::EcdsaOnly => Some(LeafFault::Ecdsa),
        _ => None,
    }
}

fn tls(args: &ReceiveArgs, host: &str) -> Result<(ListenerTls, Option<String>), UsageError> {
    if args.behave == Some(BehaveArg::HandshakeFailure) {
        // It is not shown; what is wrong with it is told all the same.
        if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
            identity(cert, key)?;
        }
        return Ok((ListenerTls::Refuse(AlertDescription::HANDSHAKE_FAILURE), None));
    }
    let (identity, authority_pem) = match (&args.cert, &args.key, fault(args.behave)) {
        (Some(_), _, Some(_)) => {
            let word = args.behave.map(BehaveArg::word).unwrap_or_default();
            return Err(UsageError(format!(
                "--behave {word} makes a certificate of its own; leave --cert and --key out"
            )));
        }
        (Some(cert), Some(key), None) => (identity(cert, key)?, None),
        (_, _, fault) => {
            let made = test_certificate(host, fault.unwrap_or(LeafFault::None));
            let TestCertificate { identity, authority_pem } =
                made.map_err(|error| UsageError(format!("--name {host}: {error}")))?;
            (identity, authority_pem)
        }
    };
    if args.behave == Some(BehaveArg::Tls10Only) {
        return Ok((ListenerTls::Tls10(with_rsa(identity, args)?), authority_pem));
    }
    let versions = if args.behave == Some(BehaveArg::Tls12Only) { TLS12_ONLY } else { ALL_VERSIONS };
    Ok((ListenerTls::Handshake { identity, versions }, authority_pem))
}

/// TLS 1.0 is played with RSA key exchange, which needs a key of that kind.
fn with_rsa(identity: ServerIdentity, args: &ReceiveArgs) -> Result<ServerIdentity, UsageError> {
    let algorithm = identity.chain().first().and_then(|leaf| x509::read(leaf).key_algorithm);
    if algorithm.as_deref() == Some("RSA") {
        return Ok(identity);
    }
    let cert = args.cert.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    Err(UsageError(format!("--cert {cert}: --behave tls10-only needs a certificate with an RSA key")))
}

/// Over what a client may well leave that verifies certificates.
fn doubts(cert: &Path, leaf: &[u8], host: &str) -> Vec<String> {
    let (facts, now) = (x509::read(leaf), Timestamp::now());
    let cert = cert.display();
    let mut doubts = Vec::new();
    if let Some(end) = facts.not_after.filter(|end| *end < now) {
        doubts.push(format!("--cert {cert}: the certificate has ended, on {end}"));
    }
    if let Some(start) = facts.not_before.filter(|start| *start > now) {
        doubts.push(format!("--cert {cert}: the certificate is valid from {start} only"));
    }
    if !covers(&names_of(&facts, leaf), host) {
        doubts.push(format!("--cert {cert}: the certificate is not for {host}, the name of --name"));
    }
    doubts
}

fn identity(cert: &Path, key: &Path) -> Result<ServerIdentity, UsageError> {
    let (chain, private) = (read_chain("--cert", cert)?, read_key("--key", key)?);
    let version = chain.first().and_then(|leaf| x509::read(leaf).version);
    if let Some(version) = version.filter(|version| *version != 3) {
        let cert = cert.display();
        return Err(UsageError(format!("--cert {cert}: X.509 version {version}; TLS takes version 3")));
    }
    ServerIdentity::new(chain, private).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let (key, cert) = (key.display(), cert.display());
            UsageError(format!("--key {key}: not the key of the certificate in {cert}"))
        }
        error => UsageError(format!("--cert {}, --key: {error}", cert.display())),
    })
}
