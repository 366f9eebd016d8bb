//! The file as records, read in pieces and never as a whole, each with the place where it starts.

use crate::kernel::problem::Problem;
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use thiserror::Error;

/// The size of every piece of an uploaded file but the last, in bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The longest record, in bytes. A quotation mark without its twin makes one record of all that follows it.
const RECORD_LIMIT: u64 = 1024 * 1024;
/// Some programs begin a UTF-8 file with this.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Its physical line, counted from 1; 0 before anything was read.
    pub line: u64,
}

/// Why reading stopped.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A record that starts on this line has no end within reach.
    #[error("The row that starts on line {0} is longer than 1 MiB; a quotation mark may lack its twin")]
    TooLong(u64),
    /// The file ends within a quotation that this row opens.
    #[error(
        "The row that starts on line {0} opens a quotation mark that is never closed; the file may be cut off"
    )]
    Unterminated(u64),
    /// The pieces could not be had.
    #[error(transparent)]
    Source(#[from] Problem),
}

/// The pieces of a file as one stream, from any offset on.
pub struct Pieces<Fetch> {
    fetch: Fetch,
    position: i32,
    piece: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<Fetch> fmt::Debug for Pieces<Fetch> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pieces")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl<Fetch: FnMut(i32) -> Result<Option<Vec<u8>>, Problem>> Pieces<Fetch> {
    /// Starts at `offset`; `fetch` gets the piece of a number, counted from 0.
    pub fn from(offset: u64, mut fetch: Fetch) -> Result<Self, Problem> {
        let size = CHUNK_BYTES as u64;
        let position = i32::try_from(offset / size).map_err(Problem::damaged)?;
        let at = usize::try_from(offset % size).map_err(Problem::damaged)?;
        let piece = fetch(position)?;
        Ok(Self {
            fetch,
            position,
            is_over: piece.is_none(),
            piece: piece.unwrap_or_default(),
            at,
        })
    }

    fn starts_with(&self, start: &[u8]) -> bool {
        self.piece
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(start))
    }
}

impl<Fetch: FnMut(i32) -> Result<Option<Vec<u8>>, Problem>> Read for Pieces<Fetch> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.is_over && self.at >= self.piece.len() {
            self.position += 1;
            let piece = (self.fetch)(self.position).map_err(io::Error::other)?;
            self.is_over = piece.is_none();
            self.piece = piece.unwrap_or_default();
            self.at = 0;
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let length = rest.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.at += length;
        Ok(length)
    }
}

/// Where in a record the stream stands, as RFC 4180 quotes fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    /// Before the first byte of a field.
    FieldStart,
    /// In a field without quotation marks.
    Plain,
    /// Between the quotation marks of a field.
    Inside,
    /// After a quotation mark that ends the field, unless another one follows.
    Closing,
}

impl Quoting {
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::FieldStart | Self::Closing, b'"') => Self::Inside,
            (Self::Inside, b'"') => Self::Closing,
            (Self::Inside, _) => Self::Inside,
            (_, b'\n' | b'\r') => Self::FieldStart,
            (_, byte) if byte == delimiter => Self::FieldStart,
            _ => Self::Plain,
        }
    }
}

/// Watches a stream go by and remembers where its lines start; blank lines count but start nothing.
struct Lines<Source> {
    source: Source,
    delimiter: u8,
    quoting: Quoting,
    is_over: bool,
    next: Place,
    is_blank: bool,
    after_return: bool,
    starts: RefCell<VecDeque<Place>>,
    record_offset: Cell<u64>,
}

impl<Source> Lines<Source> {
    fn new(source: Source, from: Place, delimiter: u8) -> Self {
        Self {
            source,
            delimiter,
            quoting: Quoting::FieldStart,
            is_over: false,
            next: from,
            is_blank: true,
            after_return: false,
            starts: RefCell::default(),
            record_offset: Cell::new(from.offset),
        }
    }

    fn watch(&mut self, bytes: &[u8]) {
        let starts = self.starts.get_mut();
        for &byte in bytes {
            self.quoting = self.quoting.after(byte, self.delimiter);
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.next.line += 1;
                    self.is_blank = true;
                    self.after_return = byte == b'\r';
                }
                _ => {
                    if self.is_blank {
                        starts.push_back(self.next);
                        self.is_blank = false;
                    }
                    self.after_return = false;
                }
            }
            self.next.offset += 1;
        }
    }

    /// Whether the stream has ended within a quotation.
    fn ends_inside_quotes(&self) -> bool {
        self.is_over && self.quoting == Quoting::Inside
    }

    /// The first line with content at or after this offset; earlier ones are forgotten.
    fn start_from(&self, offset: u64) -> Place {
        let mut starts = self.starts.borrow_mut();
        while starts.front().is_some_and(|start| start.offset < offset) {
            starts.pop_front();
        }
        starts.front().copied().unwrap_or(self.next)
    }
}

impl<Source: Read> Read for Lines<Source> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.next.offset.saturating_sub(self.record_offset.get()) > RECORD_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = self.source.read(into)?;
        self.is_over = length == 0 && !into.is_empty();
        let (bytes, _) = into.split_at(length);
        self.watch(bytes);
        Ok(length)
    }
}

/// The records of a file from one place on.
pub struct Records<Source: Read> {
    reader: Reader<Lines<Source>>,
    base: u64,
}

impl<Source: Read> fmt::Debug for Records<Source> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Records")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl<Fetch: FnMut(i32) -> Result<Option<Vec<u8>>, Problem>> Records<Pieces<Fetch>> {
    /// Reads from the file's beginning; a byte order mark is dropped.
    pub fn from_beginning(mut pieces: Pieces<Fetch>, delimiter: u8) -> Self {
        let mark = BYTE_ORDER_MARK.len();
        let offset = if pieces.starts_with(BYTE_ORDER_MARK) {
            mark
        } else {
            0
        };
        pieces.at += offset;
        let place = Place {
            offset: offset as u64,
            line: 1,
        };
        Self::from_place(pieces, place, delimiter)
    }
}

impl<Source: Read> Records<Source> {
    /// Reads from a place on; the source stands there already.
    pub fn from_place(source: Source, place: Place, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Lines::new(source, place, delimiter));
        Self {
            reader,
            base: place.offset,
        }
    }

    /// Reads the next record and says where it starts; `None` at the end of the file.
    pub fn next(&mut self, record: &mut ByteRecord) -> Result<Option<Place>, ReadError> {
        let offset = self.base + self.reader.position().byte();
        self.reader.get_ref().record_offset.set(offset);
        match self.reader.read_byte_record(record) {
            Ok(true) => {
                let lines = self.reader.get_ref();
                let place = lines.start_from(offset);
                if lines.ends_inside_quotes() {
                    return Err(ReadError::Unterminated(place.line));
                }
                Ok(Some(place))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(self.explain(error, offset)),
        }
    }

    fn explain(&self, error: csv::Error, offset: u64) -> ReadError {
        let line = self.reader.get_ref().start_from(offset).line;
        match error.into_kind() {
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => ReadError::TooLong(line),
            ErrorKind::Io(error) => ReadError::Source(match error.downcast::<Problem>() {
                Ok(problem) => problem,
                Err(error) => Problem::damaged(error),
            }),
            other => ReadError::Source(Problem::damaged(format!("{other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> Option<u64> {
        let place = Place { offset: 0, line: 1 };
        let mut records = Records::from_place(text.as_bytes(), place, b',');
        let mut record = ByteRecord::new();
        loop {
            match records.next(&mut record) {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(ReadError::Unterminated(line)) => return Some(line),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_quotation_that_never_closes_is_named_by_its_line() {
        assert_eq!(fault("a,b\n\"c\",\"d\ne\"\nf,\"g\nh"), Some(4));
        assert_eq!(fault("a,\"\"\"b\"\"\""), None);
        assert_eq!(fault("a,b\"c\n"), None);
    }

    proptest! {
        /// What follows a closed file is a row of its own; what follows an open quotation is swallowed by it.
        #[test]
        fn the_end_is_seen_as_the_reader_of_csv_sees_it(text in "[\",\n\r ax]{0,24}") {
            let longer = format!("{text}\nZ");
            let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(longer.as_bytes());
            let last = reader.byte_records().last().and_then(Result::ok).unwrap_or_default();
            let is_swallowed = last != vec!["Z"];
            prop_assert_eq!(fault(&text).is_some(), is_swallowed);
        }
    }
}
