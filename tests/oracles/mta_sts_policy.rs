//! Policies of MTA-STS (RFC 8461 §3.2): what is read does not hang on how lines
//! end, on their order or on fields that nobody knows, and is read back from
//! what it says.

use super::Seed;
use mxray::internals::dns::mta_sts::policy;
use mxray::internals::model::mta_sts::{POLICY_BYTES_MAX, StsMode, StsPolicy};

/// Most bytes that are put before a policy here.
const MORE_BYTES_MAX: usize = 64;

pub fn check(input: &[u8]) {
    let read = policy(input);
    assert_eq!(read, policy(input), "the same again");
    match &read {
        Err(fault) => assert!(fault.to_string().len() < 512, "{fault}"),
        Ok(policy) => holds(input, policy),
    }
}

fn holds(input: &[u8], read: &StsPolicy) {
    assert!(read.max_age_s <= 31_557_600);
    assert!(!read.mx.is_empty() || read.mode == StsMode::None);
    assert_eq!(policy(written(read).as_bytes()).as_ref(), Ok(read), "what it says");
    let text = std::str::from_utf8(input).unwrap();
    if text.len() > POLICY_BYTES_MAX / 2 - MORE_BYTES_MAX {
        return;
    }
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(policy(lines.join("\r\n").as_bytes()).as_ref(), Ok(read), "other line ends");
    let more = format!("x-unknown: mode: none\n{text}");
    assert_eq!(policy(more.as_bytes()).as_ref(), Ok(read), "a field that nobody knows");
    // What stands twice counts where it stands first.
    let twice = format!("{}\nversion: STSv2\nmode: of its own\nmax_age: never\n", lines.join("\n"));
    assert_eq!(policy(twice.as_bytes()).as_ref(), Ok(read), "fields twice");
}

fn written(policy: &StsPolicy) -> String {
    let mx: String = policy.mx.iter().map(|pattern| format!("mx: {pattern}\n")).collect();
    format!("version: STSv1\nmode: {}\nmax_age: {}\n{mx}", policy.mode.name(), policy.max_age_s)
}

pub fn seeds() -> Vec<Seed> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "enforce",
            text(
                "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
            ),
        ),
        ("testing", text("max_age:86400\nversion:STSv1 \nmode:\ttesting\nmx:a.b\nx-note: ä b\n")),
        ("none", text("version: STSv1\nmode: none\nmax_age: 0")),
        ("address", text("version: STSv1\nmode: enforce\nmx: 192.0.2.1\nmax_age: 1\n")),
        ("blank-line", text("version: STSv1\n\nmode: enforce\nmx: a.example\nmax_age: 1\n")),
        ("html", text("<!DOCTYPE html>\n<title>404</title>\n")),
    ]
}
