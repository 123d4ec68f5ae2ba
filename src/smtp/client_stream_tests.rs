//! What no stream of bytes may break, however it comes in pieces.

use super::*;
use crate::smtp::reply::{REPLY_LINE_BYTES_MAX, STREAM_BYTES_MAX};
use proptest::prelude::*;

/// Feeds a stream in pieces as a driver would, upgrading where it is asked
/// to; `check` sees the session after each piece. With `late` the stream has
/// come in whole before the first command is sent.
fn drive(pieces: &[&[u8]], late: bool, mut check: impl FnMut(&SmtpClient)) -> Dialogue {
    let mut session = session();
    let mut pieces = pieces.iter();
    loop {
        if late && session.has_command() {
            pieces.by_ref().for_each(|piece| session.receive(piece));
        }
        match session.next() {
            SmtpAction::Write(_) => {}
            SmtpAction::Read => match pieces.next() {
                Some(piece) => session.receive(piece),
                None => session.receive_eof(false),
            },
            // A driver that reads on before it starts TLS.
            SmtpAction::Upgrade => match pieces.next() {
                Some(piece) => session.receive(piece),
                None => session.upgraded(),
            },
            SmtpAction::Done => {
                pieces.by_ref().for_each(|piece| session.receive(piece));
                return session.into_dialogue();
            }
        }
        check(&session);
    }
}

/// Streams that get somewhere, among bytes of every kind.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(GREETING.as_bytes().to_vec()),
        Just(EHLO.as_bytes().to_vec()),
        Just(b"220 go\r\n".to_vec()),
        Just(b"502 no\r\n".to_vec()),
        Just(b"250-x\n".repeat(40)),
        Just(vec![b'x'; 700]),
        proptest::collection::vec(any::<u8>(), 0..40),
        "[2-5][0-9]{2}[ -]?[A-Z]{0,9}\r?\n".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cutting_up_changes_nothing(stream in stream(), cuts in proptest::collection::vec(0..4096_usize, 0..20)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        let whole = drive(&[&stream], true, |_| {});
        prop_assert_eq!(&drive(&pieces, true, |_| {}), &whole);
        prop_assert_eq!(&drive(&bytes, true, |_| {}), &whole);
    }

    #[test]
    fn no_bytes_make_it_panic_or_grow(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3000), 0..20),
    ) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        drive(&pieces, false, |session| assert!(session.reader.rest().len() <= REPLY_LINE_BYTES_MAX + 3000));
    }
}

#[test]
fn a_flood_is_not_buffered() {
    let mut session = session();
    session.receive(GREETING.as_bytes());
    for _ in 0..100 {
        session.receive(&[b'2'; 16 * 1024]);
    }
    assert!(session.reader.rest().len() <= STREAM_BYTES_MAX);
    while let SmtpAction::Write(_) = session.next() {}
    assert_eq!(told(&session.into_dialogue()), "ehlo too_long");
}
