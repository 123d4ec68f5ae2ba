//! The server itself: what it answers to a hello.

use crate::model::Kind;
use crate::model::registry::{CipherSuite, ProtocolVersion};
use crate::sender::offer::{HelloLength, Offer};

/// How a server chooses a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupChoice {
    Own,
    Client,
    /// Rather one for which a share came than a better one.
    Share,
}

/// What a server makes of a hello that names the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelNames {
    Ignored,
    /// It takes no hello with a name.
    Refused,
    /// It takes no hello without one.
    Demanded,
    /// It has another certificate for who names nobody.
    Told,
}

/// What it makes of client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelClientAuth {
    None,
    /// It asks, and takes all that comes, or nothing.
    Asks,
    /// It ends the handshake without one.
    Demands,
    /// It ends the handshake with one that it does not know.
    Verifies,
}

/// A hello, as a server sees it.
#[derive(Clone, Copy)]
pub(super) struct ModelHello<'a> {
    pub(super) offer: &'a Offer,
    pub(super) shares: &'a [u16],
    pub(super) length: HelloLength,
    pub(super) names_host: bool,
}

/// A key, by the schemes that it signs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerKey {
    pub(super) kind: &'static str,
    pub(super) schemes: Vec<u16>,
}

#[derive(Clone, Debug)]
pub(super) struct ModelServer {
    pub(super) versions: Vec<ProtocolVersion>,
    pub(super) suites13: Vec<u16>,
    pub(super) older: Vec<u16>,
    pub(super) groups: Vec<u16>,
    pub(super) keys: Vec<ServerKey>,
    pub(super) suites_by_client: bool,
    pub(super) schemes_by_client: bool,
    pub(super) group_choice: GroupChoice,
    /// Prefers ChaCha20 where the client puts it before AES.
    pub(super) follows_chacha20: bool,
    /// Hangs on hellos of 256 to 511 bytes.
    pub(super) stumbles: bool,
    /// Never answers those of 512 and more.
    pub(super) silent: bool,
    pub(super) names: ModelNames,
    pub(super) client_auth: ModelClientAuth,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgreedTls {
    pub(super) version: ProtocolVersion,
    pub(super) suite: u16,
    pub(super) group: Option<u16>,
    pub(super) scheme: Option<u16>,
    pub(super) key: &'static str,
}

impl ModelServer {
    pub(super) fn answer(&self, hello: ModelHello<'_>) -> Option<AgreedTls> {
        let ModelHello { offer, shares, .. } = hello;
        if self.is_put_off(hello) {
            return None;
        }
        let keys = self.keys_for(hello);
        let version = *self.versions.iter().filter(|version| offer.versions.contains(version)).max()?;
        let tls13 = version == ProtocolVersion::TLS13;
        let mine = if tls13 { &self.suites13 } else { &self.older };
        self.in_order(mine, offer).into_iter().find_map(|suite| {
            let needs_group = tls13 || name(suite).starts_with("TLS_ECDHE_");
            let group = if needs_group { Some(self.group(offer, shares, tls13)?) } else { None };
            if !needs_group {
                // Static RSA signs nothing.
                let key = keys.iter().find(|key| key.kind == "RSA")?;
                return Some(AgreedTls { version, suite, group, scheme: None, key: key.kind });
            }
            let (key, scheme) = self.key(keys, offer, suite, tls13)?;
            Some(AgreedTls { version, suite, group, scheme: Some(scheme), key: key.kind })
        })
    }

    fn is_put_off(&self, hello: ModelHello<'_>) -> bool {
        let length = match hello.length {
            HelloLength::Short => false,
            HelloLength::Stumbling => self.stumbles,
            HelloLength::Long => self.silent,
        };
        let name = match self.names {
            ModelNames::Refused => hello.names_host,
            ModelNames::Demanded => !hello.names_host,
            ModelNames::Ignored | ModelNames::Told => false,
        };
        length || name
    }

    /// Who names nobody is shown the last certificate alone.
    fn keys_for(&self, hello: ModelHello<'_>) -> &[ServerKey] {
        match self.names {
            ModelNames::Told if !hello.names_host => &self.keys[self.keys.len() - 1..],
            _ => &self.keys,
        }
    }

    /// What ends the handshake of who shows a certificate, or none.
    pub(super) fn ends(&self, shows: bool) -> Option<Kind> {
        match self.client_auth {
            ModelClientAuth::Demands if !shows => Some(Kind::ClientCertificateRequired),
            ModelClientAuth::Verifies if shows => Some(Kind::ClientCertificateRefused),
            _ => None,
        }
    }

    pub(super) fn asks(&self) -> bool {
        self.client_auth != ModelClientAuth::None
    }

    /// The suites in common, in the order in which they are tried.
    fn in_order(&self, mine: &[u16], offer: &Offer) -> Vec<u16> {
        let offered: Vec<u16> = offer.suites.iter().map(|suite| suite.0).collect();
        let mut order = common(mine, &offered, self.suites_by_client);
        let telling = |suite: &&u16| name(**suite).contains("_GCM_") || is_chacha20(**suite);
        if self.follows_chacha20 && offered.iter().find(telling).is_some_and(|suite| is_chacha20(*suite)) {
            order.sort_by_key(|suite| !is_chacha20(*suite));
        }
        order
    }

    fn group(&self, offer: &Offer, shares: &[u16], tls13: bool) -> Option<u16> {
        let offered: Vec<u16> = offer.groups.iter().map(|group| group.0).collect();
        let order = common(&self.groups, &offered, self.group_choice == GroupChoice::Client);
        let by_share = order.iter().find(|group| shares.contains(group));
        match self.group_choice {
            GroupChoice::Share if tls13 => by_share.or(order.first()).copied(),
            _ => order.first().copied(),
        }
    }

    fn key<'k>(
        &self,
        keys: &'k [ServerKey],
        offer: &Offer,
        suite: u16,
        tls13: bool,
    ) -> Option<(&'k ServerKey, u16)> {
        let fits = |key: &&ServerKey| tls13 || name(suite).contains("_RSA_") == (key.kind == "RSA");
        let offered: Vec<u16> = offer.signature_schemes.iter().map(|scheme| scheme.0).collect();
        let signs = |key: &ServerKey| {
            let mine: Vec<u16> =
                key.schemes.iter().copied().filter(|scheme| !tls13 || is_of_tls13(*scheme)).collect();
            common(&mine, &offered, self.schemes_by_client).first().copied()
        };
        let usable = keys.iter().filter(fits).filter_map(|key| Some((key, signs(key)?)));
        if self.schemes_by_client {
            return usable.min_by_key(|(_, scheme)| offered.iter().position(|one| one == scheme));
        }
        usable.into_iter().next()
    }
}

fn name(suite: u16) -> String {
    CipherSuite(suite).name().into_owned()
}

fn is_chacha20(suite: u16) -> bool {
    name(suite).contains("CHACHA20")
}

fn is_of_tls13(scheme: u16) -> bool {
    !matches!(scheme, 0x0401 | 0x0501)
}

/// What both have, in the order of one.
fn common(mine: &[u16], offered: &[u16], by_client: bool) -> Vec<u16> {
    let (order, other) = if by_client { (offered, mine) } else { (mine, offered) };
    order.iter().copied().filter(|code| other.contains(code)).collect()
}
