//! The TXT records that announce an MTA-STS policy and ask for TLS reports
//! (RFC 8461 §3.1, RFC 8460 §3): other records at the name change nothing, nor
//! does their order or a field that nobody knows.
//!
//! A NUL stands between records.

use super::Seed;
use mxray::internals::dns::{mta_sts, tls_rpt};

pub fn check(input: &[u8]) {
    let texts: Vec<Vec<u8>> = input.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let others: Vec<Vec<u8>> =
        std::iter::once(b"v=spf1 -all".to_vec()).chain(texts.iter().rev().cloned()).collect();
    let sts = mta_sts::record(&texts);
    assert_eq!(sts, mta_sts::record(&others), "others beside it, in another order");
    let rpt = tls_rpt::record(&texts);
    assert_eq!(rpt, tls_rpt::record(&others), "others beside it, in another order");
    if let Ok(Some(record)) = &sts {
        assert!((1..=32).contains(&record.id.len()) && record.id.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(mta_sts::record(&extended(&texts, b"v=STSv1")).as_ref(), Ok(&Some(record.clone())));
    }
    if let Ok(Some(record)) = &rpt {
        assert!(!record.rua.is_empty());
        assert_eq!(tls_rpt::record(&extended(&texts, b"v=TLSRPTv1")).as_ref(), Ok(&Some(record.clone())));
    }
    for told in [sts.err().map(|fault| fault.to_string()), rpt.err().map(|fault| fault.to_string())] {
        assert!(told.is_none_or(|told| told.len() < 512));
    }
}

/// The same, with a field more in the records that begin so.
fn extended(texts: &[Vec<u8>], version: &[u8]) -> Vec<Vec<u8>> {
    let extend = |text: &Vec<u8>| {
        let mut text = text.clone();
        let behind = text.strip_prefix(version).map(|rest| rest.trim_ascii_start());
        if behind.is_some_and(|rest| rest.starts_with(b";")) {
            while matches!(text.last(), Some(b' ' | b'\t' | b';')) {
                text.pop();
            }
            text.extend_from_slice(b"; x-more=1");
        }
        text
    };
    texts.iter().map(extend).collect()
}

pub fn seeds() -> Vec<Seed> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("sts", text("v=STSv1; id=20260101T000000;")),
        ("sts-beside", text("v=spf1 -all\0v=STSv1 ; ext=a:b ;id=1")),
        ("sts-twice", text("v=STSv1; id=1\0v=STSv1; id=2")),
        ("sts-nearly", text("V=STSv1; id=1")),
        ("rpt", text("v=TLSRPTv1; rua=mailto:reports@example.com")),
        ("rpt-two", text("v=TLSRPTv1;rua=mailto:a@example.com , https://example.com/v1?a=b; x=1")),
        ("rpt-odd", text("v=TLSRPTv1; rua=http://example.com/!10m")),
    ]
}
