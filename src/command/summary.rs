//! What a command that writes a run says of it: the summary, in brief or whole, what
//! there is to know beside it, and the headline last, where the eye rests.

use super::list_end::own_network;
use crate::cli::SummaryArg;
use crate::report::Summary;
use crate::verdict::Reach;
use std::path::Path;

/// The text of a summary. `notes` stand between the counts and the headline, a line each.
pub(super) fn text(
    (summary, kind): (&Summary, SummaryArg),
    sender: &str,
    reach: &Reach,
    notes: &[String],
) -> String {
    let body = match kind {
        SummaryArg::Short => blank_line_before(&summary.brief().render()),
        SummaryArg::Full => summary.render_tables(),
    };
    let notes: String = notes.iter().map(|note| format!("{note}\n")).collect();
    let notes = blank_line_before(&(summary.render_not_asked() + &notes));
    // That the figures may say nothing of the hosts stands where they are read.
    let headline = blank_line_before(&(own_network(reach) + &summary.headline().render(sender)));
    summary.render_totals() + &body + &notes + &headline
}

fn blank_line_before(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

/// Where the run was written to, and how to see more of it.
pub(super) fn written_to(path: &Path, kind: SummaryArg) -> String {
    let path = path.display();
    match kind {
        SummaryArg::Short => {
            format!("written to {path}\nmore: mxray report {path}, or --summary full next time")
        }
        SummaryArg::Full => format!("written to {path}"),
    }
}
