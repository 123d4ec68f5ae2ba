//! The real list that stands beside the sources is read whole.

use mxray::internals::input::{Entry, InputOptions, open};
use std::collections::HashSet;

#[test]
fn every_name_of_the_gov_list_is_a_target() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/domains/gov.csv");
    let mut names = HashSet::new();
    let mut last_line = 1;
    for entry in open(path, &InputOptions::default()).unwrap() {
        let target = match entry.unwrap() {
            Entry::Target(target) => target,
            Entry::Rejected(rejected) => panic!("{rejected:?}"),
        };
        assert_eq!(target.line, last_line + 1);
        last_line = target.line;
        assert!(names.insert(target.subject.label()), "{target:?} is there twice");
    }
    assert_eq!(names.len(), 16_539);
}
