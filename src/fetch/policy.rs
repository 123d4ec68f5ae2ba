//! The policy of MTA-STS from its policy host, as a sender without a cached one
//! fetches it (RFC 8461 §3.3): over TLS with SNI, one request, no redirect.

use super::policy_connection::Places;
use super::recorded::RecordedHandshake;
use super::turns::Turns;
use super::{FetchError, FetchLimits, Fetcher, Resolve, body, is_end, send};
use crate::model::mta_sts::{Fetching, POLICY_BYTES_MAX, StsFetch, StsFetchFailure};
use crate::model::{Endpoint, MxHost, ProbeKey, Shard, text};
use crate::net::Gate;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response};
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Time for one policy, connection and handshake included (the advice of RFC 8461
/// §3.3). The lookup of its host is bounded by whoever does it.
pub const POLICY_TIME: Duration = Duration::from_secs(60);
/// How long a policy host that failed in a way that may pass is left alone. Senders
/// are advised to wait five minutes (RFC 8461 §3.3); one that surveys asks a few times
/// in all, and may do so sooner.
pub const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// The port of policy hosts.
pub const POLICY_PORT: u16 = 443;
/// Longest media type that is kept, in bytes.
const CONTENT_TYPE_BYTES_MAX: usize = 100;
/// Where a policy stands (RFC 8461 §3.3).
const PATH: &str = "/.well-known/mta-sts.txt";

/// Longest text that tells who asks, in bytes.
pub const CONTACT_BYTES_MAX: usize = 200;

/// Where policies are fetched from, and what is said of who fetches them.
#[derive(Clone, Debug)]
pub struct PolicyHosts {
    gate: Gate,
    port: u16,
    agent: String,
    asked_again_after: Duration,
    shard: Option<Shard>,
}

impl PolicyHosts {
    /// Those to which `gate` lets connections go.
    pub fn new(gate: Gate) -> Self {
        Self {
            gate,
            port: POLICY_PORT,
            agent: super::AGENT.to_owned(),
            asked_again_after: ASKED_AGAIN_AFTER,
            shard: None,
        }
    }

    /// The same at another port, as those of a lab.
    #[must_use]
    pub fn at_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The same, where one that failed in a way that may pass is left alone for so
    /// long; the default is [`ASKED_AGAIN_AFTER`].
    #[must_use]
    pub fn asked_again_after(self, asked_again_after: Duration) -> Self {
        Self { asked_again_after, ..self }
    }

    /// The same, where only those are asked that lie in this shard; `None` for all.
    #[must_use]
    pub fn in_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// For how long one that failed is left alone.
    pub(crate) fn rest(&self) -> Duration {
        self.asked_again_after
    }

    /// The same, told whom to write to: a mail address or a URL, in visible ASCII
    /// of at most [`CONTACT_BYTES_MAX`] bytes; anything else is left out.
    #[must_use]
    pub fn with_contact(self, contact: Option<&str>) -> Self {
        match contact.filter(|text| is_contact(text)) {
            Some(contact) => Self { agent: format!("{} ({contact})", super::AGENT), ..self },
            None => self,
        }
    }

    /// What fetches from them, with the addresses that `resolver` finds.
    pub fn fetcher<R: Resolve>(self, resolver: R) -> PolicyFetcher<R> {
        let Self { gate, port, agent, asked_again_after, shard } = self;
        let turns = Turns::new(asked_again_after);
        PolicyFetcher { port, agent, turns, shard, ..PolicyFetcher::new(gate, resolver) }
    }
}

/// Whether a text can stand in a comment of User-Agent (RFC 9110 §5.6.5).
pub fn is_contact(text: &str) -> bool {
    let fits = (1..=CONTACT_BYTES_MAX).contains(&text.len());
    fits && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'\\'))
}

/// Fetches policies, from one address a few at a time.
pub struct PolicyFetcher<R> {
    fetcher: Fetcher<R>,
    port: u16,
    time: Duration,
    agent: String,
    turns: Turns,
    shard: Option<Shard>,
}

impl<R: Resolve> PolicyFetcher<R> {
    /// Connects where `gate` lets it, to what `resolver` finds.
    pub fn new(gate: Gate, resolver: R) -> Self {
        let limits = FetchLimits { time: POLICY_TIME, bytes: POLICY_BYTES_MAX };
        Self {
            fetcher: Fetcher::new(gate, resolver, limits),
            port: POLICY_PORT,
            time: POLICY_TIME,
            agent: super::AGENT.to_owned(),
            turns: Turns::new(ASKED_AGAIN_AFTER),
            shard: None,
        }
    }

    /// The same, for policy hosts at another port and with another patience.
    #[must_use]
    pub fn at(mut self, port: u16, time: Duration) -> Self {
        self.fetcher.limits.time = time;
        Self { port, time, ..self }
    }

    /// From now on connections begin, wait or end so.
    pub fn set_fetching(&self, fetching: Fetching) {
        self.turns.set_fetching(fetching);
    }

    /// Fetches the policy that `host` has (`mta-sts.` and the policy domain). Neither
    /// the lookup of its addresses nor the wait for the turn at them is part of its
    /// time: how long these take is nothing that the host does.
    pub async fn fetch(&self, host: &str) -> StsFetch {
        let mut fetched = StsFetch::default();
        let failure = self.fetch_in_turn(host, &mut fetched).await.err();
        StsFetch { failure, ..fetched }
    }

    async fn fetch_in_turn(&self, host: &str, fetched: &mut StsFetch) -> Result<(), StsFetchFailure> {
        let found = self.fetcher.resolver.resolve_with_others(host).await;
        let (addresses, others) = found.map_err(StsFetchFailure::Unresolved)?;
        if self.shard.is_some_and(|shard| !shard.has_host(&addresses)) {
            return Err(StsFetchFailure::OtherShard);
        }
        let key = |ip| ProbeKey { endpoint: Endpoint { ip, port: self.port }, sni: Some(MxHost::new(host)) };
        let places = Places { keys: addresses.into_iter().map(key).collect(), others };
        let mut left = self.time;
        let connected = places.connect(&self.turns, &self.fetcher.gate, &mut left).await;
        let (stream, turn) = connected.map_err(|none| none.unwrap_or_else(|| self.too_late()))?;
        let asked = timeout(left, self.ask(host, stream, fetched)).await;
        let ended = asked.unwrap_or_else(|_| Err(self.too_late()));
        turn.ended(ended.as_ref().is_err_and(StsFetchFailure::wants_rest));
        ended
    }

    fn too_late(&self) -> StsFetchFailure {
        StsFetchFailure::Timeout(self.time.as_secs())
    }

    /// Writes down what it comes to on the way, for it may be cut short.
    async fn ask(
        &self,
        host: &str,
        stream: TcpStream,
        fetched: &mut StsFetch,
    ) -> Result<(), StsFetchFailure> {
        let odd = |error: &dyn std::fmt::Display| StsFetchFailure::Tls(error.to_string());
        let name = ServerName::try_from(host.to_owned()).map_err(|error| odd(&error))?;
        let (config, recorded) =
            RecordedHandshake::begin().map_err(|error| StsFetchFailure::NotAllowed(error.to_string()))?;
        let shaken = TlsConnector::from(config).connect(name, stream).await;
        fetched.chain = recorded.chain();
        let stream = shaken.map_err(|error| not_shaken(&error))?;
        let response = send(stream, request(host, &self.agent)?).await.map_err(failure)?;
        let status = response.status();
        fetched.status = Some(status.as_u16());
        fetched.content_type = content_type(&response);
        if status.is_redirection() {
            return Err(StsFetchFailure::Redirect(status.as_u16()));
        }
        if status != hyper::StatusCode::OK {
            return Err(StsFetchFailure::Status(status.as_u16()));
        }
        let body = body(response, POLICY_BYTES_MAX).await.map_err(failure)?;
        fetched.body = Some(String::from_utf8(body).map_err(|_| StsFetchFailure::Encoding)?);
        Ok(())
    }
}

/// A connection that ended in the handshake, without an alert, may be one that
/// another time would not. A handshake that the two could not agree on may be one
/// that another client could: this one has TLS 1.2 with forward secrecy and AEAD, and
/// TLS 1.3. So may one of which this client cannot read the certificates: it takes
/// chains of 64 KiB at most, and no leaf that webpki cannot read.
fn not_shaken(error: &std::io::Error) -> StsFetchFailure {
    use rustls::{AlertDescription as Alert, CertificateError, Error, InvalidMessage};
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity,
            ),
        ) => StsFetchFailure::NotAllowed(format!(
            "TLS: mxray's client and the host may have nothing in common: {error}"
        )),
        Some(Error::InvalidCertificate(CertificateError::BadSignature)) => {
            StsFetchFailure::Tls(error.to_string())
        }
        // Nothing but the signature of the handshake is looked at here.
        Some(
            Error::InvalidCertificate(_)
            | Error::InvalidMessage(
                InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge,
            ),
        ) => StsFetchFailure::NotAllowed(format!(
            "TLS: mxray's client cannot read the certificates of the host: {error}"
        )),
        None if is_end(error) => StsFetchFailure::TlsClosed(error.to_string()),
        _ => StsFetchFailure::Tls(error.to_string()),
    }
}

fn request(host: &str, agent: &str) -> Result<Request<Full<Bytes>>, StsFetchFailure> {
    Request::get(PATH)
        .header(HOST, host)
        .header(USER_AGENT, agent)
        .header(ACCEPT, "text/plain, */*;q=0.1")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::new()))
        .map_err(|error| StsFetchFailure::Http(error.to_string()))
}

fn content_type(response: &Response<Incoming>) -> Option<String> {
    let value = response.headers().get(CONTENT_TYPE)?;
    let mut shown = text::printable(&String::from_utf8_lossy(value.as_bytes())).into_owned();
    text::cut(&mut shown, CONTENT_TYPE_BYTES_MAX);
    Some(shown)
}

fn failure(error: FetchError) -> StsFetchFailure {
    match error {
        FetchError::Unresolved(why) => StsFetchFailure::Unresolved(why),
        FetchError::NotAllowed(why) => StsFetchFailure::NotAllowed(why),
        FetchError::Connect(why) => StsFetchFailure::Connect(why),
        FetchError::Timeout(time) => StsFetchFailure::Timeout(time.as_secs()),
        FetchError::TooLong(bytes) => StsFetchFailure::TooLong(bytes),
        // A limit of this program, which others may not have.
        head @ FetchError::Head(_) => StsFetchFailure::NotAllowed(head.to_string()),
        FetchError::Http(why) => StsFetchFailure::Http(why),
        FetchError::Closed(why) => StsFetchFailure::HttpClosed(why),
        other @ (FetchError::Address | FetchError::Redirects) => StsFetchFailure::Http(other.to_string()),
    }
}
