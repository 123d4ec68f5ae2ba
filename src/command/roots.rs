//! `mxray roots`: what is in a root store, and whether the root that a
//! partner needs is. Microsoft's page has this done by hand with certmgr.

use super::CommandError;
use super::needs::{self, Need, days};
use crate::cli::{FormatArg, RootsArgs, RootsCheckArgs, RootsCommand, RootsListArgs};
use crate::model::{CertificateFacts, Sha256};
use crate::plan::{self, UsageError};
use crate::trust::Store;
use crate::trust::names::same_ca;
use crate::x509;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Exit code where a root that is needed is in one store or more not there.
const EXIT_ABSENT: u8 = 1;

/// Version of the documents: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

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
    let now = Timestamp::now();
    let of_each = |need| stores.iter().map(move |store| Sought::in_store(need, store));
    let sought: Vec<Sought<'_>> = needs.iter().flat_map(of_each).collect();
    let is_absent = sought.iter().any(|sought| sought.found.is_none());
    super::tell(match args.telling.format {
        FormatArg::Text => sought.iter().map(|sought| sought.line(now)).collect(),
        FormatArg::Json => document(json!({
            "at": format!("{now:.0}"),
            "result": if is_absent { "absent" } else { "present" },
            "roots": sought.iter().map(|sought| sought.as_json(now)).collect::<Vec<_>>(),
        })),
    })?;
    Ok(if is_absent { ExitCode::from(EXIT_ABSENT) } else { ExitCode::SUCCESS })
}

fn list(args: &RootsListArgs) -> Result<ExitCode, CommandError> {
    let stores = stores(&args.store)?;
    let now = Timestamp::now();
    let line = |store: &Store, der: &[u8]| format!("{}: {}\n", store.name(), told(&x509::read(der), now));
    let of_store = |store: &Store| {
        let roots: Vec<Value> = store.certificates().map(|der| root(&x509::read(der), now)).collect();
        json!({"store": store.name(), "roots": roots})
    };
    super::tell(match args.telling.format {
        FormatArg::Text => {
            let lines = |store| Store::certificates(store).map(move |der| line(store, der));
            stores.iter().flat_map(lines).collect()
        }
        FormatArg::Json => document(json!({
            "at": format!("{now:.0}"),
            "stores": stores.iter().map(of_store).collect::<Vec<_>>(),
        })),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A document with what every one has, and a line end.
fn document(mut told: Value) -> String {
    told["schema_version"] = SCHEMA_VERSION.into();
    told["mxray"] = env!("CARGO_PKG_VERSION").into();
    format!("{told:#}\n")
}

/// A root in a document.
fn root(facts: &CertificateFacts, now: Timestamp) -> Value {
    json!({
        "subject": facts.subject,
        "sha256": facts.sha256.to_string(),
        "not_before": facts.not_before.map(|time| format!("{time:.0}")),
        "not_after": facts.not_after.map(|time| format!("{time:.0}")),
        "expired": facts.not_after.map(|end| end < now),
    })
}

/// A root that is needed, in one store.
struct Sought<'a> {
    need: &'a Need,
    store: &'a Store,
    found: Option<CertificateFacts>,
    /// Where it is not there, what bears the same name.
    of_same_name: Option<Sha256>,
}

impl<'a> Sought<'a> {
    fn in_store(need: &'a Need, store: &'a Store) -> Self {
        let found = store.by_sha256(&need.sha256).map(x509::read);
        let of_same_name = match found {
            Some(_) => None,
            None => same_name(need, store),
        };
        Self { need, store, found, of_same_name }
    }

    fn line(&self, now: Timestamp) -> String {
        let name = self.store.name();
        match &self.found {
            Some(facts) => format!("{name}: present: {}\n", told(facts, now)),
            None => format!("{name}: absent: {}\n", self.missing()),
        }
    }

    fn as_json(&self, now: Timestamp) -> Value {
        json!({
            "store": self.store.name(),
            "needs": (!self.need.name.is_empty()).then_some(&self.need.name),
            "sha256": self.need.sha256.to_string(),
            "present": self.found.is_some(),
            "found": self.found.as_ref().map(|facts| root(facts, now)),
            "same_name_sha256": self.of_same_name.as_ref().map(Sha256::to_string),
        })
    }

    /// What is not there; and what is there instead, if it bears the same name.
    fn missing(&self) -> String {
        let need = self.need;
        let mut parts = Vec::new();
        if !need.name.is_empty() {
            parts.push(need.name.clone());
        }
        if let Some(validity) = &need.validity {
            parts.push(format!("valid {validity}"));
        }
        parts.push(format!("sha256 {}", need.sha256));
        let mut line = parts.join(", ");
        if let Some(other) = &self.of_same_name {
            let _ = write!(line, " (another certificate of that name is there, sha256 {other})");
        }
        line
    }
}

fn same_name(need: &Need, store: &Store) -> Option<Sha256> {
    let of_name = |facts: &CertificateFacts| {
        [&facts.common_name, &facts.subject].into_iter().flatten().any(|name| same_ca(name, &need.name))
    };
    store.certificates().map(x509::read).find(of_name).map(|other| other.sha256)
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
