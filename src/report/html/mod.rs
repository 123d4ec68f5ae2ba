//! A report as one page of HTML: no script, nothing from elsewhere, and all that a
//! server said is text.

mod parts;

use super::document::Document;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(document: &Document) -> String {
    let policy = content_security_policy();
    let page: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("mxray ", env!("CARGO_PKG_VERSION")));
                title { (document.title) }
                // Ours alone, and the policy has its digest.
                style { (PreEscaped(STYLE)) }
            }
            body {
                (parts::header(document))
                main {
                    @for section in &document.sections { (parts::section(section)) }
                }
                footer { p { "Made by mxray " (env!("CARGO_PKG_VERSION")) " from the tables of the run directory, without a packet." } }
            }
        }
    };
    page.into_string() + "\n"
}

/// Nothing is loaded and nothing runs; the one style is known by its digest.
fn content_security_policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{
        CaptionedTable, DocumentBlock, PartShare, PartsUnit, ReportCell, Section, Tone,
    };

    const HOSTILE: &str = "<script>alert(1)</script>\" onload='x' & ]]> --> </style> javascript:x";

    fn document(said: &str) -> Document {
        let cells = vec![
            ReportCell::Text(said.to_string()),
            ReportCell::Code(said.to_string()),
            ReportCell::Titled(said.to_string(), said.to_string()),
            ReportCell::Count(1),
            ReportCell::Share(1, 2, Tone::Bad),
        ];
        let table = CaptionedTable {
            caption: said.to_string(),
            columns: vec!["a", "b", "c", "d", "e"],
            rows: vec![cells],
            note: Some(said.to_string()),
            wordy: true,
        };
        Document {
            title: said.to_string(),
            subtitle: vec![said.to_string()],
            notices: vec![said.to_string()],
            unit: PartsUnit::DOMAINS,
            parts: vec![PartShare {
                name: said.to_string(),
                means: "x",
                part: 1,
                whole: 1,
                tone: Tone::Good,
            }],
            sections: vec![Section {
                id: "x",
                part: None,
                title: said.to_string(),
                blocks: vec![DocumentBlock::Paragraph(said.to_string()), DocumentBlock::Table(table)],
            }],
        }
    }

    #[test]
    fn what_a_server_says_is_text() {
        let page = page(&document(HOSTILE));
        let (_, body) = page.split_once("</style>").unwrap();
        assert!(!body.contains("<script") && !body.contains("</style>"), "{body}");
        assert!(!body.contains("\" onload='x'"), "{body}");
        assert!(body.matches("&lt;script&gt;").count() >= 10, "{body}");
        let before = page.split_once("<style>").unwrap().0;
        assert!(!before.contains("<script") && before.contains("&lt;/style&gt;"), "{before}");
    }

    #[test]
    fn nothing_is_loaded_and_the_style_is_the_one_of_the_policy() {
        let page = page(&Document::default());
        for mark in ["<script", " src=", "url(", "@import", " style=", "http://", "https://", " on"] {
            let (head, tail) = page.split_once("<style>").unwrap();
            let (style, tail) = tail.split_once("</style>").unwrap();
            let markup = format!("{head}{tail}");
            assert!(!markup.contains(mark) || mark == " on", "{mark}");
            assert!(mark == " on" || !style.contains(mark), "{mark} in the style");
        }
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert_eq!(style, STYLE);
        assert!(page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"), "{page}");
    }

    proptest::proptest! {
        /// Whatever is said, the page has the very marks that it has for a word. Where
        /// nothing is, it leaves out what would be empty.
        #[test]
        fn nothing_that_is_said_makes_a_mark(said in "(?s).{0,40}", piece in "[<>&\"'/a-z=!-]{1,20}") {
            let said = format!("{said}{piece}");
            let marks = |page: &str| [page.matches('<').count(), page.matches('>').count(), page.matches('"').count()];
            proptest::prop_assert_eq!(marks(&page(&document(&said))), marks(&page(&document("x"))));
        }
    }
}
