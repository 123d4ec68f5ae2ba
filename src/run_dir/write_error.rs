//! Errors of the system that say which file they are about.

use std::io;

/// The error, and that it was met writing the file `name`.
pub(super) fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {name}: {error}"))
}
