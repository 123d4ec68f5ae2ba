//! What was said in SMTP on one connection.

use super::failure::Failure;
use super::reply::{Deviation, Reply, SmtpCommand};
use serde::{Deserialize, Serialize};

/// The SMTP side of an observation: every reply that came in whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// The banner.
    pub greeting: Option<Reply>,
    /// Answer to EHLO in clear.
    pub ehlo: Option<Reply>,
    /// Answer to HELO, sent only where EHLO was refused.
    pub helo: Option<Reply>,
    /// Answer to STARTTLS.
    pub starttls: Option<Reply>,
    /// Plaintext that came in after the 220 to STARTTLS and before the
    /// handshake, escaped as in [`Reply::lines`]: evidence of the
    /// response-injection class (RFC 3207 §5). Never fed to TLS.
    #[serde(alias = "residue")]
    pub plaintext_after_starttls: String,
    /// Whether there was more of it than is kept. `None` in what was written
    /// before that was recorded.
    #[serde(default, alias = "residue_cut")]
    pub plaintext_after_starttls_cut: Option<bool>,
    /// Answer to EHLO inside TLS.
    pub ehlo_tls: Option<Reply>,
    /// Answer to QUIT: the 221, or in its place the last reply that came.
    pub quit: Option<Reply>,
    /// Replies beyond those that were asked for, in their order: what came
    /// between QUIT and its own answer, and behind that, or a 421 that came
    /// before QUIT. `None` in what was written before they were counted.
    #[serde(default)]
    pub unsolicited: Option<Vec<Reply>>,
    /// The command that was sent and has no whole reply; all before it have.
    /// `None` also in what was written before that was recorded.
    #[serde(default)]
    pub unanswered: Option<SmtpCommand>,
    /// What came of a reply that is none or never became whole, from its first
    /// byte on, escaped as in [`Reply::lines`]. `None` also in what was written
    /// before that was recorded.
    #[serde(default)]
    pub broken_off: Option<String>,
    /// What was odd about that, each oddity once, in the order of
    /// [`Deviation`]; nothing where it stands behind QUIT. `None` in what was
    /// written before that was recorded.
    #[serde(default)]
    pub broken_off_deviations: Option<Vec<Deviation>>,
    /// Where the dialogue ended early; `None` if it ran to its end.
    pub failure: Option<Failure>,
}

/// Nothing was said, and that is recorded.
impl Default for Dialogue {
    fn default() -> Self {
        Self {
            greeting: None,
            ehlo: None,
            helo: None,
            starttls: None,
            plaintext_after_starttls: String::new(),
            plaintext_after_starttls_cut: Some(false),
            ehlo_tls: None,
            quit: None,
            unsolicited: Some(Vec::new()),
            unanswered: None,
            broken_off: None,
            broken_off_deviations: Some(Vec::new()),
            failure: None,
        }
    }
}

impl Dialogue {
    /// In what anything that was said breaks the letter of RFC 5321, each
    /// oddity once, in order.
    pub fn deviations(&self) -> Vec<Deviation> {
        let replies = self.replies().flat_map(|reply| &reply.deviations);
        let mut seen: Vec<_> = replies.chain(self.broken_off_deviations.iter().flatten()).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    /// Every whole reply, in the order in which the questions were asked, the
    /// unsolicited ones last.
    pub fn replies(&self) -> impl Iterator<Item = &Reply> {
        let asked = [&self.greeting, &self.ehlo, &self.helo, &self.starttls, &self.ehlo_tls, &self.quit];
        asked.into_iter().flatten().chain(self.unsolicited.iter().flatten())
    }
}
