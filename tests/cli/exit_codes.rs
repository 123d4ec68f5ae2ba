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
         run/rejects.csv says why; --column names the column of a table, --input endpoints is for IP addresses"
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
        let warning =
            "mxray: warning: there is no target in the list `list` (--require-targets makes that an error)";
        assert_eq!((ran.code, last(&ran)), (Some(0), warning), "{list:?}");
        let ran = scan(&folder, "--format csv --require-targets");
        assert_eq!(
            (ran.code, last(&ran)),
            (
                Some(5),
                "mxray: nothing could be contacted: there is no target in the list `list` (only a warning without --require-targets)"
            ),
            "{list:?}"
        );
    }
}

#[test]
fn a_list_for_which_no_resolver_answers_ends_with_5() {
    let folder = Folder::new().with("list", "a.example\nlocalhost\n");
    // The target still waits for its retry when the resolver is known to be silent: without
    // one either may come first, and a list that has all its rows is told in other words.
    let ran = scan(&folder, "-o run --timeout dns=300ms --retries 1 --retry-delay 1m");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert_eq!(
        last(&ran),
        "mxray: nothing could be contacted: no resolver answered (127.98.76.54:1); a new run with --resolver ADDR:PORT \
         asks another"
    );
    assert!(
        ran.stdout.contains("mxray scan --resume run goes on with it, once its resolver answers\n"),
        "{}",
        ran.stdout
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
        assert!(ran.stdout.contains("\n  dns: closed"), "the transcript is told: {}", ran.stdout);
        let told = "mxray: nothing could be contacted: no resolver answered (127.98.76.54:1); --resolver ADDR:PORT names another";
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

/// An own network that lets no connection out looks from here as if every host
/// were gone; that is not told as the hosts'. TCP is refused at once here, as
/// some firewalls have it.
#[test]
fn a_network_that_lets_nothing_out_is_told_as_ours() {
    let list =
        |networks: u8| (0..networks).map(|network| format!("127.97.{network}.1:1\n")).collect::<String>();
    let folder = Folder::new().with("list", list(24)).with("few", list(19));
    let scan = |list: &str, words: &str| {
        let line = format!(
            "scan {list} --input endpoints --allow-private --ehlo scanner.example --retries 0 --in-flight 1 {words}"
        );
        folder.run(line.split_whitespace())
    };
    let told = "over IPv4 TCP opened at none of 20 networks or more: does your provider or firewall let mail \
                connections out? such hosts are undetermined, network_suspect";
    let ran = scan("list", "-o run");
    assert_eq!((ran.code, last(&ran)), (Some(5), &*format!("mxray: nothing could be contacted: {told}")));
    assert!(ran.stderr.contains(&format!("mxray: warning: so far {told}\n")), "{}", ran.stderr);
    // Above the headline, which must not be read without it.
    let (above, _) = ran.stdout.split_once("\nMail of ").unwrap();
    assert!(above.contains("\nOWN NETWORK: over IPv4 TCP opened nowhere"), "{}", ran.stdout);
    let suspects = |run: &str| {
        let file: serde_json::Value = serde_json::from_str(&folder.read(&format!("{run}/run.json"))).unwrap();
        file["network_suspect"].clone()
    };
    assert_eq!(suspects("run"), serde_json::json!(["ipv4"]));
    let deliveries = |run: &str| {
        let rows = folder.read(&format!("{run}/domains.csv"));
        let count = |words: &str| rows.lines().filter(|row| row.contains(words)).count();
        (count(",deferred,"), count(",undetermined,network_suspect,"))
    };
    // Rows are written as they come, and the first say nothing yet; `judge` knows the end.
    assert_eq!(deliveries("run"), (19, 5));
    let judged = folder.run("judge run -o judged".split_whitespace());
    assert_eq!((judged.code, deliveries("judged")), (Some(0), (0, 24)), "{}", judged.stderr);
    assert_eq!(suspects("judged"), serde_json::json!(["ipv4"]));
    // Fewer may be chance, and one host that opens clears the network.
    let few = scan("few", "-o few-run");
    assert_eq!((few.code, deliveries("few-run")), (Some(0), (19, 0)), "{}", few.stderr);
    assert_eq!(suspects("few-run"), serde_json::json!([]));
    let open = std::net::TcpListener::bind("127.97.200.1:0").unwrap();
    folder.write("list", format!("{}\n{}", open.local_addr().unwrap(), list(24)));
    drop(std::thread::spawn(move || drop(open.accept())));
    let ran = scan("list", "-o cleared");
    // Endpoints are asked in no order: it may be the last that opens.
    assert!(ran.code == Some(0) && !ran.stdout.contains("OWN NETWORK"), "{} {}", ran.stdout, ran.stderr);
    assert_eq!(suspects("cleared"), serde_json::json!([]));
    let judged = folder.run("judge cleared -o judged-cleared".split_whitespace());
    assert_eq!((judged.code, deliveries("judged-cleared")), (Some(0), (24, 0)), "{}", judged.stderr);
}
