//! A sender made ready to judge by: what would else be made anew for each host
//! and each domain (its offer, the digests of it, its texts), made once.

use crate::model::{Logged, ProtocolVersion};
use crate::sender::offer::Offer;
use crate::sender::situation::Situation;
use crate::sender::{AfterTlsFailure, Sender};
use std::sync::Arc;

/// A sender and what follows from its file alone.
#[derive(Clone, Debug)]
pub struct SenderProfile {
    /// The sender for which is judged.
    pub sender: Sender,
    /// What it says in its ClientHello.
    pub offer: Offer,
    /// By what answers to that offer are told apart.
    pub offer_id: Box<str>,
    /// The same of the offer without the suites that show no certificate;
    /// `None` where nothing would be left of it.
    pub authenticated_id: Option<Box<str>>,
    logged: Vec<(Situation, Logged)>,
}

impl SenderProfile {
    /// Makes all that is made once.
    pub fn new(sender: Sender) -> Self {
        let offer = sender.offer();
        let text = |text: &Arc<str>| text.clone();
        let logged = sender
            .codes
            .iter()
            .map(|(situation, code)| (*situation, Logged { code: text(&code.code), text: text(&code.text) }));
        Self {
            logged: logged.collect(),
            offer_id: offer.id().into(),
            authenticated_id: offer.authenticated().map(|offer| offer.id().into()),
            offer,
            sender,
        }
    }

    /// What it logs in a situation, if that is published.
    pub fn logged(&self, situation: Situation) -> Option<Logged> {
        let known = self.logged.iter().find(|(known, _)| *known == situation)?;
        Some(known.1.clone())
    }

    /// Whether it may show a client certificate to a server that asks for one.
    pub fn may_show_certificate(&self) -> bool {
        self.sender.may_show_certificate()
    }

    /// Whether it sends in clear at once where STARTTLS is refused for now.
    pub fn goes_in_clear_after_4xx(&self) -> bool {
        let Sender { requires_tls, after_starttls_4xx: after, .. } = &self.sender;
        !requires_tls.value && after.value != AfterTlsFailure::Defer
    }

    /// Whether it offers a version.
    pub fn offers(&self, version: ProtocolVersion) -> bool {
        self.offer.versions.contains(&version)
    }
}
