//! Reads SMTP replies from standard input, as a server sends them, and says
//! whether STARTTLS is offered.
//!
//! ```sh
//! printf '250-mx.example\r\n250 STARTTLS\r\n' | cargo run --example read_reply
//! ```

use mxray::reply::{ReplyFault, ReplyReader, StarttlsKeyword, starttls_keyword};
use std::error::Error;
use std::io::Read;

/// Each reply, with what is odd about it.
pub fn replies(bytes: &[u8]) -> Result<Vec<String>, ReplyFault> {
    let mut reader = ReplyReader::default();
    let mut told = Vec::new();
    // However the bytes are cut up on the way, the replies are the same.
    for part in bytes.chunks(7) {
        reader.receive(part);
        while let Some(reply) = reader.next_reply() {
            let reply = reply?;
            let offer = match starttls_keyword(&reply) {
                StarttlsKeyword::Listed => ", offers STARTTLS",
                StarttlsKeyword::Mangled(_) => ", offers what something on the way wrote over",
                _ => "",
            };
            let odd: Vec<_> = reply.deviations.iter().map(|deviation| deviation.name()).collect();
            told.push(format!("{} in {} lines{offer} {odd:?}", reply.code, reply.lines.len()));
        }
    }
    Ok(told)
}

#[allow(dead_code, reason = "a test takes this file in for what stands above")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    for line in replies(&bytes)? {
        println!("{line}");
    }
    Ok(())
}
