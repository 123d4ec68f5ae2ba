//! Tests of the figures and the report of a run of `mxray receive`.

use super::*;
use crate::model::inbound::SessionResult::{HandshakeFailed, MailInClear, MailInTls, TlsWithoutMail};
use crate::model::inbound::fixtures::session;
use crate::model::inbound::{
    ClientChain, Comeback, InboundAcceptance, InboundCause, InboundRefusal, InboundSession, InboundVerdict,
    JudgedSession, MailVerdict, NamedCause, PathDomain, SENDERS_MAX, SessionResult, UnmetDemand,
};
use crate::model::{
    CertificateFacts, ChainStatus, DateStatus, KeyStatus, ProtocolVersion, Sha256, SignatureCheck,
};
use crate::report::{markdown, page};
use std::sync::Arc;

const ONE: [u8; 4] = [192, 0, 2, 1];

/// A session whose client showed a certificate, judged so.
fn with_certificate(
    signature: SignatureCheck,
    chain: ChainStatus,
    dates: DateStatus,
) -> (InboundSession, JudgedSession) {
    let mut session = session(0, ONE, "a.example", MailInTls);
    if let Some(tls) = &mut session.tls {
        tls.chain = vec![Arc::from(*b"a certificate")];
        tls.signature = Some(signature);
        tls.version = Some(ProtocolVersion::TLS13);
    }
    let key = KeyStatus::Strong;
    let (chain_detail, root, named, named_cause) = (None, None, None, None);
    let axes = ClientChain { chain, chain_detail, root, dates, key, named, named_cause };
    (session, JudgedSession { client_certificate: Some(axes), verdicts: None })
}

fn leaf() -> CertificateFacts {
    CertificateFacts {
        sha256: Sha256([7; 32]),
        spki_sha256: None,
        version: Some(3),
        subject: Some("CN=out.partner.example".to_string()),
        issuer: None,
        common_name: None,
        dns_names: Vec::new(),
        ip_addresses: Vec::new(),
        serial: None,
        not_before: None,
        not_after: None,
        key_algorithm: None,
        key_bits: None,
        signature_algorithm: None,
        extended_key_usages: Vec::new(),
        is_ca: false,
        self_signed: false,
        ocsp_urls: Vec::new(),
        issuer_urls: Vec::new(),
        crl_urls: Vec::new(),
        defect: None,
    }
}

/// What [`ReceivedFigures`] are told at the end of sessions with `a.example`.
fn end(figures: &mut ReceivedFigures, comebacks: Vec<Comeback>) {
    let mut sender = fixtures::sender("a.example", figures.sessions, 0);
    sender.seen.comebacks = comebacks;
    figures.end(vec![sender.seen], 0);
}

#[test]
fn a_certificate_is_worth_what_its_key_its_chain_and_its_dates_are() {
    use CertificateState::{DoesNotHold, Holds, NotDetermined};
    let limit = || SignatureCheck::Unverifiable("a limit".into());
    let (valid, dates) = (ChainStatus::Valid, DateStatus::Valid);
    for (signature, chain, dates, expected) in [
        (SignatureCheck::Verified, valid, dates, Holds),
        (SignatureCheck::Failed, valid, dates, DoesNotHold),
        (limit(), valid, dates, NotDetermined),
        (SignatureCheck::NotShown, valid, dates, NotDetermined),
        (SignatureCheck::Verified, ChainStatus::SelfSigned, dates, DoesNotHold),
        (SignatureCheck::Verified, ChainStatus::Unverifiable, dates, NotDetermined),
        (SignatureCheck::Verified, valid, DateStatus::Expired, DoesNotHold),
        (SignatureCheck::Verified, valid, DateStatus::Unreadable, NotDetermined),
        (limit(), ChainStatus::SelfSigned, dates, DoesNotHold),
    ] {
        let (session, judged) = with_certificate(signature.clone(), chain, dates);
        let found = CertificateState::of(session.tls.as_ref().unwrap(), &judged);
        assert_eq!(found, Some(expected), "{signature:?} {chain} {dates}");
    }
    let (session, _) = with_certificate(SignatureCheck::Verified, valid, dates);
    let tls = session.tls.as_ref().unwrap();
    let judged = JudgedSession::default();
    assert_eq!(CertificateState::of(tls, &judged), Some(CertificateState::NotJudged));
}

#[test]
fn the_worst_certificate_of_a_sender_is_told_and_the_number_of_proofs() {
    let mut figures = ReceivedFigures::default();
    for (signature, chain) in [
        (SignatureCheck::Verified, ChainStatus::Valid),
        (SignatureCheck::Failed, ChainStatus::SelfSigned),
        (SignatureCheck::Verified, ChainStatus::Valid),
    ] {
        let (session, judged) = with_certificate(signature, chain, DateStatus::Valid);
        figures.add(&session, Some(&leaf()), &judged);
    }
    end(&mut figures, Vec::new());
    let [sender] = figures.senders.as_slice() else { panic!("one sender") };
    let observed = &sender.observed;
    assert_eq!((observed.with_certificate, observed.key_proven), (3, 2));
    assert_eq!(observed.certificate_state, Some(CertificateState::DoesNotHold));
    let certificate = figures.certificates.get(&Sha256([7; 32])).unwrap();
    assert_eq!((certificate.sessions, certificate.key_proven), (3, 2));
    assert_eq!(certificate.axes, Some(["valid", "valid", "strong"]));
    assert_eq!(sender_record(sender)[14], "does_not_hold");
    let told = markdown(&received_document(&figures, &AboutReceiveRun::default()));
    assert!(told.contains("key proven in 2 of 3 sessions; chain valid, dates valid, key strong"), "{told}");
}

#[test]
fn whether_a_certificate_is_the_one_that_is_named_is_told_where_one_is() {
    let told = |named: &[(Option<bool>, Option<NamedCause>)]| {
        let mut figures = ReceivedFigures::default();
        for (named, cause) in named {
            let (session, mut judged) =
                with_certificate(SignatureCheck::Verified, ChainStatus::Valid, DateStatus::Valid);
            let chain = judged.client_certificate.as_mut().unwrap();
            (chain.named, chain.named_cause) = (*named, *cause);
            figures.add(&session, Some(&leaf()), &judged);
        }
        end(&mut figures, Vec::new());
        let certificate = figures.certificates.get(&Sha256([7; 32])).unwrap();
        let record = client_certificate_record(certificate);
        let page = markdown(&received_document(&figures, &AboutReceiveRun::default()));
        let is_told = page.contains("The one that is named");
        (sender_record(&figures.senders[0])[15].clone(), record[9].clone(), is_told)
    };
    let (yes, no) = ((Some(true), None), (Some(false), None));
    let open = (None, Some(NamedCause::KeyNotProven));
    let cells = |sender: &str, last: &str, is_told| (sender.to_string(), last.to_string(), is_told);
    assert_eq!(told(&[(None, None)]), cells("", "", false));
    assert_eq!(told(&[yes]), cells("yes", "yes", true));
    assert_eq!(told(&[open, yes]), cells("undetermined:key_not_proven", "yes", true));
    assert_eq!(told(&[no, yes]), cells("no", "yes", true));
}

#[test]
fn all_that_came_again_is_told_in_one_sentence() {
    let again = |after_s, result| Comeback::Again { after_s, result, other_offer: None };
    let told = |comebacks: &[Comeback]| comebacks_words(comebacks);
    assert_eq!(told(&[]), "");
    assert_eq!(told(&[again(3, MailInClear)]), "MAIL in clear 3 s later");
    let nothing = "nothing came; what became of the mail is not seen here";
    assert_eq!(told(&[Comeback::NothingCame]), nothing);
    let tried = [again(3, HandshakeFailed), again(1, SessionResult::Nothing), Comeback::NothingCame];
    let expected = "it came again 2 times (after 3 s, 1 s), never with TLS or MAIL; then ";
    assert_eq!(told(&tried), format!("{expected}{nothing}"));
    let mixed = [again(3, HandshakeFailed), again(1, MailInClear)];
    assert_eq!(told(&mixed), "it came again 2 times (after 3 s, 1 s), 1 with MAIL in clear");
    let open = [again(3, MailInTls), Comeback::RunEnded];
    let expected =
        "it came again once (after 3 s), 1 with MAIL inside TLS; after that not determined, the run";
    assert!(told(&open).starts_with(expected), "{}", told(&open));
    assert!(told(&[again(1, MailInTls); 9]).contains("(after 1 s, 1 s, 1 s, 1 s, 1 s, …)"));
}

#[test]
fn sessions_are_counted_by_what_they_came_to() {
    let mut figures = ReceivedFigures::default();
    for (result, count) in [(MailInTls, 3), (MailInClear, 2), (TlsWithoutMail, 1), (HandshakeFailed, 4)] {
        for second in 0..count {
            figures.add(&session(second, ONE, "a.example", result), None, &JudgedSession::default());
        }
    }
    let again = |result: SessionResult| Comeback::Again { after_s: 1, result, other_offer: None };
    end(&mut figures, vec![again(MailInClear), again(MailInClear), Comeback::NothingCame]);
    let document = received_document(&figures, &AboutReceiveRun::default());
    let parts: Vec<(&str, u64)> = document.parts.iter().map(|part| (part.name.as_str(), part.part)).collect();
    let expected =
        [("MAIL inside TLS", 3), ("MAIL in clear", 2), ("TLS, no MAIL", 1), ("Handshake failed", 4)];
    assert_eq!(parts[..4], expected);
    assert_eq!(document.title, "What clients did: 10 sessions of 1 sender");
    assert!(document.notices[0].starts_with("TLS encrypts the connection, not the message. "));
    let told = markdown(&document);
    assert!(told.contains("| the client | the client left | 4 | 100.0 % |"), "{told}");
    assert!(told.contains("| it came again, with MAIL in clear | 2 | 66.7 % |"), "{told}");
    assert!(told.contains("\n| Session | Sessions | Share |"), "{told}");
}

#[test]
fn verdicts_are_told_with_connector_code_and_words() {
    let refusal = |why| InboundRefusal::new(why, Some("Contoso-in".into()));
    let verdicts = [
        InboundVerdict::Accepted(InboundAcceptance::Connectors(vec!["A".into(), "B".into()])),
        InboundVerdict::Accepted(InboundAcceptance::Ordinary),
        InboundVerdict::Rejected(vec![refusal(UnmetDemand::Certificate)]),
        InboundVerdict::NotDetermined(InboundCause::KeyNotProven),
    ];
    let verdicts = verdicts.map(|verdict| MailVerdict { mail: 1, recipient: PathDomain::Null, verdict });
    let judged = JudgedSession { client_certificate: None, verdicts: Some(verdicts.to_vec()) };
    let mut figures = ReceivedFigures::default();
    let one = session(0, ONE, "a.example", MailInTls);
    figures.add(&one, None, &judged);
    end(&mut figures, Vec::new());
    let told = markdown(&received_document(&figures, &AboutReceiveRun::default()));
    for row in [
        "| accepted | by A or B | 1 | 25.0 % |",
        "| accepted | as ordinary mail | 1 | 25.0 % |",
        "| rejected | **550 5.7.51 (RestrictDomainsToCertificate of Contoso-in)** TenantInboundAttribution; There is",
        "| not determined | the certificate bears the name, and its key is not proven | 1 |",
    ] {
        assert!(told.contains(row), "{row}: {told}");
    }
    let [sender] = figures.senders.as_slice() else { panic!("one sender") };
    assert_eq!(sender_record(sender)[16..20], ["2", "1", "1", "550 5.7.51"]);
    let mut without = ReceivedFigures::default();
    without.add(&one, None, &JudgedSession::default());
    let told = markdown(&received_document(&without, &AboutReceiveRun::default()));
    assert!(!told.contains("inbound connectors"), "nothing was held against connectors: {told}");
}

/// Whatever a client calls itself is text, and what grows has a limit.
#[test]
fn names_are_text_and_senders_bounded() {
    let hostile = "<script>alert(1)</script>|\u{202e}";
    let mut figures = ReceivedFigures::default();
    for number in 0..=SENDERS_MAX {
        let name = if number == 0 { hostile.to_string() } else { format!("d{number}.example") };
        figures.add(&session(0, ONE, &name, MailInTls), None, &JudgedSession::default());
    }
    let senders = (0..SENDERS_MAX).map(|number| fixtures::sender(&format!("d{number}.example"), 1, 0).seen);
    let first = fixtures::sender(hostile, 1, 0).seen;
    figures.end(std::iter::once(first).chain(senders.skip(1)).collect(), 1);
    let document = received_document(&figures, &AboutReceiveRun::default());
    let (html, text) = (page(&document), markdown(&document));
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
    assert!(!text.contains('\u{202e}') && !html.contains('\u{202e}'));
    let told = "200 of 1,000 senders are shown. The sessions of all are in sessions.jsonl.";
    assert!(text.contains(told), "{text}");
    assert!(
        text.contains("The first 1,000 senders are told apart; 1 session of others are counted"),
        "{text}"
    );
    assert!(document.title.ends_with("of at least 1,000 senders"), "{}", document.title);
}
