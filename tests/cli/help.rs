//! What `--help` says, so that a change of the command line is seen.

use crate::command::Folder;

fn help(arguments: &[&str]) -> String {
    let ran = Folder::new().run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    ran.stdout
}

#[test]
fn of_each_command() {
    insta::assert_snapshot!("help", help(&["--help"]));
    for command in ["scan", "probe", "demo", "lab", "bench", "roots", "revocation"] {
        let long = help(&[command, "--help"]);
        assert_eq!(long, help(&[command, "-h"]), "{command}: one help, not two");
        insta::assert_snapshot!(format!("help_{command}"), long);
    }
}

#[test]
fn without_a_command_is_a_question_for_help() {
    let ran = Folder::new().run::<&str>([]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(ran.stderr, help(&["--help"]));
}
