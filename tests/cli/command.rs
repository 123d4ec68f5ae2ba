//! Runs `mxray` in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// More than any run here takes, on a busy machine; then it is killed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of the command came to.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// A folder with the lists of one test; commands run inside it, so that no
/// message names a path of this machine.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and gives the folder back.
    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command, its standard streams piped.
    pub fn mxray<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mxray"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end with at most 64 open files.
    #[cfg(unix)]
    pub fn run_with_few_files(&self, arguments: Vec<String>) -> Ran {
        let line = format!("ulimit -n 64 && exec {} \"$@\"", env!("CARGO_BIN_EXE_mxray"));
        let mut command = Command::new("sh");
        command.args(["-c", &line, "mxray"]).args(arguments).current_dir(self.path());
        assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap().into()
    }

    /// Runs the command to its end.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.run_with_input(arguments, b"")
    }

    /// Runs the command to its end with `input` on its standard input.
    pub fn run_with_input<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Ran {
        let mut command = assert_cmd::Command::from_std(self.mxray(arguments));
        command.timeout(PATIENCE).write_stdin(input).output().unwrap().into()
    }
}
