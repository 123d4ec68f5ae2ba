//! Replies as bytes: those that hickory-proto encodes, and those that nobody
//! would.

use super::*;
use crate::dns::{ALIASES_MAX, RECORDS_MAX};
use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::rdata::{A, CNAME, MX, NS, SOA, TXT};
use hickory_proto::rr::{DNSClass, Record, RecordType};
use proptest::prelude::*;

const ID: u16 = 0x1234;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn question() -> Question {
    Question::new(name("mx.example."), RecordType::A)
}

/// A reply of a recursive resolver without records.
fn reply() -> Message {
    let mut message = Message::response(ID, OpCode::Query);
    message.metadata.recursion_available = true;
    message.add_query(Query::query(question().name, RecordType::A));
    message
}

fn with(answers: &[Record], authorities: &[Record]) -> Message {
    let mut message = reply();
    message.add_answers(answers.iter().cloned()).add_authorities(authorities.iter().cloned());
    message
}

fn address(owner: &str, last: u8) -> Record {
    Record::from_rdata(name(owner), 60, RData::A(A([192, 0, 2, last].into())))
}

fn alias(owner: &str, target: &str) -> Record {
    Record::from_rdata(name(owner), 40, RData::CNAME(CNAME(name(target))))
}

/// The SOA of a zone whose denials may be kept for 30 seconds.
fn soa(zone: &str) -> Record {
    let soa = SOA::new(name("ns.example."), name("h.example."), 1, 60, 60, 60, 30);
    Record::from_rdata(name(zone), 300, RData::SOA(soa))
}

fn nameserver() -> Record {
    Record::from_rdata(name("example."), 60, RData::NS(NS(name("ns.example."))))
}

fn reading(message: &Message) -> Result<Reading, Stray> {
    read(&message.to_vec().unwrap(), ID, &question())
}

fn answer_of(message: &Message) -> Answer {
    match reading(message) {
        Ok(Reading::Answer(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn none_of(message: &Message) -> NoAnswer {
    match reading(message) {
        Ok(Reading::NoAnswer(none)) => none,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_answers_another_question_is_a_stray() {
    use ResponseCode::{FormErr, NXDomain, NoError, ServFail};
    let changed = |change: fn(&mut Message)| {
        let mut message = with(&[address("mx.example.", 1)], &[]);
        change(&mut message);
        message
    };
    for (expected, change) in [
        (Stray::OtherId, (|it| it.metadata.id ^= 1) as fn(&mut Message)),
        (Stray::NotReply, |it| it.metadata.message_type = MessageType::Query),
        (Stray::NotReply, |it| it.metadata.op_code = OpCode::Notify),
        (Stray::NoQuestion, |it| it.queries.clear()),
        (Stray::OtherQuestion, |it| {
            it.queries[0].set_name(name("my.example."));
        }),
        (Stray::OtherQuestion, |it| {
            it.queries[0].set_query_type(RecordType::AAAA);
        }),
        (Stray::OtherQuestion, |it| {
            it.queries[0].set_query_class(DNSClass::CH);
        }),
        (Stray::OtherQuestion, |it| it.queries.push(it.queries[0].clone())),
    ] {
        assert_eq!(reading(&changed(change)), Err(expected));
    }
    let same = changed(|it| {
        it.queries[0].set_name(name("MX.Example."));
    });
    assert_eq!(answer_of(&same).records.len(), 1);
    for short in 0..12 {
        assert_eq!(read(&vec![0x80; short], ID, &question()), Err(Stray::Short));
    }
    // Only who could not read a question need not repeat it.
    for (code, strays) in [(NoError, true), (NXDomain, true), (FormErr, false), (ServFail, false)] {
        let mut message = Message::response(ID, OpCode::Query);
        message.metadata.response_code = code;
        assert_eq!(reading(&message).is_err(), strays, "{code}");
    }
}

#[test]
fn records_count_by_owner_and_alias() {
    for (records, aliases, kept) in [
        (&[address("MX.Example.", 1)][..], 0, 1),
        (&[address("mx.example.", 1), address("other.example.", 2)], 0, 1),
        // In any order.
        (
            &[
                address("c.example.", 1),
                alias("b.example.", "c.example."),
                alias("mx.example.", "b.example."),
            ],
            2,
            1,
        ),
        (&[alias("mx.example.", "b.example.")], 1, 0),
        (&[alias("mx.example.", "b.example."), address("x.example.", 1)], 1, 0),
    ] {
        let answer = answer_of(&with(records, &[]));
        assert_eq!((answer.aliases.len(), answer.records.len()), (aliases, kept), "{records:?}");
        assert_eq!(answer.goes_on, kept == 0, "{records:?}");
    }
    let text = Record::from_rdata(name("mx.example."), 60, RData::TXT(TXT::new(vec!["hi".into()])));
    let mut chaos = address("mx.example.", 1);
    chaos.dns_class = DNSClass::CH;
    let elsewhere = [alias("x.example.", "b.example."), address("b.example.", 1)];
    for records in [&[address("other.example.", 1)][..], &[text], &[chaos], &elsewhere] {
        assert_eq!(none_of(&with(records, &[])), NoAnswer::OtherRecords, "{records:?}");
    }
}

#[test]
fn aliases_in_a_circle_are_told_as_far_as_anybody_follows() {
    let circle = [alias("mx.example.", "b.example."), alias("b.example.", "MX.example.")];
    let answer = answer_of(&with(&circle, &[]));
    assert_eq!((answer.aliases.len(), answer.records.len()), (ALIASES_MAX + 1, 0));
    assert!(answer.goes_on, "whoever follows notices");
}

#[test]
fn a_denial_is_told_from_an_empty_reply() {
    use ResponseCode::{NXDomain, NoError};
    for (code, authorities, knows, expected) in [
        (NXDomain, &[soa("example.")][..], true, Ok(false)),
        (NXDomain, &[], true, Ok(false)),
        (NXDomain, &[nameserver()], true, Ok(false)),
        (NXDomain, &[nameserver()], false, Err(NoAnswer::Lame)),
        (NXDomain, &[soa("example.org.")], false, Err(NoAnswer::Lame)),
        (NoError, &[soa("example.org.")], false, Err(NoAnswer::Lame)),
        (NoError, &[soa("example.org.")], true, Ok(true)),
        (NoError, &[soa("example.org."), nameserver()], true, Err(NoAnswer::Referral)),
        (NoError, &[soa("example.")], true, Ok(true)),
        (NoError, &[soa("example."), nameserver()], true, Ok(true)),
        (NoError, &[soa("example.")], false, Ok(true)),
        (NoError, &[], true, Ok(true)),
        (NoError, &[nameserver()], true, Err(NoAnswer::Referral)),
        (NoError, &[nameserver()], false, Err(NoAnswer::Referral)),
        (NoError, &[], false, Err(NoAnswer::Lame)),
    ] {
        for authoritative in [false, true] {
            let mut message = with(&[], authorities);
            message.metadata.response_code = code;
            message.metadata.recursion_available = knows && !authoritative;
            message.metadata.authoritative = knows && authoritative;
            let told = match reading(&message) {
                Ok(Reading::Answer(answer)) => Ok(answer.exists),
                Ok(Reading::NoAnswer(none)) => Err(none),
                other => panic!("{other:?}"),
            };
            assert_eq!(told, expected, "{code} {authorities:?} {knows}");
        }
    }
}

#[test]
fn every_other_code_leaves_the_question_open() {
    for code in (1..=4095).filter(|code| *code != 3) {
        let code = ResponseCode::from((code >> 4) as u8, (code & 15) as u8);
        let mut message = with(&[address("mx.example.", 1)], &[]);
        message.set_edns(Edns::new());
        message.metadata.response_code = code;
        // Both are 16.
        let expected = if code == ResponseCode::BADSIG { ResponseCode::BADVERS } else { code };
        assert_eq!(none_of(&message), NoAnswer::Code(expected));
    }
    assert_eq!(NoAnswer::Code(ResponseCode::Unknown(3841)).to_string(), "response code 3841");
    assert_eq!(NoAnswer::Code(ResponseCode::Refused).to_string(), "Query Refused");
}

/// Seconds for which each answer may be kept (RFC 2308 §5).
#[test]
fn times_to_live_are_the_least_of_what_was_used() {
    let nxdomain = |mut message: Message| {
        message.metadata.response_code = ResponseCode::NXDomain;
        message
    };
    let one_alias = || alias("mx.example.", "a.other.");
    let mut long = address("mx.example.", 1);
    long.ttl = 0x8000_0000;
    for (message, expected) in [
        (with(&[address("mx.example.", 1)], &[]), Some(60)),
        (with(&[one_alias(), address("a.other.", 1)], &[]), Some(40)),
        // RFC 2181 §8.
        (with(&[long], &[]), Some(0)),
        (with(&[], &[]), None),
        (with(&[], &[soa("example.")]), Some(30)),
        (with(&[], &[soa("example.org.")]), None),
        (nxdomain(with(&[], &[soa(".")])), Some(30)),
        // Which zone denies decides where the aliases end.
        (with(&[one_alias()], &[soa("other.")]), Some(30)),
        (with(&[one_alias()], &[soa("example.")]), Some(40)),
        (nxdomain(with(&[one_alias()], &[soa("example.")])), None),
    ] {
        assert_eq!(answer_of(&message).ttl, expected, "{message}");
    }
    assert!(!answer_of(&with(&[one_alias()], &[soa("other.")])).goes_on);
    assert!(answer_of(&with(&[one_alias()], &[soa("example.")])).goes_on);
}

#[test]
fn the_bits_of_the_header_are_told() {
    let answer = answer_of(&with(&[address("mx.example.", 1)], &[]));
    assert_eq!((answer.is_authentic, answer.has_edns), (false, false));
    assert_eq!((answer.recurses, answer.is_authoritative), (true, false));
    let mut message = with(&[address("mx.example.", 1)], &[]);
    message.set_edns(Edns::new());
    message.metadata.authentic_data = true;
    message.metadata.recursion_available = false;
    message.metadata.authoritative = true;
    let answer = answer_of(&message);
    assert_eq!((answer.is_authentic, answer.has_edns), (true, true));
    assert_eq!((answer.recurses, answer.is_authoritative), (false, true));
}

#[test]
fn a_truncated_reply_is_that_and_nothing_else() {
    let mut message = with(&[address("mx.example.", 1)], &[]);
    message.metadata.truncation = true;
    let bytes = message.to_vec().unwrap();
    // Servers cut anywhere.
    for cut in [0, 1, 7] {
        let cut = &bytes[..bytes.len() - cut];
        assert_eq!(read(cut, ID, &question()), Ok(Reading::Truncated));
    }
    message.metadata.response_code = ResponseCode::ServFail;
    assert_eq!(none_of(&message), NoAnswer::Code(ResponseCode::ServFail));
}

#[test]
fn records_of_a_name_that_does_not_exist_are_no_answer() {
    let mut message = with(&[address("mx.example.", 1)], &[]);
    message.metadata.response_code = ResponseCode::NXDomain;
    assert_eq!(none_of(&message), NoAnswer::Contradiction);
}

/// A reply of this header, the question, and `records` as they are.
fn raw(question: &Question, counts: [u16; 3], records: &[u8]) -> Vec<u8> {
    let mut message = question.encode(ID, false).unwrap();
    message[2] |= 0x80;
    message[3] |= 0x80;
    for (at, count) in counts.into_iter().enumerate() {
        message[6 + 2 * at..8 + 2 * at].copy_from_slice(&count.to_be_bytes());
    }
    message.extend(records);
    message
}

#[test]
fn what_breaks_the_syntax_is_told_as_that() {
    let question = Question::new(name("mx.example."), RecordType::MX);
    let fine = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x07\0\x0a\x02mx\xc0\x0c";
    let one_octet = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x01\0";
    let told = |counts, records: &[u8]| read(&raw(&question, counts, records), ID, &question);
    let is_malformed = |told: &Result<_, _>| matches!(told, Ok(Reading::NoAnswer(NoAnswer::Malformed(how))) if !how.is_empty());
    assert!(matches!(told([1, 0, 0], fine), Ok(Reading::Answer(_))));
    for (counts, records) in [
        ([1, 0, 0], one_octet.to_vec()),
        ([2, 0, 0], [&fine[..], one_octet].concat()),
        ([2, 0, 0], fine.to_vec()),
        ([0xffff, 0, 0], Vec::new()),
        // Its name is a pointer to itself.
        ([1, 0, 0], b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x04\0\x0a\xc0\x2a".to_vec()),
        // Longer than the message, of a type that nobody asked for.
        ([0, 1, 0], b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x05\x01a".to_vec()),
        ([0, 0, 1], b"\0\0\x29\x04\xd0\0\0\0\0\0\x04\0".to_vec()),
    ] {
        let told = told(counts, &records);
        assert!(is_malformed(&told), "{counts:?} {records:x?}: {told:?}");
    }
    // What nobody asked for is not looked into.
    let other_type = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x01\x7f";
    let told = told([1, 0, 1], &[&fine[..], other_type].concat());
    assert!(matches!(&told, Ok(Reading::Answer(answer)) if answer.records.len() == 1), "{told:?}");
}

/// Thousands of records whose owner is the end of a chain of thousands of
/// pointers, each to the one before it.
#[test]
fn a_chain_of_pointers_is_not_walked_again_and_again() {
    const LINKS: u16 = 8000;
    let question = question();
    let mut records = b"\0\0\x10\0\x01\0\0\0\0".to_vec();
    records.extend((2 * LINKS).to_be_bytes());
    let begin = raw(&question, [0; 3], &records).len() as u16;
    let mut to = 12;
    for link in 0..LINKS {
        records.extend((0xc000u16 | to).to_be_bytes());
        to = begin + 2 * link;
    }
    let owned = [&(0xc000 | to).to_be_bytes()[..], b"\0\x10\0\x01\0\0\0\0\0\0"].concat();
    records.extend(owned.repeat(3000));
    let told = read(&raw(&question, [0, 3001, 0], &records), ID, &question);
    let expected = NoAnswer::Malformed("a name of over 127 pointers".into());
    assert_eq!(told, Ok(Reading::NoAnswer(expected)));
}

#[test]
fn so_many_records_are_read_and_no_more() {
    let record = b"\0\0\x10\0\x01\0\0\0\0\0\0";
    for (count, is_read) in [(RECORDS_MAX, true), (RECORDS_MAX + 1, false)] {
        let message = raw(&question(), [0, count as u16, 0], &record.repeat(count));
        let told = read(&message, ID, &question());
        assert_eq!(matches!(told, Ok(Reading::Answer(_))), is_read, "{count}: {told:?}");
        assert_eq!(told == Ok(Reading::NoAnswer(NoAnswer::TooManyRecords)), !is_read);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes, ID, &question());
        let _ = read(&raw(&question(), [3, 1, 1], &bytes), ID, &question());
    }

    /// A stranger's reply differs in one place at least.
    #[test]
    fn a_bit_of_the_question_or_number_makes_a_stray(at in 0usize..30, bit in 0u8..8) {
        let mut message = with(&[address("mx.example.", 1)], &[]).to_vec().unwrap();
        // Number and question; of the letters' case nothing depends.
        prop_assume!(at < 2 || (12..12 + 12 + 4).contains(&at) && bit != 5);
        message[at] ^= 1 << bit;
        prop_assert!(read(&message, ID, &question()).is_err());
    }
}

#[test]
fn what_is_told_is_short_and_plain() {
    for stray in [Stray::Short, Stray::NotReply, Stray::OtherId, Stray::NoQuestion, Stray::OtherQuestion] {
        assert!(stray.to_string().len() < 60);
    }
    let mx = Record::from_rdata(name("mx.example."), 60, RData::MX(MX::new(1, name("a.example."))));
    assert!(none_of(&with(&[mx], &[])).to_string().contains("question did not ask for"));
}
