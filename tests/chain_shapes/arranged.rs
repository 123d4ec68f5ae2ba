//! Shapes of names, orders and encodings.

use super::Shapes;
use super::certificate::{
    AUTHORITY_KEY, BASIC, Family, HOST, NAMES, SUBJECT_KEY, Spec, Which, authority, dns, path_len,
    raw_integer, subject_key,
};
use super::der::{PRINTABLE, SET, TRUE, UTF8, attribute, element, name, oid, sequence};
use super::keys::key;

const COMMON_NAME: &str = "2.5.4.3";

pub fn names(shapes: &mut Shapes) {
    let as_bmp: Vec<u8> = "middle".bytes().flat_map(|byte| [0, byte]).collect();
    let as_universal: Vec<u8> = "middle".bytes().flat_map(|byte| [0, 0, 0, byte]).collect();
    for (what, tag, text) in [
        ("in-capitals", UTF8, b"MIDDLE".to_vec()),
        ("of-another-type", PRINTABLE, b"middle".to_vec()),
        ("with-blanks", UTF8, b" middle  ".to_vec()),
        ("as-bmp", 0x1e, as_bmp),
        ("as-teletex", 0x14, b"middle".to_vec()),
        ("as-universal", 0x1c, as_universal),
        ("of-another", UTF8, b"muddle".to_vec()),
    ] {
        shapes.add(&format!("issuer-name-{what}"), |f| {
            f.leaf.issuer = sequence(&[&attribute(COMMON_NAME, tag, &text)]);
        });
    }
    shapes.add("root-name-in-capitals", |f| f.middle.issuer = name("ROOT"));
    shapes.add("root-name-of-another-type", |f| {
        f.middle.issuer = sequence(&[&attribute(COMMON_NAME, PRINTABLE, b"root")]);
    });
    shapes.add("leaf-without-subject", |f| {
        f.leaf.subject = sequence(&[]);
        f.leaf.set(NAMES, true, sequence(&[&dns(HOST)]));
    });
    shapes.add("leaf-without-subject-not-critical", |f| f.leaf.subject = sequence(&[]));
    shapes.add("leaf-without-names", |f| f.leaf.drop(NAMES));
    shapes.add("leaf-without-any-name", |f| {
        f.leaf.drop(NAMES);
        f.leaf.subject = sequence(&[]);
    });
    shapes.add("leaf-names-empty", |f| f.leaf.set(NAMES, false, sequence(&[])));
    shapes.add("leaf-names-by-mail-only", |f| {
        f.leaf.set(NAMES, false, sequence(&[&element(0x81, b"post@example.com")]));
    });
    let pair = |one: &str, other: &str| {
        let part = |id: &str, text: &[u8]| sequence(&[&oid(id), &element(UTF8, text)]);
        let set = [part("2.5.4.3", one.as_bytes()), part("2.5.4.11", other.as_bytes())];
        sequence(&[&element(SET, &set.concat())])
    };
    shapes.add("issuer-of-two-values", |f| {
        f.middle.subject = pair("middle", "unit");
        f.leaf.issuer = pair("middle", "unit");
    });
    shapes.add("leaf-of-a-thousand-names", |f| {
        let many: Vec<u8> = (0..1500).flat_map(|place| dns(&format!("n{place}.example"))).collect();
        f.leaf.set(NAMES, false, element(0x30, &many));
    });
}

pub fn orders(shapes: &mut Shapes) {
    use Which::{Leaf, Middle, More, Root};
    shapes.add("with-its-root", |f| f.sent = vec![Leaf, Middle, Root]);
    shapes.add("out-of-order", |f| f.sent = vec![Leaf, Root, Middle]);
    shapes.add("leaf-twice", |f| f.sent = vec![Leaf, Leaf, Middle]);
    shapes.add("without-the-middle", |f| f.sent = vec![Leaf]);
    shapes.add("root-in-place-of-the-middle", |f| f.sent = vec![Leaf, Root]);
    shapes.add("middle-alone", |f| f.sent = vec![Middle]);
    shapes.add("root-alone", |f| f.sent = vec![Root]);
    shapes.add("middle-trusted", |f| f.trusted = vec![Middle]);
    shapes.add("leaf-trusted", |f| f.trusted = vec![Leaf]);
    shapes.add("under-a-stranger", |f| {
        f.under_a_stranger();
        f.sent = vec![Leaf, Middle, Root];
    });
    shapes.add("under-a-stranger-that-was-not-sent", Family::under_a_stranger);
    shapes.add("leaf-alone-under-a-stranger", |f| {
        f.under_a_stranger();
        f.sent = vec![Leaf];
    });
    shapes.add("stray-beside", |f| {
        f.more.push(Spec::ca("stray", "stray", "d", "d"));
        f.sent = vec![Leaf, More(0), Middle];
    });
    shapes.add("issuer-twice-first-with-another-key", |f| {
        f.more.push(Spec::ca("middle", "root", "d", "c"));
        f.sent = vec![Leaf, More(0), Middle];
    });
    shapes.add("issuer-twice-first-expired", |f| {
        let mut old = Spec::ca("middle", "root", "b", "c");
        old.until = super::certificate::utc("260101000000Z");
        f.more.push(old);
        f.sent = vec![Leaf, More(0), Middle];
    });
    shapes.add("cross-signed-first-by-a-stranger", |f| {
        f.more.push(Spec::ca("middle", "other", "b", "d"));
        f.sent = vec![Leaf, More(0), Middle];
    });
    shapes.add("cross-signed-by-a-ca-without-cert-sign", |f| {
        let mut weak = Spec::ca("middle", "root", "b", "c");
        weak.set("2.5.29.15", true, super::certificate::usage(&[6]));
        f.more.push(weak);
        f.sent = vec![Leaf, More(0), Middle];
    });
    for length in [6_usize, 8, 12] {
        shapes.add(&format!("below-{length}-cas"), |f| ladder(f, length));
    }
    shapes.add("in-a-ring", |f| {
        f.middle.issuer = name("ring");
        f.middle.by = "d".into();
        f.more.push(Spec::ca("ring", "middle", "d", "b"));
        f.sent = vec![Leaf, Middle, More(0)];
    });
    shapes.add("leaf-of-its-issuers-name", |f| f.leaf.subject = name("middle"));
    shapes.add("self-signed", |f| {
        f.leaf.issuer = name("leaf");
        f.leaf.by = "a".into();
        f.sent = vec![Leaf];
    });
    shapes.add("self-signed-and-trusted", |f| {
        f.leaf.issuer = name("leaf");
        f.leaf.by = "a".into();
        f.sent = vec![Leaf];
        f.trusted = vec![Leaf];
    });
    shapes.add("self-signed-ca-and-trusted", |f| {
        f.leaf.issuer = name("leaf");
        f.leaf.by = "a".into();
        f.leaf.set(BASIC, true, sequence(&[&TRUE]));
        f.sent = vec![Leaf];
        f.trusted = vec![Leaf];
    });
    shapes.add("root-under-its-successor", |f| {
        // The root's new key, vouched for by its old one (RFC 4210 §4.4).
        f.more.push(Spec::ca("root", "root", "d", "c"));
        f.middle.by = "d".into();
        f.sent = vec![Leaf, Middle, More(0)];
    });
    shapes.add("self-issued-and-path-length-none", |f| {
        f.more.push(Spec::ca("middle", "middle", "d", "b"));
        f.leaf.by = "d".into();
        f.middle.set(BASIC, true, path_len(0));
        f.sent = vec![Leaf, More(0), Middle];
    });
}

/// So many CAs between leaf and root.
fn ladder(f: &mut Family, length: usize) {
    f.sent = vec![Which::Leaf];
    for place in 0..length {
        let (issuer, by) = match place + 1 == length {
            true => ("root".to_string(), "c"),
            false => (format!("rung {}", place + 1), if place % 2 == 0 { "d" } else { "b" }),
        };
        let own = if place % 2 == 0 { "b" } else { "d" };
        f.more.push(Spec::ca(&format!("rung {place}"), &issuer, own, by));
        f.sent.push(Which::More(place));
    }
    f.leaf.issuer = name("rung 0");
}

pub fn identifiers(shapes: &mut Shapes) {
    shapes.add("key-identifiers-agree", |f| {
        f.middle.set(SUBJECT_KEY, false, subject_key(&[7; 20]));
        f.leaf.set(AUTHORITY_KEY, false, authority(&[7; 20]));
    });
    shapes.add("key-identifiers-differ", |f| {
        f.middle.set(SUBJECT_KEY, false, subject_key(&[7; 20]));
        f.leaf.set(AUTHORITY_KEY, false, authority(&[8; 20]));
    });
    shapes.add("key-identifiers-of-the-root-differ", |f| {
        f.root.set(SUBJECT_KEY, false, subject_key(&[7; 20]));
        f.middle.set(AUTHORITY_KEY, false, authority(&[8; 20]));
    });
    shapes.add("key-identifier-on-one-side", |f| f.leaf.set(AUTHORITY_KEY, false, authority(&[8; 20])));
    let by_serial = |serial: &[u8]| {
        let issuer = element(0xa1, &element(0xa4, &name("root")));
        sequence(&[&issuer, &element(0x82, serial)])
    };
    shapes.add("serials-agree", |f| {
        f.middle.serial = raw_integer(&[5]);
        f.leaf.set(AUTHORITY_KEY, false, by_serial(&[5]));
    });
    shapes.add("serials-differ", |f| {
        f.middle.serial = raw_integer(&[5]);
        f.leaf.set(AUTHORITY_KEY, false, by_serial(&[6]));
    });
}

pub fn encodings(shapes: &mut Shapes) {
    for (what, content) in [
        ("zero", vec![0]),
        ("negative", vec![0x80]),
        ("of-21-bytes", vec![1; 21]),
        ("of-64-bytes", vec![1; 64]),
        ("not-minimal", vec![0, 0, 5]),
        ("empty", vec![]),
    ] {
        shapes.add(&format!("serial-{what}"), |f| f.leaf.serial = raw_integer(&content));
    }
    shapes.add("same-serial-twice", |f| f.more_of_one_serial());
    shapes.add("bytes-behind-the-certificate", |f| f.finish = |der| [&der[..], &[0]].concat().into());
    shapes.add("length-not-minimal", |f| {
        f.finish = |der| [&[0x30, 0x83, 0], &der[2..]].concat().into();
    });
    shapes.add("length-indefinite", |f| {
        f.finish = |der| [&[0x30, 0x80], &der[4..], &[0, 0]].concat().into();
    });
    shapes.add("cut-off", |f| f.finish = |der| der[..der.len() - 1].into());
    shapes.add("unique-identifiers", |f| {
        f.leaf.identifiers = [element(0x81, &[0, 1]), element(0x82, &[0, 2])].concat();
    });
    shapes.add("unused-bits-in-the-signature", |f| {
        f.finish = |der| {
            let mut der = der.to_vec();
            let place = der.windows(2).rposition(|pair| pair == [0x00, 0x30]).unwrap();
            der[place] = 1;
            der.into()
        };
    });
    shapes.add("version-written-oddly", |f| f.leaf.version = Some(raw_integer(&[0, 2])));
    shapes.add("key-info-with-bytes-behind", |f| {
        let info = key("a").info;
        f.leaf.key = element(0x30, &[&info[2..], &[5, 0]].concat());
    });
}

impl Family {
    /// The leaf has issuer and serial number of its own issuer, self-issued.
    fn more_of_one_serial(&mut self) {
        self.more.push(Spec::ca("middle", "middle", "d", "b"));
        self.more[0].serial = raw_integer(&[9]);
        self.leaf.serial = raw_integer(&[9]);
        self.leaf.by = "d".into();
        self.sent = vec![Which::Leaf, Which::More(0), Which::Middle];
    }
}
