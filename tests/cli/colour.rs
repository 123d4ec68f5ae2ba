//! Colour is for terminals, and not for whoever says that he wants none.

use crate::command::Folder;
#[cfg(target_os = "linux")]
use std::fs::OpenOptions;
#[cfg(target_os = "linux")]
use std::io::Read;

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

/// What a short run says on a terminal of this kind, which is 80 columns wide or none.
#[cfg(target_os = "linux")]
fn on_terminal(folder: &Folder, term: &str, output: &str) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let end = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut command = folder.mxray(["demo", "--domains", "2", "-o", output]);
    command.env("TERM", term).stdout(end.try_clone().unwrap()).stderr(end);
    let mut child = command.spawn().unwrap();
    // The command holds the terminal open, and with it the reader.
    drop(command);
    let (mut read, mut said) = (std::fs::File::from(terminal), Vec::new());
    // A terminal that nobody holds open any more ends in an error (EIO).
    let ended = read.read_to_end(&mut said).map_err(|error| error.raw_os_error());
    assert!(matches!(ended, Ok(_) | Err(Some(5))), "{ended:?}");
    assert!(child.wait().unwrap().success());
    String::from_utf8(said).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_knows_no_escape_codes_gets_none() {
    let folder = Folder::new();
    let able = on_terminal(&folder, "xterm-256color", "able");
    assert!(able.contains("\u{1b}[1mMail of exchange-online"), "{able:?}");
    let dumb = on_terminal(&folder, "dumb", "dumb");
    assert!(dumb.contains("Mail of exchange-online") && !dumb.contains('\u{1b}'), "{dumb:?}");
}
