//! What a revocation list or an OCSP responder says of a certificate.

use super::signature_check::SignatureCheck;
use jiff::Timestamp;

/// Is a certificate revoked?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RevocationStatus {
    /// Not revoked, by a list or response that is valid.
    Good,
    /// A list or a response that holds names it (RFC 5280 §5, RFC 6960 §2.2).
    Revoked,
    /// It was told, but does not tell; [`RevocationAnswer::detail`] says why.
    Unknown,
    /// It was not told; [`RevocationAnswer::detail`] says why.
    Unreachable,
    /// There is no asking at this address; [`RevocationAnswer::detail`] says
    /// why.
    NotAsked,
}

impl RevocationStatus {
    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            RevocationStatus::Good => "good",
            RevocationStatus::Revoked => "revoked",
            RevocationStatus::Unknown => "unknown",
            RevocationStatus::Unreachable => "unreachable",
            RevocationStatus::NotAsked => "not_asked",
        }
    }
}

/// When and why a certificate was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When, as far as it can be read.
    pub at: Option<Timestamp>,
    /// The reason code by its name (RFC 5280 §5.3.1), if one is given.
    pub reason: Option<&'static str>,
}

/// What one address says of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationAnswer {
    /// What it comes to.
    pub status: RevocationStatus,
    /// When and why, where it is revoked.
    pub revoked: Option<Revoked>,
    /// Whether the answer is signed by whom it has to be; `None` where there
    /// was none to check.
    pub signature: Option<SignatureCheck>,
    /// When the answer was made.
    pub this_update: Option<Timestamp>,
    /// Until when it holds; `None` where it does not say.
    pub next_update: Option<Timestamp>,
    /// What stands behind the status, in words.
    pub detail: Option<String>,
}

impl RevocationAnswer {
    /// An answer that does not tell.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::untold(RevocationStatus::Unknown, why.into())
    }

    /// No answer.
    pub fn unreachable(why: impl Into<String>) -> Self {
        Self::untold(RevocationStatus::Unreachable, why.into())
    }

    /// No question.
    pub fn not_asked(why: impl Into<String>) -> Self {
        Self::untold(RevocationStatus::NotAsked, why.into())
    }

    fn untold(status: RevocationStatus, why: String) -> Self {
        Self {
            status,
            revoked: None,
            signature: None,
            this_update: None,
            next_update: None,
            detail: Some(why),
        }
    }

    /// Whether it says no, and that is proved: signed by whom it has to be.
    pub fn is_proved_good(&self) -> bool {
        self.status == RevocationStatus::Good && self.signature == Some(SignatureCheck::Verified)
    }
}

/// Name of a reason code (RFC 5280 §5.3.1).
pub fn reason_name(code: u8) -> &'static str {
    match code {
        0 => "unspecified",
        1 => "key_compromise",
        2 => "ca_compromise",
        3 => "affiliation_changed",
        4 => "superseded",
        5 => "cessation_of_operation",
        6 => "certificate_hold",
        8 => "remove_from_crl",
        9 => "privilege_withdrawn",
        10 => "aa_compromise",
        _ => "unassigned_reason",
    }
}

/// How an address tells about revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RevocationSource {
    /// By a list (RFC 5280 §5).
    Crl,
    /// By answering about one certificate (RFC 6960).
    Ocsp,
    /// A host of which only the being reached counts.
    Host,
}

impl RevocationSource {
    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            RevocationSource::Crl => "crl",
            RevocationSource::Ocsp => "ocsp",
            RevocationSource::Host => "host",
        }
    }
}

/// One certificate and what each address of it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRevocation {
    /// Subject as text.
    pub subject: String,
    /// Issuer as text, if it can be read.
    pub issuer: Option<String>,
    /// Serial number in hexadecimal, if it can be read.
    pub serial: Option<String>,
    /// Each address with its answer; empty where the certificate names none.
    pub answers: Vec<(RevocationSource, String, RevocationAnswer)>,
    /// Further addresses that it names, beyond the limits of what is asked.
    pub not_asked: usize,
    /// Why its addresses are not asked, or not known, if so.
    pub undetermined: Option<String>,
}

impl CertificateRevocation {
    /// Whether an address says that it is revoked.
    pub fn is_revoked(&self) -> bool {
        self.answers.iter().any(|(.., answer)| answer.status == RevocationStatus::Revoked)
    }

    /// Whether every address that can be asked says, with proof, that it is
    /// not, and one does.
    pub fn is_good(&self) -> bool {
        let all_asked = self.not_asked == 0 && self.undetermined.is_none();
        let mut asked =
            self.answers.iter().filter(|(.., answer)| answer.status != RevocationStatus::NotAsked).peekable();
        all_asked && asked.peek().is_some() && asked.all(|(.., answer)| answer.is_proved_good())
    }
}

/// What was found about the certificates of some chains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainsRevocation {
    /// Each distinct certificate that was asked about.
    pub certificates: Vec<CertificateRevocation>,
    /// Further certificates, beyond the limit of what is asked about.
    pub not_asked: usize,
}

impl ChainsRevocation {
    /// Whether one certificate of any chain is revoked.
    pub fn is_revoked(&self) -> bool {
        self.certificates.iter().any(CertificateRevocation::is_revoked)
    }

    /// Whether there are some, and none is revoked, with proof.
    pub fn is_good(&self) -> bool {
        let all_asked = self.not_asked == 0 && !self.certificates.is_empty();
        all_asked && self.certificates.iter().all(CertificateRevocation::is_good)
    }
}

/// An address that has to be reached from this machine, and whether it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Whether a list or a responder answers there.
    pub source: RevocationSource,
    /// `http://…`
    pub url: String,
    /// What came from there, or why nothing did.
    pub outcome: Result<String, String>,
}
