//! How a list ends of which nothing could be asked.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;

/// Nothing listens here: port 1 of an address that no test serves.
const NO_RESOLVER: &str = "--resolver 127.98.76.54:1";

fn scan(folder: &Folder, words: &str) -> Ran {
    folder.run(format!("scan list --ehlo scanner.example {NO_RESOLVER} {words}").split_whitespace())
}

/// The last line of standard error.
fn last(ran: &Ran) -> &str {
    ran.stderr.trim_end().lines().last().unwrap_or_default()
}

#[test]
fn a_list_of_rejected_lines_ends_with_5_and_says_where_the_causes_are() {
    let folder = Folder::new().with("list", "# mine\nlocalhost\nno domain\n");
    let ran = scan(&folder, "-o run");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert_eq!(
        last(&ran),
        "mxray: nothing could be contacted: every line of list was rejected (2 in all; line 2: only one label); \
         run/rejects.csv says why; --column names the column of a table, --input endpoints is for addresses"
    );
    assert_eq!(folder.read("run/rejects.csv").lines().count(), 3);
    let streamed = scan(&folder, "--format csv");
    assert_eq!(streamed.code, Some(5), "{}", streamed.stderr);
    assert!(
        last(&streamed).contains("; -o RUN_DIR keeps rejects.csv, which says why; "),
        "{}",
        streamed.stderr
    );
}

#[test]
fn a_list_without_a_target_is_a_warning_or_what_was_asked_for() {
    for list in ["", "# nothing\n\n", "domain\n"] {
        let folder = Folder::new().with("list", list);
        let ran = scan(&folder, "-o run");
        let warning = "mxray: warning: list has no target (--require-targets makes that an error)";
        assert_eq!((ran.code, last(&ran)), (Some(0), warning), "{list:?}");
        let ran = scan(&folder, "--format csv --require-targets");
        assert_eq!(
            (ran.code, last(&ran)),
            (
                Some(5),
                "mxray: nothing could be contacted: list has no target (an empty one is a warning without --require-targets)"
            ),
            "{list:?}"
        );
    }
}

#[test]
fn a_list_for_which_no_resolver_answers_ends_with_5() {
    let folder = Folder::new().with("list", "a.example\nlocalhost\n");
    let ran = scan(&folder, "-o run --timeout dns=300ms --retries 0");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert_eq!(
        last(&ran),
        "mxray: nothing could be contacted: no resolver answered (127.98.76.54:1); --resolver IP:PORT names another"
    );
}

/// However the target is named; an address needs no resolver.
#[test]
fn a_probe_for_which_no_resolver_answers_ends_with_5() {
    let folder = Folder::new();
    let probe = |target: &str| {
        let words = format!("probe {target} --ehlo scanner.example {NO_RESOLVER} --timeout dns=300ms");
        folder.run(words.split_whitespace())
    };
    for target in ["a.example", "mx.a.example:25"] {
        let ran = probe(target);
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert!(ran.stdout.contains("\n  dns: timeout\n"), "the transcript is told: {}", ran.stdout);
        let told = "mxray: nothing could be contacted: no resolver answered (127.98.76.54:1); --resolver IP:PORT names another";
        assert_eq!(last(&ran), told);
    }
    assert_eq!(probe("127.98.76.54:25").code, Some(0));
}

#[test]
fn a_list_of_which_something_was_asked_is_done() {
    // A name that does not exist is an answer, and so is SERVFAIL.
    for scenario in ["dns_nxdomain", "dns_servfail"] {
        let lab = Lab::playing(&[scenario], 1);
        let ran = lab.folder.run(lab.args("scan list -o run --require-targets"));
        assert_eq!(ran.code, Some(0), "{scenario}: {}", ran.stderr);
    }
    // An endpoint needs no resolver.
    let folder = Folder::new().with("list", "192.0.2.1,mx.example,tag\n");
    let blocked = folder.with("blocked", "192.0.2.1\n");
    let ran = scan(&blocked, "--input endpoints --blocklist blocked -o run --require-targets");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}
