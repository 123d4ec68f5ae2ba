//! The blocks of docs/analysis.md, in the order in which a notebook has them.

const PAGE: &str = include_str!("../../docs/analysis.md");

/// The heading under which the blocks prepare, and answer nothing.
pub const OPENING: &str = "Open a run";

/// A block, for one tool and one source.
#[derive(Clone, Debug)]
pub struct Block {
    pub heading: String,
    /// `duckdb`, `pandas` or `polars`.
    pub tool: &'static str,
    /// `csv` or `parquet`.
    pub source: &'static str,
    pub text: String,
}

fn tool(language: &str, text: &str) -> Option<&'static str> {
    match language {
        "sql" => Some("duckdb"),
        "python" if text.contains("Polars") || text.contains("polars") => Some("polars"),
        "python" => {
            assert!(text.contains("pandas"), "which tool?\n{text}");
            Some("pandas")
        }
        "sh" => None,
        _ => panic!("a block in `{language}`"),
    }
}

/// Each block that opens a run is of one source; the others are run on both.
pub fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut heading, mut open) = (String::new(), None::<(&str, String)>);
    for line in PAGE.lines() {
        if let Some((language, mut text)) = open.take() {
            if line != "```" {
                text.push_str(line);
                text.push('\n');
                open = Some((language, text));
            } else if let Some(tool) = tool(language, &text) {
                let sources: &[&str] = match (heading == OPENING, text.contains("parquet")) {
                    (false, _) => &["csv", "parquet"],
                    (true, true) => &["parquet"],
                    (true, false) => &["csv"],
                };
                blocks.extend(sources.iter().map(|source| Block {
                    heading: heading.clone(),
                    tool,
                    source,
                    text: text.clone(),
                }));
            }
        } else if let Some(language) = line.strip_prefix("```") {
            open = Some((language, String::new()));
        } else if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_string();
        }
    }
    blocks
}
