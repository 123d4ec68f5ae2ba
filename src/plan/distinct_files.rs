//! No file that a command writes is another that it reads or writes: whoever
//! names one twice by mistake must not lose it. And no pipe is read twice: each
//! reader would get what the other left.

use super::UsageError;
use super::sender::is_file;
use super::stores::STORES_WITHOUT_FILE;
use crate::cli::{AskArgs, ClientCertArgs, Command, JudgingArgs, RootsCommand};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Links to follow before a path counts as one without an end; Linux follows
/// as many.
const LINKS_MAX: usize = 40;

/// A file that a command line names.
struct NamedFile {
    /// The option or argument, and its word.
    words: String,
    identity: Identity,
    is_written: bool,
    /// A pipe, which gives what it holds to one reader.
    is_pipe: bool,
    /// Standard output or standard error, which a shell may well lead to one
    /// file.
    takes_words: bool,
}

/// What two names have in common where they name one file.
#[derive(PartialEq, Eq)]
enum Identity {
    /// Device and inode, which hard links share.
    #[cfg(unix)]
    Inode(u64, u64),
    /// Canonical path; of a file that is not there yet, that of its folder and
    /// its name.
    Path(PathBuf),
}

/// A file that is there, or would be.
struct KnownFile {
    identity: Identity,
    is_pipe: bool,
}

/// Refuses a command line on which a file to be written is named twice, or is
/// one that is read, and one on which a pipe is read twice. Nothing is opened.
///
/// # Errors
/// [`UsageError`] that names both.
pub fn check_distinct_files(command: &Command) -> Result<(), UsageError> {
    let files = named_by(command);
    for (position, second) in files.iter().enumerate() {
        for first in files.iter().take(position) {
            if first.identity != second.identity {
                continue;
            }
            let (first_words, second_words) = (&first.words, &second.words);
            if first.is_pipe {
                let text = format!("{first_words} and {second_words} are the same pipe; use a file for one");
                return Err(UsageError(text));
            }
            let is_written = first.is_written || second.is_written;
            if is_written && !(first.takes_words && second.takes_words) {
                let text = format!("{first_words} and {second_words} are the same file; name another");
                return Err(UsageError(text));
            }
        }
    }
    Ok(())
}

/// The files of one command line.
#[derive(Default)]
struct Files(Vec<NamedFile>);

fn named_by(command: &Command) -> Vec<NamedFile> {
    let mut files = Files::default();
    match command {
        Command::Scan(args) if args.list.as_deref() == Some("-") => files.read_standard_input(),
        Command::Scan(args) => {
            args.list.iter().for_each(|list| files.read("INPUT", list));
            files.write("--resume", &args.resume);
        }
        _ => {}
    }
    match command {
        Command::Scan(args) => {
            files.write("--output", &args.output);
            files.read_asking(&args.asking);
            files.read_judging(&args.judging);
        }
        Command::Probe(args) => {
            files.read_asking(&args.asking);
            files.read_judging(&args.judging);
        }
        Command::Judge(args) => {
            files.read("RUN_DIR", &args.run);
            files.write("--output", &args.output);
            files.read_judging(&args.judging);
        }
        Command::Merge(args) => {
            args.runs.iter().for_each(|run| files.read("RUN_DIR", run));
            files.write("--output", &args.output);
        }
        Command::Diff(args) => {
            files.read("RUN_A", &args.before);
            files.read("RUN_B", &args.after);
            files.write("--output", &args.output);
        }
        Command::Report(args) => files.of_run(&args.run, &args.output),
        #[cfg(feature = "export")]
        Command::Export(args) => files.of_run(&args.run, &args.output),
        Command::Tlsrpt(args) => files.of_run(&args.run, &args.output),
        #[cfg(feature = "lab")]
        Command::Demo(args) => files.write("--output", &args.output),
        #[cfg(feature = "lab")]
        Command::Lab(args) => files.of_lab(args),
        #[cfg(feature = "receive")]
        Command::Receive(args) => files.of_receive(args),
        Command::Bench(args) => {
            files.read_all("--baseline", &args.baseline);
            files.write("--save", &args.save);
            files.read_client_certificate(&args.dialogue.client);
        }
        Command::Roots(args) => files.of_roots(&args.command),
        Command::Senders(_) | Command::Explain(_) | Command::Completions(_) => {}
        Command::Man(args) => files.write("--output", &args.output),
        Command::Revocation(args) => {
            files.read("TARGET", &args.target);
            files.read_asking(&args.asking);
            files.read_stores("--roots", &args.roots);
        }
        Command::Preflight(args) => {
            files.read_asking(&args.asking);
            files.write("--probing-file", &args.probing_file);
        }
    }
    files.write_standard_streams();
    files.0
}

impl Files {
    /// A run that is read, and what is made of it.
    fn of_run(&mut self, run: &Path, output: &Option<PathBuf>) {
        self.read("RUN_DIR", run);
        self.write("--output", output);
    }

    #[cfg(feature = "receive")]
    fn of_receive(&mut self, args: &crate::cli::ReceiveArgs) {
        self.write("--output", &args.output);
        if is_file(&args.learn_from) {
            self.read("--learn-from", Path::new(&args.learn_from));
        }
        args.cert.iter().for_each(|path| self.read("--cert", path));
        args.key.iter().for_each(|path| self.read("--key", path));
        self.read_stores("--roots", &args.judging.roots);
        self.read_all("--connectors", &args.judging.connectors);
    }

    fn of_roots(&mut self, command: &RootsCommand) {
        match command {
            RootsCommand::Check(args) => {
                self.read_all("--needs", &args.needs);
                self.read_stores("--store", &args.store);
            }
            RootsCommand::List(args) => self.read_stores("--store", &args.store),
        }
    }

    #[cfg(feature = "lab")]
    fn of_lab(&mut self, args: &crate::cli::LabArgs) {
        self.read_all("--domains", &args.domains);
        self.read_all("--population", &args.population);
        args.check.iter().for_each(|path| self.read("--check", path));
        self.write("--write-list", &args.write_list);
        self.write("--log", &args.log);
        self.write("--truth", &args.truth);
        self.write("--roots", &args.roots);
        self.write("--endpoints", &args.endpoints);
        self.write("--connectors", &args.connectors);
        self.write("--counters", &args.counters);
    }

    fn push(&mut self, option: &str, path: &Path, is_written: bool) {
        let words = format!("{option} {}", path.display());
        self.add(words, named_file(path, is_written), is_written, false);
    }

    fn add(&mut self, words: String, known: Option<KnownFile>, is_written: bool, takes_words: bool) {
        if let Some(KnownFile { identity, is_pipe }) = known {
            self.0.push(NamedFile { words, identity, is_written, is_pipe, takes_words });
        }
    }

    fn read(&mut self, option: &str, path: impl AsRef<Path>) {
        self.push(option, path.as_ref(), false);
    }

    fn read_all<P: AsRef<Path>>(&mut self, option: &str, paths: impl IntoIterator<Item = P>) {
        paths.into_iter().for_each(|path| self.read(option, path));
    }

    fn write(&mut self, option: &str, path: &Option<PathBuf>) {
        path.iter().for_each(|path| self.push(option, path, true));
    }

    fn read_stores(&mut self, option: &str, words: &[String]) {
        self.read_all(option, words.iter().filter(|word| !STORES_WITHOUT_FILE.contains(&word.as_str())));
    }

    fn read_client_certificate(&mut self, args: &ClientCertArgs) {
        self.read_all("--client-cert", &args.client_cert);
        self.read_all("--client-key", &args.client_key);
    }

    fn read_asking(&mut self, args: &AskArgs) {
        self.read_client_certificate(&args.dialogue.client);
        self.read_all("--blocklist", &args.blocklist);
    }

    fn read_judging(&mut self, args: &JudgingArgs) {
        self.read_stores("--roots", &args.roots);
        self.read_all("--expect", args.expect.iter().filter(|word| is_file(word)));
        self.read_all("--sender", args.sender.iter().filter(|word| is_file(word)));
        self.read_all("--connectors", &args.connectors.connectors);
    }

    fn stream(&mut self, name: &str, metadata: io::Result<Metadata>, is_written: bool) {
        let known = metadata.ok().and_then(|metadata| open_file(Path::new(""), &metadata, is_written));
        self.add(name.to_string(), known, is_written, is_written);
    }

    fn read_standard_input(&mut self) {
        self.stream("standard input", streams::input(), false);
    }

    fn write_standard_streams(&mut self) {
        self.stream("standard output", streams::output(), true);
        self.stream("standard error", streams::error(), true);
    }
}

/// What is there: a file, a folder, or a pipe that is read. `None` for pipes that
/// are written and for devices, which have no content that could be lost.
fn open_file(path: &Path, metadata: &Metadata, is_written: bool) -> Option<KnownFile> {
    let is_pipe = is_pipe(metadata);
    let counts = if is_pipe { !is_written } else { metadata.is_file() || metadata.is_dir() };
    let identity = if counts { of_existing(path, metadata) } else { None };
    identity.map(|identity| KnownFile { identity, is_pipe })
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_metadata: &Metadata) -> bool {
    false
}

/// What the path leads to, or would once it is written; `None` where nothing is
/// and nothing can be.
fn named_file(path: &Path, is_written: bool) -> Option<KnownFile> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        if let Ok(metadata) = fs::metadata(&path) {
            return open_file(&path, &metadata, is_written);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // A link to what is not there yet: writing makes it.
        match fs::read_link(&path) {
            Ok(to) => path = folder.join(to),
            Err(_) => {
                let identity = Identity::Path(fs::canonicalize(folder).ok()?.join(path.file_name()?));
                return Some(KnownFile { identity, is_pipe: false });
            }
        }
    }
    None
}

#[cfg(unix)]
fn of_existing(_path: &Path, metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity::Inode(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn of_existing(path: &Path, _metadata: &Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok().map(Identity::Path)
}

#[cfg(unix)]
mod streams {
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};

    fn metadata(stream: BorrowedFd<'_>) -> io::Result<Metadata> {
        File::from(stream.try_clone_to_owned()?).metadata()
    }

    pub(super) fn input() -> io::Result<Metadata> {
        metadata(io::stdin().as_fd())
    }

    pub(super) fn output() -> io::Result<Metadata> {
        metadata(io::stdout().as_fd())
    }

    pub(super) fn error() -> io::Result<Metadata> {
        metadata(io::stderr().as_fd())
    }
}

/// Which file a stream leads to cannot be told there.
#[cfg(not(unix))]
mod streams {
    use std::fs::Metadata;
    use std::io::{self, ErrorKind};

    pub(super) fn input() -> io::Result<Metadata> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn output() -> io::Result<Metadata> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn error() -> io::Result<Metadata> {
        Err(ErrorKind::Unsupported.into())
    }
}
