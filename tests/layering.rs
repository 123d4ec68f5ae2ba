//! Who may name whom: the table of the modules, held over the sources.
//!
//! The tests inside the modules are held to it as well; none of them needs
//! more. What stands in comments is free, so that documentation may link
//! anywhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "layering/circles.rs"]
mod circles;
#[path = "layering/exhaustive.rs"]
mod exhaustive;
#[path = "layering/names.rs"]
mod names;
#[path = "layering/paths.rs"]
mod paths;
#[path = "layering/picture.rs"]
mod picture;

use circles::circles;
use exhaustive::{COMPLETE, cannot_grow};
use names::doubles;
use paths::{Named, named};
use picture::{Arrows, picture};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each top-level module may name of this crate besides itself, as
/// prefixes of paths.
const TABLE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("smtp", &["model"]),
    // Points that TLS and certificates bear are held to the same curves.
    ("curve", &[]),
    ("tls", &["model", "curve"]),
    ("x509", &["model", "curve"]),
    ("dns", &["model"]),
    // How a table was written, for lists and for exports of connectors.
    ("dialect", &[]),
    // For lists, and for the files of runs.
    ("packing", &[]),
    ("input", &["model", "dialect", "packing"]),
    ("cli", &["model"]),
    ("trust", &["model", "x509"]),
    ("sender", &["model", "x509", "trust", "dialect"]),
    ("ask", &["model", "sender"]),
    // What the lists of a hello were that nothing but its version was kept of, and
    // what an enumeration came to, is known to whoever chooses the hellos. And
    // which schemes the scanner offers is known to whoever verifies them.
    // How replies are to be read is known to whoever reads them.
    (
        "verdict",
        &["model", "trust", "sender", "ask", "x509::handshake", "smtp::keyword_forms", "smtp::reply_forms"],
    ),
    ("run_dir", &["model", "packing", "x509"]),
    ("report", &["model"]),
    ("revocation", &["model", "x509"]),
    ("stage", &["model"]),
    // Connections of every kind are held to the one blocklist.
    ("fetch", &["model", "trust", "net::Gate", "net::dial"]),
    ("lookup", &["model", "dns", "stage", "fetch"]),
    ("net", &["model", "smtp", "tls", "x509", "stage"]),
    ("interrogate", &["model", "stage", "ask", "verdict", "trust"]),
    ("engine", &["model", "stage", "ask", "verdict", "trust", "interrogate"]),
    // Client certificates prove themselves by the same signatures as servers' do.
    ("listen", &["model", "smtp", "tls", "x509", "sender::AfterTlsFailure", "sender::learnt"]),
    ("load", &["model", "stage"]),
    // What a library user gets in place of `plan` and `command`.
    ("scanner", &["model", "smtp", "engine", "lookup", "net", "verdict"]),
    // A fake that shares code with the client would hide its bugs: it may write as
    // the client's tests do, and as the listener does, and reads by itself.
    (
        "lab",
        &[
            "model",
            "smtp::ServerAction",
            "smtp::ServerManner",
            "smtp::SmtpServer",
            "smtp::StarttlsManner",
            "tls::alert",
            "tls::server_hello",
            "tls::CertificateMessage",
            "tls::CertificateRequest",
            "tls::Extension",
            "tls::ExtensionType",
            "tls::ServerFlight",
            "tls::ServerHello",
            "tls::ServerShare",
            "tls::ShareKind",
            "tls::SignedShare",
            "tls::TooLong",
        ],
    ),
];

/// The top of the house: what builds and runs the others may name all of them.
const FREE: &[&str] = &["lib", "main", "plan", "command"];

/// Modules that are pure: bytes and data in, data out.
const PURE: &[&str] = &[
    "model",
    "dialect",
    "packing",
    "curve",
    "smtp",
    "tls",
    "x509",
    "dns",
    "revocation",
    "trust",
    "sender",
    "ask",
    "verdict",
];

/// What a pure module never names: runtimes, sockets, clocks, logs.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "mio",
    "socket2",
    "hickory_net",
    "hickory_resolver",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "to_socket_addrs",
    "Instant",
    "SystemTime",
    "now",
    "tracing",
    "log",
];

/// The modules from the root that the file at `path` (below `src`) is.
fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The files that `source`, the file at `path`, takes in by `#[path = "…"]`,
/// with the modules that they are instead of what their own names say.
fn moved(path: &Path, source: &str) -> Vec<(PathBuf, Vec<String>)> {
    let moved = source.match_indices("#[path = \"").filter_map(|(at, mark)| {
        let (file, rest) = source[at + mark.len()..].split_once('"')?;
        let (head, _) = rest.split_once(';')?;
        let mut module = module_of(path);
        module.push(head.split_whitespace().last()?.to_owned());
        Some((path.with_file_name(file), module))
    });
    moved.collect()
}

/// What `source`, the file at `path` below `src`, names against the rules,
/// each as `src/file.rs:line: what`.
fn violations(path: &str, module: &[String], source: &str) -> Vec<String> {
    let top = module[0].clone();
    if FREE.contains(&top.as_str()) {
        return Vec::new();
    }
    let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == top) else {
        return vec![format!("src/{path}:1: module {top} is not in the table")];
    };
    let complaints = named(module, source).into_iter().filter_map(|named| {
        let complaint = forbidden(&top, allowed, &named)?;
        Some(format!("src/{path}:{}: {complaint}", named.line))
    });
    complaints.collect()
}

fn forbidden(top: &str, allowed: &[&str], named: &Named) -> Option<String> {
    match named.in_crate() {
        Some([]) if named.imported => Some(format!("{top} imports the whole crate")),
        Some([]) => None,
        Some(path) if path[0] == top || allowed.iter().any(|prefix| begins_with(path, prefix)) => {
            impurity(top, named)
        }
        Some(_) => Some(format!("{top} may not name {}", named.text())),
        None => impurity(top, named),
    }
}

fn begins_with(path: &[String], prefix: &str) -> bool {
    let prefix: Vec<&str> = prefix.split("::").collect();
    path.len() >= prefix.len() && path.iter().zip(&prefix).all(|(have, want)| have == want)
}

fn impurity(top: &str, named: &Named) -> Option<String> {
    if !PURE.contains(&top) {
        return None;
    }
    let impure = |(index, word): (usize, &String)| match word.as_str() {
        // The function of a clock, not something of our own of that name.
        "now" => index > 0 && named.in_crate().is_none(),
        // Crates by these names, not variables.
        "log" | "tracing" => index == 0 && (named.segments.len() > 1 || named.imported),
        word => IMPURE.contains(&word),
    };
    let all_sockets = named.imported && named.text() == "std::net";
    let found = all_sockets || named.segments.iter().enumerate().any(impure);
    found.then(|| format!("{top} is pure and may not name {}", named.text()))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A source below `src`: its path, its module, its text.
type Source = (PathBuf, Vec<String>, String);

fn house() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    assert!(files.len() > 20, "only {} sources under {}", files.len(), root.display());
    let texts: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|file| (file.strip_prefix(&root).unwrap().to_owned(), fs::read_to_string(&file).unwrap()))
        .collect();
    let moved: HashMap<_, _> = texts.iter().flat_map(|(path, source)| moved(path, source)).collect();
    let module = |path: &PathBuf| moved.get(path).cloned().unwrap_or_else(|| module_of(path));
    texts.into_iter().map(|(path, text)| (path.clone(), module(&path), text)).collect()
}

#[test]
fn every_module_keeps_to_the_table() {
    let found: Vec<String> = house()
        .iter()
        .flat_map(|(path, module, source)| violations(&path.to_string_lossy(), module, source))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let house = house();
    let paths: Vec<_> = house.iter().map(|(path, ..)| path.to_string_lossy()).collect();
    let sources: Vec<_> =
        house.iter().zip(&paths).map(|((_, module, text), path)| (&**path, &**module, &**text)).collect();
    let found = circles(&sources);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn one_name_means_one_type() {
    let house = house();
    let paths: Vec<_> = house.iter().map(|(path, ..)| path.to_string_lossy()).collect();
    let sources: Vec<_> = house.iter().zip(&paths).map(|((_, _, text), path)| (&**path, &**text)).collect();
    let found = doubles(&sources);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_name_of_two_types_is_found() {
    let two =
        [("a.rs", "pub(super) struct Step<'a> {"), ("b/c.rs", "use x;\nenum Step;\n    type Item = u8;")];
    assert_eq!(doubles(&two), ["Step: a.rs, b/c.rs"]);
    let one = [
        ("a.rs", "pub struct Step;\npub type Item = u8;"),
        ("b.rs", "pub enum StepKind {\n    type Item = u8;"),
    ];
    assert_eq!(doubles(&one), [""; 0]);
}

#[test]
fn what_may_grow_is_marked() {
    let house = house();
    let paths: Vec<_> = house.iter().map(|(path, ..)| path.to_string_lossy()).collect();
    let sources: Vec<_> = house.iter().zip(&paths).map(|((_, _, text), path)| (&**path, &**text)).collect();
    let lib = sources.iter().find(|(path, _)| *path == "lib.rs").unwrap().1;
    let found = cannot_grow(lib, &sources);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn an_enumeration_that_may_not_grow_is_found() {
    let lib = "pub use a::{Shut, Open, Struct};\npub mod b {\n    pub use c::Other;\n}\n#[doc(hidden)]\npub use a::Hidden;";
    let source = "#[derive(Debug)]\npub enum Shut {\n    A,\n}\n/// Doc.\n#[non_exhaustive]\n/// Doc.\npub enum Open {}\n\
        #[non_exhaustive]\npub struct Struct;\npub enum Hidden {}\nmacro! {\n    pub enum $made {}\n}\n    pub enum Other {}";
    let idle = COMPLETE.iter().map(|(name, _)| format!("{name} need not stand in the list"));
    let expected =
        ["Shut", "$made", "Other"].map(|name| format!("src/a.rs: {name} is not #[non_exhaustive]"));
    assert_eq!(cannot_grow(lib, &[("a.rs", source)]), expected.into_iter().chain(idle).collect::<Vec<_>>());
}

/// Which rooms each names. Those that may name all are left out.
fn rooms(house: &[Source]) -> Arrows {
    let mut arrows = Arrows::new();
    for (_, module, source) in house.iter().filter(|(_, module, _)| !FREE.contains(&&*module[0])) {
        let arrows = arrows.entry(module[0].clone()).or_default();
        let named = named(module, circles::untested(source)).into_iter();
        let rooms = named.filter_map(|named| named.in_crate().and_then(<[_]>::first).cloned());
        arrows.extend(rooms.filter(|room| *room != module[0]));
    }
    let known: Vec<String> = arrows.keys().cloned().collect();
    arrows.values_mut().for_each(|all| all.retain(|room| known.contains(room)));
    arrows
}

#[test]
fn the_picture_shows_the_rooms_as_they_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rooms.svg");
    let drawn = picture(&rooms(&house()));
    if std::env::var_os("MXRAY_RENEW").is_some() {
        fs::write(path, &drawn).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == drawn,
        "docs/rooms.svg is behind the sources; renew it: MXRAY_RENEW=1 cargo test --test layering"
    );
}

#[test]
fn a_circle_is_found_over_what_a_module_hands_on() {
    let module = |path: &str| module_of(Path::new(path));
    let found = |sources: &[(&str, &str)]| {
        let modules: Vec<_> = sources.iter().map(|(path, _)| module(path)).collect();
        let sources: Vec<_> =
            sources.iter().zip(&modules).map(|((path, text), module)| (*path, &**module, *text)).collect();
        circles(&sources)
    };
    let hands_on = ("a/mod.rs", "mod b; mod c; pub use b::B; pub use c::C;");
    assert_eq!(
        found(&[hands_on, ("a/b.rs", "use super::C;"), ("a/c.rs", "use crate::a::b;")]),
        ["a/b.rs -> a/c.rs -> a/b.rs"]
    );
    assert_eq!(found(&[hands_on, ("a/b.rs", "use super::C;"), ("a/c.rs", "pub struct C;")]), [""; 0]);
    let parent = ("a/mod.rs", "mod b; struct A; fn f() { b::g() }");
    assert_eq!(found(&[parent, ("a/b.rs", "use super::A;")]), ["a/mod.rs -> a/b.rs -> a/mod.rs"]);
    let in_tests = "struct B;\n\n#[cfg(test)]\nmod tests { use crate::c::C; }";
    assert_eq!(found(&[("b.rs", in_tests), ("c.rs", "use crate::b::B;")]), [""; 0]);
    let over_three =
        [("a.rs", "use crate::b;"), ("b.rs", "fn f() { crate::c::x() }"), ("c.rs", "use super::a;")];
    assert_eq!(found(&over_three), ["a.rs -> b.rs -> c.rs -> a.rs"]);
}

/// The complaints without their `src/path:`.
fn complaints(path: &str, source: &str) -> Vec<String> {
    let prefix = format!("src/{path}:");
    let module = module_of(Path::new(path));
    violations(path, &module, source)
        .into_iter()
        .map(|text| text.strip_prefix(&prefix).unwrap().to_owned())
        .collect()
}

#[test]
fn a_forbidden_module_is_found_however_it_is_named() {
    for (path, source) in [
        ("smtp/mod.rs", "use crate::net::dial;"),
        ("smtp/mod.rs", "use crate::{model::Reply, net};"),
        ("smtp/mod.rs", "use crate::{model::{Kind, Phase}, net::{self}};"),
        ("smtp/mod.rs", "use super::net::dial;"),
        ("smtp/mod.rs", "use super::{model, net::dial};"),
        ("smtp/reply.rs", "use super::super::net::dial;"),
        ("smtp/reply.rs", "use self::super::super::net;"),
        ("smtp/reply.rs", "fn f() -> crate::net::Dial { todo!() }"),
        ("smtp/reply.rs", "fn f() { let x = super::super::net::dial(); }"),
        ("smtp/reply.rs", "pub use crate::net::dial as other;"),
        ("smtp/reply.rs", "macro_rules! m { () => { $crate::net::dial() } }"),
        ("smtp/reply.rs", "mod tests { use super::super::super::net; }"),
        ("smtp/reply.rs", "fn f() { use ::mxray::net::dial; }"),
        ("smtp/reply.rs", "use r#crate::r#net::dial;"),
        ("lookup/mod.rs", "use crate::engine::pipeline::Pipeline;"),
        ("lookup/mod.rs", "use crate::{engine::pipeline::Pipeline, stage::Lookup};"),
        ("lookup/mod.rs", "use crate::engine;"),
        ("fetch/mod.rs", "use crate::net::{Gate, NetProbe};"),
        ("verdict/mod.rs", "use crate::x509::{self, handshake};"),
        ("lab/smtpd.rs", "use crate::stage::Probe;"),
        ("lab/hello.rs", "use crate::tls::ClientHello;"),
        ("lab/hello.rs", "use crate::tls::record::RecordReader;"),
        ("lab/smtpd.rs", "use crate::smtp::reply::ReplyReader;"),
        ("model/name.rs", "use crate::sender::Sender;"),
        ("net.rs", "use crate::lab::Fleet;"),
        ("smtp/reply.rs", "use crate::Root;"),
    ] {
        let found = complaints(path, source);
        assert_eq!(found.len(), 1, "{path}: {source}: {found:?}");
        assert!(found[0].contains("may not name crate::"), "{found:?}");
    }
}

#[test]
fn the_whole_crate_is_not_imported() {
    for (path, source) in [
        ("smtp/mod.rs", "use super::*;"),
        ("smtp/mod.rs", "use crate::*;"),
        ("smtp/mod.rs", "use crate as house;"),
        ("smtp/reply.rs", "use crate::{self as house};"),
        ("smtp/reply.rs", "mod inner { use super::super::super::*; }"),
    ] {
        assert_eq!(complaints(path, source), ["1: smtp imports the whole crate"], "{path}: {source}");
    }
}

#[test]
fn what_is_allowed_is_left_alone() {
    for (path, source) in [
        ("smtp/mod.rs", "use crate::model::{self, Reply};\npub(crate) mod reply;\npub use reply::*;"),
        ("smtp/reply.rs", "use super::ehlo::Ehlo; pub(in crate::smtp) fn f() {}"),
        ("smtp/reply.rs", "#[cfg(test)] mod tests { use super::*; mod deeper { use super::super::*; } }"),
        ("smtp/reply.rs", "//! [`crate::net`]\n/* use crate::net; /* nested */ crate::net::x */"),
        (
            "smtp/reply.rs",
            r####"fn f<'a>(c: char) { let _ = ("crate::net::x", r#""crate::net::x"#, b"\"", '"', '\''); }"####,
        ),
        ("lookup/mod.rs", "use crate::stage::Lookup; use crate::stage;"),
        ("net/dial.rs", "use tokio::net::TcpStream; use std::time::Instant; use crate::{smtp, tls, x509};"),
        ("trust/pkix.rs", "use std::net::IpAddr; fn f(now: Timestamp, log: &[u8]) { g(now, log.len()) }"),
        ("smtp/reply.rs", "fn f() -> impl Iterator<Item = u8> + use<'_> { x }"),
        ("plan.rs", "use crate::{engine, net, lab};"),
        ("main.rs", "use mxray::plan; fn main() { mxray::net::x() }"),
    ] {
        assert_eq!(complaints(path, source), [""; 0], "{path}: {source}");
    }
}

#[test]
fn a_pure_module_names_no_socket_and_no_clock() {
    for source in [
        "use tokio::io::AsyncRead;",
        "use std::net::{IpAddr, TcpStream};",
        "use std::net::*;",
        "fn f(s: &std::net::UdpSocket) {}",
        "use std::time::{Duration, Instant};",
        "fn f() { std::time::SystemTime::now(); }",
        "fn f() { Timestamp::now(); }",
        "use tracing::debug;",
        "fn f() { tracing::debug!(\"x\"); }",
    ] {
        assert_eq!(complaints("tls/record.rs", source).len(), 1, "{source}");
        assert_eq!(complaints("net/dial.rs", source), [""; 0], "{source}");
    }
}

#[test]
fn a_complaint_names_the_line_and_a_new_module_must_be_entered() {
    let source =
        "//! Why.\n\nuse crate::{\n    model::Reply,\n    net::dial,\n};\n\"a\nb\";\ncrate::lab::x();";
    assert_eq!(
        complaints("smtp/reply.rs", source),
        ["5: smtp may not name crate::net::dial", "9: smtp may not name crate::lab::x"]
    );
    assert_eq!(complaints("dane/mod.rs", ""), ["1: module dane is not in the table"]);
}

#[test]
fn a_file_stands_where_its_path_attribute_puts_it() {
    let source = "#[cfg(test)]\n#[path = \"client_tests.rs\"]\nmod tests;";
    let moved = moved(Path::new("smtp/client.rs"), source);
    let module = ["smtp", "client", "tests"].map(str::to_owned);
    assert_eq!(moved, [(PathBuf::from("smtp/client_tests.rs"), module.to_vec())]);
    let source = "use super::super::reply::Reply;";
    assert_eq!(violations("smtp/client_tests.rs", &module, source), [""; 0]);
    let source = "use super::super::super::net::Dial;";
    assert_eq!(violations("smtp/client_tests.rs", &module, source).len(), 1);
}
