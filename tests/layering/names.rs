//! One name for one type over the whole house, so that whoever searches for a
//! word finds one thing.

use std::collections::BTreeMap;

/// What begins the definition of a type at the top of a module.
const KEYWORDS: [&str; 5] = ["struct", "enum", "type", "trait", "union"];

/// The type that a line at the top of a module defines.
fn defined(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest
            .trim_start()
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .map_or(rest, |parts| parts.1),
        None => line,
    };
    let (keyword, rest) = line.trim_start_matches(' ').split_once(' ')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (KEYWORDS.contains(&keyword) && end > 0).then(|| &rest[..end])
}

/// Names that more than one file defines, with the files.
pub fn doubles(sources: &[(&str, &str)]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, source) in sources {
        let top = source.lines().filter(|line| !line.starts_with(char::is_whitespace));
        top.filter_map(defined).for_each(|name| places.entry(name).or_default().push(path));
    }
    let doubles = places.into_iter().filter(|(_, files)| files.len() > 1);
    doubles.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect()
}
