//! One resolver: where it is, how it is asked, and whether its AD is believed.

use super::believed::{AskedResolver, TrustedAd, may_be_believed};
use super::health::Health;
use super::tcp::TcpConnections;
use super::udp::UdpSockets;
use crate::dns::Answer;
use crate::model::tlsa::Authenticity;
use std::net::SocketAddr;
use std::sync::OnceLock;
use tokio::time::Instant;

/// A resolver.
pub(super) struct Nameserver {
    address: SocketAddr,
    /// Why its AD may be believed if it validates, or why not.
    may_be_believed: Result<&'static str, &'static str>,
    /// Whether it validates, and what says that it does not; empty until it has
    /// answered, and where it does not matter.
    validates: OnceLock<Result<(), String>>,
    /// Why it gave no answer that would show it, when it was looked at first.
    no_answer: OnceLock<String>,
    /// Set once it validates no longer.
    has_stopped: OnceLock<()>,
    pub(super) udp: UdpSockets,
    pub(super) tcp: TcpConnections,
    pub(super) health: Health,
}

impl Nameserver {
    /// That at `address`, which is asked at most so many questions at a time.
    pub(super) fn new(address: SocketAddr, questions_max: usize, trusted: &[TrustedAd]) -> Self {
        Self {
            address,
            may_be_believed: may_be_believed(address, trusted),
            validates: OnceLock::new(),
            no_answer: OnceLock::new(),
            has_stopped: OnceLock::new(),
            udp: UdpSockets::new(address, questions_max),
            tcp: TcpConnections::new(address),
            health: Health::new(Instant::now().into_std()),
        }
    }

    /// Whether its AD may be believed, if it validates.
    pub(super) fn may_be_believed(&self) -> bool {
        self.may_be_believed.is_ok()
    }

    /// Writes down, the first time, whether it validates, and what says that it does
    /// not; and says whether it is believed for that.
    pub(super) fn validates(&self, validates: Result<(), String>) -> bool {
        let does = validates.is_ok();
        self.validates.set(validates).is_ok() && does
    }

    /// Writes down that it gave no answer which would show it; why.
    pub(super) fn gave_no_answer(&self, why: String) {
        let _ = self.no_answer.set(why);
    }

    /// Whether it may be believed once it answers.
    pub(super) fn is_open(&self) -> bool {
        self.no_answer.get().is_some() && self.validates.get().is_none()
    }

    /// From now on it is not believed, for it validates no longer; whether that is
    /// new.
    pub(super) fn stops_validating(&self) -> bool {
        self.has_stopped.set(()).is_ok()
    }

    /// Whether its AD is believed.
    pub(super) fn is_believed(&self) -> bool {
        self.validates.get().is_some_and(Result::is_ok) && self.has_stopped.get().is_none()
    }

    /// Who vouches for its answer.
    pub(super) fn authenticity(&self, answer: &Answer) -> Authenticity {
        match answer.is_authentic {
            true if self.is_believed() => Authenticity::Secure,
            false if self.is_believed() && answer.has_edns => Authenticity::Insecure,
            _ => Authenticity::NotValidated,
        }
    }

    /// What is told of it.
    pub(super) fn told(&self) -> AskedResolver {
        let stopped_validating = self.has_stopped.get().is_some();
        let (ad_believed, because) = match (self.may_be_believed, self.validates.get()) {
            _ if stopped_validating => (
                Some(false),
                "it validated at first and no longer does: `. DNSKEY` came with AD, and later without"
                    .to_owned(),
            ),
            (Err(why_not), _) => (Some(false), why_not.to_owned()),
            (Ok(_), Some(Err(why_not))) => (Some(false), why_not.clone()),
            (Ok(why), Some(Ok(()))) => (Some(true), format!("{why}, and `. DNSKEY` came with AD")),
            (Ok(why), None) => match self.no_answer.get() {
                Some(failure) => (Some(false), format!("it gave no answer to `. DNSKEY`: {failure}")),
                None => (None, format!("{why}; whether it validates was not asked")),
            },
        };
        AskedResolver { address: self.address, ad_believed, because, stopped_validating }
    }
}
