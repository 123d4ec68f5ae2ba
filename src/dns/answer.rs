//! What a reply says of the question that was asked.

use super::chain;
use super::message::{self, Sections, Unreadable};
use super::question::Question;
use hickory_proto::op::{Header, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::{Name, RData};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use std::fmt;

/// Why a message is not the reply to the question: whoever waits for that
/// waits on, for anybody may send such a thing (RFC 5452 §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stray {
    /// Less than a header.
    Short,
    /// No reply to a query.
    NotReply,
    /// Under another number.
    OtherId,
    /// It repeats no question.
    NoQuestion,
    /// It repeats another, or one that cannot be read.
    OtherQuestion,
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stray::Short => "a message shorter than a header",
            Stray::NotReply => "a message that is no reply",
            Stray::OtherId => "a reply under another number",
            Stray::NoQuestion => "a reply that repeats no question",
            Stray::OtherQuestion => "a reply to another question",
        })
    }
}

/// What the reply to a question comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// There are such records, or there are none.
    Answer(Answer),
    /// The answer is too long for the way it came (TC).
    Truncated,
    /// It leaves the question open.
    NoAnswer(NoAnswer),
}

/// An answer: everything in it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// AD: the resolver says that it has validated all of it (RFC 4035 §3.2.3).
    pub is_authentic: bool,
    /// Whether the resolver speaks EDNS. Where it does not, that AD is missing
    /// says nothing.
    pub has_edns: bool,
    /// RA: who answers looks up what it does not know (RFC 1035 §4.1.1).
    pub recurses: bool,
    /// AA: who answers knows by itself.
    pub is_authoritative: bool,
    /// The names to which the name that was asked for leads, in order. One more
    /// than [`super::ALIASES_MAX`] at most.
    pub aliases: Box<[Name]>,
    /// Records of the type that was asked for, of the name or of an alias.
    pub records: Box<[RData]>,
    /// Whether the last of the names exists (RFC 2308 §2.1).
    pub exists: bool,
    /// Whether more is to be had by asking for the last alias.
    pub goes_on: bool,
    /// Seconds for which it may be kept; `None` where it may not be, as a denial
    /// without SOA (RFC 2308 §5).
    pub ttl: Option<u32>,
}

/// Why a reply leaves its question open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// A response code that says neither that there is an answer nor that there
    /// is none, the upper bits included (RFC 6891 §6.1.3).
    Code(ResponseCode),
    /// From a server that does not look up, knows nothing itself and says so.
    Lame,
    /// Names of servers in place of an answer (RFC 2308 §2.2).
    Referral,
    /// None but records that were not asked for.
    OtherRecords,
    /// Records of a name that it says does not exist.
    Contradiction,
    /// Its bytes break the syntax; how.
    Malformed(Box<str>),
    /// More than [`super::RECORDS_MAX`] records.
    TooManyRecords,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAnswer::Code(ResponseCode::Unknown(code)) => write!(f, "response code {code}"),
            NoAnswer::Code(code) => code.fmt(f),
            NoAnswer::Lame => f.write_str("an empty reply from a server that does not recurse"),
            NoAnswer::Referral => f.write_str("referral instead of an answer"),
            NoAnswer::OtherRecords => {
                f.write_str("a reply with none but records that the question did not ask for")
            }
            NoAnswer::Contradiction => f.write_str("records of a name that the reply says does not exist"),
            NoAnswer::Malformed(how) => write!(f, "a reply that cannot be read: {how}"),
            NoAnswer::TooManyRecords => write!(f, "over {} records in one reply", message::RECORDS_MAX),
        }
    }
}

/// Reads a message that came while `question` was under way under the number
/// `id`.
///
/// # Errors
/// [`Stray`] where it has nothing to do with that.
pub fn read(message: &[u8], id: u16, question: &Question) -> Result<Reading, Stray> {
    let mut decoder = BinDecoder::new(message);
    let Header { metadata, counts } = Header::read(&mut decoder).map_err(|_| Stray::Short)?;
    if metadata.message_type != MessageType::Response || metadata.op_code != OpCode::Query {
        return Err(Stray::NotReply);
    }
    if metadata.id != id {
        return Err(Stray::OtherId);
    }
    check_question(&mut decoder, counts.queries, &metadata, question)?;
    if metadata.truncation && is_answer(metadata.response_code) {
        return Ok(Reading::Truncated);
    }
    let sections = match Sections::read(message, &mut decoder, counts, question) {
        Ok(sections) => sections,
        // An error is one whatever else comes with it.
        Err(_) if !is_answer(metadata.response_code) => Sections::default(),
        Err(Unreadable::TooMany) => return Ok(Reading::NoAnswer(NoAnswer::TooManyRecords)),
        Err(Unreadable::Syntax(error)) => {
            return Ok(Reading::NoAnswer(NoAnswer::Malformed(error.to_string().into())));
        }
        Err(Unreadable::Pointers) => {
            let told = format!("a name of over {} pointers", message::POINTERS_MAX);
            return Ok(Reading::NoAnswer(NoAnswer::Malformed(told.into())));
        }
    };
    Ok(match answer(&metadata, counts.answers, sections, question) {
        Ok(answer) => Reading::Answer(answer),
        Err(none) => Reading::NoAnswer(none),
    })
}

/// Whether a code says that there is an answer, or that there is none.
fn is_answer(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// A reply repeats its question (RFC 1035 §7.3); only who could not read it
/// need not.
fn check_question(
    decoder: &mut BinDecoder<'_>,
    count: u16,
    metadata: &Metadata,
    question: &Question,
) -> Result<(), Stray> {
    match count {
        0 if is_answer(metadata.response_code) => Err(Stray::NoQuestion),
        0 => Ok(()),
        1 => match message::query(decoder) {
            Ok(query) if question.is(&query) => Ok(()),
            _ => Err(Stray::OtherQuestion),
        },
        _ => Err(Stray::OtherQuestion),
    }
}

fn answer(
    metadata: &Metadata,
    answers: u16,
    sections: Sections,
    question: &Question,
) -> Result<Answer, NoAnswer> {
    let Sections { answers: found, soa, names_servers, extended_code } = sections;
    let code = match ResponseCode::from(extended_code.unwrap_or_default(), metadata.response_code.low()) {
        // 16 has two names; that of TSIG is no code of a header (RFC 6895 §2.3).
        ResponseCode::BADSIG => ResponseCode::BADVERS,
        code => code,
    };
    if !is_answer(code) {
        return Err(NoAnswer::Code(code));
    }
    let reached: Vec<Name> = chain::reached(&question.name, &found).into_iter().cloned().collect();
    let is_of_chain = |owner: &Name| question.name == *owner || reached.contains(owner);
    let kept: Vec<_> = found.into_iter().filter(|record| is_of_chain(&record.name)).collect();
    if kept.is_empty() {
        if answers > 0 {
            return Err(NoAnswer::OtherRecords);
        }
        let has_soa = soa.as_ref().is_some_and(|(zone, _)| zone.zone_of(&question.name));
        check_denial(metadata, code, has_soa, names_servers)?;
    }
    let end = reached.last().unwrap_or(&question.name);
    // Of a zone to which the name does not belong nothing follows for it.
    let denied_for = soa.filter(|(zone, _)| zone.zone_of(end)).map(|(_, seconds)| seconds);
    let least = kept.iter().map(|record| record.ttl).min();
    let is_wanted = |data: &RData| data.record_type() == question.record_type;
    let records: Box<[RData]> =
        kept.into_iter().map(|record| record.data).filter(|data| is_wanted(data)).collect();
    let exists = code != ResponseCode::NXDomain;
    if !exists && !records.is_empty() {
        return Err(NoAnswer::Contradiction);
    }
    let goes_on = records.is_empty() && exists && denied_for.is_none() && !reached.is_empty();
    let ttl = if records.is_empty() && !goes_on {
        denied_for.map(|seconds| least.map_or(seconds, |least| least.min(seconds)))
    } else {
        least
    };
    Ok(Answer {
        is_authentic: metadata.authentic_data,
        has_edns: extended_code.is_some(),
        recurses: metadata.recursion_available,
        is_authoritative: metadata.authoritative,
        goes_on,
        aliases: reached.into(),
        records,
        exists,
        ttl,
    })
}

/// Whether a reply without records is one that says so (RFC 2308 §2): with NS
/// records and no SOA of the name's own zone it is a referral, and with neither, from a server that
/// neither recurses nor knows the zone, it says nothing.
fn check_denial(
    metadata: &Metadata,
    code: ResponseCode,
    has_soa: bool,
    names_servers: bool,
) -> Result<(), NoAnswer> {
    let knows = metadata.recursion_available || metadata.authoritative;
    match code {
        ResponseCode::NoError if names_servers && !has_soa => Err(NoAnswer::Referral),
        _ if !has_soa && !knows => Err(NoAnswer::Lame),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
