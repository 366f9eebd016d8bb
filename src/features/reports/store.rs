//! The figures, in one statement.
//!
//! Everything that happened becomes a row (when, program, partner, currency, which figure, how much); one grouping adds
//! them up. Money of a period is what happened in it; balances are everything up to its end.

use super::domain::{Figures, GroupBy};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerId, ProgramId};
use crate::kernel::money::{Currency, Rounding, Total};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

/// Groups that a report shows at most.
pub const MOST_ROWS: i64 = 10_000;

/// What a report is about.
#[derive(Debug, Clone)]
pub struct ReportFilter {
    /// The first day; `None` is from the beginning.
    pub from: Option<NaiveDate>,
    /// The day after the last; `None` is until now.
    pub to: Option<NaiveDate>,
    /// One program.
    pub program_id: Option<ProgramId>,
    /// One partner.
    pub partner_id: Option<PartnerId>,
    /// One currency.
    pub currency: Option<Currency>,
    /// What the rows stand for; `None` is one row per currency.
    pub group_by: Option<GroupBy>,
    /// Whether revenue counts for each credited partner rather than once per deal.
    pub per_partner: bool,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = BigInt)]
    deals_won: i64,
    #[diesel(sql_type = Numeric)]
    net_revenue: Decimal,
    #[diesel(sql_type = Numeric)]
    reseller_margin: Decimal,
    #[diesel(sql_type = Numeric)]
    sourced_revenue: Decimal,
    #[diesel(sql_type = Numeric)]
    influenced_revenue: Decimal,
    #[diesel(sql_type = Numeric)]
    delivered_revenue: Decimal,
    #[diesel(sql_type = Numeric)]
    earned: Decimal,
    #[diesel(sql_type = Numeric)]
    clawed_back: Decimal,
    #[diesel(sql_type = Numeric)]
    adjusted: Decimal,
    #[diesel(sql_type = Numeric)]
    written_off: Decimal,
    #[diesel(sql_type = Numeric)]
    exchanged: Decimal,
    #[diesel(sql_type = Numeric)]
    paid: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
    #[diesel(sql_type = Numeric)]
    due: Decimal,
    #[diesel(sql_type = Numeric)]
    approved: Decimal,
    #[diesel(sql_type = Numeric)]
    in_payout: Decimal,
}

/// Money in and out of customers, per deal, net of tax; and what resellers kept of the list price of what it is for. Each
/// movement is the difference that it makes to the rounded sum of its invoice, so that periods add up to the whole.
pub(super) const RECEIVED: &str = "margins AS (\
        SELECT l.invoice_id, sum(l.list_amount - l.net_amount) AS margin FROM invoice_lines l \
        WHERE l.organization_id = $1 AND l.list_amount IS NOT NULL GROUP BY 1), \
    moved AS (\
        SELECT x.invoice_id, x.at, x.amount, sum(x.amount) OVER (PARTITION BY x.invoice_id ORDER BY x.at, x.id) AS since \
        FROM (SELECT p.invoice_id, p.paid_at AS at, p.id, p.amount FROM payments p WHERE p.organization_id = $1 \
            UNION ALL \
            SELECT r.invoice_id, r.refunded_at, r.id, -r.amount FROM refunds r WHERE r.organization_id = $1) x), \
    received AS (\
        SELECT i.deal_id, v.at, i.currency, \
            round(v.since * i.net_amount / nullif(i.total_amount, 0), u.decimals) \
                - round((v.since - v.amount) * i.net_amount / nullif(i.total_amount, 0), u.decimals) AS value, \
            round(v.since * m.margin / nullif(i.total_amount, 0), u.decimals) \
                - round((v.since - v.amount) * m.margin / nullif(i.total_amount, 0), u.decimals) AS margin \
        FROM moved v JOIN invoices i ON i.organization_id = $1 AND i.id = v.invoice_id \
        LEFT JOIN margins m ON m.invoice_id = i.id \
        CROSS JOIN LATERAL (SELECT decimals_of(i.currency) AS decimals) u \
        UNION ALL \
        SELECT k.deal_id, k.issued_at, k.currency, -k.amount, NULL \
        FROM credit_notes k WHERE k.organization_id = $1 AND k.invoice_id IS NULL)";

/// The roles in which a deal is credited: once per deal, or once per credited partner.
const CREDITED: &str = "credited AS (\
        SELECT a.deal_id, CASE WHEN $7 THEN a.partner_id END AS partner_id, bool_or(a.role = 'sourced') AS sourced, \
            bool_or(a.role = 'influenced') AS influenced, bool_or(a.role = 'delivered') AS delivered \
        FROM attributions a WHERE a.organization_id = $1 AND a.status = 'confirmed' \
            AND ($5::uuid IS NULL OR a.partner_id = $5) GROUP BY 1, 2)";

/// Everything that happened, one figure a row.
const HAPPENED: &str = "happened AS (\
        SELECT d.won_at AS at, d.program_id, c.partner_id, d.currency, 'deals_won' AS figure, 1::numeric AS value \
        FROM deals d LEFT JOIN credited c ON c.deal_id = d.id \
        WHERE d.organization_id = $1 AND d.status = 'won' AND (NOT $7 AND $5::uuid IS NULL OR c.deal_id IS NOT NULL) \
        UNION ALL \
        SELECT r.at, d.program_id, c.partner_id, r.currency, f.figure, coalesce(f.value, 0) \
        FROM received r JOIN deals d ON d.organization_id = $1 AND d.id = r.deal_id \
        LEFT JOIN credited c ON c.deal_id = d.id \
        CROSS JOIN LATERAL (VALUES ('net_revenue', true, r.value), ('sourced', c.sourced, r.value), \
            ('influenced', c.influenced, r.value), ('delivered', c.delivered, r.value), \
            ('margin', r.margin IS NOT NULL AND (c.sourced OR NOT $7), r.margin)) AS f (figure, counts, value) \
        WHERE f.counts AND (NOT $7 AND $5::uuid IS NULL OR c.deal_id IS NOT NULL) \
        UNION ALL \
        SELECT l.occurred_at, l.program_id, l.partner_id, l.currency, m.figure, m.sign * l.amount \
        FROM ledger_entries l CROSS JOIN LATERAL (VALUES \
            ('earned', CASE WHEN l.kind = 'accrual' THEN 1 END), \
            ('clawed_back', CASE WHEN l.kind IN ('clawback', 'credit_note') THEN 1 WHEN l.kind = 'reinstatement' THEN -1 END), \
            ('adjusted', CASE WHEN l.kind IN ('adjustment_up', 'write_off') THEN 1 \
                WHEN l.kind = 'adjustment_down' THEN -1 END), \
            ('written_off', CASE WHEN l.kind = 'write_off' THEN 1 END), \
            ('exchanged', CASE WHEN l.kind IN ('exchange_in', 'clawback_exchange_in') THEN 1 \
                WHEN l.kind IN ('exchange_out', 'clawback_exchange_out') THEN -1 END), \
            ('paid', CASE l.kind WHEN 'payout_paid' THEN 1 WHEN 'payout_returned' THEN -1 END), \
            (l.credit_account, CASE WHEN l.credit_account IN ('held', 'released', 'payable', 'in_payout') THEN 1 END), \
            (l.debit_account, CASE WHEN l.debit_account IN ('held', 'released', 'payable', 'in_payout') THEN -1 END)\
        ) AS m (figure, sign) \
        WHERE l.organization_id = $1 AND m.sign IS NOT NULL AND l.kind NOT IN ('freeze', 'thaw') AND ($5::uuid IS NULL OR l.partner_id = $5))";

/// Adds up what happened in the period, and the balances at its end. Sums of fractions have more digits than a decimal
/// holds; eight decimals are left of them, of which no currency has more than four.
const SUMS: &str = "coalesce(sum(value) FILTER (WHERE figure = 'deals_won' AND within), 0)::bigint AS deals_won, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'net_revenue' AND within), 0), 8) AS net_revenue, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'margin' AND within), 0), 8) AS reseller_margin, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'sourced' AND within), 0), 8) AS sourced_revenue, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'influenced' AND within), 0), 8) AS influenced_revenue, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'delivered' AND within), 0), 8) AS delivered_revenue, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'earned' AND within), 0), 8) AS earned, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'clawed_back' AND within), 0), 8) AS clawed_back, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'adjusted' AND within), 0), 8) AS adjusted, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'written_off' AND within), 0), 8) AS written_off, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'exchanged' AND within), 0), 8) AS exchanged, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'paid' AND within), 0), 8) AS paid, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'held'), 0), 8) AS held, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'released'), 0), 8) AS due, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'payable'), 0), 8) AS approved, \
        round(coalesce(sum(value) FILTER (WHERE figure = 'in_payout'), 0), 8) AS in_payout";

/// The key of a group, its label, and what must be joined for them.
const fn grouping(group_by: Option<GroupBy>) -> (&'static str, &'static str, &'static str) {
    match group_by {
        None => ("''", "''", ""),
        Some(GroupBy::Program) => (
            "coalesce(h.program_id::text, '')",
            "coalesce(max(g.name), 'No program')",
            "LEFT JOIN programs g ON g.organization_id = $1 AND g.id = h.program_id",
        ),
        Some(GroupBy::Motion) => (
            "coalesce(g.motion, '')",
            "coalesce(max(g.motion), 'direct')",
            "LEFT JOIN programs g ON g.organization_id = $1 AND g.id = h.program_id",
        ),
        Some(GroupBy::Partner) => (
            "coalesce(h.partner_id::text, '')",
            "coalesce(max(n.name), 'No partner')",
            "LEFT JOIN partners n ON n.organization_id = $1 AND n.id = h.partner_id",
        ),
        Some(GroupBy::Tier) => (
            "coalesce(e.tier, '')",
            "coalesce(max(e.tier), 'No tier')",
            "LEFT JOIN LATERAL (SELECT x.tier FROM enrollments x WHERE x.organization_id = $1 \
                AND x.partner_id = h.partner_id AND x.program_id = h.program_id ORDER BY x.id DESC LIMIT 1) e ON true",
        ),
        Some(GroupBy::Region) => (
            "coalesce(n.country, '')",
            "coalesce(max(n.country), 'No country')",
            "LEFT JOIN partners n ON n.organization_id = $1 AND n.id = h.partner_id",
        ),
        Some(GroupBy::Month) => (
            "to_char(h.at AT TIME ZONE b.zone, 'YYYY-MM')",
            "max(to_char(h.at AT TIME ZONE b.zone, 'YYYY-MM'))",
            "",
        ),
    }
}

/// The groups with their figures, ordered by key and currency. For months every month up to the end comes, with what
/// changed in it.
pub fn figures(tx: &mut Tx<'_>, scope: &Scope, filter: &ReportFilter) -> Result<Vec<Figures>, Problem> {
    let (key, label, join) = grouping(filter.group_by);
    let text = format!(
        "WITH bounds AS (SELECT o.time_zone AS zone, $2::date::timestamp AT TIME ZONE o.time_zone AS from_at, \
             $3::date::timestamp AT TIME ZONE o.time_zone AS to_at FROM organizations o WHERE o.organization_id = $1), \
         {RECEIVED}, {CREDITED}, {HAPPENED} \
         SELECT {key} AS key, {label} AS label, h.currency, {SUMS} \
         FROM happened h CROSS JOIN bounds b {join} \
         CROSS JOIN LATERAL (SELECT b.from_at IS NULL OR h.at >= b.from_at AS within) w \
         WHERE (b.to_at IS NULL OR h.at < b.to_at) AND ($4::uuid IS NULL OR h.program_id = $4) \
             AND ($6::text IS NULL OR h.currency = $6) \
         GROUP BY 1, h.currency ORDER BY 1, h.currency LIMIT $8"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Nullable<Date>, _>(filter.from)
        .bind::<Nullable<Date>, _>(filter.to)
        .bind::<Nullable<SqlUuid>, _>(filter.program_id.map(ProgramId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.partner_id.map(PartnerId::uuid))
        .bind::<Nullable<Text>, _>(filter.currency.map(|currency| currency.code()))
        .bind::<Bool, _>(filter.per_partner)
        .bind::<BigInt, _>(MOST_ROWS);
    let rows: Vec<Raw> = tx.without_nested_loops(|tx| Ok(Prepared(query).load(tx.connection())?))?;
    rows.into_iter().map(Figures::try_from).collect()
}

impl TryFrom<Raw> for Figures {
    type Error = Problem;

    fn try_from(raw: Raw) -> Result<Self, Problem> {
        let currency = Currency::from_code(&raw.currency).map_err(Problem::damaged)?;
        let total = |amount: Decimal| Total::rounded(amount, currency, Rounding::HalfUp);
        Ok(Self {
            key: raw.key,
            label: raw.label,
            deals_won: raw.deals_won,
            net_revenue: total(raw.net_revenue),
            reseller_margin: total(raw.reseller_margin),
            sourced_revenue: total(raw.sourced_revenue),
            influenced_revenue: total(raw.influenced_revenue),
            delivered_revenue: total(raw.delivered_revenue),
            earned: total(raw.earned),
            clawed_back: total(raw.clawed_back),
            adjusted: total(raw.adjusted),
            written_off: total(raw.written_off),
            exchanged: total(raw.exchanged),
            paid: total(raw.paid),
            held: total(raw.held),
            due: total(raw.due),
            approved: total(raw.approved),
            in_payout: total(raw.in_payout),
        })
    }
}
