//! The seeds of the fuzz targets, and every input that once broke something,
//! through the oracles that the fuzzers use; so no nightly compiler is needed
//! to keep what they found.
//!
//! The seeds are made here: `MXRAY_RENEW=1 cargo test --test fuzz_regressions`
//! writes them anew after a change.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "oracles/mod.rs"]
mod oracles;

use oracles::{TARGETS, Target};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes of a committed input.
const INPUT_BYTES_MAX: usize = 64 * 1024;

fn folder(kind: &str, target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target.name)
}

/// The files of a folder by name; none where there is no folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let entries = entries.filter(|entry| entry.file_type().unwrap().is_file());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn every_committed_input_holds() {
    for target in TARGETS {
        for kind in ["seeds", "regressions"] {
            for (name, input) in files(&folder(kind, target)) {
                assert!(input.len() <= INPUT_BYTES_MAX, "{kind}/{}/{name} is too long", target.name);
                println!("{kind}/{}/{name}", target.name);
                (target.check)(&input);
            }
        }
    }
}

#[test]
fn inputs_cut_short_or_with_a_byte_changed_hold_too() {
    for target in TARGETS {
        for (name, input) in
            files(&folder("seeds", target)).into_iter().filter(|(_, input)| input.len() < 512)
        {
            println!("{}/{name}", target.name);
            for place in 0..input.len() {
                (target.check)(&input[..place]);
                let mut changed = input.clone();
                changed[place] ^= 0xff;
                (target.check)(&changed);
            }
        }
    }
}

#[test]
fn the_seeds_are_those_that_are_made_here() {
    for target in TARGETS {
        let folder = folder("seeds", target);
        let made: BTreeMap<String, Vec<u8>> =
            (target.seeds)().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        assert!(!made.is_empty(), "{} has no seed", target.name);
        if std::env::var_os("MXRAY_RENEW").is_some() {
            fs::create_dir_all(&folder).unwrap();
            made.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
        }
        assert!(
            files(&folder) == made,
            "fuzz/seeds/{} is behind the tests; renew it: MXRAY_RENEW=1 cargo test --test fuzz_regressions",
            target.name
        );
    }
}

#[test]
fn every_target_has_a_binary_and_every_binary_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let sources = files(&fuzz.join("fuzz_targets"));
    for Target { name, .. } in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml names no {name}");
        let source = sources.get(&format!("{name}.rs")).map(|text| String::from_utf8_lossy(text));
        let call = format!("oracles::{name}::check(input)");
        assert!(source.is_some_and(|text| text.contains(&call)), "fuzz_targets/{name}.rs: {call}");
    }
    assert_eq!(sources.len(), TARGETS.len(), "a binary without a target: {:?}", sources.keys());
}

/// A patch whose place is gone shows nothing; `just fuzz-planted` and `just
/// planted` would say so only after an hour.
#[test]
fn every_planted_defect_has_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, patch) in planted(&root.join("fuzz/planted")) {
        let target = header(&patch, "Target: ");
        assert!(TARGETS.iter().any(|known| known.name == target), "{name}: no target {target}");
        has_place(root, &name, &patch);
    }
    let sources: Vec<Vec<u8>> = files(&root.join("src/verdict")).into_values().collect();
    let sources = String::from_utf8(sources.concat()).unwrap();
    for (name, patch) in planted(&root.join("tests/planted")) {
        let (_, test) = header(&patch, "Test: ").rsplit_once("::").unwrap();
        assert!(sources.contains(&format!("fn {test}(")), "{name}: no test {test}");
        has_place(root, &name, &patch);
    }
}

fn planted(folder: &Path) -> BTreeMap<String, String> {
    let patches = files(folder);
    assert!(!patches.is_empty(), "{}", folder.display());
    patches.into_iter().map(|(name, patch)| (name, String::from_utf8(patch).unwrap())).collect()
}

fn header<'a>(patch: &'a str, name: &str) -> &'a str {
    patch.lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

fn has_place(root: &Path, name: &str, patch: &str) {
    for part in patch.split("\n--- a/").skip(1) {
        let mut hunks = part.split("\n@@ ");
        let path = hunks.next().and_then(|head| head.lines().next()).unwrap();
        let source = fs::read_to_string(root.join(path)).unwrap();
        for hunk in hunks {
            let before: String = hunk.lines().skip(1).filter_map(stands_before).collect();
            assert!(source.contains(&before), "{name}: no such place in {path}:\n{before}");
        }
    }
}

/// A line of a hunk as it is before the patch; `None` where it is added.
fn stands_before(line: &str) -> Option<String> {
    match line.split_at_checked(1)? {
        (" " | "-", rest) => Some(format!("{rest}\n")),
        _ => None,
    }
}

/// `fuzz/smoke.sh 5 ehlo` is over in a minute because nothing else is built.
#[test]
#[cfg(unix)]
fn a_smoke_run_of_one_target_builds_that_one_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::TempDir::new().unwrap();
    let at = |name: &str| place.path().join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    fs::create_dir_all(at("fuzz/dictionaries")).unwrap();
    fs::create_dir(at("bin")).unwrap();
    fs::copy(source.join("smoke.sh"), at("fuzz/smoke.sh")).unwrap();
    fs::copy(source.join("dictionaries/of.sh"), at("fuzz/dictionaries/of.sh")).unwrap();
    // In place of cargo: it writes down what it is asked for, and knows two targets.
    let log = at("log").display().to_string();
    let cargo =
        format!("#!/bin/sh\n[ \"$3\" = list ] && printf 'ehlo\\nreply\\n'\necho \"$3 $4\" >> {log}\n");
    fs::write(at("bin/cargo"), cargo).unwrap();
    fs::set_permissions(at("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", at("bin").display(), std::env::var("PATH").unwrap());
    let asked = |words: &[&str]| {
        fs::write(at("log"), "").unwrap();
        let mut smoke = std::process::Command::new("bash");
        let ran = smoke.arg(at("fuzz/smoke.sh")).args(words).env("PATH", &path).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        let log = fs::read_to_string(at("log")).unwrap();
        let of_work = |line: &&str| line.starts_with("build") || line.starts_with("run");
        let mut lines: Vec<String> =
            log.lines().filter(of_work).map(|line| line.trim().to_string()).collect();
        lines.sort();
        lines
    };
    assert_eq!(asked(&["1", "ehlo"]), ["build ehlo", "run ehlo"]);
    assert_eq!(asked(&["1"]), ["build", "run ehlo", "run reply"]);
}
