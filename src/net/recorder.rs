//! The recording verifier: writes down what the server shows, and checks its
//! signature over the handshake.
//!
//! A survey judges certificates afterwards and apart from the handshake, so
//! nothing that is odd about one may end the observation. A signature that
//! fails does, and a certificate that is none: there is no session then, with
//! whomever (RFC 8446 §4.4.2.4, §4.4.3). One recorder serves one connection.

use super::sessions::KeptSessions;
use crate::model::{ClientCertificate, Failure, Kind, ProtocolVersion, SignatureCheck};
use crate::x509::form;
use crate::x509::handshake::{ShownChain, ShownSignature, check_shown, offered_schemes};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, NamedGroup};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// What the server's certificate message held.
#[derive(Debug)]
pub(super) struct RecordedChain {
    pub(super) shown: ShownChain,
    pub(super) ocsp_stapled: bool,
}

/// Sees everything of one handshake.
#[derive(Debug)]
pub(super) struct Recorder {
    presented: OnceLock<RecordedChain>,
    /// Why no client can read the certificate, if so.
    broken: OnceLock<String>,
    signed: OnceLock<ShownSignature>,
    /// What to show a server that asks for a client certificate.
    identity: Option<Arc<CertifiedKey>>,
    client_certificate_requested: AtomicBool,
    client_certificate_shown: AtomicBool,
    tickets: AtomicU32,
    sessions: Option<KeptSessions>,
}

impl Recorder {
    pub(super) fn new(identity: Option<Arc<CertifiedKey>>) -> Self {
        Self {
            identity,
            client_certificate_shown: AtomicBool::new(false),
            presented: OnceLock::new(),
            broken: OnceLock::new(),
            signed: OnceLock::new(),
            client_certificate_requested: AtomicBool::new(false),
            tickets: AtomicU32::new(0),
            sessions: None,
        }
    }

    /// The same, with what can be resumed kept. It then has to serve all
    /// connections to one server: rustls resumes a session only under the
    /// verifier that saw its full handshake.
    pub(super) fn keeping_sessions(self) -> Self {
        Self { sessions: Some(KeptSessions::default()), ..self }
    }

    /// A session has ended that took so many bytes from the server.
    pub(super) fn session_ended(&self, bytes: u64) {
        if let Some(sessions) = &self.sessions {
            sessions.ended(bytes);
        }
    }

    pub(super) fn presented(&self) -> Option<&RecordedChain> {
        self.presented.get()
    }

    pub(super) fn signed(&self) -> Option<&ShownSignature> {
        self.signed.get()
    }

    /// What became of the client certificate, as far as the handshake tells.
    pub(super) fn client_certificate(&self) -> ClientCertificate {
        let requested = self.client_certificate_requested.load(Ordering::Relaxed);
        let shown = self.client_certificate_shown.load(Ordering::Relaxed);
        match (requested, shown) {
            (false, _) => ClientCertificate::NeverAsked,
            (true, false) => ClientCertificate::NotShown,
            (true, true) => ClientCertificate::Shown,
        }
    }

    /// Tickets of TLS 1.3. Those before come in clear and are counted there.
    pub(super) fn tickets(&self) -> u32 {
        self.tickets.load(Ordering::Relaxed)
    }

    /// The failure of a handshake with what is known of its certificate and its
    /// signature. One that the library refused by its scheme alone never came
    /// here to be checked.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        match (failure.kind, self.broken.get()) {
            (Kind::SignatureFailed, _) => {}
            (Kind::BadCertificate, Some(cause)) => return failure.with_detail(cause),
            _ => return failure,
        }
        let by_library = || ShownSignature { scheme: None, check: SignatureCheck::Failed, cause: None };
        match &self.signed.get_or_init(by_library).cause {
            Some(cause) => failure.with_detail(cause),
            None => failure,
        }
    }

    /// Checks a signature and writes down what became of it. One that fails
    /// ends the handshake, as with every client.
    fn record_signature(
        &self,
        version: ProtocolVersion,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (checked, result) = check_shown(version, message, certificate, signed);
        // A second signature on one connection does not happen; the first stands.
        let _ = self.signed.set(checked);
        result
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = ShownChain::new(end_entity, intermediates);
        let _ = self.presented.set(RecordedChain { shown, ocsp_stapled: !ocsp_response.is_empty() });
        match form::why_broken(end_entity) {
            None => Ok(ServerCertVerified::assertion()),
            Some(cause) => {
                let _ = self.broken.set(cause);
                Err(CertificateError::BadEncoding.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.record_signature(ProtocolVersion::TLS12, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.record_signature(ProtocolVersion::TLS13, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        offered_schemes()
    }
}

impl ResolvesClientCert for Recorder {
    /// Shows ours whatever issuers the server names: which it takes is what is
    /// to be found out.
    fn resolve(&self, _issuers: &[&[u8]], schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.client_certificate_requested.store(true, Ordering::Relaxed);
        let identity = self.identity.as_ref()?;
        identity.key.choose_scheme(schemes)?;
        self.client_certificate_shown.store(true, Ordering::Relaxed);
        Some(identity.clone())
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

/// Counts tickets. What could be resumed is kept only where sessions are to be
/// resumed: every session of a survey is a full handshake.
impl ClientSessionStore for Recorder {
    fn set_kx_hint(&self, _server_name: ServerName<'static>, group: NamedGroup) {
        if let Some(sessions) = &self.sessions {
            sessions.keep_group(group);
        }
    }

    fn kx_hint(&self, _server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.sessions.as_ref().and_then(KeptSessions::group)
    }

    fn set_tls12_session(&self, _server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        if let Some(sessions) = &self.sessions {
            sessions.keep_tls12(value);
        }
    }

    fn tls12_session(&self, _server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.sessions.as_ref().and_then(KeptSessions::tls12)
    }

    fn remove_tls12_session(&self, _server_name: &ServerName<'static>) {
        if let Some(sessions) = &self.sessions {
            sessions.forget_tls12();
        }
    }

    fn insert_tls13_ticket(&self, _server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.tickets.fetch_add(1, Ordering::Relaxed);
        if let Some(sessions) = &self.sessions {
            sessions.keep_ticket(value);
        }
    }

    fn take_tls13_ticket(&self, _server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.sessions.as_ref().and_then(KeptSessions::take_ticket)
    }
}
