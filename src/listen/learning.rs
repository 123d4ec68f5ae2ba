//! What can be learnt of a sender from its sessions.
//!
//! Only what was seen is learnt. That a sender keeps its mail after a failure cannot be
//! seen by whom it does not come to, so that of what it does then only plaintext is ever
//! learnt.

use crate::model::inbound::{InboundSession, ReceivedOffer, SessionResult, StarttlsUse};
use crate::sender::AfterTlsFailure;
use crate::sender::learnt::{Learnt, SeenValue};
use jiff::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;

/// Most senders of a run of which anything is learnt.
pub const LEARNT_SENDERS_MAX: usize = 1000;

/// Of whom nothing can be learnt, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLearnt {
    /// Nobody came, or not from that address.
    #[error("no sender came{}", at.map(|at| format!(" from {at}")).unwrap_or_default())]
    Nobody {
        /// The address that was named.
        at: Option<IpAddr>,
    },
    /// Several came.
    #[error("{count} senders came, from {}; name one with --learn-of", at.map(|at| at.to_string()).join(" and "))]
    Several {
        /// How many.
        count: usize,
        /// The addresses of two of them.
        at: [IpAddr; 2],
    },
}

/// The sessions of a run, by sender.
#[derive(Debug)]
pub struct Learning {
    /// Whether STARTTLS is refused for now, on purpose.
    refuses_starttls: bool,
    senders: HashMap<IpAddr, SenderSessions>,
}

/// What the sessions of one address have shown.
#[derive(Debug)]
struct SenderSessions {
    began: Timestamp,
    sessions: u64,
    offer: Option<ReceivedOffer>,
    /// Hellos whose fingerprint is another than that of the first.
    other_offers: u64,
    /// Handshakes that held, with a client certificate and without.
    certificates: [u64; 2],
    handshakes_failed: u64,
    mail_in_clear: u64,
    mail_in_clear_after_failure: u64,
    mail_in_clear_after_refusal: u64,
}

impl Learning {
    /// Nothing yet, of a listener that refuses STARTTLS for now, or does not.
    pub fn new(refuses_starttls: bool) -> Self {
        Self { refuses_starttls, senders: HashMap::new() }
    }

    /// Takes the next session.
    pub fn note(&mut self, session: &InboundSession) {
        let address = session.peer.ip();
        if self.senders.len() == LEARNT_SENDERS_MAX && !self.senders.contains_key(&address) {
            return;
        }
        let refuses = self.refuses_starttls;
        self.senders
            .entry(address)
            .or_insert_with(|| SenderSessions::new(session.began))
            .note(session, refuses);
    }

    /// What was learnt of the one sender that came, or of the one from that address.
    ///
    /// # Errors
    /// [`NotLearnt`].
    pub fn learnt(&self, of: Option<IpAddr>) -> Result<Learnt, NotLearnt> {
        let mut fitting = self.senders.iter().filter(|(address, _)| of.is_none_or(|of| of == **address));
        let (address, sessions) = fitting.next().ok_or(NotLearnt::Nobody { at: of })?;
        match fitting.next() {
            Some((other, _)) => {
                let mut at = [*address, *other];
                at.sort();
                Err(NotLearnt::Several { count: self.senders.len(), at })
            }
            None => Ok(sessions.learnt(*address)),
        }
    }
}

impl SenderSessions {
    fn new(began: Timestamp) -> Self {
        Self {
            began,
            sessions: 0,
            offer: None,
            other_offers: 0,
            certificates: [0; 2],
            handshakes_failed: 0,
            mail_in_clear: 0,
            mail_in_clear_after_failure: 0,
            mail_in_clear_after_refusal: 0,
        }
    }

    fn note(&mut self, session: &InboundSession, refuses_starttls: bool) {
        self.sessions += 1;
        let offer = session.tls.as_ref().and_then(|tls| tls.offer.as_ref());
        match (&self.offer, offer) {
            (None, Some(offer)) => self.offer = Some(offer.clone()),
            (Some(first), Some(offer)) => {
                self.other_offers += u64::from(first.fingerprint != offer.fingerprint);
            }
            (_, None) => {}
        }
        if let Some(tls) = session.tls.as_ref().filter(|tls| tls.established) {
            let [with, without] = &mut self.certificates;
            *(if tls.chain.is_empty() { without } else { with }) += 1;
        }
        match SessionResult::of(session) {
            SessionResult::HandshakeFailed => self.handshakes_failed += 1,
            SessionResult::MailInClear => {
                let refused = refuses_starttls && session.dialogue.starttls == StarttlsUse::Refused;
                self.mail_in_clear += 1;
                self.mail_in_clear_after_failure += u64::from(self.handshakes_failed > 0);
                self.mail_in_clear_after_refusal += u64::from(refused);
            }
            _ => {}
        }
    }

    fn learnt(&self, address: IpAddr) -> Learnt {
        let day = self.began.strftime("%Y-%m-%d");
        let evidence = |what: String| format!("on {day} from {address}: {what}");
        let plaintext = |count: u64, what: &str| {
            let evidence = evidence(format!("MAIL in clear {what}, sessions: {count}"));
            (count > 0).then_some(SeenValue { value: AfterTlsFailure::Plaintext, evidence })
        };
        let of_offer = match self.other_offers {
            0 => format!("the ClientHello of {} sessions", self.sessions),
            others => format!("its first ClientHello; later ones that differ: {others}"),
        };
        let [with, without] = self.certificates;
        let of_certificates =
            format!("asked for a client certificate, it showed one in {with} of {}", with + without);
        let of_clear = format!("MAIL in clear, sessions: {}", self.mail_in_clear);
        Learnt {
            offer: self.offer.clone().map(|value| SeenValue { value, evidence: evidence(of_offer) }),
            shows_client_certificate: (with + without > 0)
                .then(|| SeenValue { value: with > 0, evidence: evidence(of_certificates) }),
            after_tls_failure: plaintext(self.mail_in_clear_after_failure, "after handshakes that failed"),
            after_starttls_4xx: plaintext(
                self.mail_in_clear_after_refusal,
                "after STARTTLS was refused by 454",
            ),
            requires_tls: (self.mail_in_clear > 0)
                .then(|| SeenValue { value: false, evidence: evidence(of_clear) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inbound::fixtures::session;
    use SessionResult::{HandshakeFailed, MailInClear, MailInTls, TlsWithoutMail};

    const ONE: [u8; 4] = [192, 0, 2, 1];

    fn learning(refuses: bool, results: &[SessionResult]) -> Learnt {
        let mut learning = Learning::new(refuses);
        for (second, result) in (0..).zip(results) {
            learning.note(&session(second, ONE, "a.example", *result));
        }
        learning.learnt(None).unwrap()
    }

    #[test]
    fn only_what_was_seen_is_learnt() {
        let plaintext = |seen: &Option<SeenValue<AfterTlsFailure>>| seen.as_ref().map(|seen| seen.value);
        for (results, after_failure, requires_tls, shows) in [
            (&[MailInTls][..], None, None, Some(false)),
            (&[HandshakeFailed, HandshakeFailed], None, None, None),
            (&[HandshakeFailed, MailInClear], Some(AfterTlsFailure::Plaintext), Some(false), None),
            (&[MailInClear, HandshakeFailed], None, Some(false), None),
            (&[TlsWithoutMail], None, None, Some(false)),
        ] {
            let learnt = learning(false, results);
            assert_eq!(plaintext(&learnt.after_tls_failure), after_failure, "{results:?}");
            assert_eq!(learnt.requires_tls.map(|seen| seen.value), requires_tls, "{results:?}");
            assert_eq!(learnt.shows_client_certificate.map(|seen| seen.value), shows, "{results:?}");
            assert_eq!(learnt.after_starttls_4xx, None);
        }
    }

    #[test]
    fn mail_in_clear_after_a_454_is_told_apart_from_other_mail_in_clear() {
        let mut refused = session(0, ONE, "a.example", MailInClear);
        refused.dialogue.starttls = StarttlsUse::Refused;
        for (refuses, learns) in [(true, true), (false, false)] {
            let mut learning = Learning::new(refuses);
            learning.note(&refused);
            assert_eq!(learning.learnt(None).unwrap().after_starttls_4xx.is_some(), learns);
        }
        assert_eq!(learning(true, &[MailInClear]).after_starttls_4xx, None, "STARTTLS was not asked for");
    }

    #[test]
    fn one_sender_is_learnt_at_a_time() {
        let mut learning = Learning::new(false);
        assert_eq!(learning.learnt(None), Err(NotLearnt::Nobody { at: None }));
        let other = [192, 0, 2, 2];
        learning.note(&session(0, other, "b.example", MailInTls));
        learning.note(&session(1, ONE, "a.example", MailInClear));
        let told = learning.learnt(None).unwrap_err().to_string();
        assert_eq!(told, "2 senders came, from 192.0.2.1 and 192.0.2.2; name one with --learn-of");
        assert!(learning.learnt(Some(ONE.into())).unwrap().requires_tls.is_some());
        assert!(learning.learnt(Some(other.into())).unwrap().requires_tls.is_none());
        let told = learning.learnt(Some([192, 0, 2, 3].into())).unwrap_err().to_string();
        assert_eq!(told, "no sender came from 192.0.2.3");
    }
}
