//! `mxray report`: what stands on the page is what stands in the tables.

use crate::command::Folder;
use crate::fleet::Lab;
use mxray::internals::report::figures::Figures;
use mxray::internals::run_dir::read::StoredRun;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The figures of a run, by the rows of its tables.
fn figures(run: &Path) -> Figures {
    let stored = StoredRun::open(run).unwrap();
    let mut figures = Figures::new(stored.info().judged_by.at.as_second());
    let mut table = stored.table("certificates.csv").unwrap();
    while let Some(row) = table.read_next().unwrap() {
        figures.add_certificate(&row);
    }
    let mut table = stored.table("endpoints.csv").unwrap();
    while let Some(row) = table.read_next().unwrap() {
        figures.add_endpoint(&row);
    }
    let mut table = stored.table("domains.csv").unwrap();
    while let Some(row) = table.read_next().unwrap() {
        figures.add_domain(&row);
    }
    figures
}

type Counts = BTreeMap<String, u64>;

fn counts(tally: &mxray::internals::report::Tally) -> Counts {
    tally.sorted().into_iter().map(|(name, count)| (name.to_string(), count)).collect()
}

/// A tally of the summary in `run.json`.
fn of_summary(run: &Value, pointer: &str) -> Counts {
    let tally = run["summary"].pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
    serde_json::from_value(tally.clone()).unwrap()
}

/// The summary was counted while the run went on, from what was judged and not from
/// tables.
#[test]
fn the_figures_are_those_of_the_summary_and_the_page_has_them() {
    let folder = Folder::new();
    let ran = folder.run(["demo", "--domains", "700", "-o", "run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run: Value = serde_json::from_str(&folder.read("run/run.json")).unwrap();
    let found = figures(&folder.path().join("run"));
    let domains = &found.domains;
    for (tally, pointer) in [
        (&domains.deliveries, "/deliveries"),
        (&domains.reasons, "/sending/reasons"),
        (&domains.codes, "/sending/codes"),
        (&domains.basis, "/sending/basis"),
        (&domains.weakest_deliveries, "/weakest_deliveries"),
        (&domains.connectors, "/forced_tls/connectors"),
        (&domains.handshake.outcomes, "/domains/outcomes"),
        (&domains.handshake.versions, "/domains/versions"),
        (&domains.handshake.suites, "/domains/suites"),
        (&domains.handshake.groups, "/domains/groups"),
        (&domains.handshake.forward_secrecy, "/domains/forward_secrecy"),
        (&domains.handshake.chain, "/domains/cert_chain"),
        (&domains.handshake.dates, "/domains/cert_dates"),
        (&domains.handshake.key, "/domains/cert_key"),
        (&domains.handshake.name, "/cert_name"),
        (&found.endpoints.handshake.outcomes, "/endpoints/outcomes"),
        (&found.endpoints.handshake.versions, "/endpoints/versions"),
        (&found.endpoints.handshake.suites, "/endpoints/suites"),
        (&found.endpoints.handshake.groups, "/endpoints/groups"),
        (&found.endpoints.handshake.forward_secrecy, "/endpoints/forward_secrecy"),
        (&found.endpoints.handshake.chain, "/endpoints/cert_chain"),
        (&found.endpoints.handshake.dates, "/endpoints/cert_dates"),
        (&found.endpoints.handshake.key, "/endpoints/cert_key"),
    ] {
        assert_eq!(counts(tally), of_summary(&run, pointer), "{pointer}");
    }
    // The summary has the highest strength of each partner, the report how many pass
    // at least each.
    let strengths = of_summary(&run, "/forced_tls/strengths");
    let at_least = |names: &[&str]| -> u64 { names.iter().filter_map(|name| strengths.get(*name)).sum() };
    let all = ["DomainValidation", "CertificateValidation", "EncryptionOnly"];
    let expected = [at_least(&all), at_least(&all[..2]), at_least(&all[..1])];
    assert_eq!(domains.forced.strengths.each_ref().map(|strength| strength.pass), expected);
    assert_eq!(domains.forced.partners, strengths.values().sum::<u64>());
    assert_eq!(counts(&domains.forced.stops), of_summary(&run, "/forced_tls/stops"));
    assert_eq!(counts(&domains.forced.open), of_summary(&run, "/forced_tls/open"));

    let ran = folder.run(["report", "run"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "written to run/report.html\n", "")
    );
    let page = folder.read("run/report.html");
    assert!(page.contains("Mail to 700 domains: what becomes of it"));
    for (name, count) in counts(&domains.deliveries) {
        assert!(page.contains(&format!("<small>{count} domain")), "{name}: {count}");
    }
    let partners = folder.read("run/report-partners.csv");
    let with_partner: std::collections::BTreeSet<&str> =
        partners.lines().skip(1).filter_map(|row| row.split(',').nth(1)).collect();
    assert_eq!(with_partner.len() as u64, domains.partners.total, "the table beside it is complete");
    let shown = domains.partners.gravest();
    assert!(shown.len() == 200 && domains.partners.total > 200, "{}", domains.partners.total);
    assert!(page.contains("200 of ") && page.contains("are in report-partners.csv"), "what is cut is told");
    for partner in shown {
        assert!(page.contains(&format!(">{}<", partner.domain)), "{}", partner.domain);
    }

    // The same run gives the same bytes.
    let again = folder.run(["report", "run"]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    assert_eq!(folder.read("run/report.html"), page);
    assert_eq!(folder.read("run/report-partners.csv"), partners);
    let piped = folder.run(["report", "run", "-o", "other.html"]);
    assert_eq!(piped.code, Some(0), "{}", piped.stderr);
    assert_eq!(folder.read("other.html").replace("other-", "report-"), page);
    let piped = folder.run(["report", "run", "-o", "-", "--format", "md"]);
    assert_eq!(piped.code, Some(0), "{}", piped.stderr);
    assert!(piped.stdout.starts_with("# Mail to 700 domains: what becomes of it\n"), "{}", piped.stdout);
    assert!(piped.stdout.contains("All of them are in domains.csv"), "no table is beside it");
    let groups = of_summary(&run, "/domains/groups");
    let post_quantum: u64 =
        groups.iter().filter(|(name, _)| name.contains("MLKEM")).map(|(_, count)| count).sum();
    assert!(post_quantum > 0, "{groups:?}");
    let share = (post_quantum * 1000 + groups.values().sum::<u64>() / 2) / groups.values().sum::<u64>();
    let told = format!("(groups with ML-KEM): {}.{} % of the domains", share / 10, share % 10);
    assert!(piped.stdout.contains(&told), "{told}");
    for pointer in ["versions", "suites", "groups", "forward_secrecy", "cert_chain", "cert_dates", "cert_key"]
    {
        let of_endpoints = of_summary(&run, &format!("/endpoints/{pointer}"));
        for (name, domains) in of_summary(&run, &format!("/domains/{pointer}")) {
            let name_told = &name;
            let row = piped.stdout.lines().find(|line| {
                line.starts_with(&format!("| {name_told} | {domains} | ")) && line.split('|').count() == 7
            });
            let row = row.unwrap_or_else(|| panic!("{pointer}: {name} {domains}"));
            let endpoints = of_endpoints.get(&name).unwrap_or(&0);
            assert!(row.contains(&format!("| {endpoints} | ")), "{pointer}: {name} {endpoints}: {row}");
        }
    }
    assert_eq!(folder.names().iter().filter(|name| name.ends_with(".csv")).count(), 2);
}

/// What a hostile server says is text on the page and in the ticket.
#[test]
fn what_a_server_says_is_no_markup() {
    let lab = Lab::playing(&["starttls_absent"], 1);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let hostile = "<script>alert(1)</script><img src=x onerror=y>|`@all [x](javascript:1)";
    let quoted = format!("\"{hostile}\"");
    // As if it were the last words of a server, the name of a host and of a list.
    let table = lab.folder.read("run/domains.csv");
    let (header, row) = table.split_once('\n').unwrap();
    let place = header.split(',').position(|name| name == "mx_host").unwrap();
    let mut cells: Vec<&str> = row.trim_end().split(',').collect();
    assert_eq!(cells.len(), header.split(',').count(), "no cell is quoted");
    (cells[place], *cells.last_mut().unwrap()) = (&quoted, &quoted);
    lab.folder.write("run/domains.csv", format!("{header}\n{}\n", cells.join(",")));
    let run = lab.folder.read("run/run.json");
    let mut info: Value = serde_json::from_str(&run).unwrap();
    info["input"] = hostile.into();
    info["ehlo_name"] = hostile.into();
    lab.folder.write("run/run.json", info.to_string());
    let page = lab.folder.run(["report", "run", "-o", "-"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    assert!(page.stdout.matches("&lt;script&gt;alert(1)").count() >= 4, "{}", page.stdout);
    assert!(!page.stdout.contains("<script") && !page.stdout.contains("<img"), "{}", page.stdout);
    let text = lab.folder.run(["report", "run", "-o", "-", "--format", "md"]);
    for mark in ["<script", "<img", "|`", "@all", "[x]"] {
        assert!(!text.stdout.contains(mark), "{mark}: {}", text.stdout);
    }
}

/// A run that did not come to its end is told so, and so is one of a part.
#[test]
fn what_a_run_is_stands_above_its_figures() {
    let lab = Lab::playing(&["starttls_absent"], 3);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let whole: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    let notices = |change: &dyn Fn(&mut Value)| {
        let mut info = whole.clone();
        change(&mut info);
        lab.folder.write("run/run.json", info.to_string());
        let ran = lab.folder.run(["report", "run", "-o", "-", "--format", "md"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let notes = ran.stdout.lines().filter_map(|line| line.strip_prefix("> **Note:** "));
        notes.map(str::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(notices(&|_| {}), "");
    let killed = notices(&|info| info["finished"] = Value::Null);
    assert!(killed.contains("has not come to its end"), "{killed}");
    let stopped = notices(&|info| {
        info["finished"] = false.into();
        info["counts"]["unfinished"] = 1200.into();
    });
    assert!(stopped.contains("ended before its list did: 1,200 targets"), "{stopped}");
    let shard = notices(&|info| info["shard"] = "2/3".into());
    assert!(shard.contains("This is shard 2/3 of a run"), "{shard}");
    let suspect = notices(&|info| info["network_suspect"] = vec!["ipv6"].into());
    assert!(suspect.contains("No connection opened anywhere over ipv6"), "{suspect}");
    let judged = lab.folder.run(["judge", "run", "-o", "judged"]);
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let ran = lab.folder.run(["report", "judged", "-o", "-", "--format", "md"]);
    assert!(ran.stdout.contains("Judged again from what the run run of mxray"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Certificates were judged as of"), "{}", ran.stdout);
    let judged = lab.folder.run(["judge", "run", "-o", "later", "--at", "2040-01-01"]);
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let ran = lab.folder.run(["report", "later", "-o", "-", "--format", "md"]);
    assert!(ran.stdout.contains("> **Note:** Certificates were judged as of 2040-01-01T"), "{}", ran.stdout);
    // The last line of a run that was killed may be cut short.
    let table = lab.folder.read("run/domains.csv");
    lab.folder.write("run/domains.csv", &table[..table.len() - 10]);
    notices(&|info| info["finished"] = Value::Null);
    let cut = lab.folder.run(["report", "run", "-o", "-", "--format", "md"]);
    assert!(cut.stdout.starts_with("# Mail to 2 domains"), "{}", cut.stdout);
}

/// A scan makes the page at its end, and of a run that goes on only at that one's.
#[test]
fn a_scan_makes_its_report_once_it_has_come_to_its_end() {
    let lab = Lab::playing(&["starttls_absent"], 2);
    let ran = lab.folder.run(lab.args("scan list --format csv --report --allow-private"));
    let told = "mxray: --report: no run directory is written; name one with -o\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), told));
    let ran = lab.folder.run(lab.args("scan list -o run --report --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("mxray: the report is in run/report.html\n"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("report.html"), "{}", ran.stdout);
    let page = lab.folder.read("run/report.html");
    assert!(page.contains("Mail to 2 domains: what becomes of it") && page.contains("report-partners.csv"));
    // As if it had been killed: the page that is there is made anew when it ends.
    let mut info: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    info["finished"] = Value::Null;
    lab.folder.write("run/run.json", info.to_string());
    let ran = lab.folder.run(["scan", "--resume", "run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let again = lab.folder.read("run/report.html");
    assert!(
        again.contains("Mail to 2 domains: what becomes of it") && again.contains("Gone on with"),
        "{again}"
    );
}

/// A table that lost rows would look as if their domains had never been on the list.
#[test]
fn a_table_that_was_cut_off_is_not_believed() {
    let lab = Lab::playing(&["starttls_absent"], 3);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let table = lab.folder.read("run/domains.csv");
    let rows: Vec<&str> = table.lines().take(3).collect();
    lab.folder.write("run/domains.csv", rows.join("\n") + "\n");
    let told =
        "mxray: run/domains.csv: it has 2 whole rows, where run.json counted 3; mxray judge makes it anew\n";
    for words in ["report run", "report run -o page.html", "report run -o -"] {
        let ran = lab.folder.run(words.split(' '));
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", told), "{words}");
    }
    assert_eq!(lab.folder.names(), ["list", "roots.pem", "run"], "nothing was written");
    assert!(!lab.folder.path().join("run/report-partners.csv").exists());
}

/// What stands under a name of mxray's own is the page of the run as it is now; what the
/// user named stays.
#[test]
fn a_page_in_the_run_directory_is_made_anew_with_all_beside_it() {
    let lab = Lab::playing(&["starttls_absent"], 2);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let report = |words: &str| {
        let ran = lab.folder.run(words.split(' '));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{words}");
        ran.stdout
    };
    let names = || {
        let mut names = files_of(&lab.folder.path().join("run"));
        names.retain(|name| name.contains("report"));
        names
    };
    assert_eq!(report("report run"), "written to run/report.html\n");
    let beside = ["report-certificates.csv", "report-partners.csv"];
    assert_eq!(names(), [beside[0], beside[1], "report.html"]);
    // A page of the run as it was, and tables of another.
    for name in ["report.html", beside[0], beside[1]] {
        lab.folder.write(&format!("run/{name}"), "stale");
    }
    assert_eq!(report("report run --format md"), "written to run/report.md\n");
    assert_eq!(names(), [beside[0], beside[1], "report.html", "report.md"]);
    for name in names() {
        assert!(!lab.folder.read(&format!("run/{name}")).contains("stale"), "{name}");
    }
    // As if it had been killed: no page stays that tells of the run as it was.
    let mut info: Value = serde_json::from_str(&lab.folder.read("run/run.json")).unwrap();
    info["finished"] = Value::Null;
    lab.folder.write("run/run.json", info.to_string());
    let killed = "has not come to its end";
    report("report run");
    assert!(
        lab.folder.read("run/report.md").contains(killed)
            && lab.folder.read("run/report.html").contains(killed)
    );
    let ran = lab.folder.run(["scan", "--resume", "run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for name in ["report.html", "report.md"] {
        assert!(ran.stderr.contains(&format!("mxray: the report is in run/{name}\n")), "{}", ran.stderr);
        assert!(!lab.folder.read(&format!("run/{name}")).contains(killed), "{name}");
    }
    // What is not mxray's own stays, be it the page or a table beside it.
    for name in ["mine.md", "mine-partners.csv"] {
        let there = lab.folder.path().join(name);
        std::fs::write(&there, "mine").unwrap();
        let ran = lab.folder.run("report run --format md -o mine.md".split(' '));
        let told = format!("mxray: {name} is there already; choose another with -o\n");
        assert_eq!((ran.code, ran.stderr), (Some(2), told));
        assert_eq!(lab.folder.read(name), "mine");
        std::fs::remove_file(there).unwrap();
    }
    assert_eq!(lab.folder.names(), ["list", "roots.pem", "run"]);
}

fn files_of(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A file that may not grow is as a disk that is full: what was there stays, whole, and
/// nothing new.
#[cfg(unix)]
#[test]
fn a_page_that_cannot_be_written_leaves_nothing() {
    let lab = Lab::playing(&["starttls_absent"], 2);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private --report"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run = lab.folder.path().join("run");
    let (files, page) = (files_of(&run), lab.folder.read("run/report.html"));
    for (words, name) in [("report run", "run/report.html"), ("report run -o page.html", "page.html")] {
        let line = format!("trap '' XFSZ && ulimit -f 8 && exec {} {words}", env!("CARGO_BIN_EXE_mxray"));
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line]).current_dir(lab.folder.path());
        let ran: crate::command::Ran = command.output().unwrap().into();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("mxray: cannot write {name}: ")), "{}", ran.stderr);
        assert_eq!(files_of(&run), files, "{words}");
        assert_eq!(lab.folder.names(), ["list", "roots.pem", "run"], "{words}");
    }
    assert_eq!(lab.folder.read("run/report.html"), page);
}

#[test]
fn a_list_of_endpoints_is_told_at_the_head_of_the_page() {
    let lab = Lab::playing(&["starttls_absent"], 2);
    let ran = lab.folder.run(lab.args("scan list -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told = "and no mail domains: each is counted here as a domain";
    let page = || lab.folder.run("report run -o - --format md".split(' ')).stdout;
    assert!(!page().contains(told), "{}", page());
    std::fs::remove_dir_all(lab.folder.path().join("run")).unwrap();
    lab.folder.write("hosts", "127.0.0.1,mx.example\n");
    let ran = lab.folder.run(lab.args("scan hosts --input endpoints -o run --allow-private"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        page().contains("> **Note:** The list named 1 endpoint, ") && page().contains(told),
        "{}",
        page()
    );
}
