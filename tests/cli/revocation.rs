//! `mxray revocation`: lists and responders on loopback, asked about a chain
//! made for it.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, CustomExtension, DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

pub type Ca = CertifiedIssuer<'static, KeyPair>;

/// Connections that a server here takes before it ends.
const CONNECTIONS_MAX: usize = 16;

/// An HTTP server on loopback that answers by path; gives its address and the
/// requests that it gets.
pub fn serve(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().take(CONNECTIONS_MAX) {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap();
            request.truncate(length);
            let head = String::from_utf8_lossy(&request).into_owned();
            let _ = sender.send(request);
            match answer(head.split(' ').nth(1).unwrap_or_default()) {
                Some(bytes) => drop(stream.write_all(&bytes)),
                None => kept.push(stream),
            }
        }
    });
    (base, requests)
}

pub fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn moved(to: &str) -> Vec<u8> {
    http(&format!("302 Found\r\nLocation: {to}"), b"")
}

pub fn ca() -> Ca {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A list that has the certificate 7.
pub fn list(issuer: &Ca) -> Vec<u8> {
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2999, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(7),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: Some(rcgen::RevocationReason::Superseded),
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

/// An authority information access (RFC 5280 §4.2.2.1) that names a responder.
fn responder(url: &str) -> CustomExtension {
    let short = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let ocsp = short(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1]);
    let access = short(0x30, &[ocsp, short(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], short(0x30, &access))
}

/// A folder with `chain.pem`: a leaf that names these addresses, and its CA.
pub fn folder(issuer: &Ca, serial: u64, lists: &[String], responders: &[String]) -> Folder {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "mx.example");
    params.serial_number = Some(SerialNumber::from(serial));
    params.crl_distribution_points =
        lists.iter().map(|url| CrlDistributionPoint { uris: vec![url.clone()] }).collect();
    params.custom_extensions = responders.iter().map(|url| responder(url)).collect();
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap();
    Folder::new().with("chain.pem", leaf.pem() + &issuer.pem()).with("leaf.der", leaf.der())
}

pub fn ask(folder: &Folder, rest: &str) -> Ran {
    let words = format!("revocation chain.pem --chain-only --ehlo scanner.example {rest}");
    folder.run(words.split_whitespace())
}

/// Runs it over one address; holds it to a code and the line below the
/// address.
fn held(folder: &Folder, rest: &str, code: i32, line: &str) {
    let ran = ask(folder, rest);
    let told = ran.stdout.lines().nth(3).unwrap_or_default().trim();
    assert_eq!((ran.code, told), (Some(code), line), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_list_is_fetched_and_the_certificate_looked_up() {
    let issuer = ca();
    let bytes = list(&issuer);
    let (base, requests) = serve(move |path| match path {
        "/ca.crl" => Some(http("200 OK", &bytes)),
        "/moved" => Some(moved("/ca.crl")),
        _ => Some(http("404 Not Found", b"")),
    });
    let lists = |path: &str| [format!("{base}/{path}")];
    let good = "good: a list of 1, signature verified, next update 2999-01-01T00:00:00Z";
    held(&folder(&issuer, 6, &lists("ca.crl"), &[]), "--allow-private", 0, good);
    held(&folder(&issuer, 6, &lists("moved"), &[]), "--allow-private", 0, good);
    let revoked = "revoked: on 2026-05-01T00:00:00Z, for superseded, a list of 1, signature verified, \
                   next update 2999-01-01T00:00:00Z";
    held(&folder(&issuer, 7, &lists("ca.crl"), &[]), "--allow-private", 3, revoked);
    held(&folder(&issuer, 6, &lists("none"), &[]), "--allow-private", 4, "unreachable: HTTP 404");
    let small = "--allow-private --fetch-bytes 10";
    held(&folder(&issuer, 6, &lists("ca.crl"), &[]), small, 4, "unreachable: over 10 bytes");
    let seen = String::from_utf8(requests.recv().unwrap()).unwrap();
    let host = base.trim_start_matches("http://");
    assert!(
        seen.starts_with(&format!("GET /ca.crl HTTP/1.1\r\nhost: {host}\r\nuser-agent: mxray/")),
        "{seen}"
    );
}

#[test]
fn an_address_that_cannot_be_asked_takes_no_proof_away() {
    let issuer = ca();
    let bytes = list(&issuer);
    let (base, _requests) = serve(move |path| (path == "/ca.crl").then(|| http("200 OK", &bytes)));
    let ldap = "ldap://ldap.example/cn=ca?certificateRevocationList".to_string();
    let told = |lists: &[String], code: i32| {
        let ran = ask(&folder(&issuer, 6, lists, &[]), "--allow-private");
        assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    let both = told(&[ldap.clone(), format!("{base}/ca.crl")], 0);
    assert!(both.contains("not_asked: only plain HTTP is supported\n") && both.contains("good: "), "{both}");
    // Alone it proves nothing.
    told(&[ldap], 4);
}

#[test]
fn an_address_that_may_not_or_does_not_answer_is_unreachable() {
    let issuer = ca();
    let (base, requests) = serve(|path| match path {
        "/loop" => Some(moved("/loop")),
        "/secure" => Some(moved("https://127.0.0.1/")),
        "/noise" => Some(b"220 mx.example ESMTP\r\n".to_vec()),
        _ => None,
    });
    let at = |path: &str| folder(&issuer, 6, &[format!("{base}/{path}")], &[]);
    held(
        &at("private"),
        "",
        4,
        "unreachable: 127.0.0.1: connect: private_address: contacted with --allow-private only",
    );
    assert!(requests.try_recv().is_err(), "a private address was asked");
    let private = "--allow-private";
    held(&at("loop"), private, 4, "unreachable: over 3 redirects");
    held(&at("secure"), private, 4, "unreachable: HTTP: redirected to what is no address of plain HTTP");
    held(&at("silent"), "--allow-private --fetch-time 300ms", 4, "unreachable: no answer within 300ms");
    let noise = ask(&at("noise"), private);
    assert!(noise.stdout.contains("unreachable: HTTP: ") && noise.code == Some(4), "{}", noise.stdout);
    let ldap = folder(&issuer, 6, &["ldap://127.0.0.1/cn".to_string()], &[]);
    held(&ldap, private, 4, "not_asked: only plain HTTP is supported");
}

#[test]
fn a_port_that_is_none_is_not_dialled() {
    let issuer = ca();
    for url in
        ["http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://127.0.0.1:a/", "http://[::1]:65536/"]
    {
        let folder = folder(&issuer, 6, &[url.to_string()], &[url.to_string()]);
        let ran = ask(&folder, "--allow-private");
        let untold = ran.stdout.matches("        unreachable: not a plain HTTP address\n").count();
        assert_eq!((ran.code, untold), (Some(4), 2), "{url}: {}", ran.stdout);
    }
}

#[test]
fn a_redirect_may_be_relative_and_is_gated_like_the_first() {
    let issuer = ca();
    let bytes = list(&issuer);
    let (base, _requests) = serve(move |path| match path {
        "/lists/ca.crl" | "/lists/?ca" => Some(http("200 OK", &bytes)),
        "/lists/beside" => Some(moved("ca.crl")),
        "/lists/below/up" => Some(moved("../ca.crl#top")),
        "/lists/" => Some(moved("?ca")),
        "/blocked" => Some(moved("http://127.0.0.9:1/")),
        "/nowhere" => Some(moved("http://[::1/")),
        "/port" => Some(moved("http://127.0.0.1:99999/")),
        _ => Some(http("404 Not Found", b"")),
    });
    let at = |path: &str| folder(&issuer, 6, &[format!("{base}/{path}")], &[]).with("block", "127.0.0.9\n");
    let words = "--allow-private --blocklist block";
    let good = "good: a list of 1, signature verified, next update 2999-01-01T00:00:00Z";
    for path in ["lists/beside", "lists/below/up", "lists/"] {
        held(&at(path), words, 0, good);
    }
    held(&at("blocked"), words, 4, "unreachable: 127.0.0.9: connect: blocklisted");
    let other = "unreachable: HTTP: redirected to what is no address of plain HTTP";
    held(&at("nowhere"), words, 4, other);
    held(&at("port"), words, 4, other);
}

#[test]
fn a_head_that_is_too_much_is_told_with_its_limits() {
    let issuer = ca();
    let (base, _requests) = serve(|path| {
        let fields = match path {
            "/length" => "Content-Length: 18446744073709551615\r\n".to_string(),
            _ => "A: b\r\n".repeat(501),
        };
        Some(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes())
    });
    let told = "unreachable: HTTP: a head over 65536 bytes or 500 fields, or a length that no body has";
    for path in ["length", "fields"] {
        held(&folder(&issuer, 6, &[format!("{base}/{path}")], &[]), "--allow-private", 4, told);
    }
}

#[test]
fn a_responder_is_asked_by_post() {
    let issuer = ca();
    // OCSPResponse {tryLater} (RFC 6960 §4.2.1).
    let (base, requests) = serve(|_| Some(http("200 OK", &[0x30, 3, 10, 1, 3])));
    let folder = folder(&issuer, 6, &[], &[format!("{base}/ocsp")]);
    held(&folder, "--allow-private", 4, "unknown: the responder says try_later");
    let request = requests.recv().unwrap();
    let head = String::from_utf8_lossy(&request).into_owned();
    assert!(head.starts_with("POST /ocsp HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/ocsp-request\r\n"), "{head}");
}

#[test]
fn what_is_beyond_a_limit_is_told_and_not_determined() {
    let issuer = ca();
    let bytes = list(&issuer);
    let (base, _requests) = serve(move |_| Some(http("200 OK", &bytes)));
    let lists = |count: usize| (0..count).map(|i| format!("{base}/{i}.crl")).collect::<Vec<_>>();
    let ran = ask(&folder(&issuer, 6, &lists(17), &[]), "--allow-private");
    assert_eq!(ran.stdout.matches("        good: ").count(), 16, "{}", ran.stdout);
    assert!(ran.stdout.contains("\n  not determined: 1 further address not asked\n"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(4));

    let large = ask(&folder(&issuer, 6, &lists(2000), &[]), "--allow-private");
    let told = "  not determined: the certificate is too large to read, over 65536 bytes\n";
    assert!(large.stdout.contains(told), "{}", large.stdout);
    assert!(!large.stdout.contains('?') && !large.stdout.contains("names no"), "{}", large.stdout);
    assert_eq!(large.code, Some(4));

    let leaf = |serial| folder(&issuer, serial, &[], &[]).read("chain.pem");
    let many = Folder::new().with("chain.pem", (1..=66).map(leaf).collect::<String>());
    let ran = ask(&many, "");
    assert!(ran.stdout.ends_with("\nnot determined: 2 further certificates not asked\n\n"), "{}", ran.stdout);
}

#[test]
fn a_self_signed_certificate_is_told_as_what_it_is() {
    let ran = ask(&Folder::new().with("chain.pem", ca().pem()), "");
    let told = "\n  not determined: it is self-signed: no CA issued it, so none can revoke it\n\n";
    assert!(ran.stdout.ends_with(told), "{}{}", ran.stdout, ran.stderr);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(4), 4), "{}", ran.stdout);
}

#[test]
fn a_self_signed_server_is_not_determined() {
    let lab = Lab::playing(&["cert_self_signed"], 1);
    let ran = lab.folder.run(lab.args("revocation d1.example --allow-private --chain-only"));
    assert!(ran.stdout.contains("it is self-signed: no CA issued it"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(4));
}

#[test]
fn a_certificate_alone_proves_nothing() {
    let issuer = ca();
    let bytes = list(&issuer);
    let (base, _requests) = serve(move |_| Some(http("200 OK", &bytes)));
    let folder = folder(&issuer, 6, &[format!("{base}/ca.crl")], &[]);
    let ran =
        folder.run(["revocation", "leaf.der", "--chain-only", "--allow-private", "--ehlo", "a.example"]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("signature unverified, the issuer's certificate is not at hand"),
        "{}",
        ran.stdout
    );
}

#[test]
fn where_no_certificate_came_the_cause_is_told() {
    for (scenario, host, cause) in [
        ("best_nxdomain", "mx1.d1.example", "dns: nxdomain"),
        ("greeting_554", "mx1.d1.example (", "greeting: rejected (554)"),
        ("dns_nxdomain", "d1.example", "dns: nxdomain"),
    ] {
        let lab = Lab::playing(&[scenario], 1);
        let ran = lab.folder.run(lab.args("revocation d1.example --allow-private --chain-only"));
        let told = format!("mxray: no certificate from {host}");
        assert!(ran.stderr.contains(&told) && ran.stderr.contains(cause), "{scenario}: {}", ran.stderr);
        assert_eq!(ran.code, Some(4), "{scenario}: {}", ran.stdout);
    }
}

#[test]
fn a_domain_is_probed_and_the_published_addresses_are_reached_for() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let ran = lab.folder.run(lab.args("revocation d1.example --allow-private"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(4), ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("not determined: it names no revocation list"), "{}", ran.stdout);
    let published = "  host  http://secure.globalsign.com/\n        unreachable: dns: ";
    assert!(ran.stdout.contains(published), "{}", ran.stdout);
}

/// In the words in which every other command refuses it.
#[test]
fn a_url_is_no_file() {
    let ran = Folder::new().run(["revocation", "https://mx.example/a.pem", "--ehlo", "scanner.example"]);
    let told =
        "mxray: `https://mx.example/a.pem`: a URL, not a domain; try a DOMAIN, HOST:PORT or IP[:PORT]\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), told));
}
