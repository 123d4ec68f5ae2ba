//! What a client that sends mail said to our listener: data of `mxray receive`.
//! Nothing here judges.

mod dialogue;
mod greeting;

pub use dialogue::{DialogueEnd, InboundDialogue, MailAttempt, RECIPIENT_DOMAINS_MAX, StarttlsUse};
pub use greeting::{ClientName, MailSender, PathDomain};
