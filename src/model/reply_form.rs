//! Forms of replies over which mail systems part ways: where one reads on,
//! another gives up, or goes on in clear.

use super::keyword::KeywordForms;
use super::observation::Dialogue;
use super::reply::{Deviation, Reply};
use super::text::unescape;
use serde::Deserialize;
use std::fmt;

/// Bytes of a reply to EHLO, with one for each line end, behind which STARTTLS
/// is a [`ReplyForm::LateKeyword`].
pub const LATE_KEYWORD_BYTES: usize = 2048;
/// Longest reply, in bytes, with one for each line end, that is no
/// [`ReplyForm::LongReply`].
pub const LONG_REPLY_BYTES: usize = 4092;

/// A form of a reply, in the order of the dialogue. Those up to
/// [`ReplyForm::LateKeyword`] are met before STARTTLS is asked for, or by whoever
/// does not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyForm {
    /// An empty line before or within a reply in clear, or before the one to the
    /// command that comes next.
    EmptyLine,
    /// The greeting or the reply to EHLO is over [`LONG_REPLY_BYTES`].
    LongReply,
    /// A NUL in the reply to EHLO, in a line before STARTTLS.
    NulByte,
    /// STARTTLS stands behind [`LATE_KEYWORD_BYTES`] of the reply to EHLO.
    LateKeyword,
    /// Plaintext behind the 220 to STARTTLS.
    PlaintextAfterStarttls,
    /// An empty line in the reply to EHLO inside TLS.
    EmptyLineInTls,
    /// The reply to EHLO inside TLS is over [`LONG_REPLY_BYTES`].
    LongReplyInTls,
    /// More replies inside TLS than commands: each later one is taken for the
    /// answer to another command.
    UnsolicitedReply,
}

impl ReplyForm {
    /// Every form, in their order, which is that of their bits.
    pub const ALL: [Self; 8] = [
        Self::EmptyLine,
        Self::LongReply,
        Self::NulByte,
        Self::LateKeyword,
        Self::PlaintextAfterStarttls,
        Self::EmptyLineInTls,
        Self::LongReplyInTls,
        Self::UnsolicitedReply,
    ];

    /// Stable snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmptyLine => "empty_line",
            Self::LongReply => "long_reply",
            Self::NulByte => "nul_byte",
            Self::LateKeyword => "late_keyword",
            Self::PlaintextAfterStarttls => "plaintext_after_starttls",
            Self::EmptyLineInTls => "empty_line_in_tls",
            Self::LongReplyInTls => "long_reply_in_tls",
            Self::UnsolicitedReply => "unsolicited_reply",
        }
    }

    /// Whether STARTTLS was asked for when it was met.
    pub fn is_behind_starttls(self) -> bool {
        self > Self::LateKeyword
    }
}

impl fmt::Display for ReplyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All of them in one dialogue; none in most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyForms(u8);

impl ReplyForms {
    /// Those of what was said. What was not recorded has none.
    pub fn of(dialogue: &Dialogue) -> Self {
        let mut forms = Self::default();
        let mut add = |form: ReplyForm, is_there: bool| forms.0 |= u8::from(is_there) << form as u8;
        let (ehlo, inside) = (dialogue.ehlo.as_ref(), dialogue.ehlo_tls.as_ref());
        let in_clear =
            [&dialogue.greeting, &dialogue.ehlo, &dialogue.helo, &dialogue.starttls, &dialogue.quit];
        let is_empty = |reply: &Reply| reply.has(Deviation::EmptyLine);
        let is_long = |reply: &Reply| is_over(&reply.lines, LONG_REPLY_BYTES);
        add(ReplyForm::EmptyLine, in_clear.into_iter().flatten().any(is_empty));
        add(ReplyForm::LongReply, dialogue.greeting.as_ref().is_some_and(is_long));
        add(ReplyForm::NulByte, ehlo.is_some_and(has_nul_before_keyword));
        if let Some(ehlo) = ehlo.filter(|reply| is_over(&reply.lines, LATE_KEYWORD_BYTES)) {
            add(ReplyForm::LongReply, is_long(ehlo));
            add(ReplyForm::LateKeyword, has_late_keyword(ehlo));
        }
        add(ReplyForm::PlaintextAfterStarttls, !dialogue.plaintext_after_starttls.is_empty());
        add(ReplyForm::EmptyLineInTls, inside.is_some_and(is_empty));
        add(ReplyForm::LongReplyInTls, inside.is_some_and(is_long));
        let mut extra = dialogue.unsolicited.iter().flatten();
        let is_extra = |reply: &Reply| reply.has(Deviation::UnsolicitedReply);
        let greeted = inside.is_some_and(|reply| reply.code == 250);
        add(ReplyForm::UnsolicitedReply, greeted && extra.any(is_extra));
        forms
    }

    /// Whether there is none.
    pub fn is_plain(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = ReplyForm> {
        ReplyForm::ALL.into_iter().filter(move |form| self.0 & 1 << *form as u8 != 0)
    }
}

/// Code and separator before the text of a line, and its end, in bytes.
const AROUND_TEXT_BYTES: usize = 5;

/// Whether lines of a reply have more than so many bytes, one for each line end.
/// An escaped text is never the shorter.
fn is_over(lines: &[String], bytes: usize) -> bool {
    let at_most: usize = lines.iter().map(|line| line.len() + AROUND_TEXT_BYTES).sum();
    at_most > bytes
        && lines.iter().map(|line| unescape(line).len() + AROUND_TEXT_BYTES).sum::<usize>() > bytes
}

/// The lines of a reply to EHLO before that with STARTTLS, if there is one.
fn before_keyword(reply: &Reply) -> Option<&[String]> {
    let mut keywords = reply.lines.iter().skip(1);
    let place = keywords.position(|line| KeywordForms::of_text(line).is_some())?;
    reply.lines.get(..=place)
}

fn has_nul_before_keyword(reply: &Reply) -> bool {
    let has_nul = |line: &String| unescape(line).contains(&0);
    reply.has(Deviation::NulByte) && before_keyword(reply).is_some_and(|lines| lines.iter().any(has_nul))
}

fn has_late_keyword(reply: &Reply) -> bool {
    before_keyword(reply).is_some_and(|lines| is_over(lines, LATE_KEYWORD_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str], deviations: &[Deviation]) -> Option<Reply> {
        let lines = lines.iter().map(ToString::to_string).collect();
        Some(Reply { code: 250, lines, deviations: deviations.to_vec() })
    }

    fn names(dialogue: &Dialogue) -> Vec<&'static str> {
        ReplyForms::of(dialogue).iter().map(ReplyForm::name).collect()
    }

    fn of_ehlo(lines: &[&str], deviations: &[Deviation]) -> Vec<&'static str> {
        names(&Dialogue { ehlo: reply(lines, deviations), ..Dialogue::default() })
    }

    #[test]
    fn each_form_is_told_apart() {
        let nul = &[Deviation::NulByte];
        assert_eq!(of_ehlo(&["mx", "STARTTLS"], &[]), [""; 0]);
        assert_eq!(of_ehlo(&["mx", "HELP"], &[Deviation::EmptyLine]), ["empty_line"]);
        assert_eq!(of_ehlo(&[r"mx\x00", "STARTTLS"], nul), ["nul_byte"]);
        assert_eq!(of_ehlo(&[r"mx\\x00", "STARTTLS", r"X\x00"], nul), [""; 0]);
        assert_eq!(of_ehlo(&[r"mx\x00", "HELP"], nul), [""; 0]);
        let quit = Dialogue { quit: reply(&["bye"], &[Deviation::EmptyLine]), ..Dialogue::default() };
        assert_eq!(names(&quit), ["empty_line"]);
        let behind = Dialogue { plaintext_after_starttls: "x".into(), ..Dialogue::default() };
        assert_eq!(names(&behind), ["plaintext_after_starttls"]);
    }

    #[test]
    fn inside_tls_they_have_names_of_their_own() {
        let extra = reply(&["again"], &[Deviation::UnsolicitedReply]);
        let unsolicited = Some(extra.into_iter().collect());
        let clear = Dialogue { unsolicited, ..Dialogue::default() };
        assert_eq!(names(&clear), [""; 0]);
        let inside = Dialogue { ehlo_tls: reply(&["mx"], &[Deviation::EmptyLine]), ..clear };
        assert_eq!(names(&inside), ["empty_line_in_tls", "unsolicited_reply"]);
        // What becomes of that reply says more.
        let mut refused = inside.clone();
        refused.ehlo_tls.iter_mut().for_each(|reply| reply.code = 220);
        assert_eq!(names(&refused), ["empty_line_in_tls"]);
        // A server that says 250 to QUIT, and no more, answers what it is asked.
        let quit = Dialogue {
            ehlo_tls: reply(&["mx"], &[]),
            quit: reply(&["bye"], &[Deviation::UnsolicitedReply]),
            ..Dialogue::default()
        };
        assert_eq!(names(&quit), [""; 0]);
        let long = "x".repeat(2000);
        let long = Dialogue { ehlo_tls: reply(&[&long, &long, &long], &[]), ..Dialogue::default() };
        assert_eq!(names(&long), ["long_reply_in_tls"]);
    }

    #[test]
    fn lengths_are_those_of_what_came_in() {
        let (room, escaped) = ("x".repeat(LATE_KEYWORD_BYTES - 5 - 7), r"\xff".repeat(600));
        assert_eq!(of_ehlo(&["mx", &room, "STARTTLS"], &[]), [""; 0]);
        assert_eq!(of_ehlo(&["mx", &format!("{room}x"), "STARTTLS"], &[]), ["late_keyword"]);
        assert_eq!(of_ehlo(&["mx", &escaped, "STARTTLS"], &[]), [""; 0]);
        assert_eq!(of_ehlo(&["mx", "STARTTLS", &room, "HELP"], &[]), [""; 0]);
        let fits = "x".repeat(LONG_REPLY_BYTES - 7 - 13 - 5);
        assert_eq!(of_ehlo(&["mx", "STARTTLS", &fits], &[]), [""; 0]);
        assert_eq!(of_ehlo(&["mx", "STARTTLS", &format!("{fits}x")], &[]), ["long_reply"]);
        assert_eq!(of_ehlo(&["mx", "STARTTLS", &room, &room, "HELP"], &[]), ["long_reply"]);
        assert_eq!(of_ehlo(&["mx", &room, &room, "HELP"], &[]), ["long_reply"]);
    }
}
