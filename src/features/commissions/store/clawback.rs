//! The lines that a refund touches, and what is taken from them.

use super::super::domain::{ClawbackStatus, ClawedBack, CommissionStatus, TakenFrom, ZeroReason};
use crate::kernel::commission::Progress;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{CommissionId, CommissionRuleId, DealId, PartnerId, ProgramId, RefundId};
use crate::kernel::money::{Money, Rounding};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// A refund × a line of its payment.
#[derive(Debug, Clone)]
pub struct ExposedRow {
    /// The line.
    pub commission_id: CommissionId,
    /// The refund.
    pub refund_id: RefundId,
    /// Whose line it is.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// What was earned.
    pub amount: Money,
    /// What was taken back before.
    pub reversed: Money,
    /// What was earned and what was taken back before, in the currency that the partner is paid in, where it was exchanged.
    pub exchanged: Option<(Money, Money)>,
    /// On which account it lies.
    pub account: TakenFrom,
    /// The payment's amount.
    pub payment: Money,
    /// What was refunded of the payment with this refund, within the line's clawback window.
    pub refunded_cumulative: Money,
    /// What was refunded with this refund; below zero what came in again.
    pub refund: Money,
    /// The rule that decided the line, and how far the partner had come under it, if the rule counts.
    pub counted: Option<(CommissionRuleId, Progress)>,
    /// When the money came in.
    pub paid_at: DateTime<Utc>,
    /// When it went back, or came in again.
    pub refunded_at: DateTime<Utc>,
    /// When it went back, also where it came in again.
    pub went_back_at: DateTime<Utc>,
    /// The program's rounding.
    pub rounding: Rounding,
    /// Days after the payment during which it may be taken back; `None` is for ever.
    pub window_days: Option<i32>,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    commission_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    refund_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    reversed: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    exchanged_currency: Option<String>,
    #[diesel(sql_type = Numeric)]
    owed_amount: Decimal,
    #[diesel(sql_type = Numeric)]
    owed_reversed: Decimal,
    #[diesel(sql_type = Numeric)]
    payment: Decimal,
    #[diesel(sql_type = Numeric)]
    refunded_cumulative: Decimal,
    #[diesel(sql_type = Numeric)]
    refund: Decimal,
    #[diesel(sql_type = Nullable<Jsonb>)]
    progress: Option<Value>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    rule_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    paid_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    refunded_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    went_back_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    rounding: String,
    #[diesel(sql_type = Nullable<Integer>)]
    window_days: Option<i32>,
}

/// The refunds of all payments of these deals, in the order in which they were recorded.
pub fn refunds_of_deals(tx: &mut Tx<'_>, scope: &Scope, deals: &[DealId]) -> Result<Vec<RefundId>, Problem> {
    let query = sql_query(
        "SELECT r.id FROM refunds r JOIN invoices i ON i.organization_id = $1 AND i.id = r.invoice_id \
         WHERE r.organization_id = $1 AND i.deal_id = ANY($2) ORDER BY r.id",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(deals.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    let rows: Vec<RefundRow> = Prepared(query).load(tx.connection())?;
    Ok(rows.iter().map(|row| RefundId::from_uuid(row.id)).collect())
}

#[derive(QueryableByName)]
struct RefundRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The SQL for what was refunded of the payment `p` with the refund `r`, within the clawback window of the line `c`.
pub const REFUNDED_WITHIN_WINDOW: &str = "(SELECT coalesce(sum(e.amount), 0) FROM refunds e \
    WHERE e.organization_id = $1 AND e.payment_id = r.payment_id AND e.payment_version <= r.payment_version \
        AND (c.clawback_window_days IS NULL \
            OR e.went_back_at <= p.paid_at + make_interval(days => c.clawback_window_days)))";

/// The lines that these refunds touch, locked in the order of their ids until the transaction ends. A refund that
/// touched a line before does not touch it again. A line that was taken back in full stands where it was before that.
pub fn lock_exposed(
    tx: &mut Tx<'_>,
    scope: &Scope,
    refunds: &[RefundId],
) -> Result<Vec<ExposedRow>, Problem> {
    let ids: Vec<Uuid> = refunds.iter().map(|id| id.uuid()).collect();
    super::deals::hold_of_refunds(tx, scope, &ids)?;
    let lock = sql_query(
        "SELECT c.id FROM commissions c WHERE c.organization_id = $1 AND c.payment_id IN \
             (SELECT r.payment_id FROM refunds r WHERE r.organization_id = $1 AND r.id = ANY($2)) \
         ORDER BY c.id FOR NO KEY UPDATE",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(&ids);
    Prepared(lock).execute(tx.connection())?;
    let query = sql_query(format!(
        "SELECT c.id AS commission_id, r.id AS refund_id, c.partner_id, c.program_id, c.currency, {WHERE_IT_STANDS} AS status, \
             c.amount, c.reversed_amount AS reversed, p.amount AS payment, c.owed_amount, c.owed_reversed, \
             CASE WHEN c.exchange IS NOT NULL THEN c.payout_currency END AS exchanged_currency, \
             {REFUNDED_WITHIN_WINDOW} AS refunded_cumulative, r.amount AS refund, \
             c.explanation->'entitlement'->'progress' AS progress, \
             (SELECT v.commission_rule_id FROM commission_rule_versions v WHERE v.organization_id = $1 \
                 AND v.id = c.rule_version_id) AS rule_id, p.paid_at, r.refunded_at, r.went_back_at, \
             g.rounding, c.clawback_window_days AS window_days \
         FROM refunds r \
         JOIN payments p ON p.organization_id = $1 AND p.id = r.payment_id \
         JOIN commissions c ON c.organization_id = $1 AND c.payment_id = p.id AND c.status <> 'ineligible' \
         JOIN programs g ON g.organization_id = $1 AND g.id = c.program_id \
         WHERE r.organization_id = $1 AND r.id = ANY($2) AND NOT EXISTS (SELECT FROM clawbacks b \
             WHERE b.organization_id = $1 AND b.commission_id = c.id AND b.refund_id = r.id) \
         ORDER BY r.payment_version, r.id, c.id"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(&ids);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(ExposedRow::try_from).collect()
}

impl TryFrom<Raw> for ExposedRow {
    type Error = Problem;

    fn try_from(raw: Raw) -> Result<Self, Problem> {
        let money = |amount: Decimal| super::money(amount, &raw.currency);
        let progress: Option<Progress> = raw
            .progress
            .map(serde_json::from_value)
            .transpose()
            .map_err(Problem::damaged)?;
        let exchanged = raw.exchanged_currency.as_deref().map(|currency| {
            let owed = |amount: Decimal| super::money(amount, currency);
            Ok::<_, Problem>((owed(raw.owed_amount)?, owed(raw.owed_reversed)?))
        });
        Ok(Self {
            exchanged: exchanged.transpose()?,
            refund: money(raw.refund)?,
            counted: raw.rule_id.map(CommissionRuleId::from_uuid).zip(progress),
            commission_id: CommissionId::from_uuid(raw.commission_id),
            refund_id: RefundId::from_uuid(raw.refund_id),
            partner_id: PartnerId::from_uuid(raw.partner_id),
            program_id: ProgramId::from_uuid(raw.program_id),
            amount: money(raw.amount)?,
            reversed: money(raw.reversed)?,
            account: CommissionStatus::from_str(&raw.status)
                .map_err(Problem::damaged)?
                .account(),
            payment: money(raw.payment)?,
            refunded_cumulative: money(raw.refunded_cumulative)?,
            paid_at: raw.paid_at,
            refunded_at: raw.refunded_at,
            went_back_at: raw.went_back_at,
            rounding: Rounding::from_str(&raw.rounding).map_err(Problem::damaged)?,
            window_days: raw.window_days,
        })
    }
}

/// Where a line `c` stands, or stood before all of it was taken back.
const WHERE_IT_STANDS: &str = "CASE WHEN c.status <> 'reversed' THEN c.status \
    WHEN EXISTS (SELECT FROM clawbacks k WHERE k.organization_id = $1 AND k.commission_id = c.id \
        AND k.taken_from = 'released') THEN 'due' \
    ELSE 'pending' END";

const INSERT: &str = "WITH taken AS (\
         SELECT * FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS n (id, commission_id, \
             refund_id, partner_id, program_id, status, currency, amount, taken_from, zero_reason, explanation, \
             occurred_at, exchanged_currency, exchanged_amount, exchange)), \
     written AS (\
         INSERT INTO clawbacks (organization_id, id, commission_id, refund_id, partner_id, program_id, status, currency, \
             amount, taken_from, zero_reason, explanation, occurred_at, exchanged_currency, exchanged_amount, exchange, \
             row_version, created_at, updated_at) \
         SELECT $1, id, commission_id, refund_id, partner_id, program_id, status, currency, amount, taken_from, \
             zero_reason, explanation::jsonb, occurred_at, exchanged_currency, exchanged_amount, exchange::jsonb, 1, $2, $2 \
         FROM taken), \
     sums AS (\
         SELECT commission_id, max(taken_from) AS stands, sum(amount) AS reversed, sum(exchanged_amount) AS exchanged_reversed, \
             coalesce(sum(amount) FILTER (WHERE taken_from IN ('held', 'released')), 0) AS netted, \
             coalesce(sum(exchanged_amount) FILTER (WHERE taken_from IN ('held', 'released')), 0) AS exchanged_netted \
         FROM taken GROUP BY commission_id) \
     UPDATE commissions c SET reversed_amount = c.reversed_amount + s.reversed, \
         netted_amount = c.netted_amount + s.netted, \
         exchanged_reversed = c.exchanged_reversed + s.exchanged_reversed, \
         exchanged_netted = c.exchanged_netted + s.exchanged_netted, \
         status = CASE WHEN c.status NOT IN ('pending', 'due', 'reversed') THEN c.status \
             WHEN c.netted_amount + s.netted = c.amount \
                 AND (c.exchange IS NULL OR c.exchanged_netted + s.exchanged_netted = c.exchanged_amount) \
             THEN 'reversed' \
             WHEN c.status <> 'reversed' THEN c.status WHEN s.stands = 'held' THEN 'pending' ELSE 'due' END, \
         row_version = c.row_version + 1, updated_at = $2 \
     FROM sums s WHERE c.organization_id = $1 AND c.id = s.commission_id \
         AND s.stands IS NOT NULL";

/// Writes what was taken back, or given back, and lowers or raises the lines.
pub fn insert(tx: &mut Tx<'_>, ctx: &Ctx, clawed: &[ClawedBack]) -> Result<(), Problem> {
    if clawed.is_empty() {
        return Ok(());
    }
    let explanations: Vec<String> = clawed
        .iter()
        .map(|line| serde_json::to_string(&line.explanation).map_err(Problem::damaged))
        .collect::<Result<_, _>>()?;
    let uuids = |pick: fn(&ClawedBack) -> Uuid| clawed.iter().map(pick).collect::<Vec<_>>();
    let taken_from = |line: &ClawedBack| line.moves().then(|| line.taken_from.as_str());
    let exchanged = |line: &ClawedBack| line.exchanged.as_ref().map(|(amount, _)| *amount);
    let exchanges: Vec<Option<String>> = clawed
        .iter()
        .map(|line| {
            line.exchanged
                .as_ref()
                .map(|(_, why)| serde_json::to_string(why))
                .transpose()
        })
        .collect::<Result<_, _>>()
        .map_err(Problem::damaged)?;
    let statement = sql_query(INSERT)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<Timestamptz, _>(ctx.now)
        .bind::<Array<SqlUuid>, _>(uuids(|line| line.id.uuid()))
        .bind::<Array<SqlUuid>, _>(uuids(|line| line.commission_id.uuid()))
        .bind::<Array<SqlUuid>, _>(uuids(|line| line.refund_id.uuid()))
        .bind::<Array<SqlUuid>, _>(uuids(|line| line.partner_id.uuid()))
        .bind::<Array<SqlUuid>, _>(uuids(|line| line.program_id.uuid()))
        .bind::<Array<Text>, _>(
            clawed
                .iter()
                .map(|line| status_of(line).as_str())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(
            clawed
                .iter()
                .map(|line| line.amount.currency().code())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Numeric>, _>(clawed.iter().map(|line| line.amount.amount()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(clawed.iter().map(taken_from).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            clawed
                .iter()
                .map(|line| line.zero_reason.map(ZeroReason::as_str))
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(explanations)
        .bind::<Array<Timestamptz>, _>(clawed.iter().map(|line| line.occurred_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            clawed
                .iter()
                .map(|line| exchanged(line).map(|amount| amount.currency().code()))
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Numeric>>, _>(
            clawed
                .iter()
                .map(|line| exchanged(line).map(Money::amount))
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Text>>, _>(exchanges);
    Prepared(statement).execute(tx.connection())?;
    Ok(())
}

fn status_of(line: &ClawedBack) -> ClawbackStatus {
    if !line.moves() || line.nets_the_line() {
        ClawbackStatus::Netted
    } else {
        ClawbackStatus::Payable
    }
}
