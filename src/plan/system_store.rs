//! The roots that this system trusts. Where they are files, they are read as
//! files of roots are; what cannot be taken of them is a warning, because it
//! is no loss to the others.

use crate::trust::Store;

/// Most warnings about one store.
const WARNINGS_MAX: usize = 5;

/// Puts the roots of the system into the store, and what was not taken into
/// its warnings.
pub(super) fn fill(store: &mut Store) {
    let mut warnings = Warnings::default();
    from_system(store, &mut warnings);
    let Warnings { first, count } = warnings;
    let more = count - first.len();
    first.into_iter().for_each(|warning| store.warn(warning));
    if more > 0 {
        store.warn(format!("the system's roots: {more} more that were not taken"));
    }
}

/// The first [`WARNINGS_MAX`], and how many there are.
#[derive(Default)]
struct Warnings {
    first: Vec<String>,
    count: usize,
}

impl Warnings {
    fn push(&mut self, warning: String) {
        self.count += 1;
        if self.first.len() < WARNINGS_MAX {
            self.first.push(warning);
        }
    }
}

#[cfg(all(unix, not(target_vendor = "apple")))]
use files::from_system;

#[cfg(all(unix, not(target_vendor = "apple")))]
mod files {
    use super::{Store, Warnings};
    use crate::plan::read_file;
    use std::collections::HashSet;
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// What OpenSSL looks at before its own places.
    const FILE_VARIABLE: &str = "SSL_CERT_FILE";
    const FOLDERS_VARIABLE: &str = "SSL_CERT_DIR";

    pub(super) fn from_system(store: &mut Store, warnings: &mut Warnings) {
        let mut seen = HashSet::new();
        let files: Vec<_> = places().iter().flat_map(|place| files_of(place, warnings)).collect();
        for path in files {
            // Folders are full of links to the same few files.
            if seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                add(store, &path, warnings);
            }
        }
    }

    /// The file and the folders that hold the roots.
    fn places() -> Vec<PathBuf> {
        let file = env::var_os(FILE_VARIABLE).map(PathBuf::from);
        let folders = env::var_os(FOLDERS_VARIABLE);
        if file.is_none() && folders.is_none() {
            let found = openssl_probe::probe();
            return found.cert_file.into_iter().chain(found.cert_dir).collect();
        }
        let folders = folders.iter().flat_map(|folders| env::split_paths(folders));
        file.into_iter().chain(folders).filter(|path| !path.as_os_str().is_empty()).collect()
    }

    /// The file itself, or those of a folder.
    fn files_of(place: &Path, warnings: &mut Warnings) -> Vec<PathBuf> {
        if !place.is_dir() {
            return vec![place.to_path_buf()];
        }
        match fs::read_dir(place) {
            Ok(entries) => {
                let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
                let mut files: Vec<_> = paths.filter(|path| path.is_file()).collect();
                files.sort();
                files
            }
            Err(error) => {
                warnings.push(format!("{}: {error}", place.display()));
                Vec::new()
            }
        }
    }

    fn add(store: &mut Store, path: &Path, warnings: &mut Warnings) {
        match read_file("the system's roots,", path) {
            Ok(file) => {
                let found = store.add_file(&file);
                let untold = found.not_taken_count - found.not_taken.len();
                for not_taken in found.not_taken {
                    warnings.push(format!("the system's roots, {}: {not_taken}", path.display()));
                }
                warnings.count += untold;
            }
            Err(error) => warnings.push(error.0),
        }
    }
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn from_system(store: &mut Store, warnings: &mut Warnings) {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        warnings.push(format!("the system's roots: {error}"));
    }
    for der in found.certs {
        if let Err(error) = store.add_der(&der) {
            warnings.push(format!("the system's roots: {error}"));
        }
    }
}
