//! `mxray roots`: is the root that the partner needs in the store?

use crate::command::Folder;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const G2: &str = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f";

/// Runs `roots check` with these needs and stores; gives the exit code and
/// what it said.
fn check(folder: &Folder, needs: &[&str], stores: &[&str]) -> (Option<i32>, String) {
    let mut words = vec!["roots", "check"];
    words.extend(needs.iter().flat_map(|need| ["--needs", need]));
    words.extend(stores.iter().flat_map(|store| ["--store", store]));
    let ran = folder.run(words);
    (ran.code, ran.stdout + &ran.stderr)
}

/// `name` of Microsoft's store as PEM.
fn certificate(name: &str) -> String {
    let pem = include_str!("../../datasets/roots/microsoft.pem");
    let (_, after) = pem.split_once(&format!("# {name} sha256=")).unwrap();
    let end = "-----END CERTIFICATE-----";
    format!("{}{end}\n", after.split_once('\n').unwrap().1.split_once(end).unwrap().0)
}

#[test]
fn a_root_is_found_by_name_fingerprint_and_file() {
    let pem = certificate("DigiCert Global Root G2");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let folder = Folder::new().with("g2.pem", &pem).with("g2.der", STANDARD.decode(base64).unwrap());
    let line = format!(
        ": present: C=US, O=DigiCert Inc, OU=www.digicert.com, CN=DigiCert Global Root G2, \
         valid 2013-08-01 to 2038-01-15, sha256 {G2}\n"
    );
    let both = format!("mozilla{line}microsoft{line}");
    let colons: Vec<String> =
        G2.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    let needs =
        ["DigiCert Global Root G2", "digicert global root g2", G2, &colons.join(":"), "g2.pem", "g2.der"];
    for need in needs {
        assert_eq!(check(&folder, &[need], &["mozilla", "microsoft"]), (Some(0), both.clone()), "{need}");
    }
    assert_eq!(check(&folder, &["g2.pem"], &["g2.pem"]), (Some(0), format!("g2.pem{line}")));
}

#[test]
fn any_root_of_the_stores_goes_by_its_name() {
    let folder = Folder::new();
    let (code, told) = check(&folder, &["ISRG Root X1"], &["mozilla", "microsoft"]);
    assert_eq!((code, told.lines().count()), (Some(0), 2), "{told}");
    assert!(told.lines().all(|line| line.contains(": present: ") && line.contains("CN=ISRG Root X1")));
    // Two certificates bear the name, and either may be the one.
    let (code, told) = check(&folder, &["GTS Root R1"], &["microsoft"]);
    assert_eq!((code, told.matches(": present: ").count()), (Some(0), 2), "{told}");
}

#[test]
fn a_root_that_is_absent_is_told_and_ends_with_1() {
    let folder = Folder::new().with("g2.pem", certificate("DigiCert Global Root G2"));
    let (code, told) = check(&folder, &["DigiCert Global Root CA"], &["microsoft", "mozilla"]);
    let sha256 = "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161";
    assert_eq!(code, Some(1));
    let (present, absent) = told.split_once('\n').unwrap();
    assert!(present.starts_with("microsoft: present: "), "{told}");
    let expected = format!(
        "mozilla: absent: DigiCert Global Root CA, valid 2006-11-10 to 2031-11-10, sha256 {sha256}\n"
    );
    assert_eq!(absent, expected);
    let other = check(&folder, &["Baltimore CyberTrust Root", G2], &["g2.pem"]);
    assert_eq!(other.0, Some(1), "{other:?}");
    let expired = check(&folder, &["Baltimore CyberTrust Root"], &["microsoft"]);
    assert!(
        expired.0 == Some(0) && expired.1.contains("to 2025-05-12 (expired), sha256 16af57a9"),
        "{expired:?}"
    );
}

#[test]
fn what_is_no_root_is_wrong_use() {
    let zeros = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good = certificate("DigiCert Global Root G2");
    let folder = Folder::new()
        .with("text", "no PEM\n")
        .with("zeros.pem", format!("{good}{zeros}"))
        .with("cut.pem", &good[..200]);
    for (need, store, told) in [
        ("No Such Root", "mozilla", "mxray: --needs `No Such Root`: not a SHA-256, a file, or the name"),
        ("text", "mozilla", "mxray: --needs text: it holds no certificate, PEM or DER"),
        (
            "zeros.pem",
            "mozilla",
            "mxray: --needs zeros.pem: line 23: a certificate that cannot be read: broken at certificate",
        ),
        ("cut.pem", "mozilla", "mxray: --needs cut.pem: line 1: cut off before `-----END CERTIFICATE-----`"),
        (G2, "no-such-file", "mxray: --store no-such-file: "),
        (
            G2,
            "MOZILLA",
            "mxray: --store MOZILLA: No such file or directory (os error 2) (stores by name are `mozilla`,",
        ),
        (G2, "text", "mxray: --store text: it holds no certificate, PEM or DER"),
    ] {
        let (code, said) = check(&folder, &[need], &[store]);
        assert!(code == Some(2) && said.starts_with(told) && said.lines().count() == 1, "{code:?} {said}");
    }
}

#[test]
fn what_cannot_be_taken_of_the_systems_store_is_a_warning() {
    let zeros = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good = certificate("DigiCert Global Root G2");
    let folder = Folder::new().with("store.pem", format!("{zeros}\u{feff}{good}"));
    let run = |variable: &str, place: &str| {
        let ran = folder.mxray(["roots", "list"]).env(variable, place).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (ran.status.code(), text(ran.stdout), text(ran.stderr))
    };
    let why = "line 1: not a certificate that can serve as a root: TrailingData(SignedData)";
    let (code, listed, told) = run("SSL_CERT_FILE", "store.pem");
    assert_eq!((code, listed.lines().count()), (Some(0), 1), "{told}");
    assert!(listed.starts_with("system: ") && listed.contains(G2), "{listed}");
    assert_eq!(told, format!("mxray: warning: the system's roots, store.pem: {why}\n"));
    let (code, listed, told) = run("SSL_CERT_DIR", ".");
    assert_eq!((code, listed.lines().count()), (Some(0), 1), "{told}");
    assert_eq!(told, format!("mxray: warning: the system's roots, ./store.pem: {why}\n"));
}

#[test]
fn roots_whose_trust_data_refuse_servers_are_counted() {
    let trusted = include_str!("../../src/x509/testdata/trusted.pem");
    let good = certificate("DigiCert Global Root G2");
    let folder = Folder::new().with("both.pem", format!("{trusted}{good}")).with("trusted.pem", trusted);
    let ran = folder.run(["roots", "list", "--store", "both.pem"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 1), "{}", ran.stderr);
    let what = "certificates that are not used as roots: their trust data exclude TLS servers: 11";
    assert_eq!(ran.stderr, format!("mxray: warning: --store both.pem: {what}\n"));
    let ran = folder.run(["roots", "list", "--store", "trusted.pem"]);
    assert!(
        ran.code == Some(2) && ran.stderr.contains(": it holds no root for TLS servers: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_store_is_listed() {
    let folder = Folder::new();
    let ran = folder.run(["roots", "list", "--store", "microsoft"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 211), "{}", ran.stderr);
    assert!(ran.stdout.lines().all(|line| line.starts_with("microsoft: ") && line.contains(", sha256 ")));
}
