//! Where a command writes that was not told where: a folder of its own.

use crate::run_dir::OutputError;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// How many commands that begin in one second find a folder of their own.
const SAME_SECOND_MAX: u32 = 100;

/// Makes the folder that was given; or one named by prefix and second (UTC), with a number
/// behind it where another command has that already.
///
/// # Errors
/// That of `create`.
pub(super) fn in_folder<T>(
    given: Option<&Path>,
    prefix: &str,
    create: impl Fn(&Path) -> Result<T, OutputError>,
) -> Result<T, OutputError> {
    if let Some(path) = given {
        return create(path);
    }
    in_folder_of(&format!("{prefix}-{}", Timestamp::now().strftime("%Y%m%d-%H%M%SZ")), create)
}

fn in_folder_of<T>(name: &str, create: impl Fn(&Path) -> Result<T, OutputError>) -> Result<T, OutputError> {
    let mut made = create(Path::new(name));
    for number in 2..=SAME_SECOND_MAX {
        let is_taken = matches!(made, Err(OutputError::NotEmpty { .. } | OutputError::InUse { .. }));
        if !is_taken {
            break;
        }
        made = create(&PathBuf::from(format!("{name}-{number}")));
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn taken(path: &Path) -> OutputError {
        OutputError::NotEmpty { dir: path.to_path_buf() }
    }

    #[test]
    fn a_folder_that_another_has_is_passed_over() {
        let folders = RefCell::new(Vec::new());
        let create = |path: &Path| {
            let is_new = !folders.borrow().contains(&path.to_path_buf());
            folders.borrow_mut().push(path.to_path_buf());
            is_new.then(|| path.to_path_buf()).ok_or_else(|| taken(path))
        };
        let made: Vec<PathBuf> = (0..3).filter_map(|_| in_folder_of("run", create).ok()).collect();
        assert_eq!(made, ["run", "run-2", "run-3"].map(PathBuf::from));
    }

    #[test]
    fn a_folder_that_was_given_is_no_other() {
        let made = in_folder(Some(Path::new("run")), "mxray", |path| Err::<(), _>(taken(path)));
        assert!(matches!(made, Err(OutputError::NotEmpty { dir }) if dir == Path::new("run")));
    }

    #[test]
    fn who_finds_none_ends() {
        let tried = RefCell::new(0);
        let made = in_folder_of("run", |path| {
            *tried.borrow_mut() += 1;
            Err::<(), _>(taken(path))
        });
        assert!(made.is_err());
        assert_eq!(tried.into_inner(), SAME_SECOND_MAX);
    }
}
