//! What stands on a page, by rows that are made up.

use super::*;
use std::collections::HashMap;

fn of_rows(rows: &[&[(&'static str, &'static str)]]) -> Document {
    let mut figures = Figures::new(0);
    for row in rows {
        figures.add_domain(&row.iter().copied().collect::<HashMap<_, _>>());
    }
    document(&figures, &AboutRun::default())
}

fn said(document: &Document) -> String {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    let paragraphs = blocks.filter_map(|block| match block {
        DocumentBlock::Paragraph(text) => Some(text.as_str()),
        DocumentBlock::Table(_) => None,
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// Whether a domain takes mail of whose DNS nothing is known, nobody knows.
#[test]
fn a_partner_is_not_said_to_take_mail() {
    let page = of_rows(&[
        &[("tld", "example"), ("delivery", "undetermined"), ("reason", "dns_servfail")],
        &[("tld", "example"), ("delivery", "encrypted")],
        &[("tld", "example"), ("delivery", "undeliverable"), ("reason", "dns_null_mx")],
    ]);
    let said = said(&page);
    assert!(
        said.contains(
            "2 of 3 domains are counted as partners: all but those that are known to take no mail."
        ),
        "{said}"
    );
    assert!(!said.contains("take mail at all"), "{said}");
}

#[test]
fn a_list_of_endpoints_is_told_at_the_head() {
    let page = of_rows(&[&[("domain", "192.0.2.1"), ("delivery", "plaintext")], &[("domain", "mx.example")]]);
    assert!(
        page.notices[0].starts_with("The list named 2 endpoints, and no mail domains"),
        "{:?}",
        page.notices
    );
    let page = of_rows(&[&[("domain", "a.example"), ("tld", "example"), ("delivery", "plaintext")]]);
    assert_eq!(page.notices, [""; 0]);
}
