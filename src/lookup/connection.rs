//! Connections to nameservers on which a full queue means waiting.
//!
//! The resolver library hands what is to be sent over TCP to a queue of fixed
//! length and fails the question that finds it full. Here a question waits for
//! its turn instead, and one that was under way on a connection that the
//! nameserver closed is asked again on a connection of its own (RFC 7766
//! §6.2.4). UDP has no such queue. What answers another question is no answer,
//! whichever way it came ([`super::reply`]).

use super::reply;
use futures_util::stream::{Stream, StreamExt, once};
use hickory_resolver::config::{ConnectionConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{ConnectionProvider, PoolContext};
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::future::Future;
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};

/// Most questions under way over TCP to one nameserver: as many as the queue
/// of the library takes.
const TCP_QUESTIONS_MAX: u32 = 32;

/// How many of those a question counts for that has a connection to itself.
/// Resolvers keep few connections: no more than eight of these at a time.
const ALONE_WEIGHT: u32 = 4;

type TokioExchange = DnsExchange<TokioRuntimeProvider>;
type DnsAnswer = Result<DnsResponse, NetError>;

/// Questions whose failure over TCP is remembered.
const FAILURES_MAX: usize = 4096;

/// Why a question got no answer over TCP. The library says of all of these
/// that the answer over UDP was truncated.
type Failures = Cache<(Name, RecordType), NetError>;

/// Makes the connections, one over TCP to each nameserver.
#[derive(Clone)]
pub(super) struct Connections {
    runtime: TokioRuntimeProvider,
    tcp: Arc<Mutex<HashMap<SocketAddr, Arc<Tcp>>>>,
    failures: Arc<Failures>,
}

impl Default for Connections {
    fn default() -> Self {
        let failures = Arc::new(Cache::new(FAILURES_MAX));
        Self { runtime: TokioRuntimeProvider::default(), tcp: Arc::default(), failures }
    }
}

impl ConnectionProvider for Connections {
    type Conn = NameserverConnection;
    type FutureConn = Pin<Box<dyn Future<Output = Result<NameserverConnection, NetError>> + Send>>;
    type RuntimeProvider = TokioRuntimeProvider;

    fn new_connection(
        &self,
        ip: IpAddr,
        config: &ConnectionConfig,
        context: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        if matches!(config.protocol, ProtocolConfig::Tcp) {
            let tcp = self.tcp(SocketAddr::new(ip, config.port), context.options.timeout);
            return Ok(Box::pin(async { Ok(NameserverConnection::Tcp(tcp)) }));
        }
        let connecting = self.runtime.new_connection(ip, config, context)?;
        Ok(Box::pin(async { connecting.await.map(NameserverConnection::Udp) }))
    }

    fn runtime_provider(&self) -> &TokioRuntimeProvider {
        &self.runtime
    }
}

impl Connections {
    /// Why the question got no answer over TCP when it was asked last; `None`
    /// if it got one, or was not asked.
    pub(super) fn failure_over_tcp(&self, name: &Name, record_type: RecordType) -> Option<NetError> {
        self.failures.get(&(name.clone(), record_type))
    }

    fn tcp(&self, nameserver: SocketAddr, timeout: Duration) -> Arc<Tcp> {
        let mut known = self.tcp.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Tcp::new(nameserver, timeout, self));
        known.entry(nameserver).or_insert_with(new).clone()
    }
}

/// A way to one nameserver.
#[derive(Clone)]
pub(super) enum NameserverConnection {
    Udp(TokioExchange),
    Tcp(Arc<Tcp>),
}

impl DnsHandle for NameserverConnection {
    type Response = Pin<Box<dyn Stream<Item = DnsAnswer> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        match self {
            NameserverConnection::Udp(exchange) => {
                let replies = exchange.send(request.clone());
                Box::pin(replies.map(move |told| told.and_then(|reply| reply::checked(&request, reply))))
            }
            NameserverConnection::Tcp(tcp) => {
                let tcp = tcp.clone();
                Box::pin(once(async move { tcp.ask(request).await }))
            }
        }
    }
}

/// A connection that is open, about to be, or could not be opened.
type Opened = Arc<OnceCell<Result<TokioExchange, NetError>>>;

/// TCP to one nameserver.
pub(super) struct Tcp {
    nameserver: SocketAddr,
    timeout: Duration,
    runtime: TokioRuntimeProvider,
    turns: Semaphore,
    shared: Mutex<Opened>,
    failures: Arc<Failures>,
}

impl Tcp {
    fn new(nameserver: SocketAddr, timeout: Duration, connections: &Connections) -> Self {
        let turns = Semaphore::new(TCP_QUESTIONS_MAX as usize);
        let (runtime, failures) = (connections.runtime.clone(), connections.failures.clone());
        Self { nameserver, timeout, runtime, turns, shared: Mutex::default(), failures }
    }

    /// Asks on the connection that all share, and if that comes to its end
    /// before the answer is there, on one of its own. The time of a question
    /// runs from its turn on.
    async fn ask(&self, request: DnsRequest) -> DnsAnswer {
        let question = request.queries.first().map(|query| (query.name().clone(), query.query_type()));
        let answer = match self.ask_with_others(request.clone()).await {
            Err(error) if is_end(&error) => self.ask_alone(request.clone()).await,
            told => told,
        };
        let answer = answer.and_then(|reply| reply::checked(&request, reply));
        if let Some(question) = question {
            match &answer {
                Ok(_) => drop(self.failures.remove(&question)),
                Err(error) => self.failures.insert(question, error.clone()),
            }
        }
        answer
    }

    async fn ask_with_others(&self, request: DnsRequest) -> DnsAnswer {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = match shared.get_or_init(|| self.connect()).await {
            Ok(exchange) => exchange.send(request).first_answer().await,
            Err(error) => Err(error.clone()),
        };
        if answer.is_err() {
            self.forget(&shared);
        }
        answer
    }

    async fn ask_alone(&self, request: DnsRequest) -> DnsAnswer {
        let _turns = self.turns.acquire_many(ALONE_WEIGHT).await;
        let answer = self.connect().await?.send(request).first_answer().await;
        answer.map_err(|error| match error {
            NetError::Io(_) => error,
            error if is_end(&error) => Error::new(ErrorKind::UnexpectedEof, CLOSED).into(),
            error => error,
        })
    }

    async fn connect(&self) -> Result<TokioExchange, NetError> {
        let most = Some(TCP_QUESTIONS_MAX as usize);
        TcpClientStream::exchange(self.nameserver, None, self.timeout, most, self.runtime.clone()).await
    }

    /// Whoever asks next opens another connection. What still waits on this
    /// one may go on to.
    fn forget(&self, ended: &Opened) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&shared, ended) {
            *shared = Opened::default();
        }
    }
}

/// What is told of a connection that ended without an error of its own.
const CLOSED: &str = "the nameserver closed the connection";

/// Whether the connection has come to its end. The library says so in several
/// ways; what is left are answers, answers that cannot be read, and time.
fn is_end(error: &NetError) -> bool {
    !matches!(error, NetError::Dns(_) | NetError::Proto(_) | NetError::Timeout)
}
