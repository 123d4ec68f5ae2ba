//! Connectors as the export of the cmdlet writes them.

use super::{Seed, connectors};
use mxray::internals::sender::connector::parse_csv;

pub fn check(input: &[u8]) {
    connectors::check(parse_csv(input));
}

pub fn seeds() -> Vec<Seed> {
    let text = "Name,RecipientDomains,TlsSettings,TlsDomain,SmartHosts,UseMXRecord,ConnectorType\r\n\
        To Contoso,contoso.com;*.contoso.com,DomainValidation,*.contoso.com,,True,Partner\r\n\
        \"To \"\"Fabrikam\"\"\",\"fabrikam.com, fabrikam.net\",EncryptionOnly,,mail.example,False,Partner\r\n";
    let typed = format!("#TYPE Deserialized.Connector\r\n{}", text.replace(',', ";"));
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    vec![
        ("commas", text.as_bytes().to_vec()),
        ("type-and-semicolons", typed.into_bytes()),
        ("utf16", utf16),
        ("no-export", b"domain\nexample.com\n".to_vec()),
        ("bad-cell", b"Name,RecipientDomains,TlsSettings\na,*.*,Odd\x1b[31m\n".to_vec()),
    ]
}
