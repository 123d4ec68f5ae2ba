//! Tables written and read back by the reader of the library.

use super::*;
use crate::run_dir::columns::{CellKind, Why};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use std::fs::File;
use std::io::Write;

const fn column(name: &'static str, kind: CellKind) -> RunColumn {
    RunColumn { name, doc: "", values: &[], kind, why: Why::Nothing, is_due: false }
}

const COLUMNS: &[RunColumn] = &[
    column("word", CellKind::Text),
    column("words", CellKind::List),
    column("count", CellKind::Number),
    column("is_so", CellKind::Flag),
    column("at", CellKind::Time),
    column("tickets", CellKind::NumberOrWord),
];

/// Rows of every kind of cell, and of empty ones.
const ROWS: &[[&str; 6]] = &[
    ["a", "x y", "3", "yes", "2026-11-27T10:00:00.123456Z", "2"],
    ["", "", "", "", "", ""],
    ["é \"b\",", "z", "9223372036854775807", "no", "1969-12-31T23:59:59Z", "undetermined:not_recorded"],
];

fn file(rows: &[[&str; 6]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let about = [("sender", "google".to_string())];
    let mut table = Box::new(ParquetTable::new(&mut bytes, "domains", COLUMNS, &about).unwrap());
    rows.iter().for_each(|row| table.write(row).unwrap());
    table.finish().unwrap();
    bytes
}

fn reader(bytes: Vec<u8>) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    SerializedFileReader::new(file).unwrap()
}

/// The cells of a row, as the CSV would have them.
fn read_back(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let text = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Long(number) => number.to_string(),
        Field::Bool(flag) => if *flag { "yes" } else { "no" }.to_string(),
        Field::TimestampMicros(micros) => jiff::Timestamp::from_microsecond(*micros).unwrap().to_string(),
        Field::ListInternal(list) => {
            let words = list.elements().iter().map(|element| match element {
                Field::Str(text) => text.as_str(),
                other => panic!("{other:?}"),
            });
            words.collect::<Vec<_>>().join(" ")
        }
        other => panic!("{other:?}"),
    };
    let reader = reader(bytes);
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| text(field)).collect()).collect()
}

#[test]
fn what_was_written_is_read_back_with_its_types() {
    let bytes = file(ROWS);
    assert_eq!(read_back(bytes.clone()), ROWS);
    let reader = reader(bytes);
    let metadata = reader.metadata().file_metadata();
    assert_eq!(metadata.created_by(), Some(concat!("mxray ", env!("CARGO_PKG_VERSION"))));
    let pairs = metadata.key_value_metadata().unwrap().iter();
    let pairs: Vec<(&str, &str)> =
        pairs.map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default())).collect();
    assert_eq!(pairs, [("mxray.schema", "2"), ("mxray.export", "1"), ("mxray.sender", "google")]);
    let mut schema = Vec::new();
    ::parquet::schema::printer::print_schema(&mut schema, metadata.schema());
    insta::assert_snapshot!(String::from_utf8(schema).unwrap());
    assert_eq!(read_back(file(&[])), Vec::<Vec<String>>::new());
}

#[test]
fn row_groups_are_bounded_by_rows_and_by_bytes() {
    let rows = vec![["a", "x y", "3", "no", "2026-11-27T10:00:00Z", ""]; ROW_GROUP_ROWS_MAX + 1];
    let sizes = |bytes: Vec<u8>| -> Vec<i64> {
        reader(bytes).metadata().row_groups().iter().map(|group| group.num_rows()).collect()
    };
    assert_eq!(sizes(file(&rows)), [ROW_GROUP_ROWS_MAX as i64, 1]);
    let long = "x".repeat(ROW_GROUP_BYTES_MAX / 4);
    let rows = vec![[long.as_str(), "", "", "", "", ""]; 9];
    assert_eq!(sizes(file(&rows)), [4, 4, 1]);
}

#[test]
fn a_cell_that_is_not_of_its_column_is_told() {
    for (place, cell, told) in [
        (2, "-", "count is no number"),
        (2, "18446744073709551616", "count is no number"),
        (3, "true", "is_so is neither yes nor no"),
        (4, "yesterday", "at is no moment"),
    ] {
        let mut row = ROWS[0];
        row[place] = cell;
        let mut bytes = Vec::new();
        let mut table = ParquetTable::new(&mut bytes, "domains", COLUMNS, &[]).unwrap();
        let Err(ExportError::Cell(cause)) = table.write(&row) else { panic!("{cell}") };
        assert_eq!(cause, told);
    }
}

#[test]
fn json_has_the_types_that_a_scan_writes() {
    let mut bytes = Vec::new();
    let mut table = Box::new(JsonExport::new(&mut bytes, COLUMNS));
    ROWS.iter().for_each(|row| table.write(row).unwrap());
    table.finish().unwrap();
    let lines = String::from_utf8(bytes).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[0],
        serde_json::json!({
            "word": "a", "words": "x y", "count": 3, "is_so": true, "at": "2026-11-27T10:00:00.123456Z", "tickets": 2
        })
    );
    assert!(lines[1].as_object().unwrap().values().all(serde_json::Value::is_null));
    assert_eq!(
        (&lines[2]["is_so"], &lines[2]["tickets"]),
        (&false.into(), &"undetermined:not_recorded".into())
    );
}

#[test]
fn csv_for_excel_has_no_formula_and_says_that_it_is_utf_8() {
    let mut bytes = Vec::new();
    let columns = &COLUMNS[..2];
    let mut table = Box::new(CsvExport::for_excel(&mut bytes, columns));
    for begin in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "'=1", ""] {
        table.write(&[begin, "é"]).unwrap();
    }
    table.finish().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["word", "words"]);
    let cells: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_string()).collect();
    assert_eq!(cells, ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "a=1", "'=1", ""]);
    // A program gets the cells as they are.
    let mut plain = Vec::new();
    let mut table = Box::new(CsvExport::new(&mut plain, columns));
    table.write(&["=1+1", "é"]).unwrap();
    table.finish().unwrap();
    assert_eq!(plain, "word,words\n=1+1,é\n".as_bytes());
}
