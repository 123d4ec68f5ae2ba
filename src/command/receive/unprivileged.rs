//! Gives up root, once nothing is left that needs it.

#[cfg(unix)]
pub(super) use unix::{User, user};

#[cfg(not(unix))]
pub(super) use elsewhere::{User, user};

#[cfg(unix)]
mod unix {
    use crate::command::CommandError;
    use crate::plan::UsageError;
    use nix::unistd::{self, Uid, setgid, setgroups, setuid};
    use std::fmt::Display;
    use std::io;
    use std::os::unix::fs::lchown;
    use std::path::Path;

    /// The user that nobody trusts with anything.
    const DEFAULT_USER: &str = "nobody";

    /// The user as which root goes on.
    pub(in crate::command::receive) struct User(unistd::User);

    /// As whom this process goes on; `None` where it is not root, and stays who it is.
    ///
    /// # Errors
    /// There is no such user, or it is root; or this one may become nobody else.
    pub(in crate::command::receive) fn user(given: Option<&str>) -> Result<Option<User>, CommandError> {
        let name = given.unwrap_or(DEFAULT_USER);
        if !Uid::effective().is_root() {
            return match given {
                None => Ok(None),
                Some(_) => Err(failed(name, &"only root can become another user")),
            };
        }
        let found = unistd::User::from_name(name).map_err(|error| failed(name, &error))?;
        match found {
            None => Err(failed(name, &"there is no such user")),
            Some(found) if found.uid.is_root() => Err(failed(name, &"it is root; name another")),
            Some(found) => Ok(Some(User(found))),
        }
    }

    impl User {
        pub(in crate::command::receive) fn name(&self) -> &str {
            &self.0.name
        }

        /// Gives the run directory to the user, and goes on as that user.
        ///
        /// # Errors
        /// The system does not let us.
        pub(in crate::command::receive) fn become_it(&self, dir: &Path) -> Result<(), CommandError> {
            let Self(user) = self;
            self.own(dir).map_err(|error| failed(&user.name, &format!("{}: {error}", dir.display())))?;
            setgroups(&[user.gid])
                .and_then(|()| setgid(user.gid))
                .and_then(|()| setuid(user.uid))
                .map_err(|error| failed(&user.name, &error))
        }

        /// What to do where the user cannot write to the run directory.
        pub(in crate::command::receive) fn cannot_write(
            &self,
            dir: &Path,
            error: &io::Error,
        ) -> CommandError {
            let dir = dir.display();
            let why = format!(
                "cannot write to {dir}: {error}; name a directory with -o that this user can get to, as one in \
                 /var/tmp, or another user with --user; {dir} was made and can be removed"
            );
            failed(&self.0.name, &why)
        }

        /// Gives a directory and its files to the user, not a link to it.
        fn own(&self, dir: &Path) -> io::Result<()> {
            let dir = dir.canonicalize()?;
            let (uid, gid) = (Some(self.0.uid.as_raw()), Some(self.0.gid.as_raw()));
            for entry in std::fs::read_dir(&dir)? {
                lchown(entry?.path(), uid, gid)?;
            }
            lchown(dir, uid, gid)
        }
    }

    fn failed(name: &str, why: &dyn Display) -> CommandError {
        UsageError(format!("--user {name}: {why}")).into()
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use crate::command::CommandError;
    use crate::plan::UsageError;
    use std::io;
    use std::path::Path;

    /// There is no root to give up.
    pub(in crate::command::receive) enum User {}

    /// Nobody: there is no root to give up.
    ///
    /// # Errors
    /// A user was named.
    pub(in crate::command::receive) fn user(given: Option<&str>) -> Result<Option<User>, CommandError> {
        match given {
            None => Ok(None),
            Some(name) => {
                Err(UsageError(format!("--user {name}: only on Unix can a program become another user"))
                    .into())
            }
        }
    }

    impl User {
        pub(in crate::command::receive) fn name(&self) -> &str {
            match *self {}
        }

        pub(in crate::command::receive) fn become_it(&self, _dir: &Path) -> Result<(), CommandError> {
            match *self {}
        }

        pub(in crate::command::receive) fn cannot_write(
            &self,
            _dir: &Path,
            _error: &io::Error,
        ) -> CommandError {
            match *self {}
        }
    }
}
