//! `mxray senders`, and senders by a file of one's own.

use crate::command::Folder;
use crate::fleet::Lab;

#[test]
fn each_is_listed_with_its_title() {
    let ran = Folder::new().run(["senders", "list"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout.contains("exchange-online: Exchange Online today: TLS 1.3 and 1.2\n"),
        "{}",
        ran.stdout
    );
    let names: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(names, mxray::internals::sender::Sender::names());
}

#[test]
fn one_that_there_is_not_is_wrong_use() {
    let ran = Folder::new().run(["senders", "show", "exchange"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.starts_with("mxray: no sender is named `exchange`; there are exchange-online, "),
        "{}",
        ran.stderr
    );
}

/// A copy may have been changed, so it does not pass for the original.
#[test]
fn a_copy_of_one_is_told_as_the_file_that_it_is() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let shown = lab.folder.run(["senders", "show", "exchange-online"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
    lab.folder.write("copy.toml", &shown.stdout);
    lab.folder.write("own.toml", shown.stdout.replacen("name = \"exchange-online\"", "name = \"mine\"", 1));
    for (file, name) in
        [("copy.toml", "copy.toml"), ("own.toml", "mine"), ("exchange-online", "exchange-online")]
    {
        let run = format!("run-{name}");
        let words = format!("scan list --allow-private -o {run} --sender {file}");
        let ran = lab.folder.run(lab.args(&words));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!(sender(&lab, &run), name);
        let info: serde_json::Value =
            serde_json::from_str(&lab.folder.read(&format!("{run}/run.json"))).unwrap();
        assert_eq!(info["sender"], name);
        // The same name, from the same file, so the same rows.
        let again = format!("again-{name}");
        let ran = lab.folder.run(["judge", &run, "-o", &again]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!(sender(&lab, &again), name);
    }
}

/// The column `sender` of the only row.
fn sender(lab: &Lab, run: &str) -> String {
    let mut reader = csv::Reader::from_path(lab.folder.path().join(run).join("domains.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|header| header == "sender").unwrap();
    reader.records().next().unwrap().unwrap()[place].to_string()
}

#[test]
fn a_copy_of_an_expectation_goes_by_its_file() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let table = "name = 'exchange-online'\n[[certificate]]\nstatus = 'current'\nsource = 'me'\nroot = 'mxray lab root'\n";
    lab.folder.write("copy.toml", table);
    let ran = lab.folder.run(lab.args("probe d1.example --allow-private --expect copy.toml"));
    assert!(ran.stdout.contains("by expectation copy.toml: current (mxray lab root)\n"), "{}", ran.stdout);
}
