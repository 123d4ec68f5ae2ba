//! What a client says that goes no further with a handshake (RFC 8446 §6): all
//! of it in clear, as nothing is encrypted yet.

use super::alert::{Alert, AlertLevel};
use super::answer::{AnswerEnd, HelloAnswer};
use crate::model::{AlertDescription, ProtocolVersion};

/// Appends the fatal alert that refuses what the server said.
pub(super) fn refuse(out: &mut Vec<u8>, description: AlertDescription, version: ProtocolVersion) {
    let alert = Alert { level: AlertLevel::FATAL, description };
    out.extend_from_slice(&alert.to_record(version));
}

/// Appends what calls a handshake off that is nobody's fault: user_canceled, and
/// close_notify behind it (RFC 8446 §6.1, RFC 5246 §7.2.2). SSLv3 has only the
/// latter (RFC 6101 §5.4.1).
pub(super) fn call_off(out: &mut Vec<u8>, version: ProtocolVersion) {
    let both = [AlertDescription::USER_CANCELED, AlertDescription::CLOSE_NOTIFY];
    let known = both.iter().skip(usize::from(version < ProtocolVersion::TLS10));
    for description in known {
        let alert = Alert { level: AlertLevel::WARNING, description: *description };
        out.extend_from_slice(&alert.to_record(version));
    }
}

impl HelloAnswer {
    /// The records with which whoever asked only takes leave: nothing where the
    /// server ended it, or speaks no TLS. `offered` is the newest version of the
    /// hello; `objection` says that the answer is one over which clients end the
    /// handshake.
    pub fn last_words(&self, offered: ProtocolVersion, objection: bool) -> Vec<u8> {
        let version = self.hello.as_ref().map_or(offered, |hello| hello.legacy_version);
        let version = version.clamp(ProtocolVersion::SSL3, ProtocolVersion::TLS12);
        let mut out = Vec::new();
        match self.end {
            AnswerEnd::Complete if objection => {
                refuse(&mut out, AlertDescription::ILLEGAL_PARAMETER, version);
            }
            AnswerEnd::Complete | AnswerEnd::Timeout => call_off(&mut out, version),
            AnswerEnd::Malformed(_) | AnswerEnd::TooLong(_) => {
                refuse(&mut out, AlertDescription::HANDSHAKE_FAILURE, version);
            }
            AnswerEnd::Unfinished
            | AnswerEnd::Alert(_)
            | AnswerEnd::Closed
            | AnswerEnd::Sslv2 { .. }
            | AnswerEnd::NotTls { .. } => {}
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{Limit, Malformed};

    /// Level and description of each alert, and the version of its record.
    fn said(end: AnswerEnd, offered: ProtocolVersion, objection: bool) -> Vec<(u16, u8, u8)> {
        let words = HelloAnswer { end, ..HelloAnswer::default() }.last_words(offered, objection);
        let records = words.chunks(7).map(|record| match record {
            [21, major, minor, 0, 2, level, description] => {
                (u16::from_be_bytes([*major, *minor]), *level, *description)
            }
            other => panic!("{other:?}"),
        });
        records.collect()
    }

    #[test]
    fn who_asked_only_takes_leave() {
        let malformed = AnswerEnd::Malformed(Malformed { message: "x", fault: "y" });
        let tls12 = ProtocolVersion::TLS12;
        for (end, offered, objection, words) in [
            (AnswerEnd::Complete, ProtocolVersion::TLS13, false, &[(0x0303, 1, 90), (0x0303, 1, 0)][..]),
            (AnswerEnd::Complete, ProtocolVersion::TLS10, false, &[(0x0301, 1, 90), (0x0301, 1, 0)]),
            (AnswerEnd::Complete, ProtocolVersion::SSL3, false, &[(0x0300, 1, 0)]),
            (AnswerEnd::Complete, tls12, true, &[(0x0303, 2, 47)]),
            (AnswerEnd::Timeout, tls12, false, &[(0x0303, 1, 90), (0x0303, 1, 0)]),
            (malformed, tls12, false, &[(0x0303, 2, 40)]),
            (AnswerEnd::TooLong(Limit::Records), tls12, false, &[(0x0303, 2, 40)]),
            (AnswerEnd::Closed, tls12, false, &[]),
            (AnswerEnd::Sslv2 { error: false }, tls12, false, &[]),
            (AnswerEnd::NotTls { head: *b"421 x" }, tls12, false, &[]),
        ] {
            assert_eq!(said(end, offered, objection), words, "{end:?} {offered:?}");
        }
    }
}
