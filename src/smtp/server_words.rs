//! What the server says: replies with their enhanced status codes (RFC 3463).

use super::server_manner::{ServerManner, StarttlsManner};

/// Why no message is taken, in the words that the sender's log will show.
const NO_MAIL_HERE: &str = "This is a test by mxray and takes no mail";

/// How a firewall leaves a keyword that it writes over (Cisco PIX and ASA).
const MANGLED_KEYWORD: &str = "XXXXXXXA";

/// The words of one server.
#[derive(Debug)]
pub(super) struct ServerWords {
    host: Box<str>,
    manner: ServerManner,
}

impl ServerWords {
    pub(super) fn new(host: &str, manner: ServerManner) -> Self {
        Self { host: host.into(), manner }
    }

    pub(super) fn manner(&self) -> &ServerManner {
        &self.manner
    }

    /// Says the greeting; whether the session goes on after it.
    pub(super) fn greet(&self, out: &mut Vec<u8>) -> bool {
        match self.manner.unavailable {
            true => self.say(421, "4.3.2", "Service not available", out),
            false => put(out, &["220 ", &self.host, " ESMTP ", NO_MAIL_HERE]),
        }
        !self.manner.unavailable
    }

    /// The reply to EHLO. SMTPUTF8 has 8BITMIME beside it (RFC 6531 §3.1), and
    /// REQUIRETLS stands inside TLS only (RFC 8689 §2).
    pub(super) fn keywords(&self, in_tls: bool, out: &mut Vec<u8>) {
        put(out, &["250-", &self.host]);
        let starttls = match self.manner.starttls {
            _ if in_tls => Some("REQUIRETLS"),
            StarttlsManner::Offered | StarttlsManner::RefusedForNow => Some("STARTTLS"),
            StarttlsManner::Mangled => Some(MANGLED_KEYWORD),
            StarttlsManner::Absent => None,
        };
        for keyword in ["ENHANCEDSTATUSCODES", "8BITMIME"].into_iter().chain(starttls) {
            put(out, &["250-", keyword]);
        }
        put(out, &["250 SMTPUTF8"]);
    }

    /// The reply to RCPT.
    pub(super) fn refuse_recipient(&self, out: &mut Vec<u8>) {
        let code = self.manner.refusal;
        let status = if code < 500 { "4.7.1" } else { "5.7.1" };
        self.say(code, status, NO_MAIL_HERE, out);
    }

    /// A reply of one line; without a text it is the host's name.
    pub(super) fn say(&self, code: u16, status: &str, text: &str, out: &mut Vec<u8>) {
        let code = code.to_string();
        match text {
            "" => put(out, &[&code, " ", &self.host]),
            text => put(out, &[&code, " ", status, " ", text]),
        }
    }
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
    out.extend_from_slice(b"\r\n");
}
