//! What the DNS of a fleet knows, and its answer to each question.

use super::dns_table::Answers;
use super::error::LabError;
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NULL, SOA, TXT};
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
    /// In which manner; bogus: so is the denial of what would be below.
    pub answers: Answers,
    /// Whether it is signed, and with it all below that the table does not have.
    pub signed: bool,
    /// Whether an answer over UDP is cut.
    pub truncate: bool,
    /// MX records.
    pub mx: Vec<(u16, String)>,
    /// A and AAAA records.
    pub addresses: Vec<IpAddr>,
    /// CNAME record.
    pub alias: Option<String>,
    /// TXT records; a line is one of the strings of a record.
    pub txt: Vec<String>,
    /// Data of TLSA records.
    pub tlsa: Vec<Vec<u8>>,
}

/// All names of a fleet, in lower case without the final dot. A name that is
/// not here does not exist. It is answered for as by a resolver that validates.
#[derive(Debug)]
pub(super) struct Zone {
    nodes: HashMap<Box<str>, Node>,
    /// Whether it validates after all: if not, it never sets AD, and takes what
    /// is bogus as it is.
    pub validating: bool,
}

impl Default for Zone {
    fn default() -> Self {
        Self { nodes: HashMap::new(), validating: true }
    }
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

    /// Gives a name that is entered its TLSA records, which are known later than
    /// the name.
    pub(super) fn publish_tlsa(&mut self, name: &str, records: Vec<Vec<u8>>) {
        if let Some(node) = self.nodes.get_mut(name) {
            node.tlsa = records;
        }
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
        let cut = self.nodes.get(text(query.name()).as_str()).is_some_and(|node| node.truncate);
        let found = self.find(query);
        let checks = self.validating && !request.metadata.checking_disabled;
        match found.end {
            End::Silence => return None,
            End::Failure(code) => reply.metadata.response_code = code,
            _ if found.bogus && checks => reply.metadata.response_code = ResponseCode::ServFail,
            End::Records | End::NoName if cut && transport == Transport::Udp => {
                reply.metadata.truncation = true;
            }
            end => {
                if end == End::NoName {
                    reply.metadata.response_code = ResponseCode::NXDomain;
                }
                if found.records.is_empty() || end == End::NoName {
                    reply.add_authority(start_of_authority(&found.name));
                }
                reply.add_answers(found.records);
                reply.metadata.authentic_data = found.signed && checks && wants_to_know(request);
            }
        }
        Some(reply)
    }

    /// Records of the name and of what it is an alias of.
    fn find(&self, query: &Query) -> Traced {
        let name = query.name().clone();
        let mut found = Traced { name, records: Vec::new(), signed: true, bogus: false, end: End::Records };
        if query.name().is_root() && query.query_type() == RecordType::DNSKEY {
            found.records = vec![Record::from_rdata(Name::root(), TTL_SECONDS, root_key())];
            return found;
        }
        for _ in 0..ALIASES_MAX {
            let name = text(&found.name);
            let closest = self.closest(&name);
            found.signed &= closest.is_some_and(|node| node.signed);
            found.bogus |= closest.is_some_and(|node| node.answers == Answers::Bogus);
            let Some(node) = self.nodes.get(name.as_str()) else {
                found.end = End::NoName;
                break;
            };
            found.end = match node.answers {
                Answers::Records | Answers::Bogus => End::Records,
                Answers::Nxdomain => End::NoName,
                Answers::Servfail => End::Failure(ResponseCode::ServFail),
                Answers::Notimp => End::Failure(ResponseCode::NotImp),
                Answers::Timeout => End::Silence,
            };
            if found.end != End::Records {
                break;
            }
            let alias = node.alias.as_ref().and_then(|alias| Name::from_ascii(alias).ok());
            let Some(alias) = alias.map(absolute) else {
                found.records.extend(records(node, &found.name, query.query_type()));
                break;
            };
            let data = RData::CNAME(CNAME(alias.clone()));
            let owner = std::mem::replace(&mut found.name, alias);
            found.records.push(Record::from_rdata(owner, TTL_SECONDS, data));
            if query.query_type() == RecordType::CNAME {
                break;
            }
        }
        found
    }

    /// The node of a name or, where the table does not have it, of the closest
    /// name above.
    fn closest(&self, name: &str) -> Option<&Node> {
        let mut names =
            std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent));
        names.find_map(|name| self.nodes.get(name))
    }
}

/// What the table has for a question.
struct Traced {
    /// The name at the end of the aliases.
    name: Name,
    records: Vec<Record>,
    /// Whether all names on the way are signed.
    signed: bool,
    /// Whether one of them is bogus.
    bogus: bool,
    end: End,
}

/// How the way along the aliases ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Records,
    NoName,
    Failure(ResponseCode),
    Silence,
}

/// Whether who asks wants to know if the answer was validated (RFC 4035 §3.2.1,
/// RFC 6840 §5.7).
fn wants_to_know(request: &Message) -> bool {
    let ok = request.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
    ok || request.metadata.authentic_data
}

/// A made-up key of the root (RFC 4034 §2): flags, protocol, ECDSA on P-256, 64
/// octets. Nobody checks by it; that it comes with AD says who validates.
fn root_key() -> RData {
    let mut key = vec![0x01, 0x01, 3, 13];
    key.extend([0x6d; 64]);
    RData::Unknown { code: RecordType::DNSKEY, rdata: NULL::with(key) }
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
        RecordType::TXT => data.extend(node.txt.iter().map(|text| {
            let strings = text.split('\n').map(str::as_bytes);
            RData::TXT(TXT::from_bytes(strings.collect()))
        })),
        RecordType::TLSA => data.extend(node.tlsa.iter().map(|record| match record.as_slice() {
            [] => RData::Update0(RecordType::TLSA),
            bytes => RData::Unknown { code: RecordType::TLSA, rdata: NULL::with(bytes.to_vec()) },
        })),
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
