//! `mxray judge` of a run of `mxray receive`: new verdicts on its sessions, without a
//! packet.

use super::CommandError;
use super::own_folder::in_folder;
use super::receive::told;
use crate::cli::JudgeArgs;
use crate::model::text::counted;
use crate::plan::{self, InboundJudging, UsageError};
use crate::run_dir::read::{StoredReceiveRun, StoredSession};
use crate::run_dir::{JudgedFrom, ReceiveDirectory, ReceiveInfo};
use anyhow::anyhow;
use std::path::Path;
use std::process::ExitCode;

/// Judges the run again if it is one of `mxray receive`; `None` if it is another.
pub(super) fn run_of_receive(args: &JudgeArgs) -> Result<Option<ExitCode>, CommandError> {
    let Some(stored) = StoredReceiveRun::find(&args.run)? else {
        if args.tls_certificate_name.is_some() {
            let run = args.run.display();
            return Err(
                UsageError(format!("--tls-certificate-name: {run} is no run of mxray receive")).into()
            );
        }
        return Ok(None);
    };
    judge(args, &stored).map(Some)
}

/// Everything that can be refused is refused before a run directory is made.
fn judge(args: &JudgeArgs, stored: &StoredReceiveRun) -> Result<ExitCode, CommandError> {
    let judging = plan::inbound_judging_again(args, stored.info())?;
    super::warn(&judging.warnings);
    let mut sessions = stored.sessions()?;
    let is_cut = stored.is_cut()?;
    let info = run_info(args, stored.info(), &judging);
    // It is as long as the old one, which had its limit.
    let create = |path: &Path| ReceiveDirectory::create(path, info.clone(), u64::MAX);
    let mut directory = in_folder(args.output.as_deref(), "mxray-judged", create)?;
    let (mut judged, mut lost) = (0, u64::from(is_cut));
    while let Some(session) = sessions.read_next()? {
        let StoredSession::Whole(session) = session else {
            lost += 1;
            continue;
        };
        let verdicts = judging.judge.judged(&session.session);
        if let Err(error) = directory.write(&session.session, &verdicts) {
            directory.give_up(&error);
            return Err(anyhow!("cannot write the results: {error}").into());
        }
        judged += 1;
        super::tell(told::line(&session.session, &verdicts, stored.info().behave.as_deref()))?;
    }
    end(directory, stored.info(), judged, lost)
}

/// Says what it came to.
fn end(
    directory: ReceiveDirectory,
    before: &ReceiveInfo,
    judged: u64,
    lost: u64,
) -> Result<ExitCode, CommandError> {
    let dir = directory.path().display().to_string();
    let told = [directory.verdicts().map(told::verdicts), directory.named().map(told::named)];
    directory.finish_judged(before).map_err(|error| anyhow!("cannot write the results: {error}"))?;
    told.into_iter().flatten().for_each(super::say);
    if lost > 0 {
        let lost = counted(lost, "session");
        super::say(format_args!("mxray: {lost} left out: a run that was not ended did not write all of it"));
    }
    super::say(format_args!("mxray: {} judged again, written to {dir}", counted(judged, "session")));
    Ok(ExitCode::SUCCESS)
}

/// What the new `run.json` says at the start: how the sessions were heard is as it was, how
/// they are judged is new.
fn run_info(args: &JudgeArgs, before: &ReceiveInfo, judging: &InboundJudging) -> ReceiveInfo {
    ReceiveInfo {
        mxray: env!("CARGO_PKG_VERSION").to_string(),
        commit: option_env!("MXRAY_COMMIT").map(str::to_string),
        host: Some(gethostname::gethostname().to_string_lossy().into_owned()),
        command: args.config.words.clone().unwrap_or_else(super::given_words),
        roots: judging.root_names.clone(),
        judged_by: judging.by.clone(),
        judged_from: Some(JudgedFrom {
            run: args.run.display().to_string(),
            mxray: before.mxray.clone(),
            command: before.command.clone(),
            started: before.started,
            ended: before.ended,
            finished: before.ended.map(|_| before.error.is_none()),
        }),
        ended: None,
        error: None,
        sessions: None,
        turned_away: None,
        senders: None,
        ..before.clone()
    }
}
