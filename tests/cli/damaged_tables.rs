//! Tables of a run that are not what was written: nothing of them is counted, and nothing
//! taken for what it looks like.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use serde_json::Value;

/// Two runs of one list, `a` and `b`, with hosts that have TLS and hosts that have none.
fn two_runs() -> Lab {
    let lab = Lab::playing(&["tls13_ecdsa", "starttls_absent"], 4);
    for run in ["a", "b"] {
        let ran = lab.folder.run(lab.args(&format!("scan list -o {run} --allow-private")));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    lab
}

/// All that reads the tables of `b`.
const READERS: [&str; 4] = [
    "diff a b",
    "report b -o -",
    "export b --format csv --tables TABLE",
    "export b --format parquet --tables TABLE -o out",
];

/// What a reader comes to.
fn read(folder: &Folder, words: &str, table: &str) -> Ran {
    folder.run(words.replace("TABLE", table).split(' '))
}

/// Changes a table as rows of cells, the header first.
fn change(folder: &Folder, name: &str, change: impl FnOnce(&mut Vec<Vec<String>>)) {
    let text = folder.read(name);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect();
    change(&mut rows);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    folder.write(name, writer.into_inner().unwrap());
}

fn place(rows: &[Vec<String>], column: &str) -> usize {
    rows[0].iter().position(|name| name == column).unwrap()
}

/// Each is refused with this line, and by this exit code; what it was before is put back.
fn refused(
    lab: &Lab,
    table: &str,
    readers: &[&str],
    code: i32,
    told: &str,
    damage: impl FnOnce(&mut Vec<Vec<String>>),
) {
    let name = format!("b/{table}.csv");
    let before = lab.folder.read(&name);
    change(&lab.folder, &name, damage);
    for words in readers {
        let ran = read(&lab.folder, words, table);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(code), format!("mxray: {name}{told}\n").as_str()),
            "{words}"
        );
        assert!(!lab.folder.path().join("out").join(format!("{table}.parquet")).exists());
        let _ = std::fs::remove_dir_all(lab.folder.path().join("out"));
    }
    lab.folder.write(&name, before);
}

#[test]
fn words_and_columns_that_nobody_wrote_are_refused_by_whoever_reads_them() {
    let lab = two_runs();
    let unknown = ":3: delivery is `encrpyted`, which is no value of that column";
    refused(&lab, "domains", &READERS, 1, unknown, |rows| {
        let delivery = place(rows, "delivery");
        rows[2][delivery] = "encrpyted".to_string();
    });
    let unknown = ":2: weakest_cert_chain is `fine`, which is no value of that column";
    refused(&lab, "domains", &READERS, 1, unknown, |rows| {
        let chain = place(rows, "weakest_cert_chain");
        rows[1][chain] = "fine".to_string();
    });
    let gone = ":1: it has no column delivery, which it was written with; mxray judge makes the table anew";
    refused(&lab, "domains", &READERS, 2, gone, |rows| {
        let delivery = place(rows, "delivery");
        rows[0][delivery] = "Delivery".to_string();
    });
    refused(&lab, "domains", &READERS, 2, ":1: the column delivery is there twice", |rows| {
        for row in rows {
            row.push(row[0].clone());
            *row.last_mut().unwrap() = "delivery".to_string();
        }
    });
    let others = &READERS[1..];
    refused(&lab, "endpoints", others, 1, ":2: connect_us is no number", |rows| {
        let time = place(rows, "connect_us");
        rows[1][time] = "soon".to_string();
    });
    refused(&lab, "certificates", others, 1, ":2: not_after is no moment", |rows| {
        let end = place(rows, "not_after");
        rows[1][end] = "tomorrow".to_string();
    });
    refused(&lab, "certificates", &READERS[..1], 1, ":2: spki_sha256 is no SHA-256", |rows| {
        let key = place(rows, "spki_sha256");
        rows[1][key] = "00".to_string();
    });
    for words in READERS {
        let ran = read(&lab.folder, words, "domains");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{words}");
    }
}

/// A host that is missing would be a host less, and nobody would know.
#[test]
fn tables_that_were_cut_off_are_refused() {
    let lab = two_runs();
    let told = |rows: usize, counted: usize| {
        format!(": it has {rows} whole rows, where run.json counted {counted}; mxray judge makes it anew")
    };
    let endpoints = lab.folder.read("b/endpoints.csv").lines().count() - 1;
    refused(&lab, "endpoints", &READERS[1..], 2, &told(endpoints - 1, endpoints), |rows| {
        rows.pop();
    });
    refused(&lab, "domains", &READERS, 2, &told(3, 4), |rows| {
        rows.pop();
    });
    let rejects = ": it has 1 whole rows, where run.json counted 0";
    refused(&lab, "rejects", &READERS[2..], 2, rejects, |rows| {
        rows.push(["5", "x y", "no name"].map(str::to_string).to_vec());
    });
    for table in ["certificates", "mx"] {
        let name = format!("b/{table}.csv");
        let whole = lab.folder.read(&name);
        lab.folder.write(&name, &whole[..whole.len() - 5]);
        let ran = read(&lab.folder, READERS[2], table);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(
            ran.stderr.starts_with(&format!("mxray: {name}: its last row is cut short")),
            "{}",
            ran.stderr
        );
        lab.folder.write(&name, whole);
    }
}

/// What other versions wrote is read as far as it is known: a column may have come later.
#[test]
fn a_run_of_another_version_may_lack_columns_and_not_know_words() {
    let lab = two_runs();
    let mut info: Value = serde_json::from_str(&lab.folder.read("b/run.json")).unwrap();
    info["mxray"] = "0.0.9".into();
    lab.folder.write("b/run.json", info.to_string());
    change(&lab.folder, "b/domains.csv", |rows| {
        let gone = place(rows, "tls_rpt");
        rows.iter_mut().for_each(|row| drop(row.remove(gone)));
    });
    for words in READERS {
        assert_eq!(read(&lab.folder, words, "domains").code, Some(0), "{words}");
    }
    let _ = std::fs::remove_dir_all(lab.folder.path().join("out"));
    let unknown = ":2: delivery is `carried`, which is no value of that column";
    refused(&lab, "domains", &READERS, 1, unknown, |rows| {
        let delivery = place(rows, "delivery");
        rows[1][delivery] = "carried".to_string();
    });
}

/// They would have nothing in common, and all of it would have come and gone.
#[test]
fn a_run_of_endpoints_is_not_compared_with_one_of_domains() {
    let lab = two_runs();
    let endpoints = lab.folder.read("a/endpoints.csv");
    let mut rows = csv::Reader::from_reader(endpoints.as_bytes());
    let list: String =
        rows.records().map(Result::unwrap).map(|row| format!("{},{}\n", &row[0], &row[2])).collect();
    lab.folder.write("hosts", list);
    let ran = lab.folder.run(lab.args("scan hosts --input endpoints -o c --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for (words, kinds) in [("diff a c", ["domains", "endpoints"]), ("diff c a", ["endpoints", "domains"])] {
        let ran = lab.folder.run(words.split(' '));
        let [one, other] = kinds;
        let [_, a, c] = <[&str; 3]>::try_from(words.split(' ').collect::<Vec<_>>()).unwrap();
        let told =
            format!("mxray: {a} and {c} cannot be compared: the first is of {one}, the second of {other}\n");
        assert_eq!((ran.code, ran.stderr), (Some(2), told));
    }
    assert_eq!(lab.folder.run("diff c c".split(' ')).code, Some(0));
}
