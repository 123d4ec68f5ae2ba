//! Colour is for terminals, and not for whoever says that he wants none.

use crate::command::Folder;

#[test]
fn a_pipe_has_no_colours_unless_they_are_asked_for() {
    let folder = Folder::new();
    let plain = folder.run(["demo", "--domains", "2", "-o", "plain"]);
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
    let judged = |name: &str, value: &str, output: &str| {
        let mut command = folder.mxray(["judge", "plain", "-o", output]);
        let ran = command.env(name, value).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let forced = judged("CLICOLOR_FORCE", "1", "forced");
    assert!(forced.contains("\u{1b}[1mMail of exchange-online to 2 domains:\u{1b}[0m"), "{forced}");
    assert!(forced.contains("\u{1b}[31mplaintext\u{1b}[0m"), "{forced}");
    assert!(!judged("NO_COLOR", "1", "none").contains('\u{1b}'));
}
