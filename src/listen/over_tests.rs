//! When a session is over for its client, whatever it leaves open.

use super::serve::hear;
use super::tests::{ask, key_pair, reply};
use super::tls::{ALL_VERSIONS, ListenerTls, ServerIdentity};
use super::{ListenLimits, ListenerConfig};
use crate::model::AlertDescription;
use crate::smtp::{ServerManner, StarttlsManner};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader, duplex};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// A pause of the client, on a clock that the test holds.
const PAUSE: Duration = Duration::from_secs(10);

/// When a session is over in which the client pauses before each line, and what it took.
async fn over(starttls: StarttlsManner, tls: Option<ListenerTls>, lines: &[&str]) -> [u64; 2] {
    let (ours, theirs) = duplex(1 << 16);
    let (certificate, key) = key_pair("mx.example");
    let identity = ServerIdentity::new(vec![certificate], key).unwrap();
    let config = ListenerConfig {
        host: "mx.example".into(),
        smtp: ServerManner { starttls, ..ServerManner::default() },
        tls: tls.unwrap_or(ListenerTls::Handshake { identity, versions: ALL_VERSIONS }),
        greeting_delay: Duration::ZERO,
        reply_delay: Duration::ZERO,
        limits: ListenLimits::default(),
    };
    let stop = CancellationToken::new();
    let client = async {
        let mut stream = BufReader::new(theirs);
        reply(&mut stream).await;
        for line in lines {
            sleep(PAUSE).await;
            ask(&mut stream, line).await;
        }
        sleep(PAUSE).await;
        let _ = stream.shutdown().await;
    };
    let (seen, ()) = tokio::join!(hear(ours, &config, &stop), client);
    [seen.over.as_secs(), seen.total.as_secs()]
}

#[tokio::test(start_paused = true)]
async fn it_is_over_with_what_was_said_over_which_there_is_no_tls() {
    use StarttlsManner::{Absent, Mangled, Offered, RefusedForNow};
    let asks = ["EHLO c.example", "STARTTLS", "NOOP"];
    assert_eq!(over(RefusedForNow, None, &asks).await, [20, 40], "with the refusal");
    assert_eq!(over(Absent, None, &asks).await, [10, 40], "with the answer to EHLO");
    assert_eq!(over(Mangled, None, &asks).await, [10, 40]);
    assert_eq!(over(Offered, None, &["EHLO c.example", "NOOP"]).await, [20, 30], "with what was said last");
    let refuse = ListenerTls::Refuse(AlertDescription::HANDSHAKE_FAILURE);
    let found = over(Offered, Some(refuse), &["EHLO c.example", "STARTTLS"]).await;
    assert_eq!(found, [20, 30], "a client that leaves before the handshake heard 220 last");
}
