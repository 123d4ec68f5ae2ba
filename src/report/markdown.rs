//! A report as Markdown (GitHub's dialect), for a ticket or a pull request.

use super::document::{
    CaptionedTable, Document, DocumentBlock, PartShare, ReportCell, Section, milliseconds, per_cent,
};
use crate::model::text::grouped;

/// The text.
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n", escape(&document.title));
    for line in &document.subtitle {
        out += &format!("- {}\n", escape(line));
    }
    for notice in &document.notices {
        out += &format!("\n> **Note:** {}\n", escape(notice));
    }
    let unit = document.unit;
    out += &format!("\n| {} | {} | Share | What that means |\n|---|---:|---:|---|\n", unit.row, unit.column);
    document.parts.iter().for_each(|part| out += &part_row(part));
    document.sections.iter().for_each(|section| push_section(&mut out, section));
    out += &format!(
        "\n---\nMade by mxray {} from the tables of the run directory.\n",
        env!("CARGO_PKG_VERSION")
    );
    out
}

fn part_row(part: &PartShare) -> String {
    let name = escape(&part.name);
    format!(
        "| {name} | {} | {} | {} |\n",
        grouped(part.part),
        per_cent(part.part, part.whole),
        escape(part.means)
    )
}

fn push_section(out: &mut String, section: &Section) {
    if let Some(part) = section.part {
        *out += &format!("\n## {}\n", escape(part));
    }
    *out += &format!("\n### {}\n", escape(&section.title));
    for block in &section.blocks {
        match block {
            DocumentBlock::Paragraph(text) => *out += &format!("\n{}\n", escape(text)),
            DocumentBlock::Table(table) => push_table(out, table),
        }
    }
}

fn push_table(out: &mut String, table: &CaptionedTable) {
    *out += &format!("\n**{}**\n\n| {} |\n|", escape(&table.caption), table.columns.join(" | "));
    for column in 0..table.columns.len() {
        let is_number = table.rows.first().and_then(|row| row.get(column)).is_some_and(ReportCell::is_number);
        *out += if is_number { "---:|" } else { "---|" };
    }
    out.push('\n');
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        *out += &format!("| {} |\n", cells.join(" | "));
    }
    if let Some(note) = &table.note {
        *out += &format!("\n{}\n", escape(note));
    }
}

fn cell(cell: &ReportCell) -> String {
    match cell {
        ReportCell::Text(text) | ReportCell::Code(text) => escape(text),
        ReportCell::Titled(title, text) if text.is_empty() => escape(title),
        ReportCell::Titled(title, text) => format!("**{}** {}", escape(title), escape(text)),
        ReportCell::Count(count) => grouped(*count),
        ReportCell::Time(microseconds) => milliseconds(*microseconds),
        ReportCell::Share(part, whole, _) => per_cent(*part, *whole),
    }
}

/// Text in which nothing is markup, a link, a mention or a reference.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None::<char>);
    while let Some(character) = rest.chars().next() {
        let links = |mark: &str| rest.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
        let is_special = matches!(character, '&' | '<' | '>' | '|' | '`' | '\\' | '@' | '#' | '$');
        // Between letters an underscore is no emphasis.
        let after = rest.chars().nth(1);
        let is_within = character == '_'
            && before.is_some_and(|one| one.is_ascii_alphanumeric())
            && after.is_some_and(|one| one.is_ascii_alphanumeric());
        let is_marked = matches!(character, '*' | '_' | '[' | ']' | '~' | '!' | '{' | '}') && !is_within;
        // What GitHub makes a link by itself; and what would end the row.
        let is_link = links("://") || links("www.") || links("mailto:") || links("xmpp:");
        if is_special || is_link || character.is_control() {
            out += &format!("&#{};", u32::from(character));
        } else {
            if is_marked {
                out.push('\\');
            }
            out.push(character);
        }
        before = Some(character);
        rest = &rest[character.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_cell_is_markup() {
        assert_eq!(escape("220 mx.example ready, 3 %"), "220 mx.example ready, 3 %");
        // It is read in a terminal, too.
        assert_eq!(escape("no_published_suite"), "no_published_suite");
        assert_eq!(escape("_x_ *y* [z]!"), "\\_x\\_ \\*y\\* \\[z\\]\\!");
        for text in [
            "a | b", "<b>", "`x`", "*x* _y_", "[x](y)", "![x](y)", "@team", "#12", "\\|", "http://x",
            "WWW.x", "a\nb", "&lt;", "$x$", "mailto:x",
        ] {
            let escaped = unmarked(&escape(text));
            for mark in ["|", "<", ">", "`", "*", "_", "[", "]", "@", "\\", "://", "\n", "$"] {
                assert!(!escaped.contains(mark), "{text:?}: {escaped}");
            }
            assert!(!escaped.to_ascii_lowercase().contains("www."), "{escaped}");
            assert_eq!(escaped.replace("&#", "").matches('#').count(), 0, "{escaped}");
        }
    }

    /// Without what a backslash takes the meaning from, and underscores within words.
    fn unmarked(escaped: &str) -> String {
        let characters: Vec<char> = escaped.chars().collect();
        let mut out = String::new();
        let mut place = 0;
        while let Some(character) = characters.get(place) {
            let beside = [place.wrapping_sub(1), place + 1].map(|place| characters.get(place));
            let is_within = *character == '_'
                && beside.iter().all(|one| one.is_some_and(|one| one.is_ascii_alphanumeric()));
            match character {
                '\\' => place += 1,
                _ if is_within => {}
                _ => out.push(*character),
            }
            place += 1;
        }
        out
    }

    /// What a reader of the text sees is what was said.
    fn read(text: &str) -> String {
        let mut parts = text.split("&#");
        let mut out = parts.next().unwrap().to_string();
        for part in parts {
            let (number, rest) = part.split_once(';').unwrap();
            out.push(char::from_u32(number.parse().unwrap()).unwrap());
            out.push_str(rest);
        }
        out
    }

    /// The same of backslashes, of which none is said that is not written as a number.
    fn read_marked(text: &str) -> String {
        read(&text.replace('\\', ""))
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_is_read_as_it_was_said(said in "(?s).{0,40}", piece in "[|`*_<>@#w.:/]{0,20}") {
            let said = format!("{said}{piece}");
            let escaped = escape(&said);
            proptest::prop_assert_eq!(read_marked(&escaped), said);
            let escaped = unmarked(&escaped);
            let is_plain = !escaped.contains(['|', '<', '>', '`', '*', '_', '@', '\\', '\n', '\r', '[', ']']);
            proptest::prop_assert!(is_plain && !escaped.contains("://"), "{}", escaped);
        }
    }
}
