//! As much DER (X.690) as it takes to make what certificate libraries rightly
//! refuse to make: a certificate of X.509 version 1, or one signed with SHA-1.

pub(super) const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
/// `[0]`, the version of a TBSCertificate (RFC 5280 §4.1).
const VERSION: u8 = 0xa0;
/// `[3]`, the extensions of a TBSCertificate.
const EXTENSIONS: u8 = 0xa3;

/// sha1WithRSAEncryption with its NULL (RFC 3279 §2.2.1).
const SHA1_WITH_RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00];

/// sha224WithRSAEncryption with its NULL (RFC 4055 §5).
const SHA224_WITH_RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0e, 0x05, 0x00];

/// One element: the tag, the content, and the whole with its header.
#[derive(Clone, Copy)]
pub(super) struct Tlv<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

/// The elements that stand side by side in `input`; `None` where it is broken.
pub(super) fn elements(mut input: &[u8]) -> Option<Vec<Tlv<'_>>> {
    let mut found = Vec::new();
    while let [tag, first, rest @ ..] = input {
        let (length, header) = match *first {
            short @ 0..=0x7f => (usize::from(short), 2),
            0x81 => (usize::from(*rest.first()?), 3),
            0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), 4),
            _ => return None,
        };
        let whole = input.get(..header + length)?;
        found.push(Tlv { tag: *tag, content: whole.get(header..)?, whole });
        input = input.get(header + length..)?;
    }
    input.is_empty().then_some(found)
}

/// One element of up to 65,535 bytes.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag];
    match content.len() {
        short @ 0..=0x7f => whole.push(short as u8),
        middle @ 0x80..=0xff => whole.extend([0x81, middle as u8]),
        long => whole.extend([0x82, (long >> 8) as u8, long as u8]),
    }
    whole.extend_from_slice(content);
    whole
}

/// A version 3 certificate made into one of version 1 (no version field, no
/// extensions) and signed again by `sign`; `None` where it cannot be read.
pub(super) fn downgrade_to_v1<E>(
    certificate: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Option<Result<Vec<u8>, E>> {
    let outer = *elements(certificate)?.first()?;
    let parts = elements(outer.content)?;
    let (tbs, algorithm) = (parts.first()?, parts.get(1)?);
    let kept: Vec<u8> = elements(tbs.content)?
        .iter()
        .filter(|part| part.tag != VERSION && part.tag != EXTENSIONS)
        .flat_map(|part| part.whole.iter().copied())
        .collect();
    Some(signed(&kept, algorithm.whole, sign))
}

/// A certificate made into one that says sha1WithRSAEncryption and is signed
/// so by `sign`; `None` where it cannot be read.
pub(super) fn with_sha1<E>(
    certificate: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Option<Result<Vec<u8>, E>> {
    with_algorithm(certificate, &SHA1_WITH_RSA, sign)
}

/// The same with sha224WithRSAEncryption.
pub(super) fn with_sha224<E>(
    certificate: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Option<Result<Vec<u8>, E>> {
    with_algorithm(certificate, &SHA224_WITH_RSA, sign)
}

fn with_algorithm<E>(
    certificate: &[u8],
    other: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Option<Result<Vec<u8>, E>> {
    let outer = *elements(certificate)?.first()?;
    let parts = elements(outer.content)?;
    let (tbs, algorithm) = (parts.first()?, parts.get(1)?);
    // The algorithm stands inside the signed part too (RFC 5280 §4.1.2.3).
    let kept: Vec<u8> = elements(tbs.content)?
        .iter()
        .flat_map(|part| if part.whole == algorithm.whole { other } else { part.whole })
        .copied()
        .collect();
    Some(signed(&kept, other, sign))
}

/// The certificate whose TBSCertificate has this content.
fn signed<E>(
    tbs: &[u8],
    algorithm: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let tbs = element(SEQUENCE, tbs);
    let signature = element(BIT_STRING, &[&[0], sign(&tbs)?.as_slice()].concat());
    Ok(element(SEQUENCE, &[tbs.as_slice(), algorithm, &signature].concat()))
}
