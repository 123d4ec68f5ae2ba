//! Dialogues made of replies and not of bytes: what a server says in whole
//! replies is what the session keeps, in its place, however it is cut.

use super::smtp_session::{Ending, Played, Stream, check_stream};
use super::{Seed, smtp_reply};
use arbitrary::{Arbitrary, Unstructured};
use mxray::internals::model::text::escape;
use mxray::internals::model::{Dialogue, Reply};

/// Most lines of a reply, most letters of a line, most replies on one side.
const LINES_MAX: usize = 6;
const LINE_BYTES_MAX: usize = 40;
const REPLIES_MAX: usize = 5;

/// What a keyword line may say.
const KEYWORDS: &[&str] = &[
    "STARTTLS",
    "starttls",
    "SIZE 36700160",
    "PIPELINING",
    "XXXXXXXA",
    "STARTTLSX",
    " STARTTLS",
    "8BITMIME",
];

/// Codes that lead somewhere.
const CODES: &[u16] = &[220, 250, 421, 450, 454, 500, 502, 550, 554, 221, 354, 200, 599, 530];

/// A server's side.
#[derive(Debug)]
struct Server {
    clear: Vec<Reply>,
    inside: Option<Vec<Reply>>,
    ending: Ending,
    /// Sizes of the pieces, over and over.
    cuts: Vec<u8>,
}

impl<'a> Arbitrary<'a> for Server {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let ending = u.arbitrary()?;
        let cuts = (0..u.int_in_range(0..=4)?).map(|_| u.arbitrary()).collect::<Result<_, _>>()?;
        let clear = replies(u)?;
        let inside = if u.arbitrary()? { Some(replies(u)?) } else { None };
        Ok(Self { clear, inside, ending, cuts })
    }
}

fn replies(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Reply>> {
    (0..u.int_in_range(0..=REPLIES_MAX)?).map(|_| reply(u)).collect()
}

fn reply(u: &mut Unstructured<'_>) -> arbitrary::Result<Reply> {
    let code = *u.choose(CODES)?;
    let lines = (0..u.int_in_range(1..=LINES_MAX)?).map(|_| line(u)).collect::<Result<_, _>>()?;
    Ok(Reply { code, lines, deviations: Vec::new() })
}

fn line(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    if u.ratio(2, 3)? {
        return Ok((*u.choose(KEYWORDS)?).to_owned());
    }
    let length = u.int_in_range(0..=LINE_BYTES_MAX)?;
    let bytes: Vec<u8> = (0..length).map(|_| u.int_in_range(b' '..=b'~')).collect::<Result<_, _>>()?;
    Ok(escape(&bytes))
}

pub fn check(input: &[u8]) {
    let Ok(server) = Server::arbitrary(&mut Unstructured::new(input)) else { return };
    let (clear, inside) = (said(&server.clear), server.inside.as_deref().map(said));
    let stream = Stream { clear: &clear, inside: inside.as_deref(), ending: server.ending };
    let played =
        check_stream(stream, |bytes| [vec![bytes], bytes.chunks(1).collect(), pieces(bytes, &server.cuts)]);
    check_places(&server, &played);
}

fn said(replies: &[Reply]) -> Vec<u8> {
    replies.iter().flat_map(smtp_reply::encode).collect()
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for size in cuts.iter().cycle() {
        if rest.is_empty() || cuts.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(usize::from(*size).clamp(1, rest.len()));
        pieces.push(piece);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The first reply answers the connection, each further one the next command,
/// up to QUIT, and none is lost or moved.
fn check_places(server: &Server, played: &Played) {
    let Dialogue { greeting, ehlo, helo, starttls, ehlo_tls, plaintext_after_starttls, .. } =
        &played.dialogue;
    let kept: Vec<Reply> = [greeting, ehlo, helo, starttls].into_iter().flatten().map(plain).collect();
    let kept_inside: Vec<Reply> = ehlo_tls.iter().map(plain).collect();
    let inside = server.inside.as_deref().filter(|_| played.upgraded).unwrap_or_default();
    let (before, after) = server.clear.split_at(kept.len());
    assert_eq!(kept, before, "in clear: {played:?}");
    let (before_inside, after_inside) = inside.split_at(kept_inside.len());
    assert_eq!(kept_inside, before_inside, "inside TLS: {played:?}");
    if played.commands.last().is_some_and(|command| command == "QUIT\r\n") {
        check_leave(if played.upgraded { after_inside } else { after }, &played.dialogue);
    }
    if played.upgraded {
        // Nothing was due in clear, so all that was said beyond is plaintext after it.
        assert_eq!(plaintext_after_starttls.is_empty(), after.is_empty(), "{plaintext_after_starttls}");
    }
}

/// QUIT has its own answer, where there is one, and the rest is what nobody
/// asked for.
fn check_leave(said: &[Reply], dialogue: &Dialogue) {
    let own = said.iter().position(|reply| matches!(reply.code, 221 | 421)).or(said.len().checked_sub(1));
    assert_eq!(dialogue.quit.as_ref().map(plain).as_ref(), own.map(|place| &said[place]), "{dialogue:?}");
    let rest = said.iter().enumerate().filter(|(place, _)| Some(*place) != own).map(|(_, reply)| reply);
    let kept: Vec<Reply> = dialogue.unsolicited.iter().flatten().map(plain).collect();
    assert_eq!(kept.iter().collect::<Vec<_>>(), rest.collect::<Vec<_>>(), "{dialogue:?}");
}

/// A reply as it was said, whatever is thought of its moment.
fn plain(reply: &Reply) -> Reply {
    Reply { deviations: Vec::new(), ..reply.clone() }
}

pub fn seeds() -> Vec<Seed> {
    let keywords: &[u8] = &[7, 2, 0];
    let clear: &[(u8, &[u8])] = &[(0, &[7]), (1, keywords), (0, &[3])];
    let inside: &[(u8, &[u8])] = &[(1, &[2, 3]), (9, &[3])];
    vec![
        ("to-its-end", coded(clear, Some(inside))),
        ("no-starttls", coded(&[(0, &[7]), (1, &[1, 2]), (9, &[3])], None)),
        ("injected", coded(&[clear, inside].concat(), Some(inside))),
        ("helo", coded(&[(0, &[7]), (6, &[3]), (1, &[3]), (9, &[3])], None)),
        ("throttled", coded(&[(0, &[7]), (1, keywords), (2, &[3])], None)),
        ("counting", (0..=255).collect()),
        ("counting-down", (0..=255).rev().collect()),
    ]
}

/// The bytes of which [`Server`] is made: replies by the places of their code
/// and of the keywords in their lines.
fn coded(clear: &[(u8, &[u8])], inside: Option<&[(u8, &[u8])]>) -> Vec<u8> {
    let replies = |replies: &[(u8, &[u8])]| {
        let mut bytes = vec![u8::try_from(replies.len()).unwrap()];
        for (code, keywords) in replies {
            bytes.extend([*code, u8::try_from(keywords.len()).unwrap() - 1]);
            bytes.extend(keywords.iter().flat_map(|keyword| [0, *keyword]));
        }
        bytes
    };
    let mut bytes = vec![0, 0, 0, 0, 2, 3, 5];
    bytes.extend(replies(clear));
    bytes.push(u8::from(inside.is_some()));
    bytes.extend(inside.map(replies).unwrap_or_default());
    bytes
}

#[test]
fn a_seed_is_the_dialogue_that_it_is_meant_to_be() {
    let (_, bytes) = seeds().swap_remove(0);
    let server = Server::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    let codes = |replies: &[Reply]| replies.iter().map(|reply| reply.code).collect::<Vec<_>>();
    assert_eq!(codes(&server.clear), [220, 250, 220]);
    assert_eq!(codes(&server.inside.unwrap()), [250, 221]);
}
