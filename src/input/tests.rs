//! Each oddity that lists come with, in a table.

use super::*;
use crate::model::{Rejected, Subject, Target};
use std::io::{Cursor, Write};

fn try_list(bytes: &[u8], options: &InputOptions) -> Result<InputList, InputError> {
    read("list.csv", Cursor::new(bytes.to_vec()), options)
}

fn domains() -> InputOptions {
    InputOptions::default()
}

fn domains_in(column: &str) -> InputOptions {
    InputOptions { column: Some(column.to_string()), ..domains() }
}

fn endpoints() -> InputOptions {
    InputOptions { kind: InputKind::Endpoints, column: None }
}

/// One line for each entry: `2 a.example` or `2! cause: text`.
fn told(bytes: &[u8], options: &InputOptions) -> Vec<String> {
    let list = try_list(bytes, options).map_err(|error| error.to_string()).unwrap();
    list.take(100_000)
        .map(|entry| match entry {
            Ok(Entry::Target(Target { line, subject: Subject::Domain(domain) })) => {
                format!("{line} {domain}")
            }
            Ok(Entry::Target(Target { line, subject: Subject::Host { name, .. } })) => {
                format!("{line}? a host, which no list has: {name}")
            }
            Ok(Entry::Target(Target { line, subject: Subject::Endpoint { ip, port, name } })) => {
                let name = name.map(|name| name.to_string()).unwrap_or_default();
                format!("{line} {ip} {name} {}", port.unwrap_or_default())
            }
            Ok(Entry::Rejected(Rejected { line, text, cause })) => format!("{line}! {cause}: {text}"),
            Err(error) => format!("error {error}"),
        })
        .collect()
}

fn check(cases: &[(&str, &InputOptions, &[&str])]) {
    for (text, options, expected) in cases {
        assert_eq!(told(text.as_bytes(), options), *expected, "{text:?}");
    }
}

#[test]
fn plain_lists() {
    let no_name = "a character that no domain name has";
    check(&[
        ("", &domains(), &[]),
        ("\n \n# nothing\n", &domains(), &[]),
        ("a.example\nb.example", &domains(), &["1 a.example", "2 b.example"]),
        ("\u{feff}A.Example.\r\n\r\n  b.example\t\r\n", &domains(), &["1 a.example", "3 b.example"]),
        ("a.example\rb.example\r", &domains(), &["1 a.example", "2 b.example"]),
        ("# list\n#\na.example # the first\n", &domains(), &["3 a.example"]),
        ("a.example#x\n", &domains(), &[&format!("1! {no_name}: a.example#x")]),
        ("bücher.example\n", &domains(), &["1 xn--bcher-kva.example"]),
        ("a.example\na.example\n", &domains(), &["1 a.example", "2 a.example"]),
        (
            "a.example\nb.example,c.example\n",
            &domains(),
            &["1 a.example", &format!("2! {no_name}: b.example,c.example")],
        ),
        (
            "junk, really\nmore junk\na.example\n",
            &domains(),
            &[&format!("1! {no_name}: junk, really"), &format!("2! {no_name}: more junk"), "3 a.example"],
        ),
        (
            "a.example\nx\u{1b}[2J.example\n",
            &domains(),
            &["1 a.example", &format!("2! {no_name}: x\\x1b[2J.example")],
        ),
    ]);
}

#[test]
fn csv_lists() {
    let quote = "a quote that the line does not close";
    check(&[
        ("domain\na.example\n", &domains(), &["2 a.example"]),
        (
            "rank, \"Domain\" ,x\n1, \"a.example\" ,y\n2,b.example",
            &domains(),
            &["2 a.example", "3 b.example"],
        ),
        ("# made today\n\nDOMAIN,x\na.example,\"y, z\"\n", &domains(), &["4 a.example"]),
        ("name,Host\nx,a.example\n", &domains_in("host"), &["2 a.example"]),
        ("mx,MX\nx,a.example\n", &domains_in("MX"), &["2 a.example"]),
        ("1,a.example\n2,b.example\n", &domains(), &["1 a.example", "2 b.example"]),
        ("1,localhost\n2,b.example\n", &domains(), &["1! a single label: localhost", "2 b.example"]),
        ("a.example,City\nb.example,Town\n", &domains(), &["1 a.example", "2 b.example"]),
        ("x,domain\n1\n2,a.example\n3,\n", &domains(), &["2! no column 2: 1", "3 a.example", "4! empty: "]),
        (
            "x,domain\n\"1,b.example\n2,a.example\n",
            &domains(),
            &[&format!("2! {quote}: \"1,b.example"), "3 a.example"],
        ),
        (
            "domain,x\na.example,\"one\ntwo\"\nb.example,\n",
            &domains(),
            &["2 a.example", "3! a character that no domain name has: two\"", "4 b.example"],
        ),
    ]);
}

#[test]
fn endpoint_lists() {
    let no_port = "the port is no number from 1 to 65535";
    check(&[
        ("192.0.2.1\n", &endpoints(), &["1 192.0.2.1  0"]),
        ("saddr\n192.0.2.1\n", &endpoints(), &["2 192.0.2.1  0"]),
        ("IP,name,port\n192.0.2.1,MX.a.example.,2525\n", &endpoints(), &["2 192.0.2.1 mx.a.example 2525"]),
        ("saddr,sport,domain\n192.0.2.1,25,a.example\n", &endpoints(), &["2 192.0.2.1 a.example 25"]),
        ("2001:db8::1,a_b.example\n", &endpoints(), &["1 2001:db8::1 a_b.example 0"]),
        ("[2001:DB8::1],,25\n", &endpoints(), &["1 2001:db8::1  25"]),
        ("::ffff:192.0.2.1\n", &endpoints(), &["1 192.0.2.1  0"]),
        ("192.0.2.1,bücher.example\n", &endpoints(), &["1 192.0.2.1 xn--bcher-kva.example 0"]),
        ("192.0.2.1,,0\n", &endpoints(), &[&format!("1! {no_port}: 192.0.2.1,,0")]),
        ("192.0.2.1,,65536\n", &endpoints(), &[&format!("1! {no_port}: 192.0.2.1,,65536")]),
        ("[192.0.2.1]\n", &endpoints(), &["1! not an IP address: [192.0.2.1]"]),
        ("192.0.2.1:25\n", &endpoints(), &["1! not an IP address: 192.0.2.1:25"]),
        ("a.example\n", &endpoints(), &["1! not an IP address: a.example"]),
        (
            "192.0.2.1,192.0.2.2\n",
            &endpoints(),
            &[
                "1! the name is no host name: an IP address, not a domain (use --input endpoints for addresses): 192.0.2.1,192.0.2.2",
            ],
        ),
    ]);
}

#[test]
fn bytes_that_are_no_text_cost_one_line() {
    assert_eq!(
        told(b"a.example\n\xff.example\nb.example\n", &domains()),
        ["1 a.example", "2! not UTF-8: \\xff.example", "3 b.example"]
    );
    let long = format!("a.example\n{}\nb.example\n", "é".repeat(INPUT_LINE_BYTES_MAX));
    let told = told(long.as_bytes(), &domains());
    assert_eq!([&told[0], &told[2]], ["1 a.example", "3 b.example"]);
    assert!(told[1].starts_with("2! too long: over 4096 bytes: éé"), "{}", told[1]);
    assert!(told[1].ends_with('…') && told[1].len() < REJECTED_TEXT_BYTES_MAX + 40);
}

#[test]
fn lists_without_a_way_in_say_what_to_do() {
    for (text, options, expected) in [
        (
            &b"Domain name,City\na.example,X\n"[..],
            domains(),
            "list.csv has no column `domain`; choose one with --column: Domain name, City",
        ),
        (b"a,b\n1,2\n", domains_in("c"), "list.csv has no column `c`; its columns are: a, b"),
        (b"\xff\xfea\0", domains(), "list.csv is in UTF-16; save it as UTF-8"),
    ] {
        let error = try_list(text, &options).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    }
    let missing = open("no/such/list", &domains()).err().map(|error| error.to_string()).unwrap();
    assert!(missing.starts_with("cannot open no/such/list: "), "{missing}");
    let folder = open(".", &domains()).err().map(|error| error.to_string()).unwrap();
    assert!(folder.starts_with("cannot read .: "), "{folder}");
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_read_to_its_end_over_all_members() {
    let bytes = [gzipped("a.example\nb.ex"), gzipped("ample\nc.example\n")].concat();
    assert_eq!(told(&bytes, &domains()), ["1 a.example", "2 b.example", "3 c.example"]);
}

#[test]
fn a_list_named_gz_is_gzip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv.gz");
    std::fs::write(&path, gzipped("a.example\n")).unwrap();
    assert_eq!(open(path.to_str().unwrap(), &domains()).unwrap().count(), 1);
    std::fs::write(&path, "a.example\n").unwrap();
    assert!(matches!(open(path.to_str().unwrap(), &domains()), Err(InputError::Read { .. })));
}

#[test]
fn cut_gzip_is_an_error_that_names_the_line_and_hands_out_no_half_line() {
    let text: String = (0..20_000).map(|n| format!("name{}.example\n", n * 7919 % 20_011)).collect();
    let whole = gzipped(&text);
    let told = told(&whole[..whole.len() / 2], &domains());
    let (last, before) = told.split_last().unwrap();
    for (entry, line) in before.iter().zip(text.lines()) {
        assert_eq!(entry.split_once(' ').map(|(_, domain)| domain), Some(line));
    }
    let expected = format!("error cannot read list.csv from line {} on: ", before.len() + 1);
    assert!(last.starts_with(&expected), "{last}");
}

/// Hands out one byte at a time, as a pipe may.
struct Pipe(Cursor<Vec<u8>>);

impl io::Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(1);
        self.0.read(&mut buffer[..room])
    }
}

#[test]
fn gzip_and_utf16_are_told_though_the_first_byte_comes_alone() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"a.example\n").unwrap();
    let pipe = |bytes: Vec<u8>| read("pipe", Pipe(Cursor::new(bytes)), &domains());
    assert_eq!(pipe(packer.finish().unwrap()).unwrap().count(), 1);
    assert!(matches!(pipe(vec![0xff, 0xfe, b'a', 0]), Err(InputError::Utf16 { .. })));
}
