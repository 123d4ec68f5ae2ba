//! Dates before 1970, which RFC 5280 §4.1.2.5 allows (UTCTime from 1950 on,
//! GeneralizedTime from the year 0) and libraries that count from 1970 do not
//! read.

use super::fields::Cursor;
use x509_parser::asn1_rs::Tag;

/// The beginning of 1970 in both types of date, tag and length included.
const UTC_1970: &[u8] = b"\x17\x0d700101000000Z";
const GENERALIZED_1970: &[u8] = b"\x18\x0f19700101000000Z";

/// A certificate whose dates before 1970 are set to its beginning. At a moment
/// after that it says the same; but its signature covers other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redated {
    /// The certificate with the other dates.
    pub der: Vec<u8>,
    /// Its tbsCertificate.
    pub tbs: Vec<u8>,
    /// The tbsCertificate that was signed.
    pub signed: Vec<u8>,
}

/// Sets the dates of a certificate that lie before 1970; `None` where it has
/// none such, or no frame.
pub fn redated(der: &[u8]) -> Option<Redated> {
    let mut outside = Cursor(der);
    let certificate = outside.universal(Tag::Sequence)?;
    let signed = Cursor(certificate.content).universal(Tag::Sequence)?;
    let mut fields = Cursor(signed.content);
    // The version, which is not always there, stands in [0].
    if fields.0.first() == Some(&0xa0) {
        fields.next()?;
    }
    fields.universal(Tag::Integer)?;
    fields.universal(Tag::Sequence)?;
    fields.universal(Tag::Sequence)?;
    let validity = fields.universal(Tag::Sequence)?;
    let tbs_at = der.len() - outside.0.len() - certificate.content.len();
    let mut at = tbs_at + signed.raw.len() - fields.0.len() - validity.content.len();
    let mut whole = der.to_vec();
    for date in Cursor(validity.content).take(2) {
        if let Some(new) = beginning(date.raw) {
            whole.get_mut(at..at + new.len())?.copy_from_slice(new);
        }
        at += date.raw.len();
    }
    let tbs = whole.get(tbs_at..tbs_at + signed.raw.len())?.to_vec();
    (whole != der).then(|| Redated { der: whole, tbs, signed: signed.raw.to_vec() })
}

/// What stands for a date before 1970 in its type.
fn beginning(date: &[u8]) -> Option<&'static [u8]> {
    let digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    match date {
        // Of a UTCTime the years 50 to 99 are those of the last century.
        [0x17, 13, year @ b'5'..=b'6', rest @ .., b'Z'] if digits(rest) && year.is_ascii_digit() => {
            Some(UTC_1970)
        }
        [0x18, 15, year @ .., b'Z'] if digits(year) && year.get(..4)? < b"1970".as_slice() => {
            Some(GENERALIZED_1970)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = include_bytes!("testdata/version-1.der");

    #[test]
    fn only_dates_before_1970_are_set() {
        for (date, set) in [
            (&b"\x17\x0d500101000000Z"[..], Some(UTC_1970)),
            (b"\x17\x0d691231235959Z", Some(UTC_1970)),
            (b"\x17\x0d700101000000Z", None),
            (b"\x17\x0d490101000000Z", None),
            (b"\x17\x0d5001010000-1Z", None),
            (b"\x17\x0b5001010000Z", None),
            (b"\x18\x0f00000101000000Z", Some(GENERALIZED_1970)),
            (b"\x18\x0f19691231235959Z", Some(GENERALIZED_1970)),
            (b"\x18\x0f19700101000000Z", None),
            (b"\x18\x0f99991231235959Z", None),
        ] {
            assert_eq!(beginning(date), set, "{date:?}");
        }
    }

    #[test]
    fn a_certificate_keeps_all_but_its_dates() {
        assert_eq!(redated(DER), None);
        assert_eq!(redated(b"no DER"), None);
        let at = DER.windows(2).position(|two| two == b"\x17\x0d").unwrap() + 2;
        let mut old = DER.to_vec();
        old[at..at + 2].copy_from_slice(b"65");
        let Redated { der, tbs, signed } = redated(&old).unwrap();
        assert_eq!(der.len(), old.len());
        let differ: Vec<usize> = (0..old.len()).filter(|place| der[*place] != old[*place]).collect();
        assert!(!differ.is_empty() && differ.iter().all(|place| (at..at + 13).contains(place)), "{differ:?}");
        let holds = |whole: &[u8], part: &[u8]| whole.windows(part.len()).any(|window| window == part);
        assert!(holds(&der, &tbs) && holds(&old, &signed) && tbs.len() == signed.len());
    }
}
