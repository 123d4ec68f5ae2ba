//! The verdict in a transcript: what the sender would do, what it rests on,
//! and whether TLS could be forced.

use crate::model::text::printable;
use crate::model::{
    ConnectorDelivery, Delivery, DomainRecord, Logged, NameStatus, NegotiatedTls, Outcome, PolicyReason,
    PolicyVerdict, PossibleDelivery, Reason, TlsSettings, Verdict, View,
};
use std::fmt::{self, Write};

/// What becomes of mail that a sender keeps.
#[derive(Clone, Copy, Debug)]
pub struct Retrying<'a> {
    /// How long it is tried, in hours.
    pub hours: u32,
    /// Whether that is assumed, and not published.
    pub assumed: bool,
    /// Code and text with which it comes back then, where that is published.
    pub returned: Option<(&'a str, &'a str)>,
}

pub(super) fn write_verdict(out: &mut String, domain: &DomainRecord, retrying: &Retrying<'_>) -> fmt::Result {
    let verdict = &domain.verdict;
    write!(out, "verdict  {}: ", verdict.sender)?;
    write_outcome(out, &verdict.outcome)?;
    write_possible(out, "or", &verdict.also)?;
    let policy_unknown = verdict.outcome.reason == Some(PolicyReason::StsPolicyUnknown.into());
    let when = if policy_unknown { "without a policy of MTA-STS" } else { "if that host stayed away" };
    write_possible(out, when, &verdict.otherwise)?;
    write_policies(out, &verdict.policies)?;
    if let Some(best) = &verdict.best {
        write_view(out, &format!("best MX{}", aside(verdict)), best)?;
    }
    let key = |view: &View| view.finding().key.clone();
    match &verdict.weakest {
        // One endpoint is told once.
        Some(weakest) if verdict.best.as_ref().map(key) != Some(key(weakest)) => {
            write_view(out, &format!("weakest{}", aside(verdict)), weakest)?;
        }
        _ => {}
    }
    write_forced(out, verdict)?;
    write_retrying(out, verdict, retrying)
}

/// How long mail is kept that does not go out.
fn write_retrying(out: &mut String, verdict: &Verdict, retrying: &Retrying<'_>) -> fmt::Result {
    let under_connector = verdict.connector.as_ref().map(|connector| connector.delivery);
    let is_kept = verdict.outcome.delivery == Delivery::Deferred
        || under_connector == Some(ConnectorDelivery::Deferred);
    if !is_kept {
        return Ok(());
    }
    let assumed = if retrying.assumed { " (assumed)" } else { "" };
    write!(out, "  deferred mail is tried for {} h{assumed}, and then comes back", retrying.hours)?;
    match retrying.returned {
        Some((code, text)) => writeln!(out, " as {code} ({})", printable(text)),
        None => writeln!(out),
    }
}

/// What else may become of mail, or would.
fn write_possible(out: &mut String, when: &str, possible: &[PossibleDelivery]) -> fmt::Result {
    possible.iter().try_for_each(|possible| {
        write!(out, "  {when}: {}", possible.delivery)?;
        match possible.reason {
            Some(reason) => writeln!(out, " ({reason})"),
            None => writeln!(out),
        }
    })
}

/// By what the host is known, and how it stands to DANE and the domain to
/// MTA-STS, as far as that was asked for.
fn write_policies(out: &mut String, policies: &PolicyVerdict) -> fmt::Result {
    let PolicyVerdict { authenticated, dane, dane_detail, mta_sts, mta_sts_mode, mta_sts_detail, .. } =
        policies;
    if let Some(authenticated) = authenticated {
        writeln!(out, "  authenticated by: {authenticated}")?;
    }
    let mode = mta_sts_mode.map(|mode| format!(", {}", mode.name())).unwrap_or_default();
    let told = [
        ("DANE", dane.map(|stand| stand.to_string()), dane_detail),
        ("MTA-STS", mta_sts.map(|stand| format!("{stand}{mode}")), mta_sts_detail),
    ];
    for (name, stand, detail) in told {
        let Some(stand) = stand else { continue };
        let detail = detail.as_deref().map(|detail| format!(": {}", printable(detail))).unwrap_or_default();
        writeln!(out, "  {name}  {stand}{detail}")?;
    }
    Ok(())
}

/// Delivery, session, reason, basis and code, as far as there are any.
fn write_outcome(out: &mut String, outcome: &Outcome) -> fmt::Result {
    write!(out, "{}", outcome.delivery)?;
    if let Some(session) = &outcome.session {
        out.push_str(&session_text(session));
    }
    if let Some(reason) = outcome.reason {
        write!(out, " ({reason})")?;
    }
    if let Some(basis) = outcome.basis {
        write!(out, ", {}", basis.name())?;
    }
    // Of what is not known, nobody knows how it is logged.
    let is_known = outcome.delivery != Delivery::Undetermined;
    write_logged(out, outcome.logged.as_ref().filter(|_| is_known))?;
    writeln!(out)
}

/// What mail would be encrypted with, which is not what the scanner's own
/// handshake was.
fn session_text(session: &NegotiatedTls) -> String {
    let steps = session.steps_down.map(|steps| match steps {
        1 => "1 step down".to_string(),
        steps => format!("{steps} steps down"),
    });
    let chosen = [
        session.version.map(|version| version.to_string()),
        session.suite.map(|suite| suite.to_string()),
        session.group.map(|group| group.to_string()),
    ];
    let chosen: String = chosen.into_iter().flatten().map(|word| format!(" {word}")).collect();
    chosen + &steps.map(|steps| format!(", {steps}")).unwrap_or_default()
}

fn write_logged(out: &mut String, logged: Option<&Logged>) -> fmt::Result {
    match logged {
        Some(Logged { code, text }) => write!(out, ", would be logged as {code} ({})", printable(text)),
        None => Ok(()),
    }
}

/// Whether TLS could be forced, and what the connector makes of it.
fn write_forced(out: &mut String, verdict: &Verdict) -> fmt::Result {
    for settings in TlsSettings::FORCED {
        writeln!(out, "  forced TLS  {settings}: {}", verdict.forced.check(settings))?;
    }
    let Some(connector) = &verdict.connector else { return Ok(()) };
    write!(out, "  connector `{}`: {}", printable(&connector.name), connector.delivery.name())?;
    if let Some(reason) = &connector.reason {
        write!(out, " ({reason})")?;
    }
    write_logged(out, connector.logged.as_ref())?;
    writeln!(out)
}

/// A host is told by itself; that it gets no mail for a policy is told before.
fn aside(verdict: &Verdict) -> &'static str {
    match verdict.outcome.reason {
        Some(Reason::Policy(_)) => ", DANE and MTA-STS aside",
        _ => "",
    }
}

/// What an endpoint comes to, and the axes of the certificate seen there.
fn write_view(out: &mut String, label: &str, view: &View) -> fmt::Result {
    write!(out, "  {label}  {}: {}", view.finding().key, view.outcome().delivery)?;
    if let Some(session) = &view.outcome().session {
        out.push_str(&session_text(session));
    }
    if let Some(tls) = &view.finding().tls {
        if let Some(chain) = tls.chain {
            write!(out, ", chain {chain}")?;
        }
        if let Some(dates) = tls.dates {
            write!(out, ", dates {dates}")?;
        }
    }
    if let Some(name) = view.name {
        let words = match name {
            NameStatus::MxHost => "names the MX host",
            NameStatus::Domain => "names the domain only",
            NameStatus::None => "names neither host nor domain",
        };
        write!(out, ", certificate {words}")?;
    }
    writeln!(out)
}
