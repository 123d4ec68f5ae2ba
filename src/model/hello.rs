//! What one further connection learnt by a hello of another kind than the
//! scanner's own: an old version, the exact offer of a sender, one question of
//! an enumeration, or a second handshake in the form of the sender's.

use super::client_certificate::ClientCertificate;
use super::dialogue::Dialogue;
use super::downgrade_mark::DowngradeMark;
use super::failure::Failure;
use super::registry::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use super::signature_check::SignatureCheck;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Further hellos to a host, if nothing else is said: a second handshake, the
/// sender's offer, and one for each version from TLS 1.3 to SSLv3. Second looks at
/// them are not counted.
pub const EXTRA_CLIENT_HELLOS: usize = 7;

/// Connections to a host for its enumeration, if nothing else is said. A
/// server of today needs 30 to 130; one that takes all that OpenSSL knows, in
/// every version, about 350.
pub const ENUMERATION_CONNECTIONS_MAX: usize = 400;

/// Why a hello was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HelloPurpose {
    /// The exact offer of the sender that verdicts are for.
    Sender,
    /// The same without the suites that show no certificate: the server took
    /// one of them.
    Authenticated,
    /// Whether the server speaks this version at all.
    Version,
    /// A whole handshake once more, by what the scanner offers without the
    /// post-quantum group: it is short, and names the host and shows a client
    /// certificate only where the sender does.
    Handshake,
    /// The next suite that the server takes, by elimination.
    Suites,
    /// Whose preference decides: the accepted suites the other way round.
    Order,
    /// The next group that the server takes, by elimination.
    Groups,
}

/// A hello to send on a connection of its own. Plain data: `tls` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHelloSpec {
    /// What the answer is to tell.
    pub purpose: HelloPurpose,
    /// Which sender's offer it is, for [`HelloPurpose::Sender`] and
    /// [`HelloPurpose::Authenticated`]: a digest of its lists.
    pub offer: Option<Box<str>>,
    /// Versions offered, newest first; several only where one hello can say so.
    pub versions: Vec<ProtocolVersion>,
    /// Suites offered, best first.
    pub suites: Vec<CipherSuite>,
    /// Groups offered, best first.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes offered, best first.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Whether it names the host (SNI), where that has a name.
    pub names_host: bool,
    /// Whether a server that asks for a client certificate is shown ours, where
    /// there is one; of [`HelloPurpose::Handshake`] only.
    pub shows_certificate: bool,
}

impl HelloPurpose {
    /// Whether verdicts rest on the answer, and on the certificate in it. The
    /// others are of an enumeration.
    pub fn is_judged(self) -> bool {
        match self {
            HelloPurpose::Sender
            | HelloPurpose::Authenticated
            | HelloPurpose::Version
            | HelloPurpose::Handshake => true,
            HelloPurpose::Suites | HelloPurpose::Order | HelloPurpose::Groups => false,
        }
    }
}

impl ClientHelloSpec {
    /// One that offers nothing yet, and names the host.
    pub fn of(purpose: HelloPurpose) -> Self {
        Self {
            purpose,
            offer: None,
            versions: Vec::new(),
            suites: Vec::new(),
            groups: Vec::new(),
            signature_schemes: Vec::new(),
            names_host: true,
            shows_certificate: false,
        }
    }

    /// A whole handshake; what it offers is the scanner's.
    pub fn handshake(names_host: bool, shows_certificate: bool) -> Self {
        let versions = vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12];
        Self { versions, names_host, shows_certificate, ..Self::of(HelloPurpose::Handshake) }
    }

    /// The newest version offered.
    pub fn version(&self) -> ProtocolVersion {
        self.versions.iter().copied().max().unwrap_or(ProtocolVersion::TLS12)
    }
}

/// How the answer to a hello ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HelloEnd {
    /// The server agreed: all that it says in clear was read. Up to TLS 1.2
    /// that is its ServerHelloDone, from TLS 1.3 on its ServerHello.
    Agreed,
    /// It refused by an alert.
    Alert,
    /// It hung up.
    Closed,
    /// It did not answer in time.
    Timeout,
    /// It speaks SSLv2.
    Sslv2,
    /// It agreed, and shows no certificate that any client can read
    /// ([`Kind::BadCertificate`](super::Kind::BadCertificate)).
    BadCertificate,
    /// It does not speak TLS.
    NotTls,
    /// It agreed, and what it said nobody can go on with
    /// ([`Kind::IllegalParameter`](super::Kind::IllegalParameter)).
    IllegalParameter,
    /// What it said cannot be read, or is such that some clients end the
    /// handshake over it.
    Malformed,
    /// What it said exceeds a limit.
    TooLong,
    /// The dialogue never came to the hello; [`HelloObservation::failure`]
    /// says why, and nothing about TLS was learnt.
    NotAsked,
}

impl HelloEnd {
    /// Whether the server chose a version and a suite, be it that nothing comes
    /// of it.
    pub fn is_agreement(self) -> bool {
        matches!(self, HelloEnd::Agreed | HelloEnd::BadCertificate)
    }

    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            HelloEnd::Agreed => "agreed",
            HelloEnd::Alert => "alert",
            HelloEnd::Closed => "closed",
            HelloEnd::Timeout => "timeout",
            HelloEnd::Sslv2 => "sslv2",
            HelloEnd::BadCertificate => "bad_certificate",
            HelloEnd::NotTls => "not_tls",
            HelloEnd::IllegalParameter => "illegal_parameter",
            HelloEnd::Malformed => "malformed",
            HelloEnd::TooLong => "too_long",
            HelloEnd::NotAsked => "not_asked",
        }
    }
}

/// What one hello learnt. Only that of [`HelloPurpose::Handshake`] is finished:
/// of the others it is proven that the server holds the key of its certificate
/// only where its signature is in clear, as up to TLS 1.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloObservation {
    /// Why it was sent.
    pub purpose: HelloPurpose,
    /// Which sender's offer it was, as in [`ClientHelloSpec::offer`].
    pub offer: Option<Box<str>>,
    /// Which look at this hello it was, 1 or 2: an end that is not of the offer is
    /// believed only if it is seen twice. `None` of an enumeration, and in what was
    /// written before there were second looks.
    #[serde(default)]
    pub look: Option<u8>,
    /// When its connection was begun.
    pub started: Timestamp,
    /// The newest version offered.
    pub offered_version: ProtocolVersion,
    /// Suites offered; how many, since the lists of an enumeration are long
    /// and follow from what was accepted before.
    pub offered_suites: usize,
    /// How the answer ended.
    pub end: HelloEnd,
    /// Why the dialogue never came to the hello. Of a whole handshake, how its
    /// dialogue ended early.
    pub failure: Option<Failure>,
    /// What was said in SMTP, of a whole handshake; `None` else, and in what was
    /// written before that was recorded.
    #[serde(default)]
    pub dialogue: Option<Box<Dialogue>>,
    /// Whether it named the host, where that has a name. `None` in what was
    /// written before that was recorded: then it did.
    #[serde(default)]
    pub names_host: Option<bool>,
    /// What became of our client certificate, of a whole handshake; `None` else.
    #[serde(default)]
    pub client_certificate: Option<ClientCertificate>,
    /// Version that the server chose.
    pub version: Option<ProtocolVersion>,
    /// Suite that it chose.
    pub suite: Option<CipherSuite>,
    /// Group of the key exchange; after a retry the one asked for.
    pub group: Option<NamedGroup>,
    /// Length of the server's own Diffie-Hellman prime, in bits.
    pub dh_bits: Option<usize>,
    /// Scheme of the server's signature, in TLS 1.2 or a whole handshake only.
    pub signature_scheme: Option<SignatureScheme>,
    /// Whether that signature holds; `None` in what an mxray wrote down that
    /// did not look.
    #[serde(default)]
    pub signature: Option<SignatureCheck>,
    /// Presented certificates as DER, leaf first; in clear up to TLS 1.2, or of a
    /// whole handshake. Kept only where [`HelloPurpose::is_judged`].
    /// The journal names them by SHA-256.
    #[serde(skip)]
    pub chain: Vec<Arc<[u8]>>,
    /// Whether the server answered the renegotiation extension (RFC 5746 §3.4),
    /// up to TLS 1.2; `None` in TLS 1.3, which has no renegotiation, where there
    /// was no ServerHello, and where that was not recorded.
    #[serde(default)]
    pub renegotiation_info: Option<bool>,
    /// What is wrong with what it said, for a person, where the answer ended
    /// with [`HelloEnd::IllegalParameter`] or [`HelloEnd::Malformed`]; `None`
    /// also where that was not recorded.
    #[serde(default)]
    pub fault: Option<Box<str>>,
    /// Whether the server asked for a client certificate, in clear or in a whole
    /// handshake.
    pub client_certificate_requested: bool,
    /// Whether it asked for another hello (RFC 8446 §4.1.4).
    pub hello_retry: bool,
    /// What the server's random says of newer versions, up to TLS 1.2; `None`
    /// in TLS 1.3, where there was no ServerHello, and where that was not
    /// recorded.
    #[serde(default)]
    pub downgrade_mark: Option<DowngradeMark>,
    /// The alert that refused.
    pub alert: Option<AlertDescription>,
    /// First SYN to the last byte, in microseconds of the monotonic clock.
    pub total_us: u64,
}

impl HelloObservation {
    /// A hello that ended so and of which nothing else is known.
    pub fn new(
        purpose: HelloPurpose,
        offered_version: ProtocolVersion,
        started: Timestamp,
        end: HelloEnd,
    ) -> Self {
        Self {
            purpose,
            offer: None,
            look: None,
            started,
            offered_version,
            offered_suites: 0,
            end,
            failure: None,
            dialogue: None,
            names_host: None,
            client_certificate: None,
            version: None,
            suite: None,
            group: None,
            dh_bits: None,
            signature_scheme: None,
            signature: Some(SignatureCheck::NotShown),
            chain: Vec::new(),
            renegotiation_info: None,
            fault: None,
            client_certificate_requested: false,
            hello_retry: false,
            downgrade_mark: None,
            alert: None,
            total_us: 0,
        }
    }

    /// Whether it is a second look at a hello that was sent before.
    pub fn is_second_look(&self) -> bool {
        self.look.is_some_and(|look| look > 1)
    }

    /// A question whose dialogue never came to the hello, because of
    /// `failure`.
    pub fn not_asked(spec: &ClientHelloSpec, started: Timestamp, failure: Option<Failure>) -> Self {
        Self {
            offer: spec.offer.clone(),
            offered_suites: spec.suites.len(),
            failure,
            names_host: Some(spec.names_host),
            ..Self::new(spec.purpose, spec.version(), started, HelloEnd::NotAsked)
        }
    }
}
