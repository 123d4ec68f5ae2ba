//! What can be learnt of a sender from its sessions.
//!
//! Only what was seen is learnt. That a sender keeps its mail after a failure cannot be
//! seen by whom it does not come to, so that of what it does then only plaintext is ever
//! learnt.

use crate::model::inbound::{InboundSession, LearnOf, ReceivedOffer, SenderKey, SessionResult, StarttlsUse};
use crate::model::text::counted;
use crate::sender::AfterTlsFailure;
use crate::sender::learnt::{Learnt, SeenValue};
use jiff::Timestamp;
use std::collections::HashMap;

/// Most senders of a run of which anything is learnt.
pub const LEARNT_SENDERS_MAX: usize = 1000;
/// Sessions with MAIL in clear of one sender of which it is kept when they began: the last.
const IN_CLEAR_KEPT_MAX: usize = 100;

/// Of whom nothing can be learnt, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLearnt {
    /// Nobody came, or not that sender.
    #[error("no sender came{}", of.as_ref().map(|of| format!(" from {of}")).unwrap_or_default())]
    Nobody {
        /// Who was named.
        of: Option<LearnOf>,
    },
    /// Several came.
    #[error("{count} senders came, {} and {} among them; name one with --learn-of", two[0], two[1])]
    Several {
        /// How many.
        count: usize,
        /// Two of them.
        two: Box<[LearnOf; 2]>,
    },
}

/// The sessions of a run, by sender.
#[derive(Debug)]
pub struct Learning {
    /// Whether STARTTLS is refused for now, on purpose.
    refuses_starttls: bool,
    senders: HashMap<SenderKey, SenderSessions>,
}

/// What the sessions of one sender have shown.
#[derive(Debug)]
struct SenderSessions {
    began: Timestamp,
    offer: Option<ReceivedOffer>,
    /// Hellos.
    offers: u64,
    /// Those of them whose fingerprint is another than that of the first.
    other_offers: u64,
    /// Handshakes that held, with a client certificate and without.
    certificates: [u64; 2],
    mail_in_clear: u64,
    /// When sessions with MAIL in clear began, and whether STARTTLS was refused in it.
    in_clear: Vec<(Timestamp, bool)>,
    /// When the first handshake was over that failed.
    failed: Option<Timestamp>,
    /// When STARTTLS was first refused on purpose.
    refused: Option<Timestamp>,
}

impl Learning {
    /// Nothing yet, of a listener that refuses STARTTLS for now, or does not.
    pub fn new(refuses_starttls: bool) -> Self {
        Self { refuses_starttls, senders: HashMap::new() }
    }

    /// Takes the next session. Of a client that gave no name and asked for nothing there is
    /// nothing to learn, and it is no sender.
    pub fn note(&mut self, session: &InboundSession) {
        let key = SenderKey::of(session);
        let is_nobody = key.name.is_none() && session.tls.is_none() && session.dialogue.mail.is_empty();
        if is_nobody || (self.senders.len() == LEARNT_SENDERS_MAX && !self.senders.contains_key(&key)) {
            return;
        }
        let refuses = self.refuses_starttls;
        self.senders.entry(key).or_insert_with(|| SenderSessions::new(session.began)).note(session, refuses);
    }

    /// What was learnt of the one sender that came, or of the one that is named.
    ///
    /// # Errors
    /// [`NotLearnt`].
    pub fn learnt(&self, of: Option<&LearnOf>) -> Result<Learnt, NotLearnt> {
        let fits = |key: &SenderKey| of.is_none_or(|of| of.is(key));
        let mut fitting: Vec<_> = self.senders.iter().filter(|(key, _)| fits(key)).collect();
        fitting.sort_by(|one, other| one.0.cmp(other.0));
        match fitting.as_slice() {
            [] => Err(NotLearnt::Nobody { of: of.cloned() }),
            [(key, sessions)] => Ok(sessions.learnt(key)),
            [(one, _), (other, _), ..] => Err(NotLearnt::Several {
                count: fitting.len(),
                two: Box::new([one, other].map(|key| LearnOf::from(*key))),
            }),
        }
    }
}

impl SenderSessions {
    fn new(began: Timestamp) -> Self {
        Self {
            began,
            offer: None,
            offers: 0,
            other_offers: 0,
            certificates: [0; 2],
            mail_in_clear: 0,
            in_clear: Vec::new(),
            failed: None,
            refused: None,
        }
    }

    fn note(&mut self, session: &InboundSession, refuses_starttls: bool) {
        let offer = session.tls.as_ref().and_then(|tls| tls.offer.as_ref());
        self.offers += u64::from(offer.is_some());
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
        let is_refused = refuses_starttls && session.dialogue.starttls == StarttlsUse::Refused;
        if is_refused {
            self.refused = earlier(self.refused, session.over_at());
        }
        if session.tls.as_ref().is_some_and(|tls| !tls.established) {
            self.failed = earlier(self.failed, session.over_at());
        }
        if SessionResult::of(session) == SessionResult::MailInClear {
            self.mail_in_clear += 1;
            if self.in_clear.len() == IN_CLEAR_KEPT_MAX {
                self.in_clear.remove(0);
            }
            self.in_clear.push((session.began, is_refused));
        }
    }

    /// How many sessions with MAIL in clear came of it: that began after the moment, or in
    /// which it was refused and MAIL followed.
    fn in_clear_after(&self, moment: Option<Timestamp>, counts_same: bool) -> usize {
        let came = |(began, is_same): &&(Timestamp, bool)| {
            moment.is_some_and(|moment| *began >= moment) || (counts_same && *is_same)
        };
        self.in_clear.iter().filter(came).count()
    }

    fn learnt(&self, key: &SenderKey) -> Learnt {
        let (day, address) = (self.began.strftime("%Y-%m-%d"), key.address);
        let evidence = |what: String| format!("on {day} from {address}: {what}");
        let plaintext = |count: usize, what: &str| {
            let evidence = evidence(format!("MAIL in clear {what}, sessions: {count}"));
            (count > 0).then_some(SeenValue { value: AfterTlsFailure::Plaintext, evidence })
        };
        let of_offer = match self.other_offers {
            0 => format!("the ClientHello of {}", counted(self.offers, "session")),
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
            after_tls_failure: plaintext(
                self.in_clear_after(self.failed, false),
                "after handshakes that failed",
            ),
            after_starttls_4xx: plaintext(
                self.in_clear_after(self.refused, true),
                "after STARTTLS was refused by 454",
            ),
            requires_tls: (self.mail_in_clear > 0)
                .then(|| SeenValue { value: false, evidence: evidence(of_clear) }),
        }
    }
}

fn earlier(one: Option<Timestamp>, other: Timestamp) -> Option<Timestamp> {
    Some(one.map_or(other, |one| one.min(other)))
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
        let of = |text: &str| text.parse::<LearnOf>().unwrap();
        let mut learning = Learning::new(false);
        assert_eq!(learning.learnt(None), Err(NotLearnt::Nobody { of: None }));
        learning.note(&session(0, [192, 0, 2, 2], "b.example", MailInTls));
        learning.note(&session(1, ONE, "a.example", MailInClear));
        let told = learning.learnt(None).unwrap_err().to_string();
        assert_eq!(
            told,
            "2 senders came, 192.0.2.1/a.example and 192.0.2.2/b.example among them; name one with --learn-of"
        );
        assert!(learning.learnt(Some(&of("192.0.2.1"))).unwrap().requires_tls.is_some());
        assert!(learning.learnt(Some(&of("192.0.2.2"))).unwrap().requires_tls.is_none());
        let told = learning.learnt(Some(&of("192.0.2.3"))).unwrap_err().to_string();
        assert_eq!(told, "no sender came from 192.0.2.3");
    }

    /// What one did after a failure of the other was no answer to it.
    #[test]
    fn two_senders_behind_one_address_are_two() {
        let mut learning = Learning::new(false);
        learning.note(&session(0, ONE, "strict.example", HandshakeFailed));
        learning.note(&session(1, ONE, "clear.example", MailInClear));
        assert!(learning.learnt(None).unwrap_err().to_string().starts_with("2 senders came, "));
        let of = |text: &str| learning.learnt(Some(&text.parse().unwrap())).unwrap();
        assert!(learning.learnt(Some(&"192.0.2.1".parse().unwrap())).is_err());
        for name in ["192.0.2.1/strict.example", "::ffff:192.0.2.1/clear.example"] {
            assert_eq!(of(name).after_tls_failure, None, "{name}");
        }
        // One that only knocked is nobody.
        let mut knocked = session(2, ONE, "", SessionResult::Nothing);
        knocked.dialogue.ehlo = None;
        let mut learning = Learning::new(false);
        learning.note(&knocked);
        learning.note(&session(3, ONE, "a.example", MailInTls));
        assert!(learning.learnt(None).is_ok());
    }

    /// A session that was open before the failure is no answer to it; one that began later is,
    /// though the one that failed is still open.
    #[test]
    fn only_what_began_after_a_failure_is_learnt_of_it() {
        let over = |second, over: u64, result| InboundSession {
            over_us: Some(over * 1_000_000),
            ..session(second, ONE, "a.example", result)
        };
        for (clear, expected) in [(1, None), (2, Some(AfterTlsFailure::Plaintext))] {
            for turned in [false, true] {
                let mut sessions = [over(0, 2, HandshakeFailed), over(clear, 9, MailInClear)];
                if turned {
                    sessions.reverse();
                }
                let mut learning = Learning::new(false);
                sessions.iter().for_each(|session| learning.note(session));
                let found = learning.learnt(None).unwrap().after_tls_failure.map(|seen| seen.value);
                assert_eq!(found, expected, "{clear} {turned}");
            }
        }
        let mut refused = session(0, ONE, "a.example", SessionResult::Nothing);
        refused.dialogue.starttls = StarttlsUse::Refused;
        let mut learning = Learning::new(true);
        learning.note(&refused);
        learning.note(&session(1, ONE, "a.example", MailInClear));
        assert!(learning.learnt(None).unwrap().after_starttls_4xx.is_some(), "on a later connection");
    }

    #[test]
    fn hellos_are_counted_and_no_sessions() {
        let mut with_hello = session(0, ONE, "a.example", MailInTls);
        with_hello.tls.as_mut().unwrap().offer = Some(crate::model::inbound::fixtures::offer());
        let mut learning = Learning::new(false);
        learning.note(&with_hello);
        learning.note(&session(1, ONE, "a.example", MailInClear));
        let evidence = learning.learnt(None).unwrap().offer.unwrap().evidence;
        assert!(evidence.ends_with(": the ClientHello of 1 session"), "{evidence}");
    }
}
