//! Each manner of answering, asked in messages as a resolver sends them.

use super::*;
use std::net::Ipv6Addr;

fn zone() -> Zone {
    let mut zone = Zone::default();
    let node = |addresses: &[&str]| Node {
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        ..Node::default()
    };
    let manner = |manner| Node { manner, ..Node::default() };
    let mx = vec![(10, "mx1.a.example".to_string()), (20, "mx2.a.example".to_string())];
    zone.insert("a.example", Node { mx, ..Node::default() }).unwrap();
    zone.insert("mx1.a.example", node(&["127.1.0.1", "::1"])).unwrap();
    zone.insert("mx2.a.example", Node { alias: Some("mx1.a.example".into()), ..Node::default() }).unwrap();
    zone.insert("loose.example", Node { alias: Some("nowhere.example".into()), ..Node::default() }).unwrap();
    zone.insert("gone.example", manner(Manner::Nxdomain)).unwrap();
    zone.insert("broken.example", manner(Manner::Servfail)).unwrap();
    zone.insert("silent.example", manner(Manner::Silence)).unwrap();
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
    assert_eq!((reply.metadata.id, reply.metadata.authoritative), (7, true));
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
    let node = || Node { manner: Manner::Servfail, ..Node::default() };
    assert!(zone.insert("broken.example", node()).is_ok());
    assert!(matches!(zone.insert("a.example", node()), Err(LabError::NameCollision(_))));
    let long = format!("{}.example", "a".repeat(64));
    assert!(matches!(zone.insert(&long, node()), Err(LabError::NameTooLong(_))));
}
