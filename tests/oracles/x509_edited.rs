//! Certificates that were made and then edited: the frame of DER stays whole,
//! so that the edits reach what a mutation of bytes breaks the way to.

use super::der::Element;
use super::x509_certificate::{self, INTERMEDIATE, ROOT, SERVER};
use super::{Seed, crl, x509_chain};
use arbitrary::{Arbitrary, Unstructured};
use std::sync::Arc;

/// Most edits of one certificate.
const EDITS_MAX: usize = 4;
/// Most bytes put into one element.
const CONTENT_BYTES_MAX: usize = 64;
/// Most elements that one edit adds: copies of copies of copies fill any memory.
const ELEMENTS_ADDED_MAX: usize = 8192;
/// Largest certificate that is tried, in bytes: copies of copies grow.
const DER_BYTES_MAX: usize = 96 * 1024;

const CERTIFICATES: [&[u8]; 4] = [SERVER, INTERMEDIATE, ROOT, crl::LEAF];

/// What is done to one element; places count in the order of the bytes, over
/// and over.
#[derive(Debug, Arbitrary)]
enum Edit {
    /// Another type.
    Tag(u8),
    /// The first so many bytes of a content.
    Cut(u8),
    /// Other content.
    Content(Vec<u8>),
    /// One bit.
    Flip(u16),
    /// Gone.
    Remove,
    /// Once more for each of these, beside itself.
    Repeat(u16),
    /// A copy of another element in its place.
    Copy(u16),
}

#[derive(Debug)]
struct Edited {
    certificate: &'static [u8],
    edits: Vec<(u16, Edit)>,
}

impl<'a> Arbitrary<'a> for Edited {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let certificate = *u.choose(&CERTIFICATES)?;
        let edits = (0..u.int_in_range(1..=EDITS_MAX)?).map(|_| u.arbitrary()).collect::<Result<_, _>>()?;
        Ok(Self { certificate, edits })
    }
}

pub fn check(input: &[u8]) {
    let Ok(edited) = Edited::arbitrary(&mut Unstructured::new(input)) else { return };
    let mut tree = Element::read_all(edited.certificate);
    for (place, edit) in &edited.edits {
        apply(&mut tree, usize::from(*place), edit);
    }
    let der = Element::write_all(&tree);
    if der.len() > DER_BYTES_MAX {
        return;
    }
    x509_certificate::check(&der);
    let chain: [Arc<[u8]>; 2] = [der.into(), INTERMEDIATE.into()];
    x509_chain::check_chain(&chain);
}

fn apply(tree: &mut Vec<Element>, place: usize, edit: &Edit) {
    let count = tree.iter().map(Element::count).sum::<usize>();
    if count == 0 {
        return;
    }
    let copy = match edit {
        Edit::Copy(from) => Some(Element::find(tree, usize::from(*from) % count).clone()),
        _ => None,
    };
    Element::change(tree, place % count, |element| match edit {
        Edit::Tag(tag) => vec![Element { tag: *tag, ..element }],
        Edit::Cut(bytes) => {
            let content = element.content();
            let kept = content.get(..usize::from(*bytes)).unwrap_or(&content);
            vec![Element::plain(element.tag, kept)]
        }
        Edit::Content(bytes) => {
            vec![Element::plain(element.tag, bytes.get(..CONTENT_BYTES_MAX).unwrap_or(bytes))]
        }
        Edit::Flip(bit) => {
            let mut content = element.content();
            let bit = usize::from(*bit);
            let count = content.len();
            if let Some(byte) = content.get_mut(bit / 8 % count.max(1)) {
                *byte ^= 1 << (bit % 8);
            }
            vec![Element::plain(element.tag, &content)]
        }
        Edit::Remove => Vec::new(),
        Edit::Repeat(times) => {
            let times = usize::from(*times % 2048).min(ELEMENTS_ADDED_MAX / element.count());
            vec![element; times + 1]
        }
        Edit::Copy(_) => copy.into_iter().collect(),
    });
}

pub fn seeds() -> Vec<Seed> {
    vec![
        ("zeros", vec![0; 16]),
        ("ones", vec![1; 32]),
        ("counting", (0..64).collect()),
        ("counting-down", (0..=255).rev().take(64).collect()),
    ]
}

#[test]
fn a_certificate_without_an_edit_is_the_same() {
    for certificate in CERTIFICATES {
        assert_eq!(Element::write_all(&Element::read_all(certificate)), certificate);
    }
}
