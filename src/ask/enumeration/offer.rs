//! What an enumeration offers, and what is left of it. The whole of a
//! version is also what stepping down offers.

use crate::model::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, SuiteFacts};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::LazyLock;

/// Suites in one hello where a server cannot take a longer one.
pub(in crate::ask) const CHUNK_SUITES: usize = 32;

/// Elliptic curves and hybrids, those in use first.
const CURVES: [u16; 11] = [29, 23, 24, 25, 30, 26, 27, 28, 22, 21, 19];

/// Groups of TLS 1.3 (RFC 8446 §4.2.7, RFC 8734, draft-ietf-tls-ecdhe-mlkem).
const GROUPS_TLS13: [u16; 19] =
    [4588, 4587, 4589, 29, 23, 24, 25, 30, 256, 257, 258, 259, 260, 31, 32, 33, 512, 513, 514];

/// Every scheme that a certificate may need, DSA and SHA-224 of RFC 5246 §7.4.1.4.1
/// (hash, signature) among them: without its scheme a server has no certificate to
/// show, and its suites look as if they were refused.
const SCHEMES: [u16; 28] = [
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0807,
    0x0808, 0x081a, 0x081b, 0x081c, 0x0904, 0x0905, 0x0906, 0x0402, 0x0201, 0x0203, 0x0303, 0x0301, 0x0302,
    0x0502, 0x0602,
];

/// DSA with SHA-1, which has no name in the registry any more.
const DSA_SHA1: u16 = 0x0202;

/// Suites by version, from SSLv3 to TLS 1.3, made once.
static SUITES: LazyLock<[(ProtocolVersion, Vec<CipherSuite>); 5]> = LazyLock::new(|| {
    [
        ProtocolVersion::SSL3,
        ProtocolVersion::TLS10,
        ProtocolVersion::TLS11,
        ProtocolVersion::TLS12,
        ProtocolVersion::TLS13,
    ]
    .map(|version| (version, suites_of(version)))
});

/// Every suite that this version can have, the best first, so that an
/// enumeration cut short knows those. Suites for which both sides must hold a
/// secret beforehand are no question to a foreign server.
pub(in crate::ask) fn suites(version: ProtocolVersion) -> &'static [CipherSuite] {
    SUITES.iter().find(|entry| entry.0 == version).map_or(&[], |entry| &entry.1)
}

fn suites_of(version: ProtocolVersion) -> Vec<CipherSuite> {
    let mut facts: Vec<&SuiteFacts> =
        CipherSuite::all().filter(|facts| facts.fits(version) && !needs_shared_secret(facts)).collect();
    facts.sort_by_key(|facts| Reverse(facts.class()));
    facts.into_iter().map(|facts| CipherSuite(facts.code)).collect()
}

fn needs_shared_secret(facts: &SuiteFacts) -> bool {
    let parts = [facts.key_exchange, facts.authentication];
    parts.iter().any(|part| matches!(*part, "PSK" | "SRP" | "KRB5" | "ECCPWD"))
        || facts.name.contains("_PSK_")
}

/// Every group that this version can have. Those of RFC 7919 are left out up
/// to TLS 1.2: offering them would hide the server's own prime.
pub(in crate::ask) fn groups(version: ProtocolVersion) -> Vec<NamedGroup> {
    let codes: &[u16] = if version >= ProtocolVersion::TLS13 { &GROUPS_TLS13 } else { &CURVES };
    codes.iter().copied().map(NamedGroup).collect()
}

/// Every signature scheme.
pub(in crate::ask) fn schemes() -> Vec<SignatureScheme> {
    SCHEMES.into_iter().chain([DSA_SHA1]).map(SignatureScheme).collect()
}

/// The accepted suites with which groups are asked for: those of ECDHE, where
/// possible such as need no certificate of ECDSA, whose curve would have to
/// stay in the offer.
pub(in crate::ask) fn suites_for_groups(
    version: ProtocolVersion,
    accepted: &[CipherSuite],
) -> Vec<CipherSuite> {
    let is = |suite: &CipherSuite, test: fn(&SuiteFacts) -> bool| suite.facts().is_some_and(test);
    if version >= ProtocolVersion::TLS13 {
        return accepted.to_vec();
    }
    let ecdhe = accepted.iter().copied().filter(|suite| is(suite, SuiteFacts::is_ecdhe));
    let (bound, free): (Vec<_>, Vec<_>) = ecdhe.partition(needs_ecdsa);
    if free.is_empty() { bound } else { free }
}

/// Whether the suite needs a certificate of ECDSA.
pub(in crate::ask) fn needs_ecdsa(suite: &CipherSuite) -> bool {
    suite.facts().is_some_and(|facts| facts.authentication == "ECDSA")
}

/// A list out of which the server chooses, one by one.
#[derive(Debug)]
pub(in crate::ask) struct Elimination<T> {
    /// What the next hello offers.
    pub(in crate::ask) offered: Vec<T>,
    /// What later ones will, where it does not fit into one.
    waiting: VecDeque<Vec<T>>,
    /// Whether something was cut.
    pub(in crate::ask) is_cut: bool,
    /// What was chosen, in order.
    pub(in crate::ask) found: Vec<T>,
}

impl<T: Copy + PartialEq> Elimination<T> {
    pub(in crate::ask) fn new(offered: Vec<T>) -> Self {
        Self { offered, waiting: VecDeque::new(), is_cut: false, found: Vec::new() }
    }

    /// Takes out what was chosen; whether it was on offer.
    pub(in crate::ask) fn choose(&mut self, chosen: T) -> bool {
        let Some(at) = self.offered.iter().position(|offered| *offered == chosen) else { return false };
        self.offered.remove(at);
        self.found.push(chosen);
        true
    }

    /// Cuts the offer into hellos that more servers can take.
    pub(in crate::ask) fn cut(&mut self, length: usize) {
        self.waiting = self.offered.chunks(length).map(<[T]>::to_vec).collect();
        self.is_cut = true;
        self.next_part();
    }

    /// Whether there is another part to offer after this one, now offered.
    pub(in crate::ask) fn next_part(&mut self) -> bool {
        self.offered = self.waiting.pop_front().unwrap_or_default();
        !self.offered.is_empty()
    }
}
