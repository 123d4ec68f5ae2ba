//! An enumeration of the library's face may grow without breaking its users, or
//! stands in a list of those that do not.

use std::collections::BTreeSet;

/// What is complete by its nature, each with why.
pub const COMPLETE: &[(&str, &str)] = &[
    ("AddressFamily", "there are two of them"),
    ("Check", "yes, no, not determined"),
    ("DowngradeMark", "RFC 8446 §4.1.3 has no more"),
    ("Entry", "a line is a target, or is rejected"),
    ("HelloAction", "whoever drives it must do all of them"),
    ("Preference", "one side's, the other's, not determined"),
    ("ServerAction", "whoever drives it must do all of them"),
    ("SmtpAction", "whoever drives it must do all of them"),
];

/// The types that `lib.rs` shows, what it hides left out.
fn shown(lib: &str) -> BTreeSet<&str> {
    let face = lib.split("#[doc(hidden)]").next().unwrap_or_default();
    let uses = face.split("pub use ").skip(1).filter_map(|text| text.split(';').next());
    let words = uses.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| word.starts_with(char::is_uppercase)).collect()
}

/// The enumerations of a source, each with whether it may grow.
fn enumerations(source: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut may_grow = false;
    for line in source.lines().map(str::trim_start) {
        match line.strip_prefix("pub enum ") {
            Some(rest) => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
                found.push((&rest[..end.unwrap_or(rest.len())], may_grow));
                may_grow = false;
            }
            // What stands between belongs to the next definition.
            None if line == "#[non_exhaustive]" => may_grow = true,
            None if line.starts_with(['#', '/']) => {}
            None => may_grow = false,
        }
    }
    found
}

/// Those of the face that may not grow, and do not stand in [`COMPLETE`]; and
/// what stands there for nothing.
pub fn cannot_grow(lib: &str, sources: &[(&str, &str)]) -> Vec<String> {
    let shown = shown(lib);
    let complete = |name: &str| COMPLETE.iter().any(|(known, _)| *known == name);
    let mut met = BTreeSet::new();
    let mut found = Vec::new();
    for (path, source) in sources {
        // The name of one that a macro makes is not told here: all of them may grow.
        for (name, may_grow) in enumerations(source) {
            let face = name.starts_with('$') || shown.contains(name);
            if face && !may_grow && !complete(name) {
                found.push(format!("src/{path}: {name} is not #[non_exhaustive]"));
            }
            if face && !may_grow {
                met.insert(name);
            }
        }
    }
    let idle = COMPLETE.iter().filter(|(name, _)| !met.contains(name));
    found.extend(idle.map(|(name, _)| format!("{name} need not stand in the list")));
    found
}
