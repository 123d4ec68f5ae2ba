//! Shapes of keys, signatures and dates.

use super::Shapes;
use super::certificate::{Family, Spec, Which, generalized, purposes, utc};
use super::der::{NULL, bits, element, name, oid, sequence};
use super::keys::{algorithm, ec_info, ecdsa, key, point, pss};

const P256: &str = "1.2.840.10045.3.1.7";
const RSA: &str = "1.2.840.113549.1.1.1";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// The point of a P-256 key in other forms than the usual one, and one that is
/// off its curve.
fn odd_points(own: &str) -> [(&'static str, Vec<u8>); 3] {
    let whole = point(&key(own));
    let sign = whole[64] & 1;
    let mut off = whole.clone();
    off[64] ^= 1;
    [
        ("compressed", [&[2 + sign], &whole[1..33]].concat()),
        ("hybrid", [&[6 + sign], &whole[1..]].concat()),
        ("off-its-curve", off),
    ]
}

/// The key of the leaf: nobody verifies with it here.
pub fn leaf_keys(shapes: &mut Shapes) {
    for own in ["p192", "p224", "p384", "p521", "k256", "brainpool", "explicit", "ed25519", "ed448"] {
        shapes.add(&format!("leaf-key-{own}"), |f| f.leaf.key = key(own).info);
    }
    for own in ["rsa512", "rsa1024", "rsa2048", "rsa-large"] {
        shapes.add(&format!("leaf-key-{own}"), |f| f.leaf.key = key(own).info);
    }
    for (what, point) in odd_points("a") {
        shapes.add(&format!("leaf-key-{what}"), |f| f.leaf.key = ec_info(P256, &point));
    }
    for own in ["p192", "p224", "brainpool"] {
        shapes.add(&format!("leaf-key-{own}-off-its-curve"), |f| {
            f.leaf.key = key(own).info;
            *f.leaf.key.last_mut().unwrap() ^= 1;
        });
    }
    shapes.add("leaf-key-empty", |f| f.leaf.key = ec_info(P256, &[]));
    shapes.add("leaf-key-of-no-known-curve", |f| f.leaf.key = ec_info("1.2.3.4", &point(&key("a"))));
    shapes.add("leaf-key-of-no-known-algorithm", |f| {
        f.leaf.key = sequence(&[&sequence(&[&oid("1.2.3.4")]), &bits(&[1, 2, 3])]);
    });
    shapes.add("leaf-key-rsa-without-null", |f| {
        let info = key("rsa2048").info;
        let number = info[info.len() - 270..].to_vec();
        f.leaf.key = sequence(&[&sequence(&[&oid(RSA)]), &bits(&number)]);
    });
}

/// The signature on the leaf, by the intermediate's key.
pub fn signatures(shapes: &mut Shapes) {
    let ec = "1.2.840.10045.4.3.";
    for (own, digest, arc) in [
        ("b", "-sha224", "1"),
        ("b", "-sha384", "3"),
        ("b", "-sha512", "4"),
        ("p384", "-sha256", "2"),
        ("p384", "-sha384", "3"),
        ("p384", "-sha512", "4"),
        ("p521", "-sha256", "2"),
        ("p521", "-sha512", "4"),
        ("p224", "-sha256", "2"),
        ("k256", "-sha256", "2"),
        ("brainpool", "-sha256", "2"),
        ("explicit", "-sha256", "2"),
    ] {
        shapes.add(&format!("signed-by-{own}-with{digest}"), |f| {
            f.middle_key(own, algorithm(&format!("{ec}{arc}"), &[], &[digest]));
        });
    }
    shapes
        .add("signed-by-b-with-sha1", |f| f.leaf.algorithm = algorithm("1.2.840.10045.4.1", &[], &["-sha1"]));
    shapes.add("signed-by-b-with-sha3-256", |f| {
        f.leaf.algorithm = algorithm("2.16.840.1.101.3.4.3.10", &[], &["-sha3-256"]);
    });
    shapes.add("signed-by-ed25519", |f| f.middle_key("ed25519", algorithm("1.3.101.112", &[], &[])));
    shapes.add("signed-by-ed448", |f| f.middle_key("ed448", algorithm("1.3.101.113", &[], &[])));
    let rsa = "1.2.840.113549.1.1.";
    for (own, digest, arc) in [
        ("rsa2048", "-md5", "4"),
        ("rsa2048", "-sha1", "5"),
        ("rsa2048", "-sha224", "14"),
        ("rsa2048", "-sha256", "11"),
        ("rsa2048", "-sha384", "12"),
        ("rsa2048", "-sha512", "13"),
        ("rsa3072", "-sha384", "12"),
        ("rsa1024", "-sha256", "11"),
        ("rsa1024", "-sha384", "12"),
        ("rsa1024", "-sha512", "13"),
        ("rsa512", "-sha256", "11"),
        ("rsa-large", "-sha256", "11"),
    ] {
        shapes.add(&format!("signed-by-{own}-with{digest}"), |f| {
            f.middle_key(own, algorithm(&format!("{rsa}{arc}"), &NULL, &[digest]));
        });
    }
    shapes.add("signed-by-rsa2048-with-sha3-256", |f| {
        f.middle_key("rsa2048", algorithm("2.16.840.1.101.3.4.3.14", &NULL, &["-sha3-256"]));
    });
    shapes.add("signed-by-rsa2048-without-null", |f| {
        f.middle_key("rsa2048", algorithm(&format!("{rsa}11"), &[], &["-sha256"]));
    });
    for (what, made) in [
        ("sha256", pss(SHA256, "-sha256", 32, "rsa_pss_saltlen:32")),
        ("sha384", pss(SHA384, "-sha384", 48, "rsa_pss_saltlen:48")),
        ("sha512", pss(SHA512, "-sha512", 64, "rsa_pss_saltlen:64")),
        ("a-short-salt", pss(SHA256, "-sha256", 20, "rsa_pss_saltlen:20")),
    ] {
        shapes.add(&format!("signed-by-rsa2048-pss-{what}"), |f| f.middle_key("rsa2048", made));
    }
}

/// The signature on the intermediate, by the root's key.
pub fn roots(shapes: &mut Shapes) {
    let rsa = || algorithm("1.2.840.113549.1.1.11", &NULL, &["-sha256"]);
    shapes.add("root-rsa1024", |f| f.root_key("rsa1024", rsa()));
    shapes.add("root-rsa2048", |f| f.root_key("rsa2048", rsa()));
    shapes.add("root-rsa-large", |f| f.root_key("rsa-large", rsa()));
    shapes.add("root-ed448", |f| f.root_key("ed448", algorithm("1.3.101.113", &[], &[])));
    shapes.add("root-brainpool", |f| f.root_key("brainpool", ecdsa()));
    shapes.add("root-explicit", |f| f.root_key("explicit", ecdsa()));
    shapes.add("root-signed-by-another", |f| f.root.by = "d".into());
    shapes.add("ed448-under-a-stranger", |f| {
        f.middle_key("ed448", algorithm("1.3.101.113", &[], &[]));
        f.under_a_stranger();
    });
    shapes.add("ed448-and-no-server-auth", |f| {
        f.middle_key("ed448", algorithm("1.3.101.113", &[], &[]));
        f.leaf.set("2.5.29.37", false, purposes(&["1.3.6.1.5.5.7.3.2"]));
    });
}

/// Signatures that are none.
pub fn faults(shapes: &mut Shapes) {
    let flip = |mut signature: Vec<u8>| {
        *signature.last_mut().unwrap() ^= 1;
        signature
    };
    shapes.add("leaf-signature-flipped", |f| f.leaf.spoil = flip);
    shapes.add("middle-signature-flipped", |f| f.middle.spoil = flip);
    shapes.add("root-signature-flipped", |f| f.root.spoil = flip);
    shapes.add("leaf-signature-empty", |f| f.leaf.spoil = |_| Vec::new());
    shapes.add("leaf-signed-by-the-root", |f| f.leaf.by = "c".into());
    shapes.add("leaf-signed-by-itself", |f| f.leaf.by = "a".into());
    for (what, point) in odd_points("b") {
        shapes.add(&format!("middle-key-{what}"), |f| f.middle.key = ec_info(P256, &point));
    }
}

/// Algorithms that are told in two ways, or are none of the key.
pub fn algorithms(shapes: &mut Shapes) {
    let ecdsa =
        |arc: &str, parameters: &[u8]| sequence(&[&oid(&format!("1.2.840.10045.4.3.{arc}")), parameters]);
    for (what, outside) in [("algorithms", ecdsa("3", &[])), ("parameters", ecdsa("2", &NULL))] {
        shapes.add(&format!("two-signature-{what}"), |f| f.leaf.outside = Some(outside.clone()));
        shapes.add(&format!("middle-two-signature-{what}"), |f| f.middle.outside = Some(outside.clone()));
        shapes.add(&format!("root-two-signature-{what}"), |f| f.root.outside = Some(outside.clone()));
    }
    for (what, id, parameters) in [
        ("an-unknown-algorithm", "1.2.3.4", &[][..]),
        ("rsa-by-a-curve", "1.2.840.113549.1.1.11", &NULL),
        ("pss-by-a-curve", "1.2.840.113549.1.1.10", &NULL),
        ("ed25519-by-a-curve", "1.3.101.112", &[]),
        ("ed448-by-a-curve", "1.3.101.113", &[]),
        ("dsa-by-a-curve", "2.16.840.1.101.3.4.3.2", &[]),
    ] {
        let identifier = sequence(&[&oid(id), parameters]);
        shapes.add(&format!("signature-of-{what}"), |f| f.leaf.algorithm.identifier = identifier);
    }
    shapes.add("signature-of-a-curve-by-rsa", |f| {
        f.middle_key("rsa2048", algorithm("1.2.840.113549.1.1.11", &NULL, &["-sha256"]));
        f.leaf.algorithm.identifier = sequence(&[&oid("1.2.840.10045.4.3.2")]);
    });
    shapes.add("signature-of-rsa-by-brainpool", |f| {
        f.middle_key("brainpool", algorithm("1.2.840.10045.4.3.2", &[], &["-sha256"]));
        f.leaf.algorithm.identifier = sequence(&[&oid("1.2.840.113549.1.1.11"), &NULL]);
    });
}

type Date = fn(&mut Family) -> &mut Vec<u8>;

/// One date that is another. All is judged at the start of 2030.
fn one_date() -> Vec<(&'static str, Date, Vec<u8>)> {
    let (past, future, in_1965) = ("260101000000Z", "310101000000Z", "650101000000Z");
    let (this_second, a_second_ago) = ("300101000000Z", "291231235959Z");
    let [leaf_from, middle_from, root_from]: [Date; 3] =
        [|f| &mut f.leaf.from, |f| &mut f.middle.from, |f| &mut f.root.from];
    let [leaf_until, middle_until, root_until]: [Date; 3] =
        [|f| &mut f.leaf.until, |f| &mut f.middle.until, |f| &mut f.root.until];
    vec![
        ("leaf-expired", leaf_until, utc(past)),
        ("leaf-not-yet-valid", leaf_from, utc(future)),
        ("middle-expired", middle_until, utc(past)),
        ("middle-not-yet-valid", middle_from, utc(future)),
        ("root-expired", root_until, utc(past)),
        ("root-not-yet-valid", root_from, utc(future)),
        ("leaf-ends-in-2060", leaf_until, generalized("20600101000000Z")),
        ("leaf-never-ends", leaf_until, generalized("99991231235959Z")),
        ("root-never-ends", root_until, generalized("99991231235959Z")),
        ("generalized-time-before-2050", leaf_until, generalized("20350101000000Z")),
        ("generalized-time-of-year-0", leaf_from, generalized("00000101000000Z")),
        ("generalized-time-of-1965", leaf_from, generalized("19650101000000Z")),
        ("utc-time-of-1965", leaf_from, utc(in_1965)),
        ("utc-time-of-1970", leaf_from, utc("700101000000Z")),
        ("middle-from-1965", middle_from, utc(in_1965)),
        ("root-from-1965", root_from, utc(in_1965)),
        ("utc-time-without-seconds", leaf_until, utc("3501010000Z")),
        ("utc-time-with-offset", leaf_until, utc("350101000000+0100")),
        ("utc-time-of-the-last-century", leaf_until, utc("990101000000Z")),
        ("generalized-time-with-fractions", leaf_until, generalized("20350101000000.5Z")),
        ("date-of-letters", leaf_until, utc("never")),
        ("date-of-another-type", leaf_until, element(0x0c, b"350101000000Z")),
        ("leaf-begins-this-second", leaf_from, utc(this_second)),
        ("leaf-ends-this-second", leaf_until, utc(this_second)),
        ("leaf-ended-a-second-ago", leaf_until, utc(a_second_ago)),
        ("middle-ends-this-second", middle_until, utc(this_second)),
        ("root-ends-this-second", root_until, utc(this_second)),
        ("root-ended-a-second-ago", root_until, utc(a_second_ago)),
    ]
}

pub fn dates(shapes: &mut Shapes) {
    for (what, date, when) in one_date() {
        shapes.add(what, |f| *date(f) = when);
    }
    let past = "260101000000Z";
    shapes.add("root-and-leaf-expired", |f| {
        f.root.until = utc(past);
        f.leaf.until = utc(past);
    });
    shapes.add("middle-expired-under-a-stranger", |f| {
        f.middle.until = utc(past);
        f.under_a_stranger();
    });
    shapes.add("generalized-time-from-2020-to-2035", |f| {
        f.leaf.from = generalized("20200101000000Z");
        f.leaf.until = generalized("20350101000000Z");
    });
    shapes.add("from-1965-under-a-stranger", |f| {
        f.leaf.from = utc("650101000000Z");
        f.under_a_stranger();
    });
    shapes.add("leaf-ended-in-1965", |f| {
        f.leaf.from = utc("640101000000Z");
        f.leaf.until = utc("650101000000Z");
    });
    shapes.add("leaf-ends-before-it-begins", |f| {
        f.leaf.from = utc("340101000000Z");
        f.leaf.until = utc("330101000000Z");
    });
    shapes.add("one-of-two-roots-expired", |f| {
        f.root.until = utc(past);
        f.more.push(Spec::ca("root", "root", "c", "c"));
        f.trusted.push(Which::More(0));
    });
    shapes.add("nothing-odd", |f| f.leaf.subject = name("leaf"));
}
