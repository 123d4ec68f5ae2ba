//! How a target can fail to show TLS: the one table of terminal outcomes.

use super::registry::AlertDescription;
use super::text::cut;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The stage of a delivery attempt, in the order in which it is reached. The
/// order is also how much a failure there tells: later is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Reading the list.
    Input,
    /// MX, A and AAAA.
    Dns,
    /// TCP.
    Connect,
    /// Waiting for the 220 of the server.
    Greeting,
    /// EHLO, or HELO after it.
    Ehlo,
    /// STARTTLS and its reply.
    Starttls,
    /// The TLS handshake.
    Tls,
    /// EHLO inside TLS.
    AfterTls,
    /// QUIT and its reply. Nothing that happens here is a failure.
    Quit,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 9] = [
        Phase::Input,
        Phase::Dns,
        Phase::Connect,
        Phase::Greeting,
        Phase::Ehlo,
        Phase::Starttls,
        Phase::Tls,
        Phase::AfterTls,
        Phase::Quit,
    ];

    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Input => "input",
            Phase::Dns => "dns",
            Phase::Connect => "connect",
            Phase::Greeting => "greeting",
            Phase::Ehlo => "ehlo",
            Phase::Starttls => "starttls",
            Phase::Tls => "tls",
            Phase::AfterTls => "after_tls",
            Phase::Quit => "quit",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What went wrong. Which kinds occur in which phase is the table in
        /// `docs/outcomes.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// Stable snake_case name: the `outcome` column.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    /// input: the name cannot be asked for in the DNS.
    InvalidName = "invalid_name",
    /// connect: not asked under this name, for a sample of the names of its address
    /// stands for it.
    NotAsked = "not_asked",
    /// input, connect: on the user's blocklist.
    Blocklisted = "blocklisted",
    /// dns: the name is of a kind that is in no DNS (`.localhost`, `.invalid`,
    /// `.onion`: RFC 6761, RFC 7686), and was not asked for.
    SpecialUseName = "special_use_name",
    /// dns: the name does not exist.
    Nxdomain = "nxdomain",
    /// dns: the name exists without MX and without addresses.
    NoData = "no_data",
    /// dns: the server could not or would not answer (SERVFAIL, REFUSED, …).
    Servfail = "servfail",
    /// any phase with a peer: no answer within the deadline.
    Timeout = "timeout",
    /// dns: `0 .`, no mail here (RFC 7505).
    NullMx = "null_mx",
    /// dns: MX records, but none that names a host with an address (RFC 5321 §5.1).
    MxUnusable = "mx_unusable",
    /// dns: more mail hosts or addresses than are looked at, and none of those
    /// that are takes mail.
    TooMany = "too_many",
    /// connect: this machine has no route to the address, or does not use its
    /// family. Says nothing about the peer.
    NoRoute = "no_route",
    /// connect: the address is loopback, private or reserved.
    PrivateAddress = "private_address",
    /// connect: TCP reset in answer to SYN. starttls: 5xx.
    Refused = "refused",
    /// connect: a router on the way says so (ICMP).
    Unreachable = "unreachable",
    /// connect: aborted while connecting. Once open, a reset is [`Kind::Closed`].
    Reset = "reset",
    /// this machine failed: no descriptor, no port, no memory. Says nothing
    /// about the peer.
    LocalError = "local_error",
    /// the peer closed or reset the connection instead of answering; in phase
    /// dns the resolver, or it refused the connection.
    Closed = "closed",
    /// 421: not now (RFC 5321 §4.2.3). connect: not asked, as its address, network
    /// or operator had said so too often in this run.
    Throttled = "throttled",
    /// a permanent refusal, 5xx.
    Rejected = "rejected",
    /// a transient refusal, 4xx other than 421.
    Tempfail = "tempfail",
    /// greeting: not a reply in the sense of RFC 5321 §4.2.
    NotSmtp = "not_smtp",
    /// a well-formed reply whose code has no meaning there, as 354 to EHLO.
    UnexpectedCode = "unexpected_code",
    /// ehlo, starttls: a reply says that there is no TLS, and there were more
    /// replies than commands (RFC 5321 §4.3.1): to what it answers is not known.
    OutOfStep = "out_of_step",
    /// ehlo, starttls: 530, the server demands TLS (RFC 3207 §4) and would not
    /// let it begin.
    TlsRequired = "tls_required",
    /// a reply, or a message of TLS, over a limit in lines or bytes.
    TooLong = "too_long",
    /// any phase with a dialogue: the server sent more than is taken from it in
    /// one session (1 MiB).
    TooManyBytes = "too_many_bytes",
    /// a reply that breaks the syntax (codes that change, bytes that are none).
    Malformed = "malformed",
    /// ehlo: EHLO not known there (500, 502, 503), HELO accepted: no extensions,
    /// hence no STARTTLS.
    HeloOnly = "helo_only",
    /// starttls: a complete 250 to EHLO that does not list STARTTLS.
    NotOffered = "not_offered",
    /// starttls: the keyword was overwritten on the way (`XXXXXXXA`).
    KeywordMangled = "keyword_mangled",
    /// starttls: 4xx, by RFC 3207 §4 normally 454.
    RefusedTemporarily = "refused_temporarily",
    /// tls: the peer sent a fatal alert that the kinds below do not name.
    Alert = "alert",
    /// tls: the peer speaks none of the versions offered.
    NoCommonVersion = "no_common_version",
    /// tls: the peer takes none of the suites or groups offered.
    NoCommonSuite = "no_common_suite",
    /// tls: the peer ends the handshake because no client certificate came.
    /// after_tls: it says so in its first reply.
    ClientCertificateRequired = "client_certificate_required",
    /// tls: the peer refuses the client certificate that was shown. after_tls:
    /// it says so in its first reply.
    ClientCertificateRefused = "client_certificate_refused",
    /// tls: the peer's signature over the handshake fails, or it made one under
    /// a scheme that was not offered: every client ends the handshake over that
    /// (RFC 8446 §4.4.3).
    SignatureFailed = "signature_failed",
    /// tls: the server shows no certificate (an empty certificate_list), or one
    /// whose encoding is none of a certificate: every client ends the handshake
    /// over that (RFC 8446 §4.4.2.4, `decode_error` and `bad_certificate` of
    /// §6.2).
    BadCertificate = "bad_certificate",
    /// tls: the server chose an older version than was offered, and says by its
    /// random that it speaks a newer one: a client of TLS 1.3 must end the
    /// handshake (RFC 8446 §4.1.3, `illegal_parameter`).
    DowngradeDetected = "downgrade_detected",
    /// tls: a message of the peer can be read, and says what its specification
    /// forbids, or nobody can compute with: a suite of TLS 1.3 in TLS 1.2, a point
    /// that is not on its curve. Every client ends the handshake over that
    /// (RFC 8446 §6.2 and RFC 5246 §7.2.2, `illegal_parameter`).
    IllegalParameter = "illegal_parameter",
    /// tls: what came is no TLS record.
    NotTls = "not_tls",
    /// after_tls: EHLO refused inside TLS, 5xx.
    EhloRejected = "ehlo_rejected",
}

impl Kind {
    /// Whether the same question may have another answer a little later.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Kind::Servfail
                | Kind::Timeout
                | Kind::Reset
                | Kind::LocalError
                | Kind::Closed
                | Kind::Throttled
                | Kind::Tempfail
                | Kind::RefusedTemporarily
        )
    }

    /// Whether it ends lookups alone, and no probe.
    pub const fn is_of_lookups_alone(self) -> bool {
        matches!(
            self,
            Kind::InvalidName
                | Kind::SpecialUseName
                | Kind::Nxdomain
                | Kind::NoData
                | Kind::Servfail
                | Kind::NullMx
                | Kind::MxUnusable
                | Kind::TooMany
        )
    }

    /// Whether the DNS says by it that there is no host. All else that ends a
    /// lookup leaves that open.
    pub fn says_no_host(self) -> bool {
        matches!(self, Kind::Nxdomain | Kind::NoData | Kind::NullMx | Kind::MxUnusable | Kind::InvalidName)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The one terminal outcome of something that did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The part of the dialogue in which the attempt ended.
    pub phase: Phase,
    /// The outcome; which occur in which phase, `docs/outcomes.md` says.
    pub kind: Kind,
    /// SMTP reply code, where a reply ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    /// TLS alert, where an alert ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertDescription>,
    /// What a person would want to read of the cause, at most
    /// [`DETAIL_BYTES_MAX`] bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<str>>,
}

/// Longest [`Failure::detail`] in bytes.
pub const DETAIL_BYTES_MAX: usize = 200;

impl Failure {
    /// Whether nobody was asked, for a sample of the names of the address stands for all.
    pub fn is_not_asked(&self) -> bool {
        self.kind == Kind::NotAsked
    }

    /// A failure without further evidence.
    pub const fn new(phase: Phase, kind: Kind) -> Self {
        Self { phase, kind, reply_code: None, alert: None, detail: None }
    }

    /// Whether the server itself says that there is no TLS to be had.
    pub fn says_no_tls(&self) -> bool {
        matches!(
            (self.phase, self.kind),
            (Phase::Ehlo, Kind::HeloOnly)
                | (Phase::Starttls, Kind::NotOffered | Kind::KeywordMangled | Kind::Refused)
        )
    }

    /// The same, or that there is none for now: what is believed only if it is
    /// said twice.
    pub fn denies_tls(&self) -> bool {
        self.says_no_tls() || (self.phase, self.kind) == (Phase::Starttls, Kind::RefusedTemporarily)
    }

    /// Whether the server ends, or spoils, the handshake of every client that
    /// comes as the scanner did: what is believed only if it is seen twice.
    pub fn fails_with_everyone(&self) -> bool {
        self.phase == Phase::Tls
            && matches!(
                self.kind,
                Kind::SignatureFailed
                    | Kind::BadCertificate
                    | Kind::DowngradeDetected
                    | Kind::IllegalParameter
                    | Kind::ClientCertificateRequired
            )
    }

    /// Whether one look is not enough for it.
    pub fn needs_second_look(&self) -> bool {
        self.denies_tls() || self.fails_with_everyone()
    }

    /// Whether EHLO listed STARTTLS, by what ended the attempt. Known once EHLO
    /// was answered: whatever goes wrong with STARTTLS later, it was offered.
    /// Where replies and commands do not match, nobody knows.
    pub fn starttls_offered(&self) -> Option<bool> {
        match (self.phase, self.kind) {
            (Phase::Starttls, Kind::NotOffered | Kind::KeywordMangled) | (Phase::Ehlo, Kind::HeloOnly) => {
                Some(false)
            }
            (_, Kind::OutOfStep) => None,
            (phase, _) => (phase >= Phase::Starttls).then_some(true),
        }
    }

    /// Whether TCP opens for nobody there: a host of which that is so is not
    /// there for any sender.
    pub fn opens_for_nobody(&self) -> bool {
        self.phase == Phase::Connect && matches!(self.kind, Kind::Refused | Kind::Unreachable | Kind::Timeout)
    }

    /// The same, with the reply that says so.
    pub fn with_reply(self, code: u16) -> Self {
        Self { reply_code: Some(code), ..self }
    }

    /// The same, with the alert that says so.
    pub fn with_alert(self, alert: AlertDescription) -> Self {
        Self { alert: Some(alert), ..self }
    }

    /// The same, with words for a person, cut to [`DETAIL_BYTES_MAX`].
    pub fn with_detail(self, detail: impl fmt::Display) -> Self {
        let mut text = detail.to_string();
        cut(&mut text, DETAIL_BYTES_MAX);
        Self { detail: Some(text.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.phase, self.kind)?;
        if let Some(code) = self.reply_code {
            write!(f, " ({code})")?;
        }
        if let Some(alert) = self.alert {
            write!(f, " ({alert})")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Kind::ALL.iter().map(|k| k.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    #[test]
    fn details_are_cut_at_a_character() {
        let failure = Failure::new(Phase::Tls, Kind::Alert);
        let cut = format!("{}…", "é".repeat(98));
        assert_eq!(failure.clone().with_detail("é".repeat(101)).detail.as_deref(), Some(&*cut));
        let whole = "é".repeat(100);
        assert_eq!(failure.with_detail(&whole).detail.as_deref(), Some(&*whole));
    }
}
