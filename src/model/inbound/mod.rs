//! What a client that sends mail said to our listener: data of `mxray receive`.
//! Nothing here judges; what was judged is data, too.

mod certificate_name;
mod connector;
mod dialogue;
#[cfg(test)]
pub(crate) mod fixtures;
mod greeting;
mod judged;
mod offer;
mod sender;
mod session;
mod verdict;

pub use certificate_name::{CERTIFICATE_NAME_BYTES_MAX, CertificateName, CertificateNameError, common_names};
pub use connector::{DomainScope, InboundConnector, InboundConnectorType};
pub use dialogue::{InboundDialogue, InboundEnd, MailAttempt, RECIPIENT_DOMAINS_MAX, StarttlsUse};
pub use greeting::{ClientName, MailSender, PathDomain};
pub use judged::{ClientChain, JudgedSession, MailVerdict, NamedCause, NamedCounts};
pub use offer::{ALPN_PROTOCOLS_MAX, ReceivedOffer, SecondHello, is_grease};
pub use sender::{COMEBACKS_MAX, Comeback, LearnOf, SENDERS_MAX, SeenSender, SenderKey, SessionResult};
pub use session::{InboundSession, InboundTls, InboundTlsFailure};
pub use verdict::{
    InboundAcceptance, InboundCause, InboundRefusal, InboundVerdict, InboundVerdictCounts, UnmetDemand,
};
