//! What a client that sends mail said to our listener: data of `mxray receive`.
//! Nothing here judges.

mod client_offer;
mod dialogue;
mod greeting;
mod session;

pub use client_offer::{ALPN_PROTOCOLS_MAX, ClientOffer};
pub use dialogue::{DialogueEnd, InboundDialogue, MailAttempt, RECIPIENT_DOMAINS_MAX, StarttlsUse};
pub use greeting::{ClientName, MailSender, PathDomain};
pub use session::{InboundSession, InboundTls, InboundTlsFailure};
