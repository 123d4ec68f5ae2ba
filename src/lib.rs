//! mxray surveys how mail domains answer STARTTLS and says what each answer
//! means for the mail sent there. This is the library under the program of that
//! name.
//!
//! ```text
//! input ─► lookup ─► coalesce ─► pace ─► interrogate ─► join ─► verdict ─► run directory ─► report
//! list     MX A AAAA  one ask     global   dial, SMTP,    observation per       journal        summary
//!                     a host      per-IP   TLS, further   back to all domain    and tables     transcript
//!                                          hellos         who wait
//! ```
//!
//! Two ideas carry it. An [`Observation`] is what one endpoint said and judges
//! nothing; a [`Verdict`] is a pure function of observations, so that it can be
//! made again without a packet. And the protocol is apart from the sockets:
//! [`reply`] and [`hello`] are state machines over byte slices that run the same
//! under tokio, in a test and in a fuzzer.
//!
//! | to | look at |
//! |---|---|
//! | ask one host, or scan a list | [`scan`] |
//! | judge what was seen, for any sender | [`judge`] |
//! | write a run directory, and read one back | [`run`] |
//! | read certificates | [`certificate`] |
//! | read SMTP replies, hold an SMTP dialogue | [`reply`] |
//! | write and read hellos of SSLv3 to TLS 1.3 | [`hello`] |
//! | have mail servers to test against | [`testing`] |
//!
//! # A worked example
//!
//! A fleet of one mail server on loopback, asked as any domain would be, and what
//! becomes of mail that Exchange Online sends there:
//!
//! ```
//! use mxray::judge::{Judge, Policy, Roots, Sender, Store};
//! use mxray::scan::{EhloName, Scanner, ScannerConfig};
//! use mxray::testing::{Fleet, FleetOptions, scenario};
//! use mxray::{Delivery, DomainName, Subject, Target};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let domain = DomainName::parse("example.com")?;
//! let scenarios = vec![scenario("tls13_ecdsa")?];
//! let fleet = Fleet::start(FleetOptions { scenarios, ..FleetOptions::new(vec![domain.clone()])? }).await?;
//!
//! // Whom chains have to lead to, and whose mail it is about.
//! let mut roots = Store::new("lab");
//! fleet.root_certificates().iter().try_for_each(|root| roots.add_der(root))?;
//! let judge = Judge::new(Roots::new(vec![roots]), jiff::Timestamp::now());
//! let policy = Policy::new(judge, Sender::named("exchange-online")?);
//!
//! // Against the internet the defaults do; the fleet is at other places.
//! let mut config = ScannerConfig::new(EhloName::new("scanner.example.org")?);
//! config.lookup.nameservers = vec![fleet.dns_addr()];
//! config.engine.port = fleet.smtp_port();
//! config.allow_private = true;
//!
//! let scanner = Scanner::new(config, policy)?;
//! let answer = scanner.probe(Target { line: 1, subject: Subject::Domain(domain) }).await?;
//! assert_eq!(answer.domain.verdict.outcome.delivery, Delivery::Encrypted);
//! let tls = answer.endpoints[0].observation.tls.as_ref().ok_or("no TLS")?;
//! assert_eq!(tls.version.ok_or("no version")?.name(), "TLSv1.3");
//! # fleet.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! More are in the folder `examples`: one host probed, a run judged again, a
//! ClientHello and an SMTP reply read.
//!
//! # Stability
//!
//! Until 1.0 any release may change any of this. Enumerations to which values
//! may be added are `#[non_exhaustive]`.

mod ask;
mod curve;
mod dialect;
mod dns;
mod input;
#[cfg(feature = "lab")]
mod lab;
mod model;
mod packing;
mod report;
mod revocation;
mod run_dir;
mod sender;
mod smtp;
mod tls;
mod trust;
mod verdict;
mod x509;

// No fuzz target reaches a socket or the command line, and without these a
// fuzz build takes half as long.
#[cfg(not(fuzzing))]
mod cli;
#[cfg(not(fuzzing))]
mod command;
#[cfg(not(fuzzing))]
mod engine;
#[cfg(not(fuzzing))]
mod fetch;
#[cfg(not(fuzzing))]
mod interrogate;
#[cfg(all(feature = "receive", not(fuzzing)))]
mod listen;
#[cfg(not(fuzzing))]
mod load;
#[cfg(not(fuzzing))]
mod lookup;
#[cfg(not(fuzzing))]
mod net;
#[cfg(not(fuzzing))]
mod plan;
#[cfg(not(fuzzing))]
mod scanner;
#[cfg(not(fuzzing))]
mod stage;

pub use model::expectation::{AppliesTo, ExpectedCertificate};
pub use model::finding::{Enumerated, SecondHandshake};
pub use model::registry::UnknownName;
pub use model::{
    AcceptedGroups, AcceptedSuite, AlertDescription, Assessment, Basis, CertificateFacts, ChainStatus, Check,
    CheckCause, CheckFailure, CipherSuite, ClientCertificate, ClientHelloSpec, Connector, ConnectorDelivery,
    ConnectorVerdict, DateStatus, Delivery, Deviation, Dialogue, DomainFacts, DomainName, DomainRecord,
    DowngradeMark, Endpoint, EndpointRecord, Enumeration, Exchange, Expectation, ExpectationMatch,
    ExpectationStatus, Failure, Finding, ForcedBasis, ForcedTls, Form, FormSet, Gap, HelloEnd, HelloFinding,
    HelloObservation, HelloPurpose, JudgedEndpoint, KeyStatus, KeywordForm, KeywordForms, Kind, Leaf, Logged,
    MxHost, NameError, NameStatus, NamedGroup, NegotiatedTls, Observation, OtherAttempt, Outcome, Phase,
    PolicyReason, PossibleDelivery, Preference, PresentedCertificate, ProbeKey, Promise, ProtocolVersion,
    Reason, Recipients, Record, Rejected, Reply, ReplyForm, ReplyForms, ServerBest, Sha256, SignatureCheck,
    SignatureScheme, SmartHost, SmtpCommand, Subject, SuiteClass, SuiteFacts, Target, Timings, TlsDomain,
    TlsFinding, TlsObservation, TlsSettings, TrustedRoot, Unproven, Verdict, VersionSuites, View,
};

/// Asks mail hosts: one, or those of a whole list.
///
/// [`Scanner`](scan::Scanner) does all of it. Whoever wants another DNS or other
/// sockets implements [`Lookup`](scan::Lookup) and [`Probe`](scan::Probe) and
/// hands them to [`run`](scan::run).
#[cfg(not(fuzzing))]
pub mod scan {
    pub use crate::engine::pace::Limits;
    pub use crate::engine::{EngineConfig, EngineCounts, EngineError, Progress, Snapshot, run};
    pub use crate::input::{Entry, InputError, InputKind, InputList, InputOptions, TakenCounts, open, read};
    pub use crate::interrogate::RetryPlan;
    pub use crate::lookup::{DnsLookup, LookupConfig, LookupError, SmartHosts};
    pub use crate::model::{Blocklist, BlocklistError, BlocklistInForce};
    pub use crate::net::{ClientIdentity, Gate, Handshaker, KeyShares, NetProbe, PhaseTimeouts};
    pub use crate::scanner::{Scanner, ScannerConfig, ScannerError, TargetResult};
    pub use crate::smtp::{EhloName, EhloNameError};
    pub use crate::stage::{Lookup, Probe};
}

/// Judges what was seen: chains by root stores, domains for a sender and its
/// connectors. [`Policy`](judge::Policy) holds all that a verdict depends on
/// besides what was seen.
pub mod judge {
    pub use crate::ask::enumeration::EnumerationPlan;
    pub use crate::ask::step_down::HelloPlan;
    pub use crate::sender::connector::{
        ConnectorError, ConnectorList, Connectors, FileLine, Tie, parse_csv, parse_toml,
    };
    pub use crate::sender::offer::Offer;
    pub use crate::sender::situation::Situation;
    pub use crate::sender::{
        AddressFamily, AfterTlsFailure, DEFAULT_SENDER, DaneUse, LoggedCode, Sender, SenderError, Stated,
    };
    pub use crate::trust::roots::RootError;
    pub use crate::trust::{Assessed, Assessments, FileRoots, Judge, Roots, Store};
    pub use crate::verdict::{KeyContext, Policy, Reach};
}

/// Run directories: written, read back, and their tables.
pub mod run {
    pub use crate::report::{
        Counts, EnumeratedTally, ForcedTally, Operators, PolicyTally, SendingTally, Summary, Tally,
    };
    pub use crate::run_dir::read::{
        Facts, Observations, Rejects, StoreError, Stored, StoredFacts, StoredRun,
    };
    pub use crate::run_dir::{
        CERTIFICATES, CertificateRow, Column, CsvTable, DOMAINS, DomainStream, ENDPOINTS, GROUPS, GroupRow,
        JsonTable, JudgedBy, JudgedFrom, MX, MxRow, OptionValue, OutputError, REJECTS, RunCounts,
        RunDirectory, RunInfo, RunLimits, SCHEMA_VERSION, SCHEMA_VERSION_OLDEST, SUITES, StreamFormat,
        SuiteRow, Value, Why,
    };
}

/// Certificates: what one says, read leniently, and files of them.
pub mod certificate {
    pub use crate::x509::handshake::SignatureRefusal;
    pub use crate::x509::pem::{CertificateFile, FileCertificate, FilePosition, NotTaken};
    pub use crate::x509::{CERTIFICATE_BYTES_MAX, digest, read, subject_public_key_info, thumbprint};
}

/// The client side of an SMTP dialogue up to STARTTLS and inside TLS, without
/// sockets (RFC 5321, RFC 3207).
pub mod reply {
    pub use crate::model::inbound::{InboundDialogue, InboundEnd, MailAttempt, StarttlsUse};
    pub use crate::smtp::ehlo::{StarttlsKeyword, starttls_keyword};
    pub use crate::smtp::reply::{
        REPLY_BYTES_MAX, REPLY_LINE_BYTES_MAX, REPLY_LINES_MAX, ReplyFault, ReplyReader, STREAM_BYTES_MAX,
    };
    pub use crate::smtp::{
        EhloName, EhloNameError, ServerAction, ServerManner, SmtpAction, SmtpClient, SmtpServer,
        StarttlsManner, keyword_forms, reply_forms,
    };
}

/// Hellos of SSLv3 to TLS 1.3: written, and read in clear, without sockets and
/// without a key.
pub mod hello {
    pub use crate::tls::alert::{Alert, AlertLevel};
    pub use crate::tls::record::RecordFault;
    pub use crate::tls::{
        AnswerEnd, CertificateMessage, CertificateRequest, ClientHello, Extension, ExtensionType,
        HelloAction, HelloAnswer, HelloProbe, KeyExchange, KeyShare, Limit, Malformed, Objection,
        ServerHello, ServerKeyExchange, ServerShare, SignedParams, TooLong, objection,
    };
}

/// A fleet of mail servers and their DNS on loopback, to test against; each
/// behaves as its scenario file says.
#[cfg(feature = "lab")]
pub mod testing {
    pub use crate::lab::{Fleet, FleetOptions, LabError, Scenario, scenario, scenarios};
}

/// The rooms of the house, for its own program, tests, benches and fuzz targets.
/// Nothing here is promised to anybody.
#[doc(hidden)]
pub mod internals {
    pub mod ask {
        pub use crate::ask::*;
    }
    #[cfg(not(fuzzing))]
    pub mod cli {
        pub use crate::cli::*;
    }
    #[cfg(not(fuzzing))]
    pub mod command {
        pub use crate::command::*;
    }
    pub mod dialect {
        pub use crate::dialect::*;
    }
    pub mod dns {
        pub use crate::dns::*;
    }
    #[cfg(not(fuzzing))]
    pub mod engine {
        pub use crate::engine::*;
    }
    #[cfg(not(fuzzing))]
    pub mod fetch {
        pub use crate::fetch::*;
    }
    pub mod input {
        pub use crate::input::*;
    }
    #[cfg(not(fuzzing))]
    pub mod interrogate {
        pub use crate::interrogate::*;
    }
    #[cfg(feature = "lab")]
    pub mod lab {
        pub use crate::lab::*;
    }
    #[cfg(all(feature = "receive", not(fuzzing)))]
    pub mod listen {
        pub use crate::listen::*;
    }
    #[cfg(not(fuzzing))]
    pub mod load {
        pub use crate::load::*;
    }
    #[cfg(not(fuzzing))]
    pub mod lookup {
        pub use crate::lookup::*;
    }
    pub mod model {
        pub use crate::model::*;
    }
    #[cfg(not(fuzzing))]
    pub mod net {
        pub use crate::net::*;
    }
    pub mod packing {
        pub use crate::packing::*;
    }
    #[cfg(not(fuzzing))]
    pub mod plan {
        pub use crate::plan::*;
    }
    pub mod report {
        pub use crate::report::*;
    }
    pub mod revocation {
        pub use crate::revocation::*;
    }
    pub mod run_dir {
        pub use crate::run_dir::*;
    }
    pub mod sender {
        pub use crate::sender::*;
    }
    pub mod smtp {
        pub use crate::smtp::*;
    }
    #[cfg(not(fuzzing))]
    pub mod stage {
        pub use crate::stage::*;
    }
    pub mod tls {
        pub use crate::tls::*;
    }
    pub mod trust {
        pub use crate::trust::*;
    }
    pub mod verdict {
        pub use crate::verdict::*;
    }
    pub mod x509 {
        pub use crate::x509::*;
    }
}
