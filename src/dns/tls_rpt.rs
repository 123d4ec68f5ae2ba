//! The record that asks for reports on TLS, read strictly (RFC 8460 §3).

use super::txt::{self, Versioned, quoted, versioned};
use crate::model::tls_rpt::{TlsRptFault, TlsRptRecord};

/// The record among the TXT records of `_smtp._tls.DOMAIN`, the strings of each
/// joined; `None` where none is meant as one.
///
/// # Errors
/// [`TlsRptFault`] where what is meant as one asks for no reports.
pub fn record(texts: &[Vec<u8>]) -> Result<Option<TlsRptRecord>, TlsRptFault> {
    let fields = match versioned(texts, "v=TLSRPTv1") {
        Versioned::Absent => return Ok(None),
        Versioned::Nearly => return Err(TlsRptFault::Version),
        Versioned::Several(count) => return Err(TlsRptFault::Several(count)),
        Versioned::One(fields) => fields,
    };
    let mut rua = None;
    for field in txt::fields(fields) {
        let (name, value) = field.map_err(|piece| TlsRptFault::Field(quoted(piece)))?;
        if name == "rua" {
            rua.get_or_insert(value);
        } else if !txt::is_value(value) {
            return Err(TlsRptFault::Field(quoted(format!("{name}={value}").as_bytes())));
        }
    }
    let uris = rua.ok_or(TlsRptFault::NoRua)?.split(',').map(|uri| uri.trim_matches([' ', '\t']));
    let rua = uris.map(|uri| match is_destination(uri) {
        true => Ok(uri.to_owned()),
        false => Err(TlsRptFault::Uri(quoted(uri.as_bytes()))),
    });
    Ok(Some(TlsRptRecord { rua: rua.collect::<Result<_, _>>()? }))
}

/// Whether reports can go there. `!` stands in no such URI but encoded, as the
/// comma and the semicolon, at which it was split.
fn is_destination(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let sound = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+=%".contains(&b));
    let complete = match scheme.to_ascii_lowercase().as_str() {
        "mailto" => {
            rest.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        }
        "https" => rest
            .strip_prefix("//")
            .is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')),
        _ => false,
    };
    sound && complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_the_grammar() {
        use TlsRptFault::{Field, NoRua, Several, Uri, Version};
        let rua = |uris: &[&str]| {
            Ok(Some(TlsRptRecord { rua: uris.iter().map(|uri| (*uri).to_owned()).collect() }))
        };
        for (records, expected) in [
            (&["v=TLSRPTv1; rua=mailto:reports@example.com"][..], rua(&["mailto:reports@example.com"])),
            (
                &["v=TLSRPTv1;rua=mailto:a@example.com , https://example.com/v1/tlsrpt;"],
                rua(&["mailto:a@example.com", "https://example.com/v1/tlsrpt"]),
            ),
            (&["v=TLSRPTv1; rua=mailto:a%21b@example.com; x=1"], rua(&["mailto:a%21b@example.com"])),
            (&["v=TLSRPTv1; rua=https://example.com/?a=b"], rua(&["https://example.com/?a=b"])),
            (&[], Ok(None)),
            (&["v=DMARC1; p=none"], Ok(None)),
            (&["v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example"], Err(Several(2))),
            (&["v=TLSRPT1; rua=mailto:a@b.example"], Ok(None)),
            (&["v=tlsrptv1; rua=mailto:a@b.example"], Err(Version)),
            (&["v=TLSRPTv1 rua=mailto:a@b.example"], Err(Version)),
            (&["v=TLSRPTv1;"], Err(Field(String::new()))),
            (&["v=TLSRPTv1; ruf=mailto:a@b.example"], Err(NoRua)),
            (&["v=TLSRPTv1; rua"], Err(Field("rua".to_owned()))),
            (&["v=TLSRPTv1; rua="], Err(Uri(String::new()))),
            (&["v=TLSRPTv1; rua=a@b.example"], Err(Uri("a@b.example".to_owned()))),
            (&["v=TLSRPTv1; rua=mailto:b.example"], Err(Uri("mailto:b.example".to_owned()))),
            (&["v=TLSRPTv1; rua=http://b.example/"], Err(Uri("http://b.example/".to_owned()))),
            (&["v=TLSRPTv1; rua=https:///x"], Err(Uri("https:///x".to_owned()))),
            (&["v=TLSRPTv1; rua=mailto:a@b.example!10m"], Err(Uri("mailto:a@b.example!10m".to_owned()))),
            (&["v=TLSRPTv1; rua=mailto:a@b.example,"], Err(Uri(String::new()))),
        ] {
            let texts: Vec<Vec<u8>> = records.iter().map(|record| record.as_bytes().to_vec()).collect();
            assert_eq!(record(&texts), expected, "{records:?}");
        }
    }
}
