//! A DNS server on loopback whose every answer is written down beforehand and
//! that keeps a log of what it was asked.

use hickory_proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, NULL, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

/// Seconds that answers may be cached, the negative ones too.
const TTL_S: u32 = 300;
/// Ports tried until one is free for UDP and TCP alike.
const BINDS_MAX: usize = 32;

/// What the server says to one question.
#[derive(Clone)]
pub enum Reply {
    /// These records.
    Records(Vec<RData>),
    /// No records, this code.
    Code(ResponseCode),
    /// These records (none: no data), validated: AD.
    Secure(Vec<RData>),
    /// There is no such name, validated: AD.
    SecurelyGone,
    /// SERVFAIL, unless it is not to check (CD): then the records.
    Bogus(Vec<RData>),
    /// Servers that may know, as a parent zone answers.
    Referral,
    /// Nothing at all.
    Silence,
    /// TC and nothing else over UDP, the records over TCP.
    Truncated(Vec<RData>),
    /// SERVFAIL the first time, the records from then on.
    Flaky(Vec<RData>),
    /// The records, validated the first time only: AD, and no AD from then on.
    SecureOnce(Vec<RData>),
    /// SERVFAIL until [`DnsServer::release`], then the records, validated.
    ServfailUntilReleased(Vec<RData>),
    /// The records, validated until [`DnsServer::release`].
    SecureUntilReleased(Vec<RData>),
    /// The records, but only after [`DnsServer::release`].
    Held(Vec<RData>),
}

/// One question as it came in: name in lower case without the trailing dot.
pub type Asked = (String, RecordType, Protocol);

#[derive(Default)]
struct Shared {
    table: HashMap<(String, RecordType), Reply>,
    log: Mutex<Vec<Asked>>,
    held: watch::Sender<HashSet<String>>,
    released: watch::Sender<bool>,
}

/// The server; it ends with the value.
pub struct DnsServer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _server: Server<Handler>,
}

impl DnsServer {
    /// Serves `table`. A CNAME is given whatever type is asked for. Of a name
    /// in the table the types that are not there have no data; a name that is
    /// not there does not exist.
    pub async fn start(table: impl IntoIterator<Item = (&'static str, RecordType, Reply)>) -> Self {
        let table = table.into_iter().map(|(name, kind, reply)| ((name.to_owned(), kind), reply)).collect();
        let shared = Arc::new(Shared { table, ..Shared::default() });
        let (udp, tcp) = bind().await;
        let address = udp.local_addr().unwrap();
        let mut server = Server::new(Handler(shared.clone()));
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(5), 16);
        Self { address, shared, _server: server }
    }

    /// Everything asked so far.
    pub fn log(&self) -> Vec<Asked> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How often `name` was asked for, of any type.
    pub fn count(&self, name: &str) -> usize {
        self.log().iter().filter(|(asked, ..)| asked == name).count()
    }

    /// Waits until so many names are held, and says how many are.
    pub async fn held(&self, least: usize) -> usize {
        self.shared.held.subscribe().wait_for(|names| names.len() >= least).await.unwrap().len()
    }

    /// Lets every held answer go, and those to come.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }
}

async fn bind() -> (UdpSocket, TcpListener) {
    for _ in 0..BINDS_MAX {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

struct Handler(Arc<Shared>);

impl RequestHandler for Handler {
    // What async_trait makes of the trait's `async fn`.
    fn handle_request<'a, 'b, 'r, R, T>(
        &'a self,
        request: &'b Request,
        respond: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'r>>
    where
        R: ResponseHandler + 'r,
        T: Time + 'r,
        'a: 'r,
        'b: 'r,
        Self: 'r,
    {
        Box::pin(self.answer(request, respond))
    }
}

impl Handler {
    async fn answer(&self, request: &Request, mut respond: impl ResponseHandler) -> ResponseInfo {
        let query = request.request_info().unwrap().query;
        let name = query.name().to_string().trim_end_matches('.').to_lowercase();
        let earlier = self.log(&name, query.query_type(), request.protocol());
        let mut metadata = Metadata::response_from_request(&request.metadata);
        let (mut answers, mut authorities) = (Vec::new(), vec![soa()]);
        match self.reply(&name, query.query_type()) {
            Reply::Silence => {
                return ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() });
            }
            Reply::Code(code) => metadata.response_code = code,
            Reply::SecurelyGone => {
                metadata.authentic_data = true;
                metadata.response_code = ResponseCode::NXDomain;
            }
            Reply::Bogus(_) if !request.metadata.checking_disabled => {
                metadata.response_code = ResponseCode::ServFail;
            }
            Reply::Secure(records) => {
                metadata.authentic_data = true;
                answers = records;
            }
            Reply::SecureOnce(records) => {
                metadata.authentic_data = earlier == 0;
                answers = records;
            }
            Reply::SecureUntilReleased(records) => {
                metadata.authentic_data = !*self.0.released.borrow();
                answers = records;
            }
            Reply::ServfailUntilReleased(_) if !*self.0.released.borrow() => {
                metadata.response_code = ResponseCode::ServFail;
            }
            Reply::ServfailUntilReleased(records) => {
                metadata.authentic_data = true;
                answers = records;
            }
            Reply::Referral => authorities = vec![RData::NS(NS(parse("ns.elsewhere.example")))],
            Reply::Truncated(_) if request.protocol() == Protocol::Udp => metadata.truncation = true,
            Reply::Flaky(_) if earlier == 0 => metadata.response_code = ResponseCode::ServFail,
            Reply::Held(records) => {
                self.0.held.send_modify(|names| {
                    names.insert(name);
                });
                self.0.released.subscribe().wait_for(|released| *released).await.unwrap();
                answers = records;
            }
            Reply::Records(records)
            | Reply::Truncated(records)
            | Reply::Flaky(records)
            | Reply::Bogus(records) => answers = records,
        }
        let own = |data: RData| Record::from_rdata(query.original().name().clone(), TTL_S, data);
        let answers: Vec<Record> = answers.into_iter().map(own).collect();
        let authorities: Vec<Record> = authorities.into_iter().map(own).collect();
        let builder = MessageResponseBuilder::new(&request.queries, request.edns.as_ref());
        respond.send_response(builder.build(metadata, &answers, &authorities, [], [])).await.unwrap()
    }

    /// Writes a question down and says how often it came before.
    fn log(&self, name: &str, kind: RecordType, protocol: Protocol) -> usize {
        let mut log = self.0.log.lock().unwrap();
        let earlier = log.iter().filter(|(asked, of, _)| asked == name && *of == kind).count();
        log.push((name.to_owned(), kind, protocol));
        earlier
    }

    fn reply(&self, name: &str, kind: RecordType) -> Reply {
        let table = &self.0.table;
        let found = [kind, RecordType::CNAME].iter().find_map(|kind| table.get(&(name.to_owned(), *kind)));
        let exists = table.keys().any(|(known, _)| known == name);
        let code = if exists { ResponseCode::NoError } else { ResponseCode::NXDomain };
        found.cloned().unwrap_or(Reply::Code(code))
    }
}

fn parse(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    name
}

fn soa() -> RData {
    let seconds = TTL_S.cast_signed();
    RData::SOA(SOA::new(
        parse("ns.example"),
        parse("hostmaster.example"),
        1,
        seconds,
        seconds,
        seconds,
        TTL_S,
    ))
}

/// An MX record; the name is kept in its case.
pub fn mx(preference: u16, exchange: &str) -> RData {
    RData::MX(MX::new(preference, parse(exchange)))
}

/// An A or AAAA record.
pub fn address(text: &str) -> RData {
    match text.parse().unwrap() {
        std::net::IpAddr::V4(ip) => RData::A(A(ip)),
        std::net::IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
    }
}

/// A TLSA record, or what stands in the place of one.
pub fn tlsa(data: &[u8]) -> RData {
    // Its maker does not take none at all.
    let mut rdata = NULL::new();
    rdata.anything = data.to_vec();
    RData::Unknown { code: RecordType::TLSA, rdata }
}

/// The key of a root that signs nothing: with AD it is what a resolver says that
/// validates.
pub fn dnskey() -> RData {
    RData::Unknown { code: RecordType::DNSKEY, rdata: NULL::with(vec![1, 1, 3, 8, 0]) }
}

/// A TXT record of these strings.
pub fn txt(strings: &[&str]) -> RData {
    RData::TXT(TXT::new(strings.iter().map(|text| (*text).to_owned()).collect()))
}

/// A CNAME record.
pub fn cname(target: &str) -> RData {
    RData::CNAME(CNAME(parse(target)))
}
