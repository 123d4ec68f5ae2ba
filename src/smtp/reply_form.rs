//! Which forms over which mail systems part ways the replies of a dialogue have.

use super::keyword_form::forms_of_line;
use crate::model::reply_form::{LATE_KEYWORD_BYTES, LONG_REPLY_BYTES};
use crate::model::text::unescape;
use crate::model::{Deviation, Dialogue, Reply, ReplyForm, ReplyForms};

/// Those of what was said. What was not recorded has none.
pub fn reply_forms(dialogue: &Dialogue) -> ReplyForms {
    let in_clear = [&dialogue.greeting, &dialogue.ehlo, &dialogue.helo, &dialogue.starttls, &dialogue.quit];
    let of_greeting = dialogue.greeting.as_ref().is_some_and(is_long);
    ReplyForms::default()
        .with_if(ReplyForm::EmptyLine, in_clear.into_iter().flatten().any(has_empty_line))
        .with_if(ReplyForm::LongReply, of_greeting || dialogue.ehlo.as_ref().is_some_and(is_long))
        .with_if(ReplyForm::NulByte, dialogue.ehlo.as_ref().is_some_and(has_nul_before_keyword))
        .with_if(ReplyForm::LateKeyword, dialogue.ehlo.as_ref().is_some_and(has_late_keyword))
        .with_if(ReplyForm::PlaintextAfterStarttls, !dialogue.plaintext_after_starttls.is_empty())
        .with_if(ReplyForm::EmptyLineInTls, dialogue.ehlo_tls.as_ref().is_some_and(has_empty_line))
        .with_if(ReplyForm::LongReplyInTls, dialogue.ehlo_tls.as_ref().is_some_and(is_long))
        .with_if(ReplyForm::UnsolicitedReply, has_unsolicited_in_tls(dialogue))
}

fn has_empty_line(reply: &Reply) -> bool {
    reply.has(Deviation::EmptyLine)
}

fn is_long(reply: &Reply) -> bool {
    is_over(&reply.lines, LONG_REPLY_BYTES)
}

/// Whether more replies came inside TLS, where EHLO was taken.
fn has_unsolicited_in_tls(dialogue: &Dialogue) -> bool {
    let greeted = dialogue.ehlo_tls.as_ref().is_some_and(|reply| reply.code == 250);
    let mut extra = dialogue.unsolicited.iter().flatten();
    greeted && extra.any(|reply| reply.has(Deviation::UnsolicitedReply))
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
    let place = keywords.position(|line| forms_of_line(line).is_some())?;
    reply.lines.get(..=place)
}

fn has_nul_before_keyword(reply: &Reply) -> bool {
    let has_nul = |line: &String| unescape(line).contains(&0);
    reply.has(Deviation::NulByte) && before_keyword(reply).is_some_and(|lines| lines.iter().any(has_nul))
}

fn has_late_keyword(reply: &Reply) -> bool {
    is_over(&reply.lines, LATE_KEYWORD_BYTES)
        && before_keyword(reply).is_some_and(|lines| is_over(lines, LATE_KEYWORD_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str], deviations: &[Deviation]) -> Option<Reply> {
        let lines = lines.iter().map(ToString::to_string).collect();
        Some(Reply { code: 250, lines, deviations: deviations.to_vec() })
    }

    fn names(dialogue: &Dialogue) -> Vec<&'static str> {
        reply_forms(dialogue).iter().map(ReplyForm::name).collect()
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
