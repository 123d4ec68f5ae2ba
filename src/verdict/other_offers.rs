//! What a server's answers to other offers say about a sender's: only what
//! follows from how a server must choose.
//!
//! A server chooses the best version that it has of those offered (RFC 5246
//! §E.1, RFC 8446 §4.2.1), and then a suite of those offered. So one that chose
//! TLS 1.0 when TLS 1.2 was offered has no TLS 1.2, whoever asks. One that chose
//! a version and a suite which the sender offers too has something in common
//! with it. And one that has nothing in common with an offer has nothing in
//! common with a part of that offer. All else stays open.

use super::downgrade;
use crate::ask::step_down;
use crate::model::{Finding, HelloFinding, HelloPurpose, ProtocolVersion};
use crate::sender::Sender;
use crate::sender::offer::Offer;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What follows for a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inference<'f> {
    /// The server takes a version and suite that the sender offers; those of
    /// this answer, or others that it likes better.
    Agreed(&'f HelloFinding),
    /// The server has no version that the sender offers.
    NoVersion,
    /// The server has nothing in common with an offer that holds all of the
    /// sender's.
    Refused,
}

/// What follows for a sender from the further hellos to a server with which
/// the scanner's own handshake failed, where the sender's own offer was not
/// answered by an agreement or a refusal. `asked` says whether it was sent
/// at all: where a server gave it no answer, an agreement to another is no
/// sign that it would have agreed.
pub fn infer<'f>(offer: &Offer, finding: &'f Finding, asked: bool) -> Option<Inference<'f>> {
    let named = finding.key.sni.is_some();
    let heard: Vec<Heard<'f>> =
        finding.extra_client_hellos.iter().filter_map(|hello| Heard::of(hello, named)).collect();
    if lacks_all(offer, finding, &heard) {
        return Some(Inference::NoVersion);
    }
    if asked {
        return None;
    }
    let agreed = heard.iter().find(|heard| heard.serves(offer)).map(|heard| heard.hello);
    agreed.map(Inference::Agreed).or_else(|| is_refused(offer, &heard).then_some(Inference::Refused))
}

/// A hello, and what it offered.
struct Heard<'f> {
    hello: &'f HelloFinding,
    offer: &'static Offer,
    /// Whether the host has a name that it could have named.
    named: bool,
}

impl<'f> Heard<'f> {
    /// `None` where what was offered is not known: of the offer of a sender
    /// that does not come with mxray only the digest was kept.
    fn of(hello: &'f HelloFinding, named: bool) -> Option<Self> {
        let offer = match hello.purpose {
            HelloPurpose::Sender => SENDERS.get(hello.offer.as_deref()?)?,
            HelloPurpose::Version => WHOLE.get(&hello.offered_version)?,
            _ => return None,
        };
        (offer.suites.len() == hello.offered_suites).then_some(Self { hello, offer, named })
    }

    /// Whether it named the host exactly if the sender of `offer` does. Over a
    /// name a server may refuse what it would else take.
    fn is_named_as(&self, offer: &Offer) -> bool {
        !self.named || self.hello.names_host == offer.sends_sni
    }

    /// The version chosen, if there was an agreement.
    fn chosen(&self) -> Option<ProtocolVersion> {
        self.hello.version.filter(|_| self.hello.end.is_agreement())
    }

    /// Whether the answer shows that the server does not have a version: it
    /// was offered, and an older one chosen, and its random does not say that it is spoken. An older one than was listed is
    /// chosen by what a hello says to servers that know no list: that all
    /// versions up to TLS 1.2 are on offer (RFC 8446 §4.1.2).
    fn denies(&self, version: ProtocolVersion) -> bool {
        if downgrade::speaks(self.hello, version) {
            return false;
        }
        let Some(chosen) = self.chosen().filter(|chosen| *chosen < version) else { return false };
        let listed = |version| self.offer.versions.contains(&version);
        listed(version) || (!listed(chosen) && version <= self.hello.offered_version)
    }

    /// Whether the server must come to an agreement with a sender, too: it has
    /// chosen version, suite, group and signature scheme out of the sender's
    /// lists, has none of the sender's newer versions although they were offered, and has taken a hello
    /// as long as the sender's.
    fn serves(&self, offer: &Offer) -> bool {
        let (Some(chosen), Some(suite)) = (self.chosen(), self.hello.suite) else { return false };
        offer.versions.contains(&chosen)
            && offer.rank(suite).is_some()
            && self.hello.group.is_none_or(|group| offer.groups.contains(&group))
            && self.signs_for(chosen, offer)
            && offer.versions.iter().all(|version| *version <= chosen || self.denies(*version))
            && self.is_as_long_as(offer)
    }

    /// Whether the server signs for the sender, too. In TLS 1.3 a hello does not show
    /// under which scheme: it may be any that was offered.
    fn signs_for(&self, chosen: ProtocolVersion, offer: &Offer) -> bool {
        let offers = |scheme| offer.signature_schemes.contains(&scheme);
        match self.hello.signature_scheme {
            Some(scheme) => offers(scheme),
            None if chosen == ProtocolVersion::TLS13 => {
                self.offer.signature_schemes.iter().copied().all(offers)
            }
            None => true,
        }
    }

    /// Some servers stumble over a hello that is longer than they expect.
    fn is_as_long_as(&self, offer: &Offer) -> bool {
        self.offer.entries() >= offer.entries()
    }
}

/// Whether no version of the sender's is to be had. Where the oldest is not,
/// none is: those newer than what was offered are not, either, since a server
/// has all versions between its oldest and its newest. And one that answers by
/// SSLv2 speaks nothing that anyone offers.
fn lacks_all(offer: &Offer, finding: &Finding, heard: &[Heard<'_>]) -> bool {
    let oldest = offer.versions.iter().copied().min();
    let denied = oldest.is_some_and(|oldest| heard.iter().any(|heard| heard.denies(oldest)));
    denied || finding.answers_by_sslv2()
}

/// Whether an offer that holds all of the sender's was refused, by a server
/// that took a hello as new and as long: it did not stumble over the form.
fn is_refused(offer: &Offer, heard: &[Heard<'_>]) -> bool {
    let took = |form: &Heard<'_>| {
        let agreed = heard.iter().filter(|heard| heard.hello.end.is_agreement());
        agreed.into_iter().any(|heard| {
            heard.hello.offered_version >= form.hello.offered_version && heard.is_as_long_as(form.offer)
        })
    };
    let mut refused = heard.iter().filter(|heard| heard.hello.is_refused());
    refused.any(|refused| refused.is_named_as(offer) && holds(refused.offer, offer) && took(refused))
}

/// Whether each list of `whole` holds that of `part`.
fn holds(whole: &Offer, part: &Offer) -> bool {
    part.versions.iter().all(|version| whole.versions.contains(version))
        && part.suites.iter().all(|suite| whole.suites.contains(suite))
        && part.groups.iter().all(|group| whole.groups.contains(group))
        && part.signature_schemes.iter().all(|scheme| whole.signature_schemes.contains(scheme))
}

/// The offers of the senders that come with mxray, by their ids; with SNI, too,
/// of those that send none, as they were asked before that was known.
static SENDERS: LazyLock<HashMap<String, Offer>> = LazyLock::new(|| {
    let senders = Sender::names().into_iter().filter_map(|name| Sender::named(name).ok());
    let offers = senders.map(|sender| sender.offer());
    let both = offers.flat_map(|offer| [Offer { sends_sni: true, ..offer.clone() }, offer]);
    both.map(|offer| (offer.id(), offer)).collect()
});

/// The offers of all that a version can have, by the version.
static WHOLE: LazyLock<HashMap<ProtocolVersion, Offer>> = LazyLock::new(|| {
    let whole = step_down::STEPS.into_iter().map(|version| (version, step_down::everything_of(version)));
    whole.map(|(version, question)| (version, Offer::of(question))).collect()
});

#[cfg(test)]
#[path = "other_offers_tests.rs"]
mod tests;
