//! The roots of a store as the full path validator takes them, found by name
//! as RFC 5280 §7.1 compares names: case and spaces aside, whatever the string
//! type.

use pkix_path::{NameConstraints, TrustAnchor, names_match};
use rustls::pki_types;
use std::collections::HashMap;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// The anchors of one store, each at the place that it has there.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// `None` where name, key or constraints cannot be read: nothing may end
    /// there, since its constraints could not be held.
    all: Vec<Option<TrustAnchor>>,
    by_name: HashMap<Vec<u8>, Vec<usize>>,
}

impl Anchors {
    pub(super) fn new(anchors: &[pki_types::TrustAnchor<'static>]) -> Self {
        let all: Vec<_> = anchors.iter().map(read).collect();
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (place, anchor) in all.iter().enumerate() {
            if let Some(anchor) = anchor {
                by_name.entry(letters(&anchor.subject)).or_default().push(place);
            }
        }
        Self { all, by_name }
    }

    /// Those of this name, with their places.
    pub(super) fn named<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = (usize, &'a TrustAnchor)> {
        let places = self.by_name.get(&letters(name)).map_or(&[][..], Vec::as_slice);
        let anchors = places.iter().filter_map(|place| Some((*place, self.all.get(*place)?.as_ref()?)));
        anchors.filter(|(_, anchor)| names_match(&anchor.subject, name))
    }
}

fn read(anchor: &pki_types::TrustAnchor<'static>) -> Option<TrustAnchor> {
    let subject = Name::from_der(&sequence(&anchor.subject)?).ok()?;
    let key = SubjectPublicKeyInfoOwned::from_der(&sequence(&anchor.subject_public_key_info)?).ok()?;
    let mut read = TrustAnchor::new(subject, key);
    if let Some(constraints) = &anchor.name_constraints {
        read.name_constraints = Some(NameConstraints::from_der(&sequence(constraints)?).ok()?);
    }
    Some(read)
}

/// rustls-webpki keeps the content of each SEQUENCE without its header.
fn sequence(content: &[u8]) -> Option<Vec<u8>> {
    AnyRef::new(Tag::Sequence, content).ok()?.to_der().ok()
}

/// The ASCII letters and digits of a name in lower case. Names that are the
/// same have the same ones; whether they are the same is asked then.
fn letters(name: &Name) -> Vec<u8> {
    let mut letters = Vec::new();
    for attribute in name.0.iter().flat_map(|relative| relative.0.iter()) {
        let value = attribute.value.value();
        // Two bytes a character; the first is zero for ASCII.
        let wide = attribute.value.tag() == Tag::BmpString;
        let ascii: Vec<u8> = match wide {
            true => value.chunks_exact(2).filter(|unit| unit[0] == 0).map(|unit| unit[1]).collect(),
            false => value.to_vec(),
        };
        letters.extend(ascii.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase));
    }
    letters
}
