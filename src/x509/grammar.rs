//! The grammar of those extensions on which a verdict rests (RFC 5280 §4.2.1),
//! to their last element: what breaks it is no value of the extension, however
//! much of it a lenient reader makes out.

use super::der::{DerFault, DerReader, tag};
use super::frame::{is_integer, read_name};

/// Whether `value` is one of the extension `id-ce` and `arc`; true for extensions that are
/// not read here. What follows it is not looked at: OpenSSL reads over that, and
/// no client minds.
pub(super) fn fits(arc: u8, value: &[u8]) -> bool {
    let mut reader = DerReader::new(value);
    let read = match arc {
        14 => reader.element(tag::OCTET_STRING).map(|_| ()),
        15 => read_bits(&mut reader, tag::BIT_STRING),
        17 => read_names(&mut reader, tag::SEQUENCE),
        19 => read_basic_constraints(&mut reader),
        30 => read_name_constraints(&mut reader),
        31 => each(&mut reader, tag::SEQUENCE, read_distribution_point),
        35 => read_authority_key(&mut reader),
        37 => each(&mut reader, tag::SEQUENCE, |list| list.element(tag::OID).map(|_| ())),
        _ => return true,
    };
    read.is_ok()
}

/// A list of what `read` reads.
fn each(
    reader: &mut DerReader<'_>,
    kind: u8,
    read: impl Fn(&mut DerReader<'_>) -> Result<(), DerFault>,
) -> Result<(), DerFault> {
    let mut list = reader.inside(kind)?;
    while !list.is_empty() {
        read(&mut list)?;
    }
    Ok(())
}

/// A BIT STRING, whose first byte says how many bits of the last are none.
fn read_bits(reader: &mut DerReader<'_>, kind: u8) -> Result<(), DerFault> {
    match reader.element(kind)? {
        [0] | [0..=7, _, ..] => Ok(()),
        _ => Err(DerFault::Broken),
    }
}

fn read_integer(reader: &mut DerReader<'_>, kind: u8) -> Result<(), DerFault> {
    if is_integer(reader.element(kind)?) { Ok(()) } else { Err(DerFault::Broken) }
}

fn read_basic_constraints(reader: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut inside = reader.inside(tag::SEQUENCE)?;
    if inside.optional(tag::BOOLEAN)?.is_some_and(|content| content.len() != 1) {
        return Err(DerFault::Broken);
    }
    if !inside.is_empty() {
        read_integer(&mut inside, tag::INTEGER)?;
    }
    inside.finish()
}

fn read_name_constraints(reader: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut inside = reader.inside(tag::SEQUENCE)?;
    for number in 0..2 {
        if inside.peek() == Some(tag::constructed(number)) {
            each(&mut inside, tag::constructed(number), read_subtree)?;
        }
    }
    inside.finish()
}

fn read_subtree(trees: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut tree = trees.inside(tag::SEQUENCE)?;
    read_general_name(&mut tree)?;
    for number in 0..2 {
        if tree.peek() == Some(tag::primitive(number)) {
            read_integer(&mut tree, tag::primitive(number))?;
        }
    }
    tree.finish()
}

fn read_authority_key(reader: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut inside = reader.inside(tag::SEQUENCE)?;
    inside.optional(tag::primitive(0))?;
    if inside.peek() == Some(tag::constructed(1)) {
        read_names(&mut inside, tag::constructed(1))?;
    }
    if inside.peek() == Some(tag::primitive(2)) {
        read_integer(&mut inside, tag::primitive(2))?;
    }
    inside.finish()
}

fn read_distribution_point(list: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut point = list.inside(tag::SEQUENCE)?;
    if let Some(name) = point.optional(tag::constructed(0))? {
        read_point_name(DerReader::new(name))?;
    }
    if point.peek() == Some(tag::primitive(1)) {
        read_bits(&mut point, tag::primitive(1))?;
    }
    if point.peek() == Some(tag::constructed(2)) {
        read_names(&mut point, tag::constructed(2))?;
    }
    point.finish()
}

fn read_point_name(mut name: DerReader<'_>) -> Result<(), DerFault> {
    if name.peek() == Some(tag::constructed(0)) {
        read_names(&mut name, tag::constructed(0))?;
    } else {
        each(&mut name, tag::constructed(1), read_attribute)?;
    }
    name.finish()
}

fn read_attribute(set: &mut DerReader<'_>) -> Result<(), DerFault> {
    let mut attribute = set.inside(tag::SEQUENCE)?;
    attribute.element(tag::OID)?;
    attribute.any()?;
    attribute.finish()
}

fn read_names(reader: &mut DerReader<'_>, kind: u8) -> Result<(), DerFault> {
    each(reader, kind, read_general_name)
}

/// A GeneralName (RFC 5280 §4.2.1.6). Whether text is text is not looked at:
/// every parser takes the bytes.
fn read_general_name(reader: &mut DerReader<'_>) -> Result<(), DerFault> {
    let (kind, content) = reader.any()?;
    let mut inside = DerReader::new(content);
    match kind {
        // rfc822Name, dNSName, uniformResourceIdentifier, iPAddress.
        0x81 | 0x82 | 0x86 | 0x87 => Ok(()),
        // registeredID.
        0x88 => {
            if content.is_empty() {
                Err(DerFault::Broken)
            } else {
                Ok(())
            }
        }
        // x400Address: nobody looks into it.
        0xa3 => Ok(()),
        // directoryName.
        0xa4 => read_name(&mut inside).and_then(|_| inside.finish()),
        // otherName.
        0xa0 => {
            inside.element(tag::OID)?;
            let mut value = inside.inside(tag::constructed(0))?;
            value.any()?;
            value.finish()?;
            inside.finish()
        }
        // ediPartyName.
        0xa5 => {
            inside.optional(tag::constructed(0))?;
            inside.element(tag::constructed(1))?;
            inside.finish()
        }
        _ => Err(DerFault::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_to_their_last_element() {
        for (arc, value, expected) in [
            (14, &b"\x04\x01\x07"[..], true),
            (14, b"\x04\x01\x07\x05\x00", true),
            (15, b"\x03\x02\x07\x80", true),
            (15, b"\x03\x02\x08\x80", false),
            (15, b"\x03\x01\x00", true),
            (15, b"\x03\x01\x01", false),
            (15, b"\x30\x00", false),
            (17, b"\x30\x00", true),
            (17, b"\x30\x03\x82\x01\xff", true),
            (17, b"\x30\x04\x8f\x02ab", false),
            (17, b"\x30\x04\xa4\x02\x30\x00", true),
            (17, b"\x30\x08\xa4\x04\x30\x02\x30\x00\x82\x00", false),
            (17, b"\x30\x09\xa0\x07\x06\x01\x2a\xa0\x02\x05\x00", true),
            (17, b"\x30\x04\xa0\x02\x30\x00", false),
            (17, b"\x30\x02\x82\x01", false),
            (19, b"\x30\x03\x01\x01\xff", true),
            (19, b"\x30\x06\x01\x01\xff\x02\x01\x00", true),
            (19, b"\x30\x06\x01\x01\xff\x05\x01\x00", false),
            (30, b"\x30\x00", true),
            (30, b"\x30\x06\xa0\x04\x30\x02\x82\x00", true),
            (30, b"\x30\x08\xa0\x06\x30\x04\xa4\x02\x31\x00", false),
            (31, b"\x30\x08\x30\x06\xa0\x04\xa0\x02\x86\x00", true),
            (31, b"\x30\x08\x30\x06\xa0\x04\xa0\x02\x96\x00", false),
            (35, b"\x30\x03\x80\x01\x07", true),
            (35, b"\x30\x07\xa1\x02\x82\x00\x82\x01\x05", true),
            (35, b"\x30\x06\xa1\x01\x82\x82\x01\x05", false),
            (37, b"\x30\x03\x06\x01\x2a", true),
            (37, b"\x30\x02\x05\x00", false),
            (99, b"\xff", true),
        ] {
            assert_eq!(fits(arc, value), expected, "{arc} {value:02x?}");
        }
    }
}
