//! The policy host of a domain (RFC 8461 §3.3): the `[policy]` table of a
//! scenario.

use super::dns_table::Unresolved;
use super::server::Listen;
use super::step::{Step, Words};
use super::tls_table::{Certificate, Tls};
use serde::Deserialize;

/// What answers at `mta-sts.` before the domain. Every field has the default of a
/// host that serves a policy, so a scenario says only what is odd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyHost {
    /// What asking for its address gives instead of one.
    pub resolves: Option<Unresolved>,
    /// The name is an alias of this one (relative or absolute).
    pub cname: Option<String>,
    /// What becomes of connections.
    pub listen: Listen,
    /// What is said in clear, instead of a handshake, once the ClientHello is
    /// read.
    pub client_hello: Option<Step>,
    /// How the handshake goes, and what certificate is shown.
    pub tls: Tls,
    /// What is said instead of HTTP, once the request is read.
    pub reply: Option<Step>,
    /// Status of the answer.
    pub status: u16,
    /// Content-Type of the answer; none where it is empty.
    pub content_type: String,
    /// Location of the answer.
    pub location: Option<String>,
    /// The policy; `{domain}` is the policy domain. What comes then, other than to
    /// close, comes after it.
    pub body: Step,
    /// So many bytes are announced behind the policy and never come.
    pub missing: usize,
}

/// A policy under which the domain's own hosts are the ones.
const BODY: &str = "version: STSv1\nmode: enforce\nmx: *.{domain}\nmax_age: 86400";

impl Default for PolicyHost {
    fn default() -> Self {
        Self {
            resolves: None,
            cname: None,
            listen: Listen::default(),
            client_hello: None,
            tls: Tls::default(),
            reply: None,
            status: 200,
            content_type: "text/plain; charset=utf-8".into(),
            location: None,
            body: Step::say(BODY),
            missing: 0,
        }
    }
}

impl PolicyHost {
    pub(super) fn check(&self) -> Result<(), String> {
        self.tls.certificates().try_for_each(Certificate::check)?;
        let steps = self.client_hello.iter().chain(&self.reply).chain([&self.body]);
        steps.clone().try_for_each(Step::check)?;
        if self.listen == Listen::NeverConnect {
            return Err("a policy host lets itself be connected to, or refuses".into());
        }
        Ok(())
    }
}

/// The step as it is for a policy domain.
pub(super) fn of_domain(step: &Step, domain: &str) -> Step {
    let expand = |text: &str| text.replace("{domain}", domain);
    let words = match &step.words {
        Words::Lines(text) => Words::Lines(expand(text)),
        Words::Raw(text) => Words::Raw(expand(text)),
        other => other.clone(),
    };
    Step { words, ..step.clone() }
}
