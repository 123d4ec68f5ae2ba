//! Inbound connectors as the export of the cmdlet writes them.

use super::{Seed, inbound_connectors};
use mxray::internals::sender::inbound_connector::parse_csv;

pub fn check(input: &[u8]) {
    inbound_connectors::check(parse_csv(input));
}

pub fn seeds() -> Vec<Seed> {
    let text = "Name,ConnectorType,SenderDomains,RequireTls,TlsSenderCertificateName,\
        RestrictDomainsToCertificate,RestrictDomainsToIPAddresses,SenderIPAddresses\r\n\
        From Fabrikam,Partner,smtp:fabrikam.com;1;smtp:*.fabrikam.net;1,True,*.fabrikam.com,True,False,\r\n\
        \"By \"\"address\"\"\",Partner,smtp:*;1,False,,False,True,192.0.2.7;198.51.100.1/25\r\n\
        Hybrid,OnPremises,*,True,mail.contoso.com,False,False,\r\n";
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    vec![
        ("commas", text.as_bytes().to_vec()),
        ("utf16", utf16),
        ("no-export", b"domain\nexample.com\n".to_vec()),
        ("outbound", b"Name,RecipientDomains,TlsSettings\na,*.*,Odd\x1b[31m\n".to_vec()),
    ]
}
