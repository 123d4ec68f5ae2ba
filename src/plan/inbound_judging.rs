//! What sessions of `mxray receive` are judged by, told in `run.json` so that they can be
//! judged by the same again.

use super::UsageError;
use super::judging::{ACCEPTED_DOMAIN, CONNECTORS, ROOTS, check_same, digest, names_file};
use super::sender::{accepted_domains, connector_file};
use super::stored_files::StoredFiles;
use super::stores::roots_in;
use crate::cli::{FormatArg, InboundJudgingArgs, JudgeArgs, SummaryArg};
use crate::model::Sha256;
use crate::model::inbound::CertificateName;
use crate::model::text::printable;
use crate::run_dir::{OptionValue, ReceiveInfo, SessionsJudgedBy};
use crate::sender::inbound_connector::{self, InboundConnectorList};
use crate::trust::Judge;
use crate::verdict::inbound::SessionJudge;
use crate::x509;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// By its name in [`SessionsJudgedBy::options`].
const TLS_CERTIFICATE_NAME: &str = "tls-certificate-name";

/// Disabled connectors that are named on standard error; `run.json` names all.
const LEFT_OUT_TOLD_MAX: usize = 10;

/// A judge of sessions, and in words what it judges by.
pub struct InboundJudging {
    /// Judges sessions.
    pub judge: SessionJudge,
    /// Roots and files, as `run.json` names them.
    pub by: SessionsJudgedBy,
    /// Root stores.
    pub root_names: Vec<String>,
    /// What whoever named the files should know about them, a line each.
    pub warnings: Vec<String>,
}

/// Finds what the command line names.
///
/// # Errors
/// [`UsageError`] for what cannot be used.
pub(super) fn inbound_judging(args: &InboundJudgingArgs) -> Result<InboundJudging, UsageError> {
    judging(args, None, &StoredFiles::default())
}

/// What `judge` takes of its options for a run of `mxray receive`.
const TAKEN: &str = "--roots, --connectors, --accepted-domain, --tls-certificate-name and --at";

/// What the run `before` was judged by, and in its place what `args` names.
///
/// # Errors
/// [`UsageError`] for options that mean nothing for such a run, for what cannot be found,
/// and for what was not named anew but holds another thing than it did for the run.
pub fn inbound_judging_again(args: &JudgeArgs, before: &ReceiveInfo) -> Result<InboundJudging, UsageError> {
    refuse_others(args)?;
    let old = &before.judged_by;
    let words = |option: &str| old.options.get(option).map(|named| named.words.clone()).unwrap_or_default();
    let (new, given) = (&args.judging.connectors, &args.judging.roots);
    let is_kept = [
        (ROOTS, given.is_empty()),
        (CONNECTORS, new.connectors.is_none()),
        (TLS_CERTIFICATE_NAME, args.tls_certificate_name.is_none()),
    ];
    let kept: Vec<&str> = is_kept.iter().filter(|(_, kept)| *kept).map(|(option, _)| *option).collect();
    let word = |option: &str| words(option).into_iter().next();
    let whole = InboundJudgingArgs {
        roots: if given.is_empty() { words(ROOTS) } else { given.clone() },
        connectors: new.connectors.clone().or_else(|| word(CONNECTORS).map(PathBuf::from)),
        // The accepted domains go with the file.
        accepted_domain: match new.connectors {
            None => words(ACCEPTED_DOMAIN),
            Some(_) => new.accepted_domain.clone(),
        },
        tls_certificate_name: args.tls_certificate_name.clone().or_else(|| word(TLS_CERTIFICATE_NAME)),
    };
    let judging = judging(&whole, args.at.or(old.at), &StoredFiles::of_run(&old.options, &kept))?;
    for option in kept {
        check_same(option, &judging.by.options, &old.options, &before.mxray)?;
    }
    Ok(judging)
}

/// Refuses the options of `judge` that mean nothing for a run of `mxray receive`.
fn refuse_others(args: &JudgeArgs) -> Result<(), UsageError> {
    let of_surveys = [
        ("--expect", !args.judging.expect.is_empty()),
        ("--sender", args.judging.sender.is_some()),
        ("--after-tls-failure", args.judging.after_tls_failure.is_some()),
        ("--earlier", !args.earlier.is_empty()),
        ("--format json", args.telling.format == FormatArg::Json),
        ("--summary full", args.summary.summary == SummaryArg::Full),
    ];
    match of_surveys.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(UsageError(format!(
            "{option}: {} is a run of mxray receive, for which judge takes {TAKEN}",
            args.run.display()
        ))),
    }
}

fn judging(
    args: &InboundJudgingArgs,
    at: Option<Timestamp>,
    places: &StoredFiles,
) -> Result<InboundJudging, UsageError> {
    let (roots, root_names) = roots_in(&args.roots, places)?;
    let mut warnings: Vec<String> = roots.warnings().cloned().collect();
    let mut by = SessionsJudgedBy { at, ..SessionsJudgedBy::default() };
    by.options.insert(ROOTS.to_string(), value(ROOTS, &root_names, roots.digest(), places));
    // Every session has its own moment; this one counts for none.
    let mut judge = SessionJudge::new(Judge::new(roots, Timestamp::UNIX_EPOCH), at);
    if let Some(path) = &args.connectors {
        let bytes = places.read(CONNECTORS, path)?;
        let organisation = organisation(path, &bytes, &args.accepted_domain)?;
        warnings.extend(file_warnings(path, &organisation));
        let (words, accepted) = (vec![path.display().to_string()], &args.accepted_domain);
        let file = value(CONNECTORS, &words, x509::digest(&bytes), places);
        by.options.insert(CONNECTORS.to_string(), file);
        let domains = value(ACCEPTED_DOMAIN, accepted, digest(accepted), places);
        by.options.insert(ACCEPTED_DOMAIN.to_string(), domains);
        by.connectors_left_out.clone_from(&organisation.left_out);
        judge = judge.with_connectors(organisation);
    }
    if let Some(text) = &args.tls_certificate_name {
        let told = |error| UsageError(format!("--tls-certificate-name `{}`: {error}", printable(text)));
        judge = judge.with_certificate_name(CertificateName::parse(text).map_err(told)?);
        let words = [text.clone()];
        let named = value(TLS_CERTIFICATE_NAME, &words, digest(&words), places);
        by.options.insert(TLS_CERTIFICATE_NAME.to_string(), named);
    }
    Ok(InboundJudging { judge, by, root_names, warnings })
}

/// The connectors of a file, and what is told of their organisation.
fn organisation(path: &Path, bytes: &[u8], accepted: &[String]) -> Result<InboundConnectorList, UsageError> {
    let accepted = accepted_domains(accepted)?;
    let list = connector_file(path, bytes, inbound_connector::parse_toml, inbound_connector::parse_csv)?;
    let told = |error| UsageError(format!("--connectors {}: {error}", path.display()));
    list.with_accepted_domains(accepted).map_err(told)
}

/// What of the file counts for nothing, and what it does not tell.
fn file_warnings(path: &Path, organisation: &InboundConnectorList) -> Vec<String> {
    let (left_out, mut warnings) = (&organisation.left_out, Vec::new());
    if !left_out.is_empty() {
        let names: Vec<_> = left_out.iter().take(LEFT_OUT_TOLD_MAX).map(|name| printable(name)).collect();
        let more = left_out.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        warnings.push(format!("disabled, so left out: {}{more}", names.join(", ")));
    } else if organisation.connectors.is_empty() {
        warnings.push("there is no connector in it, so no mail goes by one".to_string());
    }
    if organisation.accepted_domains.is_empty() {
        warnings.push(
            "no accepted domains are told (--accepted-domain), so every recipient is taken for the organisation's, \
            and of senders none but those of the recipient's domain"
                .to_string(),
        );
    }
    let path = path.display();
    warnings.into_iter().map(|what| format!("--connectors {path}: {what}")).collect()
}

fn value(option: &str, words: &[String], sha256: Sha256, places: &StoredFiles) -> OptionValue {
    let files = places.absolute(option, words, |word| names_file(option, word));
    OptionValue { words: words.to_vec(), files, sha256 }
}
