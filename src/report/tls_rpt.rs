//! What was seen of a domain in the shape of a report on TLS (RFC 8460 §4.4),
//! for its owner to read. It is no report of a sender: no mail was sent, and the
//! file says so where such a report names whom to ask.

use crate::model::tls_rpt::{FailedSession, PolicySessions, ReportedSessions};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Whose report it is.
const ORGANIZATION: &str = "mxray: made by observation, no mail was sent";

/// When and where something was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed<'a> {
    /// The domain that mail is for.
    pub domain: &'a str,
    /// The sender as which it was judged.
    pub sender: &'a str,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended, or was last heard of.
    pub ended: Timestamp,
}

/// The report. It names nobody to ask: `contact-info` is empty. What is not known
/// of the policies is in a member of ours, `not-determined`.
pub fn report(observed: &Observed<'_>, sessions: &ReportedSessions) -> Value {
    let Observed { domain, sender, started, ended } = observed;
    json!({
        "organization-name": ORGANIZATION,
        "date-range": {
            "start-datetime": format!("{started:.0}"),
            "end-datetime": format!("{ended:.0}"),
        },
        "contact-info": "",
        "report-id": format!("{started:.0}_{domain}_{sender}"),
        "policies": sessions.policies.iter().map(policy).collect::<Vec<_>>(),
        "not-determined": sessions.not_determined,
    })
}

fn policy(sessions: &PolicySessions) -> Value {
    let PolicySessions { policy, successful, failed } = sessions;
    json!({
        "policy": {
            "policy-type": policy.kind,
            "policy-string": policy.text,
            "policy-domain": policy.domain,
            "mx-host": policy.mx,
        },
        "summary": {
            "total-successful-session-count": successful,
            "total-failure-session-count": failed.len(),
        },
        "failure-details": failed.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn failure(failed: &FailedSession) -> Value {
    let FailedSession { result, host, ip, reason } = failed;
    let mut details = json!({
        "result-type": result.name(),
        "failed-session-count": 1,
        "failure-reason-code": reason,
    });
    if let Some(host) = host {
        details["receiving-mx-hostname"] = host.to_string().into();
    }
    if let Some(ip) = ip {
        details["receiving-ip"] = ip.to_string().into();
    }
    details
}
