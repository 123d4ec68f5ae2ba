//! One connection to an endpoint, as far as it tells how handshakes end there.

use super::super::downgrade::{self, Downgrade};
use crate::model::{
    ClientCertificate, Failure, HelloEnd, HelloObservation, HelloPurpose, Kind, Observation, Phase,
    ProtocolVersion, SignatureCheck,
};

/// How a handshake ended, where the server answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookEnd {
    /// Well, as far as it was followed.
    Good,
    /// By this, over which every client ends it that names the host alike,
    /// whatever it offers.
    Fails(Kind),
    /// By this, which may be of what was offered.
    FailsOverOffer(Kind),
}

/// Of the scanner's own handshakes, which all offer the same, or of a further
/// hello.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    ForProbe,
    ForHello(&'a HelloObservation),
}

/// One connection.
pub(super) struct EndpointLook<'a> {
    pub(super) made: Made<'a>,
    /// Whether it named the host. What a server shows and demands may hang on that.
    pub(super) named: bool,
    /// Whether the server was shown a client certificate.
    shown: bool,
    /// `None` where the handshake was not answered.
    pub(super) answer: Option<LookEnd>,
}

/// Every connection but those of an enumeration.
pub(super) fn all(seen: &Observation) -> impl Iterator<Item = EndpointLook<'_>> {
    let has_name = seen.key.sni.is_some();
    let tls = seen.tls.as_ref();
    let signature = tls.and_then(|tls| tls.signature.as_ref());
    let shown = tls.is_some_and(|tls| is_shown(tls.client_certificate));
    let probes = attempts(seen).map(move |failure| EndpointLook {
        made: Made::ForProbe,
        named: has_name,
        shown,
        answer: of_handshake(failure, signature),
    });
    let hellos = seen.extra_client_hellos.iter().filter(|hello| hello.purpose.is_judged());
    probes.chain(hellos.map(move |hello| EndpointLook {
        made: Made::ForHello(hello),
        named: has_name && hello.names_host.unwrap_or(true),
        shown: hello.client_certificate.is_some_and(is_shown),
        answer: of_hello(hello),
    }))
}

/// How each attempt at the probe ended.
pub(super) fn attempts(seen: &Observation) -> impl Iterator<Item = Option<&Failure>> {
    let others = seen.other_attempts.iter().flatten().map(|attempt| attempt.failure.as_ref());
    std::iter::once(seen.failure.as_ref()).chain(others)
}

fn is_shown(certificate: ClientCertificate) -> bool {
    !matches!(certificate, ClientCertificate::NeverAsked | ClientCertificate::NotShown)
}

fn of_handshake(failure: Option<&Failure>, signature: Option<&SignatureCheck>) -> Option<LookEnd> {
    let Some(failure) = failure.filter(|failure| failure.phase <= Phase::Tls) else {
        return Some(LookEnd::Good);
    };
    // Another offer may have the scheme under which the server signs.
    let by_scheme = failure.kind == Kind::SignatureFailed && signature == Some(&SignatureCheck::NotOffered);
    match failure.kind {
        _ if failure.phase < Phase::Tls => None,
        kind if failure.fails_with_everyone() && !by_scheme => Some(LookEnd::Fails(kind)),
        kind => (!kind.is_transient()).then_some(LookEnd::FailsOverOffer(kind)),
    }
}

fn of_hello(hello: &HelloObservation) -> Option<LookEnd> {
    let signature = hello.signature.as_ref();
    Some(match hello.end {
        HelloEnd::NotAsked => return None,
        _ if hello.purpose == HelloPurpose::Handshake => {
            return of_handshake(hello.failure.as_ref(), signature);
        }
        HelloEnd::BadCertificate => LookEnd::Fails(Kind::BadCertificate),
        HelloEnd::IllegalParameter => LookEnd::Fails(Kind::IllegalParameter),
        HelloEnd::Agreed if signature == Some(&SignatureCheck::Failed) => {
            LookEnd::Fails(Kind::SignatureFailed)
        }
        HelloEnd::Agreed if signature == Some(&SignatureCheck::NotOffered) => {
            LookEnd::FailsOverOffer(Kind::SignatureFailed)
        }
        HelloEnd::Agreed if mark(hello) == Downgrade::Ends => LookEnd::Fails(Kind::DowngradeDetected),
        HelloEnd::Agreed => LookEnd::Good,
        HelloEnd::Alert if hello.alert.is_some_and(|alert| alert.refuses_the_hello()) => {
            LookEnd::FailsOverOffer(Kind::Alert)
        }
        HelloEnd::Sslv2 => LookEnd::FailsOverOffer(Kind::NoCommonVersion),
        HelloEnd::NotTls => LookEnd::FailsOverOffer(Kind::NotTls),
        HelloEnd::Malformed => LookEnd::FailsOverOffer(Kind::Malformed),
        HelloEnd::Alert | HelloEnd::Closed | HelloEnd::Timeout | HelloEnd::TooLong => return None,
    })
}

/// What a client that offers the same makes of the server's random.
fn mark(hello: &HelloObservation) -> Downgrade {
    downgrade::of(None, hello.offered_version, hello.version, hello.downgrade_mark)
}

impl EndpointLook<'_> {
    /// Whether it was a whole handshake, and ended well.
    pub(super) fn is_whole(&self) -> bool {
        self.answer == Some(LookEnd::Good) && self.hello_alone().is_none()
    }

    /// The hello, where no handshake was made with it.
    fn hello_alone(&self) -> Option<&HelloObservation> {
        match self.made {
            Made::ForHello(hello) if hello.purpose != HelloPurpose::Handshake => Some(hello),
            _ => None,
        }
    }

    /// Whether the same was offered: one server answers that alike.
    pub(super) fn offers_as(&self, other: &Self) -> bool {
        match (self.made, other.made) {
            (Made::ForProbe, Made::ForProbe) => true,
            (Made::ForHello(one), Made::ForHello(other)) => {
                (one.purpose, &one.offer, one.offered_version)
                    == (other.purpose, &other.offer, other.offered_version)
            }
            _ => false,
        }
    }

    /// Whether no server that answers so ends handshakes by `kind`.
    pub(super) fn rules_out(&self, kind: Kind) -> bool {
        let demanded = kind == Kind::ClientCertificateRequired;
        let Some(hello) = self.hello_alone() else { return self.is_whole() && !(demanded && self.shown) };
        if self.answer != Some(LookEnd::Good) {
            return false;
        }
        // What comes after its ServerHello, TLS 1.3 does not show.
        let shows_all = hello.version.is_some_and(|version| version < ProtocolVersion::TLS13);
        match kind {
            Kind::SignatureFailed | Kind::BadCertificate => hello.signature == Some(SignatureCheck::Verified),
            Kind::DowngradeDetected => {
                hello.offered_version >= ProtocolVersion::TLS13
                    && hello.version.is_some()
                    && mark(hello) == Downgrade::Nothing
            }
            Kind::IllegalParameter => shows_all && hello.offered_version >= ProtocolVersion::TLS12,
            Kind::ClientCertificateRequired => shows_all && !hello.client_certificate_requested,
            _ => false,
        }
    }
}
