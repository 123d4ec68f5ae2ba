//! HTTP: the policies of MTA-STS over TLS ([`policy`]), and without it what
//! stands here: plain HTTP for revocation lists and OCSP (RFC 5280 §4.2.1.13, RFC 6960
//! appendix A): one request, bounded in time, size and redirects, to no
//! address that [`Gate`] forbids, and through no proxy.
//!
//! HTTP is hyper's. Connecting is ours, since every address, that of a
//! redirect too, has to pass the gate between its lookup and the connection.

pub mod policy;
mod policy_connection;
mod recorded;
mod turns;

use crate::model::{Endpoint, Failure, Kind, MxHost, Phase, ProbeKey};
use crate::net::{Gate, dial};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use url::Url;

/// Time for one fetch, redirects included.
pub const FETCH_TIME: Duration = Duration::from_secs(15);
/// Longest body, in bytes.
pub const FETCH_BYTES_MAX: usize = 32 << 20;
/// Redirects that are followed.
pub const FETCH_REDIRECTS_MAX: usize = 3;
/// Addresses of one host that are tried.
pub const FETCH_ADDRESSES_MAX: usize = 4;
/// Longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most header fields of an answer.
const HEAD_FIELDS_MAX: usize = 500;

/// hyper's words for three things that are too much. It has a predicate for
/// them only for servers; a test notices when the words change.
const TOO_MUCH: &str = "message head is too large";

const AGENT: &str = concat!("mxray/", env!("CARGO_PKG_VERSION"));

/// Finds the addresses of a host that a URL names.
pub trait Resolve: Send + Sync {
    /// The addresses.
    ///
    /// # Errors
    /// Why there are none.
    fn resolve(&self, host: &str) -> impl Future<Output = Result<Vec<IpAddr>, Failure>> + Send;

    /// The addresses, and why there may be others that nobody here tries.
    ///
    /// # Errors
    /// Why there are none.
    fn resolve_with_others(
        &self,
        host: &str,
    ) -> impl Future<Output = Result<(Vec<IpAddr>, Option<String>), Failure>> + Send {
        async { Ok((self.resolve(host).await?, None)) }
    }
}

/// Bounds of one fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Time in all.
    pub time: Duration,
    /// Longest body, in bytes.
    pub bytes: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { time: FETCH_TIME, bytes: FETCH_BYTES_MAX }
    }
}

/// Why nothing was fetched. Each is one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not `http://`, or at no port between 1 and 65535.
    #[error("not a plain HTTP address")]
    Address,
    /// The name has no address.
    #[error("{0}")]
    Unresolved(Failure),
    /// It may not, or cannot, be connected to from here.
    #[error("{0}")]
    NotAllowed(String),
    /// It cannot be connected to.
    #[error("{0}")]
    Connect(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// It is not HTTP.
    #[error("HTTP: {0}")]
    Http(String),
    /// The connection ended before the answer was whole.
    #[error("HTTP: {0}")]
    Closed(String),
    /// The head is more than is read.
    #[error("HTTP: {0}")]
    Head(String),
    /// The body is too long.
    #[error("over {0} bytes")]
    TooLong(usize),
    /// One redirect after the other.
    #[error("over {FETCH_REDIRECTS_MAX} redirects")]
    Redirects,
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// The whole body, at most [`FetchLimits::bytes`].
    pub body: Vec<u8>,
}

/// Fetches over plain HTTP.
pub struct Fetcher<R> {
    gate: Gate,
    resolver: R,
    limits: FetchLimits,
}

impl<R: Resolve> Fetcher<R> {
    /// Connects where `gate` lets it, to what `resolver` finds.
    pub fn new(gate: Gate, resolver: R, limits: FetchLimits) -> Self {
        Self { gate, resolver, limits }
    }

    /// Gets what is at `url`; redirects to plain HTTP are followed.
    ///
    /// # Errors
    /// [`FetchError`]; an HTTP status that is no success is none.
    pub async fn get(&self, url: &str) -> Result<Fetched, FetchError> {
        let fetching = async {
            let mut url = parse(url)?;
            for _ in 0..=FETCH_REDIRECTS_MAX {
                let response = self.ask(&url, request(Method::GET, &url, Bytes::new())?).await?;
                match redirect(&response, &url)? {
                    Some(next) => url = next,
                    None => return self.whole(response).await,
                }
            }
            Err(FetchError::Redirects)
        };
        timeout(self.limits.time, fetching).await.map_err(|_| FetchError::Timeout(self.limits.time))?
    }

    /// Posts `body`; no redirect is followed.
    ///
    /// # Errors
    /// [`FetchError`]; an HTTP status that is no success is none.
    pub async fn post(&self, url: &str, content_type: &str, body: Vec<u8>) -> Result<Fetched, FetchError> {
        let fetching = async {
            let url = parse(url)?;
            let mut request = request(Method::POST, &url, Bytes::from(body))?;
            let content_type = content_type.parse().map_err(|_| FetchError::Address)?;
            request.headers_mut().insert(CONTENT_TYPE, content_type);
            let response = self.ask(&url, request).await?;
            self.whole(response).await
        };
        timeout(self.limits.time, fetching).await.map_err(|_| FetchError::Timeout(self.limits.time))?
    }

    async fn ask(&self, url: &Uri, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, FetchError> {
        let host = url.host().ok_or(FetchError::Address)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = self.connect(bare, url.port_u16().unwrap_or(80)).await?;
        send(stream, request).await
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, FetchError> {
        let addresses = self.addresses(host).await?;
        self.connect_to(addresses, host, port).await
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        match host.parse::<IpAddr>() {
            Ok(ip) => Ok(vec![ip.to_canonical()]),
            Err(_) => self.resolver.resolve(host).await.map_err(FetchError::Unresolved),
        }
    }

    async fn connect_to(
        &self,
        addresses: Vec<IpAddr>,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, FetchError> {
        let deadline = Instant::now() + self.limits.time;
        let mut failure = FetchError::Unresolved(Failure::new(Phase::Dns, Kind::NoData));
        for ip in addresses.into_iter().take(FETCH_ADDRESSES_MAX) {
            let key = ProbeKey { endpoint: Endpoint { ip, port }, sni: Some(MxHost::new(host)) };
            let connected = match self.gate.check(&key) {
                Ok(()) => dial::connect(key.endpoint, deadline).await,
                Err(refused) => Err(refused),
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(why) => failure = not_connected(ip, &why),
            }
        }
        Err(failure)
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Fetched, FetchError> {
        let status = response.status().as_u16();
        Ok(Fetched { status, body: body(response, self.limits.bytes).await? })
    }
}

/// Our own limits are told apart from what the network did.
fn not_connected(ip: IpAddr, why: &Failure) -> FetchError {
    let told = format!("{ip}: {why}");
    match why.kind {
        Kind::Blocklisted | Kind::PrivateAddress | Kind::NoRoute | Kind::LocalError => {
            FetchError::NotAllowed(told)
        }
        _ => FetchError::Connect(told),
    }
}

/// Sends a request over a connection and gives the head of the answer.
async fn send<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, FetchError> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEAD_FIELDS_MAX);
    // RFC 9112 §5.2 has a client read fields that are folded.
    builder.allow_obsolete_multiline_headers_in_responses(true);
    let shake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shake.map_err(|error| told(&error))?;
    // Ends with the body, or when the body is dropped.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|error| told(&error))
}

/// The whole body, at most so many bytes.
async fn body(response: Response<Incoming>, bytes_max: usize) -> Result<Vec<u8>, FetchError> {
    let body = Limited::new(response.into_body(), bytes_max).collect().await;
    let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => FetchError::TooLong(bytes_max),
        None if broke_off(&*error) => FetchError::Closed(error.to_string()),
        None => FetchError::Http(error.to_string()),
    })?;
    Ok(body.to_bytes().into())
}

/// hyper's type lets any port pass and takes one that is none for absent;
/// url's does not.
fn parse(text: &str) -> Result<Uri, FetchError> {
    let port = Url::parse(text).ok().and_then(|url| url.port_or_known_default());
    let url: Uri = text.parse().map_err(|_| FetchError::Address)?;
    if port.is_none_or(|port| port == 0) {
        return Err(FetchError::Address);
    }
    if url.scheme_str() != Some("http") || url.host().is_none_or(str::is_empty) {
        return Err(FetchError::Address);
    }
    Ok(url)
}

fn request(method: Method, url: &Uri, body: Bytes) -> Result<Request<Full<Bytes>>, FetchError> {
    let authority = url.authority().ok_or(FetchError::Address)?.as_str();
    // A name and a password in a URL are for nobody.
    let host = authority.rsplit('@').next().unwrap_or(authority);
    Request::builder()
        .method(method)
        .uri(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Full::new(body))
        .map_err(|_| FetchError::Address)
}

/// Where the answer sends us, which may be told from where we are (RFC 9110
/// §10.2.2); `None` if it is none that does.
fn redirect(response: &Response<Incoming>, from: &Uri) -> Result<Option<Uri>, FetchError> {
    use StatusCode as S;
    let moved = [S::MOVED_PERMANENTLY, S::FOUND, S::SEE_OTHER, S::TEMPORARY_REDIRECT, S::PERMANENT_REDIRECT];
    if !moved.contains(&response.status()) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| FetchError::Http("a redirect without a place".into()))?;
    let whole = Url::parse(&from.to_string()).and_then(|from| from.join(location));
    let next = whole.map_err(|_| FetchError::Address).and_then(|whole| parse(whole.as_str()));
    let other = || FetchError::Http("redirected to what is no address of plain HTTP".into());
    next.map(Some).map_err(|_| other())
}

/// hyper's words and those of what is behind them.
fn told(error: &hyper::Error) -> FetchError {
    use std::error::Error;
    if error.to_string() == TOO_MUCH {
        return FetchError::Head(format!(
            "a head over {HEAD_BYTES_MAX} bytes or {HEAD_FIELDS_MAX} fields, or a length that no body has"
        ));
    }
    let source = error.source().map(|source| source.to_string());
    let told = source.map_or(error.to_string(), |source| format!("{error}: {}", without_link(&source)));
    if broke_off(error) { FetchError::Closed(told) } else { FetchError::Http(told) }
}

/// Whether the connection ended, and nothing that came was wrong.
fn broke_off(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.into_iter().any(|cause| {
        let ended =
            |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        cause.downcast_ref().is_some_and(ended) || cause.downcast_ref().is_some_and(is_end)
    })
}

/// Whether an error of a connection is that it ended, and none of what came over
/// it.
fn is_end(error: &io::Error) -> bool {
    let of_tls = error.get_ref().is_some_and(|cause| cause.is::<rustls::Error>());
    !of_tls && !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

/// The words of an error before the link to rustls' manual that some end in.
fn without_link(words: &str) -> &str {
    words.split_once(": https://docs.rs/").map_or(words, |(words, _)| words)
}

#[cfg(test)]
mod tests {
    use super::without_link;

    #[test]
    fn words_end_before_a_link_to_a_manual() {
        let words = "peer closed connection without sending TLS close_notify";
        assert_eq!(without_link(&format!("{words}: https://docs.rs/rustls/latest/rustls/manual")), words);
        assert_eq!(without_link(words), words);
    }
}
