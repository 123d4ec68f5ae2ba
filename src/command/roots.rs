//! `mxray roots`: what is in a root store, and whether the root that a
//! partner needs is. Microsoft's page has this done by hand with certmgr.

use super::CommandError;
use super::needs::{self, Need, days};
use crate::cli::{RootsArgs, RootsCheckArgs, RootsCommand, RootsListArgs};
use crate::model::CertificateFacts;
use crate::plan::{self, UsageError};
use crate::trust::Store;
use crate::trust::names::same_ca;
use crate::x509;
use jiff::Timestamp;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Exit code where a root that is needed is in one store or more not there.
const EXIT_ABSENT: u8 = 1;

/// The store that is asked where none is named: what this machine trusts.
const DEFAULT_STORE: &str = "system";

/// Checks or lists.
pub(super) fn run(args: RootsArgs) -> Result<ExitCode, CommandError> {
    match args.command {
        RootsCommand::Check(args) => check(&args),
        RootsCommand::List(args) => list(&args),
    }
}

fn stores(named: &[String]) -> Result<Vec<Store>, UsageError> {
    let names = if named.is_empty() { &[DEFAULT_STORE.to_string()][..] } else { named };
    let stores: Vec<_> = names.iter().map(|name| plan::store("store", name)).collect::<Result<_, _>>()?;
    super::warn(stores.iter().flat_map(Store::warnings));
    Ok(stores)
}

fn check(args: &RootsCheckArgs) -> Result<ExitCode, CommandError> {
    let mut needs = Vec::new();
    for text in &args.needs {
        needs.extend(needs::named(text)?);
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
        [&facts.common_name, &facts.subject].into_iter().flatten().any(|name| same_ca(name, &need.name))
    };
    if let Some(other) = store.certificates().map(x509::read).find(of_name) {
        let _ = write!(line, " (another certificate of that name is there, sha256 {})", other.sha256);
    }
    line
}
