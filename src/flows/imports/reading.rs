//! The next batch of a file, straight from its pieces.

use crate::features::imports::mapping::Mapping;
use crate::features::imports::records::{Pieces, Place, ReadError, Records};
use crate::features::imports::rows::{FileError, Layout, Rejection, Row};
use crate::features::imports::{Import, chunk};
use crate::kernel::ctx::Scope;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use csv::ByteRecord;
use std::collections::HashSet;

/// Rows in a batch at most.
const BATCH_ROWS: i64 = 5_000;
/// Bytes of the file in a batch at most, give or take a record.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// Rows of a file that were read and checked, each by itself.
#[derive(Debug)]
pub struct Portion {
    /// How the file is laid out.
    pub layout: Layout,
    /// The rows that are valid by themselves; no key comes twice.
    pub rows: Vec<Row>,
    /// Why the others are not.
    pub rejections: Vec<Rejection>,
    /// How many rows were read.
    pub rows_read: i64,
    /// How many of them were refused.
    pub rows_rejected: i64,
    /// Where the next row starts.
    pub next: Place,
    /// Whether the file has no more rows.
    pub is_last: bool,
}

/// Reads on from where the import stands. The inner error is about the file and ends the import.
pub fn portion(
    tx: &mut Tx<'_>,
    scope: &Scope,
    import: &Import,
) -> Result<Result<Portion, FileError>, Problem> {
    let mapping = import.mapping()?;
    let delimiter = mapping.delimiter;
    let fetch = |position| chunk(tx, scope, import.id, position);
    let mut records = Records::from_beginning(Pieces::from(0, fetch)?, delimiter);
    let layout = match layout(&mut records, mapping) {
        Ok(layout) => layout,
        Err(stop) => return stop.into_outcome(),
    };
    if import.next.line == 0 {
        return Reading::of(layout, import).read(records);
    }
    let fetch = |position| chunk(tx, scope, import.id, position);
    let pieces = Pieces::from(import.next.offset, fetch)?;
    Reading::of(layout, import).read(Records::from_place(pieces, import.next, delimiter))
}

/// Why reading cannot go on.
enum Stop {
    File(FileError),
    Source(Problem),
}

impl Stop {
    fn into_outcome<T>(self) -> Result<Result<T, FileError>, Problem> {
        match self {
            Self::File(error) => Ok(Err(error)),
            Self::Source(problem) => Err(problem),
        }
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Source(problem) => Self::Source(problem),
            error @ ReadError::TooLong(_) => Self::File(FileError::new("row_too_long", format!("{error}."))),
            error @ ReadError::Unterminated(_) => {
                Self::File(FileError::new("unterminated_quote", format!("{error}.")))
            }
        }
    }
}

fn layout<Source: std::io::Read>(records: &mut Records<Source>, mapping: Mapping) -> Result<Layout, Stop> {
    let mut headings = ByteRecord::new();
    match records.next(&mut headings)? {
        Some(_) => Layout::new(mapping, &headings).map_err(Stop::File),
        None => Err(Stop::File(FileError::new("empty_file", "The file is empty."))),
    }
}

/// A batch that is being read.
struct Reading {
    portion: Portion,
    keys: HashSet<String>,
    total_bytes: u64,
}

impl Reading {
    fn of(layout: Layout, import: &Import) -> Self {
        Self {
            portion: Portion {
                layout,
                rows: Vec::new(),
                rejections: Vec::new(),
                rows_read: 0,
                rows_rejected: 0,
                next: import.next,
                is_last: false,
            },
            keys: HashSet::new(),
            total_bytes: u64::try_from(import.file_bytes).unwrap_or(u64::MAX),
        }
    }

    fn read<Source: std::io::Read>(
        mut self,
        mut records: Records<Source>,
    ) -> Result<Result<Portion, FileError>, Problem> {
        let (mut record, mut start) = (ByteRecord::new(), None);
        loop {
            let place = match records.next(&mut record) {
                Ok(Some(place)) => place,
                Ok(None) => break,
                Err(error) => return Stop::from(error).into_outcome(),
            };
            let start = *start.get_or_insert(place.offset);
            if self.portion.rows_read == BATCH_ROWS || place.offset - start > BATCH_BYTES {
                self.portion.next = place;
                return Ok(Ok(self.portion));
            }
            self.take(place, &record);
        }
        self.portion.next = Place {
            offset: self.total_bytes,
            line: self.portion.next.line.max(1),
        };
        self.portion.is_last = true;
        Ok(Ok(self.portion))
    }

    fn take(&mut self, place: Place, record: &ByteRecord) {
        let portion = &mut self.portion;
        portion.rows_read += 1;
        match portion.layout.row(place.line, record) {
            Ok(row) if self.keys.insert(row.identity().to_owned()) => portion.rows.push(row),
            Ok(row) => {
                portion.rejections.push(duplicate(&portion.layout, &row));
                portion.rows_rejected += 1;
            }
            Err(rejections) => {
                portion.rejections.extend(rejections);
                portion.rows_rejected += 1;
            }
        }
    }
}

/// A row whose key the file named before.
pub fn duplicate(layout: &Layout, row: &Row) -> Rejection {
    Rejection {
        line: row.line,
        column: layout.label_of_identity().to_owned(),
        code: "duplicate_in_file",
        message: format!("An earlier row of the file has this {}.", layout.identity()),
    }
}
