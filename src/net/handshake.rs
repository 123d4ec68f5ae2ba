//! The scanner's own TLS handshake: rustls with everything it can do offered,
//! and a [`Recorder`] that accepts whatever comes.

use super::key_schedule;
use super::key_share::REUSED_X25519_MLKEM768;
use super::recorder::Recorder;
use crate::model::text::escape;
use crate::model::{
    CipherSuite, ClientCertificate, ClientHelloSpec, NamedGroup, ProbeKey, ProtocolVersion, TlsObservation,
};
use crate::tls::TlsClient;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Where the key share of a ClientHello comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyShares {
    /// One serves many sessions for a bounded time.
    Reused,
    /// Each session has its own.
    Fresh,
}

/// Suites that every handshake here offers.
pub(super) const SUITES_OFFERED: usize = 9;

/// What a handshake shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientHelloForm {
    /// Whether the post-quantum group is left out, which makes the hello short.
    pub(super) short: bool,
    /// Whether it names the host, where that has a name.
    pub(super) names_host: bool,
    /// Whether a server that asks for a client certificate is shown ours.
    pub(super) shows_certificate: bool,
}

impl ClientHelloForm {
    /// The scanner's own.
    pub(super) const FIRST: Self = Self { short: false, names_host: true, shows_certificate: true };

    /// The form that a sender's handshake has.
    pub(super) fn of(spec: &ClientHelloSpec) -> Self {
        let ClientHelloSpec { names_host, shows_certificate, .. } = *spec;
        Self { short: true, names_host, shows_certificate }
    }
}

/// A client certificate and its key, for servers that ask for one.
#[derive(Clone, Debug)]
pub struct ClientIdentity(Arc<CertifiedKey>);

impl ClientIdentity {
    /// `chain` is sent as it is, leaf first.
    ///
    /// # Errors
    /// Where the key cannot be used, or is not that of the leaf.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, rustls::Error> {
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map(|key| Self(Arc::new(key)))
    }
}

/// Makes handshakes that offer TLS 1.3 and 1.2, X25519MLKEM768 first, and no
/// ALPN.
pub struct Handshaker {
    base: ClientConfig,
    /// The same without X25519MLKEM768.
    short: ClientConfig,
    identity: Option<Arc<CertifiedKey>>,
    /// What serves every connection, where sessions are resumed.
    resuming: Option<(Arc<ClientConfig>, Arc<Recorder>)>,
}

impl Handshaker {
    /// # Errors
    /// Only if the cryptography provider lacks what TLS 1.2 and 1.3 need.
    pub fn new(key_shares: KeyShares) -> Result<Self, rustls::Error> {
        Self::with_provider(provider(key_shares))
    }

    fn with_provider(provider: CryptoProvider) -> Result<Self, rustls::Error> {
        let mut without_hybrid = provider.clone();
        without_hybrid.kx_groups.retain(|group| group.name() != rustls::NamedGroup::X25519MLKEM768);
        let (base, short) = (config(provider)?, config(without_hybrid)?);
        warm_up(&base)?;
        Ok(Self { base, short, identity: None, resuming: None })
    }

    /// The same, with a certificate for servers that ask for one.
    pub fn with_identity(self, identity: Option<ClientIdentity>) -> Self {
        Self { identity: identity.map(|identity| identity.0), ..self }
    }

    /// The same, for one server whose sessions are resumed. The evidence of a
    /// handshake (chain, signature) is then that of the first.
    pub fn with_resumption(mut self) -> Self {
        let recorder = self.recorder(ClientHelloForm::FIRST).keeping_sessions();
        self.resuming = Some(self.recorded_by(Arc::new(recorder), ClientHelloForm::FIRST));
        self
    }

    fn recorder(&self, form: ClientHelloForm) -> Recorder {
        Recorder::new(self.identity.clone().filter(|_| form.shows_certificate))
    }

    /// A configuration and the recorder that sees what is done with it.
    fn recorded_by(
        &self,
        recorder: Arc<Recorder>,
        form: ClientHelloForm,
    ) -> (Arc<ClientConfig>, Arc<Recorder>) {
        let mut config = if form.short { self.short.clone() } else { self.base.clone() };
        config.enable_sni = form.names_host;
        config.dangerous().set_certificate_verifier(recorder.clone());
        config.client_auth_cert_resolver = recorder.clone();
        config.resumption = Resumption::store(recorder.clone());
        (Arc::new(config), recorder)
    }

    /// A client for one connection to `key`, for whoever drives it without
    /// sockets.
    ///
    /// # Errors
    /// As [`ClientConnection::new`].
    pub fn connection(&self, key: &ProbeKey) -> Result<ClientConnection, rustls::Error> {
        self.begin(key, ClientHelloForm::FIRST).map(|(connection, _)| connection)
    }

    /// A client for one connection to `key`, and what sees its handshake.
    pub(super) fn begin(
        &self,
        key: &ProbeKey,
        form: ClientHelloForm,
    ) -> Result<(ClientConnection, Arc<Recorder>), rustls::Error> {
        let (config, recorder) = match &self.resuming {
            Some(shared) if form == ClientHelloForm::FIRST => shared.clone(),
            _ => self.recorded_by(Arc::new(self.recorder(form)), form),
        };
        let connection = ClientConnection::new(config, server_name(key))?;
        Ok((connection, recorder))
    }
}

/// A configuration; whoever uses it puts a recorder of its own there.
fn config(provider: CryptoProvider) -> Result<ClientConfig, rustls::Error> {
    let recorder = Arc::new(Recorder::new(None));
    Ok(ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(recorder.clone())
        .with_client_cert_resolver(recorder))
}

/// Makes a ClientHello for nobody. What the library prepares once a process
/// (the random generator, tables, the key share that is used again) would else
/// be counted as time of the first server.
fn warm_up(config: &ClientConfig) -> Result<(), rustls::Error> {
    let nobody = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
    ClientConnection::new(Arc::new(config.clone()), nobody).map(|_| ())
}

fn provider(key_shares: KeyShares) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = key_schedule::suites().to_vec();
    if key_shares == KeyShares::Reused {
        for group in &mut provider.kx_groups {
            if group.name() == REUSED_X25519_MLKEM768.name() {
                *group = &*REUSED_X25519_MLKEM768;
            }
        }
    }
    provider
}

/// The name for SNI; an address stands for "send none" (RFC 6066 §3).
pub(super) fn server_name(key: &ProbeKey) -> ServerName<'static> {
    let named = key.sni.as_ref().and_then(|name| ServerName::try_from(name.as_str().to_string()).ok());
    named.unwrap_or_else(|| ServerName::IpAddress(key.endpoint.ip.into()))
}

/// What was seen of TLS on a connection, however far it came.
pub(super) fn observe(client: &TlsClient, recorder: &Recorder) -> TlsObservation {
    let connection = client.connection();
    let client_certificate = recorder.client_certificate();
    let mut tls = TlsObservation {
        established: !connection.is_handshaking(),
        client_certificate_requested: client_certificate != ClientCertificate::NeverAsked,
        client_certificate,
        tickets: Some(recorder.tickets().saturating_add(client.resumable().tickets)),
        ..TlsObservation::default()
    };
    if let Some(presented) = recorder.presented() {
        tls.chain.clone_from(&presented.shown.chain);
        tls.chain_excess = presented.shown.excess;
        tls.ocsp_stapled = presented.ocsp_stapled;
    }
    if let Some(signed) = recorder.signed() {
        tls.signature_scheme = signed.scheme;
        tls.signature = Some(signed.check.clone());
    }
    negotiated(&mut tls, connection);
    let before_tls13 = tls.version.is_some_and(|version| version < ProtocolVersion::TLS13);
    tls.session_id = before_tls13.then(|| client.resumable().session_id);
    tls.downgrade_mark = client.downgrade_mark().filter(|_| before_tls13);
    tls.renegotiation_info = client.renegotiation_info().filter(|_| before_tls13);
    tls
}

fn negotiated(tls: &mut TlsObservation, connection: &ClientConnection) {
    tls.version = connection.protocol_version().map(|version| ProtocolVersion(version.into()));
    tls.suite = connection.negotiated_cipher_suite().map(|suite| CipherSuite(suite.suite().into()));
    tls.group = connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into()));
    tls.alpn = connection.alpn_protocol().map(escape);
    tls.resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
    tls.hello_retry = connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, HelloPurpose, MxHost};
    use crate::tls::ClientHello;
    use crate::tls::handshake::HandshakeReader;
    use crate::tls::record::RecordReader;
    use rustls::crypto::ActiveKeyExchange;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The hello of a handshake, and the length of its message in bytes.
    fn hello(form: ClientHelloForm) -> (ClientHello, usize) {
        let endpoint = Endpoint { ip: [192, 0, 2, 1].into(), port: 25 };
        let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx1.example.com")) };
        let handshaker = Handshaker::new(KeyShares::Fresh).unwrap();
        let (mut connection, _) = handshaker.begin(&key, form).unwrap();
        let mut bytes = Vec::new();
        connection.write_tls(&mut bytes).unwrap();
        let (mut records, mut messages) = (RecordReader::default(), HandshakeReader::default());
        let mut input = bytes.as_slice();
        while let Some(record) = records.next_record(&mut input).unwrap() {
            messages.receive(record.fragment);
        }
        let message = messages.next_message().unwrap().unwrap();
        (ClientHello::decode(message.body).unwrap(), message.body.len() + 4)
    }

    /// Counts the key shares that are made.
    #[derive(Debug)]
    struct Counting(&'static dyn SupportedKxGroup, AtomicUsize);

    impl SupportedKxGroup for Counting {
        fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, rustls::Error> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.start()
        }

        fn name(&self) -> rustls::NamedGroup {
            self.0.name()
        }
    }

    /// What the first hello of a process needs is there before anybody is
    /// connected to: a whole hello was made, its key share included.
    #[test]
    fn the_library_is_warm_before_the_first_server() {
        for key_shares in [KeyShares::Reused, KeyShares::Fresh] {
            let mut provider = provider(key_shares);
            let first: &'static Counting =
                Box::leak(Box::new(Counting(provider.kx_groups[0], AtomicUsize::new(0))));
            provider.kx_groups[0] = first;
            let _handshaker = Handshaker::with_provider(provider).unwrap();
            assert_eq!(first.1.load(Ordering::Relaxed), 1, "{key_shares:?}");
        }
    }

    #[test]
    fn a_second_handshake_is_short_and_names_the_host_where_the_sender_does() {
        let hybrid = |hello: &ClientHello| hello.groups.contains(&NamedGroup(0x11ec));
        let (first, length) = hello(ClientHelloForm::FIRST);
        assert!(hybrid(&first) && first.sni.is_some() && length > 1024, "{length}");
        assert_eq!(first.suites.iter().filter(|suite| !suite.is_signal()).count(), SUITES_OFFERED);
        for names_host in [true, false] {
            let spec = ClientHelloSpec { names_host, ..ClientHelloSpec::of(HelloPurpose::Handshake) };
            let (second, length) = hello(ClientHelloForm::of(&spec));
            assert_eq!((hybrid(&second), second.sni.is_some()), (false, names_host));
            assert!(length < 512, "{length}");
            assert_eq!(second.suites, first.suites);
        }
    }
}
