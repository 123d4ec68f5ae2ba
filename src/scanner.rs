//! A scan for those who use mxray as a library: the same stages as those of the
//! command line, put together from values instead of words.

use crate::engine::{self, EngineConfig, EngineCounts, EngineError, Progress};
use crate::lookup::{DnsLookup, LookupConfig, LookupError, POLICY_PORT, PolicyHosts};
use crate::model::{BlocklistInForce, DomainRecord, EndpointRecord, Record, Target};
use crate::net::{ClientIdentity, Gate, Handshaker, KeyShares, NetProbe, PhaseTimeouts};
use crate::smtp::EhloName;
use crate::verdict::Policy;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Targets read ahead of the lookups.
const TARGETS_QUEUED_MAX: usize = 1024;

/// Records that wait to be taken. Each holds one probe's certificates and
/// replies, some kilobytes.
const RECORDS_QUEUED_MAX: usize = 256;

/// Whom a [`Scanner`] asks, how fast, and as whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScannerConfig {
    /// The name said in EHLO.
    pub ehlo: EhloName,
    /// How the DNS is asked; by default the resolvers of the system. Its
    /// blocklist and policy hosts give way to what stands here.
    pub lookup: LookupConfig,
    /// Whether policies of MTA-STS are asked for; by default they are.
    pub mta_sts: bool,
    /// The port of policy hosts; by default 443.
    pub mta_sts_port: u16,
    /// A mail address or a URL, told to policy hosts; by default none.
    pub contact: Option<String>,
    /// Port, pace and retries; by default those of the command line.
    pub engine: EngineConfig,
    /// How long each phase of a session may take.
    pub timeouts: PhaseTimeouts,
    /// Where the key share of a ClientHello comes from; by default one serves
    /// many sessions.
    pub key_shares: KeyShares,
    /// The certificate for servers that ask for one; by default none.
    pub identity: Option<ClientIdentity>,
    /// Addresses and domains that are left alone; by default none.
    pub blocklist: BlocklistInForce,
    /// Whether addresses that are no place on the public internet are connected
    /// to; by default not.
    pub allow_private: bool,
}

impl ScannerConfig {
    /// The defaults of the command line, saying `ehlo` in EHLO.
    pub fn new(ehlo: EhloName) -> Self {
        Self {
            ehlo,
            lookup: LookupConfig::default(),
            mta_sts: true,
            mta_sts_port: POLICY_PORT,
            contact: None,
            engine: EngineConfig::default(),
            timeouts: PhaseTimeouts::default(),
            key_shares: KeyShares::Reused,
            identity: None,
            blocklist: BlocklistInForce::default(),
            allow_private: false,
        }
    }
}

/// Why no scanner can be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScannerError {
    /// The DNS cannot be asked.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The TLS library lacks what TLS 1.2 and 1.3 need.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What a target came to.
#[derive(Debug)]
pub struct TargetResult {
    /// What the DNS said, and the verdict.
    pub domain: DomainRecord,
    /// What each endpoint said, in the order in which they were done.
    pub endpoints: Vec<EndpointRecord>,
}

/// Asks mail hosts and judges what they say.
pub struct Scanner {
    config: EngineConfig,
    lookup: Arc<DnsLookup>,
    probe: Arc<NetProbe>,
    policy: Arc<Policy>,
}

impl Scanner {
    /// A scanner that judges by `policy`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ScannerError`]: no address family is wanted, or the system names no
    /// resolver and the configuration neither.
    pub fn new(config: ScannerConfig, policy: Policy) -> Result<Self, ScannerError> {
        let timeouts = config.timeouts.for_retries(config.engine.retry.retries);
        let handshaker = Handshaker::new(config.key_shares)?.with_identity(config.identity);
        let gate = Gate::new(config.blocklist.clone(), config.allow_private);
        let hosts = PolicyHosts::new(gate.clone()).at_port(config.mta_sts_port);
        let hosts = hosts.with_contact(config.contact.as_deref());
        // So that no retry finds a host that is still left alone.
        let hosts = hosts.asked_again_after(config.engine.retry.retry_delay).in_shard(config.engine.shard);
        let mta_sts = config.mta_sts.then_some(hosts);
        let lookup = DnsLookup::new(LookupConfig { blocklist: config.blocklist, mta_sts, ..config.lookup })?;
        Ok(Self {
            config: config.engine,
            lookup: Arc::new(lookup),
            probe: Arc::new(NetProbe::new(gate, config.ehlo, timeouts, handshaker)),
            policy: Arc::new(policy),
        })
    }

    /// Its stages, for whoever runs them with a progress and an end of their own.
    pub(crate) fn into_stages(self) -> (Arc<DnsLookup>, Arc<NetProbe>, Arc<Policy>) {
        (self.lookup, self.probe, self.policy)
    }

    /// Asks every target, each endpoint once, and hands each record to `each`
    /// as soon as it is known: one [`Record::Endpoint`] an endpoint, one
    /// [`Record::Domain`] a target. While `each` is busy, the scan waits.
    ///
    /// To be run under tokio. Dropping the future breaks the scan off, open
    /// connections and all.
    ///
    /// # Errors
    /// [`EngineError`]: a stage broke down, which is a defect of mxray.
    pub async fn scan<T>(&self, targets: T, mut each: impl FnMut(Record)) -> Result<EngineCounts, EngineError>
    where
        T: IntoIterator<Item = Target>,
    {
        let (targets_in, targets_out) = mpsc::channel(TARGETS_QUEUED_MAX);
        let (records_in, mut records) = mpsc::channel(RECORDS_QUEUED_MAX);
        let stages = (self.lookup.clone(), self.probe.clone(), self.policy.clone());
        let progress = Arc::new(Progress::default());
        let run = engine::run(
            self.config.clone(),
            stages,
            targets_out,
            records_in,
            progress,
            CancellationToken::new(),
        );
        let feed = async move {
            for target in targets {
                if targets_in.send(target).await.is_err() {
                    break;
                }
            }
        };
        let take = async move {
            while let Some(record) = records.recv().await {
                each(record);
            }
        };
        let (counts, (), ()) = tokio::join!(run, feed, take);
        counts
    }

    /// Asks one target: every mail host of a domain, or the one host or endpoint
    /// that is named.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub async fn probe(&self, target: Target) -> Result<TargetResult, EngineError> {
        let (mut domain, mut endpoints) = (None, Vec::new());
        self.scan([target], |record| match record {
            Record::Domain(record) => domain = Some(*record),
            Record::Endpoint(record) => endpoints.push(*record),
            Record::Rejected(_) | Record::Part(_) => {}
        })
        .await?;
        let domain = domain.ok_or(EngineError::OutputGone)?;
        Ok(TargetResult { domain, endpoints })
    }
}
