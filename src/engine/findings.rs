//! What is kept of every key that was asked, for domains that come later: in memory
//! what is small, and in a file what its server has made large. So memory goes by the
//! number of hosts, and not by what these show.

use super::common_parts::CommonParts;
use super::scratch_file::{ScratchFile, Span};
use crate::model::{JudgedEndpoint, Observation};
use crate::verdict::{KeyContext, Policy};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What a server may make of a finding before it goes to the file, in bytes. A leaf with
/// a hundred names takes about as much.
const KEPT_BYTES_MAX: usize = 4_096;

/// A finding.
#[derive(Clone, Debug)]
pub enum KeptFinding {
    /// In memory.
    Whole(Arc<JudgedEndpoint>),
    /// In the file: what was seen, to be judged once more as it was.
    InFile(InFile),
}

/// Where a finding lies, and what was known of its key.
#[derive(Clone, Copy, Debug)]
pub struct InFile {
    span: Span,
    network_suspect: bool,
    tlsa: bool,
}

/// What is written of an observation. Its certificates are no part of it; they follow,
/// each as long as is said here: those of the handshake, and of each further
/// ClientHello.
#[derive(Serialize, Deserialize)]
struct WrittenObservation<O> {
    observation: O,
    chains: Vec<Vec<usize>>,
}

/// Keeps findings.
#[derive(Debug, Default)]
pub struct Findings {
    /// Where the file may be made; `None`: all stay in memory.
    dir: Option<PathBuf>,
    file: ScratchFile,
    common_parts: CommonParts,
    /// The one that was read or written last.
    last: Option<(Span, Arc<JudgedEndpoint>)>,
}

impl Findings {
    /// With a file in `dir` for the large ones, or all in memory.
    pub fn new(dir: Option<PathBuf>) -> Self {
        Self { dir, ..Self::default() }
    }

    /// Keeps a finding, which was judged by `seen` and `context`.
    pub fn keep(
        &mut self,
        mut judged: JudgedEndpoint,
        seen: &Observation,
        context: KeyContext<'_>,
    ) -> KeptFinding {
        self.common_parts.share(&mut judged);
        let is_large = judged.peer_bytes() > KEPT_BYTES_MAX;
        let judged = Arc::new(judged);
        let Some(dir) = self.dir.as_ref().filter(|_| is_large) else { return KeptFinding::Whole(judged) };
        match written(seen).and_then(|octets| self.file.put(dir, &octets)) {
            Ok(span) => {
                self.last = Some((span, judged));
                let KeyContext { network_suspect, tlsa, .. } = context;
                KeptFinding::InFile(InFile { span, network_suspect, tlsa })
            }
            Err(error) => {
                tracing::warn!(%error, "what servers show stays in memory");
                self.dir = None;
                KeptFinding::Whole(judged)
            }
        }
    }

    /// The finding.
    ///
    /// # Errors
    /// What was written cannot be read again.
    pub fn whole(&mut self, policy: &Policy, kept: &KeptFinding) -> io::Result<Arc<JudgedEndpoint>> {
        let InFile { span, network_suspect, tlsa } = match kept {
            KeptFinding::Whole(judged) => return Ok(judged.clone()),
            KeptFinding::InFile(place) => *place,
        };
        if let Some((last, judged)) = &self.last
            && *last == span
        {
            return Ok(judged.clone());
        }
        let seen = read(&self.file.read(span)?)?;
        let assessments = policy.assess(&seen);
        let context = KeyContext { network_suspect, tlsa, stand_in: None };
        let (_, judged) = policy.endpoint_of_run(seen, &assessments, context);
        let judged = Arc::new(judged);
        self.last = Some((span, judged.clone()));
        Ok(judged)
    }
}

fn written(seen: &Observation) -> io::Result<Vec<u8>> {
    let chains: Vec<&[Arc<[u8]>]> = chains(seen).collect();
    let lengths = chains.iter().map(|chain| chain.iter().map(|der| der.len()).collect()).collect();
    let mut octets = serde_json::to_vec(&WrittenObservation { observation: seen, chains: lengths })?;
    chains.iter().copied().flatten().for_each(|der| octets.extend_from_slice(der));
    Ok(octets)
}

/// That of the handshake, empty where there was none, and those of the further hellos.
fn chains(seen: &Observation) -> impl Iterator<Item = &[Arc<[u8]>]> {
    let first = seen.tls.as_ref().map_or(&[][..], |tls| &tls.chain);
    std::iter::once(first).chain(seen.extra_client_hellos.iter().map(|hello| &hello.chain[..]))
}

fn read(octets: &[u8]) -> io::Result<Observation> {
    let mut entries =
        serde_json::Deserializer::from_slice(octets).into_iter::<WrittenObservation<Observation>>();
    let entry = entries.next().transpose()?;
    let WrittenObservation { mut observation, chains } = entry.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut rest = octets.get(entries.byte_offset()..).unwrap_or_default();
    let mut read = Vec::new();
    for lengths in chains {
        let mut chain = Vec::new();
        for length in lengths {
            let (der, behind) = rest.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
            chain.push(Arc::from(der));
            rest = behind;
        }
        read.push(chain);
    }
    let mut read = read.into_iter();
    if let (Some(chain), Some(tls)) = (read.next(), observation.tls.as_mut()) {
        tls.chain = chain;
    }
    observation.extra_client_hellos.iter_mut().zip(read).for_each(|(hello, chain)| hello.chain = chain);
    Ok(observation)
}
