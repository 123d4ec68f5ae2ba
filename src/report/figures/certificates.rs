//! Certificates of a run, and the domains whose mail hangs on one that ends soon.

use super::cells::Cells;
use crate::report::tally::Tally;
use jiff::Timestamp;
use std::collections::HashMap;

/// Days within which an end is soon.
pub const SOON_DAYS: i64 = 90;
/// Days within which it is very soon.
pub const VERY_SOON_DAYS: i64 = 30;
/// Certificates of which it is kept when they end, some 40 bytes each; the rest is
/// counted.
pub const CERTIFICATES_MAX: usize = 4_000_000;
/// Certificates that have ended, or end within [`VERY_SOON_DAYS`], and are told one by one; the
/// rest is counted.
pub const EXPIRING_MAX: usize = 100_000;
/// Issuers that are told apart.
const ISSUERS_MAX: usize = 10_000;
const DAY: i64 = 24 * 60 * 60;

/// The first half of a SHA-256.
type ShortDigest = u128;

/// A certificate that has ended or ends very soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiringCertificate {
    /// SHA-256 of the leaf.
    pub sha256: String,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// The mail host of the first domain that rests on it.
    pub mx_host: String,
    /// Its operator.
    pub operator: String,
    /// That domain.
    pub domain: String,
    /// How many rest on it.
    pub domains: u64,
}

/// When the certificate of a domain ends, if it has ended or that is very soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CertificateEnd {
    /// When, in seconds since 1970.
    pub(super) at: i64,
    /// Whether that was before the run.
    pub(super) is_over: bool,
}

/// Certificates, each distinct one once.
#[derive(Clone, Debug)]
pub struct CertificateFigures {
    at: i64,
    /// Of all kinds.
    pub total: u64,
    /// Those that are no CA's.
    pub leaves: u64,
    /// Algorithm and bits of the leaves' keys.
    pub keys: Tally,
    /// What the leaves are signed with.
    pub signatures: Tally,
    /// Who signed them.
    pub issuers: Tally,
    /// Those of which nothing could be read, or not all.
    pub unreadable: u64,
    /// Certificates beyond [`CERTIFICATES_MAX`], of which it is not known here when
    /// they end.
    pub not_kept: u64,
    ends: HashMap<ShortDigest, i64>,
    /// Domains whose best host has a certificate that ends within [`SOON_DAYS`], those
    /// of [`VERY_SOON_DAYS`] among them.
    pub domains_soon: u64,
    /// Within [`VERY_SOON_DAYS`].
    pub domains_very_soon: u64,
    /// Domains that rest on certificates beyond [`EXPIRING_MAX`].
    pub domains_untold: u64,
    expiring: HashMap<ShortDigest, ExpiringCertificate>,
}

impl CertificateFigures {
    pub(super) fn new(at: i64) -> Self {
        Self {
            at,
            total: 0,
            leaves: 0,
            keys: Tally::default(),
            signatures: Tally::default(),
            issuers: Tally::bounded(ISSUERS_MAX),
            unreadable: 0,
            not_kept: 0,
            ends: HashMap::new(),
            domains_soon: 0,
            domains_very_soon: 0,
            domains_untold: 0,
            expiring: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, row: &impl Cells) {
        self.total += 1;
        self.unreadable += u64::from(!row.cell("parse_error").is_empty());
        if row.cell("is_ca") != "yes" {
            self.leaves += 1;
            let key = format!("{} {}", row.cell("key_algorithm"), row.cell("key_bits"));
            add_known(&mut self.keys, key.trim_end());
            add_known(&mut self.signatures, row.cell("signature_algorithm"));
            add_known(&mut self.issuers, row.cell("issuer"));
        }
        self.keep_end(row);
    }

    /// Keeps when it ends, if that is soon or over.
    fn keep_end(&mut self, row: &impl Cells) {
        let Ok(end) = row.cell("not_after").parse::<Timestamp>() else { return };
        let within = end.as_second() - self.at;
        let Some(digest) = short(row.cell("sha256")).filter(|_| within <= SOON_DAYS * DAY) else {
            return;
        };
        if self.ends.len() < CERTIFICATES_MAX {
            self.ends.insert(digest, end.as_second());
        } else {
            self.not_kept += 1;
        }
    }

    /// Counts a domain by the certificate of the host that decides; gives its end if
    /// that is very soon, or over.
    pub(super) fn note_domain(&mut self, row: &impl Cells) -> Option<CertificateEnd> {
        let digest = short(row.cell("cert_sha256"))?;
        let end = *self.ends.get(&digest)?;
        let is_over = end < self.at;
        self.domains_soon += u64::from(!is_over);
        if end - self.at > VERY_SOON_DAYS * DAY {
            return None;
        }
        self.domains_very_soon += u64::from(!is_over);
        if let Some(known) = self.expiring.get_mut(&digest) {
            known.domains += 1;
        } else if self.expiring.len() < EXPIRING_MAX {
            self.expiring.insert(digest, expiring(row, end));
        } else {
            self.domains_untold += 1;
        }
        Some(CertificateEnd { at: end, is_over })
    }

    /// Those that have ended or end very soon, the earliest first.
    pub fn expiring(&self) -> Vec<&ExpiringCertificate> {
        let mut all: Vec<&ExpiringCertificate> = self.expiring.values().collect();
        all.sort_unstable_by(|a, b| (a.not_after, &a.sha256).cmp(&(b.not_after, &b.sha256)));
        all
    }
}

fn expiring(row: &impl Cells, not_after: i64) -> ExpiringCertificate {
    ExpiringCertificate {
        sha256: row.cell("cert_sha256").to_string(),
        not_after,
        mx_host: row.cell("mx_host").to_string(),
        operator: row.cell("mx_operator").to_string(),
        domain: row.cell("domain").to_string(),
        domains: 1,
    }
}

fn add_known(tally: &mut Tally, name: &str) {
    if !name.is_empty() {
        tally.add_borrowed(name);
    }
}

fn short(sha256: &str) -> Option<ShortDigest> {
    u128::from_str_radix(sha256.get(..32)?, 16).ok()
}
