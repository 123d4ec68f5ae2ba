//! The page of `mxray report` in a browser: quiet, readable at every width and in
//! every light, and whole on paper. Left out where no browser is installed, unless
//! `MXRAY_INTEROP_ALL` demands it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "report/browser.rs"]
mod browser;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use browser::Browser;
#[cfg(feature = "receive")]
use mxray::internals::model::inbound::{ClientName, InboundDialogue, InboundSession, JudgedSession};
#[cfg(feature = "receive")]
use mxray::internals::run_dir::{ReceiveDirectory, ReceiveInfo};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// From a telephone to a wide screen, in pixels.
const WIDTHS: [u32; 5] = [320, 400, 800, 1200, 1600];
const SCHEMES: [&str; 2] = ["light", "dark"];
/// Text must stand out at least so much (WCAG 2.2, 1.4.3).
const CONTRAST_MIN: f64 = 4.5;

/// How wide the page is.
const WIDEST: &str = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)";
/// What is cut off at its own edge is not read either.
const CUT: &str = "[...document.querySelectorAll('th, td, p, li, h1, h2, h3, caption, code')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)
    .map(e => e.tagName + ' ' + e.textContent.slice(0, 80))";

/// A browser, if there is one.
fn browser() -> Option<Browser> {
    let program = Browser::program();
    let demanded = std::env::var_os("MXRAY_INTEROP_ALL").is_some();
    assert!(program.is_some() || !demanded, "chromium is not installed");
    if program.is_none() {
        eprintln!("skipped: chromium is not installed");
    }
    program.map(Browser::start)
}

/// A run of the lab and its page, made once for all tests.
fn page() -> &'static Path {
    static MADE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, page) = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let mxray = |words: &[&str]| {
            let ran = Command::new(env!("CARGO_BIN_EXE_mxray")).args(words).current_dir(dir.path()).output();
            let ran = ran.unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        };
        mxray(&["demo", "--domains", "600", "-o", "run"]);
        mxray(&["report", "run"]);
        let page = dir.path().join("run/report.html");
        (dir, page)
    });
    page
}

#[test]
fn it_opens_without_a_complaint_and_nothing_overflows_at_any_width() {
    let Some(mut browser) = browser() else { return };
    for width in WIDTHS {
        browser.look(width, "light");
        browser.open(page());
        assert_eq!(browser.complaints, Vec::<String>::new());
        assert_eq!(browser.evaluate(WIDEST), width, "it can be pushed sideways");
        assert_eq!(browser.evaluate(CUT), json!([]), "at {width} pixels");
    }
}

/// Names that a client chose are as long as they may be.
#[cfg(feature = "receive")]
#[test]
fn the_page_of_a_listener_opens_without_a_complaint_and_nothing_overflows() {
    let Some(mut browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let info = ReceiveInfo::new("127.0.0.1:25".into(), "mx.example".into());
    let mut directory = ReceiveDirectory::create(&run, info, 1 << 20).unwrap();
    let names = ["out.partner.example".to_string(), "<script>x()</script>".into(), "x".repeat(255)];
    for (number, text) in (1..).zip(names) {
        let ehlo = Some(ClientName { text, cut: false });
        let session = InboundSession {
            number,
            began: "2026-11-28T08:00:00Z".parse().unwrap(),
            peer: "[2001:db8:1111:2222:3333:4444:5555:6666]:25".parse().unwrap(),
            dialogue: InboundDialogue { ehlo, ..InboundDialogue::default() },
            tls: None,
            over_us: None,
            total_us: 1,
            bytes_in: 1,
            bytes_out: 1,
        };
        directory.write(&session, &JudgedSession::default()).unwrap();
    }
    directory.note_end(1, &["not read"]).unwrap();
    directory.finish(None).unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_mxray")).arg("report").arg(&run).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for width in WIDTHS {
        browser.look(width, "light");
        browser.open(&run.join("report.html"));
        assert_eq!(browser.complaints, Vec::<String>::new());
        assert_eq!(browser.evaluate(WIDEST), width, "it can be pushed sideways");
        assert_eq!(browser.evaluate(CUT), json!([]), "at {width} pixels");
    }
}

/// The test sees what it is there to see.
#[test]
fn a_page_that_breaks_the_rules_is_complained_of() {
    let Some(mut browser) = browser() else { return };
    let text = fs::read_to_string(page()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.html");
    for (mark, planted) in [
        ("</footer>", "</footer><script>document.title = 'x'</script>"),
        ("</footer>", "</footer><img src='file:///etc/hostname' onerror='x()'>"),
        ("<main>", "<main><p style='color: red'>x</p>"),
        ("<style>", "<style>p { color: red }"),
    ] {
        assert!(text.contains(mark));
        fs::write(&broken, text.replacen(mark, planted, 1)).unwrap();
        browser.look(800, "light");
        browser.open(&broken);
        assert!(!browser.complaints.is_empty(), "{planted}");
    }
}

#[test]
fn dark_is_dark_and_all_text_can_be_read_in_either_light() {
    let Some(mut browser) = browser() else { return };
    let mut grounds = BTreeSet::new();
    for scheme in SCHEMES {
        browser.look(1200, scheme);
        browser.open(page());
        grounds.insert(browser.evaluate("getComputedStyle(document.body).backgroundColor").to_string());
        let least = browser.evaluate(include_str!("report/contrast.js"));
        let ratio = least["ratio"].as_f64().unwrap();
        assert!(ratio >= CONTRAST_MIN, "{scheme}: {least}");
    }
    assert_eq!(grounds.len(), 2, "{grounds:?}");
}

#[test]
fn who_cannot_see_it_can_read_it() {
    let Some(mut browser) = browser() else { return };
    browser.look(400, "light");
    browser.open(page());
    let faults = browser.evaluate(include_str!("report/accessibility.js"));
    assert_eq!(faults, json!([]));
    // A table that is laid out in blocks is one to a screen reader all the same.
    browser.call("Accessibility.enable", json!({}));
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let count = |role: &str| {
        let nodes = tree["nodes"].as_array().unwrap();
        nodes.iter().filter(|node| node["role"]["value"] == role && node["ignored"] == false).count()
    };
    let tables = browser_count(&mut browser, "table");
    assert_eq!(count("table"), tables);
    assert_eq!(count("row"), browser_count(&mut browser, "tr"));
    assert_eq!(count("rowheader"), browser_count(&mut browser, "tbody th"));
}

fn browser_count(browser: &mut Browser, selector: &str) -> usize {
    let count: Value = browser.evaluate(&format!("document.querySelectorAll('{selector}').length"));
    usize::try_from(count.as_u64().unwrap()).unwrap()
}

/// Held by what another program reads in the PDF.
#[test]
fn every_row_is_on_the_paper() {
    let Some(mut browser) = browser() else { return };
    if Command::new("pdftotext").arg("-v").output().is_err() {
        assert!(
            std::env::var_os("MXRAY_INTEROP_ALL").is_none(),
            "pdftotext (poppler-utils) is not installed"
        );
        eprintln!("skipped: pdftotext is not installed");
        return;
    }
    browser.look(1200, "dark");
    browser.open(page());
    let printed = browser.call("Page.printToPDF", json!({ "paperWidth": 8.27, "paperHeight": 11.69 }));
    let dir = tempfile::tempdir().unwrap();
    let pdf = dir.path().join("report.pdf");
    fs::write(&pdf, STANDARD.decode(printed["data"].as_str().unwrap()).unwrap()).unwrap();
    let read = Command::new("pdftotext").args(["-raw"]).arg(&pdf).arg("-").output().unwrap();
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let paper = squeezed(&String::from_utf8(read.stdout).unwrap());
    let rows = browser.evaluate("[...document.querySelectorAll('tbody tr')].map(r => r.cells[0].innerText)");
    let rows: Vec<String> = serde_json::from_value(rows).unwrap();
    assert!(rows.len() > 250, "{}", rows.len());
    let missing: Vec<&String> = rows.iter().filter(|row| !paper.contains(&squeezed(row))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
