//! Pools: several servers behind one address, each connection to the next of a
//! sequence. Where two kinds were met at questions that they answer unlike, and the
//! sender's mail would fare differently with each alone, nothing is told as the
//! answer, whichever connection met which.

use super::{Haste, address, config, moment, session};
use mxray::internals::interrogate::{RetryPlan, interrogate};
use mxray::internals::model::{
    AlertDescription, CipherSuite, ClientCertificate, ClientHelloSpec, Delivery, DowngradeMark, Endpoint,
    Failure, HelloEnd, HelloObservation, HelloPurpose, Kind, MxHost, NamedGroup, Observation, Phase,
    ProbeKey, ProtocolVersion, SignatureCheck, SignatureScheme, TlsObservation,
};
use mxray::internals::sender::Sender;
use mxray::internals::stage::Probe;
use mxray::internals::trust::{Judge, Roots};
use mxray::internals::verdict::Policy;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// A kind of server. Those called old have nothing of the scanner's offer, and
/// answer the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Good,
    /// Of a group that not every sender offers.
    Another,
    /// Of no other group.
    OnlyAnother,
    BadSignature,
    BadCertificate,
    Marked,
    Illegal,
    DemandsCertificate,
    NoStarttls,
    RefusesStarttls,
    NotNow,
    Old,
    OldBadSignature,
    OldBadCertificate,
    OldMarked,
    OldIllegal,
}

use Member::*;

const MEMBERS: [Member; 16] = [
    Good,
    Another,
    OnlyAnother,
    BadSignature,
    BadCertificate,
    Marked,
    Illegal,
    DemandsCertificate,
    NoStarttls,
    RefusesStarttls,
    NotNow,
    Old,
    OldBadSignature,
    OldBadCertificate,
    OldMarked,
    OldIllegal,
];

impl Member {
    /// Why there is no TLS there.
    fn denial(self) -> Option<Failure> {
        let kind = match self {
            NoStarttls => Kind::NotOffered,
            RefusesStarttls => Kind::Refused,
            NotNow => Kind::RefusedTemporarily,
            _ => return None,
        };
        Some(Failure::new(Phase::Starttls, kind))
    }

    /// How a whole handshake ends that offers what the scanner does.
    fn shaken(self) -> (Option<Failure>, Option<TlsObservation>) {
        if let Some(denied) = self.denial() {
            return (Some(denied), None);
        }
        let group = if matches!(self, Another | OnlyAnother) { 29 } else { 24 };
        let mut tls = TlsObservation {
            version: Some(ProtocolVersion::TLS12),
            suite: Some(CipherSuite(0xc030)),
            group: Some(NamedGroup(group)),
            signature_scheme: Some(SignatureScheme(0x0401)),
            renegotiation_info: Some(true),
            downgrade_mark: Some(DowngradeMark::None),
            ..session()
        };
        let kind = match self {
            BadSignature => Kind::SignatureFailed,
            BadCertificate => Kind::BadCertificate,
            Marked => Kind::DowngradeDetected,
            Illegal => Kind::IllegalParameter,
            DemandsCertificate => {
                tls.client_certificate = ClientCertificate::NotShown;
                Kind::ClientCertificateRequired
            }
            Old | OldBadSignature | OldBadCertificate | OldMarked | OldIllegal => {
                tls = TlsObservation::default();
                Kind::Alert
            }
            _ => return (None, Some(tls)),
        };
        tls.established = false;
        (Some(Failure::new(Phase::Tls, kind)), Some(tls))
    }

    /// What it says to a hello that no handshake follows.
    fn answer(self, spec: &ClientHelloSpec, number: usize) -> HelloObservation {
        let mut answer = HelloObservation::not_asked(spec, moment(number), self.denial());
        if answer.failure.is_some() {
            return answer;
        }
        answer.end = match self {
            Illegal | OldIllegal => HelloEnd::IllegalParameter,
            BadCertificate | OldBadCertificate => HelloEnd::BadCertificate,
            OnlyAnother if refuses(spec) => {
                answer.alert = Some(AlertDescription::HANDSHAKE_FAILURE);
                HelloEnd::Alert
            }
            _ => HelloEnd::Agreed,
        };
        let failed = matches!(self, BadSignature | OldBadSignature);
        let marked = matches!(self, Marked | OldMarked);
        if answer.end == HelloEnd::Agreed {
            answer.version = Some(ProtocolVersion::TLS12);
            answer.suite = Some(CipherSuite(if self >= Old { 0xc028 } else { 0xc030 }));
            answer.group = Some(NamedGroup(if self == OnlyAnother { 29 } else { 24 }));
            answer.signature_scheme = Some(SignatureScheme(0x0401));
            answer.signature = Some(if failed { SignatureCheck::Failed } else { SignatureCheck::Verified });
            answer.renegotiation_info = Some(true);
            answer.downgrade_mark = Some(if marked { DowngradeMark::Tls12 } else { DowngradeMark::None });
            answer.client_certificate_requested = self == DemandsCertificate;
        }
        answer
    }

    /// What a connection shows of it: nothing where it fails over the offer, or
    /// where that comes later.
    fn shows(self, hello: bool, refused: bool) -> Option<Member> {
        match self {
            Another | OnlyAnother if !hello => Some(Good),
            Another => Some(Good),
            OnlyAnother => Some(if refused { OnlyAnother } else { Good }),
            DemandsCertificate if hello => None,
            Old => hello.then_some(Good),
            OldBadSignature => hello.then_some(BadSignature),
            OldBadCertificate => hello.then_some(BadCertificate),
            OldMarked => hello.then_some(Marked),
            OldIllegal => hello.then_some(Illegal),
            other => Some(other),
        }
    }
}

/// Whether a hello is refused by who has the other group alone.
fn refuses(spec: &ClientHelloSpec) -> bool {
    spec.purpose == HelloPurpose::Sender && !spec.groups.contains(&NamedGroup(29))
}

/// Two kinds, one of which each connection meets, the last again and again.
struct Pool {
    members: [Member; 2],
    sequence: Vec<usize>,
    made: Mutex<usize>,
    /// Which of the two was met where they answer unlike, and whether the host was
    /// named there.
    met: Mutex<BTreeSet<(usize, bool)>>,
}

impl Pool {
    fn next(&self, named: bool, hello: bool, refused: bool) -> (usize, Member) {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        let which = *self.sequence.get(*made - 1).unwrap_or(self.sequence.last().unwrap());
        let [one, other] = self.members.map(|member| member.shows(hello, refused));
        if one.is_some() && other.is_some() && one != other {
            // What is said before STARTTLS hangs on no name.
            let denies = self.members.iter().any(|member| member.denial().is_some());
            self.met.lock().unwrap().insert((which, named && !denies));
        }
        (*made, self.members[which])
    }

    /// Whether both were met in one form.
    fn is_seen(&self) -> bool {
        let met = self.met.lock().unwrap();
        [true, false].iter().any(|named| met.contains(&(0, *named)) && met.contains(&(1, *named)))
    }
}

impl Probe for Pool {
    fn permit(&self, _key: &ProbeKey) -> Result<(), Failure> {
        Ok(())
    }

    async fn probe(&self, key: ProbeKey, attempt: u32) -> Observation {
        let (number, member) = self.next(true, false, false);
        let (failure, tls) = member.shaken();
        let begun = Failure::new(Phase::Connect, Kind::LocalError);
        Observation { failure, tls, ..Observation::failed(key, moment(number), attempt, begun) }
    }

    async fn hello(&self, _key: ProbeKey, spec: &ClientHelloSpec) -> HelloObservation {
        let whole = spec.purpose == HelloPurpose::Handshake;
        let (number, member) = self.next(spec.names_host, !whole, refuses(spec));
        if !whole {
            return member.answer(spec, number);
        }
        let (failure, tls) = member.shaken();
        let mut told = HelloObservation::not_asked(spec, moment(number), failure);
        let Some(tls) = tls else { return told };
        told.end = match told.failure.as_ref().map(|failure| failure.kind) {
            None | Some(Kind::SignatureFailed) => HelloEnd::Agreed,
            Some(Kind::BadCertificate) => HelloEnd::BadCertificate,
            Some(Kind::IllegalParameter | Kind::DowngradeDetected) => HelloEnd::IllegalParameter,
            Some(_) => HelloEnd::Alert,
        };
        told.client_certificate = Some(tls.client_certificate);
        (told.version, told.suite, told.group) = (tls.version, tls.suite, tls.group);
        (told.signature_scheme, told.signature) = (tls.signature_scheme, tls.signature);
        (told.renegotiation_info, told.downgrade_mark) = (tls.renegotiation_info, tls.downgrade_mark);
        told
    }
}

/// What becomes of mail, why, and whether both kinds were seen.
async fn played(policy: &Policy, members: [Member; 2], sequence: Vec<usize>) -> (Delivery, String, bool) {
    let pool = Pool { members, sequence, made: Mutex::default(), met: Mutex::default() };
    let endpoint = Endpoint { ip: address(0), port: 25 };
    let key = ProbeKey { endpoint, sni: Some(MxHost::new("mx.example")) };
    let now = RetryPlan { second_look_delay: Duration::ZERO, ..config(super::plan(0)).retry };
    let known = interrogate(&pool, policy, now, vec![(key, false)], &mut Haste).await.remove(0);
    let record = policy.endpoint(*known.observation, &known.assessments).0;
    let reason = record.outcome.reason.map(|reason| reason.to_string()).unwrap_or_default();
    (record.outcome.delivery, reason, pool.is_seen())
}

fn policy_of(sender: &str) -> Policy {
    Policy::new(Judge::new(Roots::default(), moment(0)), Sender::named(sender).unwrap())
}

#[tokio::test]
async fn of_a_pool_of_two_kinds_no_answer_is_told_that_only_one_gives() {
    const LENGTH: usize = 5;
    for sender in ["exchange-online", "postfix-may"] {
        let policy = policy_of(sender);
        let mut open = 0;
        for (place, one) in MEMBERS.iter().enumerate() {
            for other in &MEMBERS[..place] {
                let members = [*one, *other];
                let alone =
                    [played(&policy, members, vec![0]).await.0, played(&policy, members, vec![1]).await.0];
                for turns in 0..1usize << LENGTH {
                    let sequence: Vec<usize> = (0..LENGTH).map(|turn| turns >> turn & 1).collect();
                    let (delivery, reason, seen) = played(&policy, members, sequence.clone()).await;
                    let told = format!("{sender} {members:?} {alone:?} {sequence:?}: {delivery} {reason}");
                    assert!(delivery == Delivery::Undetermined || alone.contains(&delivery), "{told}");
                    let differ = alone[0] != alone[1] && !alone.contains(&Delivery::Undetermined);
                    if seen && differ {
                        assert_eq!(delivery, Delivery::Undetermined, "{told}");
                        open += 1;
                    }
                }
            }
        }
        assert!(open > 400, "{sender}: {open}");
    }
}

/// Of one kind alone something is known, which shows that the pools are not open for
/// want of an answer.
#[tokio::test]
async fn of_each_kind_alone_there_is_an_answer() {
    let (encrypted, deferred, plaintext) = (Delivery::Encrypted, Delivery::Deferred, Delivery::Plaintext);
    for (member, exchange_online, postfix) in [
        (Good, encrypted, encrypted),
        (Another, encrypted, encrypted),
        (OnlyAnother, deferred, encrypted),
        (BadSignature, deferred, plaintext),
        (BadCertificate, deferred, plaintext),
        (Marked, deferred, plaintext),
        (Illegal, deferred, plaintext),
        (DemandsCertificate, Delivery::Undetermined, plaintext),
        (NoStarttls, plaintext, plaintext),
        (RefusesStarttls, plaintext, plaintext),
        (NotNow, Delivery::Undetermined, plaintext),
        (Old, encrypted, encrypted),
        (OldBadSignature, deferred, plaintext),
        (OldBadCertificate, deferred, plaintext),
        (OldMarked, deferred, plaintext),
        (OldIllegal, deferred, plaintext),
    ] {
        for (sender, expected) in [("exchange-online", exchange_online), ("postfix-may", postfix)] {
            let (delivery, reason, _) = played(&policy_of(sender), [member; 2], vec![0]).await;
            assert_eq!(delivery, expected, "{sender} {member:?} {reason}");
        }
    }
}

/// Connections that a sequence costs, by which the second looks are seen.
#[tokio::test]
async fn a_second_look_is_made_at_what_decides() {
    for (sender, members, sequence, delivery, reason) in [
        ("exchange-online", [Another, Marked], &[0, 1][..], Delivery::Undetermined, "second_look_differs"),
        ("exchange-online", [Another, Illegal], &[0, 1], Delivery::Undetermined, "second_look_differs"),
        ("exchange-online", [Another, OnlyAnother], &[0, 1], Delivery::Deferred, "no_published_group"),
        (
            "exchange-online",
            [Another, OnlyAnother],
            &[0, 1, 0],
            Delivery::Undetermined,
            "second_look_differs",
        ),
        ("exchange-online", [Good, Marked], &[1, 1, 0], Delivery::Undetermined, "second_look_differs"),
        (
            "exchange-online",
            [Old, OldBadSignature],
            &[0, 1, 0],
            Delivery::Undetermined,
            "second_look_differs",
        ),
        ("exchange-online", [Old, OldBadSignature], &[0, 1], Delivery::Deferred, "tls_signature_failed"),
        (
            "postfix-may",
            [Good, DemandsCertificate],
            &[0, 1, 0],
            Delivery::Undetermined,
            "second_look_differs",
        ),
        ("postfix-may", [Good, NotNow], &[1, 0], Delivery::Undetermined, "second_look_differs"),
        ("exchange-online", [Good, NotNow], &[1, 0], Delivery::Encrypted, ""),
    ] {
        let told = played(&policy_of(sender), members, sequence.to_vec()).await;
        assert_eq!((told.0, &*told.1), (delivery, reason), "{sender} {members:?} {sequence:?}");
    }
}
