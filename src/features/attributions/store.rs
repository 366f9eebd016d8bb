//! Credits in Postgres. Every query takes the caller's scope.

use super::domain::{Attribution, AttributionStatus, Correction};
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::id::{AttributionId, DealId, PartnerId, TouchpointId};
use crate::kernel::motion::Role;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{attribution_corrections, attributions, deals};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, max};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Integer, Text, Uuid as SqlUuid};
use std::str::FromStr;
use uuid::Uuid;

/// Which credits a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct AttributionFilter {
    /// For this deal.
    pub deal_id: Option<DealId>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In any of these roles; empty is all.
    pub roles: Vec<Role>,
    /// In any of these states; empty is all.
    pub statuses: Vec<AttributionStatus>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Created at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Created before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: AttributionOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttributionOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// What the credits of one role on one deal come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Tally {
    /// The highest allocation rank given so far; 0 when there is none.
    #[diesel(sql_type = Integer)]
    pub last_rank: i32,
    /// The sum of the confirmed shares.
    #[diesel(sql_type = BigInt)]
    pub confirmed_basis_points: i64,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = attributions, treat_none_as_null = true, check_for_backend(Pg))]
struct AttributionRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    deal_id: Uuid,
    partner_id: Uuid,
    role: String,
    share_basis_points: i32,
    allocation_rank: i32,
    status: String,
    status_reason: Option<String>,
    confirmed_at: Option<DateTime<Utc>>,
    settled_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    touchpoint_ids: Vec<Option<Uuid>>,
}

#[derive(QueryableByName)]
struct Rank {
    #[diesel(sql_type = Integer)]
    rank: i32,
}

type AttributionQuery<'a> =
    attributions::BoxedQuery<'a, Pg, diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<AttributionRow, Pg>>>;
type Condition = Box<dyn BoxableExpression<attributions::table, Pg, SqlType = Bool>>;

/// One credit.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: AttributionId) -> Result<Option<Attribution>, Problem> {
    let query = attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .filter(attributions::id.eq(id.uuid()))
        .select(AttributionRow::as_select());
    let row = match scope.partner_id {
        None => query.first(tx.connection()),
        Some(partner_id) => query.filter(concerns(scope, partner_id)).first(tx.connection()),
    };
    row.optional()?.map(Attribution::try_from).transpose()
}

/// One credit, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: AttributionId) -> Result<Option<Attribution>, Problem> {
    let row = attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .filter(attributions::id.eq(id.uuid()))
        .select(AttributionRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// What the credits of one role on one deal come to. True until the end of the transaction only when the deal is
/// locked.
pub fn tally(tx: &mut Tx<'_>, scope: &Scope, deal_id: DealId, role: Role) -> Result<Tally, Problem> {
    let query = sql_query(
        "SELECT coalesce(max(allocation_rank), 0) AS last_rank, \
             coalesce(sum(share_basis_points) FILTER (WHERE status = 'confirmed'), 0) AS confirmed_basis_points \
         FROM attributions WHERE organization_id = $1 AND deal_id = $2 AND role = $3",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(deal_id.uuid())
    .bind::<Text, _>(role.as_str());
    Ok(Prepared(query).get_result(tx.connection())?)
}

/// The rank of the next credit of a role, for a partner's caller, who sees no credit of others and locks no deal.
pub fn next_rank(tx: &mut Tx<'_>, deal_id: DealId, role: Role) -> Result<i32, Problem> {
    let query = sql_query("SELECT next_allocation_rank($1, $2) AS rank")
        .bind::<SqlUuid, _>(deal_id.uuid())
        .bind::<Text, _>(role.as_str());
    let next: Rank = Prepared(query).get_result(tx.connection())?;
    Ok(next.rank)
}

/// Whether the partner has or claims credit for the deal in this role.
pub fn is_credited(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deal_id: DealId,
    partner_id: PartnerId,
    role: Role,
) -> Result<bool, Problem> {
    let living = attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .filter(attributions::deal_id.eq(deal_id.uuid()))
        .filter(attributions::partner_id.eq(partner_id.uuid()))
        .filter(attributions::role.eq(role.as_str()))
        .filter(attributions::status.ne("rejected"));
    Ok(diesel::select(exists(living)).get_result(tx.connection())?)
}

/// A page of credits.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &AttributionFilter,
    page: &PageRequest,
) -> Result<Page<Attribution>, Problem> {
    let mut query = attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .select(AttributionRow::as_select())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(concerns(scope, partner_id));
    }
    query = in_time(narrowed(query, filter), filter);
    let after = page.after.as_ref().map(|last| last.id);
    query = match (filter.order, after) {
        (AttributionOrder::Newest, Some(id)) => query.filter(attributions::id.lt(id)),
        (AttributionOrder::Oldest, Some(id)) => query.filter(attributions::id.gt(id)),
        (_, None) => query,
    };
    query = match filter.order {
        AttributionOrder::Newest => query.order(attributions::id.desc()),
        AttributionOrder::Oldest => query.order(attributions::id.asc()),
    };
    let rows: Vec<AttributionRow> = page.rows_of(query).load(tx.connection())?;
    let attributions = rows
        .into_iter()
        .map(Attribution::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(attributions, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new credit.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, attribution: &Attribution) -> Result<(), Problem> {
    let row = AttributionRow::of(scope, attribution);
    Prepared(diesel::insert_into(attributions::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed credit.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, attribution: &Attribution) -> Result<(), Problem> {
    let row = AttributionRow::of(scope, attribution);
    let target = attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .filter(attributions::id.eq(attribution.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes down what settled credit was before it was corrected, and is after; the credit is locked.
pub fn insert_correction(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Attribution,
    after: &Attribution,
    correction: &Correction,
) -> Result<(), Problem> {
    let earlier: Option<i32> = attribution_corrections::table
        .filter(attribution_corrections::organization_id.eq(ctx.organization_id().uuid()))
        .filter(attribution_corrections::attribution_id.eq(after.id.uuid()))
        .select(max(attribution_corrections::number))
        .first(tx.connection())?;
    let values = (
        attribution_corrections::organization_id.eq(ctx.organization_id().uuid()),
        attribution_corrections::id.eq(AttributionId::new(ctx.now).uuid()),
        attribution_corrections::attribution_id.eq(after.id.uuid()),
        attribution_corrections::number.eq(earlier.unwrap_or(0) + 1),
        attribution_corrections::share_before.eq(before.counting_share()),
        attribution_corrections::share_after.eq(after.counting_share()),
        attribution_corrections::reason.eq(&correction.reason),
        attribution_corrections::corrected_by.eq(correction.author.map(ActorId::uuid)),
        attribution_corrections::corrected_by_type.eq(correction.author.map(ActorId::kind)),
        attribution_corrections::author_secret_makers.eq(&correction.author_secret_makers),
        attribution_corrections::corrected_at.eq(ctx.now),
    );
    Prepared(diesel::insert_into(attribution_corrections::table).values(values)).execute(tx.connection())?;
    Ok(())
}

/// Those of these credits that were corrected, in the order of their ids.
pub fn corrected_among(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[AttributionId],
) -> Result<Vec<AttributionId>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = attribution_corrections::table
        .filter(attribution_corrections::organization_id.eq(scope.organization_id.uuid()))
        .filter(attribution_corrections::attribution_id.eq_any(ids))
        .order(attribution_corrections::attribution_id)
        .select(attribution_corrections::attribution_id)
        .distinct();
    let found: Vec<Uuid> = Prepared(query).load(tx.connection())?;
    Ok(found.into_iter().map(AttributionId::from_uuid).collect())
}

/// How a settled credit was corrected last, if it was.
pub fn last_correction(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: AttributionId,
) -> Result<Option<Correction>, Problem> {
    let query = attribution_corrections::table
        .filter(attribution_corrections::organization_id.eq(scope.organization_id.uuid()))
        .filter(attribution_corrections::attribution_id.eq(id.uuid()))
        .order(attribution_corrections::number.desc())
        .select(CorrectionRow::as_select());
    let found: Option<CorrectionRow> = query.first(tx.connection()).optional()?;
    Ok(found.map(|row| Correction {
        reason: row.reason,
        author: ActorId::of_columns(row.corrected_by_type.as_deref(), row.corrected_by),
        author_secret_makers: row.author_secret_makers,
    }))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attribution_corrections, check_for_backend(Pg))]
struct CorrectionRow {
    reason: String,
    corrected_by: Option<Uuid>,
    corrected_by_type: Option<String>,
    author_secret_makers: Vec<Uuid>,
}

/// Settles the confirmed credits of a deal and gives them back in the order of their ids.
pub fn settle(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deal_id: DealId,
    now: DateTime<Utc>,
) -> Result<Vec<Attribution>, Problem> {
    let target = attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .filter(attributions::deal_id.eq(deal_id.uuid()))
        .filter(attributions::status.eq(AttributionStatus::Confirmed.as_str()))
        .filter(attributions::settled_at.is_null());
    let change = (
        attributions::settled_at.eq(Some(now)),
        attributions::row_version.eq(attributions::row_version + 1),
        attributions::updated_at.eq(now),
    );
    let mut rows: Vec<AttributionRow> = diesel::update(target)
        .set(change)
        .returning(AttributionRow::as_returning())
        .get_results(tx.connection())?;
    rows.sort_by_key(|row| row.id);
    rows.into_iter().map(Attribution::try_from).collect()
}

/// What a partner sees: its own credits, and those of the partners below it for deals that are not hidden.
fn concerns(scope: &Scope, partner_id: PartnerId) -> Condition {
    let shown = deals::table
        .filter(deals::organization_id.eq(attributions::organization_id))
        .filter(deals::id.eq(attributions::deal_id))
        .filter(deals::hidden_from_parent.eq(false));
    let is_own = attributions::partner_id.eq(partner_id.uuid());
    Box::new(Seen::by(scope, partner_id, attributions::partner_id).and(is_own.or(exists(shown))))
}

/// A partner's caller changes its own credits at most, whatever it sees.
fn own(scope: &Scope, row: Option<AttributionRow>) -> Result<Option<Attribution>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(Attribution::try_from).transpose()
}

fn narrowed<'a>(mut query: AttributionQuery<'a>, filter: &'a AttributionFilter) -> AttributionQuery<'a> {
    if let Some(deal_id) = filter.deal_id {
        query = query.filter(attributions::deal_id.eq(deal_id.uuid()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(attributions::partner_id.eq(partner_id.uuid()));
    }
    if !filter.roles.is_empty() {
        let roles: Vec<&str> = filter.roles.iter().map(|role| role.as_str()).collect();
        query = query.filter(attributions::role.eq_any(roles));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(attributions::status.eq_any(statuses));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(attributions::external_id.eq(external_id));
    }
    query
}

fn in_time<'a>(mut query: AttributionQuery<'a>, filter: &AttributionFilter) -> AttributionQuery<'a> {
    if let Some(instant) = filter.created_at_gte {
        query = query.filter(attributions::created_at.ge(instant));
    }
    if let Some(instant) = filter.created_at_lt {
        query = query.filter(attributions::created_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(attributions::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(attributions::updated_at.lt(instant));
    }
    query
}

impl AttributionRow {
    fn of(scope: &Scope, attribution: &Attribution) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: attribution.id.uuid(),
            external_id: attribution.external_id.clone(),
            deal_id: attribution.deal_id.uuid(),
            partner_id: attribution.partner_id.uuid(),
            role: attribution.role.as_str().to_owned(),
            share_basis_points: attribution.share_basis_points,
            allocation_rank: attribution.allocation_rank,
            status: attribution.status.as_str().to_owned(),
            status_reason: attribution.status_reason.clone(),
            confirmed_at: attribution.confirmed_at,
            settled_at: attribution.settled_at,
            row_version: attribution.row_version,
            created_at: attribution.created_at,
            updated_at: attribution.updated_at,
            touchpoint_ids: attribution
                .touchpoint_ids
                .iter()
                .map(|id| Some(id.uuid()))
                .collect(),
        }
    }
}

impl TryFrom<AttributionRow> for Attribution {
    type Error = Problem;

    fn try_from(row: AttributionRow) -> Result<Self, Problem> {
        Ok(Self {
            id: AttributionId::from_uuid(row.id),
            external_id: row.external_id,
            deal_id: DealId::from_uuid(row.deal_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            role: Role::from_str(&row.role).map_err(Problem::damaged)?,
            share_basis_points: row.share_basis_points,
            allocation_rank: row.allocation_rank,
            status: AttributionStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            confirmed_at: row.confirmed_at,
            settled_at: row.settled_at,
            touchpoint_ids: row
                .touchpoint_ids
                .into_iter()
                .flatten()
                .map(TouchpointId::from_uuid)
                .collect(),
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
