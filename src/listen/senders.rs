//! The sessions of one sender brought together, and what it did after one in which it said
//! no MAIL.
//!
//! Whoever connects is told apart by address and by the name after EHLO. A farm that
//! tries again from another of its addresses is told as another sender, and then nothing
//! is known of what came again.

use crate::model::inbound::{
    COMEBACKS_MAX, Comeback, InboundSession, SENDERS_MAX, SeenSender, SenderKey, SessionResult,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Sessions of one sender that are remembered for others that began before them and end
/// later.
const RECENT_MAX: usize = 20;

/// What is remembered of a session that may have come after another.
#[derive(Clone)]
struct BriefSession {
    began: Timestamp,
    result: SessionResult,
    fingerprint: Option<String>,
}

/// A session without MAIL, and the first that began after it.
struct WithoutMail {
    over: Timestamp,
    fingerprint: Option<String>,
    next: Option<BriefSession>,
}

/// One sender.
struct WatchedSender {
    seen: SeenSender,
    /// At most [`COMEBACKS_MAX`].
    without_mail: Vec<WithoutMail>,
    /// The last ones, at most [`RECENT_MAX`].
    recent: VecDeque<BriefSession>,
}

/// All senders of a run.
pub struct SeenSenders {
    watch: SignedDuration,
    senders: Vec<WatchedSender>,
    places: HashMap<SenderKey, usize>,
    /// Sessions of senders beyond the limit.
    not_kept: u64,
}

impl SeenSenders {
    /// None yet. A sender that does not come again within `watch` did not.
    pub fn new(watch: SignedDuration) -> Self {
        Self { watch, senders: Vec::new(), places: HashMap::new(), not_kept: 0 }
    }

    /// Takes the next session. Sessions come in the order in which they end, and one that
    /// ends late may have begun before others.
    pub fn note(&mut self, session: &InboundSession) {
        let key = SenderKey::of(session);
        let Some(place) = self.places.get(&key).copied().or_else(|| self.add(key)) else {
            self.not_kept += 1;
            return;
        };
        let Some(sender) = self.senders.get_mut(place) else { return };
        sender.note(session);
    }

    /// All of them, the busiest first, for a run that ended then.
    pub fn ended(self, at: Timestamp) -> Vec<SeenSender> {
        let watch = self.watch;
        let mut senders: Vec<SeenSender> =
            self.senders.into_iter().map(|sender| sender.ended(at, watch)).collect();
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
        self.senders.push(WatchedSender { seen: sender, without_mail: Vec::new(), recent: VecDeque::new() });
        self.places.insert(key, place);
        Some(place)
    }
}

fn fingerprint(session: &InboundSession) -> Option<String> {
    session.tls.as_ref()?.offer.as_ref().map(|offer| offer.fingerprint.clone())
}

impl WatchedSender {
    fn note(&mut self, session: &InboundSession) {
        let result = SessionResult::of(session);
        let brief = BriefSession { began: session.began, result, fingerprint: fingerprint(session) };
        count(&mut self.seen, result);
        self.without_mail.iter_mut().for_each(|before| before.see(&brief));
        if result.has_to_come_again() && self.without_mail.len() < COMEBACKS_MAX {
            let (over, fingerprint) = (session.over_at(), brief.fingerprint.clone());
            let mut one = WithoutMail { over, fingerprint, next: None };
            self.recent.iter().for_each(|after| one.see(after));
            self.without_mail.push(one);
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(brief);
    }

    fn ended(mut self, at: Timestamp, watch: SignedDuration) -> SeenSender {
        self.without_mail.sort_by_key(|one| one.over);
        self.seen.comebacks = self.without_mail.iter().map(|one| one.comeback(at, watch)).collect();
        self.seen
    }
}

impl WithoutMail {
    /// Keeps the session that began first of those after it.
    fn see(&mut self, other: &BriefSession) {
        let is_first = self.next.as_ref().is_none_or(|next| other.began < next.began);
        if other.began >= self.over && is_first {
            self.next = Some(other.clone());
        }
    }

    fn comeback(&self, at: Timestamp, watch: SignedDuration) -> Comeback {
        let after = |moment: Timestamp| moment.duration_since(self.over);
        match self.next.as_ref().filter(|next| after(next.began) <= watch) {
            Some(next) => {
                let other_offer = self
                    .fingerprint
                    .as_deref()
                    .zip(next.fingerprint.as_deref())
                    .map(|(one, other)| one != other);
                Comeback::Again { after_s: after(next.began).as_secs(), result: next.result, other_offer }
            }
            None if self.next.is_some() || after(at) >= watch => Comeback::NothingCame,
            None => Comeback::RunEnded,
        }
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
        let without_mail = [session(0, ONE, "a.example", TlsWithoutMail)];
        assert_eq!(seen(&without_mail, 100)[0].comebacks, [Comeback::NothingCame]);
        assert!(seen(&[session(0, ONE, "a.example", MailInTls)], 100)[0].comebacks.is_empty());
    }

    /// A client may leave a session open that comes to nothing, and open the next one; and
    /// one that has been open all the time came after nothing.
    #[test]
    fn what_began_after_a_session_was_over_came_after_it_whenever_either_ends() {
        let over = |second: i64, over: u64, result| InboundSession {
            over_us: Some(over * 1_000_000),
            ..session(second, ONE, "a.example", result)
        };
        let (refused, next) = (over(0, 2, Nothing), over(5, 9, MailInClear));
        let again = Comeback::Again { after_s: 3, result: MailInClear, other_offer: None };
        assert_eq!(seen(&[refused.clone(), next.clone()], 50)[0].comebacks, [again]);
        assert_eq!(seen(&[next, refused.clone()], 50)[0].comebacks, [again], "the first one was left open");
        let open = over(1, 40, MailInClear);
        assert_eq!(seen(&[refused.clone(), open.clone()], 50)[0].comebacks, [Comeback::RunEnded]);
        // The time is counted from what was said, too.
        assert_eq!(seen(&[open.clone(), refused.clone()], 101)[0].comebacks, [Comeback::RunEnded]);
        assert_eq!(seen(&[open, refused], 102)[0].comebacks, [Comeback::NothingCame]);
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
