//! The policy hosts of the fleet: HTTPS by hand, one request a connection.

use super::counters::PolicyCounter;
use super::error::LabError;
use super::hello::read_hello;
use super::listen::serve_each;
use super::pki::Pki;
use super::policy_table::{PolicyHost, of_domain};
use super::server::Listen;
use super::smtpd::{finish, linger, utter};
use super::step::{Step, Then, Words};
use super::tls::{ServerCertificates, server_config};
use rustls::ServerConfig;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Longest connection, whatever its table says.
const CONNECTION_MAX: Duration = Duration::from_secs(600);
/// What is asked for (RFC 8461 §3.3).
const REQUEST_LINE: &str = "GET /.well-known/mta-sts.txt HTTP/1.1";
/// What whoever asks for something else is told.
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// What stands before the policy domain in the name of its policy host.
pub(super) const LABEL: &str = "mta-sts.";

/// The policy hosts of one scenario, ready to be served.
#[derive(Clone)]
pub(super) struct ReadyHost {
    host: Arc<PolicyHost>,
    config: Arc<ServerConfig>,
    requests: Arc<PolicyCounter>,
}

impl ReadyHost {
    pub(super) fn new(
        host: &PolicyHost,
        requests: &Arc<PolicyCounter>,
        pki: &Arc<Pki>,
    ) -> Result<Self, LabError> {
        // Whoever sends no name asks for no domain.
        let shown = Arc::new(ServerCertificates::new(&host.tls, "mta-sts.example", pki)?);
        let config = server_config(&host.tls, pki, shown)?;
        Ok(Self { host: Arc::new(host.clone()), config, requests: requests.clone() })
    }
}

/// The same at one address.
pub(super) struct Httpsd {
    socket: TcpListener,
    ready: ReadyHost,
}

impl Httpsd {
    pub(super) fn new(socket: TcpListener, ready: ReadyHost) -> Self {
        Self { socket, ready }
    }

    /// Serves until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        if self.ready.host.listen != Listen::Serve {
            return stop.cancelled().await;
        }
        serve_each(&self.socket, &stop, |stream| {
            let ready = self.ready.clone();
            async move { ready.connection(stream).await }
        })
        .await;
    }
}

impl ReadyHost {
    async fn connection(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        // What goes wrong with a socket is the client's story, not an error here.
        match timeout(CONNECTION_MAX, self.serve(&mut stream)).await {
            Ok(Ok(Then::Reset)) => {
                let _ = stream.set_zero_linger();
            }
            Ok(Ok(_)) => linger(&mut stream).await,
            Ok(Err(_)) | Err(_) => {}
        }
    }

    async fn serve(&self, stream: &mut TcpStream) -> io::Result<Then> {
        if let Some(step) = &self.host.client_hello {
            return match read_hello(stream).await? {
                Some(_) => say(stream, step, "").await,
                None => Ok(Then::Close),
            };
        }
        // What is left of a failed handshake is read away by the caller.
        let Ok(mut tls) = TlsAcceptor::from(self.config.clone()).accept(&mut *stream).await else {
            return Ok(Then::Close);
        };
        let name = tls.get_ref().1.server_name().unwrap_or_default().to_string();
        let Some(request) = read_request(&mut tls).await? else { return Ok(Then::Close) };
        self.requests.add(&name);
        let then = self.answer(&mut tls, &name, &request).await?;
        if then == Then::Continue || then == Then::Close {
            tls.shutdown().await?;
        }
        Ok(then)
    }

    async fn answer(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        name: &str,
        request: &str,
    ) -> io::Result<Then> {
        let domain = name.strip_prefix(LABEL).unwrap_or(name);
        if let Some(reply) = &self.host.reply {
            return say(stream, reply, domain).await;
        }
        let mut lines = request.split("\r\n");
        let asked = lines.next() == Some(REQUEST_LINE);
        let host = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(field, _)| field.eq_ignore_ascii_case("host"));
        let named = host.is_some_and(|(_, value)| value.trim().split(':').next() == Some(name));
        if !asked || !named {
            return say(stream, &raw(NOT_FOUND), domain).await;
        }
        let body = of_domain(&self.host.body, domain).prepare(name);
        let bytes = body.bytes.len() * body.times as usize + self.host.missing;
        say(stream, &raw(&self.head(bytes)), domain).await?;
        sleep(body.wait).await;
        let then = utter(stream, &body).await?;
        finish(stream, then).await
    }

    /// The answer up to the body.
    fn head(&self, body_bytes: usize) -> String {
        let PolicyHost { status, content_type, location, .. } = &*self.host;
        let mut head =
            format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {body_bytes}\r\nConnection: close\r\n");
        if !content_type.is_empty() {
            head += &format!("Content-Type: {content_type}\r\n");
        }
        if let Some(location) = location {
            head += &format!("Location: {location}\r\n");
        }
        head + "\r\n"
    }
}

async fn say(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    step: &Step,
    domain: &str,
) -> io::Result<Then> {
    let prepared = of_domain(step, domain).prepare(&format!("{LABEL}{domain}"));
    sleep(prepared.wait).await;
    let then = utter(stream, &prepared).await?;
    finish(stream, then).await
}

fn raw(text: &str) -> Step {
    Step { words: Words::Raw(text.to_string()), ..Step::default() }
}

/// A request up to the empty line that ends its head; `None` where the client
/// leaves, or says more.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<String>> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut part).await?;
        if count == 0 || request.len() + count > REQUEST_BYTES_MAX {
            return Ok(None);
        }
        request.extend_from_slice(part.get(..count).unwrap_or_default());
    }
    Ok(String::from_utf8(request).ok())
}
