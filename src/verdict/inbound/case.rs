//! One MAIL to one recipient domain, and what it says of itself.

use crate::model::inbound::{InboundCause, InboundSession, MailAttempt, PathDomain};
use crate::model::{Assessment, DomainName};
use crate::sender::inbound_connector::InboundConnectorList;
use ipnet::Ipv4Net;
use std::net::IpAddr;

/// Whether something holds, as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    No,
    Open(InboundCause),
}

/// One MAIL to one recipient domain.
#[derive(Clone, Copy, Debug)]
pub struct InboundCase<'a> {
    /// The organisation that mail is for.
    pub organisation: &'a InboundConnectorList,
    /// The session that MAIL came in.
    pub session: &'a InboundSession,
    /// The client's chain, judged; `None` of a client that has none to show.
    pub chain: Option<&'a Assessment>,
    /// What MAIL said.
    pub mail: &'a MailAttempt,
    /// Domain of the recipient.
    pub recipient: &'a PathDomain,
}

impl InboundCase<'_> {
    /// Whether the recipient is the organisation's. Taken for yes where the file names no
    /// accepted domain.
    pub(super) fn recipient_is_accepted(&self) -> Holds {
        let accepted = &self.organisation.accepted_domains;
        match self.recipient {
            _ if accepted.is_empty() => Holds::Yes,
            PathDomain::Domain(domain) if accepted.contains(domain) => Holds::Yes,
            PathDomain::Domain(_) => Holds::No,
            _ => Holds::Open(InboundCause::RecipientDomain),
        }
    }

    /// Whether the sender is of an accepted domain.
    pub(super) fn sender_is_accepted(&self) -> bool {
        self.sender().is_some_and(|domain| self.organisation.accepted_domains.contains(domain))
    }

    /// The domain of the sender, if it has one that can be read.
    pub(super) fn sender(&self) -> Option<&DomainName> {
        match &self.mail.sender.domain {
            PathDomain::Domain(domain) => Some(domain),
            _ => None,
        }
    }

    /// Whether the client's address is one of these.
    pub(super) fn comes_from(&self, ranges: &[Ipv4Net]) -> bool {
        match self.session.peer.ip().to_canonical() {
            IpAddr::V4(address) => ranges.iter().any(|range| range.contains(&address)),
            IpAddr::V6(_) => false,
        }
    }

    /// Whether the mail is of the accepted domains that a connector is limited to. Microsoft
    /// does not say whether that is about senders or recipients.
    pub(super) fn is_associated(&self, associated: &[DomainName]) -> Holds {
        let (sender, recipient) = (self.sender(), self.recipient_domain());
        let is_one = |domain| associated.contains(domain);
        match (sender.map(is_one), recipient.map(is_one)) {
            _ if associated.is_empty() => Holds::Yes,
            (None, _) => Holds::Open(InboundCause::SenderDomain),
            (_, None) => Holds::Open(InboundCause::RecipientDomain),
            (Some(true), Some(true)) => Holds::Yes,
            (Some(false), Some(false)) => Holds::No,
            _ => Holds::Open(InboundCause::AssociatedDomain),
        }
    }

    /// Whether the sender may be of the organisation, as far as is told: where no accepted
    /// domains are, the domain of the recipient is one.
    pub(super) fn is_own_mail(&self) -> bool {
        let nothing_told = self.organisation.accepted_domains.is_empty();
        self.sender_is_accepted()
            || (nothing_told && self.sender().is_some_and(|sender| self.recipient_domain() == Some(sender)))
    }

    /// The domain of the recipient, if it has one that can be read.
    fn recipient_domain(&self) -> Option<&DomainName> {
        match self.recipient {
            PathDomain::Domain(domain) => Some(domain),
            _ => None,
        }
    }
}
