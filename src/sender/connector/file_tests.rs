//! Files of connectors: what is understood, and what each contradiction says.

use super::*;
use crate::model::connector::{MtaStsMode, SmtpDaneMode};
use crate::model::{DomainName, TlsSettings};
use proptest::prelude::*;

const TOML: &str = r#"
accepted_domains = ["adatum.com"]

[[connector]]
name = "To Contoso"
domains = ["contoso.com", "*.contoso.com"]
tls_settings = "DomainValidation"
tls_domain = "*.contoso.com"

[[connector]]
name = "To \"Fabrikam\", Inc."
domains = ["fabrikam.com", "fabrikam.net"]
tls_settings = "certificatevalidation"

[[connector]]
name = "Hybrid"
connector_type = "OnPremises"
domains = ["adatum.com"]
all_accepted_domains = true
tls_settings = "DomainValidation"
tls_domain = "mail.adatum.com"
use_mx_record = false
smart_hosts = ["mail.adatum.com", "192.0.2.25", "198.51.100.0/30"]
route_all_messages_via_on_premises = true

[[connector]]
name = "Old"
enabled = false
domains = ["*"]

[[connector]]
name = "By rule"
transport_rule_scoped = true
tls_settings = "EncryptionOnly"

[[connector]]
name = "Everybody else"
domains = ["*"]
"#;

#[test]
fn every_export_says_what_the_toml_says() {
    let expected = parse_toml(TOML).unwrap();
    assert_eq!(expected.left_out, ["Old", "By rule"]);
    for (name, bytes) in [
        ("windows powershell", include_bytes!("testdata/windows-powershell-utf16.csv").as_slice()),
        ("powershell 7", include_bytes!("testdata/powershell-7.csv")),
        ("-UseCulture", include_bytes!("testdata/use-culture-bom.csv")),
    ] {
        let list = parse_csv(bytes).unwrap();
        assert_eq!(list.connectors, expected.connectors, "{name}");
        assert_eq!(list.left_out, expected.left_out, "{name}");
    }
}

#[test]
fn a_file_becomes_a_choice() {
    let connectors = parse_toml(TOML).unwrap().in_force(Vec::new()).unwrap();
    for (domain, name, settings, hosts) in [
        ("contoso.com", "To Contoso", TlsSettings::DomainValidation, 0),
        ("a.contoso.com", "To Contoso", TlsSettings::DomainValidation, 0),
        ("fabrikam.net", "To \"Fabrikam\", Inc.", TlsSettings::CertificateValidation, 0),
        ("adatum.com", "Hybrid", TlsSettings::DomainValidation, 3),
        ("example.com", "Everybody else", TlsSettings::None, 0),
    ] {
        let chosen = connectors.choose(&DomainName::parse(domain).unwrap()).unwrap();
        assert_eq!(
            (&*chosen.name, chosen.tls_settings, chosen.smart_hosts.len()),
            (name, settings, hosts),
            "{domain}"
        );
    }
}

/// What a TOML connector of these lines is refused with.
fn refusal(lines: &str) -> String {
    let text = format!("[[connector]]\nname = \"C\"\n{lines}\n");
    parse_toml(&text).and_then(|list| list.in_force(Vec::new())).unwrap_err().to_string()
}

#[test]
fn each_contradiction_is_one_line_that_names_the_connector() {
    let domains = "domains = ['a.example']\n";
    for (lines, expected) in [
        ("", "line 2: connector `C`: it matches no mail: no RecipientDomains, and neither"),
        ("domains = ['a.*.example']", "line 2: connector `C`: RecipientDomains `a.*.example`: a character"),
        ("tls_domain = 'b.example'", "TlsDomain `b.example` goes with TlsSettings DomainValidation only"),
        (
            "tls_settings = 'EncryptionOnly'\ntls_domain = '*.b.example'",
            "TlsDomain `*.b.example` goes with TlsSettings DomainValidation only, which is EncryptionOnly",
        ),
        (
            "tls_settings = 'DomainValidation'\ntls_domain = 'mail.*.b.example'",
            "TlsDomain `mail.*.b.example`: a wildcard stands alone at the beginning",
        ),
        ("tls_settings = 'DomainValidation'\ntls_domain = '*'", "TlsDomain `*`: a wildcard stands alone"),
        ("tls_settings = 'DomainValidation'\ntls_domain = 'b'", "TlsDomain `b`: only one label"),
        ("tls_settings = 'Tls'", "TlsSettings `Tls` is not EncryptionOnly"),
        ("use_mx_record = false", "UseMXRecord is false, which needs SmartHosts"),
        ("smart_hosts = ['mx.example']", "SmartHosts go with UseMXRecord false, and it is true"),
        (
            "use_mx_record = false\nsmart_hosts = ['m x']",
            "SmartHosts `m x` is not a host name, address or range",
        ),
        ("use_mx_record = false\nsmart_hosts = ['192.0.2.0/23']", "its SmartHosts are over 256 addresses"),
        ("use_mx_record = false\nsmart_hosts = ['2001:db8::/64']", "its SmartHosts are over 256 addresses"),
        (
            "use_mx_record = false\nsmart_hosts = ['192.0.2.0/24', '198.51.100.0/24']",
            "its SmartHosts are over 256 addresses",
        ),
        ("connector_type = 'Inbound'", "ConnectorType `Inbound` is neither Partner nor OnPremises"),
        (
            "connector_type = 'Partner'\nroute_all_messages_via_on_premises = true",
            "RouteAllMessagesViaOnPremises is for connectors of type OnPremises only",
        ),
        (
            "all_accepted_domains = true",
            "line 2: connector `C`: it takes all accepted domains, and none are named",
        ),
        ("tls = 'x'", "line 4: unknown key `tls`"),
        (
            "[[connector]]\nname = 'c'\ndomains = ['b.example']",
            "line 5: connector `c`: the connector in line 2 has this name, too",
        ),
        (
            "[[connector]]\nname = 'D'\ndomains = ['A.example']",
            "line 5: connector `D`: it takes a.example, and so does connector `C` in line 2",
        ),
        ("[[connector]]\nname = ''\ndomains = ['b.example']", "line 5: connector: it has no name"),
    ] {
        let lines = if lines.is_empty() || lines.starts_with("domains") {
            lines.to_string()
        } else {
            format!("{domains}{lines}")
        };
        let found = refusal(&lines);
        assert!(found.contains(expected), "{lines}\n{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

/// What a CSV is refused with.
fn csv_refusal(text: &str) -> String {
    parse_csv(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_csv_that_tells_too_little_says_so() {
    for (text, expected) in [
        ("", "no column Name: not an export of Get-OutboundConnector"),
        ("Name,TlsSettings\na,\n", "line 1: no column RecipientDomains"),
        (
            "#TYPE X\nName,RecipientDomains,TlsSettings\na,a.example,No\n",
            "line 3: connector `a`: TlsSettings `No` is not ",
        ),
        (
            "Name,RecipientDomains,TlsSettings\na,System.Collections.ArrayList,\n",
            "line 2: connector `a`: RecipientDomains holds the name of a type, not the values; join them",
        ),
        ("Name,RecipientDomains,TlsSettings,Enabled\na,a.example,,maybe\n", "Enabled `maybe` is neither"),
        (
            "#TYPE X\r\nName,RecipientDomains,TlsSettings\r\na,a.example,\r\n\r\n\"b\r\nc\",b.example,\r\nd,d.example,No\r\n",
            "line 7: connector `d`: TlsSettings `No` is not ",
        ),
        (
            "Name,RecipientDomains,TlsSettings\r\na,a.example,No\r\n",
            "line 2: connector `a`: TlsSettings `No` is not ",
        ),
        ("\r\n\r\nName,TlsSettings\r\na,\r\n", "line 3: no column RecipientDomains"),
        (
            "Name,RecipientDomains,TlsSettings\na,a.example,\nb,b.example,c.example,EncryptionOnly\n",
            "line 3: connector `b`: 4 cells under 3 columns; a cell with a separator needs quotes",
        ),
        (
            "Name,RecipientDomains,TlsSettings,Comment\na,a.example,,\"open\nb,b.example,EncryptionOnly,\"\"\n",
            "line 2: not CSV: a cell begins with a quote that never ends",
        ),
        (
            "Name,RecipientDomains,TlsSettings,Comment\na,a.example,,\"open\n\"b\",b.example,EncryptionOnly,\n",
            "line 2: not CSV: a cell begins with a quote and goes on after the quote that ends it",
        ),
        (
            "Name,RecipientDomains,TlsSettings\na,a.example,DomainValidation\n",
            "TlsSettings is DomainValidation, and there is no column TlsDomain",
        ),
        (
            "Name,RecipientDomains,TlsSettings\n\"a\nb\",*x.example,\n",
            "connector `a\\x0ab`: RecipientDomains",
        ),
    ] {
        let found = csv_refusal(text);
        assert!(found.contains(expected), "{text}\n{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    let found = parse_csv(b"Name,RecipientDomains,TlsSettings\n\xff").unwrap_err().to_string();
    assert_eq!(found, "not UTF-8 text; export it with -Encoding UTF8");
}

#[test]
fn files_over_a_limit_are_refused() {
    let large = "#".repeat(CONNECTOR_FILE_BYTES_MAX + 1);
    assert!(parse_toml(&large).unwrap_err().to_string().starts_with("larger than"));
    assert!(parse_csv(large.as_bytes()).unwrap_err().to_string().starts_with("larger than"));
    let rows: String = (0..=CONNECTORS_MAX).map(|n| format!("c{n},d{n}.example,\n")).collect();
    let found = csv_refusal(&format!("Name,RecipientDomains,TlsSettings\n{rows}"));
    assert_eq!(found, "more than 10000 connectors");
    let long = "n".repeat(CONNECTOR_NAME_BYTES_MAX + 1);
    let found = csv_refusal(&format!("Name,RecipientDomains,TlsSettings\n{long},a.example,\n"));
    assert!(found.contains("its name is longer than 256 bytes"), "{found}");
    let many = vec!["a.example"; CONNECTOR_RECIPIENTS_MAX + 1].join(";");
    let found = csv_refusal(&format!("Name,RecipientDomains,TlsSettings\nc,{many},\n"));
    assert!(found.contains("more than 10000 RecipientDomains"), "{found}");
    let many = vec!["192.0.2.1"; CONNECTOR_SMART_HOSTS_MAX + 1].join(";");
    let header = "Name,RecipientDomains,TlsSettings,UseMXRecord,SmartHosts";
    let found = csv_refusal(&format!("{header}\nc,a.example,,False,{many}\n"));
    assert!(found.contains("more than 64 SmartHosts"), "{found}");
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "(?s).{0,300}") {
        let _ = parse_toml(&text);
        let _ = parse_csv(text.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_csv_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_csv(&bytes);
    }

    #[test]
    fn no_cell_makes_a_parser_panic(cells in proptest::collection::vec("[ -~é\n]{0,20}", 5)) {
        let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let text = format!("Name,RecipientDomains,TlsSettings,TlsDomain,SmartHosts\n{}\n", quoted.join(","));
        if let Err(error) = parse_csv(text.as_bytes()) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }
}

#[test]
fn modes_of_dane_and_mta_sts_are_read_from_both_kinds_of_files() {
    let toml = |keys: &str| format!("[[connector]]\nname = 'C'\ndomains = ['c.example']\n{keys}");
    let csv = |cells: &str| {
        format!("Name,RecipientDomains,TlsSettings,SmtpDaneMode,MtaStsMode\nC,c.example,,{cells}\n")
    };
    for (keys, cells, dane, sts) in [
        ("", ",", SmtpDaneMode::Opportunistic, MtaStsMode::Opportunistic),
        ("", "$null,$null", SmtpDaneMode::Opportunistic, MtaStsMode::Opportunistic),
        (
            "smtp_dane_mode = 'mandatory'\nmta_sts_mode = 'None'",
            "mandatory,None",
            SmtpDaneMode::Mandatory,
            MtaStsMode::None,
        ),
        ("smtp_dane_mode = 'None'", "None,Opportunistic", SmtpDaneMode::None, MtaStsMode::Opportunistic),
    ] {
        for list in [parse_toml(&toml(keys)).unwrap(), parse_csv(csv(cells).as_bytes()).unwrap()] {
            let all = list.in_force(Vec::new()).unwrap();
            let connector = all.choose(&crate::model::DomainName::parse("c.example").unwrap()).unwrap();
            assert_eq!((connector.smtp_dane_mode, connector.mta_sts_mode), (dane, sts), "{cells}");
        }
    }
    for (keys, told) in [
        ("smtp_dane_mode = 'Strict'", "SmtpDaneMode `Strict` is not Opportunistic, Mandatory or None"),
        ("mta_sts_mode = 'Mandatory'", "MtaStsMode `Mandatory` is neither Opportunistic nor None"),
    ] {
        let error = parse_toml(&toml(keys)).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
