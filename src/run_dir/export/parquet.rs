//! A table as a Parquet file. Rows are gathered column by column, in groups of a bounded
//! size, for a group is written one column after the other.

use super::typed::TypedCell;
use super::{EXPORT_VERSION, ExportError, ExportWriter, RunColumn};
use crate::run_dir::SCHEMA_VERSION;
use crate::run_dir::columns::CellKind;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::io::{self, Write};
use std::sync::Arc;

/// Most rows of a row group.
pub const ROW_GROUP_ROWS_MAX: usize = 128 * 1024;

/// Most bytes of the cells of a row group, before they are packed.
pub const ROW_GROUP_BYTES_MAX: usize = 64 << 20;

/// Effort of zstd: beyond it files get hardly smaller.
const ZSTD_LEVEL: i32 = 6;

/// How often values stand in a list: at its begin, or further on (Parquet's repetition
/// levels).
const LIST_BEGIN: i16 = 0;
const LIST_GOES_ON: i16 = 1;

/// Whether there is a value (Parquet's definition levels): none, one in a plain column, one
/// in a list.
const ABSENT: i16 = 0;
const PRESENT: i16 = 1;
const PRESENT_IN_LIST: i16 = 2;

/// Writes a Parquet file.
pub struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<(RunColumn, Gathered)>,
    rows: usize,
    bytes: usize,
}

/// The cells of a column in the row group that is not written yet.
#[derive(Default)]
struct Gathered {
    values: Values,
    definitions: Vec<i16>,
    /// Only of a list.
    repetitions: Vec<i16>,
}

enum Values {
    /// Texts one behind the other, and where each ends.
    Text {
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
    Whole(Vec<i64>),
    Flags(Vec<bool>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Text { bytes: Vec::new(), ends: Vec::new() }
    }
}

impl Values {
    fn of(kind: CellKind) -> Self {
        match kind {
            CellKind::Number | CellKind::Time => Self::Whole(Vec::new()),
            CellKind::Flag => Self::Flags(Vec::new()),
            _ => Self::default(),
        }
    }

    fn push_text(&mut self, text: &str) {
        if let Self::Text { bytes, ends } = self {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len());
        }
    }
}

impl Gathered {
    fn of(kind: CellKind) -> Self {
        Self { values: Values::of(kind), ..Self::default() }
    }

    /// Takes a cell; the bytes that it takes.
    fn push(&mut self, cell: Option<TypedCell<'_>>, is_list: bool) -> usize {
        match cell {
            None => self.definitions.push(ABSENT),
            Some(TypedCell::List(words)) => return self.push_list(words),
            Some(TypedCell::Text(text)) => {
                self.values.push_text(text);
                self.definitions.push(PRESENT);
            }
            Some(TypedCell::Number(number) | TypedCell::Time(number)) => {
                if let Values::Whole(numbers) = &mut self.values {
                    numbers.push(number);
                }
                self.definitions.push(PRESENT);
            }
            Some(TypedCell::Flag(flag)) => {
                if let Values::Flags(flags) = &mut self.values {
                    flags.push(flag);
                }
                self.definitions.push(PRESENT);
            }
        }
        if is_list {
            self.repetitions.push(LIST_BEGIN);
        }
        match cell {
            Some(TypedCell::Text(text)) => text.len() + size_of::<usize>(),
            _ => size_of::<i64>(),
        }
    }

    fn push_list(&mut self, words: &str) -> usize {
        let mut level = LIST_BEGIN;
        for word in words.split(' ') {
            self.values.push_text(word);
            self.definitions.push(PRESENT_IN_LIST);
            self.repetitions.push(level);
            level = LIST_GOES_ON;
        }
        words.len() + size_of::<usize>()
    }

    fn write(self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let definitions = Some(self.definitions.as_slice());
        let repetitions = (!self.repetitions.is_empty()).then_some(self.repetitions.as_slice());
        match self.values {
            Values::Text { bytes, ends } => {
                let whole = ByteArray::from(bytes);
                let begins = std::iter::once(0).chain(ends.iter().copied());
                let texts: Vec<ByteArray> =
                    begins.zip(&ends).map(|(begin, end)| whole.slice(begin, end - begin)).collect();
                column.typed::<ByteArrayType>().write_batch(&texts, definitions, repetitions)
            }
            Values::Whole(numbers) => {
                column.typed::<Int64Type>().write_batch(&numbers, definitions, repetitions)
            }
            Values::Flags(flags) => column.typed::<BoolType>().write_batch(&flags, definitions, repetitions),
        }?;
        Ok(())
    }
}

/// A column of the schema. Every one may be empty.
fn field(column: &RunColumn) -> Result<TypePtr> {
    let text = |name: &str, repetition| {
        Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_repetition(repetition)
            .with_logical_type(Some(LogicalType::String))
            .build()
    };
    let plain = |physical, logical| {
        Type::primitive_type_builder(column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
    };
    let field = match column.kind {
        CellKind::Number => plain(Physical::INT64, None),
        CellKind::Flag => plain(Physical::BOOLEAN, None),
        CellKind::Time => plain(Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        CellKind::Text | CellKind::NumberOrWord | CellKind::FlagOrWord => {
            text(column.name, Repetition::OPTIONAL)
        }
        CellKind::List => {
            let element = Arc::new(text("element", Repetition::REQUIRED)?);
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![element])
                .build()?;
            Type::group_type_builder(column.name)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![Arc::new(list)])
                .build()
        }
    };
    field.map(Arc::new)
}

impl<W: Write + Send> ParquetTable<W> {
    /// Writes the beginning of a file whose schema has the name `table`. `about` goes into
    /// its metadata, with `mxray.` before each key.
    ///
    /// # Errors
    /// That of the writer.
    pub fn new(writer: W, table: &str, columns: &[RunColumn], about: &[(&str, String)]) -> io::Result<Self> {
        Self::begin(writer, table, columns, about).map_err(io_error)
    }

    fn begin(writer: W, table: &str, columns: &[RunColumn], about: &[(&str, String)]) -> Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder(table).with_fields(fields).build()?;
        let versions = [("schema", SCHEMA_VERSION.to_string()), ("export", EXPORT_VERSION.to_string())];
        let metadata = versions.iter().chain(about);
        let metadata = metadata.map(|(key, value)| KeyValue::new(format!("mxray.{key}"), value.clone()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .set_created_by(format!("mxray {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        let writer = SerializedFileWriter::new(writer, Arc::new(schema), Arc::new(properties))?;
        let columns = columns.iter().map(|column| (*column, Gathered::of(column.kind))).collect();
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for (column, gathered) in &mut self.columns {
            let gathered = std::mem::replace(gathered, Gathered::of(column.kind));
            let Some(mut writer) = group.next_column()? else { break };
            gathered.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

/// The cause behind an error of the library, where it is one of the system.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

impl<W: Write + Send> ExportWriter for ParquetTable<W> {
    fn write(&mut self, cells: &[&str]) -> std::result::Result<(), ExportError> {
        for ((column, gathered), cell) in self.columns.iter_mut().zip(cells) {
            let cell = TypedCell::read(column.name, column.kind, cell).map_err(ExportError::Cell)?;
            self.bytes += gathered.push(cell, column.kind == CellKind::List);
        }
        self.rows += 1;
        if self.rows >= ROW_GROUP_ROWS_MAX || self.bytes >= ROW_GROUP_BYTES_MAX {
            self.write_group().map_err(io_error)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group().map_err(io_error)?;
        }
        self.writer.finish().map_err(io_error)?;
        Ok(())
    }
}
