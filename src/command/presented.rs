//! The chains that `mxray revocation` asks about: out of a file, or presented
//! by the mail hosts of its target.

use super::address_pause::AddressPause;
use super::probe;
use crate::interrogate::RetryPlan;
use crate::model::{DomainFacts, Observation};
use crate::plan::{self, ProbeTarget, UsageError};
use crate::revocation::CertificateId;
use crate::x509;
use crate::x509::pem::{FileCertificate, NotTaken};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Who does not show a chain at once is told as such.
const ONCE: RetryPlan =
    RetryPlan { retries: 0, retry_delay: Duration::ZERO, second_look_delay: Duration::ZERO };

/// A presented chain, leaf first.
pub(super) type Chain = Vec<Arc<[u8]>>;

/// What the endpoints of a target presented.
pub(super) struct PresentedChains {
    /// The distinct chains.
    pub(super) chains: Vec<Chain>,
    /// Which of them presented none, and why.
    pub(super) without: Vec<String>,
}

/// Asks every endpoint of the target for its chain.
pub(super) async fn probed(
    stages: &plan::Stages,
    mut rest: AddressPause,
    asked: ProbeTarget,
    port: u16,
) -> PresentedChains {
    let (facts, port) = probe::find(stages, asked, port).await;
    let (record, endpoints) = probe::ask_all(stages, ONCE, &mut rest, facts, port).await;
    let mut presented = PresentedChains { chains: Vec::new(), without: not_found(&record.facts) };
    for observation in endpoints.into_iter().map(|endpoint| endpoint.observation) {
        let chains = chains_of(&observation);
        if chains.is_empty() {
            presented.without.push(match &observation.failure {
                Some(failure) => format!("{}: {failure}", observation.key),
                None => observation.key.to_string(),
            });
        }
        for chain in chains {
            if !presented.chains.contains(chain) {
                presented.chains.push(chain.clone());
            }
        }
    }
    presented
}

/// Mail hosts that nobody could be asked at, and why.
fn not_found(facts: &DomainFacts) -> Vec<String> {
    if let Some(failure) = &facts.failure {
        return vec![format!("{}: {failure}", facts.target.subject.label())];
    }
    let failed = facts.exchanges.iter().filter_map(|exchange| {
        let host = exchange.host.as_ref()?;
        exchange.failure.as_ref().map(|failure| format!("{host}: {failure}"))
    });
    failed.collect()
}

/// The chains that an endpoint presented, in the handshake or to a further hello.
fn chains_of(seen: &Observation) -> Vec<&Chain> {
    let hellos = seen.extra_client_hellos.iter().map(|hello| &hello.chain);
    let all = seen.tls.iter().map(|tls| &tls.chain).chain(hellos);
    all.filter(|chain| !chain.is_empty()).collect()
}

/// Endings that certificates bear and no domain does.
const FILE_ENDINGS: [&str; 4] = ["pem", "der", "crt", "cer"];

/// Whether a target is a file, be it there or not: no domain has a slash or
/// such an ending.
pub(super) fn is_file(target: &str) -> bool {
    let path = Path::new(target);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if target.contains("://") && !path.exists() {
        return false;
    }
    target.contains(std::path::is_separator)
        || FILE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
        || path.is_file()
}

/// The certificates of a file, PEM or DER, leaf first.
pub(super) fn chain_of_file(path: &str) -> Result<Chain, UsageError> {
    let wrong = |error: String| UsageError(format!("{path}: {error}"));
    let bytes = plan::read_file("certificate", Path::new(path))?;
    let certificates = x509::pem::certificates(&bytes).map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("no certificate, PEM or DER".into()));
    }
    for FileCertificate { place, der, .. } in &certificates {
        if let Err(error) = CertificateId::new(der, None) {
            let what = format!("no certificate, PEM or DER: {error}");
            return Err(wrong(NotTaken { place: *place, what }.to_string()));
        }
    }
    Ok(certificates.iter().map(|certificate| certificate.der.as_ref().into()).collect())
}
