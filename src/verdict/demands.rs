//! What a sender demands of a session up to TLS 1.2 besides what it offers:
//! that the server knows RFC 5746, and that its Diffie-Hellman prime is long
//! enough. Where a sender's file says nothing of it, nothing is known of a
//! server that has less than what every client takes.

use crate::model::{Basis, ProtocolVersion, Reason};
use crate::sender::{Sender, Stated};

/// From here on every client takes a prime, in bits (RFC 9325 §4.1).
const DH_BITS_GOOD: usize = 2048;

/// Longest prime that OpenSSL takes, in bits (`OPENSSL_DH_MAX_MODULUS_BITS`);
/// others have other limits.
const DH_BITS_MAX: usize = 10_000;

/// What a sender makes of something that the server has or lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// It takes it, by what its file says or assumes.
    Accepted(Basis),
    /// What the server has was not written down.
    NotRecorded,
    /// Not known what the sender does.
    Unknown(Reason),
    /// It ends the handshake over it.
    Refused(Reason, Basis),
}

/// What the sender makes of a session of `version`, by whether the server
/// answered the renegotiation extension and by the length of its prime.
pub(super) fn of(
    sender: &Sender,
    version: Option<ProtocolVersion>,
    renegotiation_info: Option<bool>,
    dh_bits: Option<usize>,
) -> Demand {
    if version.is_none_or(|version| version >= ProtocolVersion::TLS13) {
        return Demand::Accepted(Basis::Observed);
    }
    worse(renegotiation(sender, renegotiation_info), dh_bits.map(|bits| dh(sender, bits)))
}

fn renegotiation(sender: &Sender, answered: Option<bool>) -> Demand {
    let reason = Reason::NoSecureRenegotiation;
    match (&sender.requires_renegotiation_info, answered) {
        (_, Some(true)) => Demand::Accepted(Basis::Observed),
        (Some(requires), _) if !requires.value => Demand::Accepted(basis(requires)),
        (_, None) => Demand::NotRecorded,
        (None, _) => Demand::Unknown(reason),
        (Some(requires), _) => Demand::Refused(reason, basis(requires)),
    }
}

fn dh(sender: &Sender, bits: usize) -> Demand {
    let reason = Reason::DhPrimeSize;
    match &sender.dh_bits_min {
        _ if bits > DH_BITS_MAX => Demand::Unknown(reason),
        _ if bits >= DH_BITS_GOOD => Demand::Accepted(Basis::Observed),
        None => Demand::Unknown(reason),
        Some(min) if usize::try_from(min.value).is_ok_and(|min| bits >= min) => Demand::Accepted(basis(min)),
        Some(min) => Demand::Refused(reason, basis(min)),
    }
}

fn basis<T>(stated: &Stated<T>) -> Basis {
    if stated.is_assumed() { Basis::Assumed } else { Basis::Observed }
}

/// The one that says more against a session.
fn worse(one: Demand, other: Option<Demand>) -> Demand {
    let weight = |demand: &Demand| match demand {
        Demand::Accepted(basis) => (0, Some(*basis)),
        Demand::NotRecorded => (1, None),
        Demand::Unknown(_) => (2, None),
        Demand::Refused(..) => (3, None),
    };
    other.into_iter().fold(one, |worst, next| if weight(&next) > weight(&worst) { next } else { worst })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS12: Option<ProtocolVersion> = Some(ProtocolVersion::TLS12);

    fn sender(renegotiation_info: Option<bool>, dh_bits_min: Option<u32>, source: bool) -> Sender {
        fn stated<T>(value: T, source: bool) -> Stated<T> {
            let text = Some("says so".to_string());
            if source {
                Stated { value, source: text, assumption: None }
            } else {
                Stated { value, source: None, assumption: text }
            }
        }
        let mut sender = Sender::named("rfc9325").unwrap();
        sender.requires_renegotiation_info = renegotiation_info.map(|value| stated(value, source));
        sender.dh_bits_min = dh_bits_min.map(|value| stated(value, source));
        sender
    }

    #[test]
    fn renegotiation_is_secure_or_the_sender_says_what_it_does() {
        let reason = Reason::NoSecureRenegotiation;
        for (requires, source, answered, expected) in [
            (Some(true), true, Some(true), Demand::Accepted(Basis::Observed)),
            (Some(true), true, Some(false), Demand::Refused(reason, Basis::Observed)),
            (Some(true), false, Some(false), Demand::Refused(reason, Basis::Assumed)),
            (Some(true), true, None, Demand::NotRecorded),
            (Some(false), true, Some(false), Demand::Accepted(Basis::Observed)),
            (Some(false), false, Some(false), Demand::Accepted(Basis::Assumed)),
            (Some(false), true, None, Demand::Accepted(Basis::Observed)),
            (None, true, Some(false), Demand::Unknown(reason)),
            (None, true, Some(true), Demand::Accepted(Basis::Observed)),
            (None, true, None, Demand::NotRecorded),
        ] {
            let sender = sender(requires, None, source);
            assert_eq!(of(&sender, TLS12, answered, None), expected, "{requires:?} {answered:?}");
            let tls13 = Some(ProtocolVersion::TLS13);
            assert_eq!(of(&sender, tls13, answered, None), Demand::Accepted(Basis::Observed), "TLS 1.3");
        }
    }

    #[test]
    fn a_prime_is_long_enough_or_the_sender_says_what_it_takes() {
        let reason = Reason::DhPrimeSize;
        for (min, source, bits, expected) in [
            (Some(1024), true, 1023, Demand::Refused(reason, Basis::Observed)),
            (Some(1024), false, 1023, Demand::Refused(reason, Basis::Assumed)),
            (Some(1024), true, 1024, Demand::Accepted(Basis::Observed)),
            (Some(1024), false, 1024, Demand::Accepted(Basis::Assumed)),
            (None, true, 2047, Demand::Unknown(reason)),
            (None, true, 2048, Demand::Accepted(Basis::Observed)),
            (Some(2048), false, 2048, Demand::Accepted(Basis::Observed)),
            (Some(1024), true, 10_001, Demand::Unknown(reason)),
        ] {
            let told = of(&sender(Some(true), min, source), TLS12, Some(true), Some(bits));
            assert_eq!(told, expected, "{min:?} {bits}");
        }
    }

    #[test]
    fn what_says_more_counts() {
        let strict = sender(Some(true), Some(1024), true);
        let told = of(&strict, TLS12, Some(false), Some(512));
        assert_eq!(told, Demand::Refused(Reason::NoSecureRenegotiation, Basis::Observed));
        assert_eq!(
            of(&strict, TLS12, None, Some(512)),
            Demand::Refused(Reason::DhPrimeSize, Basis::Observed)
        );
        let lax = sender(Some(false), Some(1024), false);
        assert_eq!(of(&lax, TLS12, Some(true), Some(1024)), Demand::Accepted(Basis::Assumed));
    }
}
