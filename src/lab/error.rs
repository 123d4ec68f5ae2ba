//! What can keep a fleet from starting.

use crate::model::text::one_line;
use std::net::IpAddr;
use std::{fmt, io};

/// Why a fleet did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A scenario file that cannot be played.
    #[error("scenario {name}: {cause}")]
    Scenario {
        /// Name or file name of the scenario.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No scenario has a weight over 0, or all were left out.
    #[error("no scenario is left to play")]
    NoScenario,
    /// More scenarios than the address plan has room for.
    #[error("{given} scenarios, the lab has addresses for {max}")]
    TooManyScenarios {
        /// How many were to be played.
        given: usize,
        /// How many can be.
        max: usize,
    },
    /// A pool of addresses larger than the address plan has room for.
    #[error("{given} hosts a scenario, the lab has addresses for {max}")]
    TooManyHosts {
        /// How many were asked for.
        given: usize,
        /// How many there are.
        max: usize,
    },
    /// More domains than a population may have.
    #[error("{given} domains, a population has up to {max}")]
    TooManyDomains {
        /// How many were asked for.
        given: usize,
        /// How many there may be.
        max: usize,
    },
    /// One name would have to stand for two things.
    #[error("the name {0} is needed twice: as a domain of the list and as a mail host, or for two servers")]
    NameCollision(String),
    /// A name that does not fit into the DNS.
    #[error("{0} is too long for a DNS name")]
    NameTooLong(String),
    /// An address outside loopback was asked for.
    #[error("{0} is no loopback address: the lab serves 127.0.0.0/8 and ::1 only")]
    NotLoopback(IpAddr),
    /// A socket could not be had.
    #[error("cannot listen on {what}: {cause}{hint}", hint = Hint(.cause))]
    Listen {
        /// Protocol and address.
        what: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A port was asked for as "any", and none was free on all addresses.
    #[error("no port was free on all addresses after {0} attempts")]
    NoFreePort(u32),
    /// A certificate or key could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A TLS configuration that rustls refuses.
    #[error("cannot configure TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The thread of the DNS server could not be started.
    #[error("cannot start the DNS server: {0}")]
    Thread(#[source] io::Error),
}

impl LabError {
    /// An error of the scenario of that name, in one line whatever it quotes.
    pub(super) fn scenario(name: &str, cause: impl fmt::Display) -> Self {
        Self::Scenario { name: one_line(name), cause: one_line(&cause.to_string()) }
    }
}

/// What a person can do about a socket error.
struct Hint<'a>(&'a io::Error);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.kind() {
            io::ErrorKind::AddrNotAvailable => {
                " (the lab needs all of 127.0.0.0/8 on the loopback interface, as Linux has it)"
            }
            io::ErrorKind::AddrInUse => " (choose another port, or 0 for any free one)",
            io::ErrorKind::PermissionDenied => " (choose a port over 1023)",
            _ => "",
        })
    }
}
