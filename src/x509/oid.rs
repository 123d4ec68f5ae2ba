//! An object identifier as text (X.660, in the dotted form of RFC 4512 §1.4).

use x509_parser::asn1_rs::Oid;

/// Bytes that the text of nearly every OID in a certificate has room in.
const TEXT_BYTES: usize = 32;

/// The dotted form. The library's own makes a string of each arc first, some
/// ninety of them a certificate.
pub(super) fn dotted(oid: &Oid<'_>) -> String {
    let Some(arcs) = oid.iter() else { return oid.to_id_string() };
    let mut text = String::with_capacity(TEXT_BYTES);
    for (place, arc) in arcs.enumerate() {
        if place > 0 {
            text.push('.');
        }
        push_number(&mut text, arc);
    }
    text
}

/// Appends a number; the formatter takes three times as long.
fn push_number(text: &mut String, number: u64) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.extend(char::from_digit((number % 10) as u32, 10));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oid_is_told_as_the_library_tells_it() {
        let huge = [0x2b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        for (bytes, text) in [
            (&[0x55, 0x04, 0x03][..], Some("2.5.4.3")),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], Some("1.2.840.113549.1.1.11")),
            (&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0a, 0x03, 0x03], Some("1.3.6.1.4.1.311.10.3.3")),
            (&huge, None),
            (&[], None),
        ] {
            let oid = Oid::new(bytes.into());
            assert_eq!(dotted(&oid), oid.to_id_string());
            if let Some(text) = text {
                assert_eq!(dotted(&oid), text);
            }
        }
    }
}
