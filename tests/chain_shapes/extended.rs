//! Shapes of extensions.

use super::Shapes;
use super::certificate::{
    AUTHORITY_KEY, BASIC, CONSTRAINTS, Extension, NAMES, PURPOSE, SUBJECT_KEY, Spec, USAGE, Which, authority,
    dns, ia5, path_len, purposes, raw_integer, subject_key, usage,
};
use super::der::{
    IA5, NULL, OCTET_STRING, PRINTABLE, TRUE, UTF8, attribute, element, integer, name, oid, sequence,
};

const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
const ANY: &str = "2.5.29.37.0";
const POLICIES: &str = "2.5.29.32";
const MAPPINGS: &str = "2.5.29.33";
const POLICY_CONSTRAINTS: &str = "2.5.29.36";
const INHIBIT_ANY: &str = "2.5.29.54";
const ANY_POLICY: &str = "2.5.29.32.0";
const UNKNOWN: &str = "1.3.6.1.4.1.99999.7";

/// A second intermediate between the first and the leaf.
fn lower(f: &mut super::certificate::Family) -> &mut Spec {
    f.more.push(Spec::ca("lower", "middle", "d", "b"));
    f.leaf.issuer = name("lower");
    f.leaf.by = "d".into();
    f.sent = vec![Which::Leaf, Which::More(0), Which::Middle];
    &mut f.more[0]
}

pub fn basic_constraints(shapes: &mut Shapes) {
    shapes.add("leaf-is-a-ca", |f| f.leaf.set(BASIC, true, sequence(&[&TRUE])));
    shapes.add("leaf-is-a-ca-by-key-usage-too", |f| {
        f.leaf.set(BASIC, true, sequence(&[&TRUE]));
        f.leaf.set(USAGE, true, usage(&[0, 5, 6]));
    });
    shapes.add("leaf-is-a-ca-and-serves-no-tls", |f| {
        f.leaf.set(BASIC, true, sequence(&[&TRUE]));
        f.leaf.set(USAGE, true, usage(&[5, 6]));
    });
    shapes.add("leaf-is-no-ca", |f| f.leaf.set(BASIC, true, sequence(&[])));
    shapes.add("leaf-says-false", |f| f.leaf.set(BASIC, true, sequence(&[&[1, 1, 0]])));
    shapes.add("leaf-limits-a-path", |f| f.leaf.set(BASIC, true, sequence(&[&integer(3)])));
    shapes.add("leaf-limits-a-path-to-none", |f| f.leaf.set(BASIC, true, sequence(&[&integer(0)])));
    shapes.add("middle-without-basic-constraints", |f| f.middle.drop(BASIC));
    shapes.add("middle-without-basic-constraints-and-usage", |f| {
        f.middle.drop(BASIC);
        f.middle.drop(USAGE);
    });
    shapes.add("middle-is-no-ca", |f| f.middle.set(BASIC, true, sequence(&[])));
    shapes.add("middle-not-critical", |f| f.middle.set(BASIC, false, sequence(&[&TRUE])));
    shapes.add("middle-allows-none-below", |f| f.middle.set(BASIC, true, path_len(0)));
    shapes.add("lower-allows-none-below", |f| lower(f).set(BASIC, true, path_len(0)));
    shapes.add("middle-allows-none-and-one-is-there", |f| {
        lower(f);
        f.middle.set(BASIC, true, path_len(0));
    });
    shapes.add("middle-allows-one-and-one-is-there", |f| {
        lower(f);
        f.middle.set(BASIC, true, path_len(1));
    });
    shapes.add("root-allows-none-and-one-is-there", |f| f.root.set(BASIC, true, path_len(0)));
    shapes.add("root-allows-one-and-one-is-there", |f| f.root.set(BASIC, true, path_len(1)));
    shapes.add("root-without-basic-constraints", |f| f.root.drop(BASIC));
    shapes.add("root-without-basic-constraints-and-usage", |f| {
        f.root.drop(BASIC);
        f.root.drop(USAGE);
    });
    shapes.add("root-is-no-ca", |f| f.root.set(BASIC, true, sequence(&[])));
    shapes.add("path-length-negative", |f| {
        f.middle.set(BASIC, true, sequence(&[&TRUE, &raw_integer(&[0xff])]));
    });
    shapes.add("middle-true-as-ber-has-it", |f| f.middle.set(BASIC, true, sequence(&[&[1, 1, 1]])));
    shapes.add("basic-constraints-broken", |f| f.middle.set(BASIC, true, vec![0x30, 5, 1]));
}

pub fn versions(shapes: &mut Shapes) {
    let first = |spec: &mut Spec| {
        spec.version = None;
        spec.extensions.clear();
    };
    shapes.add("leaf-of-version-1", |f| first(&mut f.leaf));
    shapes.add("middle-of-version-1", |f| first(&mut f.middle));
    shapes.add("root-of-version-1", |f| first(&mut f.root));
    shapes.add("leaf-of-version-2", |f| f.leaf.version = Some(integer(1)));
    shapes.add("leaf-of-version-4", |f| f.leaf.version = Some(integer(3)));
    shapes.add("leaf-of-version-1-written-out", |f| {
        first(&mut f.leaf);
        f.leaf.version = Some(integer(0));
    });
}

pub fn key_usages(shapes: &mut Shapes) {
    shapes.add("leaf-without-key-usage", |f| f.leaf.drop(USAGE));
    let bits = [
        ("digital-signature", vec![0]),
        ("non-repudiation", vec![1]),
        ("key-encipherment", vec![2]),
        ("data-encipherment", vec![3]),
        ("key-agreement", vec![4]),
        ("cert-sign", vec![5]),
        ("crl-sign", vec![6]),
        ("decipher-only", vec![8]),
        ("everything", vec![0, 1, 2, 3, 4, 5, 6]),
        ("nothing", vec![]),
    ];
    for (what, set) in bits {
        shapes.add(&format!("leaf-key-usage-{what}"), |f| f.leaf.set(USAGE, true, usage(&set)));
    }
    shapes.add("leaf-key-usage-not-critical", |f| f.leaf.set(USAGE, false, usage(&[5])));
    shapes.add("leaf-key-usage-broken", |f| f.leaf.set(USAGE, true, NULL.to_vec()));
    shapes.add("leaf-key-usage-with-zeros-behind", |f| f.leaf.set(USAGE, true, vec![3, 2, 0, 0x80]));
    shapes.add("middle-without-key-usage", |f| f.middle.drop(USAGE));
    shapes.add("middle-key-usage-without-cert-sign", |f| f.middle.set(USAGE, true, usage(&[0, 6])));
    shapes.add("middle-key-usage-not-critical", |f| f.middle.set(USAGE, false, usage(&[5])));
    shapes.add("lower-key-usage-without-cert-sign", |f| lower(f).set(USAGE, true, usage(&[6])));
    shapes.add("root-without-key-usage", |f| f.root.drop(USAGE));
    shapes.add("root-key-usage-without-cert-sign", |f| f.root.set(USAGE, true, usage(&[6])));
    shapes.add("stranger-without-cert-sign", |f| {
        f.middle.set(USAGE, true, usage(&[0]));
        f.sent.push(Which::Root);
        f.under_a_stranger();
    });
}

pub fn purposes_of_keys(shapes: &mut Shapes) {
    shapes.add("leaf-without-purposes", |f| f.leaf.drop(PURPOSE));
    let lists: [(&str, &[&str]); 7] = [
        ("client", &[CLIENT]),
        ("client-and-server", &[CLIENT, SERVER]),
        ("any", &[ANY]),
        ("any-and-client", &[ANY, CLIENT]),
        ("microsoft-gated", &["1.3.6.1.4.1.311.10.3.3"]),
        ("netscape-gated", &["2.16.840.1.113730.4.1"]),
        ("none", &[]),
    ];
    for (what, list) in lists {
        shapes.add(&format!("leaf-purpose-{what}"), |f| f.leaf.set(PURPOSE, false, purposes(list)));
        shapes.add(&format!("middle-purpose-{what}"), |f| f.middle.set(PURPOSE, false, purposes(list)));
    }
    shapes.add("leaf-purpose-critical", |f| f.leaf.set(PURPOSE, true, purposes(&[SERVER])));
    shapes.add("middle-purpose-server", |f| f.middle.set(PURPOSE, false, purposes(&[SERVER])));
    shapes.add("root-purpose-server", |f| f.root.set(PURPOSE, false, purposes(&[SERVER])));
    shapes.add("root-purpose-client", |f| f.root.set(PURPOSE, false, purposes(&[CLIENT])));
    shapes.add("leaf-purposes-broken", |f| f.leaf.set(PURPOSE, false, vec![0x30, 3, 6, 9]));
}

/// What is critical, whose meaning somebody does not know.
pub fn critical(shapes: &mut Shapes) {
    shapes.add("leaf-unknown-critical", |f| f.leaf.set(UNKNOWN, true, NULL.to_vec()));
    shapes.add("leaf-unknown", |f| f.leaf.set(UNKNOWN, false, NULL.to_vec()));
    shapes.add("middle-unknown-critical", |f| f.middle.set(UNKNOWN, true, NULL.to_vec()));
    shapes.add("middle-unknown", |f| f.middle.set(UNKNOWN, false, NULL.to_vec()));
    shapes.add("middle-unknown-critical-under-a-stranger", |f| {
        f.middle.set(UNKNOWN, true, NULL.to_vec());
        f.sent.push(Which::Root);
        f.under_a_stranger();
    });
    shapes.add("middle-unknown-critical-without-issuer", |f| {
        f.middle.set(UNKNOWN, true, NULL.to_vec());
        f.under_a_stranger();
    });
    shapes.add("root-unknown-critical", |f| f.root.set(UNKNOWN, true, NULL.to_vec()));
    shapes.add("leaf-unknown-false-written-out", |f| {
        f.leaf.extensions.push(Extension { id: UNKNOWN, critical: vec![1, 1, 0], value: NULL.to_vec() });
    });
    shapes.add("leaf-critical-as-ber-has-it", |f| {
        f.leaf.drop(USAGE);
        f.leaf.extensions.push(Extension { id: USAGE, critical: vec![1, 1, 1], value: usage(&[0]) });
    });
    let netscape = "2.16.840.1.113730.1.1";
    shapes.add("leaf-netscape-server-critical", |f| f.leaf.set(netscape, true, vec![3, 2, 6, 0x40]));
    shapes.add("leaf-netscape-client-critical", |f| f.leaf.set(netscape, true, vec![3, 2, 7, 0x80]));
    shapes.add("leaf-netscape-client", |f| f.leaf.set(netscape, false, vec![3, 2, 7, 0x80]));
    let uri = |text: &str| element(0x86, text.as_bytes());
    let point = sequence(&[&sequence(&[&element(0xa0, &element(0xa0, &uri("http://crl.example/")))])]);
    shapes.add("leaf-distribution-points-critical", |f| f.leaf.set("2.5.29.31", true, point.clone()));
    shapes.add("leaf-distribution-points-broken", |f| f.leaf.set("2.5.29.31", false, vec![0x30, 9]));
    shapes.add("leaf-freshest-list-critical", |f| f.leaf.set("2.5.29.46", true, point.clone()));
    let access = sequence(&[&sequence(&[&oid("1.3.6.1.5.5.7.48.1"), &uri("http://ocsp.example/")])]);
    shapes.add("leaf-authority-access-critical", |f| f.leaf.set("1.3.6.1.5.5.7.1.1", true, access.clone()));
    shapes.add("leaf-tls-feature-critical", |f| {
        f.leaf.set("1.3.6.1.5.5.7.1.24", true, sequence(&[&integer(5)]));
    });
    shapes.add("leaf-poison", |f| f.leaf.set("1.3.6.1.4.1.11129.2.4.3", true, NULL.to_vec()));
    shapes.add("leaf-issuer-names-critical", |f| {
        f.leaf.set("2.5.29.18", true, sequence(&[&dns("ca.example")]));
    });
    shapes.add("leaf-subject-key-critical", |f| f.leaf.set(SUBJECT_KEY, true, subject_key(&[1; 20])));
    shapes.add("leaf-authority-key-critical", |f| f.leaf.set(AUTHORITY_KEY, true, authority(&[1; 20])));
    let blocks = sequence(&[&sequence(&[
        &element(OCTET_STRING, &[0, 1]),
        &sequence(&[&element(3, &[0, 192, 0, 2])]),
    ])]);
    shapes.add("leaf-address-blocks-critical", |f| f.leaf.set("1.3.6.1.5.5.7.1.7", true, blocks));
    shapes.add("leaf-proxy-critical", |f| {
        f.leaf.set("1.3.6.1.5.5.7.1.14", true, sequence(&[&sequence(&[&oid("1.3.6.1.5.5.7.21.1")])]));
    });
}

/// Extensions that stand twice or are written oddly.
pub fn oddities(shapes: &mut Shapes) {
    for (what, id) in [("names", NAMES), ("key-usage", USAGE), ("purposes", PURPOSE)] {
        shapes.add(&format!("leaf-{what}-twice"), |f| {
            let again = f.leaf.extensions.iter().find(|it| it.id == id).unwrap().clone();
            f.leaf.extensions.push(again);
        });
    }
    shapes.add("leaf-unknown-twice", |f| {
        for _ in 0..2 {
            f.leaf.extensions.push(Extension { id: UNKNOWN, critical: vec![], value: NULL.to_vec() });
        }
    });
    shapes.add("leaf-without-extensions", |f| f.leaf.extensions.clear());
    shapes.add("leaf-with-bytes-behind-basic-constraints", |f| f.leaf.set(BASIC, true, vec![0x30, 0, 5, 0]));
    shapes.add("subject-key-broken", |f| f.middle.set(SUBJECT_KEY, false, vec![4, 9, 1]));
    shapes.add("authority-key-broken", |f| f.leaf.set(AUTHORITY_KEY, false, vec![0x30, 9, 1]));
    shapes.add("leaf-policies-broken", |f| f.leaf.set(POLICIES, false, vec![0x30, 9, 1]));
    shapes.add("leaf-names-broken", |f| f.leaf.set(NAMES, false, vec![0x30, 9, 1]));
}

pub fn policies(shapes: &mut Shapes) {
    let these =
        |ids: &[&str]| element(0x30, &ids.iter().flat_map(|id| sequence(&[&oid(id)])).collect::<Vec<_>>());
    let (one, two) = ("1.2.3.1", "1.2.3.2");
    let require = |skip: u8| sequence(&[&element(0x80, &[skip])]);
    let inhibit = |skip: u8| sequence(&[&element(0x81, &[skip])]);
    shapes.add("policy-constraints-inhibit", |f| f.middle.set(POLICY_CONSTRAINTS, true, inhibit(0)));
    shapes.add("policy-constraints-met", |f| {
        f.middle.set(POLICY_CONSTRAINTS, true, require(0));
        f.middle.set(POLICIES, false, these(&[one]));
        f.leaf.set(POLICIES, false, these(&[one]));
    });
    shapes.add("policy-constraints-unmet", |f| {
        f.middle.set(POLICY_CONSTRAINTS, true, require(0));
        f.middle.set(POLICIES, false, these(&[one]));
        f.leaf.set(POLICIES, false, these(&[two]));
    });
    shapes.add("policy-constraints-without-policies", |f| f.middle.set(POLICY_CONSTRAINTS, true, require(0)));
    shapes.add("policy-constraints-later", |f| f.middle.set(POLICY_CONSTRAINTS, true, require(5)));
    shapes.add("any-policy-inhibited", |f| f.middle.set(INHIBIT_ANY, true, integer(0)));
    shapes.add("any-policy-inhibited-and-used", |f| {
        f.middle.set(INHIBIT_ANY, true, integer(0));
        f.middle.set(POLICIES, true, these(&[ANY_POLICY]));
        f.leaf.set(POLICIES, true, these(&[ANY_POLICY]));
    });
    shapes.add("policies-critical", |f| {
        f.middle.set(POLICIES, true, these(&[one, two]));
        f.leaf.set(POLICIES, true, these(&[one]));
    });
    shapes.add("policies-critical-on-the-leaf", |f| f.leaf.set(POLICIES, true, these(&[one])));
    let map = |from: &str, to: &str| sequence(&[&sequence(&[&oid(from), &oid(to)])]);
    shapes.add("policies-mapped", |f| {
        f.middle.set(POLICIES, true, these(&[one]));
        f.middle.set(MAPPINGS, true, map(one, two));
        f.middle.set(POLICY_CONSTRAINTS, true, require(0));
        f.leaf.set(POLICIES, false, these(&[two]));
    });
    shapes.add("any-policy-mapped", |f| {
        f.middle.set(POLICIES, true, these(&[ANY_POLICY]));
        f.middle.set(MAPPINGS, true, map(ANY_POLICY, two));
    });
    shapes.add("policy-constraints-not-critical", |f| f.middle.set(POLICY_CONSTRAINTS, false, inhibit(0)));
    shapes.add("policies-with-qualifiers", |f| {
        let qualifier = sequence(&[&oid("1.3.6.1.5.5.7.2.1"), &ia5("http://cps.example/")]);
        f.leaf.set(POLICIES, true, sequence(&[&sequence(&[&oid(one), &sequence(&[&qualifier])])]));
    });
    shapes.add("policies-without-end", |f| {
        let many: Vec<String> = (0..300).map(|place| format!("1.2.3.{place}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        lower(f).set(POLICIES, true, these(&many));
        f.middle.set(POLICIES, true, these(&many));
        f.leaf.set(POLICIES, true, these(&many));
    });
}

pub fn name_constraints(shapes: &mut Shapes) {
    let permitted = |bases: &[Vec<u8>]| {
        let trees: Vec<u8> = bases.iter().flat_map(|base| sequence(&[base])).collect();
        sequence(&[&element(0xa0, &trees)])
    };
    let excluded = |bases: &[Vec<u8>]| {
        let trees: Vec<u8> = bases.iter().flat_map(|base| sequence(&[base])).collect();
        sequence(&[&element(0xa1, &trees)])
    };
    let agency = |cn: &str| {
        sequence(&[
            &attribute("2.5.4.6", PRINTABLE, b"IT"),
            &attribute("2.5.4.10", UTF8, b"Agency"),
            &attribute("2.5.4.3", UTF8, cn.as_bytes()),
        ])
    };
    let base = sequence(&[&attribute("2.5.4.6", PRINTABLE, b"IT"), &attribute("2.5.4.10", UTF8, b"Agency")]);
    let directory = element(0xa4, &base);
    let address = |bytes: &[u8]| element(0x87, bytes);
    let (mail, uri) =
        (|text: &str| element(0x81, text.as_bytes()), |text: &str| element(0x86, text.as_bytes()));
    for (what, list) in [
        ("dns-met", permitted(&[dns("example.com")])),
        ("dns-unmet", permitted(&[dns("example.net")])),
        ("dns-one-of-two-met", permitted(&[dns("example.net"), dns("example.com")])),
        ("dns-with-a-dot", permitted(&[dns(".example.com")])),
        ("dns-of-all", permitted(&[dns("")])),
        ("dns-excluded", excluded(&[dns("example.com")])),
        ("dns-of-others-excluded", excluded(&[dns("example.net")])),
        ("dns-all-excluded", excluded(&[dns("")])),
        ("address-only", permitted(&[address(&[192, 0, 2, 0, 255, 255, 255, 0])])),
        ("mail-only", permitted(&[mail("example.com")])),
        ("uri-only", permitted(&[uri(".example.com")])),
        ("registered-id-only", permitted(&[element(0x88, &[42, 3])])),
        ("empty", sequence(&[])),
        ("broken", vec![0x30, 9, 1]),
    ] {
        shapes.add(&format!("constraints-{what}"), |f| f.middle.set(CONSTRAINTS, true, list));
    }
    shapes.add("constraints-not-critical", |f| {
        f.middle.set(CONSTRAINTS, false, permitted(&[dns("example.net")]));
    });
    shapes.add("constraints-with-minimum", |f| {
        let tree = sequence(&[&dns("example.com"), &element(0x80, &[1])]);
        f.middle.set(CONSTRAINTS, true, sequence(&[&element(0xa0, &tree)]));
    });
    shapes.add("constraints-on-the-root-met", |f| {
        f.root.set(CONSTRAINTS, true, permitted(&[dns("example.com")]))
    });
    shapes.add("constraints-on-the-root-unmet", |f| {
        f.root.set(CONSTRAINTS, true, permitted(&[dns("example.net")]))
    });
    for (what, subject, list) in [
        ("met", agency("leaf"), permitted(std::slice::from_ref(&directory))),
        ("unmet", name("leaf"), permitted(std::slice::from_ref(&directory))),
        ("excluded", agency("leaf"), excluded(std::slice::from_ref(&directory))),
        ("of-others-excluded", name("leaf"), excluded(std::slice::from_ref(&directory))),
        ("and-dns-met", agency("leaf"), permitted(&[directory.clone(), dns("example.com")])),
        ("met-and-dns-unmet", agency("leaf"), permitted(&[directory.clone(), dns("example.net")])),
    ] {
        shapes.add(&format!("constraints-directory-{what}"), |f| {
            f.middle.set(CONSTRAINTS, true, list);
            f.leaf.subject = subject;
        });
    }
    shapes.add("constraints-directory-of-two-cas", |f| {
        let lower = lower(f);
        lower.subject = agency("lower");
        lower.set(CONSTRAINTS, true, permitted(std::slice::from_ref(&directory)));
        f.middle.set(CONSTRAINTS, true, permitted(std::slice::from_ref(&directory)));
        f.leaf.issuer = agency("lower");
        f.leaf.subject = agency("leaf");
    });
    shapes.add("constraints-address-met", |f| {
        f.middle.set(CONSTRAINTS, true, permitted(&[address(&[192, 0, 2, 0, 255, 255, 255, 0])]));
        f.leaf.set(NAMES, false, sequence(&[&address(&[192, 0, 2, 1])]));
    });
    shapes.add("constraints-address-unmet", |f| {
        f.middle.set(CONSTRAINTS, true, permitted(&[address(&[192, 0, 2, 0, 255, 255, 255, 0])]));
        f.leaf.set(NAMES, false, sequence(&[&address(&[198, 51, 100, 1])]));
    });
    shapes.add("constraints-mail-in-the-subject", |f| {
        f.middle.set(CONSTRAINTS, true, permitted(&[mail("example.net")]));
        f.leaf.subject = sequence(&[&attribute("1.2.840.113549.1.9.1", IA5, b"post@example.com")]);
    });
    shapes.add("constraints-on-a-common-name", |f| {
        f.middle.set(CONSTRAINTS, true, permitted(&[dns("example.net")]));
        f.leaf.drop(NAMES);
        f.leaf.subject = name("mx.example.com");
    });
    for (what, list) in
        [("met", permitted(&[dns("example.com")])), ("excluded", excluded(&[dns("mx.example.com")]))]
    {
        shapes.add(&format!("constraints-wildcard-{what}"), |f| {
            f.middle.set(CONSTRAINTS, true, list);
            f.leaf.set(NAMES, false, sequence(&[&dns("*.example.com")]));
        });
    }
    shapes.add("constraints-without-end", |f| {
        let many: Vec<Vec<u8>> = (0..1000).map(|place| dns(&format!("n{place}.example"))).collect();
        f.middle.set(CONSTRAINTS, true, permitted(&many));
        f.leaf.set(NAMES, false, element(0x30, &many.concat()));
        f.middle.set(POLICY_CONSTRAINTS, true, sequence(&[&element(0x81, &[0])]));
    });
}
