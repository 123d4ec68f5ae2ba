//! `mxray roots`: what is in a root store, and whether the root that a
//! partner needs is. Microsoft's page has this done by hand with certmgr.

use super::CommandError;
use crate::cli::{RootsArgs, RootsCheckArgs, RootsCommand, RootsListArgs};
use crate::model::{CertificateFacts, Sha256};
use crate::plan::{self, UsageError};
use crate::policy::Store;
use crate::policy::published::{self, PublishedCertificate};
use crate::x509;
use jiff::Timestamp;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Exit code where a root that is needed is in one store or more not there.
const EXIT_ABSENT: u8 = 1;

/// The store that is asked where none is named: what this machine trusts.
const DEFAULT_STORE: &str = "system";

/// A root that somebody needs.
struct Need {
    /// What it is called, if that is known.
    name: String,
    sha256: Sha256,
    /// From when to when it is valid, if that is known.
    validity: Option<String>,
}

/// Checks or lists.
pub(super) fn run(args: RootsArgs) -> Result<ExitCode, CommandError> {
    match args.command {
        RootsCommand::Check(args) => check(&args),
        RootsCommand::List(args) => list(&args),
    }
}

fn stores(named: &[String]) -> Result<Vec<Store>, UsageError> {
    let names = if named.is_empty() { &[DEFAULT_STORE.to_string()][..] } else { named };
    names.iter().map(|name| plan::store("store", name)).collect()
}

fn check(args: &RootsCheckArgs) -> Result<ExitCode, CommandError> {
    let mut needs = Vec::new();
    for text in &args.needs {
        needs.extend(needed(text)?);
    }
    let stores = stores(&args.store)?;
    let (mut out, mut absent) = (String::new(), false);
    for need in &needs {
        for store in &stores {
            let found = store.by_sha256(&need.sha256);
            absent |= found.is_none();
            let line = match found {
                Some(der) => format!("present: {}", told(&x509::read(der), Timestamp::now())),
                None => format!("absent: {}", missing(need, store)),
            };
            let _ = writeln!(out, "{}: {line}", store.name());
        }
    }
    super::tell(out)?;
    Ok(if absent { ExitCode::from(EXIT_ABSENT) } else { ExitCode::SUCCESS })
}

/// What `--needs` names: a fingerprint, a CA of the published table, or the
/// certificates of a PEM file.
fn needed(text: &str) -> Result<Vec<Need>, UsageError> {
    if let Some(sha256) = Sha256::parse(text) {
        let known = published::certificates().into_iter().find(|known| known.sha256 == Some(sha256));
        return Ok(vec![known.and_then(from_table).unwrap_or_else(|| Need {
            name: String::new(),
            sha256,
            validity: None,
        })]);
    }
    let named: Vec<Need> = published::named(text).into_iter().filter_map(from_table).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    if Path::new(text).exists() {
        return from_file(text);
    }
    let known: Vec<String> = published::certificates()
        .into_iter()
        .filter(|known| known.sha256.is_some())
        .map(|known| known.name)
        .collect();
    Err(UsageError(format!(
        "--needs `{text}`: no SHA-256, no PEM file and no CA of the published table; it has {}",
        known.join(", ")
    )))
}

fn from_table(known: PublishedCertificate) -> Option<Need> {
    let validity = Some(format!("{} to {}", known.not_before, known.not_after));
    Some(Need { name: known.name, sha256: known.sha256?, validity })
}

fn from_file(path: &str) -> Result<Vec<Need>, UsageError> {
    let wrong = |error: String| UsageError(format!("--needs {path}: {error}"));
    let pem = plan::read_file("--needs", Path::new(path))?;
    let mut needs = Vec::new();
    let certificates = x509::pem::certificates(&pem).map_err(|error| wrong(format!("not PEM: {error}")))?;
    for (index, der) in certificates.iter().enumerate() {
        let facts = x509::read(der);
        // What has no key is in no store, and absent would be no answer.
        if facts.spki_sha256.is_none() {
            let defect = facts.defect.unwrap_or_default();
            return Err(wrong(format!("certificate {} cannot be read: {defect}", index + 1)));
        }
        let validity = days(&facts).map(|(from, until)| format!("{from} to {until}"));
        needs.push(Need { name: facts.subject.unwrap_or_default(), sha256: facts.sha256, validity });
    }
    if needs.is_empty() { Err(wrong("no PEM certificate in it".into())) } else { Ok(needs) }
}

fn list(args: &RootsListArgs) -> Result<ExitCode, CommandError> {
    let mut out = String::new();
    for store in stores(&args.store)? {
        for der in store.certificates() {
            let _ = writeln!(out, "{}: {}", store.name(), told(&x509::read(der), Timestamp::now()));
        }
    }
    super::tell(out)?;
    Ok(ExitCode::SUCCESS)
}

/// Subject, validity and fingerprint on one line.
fn told(facts: &CertificateFacts, now: Timestamp) -> String {
    let subject = facts.subject.as_deref().unwrap_or("(a subject that cannot be read)");
    let expired = facts.not_after.is_some_and(|end| end < now);
    let validity = match days(facts) {
        Some((from, until)) => format!("valid {from} to {until}{}", if expired { " (expired)" } else { "" }),
        None => "validity unreadable".to_string(),
    };
    format!("{subject}, {validity}, sha256 {}", facts.sha256)
}

fn days(facts: &CertificateFacts) -> Option<(String, String)> {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    Some((day(facts.not_before?), day(facts.not_after?)))
}

/// What is not there; and what is there instead, if it bears the same name.
fn missing(need: &Need, store: &Store) -> String {
    let mut parts = Vec::new();
    if !need.name.is_empty() {
        parts.push(need.name.clone());
    }
    if let Some(validity) = &need.validity {
        parts.push(format!("valid {validity}"));
    }
    parts.push(format!("sha256 {}", need.sha256));
    let mut line = parts.join(", ");
    let of_name = |facts: &CertificateFacts| {
        [&facts.common_name, &facts.subject]
            .into_iter()
            .flatten()
            .any(|name| published::same_name(name, &need.name))
    };
    if let Some(other) = store.certificates().map(x509::read).find(of_name) {
        let _ = write!(line, " (another certificate of that name is there, sha256 {})", other.sha256);
    }
    line
}
