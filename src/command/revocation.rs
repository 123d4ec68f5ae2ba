//! `mxray revocation`: can this machine reach what tells about the revocation
//! of a partner's certificates, and what does it say? Microsoft's page has
//! this done by hand with certutil.

use super::address_pause::AddressPause;
use super::presented::{self, Chain, PresentedChains};
use super::{CommandError, start_logging};
use crate::cli::{FormatArg, HelloArgs, JudgingArgs, PolicyArgs, RevocationArgs};
use crate::fetch::{FetchError, FetchLimits, Fetched, Fetcher, Resolve};
use crate::lookup::DnsLookup;
use crate::model::revocation::{
    CertificateRevocation, ChainsRevocation, Reached, RevocationAnswer, RevocationSource,
};
use crate::model::{CertificateFacts, DomainName, Failure, Kind, Phase, Subject, Target};
use crate::plan::{self, LookupPace, ProbeTarget};
use crate::report::RevocationDocument;
use crate::revocation::{self, CertificateId, crl, ocsp};
use crate::sender::published::{self, AddressKind};
use crate::stage::Lookup;
use crate::trust::Roots;
use crate::{report, x509};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;

/// Exit code where a certificate is revoked.
const EXIT_REVOKED: u8 = 3;
/// Exit code where none is known to be revoked, but not everything that has
/// to be was reached, or an answer does not tell.
const EXIT_NOT_DETERMINED: u8 = 4;

/// How the addresses begin that are asked (RFC 5280 §4.2.1.13, RFC 6960 §A.1).
const HTTP: &str = "http:";

/// What there is to say of a certificate that is its own issuer.
const SELF_SIGNED: &str = "it is self-signed: no CA issued it, so none can revoke it";

/// Certificates that are asked about.
const CERTIFICATES_MAX: usize = 64;

/// Finds the addresses of hosts in the DNS that everything else is asked of.
struct Resolver(Arc<DnsLookup>);

impl Resolve for Resolver {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let invalid = |error| Failure::new(Phase::Input, Kind::InvalidName).with_detail(error);
        let host = DomainName::parse(host).map_err(invalid)?;
        let target = Target { line: 1, subject: Subject::Host { name: host, port: None } };
        let facts = self.0.lookup(target).await;
        match facts.failure {
            Some(failure) => Err(failure),
            None => Ok(facts.exchanges.into_iter().flat_map(|exchange| exchange.addresses).collect()),
        }
    }
}

/// Asks every address, each list once.
struct Asker {
    fetcher: Fetcher<Resolver>,
    roots: Roots,
    lists: HashMap<String, Result<Fetched, FetchError>>,
    at: Timestamp,
}

/// Asks about the chains of the target, then the published addresses.
pub(super) async fn run(args: RevocationArgs) -> Result<ExitCode, CommandError> {
    start_logging(args.asking.dialogue.verbose);
    let asked = if presented::is_file(&args.target) { None } else { Some(ProbeTarget::parse(&args.target)?) };
    let (hellos, judging) = (HelloArgs::default(), JudgingArgs::default());
    let once = LookupPace { retries: 0, ..LookupPace::default() };
    let stages = plan::stages(&args.asking, &PolicyArgs::none(), &hellos, &judging, once)?;
    super::say_missing_route(&stages.settings);
    let limits = FetchLimits { time: args.fetch_time, bytes: args.fetch_bytes as usize };
    let (roots, _) = plan::roots(&args.roots)?;
    super::warn(roots.warnings());
    let fetcher = Fetcher::new(plan::gate(&args.asking)?, Resolver(stages.lookup.clone()), limits);
    let mut asker = Asker { fetcher, roots, lists: HashMap::new(), at: Timestamp::now() };
    let presented = match asked {
        None => {
            PresentedChains { chains: vec![presented::chain_of_file(&args.target)?], without: Vec::new() }
        }
        Some(asked) => {
            let rest = AddressPause::new(args.pace.per_ip_interval);
            presented::probed(&stages, rest, asked, args.asking.dialogue.port).await
        }
    };
    for why in &presented.without {
        super::say(format_args!("mxray: no certificate from {why}"));
    }
    let found = asker.certificates(&presented.chains).await;
    let published = if args.chain_only { Vec::new() } else { asker.published().await };
    let (result, code) = result(&found, &published);
    let (target, at, without) = (&*args.target, asker.at, &*presented.without);
    super::tell(match args.telling.format {
        FormatArg::Text => report::revocation(&found, &published),
        FormatArg::Json => report::revocation_json(&RevocationDocument {
            target,
            at,
            result,
            chains: &found,
            without,
            published: &published,
        }),
    })?;
    Ok(code)
}

/// What it comes to in a word, and the exit code of that.
fn result(found: &ChainsRevocation, published: &[Reached]) -> (&'static str, ExitCode) {
    let reached = published.iter().all(|address| address.outcome.is_ok());
    if found.is_revoked() {
        ("revoked", ExitCode::from(EXIT_REVOKED))
    } else if found.is_good() && reached {
        ("good", ExitCode::SUCCESS)
    } else {
        ("undetermined", ExitCode::from(EXIT_NOT_DETERMINED))
    }
}

impl Asker {
    /// Asks about each distinct certificate but those that are self-signed and
    /// end a chain of others: those are roots.
    async fn certificates(&mut self, chains: &[Chain]) -> ChainsRevocation {
        let mut seen = HashSet::new();
        let mut found = ChainsRevocation::default();
        for chain in chains {
            for (place, der) in chain.iter().enumerate() {
                let facts = x509::read(der);
                let is_root = facts.self_signed && place > 0;
                if is_root || !seen.insert(facts.sha256) {
                    continue;
                }
                if found.certificates.len() == CERTIFICATES_MAX {
                    found.not_asked += 1;
                } else {
                    found.certificates.push(self.certificate(der, &facts, chain).await);
                }
            }
        }
        found
    }

    async fn certificate(
        &mut self,
        der: &[u8],
        facts: &CertificateFacts,
        chain: &Chain,
    ) -> CertificateRevocation {
        let nameless = || format!("(a certificate of {} bytes, sha256 {})", der.len(), facts.sha256);
        let mut found = CertificateRevocation {
            subject: facts.subject.clone().unwrap_or_else(nameless),
            issuer: facts.issuer.clone(),
            serial: facts.serial.clone(),
            answers: Vec::new(),
            not_asked: 0,
            undetermined: None,
        };
        if facts.self_signed {
            found.undetermined = Some(SELF_SIGNED.to_string());
        } else {
            let left_out = x509::addresses_left_out(der);
            (found.not_asked, found.undetermined) = (left_out.over, left_out.unread);
            found.answers = self.answers(der, facts, chain).await;
        }
        found
    }

    /// What each address that a certificate names says of it.
    async fn answers(
        &mut self,
        der: &[u8],
        facts: &CertificateFacts,
        chain: &Chain,
    ) -> Vec<(RevocationSource, String, RevocationAnswer)> {
        let issuer = self.issuer(der, chain);
        let mut answers = Vec::new();
        for url in &facts.crl_urls {
            let answer = self.by_list(der, issuer.as_deref(), url).await;
            answers.push((RevocationSource::Crl, url.clone(), answer));
        }
        for url in &facts.ocsp_urls {
            let answer = self.by_responder(der, issuer.as_deref(), url).await;
            answers.push((RevocationSource::Ocsp, url.clone(), answer));
        }
        answers
    }

    /// The issuer's certificate, out of the chain or a root store.
    fn issuer(&self, der: &[u8], chain: &Chain) -> Option<Vec<u8>> {
        let presented = chain.iter().map(AsRef::as_ref);
        let trusted = self.roots.stores().iter().flat_map(|store| store.certificates());
        let mut candidates = presented.chain(trusted);
        candidates.find(|issuer| revocation::is_issued_by(der, issuer)).map(<[u8]>::to_vec)
    }

    async fn list(&mut self, url: &str) -> Result<Fetched, FetchError> {
        if let Some(known) = self.lists.get(url) {
            return known.clone();
        }
        let fetched = self.fetcher.get(url).await;
        self.lists.insert(url.to_string(), fetched.clone());
        fetched
    }

    async fn by_list(&mut self, der: &[u8], issuer: Option<&[u8]>, url: &str) -> RevocationAnswer {
        if let Some(answer) = not_asked(url) {
            return answer;
        }
        match body(self.list(url).await) {
            Err(why) => RevocationAnswer::unreachable(why),
            Ok(list) => match CertificateId::new(der, issuer) {
                Ok(question) => crl::look_up(&list, &question, url, self.at),
                Err(error) => RevocationAnswer::unknown(error.to_string()),
            },
        }
    }

    async fn by_responder(&self, der: &[u8], issuer: Option<&[u8]>, url: &str) -> RevocationAnswer {
        if let Some(answer) = not_asked(url) {
            return answer;
        }
        let question = match CertificateId::new(der, issuer) {
            Ok(question) => question,
            Err(error) => return RevocationAnswer::unknown(error.to_string()),
        };
        let request = match ocsp::request(&question) {
            Ok(request) => request,
            Err(error) => return RevocationAnswer::unknown(error.to_string()),
        };
        match body(self.fetcher.post(url, "application/ocsp-request", request).await) {
            Err(why) => RevocationAnswer::unreachable(why),
            Ok(answer) => ocsp::look_up(&answer, &question, self.at),
        }
    }

    /// Reaches for each published address once.
    async fn published(&mut self) -> Vec<Reached> {
        let mut addresses = Vec::new();
        for row in published::certificates() {
            addresses.extend(row.crl_urls.into_iter().map(|url| (RevocationSource::Crl, url)));
            addresses.extend(row.ocsp_urls.into_iter().map(|url| (RevocationSource::Ocsp, url)));
        }
        for address in published::addresses() {
            let source = match address.kind {
                AddressKind::Crl => RevocationSource::Crl,
                AddressKind::Host => RevocationSource::Host,
            };
            addresses.push((source, address.url));
        }
        let mut seen = HashSet::new();
        addresses.retain(|(_, url)| seen.insert(url.clone()));
        let mut reached = Vec::new();
        for (source, url) in addresses {
            let outcome = self.reach(source, &url).await;
            reached.push(Reached { source, url, outcome });
        }
        reached
    }

    /// A list has to be one; of anything else any answer of HTTP will do.
    async fn reach(&mut self, source: RevocationSource, url: &str) -> Result<String, String> {
        let fetched = self.list(url).await;
        if source != RevocationSource::Crl {
            return fetched.map(|got| format!("HTTP {}", got.status)).map_err(|error| error.to_string());
        }
        let list = crl::read(&body(fetched)?).map_err(|error| error.to_string())?;
        let next = list.next_update.map(|next| format!(", next update {next}")).unwrap_or_default();
        Ok(format!("a list of {} by {}{next}", list.entries, list.issuer))
    }
}

/// The answer of an address that is not one of plain HTTP (LDAP above all).
fn not_asked(url: &str) -> Option<RevocationAnswer> {
    let is_http = url.get(..HTTP.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTP));
    (!is_http).then(|| RevocationAnswer::not_asked("only plain HTTP is supported"))
}

/// The body of a success; why there is none otherwise.
fn body(fetched: Result<Fetched, FetchError>) -> Result<Vec<u8>, String> {
    match fetched {
        Ok(Fetched { status: 200, body }) => Ok(body),
        Ok(Fetched { status, .. }) => Err(format!("HTTP {status}")),
        Err(error) => Err(error.to_string()),
    }
}
