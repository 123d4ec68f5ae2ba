//! What a sender file must hold so that verdicts by it can be right: each
//! value with where it comes from, lists that one hello can offer, codes as a
//! log has them.

use super::definition::{
    AfterTlsFailure, LoggedCode, SENDER_LIST_MAX, SENDER_TEXT_BYTES_MAX, Sender, Stated,
    sends_in_clear_what_is_refused,
};
use super::log_text;
use super::situation::Situation;
use crate::model::text::{is_unprintable, line_of};
use crate::model::{CipherSuite, ProtocolVersion};
use std::fmt;
use toml::de::{DeTable, DeValue};

/// Longest time that a sender tries, in hours: a year.
const RETRY_HOURS_MAX: u32 = 8760;

/// What is wrong, and with which key.
pub(super) struct SenderFault {
    /// Its path, as `codes.expired`.
    key: String,
    what: String,
}

impl SenderFault {
    fn new(key: &str, what: impl Into<String>) -> Self {
        Self { key: key.to_string(), what: what.into() }
    }

    /// As a message about the file, with the line of the key.
    pub(super) fn in_file(&self, file: &str) -> String {
        let place = position(file, &self.key).map(|at| format!("line {}: ", line_of(file, at)));
        format!("{}{}: {}", place.unwrap_or_default(), self.key, self.what)
    }
}

/// Where a key stands, in bytes.
fn position(file: &str, path: &str) -> Option<usize> {
    let root = DeTable::parse(file).ok()?.into_inner();
    let mut table = &root;
    let mut found = None;
    for name in path.split('.') {
        let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
        found = Some(key.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    found
}

/// Checks all of it.
///
/// # Errors
/// The first fault.
pub(super) fn check(sender: &Sender) -> Result<(), SenderFault> {
    check_sources(sender)?;
    check_lists(sender)?;
    check_suites(sender)?;
    check_extensions(sender)?;
    check_tls_required(sender)?;
    if !(1..=RETRY_HOURS_MAX).contains(&sender.retry_hours.value) {
        return Err(SenderFault::new("retry_hours", format!("not between 1 and {RETRY_HOURS_MAX}")));
    }
    check_one_line("name", &sender.name)?;
    check_one_line("title", &sender.title)?;
    sender.codes.iter().try_for_each(|(situation, code)| check_code(*situation, code))
}

fn check_sources(sender: &Sender) -> Result<(), SenderFault> {
    stated("versions", &sender.versions)?;
    stated("suites_tls13", &sender.suites_tls13)?;
    stated("suites", &sender.suites)?;
    stated("groups", &sender.groups)?;
    stated("signature_schemes", &sender.signature_schemes)?;
    stated("refuses_sha1_certificates", &sender.refuses_sha1_certificates)?;
    stated("refuses_sha1_signatures", &sender.refuses_sha1_signatures)?;
    if let Some(requires) = &sender.requires_renegotiation_info {
        stated("requires_renegotiation_info", requires)?;
    }
    if let Some(min) = &sender.dh_bits_min {
        stated("dh_bits_min", min)?;
    }
    stated("sends_sni", &sender.sends_sni)?;
    if let Some(shows) = &sender.shows_client_certificate {
        stated("shows_client_certificate", shows)?;
    }
    stated("requires_tls", &sender.requires_tls)?;
    stated("after_tls_failure", &sender.after_tls_failure)?;
    stated("after_starttls_4xx", &sender.after_starttls_4xx)?;
    stated("after_starttls_5xx", &sender.after_starttls_5xx)?;
    stated("wildcard_covers_apex", &sender.wildcard_covers_apex)?;
    stated("address_families", &sender.address_families)?;
    stated("starttls_forms_read", &sender.starttls_forms_read)?;
    stated("starttls_forms_unread", &sender.starttls_forms_unread)?;
    stated("reply_forms", &sender.reply_forms)?;
    stated("other_hosts_before_plaintext", &sender.other_hosts_before_plaintext)?;
    if let Some(max) = &sender.addresses_max {
        stated("addresses_max", max)?;
    }
    check_policies(sender)?;
    stated("retry_hours", &sender.retry_hours)
}

fn check_policies(sender: &Sender) -> Result<(), SenderFault> {
    stated("dane", &sender.dane)?;
    stated("dane_insecure_mx", &sender.dane_insecure_mx)?;
    stated("dane_leaf_dates", &sender.dane_leaf_dates)?;
    stated("dane_digest_agility", &sender.dane_digest_agility)?;
    stated("after_unusable_tlsa", &sender.after_unusable_tlsa)?;
    stated("mta_sts", &sender.mta_sts)?;
    stated("mta_sts_beside_dane", &sender.mta_sts_beside_dane)
}

fn stated<T>(key: &str, value: &Stated<T>) -> Result<(), SenderFault> {
    let texts = [&value.source, &value.assumption];
    if texts.iter().all(|text| text.is_none()) {
        return Err(SenderFault::new(key, "neither source nor assumption"));
    }
    texts.into_iter().flatten().try_for_each(|text| check_text(key, text))
}

fn check_lists(sender: &Sender) -> Result<(), SenderFault> {
    check_list("versions", &sender.versions.value)?;
    check_list("suites_tls13", &sender.suites_tls13.value)?;
    check_list("suites", &sender.suites.value)?;
    check_list("groups", &sender.groups.value)?;
    check_list("signature_schemes", &sender.signature_schemes.value)?;
    check_list("address_families", &sender.address_families.value)?;
    check_list("starttls_forms_read", &sender.starttls_forms_read.value)?;
    check_list("starttls_forms_unread", &sender.starttls_forms_unread.value)?;
    let unread = &sender.starttls_forms_unread.value;
    if let Some(form) = sender.starttls_forms_read.value.iter().find(|form| unread.contains(form)) {
        return Err(SenderFault::new(
            "starttls_forms_unread",
            format!("{form} is among those that are read, too"),
        ));
    }
    if sender.addresses_max.as_ref().is_some_and(|max| max.value == 0) {
        return Err(SenderFault::new("addresses_max", "none would be tried"));
    }
    if sender.address_families.value.is_empty() {
        return Err(SenderFault::new("address_families", "there is none"));
    }
    if sender.versions.value.is_empty() {
        return Err(SenderFault::new("versions", "none is offered"));
    }
    if !sender.versions.value.is_sorted_by(|a, b| a > b) {
        return Err(SenderFault::new("versions", "not newest first"));
    }
    Ok(())
}

/// Whether the suites are those of the versions.
fn check_suites(sender: &Sender) -> Result<(), SenderFault> {
    let [tls13, older] = [true, false]
        .map(|new| sender.versions.value.iter().any(|version| (*version >= ProtocolVersion::TLS13) == new));
    if tls13 == sender.suites_tls13.value.is_empty() {
        return Err(SenderFault::new("suites_tls13", "needed if TLS 1.3 is offered, and only then"));
    }
    if older == sender.suites.value.is_empty() {
        return Err(SenderFault::new("suites", "needed if an older version is offered, and only then"));
    }
    suites_of("suites_tls13", &sender.suites_tls13.value, true)?;
    suites_of("suites", &sender.suites.value, false)
}

/// A suite that no table knows may be of any version.
fn suites_of(key: &str, suites: &[CipherSuite], tls13: bool) -> Result<(), SenderFault> {
    for suite in suites {
        if suite.is_signal() {
            return Err(SenderFault::new(key, format!("{suite} is a signal, not a suite")));
        }
        if suite.facts().is_some_and(|facts| facts.is_tls13() != tls13) {
            let what = if tls13 { "is not a suite of TLS 1.3" } else { "is for TLS 1.3 only" };
            return Err(SenderFault::new(key, format!("{suite} {what}")));
        }
    }
    Ok(())
}

/// Whether there is what no handshake with the versions and suites can do
/// without: groups for elliptic curves and TLS 1.3 (RFC 8422 section 4, RFC
/// 8446 section 9.2), signature schemes since TLS 1.2 (RFC 5246 section
/// 7.4.1.4.1: without them SHA-1 alone).
fn check_extensions(sender: &Sender) -> Result<(), SenderFault> {
    let curve = |suite: &&CipherSuite| suite.facts().is_some_and(|facts| facts.is_ecdhe());
    let curve = sender.suites_tls13.value.first().or_else(|| sender.suites.value.iter().find(curve));
    if let (true, Some(suite)) = (sender.groups.value.is_empty(), curve) {
        return Err(SenderFault::new("groups", format!("there are none, and {suite} needs one")));
    }
    let signs = sender.versions.value.iter().find(|version| **version >= ProtocolVersion::TLS12);
    if let (true, Some(version)) = (sender.signature_schemes.value.is_empty(), signs) {
        return Err(SenderFault::new(
            "signature_schemes",
            format!("there are none, and {version} needs one"),
        ));
    }
    Ok(())
}

/// A sender that sends through TLS only sends nothing in clear.
fn check_tls_required(sender: &Sender) -> Result<(), SenderFault> {
    let endings = [
        ("after_tls_failure", &sender.after_tls_failure),
        ("after_starttls_4xx", &sender.after_starttls_4xx),
        ("after_starttls_5xx", &sender.after_starttls_5xx),
    ];
    // What a file does not say is no contradiction.
    let is_said = |after: &Stated<AfterTlsFailure>| *after != sends_in_clear_what_is_refused();
    let in_clear =
        endings.iter().find(|(_, after)| after.value == AfterTlsFailure::Plaintext && is_said(after));
    match in_clear.filter(|_| sender.requires_tls.value) {
        Some((key, _)) => Err(SenderFault::new(
            key,
            "plaintext, and requires_tls is true: such a sender keeps the message (defer)",
        )),
        None => Ok(()),
    }
}

/// Names and titles stand in a line with others.
fn check_one_line(key: &str, text: &str) -> Result<(), SenderFault> {
    check_text(key, text)?;
    if text.contains(is_unprintable) {
        return Err(SenderFault::new(key, "a line break, or another character that cannot be printed"));
    }
    Ok(())
}

fn check_list<T: PartialEq + fmt::Display>(key: &str, list: &[T]) -> Result<(), SenderFault> {
    if list.len() > SENDER_LIST_MAX {
        return Err(SenderFault::new(key, format!("more than {SENDER_LIST_MAX} entries")));
    }
    let again =
        list.iter().enumerate().find(|(place, item)| list.iter().take(*place).any(|one| one == *item));
    match again {
        Some((_, item)) => Err(SenderFault::new(key, format!("{item} occurs twice"))),
        None => Ok(()),
    }
}

fn check_code(situation: Situation, code: &LoggedCode) -> Result<(), SenderFault> {
    let key = format!("codes.{}", situation.name());
    [&code.code, &code.text, &code.source].into_iter().try_for_each(|text| check_text(&key, text))?;
    if !is_failure(&code.code) {
        let what =
            format!("`{}` is not the code of a failure; write 450 4.4.317, or 4.4.317 alone", code.code);
        return Err(SenderFault::new(&key, what));
    }
    log_text::check(situation, &code.text).map_err(|cause| SenderFault::new(&key, cause))
}

/// Whether it is an enhanced status code of a failure (RFC 3463 section 2),
/// after a reply code of its class (RFC 5321 section 4.2.1) or alone.
fn is_failure(code: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (reply, enhanced) = code.rsplit_once(' ').map_or((None, code), |(reply, rest)| (Some(reply), rest));
    let parts: Vec<&str> = enhanced.split('.').collect();
    let [class @ ("4" | "5"), subject, detail] = parts.as_slice() else { return false };
    let reply = reply.is_none_or(|reply| reply.len() == 3 && digits(reply, 3) && reply.starts_with(class));
    reply && digits(subject, 3) && digits(detail, 3)
}

fn check_text(key: &str, text: &str) -> Result<(), SenderFault> {
    if text.trim().is_empty() {
        return Err(SenderFault::new(key, "an empty text"));
    }
    if text.len() > SENDER_TEXT_BYTES_MAX {
        return Err(SenderFault::new(key, format!("longer than {SENDER_TEXT_BYTES_MAX} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_an_enhanced_one_with_or_without_its_reply() {
        for good in ["450 4.4.317", "4.4.3", "550 5.7.1"] {
            assert!(is_failure(good), "{good}");
        }
        for bad in [
            "",
            "9",
            "450",
            "450 ",
            " 4.4.1",
            "450 5.4.317",
            "45 4.4.1",
            "4.4",
            "4.4.1.1",
            "4.4.1000",
            "4..1",
            "2.0.0",
            "4.4.x",
            "450  4.4.1",
        ] {
            assert!(!is_failure(bad), "{bad}");
        }
    }
}
