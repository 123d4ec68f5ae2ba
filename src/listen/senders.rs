//! The sessions of one sender brought together, and what it did after one that had no
//! TLS.
//!
//! Whoever connects is told apart by address and by the name after EHLO. A farm that
//! tries again from another of its addresses is told as another sender, and then nothing
//! is known of what came again.

use crate::model::inbound::{
    COMEBACKS_MAX, Comeback, InboundSession, SENDERS_MAX, SeenSender, SenderKey, SessionResult,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// A session that waits for what comes after it.
struct LastWithoutTls {
    began: Timestamp,
    fingerprint: Option<String>,
}

/// All senders of a run.
pub struct SeenSenders {
    watch: SignedDuration,
    senders: Vec<(SeenSender, Option<LastWithoutTls>)>,
    places: HashMap<SenderKey, usize>,
    /// Sessions of senders beyond the limit.
    not_kept: u64,
}

impl SeenSenders {
    /// None yet. A sender that does not come again within `watch` did not.
    pub fn new(watch: SignedDuration) -> Self {
        Self { watch, senders: Vec::new(), places: HashMap::new(), not_kept: 0 }
    }

    /// Takes the next session.
    pub fn note(&mut self, session: &InboundSession) {
        let key = SenderKey::of(session);
        let Some(place) = self.places.get(&key).copied().or_else(|| self.add(key)) else {
            self.not_kept += 1;
            return;
        };
        let Some((sender, waiting)) = self.senders.get_mut(place) else { return };
        let result = SessionResult::of(session);
        let fingerprint = fingerprint(session);
        if let Some(before) = waiting.take() {
            let comeback = comeback(&before, session.began, result, fingerprint.as_deref(), self.watch);
            keep(sender, comeback);
        }
        count(sender, result);
        *waiting = result.has_to_come_again().then_some(LastWithoutTls { began: session.began, fingerprint });
    }

    /// All of them, the busiest first, for a run that ended then.
    pub fn ended(mut self, at: Timestamp) -> Vec<SeenSender> {
        for (sender, waiting) in &mut self.senders {
            if let Some(before) = waiting.take() {
                let is_over = at.duration_since(before.began) >= self.watch;
                keep(sender, if is_over { Comeback::NothingCame } else { Comeback::RunEnded });
            }
        }
        let mut senders: Vec<SeenSender> = self.senders.into_iter().map(|(sender, _)| sender).collect();
        senders.sort_by_key(|sender| std::cmp::Reverse(sender.sessions));
        senders
    }

    /// Sessions of senders that were too many to be brought together.
    pub fn not_kept(&self) -> u64 {
        self.not_kept
    }

    fn add(&mut self, key: SenderKey) -> Option<usize> {
        let place = self.senders.len();
        if place == SENDERS_MAX {
            return None;
        }
        let sender = SeenSender {
            address: key.address,
            name: key.name.clone(),
            sessions: 0,
            mail_in_tls: 0,
            mail_in_clear: 0,
            tls_without_mail: 0,
            handshakes_failed: 0,
            comebacks: Vec::new(),
        };
        self.senders.push((sender, None));
        self.places.insert(key, place);
        Some(place)
    }
}

fn fingerprint(session: &InboundSession) -> Option<String> {
    session.tls.as_ref()?.offer.as_ref().map(|offer| offer.fingerprint.clone())
}

fn comeback(
    before: &LastWithoutTls,
    began: Timestamp,
    result: SessionResult,
    fingerprint: Option<&str>,
    watch: SignedDuration,
) -> Comeback {
    let after = began.duration_since(before.began);
    if after > watch {
        return Comeback::NothingCame;
    }
    let other_offer = before.fingerprint.as_deref().zip(fingerprint).map(|(one, other)| one != other);
    Comeback::Again { after_s: after.as_secs(), result, other_offer }
}

fn keep(sender: &mut SeenSender, comeback: Comeback) {
    if sender.comebacks.len() < COMEBACKS_MAX {
        sender.comebacks.push(comeback);
    }
}

fn count(sender: &mut SeenSender, result: SessionResult) {
    sender.sessions += 1;
    match result {
        SessionResult::MailInTls => sender.mail_in_tls += 1,
        SessionResult::MailInClear => sender.mail_in_clear += 1,
        SessionResult::TlsWithoutMail => sender.tls_without_mail += 1,
        SessionResult::HandshakeFailed => sender.handshakes_failed += 1,
        SessionResult::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inbound::fixtures::session;
    use SessionResult::{HandshakeFailed, MailInClear, MailInTls, Nothing, TlsWithoutMail};
    use std::net::IpAddr;

    const ONE: [u8; 4] = [192, 0, 2, 1];
    const WATCH: SignedDuration = SignedDuration::from_secs(100);

    fn seen(sessions: &[InboundSession], ended: i64) -> Vec<SeenSender> {
        let mut senders = SeenSenders::new(WATCH);
        sessions.iter().for_each(|session| senders.note(session));
        senders.ended(Timestamp::from_second(ended).unwrap())
    }

    #[test]
    fn each_session_comes_to_what_it_was_made_for() {
        for result in [MailInTls, MailInClear, TlsWithoutMail, HandshakeFailed, Nothing] {
            assert_eq!(SessionResult::of(&session(0, ONE, "a", result)), result);
        }
    }

    #[test]
    fn what_came_again_is_told_with_when_and_how() {
        let told = seen(
            &[
                session(0, ONE, "a.example", HandshakeFailed),
                session(10, ONE, "a.example", HandshakeFailed),
                session(30, ONE, "a.example", MailInClear),
                session(40, ONE, "a.example", MailInTls),
                session(50, ONE, "a.example", Nothing),
                session(151, ONE, "a.example", MailInTls),
                session(160, ONE, "a.example", HandshakeFailed),
            ],
            200,
        );
        let again = |after_s, result| Comeback::Again { after_s, result, other_offer: None };
        let [sender] = told.as_slice() else { panic!("one sender") };
        assert_eq!(
            sender.comebacks,
            [again(10, HandshakeFailed), again(20, MailInClear), Comeback::NothingCame, Comeback::RunEnded]
        );
        assert_eq!(
            (sender.sessions, sender.mail_in_tls, sender.mail_in_clear, sender.handshakes_failed),
            (7, 2, 1, 3)
        );
    }

    /// Whether a sender that did not come again would have is not known before the time is
    /// over.
    #[test]
    fn nothing_is_told_of_what_could_not_be_seen() {
        let failed = [session(0, ONE, "a.example", HandshakeFailed)];
        assert_eq!(seen(&failed, 99)[0].comebacks, [Comeback::RunEnded]);
        assert_eq!(seen(&failed, 100)[0].comebacks, [Comeback::NothingCame]);
        assert!(seen(&[session(0, ONE, "a.example", TlsWithoutMail)], 100)[0].comebacks.is_empty());
    }

    #[test]
    fn senders_are_told_apart_by_address_and_name() {
        let other = [192, 0, 2, 2];
        let told = seen(
            &[
                session(0, ONE, "a.example", HandshakeFailed),
                session(1, other, "a.example", MailInClear),
                session(2, ONE, "b.example", MailInClear),
                session(3, other, "a.example", MailInClear),
            ],
            10,
        );
        let names: Vec<_> =
            told.iter().map(|sender| (sender.address, sender.name.as_deref().unwrap())).collect();
        let ips = [IpAddr::from(other), IpAddr::from(ONE)];
        assert_eq!(names, [(ips[0], "a.example"), (ips[1], "a.example"), (ips[1], "b.example")]);
        assert_eq!(told[1].comebacks, [Comeback::RunEnded]);
    }

    #[test]
    fn senders_are_bounded() {
        let mut senders = SeenSenders::new(WATCH);
        for number in 0..=SENDERS_MAX {
            senders.note(&session(0, ONE, &format!("d{number}.example"), MailInTls));
        }
        assert_eq!(senders.not_kept(), 1);
        let mut one = SeenSenders::new(WATCH);
        for second in 0..=COMEBACKS_MAX as i64 + 1 {
            one.note(&session(second, ONE, "a.example", HandshakeFailed));
        }
        assert_eq!(one.ended(Timestamp::UNIX_EPOCH)[0].comebacks.len(), COMEBACKS_MAX);
    }
}
