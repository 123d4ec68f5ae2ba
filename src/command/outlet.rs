//! A standard stream that is written on a thread of its own: where nobody
//! reads it any more, only that thread waits, and whoever has to come to an end
//! does.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a stream may take nothing, where an end waits for it, before nobody
/// is thought to read it.
const UNREAD_AFTER: Duration = Duration::from_secs(2);

/// The same for standard error, where nothing is lost but words.
const WORDS_UNREAD_AFTER: Duration = Duration::from_secs(1);

/// What is said of such a stream.
pub(super) const UNREAD: &str = "nobody reads it";

/// Words that may wait for a reader of standard error, in bytes.
const WORDS_WAITING_BYTES_MAX: usize = 256 * 1024;

/// How often whoever waits for a stream looks whether it still should.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Most that is written at once: a pipe takes a write whole or waits, and who
/// waits for it sees no part of it.
const WRITE_BYTES_MAX: usize = 4096;

/// Pause before a stream that does not block is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// What became of what was handed over.
#[derive(Debug)]
pub(super) enum Handed {
    /// The system took all of it.
    Whole,
    /// It could not be written.
    Failed(io::Error),
    /// Nobody reads it.
    Unread,
}

/// A stream with a thread of its own, which lives as long as the process.
#[derive(Clone)]
pub(super) struct Outlet(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<OutletState>,
    /// Something was handed over, or taken.
    moved: Condvar,
}

#[derive(Default)]
struct OutletState {
    /// What the thread has not taken up yet.
    waiting: Vec<u8>,
    /// Bytes handed over so far.
    given: u64,
    /// Those of them that the thread is done with.
    done: u64,
    /// Whole lines that the system took.
    lines: u64,
    error: Option<io::Error>,
    /// Nobody reads: words are not waited for, until something is taken.
    unread: bool,
    /// Words that were dropped since something was taken.
    dropped: u64,
}

impl Outlet {
    /// Begins the thread of a stream.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn new(name: &str, to: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        thread::Builder::new().name(name.to_string()).spawn(move || own.serve(to))?;
        Ok(Self(shared))
    }

    /// That of standard output.
    ///
    /// # Errors
    /// The system has no thread or file left.
    pub(super) fn stdout() -> io::Result<Self> {
        Self::new("stdout", stdout()?)
    }

    /// Hands bytes over and does not wait. Whoever hands over much waits in
    /// between, or it gathers in memory.
    pub(super) fn give(&self, bytes: &[u8]) {
        self.0.lock().give(bytes);
        self.0.moved.notify_all();
    }

    /// Whole lines that the system has taken so far.
    pub(super) fn lines(&self) -> u64 {
        self.0.lock().lines
    }

    /// Waits until the system has taken all that was handed over, however long
    /// a reader takes. `is_hurried` is asked again and again; from its first
    /// yes on a stream that takes nothing for [`UNREAD_AFTER`] is given up.
    pub(super) fn wait(&self, is_hurried: impl FnMut() -> bool) -> Handed {
        self.0.wait(UNREAD_AFTER, is_hurried)
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.give(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard output without the lock and the buffer of the standard library,
/// whose end would wait for a reader.
#[cfg(unix)]
fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

impl OutletState {
    fn give(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        self.given += bytes.len() as u64;
    }

    /// Takes up what waits, and what must be said in its place.
    fn take_up(&mut self) -> Vec<u8> {
        if self.dropped > 0 {
            let told = format!("mxray: {} lines are missing here: nobody read them\n", self.dropped);
            self.dropped = 0;
            self.give(told.as_bytes());
        }
        std::mem::take(&mut self.waiting)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, OutletState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause<'a>(&self, state: MutexGuard<'a, OutletState>, most: Duration) -> MutexGuard<'a, OutletState> {
        self.moved.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Writes what is handed over. After an error it goes on with what comes
    /// next: a disk may have room again.
    fn serve(&self, mut to: impl Write) {
        loop {
            let mut state = self.lock();
            while state.waiting.is_empty() {
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let bytes = state.take_up();
            drop(state);
            self.write(&mut to, &bytes);
        }
    }

    fn write(&self, to: &mut impl Write, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match to.write(bytes.get(..WRITE_BYTES_MAX).unwrap_or(bytes)) {
                Ok(0) => return self.failed(ErrorKind::WriteZero.into(), bytes.len()),
                Ok(count) => {
                    let (taken, rest) = bytes.split_at(count);
                    self.taken(taken);
                    bytes = rest;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TRY_AGAIN_AFTER),
                Err(error) => return self.failed(error, bytes.len()),
            }
        }
    }

    fn taken(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.done += bytes.len() as u64;
        state.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        state.unread = false;
        self.moved.notify_all();
    }

    fn failed(&self, error: io::Error, count: usize) {
        let mut state = self.lock();
        state.done += count as u64;
        state.error.get_or_insert(error);
        self.moved.notify_all();
    }

    fn wait(&self, patience: Duration, mut is_hurried: impl FnMut() -> bool) -> Handed {
        let mut state = self.lock();
        let (mut done, mut since) = (state.done, Instant::now());
        loop {
            if let Some(error) = state.error.take() {
                return Handed::Failed(error);
            }
            if state.done == state.given {
                return Handed::Whole;
            }
            state = self.pause(state, LOOK_EVERY);
            let moves = state.done != done;
            done = state.done;
            // It may do other work meanwhile.
            drop(state);
            if !is_hurried() || moves {
                since = Instant::now();
            } else if since.elapsed() >= patience {
                return Handed::Unread;
            }
            state = self.lock();
        }
    }
}

/// Standard error, for words. `None` where the system has no thread for it.
static WORDS: LazyLock<Option<Outlet>> = LazyLock::new(|| Outlet::new("stderr", io::stderr()).ok());

/// Words for standard error. They wait for a reader that is slow; where nobody
/// reads, they are dropped, and the next that reads is told how many.
pub(super) fn words(bytes: &[u8]) {
    match &*WORDS {
        Some(outlet) => outlet.0.words(bytes),
        None => drop(io::stderr().write_all(bytes)),
    }
}

/// Waits until the words so far are written, if anybody reads them.
pub(super) fn settle() {
    if let Some(outlet) = &*WORDS {
        outlet.0.settle();
    }
}

/// Standard error for a library that writes there: what is written is one line,
/// or several.
pub(super) struct StderrLines;

impl Write for StderrLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        words(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn words(&self, bytes: &[u8]) {
        let mut state = self.lock();
        while state.waiting.len() >= WORDS_WAITING_BYTES_MAX {
            let (done, since) = (state.done, Instant::now());
            while state.done == done && !state.unread {
                state = self.pause(state, LOOK_EVERY);
                state.unread |= state.done == done && since.elapsed() >= WORDS_UNREAD_AFTER;
            }
            if state.unread {
                state.dropped += 1;
                return;
            }
        }
        state.give(bytes);
        self.moved.notify_all();
    }

    fn settle(&self) {
        if self.lock().unread {
            return;
        }
        if matches!(self.wait(WORDS_UNREAD_AFTER, || true), Handed::Unread) {
            self.lock().unread = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, Read, pipe};

    /// More than a pipe holds, in lines of a kilobyte.
    fn much() -> Vec<u8> {
        let line = [vec![b'x'; 1023], vec![b'\n']].concat();
        line.repeat(512)
    }

    fn unread() -> (PipeReader, Outlet) {
        let (reader, writer) = pipe().unwrap();
        let outlet = Outlet::new("test", writer).unwrap();
        outlet.give(&much());
        (reader, outlet)
    }

    #[test]
    fn what_nobody_reads_is_waited_for_until_there_is_hurry() {
        let (mut reader, outlet) = unread();
        let (begun, hurry_after) = (Instant::now(), UNREAD_AFTER + LOOK_EVERY * 4);
        let handed = outlet.wait(|| begun.elapsed() > hurry_after);
        assert!(matches!(handed, Handed::Unread), "{handed:?}");
        assert!(begun.elapsed() > hurry_after, "{:?}", begun.elapsed());
        let lines = outlet.lines();
        assert!(lines > 0 && lines < 512, "{lines}");
        // Who reads late gets all of it.
        let mut read = vec![0; much().len()];
        reader.read_exact(&mut read).unwrap();
        assert!(matches!(outlet.wait(|| true), Handed::Whole));
        assert_eq!((outlet.lines(), read), (512, much()));
    }

    #[test]
    fn a_slow_reader_is_waited_for_in_a_hurry_too() {
        let (mut reader, outlet) = unread();
        let slow = thread::spawn(move || {
            let mut read = vec![0; much().len()];
            for part in read.chunks_mut(much().len() / 16) {
                thread::sleep(UNREAD_AFTER / 10);
                reader.read_exact(part).unwrap();
            }
        });
        assert!(matches!(outlet.wait(|| true), Handed::Whole));
        slow.join().unwrap();
    }

    #[test]
    fn a_reader_that_went_away_is_an_error_of_its_own() {
        let (reader, outlet) = unread();
        drop(reader);
        let handed = outlet.wait(|| false);
        assert!(matches!(&handed, Handed::Failed(error) if error.kind() == ErrorKind::BrokenPipe));
    }

    #[test]
    fn words_that_nobody_reads_are_dropped_and_counted() {
        let (mut reader, outlet) = unread();
        let line = &much()[..1024];
        for _ in 0..512 {
            outlet.0.words(line);
        }
        outlet.0.settle();
        let dropped = outlet.0.lock().dropped;
        assert!(dropped > 0, "the last ones found no room");
        let told = format!("mxray: {dropped} lines are missing here: nobody read them\n");
        let mut read = vec![0; (1024 - dropped as usize) * 1024 + told.len()];
        reader.read_exact(&mut read).unwrap();
        assert!(read.ends_with(told.as_bytes()), "{}", String::from_utf8_lossy(&read[read.len() - 99..]));
        // And whoever reads again is spoken to again.
        outlet.0.words(line);
        let mut again = [0; 1024];
        reader.read_exact(&mut again).unwrap();
        assert_eq!(again, line);
    }
}
