//! Tests of comparing two runs of `mxray receive`.

use super::*;
use crate::model::{CipherSuite, ProtocolVersion, Sha256};
use crate::report::diff::DomainChange;
use crate::report::received::fixtures::{figures, sender};
use crate::report::received::{CertificateNamed, CertificateState, SenderFigures};
use std::collections::BTreeSet;

fn head(finished: [bool; 2]) -> SenderDiffHead {
    let [before, after] = [("a", finished[0]), ("b", finished[1])].map(|(run, finished)| DiffedReceiveRun {
        run: run.to_string(),
        started: Timestamp::UNIX_EPOCH,
        sessions: 1,
        senders: 1,
        finished,
    });
    SenderDiffHead { before, after, behave: None, notes: vec!["A note.".to_string()] }
}

/// A change of a sender, and what is told of it.
fn told(before: SenderFigures, after: SenderFigures) -> (&'static str, Option<&'static str>, Vec<String>) {
    let (before, after) = (figures(vec![before]), figures(vec![after]));
    let diff = SenderDiff::new(head([true; 2]), &before, &after);
    let [one] = diff.senders.as_slice() else { panic!("one sender") };
    let signs = one.signs.iter().map(ToString::to_string).collect();
    (one.change.name(), one.decided_by.map(SenderColumn::name), signs)
}

fn with(change: impl FnOnce(&mut SenderFigures)) -> SenderFigures {
    let mut sender = sender("a.example", 1, 0);
    sender.observed.versions = BTreeSet::from([ProtocolVersion::TLS13]);
    change(&mut sender);
    sender
}

#[test]
fn the_first_column_that_differs_decides_and_all_that_differ_are_told() {
    let plain = || with(|_| ());
    let clear = || with(|one| one.seen.mail_in_clear = 1);
    let silent = || with(|one| one.seen.mail_in_tls = 0);
    let old = || with(|one| one.observed.versions = BTreeSet::from([ProtocolVersion::TLS12]));
    let held = |state| with(move |one| one.observed.certificate_state = Some(state));
    let named = |named| with(move |one| one.observed.certificate_named = Some(named));
    let verdicts = |counts| with(move |one| one.observed.verdicts = counts);
    for (before, after, change, column) in [
        (plain(), plain(), "same", None),
        (plain(), clear(), "worse", Some("mail")),
        (clear(), plain(), "better", Some("mail")),
        (plain(), silent(), "now_undetermined", Some("mail")),
        (silent(), clear(), "determined_now", Some("mail")),
        (silent(), silent(), "still_undetermined", None),
        (plain(), old(), "worse", Some("weakest_tls_version")),
        (old(), plain(), "better", Some("weakest_tls_version")),
        (
            held(CertificateState::Holds),
            held(CertificateState::DoesNotHold),
            "worse",
            Some("client_certificate"),
        ),
        (
            held(CertificateState::NotDetermined),
            held(CertificateState::Holds),
            "determined_now",
            Some("client_certificate"),
        ),
        (named(CertificateNamed::Yes), named(CertificateNamed::No), "worse", Some("cert_named")),
        (held(CertificateState::NotJudged), held(CertificateState::DoesNotHold), "same", None),
        (verdicts([2, 0, 0]), verdicts([1, 1, 0]), "worse", Some("verdict")),
        (verdicts([2, 0, 0]), verdicts([1, 0, 1]), "now_undetermined", Some("verdict")),
        (verdicts([0, 0, 0]), verdicts([0, 1, 0]), "same", None),
    ] {
        let (found, by, _) = told(before, after);
        assert_eq!((found, by), (change, column));
    }
    let (_, _, signs) = told(old(), with(|one| one.seen.mail_in_clear = 1));
    assert_eq!(signs, ["mail_worse", "weakest_tls_version_better"]);
}

#[test]
fn what_is_neither_better_nor_worse_is_told_where_both_runs_saw_it() {
    let shows = |byte: u8| with(move |one| one.observed.certificates = BTreeSet::from([Sha256([byte; 32])]));
    let codes = |code: &'static str| {
        with(move |one| {
            one.observed.verdicts = [0, 1, 0];
            one.observed.refusal_codes = BTreeSet::from([code.to_string()]);
        })
    };
    let suite = |suite| with(move |one| one.observed.suites = BTreeSet::from([CipherSuite(suite)]));
    let offer = |offer: &'static str| {
        with(move |one| one.observed.fingerprints = BTreeSet::from([offer.to_string()]))
    };
    let no_tls = with(|one| one.observed.versions.clear());
    for (before, after, signs) in [
        (shows(1), shows(2), &["certificate_changed"][..]),
        (shows(1), with(|_| ()), &["certificate_gone"]),
        (with(|_| ()), shows(1), &["certificate_appeared"]),
        (shows(1), no_tls, &[]),
        (codes("550 5.7.51"), codes("451 5.7.3"), &["refusal_changed"]),
        (suite(0x1301), suite(0x1302), &["suite_changed"]),
        (offer("a"), offer("b"), &["offer_changed"]),
        (offer("a"), with(|_| ()), &[]),
    ] {
        let (change, by, found) = told(before, after);
        let expected = if signs.is_empty() { "same" } else { "changed" };
        assert_eq!(
            (change, by, found.as_slice()),
            (expected, None, &signs.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
        );
    }
}

#[test]
fn who_came_and_who_went_is_told_of_runs_that_have_all() {
    let (one, other) = (figures(vec![sender("a.example", 1, 0)]), figures(vec![sender("b.example", 0, 1)]));
    for (finished, changes) in [
        ([true, true], ["went", "came"]),
        ([false, true], ["went", "not_reached"]),
        ([true, false], ["not_reached", "came"]),
    ] {
        let diff = SenderDiff::new(head(finished), &one, &other);
        let found: Vec<_> = diff.senders.iter().map(|sender| sender.change.name()).collect();
        assert_eq!(found, changes, "{finished:?}");
        assert_eq!(diff.in_clear_now(), 1, "one that came counts");
    }
}

#[test]
fn a_sender_is_another_at_another_address() {
    let mut moved = sender("a.example", 1, 0);
    moved.seen.address = [192, 0, 2, 2].into();
    let (before, after) = (figures(vec![sender("a.example", 1, 0)]), figures(vec![moved]));
    let diff = SenderDiff::new(head([true; 2]), &before, &after);
    assert_eq!((diff.of(DomainChange::Went), diff.of(DomainChange::Came)), (1, 1));
}

/// A hostile name is text in each form, and no line of a terminal is too long.
#[test]
fn each_form_tells_the_same() {
    let hostile = "<script>\u{1b}[2J,\"x";
    let before =
        figures(vec![sender("a.example", 1, 0), sender(hostile, 2, 0), sender("same.example", 1, 0)]);
    let after = figures(vec![sender("a.example", 1, 1), sender(hostile, 0, 2), sender("same.example", 1, 0)]);
    let diff = SenderDiff::new(head([true; 2]), &before, &after);
    let text = sender_diff_text(&diff);
    assert!(text.starts_with("before  a  1970-01-01T00:00:00Z, 1 sender, 1 session\nafter   b"), "{text}");
    assert!(text.contains("note    A note.\n\nWorse\n"), "{text}");
    let entry = "  a.example 192.0.2.1\n      mail: in_tls -> in_clear\n";
    assert!(text.contains(entry) && !text.contains('\u{1b}'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let csv = String::from_utf8(sender_diff_csv(&diff).unwrap()).unwrap();
    assert!(csv.starts_with("address,name,change,decided_by,signs,mail_before,mail_after,"), "{csv}");
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let changes: Vec<String> = rows.records().map(|row| row.unwrap()[2].to_string()).collect();
    assert_eq!(changes, ["worse", "worse"], "what is the same has no row");
    let json = sender_diff_json(&diff);
    assert_eq!((&json["counts"]["worse"], &json["counts"]["same"]), (&2.into(), &1.into()));
    assert_eq!(json["signs"]["mail_worse"], 2);
    assert_eq!(json["senders"][1]["after"]["mail"], "in_clear");
    let page = sender_diff_page(&diff);
    assert!(page.contains("<small>2 senders. ") && !page.contains("<script"), "{page}");
    assert!(page.contains("What changed at 3 senders"), "{page}");
}
