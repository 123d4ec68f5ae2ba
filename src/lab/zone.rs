//! What the DNS of a fleet knows, and its answer to each question.

use super::error::LabError;
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

/// Time to live of every record, in seconds.
const TTL_SECONDS: u32 = 300;
/// Largest answer over UDP to a client without EDNS (RFC 1035 §2.3.4), bytes.
const UDP_BYTES_DEFAULT: u16 = 512;
/// Largest answer over UDP to a client that asks for more, bytes.
const UDP_BYTES_MAX: u16 = 1232;
/// Longest chain of aliases that is followed inside one answer.
const ALIASES_MAX: usize = 8;

/// How one name is answered for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// In which manner.
    pub manner: Manner,
    /// Whether an answer over UDP is cut.
    pub truncate: bool,
    /// MX records.
    pub mx: Vec<(u16, String)>,
    /// A and AAAA records.
    pub addresses: Vec<IpAddr>,
    /// CNAME record.
    pub alias: Option<String>,
}

/// In which manner a name is answered for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Manner {
    #[default]
    Records,
    /// The name does not exist, although it stands in the table.
    Nxdomain,
    /// SERVFAIL.
    Servfail,
    /// Not at all.
    Silence,
}

/// All names of a fleet, in lower case without the final dot. A name that is
/// not here does not exist.
#[derive(Debug, Default)]
pub(super) struct Zone {
    nodes: HashMap<Box<str>, Node>,
}

/// Over what a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

impl Zone {
    /// Enters a name; the same name with the same node again is no change.
    pub(super) fn insert(&mut self, name: &str, node: Node) -> Result<(), LabError> {
        if Name::from_ascii(name).is_err() {
            return Err(LabError::NameTooLong(name.to_string()));
        }
        match self.nodes.entry(name.into()) {
            Entry::Vacant(vacant) => {
                vacant.insert(node);
            }
            Entry::Occupied(known) if *known.get() == node => {}
            Entry::Occupied(_) => return Err(LabError::NameCollision(name.to_string())),
        }
        Ok(())
    }

    /// The answer to a message as bytes, and what it asked for; no bytes where
    /// the answer is silence, nothing at all where it was no question.
    pub(super) fn answer(&self, bytes: &[u8], transport: Transport) -> Option<(Query, Option<Vec<u8>>)> {
        let request = Message::from_vec(bytes).ok()?;
        if request.metadata.message_type != MessageType::Query {
            return None;
        }
        let query = request.queries.first()?.clone();
        let reply = self.reply(&request, &query, transport).and_then(|reply| {
            let bytes = reply.to_vec().ok()?;
            let limit = usize::from(udp_limit(&request));
            if transport == Transport::Udp && bytes.len() > limit {
                reply.truncate().to_vec().ok()
            } else {
                Some(bytes)
            }
        });
        Some((query, reply))
    }

    fn reply(&self, request: &Message, query: &Query, transport: Transport) -> Option<Message> {
        let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
        reply.metadata = Metadata::response_from_request(&request.metadata);
        reply.metadata.authoritative = true;
        // A resolver takes its answers from us as if we had recursed for it.
        reply.metadata.recursion_available = true;
        reply.add_query(query.clone());
        if request.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_BYTES_MAX);
            reply.set_edns(edns);
        }
        if request.metadata.op_code != OpCode::Query {
            reply.metadata.response_code = ResponseCode::NotImp;
            return Some(reply);
        }
        let node = self.nodes.get(text(query.name()).as_str());
        match node.map(|node| node.manner) {
            Some(Manner::Silence) => return None,
            Some(Manner::Servfail) => reply.metadata.response_code = ResponseCode::ServFail,
            Some(Manner::Records)
                if transport == Transport::Udp && node.is_some_and(|node| node.truncate) =>
            {
                reply.metadata.truncation = true;
            }
            _ => self.fill(&mut reply, query),
        }
        Some(reply)
    }

    /// Records of the name and of what it is an alias of.
    fn fill(&self, reply: &mut Message, query: &Query) {
        let mut name = query.name().clone();
        for _ in 0..ALIASES_MAX {
            let node = self.nodes.get(text(&name).as_str()).filter(|node| node.manner == Manner::Records);
            let Some(node) = node else {
                reply.metadata.response_code = ResponseCode::NXDomain;
                break;
            };
            let Some(alias) = node.alias.as_ref().and_then(|alias| Name::from_ascii(alias).ok()) else {
                reply.add_answers(records(node, &name, query.query_type()));
                break;
            };
            let alias = absolute(alias);
            reply.add_answer(Record::from_rdata(name, TTL_SECONDS, RData::CNAME(CNAME(alias.clone()))));
            name = alias;
        }
        if reply.answers.is_empty() || reply.metadata.response_code == ResponseCode::NXDomain {
            reply.add_authority(start_of_authority(&name));
        }
    }
}

fn udp_limit(request: &Message) -> u16 {
    let asked = request.edns.as_ref().map_or(UDP_BYTES_DEFAULT, |edns| edns.max_payload());
    asked.clamp(UDP_BYTES_DEFAULT, UDP_BYTES_MAX)
}

fn records(node: &Node, name: &Name, kind: RecordType) -> Vec<Record> {
    let mut data: Vec<RData> = Vec::new();
    match kind {
        RecordType::MX => data.extend(node.mx.iter().filter_map(|(preference, host)| {
            let host = absolute(Name::from_ascii(host).ok()?);
            Some(RData::MX(MX::new(*preference, host)))
        })),
        RecordType::A | RecordType::AAAA => {
            data.extend(node.addresses.iter().filter_map(|address| match address {
                IpAddr::V4(v4) if kind == RecordType::A => Some(RData::A(A(*v4))),
                IpAddr::V6(v6) if kind == RecordType::AAAA => Some(RData::AAAA(AAAA(*v6))),
                _ => None,
            }));
        }
        _ => {}
    }
    data.into_iter().map(|data| Record::from_rdata(name.clone(), TTL_SECONDS, data)).collect()
}

/// The SOA that a negative answer carries (RFC 2308 §2), at the parent of the
/// name: close enough for a world without delegations.
fn start_of_authority(name: &Name) -> Record {
    let zone = name.base_name();
    let soa = SOA::new(zone.clone(), zone.clone(), 1, 3600, 600, 86_400, TTL_SECONDS);
    Record::from_rdata(zone, TTL_SECONDS, RData::SOA(soa))
}

fn absolute(mut name: Name) -> Name {
    name.set_fqdn(true);
    name
}

fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    text.make_ascii_lowercase();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    text
}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
