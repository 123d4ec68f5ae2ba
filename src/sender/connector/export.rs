//! Connectors as `Get-OutboundConnector | Export-Csv` and `Get-InboundConnector |
//! Export-Csv` write them, row by row.
//!
//! Windows PowerShell puts a `#TYPE` line first and writes UTF-16 when asked
//! for Unicode; lists of values come as text only if somebody joined them.

use super::csv_lines::{CsvLines, check_quotes};
use super::error::{ConnectorError, FileLine};
use super::list::{CONNECTOR_FILE_BYTES_MAX, CONNECTORS_MAX};
use crate::dialect;
use csv::{Position, StringRecord};

/// What the export of a cmdlet is known by.
pub(in crate::sender) struct Export {
    /// Name of the cmdlet.
    pub cmdlet: &'static str,
    /// Columns without which there is no telling what a connector does.
    pub columns_needed: &'static [&'static str],
}

impl Export {
    /// Reads an export, UTF-8 or UTF-16, separated by comma, semicolon or tab; `entry`
    /// makes something of each row.
    pub(in crate::sender) fn read<T>(
        &self,
        bytes: &[u8],
        entry: impl Fn(&ExportRow<'_>) -> Result<T, ConnectorError>,
    ) -> Result<Vec<T>, ConnectorError> {
        if bytes.len() > CONNECTOR_FILE_BYTES_MAX {
            let what = format!("larger than {CONNECTOR_FILE_BYTES_MAX} bytes");
            return Err(ConnectorError::at(FileLine(0), what));
        }
        let text = text(bytes)?;
        let (said, text, skipped_lines) = without_preamble(&text);
        let header = text.lines().next().unwrap_or_default();
        let (delimiter, first_line) = (said.unwrap_or_else(|| dialect::separator(header)), 1 + skipped_lines);
        check_quotes(text, delimiter, first_line)
            .map_err(|(line, what)| ConnectorError::at(FileLine(line), format!("not CSV: {what}")))?;
        let mut lines = CsvLines::new(text, first_line);
        let mut place = |at: Option<&Position>| FileLine(at.map_or(0, |at| lines.of_record(at.byte())));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let broken = |error: csv::Error| ConnectorError::at(FileLine(0), format!("not CSV: {error}"));
        let header = reader.headers().map_err(broken)?.clone();
        let header = Header::new(&header, place(header.position()), self)?;
        let mut entries = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            if entries.len() == CONNECTORS_MAX {
                return Err(ConnectorError::at(
                    FileLine(0),
                    format!("more than {CONNECTORS_MAX} connectors"),
                ));
            }
            let row = ExportRow { header: &header, place: place(record.position()), record: &record };
            row.check_cells()?;
            entries.push(entry(&row)?);
        }
        Ok(entries)
    }
}

/// Bytes as text.
fn text(bytes: &[u8]) -> Result<String, ConnectorError> {
    let (encoding, mark_bytes) = dialect::encoding(bytes);
    let bytes = bytes.get(mark_bytes..).unwrap_or_default();
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(Into::into).ok_or_else(|| {
        let what = format!("not {} text; export it with -Encoding UTF8", encoding.name());
        ConnectorError::at(FileLine(0), what)
    })
}

/// Without the lines before the header, which name the type of the exported
/// objects or say the separator; gives that and the number of lines.
fn without_preamble(text: &str) -> (Option<u8>, &str, u64) {
    let (mut said, mut rest, mut lines) = (None, text, 0);
    while let Some((first, behind)) = rest.split_once('\n') {
        let separator = dialect::said_separator(first);
        if separator.is_none() && !dialect::is_type_line(first) {
            break;
        }
        said = separator.or(said);
        (rest, lines) = (behind, lines + 1);
    }
    (said, rest, lines)
}

/// Which column is where.
struct Header(Vec<String>);

impl Header {
    fn new(record: &StringRecord, place: FileLine, export: &Export) -> Result<Self, ConnectorError> {
        let header = Self(record.iter().map(str::to_ascii_lowercase).collect());
        let again = record.iter().enumerate().find(|(at, name)| {
            !name.is_empty() && record.iter().take(*at).any(|one| one.eq_ignore_ascii_case(name))
        });
        if let Some((_, name)) = again {
            return Err(ConnectorError::at(place, format!("column {name} occurs twice")));
        }
        match export.columns_needed.iter().find(|name| header.index(name).is_none()) {
            Some(missing) => {
                let what = format!("no column {missing}: not an export of {}", export.cmdlet);
                Err(ConnectorError::at(place, what))
            }
            None => Ok(header),
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column.eq_ignore_ascii_case(name))
    }
}

/// One connector.
pub(in crate::sender) struct ExportRow<'a> {
    header: &'a Header,
    record: &'a StringRecord,
    /// Where it begins.
    pub place: FileLine,
}

impl ExportRow<'_> {
    fn check_cells(&self) -> Result<(), ConnectorError> {
        let (cells, columns) = (self.record.len(), self.header.0.len());
        if cells > columns {
            let what = format!("{cells} cells under {columns} columns; a cell with a separator needs quotes");
            return Err(self.wrong(what));
        }
        // What is missing would pass for empty.
        if cells < columns {
            return Err(self.wrong(format!("{cells} cells under {columns} columns; the row is cut short")));
        }
        Ok(())
    }

    /// Whether the export has this column.
    pub(in crate::sender) fn has(&self, column: &str) -> bool {
        self.header.index(column).is_some()
    }

    /// A cell, empty where there is none.
    pub(in crate::sender) fn cell(&self, column: &str) -> &str {
        let index = self.header.index(column);
        index.and_then(|index| self.record.get(index)).unwrap_or_default()
    }

    fn wrong(&self, what: impl Into<String>) -> ConnectorError {
        ConnectorError::of(self.place, self.cell("Name"), what)
    }

    /// A cell that says True or False; `default` where it is empty.
    pub(in crate::sender) fn flag(&self, column: &str, default: bool) -> Result<bool, ConnectorError> {
        match self.cell(column).trim_start_matches('$').to_ascii_lowercase().as_str() {
            "" | "null" => Ok(default),
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(self.wrong(format!("{column} `{other}` is neither True nor False"))),
        }
    }

    /// The values of a cell that somebody joined by `;`, `,` or blanks.
    pub(in crate::sender) fn values(&self, column: &str) -> Result<Vec<String>, ConnectorError> {
        let cell = self.cell(column);
        if cell.starts_with("System.") || cell.starts_with("Microsoft.") {
            let what = format!(
                "{column} holds the name of a type, not the values; join them before Export-Csv: \
                @{{n='{column}';e={{$_.{column} -join ';'}}}}"
            );
            return Err(self.wrong(what));
        }
        let bare = cell.trim_start_matches('{').trim_end_matches('}');
        let parts = bare.split(|c: char| matches!(c, ';' | ',') || c.is_whitespace());
        let values = parts.map(|part| part.trim_matches('"')).filter(|part| !part.is_empty());
        Ok(values.filter(|value| !value.eq_ignore_ascii_case("$null")).map(str::to_string).collect())
    }
}
