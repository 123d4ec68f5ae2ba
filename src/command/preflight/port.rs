//! Whether a connection to the port of mail leaves this network: many providers keep
//! it shut for their customers. Only a host of the user's own can tell.

use super::check::PreflightCheck;
use crate::command::CommandError;
use crate::command::probe;
use crate::model::ProbeKey;
use crate::plan::{ProbeTarget, Stages};
use crate::stage::Probe;

const CHECK: &str = "port";

/// Greeting of a server that serves (RFC 5321 §3.1).
const READY: u16 = 220;

/// One session with each of the hosts, over each family that it has.
pub(super) async fn check(
    stages: &Stages,
    hosts: &[String],
    port: u16,
) -> Result<Vec<PreflightCheck>, CommandError> {
    if hosts.is_empty() {
        let cause = "no host of your own was named; use --egress-host HOST";
        return Ok(vec![PreflightCheck::not_determined(CHECK, port, cause)]);
    }
    let mut checks = Vec::new();
    for host in hosts {
        let asked = match ProbeTarget::parse(host)? {
            // It is the host itself that is asked, not who takes its mail.
            ProbeTarget::Domain(name) => ProbeTarget::Host(name, port),
            other => other,
        };
        let (facts, port) = probe::find(stages, asked, port).await;
        if let Some(failure) = &facts.failure {
            checks.push(PreflightCheck::not_determined(CHECK, host, failure));
        }
        let keys: Vec<ProbeKey> = facts.probe_keys(port).map(|(_, key)| key).collect();
        let of_family = |ipv4: bool| keys.iter().find(|key| key.endpoint.ip.is_ipv4() == ipv4);
        for key in [of_family(true), of_family(false)].into_iter().flatten() {
            checks.push(session(stages, key).await);
        }
    }
    Ok(checks)
}

async fn session(stages: &Stages, key: &ProbeKey) -> PreflightCheck {
    let about = format!("{} port {}", key.endpoint.ip, key.endpoint.port);
    if let Err(refused) = stages.probe.permit(key) {
        return PreflightCheck::not_determined(CHECK, about, refused);
    }
    let seen = stages.probe.probe(key.clone(), 1).await;
    match (&seen.dialogue.greeting, &seen.failure) {
        (Some(greeting), _) if greeting.code == READY => {
            PreflightCheck::ok(CHECK, about, "TCP opened, and the server greeted")
        }
        (Some(greeting), _) => {
            let line = greeting.lines.first().cloned().unwrap_or_default();
            PreflightCheck::fault(
                CHECK,
                about,
                format_args!("the server greeted with {} {line}", greeting.code),
            )
        }
        (None, Some(failure)) => PreflightCheck::fault(CHECK, about, failure),
        (None, None) => PreflightCheck::not_determined(CHECK, about, "nothing was seen of a greeting"),
    }
}
