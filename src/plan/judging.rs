//! What verdicts are made by: roots and expectations by name or file, and the
//! moment. All of it is told in `run.json`, so that stored observations can be
//! judged by the same again.

use super::sender::{connectors, expectations, expectations_told_apart, is_file, sender, sender_told_apart};
use super::stored_files::StoredFiles;
use super::stores::{STORES_WITHOUT_FILE, roots, roots_in};
use super::{UsageError, read_file};
use crate::cli::{ConnectorArgs, JudgingArgs};
use crate::run_dir::{JudgedBy, OptionValue, RunInfo};
use crate::sender::Sender;
use crate::sender::connector::{self, ConnectorError, Connectors};
use crate::trust::{Judge, Roots, Store};
use crate::x509;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Options by their names in [`JudgedBy::options`].
pub(super) const ROOTS: &str = "roots";
const EXPECT: &str = "expect";
pub(super) const CONNECTORS: &str = "connectors";
pub(super) const ACCEPTED_DOMAIN: &str = "accepted-domain";
const SENDER: &str = "sender";
const AFTER_TLS_FAILURE: &str = "after-tls-failure";

/// Name of the store that holds the roots of a fleet in this process.
pub const LAB_STORE: &str = "lab";

/// The file of a run directory with the roots of such a fleet (PEM), which is
/// gone when the run is judged again.
pub const LAB_ROOTS_NAME: &str = "lab-roots.pem";

/// Name of the file beside a run that holds the connectors of such a fleet.
pub const LAB_CONNECTORS_NAME: &str = "lab-connectors.toml";

/// A judge, and in words what it judges by.
pub struct Judging {
    /// Judges chains.
    pub judge: Judge,
    /// Roots, sender, moment and files, as `run.json` names them.
    pub by: JudgedBy,
    /// Root stores.
    pub root_names: Vec<String>,
    /// Whom verdicts are for.
    pub sender: Sender,
    /// Connectors in force.
    pub connectors: Arc<Connectors>,
    /// What whoever named the root stores should know about them, a line each.
    pub warnings: Vec<String>,
}

impl Judging {
    /// Whether the roots are those of a fleet in the process that scanned it.
    pub fn by_lab_roots(&self) -> bool {
        self.root_names == [LAB_STORE]
    }
}

/// Finds what the command line names.
pub(super) fn judging(args: &JudgingArgs, at: Timestamp) -> Result<Judging, UsageError> {
    judging_with(roots(&args.roots)?, args, at, &StoredFiles::default())
}

/// The same with roots that are there already.
fn judging_with(
    (roots, root_names): (Roots, Vec<String>),
    args: &JudgingArgs,
    at: Timestamp,
    places: &StoredFiles,
) -> Result<Judging, UsageError> {
    let expectations = expectations(&args.expect, places)?;
    let (connectors, left_out) = connectors(&args.connectors, places)?;
    let connectors = Arc::new(connectors);
    let files: Vec<String> = args.connectors.connectors.iter().map(|path| word(path)).collect();
    let held = args.connectors.connectors.iter().map(|path| places.read(CONNECTORS, path));
    let held = held.collect::<Result<Vec<_>, _>>()?;
    let whose = sender(args, places)?;
    let accepted = &args.connectors.accepted_domain;
    let after: Vec<String> = args.after_tls_failure.iter().cloned().collect();
    let by_sender: Vec<String> = args.sender.iter().cloned().collect();
    let named = [
        (EXPECT, &args.expect, digest(&expectations)),
        (CONNECTORS, &files, digest(&held)),
        (ACCEPTED_DOMAIN, accepted, digest(accepted)),
        (SENDER, &by_sender, digest(&whose)),
        (AFTER_TLS_FAILURE, &after, digest(&after)),
    ];
    let whose = sender_told_apart(whose, args.sender.as_deref());
    let mut judging = of_roots(roots, root_names, at, whose);
    judging.judge = judging.judge.expecting(expectations_told_apart(expectations, &args.expect));
    judging.connectors = connectors;
    if let (Some(path), true) =
        (&args.connectors.connectors, judging.connectors.is_empty() && left_out.is_empty())
        && !path.ends_with(LAB_CONNECTORS_NAME)
    {
        let path = path.display();
        judging
            .warnings
            .push(format!("--connectors {path}: there is no connector in it, so no mail goes by one"));
    }
    judging.by.connectors_left_out = left_out;
    for (option, words, sha256) in named {
        let named = OptionValue { words: words.clone(), sha256, files: BTreeMap::new() };
        judging.by.options.insert(option.to_string(), named);
    }
    for (option, named) in &mut judging.by.options {
        named.files = places.absolute(option, &named.words, |word| names_file(option, word));
    }
    Ok(judging)
}

fn word(path: &Path) -> String {
    path.display().to_string()
}

/// Whether a word of an option names a file.
pub(super) fn names_file(option: &str, word: &str) -> bool {
    match option {
        ROOTS => word != LAB_STORE && !STORES_WITHOUT_FILE.contains(&word),
        EXPECT | SENDER => is_file(word),
        CONNECTORS => true,
        _ => false,
    }
}

/// Judges by the roots and the connectors (TOML) of a fleet in this process.
pub(super) fn lab_judging(
    store: Store,
    connectors: &str,
    at: Timestamp,
    sender: Sender,
) -> Result<Judging, UsageError> {
    let told = |error: ConnectorError| UsageError(format!("the lab's connectors: {error}"));
    let list = connector::parse_toml(connectors).map_err(told)?;
    let by_connectors = OptionValue {
        words: vec![LAB_CONNECTORS_NAME.to_string()],
        files: BTreeMap::new(),
        sha256: digest(&[connectors.as_bytes()]),
    };
    let connectors = Arc::new(list.in_force(Vec::new()).map_err(told)?);
    let mut judging = of_roots(Roots::new(vec![store]), vec![LAB_STORE.to_string()], at, sender);
    judging.connectors = connectors;
    judging.by.options.insert(CONNECTORS.to_string(), by_connectors);
    Ok(judging)
}

fn of_roots(roots: Roots, root_names: Vec<String>, at: Timestamp, sender: Sender) -> Judging {
    let stores = OptionValue { words: root_names.clone(), sha256: roots.digest(), files: BTreeMap::new() };
    let by = JudgedBy { at, options: [(ROOTS.to_string(), stores)].into(), connectors_left_out: Vec::new() };
    let warnings = roots.warnings().cloned().collect();
    let judge = Judge::new(roots, at);
    Judging { judge, by, root_names, sender, connectors: Arc::default(), warnings }
}

/// SHA-256 over what was understood of a file: comments do not count.
pub(super) fn digest(parsed: &impl Debug) -> crate::model::Sha256 {
    x509::digest(format!("{parsed:?}").as_bytes())
}

/// The roots of the fleet that the run in the directory `run` was made on.
fn lab_roots(run: &Path) -> Result<(Roots, Vec<String>), UsageError> {
    let told = |error: UsageError| UsageError(format!("{error}; name others with --roots"));
    let path = run.join(LAB_ROOTS_NAME);
    let pem = read_file("the roots of the lab,", &path).map_err(told)?;
    let mut store = Store::new(LAB_STORE);
    let broken = |error| UsageError(format!("{}: {error}", path.display()));
    store.add_whole_file(&pem).map_err(broken).map_err(told)?;
    Ok((Roots::new(vec![store]), vec![LAB_STORE.to_string()]))
}

/// What the run `before` in the directory `run` was judged by, and in its
/// place what `args` names.
///
/// # Errors
/// [`UsageError`] for what cannot be found, and for what was not named anew
/// but holds another thing than it did for the run.
pub fn judging_again(
    args: &JudgingArgs,
    at: Option<Timestamp>,
    run: &Path,
    before: &RunInfo,
) -> Result<Judging, UsageError> {
    let old = &before.judged_by;
    let words = |option: &str, given: &[String]| match old.options.get(option) {
        Some(named) if given.is_empty() => named.words.clone(),
        _ => given.to_vec(),
    };
    let new = &args.connectors;
    let file: Vec<String> = new.connectors.iter().map(|path| word(path)).collect();
    // The accepted domains go with the file.
    let accepted = if file.is_empty() { words(ACCEPTED_DOMAIN, &[]) } else { new.accepted_domain.clone() };
    // Those of a lab stand beside the run, as its roots do.
    let scanned_lab = words(ROOTS, &[]) == [LAB_STORE];
    let named = words(CONNECTORS, &file).first().map(PathBuf::from);
    let beside = |path: PathBuf| {
        if scanned_lab && path.as_os_str() == LAB_CONNECTORS_NAME { run.join(path) } else { path }
    };
    let connectors = ConnectorArgs { connectors: named.map(beside), accepted_domain: accepted };
    let one =
        |option: &str, given: &Option<String>| given.clone().or_else(|| words(option, &[]).first().cloned());
    // What it does after a failure goes with the sender.
    let after_tls_failure = match args.sender {
        Some(_) => args.after_tls_failure.clone(),
        None => one(AFTER_TLS_FAILURE, &args.after_tls_failure),
    };
    let whole = JudgingArgs {
        roots: words(ROOTS, &args.roots),
        expect: words(EXPECT, &args.expect),
        sender: one(SENDER, &args.sender),
        after_tls_failure,
        connectors,
    };
    let of_lab = args.roots.is_empty() && whole.roots == [LAB_STORE];
    let typed = [
        (ROOTS, !args.roots.is_empty()),
        (EXPECT, !args.expect.is_empty()),
        (CONNECTORS, !file.is_empty()),
        (SENDER, args.sender.is_some()),
    ];
    let kept: Vec<&str> = typed.iter().filter(|(_, typed)| !typed).map(|(option, _)| *option).collect();
    let places = StoredFiles::of_run(&old.options, &kept);
    let stores = if of_lab { lab_roots(run)? } else { roots_in(&whole.roots, &places)? };
    let judging = judging_with(stores, &whole, at.unwrap_or(old.at), &places)?;
    // A sender that does another thing after a failure is another.
    let altered = |option: &&str| *option == SENDER && args.after_tls_failure.is_some();
    for option in kept.into_iter().filter(|option| !altered(option)) {
        check_same(option, &judging.by.options, &old.options, &before.mxray)?;
    }
    Ok(judging)
}

/// What was not named anew must still hold what it held.
pub(super) fn check_same(
    option: &str,
    now: &BTreeMap<String, OptionValue>,
    before: &BTreeMap<String, OptionValue>,
    mxray: &str,
) -> Result<(), UsageError> {
    match (now.get(option), before.get(option)) {
        (Some(now), Some(old)) if now.sha256 != old.sha256 => Err(UsageError(format!(
            "{}: changed since mxray {mxray} judged the run; to judge by the file as it is now, add --{option}",
            format!("--{option} {}", old.words.join(" ")).trim_end(),
        ))),
        _ => Ok(()),
    }
}
