//! What a server says of STARTTLS that does one thing wrong on purpose: the words of
//! `mxray receive --behave`, taken before anybody connects.

use crate::smtp::{ServerAction, ServerManner, SmtpServer, StarttlsManner};

/// The answers of a server of this manner.
pub(super) struct StarttlsWords {
    /// To EHLO.
    pub(super) ehlo: Box<[u8]>,
    /// To STARTTLS after it.
    pub(super) starttls: Box<[u8]>,
}

impl StarttlsWords {
    /// The words of the server named `host`.
    pub(super) fn of(manner: StarttlsManner, host: &str) -> Self {
        let mut server = SmtpServer::new(host, ServerManner { starttls: manner, ..ServerManner::default() });
        let mut answer_to = |command: &[u8]| {
            server.receive(command);
            match server.next() {
                ServerAction::Write(bytes) => bytes.into(),
                _ => Box::default(),
            }
        };
        // The greeting, which a scenario has of its own.
        answer_to(b"");
        Self { ehlo: answer_to(b"EHLO client.example\r\n"), starttls: answer_to(b"STARTTLS\r\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_manner_answers_both() {
        for (manner, keyword, starttls) in [
            (StarttlsManner::Offered, "250-STARTTLS\r\n", "220 2.0.0 "),
            (StarttlsManner::Absent, "", "502 5.5.1 "),
            (StarttlsManner::Mangled, "250-XXXXXXXA\r\n", "502 5.5.1 "),
            (StarttlsManner::RefusedForNow, "250-STARTTLS\r\n", "454 4.7.0 "),
        ] {
            let words = StarttlsWords::of(manner, "mx.example");
            let ehlo = str::from_utf8(&words.ehlo).unwrap();
            assert!(ehlo.starts_with("250-mx.example\r\n") && ehlo.contains(keyword), "{ehlo}");
            assert_eq!(ehlo.contains("STARTTLS"), keyword.contains("STARTTLS"), "{ehlo}");
            assert!(words.starttls.starts_with(starttls.as_bytes()), "{manner:?}");
        }
    }
}
