//! A question, as it is compared, kept and sent.

use hickory_proto::ProtoError;
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};

/// UDP payload offered by EDNS (RFC 6891 §6.2.3), in octets: no fragments on
/// any usual path (the value of DNS Flag Day 2020).
pub const EDNS_PAYLOAD_OCTETS: u16 = 1232;

/// What is asked of a recursive resolver, in class IN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name, absolute.
    pub name: Name,
    /// The type of the records.
    pub record_type: RecordType,
    /// Whether a resolver that validates shall answer even so where what it
    /// found is bogus (CD, RFC 4035 §3.2.2).
    pub checking_disabled: bool,
}

impl Question {
    /// Asks for records of a type, validated by whoever validates.
    pub fn new(name: Name, record_type: RecordType) -> Self {
        Self { name, record_type, checking_disabled: false }
    }

    /// The question as bytes, under the number `id`. With `edns` it says that
    /// DNSSEC is understood (DO, RFC 3225), without which no resolver says by AD
    /// that it has validated; without, it is one of RFC 1035.
    ///
    /// # Errors
    /// The name cannot be encoded (RFC 1035 §2.3.4).
    pub fn encode(&self, id: u16, edns: bool) -> Result<Vec<u8>, ProtoError> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = self.checking_disabled;
        message.add_query(Query::query(self.name.clone(), self.record_type));
        if edns {
            let mut options = Edns::new();
            options.set_max_payload(EDNS_PAYLOAD_OCTETS).set_dnssec_ok(true);
            message.set_edns(options);
        }
        message.to_vec()
    }

    /// Whether `query`, which a reply repeats, is this one. Letters may come back
    /// in either case (RFC 1035 §2.3.3).
    pub(super) fn is(&self, query: &Query) -> bool {
        *query.name() == self.name
            && query.query_type() == self.record_type
            && query.query_class() == hickory_proto::rr::DNSClass::IN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question::new(Name::from_ascii("mx.example.").unwrap(), RecordType::MX)
    }

    /// Written down by hand from RFC 1035 §4.1 and RFC 6891 §6.1.2.
    #[test]
    fn a_question_is_these_bytes() {
        let plain = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x02mx\x07example\0\0\x0f\0\x01";
        assert_eq!(question().encode(0x1234, false).unwrap(), plain);
        let mut with_edns = plain.to_vec();
        with_edns[11] = 1;
        // The root, OPT, 1232 octets, no extended code, version 0, DO, no options.
        with_edns.extend(b"\0\0\x29\x04\xd0\0\0\x80\0\0\0");
        assert_eq!(question().encode(0x1234, true).unwrap(), with_edns);
        let unchecked = Question { checking_disabled: true, ..question() };
        assert_eq!(unchecked.encode(0x1234, true).unwrap()[2..4], [0x01, 0x10]);
    }

    #[test]
    fn the_same_question_in_other_letters_is_the_same() {
        let query = |name: &str, record_type| Query::query(Name::from_ascii(name).unwrap(), record_type);
        assert!(question().is(&query("MX.Example.", RecordType::MX)));
        assert!(!question().is(&query("mx.example.", RecordType::A)));
        assert!(!question().is(&query("mx.example.org.", RecordType::MX)));
        let mut chaos = query("mx.example.", RecordType::MX);
        chaos.set_query_class(hickory_proto::rr::DNSClass::CH);
        assert!(!question().is(&chaos));
    }
}
