//! What cannot be done is said in one line with exit code 2, before anything
//! is written.

use crate::command::{Folder, Ran};
use crate::fleet::Lab;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt::Write as _;

const NO_DER: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const NO_BASE64: &str = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";

/// As OpenSSL wrote keys before PKCS #8 (RFC 1421).
const ENCRYPTED_BEFORE: &str = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
    DEK-Info: AES-256-CBC,00000000000000000000000000000000\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";

/// A key of a kind that rustls does not sign with (RFC 8410 §7).
fn ed448() -> String {
    let head = [0x30, 71, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 101, 113, 4, 59, 4, 57];
    let base64 = BASE64_STANDARD.encode([&head[..], &[7; 57]].concat());
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

/// A measurement of one round with so many sessions a second.
fn saved(per_second: &str) -> String {
    format!(
        "{{\"version\": 2, \"mxray\": \"0.1.0\", \"settings\": {{\"target\": \"127.0.0.1:1\", \"pacing\": \
         {{\"closed\": {{\"concurrency\": 8}}}}, \"handshakes\": \"full\", \"fresh_key_shares\": false}}, \
         \"rounds_asked\": 1, \"rounds\": [{{\"started\": \"2026-01-01T00:00:00Z\", \"seconds\": 1.0, \
         \"interrupted\": false, \"sessions\": {{\"ok\": 5, \"resumed\": 0, \"failed\": 0, \"not_begun\": 0}}, \
         \"per_second\": {per_second}, \"negotiated\": {{}}, \"failures\": {{}}, \"times\": {{}}}}]}}"
    )
}

/// A folder with one of each thing that somebody may name by mistake.
fn folder() -> Folder {
    let identity = rcgen::generate_simple_self_signed(vec!["client.example".to_string()]).unwrap();
    let folder = Folder::new()
        .with("list", "a.example\n")
        .with("empty", "")
        .with("ranks.csv", "rank,host\n1,a.example\n")
        .with("utf16.toml", b"\xff\xfea\0.\0e\0")
        .with("no-table.toml", "name = 'partner'\nmx = 'a.example'\n")
        .with("text.gz", "a.example\n")
        .with("text.zst", "a.example\n")
        .with("no-der.pem", NO_DER)
        .with("no-base64.pem", NO_BASE64)
        .with("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")
        .with(
            "encrypted.pem",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        )
        .with("encrypted-before.pem", ENCRYPTED_BEFORE)
        .with("ed448.pem", ed448())
        .with("blocklist", "# fine\n10.0.0.0/8\n10.0.0.0/33\n")
        .with("cert.pem", identity.cert.pem())
        .with("key.pem", identity.signing_key.serialize_pem())
        .with("other.pem", rcgen::KeyPair::generate().unwrap().serialize_pem())
        .with(
            "connectors.toml",
            "[[connector]]\nname = 'C'\ndomains = ['a.example']\nuse_mx_record = false\n",
        )
        .with(
            "connectors.csv",
            "Name,RecipientDomains,TlsSettings,TlsDomain\nC,a.example,EncryptionOnly,b.example\n",
        )
        .with(
            "twice.csv",
            "Name,RecipientDomains,TlsSettings,tlssettings\nC,a.example,EncryptionOnly,DomainValidation\n",
        )
        .with("twice.toml", "name = 'C'\nname = 'D'\n")
        .with("empty.toml", "")
        .with("negative.json", saved("-5.0"))
        .with("text.json", saved("\"NaN\""))
        .with("latin1", b"caf\xe9.example\n");
    std::fs::create_dir(folder.path().join("directory")).unwrap();
    folder.write("directory/file", "");
    folder
}

/// Runs each command line and writes down what it says; all of them must end
/// with code 2 and one line, and leave the folder as it was.
fn refusals(folder: &Folder, lines: &[&str]) -> String {
    let before = folder.names();
    let mut told = String::new();
    for line in lines {
        // `''` stands for an empty argument.
        let ran = folder.run(line.split(' ').map(|word| if word == "''" { "" } else { word }));
        let _ = writeln!(told, "$ mxray {line}\n{}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("mxray: ") && ran.stderr.lines().count() == 1, "{told}");
        assert_eq!(folder.names(), before, "{line} left something behind");
    }
    told
}

#[test]
fn words_that_are_no_option_or_value() {
    let lines = [
        "scna list",
        "scan",
        "scan list list",
        "scan list --timout 3s",
        "scan list --timeout soon",
        "scan list --timeout tls=0",
        "scan list --timeout banner=3s",
        "scan list --per-ip-interval -1s",
        "scan list --resolver nowhere",
        "scan list --resolver 127.0.0.1:0",
        "scan list --port 0",
        "scan list --port smtp",
        "scan list --port -1",
        "scan list --ehlo -x",
        "lab --domains list --hosts-per-scenario -1",
        "probe a.example --timeout -1",
        "roots check --bogus",
        "scan list --rate -1",
        "probe a.example --rate 5",
        "judge list --in-flight 5",
        "scan list --chain-only",
        "scan list --in-flight 0",
        "scan list --retries 11",
        "scan list --extra-client-hellos 101",
        "scan list --sender-hello --extra-client-hellos 0",
        "scan list --sender postfix-encrypt --after-tls-failure plaintext",
        "scan list --client-cert cert.pem",
        "probe a.example --client-key key.pem",
        "scan list --input hosts",
        "scan list --format xml",
        "scan list --ehlo two_words!",
        "scan list --ehlo ''",
        "scan list --ehlo 192.0.2.1",
        "scan list --ehlo 2001:db8::1",
        "scan list --ehlo [2001:db8::1]",
        "scan list --ehlo 127.1",
        "scan list --timeout tls=3s --timeout tls=4s",
        "scan list --timeout 3s,4s",
        "revocation cert.pem --fetch-time 0",
        "bench 127.0.0.1:1 --tolerance 5%",
        "bench 127.0.0.1:1 --least-change 1ms",
        "bench 127.0.0.1:1 --duration 0",
        "probe",
        "probe two,words",
        "probe mx.example:0",
        "probe 127.0.0.9:0",
        "probe mx.example:smtp",
        "probe ''",
        "demo --domains 0",
        "lab",
        "lab --domains list --listen-dns 192.0.2.1:53",
        "lab --domains list --listen-dns here",
        "lab --domains list --scenario no_such_scenario",
        "lab --domains list --hosts-per-scenario 0",
    ];
    insta::assert_snapshot!(refusals(&folder(), &lines));
}

/// Whatever is quoted, it is one line, and nothing in it steers a terminal.
#[test]
fn what_is_quoted_is_escaped() {
    let folder = folder();
    for (line, told) in [
        ("scan list --ehlo a\r\nMAIL", "mxray: --ehlo `a\\x0d\\x0aMAIL`: "),
        ("scan list --roots no\x1b[31m\nfile", "no\\x1b[31m\\x0afile"),
        ("scan no\nlist", "no\\x0alist"),
        ("scan list --sender a\u{202e}b", "a\\xe2\\x80\\xaeb"),
        ("probe a\x1b[31m.example", "\\x1b"),
    ] {
        let ran = folder.run(line.split(' '));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        let one = ran.stderr.strip_suffix('\n').unwrap();
        assert!(
            one.contains(told) && !one.contains(mxray::internals::model::text::is_unprintable),
            "{one:?}"
        );
    }
}

#[test]
fn files_that_cannot_be_used() {
    let lines = [
        "scan no-such-file",
        "scan directory",
        "scan text.gz",
        "scan text.zst",
        "scan ranks.csv",
        "scan ranks.csv --column name",
        "scan list --column name",
        "scan list --input endpoints --column name",
        "scan list --roots no-such-file",
        "scan list --roots empty",
        "scan list --roots list",
        "scan list --roots directory",
        "scan list --roots no-der.pem",
        "scan list --roots no-base64.pem",
        "scan list --expect nobody",
        "scan list --expect no/such/file",
        "scan list --expect utf16.toml",
        "scan list --expect no-table.toml",
        "scan list --connectors no-such-file",
        "scan list --connectors empty --accepted-domain a",
        "scan list --connectors latin1",
        "scan list --connectors list",
        "scan list --connectors connectors.toml",
        "scan list --connectors connectors.csv",
        "scan list --connectors twice.csv",
        "scan list --connectors twice.toml",
        "scan list --expect twice.toml",
        "scan list --sender twice.toml",
        "scan list --sender empty.toml",
        "scan list --expect empty.toml",
        "bench 127.0.0.1:1 --baseline negative.json",
        "bench 127.0.0.1:1 --baseline text.json",
        "bench 127.0.0.1:1 --baseline empty.toml",
        "scan list --accepted-domain a.example",
        "scan list --blocklist no-such-file",
        "scan list --blocklist blocklist",
        "scan list --blocklist latin1",
        "probe a.example --roots no-such-file",
        "scan list --client-cert no-such-file --client-key key.pem",
        "scan list --client-cert empty --client-key key.pem",
        "scan list --client-cert no-base64.pem --client-key key.pem",
        "scan list --client-cert cert.pem --client-key empty",
        "scan list --client-cert cert.pem --client-key cert.pem",
        "probe a.example --client-cert cert.pem --client-key other.pem",
        "probe a.example --client-cert cert.pem --client-key encrypted.pem",
        "probe a.example --client-cert cert.pem --client-key encrypted-before.pem",
        "probe a.example --client-cert cert.pem --client-key ed448.pem",
        "revocation ./nosuch.pem",
        "revocation nosuch.CRT",
        "revocation directory/",
        "revocation cut.pem",
        "revocation no-der.pem",
        "lab --domains no-such-file",
        "lab --domains empty",
        "lab --domains list --truth directory/no/truth.csv",
        "lab --domains list --counters directory",
    ];
    insta::assert_snapshot!(refusals(&folder(), &lines));
}

#[cfg(unix)]
#[test]
fn files_that_are_named_twice() {
    let folder = folder();
    std::os::unix::fs::symlink("list", folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("nothing-yet", folder.path().join("loose")).unwrap();
    std::fs::hard_link(folder.path().join("list"), folder.path().join("twin")).unwrap();
    let lines = [
        "lab --domains list --truth list",
        "lab --domains list --roots ./directory/../list",
        "lab --domains list --endpoints link",
        "lab --domains list --connectors twin",
        "lab --domains twin --counters link",
        "lab --domains list --truth new --roots ./new",
        "lab --domains list --truth loose --counters nothing-yet",
        "scan list -o list",
        "judge directory -o ./directory",
        "bench 127.0.0.1:1 --baseline cert.pem --save ./cert.pem",
        "bench 127.0.0.1:1 --client-cert cert.pem --client-key key.pem --save key.pem",
    ];
    insta::assert_snapshot!(refusals(&folder, &lines));
    assert_eq!(folder.read("list"), "a.example\n");
}

/// A shell that appends to what is read: the run would read its own rows.
#[cfg(unix)]
#[test]
fn a_list_that_is_standard_output_too() {
    let folder = Folder::new().with("list", "a.example\n");
    let appended = |name: &str| std::fs::File::options().append(true).open(folder.path().join(name)).unwrap();
    let mut child = folder.mxray(["scan", "list", "--format", "csv"]);
    let ran: Ran = child.stdout(appended("list")).output().unwrap().into();
    let told = "mxray: INPUT list and standard output are the same file; name another\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), told));
    let mut child = folder.mxray(["scan", "-", "--format", "csv"]);
    child.stdin(std::fs::File::open(folder.path().join("list")).unwrap());
    let ran: Ran = child.stderr(appended("list")).output().unwrap().into();
    assert_eq!(ran.code, Some(2));
    let told = "standard input and standard error are the same file; name another\n";
    assert_eq!(folder.read("list"), format!("a.example\nmxray: {told}"));
}

/// What has no content of its own is none that could be lost.
#[cfg(unix)]
#[test]
fn a_device_may_be_named_twice() {
    let folder = folder();
    let ran =
        folder.run("lab --domains list --truth /dev/null --roots /dev/null --scenario no_such".split(' '));
    assert!(ran.stderr.starts_with("mxray: scenario no_such: "), "{}", ran.stderr);
}

/// Whoever reads a pipe first takes all of it: a blocklist would be empty.
#[cfg(unix)]
#[test]
fn a_pipe_that_is_read_twice() {
    let folder = folder();
    for (option, at) in [("--blocklist", "/dev/stdin"), ("--connectors", "/proc/self/fd/0")] {
        let mut child = folder.mxray(["scan", "-", "-o", "run", option, at]);
        child.stdin(std::process::Stdio::piped());
        let ran: Ran = child.output().unwrap().into();
        let told = format!("mxray: standard input and {option} {at} are the same pipe; use a file for one\n");
        assert_eq!((ran.code, ran.stderr), (Some(2), told));
    }
}

#[test]
fn places_where_no_run_can_be_written() {
    let lines = [
        "scan list -o directory",
        "scan list -o list",
        "scan list -o list/run",
        "demo --domains 1 -o directory",
    ];
    insta::assert_snapshot!(refusals(&folder(), &lines));
}

/// `-` is standard output where one document is written, and refused where it is a
/// directory, which nobody means to have of that name.
#[test]
fn a_hyphen_is_standard_output_or_refused() {
    let lab = Lab::playing(&["tls13_ecdsa"], 1);
    let folder = &lab.folder;
    assert_eq!(folder.run(lab.args("scan list -o run --allow-private")).code, Some(0));
    let before = folder.names();
    for line in ["diff run run -o -", "tlsrpt run --domain d1.example -o -", "report run -o -"] {
        let ran = folder.run(line.split(' '));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
        assert!(ran.stdout.len() > 100, "{line}: {}", ran.stdout);
        if !line.starts_with("report") {
            let without = folder.run(line.trim_end_matches(" -o -").split(' '));
            assert_eq!(ran.stdout, without.stdout, "{line}");
        }
    }
    for (line, told) in [
        (
            "scan list -o -",
            "-o -: a directory is written, and standard output is none; --format writes rows to",
        ),
        ("judge run -o -", "-o -: a directory is written, and standard output is none; name a directory"),
        ("merge run -o -", "-o -: a directory is written"),
        ("demo -o -", "-o -: a directory is written"),
        (
            "man -o -",
            "-o -: a directory is written, and standard output is none; without -o the page of mxray is",
        ),
        (
            "export run --format csv -o -",
            "-o -: a directory is written, and standard output is none; without -o a single table",
        ),
        (
            "bench 127.0.0.1:1 --save -",
            "--save -: a file is written, and standard output is none; --format json has",
        ),
    ] {
        let ran = folder.run(line.split(' '));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(ran.stderr.starts_with(&format!("mxray: {told}")), "{line}: {}", ran.stderr);
    }
    assert_eq!(folder.names(), before);
}

#[cfg(unix)]
#[test]
fn a_word_that_is_not_utf8_is_named_with_its_option() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let odd = OsStr::from_bytes(b"caf\xe9");
    for (before, told) in [
        (
            &["scan", "list", "--ehlo"][..],
            "invalid value 'caf\u{fffd}' for '--ehlo <NAME>': not UTF-8 (see mxray scan",
        ),
        (&["probe"], "invalid value 'caf\u{fffd}': not UTF-8 (see mxray probe"),
        (&["judge"], "caf\u{fffd} is not a run directory"),
    ] {
        let ran = folder.run(before.iter().map(OsStr::new).chain([odd]));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("mxray: {told}")), "{}", ran.stderr);
    }
}
