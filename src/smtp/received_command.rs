//! What a client says, read by a server (RFC 5321 §4.1.1).
//!
//! Only what a session is judged by is kept. The local part of an address is
//! dropped here, before anybody can write it down.

use crate::model::DomainName;
use crate::model::inbound::{ClientName, MailSender, PathDomain};
use crate::model::text::escape;

/// Longest command line that is read, in octets with its line end. RFC 5321
/// §4.5.3.1.4 allows 512, and the extensions that MAIL may carry add less than as
/// much again.
pub const COMMAND_LINE_BYTES_MAX: usize = 2048;
/// Longest name kept of an EHLO or HELO, in octets: what is longer is no domain name
/// (RFC 1035 §2.3.4), and is cut.
pub const CLIENT_NAME_BYTES_MAX: usize = 256;

/// One command of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceivedCommand {
    /// `EHLO`, with the client's name.
    Ehlo(ClientName),
    /// `HELO`, with the client's name.
    Helo(ClientName),
    /// `STARTTLS` (RFC 3207).
    Starttls,
    /// `MAIL FROM:<…>`.
    Mail(MailSender),
    /// `RCPT TO:<…>`, with the domain.
    Rcpt(PathDomain),
    /// `DATA` or `BDAT`: the client would send a message.
    Message,
    /// `RSET`.
    Rset,
    /// `NOOP`.
    Noop,
    /// `AUTH` (RFC 4954); what stands behind it is not kept.
    Auth,
    /// `QUIT`.
    Quit,
    /// A command that is known and has a parameter where it takes none, or lacks one,
    /// or has one that cannot be read.
    Malformed,
    /// Any other word.
    Unknown,
}

impl ReceivedCommand {
    /// Reads a command line without its line end. Verbs are read in any case
    /// (RFC 5321 §2.4).
    pub fn read(line: &[u8]) -> Self {
        let line = line.trim_ascii_end();
        let (verb, rest) = split_at_blank(line);
        let rest = rest.trim_ascii();
        let bare = |command: Self| if rest.is_empty() { command } else { Self::Malformed };
        match verb.to_ascii_uppercase().as_slice() {
            b"EHLO" => client_name(rest).map_or(Self::Malformed, Self::Ehlo),
            b"HELO" => client_name(rest).map_or(Self::Malformed, Self::Helo),
            b"STARTTLS" => bare(Self::Starttls),
            b"MAIL" => mail(rest).map_or(Self::Malformed, Self::Mail),
            b"RCPT" => path(rest, b"TO:").map_or(Self::Malformed, |(domain, _)| Self::Rcpt(domain)),
            b"DATA" => bare(Self::Message),
            b"BDAT" => Self::Message,
            b"RSET" => bare(Self::Rset),
            b"NOOP" => Self::Noop,
            b"AUTH" => Self::Auth,
            b"QUIT" => bare(Self::Quit),
            _ => Self::Unknown,
        }
    }
}

/// The first word, and what is behind the blank after it.
fn split_at_blank(line: &[u8]) -> (&[u8], &[u8]) {
    let at = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    line.split_at(at)
}

fn client_name(rest: &[u8]) -> Option<ClientName> {
    let (name, _) = split_at_blank(rest);
    // What stands before an `@` would be a local part.
    let name = name.iter().rposition(|byte| *byte == b'@').and_then(|at| name.get(at..)).unwrap_or(name);
    let kept = name.get(..CLIENT_NAME_BYTES_MAX).unwrap_or(name);
    (!name.is_empty()).then(|| ClientName { text: escape(kept), cut: kept.len() < name.len() })
}

/// `FROM:<…>` and the parameters behind it (RFC 5321 §4.1.1.2).
fn mail(rest: &[u8]) -> Option<MailSender> {
    let (domain, parameters) = path(rest, b"FROM:")?;
    let mut sender = MailSender { domain, requiretls: false, smtputf8: false };
    for parameter in parameters.split(|byte| *byte == b' ') {
        sender.requiretls |= parameter.eq_ignore_ascii_case(b"REQUIRETLS");
        sender.smtputf8 |= parameter.eq_ignore_ascii_case(b"SMTPUTF8");
    }
    Some(sender)
}

/// The domain of a path, and what is behind the path. A source route before the
/// address is left out (RFC 5321 §4.1.2).
fn path<'a>(rest: &'a [u8], tag: &[u8]) -> Option<(PathDomain, &'a [u8])> {
    let (head, behind) = rest.split_at_checked(tag.len())?;
    let behind = behind.trim_ascii_start().strip_prefix(b"<").filter(|_| head.eq_ignore_ascii_case(tag))?;
    let end = end_of_path(behind)?;
    let (inside, parameters) = behind.split_at(end);
    Some((domain(inside), parameters.get(1..).unwrap_or_default()))
}

/// Where the `>` of a path stands: one in a quoted local part is none.
fn end_of_path(path: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    path.iter().position(|byte| {
        let plain = !std::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted && plain => escaped = true,
            b'"' if plain => quoted = !quoted,
            b'>' => return !quoted,
            _ => {}
        }
        false
    })
}

/// The domain of a mailbox. What is left of the last `@` is not looked at.
fn domain(mailbox: &[u8]) -> PathDomain {
    if mailbox.is_empty() {
        return PathDomain::Null;
    }
    let Some(at) = mailbox.iter().rposition(|byte| *byte == b'@') else { return PathDomain::Missing };
    let text = mailbox.get(at + 1..).unwrap_or_default();
    let parsed = str::from_utf8(text).ok().and_then(|text| DomainName::parse(text).ok());
    parsed.map_or(PathDomain::Unreadable, PathDomain::Domain)
}

#[cfg(test)]
#[path = "received_command_tests.rs"]
mod tests;
