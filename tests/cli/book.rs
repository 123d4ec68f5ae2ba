//! `docs/` is a book: each page is in its table of contents, and each link leads somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The Markdown files right in a directory.
fn pages(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Where the links of a text lead.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text).collect::<Vec<_>>().join("\n");
    let after = prose.split("](").skip(1);
    after.filter_map(|rest| rest.split_once(')').map(|(link, _)| link.to_string())).collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

#[test]
fn every_page_is_in_the_table_of_contents_and_has_one_title() {
    let docs = Path::new(ROOT).join("docs");
    let contents = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: Vec<String> = links(&contents);
    let distinct: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(listed.len(), distinct.len(), "a page is listed twice");
    for page in pages(&docs) {
        let name = page.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&page).unwrap();
        let titles = prose(&text).filter(|line| line.starts_with("# ")).count();
        if name != "SUMMARY.md" {
            assert!(distinct.contains(name), "{name} is not in docs/SUMMARY.md");
            assert_eq!(titles, 1, "{name}");
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let root = Path::new(ROOT);
    let directories = ["", "docs", "docs/decisions"].map(|directory| root.join(directory));
    let mut broken = Vec::new();
    for page in directories.iter().flat_map(|directory| pages(directory)) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in
            links(&text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
        {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = target.exists()
                && (heading.is_empty()
                    || anchors(&std::fs::read_to_string(&target).unwrap()).contains(heading));
            if !is_there {
                broken.push(format!("{}: {link}", page.strip_prefix(root).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Two minutes of reading.
const README_LINES_MAX: usize = 90;

#[test]
fn the_readme_is_short() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(lines <= README_LINES_MAX, "{lines} lines; what is longer has a page in docs/");
}

/// The names under a table of the manifest, and under the same table of a target.
fn dependencies(manifest: &toml::Table) -> BTreeSet<&str> {
    let targets = manifest["target"].as_table().unwrap().values().filter_map(toml::Value::as_table);
    let tables = targets.chain([manifest]).filter_map(|table| table.get("dependencies")?.as_table());
    tables.flat_map(|table| table.keys().map(String::as_str)).collect()
}

#[test]
fn every_library_is_told_what_it_is_for() {
    let root = Path::new(ROOT);
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, table) = text.split_once("| library | what it does here |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect::<Vec<_>>().join(" ");
    let told: BTreeSet<&str> = rows.split('`').skip(1).step_by(2).collect();
    let untold: Vec<&str> = dependencies(&manifest).into_iter().filter(|name| !told.contains(name)).collect();
    assert!(untold.is_empty(), "ARCHITECTURE.md does not say what these are for: {untold:?}");
}
