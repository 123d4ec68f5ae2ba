//! A certificate that was presented, read once for all who look at it.

use crate::model::{CertificateFacts, Sha256};
use crate::x509;
use crate::x509::terms::Terms;
use std::sync::Arc;

/// One certificate of a chain.
#[derive(Debug)]
pub(in crate::trust) struct ReadCertificate {
    /// As it came.
    pub der: Arc<[u8]>,
    pub facts: Arc<CertificateFacts>,
    /// What it says of its use.
    pub terms: Terms,
}

impl ReadCertificate {
    /// Reads one; `digest` is that of `der`.
    pub fn read(der: &Arc<[u8]>, digest: Sha256) -> Self {
        let (facts, terms) = x509::read_with_terms(der, digest);
        Self { der: der.clone(), facts: Arc::new(facts), terms }
    }
}
