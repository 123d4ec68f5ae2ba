//! Shapes of keys, signatures and dates.

use super::Shapes;
use super::certificate::{generalized, utc};
use super::der::{NULL, bits, element, name, oid, sequence};
use super::keys::{algorithm, ec_info, ecdsa, key, point, pss};

const P256: &str = "1.2.840.10045.3.1.7";
const RSA: &str = "1.2.840.113549.1.1.1";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// The key of the leaf: nobody verifies with it here.
pub fn leaf_keys(shapes: &mut Shapes) {
    for own in ["p224", "p384", "p521", "k256", "brainpool", "explicit", "ed25519", "ed448"] {
        shapes.add(&format!("leaf-key-{own}"), |f| f.leaf.key = key(own).info);
    }
    for own in ["rsa512", "rsa1024", "rsa2048", "rsa-large"] {
        shapes.add(&format!("leaf-key-{own}"), |f| f.leaf.key = key(own).info);
    }
    let whole = point(&key("a"));
    let compressed = [&[2 + (whole[64] & 1)], &whole[1..33]].concat();
    let hybrid = [&[6 + (whole[64] & 1)], &whole[1..]].concat();
    let mut off = whole.clone();
    off[64] ^= 1;
    for (what, point) in [("compressed", compressed), ("hybrid", hybrid), ("off-its-curve", off)] {
        shapes.add(&format!("leaf-key-{what}"), |f| f.leaf.key = ec_info(P256, &point));
    }
    shapes.add("leaf-key-empty", |f| f.leaf.key = ec_info(P256, &[]));
    shapes.add("leaf-key-of-no-known-curve", |f| f.leaf.key = ec_info("1.2.3.4", &whole));
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
        f.trusted.clear();
        f.more.push(super::certificate::Spec::ca("other", "other", "d", "d"));
        f.trusted.push(super::certificate::Which::More(0));
    });
    shapes.add("ed448-and-no-server-auth", |f| {
        f.middle_key("ed448", algorithm("1.3.101.113", &[], &[]));
        f.leaf.set("2.5.29.37", false, super::certificate::purposes(&["1.3.6.1.5.5.7.3.2"]));
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
    shapes
        .add("two-signature-algorithms", |f| f.leaf.outside = Some(sequence(&[&oid("1.2.840.10045.4.3.3")])));
    shapes.add("two-signature-parameters", |f| {
        f.leaf.outside = Some(sequence(&[&oid("1.2.840.10045.4.3.2"), &NULL]));
    });
    shapes.add("signature-by-an-unknown-algorithm", |f| {
        f.leaf.algorithm.identifier = sequence(&[&oid("1.2.3.4")]);
    });
    shapes.add("signature-of-rsa-by-a-curve", |f| {
        f.leaf.algorithm.identifier = sequence(&[&oid("1.2.840.113549.1.1.11"), &NULL]);
    });
    shapes.add("middle-key-off-its-curve", |f| {
        let mut off = point(&key("b"));
        off[64] ^= 1;
        f.middle.key = ec_info(P256, &off);
    });
    shapes.add("middle-key-compressed", |f| {
        let whole = point(&key("b"));
        f.middle.key = ec_info(P256, &[&[2 + (whole[64] & 1)], &whole[1..33]].concat());
    });
    shapes.add("middle-key-hybrid", |f| {
        let whole = point(&key("b"));
        f.middle.key = ec_info(P256, &[&[6 + (whole[64] & 1)], &whole[1..]].concat());
    });
}

/// Dates. All is judged at the start of 2030.
pub fn dates(shapes: &mut Shapes) {
    let (past, future) = ("260101000000Z", "310101000000Z");
    shapes.add("leaf-expired", |f| f.leaf.until = utc(past));
    shapes.add("leaf-not-yet-valid", |f| f.leaf.from = utc(future));
    shapes.add("middle-expired", |f| f.middle.until = utc(past));
    shapes.add("middle-not-yet-valid", |f| f.middle.from = utc(future));
    shapes.add("root-expired", |f| f.root.until = utc(past));
    shapes.add("root-not-yet-valid", |f| f.root.from = utc(future));
    shapes.add("root-and-leaf-expired", |f| {
        f.root.until = utc(past);
        f.leaf.until = utc(past);
    });
    shapes.add("middle-expired-under-a-stranger", |f| {
        f.middle.until = utc(past);
        f.trusted.clear();
        f.more.push(super::certificate::Spec::ca("other", "other", "d", "d"));
        f.trusted.push(super::certificate::Which::More(0));
    });
    shapes.add("leaf-ends-in-2060", |f| f.leaf.until = generalized("20600101000000Z"));
    shapes.add("leaf-never-ends", |f| f.leaf.until = generalized("99991231235959Z"));
    shapes.add("root-never-ends", |f| f.root.until = generalized("99991231235959Z"));
    shapes.add("generalized-time-before-2050", |f| f.leaf.until = generalized("20350101000000Z"));
    shapes.add("utc-time-without-seconds", |f| f.leaf.until = utc("3501010000Z"));
    shapes.add("utc-time-with-offset", |f| f.leaf.until = utc("350101000000+0100"));
    shapes.add("utc-time-of-the-last-century", |f| f.leaf.until = utc("990101000000Z"));
    shapes.add("generalized-time-with-fractions", |f| f.leaf.until = generalized("20350101000000.5Z"));
    shapes.add("date-of-letters", |f| f.leaf.until = utc("never"));
    shapes.add("date-of-another-type", |f| f.leaf.until = element(0x0c, b"350101000000Z"));
    shapes.add("leaf-ends-before-it-begins", |f| {
        f.leaf.from = utc("340101000000Z");
        f.leaf.until = utc("330101000000Z");
    });
    shapes.add("leaf-begins-this-second", |f| f.leaf.from = utc("300101000000Z"));
    shapes.add("leaf-ends-this-second", |f| f.leaf.until = utc("300101000000Z"));
    shapes.add("leaf-ended-a-second-ago", |f| f.leaf.until = utc("291231235959Z"));
    shapes.add("middle-ends-this-second", |f| f.middle.until = utc("300101000000Z"));
    shapes.add("root-ends-this-second", |f| f.root.until = utc("300101000000Z"));
    shapes.add("root-ended-a-second-ago", |f| f.root.until = utc("291231235959Z"));
    shapes.add("one-of-two-roots-expired", |f| {
        f.root.until = utc(past);
        f.more.push(super::certificate::Spec::ca("root", "root", "c", "c"));
        f.trusted.push(super::certificate::Which::More(0));
    });
    shapes.add("nothing-odd", |f| f.leaf.subject = name("leaf"));
}
