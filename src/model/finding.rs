//! The part of an observation and its assessment that verdicts rest on.
//!
//! An engine keeps one of these for every probed key of a run, so that a
//! domain read later still gets its row: it is kept small on purpose.

use super::assessment::{ChainStatus, DateStatus, KeyStatus, TrustedRoot};
use super::certificate::Sha256;
use super::client_certificate::ClientCertificate;
use super::downgrade_mark::DowngradeMark;
use super::endpoint::ProbeKey;
use super::enumeration::Enumeration;
use super::expectation::ExpectationMatch;
use super::failure::Failure;
use super::hello::{HelloEnd, HelloPurpose};
use super::keyword_form::KeywordForms;
use super::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use super::reply_form::ReplyForms;
use super::signature_check::SignatureCheck;
use std::net::IpAddr;
use std::sync::Arc;

/// The names of a leaf certificate; shared by all findings that saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 of the certificate.
    pub sha256: Sha256,
    /// dNSName entries, lower case.
    pub dns_names: Box<[Box<str>]>,
    /// iPAddress entries.
    pub ip_addresses: Box<[IpAddr]>,
    /// The subject's last common name.
    pub common_name: Option<Box<str>>,
    /// Public key algorithm, as in
    /// [`CertificateFacts::key_algorithm`](super::CertificateFacts::key_algorithm).
    pub key_algorithm: Option<Box<str>>,
    /// The subject as text, cut to [`SUBJECT_BYTES_MAX`].
    pub subject: Option<Box<str>>,
    /// SHA-1 of the certificate, by which Windows names it.
    pub thumbprint: [u8; 20],
    /// Whether the leaf is signed with SHA-1; `None` where the algorithm
    /// cannot be read.
    pub signed_with_sha1: Option<bool>,
}

impl Leaf {
    /// Roughly how much of it is as large as its server makes it, in bytes.
    pub fn bytes(&self) -> usize {
        let names = self.dns_names.iter().map(|name| size_of::<Box<str>>() + name.len());
        names.sum::<usize>() + self.ip_addresses.len() * size_of::<IpAddr>()
    }
}

/// Longest [`Leaf::subject`], in bytes.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// A certificate that a server presented, as far as forced TLS goes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedCertificate {
    /// Trust axis.
    pub chain: ChainStatus,
    /// Date axis.
    pub dates: DateStatus,
    /// The leaf's names.
    pub leaf: Arc<Leaf>,
    /// Whether some clients end the handshake over its form, and others do not.
    pub disputed: bool,
}

/// What was negotiated, and the axes of the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFinding {
    /// Negotiated version.
    pub version: Option<ProtocolVersion>,
    /// Negotiated suite.
    pub suite: Option<CipherSuite>,
    /// Key exchange group.
    pub group: Option<NamedGroup>,
    /// Scheme of the server's handshake signature.
    pub signature_scheme: Option<SignatureScheme>,
    /// What became of that signature.
    pub signature: Option<SignatureCheck>,
    /// Trust axis; `None` where no certificate was seen.
    pub chain: Option<ChainStatus>,
    /// The root that a valid chain ends in; shared by all findings of it.
    pub root: Option<Arc<TrustedRoot>>,
    /// Date axis.
    pub dates: Option<DateStatus>,
    /// Key axis.
    pub key: Option<KeyStatus>,
    /// What the leaf is by each expectation; shared by all findings of it.
    pub expectations: Arc<[ExpectationMatch]>,
    /// The leaf's names.
    pub leaf: Option<Arc<Leaf>>,
    /// Whether some clients end the handshake over the form of the
    /// certificates, and others do not.
    pub disputed: bool,
    /// What the server's random says of newer versions; `None` where it does
    /// not say so, or nobody looked.
    pub downgrade_mark: Option<DowngradeMark>,
    /// Whether the server answered the renegotiation extension; `None` in TLS
    /// 1.3, and where nobody looked.
    pub renegotiation_info: Option<bool>,
    /// What became of our client certificate.
    pub client_certificate: ClientCertificate,
}

impl TlsFinding {
    /// The certificate; `None` where none was seen.
    pub fn presented(&self) -> Option<PresentedCertificate> {
        let (chain, dates, leaf) = (self.chain?, self.dates?, self.leaf.clone()?);
        Some(PresentedCertificate { chain, dates, leaf, disputed: self.disputed })
    }
}

/// What a verdict needs to know of one further hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloFinding {
    /// Why it was sent.
    pub purpose: HelloPurpose,
    /// Which sender's offer it was.
    pub offer: Option<Box<str>>,
    /// The newest version offered.
    pub offered_version: ProtocolVersion,
    /// How many suites were offered.
    pub offered_suites: usize,
    /// How the answer ended.
    pub end: HelloEnd,
    /// Whether it asked for another hello and said no more (RFC 8446 §4.1.4):
    /// what it would have said to that is open.
    pub hello_retry: bool,
    /// The alert, where it ended with one.
    pub alert: Option<AlertDescription>,
    /// Version chosen.
    pub version: Option<ProtocolVersion>,
    /// Suite chosen.
    pub suite: Option<CipherSuite>,
    /// Group of the key exchange.
    pub group: Option<NamedGroup>,
    /// Scheme of the server's signature, in TLS 1.2 only.
    pub signature_scheme: Option<SignatureScheme>,
    /// What became of that signature; `None` where nobody looked.
    pub signature: Option<SignatureCheck>,
    /// The certificate, in clear up to TLS 1.2; `None` where none was seen.
    pub presented: Option<PresentedCertificate>,
    /// What the server's random says of newer versions; `None` where it does
    /// not say so, or nobody looked.
    pub downgrade_mark: Option<DowngradeMark>,
    /// Length of the server's own Diffie-Hellman prime, in bits.
    pub dh_bits: Option<usize>,
    /// Whether the server answered the renegotiation extension; `None` in TLS
    /// 1.3, and where nobody looked.
    pub renegotiation_info: Option<bool>,
    /// Whether it asked for a client certificate.
    pub client_certificate_requested: bool,
    /// Whether the hello named the host, where that has a name.
    pub names_host: bool,
    /// The whole handshake, where it was one and came to TLS.
    pub handshake: Option<Box<SecondHandshake>>,
}

/// A handshake made once more, in the form in which the sender makes its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondHandshake {
    /// The terminal outcome; `None` means `ok`.
    pub failure: Option<Failure>,
    /// What was seen of TLS.
    pub tls: TlsFinding,
    /// Forms of replies that senders read differently; none where that was not
    /// recorded.
    pub reply_forms: ReplyForms,
}

impl HelloFinding {
    /// Whether the server said that it will not take this hello. One that
    /// hangs up, politely or not, has not.
    pub fn is_refused(&self) -> bool {
        self.end == HelloEnd::Alert && self.alert.is_some_and(AlertDescription::refuses_the_hello)
    }
}

/// What a verdict needs to know of one probed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who was asked.
    pub key: ProbeKey,
    /// The terminal outcome; `None` means `ok`.
    pub failure: Option<Failure>,
    /// What was seen of TLS.
    pub tls: Option<TlsFinding>,
    /// Further hellos, those of an enumeration left out.
    pub extra_client_hellos: Arc<[HelloFinding]>,
    /// What an enumeration found; `None` where none was made.
    pub enumerated: Option<Box<Enumerated>>,
    /// How STARTTLS is written in the reply to EHLO.
    pub starttls_forms: KeywordForms,
    /// Forms of replies that senders read differently.
    pub reply_forms: ReplyForms,
}

#[cfg(test)]
impl Finding {
    /// What one attempt found, and nothing besides.
    pub(crate) fn of(key: ProbeKey, failure: Option<Failure>, tls: Option<TlsFinding>) -> Self {
        Self {
            key,
            failure,
            tls,
            extra_client_hellos: Arc::new([]),
            enumerated: None,
            starttls_forms: KeywordForms::default(),
            reply_forms: ReplyForms::default(),
        }
    }
}

/// What an enumeration found, and in which form it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enumerated {
    /// The suites and groups.
    pub found: Enumeration,
    /// Whether its hellos named the host, where that has a name.
    pub names_host: bool,
}

impl Finding {
    /// Whether all that the server has to say to a hello of SSLv3 or newer is
    /// an answer of SSLv2.
    pub fn answers_by_sslv2(&self) -> bool {
        let sslv2 = self.extra_client_hellos.iter().any(|hello| hello.end == HelloEnd::Sslv2);
        sslv2 && !self.extra_client_hellos.iter().any(|hello| hello.end.is_agreement())
    }

    /// Suite of the handshake, or where that came to none the best one that the
    /// server agreed to in a further hello.
    pub fn suite(&self) -> Option<CipherSuite> {
        let own = self.tls.as_ref().and_then(|tls| tls.suite);
        own.or_else(|| self.server_best().1)
    }

    /// Whether a recorded session of that suite stays secret when the server's
    /// long-term key is lost; `None` where the suite does not tell.
    pub fn forward_secrecy(&self) -> Option<bool> {
        self.suite().and_then(CipherSuite::forward_secrecy)
    }

    /// The newest version that the server has agreed to in any hello, and the
    /// suite that it chose there first.
    pub fn server_best(&self) -> (Option<ProtocolVersion>, Option<CipherSuite>) {
        self.server_best_beside(self.tls.as_ref())
    }

    /// The same with another handshake in the place of the first.
    pub fn server_best_beside(
        &self,
        shaken: Option<&TlsFinding>,
    ) -> (Option<ProtocolVersion>, Option<CipherSuite>) {
        let shaken = shaken.map(|tls| (tls.version, tls.suite));
        let agreed = self.extra_client_hellos.iter().filter(|hello| hello.end.is_agreement());
        let all = shaken.into_iter().chain(agreed.map(|hello| (hello.version, hello.suite)));
        let known = all.filter(|(version, _)| version.is_some_and(ProtocolVersion::can_be_offered));
        known.fold((None, None), |best, next| if next.0 > best.0 { next } else { best })
    }
}
