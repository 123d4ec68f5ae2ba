//! Shapes of extensions whose values break their grammar, on the surface or
//! deep inside, beside what is good in them.

use super::Shapes;
use super::certificate::{
    AUTHORITY_KEY, BASIC, CONSTRAINTS, Extension, HOST, NAMES, PURPOSE, SUBJECT_KEY, USAGE, dns, raw_integer,
};
use super::der::{BIT_STRING, NULL, OCTET_STRING, TRUE, element, integer, name, oid, sequence};

const POINTS: &str = "2.5.29.31";
const POLICIES: &str = "2.5.29.32";

/// An element in so many SEQUENCEs.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(NULL.to_vec(), |inside, _| sequence(&[&inside]))
}

/// Names of which one is broken, whatever stands beside them.
fn broken_names() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("directory-nested", element(0xa4, &nested(3))),
        ("directory-nested-deeply", element(0xa4, &nested(5000))),
        ("directory-of-no-name", element(0xa4, &NULL)),
        ("directory-empty", element(0xa4, &[])),
        ("directory-primitive", element(0x84, &name("x"))),
        ("other-nested", element(0xa0, &nested(3))),
        ("other-without-value", element(0xa0, &oid("1.2.3"))),
        ("edi-nested", element(0xa5, &nested(3))),
        ("of-no-form", element(0x8f, b"x")),
        ("universal", element(0x0c, b"x")),
        ("id-empty", element(0x88, &[])),
        ("longer-than-told", vec![0x82, 0x7f, b'x']),
    ]
}

/// Names that are odd, and can be read.
fn odd_names() -> Vec<(&'static str, Vec<u8>)> {
    let other = [oid("1.2.3"), element(0xa0, &nested(3))].concat();
    vec![
        ("directory", element(0xa4, &name("x"))),
        ("directory-without-attributes", element(0xa4, &sequence(&[]))),
        ("other", element(0xa0, &other)),
        ("edi", element(0xa5, &element(0xa1, &element(0x0c, b"x")))),
        ("x400", element(0xa3, &[])),
        ("id", element(0x88, &[42, 3])),
        ("address-of-5-bytes", element(0x87, b"12345")),
        ("mail-of-high-bytes", element(0x81, &[0xff, b'@', b'x'])),
    ]
}

/// Every extension that is read, with a value that is none of anything.
pub fn everywhere(shapes: &mut Shapes) {
    for (what, id) in [
        ("basic", BASIC),
        ("usage", USAGE),
        ("purposes", PURPOSE),
        ("names", NAMES),
        ("constraints", CONSTRAINTS),
        ("subject-key", SUBJECT_KEY),
        ("authority-key", AUTHORITY_KEY),
        ("points", POINTS),
    ] {
        let value = || vec![0x30, 9, 1];
        shapes.add(&format!("broken-{what}-of-the-leaf"), |f| f.leaf.set(id, false, value()));
        shapes.add(&format!("broken-{what}-of-the-middle"), |f| f.middle.set(id, false, value()));
        shapes.add(&format!("broken-{what}-of-the-root"), |f| f.root.set(id, false, value()));
    }
    for (what, id) in [
        ("policies", POLICIES),
        ("issuer-names", "2.5.29.18"),
        ("authority-access", "1.3.6.1.5.5.7.1.1"),
        ("timestamps", "1.3.6.1.4.1.11129.2.4.2"),
        ("tls-feature", "1.3.6.1.5.5.7.1.24"),
        ("unknown", "1.3.6.1.4.1.99999.7"),
    ] {
        shapes.add(&format!("broken-{what}-of-the-leaf"), |f| f.leaf.set(id, false, vec![0x30, 9, 1]));
    }
}

/// A name that is broken or odd before the right one.
pub fn names(shapes: &mut Shapes) {
    for (what, odd) in broken_names().into_iter().chain(odd_names()) {
        shapes.add(&format!("names-{what}"), |f| {
            f.leaf.set(NAMES, false, sequence(&[&odd, &dns(HOST)]));
        });
    }
    shapes.add("names-directory-nested-of-the-middle", |f| {
        f.middle.set(NAMES, false, sequence(&[&element(0xa4, &nested(3))]));
    });
    shapes.add("names-with-bytes-behind", |f| {
        f.leaf.set(NAMES, false, [sequence(&[&dns(HOST)]), NULL.to_vec()].concat());
    });
    shapes.add("names-of-another-list", |f| f.leaf.set(NAMES, false, element(0x31, &dns(HOST))));
    shapes.add("names-in-capitals", |f| {
        f.leaf.set(NAMES, false, sequence(&[&dns(&HOST.to_ascii_uppercase())]));
    });
}

/// The same in name constraints.
pub fn constraints(shapes: &mut Shapes) {
    let excluded = |base: &[u8]| sequence(&[&element(0xa1, &sequence(&[base]))]);
    for (what, odd) in broken_names() {
        shapes.add(&format!("constraints-{what}"), |f| f.middle.set(CONSTRAINTS, true, excluded(&odd)));
    }
    shapes.add("constraints-directory-nested-of-the-root", |f| {
        f.root.set(CONSTRAINTS, true, excluded(&element(0xa4, &nested(3))));
    });
    shapes.add("constraints-directory-nested-of-the-leaf", |f| {
        f.leaf.set(CONSTRAINTS, true, excluded(&element(0xa4, &nested(3))));
    });
    shapes.add("constraints-of-the-leaf", |f| {
        f.leaf.set(CONSTRAINTS, true, excluded(&dns("example.net")));
    });
    shapes.add("constraints-with-bytes-behind", |f| {
        f.middle.set(CONSTRAINTS, true, [excluded(&dns("example.net")), NULL.to_vec()].concat());
    });
    shapes.add("constraints-minimum-of-no-bytes", |f| {
        let tree = sequence(&[&dns("example.net"), &element(0x80, &[])]);
        f.middle.set(CONSTRAINTS, true, sequence(&[&element(0xa1, &tree)]));
    });
}

/// Names of the leaf, and other fields of its frame, that some parser refuses.
pub fn frames(shapes: &mut Shapes) {
    let subject = |kind: u8, value: &[u8]| {
        sequence(&[&element(0x31, &sequence(&[&oid("2.5.4.3"), &element(kind, value)]))])
    };
    for (what, subject) in [
        ("boolean", subject(0x01, &[0xff])),
        ("integer", subject(0x02, &[5])),
        ("sequence", subject(0x30, &NULL)),
        ("visible", subject(0x1a, b"leaf")),
        ("odd-bmp", subject(0x1e, b"abc")),
        ("odd-universal", subject(0x1c, b"abc")),
        ("no-utf8", subject(0x0c, &[0xff, 0xfe])),
        ("teletex-of-high-bytes", subject(0x14, &[0xe9])),
        ("no-value", sequence(&[&element(0x31, &sequence(&[&oid("2.5.4.3")]))])),
        ("no-type", sequence(&[&element(0x31, &sequence(&[&element(0x0c, b"x")]))])),
        ("no-set", sequence(&[&sequence(&[&sequence(&[&oid("2.5.4.3"), &element(0x0c, b"x")])])])),
        ("empty-set", sequence(&[&element(0x31, &[])])),
    ] {
        shapes.add(&format!("leaf-subject-of-{what}"), |f| f.leaf.subject = subject.clone());
        shapes.add(&format!("middle-subject-of-{what}"), |f| {
            f.middle.subject = subject.clone();
            f.leaf.issuer = subject;
        });
    }
    shapes.add("leaf-subject-of-a-padded-id", |f| {
        let attribute = sequence(&[&element(6, &[0x80, 1]), &element(0x0c, b"x")]);
        f.leaf.subject = sequence(&[&element(0x31, &attribute)]);
    });
    shapes.add("leaf-criticality-of-two-bytes", |f| {
        f.leaf.drop(USAGE);
        let usage = super::certificate::usage(&[0]);
        f.leaf.extensions.push(Extension { id: USAGE, critical: vec![1, 2, 0, 0], value: usage });
    });
    shapes.add("leaf-fields-behind", |f| f.leaf.identifiers = element(0xa7, &NULL));
    shapes.add("leaf-dates-of-three", |f| f.leaf.until = [&f.leaf.until[..], &NULL].concat());
    shapes.add("middle-serial-not-minimal", |f| f.middle.serial = raw_integer(&[0, 0, 5]));
}

/// Faults deep inside the others.
pub fn others(shapes: &mut Shapes) {
    let directory = element(0xa4, &nested(3));
    shapes.add("authority-key-names-nested", |f| {
        let value = sequence(&[&element(0xa1, &directory), &element(0x82, &[5])]);
        f.leaf.set(AUTHORITY_KEY, false, value);
    });
    shapes.add("authority-key-with-more-behind", |f| {
        f.leaf.set(AUTHORITY_KEY, false, sequence(&[&NULL]));
    });
    shapes.add("points-names-nested", |f| {
        let point = sequence(&[&element(0xa0, &element(0xa0, &directory))]);
        f.leaf.set(POINTS, false, sequence(&[&point]));
    });
    shapes.add("points-of-no-reasons", |f| {
        f.leaf.set(POINTS, false, sequence(&[&sequence(&[&element(0x81, &[])])]));
    });
    shapes.add("usage-of-eight-unused-bits", |f| f.leaf.set(USAGE, true, element(BIT_STRING, &[8, 0x80])));
    shapes.add("usage-of-no-bytes", |f| f.leaf.set(USAGE, true, element(BIT_STRING, &[])));
    shapes.add("usage-with-bytes-behind", |f| {
        f.leaf.set(USAGE, true, [element(BIT_STRING, &[7, 0x80]), NULL.to_vec()].concat());
    });
    shapes.add("purposes-of-no-ids", |f| f.leaf.set(PURPOSE, false, sequence(&[&NULL])));
    shapes.add("subject-key-with-bytes-behind", |f| {
        f.leaf.set(SUBJECT_KEY, false, [element(OCTET_STRING, &[7]), NULL.to_vec()].concat());
    });
    shapes.add("path-length-of-no-bytes", |f| {
        f.middle.set(BASIC, true, sequence(&[&TRUE, &raw_integer(&[])]));
    });
    shapes.add("path-length-not-minimal", |f| {
        f.middle.set(BASIC, true, sequence(&[&TRUE, &raw_integer(&[0, 3])]));
    });
    shapes.add("basic-with-more-behind", |f| {
        f.middle.set(BASIC, true, sequence(&[&TRUE, &integer(3), &NULL]));
    });
}
