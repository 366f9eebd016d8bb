//! Lines that are to be exchanged, and what becomes of them.

use super::super::domain::{ClawbackStatus, CommissionStatus, TakenFrom, ZeroReason};
use super::super::exchange::Exchanged;
use super::money;
use crate::features::exchange_rates::Asked;
use crate::kernel::commission::Component;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::exchange::{Exchange, FxPolicy, LineExchange};
use crate::kernel::id::{ClawbackId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money, Rounding};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx, due};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use uuid::Uuid;

/// Lines exchanged in one transaction at most, and days asked for.
const AT_ONCE: i64 = 5_000;

/// A line that is not exchanged yet.
#[derive(Debug, Clone)]
pub struct Unexchanged {
    /// The line.
    pub id: CommissionId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// On which account it lies.
    pub account: TakenFrom,
    /// When it came to lie there.
    pub since: DateTime<Utc>,
    /// Which exchange it takes.
    pub asked: Asked,
    /// What had been posted for it before.
    pub before: Money,
    /// What it earned.
    pub amount: Money,
    /// Whether something was taken back of it, if only to be given back.
    pub is_touched: bool,
    /// What was taken back before it was approved.
    pub netted: Money,
    /// The program's rounding.
    pub rounding: Rounding,
}

/// What was taken back from a line.
#[derive(Debug, Clone)]
pub struct TakenRow {
    /// The clawback.
    pub id: ClawbackId,
    /// Whether it is a line of payouts by itself.
    pub is_payable: bool,
    /// Whether it took nothing because the window was over.
    pub is_late: bool,
    /// How much it took; below zero what it gave back.
    pub amount: Decimal,
    /// What was refunded with it; below zero what came in again.
    pub refund: Decimal,
    /// The amount of the payment.
    pub base: Decimal,
    /// What was refunded of that with it.
    pub refunded_cumulative: Decimal,
}

#[derive(QueryableByName)]
struct QuestionRow {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    payout_currency: String,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    rounding: String,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Numeric)]
    posted_before: Decimal,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Bool)]
    is_touched: bool,
    #[diesel(sql_type = Numeric)]
    netted_amount: Decimal,
    #[diesel(embed)]
    question: QuestionRow,
}

#[derive(QueryableByName)]
struct TakenRaw {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    commission_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    is_late: bool,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    refund: Decimal,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
    #[diesel(sql_type = Numeric)]
    refunded_cumulative: Decimal,
}

/// A line that waits for its exchange by this policy. What a dispute holds up waits with it.
const UNEXCHANGED: &str = "FROM commissions c JOIN programs g ON g.organization_id = $1 AND g.id = c.program_id \
    WHERE c.organization_id = $1 AND c.payout_currency IS NOT NULL AND c.exchange IS NULL \
        AND (c.dispute_id IS NULL OR c.kind = 'credit_note')";

const COLUMNS: &str = "c.id, c.partner_id, c.program_id, c.status, g.rounding, c.amount, c.netted_amount, \
    EXISTS (SELECT FROM clawbacks k WHERE k.organization_id = $1 AND k.commission_id = c.id) AS is_touched, coalesce((c.explanation ->> 'already_posted')::numeric, 0) AS posted_before, c.currency, \
    c.payout_currency, CASE c.status WHEN 'pending' THEN c.earned_at ELSE c.release_at END AS since";

/// The day of the rate for a line that is exchanged as it was earned.
const DAY_EARNED: &str = "(c.earned_at AT TIME ZONE g.time_zone)::date";

/// The organizations in which lines wait for the rate of the day on which they were earned, each at its own clock; asked
/// outside any scope.
pub fn organizations_with_unexchanged_lines(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    due(connection, "organizations_with_unexchanged_lines", wall_now)
}

#[derive(QueryableByName)]
struct PaidIn {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    payout_currency: String,
    #[diesel(sql_type = Text)]
    fx_policy: String,
}

/// In which currency partners are paid that are paid in one of their own, and when the program exchanges into it: these
/// partners, or all.
pub fn paid_in(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    partners: Option<&[PartnerId]>,
) -> Result<HashMap<PartnerId, (Currency, FxPolicy)>, Problem> {
    let query = sql_query(
        "SELECT p.id, p.payout_currency, g.fx_policy \
         FROM partners p JOIN programs g ON g.organization_id = $1 AND g.id = $2 \
         WHERE p.organization_id = $1 AND ($3 IS NULL OR p.id = ANY($3)) AND p.payout_currency IS NOT NULL",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid())
    .bind::<Nullable<Array<SqlUuid>>, _>(
        partners.map(|partners| partners.iter().map(|id| id.uuid()).collect::<Vec<_>>()),
    );
    let rows: Vec<PaidIn> = Prepared(query).load(tx.connection())?;
    let read = |row: PaidIn| {
        let currency = Currency::from_code(&row.payout_currency).map_err(Problem::damaged)?;
        let policy = FxPolicy::from_str(&row.fx_policy).map_err(Problem::damaged)?;
        Ok((PartnerId::from_uuid(row.id), (currency, policy)))
    };
    rows.into_iter().map(read).collect()
}

#[derive(QueryableByName)]
struct ExchangeOf {
    #[diesel(sql_type = SqlUuid)]
    base_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    component: String,
    #[diesel(sql_type = Text)]
    exchange: String,
}

/// How everything that belongs to these lines had been exchanged by an instant: by line, partner and component.
pub fn exchanges_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[CommissionId],
    as_of: DateTime<Utc>,
) -> Result<HashMap<(CommissionId, PartnerId, Component), LineExchange>, Problem> {
    let exchanged = "SELECT b.id AS base_id, c.partner_id, c.component, c.exchange::text AS exchange \
        FROM commissions b JOIN commissions c ON c.organization_id = $1 AND c.attribution_id = b.attribution_id \
            AND c.exchanged_at <= $3";
    let these = "WHERE b.organization_id = $1 AND b.id = ANY($2)";
    let query = sql_query(format!(
        "{exchanged} AND c.payment_id = b.payment_id AND c.invoice_line_id = b.invoice_line_id {these} \
         UNION ALL {exchanged} AND c.credit_note_id = b.credit_note_id {these}"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(lines))
    .bind::<Timestamptz, _>(as_of);
    let rows: Vec<ExchangeOf> = query.load(tx.connection())?;
    let read = |row: ExchangeOf| {
        let (base_id, partner_id) = (
            CommissionId::from_uuid(row.base_id),
            PartnerId::from_uuid(row.partner_id),
        );
        let component = Component::from_str(&row.component).map_err(Problem::damaged)?;
        let exchange = serde_json::from_str(&row.exchange).map_err(Problem::damaged)?;
        Ok(((base_id, partner_id, component), exchange))
    };
    rows.into_iter().map(read).collect()
}

/// Which exchanges lines wait for that are exchanged as they were earned: all, or these.
pub fn questions(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: Option<&[CommissionId]>,
) -> Result<HashSet<Asked>, Problem> {
    let query = sql_query(format!(
        "SELECT DISTINCT c.currency, c.payout_currency, {DAY_EARNED} AS day {UNEXCHANGED} \
             AND c.fx_policy = 'at_accrual' AND c.status IN ('pending', 'due', 'approved') \
             AND ($2 IS NULL OR c.id = ANY($2)) LIMIT $3"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Nullable<Array<SqlUuid>>, _>(lines.map(uuids))
    .bind::<BigInt, _>(AT_ONCE);
    let rows: Vec<QuestionRow> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(Asked::try_from).collect()
}

/// The lines that wait for one of these exchanges, locked in the order of their ids.
pub fn lock_earned(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: Option<&[CommissionId]>,
    known: &HashMap<Asked, Exchange>,
) -> Result<Vec<Unexchanged>, Problem> {
    let known: Vec<&Asked> = known.keys().collect();
    let query = sql_query(format!(
        "SELECT {COLUMNS}, {DAY_EARNED} AS day {UNEXCHANGED} \
             AND c.fx_policy = 'at_accrual' AND c.status IN ('pending', 'due', 'approved') \
             AND ($2 IS NULL OR c.id = ANY($2)) \
             AND (c.currency, c.payout_currency, {DAY_EARNED}) IN (SELECT * FROM unnest($3, $4, $5)) \
         ORDER BY c.id LIMIT $6 FOR NO KEY UPDATE OF c"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Nullable<Array<SqlUuid>>, _>(lines.map(uuids))
    .bind::<Array<Text>, _>(known.iter().map(|one| one.from.code()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(known.iter().map(|one| one.to.code()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(known.iter().map(|one| one.on).collect::<Vec<_>>())
    .bind::<BigInt, _>(if lines.is_some() { i64::MAX } else { AT_ONCE });
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(Unexchanged::try_from).collect()
}

/// The approved lines up to a cut-off that a payout exchanges.
pub fn approved(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: Option<ProgramId>,
    cut_off_at: DateTime<Utc>,
) -> Result<Vec<Unexchanged>, Problem> {
    let query = sql_query(format!(
        "SELECT {COLUMNS}, ($3 AT TIME ZONE g.time_zone)::date AS day {UNEXCHANGED} \
             AND c.fx_policy = 'at_payout' AND c.status = 'approved' AND c.release_at <= $3 \
             AND ($2 IS NULL OR c.program_id = $2) ORDER BY c.id"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Nullable<SqlUuid>, _>(program_id.map(ProgramId::uuid))
    .bind::<Timestamptz, _>(cut_off_at);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(Unexchanged::try_from).collect()
}

/// What was taken back from these lines, by line, in the order in which it was.
pub fn taken_from(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[CommissionId],
) -> Result<HashMap<CommissionId, Vec<TakenRow>>, Problem> {
    let mut taken: HashMap<CommissionId, Vec<TakenRow>> = HashMap::new();
    if lines.is_empty() {
        return Ok(taken);
    }
    let query = sql_query(
        "SELECT b.id, b.commission_id, b.status, b.amount, r.amount AS refund, coalesce(b.zero_reason = $3, false) AS is_late, \
             (b.explanation ->> 'base')::numeric AS base, \
             (b.explanation ->> 'refunded_cumulative')::numeric AS refunded_cumulative \
         FROM clawbacks b JOIN refunds r ON r.organization_id = $1 AND r.id = b.refund_id \
         WHERE b.organization_id = $1 AND b.commission_id = ANY($2) ORDER BY r.payment_version, b.id",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(lines))
    .bind::<Text, _>(ZeroReason::WindowPassed.as_str());
    let rows: Vec<TakenRaw> = Prepared(query).load(tx.connection())?;
    for row in rows {
        let line = taken
            .entry(CommissionId::from_uuid(row.commission_id))
            .or_default();
        line.push(TakenRow {
            id: ClawbackId::from_uuid(row.id),
            is_payable: row.status == ClawbackStatus::Payable.as_str(),
            is_late: row.is_late,
            amount: row.amount,
            refund: row.refund,
            base: row.base,
            refunded_cumulative: row.refunded_cumulative,
        });
    }
    Ok(taken)
}

const SAVE_LINES: &str = "UPDATE commissions c SET exchanged_amount = n.amount, exchanged_reversed = n.reversed, \
         exchanged_netted = n.netted, exchange = n.exchange::jsonb, exchanged_at = $2, \
         row_version = c.row_version + 1, updated_at = $2 \
     FROM unnest($3, $4, $5, $6, $7) AS n (id, amount, reversed, netted, exchange) \
     WHERE c.organization_id = $1 AND c.id = n.id";

const SAVE_CLAWBACKS: &str = "UPDATE clawbacks b SET exchanged_currency = n.currency, exchanged_amount = n.amount, \
         exchange = n.exchange::jsonb, row_version = b.row_version + 1, updated_at = $2, \
         taken_from = CASE WHEN n.amount <> 0 THEN coalesce(b.taken_from, n.taken_from) ELSE b.taken_from END, \
         zero_reason = CASE WHEN n.amount <> 0 THEN NULL ELSE b.zero_reason END \
     FROM unnest($3, $4, $5, $6, $7) AS n (id, currency, amount, exchange, taken_from) \
     WHERE b.organization_id = $1 AND b.id = n.id";

/// Writes the exchanges of lines, and of what was taken back from them.
pub fn save(tx: &mut Tx<'_>, ctx: &Ctx, lines: &[Exchanged]) -> Result<(), Problem> {
    if lines.is_empty() {
        return Ok(());
    }
    let exchanges = lines
        .iter()
        .map(|line| serde_json::to_string(&line.exchange).map_err(Problem::damaged));
    let query = sql_query(SAVE_LINES)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<Timestamptz, _>(ctx.now)
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.amount.amount()).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(
            lines
                .iter()
                .map(|line| line.reversed.amount())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.netted.amount()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(exchanges.collect::<Result<Vec<_>, _>>()?);
    Prepared(query).execute(tx.connection())?;
    let taken: Vec<_> = lines.iter().flat_map(|line| &line.clawbacks).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let explanations = taken
        .iter()
        .map(|one| serde_json::to_string(&one.explanation).map_err(Problem::damaged));
    let query = sql_query(SAVE_CLAWBACKS)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<Timestamptz, _>(ctx.now)
        .bind::<Array<SqlUuid>, _>(taken.iter().map(|one| one.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(
            taken
                .iter()
                .map(|one| one.to.currency().code())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Numeric>, _>(taken.iter().map(|one| one.to.amount()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(explanations.collect::<Result<Vec<_>, _>>()?)
        .bind::<Array<Text>, _>(
            taken
                .iter()
                .map(|one| one.taken_from.as_str())
                .collect::<Vec<_>>(),
        );
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

fn uuids(lines: &[CommissionId]) -> Vec<Uuid> {
    lines.iter().map(|id| id.uuid()).collect()
}

impl TryFrom<QuestionRow> for Asked {
    type Error = Problem;

    fn try_from(row: QuestionRow) -> Result<Self, Problem> {
        Ok(Self {
            from: Currency::from_code(&row.currency).map_err(Problem::damaged)?,
            to: Currency::from_code(&row.payout_currency).map_err(Problem::damaged)?,
            on: row.day,
        })
    }
}

impl TryFrom<Raw> for Unexchanged {
    type Error = Problem;

    fn try_from(raw: Raw) -> Result<Self, Problem> {
        let money = |amount| money(amount, &raw.question.currency);
        let status = CommissionStatus::from_str(&raw.status).map_err(Problem::damaged)?;
        Ok(Self {
            id: CommissionId::from_uuid(raw.id),
            partner_id: PartnerId::from_uuid(raw.partner_id),
            program_id: ProgramId::from_uuid(raw.program_id),
            account: status.account(),
            since: raw.since,
            before: money(raw.posted_before)?,
            amount: money(raw.amount)?,
            is_touched: raw.is_touched,
            netted: money(raw.netted_amount)?,
            rounding: Rounding::from_str(&raw.rounding).map_err(Problem::damaged)?,
            asked: raw.question.try_into()?,
        })
    }
}
