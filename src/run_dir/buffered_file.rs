//! A file whose bytes stay in memory until they are asked for.
//!
//! The files of a run rest on each other. If each wrote as its own buffer
//! fills, a process that is killed would leave rows without the facts that
//! they were judged by.
//!
//! Where they are packed, each hand-over is a gzip member or a zstd frame of its own, so
//! that what the system took before a process was killed can be unpacked.

use crate::packing::Packing;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether every file of a directory took all that it was handed. After one
/// that did not, the others take no more: it would rest on what is missing.
#[derive(Clone, Default)]
pub(super) struct WriteState(Arc<AtomicBool>);

impl WriteState {
    fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set_broken(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One of the files of a run that is written.
pub(super) trait WaitingFile {
    /// Its name in the run directory.
    fn name(&self) -> &str;
    /// Where what is written to it waits.
    fn buffered(&self) -> &BufferedFile;
    /// Hands all that waits to the system.
    fn flush(&mut self) -> io::Result<()>;
}

/// Takes bytes without end; whoever writes flushes in time.
pub(super) struct BufferedFile {
    file: File,
    bytes: Vec<u8>,
    /// Bytes that the system took, packed.
    written: u64,
    packing: Option<Packing>,
    whole: WriteState,
}

impl BufferedFile {
    pub(super) fn new(file: File, packing: Option<Packing>, whole: WriteState) -> Self {
        Self { file, bytes: Vec::new(), written: 0, packing, whole }
    }

    /// Bytes that wait, before they are packed.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How long the file must be, in bytes on the disk.
    pub(super) fn written(&self) -> u64 {
        self.written
    }
}

impl BufferedFile {
    /// Hands over all that waits. A packed file is never without a member or frame: no tool
    /// takes an empty one for what its name says.
    fn hand_over(&mut self) -> io::Result<()> {
        match self.packing {
            Some(_) if self.bytes.is_empty() && self.written > 0 => {}
            Some(packing) => self.bytes = packing.pack(&self.bytes)?,
            None => {}
        }
        self.file.write_all(&self.bytes)
    }
}

impl Write for BufferedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Hands all that waits to the system.
    fn flush(&mut self) -> io::Result<()> {
        if self.whole.is_broken() {
            return Err(io::Error::other("another file of the run could not be written"));
        }
        let written = self.hand_over();
        self.written += self.bytes.len() as u64;
        self.bytes.clear();
        written.inspect_err(|_| self.whole.set_broken())
    }
}

impl Drop for BufferedFile {
    fn drop(&mut self) {
        // Whoever wants to know of an error flushes before.
        let _ = self.flush();
    }
}
