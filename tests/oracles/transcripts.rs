//! The server's side of the transcripts of `tests/streams`, as one stream.

use super::Seed;
use std::path::Path;

/// Stands in a stream for a handshake that succeeds. A TLS record of a
/// handshake begins with it, and no line of SMTP.
pub const HANDSHAKE: u8 = 0x16;

/// Longest stream that is handed out, in bytes: what is longer is there to
/// meet a limit, and seeds are to be small.
const STREAM_BYTES_MAX: usize = 4096;

/// Every transcript that is short enough, by name.
pub fn all() -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<Seed> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (&*name.leak(), stream(&std::fs::read_to_string(&path).unwrap()))
        })
        .filter(|(_, stream)| !stream.is_empty() && stream.len() <= STREAM_BYTES_MAX)
        .collect();
    all.sort();
    all
}

/// What the server says, the handshake as one byte of its own.
fn stream(text: &str) -> Vec<u8> {
    let mut stream = Vec::new();
    for line in text.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("S", said) => stream.extend([said.as_bytes(), b"\r\n"].concat()),
            ("R", said) => stream.extend(unescape(said)),
            ("N", said) => {
                let (times, said) = said.split_once(' ').unwrap();
                stream.extend(unescape(said).repeat(times.parse().unwrap()));
            }
            ("TLS", _) => stream.push(HANDSHAKE),
            _ => {}
        }
    }
    stream
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = |rest: &mut std::str::Bytes<'_>| match rest.next().unwrap() {
            b'r' => b'\r',
            b'n' => b'\n',
            b'x' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        };
        bytes.push(if byte == b'\\' { escaped(&mut rest) } else { byte });
    }
    bytes
}
