//! DNS messages without a socket: a question as it is sent, and what a reply
//! to it says (RFC 1035 §4, RFC 6891, RFC 2308).
//!
//! A reply is believed for what it was asked and for nothing else: records
//! count by owner and by the aliases that lead there, and whatever is not the
//! reply to the question under way is told apart from it ([`Stray`]), so that
//! whoever waits can wait on. Names, records and their encoding are
//! hickory-proto's; which of them answer is decided here.
//!
//! The texts of MTA-STS and TLS-RPT are read here, too ([`mta_sts`], [`tls_rpt`]).

mod answer;
mod chain;
mod message;
pub mod mta_sts;
mod question;
mod reverse;
pub mod tls_rpt;
mod txt;

pub use answer::{Answer, NoAnswer, Reading, Stray, read};
pub use chain::{ALIASES_MAX, AliasChain};
pub use message::RECORDS_MAX;
pub use question::{EDNS_PAYLOAD_OCTETS, Question};
pub use reverse::{LISTED_V4, LISTED_V6, entry_name, reverse_name};

pub use hickory_proto::op::ResponseCode;
pub use hickory_proto::rr::{Name, RData, RecordType};
