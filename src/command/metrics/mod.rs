//! `--metrics`: the counters of a run over HTTP, in the text format of Prometheus.
//!
//! Whoever can connect may ask, so what one can ask for is small: two methods, one
//! path, a short head, few at a time, and each no longer than some seconds.

mod families;

use super::CommandError;
use crate::engine::Progress;
use crate::plan::UsageError;
use anyhow::anyhow;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Connections that are served at a time; the next wait in the system's queue.
const CONNECTIONS_MAX: usize = 32;

/// How long one connection may take, from its first byte to the last.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10);

/// How long the head of a request may take to come.
const HEAD_TIME_MAX: Duration = Duration::from_secs(2);

/// Most octets of the head of a request: the least that hyper takes.
const HEAD_OCTETS_MAX: usize = 8192;

/// Most fields of it.
const FIELDS_MAX: usize = 32;

/// Pause after the system would not hand over a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The path at which the counters are.
const PATH: &str = "/metrics";

/// Where the counters will be served, before they are.
pub(super) struct MetricsListener(TcpListener);

/// The counters while they are served; dropped, they are no more.
pub(super) struct MetricsServer(JoinHandle<()>);

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl MetricsListener {
    /// Takes the address, if there is one. Nothing is answered yet.
    ///
    /// # Errors
    /// It is taken, or none of this machine's.
    pub(super) async fn bind_if(address: Option<SocketAddr>) -> Result<Option<Self>, CommandError> {
        let Some(address) = address else { return Ok(None) };
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| UsageError(format!("--metrics {address}: {error}")))?;
        Ok(Some(Self(listener)))
    }

    /// Serves what `progress` says, and tells where.
    ///
    /// # Errors
    /// The address is not known.
    pub(super) fn serve(self, progress: Arc<Progress>) -> Result<MetricsServer, CommandError> {
        let address = self.0.local_addr().map_err(|error| anyhow!("--metrics: {error}"))?;
        super::say(format_args!("mxray: metrics at http://{address}{PATH}"));
        Ok(MetricsServer(tokio::spawn(accept(self.0, progress))))
    }
}

async fn accept(listener: TcpListener, progress: Arc<Progress>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let progress = progress.clone();
        tokio::spawn(async move {
            let served = timeout(CONNECTION_TIME_MAX, serve(stream, &progress)).await;
            if !matches!(served, Ok(Ok(()))) {
                tracing::debug!(?served, "a request for metrics came to nothing");
            }
            drop(permit);
        });
    }
}

async fn serve(stream: TcpStream, progress: &Progress) -> hyper::Result<()> {
    let answering = service_fn(|request| async move { Ok::<_, Infallible>(answer(&request, progress)) });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_OCTETS_MAX)
        .max_headers(FIELDS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answering)
        .await
}

fn answer(request: &Request<Incoming>, progress: &Progress) -> Response<Full<Bytes>> {
    if request.uri().path() != PATH {
        return told(StatusCode::NOT_FOUND, format!("The metrics are at {PATH}.\n"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = told(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered.\n".to_string());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match families::encoded(progress) {
        Ok(text) => {
            let mut found = told(StatusCode::OK, text);
            found.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(prometheus::TEXT_FORMAT));
            found
        }
        Err(error) => told(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn told(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
