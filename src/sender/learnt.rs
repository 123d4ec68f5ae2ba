//! A file of a sender, from what a listener saw of it.
//!
//! What was seen has its evidence as source. What was not seen is taken over from a
//! template, as an assumption that says so; words that a sender logs cannot be seen from
//! the receiving side and are left out.

use super::definition::AfterTlsFailure;
use super::{Sender, SenderError};
use crate::model::inbound::ReceivedOffer;
use crate::model::{CipherSuite, ProtocolVersion};
use toml::{Table, Value};

/// How the source of each value begins that was seen.
const SEEN: &str = "Seen by mxray receive";

/// A value, and what it rests on: when, how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenValue<T> {
    /// The value.
    pub value: T,
    /// The evidence, as it goes on behind "Seen by mxray receive".
    pub evidence: String,
}

/// What was seen of one sender; what is `None` was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// Its ClientHello.
    pub offer: Option<SeenValue<ReceivedOffer>>,
    /// Whether it showed a client certificate when it was asked for one.
    pub shows_client_certificate: Option<SeenValue<bool>>,
    /// What it did after a handshake that failed.
    pub after_tls_failure: Option<SeenValue<AfterTlsFailure>>,
    /// What it did where STARTTLS was refused for now.
    pub after_starttls_4xx: Option<SeenValue<AfterTlsFailure>>,
    /// Whether it sends through TLS only.
    pub requires_tls: Option<SeenValue<bool>>,
}

/// A file of a sender that was learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearntFile {
    /// Its text.
    pub text: String,
    /// Its keys whose value an earlier run saw otherwise: it may be another client.
    pub differing: Vec<&'static str>,
}

/// The file for the sender `name`, on the template of this name and text.
///
/// # Errors
/// [`SenderError`]: the template cannot be read, or what was learnt contradicts it.
pub fn sender_file(name: &str, template: (&str, &str), learnt: &Learnt) -> Result<LearntFile, SenderError> {
    let (template_name, text) = template;
    Sender::parse(text)?;
    let mut file: Table = toml::from_str(text).map_err(|error| SenderError(error.message().to_string()))?;
    file.remove("codes");
    for stated in file.iter_mut().filter_map(|(_, value)| value.as_table_mut()) {
        take_over(stated, template_name);
    }
    file.insert("name".into(), name.into());
    file.insert("title".into(), format!("Learnt by mxray receive on the template {template_name}").into());
    let differing = learnt.put(&mut file);
    let text = toml::to_string(&file).map_err(|error| SenderError(error.to_string()))?;
    Sender::parse(&text)?;
    Ok(LearntFile { text, differing })
}

/// How the assumption of each value begins that was taken over.
const NOT_SEEN: &str = "Not seen. Taken over from";

/// Makes an assumption of a value of the template, unless it was learnt itself, or taken over
/// before: then it says where it was taken from first.
fn take_over(stated: &mut Table, template: &str) {
    let said = |key: &str| stated.get(key).and_then(Value::as_str).map(str::to_string);
    if said("source").is_some_and(|source| source.starts_with(SEEN)) {
        return;
    }
    if said("assumption").is_some_and(|assumption| assumption.starts_with(NOT_SEEN)) {
        return;
    }
    let assumption = format!("{NOT_SEEN} {template}.");
    stated.remove("source");
    stated.insert("assumption".into(), assumption.into());
}

impl Learnt {
    /// Puts what was seen into the file, and tells which of it was seen otherwise before.
    fn put(&self, file: &mut Table) -> Vec<&'static str> {
        let mut differing = Vec::new();
        let mut put = |key, value, evidence: &str| {
            if put(file, key, value, evidence) {
                differing.push(key);
            }
        };
        if let Some(SeenValue { value: offer, evidence }) = &self.offer {
            let versions = versions(offer);
            let (suites_tls13, suites): (Vec<_>, Vec<_>) = offer.known_suites().partition(is_of_tls13);
            put("versions", list(&versions), evidence);
            put("suites_tls13", list(&suites_tls13), evidence);
            put("suites", list(&suites), evidence);
            put("groups", list(&offer.known_groups()), evidence);
            put("signature_schemes", list(&offer.known_signature_schemes()), evidence);
            put("sends_sni", offer.sni.is_some().into(), evidence);
        }
        for (key, seen) in [
            ("shows_client_certificate", &self.shows_client_certificate),
            ("requires_tls", &self.requires_tls),
        ] {
            if let Some(SeenValue { value, evidence }) = seen {
                put(key, (*value).into(), evidence);
            }
        }
        for (key, seen) in
            [("after_tls_failure", &self.after_tls_failure), ("after_starttls_4xx", &self.after_starttls_4xx)]
        {
            if let Some(SeenValue { value, evidence }) = seen {
                put(key, word(*value).into(), evidence);
            }
        }
        differing
    }
}

/// As the file writes it.
fn word(value: AfterTlsFailure) -> &'static str {
    match value {
        AfterTlsFailure::Plaintext => "plaintext",
        AfterTlsFailure::Defer => "defer",
    }
}

/// The versions of a hello, newest first. Of a client without `supported_versions` only
/// the newest is known.
fn versions(offer: &ReceivedOffer) -> Vec<ProtocolVersion> {
    let mut known: Vec<_> =
        offer.versions.iter().copied().filter(|version| version.can_be_offered()).collect();
    if known.is_empty() {
        known.push(offer.legacy_version);
    }
    known.sort_by(|one, other| other.cmp(one));
    known
}

/// Suites of TLS 1.3 begin with 0x13 (RFC 8446 appendix B.4).
fn is_of_tls13(suite: &CipherSuite) -> bool {
    suite.0 >> 8 == 0x13
}

fn list(values: &[impl ToString]) -> Value {
    values.iter().map(|value| Value::from(value.to_string())).collect::<Vec<_>>().into()
}

/// Puts a value with its evidence; whether an earlier run saw another.
fn put(file: &mut Table, key: &str, value: Value, evidence: &str) -> bool {
    let before = file.get(key).and_then(Value::as_table);
    let was_seen = |stated: &&Table| {
        stated.get("source").and_then(Value::as_str).is_some_and(|source| source.starts_with(SEEN))
    };
    let differs = before.filter(was_seen).is_some_and(|stated| stated.get("value") != Some(&value));
    let stated = [("value".to_string(), value), ("source".to_string(), format!("{SEEN} {evidence}").into())];
    file.insert(key.into(), Value::Table(stated.into_iter().collect()));
    differs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NamedGroup, SignatureScheme};

    fn offer() -> ReceivedOffer {
        ReceivedOffer {
            legacy_version: ProtocolVersion::TLS12,
            versions: [0x1a1a, 0x0303, 0x0304].map(ProtocolVersion).to_vec(),
            suites: [0x2a2a, 0x1302, 0xc030, 0x00ff].map(CipherSuite).to_vec(),
            groups: [0x3a3a, 0x11ec, 0x001d].map(NamedGroup).to_vec(),
            key_shares: Vec::new(),
            signature_schemes: vec![SignatureScheme(0x0804)],
            sni: None,
            alpn: Vec::new(),
            extensions: Vec::new(),
            resumes: false,
            fingerprint: String::new(),
            bytes: 0,
        }
    }

    fn learnt() -> Learnt {
        let evidence = || "on 2026-11-28 in 3 sessions".to_string();
        Learnt {
            offer: Some(SeenValue { value: offer(), evidence: evidence() }),
            after_tls_failure: Some(SeenValue { value: AfterTlsFailure::Plaintext, evidence: evidence() }),
            ..Learnt::default()
        }
    }

    fn template() -> (&'static str, &'static str) {
        ("rfc9325", Sender::built_in_file("rfc9325").unwrap())
    }

    #[test]
    fn what_was_seen_has_its_evidence_and_the_rest_says_where_it_comes_from() {
        let text = sender_file("partner", template(), &learnt()).unwrap().text;
        let sender = Sender::parse(&text).unwrap();
        assert_eq!(&*sender.name, "partner");
        assert_eq!(sender.versions.value, [ProtocolVersion::TLS13, ProtocolVersion::TLS12]);
        assert_eq!(sender.suites_tls13.value, [CipherSuite(0x1302)]);
        assert_eq!(sender.suites.value, [CipherSuite(0xc030)], "signals and GREASE are no suites");
        assert_eq!(sender.groups.value, [NamedGroup(0x11ec), NamedGroup(0x001d)]);
        assert!(!sender.sends_sni.value && !sender.sends_sni.is_assumed());
        assert_eq!(
            sender.versions.source.as_deref(),
            Some("Seen by mxray receive on 2026-11-28 in 3 sessions")
        );
        assert_eq!(sender.after_tls_failure.value, AfterTlsFailure::Plaintext);
        let of_template = Sender::named("rfc9325").unwrap();
        assert_eq!(sender.retry_hours.value, of_template.retry_hours.value);
        assert_eq!(sender.retry_hours.assumption.as_deref(), Some("Not seen. Taken over from rfc9325."));
        assert!(sender.retry_hours.is_assumed() && sender.codes.is_empty());
    }

    /// A second run adds to what the first has learnt.
    #[test]
    fn what_was_learnt_before_stays_learnt() {
        let first = sender_file("partner", template(), &learnt()).unwrap().text;
        let shows = SeenValue { value: true, evidence: "on 2026-11-29".into() };
        let second = Learnt { shows_client_certificate: Some(shows), ..Learnt::default() };
        let LearntFile { text, differing } =
            sender_file("partner", ("partner.toml", &first), &second).unwrap();
        let sender = Sender::parse(&text).unwrap();
        assert!(differing.is_empty());
        let origin = sender.retry_hours.assumption.as_deref();
        assert_eq!(origin, Some("Not seen. Taken over from rfc9325."), "where it comes from first");
        assert!(!sender.suites.is_assumed() && !sender.after_tls_failure.is_assumed());
        assert!(sender.shows_client_certificate.unwrap().value);
    }

    /// Another client under the same name would make a sender of two.
    #[test]
    fn what_an_earlier_run_saw_otherwise_is_told() {
        let first = sender_file("partner", template(), &learnt()).unwrap().text;
        let mut second = learnt();
        if let Some(offer) = &mut second.offer {
            offer.value.groups = vec![NamedGroup(0x0017)];
            offer.value.sni = Some("mx.example".to_string());
        }
        let again = |learnt| sender_file("partner", ("partner.toml", &first), learnt).unwrap().differing;
        assert_eq!(again(&second), ["groups", "sends_sni"]);
        assert!(again(&learnt()).is_empty());
        assert!(sender_file("partner", template(), &second).unwrap().differing.is_empty(), "nobody saw it");
    }

    #[test]
    fn every_built_in_sender_is_a_template() {
        for name in Sender::names() {
            let text = sender_file("x", (name, Sender::built_in_file(name).unwrap()), &Learnt::default());
            assert!(text.is_ok(), "{name}: {text:?}");
        }
        assert!(sender_file("x", ("none", "nonsense"), &Learnt::default()).is_err());
    }
}
