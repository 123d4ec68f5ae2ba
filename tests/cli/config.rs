//! A survey by a file of options.

use crate::command::Folder;
use crate::fleet::Lab;
use serde_json::Value;

fn told(file: &str, words: &str) -> (Option<i32>, String) {
    let folder = Folder::new();
    folder.write("survey.toml", file);
    let ran = folder.run(format!("scan --config survey.toml {words}").split_whitespace());
    (ran.code, ran.stderr)
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_file_line_and_key() {
    for (file, expected) in [
        (
            "rate = 1\nretrys = 2\n",
            "mxray: --config survey.toml, line 2: retrys: no option of mxray scan that can stand in a file\n",
        ),
        ("rate = 'fast'\n", "mxray: --config survey.toml, line 1: rate: not a whole number, but text\n"),
        (
            "list = 'x'\n\nretry-delay = 'soon'\n",
            "mxray: --config survey.toml, line 3: invalid value 'soon' for '--retry-delay <TIME>'",
        ),
    ] {
        let (code, stderr) = told(file, "");
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.starts_with(expected), "{stderr}");
    }
    let (code, stderr) = told("rate = 1\n", "");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("<INPUT>"), "{stderr}");
    let (code, stderr) = told("rate = 1\n", "--resume run");
    assert!(code == Some(2) && stderr.contains("--config"), "{stderr}");
}

#[test]
fn a_survey_by_a_file_is_that_of_its_options_and_goes_on_without_it() {
    let lab = Lab::playing(&["tls13_ecdsa"], 3);
    let file = "list = 'list'\nallow-private = true\noutput = 'run'\nretries = 4\nper-ip-interval = '20ms'\n";
    lab.folder.write("survey.toml", file);
    let mut words = lab.args("scan --config survey.toml --retries 1");
    words.retain(|word| word != "list");
    let ran = lab.folder.run(words);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!((&run["limits"]["retries"], &run["counts"]["domains_written"]), (&1.into(), &3.into()));
    let command: Vec<&str> =
        run["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert!(command.contains(&"--output=run") && !command.contains(&"--config"), "{command:?}");
}

#[test]
fn what_is_printed_is_read_again_and_gives_the_same() {
    let folder = Folder::new();
    let first = folder.run("scan list.txt --rate 7 --timeout greeting=9s --print-config".split(' '));
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    assert!(first.stdout.contains("\nlist = \"list.txt\"\n"), "{}", first.stdout);
    folder.write("survey.toml", &first.stdout);
    let again = folder.run("scan --config survey.toml --print-config".split(' '));
    assert_eq!(again.stdout, first.stdout);
}
