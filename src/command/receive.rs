//! `mxray receive`: a listener for a partner's outgoing mail server.

pub(super) mod told;
mod unprivileged;

use super::own_folder::in_folder;
use super::signals::Signals;
use super::{CommandError, say, start_logging, tell};
use crate::cli::{BehaveArg, ReceiveArgs};
use crate::listen::{Learning, ListenCounts, MailListener, SeenSenders};
use crate::model::inbound::LearnOf;
use crate::model::inbound::SeenSender;
use crate::model::text::counted;
use crate::plan::{self, LearnPlan, ReceivePlan, UsageError};
use crate::run_dir::{ReceiveDirectory, ReceiveInfo, ShownCertificate};
use crate::sender::learnt::sender_file;
use anyhow::{Context, anyhow};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use unprivileged::User;

/// Sessions that wait to be written; one more waits in its task.
const SESSIONS_WAITING_MAX: usize = 256;
/// Connections that wait to be taken.
const WAITING_MAX: u32 = 1024;
/// Senders that are told at the end.
const SENDERS_TOLD_MAX: usize = 20;
/// The authority above a certificate that was made for the run, in its directory.
const AUTHORITY_NAME: &str = "test-authority.pem";

/// Listens until a signal, or until there were as many sessions as were asked for.
pub(super) async fn run(args: ReceiveArgs) -> Result<ExitCode, CommandError> {
    start_logging(0);
    let signals = Signals::new();
    let plan = plan::receive(&args)?;
    let user = unprivileged::user(args.user.as_deref())?;
    let socket = bind(args.listen)?;
    let at = socket.local_addr().context("the socket that was bound")?;
    let mut directory = directory(&args, &plan, at)?;
    if let Some(user) = &user {
        user.become_it(directory.path())?;
        directory.try_out().map_err(|error| user.cannot_write(directory.path(), &error))?;
    }
    let socket = socket.listen(WAITING_MAX).map_err(|error| cannot_listen(args.listen, &error))?;
    say_begin(&args, &plan, at, directory.path(), user.as_ref().map(User::name));
    let stop = signals.watch("sessions under way are ended and written").token;
    let (sender, mut sessions) = mpsc::channel(SESSIONS_WAITING_MAX);
    let listener = MailListener::new(socket, plan.config, sender);
    let listening = tokio::spawn(listener.run(stop.clone(), args.sessions));
    let mut senders = SeenSenders::new(SignedDuration::try_from(args.watch).context("--watch")?);
    let mut learning = Learning::new(args.behave == Some(BehaveArg::Refused454));
    let behave = args.behave.map(BehaveArg::word);
    let (mut broken, mut untold) = (None, None);
    while let Some(session) = sessions.recv().await {
        let judged = plan.judging.judge.judged(&session);
        if let Err(error) = directory.write(&session, &judged) {
            broken = Some(error);
            break;
        }
        senders.note(&session);
        learning.note(&session);
        if !args.quiet && untold.is_none() {
            let line = told::line(&session, &judged, behave.as_deref());
            // What is under way is still written.
            untold = tell(line).inspect_err(|_| stop.cancel()).err();
        }
    }
    stop.cancel();
    drop(sessions);
    let counts = listening.await.context("the listener")?;
    let senders_not_kept = senders.not_kept();
    let senders = senders.ended(Timestamp::now());
    directory.note_end(counts.turned_away, &senders).context("cannot write the results")?;
    if let Some(error) = broken {
        directory.give_up(&error);
        return Err(anyhow!(error).context("cannot write the results").into());
    }
    if let Some(plan) = &plan.learn {
        learn(plan, &learning, args.learn_of.as_ref(), directory.path())?;
    }
    end(directory, counts, (&senders, senders_not_kept), untold)
}

/// Takes the port, as long as this process may. Nobody can connect before it listens there.
fn bind(at: SocketAddr) -> Result<TcpSocket, CommandError> {
    let bound = || {
        let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Else connections of an earlier run keep the port for minutes. Windows would share it.
        socket.set_reuseaddr(cfg!(unix))?;
        socket.bind(at).map(|()| socket)
    };
    bound().map_err(|error| cannot_listen(at, &error))
}

fn cannot_listen(at: SocketAddr, error: &io::Error) -> CommandError {
    UsageError(format!("--listen {at}: {error}")).into()
}

fn directory(
    args: &ReceiveArgs,
    plan: &ReceivePlan,
    at: SocketAddr,
) -> Result<ReceiveDirectory, CommandError> {
    let info = ReceiveInfo {
        mxray: env!("CARGO_PKG_VERSION").to_string(),
        commit: option_env!("MXRAY_COMMIT").map(str::to_string),
        host: Some(gethostname::gethostname().to_string_lossy().into_owned()),
        command: super::given_words(),
        behave: args.behave.map(BehaveArg::word),
        certificate: plan.config.tls.leaf().map(ShownCertificate::read),
        watch_s: Some(args.watch.as_secs()),
        roots: plan.judging.root_names.clone(),
        judged_by: plan.judging.by.clone(),
        ..ReceiveInfo::new(at.to_string(), plan.config.host.to_string())
    };
    let bytes_max = u64::from(args.disk_max) << 20;
    let create = |path: &Path| ReceiveDirectory::create(path, info.clone(), bytes_max);
    let directory = in_folder(args.output.as_deref(), "mxray-receive", create)?;
    if let Some(pem) = &plan.authority_pem {
        let path = directory.path().join(AUTHORITY_NAME);
        fs::write(&path, pem).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(directory)
}

fn say_begin(args: &ReceiveArgs, plan: &ReceivePlan, at: SocketAddr, dir: &Path, user: Option<&str>) {
    let name = &plan.config.host;
    say(format_args!("mxray: listening on {at} as {name}; no mail is taken; Ctrl-C ends it"));
    say(format_args!("mxray: sessions are written to {}", dir.display()));
    if plan.authority_pem.is_some() {
        let authority = dir.join(AUTHORITY_NAME);
        say(format_args!("mxray: the certificate was made for this run, under {}", authority.display()));
    }
    super::warn(&plan.judging.warnings);
    if let Some(behave) = args.behave {
        say(format_args!("mxray: on purpose, to every client: {}", behave.word()));
    }
    if let Some(user) = user {
        say(format_args!("mxray: runs as user {user} from here on"));
    }
}

/// Writes the file of the sender that came.
fn learn(
    plan: &LearnPlan,
    learning: &Learning,
    of: Option<&LearnOf>,
    dir: &Path,
) -> Result<(), CommandError> {
    let learnt = match learning.learnt(of) {
        Ok(learnt) => learnt,
        Err(error) => {
            say(format_args!("mxray: nothing was learnt: {error}"));
            return Ok(());
        }
    };
    let path = dir.join(&plan.name).with_extension("toml");
    let file = sender_file(&plan.name, (&plan.template, &plan.text), &learnt).with_context(|| {
        format!("cannot make a file of what was learnt, on --learn-from {}", plan.template)
    })?;
    fs::write(&path, file.text).with_context(|| format!("cannot write {}", path.display()))?;
    say(format_args!("mxray: what was learnt is in {}; mxray scan --sender takes it", path.display()));
    if !file.differing.is_empty() {
        say(format_args!(
            "mxray: {} saw otherwise: {}; see that it is the same client",
            plan.template,
            file.differing.join(", ")
        ));
    }
    Ok(())
}

/// `untold` is why sessions could no longer be told on standard output.
fn end(
    directory: ReceiveDirectory,
    counts: ListenCounts,
    (senders, not_kept): (&[SeenSender], u64),
    untold: Option<CommandError>,
) -> Result<ExitCode, CommandError> {
    let ListenCounts { sessions, turned_away } = counts;
    let dir = directory.path().display().to_string();
    let (verdicts, named) = (directory.verdicts(), directory.named());
    let error = untold.as_ref().map(ToString::to_string);
    directory.finish(error).context("cannot write the results")?;
    senders.iter().take(SENDERS_TOLD_MAX).for_each(|sender| say(told::sender(sender)));
    if let Some(more) = senders.len().checked_sub(SENDERS_TOLD_MAX).filter(|more| *more > 0) {
        say(format_args!("mxray: {} more; run.json has them", counted(more as u64, "sender")));
    }
    if not_kept > 0 {
        let others = counted(not_kept, "session");
        say(format_args!("mxray: {others} of further senders, which are too many to be brought together"));
    }
    if let Some(verdicts) = verdicts {
        say(told::verdicts(verdicts));
    }
    if let Some(named) = named {
        say(told::named(named));
    }
    say(format_args!("mxray: {}, written to {dir}", counted(sessions, "session")));
    if turned_away > 0 {
        let away = counted(turned_away, "connection");
        say(format_args!("mxray: {away} turned away: too many at once (--at-once, --per-ip-at-once)"));
    }
    untold.map_or(Ok(ExitCode::SUCCESS), Err)
}
