//! The TLSA records of the fleet are those of the certificates that its servers
//! show: asked by a resolver and a TLS client that share no code with it.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used)]

mod lab_client;
mod lab_scenario;

use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::rdata::TLSA;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use lab_client::ask;
use mxray::internals::lab::Fleet;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256, Sha512};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, X509Certificate};

/// More than any server of the fleet takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

const TABLES: &str = r#"
[dns]
signed = true
exchanges = [
    { host = "mx1", server = "mx", cname = "real", tlsa = TLSA, cname_tlsa = { records = ["3 0 1"], cname = "elsewhere" } },
]

[server.mx.tls.certificate]
send = "with_root"
"#;

async fn fleet(tlsa: &str) -> Fleet {
    lab_scenario::fleet(&TABLES.replace("TLSA", tlsa)).await
}

/// The chain that the host shows for this name.
async fn chain(fleet: &Fleet, name: &str) -> Vec<CertificateDer<'static>> {
    let at = SocketAddr::new(fleet.endpoints()[0].ip, fleet.smtp_port());
    ask(at, Some(name), PATIENCE).await.chain
}

/// The TLSA records at this name, and whether they come with AD.
async fn records(fleet: &Fleet, name: &str) -> (Vec<TLSA>, bool) {
    let mut request = Message::new(7, MessageType::Query, OpCode::Query);
    request.metadata.authentic_data = true;
    request.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::TLSA));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&request.to_vec().unwrap(), fleet.dns_addr()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let length = timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap().unwrap();
    let reply = Message::from_vec(&buffer[..length]).unwrap();
    let tlsa = |data| match data {
        RData::TLSA(tlsa) => Some(tlsa),
        _ => None,
    };
    let records = reply.answers.into_iter().filter_map(|record| tlsa(record.data)).collect();
    (records, reply.metadata.authentic_data)
}

fn public_key(certificate: &[u8]) -> Vec<u8> {
    X509Certificate::from_der(certificate).unwrap().1.tbs_certificate.subject_pki.raw.to_vec()
}

/// What a record of these numbers holds of a certificate (RFC 6698 §2.1).
fn association(certificate: &[u8], selector: u8, matching_type: u8) -> Vec<u8> {
    let data = if selector == 1 { public_key(certificate) } else { certificate.to_vec() };
    match matching_type {
        0 => data,
        1 => Sha256::digest(&data).to_vec(),
        _ => Sha512::digest(&data).to_vec(),
    }
}

#[tokio::test]
async fn records_are_those_of_what_the_server_shows() {
    for (depth, usage, source) in [(0, 3, "leaf"), (1, 2, "issuer"), (2, 2, "root")] {
        for selector in [0, 1] {
            for matching_type in [0, 1, 2] {
                let spec = format!("[\"{usage} {selector} {matching_type} {source}\"]");
                let fleet = fleet(&spec).await;
                let chain = chain(&fleet, "mx1.a.example").await;
                let (records, ad) = records(&fleet, "_25._tcp.mx1.a.example.").await;
                assert!(ad && records.len() == 1, "{spec}");
                let expected = association(&chain[depth], selector, matching_type);
                assert_eq!(records[0].cert_data, expected, "{spec}");
                fleet.shutdown().await;
            }
        }
    }
}

#[tokio::test]
async fn an_alias_has_records_of_its_own_name() {
    let fleet = fleet("{ records = [\"3 0 1 wrong\"], signed = false, more = 2 }").await;
    let (of_host, ad) = records(&fleet, "_25._tcp.mx1.a.example.").await;
    assert!(!ad && of_host.len() == 3);
    let shown = chain(&fleet, "mx1.a.example").await;
    assert!(of_host.iter().all(|record| *record.cert_data != association(&shown[0], 0, 1)));
    let (of_alias, ad) = records(&fleet, "_25._tcp.real.a.example.").await;
    assert!(ad && of_alias.len() == 1);
    let shown = chain(&fleet, "real.a.example").await;
    assert_eq!(of_alias[0].cert_data, association(&shown[0], 0, 1));
    fleet.shutdown().await;
}
