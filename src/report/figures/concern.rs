//! What is wrong at a domain, by its row: what its partner should hear.

use super::cells::Cells;
use super::certificates::CertificateEnd;
use jiff::Timestamp;

/// Kinds of what is wrong, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConcernKind {
    /// A connector of one's own keeps mail back, or gives it back.
    KeptByConnector,
    /// Mail goes in clear.
    InClear,
    /// Mail is kept back, or comes back, though there is a mail host.
    KeptBack,
    /// A policy that the domain publishes is broken.
    PolicyBroken,
    /// Some host of the domain takes mail in clear.
    OneHostInClear,
    /// The session would be of old or weak TLS.
    WeakTls,
    /// No connector could demand a valid certificate.
    Certificate,
    /// The certificate ends soon.
    EndsSoon,
    /// The domain takes no mail at all.
    NoMail,
}

impl ConcernKind {
    /// All, gravest first.
    pub const ALL: [Self; 9] = [
        Self::KeptByConnector,
        Self::InClear,
        Self::KeptBack,
        Self::PolicyBroken,
        Self::OneHostInClear,
        Self::WeakTls,
        Self::Certificate,
        Self::EndsSoon,
        Self::NoMail,
    ];

    /// As in the CSV beside the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeptByConnector => "kept_by_connector",
            Self::InClear => "in_clear",
            Self::KeptBack => "kept_back",
            Self::PolicyBroken => "policy_broken",
            Self::OneHostInClear => "one_host_in_clear",
            Self::WeakTls => "weak_tls",
            Self::Certificate => "certificate",
            Self::EndsSoon => "certificate_ends_soon",
            Self::NoMail => "takes_no_mail",
        }
    }

    /// In a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::KeptByConnector => "Your connector keeps mail back",
            Self::InClear => "Mail goes in clear",
            Self::KeptBack => "Mail is kept back, or comes back",
            Self::PolicyBroken => "A published policy fails",
            Self::OneHostInClear => "One host takes mail in clear",
            Self::WeakTls => "Old or weak TLS",
            Self::Certificate => "No certificate to rely on",
            Self::EndsSoon => "The certificate ends soon",
            Self::NoMail => "Takes no mail",
        }
    }
}

/// One thing that is wrong at a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// What kind.
    pub kind: ConcernKind,
    /// The cell that says so, as it stands: a reason, a value of `dane`, a version.
    pub code: String,
    /// What else can be checked: which certificate, and when it ends.
    pub evidence: String,
}

/// All of a row, gravest first. What is not determined is nobody's fault.
/// `end` is that of the certificate, if that is very soon or over.
pub(super) fn concerns(row: &impl Cells, end: Option<CertificateEnd>) -> Vec<Concern> {
    let mut found: Vec<Concern> = [
        connector(row),
        delivery(row),
        policy(row),
        one_host_in_clear(row),
        weak_tls(row),
        certificate(row),
        end.filter(|end| !end.is_over).map(|_| concern(ConcernKind::EndsSoon, row.cell("cert_sha256"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let is_of_dates = |concern: &&mut Concern| {
        concern.kind == ConcernKind::EndsSoon || matches!(concern.code.as_str(), "expired")
    };
    if let Some(end) = end {
        for concern in found.iter_mut().filter(is_of_dates) {
            concern.evidence = told_end(row, end);
        }
    }
    found.sort_by_key(|concern| concern.kind);
    found
}

fn concern(kind: ConcernKind, code: &str) -> Concern {
    Concern { kind, code: code.to_string(), evidence: String::new() }
}

/// Which certificate ends when.
fn told_end(row: &impl Cells, end: CertificateEnd) -> String {
    let at = Timestamp::from_second(end.at).map_or_else(|_| String::new(), |at| format!(" {at:.0}"));
    let how = if end.is_over { "ended" } else { "ends" };
    format!("certificate {} {how}{at}", row.cell("cert_sha256"))
}

/// Why the DNS has it that there is no mail at all, which is not to be mended at a
/// mail host.
pub(super) fn is_without_mail(row: &impl Cells) -> bool {
    let given_up = row.cell("reason") == "dane_unusable_no_tls";
    row.cell("delivery") == "undeliverable" && !given_up
}

/// What becomes of mail under the connector that takes the domain.
fn connector(row: &impl Cells) -> Option<Concern> {
    let is_kept = matches!(row.cell("connector_delivery"), "deferred" | "undeliverable");
    is_kept.then(|| concern(ConcernKind::KeptByConnector, row.cell("connector_reason")))
}

fn delivery(row: &impl Cells) -> Option<Concern> {
    let reason = row.cell("reason");
    match row.cell("delivery") {
        "plaintext" => Some(concern(ConcernKind::InClear, reason)),
        _ if is_without_mail(row) => Some(concern(ConcernKind::NoMail, reason)),
        "deferred" | "undeliverable" => Some(concern(ConcernKind::KeptBack, reason)),
        _ => None,
    }
}

fn policy(row: &impl Cells) -> Option<Concern> {
    let fails = |column: &str, sound: &[&str]| {
        let cell = row.cell(column);
        let value = cell.split(':').next().unwrap_or_default();
        let is_sound = value.is_empty() || value == "undetermined" || sound.contains(&value);
        (!is_sound).then(|| concern(ConcernKind::PolicyBroken, &format!("{column}: {cell}")))
    };
    fails("dane", &["matched", "none", "insecure", "insecure_mx", "insecure_addresses"])
        .or_else(|| fails("mta_sts", &["valid", "none"]))
        .or_else(|| fails("tls_rpt", &["yes", "none"]))
}

fn one_host_in_clear(row: &impl Cells) -> Option<Concern> {
    let differs = row.cell("delivery") == "encrypted" && row.cell("weakest_delivery") == "plaintext";
    differs.then(|| concern(ConcernKind::OneHostInClear, row.cell("weakest_reason")))
}

fn weak_tls(row: &impl Cells) -> Option<Concern> {
    let version = row.cell("delivery_tls_version");
    let code = match version {
        "SSLv3" | "TLSv1.0" | "TLSv1.1" => version,
        _ if row.cell("delivery_forward_secrecy") == "no" => "no_forward_secrecy",
        _ if row.cell("delivery") == "encrypted" && row.cell("cert_key") == "weak" => "weak_key",
        _ => return None,
    };
    Some(concern(ConcernKind::WeakTls, code))
}

/// What stops CertificateValidation where TLS itself passes.
fn certificate(row: &impl Cells) -> Option<Concern> {
    let cause = row.cell("certificate_validation").strip_prefix("fail:")?;
    (row.cell("encryption_only") == "pass").then(|| concern(ConcernKind::Certificate, cause))
}
