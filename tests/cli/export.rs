//! `mxray export`: the tables of a run in other formats.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use serde_json::Value;

/// A run of four domains, two without TLS.
fn run() -> Lab {
    let lab = Lab::playing(&["tls13_ecdsa", "starttls_absent"], 4);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    lab
}

fn export(folder: &Folder, words: &str) -> Ran {
    folder.run(format!("export run {words}").split(' '))
}

fn rows(text: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().map(Result::unwrap).collect()
}

#[test]
fn csv_of_every_table_is_what_the_run_has() {
    let lab = run();
    let ran = export(&lab.folder, "--format csv -o out");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for table in ["domains", "endpoints", "mx", "certificates", "rejects"] {
        let [exported, stored] = ["out", "run"].map(|run| lab.folder.read(&format!("{run}/{table}.csv")));
        assert_eq!(exported, stored, "{table}");
        let told = format!("out/{table}.csv: {} row", rows(&exported).len());
        assert!(ran.stdout.contains(&told), "{}", ran.stdout);
    }
    let again = export(&lab.folder, "--format csv -o out");
    let told = "mxray: the directory out is not empty; choose another with -o\n";
    assert_eq!((again.code, again.stderr.as_str()), (Some(2), told));
}

#[test]
fn a_part_of_a_table_goes_to_standard_output() {
    let lab = run();
    let picked =
        "--format csv --columns delivery,domain --where delivery=plaintext --where domain!=d9.example";
    let ran = export(&lab.folder, picked);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let stored = lab.folder.read("run/domains.csv");
    let count = |delivery: &str| stored.matches(&format!(",{delivery},")).count();
    assert!(ran.stdout.starts_with("delivery,domain\nplaintext,d"), "{}", ran.stdout);
    let picked = rows(&ran.stdout);
    assert!(!picked.is_empty() && picked.len() < 4, "{}", ran.stdout);
    assert!(picked.iter().all(|row| &row[0] == "plaintext"));
    assert!(count("plaintext") >= picked.len());
    let others = export(&lab.folder, "--format jsonl --where delivery!=plaintext");
    let others: Vec<Value> = others.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(others.len() + picked.len(), 4);
    // As `scan --format jsonl` has it.
    let first = others[0].as_object().unwrap();
    assert!(
        first["line"].is_u64() && first["starttls_offered"].is_boolean() && first["alert"].is_null(),
        "{first:?}"
    );
    let endpoints = export(&lab.folder, "--format csv --tables endpoints --columns ip,started");
    assert!(endpoints.stdout.starts_with("ip,started\n127."), "{}", endpoints.stdout);
}

#[test]
fn parquet_is_written_for_every_table_and_what_is_in_it_is_told() {
    let lab = run();
    let ran = export(&lab.folder, "--format parquet -o out");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.starts_with("out/domains.parquet: 4 rows, "), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 5);
    for table in ["domains", "endpoints", "mx", "certificates", "rejects"] {
        let file = std::fs::read(lab.folder.path().join(format!("out/{table}.parquet"))).unwrap();
        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"), "{table}");
    }
}

#[test]
fn what_cannot_be_exported_is_refused_with_one_line() {
    let lab = run();
    let refused = |words: &str| {
        let ran = export(&lab.folder, words);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.lines().count()),
            (Some(2), "", 1),
            "{}",
            ran.stderr
        );
        ran.stderr
    };
    for (words, told) in [
        ("--columns speed", "the table domains has no column `speed`"),
        ("--columns domain,delivery,domain", "the column domain is named twice"),
        ("--where speed=1", "--where speed=1: the table domains has no column `speed`"),
        ("--where delivery", "--where delivery: `delivery` is not of the form COLUMN=VALUE or COLUMN!=VALUE"),
        (
            "--tables hosts",
            "there is no table `hosts`; there are domains, endpoints, mx, certificates, suites, groups, rejects",
        ),
        (
            "--tables mx,domains --columns domain",
            "--columns and --where are about one table; name it with --tables",
        ),
    ] {
        assert_eq!(refused(&format!("--format csv {words}")), format!("mxray: {told}\n"));
    }
    let nothing = lab.folder.run("export nothing --format csv".split(' '));
    let told = "mxray: nothing is not a run directory: it has no run.json\n";
    assert_eq!((nothing.code, nothing.stderr.as_str()), (Some(2), told));
    assert_eq!(lab.folder.names(), ["list", "roots.pem", "run"], "nothing was written");
}

#[test]
fn a_damaged_row_is_told_and_nothing_of_its_table_stays() {
    let lab = run();
    let domains = lab.folder.read("run/domains.csv");
    let damaged = domains.replacen("\n1,", "\none,", 1).replacen("\n2,", "\ntwo,", 1);
    lab.folder.write("run/domains.csv", damaged);
    let ran = export(&lab.folder, "--format parquet --tables domains -o out");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("run/domains.csv:") && ran.stderr.ends_with(": line is no number\n"),
        "{}",
        ran.stderr
    );
    assert!(!lab.folder.path().join("out/domains.parquet").exists());
}

/// As far as it goes, and that is said.
#[test]
fn a_run_without_an_end_is_exported_with_a_warning() {
    let lab = run();
    let mut info: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    info["finished"] = Value::Null;
    lab.folder.write("run/run.json", info.to_string());
    let domains = lab.folder.read("run/domains.csv");
    lab.folder.write("run/domains.csv", &domains[..domains.len() - 9]);
    let ran = export(&lab.folder, "--format csv --columns domain");
    let told = "mxray: warning: run was killed, or still goes on; what it has is exported\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), told));
    assert_eq!(rows(&ran.stdout).len(), 3);
}

/// What a finished run counted must be there; its other tables are another matter.
#[test]
fn a_table_of_domains_that_was_cut_off_is_refused() {
    let lab = run();
    let domains = lab.folder.read("run/domains.csv");
    lab.folder.write("run/domains.csv", &domains[..domains.len() - 9]);
    let told =
        "mxray: run/domains.csv: it has 3 whole rows, where run.json counted 4; mxray judge makes it anew\n";
    for words in ["--format csv --columns domain", "--format csv -o out", "--format parquet -o out"] {
        let ran = export(&lab.folder, words);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", told), "{words}");
    }
    assert!(!lab.folder.path().join("out").exists());
    let others = export(&lab.folder, "--format csv --tables endpoints -o out");
    assert_eq!((others.code, others.stderr.as_str()), (Some(0), ""));
}

/// Beside the CSV, once the run has come to its end: what `mxray export` writes.
#[test]
fn a_scan_writes_parquet_beside_its_tables_once_it_has_come_to_its_end() {
    let lab = Lab::playing(&["tls13_ecdsa", "starttls_absent"], 4);
    let ran = lab.folder.run(lab.args("scan list --format csv --parquet --allow-private"));
    let told = "mxray: --parquet: no run directory is written; name one with -o\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), told));
    let ran = lab.folder.run(lab.args("scan list -o run --parquet --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("mxray: the tables are in run as Parquet, too\n"), "{}", ran.stderr);
    let is_as_exported = |out: &str| {
        assert_eq!(export(&lab.folder, &format!("--format parquet -o {out}")).code, Some(0));
        for table in ["domains", "endpoints", "mx", "certificates", "rejects"] {
            let [beside, exported] = ["run", out]
                .map(|dir| std::fs::read(lab.folder.path().join(format!("{dir}/{table}.parquet"))).unwrap());
            assert!(beside == exported, "{table}");
        }
    };
    is_as_exported("out");
    // As if it had been killed: what is there tells of the run as it was, and is made anew.
    let mut info: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    info["finished"] = Value::Null;
    lab.folder.write("run/run.json", info.to_string());
    let domains = lab.folder.read("run/domains.csv");
    let rows: Vec<&str> = domains.lines().take(3).collect();
    lab.folder.write("run/domains.csv", rows.join("\n") + "\n");
    lab.folder.write("run/mx.parquet", "cut");
    let ran = lab.folder.run(["scan", "--resume", "run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    is_as_exported("again");
    assert!(lab.folder.names().iter().all(|name| !name.ends_with(".new")));
}

#[test]
fn csv_for_excel_is_for_csv() {
    let lab = run();
    let ran = export(&lab.folder, "--format jsonl --csv-for-excel");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), "mxray: --csv-for-excel is for --format csv\n"));
    let ran = export(&lab.folder, "--format csv --csv-for-excel --columns line,domain");
    assert!(ran.stdout.starts_with("\u{feff}line,domain\n"), "{}", ran.stdout);
}

#[test]
fn a_single_table_is_csv_if_nothing_else_is_said() {
    let lab = run();
    let ran = export(&lab.folder, "--tables mx");
    assert_eq!((ran.code, ran.stdout), (Some(0), lab.folder.read("run/mx.csv")), "{}", ran.stderr);
    let part = export(&lab.folder, "--where delivery=plaintext").stdout;
    let named = export(&lab.folder, "--where delivery=plaintext --format csv").stdout;
    assert!(!rows(&part).is_empty() && part == named, "{part}");
    let ran = lab.folder.run(["export", "run"]);
    let told = "mxray: --format is missing: parquet, csv or jsonl; without it a single table (--tables) is written as CSV\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), told));
}

/// A table of which half is written has another name than one that is whole.
#[test]
#[cfg(unix)]
fn an_export_that_is_killed_leaves_no_file_that_looks_whole() {
    let lab = run();
    let table = lab.folder.read("run/mx.csv");
    let (header, rows) = table.split_once('\n').unwrap();
    // More than is written before anybody looks.
    lab.folder.write("run/mx.csv", format!("{header}\n{}", rows.repeat(200_000)));
    let mut child = lab.folder.mxray("export run --tables mx -o out".split(' ')).spawn().unwrap();
    let size = |name: &str| std::fs::metadata(lab.folder.path().join(name)).map_or(0, |file| file.len());
    crate::fleet::until("rows", || size("out/mx.csv.new") > 0 || size("out/mx.csv") > 0);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was over before it was killed");
    assert!(!lab.folder.path().join("out/mx.csv").exists());
}

/// A header with nothing behind it would be a table without rows.
#[test]
fn a_table_that_is_refused_writes_nothing() {
    let lab = run();
    let domains = lab.folder.read("run/domains.csv");
    lab.folder.write("run/domains.csv", domains.replacen(",domain,", ",domein,", 1));
    let ran = export(&lab.folder, "--format csv --columns domain");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
}

/// Whatever a run went through, its tables are what their columns say.
#[test]
fn runs_that_were_joined_sampled_and_judged_again_are_exported_whole() {
    let lab = Lab::playing(&["provider_tenants"], 600);
    for words in [
        "scan list -o one --shard 1/2 --seed 7 --allow-private",
        "scan list -o two --shard 2/2 --seed 7 --allow-private",
        "scan list -o sampled --sample --allow-private",
    ] {
        let ran = lab.folder.run(lab.args(words));
        assert_eq!(ran.code, Some(0), "{words}: {}", ran.stderr);
    }
    for words in ["merge one two -o joined", "judge sampled -o judged"] {
        let ran = lab.folder.run(words.split(' '));
        assert_eq!(ran.code, Some(0), "{words}: {}", ran.stderr);
    }
    let sampled: Value = serde_json::from_str(&lab.folder.read("sampled/run.json")).unwrap();
    assert!(sampled["sample"]["names_inferred"].as_u64().unwrap() > 0, "{}", sampled["sample"]);
    for run in ["one", "joined", "sampled", "judged"] {
        for (format, out) in [("csv", "text"), ("parquet", "tables")] {
            let out = format!("{run}-{out}");
            let ran = lab.folder.run(["export", run, "--format", format, "-o", &out]);
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{run}");
            assert_eq!(ran.stdout.lines().count(), 5, "{}", ran.stdout);
        }
        for table in ["domains", "endpoints", "mx", "certificates", "rejects"] {
            let [exported, stored] = [format!("{run}-text"), run.to_string()]
                .map(|dir| lab.folder.read(&format!("{dir}/{table}.csv")));
            assert_eq!(exported, stored, "{run} {table}");
        }
    }
}

/// Whatever is written into the directory that is read, no file of the run is replaced.
#[test]
fn an_output_inside_the_run_replaces_no_file_of_it() {
    let lab = run();
    let run = lab.folder.path().join("run");
    let mut names: Vec<_> = std::fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let bytes = || names.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>();
    let before = bytes();
    for words in [
        "export run --format csv -o run",
        "judge run -o run",
        "merge run -o run",
        "report run -o run/domains.csv",
        "report run --format md -o run/run.json",
    ] {
        let ran = lab.folder.run(words.split(' '));
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{words}: {}", ran.stderr);
    }
    for words in
        ["export run --format csv -o run/out", "judge run -o run/judged", "report run -o run/page.html"]
    {
        let ran = lab.folder.run(words.split(' '));
        assert_eq!(ran.code, Some(0), "{words}: {}", ran.stderr);
    }
    assert!(before == bytes());
}
