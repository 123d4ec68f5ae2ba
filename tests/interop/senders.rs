//! The senders that come with mxray are held against the systems that they
//! stand for: what those offer after STARTTLS, what becomes of the message
//! when that is refused, and whether they take what old versions sign.

use super::capture::{Capture, Said};
use super::mail_system::{Root, exim, opensmtpd, postfix};
use super::older;
use mxray::internals::model::ProtocolVersion;
use mxray::internals::sender::{AfterTlsFailure, Sender};
use mxray::internals::tls::ClientHello;

/// The offer of `hello`, list by list, is that of the sender's file.
fn assert_offers(sender: &Sender, hello: &ClientHello, packages: &str) {
    let whose = format!("{}, by the packages\n{packages}", sender.name);
    let offer = sender.offer();
    assert_eq!(hello.supported_versions, offer.versions, "versions of {whose}");
    let suites: Vec<_> = hello.suites.iter().copied().filter(|suite| !suite.is_signal()).collect();
    assert_eq!(suites, offer.suites, "suites of {whose}");
    assert_eq!(hello.groups, offer.groups, "groups of {whose}");
    assert_eq!(hello.signature_schemes, offer.signature_schemes, "signature schemes of {whose}");
    assert_eq!(hello.legacy_version, ProtocolVersion::TLS12, "{whose}");
    assert_eq!(hello.sni.is_some(), sender.sends_sni.value, "SNI of {whose}");
}

/// Handshakes after which a system that sends in clear has done so: Postfix
/// tries again by TLS before, the others do not.
const HELLOS_MAX: usize = 3;

/// Lets a system deliver, for as long as what `start` gives is kept: each hello
/// is the sender's, and mail goes in clear only if its file says so.
fn hold<R>(name: &str, system: &str, start: impl FnOnce(&Root, u16) -> R) {
    let Some(root) = Root::of(system) else { return };
    let (sender, capture) = (Sender::named(name).unwrap(), Capture::start());
    let packages = root.packages();
    let running = start(&root, capture.port);
    let (mut hellos, mut in_clear) = (0, false);
    while hellos < HELLOS_MAX && !in_clear {
        match capture.next().unwrap_or_else(|| panic!("{name} says nothing after {hellos} hellos")) {
            Said::Hello(hello) => {
                assert_offers(&sender, &hello, &packages);
                hellos += 1;
            }
            Said::MailInClear => in_clear = true,
        }
    }
    drop(running);
    assert!(hellos > 0, "{name} sent no hello");
    assert_eq!(in_clear, sender.after_tls_failure.value == AfterTlsFailure::Plaintext, "{name}");
}

#[test]
fn postfix_may() {
    hold("postfix-may", "postfix", |root, port| postfix(root, "may", port));
    older::hold("postfix-may", "postfix", |root, port| postfix(root, "may", port));
}

#[test]
fn postfix_encrypt() {
    hold("postfix-encrypt", "postfix", |root, port| postfix(root, "encrypt", port));
    older::hold("postfix-encrypt", "postfix", |root, port| postfix(root, "encrypt", port));
}

#[test]
fn exim_with_gnutls() {
    hold("exim", "exim", exim);
    older::hold("exim", "exim", exim);
}

#[test]
fn opensmtpd_with_openssl() {
    hold("opensmtpd", "opensmtpd", opensmtpd);
    older::hold("opensmtpd", "opensmtpd", opensmtpd);
}
