//! Each manner of answering, asked in messages as a resolver sends them.

use super::*;
use std::net::Ipv6Addr;

fn zone() -> Zone {
    let mut zone = Zone::default();
    let node = |addresses: &[&str]| Node {
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        ..Node::default()
    };
    let answering = |answers| Node { answers, ..Node::default() };
    let mx = vec![(10, "mx1.a.example".to_string()), (20, "mx2.a.example".to_string())];
    zone.insert("a.example", Node { mx, ..Node::default() }).unwrap();
    zone.insert("mx1.a.example", node(&["127.1.0.1", "::1"])).unwrap();
    zone.insert("mx2.a.example", Node { alias: Some("mx1.a.example".into()), ..Node::default() }).unwrap();
    zone.insert("loose.example", Node { alias: Some("nowhere.example".into()), ..Node::default() }).unwrap();
    zone.insert("gone.example", answering(Answers::Nxdomain)).unwrap();
    zone.insert("broken.example", answering(Answers::Servfail)).unwrap();
    zone.insert("silent.example", answering(Answers::Timeout)).unwrap();
    zone.insert("cut.example", Node { truncate: true, ..node(&["127.1.0.2"]) }).unwrap();
    let mx = (0..40).map(|n| (n, format!("a-rather-long-name-of-a-host-{n}.big.example"))).collect();
    zone.insert("big.example", Node { mx, ..Node::default() }).unwrap();
    zone
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut request = Message::new(7, MessageType::Query, OpCode::Query);
    request.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    request
}

fn ask(request: &Message, transport: Transport) -> Option<Message> {
    let (_, reply) = zone().answer(&request.to_vec().unwrap(), transport)?;
    reply.map(|bytes| Message::from_vec(&bytes).unwrap())
}

fn over_udp(name: &str, kind: RecordType) -> Message {
    ask(&question(name, kind), Transport::Udp).unwrap()
}

fn data(reply: &Message) -> Vec<String> {
    reply.answers.iter().map(|record| record.data.to_string()).collect()
}

#[test]
fn records_are_answered_with() {
    let reply = over_udp("A.Example.", RecordType::MX);
    assert_eq!(data(&reply), ["10 mx1.a.example.", "20 mx2.a.example."]);
    assert_eq!((reply.metadata.id, reply.metadata.recursion_available), (7, true));
    assert_eq!(data(&over_udp("mx1.a.example.", RecordType::A)), ["127.1.0.1"]);
    let v6 = over_udp("mx1.a.example.", RecordType::AAAA);
    assert_eq!(v6.answers[0].data, RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)));
}

#[test]
fn an_alias_comes_with_what_it_stands_for() {
    assert_eq!(data(&over_udp("mx2.a.example.", RecordType::A)), ["mx1.a.example.", "127.1.0.1"]);
    let loose = over_udp("loose.example.", RecordType::A);
    assert_eq!(loose.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(data(&loose), ["nowhere.example."]);
}

#[test]
fn what_is_not_there_is_told_apart() {
    for (name, code) in [
        ("gone.example.", ResponseCode::NXDomain),
        ("never.example.", ResponseCode::NXDomain),
        ("mx1.a.example.", ResponseCode::NoError),
        ("broken.example.", ResponseCode::ServFail),
    ] {
        let reply = over_udp(name, RecordType::MX);
        assert_eq!(reply.metadata.response_code, code, "{name}");
        assert!(reply.answers.is_empty());
        assert_eq!(reply.authorities.len(), usize::from(code != ResponseCode::ServFail), "{name}");
    }
    assert!(ask(&question("silent.example.", RecordType::MX), Transport::Udp).is_none());
    assert!(ask(&question("silent.example.", RecordType::MX), Transport::Tcp).is_none());
}

#[test]
fn an_answer_is_cut_over_udp_alone() {
    let cut = question("cut.example.", RecordType::A);
    let over_udp = ask(&cut, Transport::Udp).unwrap();
    assert!(over_udp.metadata.truncation && over_udp.answers.is_empty());
    let over_tcp = ask(&cut, Transport::Tcp).unwrap();
    assert!(!over_tcp.metadata.truncation);
    assert_eq!(data(&over_tcp), ["127.1.0.2"]);
}

#[test]
fn an_answer_that_does_not_fit_is_cut() {
    let mut request = question("big.example.", RecordType::MX);
    assert!(ask(&request, Transport::Udp).unwrap().metadata.truncation);
    assert_eq!(ask(&request, Transport::Tcp).unwrap().answers.len(), 40);
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    request.set_edns(edns);
    let reply = ask(&request, Transport::Udp).unwrap();
    assert!(reply.metadata.truncation && reply.edns.is_some());
}

#[test]
fn what_is_no_question_is_left_alone() {
    let zone = zone();
    assert!(zone.answer(b"", Transport::Udp).is_none());
    assert!(zone.answer(&[0xff; 40], Transport::Udp).is_none());
    let reply = over_udp("a.example.", RecordType::MX).to_vec().unwrap();
    assert!(zone.answer(&reply, Transport::Udp).is_none());
    let mut update = question("a.example.", RecordType::SOA);
    update.metadata.op_code = OpCode::Notify;
    let reply = ask(&update, Transport::Udp).unwrap();
    assert_eq!(reply.metadata.response_code, ResponseCode::NotImp);
}

#[test]
fn a_name_stands_for_one_thing() {
    let mut zone = zone();
    let node = || Node { answers: Answers::Servfail, ..Node::default() };
    assert!(zone.insert("broken.example", node()).is_ok());
    assert!(matches!(zone.insert("a.example", node()), Err(LabError::NameCollision(_))));
    let long = format!("{}.example", "a".repeat(64));
    assert!(matches!(zone.insert(&long, node()), Err(LabError::NameTooLong(_))));
}

fn signed_zone() -> Zone {
    let mut zone = Zone::default();
    let at = |name: &str| Node { addresses: vec![name.parse().unwrap()], ..Node::default() };
    let signed = |node: Node| Node { signed: true, ..node };
    let alias = |to: &str| Node { alias: Some(to.to_string()), ..Node::default() };
    let answering = |answers| Node { answers, ..Node::default() };
    let mut enter = |name: &str, node: Node| zone.insert(name, node).unwrap();
    enter("s.example", signed(Node { mx: vec![(1, "mx.s.example".into())], ..Node::default() }));
    enter("mx.s.example", signed(at("127.1.0.1")));
    enter(
        "_25._tcp.mx.s.example",
        signed(Node { tlsa: vec![vec![3, 1, 1, 7], vec![3, 1, 1]], ..Node::default() }),
    );
    enter("_25._tcp.empty.example", Node { tlsa: vec![vec![]], ..Node::default() });
    enter("_smtp._tls.s.example", signed(Node { txt: vec!["a\nb".into(), "c".into()], ..Node::default() }));
    enter("to-plain.s.example", signed(alias("plain.example")));
    enter("to-signed.s.example", signed(alias("mx.s.example")));
    enter("plain.example", at("127.1.0.2"));
    enter("to-signed.plain.example", alias("mx.s.example"));
    enter("bogus.example", Node { answers: Answers::Bogus, ..signed(at("127.1.0.3")) });
    enter("to-bogus.s.example", signed(alias("bogus.example")));
    enter("to-broken.s.example", signed(alias("broken.example")));
    enter("broken.example", signed(answering(Answers::Servfail)));
    enter("mute.example", signed(answering(Answers::Notimp)));
    zone
}

/// Rcode, AD and the number of records of what `zone` answers.
fn validated(zone: &Zone, name: &str, kind: RecordType, disabled: bool) -> (ResponseCode, bool, usize) {
    let mut request = question(name, kind);
    request.metadata.authentic_data = true;
    request.metadata.checking_disabled = disabled;
    let (_, reply) = zone.answer(&request.to_vec().unwrap(), Transport::Udp).unwrap();
    let reply = Message::from_vec(&reply.unwrap()).unwrap();
    (reply.metadata.response_code, reply.metadata.authentic_data, reply.answers.len())
}

#[test]
fn what_is_signed_all_the_way_comes_with_ad() {
    use RecordType::{A, CNAME, DNSKEY, MX, TLSA};
    use ResponseCode::{NXDomain, NoError, NotImp, ServFail};
    let zone = signed_zone();
    for (name, kind, expected) in [
        (".", DNSKEY, (NoError, true, 1)),
        ("s.example.", MX, (NoError, true, 1)),
        ("mx.s.example.", A, (NoError, true, 1)),
        ("mx.s.example.", MX, (NoError, true, 0)),
        ("_25._tcp.mx.s.example.", TLSA, (NoError, true, 2)),
        ("_26._tcp.mx.s.example.", TLSA, (NXDomain, true, 0)),
        ("plain.example.", A, (NoError, false, 1)),
        ("_25._tcp.plain.example.", TLSA, (NXDomain, false, 0)),
        ("nowhere.", A, (NXDomain, false, 0)),
        ("to-signed.s.example.", A, (NoError, true, 2)),
        ("to-plain.s.example.", A, (NoError, false, 2)),
        ("to-plain.s.example.", CNAME, (NoError, true, 1)),
        ("to-signed.plain.example.", A, (NoError, false, 2)),
        ("bogus.example.", A, (ServFail, false, 0)),
        ("_25._tcp.bogus.example.", TLSA, (ServFail, false, 0)),
        ("to-bogus.s.example.", A, (ServFail, false, 0)),
        ("to-broken.s.example.", A, (ServFail, false, 0)),
        ("broken.example.", A, (ServFail, false, 0)),
        ("mute.example.", A, (NotImp, false, 0)),
    ] {
        assert_eq!(validated(&zone, name, kind, false), expected, "{name} {kind}");
    }
    for (name, expected) in [
        ("bogus.example.", (NoError, false, 1)),
        ("to-bogus.s.example.", (NoError, false, 2)),
        ("mx.s.example.", (NoError, false, 1)),
        ("broken.example.", (ServFail, false, 0)),
    ] {
        assert_eq!(validated(&zone, name, A, true), expected, "{name} with CD");
    }
}

#[test]
fn ad_is_for_those_who_want_to_know() {
    let zone = signed_zone();
    let ad = |request: &Message| {
        let (_, reply) = zone.answer(&request.to_vec().unwrap(), Transport::Udp).unwrap();
        Message::from_vec(&reply.unwrap()).unwrap().metadata.authentic_data
    };
    let mut request = question("s.example.", RecordType::MX);
    assert!(!ad(&request));
    let mut edns = Edns::new();
    request.set_edns(edns.clone());
    assert!(!ad(&request));
    request.set_edns(edns.set_dnssec_ok(true).clone());
    assert!(ad(&request));
}

#[test]
fn a_resolver_that_does_not_validate_sees_nothing_wrong() {
    let zone = Zone { validating: false, ..signed_zone() };
    for name in [".", "s.example.", "bogus.example."] {
        let kind = if name == "." { RecordType::DNSKEY } else { RecordType::A };
        let (code, ad, _) = validated(&zone, name, kind, false);
        assert_eq!((code, ad), (ResponseCode::NoError, false), "{name}");
    }
}

#[test]
fn texts_and_tlsa_records_are_answered_with_as_they_are() {
    let zone = signed_zone();
    let ask = |name: &str, kind| {
        let (_, reply) = zone.answer(&question(name, kind).to_vec().unwrap(), Transport::Udp).unwrap();
        reply.unwrap()
    };
    let texts = Message::from_vec(&ask("_smtp._tls.s.example.", RecordType::TXT)).unwrap();
    assert_eq!(data(&texts), ["ab", "c"]);
    assert_eq!(texts.answers[0].data, RData::TXT(TXT::from_bytes(vec![b"a", b"b"])));
    // Type TLSA, class IN, the time to live, and four octets; then none.
    let tlsa = ask("_25._tcp.mx.s.example.", RecordType::TLSA);
    let record = [0, 52, 0, 1, 0, 0, 1, 44, 0, 4, 3, 1, 1, 7];
    assert!(tlsa.windows(record.len()).any(|part| part == record), "{tlsa:?}");
    // hickory-proto reads no record of less than three.
    let empty = ask("_25._tcp.empty.example.", RecordType::TLSA);
    assert!(empty.ends_with(&[0, 52, 0, 1, 0, 0, 1, 44, 0, 0]), "{empty:?}");
}
