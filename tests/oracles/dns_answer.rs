//! Replies of the DNS: what is told as an answer stands in the message, by
//! owner and alias, as a plain reading finds it; and nothing is told of a message
//! that replies to something else.
//!
//! The number is that of the message, so that the rest of it is reached.

use super::{Seed, message};
use mxray::internals::dns::{
    ALIASES_MAX, Answer, Name, NoAnswer, Question, RData, RECORDS_MAX, Reading, RecordType, read,
};

const TYPE_MX: u16 = 15;
const TYPE_CNAME: u16 = 5;
const TYPE_SOA: u16 = 6;

fn question(name: &str) -> Question {
    Question::new(Name::from_ascii(name).unwrap(), RecordType::MX)
}

pub fn check(input: &[u8]) {
    let id = u16::from_be_bytes([0, 1].map(|at| input.get(at).copied().unwrap_or_default()));
    let told = read(input, id, &question("d.example."));
    assert_eq!(told, read(input, id, &question("D.Example.")), "letters' case is nothing");
    let Ok(reading) = told else { return };
    assert!(read(input, id ^ 1, &question("d.example.")).is_err(), "under another number");
    let to_no_question = plainly(input).is_none_or(|plain| plain.questions == 0);
    assert!(to_no_question || read(input, id, &question("e.example.")).is_err(), "to another question");
    match reading {
        Reading::Answer(answer) => {
            check_answer(&answer, input);
            // What follows the last record is nobody's concern.
            let longer = [input, b"\xc0\x0c\0\x0f"].concat();
            assert_eq!(read(&longer, id, &question("d.example.")), Ok(Reading::Answer(answer)));
        }
        Reading::Truncated => assert_eq!(input[2] & 0x02, 0x02, "TC"),
        Reading::NoAnswer(none) => {
            message::check(&none.to_string());
            assert!(none != NoAnswer::TooManyRecords || input.len() > RECORDS_MAX * 11, "each takes bytes");
        }
    }
}

fn check_answer(answer: &Answer, input: &[u8]) {
    let plain = plainly(input).expect("what is told as an answer can be read");
    assert_eq!(plain.questions, 1);
    assert!(matches!(plain.code, 0 | 3) && answer.exists == (plain.code == 0), "{}", plain.code);
    assert_eq!(answer.is_authentic, input[3] & 0x20 != 0);
    assert_eq!((answer.recurses, answer.is_authoritative), (input[3] & 0x80 != 0, input[2] & 0x04 != 0));
    assert!(answer.aliases.len() <= ALIASES_MAX + 1);
    // Each alias is one of the name before it, and the last leads nowhere.
    let mut names = vec![vec![b"d".to_vec(), b"example".to_vec()]];
    while let Some(alias) = plain.alias_of(names.last().unwrap())
        && names.len() < ALIASES_MAX + 2
    {
        names.push(alias);
    }
    let aliases: Vec<Labels> = answer.aliases.iter().map(labels).collect();
    assert_eq!(aliases, names[1..]);
    let of_names: Vec<&Record> = plain.answers.iter().filter(|it| names.contains(&it.owner)).collect();
    let of_type: Vec<_> = of_names.iter().filter(|it| it.kind == TYPE_MX).map(|it| it.data.clone()).collect();
    let told: Vec<_> = answer.records.iter().map(exchanger).collect();
    assert_eq!(told, of_type);
    assert!(!(answer.goes_on && (aliases.is_empty() || !told.is_empty())));
    if let Some(ttl) = answer.ttl {
        assert!(of_names.iter().all(|record| ttl <= record.ttl), "the least of them");
        assert!(!of_names.is_empty() || plain.has_soa, "a denial is kept as its zone says");
    }
}

fn labels(name: &Name) -> Labels {
    name.iter().map(<[u8]>::to_ascii_lowercase).collect()
}

fn exchanger(data: &RData) -> (u16, Labels) {
    match data {
        RData::MX(mx) => (mx.preference, labels(&mx.exchange)),
        other => panic!("{other:?}"),
    }
}

type Labels = Vec<Vec<u8>>;

struct Record {
    owner: Labels,
    kind: u16,
    ttl: u32,
    /// The preference of an MX, and the name in the data.
    data: (u16, Labels),
}

/// A message as RFC 1035 §4 has it, without any regard to what was asked.
struct Plain {
    questions: usize,
    code: u16,
    answers: Vec<Record>,
    has_soa: bool,
}

impl Plain {
    fn alias_of(&self, name: &Labels) -> Option<Labels> {
        self.answers.iter().find(|it| it.kind == TYPE_CNAME && it.owner == *name).map(|it| it.data.1.clone())
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().unwrap()))
}

fn plainly(bytes: &[u8]) -> Option<Plain> {
    let counts: Vec<usize> =
        [4, 6, 8, 10].into_iter().map(|at| u16_at(bytes, at).map(usize::from)).collect::<Option<_>>()?;
    let mut plain =
        Plain { questions: counts[0], code: u16::from(bytes[3] & 15), answers: Vec::new(), has_soa: false };
    let mut at = 12;
    for _ in 0..counts[0] {
        at = name_at(bytes, at)?.1 + 4;
    }
    for (section, count) in counts[1..].iter().enumerate() {
        for _ in 0..*count {
            let (owner, fields) = name_at(bytes, at)?;
            let (kind, class) = (u16_at(bytes, fields)?, u16_at(bytes, fields + 2)?);
            let ttl = u32::from_be_bytes(bytes.get(fields + 4..fields + 8)?.try_into().unwrap());
            let data = fields + 10;
            at = data + usize::from(u16_at(bytes, fields + 8)?);
            bytes.get(data..at)?;
            let ttl = if ttl > 0x7fff_ffff { 0 } else { ttl };
            plain.has_soa |= section == 1 && kind == TYPE_SOA;
            if section == 2 && kind == 41 {
                plain.code = u16::from(bytes[3] & 15) | u16::from(bytes[fields + 4]) << 4;
            }
            let data = match kind {
                TYPE_MX if section == 0 && class == 1 => (u16_at(bytes, data)?, name_at(bytes, data + 2)?.0),
                TYPE_CNAME if section == 0 && class == 1 => (0, name_at(bytes, data)?.0),
                _ => continue,
            };
            plain.answers.push(Record { owner, kind, ttl, data });
        }
    }
    Some(plain)
}

/// A name, in lower case, and where what follows it begins.
fn name_at(bytes: &[u8], mut at: usize) -> Option<(Labels, usize)> {
    let (mut labels, mut end) = (Vec::new(), None);
    for _ in 0..256 {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => return Some((labels, end.unwrap_or(at + 1))),
            1..=63 => {
                labels.push(bytes.get(at + 1..at + 1 + length)?.to_ascii_lowercase());
                at += 1 + length;
            }
            192.. => {
                end.get_or_insert(at + 2);
                at = usize::from(u16_at(bytes, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
    None
}

/// A reply with these flags and so many records in each section.
fn reply(flags: u16, counts: [u8; 3], records: &[u8]) -> Vec<u8> {
    let [answers, authorities, additionals] = counts;
    let counts = [0, 1, 0, answers, 0, authorities, 0, additionals];
    let head = [&[0x12, 0x34][..], &flags.to_be_bytes(), &counts].concat();
    [&head[..], b"\x01d\x07example\0\0\x0f\0\x01", records].concat()
}

const MX: &[u8] = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x07\0\x0a\x02mx\xc0\x0c";
const SOA: &[u8] = b"\0\0\x06\0\x01\0\0\0\x3c\0\x16\0\0\0\0\0\x01\0\0\0\x3c\0\0\0\x3c\0\0\0\x3c\0\0\0\x1e";
const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0";
/// `d.example` is an alias of `a`, which has an MX; and the MX of another name.
const ALIAS: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x03\x01a\0\
    \x01a\0\0\x0f\0\x01\0\0\0\x28\0\x07\0\x14\x02mx\xc0\x0c\
    \x06victim\0\0\x0f\0\x01\0\0\0\x3c\0\x03\0\0\0";

pub fn seeds() -> Vec<Seed> {
    let mut no_question = reply(0x8181, [0; 3], b"");
    no_question.truncate(12);
    no_question[5] = 0;
    vec![
        ("answer", reply(0x81a0, [1, 0, 1], &[MX, OPT].concat())),
        ("alias", reply(0x8180, [3, 0, 0], ALIAS)),
        ("circle", reply(0x8180, [1, 0, 0], b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c")),
        ("no-data", reply(0x8180, [0, 1, 1], &[SOA, OPT].concat())),
        ("nxdomain", reply(0x8183, [0, 1, 0], SOA)),
        ("badvers", reply(0x8180, [0, 0, 1], b"\0\0\x29\x04\xd0\x01\0\x80\0\0\0")),
        ("referral", reply(0x8100, [0, 1, 0], b"\0\0\x02\0\x01\0\0\0\x3c\0\x01\0")),
        ("truncated", reply(0x8380, [0; 3], b"")),
        ("formerr", no_question),
        ("one-octet", reply(0x8180, [2, 0, 0], &[MX, b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x01\0"].concat())),
        ("pointer-loop", reply(0x8180, [1, 0, 0], b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x04\0\x0a\xc0\x29")),
    ]
}

#[test]
fn the_seeds_are_read_as_they_are_called() {
    let expected = [
        ("answer", "Answer"),
        ("alias", "Answer"),
        ("circle", "Answer"),
        ("no-data", "Answer"),
        ("nxdomain", "Answer"),
        ("badvers", "BADVERS"),
        ("referral", "Referral"),
        ("truncated", "Truncated"),
        ("formerr", "FormErr"),
        ("one-octet", "Malformed"),
        ("pointer-loop", "Malformed"),
    ];
    for ((name, bytes), (expected_name, said)) in seeds().into_iter().zip(expected) {
        let told = format!("{:?}", read(&bytes, 0x1234, &question("d.example.")).unwrap());
        assert!(name == expected_name && told.contains(said), "{name}: {told}");
    }
}
