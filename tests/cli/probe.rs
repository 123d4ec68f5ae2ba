//! `mxray probe`: the transcript, but for what differs from run to run.

use crate::command::Folder;
use crate::fleet::Lab;
use std::time::{Duration, Instant};

/// Runs `probe`; gives its transcript without times, ports and the numbers of
/// freshly made certificates.
fn transcript(lab: &Lab, target: &str) -> String {
    let ran = lab
        .folder
        .run(lab.args(&format!("probe {target} --allow-private --timeout 20s --per-ip-interval 0")));
    // Whatever the target answers, the question was answered.
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{target}");
    let port = format!(":{}", lab.fleet.smtp_port());
    let lines: Vec<String> = ran.stdout.lines().map(|line| plain(&line.replace(&port, ":PORT"))).collect();
    lines.join("\n")
}

fn plain(line: &str) -> String {
    let cut = |mark: &str| line.split_once(mark).map(|(before, _)| format!("{before}{mark}…"));
    let spent = line.ends_with(" ms]").then(|| line.rsplit_once("   [")).flatten();
    let spent = spent.map(|(before, _)| format!("{before}   [… ms]"));
    let marks = ["connected in ", "outcome  ok, in ", " sha256 ", "(os error ", "       valid ", ", serial "];
    spent.or_else(|| marks.iter().find_map(|mark| cut(mark))).unwrap_or_else(|| line.to_string())
}

#[test]
fn of_a_domain_whose_mail_goes_encrypted() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    insta::assert_snapshot!(transcript(&lab, "D1.example"));
}

#[test]
fn of_a_domain_with_dane() {
    let lab = Lab::playing(&["dane_alias"], 1);
    let text = transcript(&lab, "d1.example");
    let (found, _) = text.split_once("\n\nedge.d1.example (").unwrap();
    // A digest of a certificate of today.
    let made = |line: &str| match line.trim_start().strip_prefix("3 0 1 ") {
        Some(digest) => line.replace(digest, "…"),
        None => line.to_owned(),
    };
    insta::assert_snapshot!(found.lines().map(made).collect::<Vec<_>>().join("\n"));
}

#[test]
fn of_a_policy_whose_host_is_not_who_it_should_be_it_is_told_at_once() {
    let lab = Lab::playing(&["sts_host_wrong_name"], 1);
    let told = transcript(&lab, "d1.example");
    let void = "policy from mta-sts.d1.example (text/plain; charset=utf-8), void, as the certificate of that host \
                does not count:\n";
    assert!(told.contains(void), "{told}");
    let lab = Lab::playing(&["sts_enforce"], 1);
    let told = transcript(&lab, "d1.example");
    assert!(told.contains("policy from mta-sts.d1.example (text/plain; charset=utf-8):\n"), "{told}");
}

#[test]
fn of_mail_that_is_kept_it_is_told_for_how_long() {
    let lab = Lab::playing(&["dane_mismatch"], 1);
    for (sender, expected) in [
        ("exchange-online", "24 h, and then comes back as 550 5.4.300 (Message expired)"),
        ("postfix-dane", "120 h, and then comes back"),
    ] {
        let told = transcript(&lab, &format!("d1.example --sender {sender}"));
        assert!(told.ends_with(&format!("\n  deferred mail is tried for {expected}")), "{told}");
        // The host takes mail; that it gets none is by its TLSA records.
        assert!(told.contains("\n  best MX, DANE and MTA-STS aside  mx1.d1.example"), "{told}");
    }
    let told = transcript(&lab, "d1.example --sender google");
    assert!(told.contains("verdict  google: encrypted") && !told.contains("deferred mail"), "{told}");
    let lab = Lab::playing(&["sts_old_mx"], 1);
    let told = transcript(&lab, "d1.example --sender google");
    assert!(told.ends_with("\n  deferred mail is tried for 72 h (assumed), and then comes back"), "{told}");
}

#[test]
fn of_a_server_that_refuses() {
    let lab = Lab::playing(&["greeting_554"], 1);
    insta::assert_snapshot!(transcript(&lab, "d1.example"));
}

#[test]
fn of_a_server_of_old_tls() {
    let lab = Lab::playing(&["tls10_only"], 1);
    insta::assert_snapshot!(transcript(&lab, "d1.example"));
}

#[test]
fn of_a_server_without_starttls() {
    let lab = Lab::playing(&["starttls_absent"], 1);
    insta::assert_snapshot!(transcript(&lab, "d1.example"));
}

#[test]
fn of_what_the_dns_does_not_know() {
    let lab = Lab::playing(&["dns_nxdomain"], 1);
    insta::assert_snapshot!(transcript(&lab, "d1.example"));
}

#[test]
fn a_domain_with_a_port_is_a_host_and_that_is_told() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let told = transcript(&lab, "d1.example:25");
    assert!(told.contains("with a port the name is a host, whose MX is not asked for"), "{told}");
}

#[test]
fn of_two_exchangers_of_which_the_better_is_dead() {
    let lab = Lab::playing(&["best_dead"], 1);
    insta::assert_snapshot!(transcript(&lab, "d1.example"));
}

#[test]
fn of_an_address_and_of_a_host_with_its_port() {
    let lab = Lab::playing(&["tls12_rsa"], 1);
    let place = lab.fleet.endpoints()[0].clone();
    let port = lab.fleet.smtp_port();
    let told = |target: String| transcript(&lab, &target);
    insta::assert_snapshot!("of_an_address", told(format!("{}:{port}", place.ip)));
    insta::assert_snapshot!("of_a_host", told(format!("{}:{port}", place.host)));
    let queries = lab.fleet.counters().queries;
    assert!(queries.keys().all(|(_, kind)| kind != "MX"), "a host is not asked for its MX: {queries:?}");
}

#[test]
fn a_host_is_not_taken_for_the_domain_that_mail_is_for() {
    let lab = Lab::playing(&["tls12_rsa"], 1);
    lab.folder.write(
        "connectors.toml",
        "[[connector]]\nname = 'All'\ndomains = ['*']\ntls_settings = 'DomainValidation'\n",
    );
    let host = format!("{}:{}", lab.fleet.endpoints()[0].host, lab.fleet.smtp_port());
    let asked = format!("{host} --connectors connectors.toml");
    let told = transcript(&lab, &asked);
    assert!(told.contains("DomainValidation: undetermined:no_domain"), "{told}");
    assert!(!told.contains("connector"), "{told}");
    let told = transcript(&lab, &format!("{asked} --recipient-domain d1.example"));
    assert!(told.contains("DomainValidation: fail:name_mismatch"), "{told}");
    assert!(told.contains("connector `All`: deferred"), "{told}");
    let ran = lab.folder.run(lab.args("probe d1.example --recipient-domain d1.example"));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("d1.example is itself a domain"), "{}", ran.stderr);
}

#[test]
fn what_takes_long_or_may_be_refused_is_said_beforehand() {
    let folder = Folder::new();
    let probe = |words: &str| {
        let words = format!("probe 127.0.0.1:1 --allow-private {words}");
        folder.run(words.split(' ').map(str::to_string).collect::<Vec<_>>()).stderr
    };
    assert_eq!(probe("--ehlo scanner.example"), "");
    assert_eq!(probe("--ehlo [127.0.0.1] --suites --per-ip-interval 0"), "");
    let bare = probe("--ehlo scanner");
    assert!(bare.contains("`EHLO scanner` is not a domain name") && bare.lines().count() == 1, "{bare}");
    let slow = probe("--ehlo scanner.example --suites --per-ip-interval 2s");
    assert!(slow.contains("30 to 130 connections, 2s apart"), "{slow}");
}

#[test]
fn one_address_is_connected_to_no_more_often_than_it_may_be() {
    let lab = Lab::playing(&["tls10_only"], 1);
    let begun = Instant::now();
    let ran = lab.folder.run(lab.args("probe d1.example --allow-private --per-ip-interval 300ms"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let pauses = u32::try_from(lab.connections()).unwrap() - 1;
    assert!(pauses > 0, "the server is sent a further hello");
    assert!(begun.elapsed() >= pauses * Duration::from_millis(300), "{:?}", begun.elapsed());
}

#[test]
fn of_every_suite_that_a_host_takes() {
    let lab = Lab::playing(&["tls13_x25519"], 1);
    let target = format!("{}:{}", lab.fleet.endpoints()[0].host, lab.fleet.smtp_port());
    insta::assert_snapshot!(transcript(&lab, &format!("{target} --suites")));
    let few = format!("{target} --suites --enumerate-connections 3");
    insta::assert_snapshot!("of_suites_within_a_budget", transcript(&lab, &few));
}

/// A host that was named outright keeps its TLSA records, whoever the mail is
/// for.
#[test]
fn a_recipient_domain_takes_no_policy_from_a_host() {
    let lab = Lab::playing(&["dane_bogus"], 1);
    let host = format!("mx1.d1.example:{}", lab.fleet.smtp_port());
    for recipient in ["", " --recipient-domain d1.example"] {
        let told = transcript(&lab, &format!("{host}{recipient}"));
        assert!(told.contains("deferred (tlsa_bogus)"), "{told}");
        assert!(!told.contains("no_validating_resolver"), "{told}");
    }
}

/// How a domain stands to MTA-STS does not hang on a sender that looks at none,
/// and names no host.
#[test]
fn a_policy_holds_whoever_sends() {
    let lab = Lab::playing(&["sts_enforce"], 1);
    for sender in ["exchange-online", "postfix-may"] {
        let told = transcript(&lab, &format!("d1.example --sender {sender}"));
        assert!(told.contains("valid, enforce"), "{told}");
    }
}
