//! Files of inbound connectors: what is understood, and what each contradiction says.

use super::*;
use crate::model::DomainName;
use crate::model::inbound::InboundConnectorType;

const TOML: &str = r#"
accepted_domains = ["contoso.com"]
reject_direct_send = true

[[inbound_connector]]
name = "From Fabrikam"
connector_type = "Partner"
sender_domains = ["fabrikam.com", "*.fabrikam.net"]
require_tls = true
restrict_domains_to_certificate = true
tls_sender_certificate_name = "*.fabrikam.com"

[[inbound_connector]]
name = "By address"
connector_type = "Partner"
sender_domains = ["*"]
associated_accepted_domains = ["contoso.com"]
require_tls = false
restrict_domains_to_ip_addresses = true
sender_ip_addresses = ["192.0.2.7", "198.51.100.1/25"]

[[inbound_connector]]
name = "Hybrid"
connector_type = "OnPremises"
sender_domains = ["*"]
require_tls = true
restrict_domains_to_certificate = true
tls_sender_certificate_name = "mail.contoso.com"

[[inbound_connector]]
name = "Old"
enabled = false
connector_type = "partner"
sender_domains = ["*"]
require_tls = false
"#;

const CSV: &str = "#TYPE Selected.Connector\r\n\
    Name,Enabled,ConnectorType,SenderDomains,AssociatedAcceptedDomains,RequireTls,TlsSenderCertificateName,\
    RestrictDomainsToCertificate,RestrictDomainsToIPAddresses,SenderIPAddresses\r\n\
    From Fabrikam,True,Partner,smtp:fabrikam.com;1;smtp:*.fabrikam.net;1,,True,*.fabrikam.com,True,False,\r\n\
    By address,True,Partner,{SMTP:*;1},contoso.com,False,,False,True,192.0.2.7;198.51.100.1/25\r\n\
    Hybrid,True,OnPremises,*,,True,mail.contoso.com,True,False,\r\n\
    Old,False,Partner,smtp:*;1,,False,$null,False,False,\r\n";

#[test]
fn an_export_says_what_the_toml_says() {
    let (toml, csv) = (parse_toml(TOML).unwrap(), parse_csv(CSV.as_bytes()).unwrap());
    assert_eq!(csv.connectors, toml.connectors);
    assert_eq!((csv.left_out, toml.left_out), (vec!["Old".to_string()], vec!["Old".to_string()]));
    assert_eq!((csv.reject_direct_send, toml.reject_direct_send), (None, Some(true)));
    assert_eq!((csv.accepted_domains.len(), toml.accepted_domains.len()), (0, 1));
}

#[test]
fn what_is_for_partners_counts_for_nothing_on_premises() {
    let list = parse_toml(TOML).unwrap();
    let demands = list.connectors.iter().map(|connector| {
        let InboundConnectorType::OnPremises = connector.connector_type else { return (true, true) };
        (connector.require_tls, connector.restrict_domains_to_certificate)
    });
    assert_eq!(demands.collect::<Vec<_>>(), [(true, true), (true, true), (false, false)]);
}

#[test]
fn a_wildcard_covers_the_domain_and_all_below_it() {
    let list = parse_toml(TOML).unwrap();
    let covered = |name| list.connectors[0].sender_domains.iter().any(|scope| scope.covers(name));
    for (name, expected) in [
        ("fabrikam.com", true),
        ("Fabrikam.NET", true),
        ("a.b.fabrikam.net", true),
        ("a.fabrikam.com", false),
        ("xfabrikam.net", false),
        (".fabrikam.net", false),
        ("\u{e9}fabrikam.net", false),
        ("net", false),
    ] {
        assert_eq!(covered(name), expected, "{name}");
    }
}

/// What a connector of these lines is refused with.
fn refusal(lines: &str) -> String {
    let text = format!("[[inbound_connector]]\nname = \"C\"\n{lines}\n");
    parse_toml(&text).unwrap_err().to_string()
}

#[test]
fn each_contradiction_is_one_line_that_names_the_connector() {
    let partner = "connector_type = 'Partner'\nrequire_tls = false\nsender_domains = ['*']\n";
    for (lines, expected) in [
        ("", "line 2: connector `C`: ConnectorType `` is neither Partner nor OnPremises"),
        ("connector_type = 'Partner'\nsender_domains = ['*']", "RequireTls is not told"),
        ("connector_type = 'Partner'\nrequire_tls = true", "it matches no mail: no SenderDomains"),
        (&format!("{partner}restrict_domains_to_certificate = true"), "which needs TlsSenderCertificateName"),
        (&format!("{partner}restrict_domains_to_ip_addresses = true"), "which needs SenderIPAddresses"),
        (&format!("{partner}tls_sender_certificate_name = 'a.example'"), "and neither is true"),
        (
            &format!("{partner}tls_sender_certificate_name = 'a.*.example'"),
            "TlsSenderCertificateName `a.*.example`: a wildcard stands alone at the beginning",
        ),
        (&format!("{partner}tls_sender_certificate_name = '*'"), "`*`: a wildcard stands alone"),
        (&format!("{partner}tls_sender_certificate_name = 'a'"), "`a`: only one label"),
        (&format!("{partner}sender_ip_addresses = ['192.0.2.0/23']"), "`192.0.2.0/23` is neither an IPv4"),
        (&format!("{partner}sender_ip_addresses = ['2001:db8::1']"), "`2001:db8::1` is neither an IPv4"),
        (&format!("{partner}associated_accepted_domains = ['a b']"), "AssociatedAcceptedDomains `a b`: "),
        (
            "connector_type = 'Partner'\nrequire_tls = true\nsender_domains = ['a.*.example']",
            "SenderDomains `a.*.example`: a character",
        ),
        (
            "connector_type = 'OnPremises'",
            "type OnPremises needs TlsSenderCertificateName or SenderIPAddresses",
        ),
        (
            &format!("{partner}[[inbound_connector]]\nname = 'c'\n{partner}"),
            "line 7: connector `c`: the connector in line 2 has this name, too",
        ),
        (&format!("{partner}tls = 'x'"), "line 6: unknown key `tls`"),
    ] {
        let told = refusal(lines);
        assert!(told.contains(expected), "{lines}: {told}");
        assert!(!told.contains('\n'), "{told}");
    }
}

#[test]
fn the_organisation_is_held_to_its_accepted_domains() {
    let list = parse_toml("reject_direct_send = true").unwrap();
    let told = list.clone().with_accepted_domains(Vec::new()).unwrap_err().to_string();
    assert_eq!(told, "reject_direct_send is true, which needs accepted_domains or --accepted-domain");
    let further = vec![DomainName::parse("contoso.com").unwrap()];
    assert_eq!(list.with_accepted_domains(further).unwrap().accepted_domains.len(), 1);
    let stranger =
        TOML.replacen("accepted_domains = [\"contoso.com\"]", "accepted_domains = [\"a.example\"]", 1);
    let told = parse_toml(&stranger).unwrap_err().to_string();
    assert!(told.ends_with("AssociatedAcceptedDomains `contoso.com` is none of accepted_domains"), "{told}");
}

#[test]
fn a_row_that_is_cut_short_is_no_connector_that_demands_less() {
    let short = CSV.replacen(",True,False,\r\n", "\r\n", 1);
    let told = parse_csv(short.as_bytes()).unwrap_err().to_string();
    assert_eq!(told, "line 3: connector `From Fabrikam`: 7 cells under 10 columns; the row is cut short");
}

#[test]
fn blanks_around_a_name_are_none_of_it() {
    let partner = "connector_type = 'Partner'\nrequire_tls = false\nsender_domains = ['*']\n";
    let told = refusal(&format!("{partner}[[inbound_connector]]\nname = 'C '\n{partner}"));
    assert!(told.contains("connector `C`: the connector in line 2 has this name, too"), "{told}");
}

#[test]
fn an_export_without_a_column_of_a_demand_is_refused() {
    for column in ["RequireTls", "RestrictDomainsToIPAddresses", "SenderIPAddresses", "ConnectorType"] {
        let fewer = CSV.replacen(column, "Other", 1);
        let told = parse_csv(fewer.as_bytes()).unwrap_err().to_string();
        assert_eq!(told, format!("line 2: no column {column}: not an export of Get-InboundConnector"));
    }
}
