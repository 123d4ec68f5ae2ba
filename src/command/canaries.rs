//! Canaries on the command line: where they are, and what is said when they refuse.

use super::CommandError;
use super::{probe, say};
use crate::engine::{CANARIES_MAX, CanaryPause, Progress};
use crate::model::ProbeKey;
use crate::plan::{ProbeTarget, Stages, UsageError};
use crate::run_dir::RunPause;
use crate::stage::Probe;
use tokio::task::JoinHandle;

/// Looks the hosts up. Each is asked at one address, the first that may be connected to.
///
/// # Errors
/// One has no address, or none that may be connected to; there are too many.
pub(super) async fn find(
    stages: &Stages,
    hosts: &[String],
    port: u16,
) -> Result<Vec<ProbeKey>, CommandError> {
    if hosts.len() > CANARIES_MAX {
        return Err(UsageError(format!("--canary: {} hosts; at most {CANARIES_MAX}", hosts.len())).into());
    }
    let mut found = Vec::new();
    for host in hosts {
        let key = find_one(stages, host, port).await?;
        if found.contains(&key) {
            return Err(UsageError(format!("--canary {host}: {key} is named twice")).into());
        }
        found.push(key);
    }
    Ok(found)
}

async fn find_one(stages: &Stages, host: &str, port: u16) -> Result<ProbeKey, CommandError> {
    let refused = |cause: String| UsageError(format!("--canary {host}: {cause}"));
    let asked = match ProbeTarget::parse(host)? {
        // The host itself, not who takes its mail.
        ProbeTarget::Domain(name) => ProbeTarget::Host(name, port),
        other => other,
    };
    let (facts, port) = probe::find(stages, asked, port).await;
    if let Some(failure) = &facts.failure {
        return Err(refused(failure.to_string()).into());
    }
    let mut why = "it has no address".to_string();
    for (_, key) in facts.probe_keys(port) {
        match stages.probe.permit(&key) {
            Ok(()) => return Ok(key),
            Err(failure) => why = failure.to_string(),
        }
    }
    Err(refused(why).into())
}

/// Says which canaries are none, and each pause as it begins and ends, until the run is
/// over.
pub(super) fn tell(progress: &Progress) -> JoinHandle<()> {
    let (mut pauses, mut silent) = (progress.canary_pauses(), progress.silent_canaries());
    tokio::spawn(async move {
        if silent.changed().await.is_ok() {
            for canary in silent.borrow_and_update().iter() {
                say(format_args!(
                    "mxray: warning: a canary does not answer, and tells nothing until it does: {canary}"
                ));
            }
        }
        let (mut begun, mut ended) = (0, 0);
        while pauses.changed().await.is_ok() {
            for pause in pauses.borrow_and_update().iter().skip(ended) {
                if pauses_now(&mut begun, ended) {
                    say(format_args!("mxray: warning: {}", told_begin(pause)));
                }
                if let Some(words) = told_end(pause) {
                    say(format_args!("mxray: {words}"));
                    ended += 1;
                }
            }
        }
    })
}

/// Whether the beginning of pause number `number` was not said yet.
fn pauses_now(begun: &mut usize, number: usize) -> bool {
    let is_new = *begun <= number;
    *begun = (*begun).max(number + 1);
    is_new
}

fn told_begin(pause: &CanaryPause) -> String {
    format!(
        "the run pauses, no connection begins: canaries refuse that answered before ({}); it goes on when they answer",
        pause.refused.join("; ")
    )
}

fn told_end(pause: &CanaryPause) -> Option<String> {
    let seconds = pause.ended?.duration_since(pause.began).as_secs();
    Some(format!(
        "canaries answer again after {seconds} s, the run goes on; hosts that are asked again: {}",
        pause.asked_again
    ))
}

/// Takes the pause out in which a run broke off, if it did in one.
pub(super) fn take_open(pauses: &mut Vec<RunPause>) -> Option<CanaryPause> {
    let RunPause { began, ended, refused, asked_again } = pauses.pop_if(|last| last.ended.is_none())?;
    Some(CanaryPause { began, ended, refused, asked_again })
}

/// As `run.json` has it.
pub(super) fn as_stored(pause: &CanaryPause) -> RunPause {
    RunPause {
        began: pause.began,
        ended: pause.ended,
        refused: pause.refused.clone(),
        asked_again: pause.asked_again,
    }
}
