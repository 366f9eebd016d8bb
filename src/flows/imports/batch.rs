//! A batch of rows and what becomes of each of them.

use super::references::References;
use super::{catalog, deals, exchange_rates, invoices, partners};
use crate::features::imports::Counts;
use crate::features::imports::happened::Happened;
use crate::features::imports::rows::{Layout, Rejection, Row};
use crate::features::imports::stored::{self, ByKey, Stored};
use crate::features::imports::targets::ImportResource;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, TimeDelta, Utc};

/// How many hours clocks are ahead of UTC at most.
const EASTERNMOST_HOURS: i64 = 14;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It made a record.
    Created,
    /// It changed a record.
    Updated,
    /// It said what was known.
    Unchanged,
}

/// Why a row cannot be taken: the field, a stable code, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    field: &'static str,
    code: &'static str,
    message: String,
}

impl Refused {
    /// A refusal that is about this field.
    pub fn new(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            code,
            message: message.into(),
        }
    }

    /// The instant in this field is in the future, if it is. A day alone is its beginning in UTC, and it is today in the
    /// east of the world for many hours before that.
    pub fn if_in_future(field: &'static str, instant: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        let is_ahead = instant > now + TimeDelta::hours(EASTERNMOST_HOURS);
        is_ahead.then(|| Self::new(field, "in_future", "This has not happened yet."))
    }
}

/// What a batch did.
#[derive(Debug, Default)]
pub struct Applied {
    /// What became of its rows.
    pub counts: Counts,
    /// Why rows were refused.
    pub rejections: Vec<Rejection>,
}

/// Valid rows that are on their way into the tables.
pub struct Batch<'a> {
    layout: &'a Layout,
    rows: &'a [&'a Row],
    outcomes: Vec<Result<Outcome, Vec<Refused>>>,
    /// What happened to which record.
    pub happened: Happened,
}

impl<'a> Batch<'a> {
    /// The rows, with nothing decided yet.
    pub fn new(layout: &'a Layout, rows: &'a [&'a Row]) -> Self {
        Self {
            layout,
            rows,
            outcomes: Vec::with_capacity(rows.len()),
            happened: Happened::default(),
        }
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> &'a [&'a Row] {
        self.rows
    }

    /// The keys of the rows.
    pub fn keys(&self) -> Vec<&'a str> {
        self.rows.iter().map(|row| row.identity()).collect()
    }

    /// How the file is laid out.
    pub fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// Says what becomes of the next row.
    pub fn decide(&mut self, outcome: Result<Outcome, Vec<Refused>>) {
        self.outcomes.push(outcome);
    }

    /// A row that said what was known of its record turns out to change something besides.
    pub fn also_updated(&mut self, index: usize) {
        if let Some(outcome @ Ok(Outcome::Unchanged)) = self.outcomes.get_mut(index) {
            *outcome = Ok(Outcome::Updated);
        }
    }

    fn finish(self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Applied, Problem> {
        self.happened.write(tx, ctx)?;
        let mut applied = Applied::default();
        for (row, outcome) in self.rows.iter().zip(self.outcomes) {
            match outcome {
                Ok(Outcome::Created) => applied.counts.created += 1,
                Ok(Outcome::Updated) => applied.counts.updated += 1,
                Ok(Outcome::Unchanged) => applied.counts.unchanged += 1,
                Err(refusals) => {
                    applied.counts.rejected += 1;
                    applied
                        .rejections
                        .extend(refusals.into_iter().map(|refused| Rejection {
                            line: row.line,
                            column: self.layout.label(refused.field).to_owned(),
                            code: refused.code,
                            message: refused.message,
                        }));
                }
            }
        }
        Ok(applied)
    }
}

/// Applies rows whose keys differ from one another.
pub fn apply(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    resource: ImportResource,
    layout: &Layout,
    rows: &[&Row],
) -> Result<Applied, Problem> {
    let mut batch = Batch::new(layout, rows);
    let references = References::load(tx, &ctx.scope, resource, rows)?;
    match resource {
        ImportResource::ProductFamilies => catalog::product_families(tx, ctx, &mut batch)?,
        ImportResource::Accounts => catalog::account_rows(tx, ctx, &mut batch)?,
        ImportResource::Partners => partners::apply(tx, ctx, &mut batch, &references)?,
        ImportResource::Deals => deals::apply(tx, ctx, &mut batch, &references)?,
        ImportResource::Invoices => invoices::apply(tx, ctx, &mut batch, &references)?,
        ImportResource::ExchangeRates => exchange_rates::apply(tx, ctx, &mut batch)?,
    }
    batch.finish(tx, ctx)
}

/// A record that an import may change.
pub trait Versioned: Stored + Clone + PartialEq {
    /// Notes one more change.
    fn touch(&mut self, now: DateTime<Utc>);
}

macro_rules! versioned {
    ($($row:ident)*) => {
        $(impl Versioned for stored::$row {
            fn touch(&mut self, now: DateTime<Utc>) {
                self.row_version += 1;
                self.updated_at = now;
            }
        })*
    };
}

versioned!(ProductFamilyRow AccountRow PartnerRow DealRow AttributionRow InvoiceRow);

/// Records that are to be written.
#[derive(Debug)]
pub struct Writes<S> {
    /// New ones.
    pub created: Vec<S>,
    /// Changed ones.
    pub updated: Vec<S>,
}

impl<S: Stored> Writes<S> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            created: Vec::new(),
            updated: Vec::new(),
        }
    }

    /// Writes all of them.
    pub fn write(&self, tx: &mut Tx<'_>) -> Result<(), Problem> {
        stored::insert(tx, &self.created)?;
        stored::update(tx, &self.updated)
    }
}

/// Decides each row by its record alone: makes it, changes it, or leaves it. `made` turns a row into a new record,
/// `changed` turns the record that is there into what the row says.
pub fn decide_each<S: Versioned>(
    batch: &mut Batch<'_>,
    ctx: &Ctx,
    known: &ByKey<S>,
    made: impl Fn(&Row) -> S,
    changed: impl Fn(&Row, &S) -> Result<S, Vec<Refused>>,
    told: impl Fn(&mut Happened, Option<&S>, &S) -> Result<(), Problem>,
) -> Result<Writes<S>, Problem> {
    let mut writes = Writes::new();
    for row in batch.rows() {
        let outcome = match known.get(row.key("external_id")) {
            None => {
                let new = made(row);
                told(&mut batch.happened, None, &new)?;
                writes.created.push(new);
                Ok(Outcome::Created)
            }
            Some(before) => match changed(row, before) {
                Ok(after) if after == *before => Ok(Outcome::Unchanged),
                Ok(mut after) => {
                    after.touch(ctx.now);
                    told(&mut batch.happened, Some(before), &after)?;
                    writes.updated.push(after);
                    Ok(Outcome::Updated)
                }
                Err(refusals) => Err(refusals),
            },
        };
        batch.decide(outcome);
    }
    Ok(writes)
}
