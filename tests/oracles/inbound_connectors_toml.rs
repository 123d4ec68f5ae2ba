//! Inbound connectors in TOML.

use super::{Seed, inbound_connectors};
use mxray::internals::sender::inbound_connector::parse_toml;

pub fn check(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        inbound_connectors::check(parse_toml(text));
    }
}

pub fn seeds() -> Vec<Seed> {
    let every_key = b"accepted_domains = ['contoso.com']\nreject_direct_send = true\n[[inbound_connector]]\n\
        name = 'From Fabrikam'\nenabled = true\nconnector_type = 'Partner'\n\
        sender_domains = ['fabrikam.com', '*.fabrikam.net', '*']\n\
        associated_accepted_domains = ['contoso.com']\nrequire_tls = true\n\
        tls_sender_certificate_name = '*.fabrikam.com'\nrestrict_domains_to_certificate = true\n\
        restrict_domains_to_ip_addresses = true\nsender_ip_addresses = ['192.0.2.7', '198.51.100.1/25']\n";
    let on_premises = b"[[inbound_connector]]\nname = 'a\\nb'\nconnector_type = 'OnPremises'\n\
        require_tls = true\ntls_sender_certificate_name = 'mail.contoso.com'\n";
    let odd_name = b"accepted_domains = [\"a\\u001b[31m\"]\n";
    vec![
        ("every-key", every_key.to_vec()),
        ("on-premises", on_premises.to_vec()),
        ("domain-with-an-escape", odd_name.to_vec()),
    ]
}
