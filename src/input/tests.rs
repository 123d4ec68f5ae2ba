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
    let no_name = "a character that is not allowed in a domain name";
    check(&[
        ("", &domains(), &[]),
        ("\n \n# nothing\n", &domains(), &[]),
        ("a.example\nb.example", &domains(), &["1 a.example", "2 b.example"]),
        ("\u{feff}A.Example.\r\n\r\n  b.example\t\r\n", &domains(), &["1 a.example", "3 b.example"]),
        ("a.example\rb.example\r", &domains(), &["1 a.example", "2 b.example"]),
        ("# list\n#\na.example # the first\n", &domains(), &["3 a.example"]),
        ("\"a #b\"@a.example # x\n", &domains(), &["1 a.example"]),
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
        ("\"a.example\"\r\n\"b.example\" # two\r\n", &domains(), &["1 a.example", "2 b.example"]),
        (
            "a.example\n\"b.example\",c.example\n\"d.example\n",
            &domains(),
            &[
                "1 a.example",
                &format!("2! {no_name}: \"b.example\",c.example"),
                &format!("3! {no_name}: \"d.example"),
            ],
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
    let quote = "a quote that is not closed in this line";
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
        ("1,localhost\n2,b.example\n", &domains(), &["1! only one label: localhost", "2 b.example"]),
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
            &["2 a.example", "3! a character that is not allowed in a domain name: two\"", "4 b.example"],
        ),
    ]);
}

#[test]
fn endpoint_lists() {
    let no_port = "the port is not a number from 1 to 65535";
    check(&[
        ("192.0.2.1\n", &endpoints(), &["1 192.0.2.1  0"]),
        ("saddr\n192.0.2.1\n", &endpoints(), &["2 192.0.2.1  0"]),
        ("IP,name,port\n192.0.2.1,MX.a.example.,2525\n", &endpoints(), &["2 192.0.2.1 mx.a.example 2525"]),
        ("saddr,sport,domain\n192.0.2.1,25,a.example\n", &endpoints(), &["2 192.0.2.1 a.example 25"]),
        ("2001:db8::1,a_b.example\n", &endpoints(), &["1 2001:db8::1 a_b.example 0"]),
        ("[2001:DB8::1],,,25\n", &endpoints(), &["1 2001:db8::1  25"]),
        ("::ffff:192.0.2.1\n", &endpoints(), &["1 192.0.2.1  0"]),
        ("192.0.2.1,bücher.example\n", &endpoints(), &["1 192.0.2.1 xn--bcher-kva.example 0"]),
        ("192.0.2.1,0\n", &endpoints(), &[&format!("1! {no_port}: 192.0.2.1,0")]),
        ("192.0.2.1,,,65536\n", &endpoints(), &[&format!("1! {no_port}: 192.0.2.1,,,65536")]),
        ("192.0.2.1,mx.example,,x\n", &endpoints(), &[&format!("1! {no_port}: 192.0.2.1,mx.example,,x")]),
        ("[192.0.2.1]\n", &endpoints(), &["1! not an IP address: [192.0.2.1]"]),
        (
            "192.0.2.1:25\n[2001:db8::1]:26,mx.example\n",
            &endpoints(),
            &["1 192.0.2.1  25", "2 2001:db8::1 mx.example 26"],
        ),
        ("192.0.2.1:25,25\n", &endpoints(), &["1 192.0.2.1  25"]),
        ("192.0.2.1:25,26\n", &endpoints(), &["1! two ports: 192.0.2.1:25,26"]),
        ("192.0.2.1:0\n", &endpoints(), &["1! not an IP address: 192.0.2.1:0"]),
        ("a.example\n", &endpoints(), &["1! not an IP address: a.example"]),
        (
            "192.0.2.1,192.0.2.2\n",
            &endpoints(),
            &["1! not a host name: an IP address, not a domain: 192.0.2.1,192.0.2.2"],
        ),
    ]);
}

#[test]
fn endpoints_by_position_are_those_of_zmap_and_zgrab2() {
    let too_many = "more fields than ip, name, tag and port; add a header that says what they are";
    let not_a_name = "after ip and port only a name may follow; add a header that says what it is";
    let number = "a number instead of a name; add a header that says what it is";
    check(&[
        ("192.0.2.1,2525\n", &endpoints(), &["1 192.0.2.1  2525"]),
        ("192.0.2.1,465,\n192.0.2.1,0025\n", &endpoints(), &["1 192.0.2.1  465", "2 192.0.2.1  25"]),
        ("192.0.2.1,mx.example,tag\n", &endpoints(), &["1 192.0.2.1 mx.example 0"]),
        ("192.0.2.1,mx.example,7\n", &endpoints(), &["1 192.0.2.1 mx.example 0"]),
        ("192.0.2.1,2525,mx.example\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        ("192.0.2.1,2525,mx.example,,\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        ("192.0.2.1,2525,tag\n", &endpoints(), &[&format!("1! {not_a_name}: 192.0.2.1,2525,tag")]),
        ("192.0.2.1,25,mx.example,t\n", &endpoints(), &[&format!("1! {number}: 192.0.2.1,25,mx.example,t")]),
        ("192.0.2.1,mx.example,t,2525,,\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        (",,\n", &endpoints(), &["1! not an IP address: ,,"]),
        ("192.0.2.1,,7\n", &endpoints(), &["1 192.0.2.1  0"]),
        ("192.0.2.1,mx.example,tag,2525\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        ("192.0.2.1,mx.example,,2525\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        ("192.0.2.1,,,2525\n192.0.2.1,,,\n", &endpoints(), &["1 192.0.2.1  2525", "2 192.0.2.1  0"]),
        ("192.0.2.1;mx.example;;2525\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        ("192.0.2.1\tmx.example\t\t2525\n", &endpoints(), &["1 192.0.2.1 mx.example 2525"]),
        (
            "192.0.2.1,mx.example,,25,x\n",
            &endpoints(),
            &[&format!("1! {too_many}: 192.0.2.1,mx.example,,25,x")],
        ),
        // A header decides otherwise.
        ("ip,name,port\n192.0.2.1,mx.example,2525\n", &endpoints(), &["2 192.0.2.1 mx.example 2525"]),
        ("saddr;sport\n192.0.2.1;2525\n", &endpoints(), &["2 192.0.2.1  2525"]),
        ("ip,domain,owner,port\n192.0.2.1,mx.example,Bob,25\n", &endpoints(), &["2 192.0.2.1 mx.example 25"]),
    ]);
}

#[test]
fn ports_are_read_in_every_form_or_refused_with_their_line() {
    let no_port = "the port is not a number from 1 to 65535";
    let number = "a number instead of a name; add a header that says what it is";
    let no_name = "not a host name: a character that is not allowed in a domain name";
    for (port, by_position, by_header) in [
        ("25", Ok(25), Ok(25)),
        ("025", Ok(25), Ok(25)),
        (" 25 ", Ok(25), Ok(25)),
        ("\"25\"", Ok(25), Ok(25)),
        ("25.0", Ok(25), Ok(25)),
        ("\"25.00\"", Ok(25), Ok(25)),
        ("25.", Err(no_port), Err(no_port)),
        ("25.5", Err(no_port), Err(no_port)),
        ("+25", Err(no_port), Err(no_port)),
        ("-25", Err(no_port), Err(no_port)),
        ("2.5E+01", Err(no_port), Err(no_port)),
        ("0.0", Err(no_port), Err(no_port)),
        ("65536.0", Err(no_port), Err(no_port)),
        ("2 5", Err(no_name), Err(no_port)),
        ("1.2.3", Err(number), Err(no_port)),
        ("\"25\"x", Err(no_name), Err(no_port)),
    ] {
        for (head, expected) in [("", by_position), ("ip,port\n", by_header)] {
            let line = format!("192.0.2.1,{port}");
            let at = 1 + head.lines().count();
            let expected = match expected {
                Ok(port) => format!("{at} 192.0.2.1  {port}"),
                Err(cause) => format!("{at}! {cause}: {line}"),
            };
            let mut told = told(format!("{head}{line}\n").as_bytes(), &endpoints());
            assert_eq!(told.pop(), Some(expected), "{head}{line}");
        }
    }
}

#[test]
fn a_header_of_endpoints_is_read_in_every_order_case_and_spelling() {
    for (header, row, expected) in [
        ("ip,hostname", "192.0.2.1,mx.example", "2 192.0.2.1 mx.example 0"),
        ("ip,port,name", "192.0.2.1,26,mx.example", "2 192.0.2.1 mx.example 26"),
        ("name,ip,port", "mx.example,192.0.2.1,26", "2 192.0.2.1 mx.example 26"),
        ("port,name,ip", "26,mx.example,192.0.2.1", "2 192.0.2.1 mx.example 26"),
        ("port,ip,name", "26,192.0.2.1,mx.example", "2 192.0.2.1 mx.example 26"),
        ("name,port,ip", "mx.example,26,192.0.2.1", "2 192.0.2.1 mx.example 26"),
        (" IP Address ;\"Host Name\";PORT", "192.0.2.1;mx.example;26.0", "2 192.0.2.1 mx.example 26"),
        ("ip_address\tserver-name", "[2001:db8::1]\tmx.example", "2 2001:db8::1 mx.example 0"),
        ("ip,domain,sni", "192.0.2.1,a.example,mx.example", "2 192.0.2.1 mx.example 0"),
        ("ip,tag", "192.0.2.1,a.example", "2 192.0.2.1  0"),
        ("ip,name,port", "192.0.2.1,,", "2 192.0.2.1  0"),
        ("ip,name,port", "192.0.2.1,mx.example", "2 192.0.2.1 mx.example 0"),
        ("ip,name", "192.0.2.1,mx.example,,", "2 192.0.2.1 mx.example 0"),
        ("ip,name", "192.0.2.1,Smith, Inc", "2! more fields than the header has: 192.0.2.1,Smith, Inc"),
    ] {
        assert_eq!(told(format!("{header}\n{row}\n").as_bytes(), &endpoints()), [expected], "{header}");
    }
    // A line with an address is no header.
    assert_eq!(told(b"192.0.2.1,ip\n", &endpoints()), ["1 192.0.2.1 ip 0"]);
}

#[test]
fn a_header_that_leaves_a_choice_is_an_error() {
    for (text, options, expected) in [
        (
            "ip,IP\n192.0.2.1,192.0.2.2\n",
            endpoints(),
            "list.csv has two columns `IP`, and which counts is not known",
        ),
        (
            "ip,port,Port\n192.0.2.1,25,26\n",
            endpoints(),
            "list.csv has two columns `Port`, and which counts is not known",
        ),
        (
            "domain,domain\na.example,b.example\n",
            domains(),
            "list.csv has two columns `domain`, and which counts is not known",
        ),
        (
            "server,hostname,port\n192.0.2.1,a.example,26\n",
            endpoints(),
            "list.csv has no column `ip`; choose one with --column: server, hostname, port",
        ),
    ] {
        let error = try_list(text.as_bytes(), &options).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    }
    let chosen = InputOptions { column: Some("server".into()), ..endpoints() };
    let list = b"server,hostname,port\n192.0.2.1,a.example,26\n";
    assert_eq!(told(list, &chosen), ["2 192.0.2.1 a.example 26"]);
}

#[test]
fn text_behind_a_closing_quote_is_part_of_no_domain() {
    let no_name = "a character that is not allowed in a domain name";
    check(&[
        (
            "a.example\n\"e.example\"x\n",
            &domains(),
            &["1 a.example", &format!("2! {no_name}: \"e.example\"x")],
        ),
        ("1,\"e.example\"x\n", &domains(), &[&format!("1! {no_name}: \"e.example\"x")]),
        ("domain;x\n\"e.example\" x;1\n", &domains(), &[&format!("2! {no_name}: \"e.example\" x")]),
        ("\"a b\"@e.example\n", &domains(), &["1 e.example"]),
        ("1,\"a, b\"@e.example,x\n", &domains(), &["1 e.example"]),
        ("\"Smith, Bob\" <bob@e.example>\n", &domains(), &["1 e.example"]),
        ("\"\"\"a b\"\"@e.example\",x\n", &domains(), &["1 e.example"]),
    ]);
}

#[test]
fn no_local_part_is_told_wherever_it_stands() {
    let long = "SECRET".repeat(1000);
    let beyond = format!("{}SECRET", "x".repeat(4000));
    for text in [
        format!("a.example\n{long}@b.example\n"),
        format!("a.example\n{beyond} {long}@b.example\n"),
        "domain,mail\nSECRET,SECRET@a.example\n".to_owned(),
        "domain,mail\n\"SECRET,SECRET@a.example\n".to_owned(),
        "domain,mail\n\"SECRET@a.example,SECRET\n".to_owned(),
        "a.example\n\"SECRET #x\"@b.example\n".to_owned(),
        "se.SECRET,se.SECRET@a.example\n".to_owned(),
        "a.example\n\"SECRET\"@b_.example\n".to_owned(),
        "a.example\nsmtp:SECRET@b.example\n".to_owned(),
    ] {
        let entries: Vec<_> = try_list(text.as_bytes(), &domains()).unwrap().collect();
        let shown = format!("{entries:?}");
        assert!(!shown.to_ascii_uppercase().contains("SECRET"), "{text}: {shown}");
    }
}

#[test]
fn tables_of_other_separators() {
    check(&[
        ("a.example;Bob\nb.example;Eve\n", &domains(), &["1 a.example", "2 b.example"]),
        ("domain;owner\na.example;Bob\n", &domains(), &["2 a.example"]),
        ("1\ta.example\n2\tb.example\n", &domains(), &["1 a.example", "2 b.example"]),
        ("\tdomain\nx\t\"a.example\"\n\tb.example\n", &domains(), &["2 a.example", "3 b.example"]),
        ("sep=;\r\nx;domain\r\n1;a.example\r\n", &domains(), &["3 a.example"]),
        ("# mine\n\"sep=|\"\na|b,c;d;e\n", &domains_in("a"), &[]),
        ("sep=,\n1,a.example\n", &domains(), &["2 a.example"]),
        ("sep=;\n", &domains(), &[]),
        ("Name;DomainName;Default\nA;a.example;True\n", &domains_in("DomainName"), &["2 a.example"]),
        ("\"x;y;z\",domain\n\"1;2\",a.example\n", &domains(), &["2 a.example"]),
        ("#TYPE Selected.X\r\n\"Name\",\"Domain\"\r\n\"A\",\"a.example\"\r\n", &domains(), &["3 a.example"]),
    ]);
}

#[test]
fn of_addresses_and_urls_the_domain_is_taken_and_nothing_else_told() {
    let list = "bob@a.example\nBob <bob@b.example>\nhttps://bob:pw@c.example/x\nd.example\nbob@localhost\n\
        bob@a.example eve@b.example\n";
    let list = try_list(list.as_bytes(), &domains()).unwrap();
    let taken = list.taken();
    let entries: Vec<Entry> = list.map(Result::unwrap).collect();
    assert_eq!((taken.urls(), taken.mail_addresses()), (1, 2));
    let names = entries.iter().filter_map(|entry| match entry {
        Entry::Target(target) => target.subject.domain(),
        Entry::Rejected(_) => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["a.example", "b.example", "c.example", "d.example"]);
    let shown = format!("{entries:?}");
    assert!(!shown.contains("bob") && !shown.contains("eve") && shown.contains("…@localhost"), "{shown}");
    check(&[
        ("Name,Mail\nBob,bob@a.example\n", &domains_in("mail"), &["2 a.example"]),
        ("Bob,bob@a.example\nEve,eve@b.example\n", &domains(), &["1 a.example", "2 b.example"]),
        ("bob@a.example,a.example\n", &domains(), &["1 a.example"]),
        (
            "x,domain\n\"bob@a.example,b\n",
            &domains(),
            &["2! a quote that is not closed in this line: …@a.example,b"],
        ),
    ]);
    let error = try_list(b"Name,bob@-\nx,a.example\n", &domains()).err().unwrap().to_string();
    assert!(error.ends_with("choose one with --column: Name, …@-"), "{error}");
    // What is cut off may have been an address.
    let long = format!("x\n{}bob@a.example,eve{}@b.example\n", " ".repeat(4080), "e".repeat(40));
    assert_eq!(told_last(&long), "2! too long: over 4096 bytes: …");
    let latin1 = told(b"x\nb\xf6b@a.example\n", &domains());
    assert_eq!(latin1.last().unwrap(), "2! not UTF-8: …@a.example");
}

fn told_last(text: &str) -> String {
    told(text.as_bytes(), &domains()).pop().unwrap()
}

#[test]
fn bytes_that_are_no_text_cost_one_line() {
    assert_eq!(
        told(b"a.example\n\xff.example\nb.example\n", &domains()),
        ["1 a.example", "2! not UTF-8: \\xff.example", "3 b.example"]
    );
    let long = format!("a.example\n{}\nb.example\n", "é".repeat(INPUT_LINE_BYTES_MAX));
    let told = told(long.as_bytes(), &domains());
    assert_eq!(told, ["1 a.example", "2! too long: over 4096 bytes: …", "3 b.example"]);
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
    gzipped_bytes(text.as_bytes())
}

fn gzipped_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
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

fn utf16(text: &str, of_unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(of_unit).collect()
}

#[test]
fn utf_16_is_text() {
    let text = "a.example\r\nb\u{fc}cher.example\r\n";
    let marked = format!("\u{feff}{text}");
    let expected = ["1 a.example", "2 xn--bcher-kva.example"];
    for bytes in [
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        utf16(text, u16::to_le_bytes),
        utf16(text, u16::to_be_bytes),
        gzipped_bytes(&utf16(&marked, u16::to_le_bytes)),
    ] {
        assert_eq!(told(&bytes, &domains()), expected);
    }
    // Half a surrogate pair, and half a unit, are no text.
    let broken = [utf16("a.example\n", u16::to_le_bytes), vec![0, 0xd8, b'x', 0, b'\n', 0, b'y']].concat();
    let told = told(&broken, &domains());
    assert_eq!((told.len(), told[0].as_str()), (3, "1 a.example"), "{told:?}");
    assert!(told[1..].iter().all(|line| line.contains('!')), "{told:?}");
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::stream::encode_all(text.as_bytes(), 3).unwrap()
}

#[test]
fn zstd_is_read_to_its_end_over_all_frames() {
    // pzstd writes a frame that is skipped first.
    let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let frames = [zstd("a.example\nb.ex"), zstd("ample\nc.example\n")].concat();
    let expected = ["1 a.example", "2 b.example", "3 c.example"];
    assert_eq!(told(&frames, &domains()), expected);
    assert_eq!(told(&[&skipped[..], &frames].concat(), &domains()), expected);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv.ZST");
    std::fs::write(&path, &frames).unwrap();
    assert_eq!(open(path.to_str().unwrap(), &domains()).unwrap().count(), 3);
    std::fs::write(&path, "a.example\n").unwrap();
    assert!(matches!(open(path.to_str().unwrap(), &domains()), Err(InputError::Read { .. })));
}

#[test]
fn zstd_that_is_cut_or_wants_too_much_memory_is_an_error() {
    let text: String = (0..20_000).map(|n| format!("name{}.example\n", n * 7919 % 20_011)).collect();
    let whole = zstd(&text);
    let told = told(&whole[..whole.len() - 100], &domains());
    let (last, before) = told.split_last().unwrap();
    let expected = format!("error cannot read list.csv from line {} on: ", before.len() + 1);
    assert!(last.starts_with(&expected), "{last}");
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(24).unwrap();
    wide.include_contentsize(false).unwrap();
    wide.write_all(text.as_bytes()).unwrap();
    let error = try_list(&wide.finish().unwrap(), &domains()).err().unwrap().to_string();
    assert!(error.starts_with("cannot read list.csv: ") && error.contains("memory"), "{error}");
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
fn packing_and_encoding_are_told_though_the_first_byte_comes_alone() {
    let pipe = |bytes: Vec<u8>| read("pipe", Pipe(Cursor::new(bytes)), &domains());
    for bytes in [gzipped("a.example\n"), zstd("a.example\n"), utf16("\u{feff}a.example\n", u16::to_le_bytes)]
    {
        let entries: Vec<_> = pipe(bytes).unwrap().collect();
        assert!(matches!(entries.as_slice(), [Ok(Entry::Target(_))]), "{entries:?}");
    }
}
