//! What a sender says in its ClientHello.

use crate::model::{
    CipherSuite, ClientHelloSpec, HelloPurpose, NamedGroup, ProtocolVersion, SignatureScheme, SuiteFacts,
};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Bytes of the digest that an [`Offer::id`] shows.
const ID_BYTES: usize = 8;

/// A ClientHello's worth of preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Versions, newest first.
    pub versions: Vec<ProtocolVersion>,
    /// Suites, best first, those of TLS 1.3 before the others.
    pub suites: Vec<CipherSuite>,
    /// Groups, preferred first.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes, preferred first.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Whether it names the host (SNI), where that has a name.
    pub sends_sni: bool,
}

impl Offer {
    /// Tells offers apart: the same lists and the same about SNI, the same text. An answer that was
    /// stored is an answer to this very offer exactly if it bears its id.
    pub fn id(&self) -> String {
        let lists: [Vec<u16>; 4] = [
            self.versions.iter().map(|version| version.0).collect(),
            self.suites.iter().map(|suite| suite.0).collect(),
            self.groups.iter().map(|group| group.0).collect(),
            self.signature_schemes.iter().map(|scheme| scheme.0).collect(),
        ];
        let mut digest = Sha256::new();
        for list in &lists {
            digest.update((list.len() as u64).to_be_bytes());
            list.iter().for_each(|code| digest.update(code.to_be_bytes()));
        }
        // All did, before that was a property of the sender.
        if !self.sends_sni {
            digest.update(b"no SNI");
        }
        digest.finalize().iter().take(ID_BYTES).fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// What is left for mail that demands a certificate: the suites without
    /// one are not offered then. `None` where nothing is left of a version's.
    pub fn authenticated(&self) -> Option<Self> {
        let anonymous = |suite: &CipherSuite| suite.facts().is_some_and(SuiteFacts::is_anonymous);
        let suites: Vec<CipherSuite> =
            self.suites.iter().copied().filter(|suite| !anonymous(suite)).collect();
        let older = |suite: &CipherSuite| suite.facts().is_none_or(|facts| !facts.is_tls13());
        let kept = suites.iter().any(older) || !self.suites.iter().any(older);
        kept.then(|| Self { suites, ..self.clone() })
    }

    /// The offer as a hello to send.
    pub fn spec(&self, purpose: HelloPurpose) -> ClientHelloSpec {
        ClientHelloSpec {
            offer: Some(self.id().into()),
            versions: self.versions.clone(),
            suites: self.suites.clone(),
            groups: self.groups.clone(),
            signature_schemes: self.signature_schemes.clone(),
            names_host: self.sends_sni,
            ..ClientHelloSpec::of(purpose)
        }
    }

    /// What a hello sent.
    pub fn of(spec: ClientHelloSpec) -> Self {
        let ClientHelloSpec { versions, suites, groups, signature_schemes, names_host, .. } = spec;
        Self { versions, suites, groups, signature_schemes, sends_sni: names_host }
    }

    /// Entries in all lists: how long a hello it makes.
    pub fn entries(&self) -> usize {
        self.versions.len() + self.suites.len() + self.groups.len() + self.signature_schemes.len()
    }

    /// Bytes of the hello that makes of it, without what its lists do not tell:
    /// the host's name, key shares, and extensions beyond those that clients of
    /// its versions send alike (renegotiation, point formats, and from TLS 1.3 on
    /// the mode of pre-shared keys and an empty list of shares).
    pub fn hello_bytes(&self) -> usize {
        let tls13 = self.versions.contains(&ProtocolVersion::TLS13);
        let list = |entries: usize, width: usize| if entries == 0 { 0 } else { 4 + width + 2 * entries };
        let head = 4 + 2 + 32 + 1 + 2 + 2 * self.suites.len() + 2;
        let lists = list(self.groups.len(), 2) + list(self.signature_schemes.len(), 2);
        let of_tls13 = if tls13 { list(self.versions.len(), 1) + 6 + 6 } else { 0 };
        head + 2 + 5 + 6 + lists + of_tls13
    }

    /// How many steps a suite stands below the best of the offer; `None` if
    /// it is not in it.
    pub fn rank(&self, suite: CipherSuite) -> Option<usize> {
        self.suites.iter().position(|offered| *offered == suite)
    }
}

/// How long a hello is, in the classes in which servers are known to treat
/// them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloLength {
    /// Under 256 bytes: every server takes it that takes a longer one.
    Short,
    /// 256 to 511 bytes: some servers hang on these alone, for which clients
    /// pad theirs (RFC 7685 §1).
    Stumbling,
    /// 512 bytes and more. The scanner's own is of these.
    Long,
}

impl HelloLength {
    /// The class of an offer's hello.
    pub fn of(offer: &Offer) -> Self {
        match offer.hello_bytes() {
            ..256 => Self::Short,
            256..512 => Self::Stumbling,
            _ => Self::Long,
        }
    }
}
