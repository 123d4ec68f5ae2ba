//! `--compress`: what reads a run answers as if it were plain text, and standard tools read
//! its files.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use mxray::internals::packing::{Packing, file_name};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;

/// Hosts with TLS and without, and a policy host, whose certificates stand in the journals.
const PLAYED: [&str; 4] = ["tls13_ecdsa", "starttls_absent", "sts_enforce", "dane_ee_key"];

/// Tables and journals that every run has.
const FILES: [&str; 7] = [
    "domains.csv",
    "endpoints.csv",
    "certificates.csv",
    "mx.csv",
    "rejects.csv",
    "observations.jsonl",
    "facts.jsonl",
];

fn unpacked(packing: Packing, packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    packing.unpack(Cursor::new(packed.to_vec())).unwrap().read_to_end(&mut text).unwrap();
    text
}

/// The text of each file of a run, by its name without what the packing adds.
fn texts(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(run).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if name.starts_with("run.json") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        match Packing::of_name(&name) {
            None => texts.insert(name, bytes),
            Some(packing) => {
                texts.insert(name.strip_suffix(packing.ending()).unwrap().into(), unpacked(packing, &bytes))
            }
        };
    }
    texts
}

/// A copy of a run as if it had been written as plain text.
fn plain_copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for (name, text) in texts(from) {
        fs::write(to.join(name), text).unwrap();
    }
    let mut info: Value = serde_json::from_slice(&fs::read(from.join("run.json")).unwrap()).unwrap();
    info["compress"] = Value::Null;
    fs::write(to.join("run.json"), serde_json::to_vec_pretty(&info).unwrap()).unwrap();
}

fn scanned(lab: &Lab, words: &str) {
    let ran = lab.folder.run(lab.args(&format!("scan list --allow-private {words}")));
    assert_eq!(ran.code, Some(0), "{words}: {}", ran.stderr);
}

fn info(folder: &Folder, run: &str) -> Value {
    serde_json::from_str(&folder.read(&format!("{run}/run.json"))).unwrap()
}

/// All that reads a run or several, which stand under these names.
const READERS: [&str; 14] = [
    "report run -o -",
    "report run --format md -o -",
    "export run --tables domains",
    "export run --tables endpoints --format jsonl",
    "export run --tables certificates --format parquet -o out/parquet",
    "export run --format csv -o out/csv",
    "export run --tables suites",
    "diff run other -o -",
    "tlsrpt run --domain d3.example -o -",
    "judge run -o out/judged",
    "judge run --sender postfix-may --earlier other -o out/postfix",
    "judge run --at 2200-01-01 --format json -o out/later",
    "merge one two -o out/merged",
    "report one -o -",
];

/// What all of them come to on the runs of a folder.
fn answers(folder: &Folder, runs: &str) -> Vec<(String, Ran, BTreeMap<String, Vec<u8>>)> {
    let path = folder.path().join(runs);
    fs::create_dir(path.join("out")).unwrap();
    let mut answers = Vec::new();
    for words in READERS {
        let mut command = folder.mxray(words.split(' '));
        let ran = Ran::from(command.current_dir(&path).output().unwrap());
        let out = words.rsplit_once("-o out/").map(|(_, name)| path.join("out").join(name));
        assert_eq!(ran.code, Some(0), "{runs}: {words}: {}", ran.stderr);
        answers.push((words.to_string(), ran, out.map(|out| texts(&out)).unwrap_or_default()));
    }
    answers
}

#[test]
fn whoever_reads_a_run_answers_as_if_it_were_plain_text() {
    let lab = Lab::playing(&PLAYED, 24);
    for packing in Packing::ALL {
        let (name, folder) = (packing.name(), &lab.folder);
        fs::create_dir(folder.path().join(name)).unwrap();
        let plain = format!("{name}-plain");
        fs::create_dir(folder.path().join(&plain)).unwrap();
        for (run, words) in [
            ("run", "--enumerate --enumerate-connections 4"),
            ("other", ""),
            ("one", "--shard 1/2 --seed 7"),
            ("two", "--shard 2/2 --seed 7"),
        ] {
            scanned(&lab, format!("-o {name}/{run} --compress {name} {words}").trim());
            assert_eq!(info(folder, &format!("{name}/{run}"))["compress"], name);
            plain_copy(&folder.path().join(name).join(run), &folder.path().join(&plain).join(run));
        }
        for (packed, text) in answers(folder, name).into_iter().zip(answers(folder, &plain)) {
            let (words, packed, packed_files) = packed;
            let (_, text, text_files) = text;
            assert_eq!(text.code, Some(0), "{words}: {}", text.stderr);
            assert_eq!((packed.code, &packed.stderr), (text.code, &text.stderr), "{name}: {words}");
            assert_eq!(packed.stdout, text.stdout, "{name}: {words}");
            assert_eq!(
                packed_files.keys().collect::<Vec<_>>(),
                text_files.keys().collect::<Vec<_>>(),
                "{words}"
            );
            assert!(packed_files == text_files, "{name}: {words}");
        }
        // What is made of a run is written as that is.
        for made in ["judged", "merged"] {
            assert_eq!(info(folder, &format!("{name}/out/{made}"))["compress"], name);
            let made = folder.path().join(name).join("out").join(made);
            for file in FILES {
                assert!(
                    made.join(file_name(file, Some(packing))).exists() && !made.join(file).exists(),
                    "{file}"
                );
            }
        }
    }
}

#[test]
fn standard_tools_read_the_files() {
    let lab = Lab::playing(&PLAYED, 8);
    scanned(&lab, "-o gzip --compress gzip --parquet");
    scanned(&lab, "-o zstd --compress zstd --report");
    for file in FILES {
        let path = lab.folder.path().join(format!("gzip/{file}.gz"));
        let ran = Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
        assert!(ran.status.success(), "{file}: {}", String::from_utf8_lossy(&ran.stderr));
        let packed = fs::read(&path).unwrap();
        assert!(ran.stdout == unpacked(Packing::Gzip, &packed), "{file}");
        let packed = fs::read(lab.folder.path().join(format!("zstd/{file}.zst"))).unwrap();
        assert!(zstd::decode_all(&packed[..]).unwrap() == unpacked(Packing::Zstd, &packed), "{file}");
    }
    assert!(lab.folder.path().join("gzip/domains.parquet").exists());
    assert!(lab.folder.path().join("zstd/report.html").exists());
}

/// What is said in one line, and by which code.
fn refused(folder: &Folder, words: &str, told: &str) {
    let ran = folder.run(words.split(' '));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), format!("mxray: {told}\n").as_str()), "{words}");
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    let lab = Lab::playing(&PLAYED[..1], 2);
    let told = "--compress: no run directory is written; name one with -o";
    refused(&lab.folder, &lab.args("scan list --format csv --compress gzip").join(" "), told);
    scanned(&lab, "-o run --compress gzip");
    let mut info = info(&lab.folder, "run");
    info["finished"] = Value::Null;
    lab.folder.write("run/run.json", info.to_string());
    let told = "cannot go on with run: it was begun with other options: --compress zstd (the run has gzip); leave them out";
    refused(&lab.folder, "scan --resume run --compress zstd", told);
    // Somebody unpacked a file, and left the packed one.
    let packed = fs::read(lab.folder.path().join("run/facts.jsonl.gz")).unwrap();
    lab.folder.write("run/facts.jsonl", unpacked(Packing::Gzip, &packed));
    let told =
        "run/facts.jsonl: facts.jsonl.gz is there, too, and only one can be the run's; move the other away";
    for words in ["judge run -o again", "scan --resume run", "export run --tables domains"] {
        refused(&lab.folder, words, told);
    }
    fs::remove_file(lab.folder.path().join("run/facts.jsonl.gz")).unwrap();
    let ran = lab.folder.run("judge run -o again".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told = "run/facts.jsonl: by run.json it is facts.jsonl.gz; make it that, and the run can go on";
    refused(&lab.folder, "scan --resume run", told);
    assert!(!lab.folder.path().join("run/facts.jsonl.new").exists());
}

#[test]
fn a_file_that_cannot_be_unpacked_is_told() {
    let lab = Lab::playing(&PLAYED[..1], 2);
    for packing in Packing::ALL {
        let (run, ending) = (packing.name(), packing.ending());
        scanned(&lab, &format!("-o {run} --compress {run}"));
        let name = format!("{run}/domains.csv{ending}");
        let whole = fs::read(lab.folder.path().join(&name)).unwrap();
        let report = |bytes: &[u8], code: i32| {
            lab.folder.write(&name, bytes);
            let ran = lab.folder.run(["report", run, "-o", "-"]);
            assert_eq!((ran.code, ran.stderr.lines().count()), (Some(code), 1), "{}", ran.stderr);
            ran.stderr
        };
        let mut damaged = whole.clone();
        // Where its last part begins.
        let start = packing.pack(b"").unwrap();
        let place = damaged.windows(4).rposition(|bytes| bytes == &start[..4]).unwrap();
        damaged[place..][..4].fill(0);
        let told = report(&damaged, 2);
        assert!(told.starts_with(&format!("mxray: {name} is damaged behind the first ")), "{told}");
        assert!(told.contains("; take it from a copy, or "), "{told}");
        let told = report(&whole[..whole.len() - whole.len() / 4], 2);
        let expected = format!("mxray: {name}: it has ");
        assert!(
            told.starts_with(&expected) && told.contains(" whole rows, where run.json counted 2"),
            "{told}"
        );
        // Bytes without an end and without a line.
        let zeros = packing.pack(&vec![0; 64 << 20]).unwrap();
        assert!(zeros.len() < 1 << 20);
        let told = report(&[&whole[..], &zeros].concat(), 1);
        assert_eq!(told, format!("mxray: {name}:4: longer than 16777216 bytes\n"));
        lab.folder.write(&name, &whole);
        let mut command = lab.folder.mxray(["judge", run, "-o", "again"]);
        let ran = Ran::from(command.env("TMPDIR", "nowhere").output().unwrap());
        let told = format!("mxray: cannot unpack {run}/certificates.csv{ending} in nowhere: No such file");
        assert!(ran.code == Some(1) && ran.stderr.starts_with(&told), "{}", ran.stderr);
        assert!(ran.stderr.ends_with("; TMPDIR names another folder\n"), "{}", ran.stderr);
    }
}
