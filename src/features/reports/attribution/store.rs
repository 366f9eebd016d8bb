//! What the models start from, in one statement each.

use super::super::domain::GroupBy;
use super::super::store::{RECEIVED, ReportFilter};
use super::domain::{Amount, Credit, Figure, Group, Known};
use crate::kernel::attribution::Touch;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{AttributionId, DealId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Rounding, Total};
use crate::kernel::motion::Role;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::str::FromStr;
use uuid::Uuid;

#[derive(QueryableByName)]
struct RawAmount {
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = Text)]
    figure: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    value: Decimal,
}

#[derive(QueryableByName)]
struct RawCredit {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Integer)]
    share: i32,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    won_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    label: String,
}

#[derive(QueryableByName)]
struct RawTouch {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
}

/// The key and the label of a deal's group.
const fn of_deals(group_by: Option<GroupBy>) -> (&'static str, &'static str) {
    match group_by {
        Some(GroupBy::Program) => (
            "coalesce(d.program_id::text, '')",
            "coalesce(g.name, 'No program')",
        ),
        Some(GroupBy::Motion) => ("coalesce(g.motion, '')", "coalesce(g.motion, 'direct')"),
        Some(GroupBy::Month) => ("m.month", "m.month"),
        None | Some(GroupBy::Partner | GroupBy::Tier | GroupBy::Region) => ("''", "''"),
    }
}

/// The key and the label of a partner's group.
const fn of_partners(group_by: Option<GroupBy>) -> (&'static str, &'static str) {
    match group_by {
        Some(GroupBy::Partner) => ("n.id::text", "n.name"),
        Some(GroupBy::Tier) => ("coalesce(e.tier, '')", "coalesce(e.tier, 'No tier')"),
        Some(GroupBy::Region) => ("coalesce(n.country, '')", "coalesce(n.country, 'No country')"),
        None | Some(GroupBy::Program | GroupBy::Motion | GroupBy::Month) => ("''", "''"),
    }
}

/// What deals with a confirmed sourced or influenced credit are worth and brought in within the period.
pub fn amounts(tx: &mut Tx<'_>, scope: &Scope, filter: &ReportFilter) -> Result<Vec<Amount>, Problem> {
    let (key, label) = of_deals(filter.group_by);
    let text = format!(
        "WITH bounds AS (SELECT o.time_zone AS zone, $2::date::timestamp AT TIME ZONE o.time_zone AS from_at, \
             $3::date::timestamp AT TIME ZONE o.time_zone AS to_at FROM organizations o WHERE o.organization_id = $1), \
         {RECEIVED}, money AS (\
             SELECT x.id AS deal_id, 'pipeline' AS figure, x.currency, to_char(x.opened_on, 'YYYY-MM') AS month, \
                 x.amount AS value FROM deals x \
             WHERE x.organization_id = $1 AND ($2::date IS NULL OR x.opened_on >= $2) \
                 AND ($3::date IS NULL OR x.opened_on < $3) \
             UNION ALL \
             SELECT r.deal_id, 'revenue', r.currency, to_char(r.at AT TIME ZONE b.zone, 'YYYY-MM'), r.value \
             FROM received r CROSS JOIN bounds b \
             WHERE (b.from_at IS NULL OR r.at >= b.from_at) AND (b.to_at IS NULL OR r.at < b.to_at)) \
         SELECT d.id AS deal_id, m.figure, {key} AS key, {label} AS label, m.currency, round(coalesce(sum(m.value), 0), 8) AS value \
         FROM money m JOIN deals d ON d.organization_id = $1 AND d.id = m.deal_id \
         LEFT JOIN programs g ON g.organization_id = $1 AND g.id = d.program_id \
         WHERE ($4::uuid IS NULL OR d.program_id = $4) AND ($5::text IS NULL OR m.currency = $5) \
             AND d.id IN (SELECT a.deal_id FROM attributions a WHERE a.organization_id = $1 \
                 AND a.status = 'confirmed' AND a.role IN ('sourced', 'influenced') \
                 AND ($6::uuid IS NULL OR a.partner_id = $6)) \
         GROUP BY 1, 2, 3, 4, 5"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Nullable<Date>, _>(filter.from)
        .bind::<Nullable<Date>, _>(filter.to)
        .bind::<Nullable<SqlUuid>, _>(filter.program_id.map(ProgramId::uuid))
        .bind::<Nullable<Text>, _>(filter.currency.map(|currency| currency.code()))
        .bind::<Nullable<SqlUuid>, _>(filter.partner_id.map(PartnerId::uuid));
    let rows: Vec<RawAmount> = tx.without_nested_loops(|tx| Ok(Prepared(query).load(tx.connection())?))?;
    rows.into_iter().map(Amount::try_from).collect()
}

/// The credits and touchpoints of deals as they were at an instant.
pub fn known(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deals: &[DealId],
    as_of: DateTime<Utc>,
    group_by: Option<GroupBy>,
) -> Result<BTreeMap<DealId, Known>, Problem> {
    let ids: Vec<Uuid> = deals.iter().map(|deal| deal.uuid()).collect();
    let (key, label) = of_partners(group_by);
    let text = format!(
        "SELECT a.id, a.deal_id, a.partner_id, a.role, coalesce((SELECT c.share_before FROM attribution_corrections c \
             WHERE c.organization_id = $1 AND c.attribution_id = a.id AND c.corrected_at > $3 ORDER BY c.id LIMIT 1), \
             a.share_basis_points) AS share, a.created_at, d.won_at, {key} AS key, {label} AS label \
         FROM attributions a JOIN deals d ON d.organization_id = $1 AND d.id = a.deal_id \
         JOIN partners n ON n.organization_id = $1 AND n.id = a.partner_id \
         LEFT JOIN LATERAL (SELECT x.tier FROM enrollments x WHERE x.organization_id = $1 \
             AND x.partner_id = a.partner_id AND x.program_id = d.program_id ORDER BY x.id DESC LIMIT 1) e ON true \
         WHERE a.organization_id = $1 AND a.deal_id = ANY ($2) AND a.confirmed_at <= $3 AND (a.status = 'confirmed' \
             OR EXISTS (SELECT FROM attribution_corrections c WHERE c.organization_id = $1 \
                 AND c.attribution_id = a.id AND c.share_after = 0 AND c.corrected_at > $3)) \
         ORDER BY a.id"
    );
    let credits: Vec<RawCredit> =
        Prepared(bound(sql_query(text), scope, &ids, as_of)).load(tx.connection())?;
    let mut found: BTreeMap<DealId, Known> = BTreeMap::new();
    for raw in credits {
        let partner_id = PartnerId::from_uuid(raw.partner_id);
        let known = found.entry(DealId::from_uuid(raw.deal_id)).or_default();
        known.won_at = raw.won_at.filter(|won_at| *won_at <= as_of);
        known.groups.insert(
            partner_id,
            Group {
                key: raw.key.clone(),
                label: raw.label.clone(),
            },
        );
        known.credits.push(Credit::try_from(raw)?);
    }
    let text = "SELECT t.id, t.deal_id, t.partner_id, t.occurred_at FROM touchpoints t \
         WHERE t.organization_id = $1 AND t.deal_id = ANY ($2) AND t.occurred_at <= $3 AND t.created_at <= $3 \
             AND (t.voided_at IS NULL OR t.voided_at > $3)";
    let touches: Vec<RawTouch> =
        Prepared(bound(sql_query(text), scope, &ids, as_of)).load(tx.connection())?;
    for raw in touches {
        if let Some(known) = found.get_mut(&DealId::from_uuid(raw.deal_id)) {
            known.touches.push(Touch {
                at: raw.occurred_at,
                id: raw.id,
                partner_id: PartnerId::from_uuid(raw.partner_id),
            });
        }
    }
    Ok(found)
}

type Bound = diesel::query_builder::SqlQuery;

fn bound(
    query: Bound,
    scope: &Scope,
    ids: &[Uuid],
    as_of: DateTime<Utc>,
) -> impl diesel::query_builder::QueryFragment<diesel::pg::Pg>
+ diesel::query_builder::QueryId
+ diesel::query_builder::Query<SqlType = diesel::sql_types::Untyped>
+ RunQueryDsl<diesel::PgConnection> {
    query
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids.to_vec())
        .bind::<Timestamptz, _>(as_of)
}

impl TryFrom<RawAmount> for Amount {
    type Error = Problem;

    fn try_from(raw: RawAmount) -> Result<Self, Problem> {
        let currency = Currency::from_code(&raw.currency).map_err(Problem::damaged)?;
        Ok(Self {
            deal_id: DealId::from_uuid(raw.deal_id),
            figure: match raw.figure.as_str() {
                "pipeline" => Figure::Pipeline,
                _ => Figure::Revenue,
            },
            group: Group {
                key: raw.key,
                label: raw.label,
            },
            money: Total::rounded(raw.value, currency, Rounding::HalfUp),
        })
    }
}

impl TryFrom<RawCredit> for Credit {
    type Error = Problem;

    fn try_from(raw: RawCredit) -> Result<Self, Problem> {
        Ok(Self {
            id: AttributionId::from_uuid(raw.id),
            deal_id: DealId::from_uuid(raw.deal_id),
            partner_id: PartnerId::from_uuid(raw.partner_id),
            role: Role::from_str(&raw.role).map_err(Problem::damaged)?,
            share_basis_points: raw.share,
            claimed_at: raw.created_at,
        })
    }
}
