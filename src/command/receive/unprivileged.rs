//! Gives up root, once nothing is left that needs it.

use super::CommandError;
#[cfg(unix)]
use crate::plan::UsageError;
use std::path::Path;

/// The user that nobody trusts with anything.
#[cfg(unix)]
const DEFAULT_USER: &str = "nobody";

/// Goes on as another user, if this one is root, and gives it the run directory; the name
/// of the user then.
///
/// # Errors
/// There is no such user, or the system does not let us.
#[cfg(unix)]
pub(super) fn drop_root(user: Option<&str>, dir: &Path) -> Result<Option<String>, CommandError> {
    use nix::unistd::{Uid, User, setgid, setgroups, setuid};
    if !Uid::effective().is_root() {
        return match user {
            None => Ok(None),
            Some(user) => Err(UsageError(format!("--user {user}: only root can become another user")).into()),
        };
    }
    let name = user.unwrap_or(DEFAULT_USER);
    let failed = |what: &str, error: nix::Error| UsageError(format!("--user {name}: {what}: {error}"));
    let found = User::from_name(name).map_err(|error| failed("cannot be looked up", error))?;
    let found = found.ok_or_else(|| UsageError(format!("--user {name}: there is no such user")))?;
    if found.uid.is_root() {
        return Err(UsageError(format!("--user {name}: it is root; name another")).into());
    }
    give(dir, &found).map_err(|error| UsageError(format!("--user {name}: {}: {error}", dir.display())))?;
    setgroups(&[found.gid]).map_err(|error| failed("cannot leave the groups of root", error))?;
    setgid(found.gid).map_err(|error| failed("cannot take its group", error))?;
    setuid(found.uid).map_err(|error| failed("cannot become it", error))?;
    Ok(Some(found.name))
}

/// Gives a directory and its files to a user.
#[cfg(unix)]
fn give(dir: &Path, user: &nix::unistd::User) -> std::io::Result<()> {
    let owner = (Some(user.uid.as_raw()), Some(user.gid.as_raw()));
    for entry in std::fs::read_dir(dir)? {
        std::os::unix::fs::lchown(entry?.path(), owner.0, owner.1)?;
    }
    std::os::unix::fs::lchown(dir, owner.0, owner.1)
}

/// The same, where there is no root.
#[cfg(not(unix))]
pub(super) fn drop_root(_user: Option<&str>, _dir: &Path) -> Result<Option<String>, CommandError> {
    Ok(None)
}
