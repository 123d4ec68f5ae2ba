//! Colour for who reads a terminal: the words for what becomes of mail, and the lines that
//! head them. Standard output that is no terminal has none, nor one with `NO_COLOR`
//! (no-color.org) or `TERM=dumb`; `CLICOLOR_FORCE` has it everywhere.

use crate::model::Delivery;
use crate::model::text::printable_lines;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::io;

const DELIVERIES: [Delivery; 5] = [
    Delivery::Encrypted,
    Delivery::Plaintext,
    Delivery::Deferred,
    Delivery::Undeliverable,
    Delivery::Undetermined,
];

const HEAD: Style = Style::new().bold();
const WARNING: Style = AnsiColor::Red.on_default().bold();

/// Lines that head what stands below them.
const HEADS: [&str; 2] = ["Mail of ", "If TLS were forced"];

/// The line that says that the figures may be about our own network.
const OWN_NETWORK: &str = "OWN NETWORK";

/// The line of a transcript that ends in what becomes of mail.
const VERDICT: &str = "verdict  ";

/// A text for standard output, coloured where that has colours. What it quotes of a file
/// steers no terminal.
pub(super) fn for_stdout(text: &str) -> Cow<'_, str> {
    let text = printable_lines(text);
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => text,
        _ => Cow::Owned(text.split_inclusive('\n').map(painted).collect()),
    }
}

fn style(delivery: Delivery) -> Style {
    let colour = match delivery {
        Delivery::Encrypted => AnsiColor::Green,
        Delivery::Plaintext | Delivery::Undeliverable => AnsiColor::Red,
        Delivery::Deferred => AnsiColor::Yellow,
        Delivery::Undetermined => AnsiColor::Cyan,
    };
    colour.on_default()
}

fn painted(line: &str) -> String {
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    if text.starts_with(OWN_NETWORK) {
        return in_style(WARNING, text) + end;
    }
    if HEADS.iter().any(|head| text.starts_with(head)) {
        return in_style(HEAD, text) + end;
    }
    match delivery_in(text) {
        Some((before, delivery, after)) => {
            format!("{before}{}{after}{end}", in_style(style(delivery), delivery.name()))
        }
        None => line.to_string(),
    }
}

fn in_style(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The line apart at the word for what becomes of mail, where it has one in its place.
fn delivery_in(line: &str) -> Option<(&str, Delivery, &str)> {
    let place = match line.strip_prefix(VERDICT) {
        Some(verdict) => VERDICT.len() + verdict.find(": ")? + 2,
        None => line.strip_prefix("  ").map(|_| 2)?,
    };
    let (before, rest) = line.split_at_checked(place)?;
    let delivery = DELIVERIES.into_iter().find(|delivery| {
        let after = rest.strip_prefix(delivery.name());
        after.is_some_and(|after| after.is_empty() || after.starts_with([' ', ',']))
    })?;
    Some((before, delivery, &rest[delivery.name().len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_mail_has_its_colour_and_nothing_else_has() {
        for (line, expected) in [
            ("  encrypted    7   10.0 %\n", "  \u{1b}[32mencrypted\u{1b}[0m    7   10.0 %\n"),
            ("  plaintext", "  \u{1b}[31mplaintext\u{1b}[0m"),
            (
                "verdict  exchange-online: deferred (x)",
                "verdict  exchange-online: \u{1b}[33mdeferred\u{1b}[0m (x)",
            ),
            ("verdict  postfix: undetermined, why", "verdict  postfix: \u{1b}[36mundetermined\u{1b}[0m, why"),
            ("Mail of exim to 2 domains:\n", "\u{1b}[1mMail of exim to 2 domains:\u{1b}[0m\n"),
            ("OWN NETWORK: over IPv4", "\u{1b}[1m\u{1b}[31mOWN NETWORK: over IPv4\u{1b}[0m"),
            // What a server says begins with an arrow, and a word in a sentence is no verdict.
            ("< 220 encrypted", "< 220 encrypted"),
            ("  encryptedly", "  encryptedly"),
            ("mail that is plaintext", "mail that is plaintext"),
            ("", ""),
        ] {
            assert_eq!(painted(line), expected);
        }
    }
}
