//! What a domain publishes of MTA-STS and TLS-RPT: two TXT records, and the
//! policy that the first announces (RFC 8461 §3, RFC 8460 §3).
//!
//! A policy is fetched once a run, unless the failure may pass: then whoever asks
//! for it a while later asks its host again. No cached policy of an earlier time is
//! known: this is what a sender without one sees.

use super::names::{Names, below, dns_name};
use crate::dns::{Name, RData, RecordType, mta_sts, tls_rpt};
use crate::fetch::Resolve;
use crate::fetch::policy::{PolicyFetcher, PolicyHosts};
use crate::model::mta_sts::{Fetching, Published, StsFacts, StsFetch, StsFetchFailure};
use crate::model::text::counted;
use crate::model::tls_rpt::{TlsRptFault, TlsRptRecord};
use crate::model::{DomainName, Failure, Kind, MxHost, Phase};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Policies that are kept for those who have the same policy domain, as all whose
/// mail goes to one smart host. Each takes 64 KiB and a chain at most, and usually
/// some kilobytes.
const POLICIES_KEPT_MAX: usize = 256;

/// What is told of a policy that nobody waits for any more.
const STOPPED: &str = "the run was stopped before the policy was fetched";

/// What makes a record of texts.
type ReadTexts<R, F> = fn(&[Vec<u8>]) -> Result<Option<R>, F>;

/// Finds the addresses of policy hosts as those of mail hosts.
struct HostAddresses(Arc<Names>);

impl Resolve for HostAddresses {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        self.resolve_with_others(host).await.map(|(addresses, _)| addresses)
    }

    async fn resolve_with_others(&self, host: &str) -> Result<(Vec<IpAddr>, Option<String>), Failure> {
        let invalid = |error| Failure::new(Phase::Input, Kind::InvalidName).with_detail(error);
        let host = DomainName::parse(host).map_err(invalid)?;
        let found = self.0.addresses(&dns_name(&host)?).await?;
        let others = match (&found.unresolved, found.of_other_family) {
            (Some(failure), _) => Some(format!("other addresses are not known: {failure}")),
            (None, Some(0)) => None,
            (None, Some(count)) => {
                Some(format!("{} of a family that is not used", counted(count as u64, "address")))
            }
            (None, None) => Some("whether there are addresses of the other family is not known".to_owned()),
        };
        Ok((found.in_use, others))
    }
}

/// What a policy host gave, for all with the same policy domain.
#[derive(Clone)]
struct KeptFetch {
    fetch: Arc<StsFetch>,
    /// Until when it is not asked again; `None`: in this run.
    until: Option<Instant>,
}

/// Fetches policies, each once.
pub(super) struct Policies {
    fetcher: PolicyFetcher<HostAddresses>,
    kept: Cache<MxHost, KeptFetch>,
    /// How long a failure that may pass is kept.
    rest: Duration,
    /// How many wait for a policy, their own or somebody's with the same policy
    /// domain.
    aside: watch::Sender<usize>,
    stop: CancellationToken,
}

/// One that waits for a policy, until this is dropped.
struct Aside<'a>(&'a watch::Sender<usize>);

impl<'a> Aside<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Policies {
    /// Of these hosts, with the addresses that `names` finds.
    pub(super) fn new(hosts: PolicyHosts, names: Arc<Names>) -> Self {
        Self {
            rest: hosts.rest(),
            fetcher: hosts.fetcher(HostAddresses(names)),
            kept: Cache::new(POLICIES_KEPT_MAX),
            aside: watch::Sender::new(0),
            stop: CancellationToken::new(),
        }
    }

    /// From now on nobody waits for a policy.
    pub(super) fn give_up(&self) {
        self.stop.cancel();
    }

    /// From now on they are fetched so.
    pub(super) fn set_fetching(&self, fetching: Fetching) {
        self.fetcher.set_fetching(fetching);
    }

    /// How many wait for one.
    pub(super) fn aside(&self) -> watch::Receiver<usize> {
        self.aside.subscribe()
    }

    /// MTA-STS of a policy domain.
    pub(super) async fn of(&self, names: &Names, domain: &MxHost, name: &Name) -> StsFacts {
        let record = names.published(["_mta-sts"], name, mta_sts::record).await;
        let fetch = match &record {
            // On the heap: few domains have a policy, and it would make every lookup
            // larger.
            Published::Record(_) => Some(Box::pin(self.fetch(domain)).await),
            _ => None,
        };
        StsFacts { domain: domain.clone(), record, fetch }
    }

    async fn fetch(&self, domain: &MxHost) -> Arc<StsFetch> {
        let _aside = Aside::begin(&self.aside);
        let stopped = || StsFetch {
            failure: Some(StsFetchFailure::Unfinished(
                Failure::new(Phase::Connect, Kind::LocalError).with_detail(STOPPED),
            )),
            ..StsFetch::default()
        };
        let fetching = async {
            let host = format!("mta-sts.{domain}");
            let mut fetched = tokio::select! {
                biased;
                () = self.stop.cancelled() => stopped(),
                fetched = self.fetcher.fetch(&host) => fetched,
            };
            fetched.policy = fetched.body.as_ref().map(|body| mta_sts::policy(body.as_bytes()));
            let failure = fetched.failure.as_ref().filter(|failure| failure.may_pass());
            // Where nobody came to the host, nobody has to leave it alone.
            let rest =
                |failure: &StsFetchFailure| if failure.is_of_host() { self.rest } else { Duration::ZERO };
            let until = failure.map(|failure| Instant::now() + rest(failure));
            Ok::<_, Infallible>(KeptFetch { fetch: Arc::new(fetched), until })
        };
        let now = Instant::now();
        self.kept.remove_if(domain, |kept| kept.until.is_some_and(|until| until <= now));
        match self.kept.get_or_insert_async(domain, fetching).await {
            Ok(kept) => kept.fetch,
            Err(never) => match never {},
        }
    }
}

impl Names {
    /// What stands at `_smtp._tls` below a domain.
    pub(super) async fn tls_rpt(&self, name: &Name) -> Published<TlsRptRecord, TlsRptFault> {
        self.published(["_smtp", "_tls"], name, tls_rpt::record).await
    }

    /// What `read` makes of the TXT records below a name, aliases followed.
    async fn published<R, F, const N: usize>(
        &self,
        labels: [&str; N],
        name: &Name,
        read: ReadTexts<R, F>,
    ) -> Published<R, F> {
        let Some(name) = below(labels, name) else { return Published::Absent };
        match self.query(&name, RecordType::TXT).await {
            Ok(found) => match read(&texts(&found.answer.records)) {
                Ok(Some(record)) => Published::Record(record),
                Ok(None) => Published::Absent,
                Err(fault) => Published::Faulty(fault),
            },
            Err(none) if none.failure.kind.says_no_host() => Published::Absent,
            Err(none) => Published::Failed(none.failure),
        }
    }
}

/// The strings of each record joined (RFC 8461 §3.1).
fn texts(records: &[RData]) -> Vec<Vec<u8>> {
    let text = |record: &RData| match record {
        RData::TXT(txt) => Some(txt.txt_data.concat()),
        _ => None,
    };
    records.iter().filter_map(text).collect()
}
