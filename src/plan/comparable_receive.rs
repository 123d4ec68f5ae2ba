//! Which runs of `mxray receive` can be held against each other.

use super::UsageError;
use crate::model::text::printable;
use crate::run_dir::ReceiveInfo;
use std::path::Path;

/// Refuses runs of which something else was made than of the sender: the same sender would
/// be told as another.
///
/// # Errors
/// [`UsageError`] that names what differs.
pub fn check_comparable_receive(
    (before_dir, before): (&Path, &ReceiveInfo),
    (after_dir, after): (&Path, &ReceiveInfo),
) -> Result<(), UsageError> {
    let refused = |cause: String| {
        let dirs = format!("{} and {}", before_dir.display(), after_dir.display());
        Err(UsageError(format!("{dirs} cannot be compared: {cause}")))
    };
    if before.behave != after.behave {
        let told = |info: &ReceiveInfo| match &info.behave {
            Some(behave) => format!("did {} on purpose", printable(behave)),
            None => "did nothing wrong on purpose".to_string(),
        };
        return refused(format!(
            "the first {}, the second {}, and what a sender does then is no change of it; mxray report tells each",
            told(before),
            told(after)
        ));
    }
    // What only one of them was judged by is empty in the other, and passed over.
    let options = before.judged_by.options.iter();
    let pairs = options.filter_map(|(name, was)| Some((name, was, after.judged_by.options.get(name)?)));
    match pairs.clone().find(|(_, was, is)| was.sha256 != is.sha256) {
        None => Ok(()),
        Some((name, ..)) => {
            let name = printable(name);
            refused(format!("they were judged by another --{name}; mxray judge --{name} makes them alike"))
        }
    }
}
