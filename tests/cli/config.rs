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

#[cfg(unix)]
#[test]
fn a_run_of_a_file_goes_on_once_that_file_is_gone() {
    use crate::fleet::until;
    use crate::stopping::send;
    let lab = Lab::playing(&["tls13_ecdsa"], 24);
    let file = "allow-private = true\noutput = 'run'\nsummary = 'full'\n";
    lab.folder.write("survey.toml", file);
    let child = lab.folder.mxray(lab.args("scan list --config survey.toml --rate 8")).spawn().unwrap();
    let table = lab.folder.path().join("run/domains.csv");
    until("a row", || std::fs::read_to_string(&table).unwrap_or_default().lines().count() > 1);
    send("TERM", &child);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(143), "{}", String::from_utf8_lossy(&ended.stderr));
    std::fs::remove_file(lab.folder.path().join("survey.toml")).unwrap();
    let ran = lab.folder.run("scan --resume run".split(' '));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    assert_eq!((&run["counts"]["domains_written"], &run["limits"]["rate"]), (&24.into(), &8.into()));
    let unequal = lab.folder.run("scan --resume run --config survey.toml".split(' '));
    assert!(unequal.code == Some(2) && unequal.stderr.contains("--config"), "{}", unequal.stderr);
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

#[test]
fn probe_and_judge_read_a_file_of_their_own_options() {
    let folder = Folder::new();
    folder.write(
        "probe.toml",
        "targets = ['127.0.0.1:1']\nformat = 'json'\nallow-private = true\nretries = 0\n",
    );
    let probed = folder.run("probe --config probe.toml --ehlo scanner.example.org".split(' '));
    assert_eq!(probed.code, Some(0), "{}", probed.stderr);
    let document: Value = serde_json::from_str(&probed.stdout).unwrap();
    assert_eq!(document["targets"][0]["target"], "127.0.0.1:1", "{}", probed.stdout);
    folder.write("probe.toml", "list = 'domains.csv'\n");
    let refused = folder.run("probe --config probe.toml 127.0.0.1:1".split(' '));
    let told =
        "mxray: --config probe.toml, line 1: list: no option of mxray probe that can stand in a file\n";
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(2), told));

    assert_eq!(folder.run("demo --domains 2 -o run".split(' ')).code, Some(0));
    folder.write("judge.toml", "run = 'run'\noutput = 'judged'\nsummary = 'full'\n");
    let judged = folder.run("judge --config judge.toml --sender exim".split(' '));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let info: Value = serde_json::from_str(&folder.read("judged/run.json")).unwrap();
    let command = info["command"].to_string();
    assert!(info["sender"] == "exim" && command.contains("--output=judged"), "{info}");
}

#[test]
fn probe_and_judge_print_their_options_without_anything_to_ask_or_judge() {
    let folder = Folder::new();
    for command in ["probe", "judge"] {
        let first = folder.run([command, "--connectors", "c.toml", "--print-config"]);
        assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
        assert!(first.stdout.contains("\nconnectors = \"c.toml\"\n"), "{}", first.stdout);
        folder.write("options.toml", &first.stdout);
        let again = folder.run([command, "--config", "options.toml", "--print-config"]);
        assert_eq!((again.code, again.stdout), (Some(0), first.stdout));
    }
}
