//! One certificate, each field for itself, and the family of three that most
//! shapes are a change of.

use super::der::{
    BIT_STRING, GENERALIZED_TIME, IA5, INTEGER, OCTET_STRING, SEQUENCE, TRUE, UTC_TIME, bits, element,
    integer, name, oid, sequence,
};
use super::keys::{self, Algorithm, ecdsa, key};
use std::sync::Arc;

/// When all is judged: 2030-01-01T00:00:00Z.
pub const AT: i64 = 1_893_456_000;
/// Name of the leaf.
pub const HOST: &str = "mx.example.com";

/// An extension: OID, the criticality as DER (nothing for FALSE), value.
#[derive(Clone)]
pub struct Extension {
    pub id: &'static str,
    pub critical: Vec<u8>,
    pub value: Vec<u8>,
}

/// What becomes a certificate; DER where bytes are.
#[derive(Clone)]
pub struct Spec {
    /// Content of the version field; none for version 1.
    pub version: Option<Vec<u8>>,
    pub serial: Vec<u8>,
    pub algorithm: Algorithm,
    /// The algorithm outside, where it differs.
    pub outside: Option<Vec<u8>>,
    pub issuer: Vec<u8>,
    pub from: Vec<u8>,
    pub until: Vec<u8>,
    pub subject: Vec<u8>,
    pub key: Vec<u8>,
    /// Whatever stands between key and extensions.
    pub identifiers: Vec<u8>,
    pub extensions: Vec<Extension>,
    /// The key that signs.
    pub by: String,
    /// What becomes of the signature.
    pub spoil: fn(Vec<u8>) -> Vec<u8>,
}

pub const BASIC: &str = "2.5.29.19";
pub const USAGE: &str = "2.5.29.15";
pub const PURPOSE: &str = "2.5.29.37";
pub const NAMES: &str = "2.5.29.17";
pub const CONSTRAINTS: &str = "2.5.29.30";
pub const SUBJECT_KEY: &str = "2.5.29.14";
pub const AUTHORITY_KEY: &str = "2.5.29.35";

impl Spec {
    fn new(subject: &str, issuer: &str, own: &str, by: &str) -> Self {
        Self {
            version: Some(integer(2)),
            serial: integer(1000 + subject.bytes().map(u32::from).sum::<u32>()),
            algorithm: ecdsa(),
            outside: None,
            issuer: name(issuer),
            from: utc("250101000000Z"),
            until: utc("350101000000Z"),
            subject: name(subject),
            key: key(own).info,
            identifiers: Vec::new(),
            extensions: Vec::new(),
            by: by.to_string(),
            spoil: |signature| signature,
        }
    }

    /// A CA with the usual extensions.
    pub fn ca(subject: &str, issuer: &str, own: &str, by: &str) -> Self {
        let mut ca = Self::new(subject, issuer, own, by);
        ca.set(BASIC, true, sequence(&[&TRUE]));
        ca.set(USAGE, true, usage(&[5, 6]));
        ca
    }

    /// A leaf with the usual extensions.
    pub fn leaf(issuer: &str, own: &str, by: &str) -> Self {
        let mut leaf = Self::new("leaf", issuer, own, by);
        leaf.set(USAGE, true, usage(&[0]));
        leaf.set(PURPOSE, false, purposes(&["1.3.6.1.5.5.7.3.1"]));
        leaf.set(NAMES, false, sequence(&[&dns(HOST)]));
        leaf
    }

    /// Puts an extension in the place of the one with its OID, if any.
    pub fn set(&mut self, id: &'static str, critical: bool, value: Vec<u8>) {
        self.drop(id);
        let critical = if critical { TRUE.to_vec() } else { Vec::new() };
        self.extensions.push(Extension { id, critical, value });
    }

    /// Takes an extension away.
    pub fn drop(&mut self, id: &str) {
        self.extensions.retain(|extension| extension.id != id);
    }

    /// Signed by another key with another algorithm.
    pub fn signed(&mut self, by: &str, algorithm: Algorithm) {
        self.by = by.to_string();
        self.algorithm = algorithm;
    }

    /// The certificate.
    pub fn make(&self) -> Arc<[u8]> {
        let version = self.version.iter().map(|version| element(0xa0, version)).collect::<Vec<_>>().concat();
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => element(0xa3, &element(SEQUENCE, &extensions)),
        };
        let tbs = sequence(&[
            &version,
            &self.serial,
            &self.algorithm.identifier,
            &self.issuer,
            &sequence(&[&self.from, &self.until]),
            &self.subject,
            &self.key,
            &self.identifiers,
            &extensions,
        ]);
        let signature = (self.spoil)(keys::sign(&key(&self.by), &self.algorithm, &tbs));
        let outside = self.outside.as_ref().unwrap_or(&self.algorithm.identifier);
        sequence(&[&tbs, outside, &bits(&signature)]).into()
    }
}

fn extension(extension: &Extension) -> Vec<u8> {
    sequence(&[&oid(extension.id), &extension.critical, &element(OCTET_STRING, &extension.value)])
}

/// KeyUsage with these bits (RFC 5280 §4.2.1.3).
pub fn usage(set: &[u8]) -> Vec<u8> {
    let Some(last) = set.iter().max() else { return element(BIT_STRING, &[0]) };
    let mut bytes = vec![0_u8; usize::from(last / 8) + 1];
    for bit in set {
        bytes[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    element(BIT_STRING, &[&[7 - last % 8], bytes.as_slice()].concat())
}

/// ExtendedKeyUsage.
pub fn purposes(ids: &[&str]) -> Vec<u8> {
    element(SEQUENCE, &ids.iter().flat_map(|id| oid(id)).collect::<Vec<_>>())
}

/// dNSName.
pub fn dns(name: &str) -> Vec<u8> {
    element(0x82, name.as_bytes())
}

/// UTCTime.
pub fn utc(text: &str) -> Vec<u8> {
    element(UTC_TIME, text.as_bytes())
}

/// GeneralizedTime.
pub fn generalized(text: &str) -> Vec<u8> {
    element(GENERALIZED_TIME, text.as_bytes())
}

/// BasicConstraints of a CA that allows so many CAs below it.
pub fn path_len(length: u32) -> Vec<u8> {
    sequence(&[&TRUE, &integer(length)])
}

/// AuthorityKeyIdentifier by key.
pub fn authority(key: &[u8]) -> Vec<u8> {
    sequence(&[&element(0x80, key)])
}

/// SubjectKeyIdentifier.
pub fn subject_key(key: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, key)
}

/// Raw INTEGER.
pub fn raw_integer(content: &[u8]) -> Vec<u8> {
    element(INTEGER, content)
}

/// A text of ASCII.
pub fn ia5(text: &str) -> Vec<u8> {
    element(IA5, text.as_bytes())
}

/// Certificates as DER.
pub type Certificates = Vec<Arc<[u8]>>;

/// Leaf, intermediate and root; what is sent, and what is trusted.
pub struct Family {
    pub leaf: Spec,
    pub middle: Spec,
    pub root: Spec,
    /// Others, by place.
    pub more: Vec<Spec>,
    pub sent: Vec<Which>,
    pub trusted: Vec<Which>,
    /// What becomes of the finished leaf.
    pub finish: fn(Arc<[u8]>) -> Arc<[u8]>,
}

#[derive(Clone, Copy)]
pub enum Which {
    Leaf,
    Middle,
    Root,
    More(usize),
}

impl Family {
    pub fn new() -> Self {
        Self {
            leaf: Spec::leaf("middle", "a", "b"),
            middle: Spec::ca("middle", "root", "b", "c"),
            root: Spec::ca("root", "root", "c", "c"),
            more: Vec::new(),
            sent: vec![Which::Leaf, Which::Middle],
            trusted: vec![Which::Root],
            finish: |der| der,
        }
    }

    /// Another root is trusted in place of its own.
    pub fn under_a_stranger(&mut self) {
        self.more.push(Spec::ca("other", "other", "d", "d"));
        self.trusted = vec![Which::More(self.more.len() - 1)];
    }

    /// The intermediate has this key, and signs the leaf so.
    pub fn middle_key(&mut self, own: &str, algorithm: Algorithm) {
        self.middle.key = key(own).info;
        self.leaf.signed(own, algorithm);
    }

    /// The root has this key, and signs the intermediate so.
    pub fn root_key(&mut self, own: &str, algorithm: Algorithm) {
        self.root.key = key(own).info;
        self.root.signed(own, algorithm.clone());
        self.middle.signed(own, algorithm);
    }

    fn one(&self, which: Which) -> Arc<[u8]> {
        match which {
            Which::Leaf => (self.finish)(self.leaf.make()),
            Which::Middle => self.middle.make(),
            Which::Root => self.root.make(),
            Which::More(place) => self.more[place].make(),
        }
    }

    /// The chain and the roots.
    pub fn make(&self) -> (Certificates, Certificates) {
        // ECDSA signs differently each time; what is one certificate is made once.
        let mut made: Vec<(Which, Arc<[u8]>)> = Vec::new();
        let mut take = |which: Which| {
            let same = |known: &&(Which, Arc<[u8]>)| match (known.0, which) {
                (Which::More(one), Which::More(other)) => one == other,
                (known, which) => std::mem::discriminant(&known) == std::mem::discriminant(&which),
            };
            if let Some((_, der)) = made.iter().find(same) {
                return der.clone();
            }
            let der = self.one(which);
            made.push((which, der.clone()));
            der
        };
        let sent = self.sent.iter().map(|which| take(*which)).collect();
        (sent, self.trusted.iter().map(|which| take(*which)).collect())
    }
}
