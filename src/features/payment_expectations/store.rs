//! What is known of payments to come, over the rooms of money, in a statement each.

use super::domain::{LastPayout, Line, Purse};
use crate::features::commissions::CommissionStatus;
use crate::features::compliance_documents::opens_before_paying_on;
use crate::features::exchange_rates::Asked;
use crate::features::partners::PartnerStatus;
use crate::features::payouts::{
    PayoutRunStatus, PayoutStatus, closed_before_paying, minimum_payout, payable,
};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionId, DisputeId, InvoiceId, PartnerId, PayoutId, ProgramId};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    payout_currency: Option<String>,
    #[diesel(sql_type = Date)]
    rate_on: NaiveDate,
    #[diesel(sql_type = Nullable<Text>)]
    invoice_currency: Option<String>,
    #[diesel(sql_type = Date)]
    release_on: NaiveDate,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    dispute_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Date>)]
    answer_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    invoice_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Numeric>)]
    unpaid: Option<Decimal>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    payout_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    payout_status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    run_status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status_reason: Option<String>,
    #[diesel(sql_type = Date)]
    today: NaiveDate,
    #[diesel(sql_type = Bool)]
    is_approved_by_hand: bool,
}

#[derive(QueryableByName)]
struct PurseRow {
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    pending: Decimal,
    #[diesel(sql_type = Numeric)]
    due: Decimal,
    #[diesel(sql_type = Numeric)]
    approved: Decimal,
    #[diesel(sql_type = Numeric)]
    in_payout: Decimal,
    #[diesel(sql_type = Numeric)]
    waiting: Decimal,
    #[diesel(sql_type = Numeric)]
    disputed: Decimal,
    #[diesel(sql_type = Numeric)]
    unexchanged: Decimal,
    #[diesel(sql_type = Text)]
    paid_in: String,
    #[diesel(sql_type = Bool)]
    is_exchanged_when_paid: bool,
    #[diesel(sql_type = Nullable<Numeric>)]
    minimum: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    release_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    reached_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    answer_on: Option<NaiveDate>,
    #[diesel(sql_type = Text)]
    partner_status: String,
    #[diesel(sql_type = Array<Text>)]
    closed_gates: Vec<String>,
    #[diesel(sql_type = Nullable<Date>)]
    gates_open_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_usable: Option<bool>,
    #[diesel(sql_type = Nullable<Date>)]
    usable_on: Option<NaiveDate>,
    #[diesel(sql_type = Date)]
    today: NaiveDate,
    #[diesel(sql_type = Bool)]
    is_approved_by_hand: bool,
}

/// A line, if the caller may see it.
pub fn line(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: CommissionId,
    now: DateTime<Utc>,
) -> Result<Option<Line>, Problem> {
    let query = sql_query(
        "SELECT c.partner_id, c.program_id, c.status, c.owed_currency AS currency, c.owed_amount - c.owed_netted AS amount, \
             CASE WHEN c.exchange IS NULL THEN c.payout_currency END AS payout_currency, \
             CASE c.fx_policy WHEN 'at_accrual' THEN (c.earned_at AT TIME ZONE g.time_zone)::date \
                 ELSE ($4 AT TIME ZONE g.time_zone)::date END AS rate_on, i.currency AS invoice_currency, \
             (c.release_at AT TIME ZONE g.time_zone)::date AS release_on, \
             d.id AS dispute_id, (d.respond_by AT TIME ZONE g.time_zone)::date AS answer_on, i.id AS invoice_id, \
             CASE WHEN i.status <> 'void' THEN i.total_amount - i.paid_amount - i.credited_amount END AS unpaid, \
             o.payout_id, o.payout_status, o.run_status, o.status_reason, \
             ($4 AT TIME ZONE g.time_zone)::date AS today, g.commission_approval = 'manual' AS is_approved_by_hand \
         FROM commissions c \
         JOIN programs g ON g.organization_id = $1 AND g.id = c.program_id \
         LEFT JOIN disputes d ON d.organization_id = $1 AND d.id = c.dispute_id \
         LEFT JOIN invoices i ON i.organization_id = $1 AND i.id = c.invoice_id \
         LEFT JOIN LATERAL (\
             SELECT p.id AS payout_id, p.status AS payout_status, r.status AS run_status, p.status_reason \
             FROM payout_items t \
             JOIN payouts p ON p.organization_id = $1 AND p.id = t.payout_id AND p.status <> 'cancelled' \
             LEFT JOIN payout_runs r ON r.organization_id = $1 AND r.id = p.payout_run_id \
             WHERE t.organization_id = $1 AND t.commission_id = c.id ORDER BY p.id DESC LIMIT 1) o ON true \
         WHERE c.organization_id = $1 AND c.id = $2 AND ($3 IS NULL OR c.partner_id = $3)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
    .bind::<Timestamptz, _>(now);
    let row: Option<LineRow> = Prepared(query).get_result(tx.connection()).optional()?;
    row.map(Line::try_from).transpose()
}

/// What a partner has coming, by program and currency. What comes to be payable by itself is added up in the order in
/// which holds end, so that the day is known on which there is enough.
pub fn purses(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    now: DateTime<Utc>,
) -> Result<Vec<Purse>, Problem> {
    let query = sql_query(format!(
        "{payable}, \
         own AS MATERIALIZED (\
             SELECT c.program_id, c.owed_currency AS currency, c.status, c.owed_amount - c.owed_netted AS amount, \
                 c.release_at, CASE c.kind WHEN 'accrual' THEN c.dispute_id END AS dispute_id, \
                 coalesce(c.fx_policy = 'at_accrual' AND c.exchange IS NULL, false) AS waits, \
                 coalesce(c.fx_policy = 'at_payout' AND c.exchange IS NULL, false) AS is_exchanged_when_paid, \
                 CASE WHEN c.exchange IS NULL THEN c.payout_currency END AS paid_in \
             FROM commissions c \
             WHERE c.organization_id = $1 AND c.partner_id = $2 \
                 AND c.status IN ('pending', 'due', 'approved', 'in_payout') \
             UNION ALL \
             SELECT b.program_id, b.owed_currency, b.status, -b.owed_amount, NULL, NULL, false, false, NULL \
             FROM clawbacks b WHERE b.organization_id = $1 AND b.partner_id = $2 AND b.status = 'in_payout' \
             UNION ALL \
             SELECT a.program_id, a.currency, a.status, a.amount, NULL, NULL, false, false, NULL \
             FROM adjustments a WHERE a.organization_id = $1 AND a.partner_id = $2 AND a.status = 'in_payout' \
             UNION ALL \
             SELECT a.program_id, a.currency, r.status, a.amount, r.release_at, NULL, false, false, NULL \
             FROM adjustments a JOIN raised r ON r.adjustment_id = a.id \
             WHERE a.organization_id = $1 AND a.partner_id = $2 AND a.status = 'approved'), \
         sums AS (\
             SELECT o.program_id, o.currency, sum(o.amount) FILTER (WHERE o.status = 'pending') AS pending, \
                 sum(o.amount) FILTER (WHERE o.status = 'due') AS due, \
                 sum(o.amount) FILTER (WHERE o.status = 'in_payout') AS in_payout, \
                 sum(o.amount) FILTER (WHERE o.status IN ('pending', 'due') \
                     OR o.status = 'approved' AND o.dispute_id IS NOT NULL) AS waiting, \
                 sum(o.amount) FILTER (WHERE o.dispute_id IS NOT NULL) AS disputed, \
                 sum(o.amount) FILTER (WHERE o.waits AND o.dispute_id IS NULL) AS unexchanged, \
                 bool_or(o.is_exchanged_when_paid) AS is_exchanged_when_paid, max(o.paid_in) AS paid_in, \
                 min(o.release_at) FILTER (WHERE o.status = 'pending') AS release_at, max(d.respond_by) AS respond_by \
             FROM own o LEFT JOIN disputes d ON d.organization_id = $1 AND d.id = o.dispute_id \
             GROUP BY o.program_id, o.currency), \
         coming AS (\
             SELECT o.program_id, o.currency, o.release_at, \
                 sum(o.amount) OVER (PARTITION BY o.program_id, o.currency ORDER BY o.release_at) AS amount \
             FROM own o \
             JOIN programs a ON a.organization_id = $1 AND a.id = o.program_id AND a.commission_approval = 'automatic' \
             WHERE o.status = 'pending' AND o.dispute_id IS NULL AND NOT o.waits), \
         purses AS (\
             SELECT program_id, currency, coalesce(j.amount, 0) AS approved, s.pending, s.due, s.in_payout, s.waiting, s.disputed, \
                 s.unexchanged, coalesce(s.paid_in, currency) AS paid_in, \
                 coalesce(s.is_exchanged_when_paid, false) AS is_exchanged_when_paid, s.release_at, s.respond_by \
             FROM (SELECT * FROM judged WHERE NOT waits) j FULL JOIN sums s USING (program_id, currency)) \
         SELECT u.program_id, u.currency, u.approved, coalesce(u.pending, 0) AS pending, coalesce(u.due, 0) AS due, \
             coalesce(u.in_payout, 0) AS in_payout, coalesce(u.waiting, 0) AS waiting, coalesce(u.disputed, 0) AS disputed, \
             coalesce(u.unexchanged, 0) AS unexchanged, u.paid_in, u.is_exchanged_when_paid, n.minimum, \
             (u.release_at AT TIME ZONE g.time_zone)::date AS release_on, \
             ((SELECT CASE WHEN u.is_exchanged_when_paid AND n.minimum IS NOT NULL THEN max(k.release_at) \
                     ELSE min(k.release_at) END FROM coming k \
                 WHERE k.program_id = u.program_id AND k.currency = u.currency AND u.approved + k.amount > 0 \
                     AND (u.is_exchanged_when_paid OR u.approved + k.amount >= coalesce(n.minimum, 0))) AT TIME ZONE g.time_zone)::date AS reached_on, \
             (u.respond_by AT TIME ZONE g.time_zone)::date AS answer_on, p.status AS partner_status, \
             c.closed AS closed_gates, CASE WHEN c.closed <> '{{}}' THEN {opens_on} END AS gates_open_on, \
             w.usable_from <= $3 AS is_usable, (w.usable_from AT TIME ZONE g.time_zone)::date AS usable_on, \
             ($3 AT TIME ZONE g.time_zone)::date AS today, g.commission_approval = 'manual' AS is_approved_by_hand \
         FROM purses u \
         JOIN partners p ON p.organization_id = $1 AND p.id = $2 \
         JOIN programs g ON g.organization_id = $1 AND g.id = u.program_id \
         CROSS JOIN LATERAL (SELECT {minimum} AS minimum) n \
         CROSS JOIN LATERAL (SELECT {closed} AS closed OFFSET 0) c \
         LEFT JOIN payout_methods w ON w.organization_id = $1 AND w.partner_id = $2 AND w.currency = u.paid_in \
             AND w.status = 'active' \
         ORDER BY u.program_id, u.currency",
        payable = payable("x.partner_id = $2"),
        minimum = minimum_payout("g", "CASE WHEN u.is_exchanged_when_paid THEN u.paid_in ELSE u.currency END"),
        closed = closed_before_paying("g", "p.id", "$3"),
        opens_on = opens_before_paying_on("g", "p.id", "$3"),
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(partner_id.uuid())
    .bind::<Timestamptz, _>(now);
    let rows: Vec<PurseRow> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(Purse::try_from).collect()
}

impl TryFrom<LineRow> for Line {
    type Error = Problem;

    fn try_from(row: LineRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let money = |amount| Money::new(amount, currency).map_err(Problem::damaged);
        let unpaid = match (row.unpaid, &row.invoice_currency) {
            (Some(unpaid), Some(code)) => {
                let currency = Currency::from_code(code).map_err(Problem::damaged)?;
                Some(Money::new(unpaid, currency).map_err(Problem::damaged)?)
            }
            _ => None,
        };
        let paid_in = row.payout_currency.as_deref().map(Currency::from_code);
        let asked = paid_in.transpose().map_err(Problem::damaged)?.map(|to| Asked {
            from: currency,
            to,
            on: row.rate_on,
        });
        let run_status = row.run_status.as_deref().map(PayoutRunStatus::from_str);
        let run_status = run_status.transpose().map_err(Problem::damaged)?;
        let payout_status = row.payout_status.as_deref().map(PayoutStatus::from_str);
        let payout_status = payout_status.transpose().map_err(Problem::damaged)?;
        Ok(Self {
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            status: CommissionStatus::from_str(&row.status).map_err(Problem::damaged)?,
            amount: money(row.amount)?,
            exchange: asked,
            release_on: row.release_on,
            dispute: row.dispute_id.map(DisputeId::from_uuid).zip(row.answer_on),
            invoice: row.invoice_id.map(InvoiceId::from_uuid).zip(unpaid),
            payout: row.payout_id.zip(payout_status).map(|(id, status)| LastPayout {
                id: PayoutId::from_uuid(id),
                status,
                run_status,
                reason: row.status_reason,
            }),
            today: row.today,
            is_approved_by_hand: row.is_approved_by_hand,
        })
    }
}

impl TryFrom<PurseRow> for Purse {
    type Error = Problem;

    fn try_from(row: PurseRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let paid_in = Currency::from_code(&row.paid_in).map_err(Problem::damaged)?;
        let money = |amount| Total::new(amount, currency).map_err(Problem::damaged);
        let counted_in = if row.is_exchanged_when_paid {
            paid_in
        } else {
            currency
        };
        let minimum = row.minimum.map(|amount| Total::new(amount, counted_in));
        Ok(Self {
            program_id: ProgramId::from_uuid(row.program_id),
            currency,
            pending: money(row.pending)?,
            due: money(row.due)?,
            approved: money(row.approved)?,
            in_payout: money(row.in_payout)?,
            waiting: money(row.waiting)?,
            disputed: money(row.disputed)?,
            unexchanged: money(row.unexchanged)?,
            paid_in,
            is_exchanged_when_paid: row.is_exchanged_when_paid,
            exchange: None,
            minimum: minimum.transpose().map_err(Problem::damaged)?,
            release_on: row.release_on,
            reached_on: row.reached_on,
            answer_on: row.answer_on,
            partner_status: PartnerStatus::from_str(&row.partner_status).map_err(Problem::damaged)?,
            closed_gates: row.closed_gates,
            gates_open_on: row.gates_open_on,
            method: row.is_usable.zip(row.usable_on),
            today: row.today,
            is_approved_by_hand: row.is_approved_by_hand,
        })
    }
}
