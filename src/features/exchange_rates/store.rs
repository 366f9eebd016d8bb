//! Rates in Postgres. Every query takes the caller's scope.

use super::domain::{Asked, ExchangeRate, NewRate};
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::exchange::{Leg, RateSource};
use crate::kernel::id::ExchangeRateId;
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::exchange_rates;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{
    Array, BigInt, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use uuid::Uuid;

/// Which rates a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct RateFilter {
    /// For one of this currency.
    pub base: Option<String>,
    /// So much of this one.
    pub quote: Option<String>,
    /// Of this day.
    pub valid_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = exchange_rates, check_for_backend(diesel::pg::Pg))]
struct RateRow {
    organization_id: Uuid,
    id: Uuid,
    base: String,
    quote: String,
    valid_on: NaiveDate,
    rate: Decimal,
    source: String,
    supersedes_id: Option<Uuid>,
    reason: Option<String>,
    created_by: Option<Uuid>,
    created_by_type: Option<String>,
    created_at: DateTime<Utc>,
}

/// One rate.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ExchangeRateId) -> Result<Option<ExchangeRate>, Problem> {
    let row: Option<RateRow> = exchange_rates::table
        .filter(exchange_rates::organization_id.eq(scope.organization_id.uuid()))
        .filter(exchange_rates::id.eq(id.uuid()))
        .select(RateRow::as_select())
        .first(tx.connection())
        .optional()?;
    let rates = with_successors(tx, scope, row.into_iter().collect())?;
    Ok(rates.into_iter().next())
}

/// A page of rates, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &RateFilter,
    page: &PageRequest,
) -> Result<Page<ExchangeRate>, Problem> {
    let mut query = exchange_rates::table
        .filter(exchange_rates::organization_id.eq(scope.organization_id.uuid()))
        .select(RateRow::as_select())
        .order(exchange_rates::id.desc())
        .into_boxed();
    if let Some(base) = &filter.base {
        query = query.filter(exchange_rates::base.eq(base));
    }
    if let Some(quote) = &filter.quote {
        query = query.filter(exchange_rates::quote.eq(quote));
    }
    if let Some(day) = filter.valid_on {
        query = query.filter(exchange_rates::valid_on.eq(day));
    }
    if let Some(last) = &page.after {
        query = query.filter(exchange_rates::id.lt(last.id));
    }
    let rows: Vec<RateRow> = query.limit(page.fetch()).load(tx.connection())?;
    let rates = with_successors(tx, scope, rows)?;
    Ok(page.page(rates, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// The rates with what superseded them.
fn with_successors(tx: &mut Tx<'_>, scope: &Scope, rows: Vec<RateRow>) -> Result<Vec<ExchangeRate>, Problem> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let found: Vec<(Option<Uuid>, Uuid)> = exchange_rates::table
        .filter(exchange_rates::organization_id.eq(scope.organization_id.uuid()))
        .filter(exchange_rates::supersedes_id.eq_any(ids))
        .select((exchange_rates::supersedes_id, exchange_rates::id))
        .load(tx.connection())?;
    let successors: HashMap<Uuid, Uuid> = found
        .into_iter()
        .filter_map(|(before, id)| Some((before?, id)))
        .collect();
    rows.into_iter()
        .map(|row| {
            let superseded_by_id = successors.get(&row.id).copied().map(ExchangeRateId::from_uuid);
            Ok(ExchangeRate {
                superseded_by_id,
                ..ExchangeRate::try_from(row)?
            })
        })
        .collect()
}

#[derive(QueryableByName)]
struct EnteredRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// What was entered by hand for the pair and the day, and counts.
pub fn entered(tx: &mut Tx<'_>, scope: &Scope, new: &NewRate) -> Result<Option<ExchangeRateId>, Problem> {
    let query = sql_query(
        "SELECT r.id FROM exchange_rates r \
         WHERE r.organization_id = $1 AND r.base = $2 AND r.quote = $3 AND r.valid_on = $4 AND r.source = 'manual' \
             AND NOT EXISTS (SELECT FROM exchange_rates s WHERE s.organization_id = $1 AND s.supersedes_id = r.id)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Text, _>(new.base.code())
    .bind::<Text, _>(new.quote.code())
    .bind::<Date, _>(new.valid_on);
    let row: Option<EnteredRow> = Prepared(query).get_result(tx.connection()).optional()?;
    Ok(row.map(|row| ExchangeRateId::from_uuid(row.id)))
}

/// Writes a new rate.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, rate: &ExchangeRate) -> Result<(), Problem> {
    let row = RateRow {
        organization_id: scope.organization_id.uuid(),
        id: rate.id.uuid(),
        base: rate.base.clone(),
        quote: rate.quote.clone(),
        valid_on: rate.valid_on,
        rate: rate.rate,
        source: rate.source.as_str().to_owned(),
        supersedes_id: rate.supersedes_id.map(ExchangeRateId::uuid),
        reason: rate.reason.clone(),
        created_by: rate.created_by.map(ActorId::uuid),
        created_by_type: rate.created_by.map(|by| by.kind().to_owned()),
        created_at: rate.created_at,
    };
    Prepared(diesel::insert_into(exchange_rates::table).values(row)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct LatestRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    base: String,
    #[diesel(sql_type = Text)]
    quote: String,
    #[diesel(sql_type = Date)]
    valid_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    rate: Decimal,
    #[diesel(sql_type = Text)]
    source: String,
}

/// The rate that holds for each pair on its day, in whichever direction it was recorded, if there is one that is not too
/// old: the latest; of a day, what was entered by hand.
pub fn latest(
    tx: &mut Tx<'_>,
    scope: &Scope,
    pairs: &HashSet<Asked>,
    max_age_days: i32,
) -> Result<HashMap<Asked, Leg>, Problem> {
    let pairs: Vec<Asked> = pairs.iter().copied().collect();
    let query = sql_query(
        "SELECT p.place, r.id, r.base, r.quote, r.valid_on, r.rate, r.source \
         FROM unnest($2, $3, $4) WITH ORDINALITY AS p (one, other, day, place) \
         CROSS JOIN LATERAL (\
             SELECT r.* FROM exchange_rates r \
             WHERE r.organization_id = $1 AND r.valid_on BETWEEN p.day - $5 AND p.day \
                 AND ((r.base = p.one AND r.quote = p.other) OR (r.base = p.other AND r.quote = p.one)) \
                 AND NOT EXISTS (SELECT FROM exchange_rates s \
                     WHERE s.organization_id = $1 AND s.supersedes_id = r.id) \
             ORDER BY r.valid_on DESC, r.source = 'manual' DESC, r.base = p.one DESC LIMIT 1) r",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<Text>, _>(pairs.iter().map(|pair| pair.from.code()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(pairs.iter().map(|pair| pair.to.code()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(pairs.iter().map(|pair| pair.on).collect::<Vec<_>>())
    .bind::<Integer, _>(max_age_days);
    let rows: Vec<LatestRow> = Prepared(query).load(tx.connection())?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let place = usize::try_from(row.place - 1).map_err(Problem::damaged)?;
        let pair = pairs.get(place).ok_or_else(Problem::internal)?;
        found.insert(*pair, Leg::try_from(row)?);
    }
    Ok(found)
}

/// A rate of a file: so much of the currency for one euro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRate {
    /// The day.
    pub valid_on: NaiveDate,
    /// The currency.
    pub quote: String,
    /// How much of it.
    pub rate: Decimal,
}

/// What became of the rates of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct LoadedDay {
    /// The day.
    #[diesel(sql_type = Date)]
    pub valid_on: NaiveDate,
    /// How many there were.
    #[diesel(sql_type = BigInt)]
    pub given: i64,
    /// How many of them were not known.
    #[diesel(sql_type = BigInt)]
    pub added: i64,
    /// How many of them were known otherwise.
    #[diesel(sql_type = BigInt)]
    pub corrected: i64,
}

/// Records the rates that the ECB published, thousands in one statement. What is known stays as it is, and what is known
/// otherwise is superseded.
pub fn load(tx: &mut Tx<'_>, ctx: &Ctx, given: &[GivenRate]) -> Result<Vec<LoadedDay>, Problem> {
    let by = ctx.actor.record();
    let query = sql_query(
        "WITH given AS (\
             SELECT * FROM unnest($3, $4, $5, $6) AS n (id, quote, valid_on, rate)), \
         live AS MATERIALIZED (\
             SELECT r.id, r.quote, r.valid_on, r.rate FROM exchange_rates r \
             WHERE r.organization_id = $1 AND r.base = 'EUR' AND r.source = 'ecb' \
                 AND r.valid_on BETWEEN (SELECT min(valid_on) FROM given) AND (SELECT max(valid_on) FROM given) \
                 AND NOT EXISTS (SELECT FROM exchange_rates s \
                     WHERE s.organization_id = $1 AND s.supersedes_id = r.id)), \
         decided AS MATERIALIZED (\
             SELECT g.*, l.id AS live_id, l.rate AS live_rate FROM given g LEFT JOIN live l USING (quote, valid_on)), \
         written AS (\
             INSERT INTO exchange_rates (organization_id, id, base, quote, valid_on, rate, source, supersedes_id, \
                 reason, created_by, created_by_type, created_at) \
             SELECT $1, id, 'EUR', quote, valid_on, rate, 'ecb', live_id, \
                 CASE WHEN live_id IS NOT NULL THEN 'The ECB published another rate.' END, $7, $8, $2 \
             FROM decided WHERE live_rate IS DISTINCT FROM rate) \
         SELECT valid_on, count(*) AS given, count(*) FILTER (WHERE live_id IS NULL) AS added, \
             count(*) FILTER (WHERE live_rate <> rate) AS corrected \
         FROM decided GROUP BY valid_on",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Array<SqlUuid>, _>(
        given
            .iter()
            .map(|_| ExchangeRateId::new(ctx.now).uuid())
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(given.iter().map(|rate| rate.quote.as_str()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(given.iter().map(|rate| rate.valid_on).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(given.iter().map(|rate| rate.rate).collect::<Vec<_>>())
    .bind::<Nullable<SqlUuid>, _>(by.map(ActorId::uuid))
    .bind::<Nullable<Text>, _>(by.map(ActorId::kind));
    tx.without_nested_loops(|tx| Ok(Prepared(query).load(tx.connection())?))
}

impl TryFrom<RateRow> for ExchangeRate {
    type Error = Problem;

    fn try_from(row: RateRow) -> Result<Self, Problem> {
        Ok(Self {
            id: ExchangeRateId::from_uuid(row.id),
            base: row.base,
            quote: row.quote,
            valid_on: row.valid_on,
            rate: row.rate.normalize(),
            source: RateSource::from_str(&row.source).map_err(Problem::damaged)?,
            supersedes_id: row.supersedes_id.map(ExchangeRateId::from_uuid),
            reason: row.reason,
            superseded_by_id: None,
            created_by: ActorId::of_columns(row.created_by_type.as_deref(), row.created_by),
            created_at: row.created_at,
        })
    }
}

impl TryFrom<LatestRow> for Leg {
    type Error = Problem;

    fn try_from(row: LatestRow) -> Result<Self, Problem> {
        Ok(Self {
            exchange_rate_id: ExchangeRateId::from_uuid(row.id),
            base: Currency::from_code(&row.base).map_err(Problem::damaged)?,
            quote: Currency::from_code(&row.quote).map_err(Problem::damaged)?,
            rate: row.rate.normalize(),
            valid_on: row.valid_on,
            source: RateSource::from_str(&row.source).map_err(Problem::damaged)?,
        })
    }
}
