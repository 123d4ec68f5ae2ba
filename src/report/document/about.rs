//! How the run was made, so that its figures can be cited.

use super::elements::{CaptionedTable, DocumentBlock, ReportCell, Section, paragraph};

/// The files of a report that is written beside a page, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablesBeside {
    /// Every partner with every finding.
    pub partners: String,
    /// Every certificate that ends soon.
    pub certificates: String,
}

/// What is known of a run besides its rows, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AboutRun {
    /// The sender whose mail the verdicts are about.
    pub sender: String,
    /// The list.
    pub list: String,
    /// When the run began and ended, in words.
    pub when: String,
    /// The moment by which dates and chains are judged.
    pub judged_at: String,
    /// What must be known before any figure is read: a run that is a part, a sample,
    /// unfinished.
    pub notices: Vec<String>,
    /// Name and value of all else that the figures depend on.
    pub settings: Vec<(&'static str, String)>,
    /// One sentence that names the run, for whoever cites a figure.
    pub citation: String,
    /// Files beside the page; `None` if there are none.
    pub beside: Option<TablesBeside>,
}

impl AboutRun {
    pub(super) fn subtitle(&self) -> Vec<String> {
        vec![
            format!("As the sender {} would deliver it", self.sender),
            format!("List: {}", self.list),
            self.when.clone(),
        ]
    }

    pub(super) fn section(&self) -> Section {
        let own = [
            ("Sender", self.sender.clone()),
            ("List", self.list.clone()),
            ("When", self.when.clone()),
            ("Judged as of", self.judged_at.clone()),
        ];
        let row =
            |(name, value): &(&'static str, String)| vec![ReportCell::text(*name), ReportCell::text(value)];
        let table = CaptionedTable {
            caption: "The run".to_string(),
            columns: vec!["What", "Value"],
            rows: own.iter().chain(&self.settings).map(row).collect(),
            note: None,
            wordy: true,
        };
        let lead = paragraph(
            "Whoever cites a figure of this page should name the sender, the moment and the place from which the run \
             was made: another sender may be answered otherwise, and so may another network.",
        );
        Section {
            id: "run",
            part: None,
            title: "How it was run".to_string(),
            blocks: vec![
                lead,
                paragraph(format!("To cite this run: {}", self.citation)),
                DocumentBlock::Table(table),
            ],
        }
    }
}
