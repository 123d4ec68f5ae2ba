//! Root stores by the words that name them.

use super::sender::is_file;
use super::stored_files::StoredFiles;
use super::{UsageError, system_store};
use crate::trust::{Roots, Store};
use std::collections::HashSet;
use std::path::Path;

/// Loads root stores by name or file; all of them count together.
///
/// # Errors
/// [`UsageError`] for the first that cannot be.
pub fn roots(given: &[String]) -> Result<(Roots, Vec<String>), UsageError> {
    roots_in(given, &StoredFiles::default())
}

pub(super) fn roots_in(given: &[String], places: &StoredFiles) -> Result<(Roots, Vec<String>), UsageError> {
    let mut names = if given.is_empty() { vec!["mozilla".to_string()] } else { given.to_vec() };
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let stores: Result<Vec<_>, _> = names.iter().map(|name| store_in("roots", name, places)).collect();
    Ok((Roots::new(stores?), names))
}

/// Loads a root store by name or file for `option`, which is named without its
/// dashes.
///
/// # Errors
/// [`UsageError`] where there is none, or one that cannot be read.
pub fn store(option: &str, name: &str) -> Result<Store, UsageError> {
    store_in(option, name, &StoredFiles::default())
}

/// Names of root stores that are no files.
pub(super) const STORES_WITHOUT_FILE: [&str; 3] = ["mozilla", "microsoft", "system"];

fn store_in(option: &str, name: &str, places: &StoredFiles) -> Result<Store, UsageError> {
    match name {
        "mozilla" => Ok(Store::mozilla()),
        "microsoft" => {
            Store::microsoft().map_err(|error| UsageError(format!("--{option} microsoft: {error}")))
        }
        "system" => system_store(option),
        path => file_store(option, path, places),
    }
}

fn system_store(option: &str) -> Result<Store, UsageError> {
    let mut store = Store::new("system");
    system_store::fill(&mut store);
    if store.is_empty() {
        let warnings = store.warnings().iter().map(|warning| format!("; {warning}"));
        return Err(UsageError(format!(
            "--{option} system: this system has no root store; use mozilla, microsoft or a PEM file{}",
            warnings.collect::<String>()
        )));
    }
    Ok(store)
}

/// The stores that are built in or found by name.
const STORE_NAMES: &str = "stores by name are `mozilla`, `microsoft` and `system`";

/// The store is called as the file is, `_` for each blank: names of stores
/// stand in one column with blanks between.
fn file_store(option: &str, path: &str, places: &StoredFiles) -> Result<Store, UsageError> {
    let told = |error: String| UsageError(format!("--{option} {path}: {error}"));
    let mut store = Store::new(&path.replace(char::is_whitespace, "_"));
    let file = places.read(option, Path::new(path)).map_err(|error| {
        // A bare word may be meant as a name.
        if is_file(path) { error } else { UsageError(format!("{error} ({STORE_NAMES})")) }
    })?;
    let found = store.add_file(&file);
    if let Some(first) = found.not_taken.first() {
        return Err(told(format!("{first}{}", more(found.not_taken_count))));
    }
    match (found.taken, found.refusing) {
        (0, 0) => Err(told(format!("it holds no certificate, PEM or DER ({STORE_NAMES})"))),
        (0, _) => Err(told(
            "it holds no root for TLS servers: the trust data of every certificate excludes them".into(),
        )),
        (_, 0) => Ok(store),
        (_, refusing) => {
            let what = "are not used as roots: their trust data exclude TLS servers";
            store.warn(format!("--{option} {path}: certificates that {what}: {refusing}"));
            Ok(store)
        }
    }
}

/// How much else was not taken than the one that is told.
pub(super) fn more(count: usize) -> String {
    if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_not_there_is_named() {
        let missing = roots(&["no-such-file.pem".to_string()]).err().unwrap().to_string();
        assert!(missing.starts_with("--roots no-such-file.pem: "), "{missing}");
    }
}
