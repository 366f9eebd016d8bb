//! One record of the file as typed cells, or everything that is wrong with it.

use super::headings::column;
use super::mapping::{FieldMapping, Mapping, Source};
use super::rate_columns::{rate, rate_columns};
use super::targets::Kind;
use crate::kernel::money::{Currency, Money, MoneyError, plain_decimal};
use crate::kernel::patch::Patch;
use crate::platform::web::fields::money_code;
use chrono::format::{Item, Parsed, parse};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SubsecRound, Utc};
use csv::ByteRecord;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::str::from_utf8;

const NAME_LIMIT: usize = 255;
const DOMAIN_LIMIT: usize = 253;

/// Why the whole file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// A stable code.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
}

impl FileError {
    /// An error of this code.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// Why one row is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The physical line on which the row starts.
    pub line: u64,
    /// The column's heading, or our field's name; empty when it is about the whole row.
    pub column: String,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// What one cell means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, a key or a word.
    Text(String),
    /// An amount in the row's currency.
    Amount(Decimal),
    /// A day.
    Date(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

/// A row whose every cell is valid by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The physical line on which it starts.
    pub line: u64,
    /// The mapped fields; `None` where the cell is empty.
    cells: Vec<(&'static str, Option<Value>)>,
    /// Rates by their currency, in a file that has a column for each.
    rates: Vec<(String, Decimal)>,
}

impl Row {
    /// The text of a field that every valid row has.
    pub fn key(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// What the row is known by within its file: its first field.
    pub fn identity(&self) -> &str {
        self.cells.first().map_or("", |(name, _)| self.key(name))
    }

    /// The rates of the row's day, by currency.
    pub fn rates(&self) -> &[(String, Decimal)] {
        &self.rates
    }

    /// The text of a field, if it is mapped and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// What the row does to an optional text: unmapped leaves it, an empty cell clears it.
    pub fn change(&self, name: &str) -> Patch<String> {
        match self.cell(name) {
            None => Patch::Absent,
            Some(Some(Value::Text(text))) => Patch::Set(text.clone()),
            Some(_) => Patch::Clear,
        }
    }

    /// What the row does to an optional day.
    pub fn date_change(&self, name: &str) -> Patch<NaiveDate> {
        match self.cell(name) {
            None => Patch::Absent,
            Some(Some(Value::Date(date))) => Patch::Set(*date),
            Some(_) => Patch::Clear,
        }
    }

    /// The amount of a field; nothing when it is not given.
    pub fn amount(&self, name: &str) -> Decimal {
        match self.value(name) {
            Some(Value::Amount(amount)) => *amount,
            _ => Decimal::ZERO,
        }
    }

    /// What the row does to an optional amount.
    pub fn amount_change(&self, name: &str) -> Patch<Decimal> {
        match self.cell(name) {
            None => Patch::Absent,
            Some(Some(Value::Amount(amount))) => Patch::Set(*amount),
            Some(_) => Patch::Clear,
        }
    }

    /// The instant of a field.
    pub fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        match self.value(name) {
            Some(Value::Instant(instant)) => Some(*instant),
            _ => None,
        }
    }

    /// The day of a field.
    pub fn date(&self, name: &str) -> Option<NaiveDate> {
        match self.value(name) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }

    fn cell(&self, name: &str) -> Option<&Option<Value>> {
        let found = self.cells.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.cell(name).and_then(Option::as_ref)
    }
}

/// A mapping laid over the headings of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    mapping: Mapping,
    headings: Vec<String>,
    /// The column of each field of the mapping; `None` for constants.
    columns: Vec<Option<usize>>,
    /// The columns of rates, in a file of rates.
    rates: Vec<usize>,
}

impl Layout {
    /// Finds the mapped columns among the headings.
    pub fn new(mapping: Mapping, headings: &ByteRecord) -> Result<Self, FileError> {
        let read = |heading: &[u8]| from_utf8(heading).map(|text| text.trim().to_owned());
        let headings: Vec<String> = headings
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|_| FileError::new("invalid_encoding", "The headings are not UTF-8."))?;
        if headings.iter().any(|heading| heading.contains('\0')) {
            let detail = "The headings hold NUL characters; the file is not UTF-8 text.";
            return Err(FileError::new("invalid_encoding", detail));
        }
        let columns: Vec<Option<usize>> = mapping
            .fields
            .iter()
            .map(|field| column(&headings, field))
            .collect::<Result<_, _>>()?;
        let rates = rate_columns(&mapping, &headings, &columns);
        Ok(Self {
            mapping,
            headings,
            columns,
            rates,
        })
    }

    /// The field that rows are known by.
    pub fn identity(&self) -> &'static str {
        self.mapping.fields.first().map_or("", |field| field.target.name)
    }

    /// What a person would look for in the file to find what rows are known by.
    pub fn label_of_identity(&self) -> &str {
        self.mapping.fields.first().map_or("", FieldMapping::label)
    }

    /// What a person would look for in the file to find this field.
    pub fn label(&self, name: &str) -> &str {
        let field = self.mapping.fields.iter().find(|field| field.target.name == name);
        field.map_or("", FieldMapping::label)
    }

    /// Whether credit notes are written as negative amounts.
    pub fn credit_notes_negative(&self) -> bool {
        self.mapping
            .fields
            .iter()
            .any(|field| field.credit_notes_negative)
    }

    /// Reads one record; everything that is wrong with it comes back at once.
    pub fn row(&self, line: u64, record: &ByteRecord) -> Result<Row, Vec<Rejection>> {
        let cells = self.texts(line, record).map_err(|rejection| vec![rejection])?;
        let mut reading = Reading {
            line,
            rejections: Vec::new(),
            currency: None,
        };
        reading.currency = self.currency(&cells);
        let mut row = Row {
            line,
            cells: Vec::with_capacity(self.columns.len()),
            rates: Vec::new(),
        };
        for (field, column) in self.mapping.fields.iter().zip(&self.columns) {
            let text = match (&field.source, column) {
                (Source::Column(_), Some(column)) => cells.get(*column).copied().unwrap_or_default(),
                (Source::Constant(text), _) => text,
                (Source::Column(_), None) => "",
            };
            row.cells.push((field.target.name, reading.cell(field, text)));
        }
        for column in &self.rates {
            let (text, heading) = (cells[*column], &self.headings[*column]);
            match rate(text) {
                Ok(rate) => row.rates.extend(rate.map(|rate| (heading.clone(), rate))),
                Err(message) => reading.rejections.push(Rejection {
                    line,
                    column: heading.clone(),
                    code: "invalid_rate",
                    message: message.to_owned(),
                }),
            }
        }
        if reading.rejections.is_empty() {
            Ok(row)
        } else {
            Err(reading.rejections)
        }
    }

    /// The record's cells as trimmed text.
    fn texts<'r>(&self, line: u64, record: &'r ByteRecord) -> Result<Vec<&'r str>, Rejection> {
        let (expected, found) = (self.headings.len(), record.len());
        if expected != found {
            return Err(Rejection {
                line,
                column: String::new(),
                code: "ragged_row",
                message: format!("The row has {found} cells, but there are {expected} headings."),
            });
        }
        let read = |(cell, heading): (&'r [u8], &String)| {
            from_utf8(cell).map(str::trim).map_err(|_| Rejection {
                line,
                column: heading.clone(),
                code: "invalid_encoding",
                message: "The cell is not UTF-8.".to_owned(),
            })
        };
        record.iter().zip(&self.headings).map(read).collect()
    }

    /// The row's currency, which says how many decimals its amounts have.
    fn currency(&self, cells: &[&str]) -> Option<Currency> {
        let fields = self.mapping.fields.iter().zip(&self.columns);
        let (field, column) = fields
            .into_iter()
            .find(|(field, _)| field.target.kind == Kind::Currency)?;
        let text = match (&field.source, column) {
            (Source::Constant(text), _) => text,
            (_, column) => cells.get((*column)?).copied()?,
        };
        Currency::from_code(meaning(field, text)).ok()
    }
}

/// Their word as ours; the default where the cell is empty.
fn meaning<'a>(field: &'a FieldMapping, text: &'a str) -> &'a str {
    match (field.values.get(text), text) {
        (Some(ours), _) => ours,
        (None, "") => field.default.as_deref().unwrap_or_default(),
        (None, text) => text,
    }
}

/// The state of reading one record.
struct Reading {
    line: u64,
    rejections: Vec<Rejection>,
    currency: Option<Currency>,
}

impl Reading {
    fn cell(&mut self, field: &FieldMapping, text: &str) -> Option<Value> {
        let text = meaning(field, text);
        if text.is_empty() {
            if field.target.required {
                self.reject(field, "missing", "The cell must not be empty.");
            }
            return None;
        }
        match self.value(field, text) {
            Ok(value) => value,
            Err((code, message)) => {
                self.reject(field, code, &message);
                None
            }
        }
    }

    fn reject(&mut self, field: &FieldMapping, code: &'static str, message: &str) {
        self.rejections.push(Rejection {
            line: self.line,
            column: field.label().to_owned(),
            code,
            message: message.to_owned(),
        });
    }

    fn value(&self, field: &FieldMapping, text: &str) -> Result<Option<Value>, (&'static str, String)> {
        let refuse = |code, message: &str| Err((code, message.to_owned()));
        let value = match field.target.kind {
            Kind::Key | Kind::Text if text.contains('\0') => {
                return refuse("invalid_text", "The text holds a NUL character.");
            }
            Kind::Key | Kind::Text if text.chars().count() > NAME_LIMIT => {
                return refuse("too_long", "The text may have at most 255 characters.");
            }
            Kind::Key | Kind::Text => Value::Text(text.to_owned()),
            Kind::Domain => Value::Text(domain(text).ok_or_else(|| {
                (
                    "invalid_format",
                    "Write an internet domain such as nordlicht.example.".to_owned(),
                )
            })?),
            Kind::Country if is_upper(text, 2) => Value::Text(text.to_owned()),
            Kind::Country => return refuse("invalid_format", "Write ISO 3166-1 alpha-2, such as DE."),
            Kind::Countries => match countries(text) {
                Some(countries) => Value::Text(countries),
                None => return refuse("invalid_format", "Write ISO 3166-1 alpha-2, such as AT;CH;DE."),
            },
            Kind::Word(words) if words.contains(&text) => Value::Text(text.to_owned()),
            Kind::Word(words) => {
                return Err(("unknown_value", format!("Known values: {}.", words.join(", "))));
            }
            Kind::Currency => match Currency::from_code(text) {
                Ok(currency) => Value::Text(currency.code().to_owned()),
                Err(error) => return refuse("unknown_currency", &sentence(&error.to_string())),
            },
            // Without a currency there is no telling how many decimals are too many; the currency is refused itself.
            Kind::Amount => match self.currency {
                Some(currency) => Value::Amount(
                    amount(field, text, currency)
                        .map_err(|error| (money_code(&error), sentence(&error.to_string())))?,
                ),
                None => return Ok(None),
            },
            Kind::Day => match moment(field, text) {
                Some(moment) => Value::Text(moment.date_naive().to_string()),
                None => return refuse("invalid_date", "The cell is no day in the declared format."),
            },
            Kind::Date => match moment(field, text) {
                Some(moment) => Value::Date(moment.date_naive()),
                None => return refuse("invalid_date", "The cell is no day in the declared format."),
            },
            Kind::Instant => match moment(field, text) {
                Some(moment) => Value::Instant(moment),
                None => return refuse("invalid_date", "The cell is no instant in the declared format."),
            },
        };
        Ok(Some(value))
    }
}

/// `expected at most 2 decimals` as `Expected at most 2 decimals.`
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let end = (!words.ends_with('.')).then_some('.');
    first.into_iter().chain(letters).chain(end).collect()
}

/// Whether the text is so many upper-case letters.
pub(super) fn is_upper(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The countries of a cell, each once and in order.
fn countries(text: &str) -> Option<String> {
    let named: BTreeSet<&str> = text
        .split([' ', ',', ';', '|'])
        .filter(|one| !one.is_empty())
        .collect();
    let is_whole = named.iter().all(|one| is_upper(one, 2)) && !named.is_empty();
    is_whole.then(|| named.into_iter().collect::<Vec<_>>().join(" "))
}

fn domain(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let is_inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let fits = text.len() <= DOMAIN_LIMIT
        && text.bytes().all(is_inner)
        && is_end(text.bytes().next())
        && is_end(text.bytes().next_back());
    fits.then_some(text)
}

fn amount(field: &FieldMapping, text: &str, currency: Currency) -> Result<Decimal, MoneyError> {
    let money = match field.rounding {
        None => Money::parse(text, currency)?,
        Some(rounding) => {
            let exact = plain_decimal(text).ok_or(MoneyError::NotADecimal)?;
            Money::rounded(exact, currency, rounding)?
        }
    };
    Ok(money.amount())
}

/// The text as an instant in the microseconds that are kept; a day alone is its beginning in UTC.
fn moment(field: &FieldMapping, text: &str) -> Option<DateTime<Utc>> {
    let moment = match &field.format {
        Some(items) => formatted(text, items)?,
        None => match text.parse::<NaiveDate>() {
            Ok(date) => date.and_time(NaiveTime::MIN).and_utc(),
            Err(_) => DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
        },
    };
    (1900..=9999)
        .contains(&moment.year())
        .then_some(moment.trunc_subsecs(6))
}

fn formatted(text: &str, items: &[Item<'static>]) -> Option<DateTime<Utc>> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items.iter()).ok()?;
    let with_offset = parsed.to_datetime().map(|moment| moment.to_utc());
    let with_time = || {
        parsed
            .to_naive_datetime_with_offset(0)
            .map(|moment| moment.and_utc())
    };
    let day = || {
        parsed
            .to_naive_date()
            .map(|date| date.and_time(NaiveTime::MIN).and_utc())
    };
    with_offset.or_else(|_| with_time()).or_else(|_| day()).ok()
}
