//! What a server by script answers, hello by hello.

use super::*;

fn legacy(text: &str) -> Legacy {
    toml::from_str(text).unwrap()
}

fn suites(names: &[&str]) -> Vec<CipherSuite> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn hello(version: ProtocolVersion, names: &[&str]) -> ClientOffer {
    ClientOffer {
        suites: suites(names),
        supported_versions: if version == ProtocolVersion::TLS13 { vec![version] } else { Vec::new() },
        ..ClientOffer::new(version.min(ProtocolVersion::TLS12))
    }
}

fn ask(legacy: &Legacy, hello: &ClientOffer) -> ServerDecision {
    legacy.answer(hello, 100, LeafKeyKind::Rsa2048)
}

fn agrees(legacy: &Legacy, hello: &ClientOffer) -> Choice {
    match ask(legacy, hello) {
        ServerDecision::Agrees(choice) => choice,
        other => panic!("{other:?}"),
    }
}

const RC4: &str = "TLS_RSA_WITH_RC4_128_SHA";
const AES: &str = "TLS_RSA_WITH_AES_128_CBC_SHA";
const ECDHE: &str = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
const AES_13: &str = "TLS_AES_128_GCM_SHA256";

#[test]
fn the_newest_version_in_common_is_taken_as_its_reader_finds_it() {
    let old = legacy(&format!("suites = {{ 'SSLv3' = ['{RC4}'], 'TLSv1.0' = ['{AES}'] }}"));
    for (offered, expected) in
        [(ProtocolVersion::TLS12, AES), (ProtocolVersion::TLS10, AES), (ProtocolVersion::SSL3, RC4)]
    {
        assert_eq!(agrees(&old, &hello(offered, &[RC4, AES])).suite.name(), expected);
    }
    // A server that never heard of TLS 1.3 reads the legacy version.
    let mut modern = hello(ProtocolVersion::TLS13, &[AES]);
    assert_eq!(agrees(&old, &modern).version, ProtocolVersion::TLS10);
    let new = legacy(&format!("suites = {{ 'TLSv1.0' = ['{AES}'], 'TLSv1.3' = ['{AES_13}'] }}"));
    assert_eq!(ask(&new, &modern), ServerDecision::NoSuite);
    modern.supported_versions = vec![ProtocolVersion::TLS11];
    assert_eq!(ask(&new, &modern), ServerDecision::NoVersion);
}

#[test]
fn preference_decides_between_suites_in_common() {
    let mut server = legacy(&format!("suites = {{ 'TLSv1.0' = ['{AES}', '{RC4}'] }}"));
    let hello = hello(ProtocolVersion::TLS10, &[ECDHE, RC4, AES]);
    assert_eq!(agrees(&server, &hello).suite.name(), AES);
    server.preference = SuitePreference::Client;
    assert_eq!(agrees(&server, &hello).suite.name(), RC4);
    assert_eq!(ask(&server, &self::hello(ProtocolVersion::TLS10, &[ECDHE])), ServerDecision::NoSuite);
}

#[test]
fn a_suite_without_group_or_scheme_in_common_is_passed_over() {
    let server = legacy(&format!("groups = ['secp384r1']\nsuites = {{ 'TLSv1.2' = ['{ECDHE}', '{AES}'] }}"));
    let mut hello = hello(ProtocolVersion::TLS12, &[ECDHE, AES]);
    assert_eq!(agrees(&server, &hello).group, Some(NamedGroup(24)));
    hello.groups = vec![NamedGroup(23)];
    let choice = agrees(&server, &hello);
    assert_eq!((choice.suite.name().as_ref(), choice.group), (AES, None));
    hello.groups = vec![NamedGroup(24)];
    hello.signature_schemes = vec![SignatureScheme(0x0804)];
    assert_eq!(agrees(&server, &hello).suite.name(), AES);
    hello.signature_schemes.push(SignatureScheme(0x0401));
    assert_eq!(agrees(&server, &hello).suite.name(), ECDHE);
}

#[test]
fn a_missing_share_asks_for_another_hello() {
    let server = legacy(&format!("groups = ['secp384r1']\nsuites = {{ 'TLSv1.3' = ['{AES_13}'] }}"));
    let mut hello = hello(ProtocolVersion::TLS13, &[AES_13]);
    hello.groups = vec![NamedGroup(29), NamedGroup(24)];
    hello.shared_groups = vec![NamedGroup(29)];
    assert!(agrees(&server, &hello).retry);
    hello.shared_groups = vec![NamedGroup(24)];
    assert!(!agrees(&server, &hello).retry);
}

#[test]
fn what_the_server_stumbles_over_is_not_looked_at() {
    let text = format!(
        "suites = {{ 'TLSv1.2' = ['{AES}'] }}\n\
         intolerant = {{ hello_bytes_over = 255, tls13 = true, answer = {{ then = 'close' }} }}"
    );
    let server = legacy(&text);
    let mut asked = hello(ProtocolVersion::TLS12, &[AES]);
    assert_eq!(agrees(&server, &asked).suite.name(), AES);
    assert_eq!(server.answer(&asked, 255, LeafKeyKind::Rsa2048), ask(&server, &asked));
    assert_eq!(server.answer(&asked, 256, LeafKeyKind::Rsa2048), ServerDecision::Stumbles);
    asked.supported_versions = vec![ProtocolVersion::TLS13];
    assert_eq!(ask(&server, &asked), ServerDecision::Stumbles);
}

#[test]
fn what_cannot_be_played_is_refused() {
    let rsa = |text: &str| {
        let mut tls = Tls::default();
        tls.certificate.key = LeafKeyKind::Rsa2048;
        legacy(text).check(&tls)
    };
    let good = format!("suites = {{ 'TLSv1.2' = ['{AES}'] }}");
    rsa(&good).unwrap();
    assert!(legacy(&good).check(&Tls::default()).unwrap_err().contains("does not fit the key"));
    assert!(rsa("suites = {}").unwrap_err().contains("no version"));
    assert!(rsa(&format!("{good}\ndh_bits = 0")).unwrap_err().contains("0 bits"));
    let endless = format!("{good}\nno_common_suite = 'no'");
    assert!(rsa(&endless).unwrap_err().contains("comes then"));
    assert!(toml::from_str::<Legacy>("suites = { 'TLSv9' = [] }").unwrap_err().to_string().contains("TLSv9"));
}
