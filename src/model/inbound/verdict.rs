//! What inbound connectors make of one MAIL to one recipient domain.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// What Exchange Online would make of it, as far as connectors go. What filters make of
/// the message is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InboundVerdict {
    /// It is taken.
    Accepted(InboundAcceptance),
    /// It is refused. Where there are several reasons, which of their codes is said is not
    /// published.
    Rejected(Vec<InboundRefusal>),
    /// It cannot be told.
    NotDetermined(InboundCause),
}

/// By what it is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InboundAcceptance {
    /// By one of these connectors. Which of several takes it is not published; each would.
    Connectors(Vec<Arc<str>>),
    /// By none: it is ordinary mail.
    Ordinary,
}

/// Why it is refused, and in which words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundRefusal {
    /// Reply code and enhanced status code, as `550 5.7.51`.
    pub code: Cow<'static, str>,
    /// The words behind it, as far as they are published.
    pub text: Cow<'static, str>,
    /// The connector that demands what is not given.
    pub connector: Option<Arc<str>>,
    /// What is not given.
    pub why: UnmetDemand,
}

impl InboundRefusal {
    /// The refusal for a demand that is not met.
    pub fn new(why: UnmetDemand, connector: Option<Arc<str>>) -> Self {
        let (code, text) = why.reply();
        Self { code: code.into(), text: text.into(), connector, why }
    }
}

/// A demand that is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnmetDemand {
    /// RequireTls, and the mail came in clear.
    Tls,
    /// RestrictDomainsToCertificate, and there is no certificate of that name.
    Certificate,
    /// RestrictDomainsToIPAddresses, and the address is none of the connector's.
    Address,
    /// The recipient is not the organisation's, and no connector of type OnPremises fits.
    Relay,
    /// RejectDirectSend, the sender is of an accepted domain, and no connector fits.
    DirectSend,
}

impl UnmetDemand {
    /// Code and words, as in `datasets/exchange-online/smtp-codes.csv`.
    fn reply(self) -> (&'static str, &'static str) {
        match self {
            Self::Tls => ("451 5.7.3", "STARTTLS is required to send mail"),
            Self::Certificate | Self::Address => (
                "550 5.7.51",
                "TenantInboundAttribution; There is a partner connector configured that matched the \
                message's recipient domain. The connector had either the RestrictDomainsToIPAddresses or \
                RestrictDomainsToCertificate set",
            ),
            Self::Relay => ("550 5.7.64", "TenantAttribution; Relay Access Denied"),
            Self::DirectSend => (
                "550 5.7.68",
                "TenantInboundAttribution; Direct Send not allowed for this organization from \
                unauthorized sources",
            ),
        }
    }
}

/// Why it cannot be told. What "is not published" is about Microsoft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InboundCause {
    /// The certificate bears the name, and nothing proves that the client has its key.
    KeyNotProven,
    /// The certificate bears the name and its chain or its dates do not hold against the
    /// roots that were used; which of that, and which usages, are demanded is not published.
    CertificateNotTrusted,
    /// The certificate cannot be read.
    CertificateUnreadable,
    /// The name stands in the subject alternative name only; the page of the cmdlet speaks of
    /// the subject.
    NameOutsideSubject,
    /// The subject has several common names, of which some are the name; which counts is not
    /// published.
    SeveralCommonNames,
    /// A common name has the name in a form that is no plain domain name; whether that counts
    /// is not published.
    NameInAnotherForm,
    /// Only a wildcard on the certificate stands for the name; that is not published.
    WildcardOnCertificate,
    /// RequireTls with a TlsSenderCertificateName that the certificate does not bear, and
    /// without RestrictDomainsToCertificate; that is not published.
    NameWithoutRestriction,
    /// A connector of type OnPremises names a certificate and addresses, and only the address
    /// fits; that is not published.
    AddressWithoutName,
    /// The connector is limited to accepted domains, and of sender and recipient only one is
    /// of them; which has to be is not published.
    AssociatedDomain,
    /// The domain of the sender is empty or cannot be read, and a connector would need it.
    SenderDomain,
    /// The domain of the recipient cannot be read.
    RecipientDomain,
    /// Several connectors fit and do not agree; which one is taken is not published.
    SeveralConnectors,
    /// A connector of type OnPremises fits, and one of type Partner would refuse; what comes
    /// of both is not published.
    OnPremisesAndPartner,
    /// The recipient is not the organisation's, and there is no connector of type OnPremises;
    /// what is answered then is not published.
    NoOnPremisesConnector,
    /// The recipient is not the organisation's, a connector of type OnPremises fits, and the
    /// sender is of no accepted domain.
    RelayForStranger,
    /// The sender is of an accepted domain, and reject_direct_send is not told.
    DirectSendNotTold,
}

/// How many verdicts there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundVerdictCounts {
    /// Accepted.
    pub accepted: u64,
    /// Rejected.
    pub rejected: u64,
    /// Not determined.
    pub not_determined: u64,
}

impl InboundVerdictCounts {
    /// Counts one more.
    pub fn add(&mut self, verdict: &InboundVerdict) {
        let count = match verdict {
            InboundVerdict::Accepted(_) => &mut self.accepted,
            InboundVerdict::Rejected(_) => &mut self.rejected,
            InboundVerdict::NotDetermined(_) => &mut self.not_determined,
        };
        *count += 1;
    }
}
