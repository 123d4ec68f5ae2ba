//! Certificate chains of every shape that can be made, judged by mxray and by
//! `openssl verify -purpose sslserver`, with the same roots at the same moment.
//!
//! The two have to agree on what a sender may trust. Where they do not, and
//! rightly, the shape stands in `chain_shapes/exceptions.toml` with its reason;
//! one that agrees although it stands there fails, too. What mxray says of each
//! shape is held in a snapshot.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "chain_shapes/arranged.rs"]
mod arranged;
#[path = "chain_shapes/broken.rs"]
mod broken;
#[path = "chain_shapes/certificate.rs"]
mod certificate;
#[path = "chain_shapes/der.rs"]
mod der;
#[path = "chain_shapes/extended.rs"]
mod extended;
#[path = "chain_shapes/keys.rs"]
mod keys;
#[path = "chain_shapes/openssl.rs"]
mod openssl;
#[path = "chain_shapes/signed.rs"]
mod signed;

use certificate::{AT, Family};
use mxray::internals::model::{ChainStatus, DateStatus};
use mxray::internals::trust::{Judge, Roots, Store};
use mxray::internals::x509;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// OpenSSL's words for the usages that mxray names, and for the others that the shapes have.
const USAGE_WORDS: [(&str, &str); 5] = [
    ("TLS Web Server Authentication", "serverAuth"),
    ("TLS Web Client Authentication", "clientAuth"),
    ("Any Extended Key Usage", "anyExtendedKeyUsage"),
    ("Microsoft Server Gated Crypto", "1.3.6.1.4.1.311.10.3.3"),
    ("Netscape Server Gated Crypto", "2.16.840.1.113730.4.1"),
];
/// Fewest shapes that there have to be.
const SHAPES_MIN: usize = 150;
/// openssl processes at a time.
const WORKERS: usize = 4;

/// All shapes, by name.
#[derive(Default)]
pub struct Shapes(Vec<Shape>);

struct Shape {
    name: String,
    chain: Vec<Arc<[u8]>>,
    roots: Vec<Arc<[u8]>>,
}

impl Shapes {
    /// A family with a change.
    pub fn add(&mut self, name: &str, change: impl FnOnce(&mut Family)) {
        let mut family = Family::new();
        change(&mut family);
        let (chain, roots) = family.make();
        assert!(self.0.iter().all(|shape| shape.name != name), "{name} stands twice");
        self.0.push(Shape { name: name.to_string(), chain, roots });
    }
}

fn shapes() -> Vec<Shape> {
    let mut shapes = Shapes::default();
    signed::leaf_keys(&mut shapes);
    signed::signatures(&mut shapes);
    signed::roots(&mut shapes);
    signed::faults(&mut shapes);
    signed::algorithms(&mut shapes);
    signed::dates(&mut shapes);
    extended::basic_constraints(&mut shapes);
    extended::versions(&mut shapes);
    extended::key_usages(&mut shapes);
    extended::purposes_of_keys(&mut shapes);
    extended::critical(&mut shapes);
    extended::oddities(&mut shapes);
    broken::everywhere(&mut shapes);
    broken::names(&mut shapes);
    broken::constraints(&mut shapes);
    broken::others(&mut shapes);
    broken::frames(&mut shapes);
    extended::policies(&mut shapes);
    extended::name_constraints(&mut shapes);
    arranged::names(&mut shapes);
    arranged::orders(&mut shapes);
    arranged::identifiers(&mut shapes);
    arranged::encodings(&mut shapes);
    shapes.0
}

/// What is said of one shape.
struct Said {
    /// `valid`, another status of the chain, a status of the dates, or
    /// `no_root` where the store takes none.
    ours: String,
    detail: Option<String>,
    openssl: Result<(), String>,
}

fn judge(shape: &Shape) -> (String, Option<String>) {
    let mut store = Store::new("test");
    let taken = shape.roots.iter().filter(|root| store.add_der(root).is_ok()).count();
    if taken == 0 {
        return ("no_root".into(), None);
    }
    let at = jiff::Timestamp::from_second(AT).unwrap();
    let assessed = Judge::new(Roots::new(vec![store]), at).assess(&shape.chain).unwrap();
    let assessment = &assessed.assessment;
    let said = match (assessment.chain, assessment.dates) {
        (ChainStatus::Valid, DateStatus::Valid) => "valid",
        (ChainStatus::Valid, dates) => dates.name(),
        (chain, _) => chain.name(),
    };
    (said.to_string(), assessment.chain_detail.clone())
}

fn ask(shapes: &[Shape]) -> BTreeMap<&str, Said> {
    let next = AtomicUsize::new(0);
    let work = || {
        let folder = tempfile::tempdir().unwrap();
        let mut said = Vec::new();
        while let Some(shape) = shapes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let openssl = openssl::verify(folder.path(), &shape.chain, &shape.roots, AT);
            let (ours, detail) = judge(shape);
            said.push((shape.name.as_str(), Said { ours, detail, openssl }));
        }
        said
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// Where mxray and OpenSSL rightly differ.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    mxray: String,
    /// Why both may be right, or which is not.
    reason: String,
}

fn exceptions() -> BTreeMap<String, Exception> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chain_shapes/exceptions.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The extended key usages of a certificate as OpenSSL prints them, in mxray's words.
fn usages_by_openssl(der: &[u8]) -> Vec<String> {
    let args = ["x509", "-inform", "DER", "-noout", "-ext", "extendedKeyUsage"];
    let printed = String::from_utf8(openssl::run(&args, der)).unwrap();
    let listed = printed.lines().nth(1).unwrap_or_default().trim().split(", ");
    let named = |words: &str| USAGE_WORDS.iter().find(|(theirs, _)| *theirs == words).unwrap().1.to_string();
    listed.filter(|words| !words.is_empty()).map(named).collect()
}

#[test]
fn mxray_and_openssl_read_the_same_usages() {
    if !openssl::is_there() {
        return;
    }
    let mut shapes = Shapes::default();
    extended::purposes_of_keys(&mut shapes);
    let mut compared = 0;
    for shape in shapes.0 {
        let facts = x509::read(&shape.chain[0]);
        match facts.defect {
            Some(_) => assert!(facts.extended_key_usages.is_empty(), "{}", shape.name),
            None if facts.extended_key_usages.is_empty() => {
                assert_eq!(shape.name, "leaf-without-purposes");
            }
            None => {
                compared += 1;
                assert_eq!(facts.extended_key_usages, usages_by_openssl(&shape.chain[0]), "{}", shape.name);
            }
        }
    }
    assert!(compared >= USAGE_WORDS.len(), "{compared} compared");
}

#[test]
fn mxray_and_openssl_agree_on_every_shape() {
    if !openssl::is_there() {
        return;
    }
    let shapes = shapes();
    assert!(shapes.len() >= SHAPES_MIN, "{} shapes", shapes.len());
    let said = ask(&shapes);
    let exceptions = exceptions();
    let mut wrong = String::new();
    let mut table = String::new();
    for (name, said) in &said {
        let agreed = (said.ours == "valid") == said.openssl.is_ok();
        let openssl = said.openssl.as_ref().map_or_else(Clone::clone, |()| "accepts".to_string());
        let ours = format!("{} ({})", said.ours, said.detail.as_deref().unwrap_or_default());
        match exceptions.get(*name) {
            None if agreed => {}
            Some(exception) if !agreed && exception.mxray == said.ours && !exception.reason.is_empty() => {}
            None => writeln!(wrong, "{name}: mxray {ours}, openssl {openssl}").unwrap(),
            Some(_) => writeln!(wrong, "{name}: not the exception: mxray {ours}, openssl {openssl}").unwrap(),
        }
        writeln!(table, "{name}: {ours}").unwrap();
    }
    for name in exceptions.keys().filter(|name| !said.contains_key(name.as_str())) {
        writeln!(wrong, "{name}: an exception of no shape").unwrap();
    }
    assert!(wrong.is_empty(), "{} shapes, of which these are told wrongly:\n{wrong}", said.len());
    insta::assert_snapshot!(table);
}
