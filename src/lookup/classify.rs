//! From hickory's errors to the kinds of phase `dns`.
//!
//! The line that matters runs between an answer ("there is no such name",
//! "there is no such record") and no answer: only the first says anything
//! about the domain.

use crate::model::{Failure, Kind, Phase};
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use std::io;

/// Names what a failed query comes to.
pub(super) fn failure(error: &NetError) -> Failure {
    let dns = |kind| Failure::new(Phase::Dns, kind);
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => no_records(none),
        NetError::Dns(DnsError::ResponseCode(code)) => dns(Kind::Servfail).with_detail(code),
        NetError::Timeout => dns(Kind::Timeout),
        NetError::Io(error) => dns(io_kind(error.kind())).with_detail(error),
        // An answer came, but one that cannot be read or trusted.
        NetError::Dns(_)
        | NetError::Proto(_)
        | NetError::QueryCaseMismatch
        | NetError::ForeignClassRecord { .. }
        | NetError::Truncated => dns(Kind::Servfail).with_detail(error),
        // What is left happened on this side of the wire.
        _ => dns(Kind::LocalError).with_detail(error),
    }
}

/// A response without the records asked for (RFC 2308 §2).
fn no_records(none: &NoRecords) -> Failure {
    match none.response_code {
        ResponseCode::NXDomain => Failure::new(Phase::Dns, Kind::Nxdomain),
        // §2.2: NS records without a SOA are a referral, from a server that
        // neither answers for the zone nor recurses.
        ResponseCode::NoError if none.ns.is_some() && none.soa.is_none() => {
            Failure::new(Phase::Dns, Kind::Servfail).with_detail("referral instead of an answer")
        }
        ResponseCode::NoError => Failure::new(Phase::Dns, Kind::NoData),
        code => Failure::new(Phase::Dns, Kind::Servfail).with_detail(code),
    }
}

/// Whether the nameserver ended the connection or this machine failed.
fn io_kind(kind: io::ErrorKind) -> Kind {
    match kind {
        io::ErrorKind::TimedOut => Kind::Timeout,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Kind::Closed,
        _ => Kind::LocalError,
    }
}

/// No exchanger of a domain can be used; why.
pub(super) fn unusable(detail: &str) -> Failure {
    Failure::new(Phase::Dns, Kind::MxUnusable).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{DnsResponse, Message, OpCode, Query};
    use hickory_resolver::proto::rr::rdata::{NS, SOA};
    use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    /// The error that hickory makes of a response with this code and these
    /// authority records.
    fn from_response(code: ResponseCode, authorities: Vec<RData>) -> NetError {
        let mut message = Message::response(1, OpCode::Query);
        message.metadata.response_code = code;
        message.add_query(Query::query(name("example.org."), RecordType::MX));
        for data in authorities {
            message.add_authority(Record::from_rdata(name("example.org."), 60, data));
        }
        let response = DnsResponse::from_message(message).unwrap();
        DnsError::from_response(response).expect_err("an error").into()
    }

    fn soa() -> RData {
        RData::SOA(SOA::new(name("ns.example.org."), name("h.example.org."), 1, 60, 60, 60, 60))
    }

    fn ns() -> RData {
        RData::NS(NS(name("ns.example.org.")))
    }

    fn kind(error: NetError) -> Kind {
        let failure = failure(&error);
        assert_eq!(failure.phase, Phase::Dns);
        failure.kind
    }

    #[test]
    fn answers_are_told_from_no_answers() {
        use ResponseCode::*;
        for (code, authorities, expected) in [
            (NXDomain, vec![soa()], Kind::Nxdomain),
            (NXDomain, vec![], Kind::Nxdomain),
            (NXDomain, vec![ns()], Kind::Nxdomain),
            (NoError, vec![soa()], Kind::NoData),
            (NoError, vec![soa(), ns()], Kind::NoData),
            (NoError, vec![], Kind::NoData),
            (NoError, vec![ns()], Kind::Servfail),
            (ServFail, vec![], Kind::Servfail),
            (Refused, vec![], Kind::Servfail),
            (NotImp, vec![], Kind::Servfail),
            (FormErr, vec![], Kind::Servfail),
            (NotAuth, vec![], Kind::Servfail),
            (BADVERS, vec![], Kind::Servfail),
        ] {
            let count = authorities.len();
            assert_eq!(kind(from_response(code, authorities)), expected, "{code} {count}");
        }
    }

    #[test]
    fn a_code_unknown_to_hickory_is_no_answer() {
        let none = NoRecords::new(Query::new(), ResponseCode::Unknown(3841));
        assert_eq!(kind(none.into()), Kind::Servfail);
    }

    #[test]
    fn transport_errors_blame_whom_they_should() {
        for (error, expected) in [
            (NetError::Timeout, Kind::Timeout),
            (io::Error::from(io::ErrorKind::TimedOut).into(), Kind::Timeout),
            (io::Error::from(io::ErrorKind::ConnectionRefused).into(), Kind::Closed),
            (io::Error::from(io::ErrorKind::ConnectionReset).into(), Kind::Closed),
            (io::Error::from(io::ErrorKind::NetworkUnreachable).into(), Kind::LocalError),
            // EMFILE: no descriptor left.
            (io::Error::from_raw_os_error(24).into(), Kind::LocalError),
            (NetError::Busy, Kind::LocalError),
            (NetError::NoConnections, Kind::LocalError),
            (NetError::Truncated, Kind::Servfail),
            (NetError::Message("receiver was canceled"), Kind::LocalError),
            (NetError::Msg("mpsc::SendError send failed because channel is full".into()), Kind::LocalError),
        ] {
            let text = error.to_string();
            assert_eq!(kind(error), expected, "{text}");
        }
    }

    #[test]
    fn the_code_stands_in_the_detail() {
        let failure = failure(&from_response(ResponseCode::Refused, vec![]));
        assert_eq!(failure.detail.as_deref(), Some("Query Refused"));
    }
}
