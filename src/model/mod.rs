//! The nouns of mxray: plain data without I/O and without a clock.
//!
//! Everything that travels between two stages is a type of this module, so a
//! stage can be read, tested and replaced without looking into its neighbour.
//! Nothing here imports another module of the crate.

pub mod address_tls;
pub mod asked_question;
pub mod assessment;
pub mod attempt;
pub mod blocklist;
pub mod certificate;
mod client_certificate;
pub mod connector;
pub mod delivery;
pub mod dialogue;
pub mod downgrade_mark;
pub mod endpoint;
pub mod enumeration;
pub mod expectation;
pub mod facts;
pub mod failure;
pub mod finding;
pub mod forced;
mod form_set;
pub mod hello;
pub mod inbound;
pub mod judged;
pub mod keyword_form;
pub mod mta_sts;
pub mod name;
pub mod network;
pub mod observation;
pub mod outcome;
pub mod policy_reason;
pub mod policy_verdict;
pub mod promise;
pub mod record;
pub mod registry;
pub mod reply;
pub mod reply_form;
pub mod revocation;
pub mod server_best;
pub mod shard;
pub mod signature_check;
pub mod target;
pub mod text;
pub mod tls_rpt;
pub mod tlsa;
pub mod verdict;

pub use address_tls::{AddressTls, SaidAtAddress};
pub use assessment::{Assessment, ChainStatus, DateStatus, KeyStatus, NameStatus, TrustedRoot};
pub use attempt::OtherAttempt;
pub use blocklist::{BLOCKLIST_LINES_MAX, Blocklist, BlocklistError, BlocklistInForce};
pub use certificate::{CertificateFacts, Sha256};
pub use client_certificate::ClientCertificate;
pub use connector::{Connector, Recipients, SmartHost, TlsDomain};
pub use delivery::{Basis, Delivery, Logged, PossibleDelivery, Reason};
pub use dialogue::Dialogue;
pub use downgrade_mark::DowngradeMark;
pub use endpoint::{Endpoint, ProbeKey};
pub use enumeration::{AcceptedGroups, AcceptedSuite, Enumeration, Gap, Preference, VersionSuites};
pub use expectation::{Expectation, ExpectationMatch, ExpectationStatus};
pub use facts::{DomainFacts, Exchange, OpenQuestion};
pub use failure::{Failure, Kind, Phase};
pub use finding::{
    Enumerated, Finding, HelloFinding, Leaf, PresentedCertificate, SecondHandshake, TlsFinding,
};
pub use forced::{
    Check, CheckCause, CheckFailure, ConnectorDelivery, ConnectorVerdict, ForcedTls, TlsSettings,
};
pub use form_set::{Form, FormSet};
pub use hello::{ClientHelloSpec, HelloEnd, HelloObservation, HelloPurpose};
pub use judged::{JudgedEndpoint, Unproven};
pub use keyword_form::{KeywordForm, KeywordForms};
pub use name::{DomainName, MxHost, NameError, registrable};
pub use network::network;
pub use observation::{InferredFrom, Observation, Timings, TlsObservation};
pub use outcome::{NegotiatedTls, Outcome};
pub use policy_reason::PolicyReason;
pub use policy_verdict::{Authenticated, DaneStand, PolicyVerdict, StsStand, TlsRptResult};
pub use promise::Promise;
pub use record::{DomainRecord, EndpointRecord, Record, Rejected};
pub use registry::{
    AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, SuiteClass, SuiteFacts,
};
pub use reply::{Deviation, Reply, SmtpCommand};
pub use reply_form::{ReplyForm, ReplyForms};
pub use server_best::ServerBest;
pub use shard::{SHARDS_MAX, Shard, ShardPart};
pub use signature_check::SignatureCheck;
pub use target::{Subject, Target};
pub use verdict::{ForcedBasis, Verdict, View};
