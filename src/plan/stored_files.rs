//! Where files are that verdicts are made by. A run names them from its own
//! working directory; whoever judges it again may be in another.

use super::{UsageError, read_file};
use crate::run_dir::OptionValue;
use std::collections::BTreeMap;
use std::path::{self, Path, PathBuf};

/// The files of a stored run, by option and word; none for words that were
/// just typed, which name a file from here.
#[derive(Default)]
pub(super) struct StoredFiles(BTreeMap<(String, String), PathBuf>);

impl StoredFiles {
    /// Those of a run, for the `options` that are taken over from it. A run
    /// that does not say where it was leaves only the words.
    pub(super) fn of_run(by: &BTreeMap<String, OptionValue>, options: &[&str]) -> Self {
        let mut places = BTreeMap::new();
        for option in options {
            let Some(named) = by.get(*option) else { continue };
            for word in &named.words {
                let path = named.files.get(word).unwrap_or(word);
                places.insert((option.to_string(), word.clone()), PathBuf::from(path));
            }
        }
        Self(places)
    }

    fn stored(&self, option: &str, word: &Path) -> Option<&Path> {
        let key = (option.to_string(), word.display().to_string());
        self.0.get(&key).map(PathBuf::as_path)
    }

    /// Reads the file that `word` names to `option`.
    ///
    /// # Errors
    /// [`UsageError`] if it cannot be read or is too large.
    pub(super) fn read(&self, option: &str, word: &Path) -> Result<Vec<u8>, UsageError> {
        let Some(path) = self.stored(option, word) else { return read_file(&format!("--{option}"), word) };
        read_file(&format!("--{option}"), path).map_err(|error| {
            UsageError(format!("{error}; the run was judged by this file; name another with --{option}"))
        })
    }

    /// Where each of the words that `is_file` says are files is, for whoever
    /// comes from another directory.
    pub(super) fn absolute(
        &self,
        option: &str,
        words: &[String],
        is_file: impl Fn(&str) -> bool,
    ) -> BTreeMap<String, String> {
        let files = words.iter().filter(|word| is_file(word));
        let place = |word: &String| {
            let path = self.stored(option, Path::new(word)).unwrap_or(Path::new(word));
            // Without a working directory the word is all there is.
            let path = path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            (word.clone(), path.display().to_string())
        };
        files.map(place).collect()
    }
}
