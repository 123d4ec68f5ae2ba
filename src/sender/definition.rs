//! A sender is data: what it offers, what it does when that fails, and what
//! it then logs. The files are `datasets/senders/*.toml`.
//!
//! Each value says where it comes from. What nobody publishes is an
//! assumption, spelled out beside the value, and the command line can put
//! another in its place.

use super::error::SenderError;
use super::offer::Offer;
use super::situation::Situation;
use crate::model::{CipherSuite, KeywordForm, NamedGroup, ProtocolVersion, ReplyForm, SignatureScheme};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// Longest list of a sender: of versions, suites, groups or schemes.
pub const SENDER_LIST_MAX: usize = 256;

/// Longest text of a sender, in bytes: sources, assumptions, logged words.
pub const SENDER_TEXT_BYTES_MAX: usize = 2000;

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated<T> {
    /// What the sender does.
    pub value: T,
    /// Who says so.
    #[serde(default)]
    pub source: Option<String>,
    /// What is assumed where nobody does.
    #[serde(default)]
    pub assumption: Option<String>,
}

impl<T> Stated<T> {
    /// Whether nobody says so.
    pub fn is_assumed(&self) -> bool {
        self.source.is_none()
    }
}

/// What a sender does with a message after a handshake that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AfterTlsFailure {
    /// It sends it in clear.
    Plaintext,
    /// It keeps it and tries again.
    Defer,
}

/// What a sender does where a reply has a form that mail systems read
/// differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyFormEffect {
    /// It goes on as if there were nothing.
    Ignored,
    /// It sees no STARTTLS.
    NoStarttls,
    /// Its handshake fails.
    TlsFailure,
    /// It leaves the host, and keeps the message.
    Deferred,
}

impl FromStr for AfterTlsFailure {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        match text {
            "plaintext" => Ok(Self::Plaintext),
            "defer" => Ok(Self::Defer),
            _ => Err(SenderError("plaintext or defer".into())),
        }
    }
}

/// What a sender makes of DANE (RFC 7672).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DaneUse {
    /// It demands what TLSA records demand, where there are some (RFC 7672 §2.2).
    Opportunistic,
    /// It keeps mail to a host without usable TLSA records, too (RFC 7672 §6).
    Mandatory,
    /// It does not look.
    No,
}

/// What a sender does with a message where no TLSA record of a host is of use, and
/// the host offers no STARTTLS. RFC 7672 §2.2 has it kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AfterUnusableTlsa {
    /// It keeps it and tries again.
    Defer,
    /// It gives it up at once, and says so to who wrote it.
    Bounce,
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl AddressFamily {
    /// That of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        })
    }
}

/// What a sender logs in one situation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedCode {
    /// Reply code and enhanced status code (RFC 3463), as `450 4.4.317`; the
    /// latter alone if the sender logs no reply code.
    pub code: Arc<str>,
    /// What stands beside it: the inner error where there is one. Over a
    /// certificate `{expected}`, `{presented}` and `{thumbprint}` are places
    /// for the expected name, the subject and the SHA-1.
    pub text: Arc<str>,
    /// Who says so.
    pub source: Arc<str>,
}

/// A sending system.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// Its name: that of the file.
    pub name: Arc<str>,
    /// What it is, in one line.
    pub title: Arc<str>,
    /// Versions that it offers, newest first.
    pub versions: Stated<Vec<ProtocolVersion>>,
    /// Suites that it offers in TLS 1.3, in its order; empty without TLS 1.3.
    pub suites_tls13: Stated<Vec<CipherSuite>>,
    /// Suites that it offers below TLS 1.3, in its order.
    pub suites: Stated<Vec<CipherSuite>>,
    /// Groups that it offers, preferred first.
    pub groups: Stated<Vec<NamedGroup>>,
    /// Signature schemes that it offers, preferred first.
    pub signature_schemes: Stated<Vec<SignatureScheme>>,
    /// Whether it ends the handshake over a certificate signed with SHA-1.
    pub refuses_sha1_certificates: Stated<bool>,
    /// Whether it ends the handshake of a version before TLS 1.2 over the
    /// server's signature, which there rests on SHA-1, with MD5 beside it under
    /// RSA (RFC 4346 §7.4.3). In TLS 1.2 the schemes that it offers say so.
    #[serde(default = "takes_sha1_signatures")]
    pub refuses_sha1_signatures: Stated<bool>,
    /// Whether it ends a handshake up to TLS 1.2 with a server that does not
    /// know RFC 5746; not known where there is none.
    #[serde(default)]
    pub requires_renegotiation_info: Option<Stated<bool>>,
    /// Shortest Diffie-Hellman prime that it takes of a server, in bits; not
    /// known where there is none.
    #[serde(default)]
    pub dh_bits_min: Option<Stated<u32>>,
    /// Whether it names the host in its hello (SNI, RFC 6066 §3).
    #[serde(default = "names_the_host")]
    pub sends_sni: Stated<bool>,
    /// Whether it shows a client certificate to a server that asks for one; not
    /// known where there is none.
    #[serde(default)]
    pub shows_client_certificate: Option<Stated<bool>>,
    /// Whether it sends through TLS only.
    pub requires_tls: Stated<bool>,
    /// What it does after a handshake that failed.
    pub after_tls_failure: Stated<AfterTlsFailure>,
    /// What it does where STARTTLS, once offered, is refused for now (4xx).
    #[serde(default = "keeps_what_is_refused_for_now")]
    pub after_starttls_4xx: Stated<AfterTlsFailure>,
    /// What it does where STARTTLS, once offered, is refused for good (5xx).
    #[serde(default = "sends_in_clear_what_is_refused")]
    pub after_starttls_5xx: Stated<AfterTlsFailure>,
    /// The forms of the keyword STARTTLS, besides the plain one, that it reads.
    #[serde(default = "reads_any_case")]
    pub starttls_forms_read: Stated<Vec<KeywordForm>>,
    /// Those in which it sees no STARTTLS. Of others it is not known.
    #[serde(default = "leaves_no_form_unread")]
    pub starttls_forms_unread: Stated<Vec<KeywordForm>>,
    /// What it does where a reply has a form that mail systems read differently;
    /// of forms that are not there it is not known.
    #[serde(default = "knows_no_reply_form")]
    pub reply_forms: Stated<BTreeMap<ReplyForm, ReplyFormEffect>>,
    /// Whether mail of which the handshake failed, and that it sends in clear
    /// then, is taken to the other hosts first.
    #[serde(default = "goes_on_at_once")]
    pub other_hosts_before_plaintext: Stated<bool>,
    /// Most addresses of a domain that it tries, by preference; not known where
    /// there is none.
    #[serde(default)]
    pub addresses_max: Option<Stated<usize>>,
    /// Whether a certificate for `*.example.com` serves `example.com` too.
    pub wildcard_covers_apex: Stated<bool>,
    /// Over which families of addresses it sends. An address of another is none
    /// for it.
    #[serde(default = "both_families")]
    pub address_families: Stated<Vec<AddressFamily>>,
    /// Whether it asks for TLSA records, and what it does without them.
    #[serde(default = "looks_for_no_tlsa")]
    pub dane: Stated<DaneUse>,
    /// Whether TLSA records of a host count where nobody vouches for the MX
    /// records that name it (RFC 7672 §2.2.1).
    #[serde(default = "needs_a_secure_mx")]
    pub dane_insecure_mx: Stated<bool>,
    /// Whether the leaf's dates count under DANE-EE; RFC 7671 §5.1 says they do
    /// not.
    #[serde(default = "leaves_dates_aside")]
    pub dane_leaf_dates: Stated<bool>,
    /// Whether of several digests only the strongest counts (RFC 7671 §9).
    #[serde(default = "takes_the_strongest_digest")]
    pub dane_digest_agility: Stated<bool>,
    /// What it does where no TLSA record is of use, and there is no STARTTLS.
    #[serde(default = "keeps_what_needs_tls")]
    pub after_unusable_tlsa: Stated<AfterUnusableTlsa>,
    /// Whether it looks for policies of MTA-STS, and keeps to them.
    #[serde(default = "looks_for_no_policy")]
    pub mta_sts: Stated<bool>,
    /// Whether a host whose TLSA records demand a certificate has to fit the
    /// policy of MTA-STS as well.
    #[serde(default = "leaves_the_policy_to_dane")]
    pub mta_sts_beside_dane: Stated<bool>,
    /// How long it tries, in hours, before the message comes back.
    pub retry_hours: Stated<u32>,
    /// What it logs, by situation; a situation that is missing is not published.
    #[serde(default)]
    pub codes: BTreeMap<Situation, LoggedCode>,
}

impl Sender {
    /// The same, but for what the command line says of failed handshakes.
    pub fn with_after_tls_failure(mut self, value: AfterTlsFailure) -> Self {
        let source = Some("--after-tls-failure".to_string());
        self.after_tls_failure = Stated { value, source, assumption: None };
        self
    }

    /// What it says in its ClientHello.
    pub fn offer(&self) -> Offer {
        Offer {
            versions: self.versions.value.clone(),
            suites: self.suites_tls13.value.iter().chain(&self.suites.value).copied().collect(),
            groups: self.groups.value.clone(),
            signature_schemes: self.signature_schemes.value.clone(),
            sends_sni: self.sends_sni.value,
        }
    }

    /// Whether it shows a client certificate to a server that asks for one, or
    /// may: one that is not its own is no answer then.
    pub fn may_show_certificate(&self) -> bool {
        self.shows_client_certificate.as_ref().is_none_or(|shows| shows.value)
    }

    /// What it logs in a situation; `None` where that is not published.
    pub fn code(&self, situation: Situation) -> Option<&LoggedCode> {
        self.codes.get(&situation)
    }
}

impl Sender {
    /// The keys of DANE and MTA-STS that differ from what is taken of a file
    /// without them.
    fn tell_policies(&self, told: &mut fmt::DebugStruct<'_, '_>) {
        if self.dane.value != DaneUse::No {
            told.field("dane", &self.dane);
        }
        if self.after_unusable_tlsa.value != keeps_what_needs_tls().value {
            told.field("after_unusable_tlsa", &self.after_unusable_tlsa);
        }
        for (name, stated, before) in [
            ("dane_insecure_mx", &self.dane_insecure_mx, needs_a_secure_mx()),
            ("dane_leaf_dates", &self.dane_leaf_dates, leaves_dates_aside()),
            ("dane_digest_agility", &self.dane_digest_agility, takes_the_strongest_digest()),
            ("mta_sts", &self.mta_sts, looks_for_no_policy()),
            ("mta_sts_beside_dane", &self.mta_sts_beside_dane, leaves_the_policy_to_dane()),
        ] {
            if stated.value != before.value {
                told.field(name, stated);
            }
        }
    }
}

/// As derived, without a key that the file does not have: a run knows its sender
/// by a digest over this, and is still to know it where keys were added.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Sender");
        told.field("name", &self.name)
            .field("title", &self.title)
            .field("versions", &self.versions)
            .field("suites_tls13", &self.suites_tls13)
            .field("suites", &self.suites)
            .field("groups", &self.groups)
            .field("signature_schemes", &self.signature_schemes)
            .field("refuses_sha1_certificates", &self.refuses_sha1_certificates);
        if self.refuses_sha1_signatures != takes_sha1_signatures() {
            told.field("refuses_sha1_signatures", &self.refuses_sha1_signatures);
        }
        told.field("requires_tls", &self.requires_tls)
            .field("after_tls_failure", &self.after_tls_failure)
            .field("wildcard_covers_apex", &self.wildcard_covers_apex);
        for (name, stated, before) in [
            ("after_starttls_4xx", &self.after_starttls_4xx, keeps_what_is_refused_for_now()),
            ("after_starttls_5xx", &self.after_starttls_5xx, sends_in_clear_what_is_refused()),
        ] {
            if stated.value != before.value {
                told.field(name, stated);
            }
        }
        for (name, stated, before) in [
            ("starttls_forms_read", &self.starttls_forms_read, reads_any_case()),
            ("starttls_forms_unread", &self.starttls_forms_unread, leaves_no_form_unread()),
        ] {
            if stated.value != before.value {
                told.field(name, stated);
            }
        }
        if !self.reply_forms.value.is_empty() {
            told.field("reply_forms", &self.reply_forms);
        }
        if self.other_hosts_before_plaintext.value {
            told.field("other_hosts_before_plaintext", &self.other_hosts_before_plaintext);
        }
        if self.addresses_max.is_some() {
            told.field("addresses_max", &self.addresses_max);
        }
        // Both families and the host's name are what was taken of every sender
        // before files said so, and that it may show a certificate.
        if self.address_families.value != both_families().value {
            told.field("address_families", &self.address_families);
        }
        if !self.sends_sni.value {
            told.field("sends_sni", &self.sends_sni);
        }
        if !self.may_show_certificate() {
            told.field("shows_client_certificate", &self.shows_client_certificate);
        }
        self.tell_policies(&mut told);
        told.field("retry_hours", &self.retry_hours).field("codes", &self.codes).finish()
    }
}

/// What is taken of a sender whose file does not say.
fn takes_sha1_signatures() -> Stated<bool> {
    let assumption = Some("TLS libraries that offer a version take the signatures that it has".to_string());
    Stated { value: false, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn keeps_what_is_refused_for_now() -> Stated<AfterTlsFailure> {
    let assumption = Some("a 4xx is a reason to try again (RFC 5321 section 4.2.1)".to_string());
    Stated { value: AfterTlsFailure::Defer, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
pub(super) fn sends_in_clear_what_is_refused() -> Stated<AfterTlsFailure> {
    let assumption = Some("opportunistic TLS goes on without where there is none".to_string());
    Stated { value: AfterTlsFailure::Plaintext, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn reads_any_case() -> Stated<Vec<KeywordForm>> {
    let assumption = Some("keywords are read without regard to case (RFC 5321 section 2.4)".to_string());
    Stated { value: vec![KeywordForm::LowerCase], source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn leaves_no_form_unread() -> Stated<Vec<KeywordForm>> {
    let assumption = Some("of none it is known that it is not read".to_string());
    Stated { value: Vec::new(), source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn knows_no_reply_form() -> Stated<BTreeMap<ReplyForm, ReplyFormEffect>> {
    let assumption = Some("of none it is known what it does".to_string());
    Stated { value: BTreeMap::new(), source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn goes_on_at_once() -> Stated<bool> {
    let assumption = Some("mail systems go on in clear at the host that failed".to_string());
    Stated { value: false, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn names_the_host() -> Stated<bool> {
    let assumption = Some("TLS libraries name the host unless they are told not to".to_string());
    Stated { value: true, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn both_families() -> Stated<Vec<AddressFamily>> {
    let assumption = Some("mail systems of today use both".to_string());
    Stated { value: vec![AddressFamily::Ipv4, AddressFamily::Ipv6], source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn looks_for_no_tlsa() -> Stated<DaneUse> {
    let assumption = Some("mail systems use DANE only where they are set up for it".to_string());
    Stated { value: DaneUse::No, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn needs_a_secure_mx() -> Stated<bool> {
    let assumption = Some("DANE is not due there (RFC 7672 section 2.2.1)".to_string());
    Stated { value: false, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn leaves_dates_aside() -> Stated<bool> {
    let assumption = Some("under DANE-EE dates do not count (RFC 7671 section 5.1)".to_string());
    Stated { value: false, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn takes_the_strongest_digest() -> Stated<bool> {
    let assumption = Some("of several digests the strongest counts (RFC 7671 section 9)".to_string());
    Stated { value: true, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn keeps_what_needs_tls() -> Stated<AfterUnusableTlsa> {
    let assumption = Some("delivery is delayed (RFC 7672 section 2.2)".to_string());
    Stated { value: AfterUnusableTlsa::Defer, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn looks_for_no_policy() -> Stated<bool> {
    let assumption = Some("mail systems use MTA-STS only where they are set up for it".to_string());
    Stated { value: false, source: None, assumption }
}

/// What is taken of a sender whose file does not say.
fn leaves_the_policy_to_dane() -> Stated<bool> {
    let assumption = Some("DANE comes first (RFC 8461 section 2)".to_string());
    Stated { value: false, source: None, assumption }
}
