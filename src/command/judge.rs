//! `mxray judge`: new verdicts from stored observations, without a packet.
//!
//! The records go to a new run directory in the order in which they stand in
//! the old one. As in a scan, a finding of each probe is kept in memory, and
//! nothing else that grows with the run but where each certificate stands, and
//! what was read already.

use super::CommandError;
use super::missing::{self, Missing};
use super::own_folder::in_folder;
use super::resolvers::Lost;
use super::signals::Stop;
use super::survey::{self, Surveyed};
use crate::cli::{FormatArg, JudgeArgs};
use crate::engine::{Findings, KeptFinding};
use crate::model::{DomainRecord, Exchange, JudgedEndpoint, Observation, ProbeKey, Record};
use crate::plan::{self, Judging};
use crate::report::Summary;
use crate::run_dir::read::{Facts, Observations, Rejects, Stored, StoredFacts, StoredRun};
use crate::run_dir::{self, JudgedFrom, RunDirectory, RunInfo};
use crate::trust::dane::RecordsMet;
use crate::verdict::{KeyContext, Policy, Reach};
use anyhow::anyhow;
use jiff::Timestamp;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Judges a run again. Everything that can be refused is refused before a run
/// directory is made.
pub(super) fn run(args: JudgeArgs) -> Result<ExitCode, CommandError> {
    #[cfg(feature = "receive")]
    if let Some(ended) = super::judge_received::run_of_receive(&args)? {
        return Ok(ended);
    }
    let stored = StoredRun::open_whole(&args.run)?;
    let judging = plan::judging_again(&args.judging, args.at, &args.run, stored.info())?;
    super::warn(&judging.warnings);
    let source = (stored.observations()?, stored.facts()?, stored.rejects()?);
    let facts_before = stored.facts()?;
    // Those of a run that ended are in its counts.
    let rows = if stored.was_killed() { stored.domain_rows()? } else { 0 };
    let suspects = suspects(&stored)?;
    let met = records_met(&stored, &args.earlier)?;
    let mut info = run_info(&args, stored.info(), &judging);
    let lab_roots = judging.by_lab_roots().then(|| args.run.join(plan::LAB_ROOTS_NAME));
    let directory =
        in_folder(args.output.as_deref(), "mxray-judged", |path| RunDirectory::create(path, &info))?;
    let path = directory.path().to_path_buf();
    let mut rejudged = Rejudged {
        policy: Policy::new(judging.judge.knowing(met), judging.sender).with_connectors(judging.connectors),
        port: info.port,
        killed: stored.was_killed(),
        directory,
        unwritten: None,
        summary: Summary::default(),
        with_tlsa: HashSet::new(),
        judged: HashMap::new(),
        findings: Findings::new(Some(path.clone())),
        counts: run_dir::RunCounts::default(),
        rows,
        losses: Missing::default(),
        suspects,
        reach: Reach::default(),
    };
    if let Some(pem) = lab_roots {
        let failed =
            |error| anyhow!("cannot write the results: cannot write {}: {error}", plan::LAB_ROOTS_NAME);
        fs::copy(pem, path.join(plan::LAB_ROOTS_NAME)).map_err(failed)?;
    }
    let result = rejudged.note_tlsa(facts_before).and_then(|()| rejudged.run(source));
    if result.is_ok()
        && let Some(lacking) = missing::line(&stored, rejudged.losses, &rejudged.counts)?
    {
        super::say(format_args!("mxray: {lacking}"));
    }
    finish(&mut info, stored.info(), &rejudged, result.as_ref().err());
    let Rejudged { directory, summary, reach, unwritten: failed, .. } = rejudged;
    match failed {
        // To finish would try the other files, and tell of them in place of the one that failed.
        Some(error) => directory.give_up(&error),
        None => directory.finish(&info, &summary.told()).map_err(|error| unwritten(&error))?,
    }
    result?;
    if let Some(told) = unseen_answers(&summary, &stored.info().sender, &info) {
        super::say(format_args!("mxray: {told}"));
    }
    if args.telling.format == FormatArg::Json {
        super::tell(document(&args.run, &path, &info, &summary))?;
        return Ok(ExitCode::SUCCESS);
    }
    surveyed(summary, reach, &info, path).tell(false, args.summary.summary)
}

/// What was judged, as the end of a survey tells it.
fn surveyed(summary: Summary, reach: Reach, info: &RunInfo, path: PathBuf) -> Surveyed {
    Surveyed {
        summary,
        sender: info.sender.clone(),
        reach,
        rows: info.counts.domains_written,
        unfinished: info.counts.unfinished,
        taken: (info.counts.taken_from_urls, info.counts.taken_from_mail_addresses),
        stop: Stop::default(),
        lost: Lost::default(),
        list_error: None,
        list_end: None,
        quiet: false,
        path: Some(path),
        shard: None,
        of_others: (0, 0),
        resumable: false,
    }
}

/// Version of the document: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// What was judged and what it came to; counts and summary have the keys of `run.json`.
fn document(run: &Path, output: &Path, info: &RunInfo, summary: &Summary) -> String {
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "mxray": info.mxray,
        "run": run.display().to_string(),
        "output": output.display().to_string(),
        "sender": info.sender,
        "roots": info.roots,
        "finished": info.finished,
        "counts": info.counts,
        "summary": summary.told(),
    });
    format!("{document:#}\n")
}

/// One domain in so many is worth a word.
const MANY_ONE_IN: u64 = 10;

/// How many domains are not determined for want of what servers answer to the
/// sender's own ClientHello, where that was another's in the run.
fn unseen_answers(summary: &Summary, before: &str, info: &RunInfo) -> Option<String> {
    let want_of_answer = |reason: &str| reason.starts_with("undetermined: no_published_");
    let reasons = summary.sending.reasons.sorted();
    let unseen: u64 =
        reasons.iter().filter(|(reason, _)| want_of_answer(reason)).map(|(_, count)| count).sum();
    let (sender, all) = (&info.sender, summary.domains.total);
    // A few are so in every run, where servers stay silent.
    let are_many = unseen.saturating_mul(MANY_ONE_IN) > all;
    (are_many && before != sender).then(|| {
        format!(
            "what servers would answer to {sender} is not in the run, as it was made for {before}: {unseen} of {all} \
             domains are undetermined for that; scan for {sender} to know"
        )
    })
}

/// Families over which nothing was let out, as the run found at its end, or, if
/// it came to none, as all that it left says.
pub(super) fn suspects(stored: &StoredRun) -> Result<Vec<String>, CommandError> {
    if let Some(suspects) = &stored.info().network_suspect {
        return Ok(suspects.clone());
    }
    let mut observations = stored.observations()?;
    let mut reach = Reach::default();
    while let Some(stored) = observations.read_next()? {
        if let Stored::Whole(observation) = stored {
            reach.add(&observation);
        }
    }
    Ok(survey::suspects(&reach))
}

/// Which TLSA records of the run are about a certificate that `earlier` runs saw.
fn records_met(stored: &StoredRun, earlier: &[PathBuf]) -> Result<RecordsMet, CommandError> {
    let mut records = RecordsMet::default();
    if earlier.is_empty() {
        return Ok(records);
    }
    let earlier: Vec<StoredRun> =
        earlier.iter().map(|path| StoredRun::open(path)).collect::<Result<_, _>>()?;
    let mut facts = stored.facts()?;
    while let Some(facts) = facts.read_next()? {
        let tlsa = facts.dns().exchanges.iter().filter_map(|exchange| exchange.tlsa.as_ref());
        tlsa.flat_map(|tlsa| &tlsa.records).for_each(|record| records.want(record));
    }
    if !records.is_empty() {
        earlier.iter().try_for_each(|run| run.each_certificate(|der| records.see(der)))?;
    }
    Ok(records)
}

/// What the new `run.json` says at the start: how the observations were made
/// is as it was, how they are judged is new.
fn run_info(args: &JudgeArgs, before: &RunInfo, judging: &Judging) -> RunInfo {
    RunInfo {
        mxray: env!("CARGO_PKG_VERSION").to_string(),
        commit: option_env!("MXRAY_COMMIT").map(str::to_string),
        host: Some(gethostname::gethostname().to_string_lossy().into_owned()),
        command: args.config.words.clone().unwrap_or_else(super::given_words),
        roots: judging.root_names.clone(),
        sender: judging.sender.name.to_string(),
        judged_by: judging.by.clone(),
        judged_from: Some(JudgedFrom {
            run: args.run.display().to_string(),
            mxray: before.mxray.clone(),
            command: before.command.clone(),
            started: before.started,
            ended: before.ended,
            finished: before.finished,
        }),
        started: Timestamp::now(),
        ended: None,
        error: None,
        finished: None,
        counts: run_dir::RunCounts::default(),
        ..before.clone()
    }
}

/// What it says at the end. A run that never came to the end of its list is
/// not finished by being judged.
fn finish(info: &mut RunInfo, before: &RunInfo, rejudged: &Rejudged, error: Option<&CommandError>) {
    info.ended = Some(Timestamp::now());
    info.error = error.map(ToString::to_string);
    info.counts = rejudged.counts;
    info.network_suspect = Some(survey::suspects(&rejudged.reach));
    info.counts.taken_from_urls = before.counts.taken_from_urls;
    info.counts.taken_from_mail_addresses = before.counts.taken_from_mail_addresses;
    info.counts.targets_read = info.counts.targets_read.max(before.counts.targets_read);
    let lost = before.counts.domains_written.saturating_sub(info.counts.domains_written);
    // A run that was killed did not say how long its list is.
    info.counts.unfinished = before.counts.unfinished.filter(|_| !rejudged.killed).map(|count| count + lost);
    let same = info.counts.domains_written == before.counts.domains_written;
    let whole = before.finished == Some(true) && same && info.counts.unfinished == Some(0);
    info.finished = Some(whole && error.is_none());
}

fn unwritten(error: &io::Error) -> CommandError {
    anyhow!("cannot write the results: {error}").into()
}

/// A run on its way from one directory to the other.
struct Rejudged {
    policy: Policy,
    /// Port of the mail hosts.
    port: u16,
    /// The run was killed, so that some of it may be missing.
    killed: bool,
    directory: RunDirectory,
    /// Why the directory takes no more, which names the file.
    unwritten: Option<io::Error>,
    summary: Summary,
    /// Keys whose host has TLSA records.
    with_tlsa: HashSet<ProbeKey>,
    judged: HashMap<ProbeKey, KeptFinding>,
    findings: Findings,
    counts: run_dir::RunCounts,
    /// Rows of `domains.csv` of a run that was killed.
    rows: u64,
    losses: Missing,
    /// Families over which the network of the machine that scanned lets nothing
    /// out.
    suspects: Vec<String>,
    reach: Reach,
}

impl Rejudged {
    /// Notes the keys whose certificates some domain holds against TLSA records, by
    /// all the facts of the run: observations are judged before those.
    fn note_tlsa(&mut self, mut facts: Facts) -> Result<(), CommandError> {
        while let Some(stored) = facts.read_next()? {
            let facts = stored.dns();
            let has_tlsa =
                |exchange: usize| facts.exchanges.get(exchange).is_some_and(Exchange::may_have_tlsa);
            let keys = facts.probe_keys(self.port).filter(|(exchange, _)| has_tlsa(*exchange));
            self.with_tlsa.extend(keys.map(|(_, key)| key));
        }
        Ok(())
    }

    fn run(&mut self, source: (Observations, Facts, Rejects)) -> Result<(), CommandError> {
        let (mut observations, mut facts, mut rejects) = source;
        while let Some(rejected) = rejects.read_next()? {
            self.counts.rejected += 1;
            self.emit(Record::Rejected(rejected))?;
        }
        while let Some(stored) = observations.read_next()? {
            self.judge_probe(stored)?;
        }
        while let Some(facts) = facts.read_next()? {
            self.judge_domain(facts)?;
        }
        // Rows stand in the order of facts.
        self.losses.rows += self.rows.saturating_sub(self.counts.targets_read);
        Ok(())
    }

    fn judge_probe(&mut self, stored: Stored) -> Result<(), CommandError> {
        let Stored::Whole(observation) = stored else {
            self.losses.probes += 1;
            return Ok(());
        };
        let assessments = self.policy.assess(&observation);
        let suspect = self.is_suspect(&observation);
        // That of a domain whose facts a run that was killed did not write down.
        let tlsa = observation.tlsa == Some(true) || self.with_tlsa.contains(&observation.key);
        let stand_in = observation.stand_in().and_then(|key| self.judged.get(&key).cloned());
        let stand_in = stand_in.map(|kept| self.whole(&kept)).transpose()?;
        let context = KeyContext { network_suspect: suspect, tlsa, stand_in: stand_in.as_deref() };
        let (record, judged) = self.policy.endpoint_of_run(*observation, &assessments, context);
        let key = judged.finding.key.clone();
        self.judged.insert(key, self.findings.keep(judged, &record.observation, context));
        self.counts.endpoints_written += 1;
        self.emit(Record::Endpoint(Box::new(record)))
    }

    fn whole(&mut self, kept: &KeptFinding) -> Result<Arc<JudgedEndpoint>, CommandError> {
        let lost = |error| anyhow!("what was found is lost from its file: {error}");
        Ok(self.findings.whole(&self.policy, kept).map_err(lost)?)
    }

    fn is_suspect(&mut self, observation: &Observation) -> bool {
        self.reach.add(observation);
        let family = if observation.key.endpoint.ip.is_ipv4() { "ipv4" } else { "ipv6" };
        self.suspects.iter().any(|suspect| suspect == family)
    }

    fn judge_domain(&mut self, stored: StoredFacts) -> Result<(), CommandError> {
        self.counts.targets_read += 1;
        let StoredFacts::Whole(facts) = stored else {
            self.leave_out();
            return Ok(());
        };
        let mut probes = Vec::new();
        for (exchange, key) in facts.probe_keys(self.port).filter(|_| facts.failure.is_none()) {
            match self.judged.get(&key).cloned() {
                Some(kept) => probes.push((exchange, self.whole(&kept)?)),
                None if self.killed => {
                    self.leave_out();
                    return Ok(());
                }
                None => {
                    let domain = facts.target.subject.label();
                    let lacking =
                        anyhow!("observations.jsonl has no probe of {key}, on which {domain} rests");
                    return Err(lacking.into());
                }
            }
        }
        let verdict = self.policy.verdict(&facts, &probes);
        self.counts.domains_written += 1;
        self.emit(Record::Domain(Box::new(DomainRecord { facts: *facts, verdict })))
    }

    /// The target read last cannot be judged.
    fn leave_out(&mut self) {
        self.losses.domains += 1;
        self.losses.rows += u64::from(self.counts.targets_read <= self.rows);
    }

    fn emit(&mut self, record: Record) -> Result<(), CommandError> {
        self.summary.add(&record);
        self.directory.write(&record).map_err(|error| {
            let told = unwritten(&error);
            self.unwritten = Some(error);
            told
        })
    }
}
