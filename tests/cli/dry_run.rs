//! A plan is told after the DNS alone, and is what the scan then does.

use crate::command::Folder;
use crate::fleet::Lab;
use serde_json::Value;

fn plan(lab: &Lab, words: &str) -> Value {
    let words = format!("scan list --allow-private -o planned --dry-run=json {words}");
    let ran = lab.folder.run(lab.args(words.trim_end()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_dry_run_connects_to_nobody_and_tells_what_the_scan_does() {
    let lab = Lab::playing(&["provider_pool", "tls13_ecdsa", "null_mx", "sts_enforce"], 40);
    let words = "--extra-client-hellos 0 --per-ip-interval 1s";
    let before = lab.folder.names();
    let told = plan(&lab, words);
    assert_eq!(lab.connections(), 0, "no mail server was connected to");
    assert!(lab.fleet.counters().policies.is_empty(), "nor a policy host");
    assert_eq!(lab.folder.names(), before, "nothing is written");
    let without = told["without_hosts"].as_object().unwrap();
    assert_eq!((&told["schema_version"], &told["mxray"]), (&1.into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(told["targets"] == 40 && without.keys().eq(["dns: null_mx"]), "{told}");

    // The slowest is the address with the most names, at a second from one to the next.
    let most = told["most_names"]["names"].as_u64().unwrap();
    assert!(most > 1, "{told}");
    assert_eq!(told["slowest"][0]["at_least_s"], (most - 1) as f64, "{told}");
    assert_eq!(told["run"]["at_least_s"], (most - 1) as f64, "{told}");

    let ran = lab.folder.run(lab.args("scan list --allow-private -o run --extra-client-hellos 0"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(told["run"]["connections"], lab.connections(), "one for each name and address");
}

#[test]
fn a_dry_run_tells_people_in_words_and_leaves_out_who_is_left_alone() {
    let lab = Lab::playing(&["tls13_ecdsa"], 4);
    let ran = lab.folder.run(lab.args("scan list --dry-run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.contains(
            "connections   0 first ones, one for each name at each address; not made: 4 (private_address 4); 0 with further"
        ),
        "{}",
        ran.stdout
    );
    let ran = lab.folder.run(lab.args("scan list --dry-run --allow-private"));
    assert!(ran.stdout.contains("connections   4 first ones, one for each"), "{}", ran.stdout);
    assert!(ran.stdout.contains("takes         at least 0 s, with sessions about "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nslowest buckets\n  address 127."), "{}", ran.stdout);
    assert_eq!(lab.connections(), 0);
}

#[test]
fn a_dry_run_without_a_resolver_is_no_plan() {
    let folder = Folder::new().with("list", "a.example\n");
    // Nobody listens at the discard port.
    let words = "scan list --dry-run --resolver 127.0.0.1:9 --timeout dns=50ms --ehlo scanner.example";
    let ran = folder.run(words.split(' '));
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    for more in ["--format csv", "--resume run", "--dry-run=xml"] {
        let words = format!("scan list --dry-run --ehlo scanner.example {more}");
        assert_eq!(folder.run(words.split(' ')).code, Some(2), "{more}");
    }
}

/// What a scan by its defaults really makes: one more where the server chooses what the
/// sender does not offer.
#[test]
fn a_dry_run_counts_the_further_hellos_that_are_usual() {
    let lab = Lab::playing(&["tls13_ecdsa"], 4);
    let told = plan(&lab, "");
    assert_eq!((&told["run"]["first_connections"], &told["run"]["connections"]), (&4.into(), &8.into()));
    let ran = lab.folder.run(lab.args("scan list --allow-private -o run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(told["run"]["connections"], lab.connections());
    assert_eq!(plan(&lab, "--extra-client-hellos 0")["run"]["connections"], 4);
}

/// What is made to see whether the run can be written does not stay.
#[test]
fn a_dry_run_leaves_nothing_where_the_run_would_be() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    std::fs::create_dir(lab.folder.path().join("there")).unwrap();
    let before = lab.folder.names();
    for output in ["new", "deep/er/run", "there", "there/run"] {
        let ran = lab.folder.run(lab.args(&format!("scan list -o {output} --dry-run --allow-private")));
        assert_eq!(ran.code, Some(0), "{output}: {}", ran.stderr);
        assert_eq!(lab.folder.names(), before, "{output}");
    }
    assert_eq!(std::fs::read_dir(lab.folder.path().join("there")).unwrap().count(), 0);
}

#[test]
fn a_dry_run_refuses_what_the_scan_refuses() {
    let lab = Lab::playing(&["tls13_ecdsa"], 2);
    let ran = |words: &str| lab.folder.run(lab.args(&format!("{words} --allow-private")));
    assert_eq!(ran("scan list -o run").code, Some(0));
    lab.folder.write("empty", "");
    lab.folder.write("bad", "-\n");
    for words in [
        "scan list -o run",
        "scan list -o list",
        "scan empty --require-targets -o one",
        "scan empty -o two",
        "scan bad -o three",
        "scan - --shard 1/2 -o four",
        "scan list --shard 1/2 --per-operator-connections 1 -o five",
        "scan list --canary nobody.invalid -o six",
        "scan list -o /proc/run",
        "scan list -o -",
    ] {
        let (dry, real) = (ran(&format!("{words} --dry-run")), ran(words));
        assert_eq!(dry.code, real.code, "{words}: {} {}", dry.stderr, real.stderr);
        let last = real.stderr.lines().last().unwrap().to_string();
        assert!(
            words.starts_with("scan bad") || dry.stderr.contains(&last),
            "{words}: {} {last}",
            dry.stderr
        );
    }
}

#[test]
fn a_dry_run_of_a_shard_plans_that_share() {
    let lab = Lab::playing(&["tls13_ecdsa"], 30);
    let whole = plan(&lab, "")["run"]["connections"].as_u64().unwrap();
    let parts: Vec<Value> = (1..=2).map(|number| plan(&lab, &format!("--shard {number}/2"))).collect();
    let sum: u64 = parts.iter().map(|part| part["run"]["connections"].as_u64().unwrap()).sum();
    assert_eq!(sum, whole);
    assert!(parts.iter().any(|part| part["of_other_shards"].as_u64().unwrap() > 0), "{parts:?}");
}

#[test]
fn a_dry_run_says_how_far_it_is() {
    let lab = Lab::playing(&["tls13_ecdsa"], 5);
    let ran = lab.folder.run(lab.args("scan list --allow-private --dry-run"));
    assert!(ran.stderr.contains("5/5 domains looked up, "), "{}", ran.stderr);
}

#[test]
fn one_of_a_thing_is_told_in_the_singular() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let list = lab.folder.read("list") + "no domain!\n";
    lab.folder.write("list", list);
    let ran = lab.folder.run(lab.args("scan list --allow-private --dry-run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for told in ["rejected      1 line of the list\n", "addresses     1, in 1 network, of 1 operator\n"] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
}
