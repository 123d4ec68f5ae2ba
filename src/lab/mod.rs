//! A fleet of mail servers and their DNS on loopback, played from scenario
//! files.
//!
//! A scenario (`datasets/lab/*.toml`) says how the DNS answers for a domain,
//! how its mail servers behave, and what a scanner must find there. A [`Fleet`]
//! plays a mix of them for any list of domains: real sockets, real DNS, real
//! TLS from its own certificate authority, on addresses spread over
//! 127.0.0.0/8. It shares no client code with the scanner, so that a bug there
//! cannot hide behind the same bug here.
//!
//! [`FleetOptions`] → `cast` (who plays what, on paper) → `zone` for `dnsd`,
//! scripts for `smtpd`, [`TruthRow`]s for whoever compares.

mod address;
mod assign;
mod cast;
mod cast_records;
mod client_hello;
mod compare;
mod connector_file;
mod counters;
mod der;
mod dns_table;
mod dnsd;
mod embedded;
mod error;
mod expect;
mod fleet;
mod guard;
mod hello;
mod httpsd;
mod inside;
mod legacy;
mod listen;
mod log;
mod manners;
mod pki;
mod plain;
mod policy_table;
mod population;
mod scenario;
mod scripted;
mod server;
mod signer;
mod smtpd;
mod starttls_words;
mod step;
mod tls;
mod tls_table;
mod tlsa;
mod truth;
mod weak_rsa;
mod zone;

#[cfg(test)]
mod tests;

pub use address::{HOSTS_MAX, SCENARIOS_MAX};
pub use compare::{Disagreement, Truth, disagreements, endpoint_disagreements, suite_disagreements};
pub use counters::{AddressCount, Counters, EndpointCount};
pub use dns_table::{Answers, MORE_RECORDS_MAX, Texts, Tlsa, TlsaSource, TlsaSpec, Txt, Unresolved};
pub use embedded::{scenario, scenarios};
pub use error::LabError;
pub use expect::{
    CONNECTOR_COLUMNS, Cell, DOMAIN_ONLY_COLUMNS, Expect, ExpectedSuites, FINDING_COLUMNS,
    OBSERVATION_COLUMNS, SENDER_COLUMNS, USUAL_SENDER,
};
pub use fleet::{Fleet, FleetOptions, HOSTS_PER_SCENARIO};
pub use guard::{GUARD_COUNT_MAX, GUARDED_CLIENTS_MAX, Guard};
pub use legacy::{DH_BITS_MAX, Intolerance, Legacy, SuitePreference};
pub use log::{ClientStage, ConnectionEnd, ConnectionLog, LOGGED_CONNECTIONS_MAX, LogTo, LoggedConnection};
pub use manners::{EVIDENCE_MAX, Excess, LimitedTo, MannersLimits, MannersOf, Violation, violations};
pub use policy_table::PolicyHost;
pub use population::{DomainClass, POPULATION_DOMAINS_MAX, Population};
pub use scenario::{AddressRecords, Dns, Mode, Scenario, ScenarioConnector, ScenarioExchange, Seating};
pub use server::{Listen, Server};
pub use step::{Pace, Step, Then, Words};
pub use tls_table::{
    Certificate, ClientAuth, HandshakeSignature, IssuerKind, LeafKeyKind, OddNames, PurposeKind, Sent,
    SignatureKind, Tls,
};
pub use truth::{EndpointTruth, RolePlacement, TruthRow};
