//! Connectors in TOML.

use super::{Seed, connectors};
use mxray::internals::sender::connector::parse_toml;

pub fn check(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        connectors::check(parse_toml(text));
    }
}

pub fn seeds() -> Vec<Seed> {
    let every_key = b"accepted_domains = ['adatum.com']\n[[connector]]\nname = 'Hybrid'\nenabled = true\n\
        connector_type = 'OnPremises'\ndomains = ['adatum.com', '*.adatum.com', '*']\n\
        all_accepted_domains = true\ntransport_rule_scoped = false\ntls_settings = 'DomainValidation'\n\
        tls_domain = '*.adatum.com'\nuse_mx_record = false\n\
        smart_hosts = ['mail.adatum.com', '192.0.2.25', '198.51.100.0/30', '2001:db8::/127']\n\
        route_all_messages_via_on_premises = true\n";
    let tie = b"[[connector]]\nname = 'a\\nb'\ndomains = ['*']\n[[connector]]\nname = 'c'\ndomains = ['*']\n";
    let odd_name = b"accepted_domains = [\"a\\u001b[31m\"]\n";
    vec![
        ("every-key", every_key.to_vec()),
        ("two-for-the-same", tie.to_vec()),
        ("domain-with-an-escape", odd_name.to_vec()),
    ]
}
