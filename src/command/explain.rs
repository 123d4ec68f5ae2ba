//! `mxray explain`: what a word of the output means, why it matters, what mends it, and
//! where it is written.

use super::CommandError;
use crate::cli::{self, ExplainArgs};
use crate::plan::UsageError;
use crate::report::words::{self, ReceiveWord, Term, WordMeaning};
use crate::run_dir::{RunColumn, RunTable};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Words that are named where one is not known, at most.
const LIKE_MAX: usize = 8;

/// Prints what each of the words means.
pub(super) fn run(args: &ExplainArgs) -> Result<ExitCode, CommandError> {
    let texts: Result<Vec<String>, UsageError> = args.words.iter().map(|word| explained(word)).collect();
    super::tell(texts?.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that a word may be: it may be a column, and a value of another.
fn explained(word: &str) -> Result<String, UsageError> {
    let tables = RunTable::all();
    let mut out = String::new();
    let plain = without_answer(word);
    let term = words::term_of(plain);
    if let Some(term) = term {
        tell_term(&mut out, term);
    }
    if let Some(meaning) = words::words(plain) {
        tell_meaning(&mut out, plain, meaning);
    }
    for table in &tables {
        if let Some(column) = table.column(plain) {
            tell_column(&mut out, table, column);
        }
    }
    match term {
        // What it means there is what it means anywhere.
        Some(_) => tell_places(&mut out, &tables, plain),
        None => tell_value(&mut out, &tables, plain),
    }
    // A cause behind an answer is one of a survey.
    if plain == word {
        words::receive_words(plain).for_each(|word| tell_receive_word(&mut out, word));
    }
    if let Some(text) = cli::exit_code_text(plain) {
        let _ = writeln!(out, "{plain}: an exit code\n  {text}");
    }
    if out.is_empty() { Err(not_known(word, &tables)) } else { Ok(out) }
}

/// The cause of a cell that gives one behind its answer: `undetermined:not_asked`.
fn without_answer(word: &str) -> &str {
    match word.split_once(':') {
        Some((_, cause)) if words::words(word).is_none() && words::words(cause).is_some() => cause,
        _ => word,
    }
}

fn tell_term(out: &mut String, term: Term) {
    let _ = writeln!(out, "{}: a term", term.name);
    let _ = writeln!(out, "  What it means: {}", term.means);
    let _ = writeln!(out, "  See: {}", term.source);
}

/// In which columns a term is a value.
fn tell_places(out: &mut String, tables: &[RunTable], word: &str) {
    for table in tables {
        let has_it = table.columns.iter().filter(|column| column.values.contains(&word));
        let names: Vec<&str> = has_it.map(|column| column.name).collect();
        if !names.is_empty() {
            let _ = writeln!(out, "  A value in {}: {}", table.file, names.join(", "));
        }
    }
}

fn tell_meaning(out: &mut String, word: &str, meaning: WordMeaning) {
    let _ = writeln!(out, "{word}: a reason, a cause or how an attempt ended");
    let _ = writeln!(out, "  What it means: {}", meaning.means);
    let topic = words::topic(word);
    if let Some(topic) = topic {
        let _ = writeln!(out, "  Why it matters: {}", topic.matters);
    }
    let _ = writeln!(out, "  What mends it: {}", meaning.mends);
    if let Some(topic) = topic {
        let _ = writeln!(out, "  See: {}", topic.source);
    }
}

fn tell_receive_word(out: &mut String, word: &ReceiveWord) {
    let _ = writeln!(out, "{}: a word of mxray receive, {}", word.name, word.place);
    let _ = writeln!(out, "  What it means: {}", word.means);
    let _ = writeln!(out, "  See: docs/receive.md");
}

fn tell_column(out: &mut String, table: &RunTable, column: RunColumn) {
    let _ = writeln!(out, "{}: a column of {}", column.name, table.file);
    let _ = writeln!(out, "  What it tells: {}", column.doc);
    if !column.values.is_empty() {
        let _ = writeln!(out, "  Its values: {}", column.values.join(", "));
    }
    let _ = writeln!(out, "  See: docs/columns.md");
}

/// Tells of each column that has this value.
fn tell_value(out: &mut String, tables: &[RunTable], word: &str) {
    for table in tables {
        for column in table.columns.iter().filter(|column| column.values.contains(&word)) {
            let _ = writeln!(out, "{word}: a value of {} in {}", column.name, table.file);
            let _ = writeln!(out, "  What that column tells: {}", column.doc);
            let code = format!("{}: {word}", column.name);
            if let Some(meaning) = words::words(&code) {
                let _ = writeln!(out, "  What it means: {}", meaning.means);
                let _ = writeln!(out, "  What mends it: {}", meaning.mends);
            }
        }
    }
}

fn not_known(word: &str, tables: &[RunTable]) -> UsageError {
    let columns = tables.iter().flat_map(|table| &table.columns);
    let names = columns.clone().map(|column| column.name.to_string());
    let values = columns.flat_map(|column| column.values).map(|value| (*value).to_string());
    let terms = words::terms().iter().map(|term| term.name.to_string());
    let of_receive = words::receive_names().map(str::to_string);
    let all = words::known().into_iter().chain(names).chain(values).chain(terms).chain(of_receive);
    let mut like: Vec<String> = all.filter(|known| !word.is_empty() && known.contains(word)).collect();
    like.sort();
    like.dedup();
    like.truncate(LIKE_MAX);
    let hint = if like.is_empty() {
        "reasons are in docs/outcomes.md, columns in docs/columns.md".to_string()
    } else {
        format!("there are {}", like.join(", "))
    };
    UsageError(format!("`{word}` is no word of the output; {hint}"))
}
