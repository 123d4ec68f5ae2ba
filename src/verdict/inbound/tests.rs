//! What becomes of mail under inbound connectors, as tables.

use super::*;
use crate::model::inbound::{
    InboundAcceptance, InboundDialogue, InboundSession, InboundTls, InboundVerdict, MailAttempt, MailSender,
    PathDomain,
};
use crate::model::{
    Assessment, CertificateFacts, ChainStatus, DateStatus, DomainName, KeyStatus, Sha256, SignatureCheck,
};
use crate::sender::inbound_connector::parse_toml;
use std::net::SocketAddr;
use std::sync::Arc;

const ORGANISATION: &str = "accepted_domains = ['contoso.com']\nreject_direct_send = true\n";

/// A session, and what of it a test may change.
struct IncomingMail {
    session: InboundSession,
    chain: Option<Assessment>,
    mail: MailAttempt,
    recipient: PathDomain,
}

impl IncomingMail {
    /// In clear.
    fn from(sender: &str, address: &str) -> Self {
        let domain = PathDomain::Domain(DomainName::parse(sender).unwrap());
        let sender = MailSender { domain, requiretls: false, smtputf8: false };
        Self {
            session: InboundSession {
                number: 1,
                began: jiff::Timestamp::UNIX_EPOCH,
                peer: SocketAddr::new(address.parse().unwrap(), 2525),
                dialogue: InboundDialogue::default(),
                tls: None,
                over_us: None,
                total_us: 0,
                bytes_in: 0,
                bytes_out: 0,
            },
            chain: None,
            mail: MailAttempt { in_tls: false, sender, recipients: Vec::new(), more_recipients: false },
            recipient: PathDomain::Domain(DomainName::parse("contoso.com").unwrap()),
        }
    }

    /// Inside TLS, with a certificate that is proven and trusted.
    fn with_certificate(mut self, common_name: &str, dns_names: &[&str]) -> Self {
        let signature = Some(SignatureCheck::Verified);
        self.session.tls = Some(InboundTls { established: true, signature, ..InboundTls::default() });
        self.mail.in_tls = true;
        let mut chain = Assessment::of_chain(ChainStatus::Valid, DateStatus::Valid, KeyStatus::Strong);
        chain.certificates.push(Arc::new(leaf(common_name, dns_names)));
        self.chain = Some(chain);
        self
    }

    fn to(mut self, recipient: &str) -> Self {
        self.recipient = PathDomain::Domain(DomainName::parse(recipient).unwrap());
        self
    }

    fn verdict(&self, file: &str) -> InboundVerdict {
        let organisation = &parse_toml(file).unwrap();
        let (session, chain) = (&self.session, self.chain.as_ref());
        verdict(&InboundCase { organisation, session, chain, mail: &self.mail, recipient: &self.recipient })
    }

    /// The verdict under connectors of [`ORGANISATION`], in a few words.
    fn told(&self, connectors: &str) -> String {
        self.told_by(&format!("{ORGANISATION}{connectors}"))
    }

    fn told_by(&self, file: &str) -> String {
        match self.verdict(file) {
            InboundVerdict::Accepted(InboundAcceptance::Ordinary) => "ordinary".to_string(),
            InboundVerdict::Accepted(InboundAcceptance::Connectors(names)) => names.join("+"),
            InboundVerdict::Rejected(refusals) => {
                refusals.iter().map(|refusal| &*refusal.code).collect::<Vec<_>>().join("+")
            }
            InboundVerdict::NotDetermined(cause) => format!("{cause:?}"),
        }
    }
}

fn leaf(common_name: &str, dns_names: &[&str]) -> CertificateFacts {
    CertificateFacts {
        sha256: Sha256([0; 32]),
        spki_sha256: None,
        version: Some(3),
        subject: Some(format!("CN={common_name}")),
        issuer: None,
        common_name: Some(common_name.to_string()),
        dns_names: dns_names.iter().map(|name| (*name).to_string()).collect(),
        ip_addresses: Vec::new(),
        serial: None,
        not_before: None,
        not_after: None,
        key_algorithm: None,
        key_bits: None,
        signature_algorithm: None,
        extended_key_usages: Vec::new(),
        is_ca: false,
        self_signed: false,
        ocsp_urls: Vec::new(),
        issuer_urls: Vec::new(),
        crl_urls: Vec::new(),
        defect: None,
    }
}

fn connector(name: &str, lines: &str) -> String {
    format!("[[inbound_connector]]\nname = '{name}'\nconnector_type = 'Partner'\n{lines}\n")
}

fn on_premises(name: &str, lines: &str) -> String {
    connector(name, lines).replace("Partner", "OnPremises")
}

const TLS: &str = "sender_domains = ['fabrikam.com']\nrequire_tls = true";
const NAMED: &str = "sender_domains = ['fabrikam.com']\nrequire_tls = true\n\
    restrict_domains_to_certificate = true\ntls_sender_certificate_name = 'out.fabrikam.com'";
const FROM: &str = "sender_domains = ['fabrikam.com']\nrequire_tls = false\n\
    restrict_domains_to_ip_addresses = true\nsender_ip_addresses = ['192.0.2.0/24']";

#[test]
fn a_partner_is_held_to_tls_and_to_its_addresses() {
    for (sender, address, lines, in_tls, expected) in [
        ("fabrikam.com", "192.0.2.1", TLS, true, "P"),
        ("fabrikam.com", "192.0.2.1", TLS, false, "451 5.7.3"),
        ("a.fabrikam.com", "192.0.2.1", TLS, false, "ordinary"),
        ("fabrikam.com", "192.0.2.1", FROM, false, "P"),
        ("fabrikam.com", "::ffff:192.0.2.1", FROM, false, "P"),
        ("fabrikam.com", "192.0.3.1", FROM, true, "550 5.7.51"),
        ("fabrikam.com", "2001:db8::1", FROM, true, "550 5.7.51"),
        ("fabrikam.com", "192.0.2.1", NAMED, false, "451 5.7.3+550 5.7.51"),
    ] {
        let mut seen = IncomingMail::from(sender, address);
        seen.mail.in_tls = in_tls;
        assert_eq!(seen.told(&connector("P", lines)), expected, "{sender} {address} {lines}");
    }
}

#[test]
fn a_certificate_counts_by_its_subject() {
    let wide = NAMED.replace("'out.fabrikam.com'", "'*.fabrikam.com'");
    let loose = NAMED.replace("restrict_domains_to_certificate = true\n", "");
    for (common_name, dns_names, lines, expected) in [
        ("out.fabrikam.com", &[][..], NAMED, "P"),
        ("OUT.fabrikam.com", &["a.example"], NAMED, "P"),
        ("a.example", &[], NAMED, "550 5.7.51"),
        ("a.example", &["out.fabrikam.com"], NAMED, "NameOutsideSubject"),
        ("*.fabrikam.com", &[], NAMED, "WildcardOnCertificate"),
        ("*.a.fabrikam.com", &[], NAMED, "550 5.7.51"),
        ("*.fabrikam.com", &[], &wide, "P"),
        ("*.a.fabrikam.com", &[], &wide, "WildcardOnCertificate"),
        ("m*.fabrikam.com", &[], &wide, "NameInAnotherForm"),
        ("Mail server of out.fabrikam.com", &[], &wide, "NameInAnotherForm"),
        ("smtp:out.fabrikam.com", &[], NAMED, "NameInAnotherForm"),
        ("out.fabrikam.com.", &[], NAMED, "NameInAnotherForm"),
        ("out.FABRIKAM.com", &[], &wide, "P"),
        ("Mail server", &["a.example"], &wide, "550 5.7.51"),
        ("Mail server", &["out.fabrikam.com."], NAMED, "NameOutsideSubject"),
        ("other.example, CN=out.fabrikam.com", &[], NAMED, "SeveralCommonNames"),
        ("out.fabrikam.com, CN=other.example", &[], NAMED, "SeveralCommonNames"),
        ("a.fabrikam.com, O=Contoso, CN=b.fabrikam.com", &[], &wide, "P"),
        ("a.example, CN=b.example", &[], &wide, "550 5.7.51"),
        ("out.fabrikam.com…", &[], NAMED, "CertificateUnreadable"),
        ("fabrikam.com", &[], &wide, "P"),
        ("a.b.fabrikam.com", &[], &wide, "P"),
        ("xfabrikam.com", &[], &wide, "550 5.7.51"),
        ("a.example", &[], &loose, "NameWithoutRestriction"),
        ("out.fabrikam.com", &[], &loose, "P"),
    ] {
        let seen = IncomingMail::from("fabrikam.com", "192.0.2.1").with_certificate(common_name, dns_names);
        assert_eq!(seen.told(&connector("P", lines)), expected, "{common_name} {dns_names:?} {lines}");
    }
}

#[test]
fn nothing_rests_on_a_key_that_is_not_proven() {
    let connector = connector("P", NAMED);
    let seen = |name| IncomingMail::from("fabrikam.com", "192.0.2.1").with_certificate(name, &[]);
    let told = |name, signature| {
        let mut seen = seen(name);
        seen.session.tls.as_mut().unwrap().signature = signature;
        seen.told(&connector)
    };
    for signature in [None, Some(SignatureCheck::NotShown), Some(SignatureCheck::Unverifiable("x".into()))] {
        assert_eq!(told("out.fabrikam.com", signature.clone()), "KeyNotProven");
        assert_eq!(told("a.example", signature), "550 5.7.51", "the name is not there, proven or not");
    }
    let mut expired = seen("out.fabrikam.com");
    expired.chain.as_mut().unwrap().dates = DateStatus::Expired;
    assert_eq!(expired.told(&connector), "CertificateNotTrusted");
    let mut unread = seen("out.fabrikam.com");
    unread.chain.as_mut().unwrap().certificates.clear();
    assert_eq!(unread.told(&connector), "CertificateUnreadable");
}

#[test]
fn several_partners_have_to_agree() {
    let (p, q) = (connector("P", TLS), connector("Q", FROM));
    for (address, in_tls, expected) in [
        ("192.0.2.1", true, "P+Q"),
        ("192.0.3.1", false, "451 5.7.3+550 5.7.51"),
        ("192.0.3.1", true, "SeveralConnectors"),
    ] {
        let mut seen = IncomingMail::from("fabrikam.com", address);
        seen.mail.in_tls = in_tls;
        assert_eq!(seen.told(&format!("{p}{q}")), expected, "{address}");
    }
}

#[test]
fn a_server_of_the_organisation_may_relay() {
    let by_address = on_premises("O", "sender_ip_addresses = ['192.0.2.7']");
    let both = format!("{by_address}tls_sender_certificate_name = 'mail.contoso.com'\n");
    for (sender, address, recipient, lines, expected) in [
        ("contoso.com", "192.0.2.7", "contoso.com", &by_address, "O"),
        ("contoso.com", "192.0.2.7", "a.example", &by_address, "O"),
        ("b.example", "192.0.2.7", "a.example", &by_address, "RelayForStranger"),
        ("contoso.com", "192.0.2.8", "a.example", &by_address, "550 5.7.64"),
        ("contoso.com", "192.0.2.8", "contoso.com", &by_address, "550 5.7.68"),
        ("b.example", "192.0.2.8", "contoso.com", &by_address, "ordinary"),
        ("contoso.com", "192.0.2.7", "contoso.com", &both, "AddressWithoutName"),
        ("b.example", "192.0.2.8", "a.example", &String::new(), "NoOnPremisesConnector"),
    ] {
        let seen = IncomingMail::from(sender, address).to(recipient);
        assert_eq!(seen.told(lines), expected, "{sender} {address} {recipient}");
    }
    let seen = IncomingMail::from("contoso.com", "192.0.2.8").with_certificate("mail.contoso.com", &[]);
    assert_eq!(seen.told(&both), "O");
    let refused = connector("P", &FROM.replace("'fabrikam.com'", "'*'"));
    let seen = IncomingMail::from("contoso.com", "198.51.100.1").with_certificate("mail.contoso.com", &[]);
    assert_eq!(seen.told(&format!("{both}{refused}")), "OnPremisesAndPartner");
}

#[test]
fn what_refuses_for_two_reasons_tells_both() {
    let both = format!("{}{}", connector("P", TLS), on_premises("O", "sender_ip_addresses = ['192.0.2.7']"));
    let seen = IncomingMail::from("fabrikam.com", "192.0.2.1").to("a.example");
    assert_eq!(seen.told(&both), "451 5.7.3+550 5.7.64");
}

#[test]
fn where_no_accepted_domain_is_told_mail_of_the_own_domain_stays_open() {
    let file = connector("P", TLS);
    let told = |sender| IncomingMail::from(sender, "192.0.2.1").told_by(&file);
    assert_eq!((told("contoso.com"), told("a.example")), ("DirectSendNotTold".into(), "ordinary".into()));
    let taken = format!("reject_direct_send = false\n{file}");
    assert_eq!(IncomingMail::from("contoso.com", "192.0.2.1").told_by(&taken), "ordinary");
}

#[test]
fn mail_without_a_sender_is_told_where_no_connector_needs_one() {
    let mut seen = IncomingMail::from("contoso.com", "192.0.2.1");
    seen.mail.sender.domain = PathDomain::Null;
    assert_eq!(seen.told(&connector("P", TLS)), "SenderDomain");
    assert_eq!(seen.told(""), "ordinary");
    seen.recipient = PathDomain::Missing;
    assert_eq!(seen.told(""), "RecipientDomain");
}

#[test]
fn associated_domains_limit_a_connector() {
    let limited = TLS.replace("'fabrikam.com'", "'*'") + "\nassociated_accepted_domains = ['contoso.com']";
    for (sender, recipient, expected) in [
        ("contoso.com", "contoso.com", "451 5.7.3"),
        ("a.example", "contoso.com", "AssociatedDomain"),
        ("contoso.com", "fabrikam.example", "AssociatedDomain"),
        ("a.example", "contoso.net", "ordinary"),
    ] {
        let seen = IncomingMail::from(sender, "192.0.2.1").to(recipient);
        let accepted = "accepted_domains = ['contoso.com', 'contoso.net', 'fabrikam.example']\n";
        let told = seen.told_by(&format!("{accepted}{}", connector("P", &limited)));
        assert_eq!(told, expected, "{sender} {recipient}");
    }
}
