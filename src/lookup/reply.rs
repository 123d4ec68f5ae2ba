//! Whether a reply answers what was asked, and what of it does.
//!
//! The library compares the question over UDP only, and takes records of
//! whatever name for the answer.

use super::alias;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, ResponseCode};
use hickory_resolver::proto::rr::RecordType;

/// What is told of replies that answer nothing of ours.
const NO_QUESTION: &str = "a reply that repeats no question";
const OTHER_QUESTION: &str = "a reply to another question";
const OTHER_RECORDS: &str = "a reply with none but records that the question did not ask for";

/// The reply, without records of names that were not asked for.
///
/// # Errors
/// Where it does not repeat the question (RFC 1035 §7.3), which only who could
/// not read it need not, or where none of its records has to do with it.
pub(super) fn checked(request: &DnsRequest, mut reply: DnsResponse) -> Result<DnsResponse, NetError> {
    let stray = |told| Err(ProtoError::from(told).into());
    if reply.queries != request.queries {
        let answers = matches!(reply.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
        return match reply.queries.is_empty() {
            true if !answers => Ok(reply),
            true => stray(NO_QUESTION),
            false => stray(OTHER_QUESTION),
        };
    }
    let Some(question) = request.queries.first() else { return Ok(reply) };
    if reply.answers.is_empty() {
        return Ok(reply);
    }
    let mut names = vec![question.name().clone()];
    names.extend(alias::reached(question.name(), &reply.answers).into_iter().cloned());
    reply.answers.retain(|record| names.contains(&record.name));
    let wanted = [question.query_type(), RecordType::CNAME];
    if reply.answers.iter().any(|record| wanted.contains(&record.record_type())) {
        Ok(reply)
    } else {
        stray(OTHER_RECORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query};
    use hickory_resolver::proto::rr::rdata::{A, CNAME, TXT};
    use hickory_resolver::proto::rr::{Name, RData, Record};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn message(questions: &[&str]) -> Message {
        let mut message = Message::response(1, OpCode::Query);
        for question in questions {
            message.add_query(Query::query(name(question), RecordType::A));
        }
        message
    }

    fn ask() -> DnsRequest {
        let mut message = message(&["mx.example."]);
        message.metadata.message_type = MessageType::Query;
        DnsRequest::new(message, Default::default())
    }

    fn address(owner: &str, last: u8) -> Record {
        Record::from_rdata(name(owner), 60, RData::A(A([192, 0, 2, last].into())))
    }

    fn alias(owner: &str, target: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
    }

    /// How many records are left of these; `None` where there is no answer.
    fn left(records: &[Record]) -> Option<usize> {
        let mut message = message(&["mx.example."]);
        message.answers.extend(records.iter().cloned());
        checked(&ask(), DnsResponse::from_message(message).unwrap()).ok().map(|reply| reply.answers.len())
    }

    #[test]
    fn only_records_that_were_asked_for_are_left() {
        let text = Record::from_rdata(name("mx.example."), 60, RData::TXT(TXT::new(vec!["hi".into()])));
        for (records, kept) in [
            (&[][..], Some(0)),
            (&[address("MX.Example.", 1)], Some(1)),
            (&[address("mx.example.", 1), address("other.example.", 2)], Some(1)),
            (&[address("other.example.", 2)], None),
            (std::slice::from_ref(&text), None),
            // Aliases in any order, and one that leads nowhere yet.
            (
                &[
                    address("c.example.", 1),
                    alias("b.example.", "c.example."),
                    alias("mx.example.", "b.example."),
                ],
                Some(3),
            ),
            (&[alias("mx.example.", "b.example.")], Some(1)),
            // In a circle, which whoever follows them notices.
            (&[alias("mx.example.", "MX.example."), address("b.example.", 1)], Some(1)),
            (&[alias("mx.example.", "b.example."), alias("b.example.", "mx.example.")], Some(2)),
            (&[alias("x.example.", "b.example."), address("b.example.", 1)], None),
        ] {
            assert_eq!(left(records), kept, "{records:?}");
        }
    }

    #[test]
    fn the_question_is_repeated_where_there_is_an_answer() {
        use ResponseCode::{FormErr, NXDomain, NoError, ServFail};
        for (questions, code, answers) in [
            (&["mx.example."][..], NoError, true),
            (&["MX.EXAMPLE."], NXDomain, true),
            (&["other.example."], NoError, false),
            (&["other.example."], ServFail, false),
            (&["mx.example.", "mx.example."], NoError, false),
            (&[], NoError, false),
            (&[], NXDomain, false),
            (&[], FormErr, true),
        ] {
            let mut message = message(questions);
            message.metadata.response_code = code;
            let reply = DnsResponse::from_message(message).unwrap();
            assert_eq!(checked(&ask(), reply).is_ok(), answers, "{questions:?} {code}");
        }
    }
}
