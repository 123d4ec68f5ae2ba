//! What OpenSSL's own client gets of a mail server: the ground truth that what
//! mxray finds is held against.

use base64::Engine;
use mxray::internals::model::TlsObservation;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

/// A handshake of `openssl s_client` that was established.
#[derive(Debug, PartialEq, Eq)]
pub struct Truth {
    /// As OpenSSL names it: `TLSv1.3`.
    pub version: String,
    /// As OpenSSL names it.
    pub suite: String,
    /// The first certificate, as DER.
    pub leaf: Vec<u8>,
}

impl Truth {
    /// What `s_client` gets behind STARTTLS on a port of this machine; `None`
    /// where no session is established.
    pub fn of(port: u16, server_name: &str) -> Option<Self> {
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-starttls", "smtp", "-name", "scanner.example", "-connect", &target]);
        command.args(["-servername", server_name]).stdin(Stdio::null());
        let output = command.env("OPENSSL_CONF", "/dev/null").output().unwrap();
        let (said, troubles) =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).into();
        // A client that came to nothing can still say what had been agreed to.
        if troubles.contains("alert") || troubles.contains("unexpected eof") {
            return None;
        }
        let line = said.lines().find(|line| line.contains("Cipher is"))?;
        let (version, suite) = line.strip_prefix("New, ")?.split_once(", Cipher is ")?;
        let (_, rest) = said.split_once("-----BEGIN CERTIFICATE-----")?;
        let (text, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let leaf = base64::engine::general_purpose::STANDARD.decode(text.replace('\n', "")).unwrap();
        Some(Self { version: version.to_owned(), suite: suite.to_owned(), leaf })
    }

    /// What mxray found, in the same words; `None` where no session was
    /// established.
    pub fn found(tls: Option<&TlsObservation>) -> Option<Self> {
        let tls = tls.filter(|tls| tls.established)?;
        Some(Self {
            version: tls.version.unwrap().to_string().replace(' ', "v"),
            suite: tls.suite.unwrap().facts().unwrap().openssl_name.to_owned(),
            leaf: tls.chain[0].to_vec(),
        })
    }
}
