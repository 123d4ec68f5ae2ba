//! DER, written by hand, so that what no library makes can be made.

pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const UTF8: u8 = 0x0c;
pub const PRINTABLE: u8 = 0x13;
pub const IA5: u8 = 0x16;
pub const TRUE: [u8; 3] = [0x01, 0x01, 0xff];
pub const NULL: [u8; 2] = [0x05, 0x00];

pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.iter().copied().skip_while(|byte| *byte == 0).collect();
    let mut whole = vec![tag];
    match content.len() {
        short @ 0..=0x7f => whole.push(u8::try_from(short).unwrap()),
        _ => {
            whole.push(0x80 | u8::try_from(significant.len()).unwrap());
            whole.extend(significant);
        }
    }
    whole.extend_from_slice(content);
    whole
}

/// A SEQUENCE of parts.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// An OBJECT IDENTIFIER from its dotted text.
pub fn oid(text: &str) -> Vec<u8> {
    let arcs: Vec<u32> = text.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = vec![u8::try_from(arcs[0] * 40 + arcs[1]).unwrap()];
    for arc in &arcs[2..] {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push(0x80 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        content.extend(groups.iter().rev());
    }
    element(0x06, &content)
}

/// A BIT STRING of whole bytes.
pub fn bits(content: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], content].concat())
}

/// An INTEGER that is not negative.
pub fn integer(value: u32) -> Vec<u8> {
    let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let sign = bytes.first().is_none_or(|byte| *byte >= 0x80);
    element(INTEGER, &[if sign { &[0][..] } else { &[] }, &bytes].concat())
}

/// One attribute of a name, a relative distinguished name of its own.
pub fn attribute(kind: &str, tag: u8, value: &[u8]) -> Vec<u8> {
    element(SET, &sequence(&[&oid(kind), &element(tag, value)]))
}

/// A name of a common name alone.
pub fn name(common_name: &str) -> Vec<u8> {
    sequence(&[&attribute("2.5.4.3", UTF8, common_name.as_bytes())])
}

/// PEM, as the openssl command line reads it.
pub fn pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
