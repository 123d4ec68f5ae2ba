//! A comparison of senders for a terminal: at most 80 columns wide. Of each kind the first
//! senders are named, and the counts stand last.

use super::{DiffedReceiveRun, SenderChange, SenderDiff, SenderSign};
use crate::model::text::{counted, grouped};
use crate::report::diff::DomainChange;
use crate::report::diff::text::{DOMAIN_BYTES, LINE_CHARS, count_row, short, title, wrapped};

/// Senders of each kind that are named.
const NAMED_MAX: usize = 20;
/// The same of those that became worse.
const WORSE_NAMED_MAX: usize = 100;

/// All of it.
pub fn sender_diff_text(diff: &SenderDiff<'_>) -> String {
    let head = &diff.head;
    let mut out = format!("before  {}\nafter   {}\n", run(&head.before), run(&head.after));
    if let Some(behave) = &head.behave {
        out += &format!("behave  {}\n", short(behave, DOMAIN_BYTES));
    }
    for note in &head.notes {
        out += &wrapped("note    ", note);
        out.push('\n');
    }
    // What matters most is read last on a terminal, next to the counts.
    for change in DomainChange::ALL.iter().rev().filter(|change| change.is_told()) {
        push_kind(&mut out, *change, diff);
    }
    push_counts(&mut out, diff);
    out
}

fn run(run: &DiffedReceiveRun) -> String {
    let (senders, sessions) = (counted(run.senders, "sender"), counted(run.sessions, "session"));
    let rest = format!("  {:.0}, {senders}, {sessions}", run.started);
    format!("{}{rest}", short(&run.run, LINE_CHARS.saturating_sub(8 + rest.len())))
}

fn push_kind(out: &mut String, change: DomainChange, diff: &SenderDiff<'_>) {
    let all = diff.of(change);
    if all == 0 {
        return;
    }
    *out += &format!("\n{}\n", title(change));
    let most = if change == DomainChange::Worse { WORSE_NAMED_MAX } else { NAMED_MAX };
    diff.senders.iter().filter(|one| one.change == change).take(most).for_each(|one| *out += &entry(one));
    let more = all.saturating_sub(most as u64);
    if more > 0 {
        *out += &format!("  and {} more; --format csv has them all\n", grouped(more));
    }
}

fn entry(change: &SenderChange<'_>) -> String {
    let name = short(change.key.name.as_deref().unwrap_or("(no EHLO)"), DOMAIN_BYTES - 24);
    let mut out = format!("  {name} {}\n", change.key.address);
    for sign in &change.signs {
        if let SenderSign::Turned(column, _) = sign {
            let [was, is] = change.cells(*column);
            out += &format!("      {}: {was} -> {is}\n", column.name());
        }
    }
    let others = change.signs.iter().filter(|sign| !matches!(sign, SenderSign::Turned(..)));
    let others: Vec<String> = others.map(ToString::to_string).collect();
    if !others.is_empty() {
        out += &wrapped("      ", &others.join(" "));
        out.push('\n');
    }
    out
}

fn push_counts(out: &mut String, diff: &SenderDiff<'_>) {
    let signs = diff.signs();
    if !signs.is_empty() {
        *out += "\nWhat differs, in senders\n";
        signs.iter().for_each(|(sign, count)| *out += &count_row(&sign.to_string(), *count));
    }
    *out += "\nSenders\n";
    for change in DomainChange::ALL {
        let count = diff.of(change);
        if count > 0 || matches!(change, DomainChange::Worse | DomainChange::Better) {
            *out += &count_row(title(change), count);
        }
    }
    *out += &count_row("all", diff.senders.len() as u64);
}
