//! Deals in Postgres. Every query takes the caller's scope.

use super::domain::{Deal, DealState, DealStatus, DealType};
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{AccountId, DealId, PartnerId, PipelineStageId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::{attributions, deals};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which deals a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct DealFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<DealStatus>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Of this customer.
    pub account_id: Option<AccountId>,
    /// Under this program.
    pub program_id: Option<ProgramId>,
    /// Made by this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this product family.
    pub product_family_id: Option<ProductFamilyId>,
    /// At this step of the pipeline.
    pub stage_id: Option<PipelineStageId>,
    /// Opened on or after this day.
    pub opened_on_gte: Option<NaiveDate>,
    /// Opened before this day.
    pub opened_on_lt: Option<NaiveDate>,
    /// Created at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Created before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: DealOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DealOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By the day on which it was opened, the last day first.
    LastOpened,
    /// By the day on which it was opened.
    FirstOpened,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = deals, treat_none_as_null = true, check_for_backend(Pg))]
struct DealRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    name: String,
    account_id: Uuid,
    program_id: Option<Uuid>,
    partner_id: Option<Uuid>,
    product_family_id: Option<Uuid>,
    stage_id: Option<Uuid>,
    deal_type: String,
    status: String,
    amount: Decimal,
    currency: String,
    opened_on: NaiveDate,
    expected_close_on: Option<NaiveDate>,
    won_at: Option<DateTime<Utc>>,
    lost_at: Option<DateTime<Utc>>,
    lost_reason: Option<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    hidden_from_parent: bool,
    crm_partner_source: Option<String>,
    crm_partner_influence: Option<String>,
}

type DealQuery<'a> = deals::BoxedQuery<'a, Pg, diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<DealRow, Pg>>>;
type Condition = Box<dyn BoxableExpression<deals::table, Pg, SqlType = Bool>>;

/// One deal.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: DealId) -> Result<Option<Deal>, Problem> {
    let query = deals::table
        .filter(deals::organization_id.eq(scope.organization_id.uuid()))
        .filter(deals::id.eq(id.uuid()))
        .select(DealRow::as_select());
    let row = match scope.partner_id {
        None => query.first(tx.connection()),
        Some(partner_id) => query.filter(concerns(scope, partner_id)).first(tx.connection()),
    };
    row.optional()?.map(Deal::try_from).transpose()
}

/// One deal, locked until the transaction ends. A partner changes no deal, so it locks none.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: DealId) -> Result<Option<Deal>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row = deals::table
        .filter(deals::organization_id.eq(scope.organization_id.uuid()))
        .filter(deals::id.eq(id.uuid()))
        .select(DealRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Deal::try_from).transpose()
}

/// The oldest open deal of the organization's own for the account and product family. A deal without a family may be for
/// any.
pub fn open_direct(
    tx: &mut Tx<'_>,
    scope: &Scope,
    account_id: AccountId,
    family: Option<ProductFamilyId>,
) -> Result<Option<Deal>, Problem> {
    let query = of_account(scope, account_id, DealStatus::Open).filter(is_direct_for(family));
    let row = query.order(deals::id).first(tx.connection()).optional()?;
    row.map(Deal::try_from).transpose()
}

/// [`open_direct`], and whether a deal for the account was won that is not this partner's.
pub fn business(
    tx: &mut Tx<'_>,
    scope: &Scope,
    account_id: AccountId,
    family: Option<ProductFamilyId>,
    partner_id: PartnerId,
) -> Result<(Option<Deal>, bool), Problem> {
    let open = of_account(scope, account_id, DealStatus::Open).filter(is_direct_for(family));
    let is_of_others = deals::partner_id.is_distinct_from(partner_id.uuid());
    let won = of_account(scope, account_id, DealStatus::Won).filter(is_of_others);
    let either = open.order(deals::id).limit(1).union_all(won.limit(1));
    let rows: Vec<DealRow> = either.load(tx.connection())?;
    let deals = rows.into_iter().map(Deal::try_from);
    let (open, won): (Vec<Deal>, Vec<Deal>) = deals
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .partition(|deal| deal.state.status() == DealStatus::Open);
    Ok((open.into_iter().next(), !won.is_empty()))
}

#[diesel::dsl::auto_type]
fn is_direct_for(family: Option<ProductFamilyId>) -> _ {
    let family: Option<Uuid> = family.map(ProductFamilyId::uuid);
    let is_any: bool = family.is_none();
    deals::partner_id.is_null().and(
        deals::product_family_id
            .is_null()
            .or(deals::product_family_id.eq(family).assume_not_null())
            .or(is_any.into_sql::<Bool>()),
    )
}

#[diesel::dsl::auto_type]
fn of_account<'a>(scope: &'a Scope, account_id: AccountId, status: DealStatus) -> _ {
    let organization_id: Uuid = scope.organization_id.uuid();
    let account_id: Uuid = account_id.uuid();
    let status: &'static str = status.as_str();
    let row: diesel::dsl::AsSelect<DealRow, Pg> = DealRow::as_select();
    deals::table
        .filter(deals::organization_id.eq(organization_id))
        .filter(deals::account_id.eq(account_id))
        .filter(deals::status.eq(status))
        .select(row)
}

/// A page of deals.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &DealFilter,
    page: &PageRequest,
) -> Result<Page<Deal>, Problem> {
    let mut query = deals::table
        .filter(deals::organization_id.eq(scope.organization_id.uuid()))
        .select(DealRow::as_select())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(concerns(scope, partner_id));
    }
    query = in_time(narrowed(query, filter), filter);
    query = match &page.after {
        Some(last) => after(query, filter.order, last)?,
        None => query,
    };
    let rows: Vec<DealRow> = page.rows_of(ordered(query, filter.order)).load(tx.connection())?;
    let deals = rows
        .into_iter()
        .map(Deal::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(deals, |last| position(filter.order, last)))
}

/// Writes a new deal; its account, which is the survivor where the one that was named is merged.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, deal: &Deal) -> Result<AccountId, Problem> {
    let row = DealRow::of(scope, deal);
    let written = diesel::insert_into(deals::table)
        .values(row)
        .returning(deals::account_id);
    Ok(AccountId::from_uuid(
        Prepared(written).get_result(tx.connection())?,
    ))
}

/// Moves the deals of an account, or those of them that are named, to another account; which they were.
pub fn move_to_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    from: AccountId,
    to: AccountId,
    only: Option<&[DealId]>,
) -> Result<Vec<DealId>, Problem> {
    let only = only.map(|ids| ids.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>());
    let query = diesel::sql_query(
        "UPDATE deals SET account_id = $3, row_version = row_version + 1, updated_at = $4 \
         WHERE organization_id = $1 AND account_id = $2 AND ($5 IS NULL OR id = ANY($5)) RETURNING id",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<SqlUuid, _>(from.uuid())
    .bind::<SqlUuid, _>(to.uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Nullable<Array<SqlUuid>>, _>(only);
    let rows: Vec<Moved> = query.load(tx.connection())?;
    Ok(rows.iter().map(|row| DealId::from_uuid(row.id)).collect())
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Writes a changed deal.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, deal: &Deal) -> Result<(), Problem> {
    let row = DealRow::of(scope, deal);
    let target = deals::table
        .filter(deals::organization_id.eq(scope.organization_id.uuid()))
        .filter(deals::id.eq(deal.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// What a partner sees: the deals that it made and those for which it has or claims credit, and those of the partners
/// below it unless they are hidden. Written as one set of ids, so that the cost follows the deals of these partners and
/// not those of the whole organization.
fn concerns(scope: &Scope, partner_id: PartnerId) -> Condition {
    let (organization, own) = (scope.organization_id.uuid(), partner_id.uuid());
    let (made, shown) = diesel::alias!(deals as made, deals as shown);
    let maker = made.field(deals::partner_id);
    let is_open = made.field(deals::hidden_from_parent).eq(false);
    let of_partners = made
        .filter(made.field(deals::organization_id).eq(organization))
        .filter(Seen::by(scope, partner_id, maker))
        .filter(is_open.or(maker.is_not_distinct_from(own)))
        .select(made.field(deals::id));
    let is_open = shown
        .filter(shown.field(deals::organization_id).eq(organization))
        .filter(shown.field(deals::id).eq(attributions::deal_id))
        .filter(shown.field(deals::hidden_from_parent).eq(false));
    let credited = attributions::table
        .filter(attributions::organization_id.eq(organization))
        .filter(Seen::by(scope, partner_id, attributions::partner_id))
        .filter(attributions::status.ne("rejected"))
        .filter(attributions::partner_id.eq(own).or(exists(is_open)))
        .select(attributions::deal_id);
    Box::new(deals::id.eq_any(of_partners.union(credited)))
}

fn narrowed<'a>(mut query: DealQuery<'a>, filter: &'a DealFilter) -> DealQuery<'a> {
    // With one state the index gives the rows in the order of the page; with several Postgres has to sort.
    query = match filter.statuses.as_slice() {
        [] => query,
        [status] => query.filter(deals::status.eq(status.as_str())),
        several => {
            let names: Vec<&str> = several.iter().map(|status| status.as_str()).collect();
            query.filter(deals::status.eq_any(names))
        }
    };
    if let Some(external_id) = &filter.external_id {
        query = query.filter(deals::external_id.eq(external_id));
    }
    if let Some(account_id) = filter.account_id {
        query = query.filter(deals::account_id.eq(account_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(deals::program_id.eq(program_id.uuid()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(deals::partner_id.eq(partner_id.uuid()));
    }
    if let Some(product_family_id) = filter.product_family_id {
        query = query.filter(deals::product_family_id.eq(product_family_id.uuid()));
    }
    if let Some(stage_id) = filter.stage_id {
        query = query.filter(deals::stage_id.eq(stage_id.uuid()));
    }
    query
}

fn in_time<'a>(mut query: DealQuery<'a>, filter: &DealFilter) -> DealQuery<'a> {
    if let Some(day) = filter.opened_on_gte {
        query = query.filter(deals::opened_on.ge(day));
    }
    if let Some(day) = filter.opened_on_lt {
        query = query.filter(deals::opened_on.lt(day));
    }
    if let Some(instant) = filter.created_at_gte {
        query = query.filter(deals::created_at.ge(instant));
    }
    if let Some(instant) = filter.created_at_lt {
        query = query.filter(deals::created_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(deals::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(deals::updated_at.lt(instant));
    }
    query
}

/// The rows that follow the last one seen.
fn after<'a>(query: DealQuery<'a>, order: DealOrder, last: &Position) -> Result<DealQuery<'a>, Problem> {
    let day = || NaiveDate::from_str(&last.key).map_err(|_| Problem::new(Code::InvalidCursor));
    Ok(match order {
        DealOrder::Newest => query.filter(deals::id.lt(last.id)),
        DealOrder::Oldest => query.filter(deals::id.gt(last.id)),
        DealOrder::LastOpened => query
            .filter(deals::opened_on.le(day()?))
            .filter(deals::opened_on.lt(day()?).or(deals::id.lt(last.id))),
        DealOrder::FirstOpened => query
            .filter(deals::opened_on.ge(day()?))
            .filter(deals::opened_on.gt(day()?).or(deals::id.gt(last.id))),
    })
}

fn ordered(query: DealQuery<'_>, order: DealOrder) -> DealQuery<'_> {
    match order {
        DealOrder::Newest => query.order(deals::id.desc()),
        DealOrder::Oldest => query.order(deals::id.asc()),
        DealOrder::LastOpened => query.order((deals::opened_on.desc(), deals::id.desc())),
        DealOrder::FirstOpened => query.order((deals::opened_on.asc(), deals::id.asc())),
    }
}

fn position(order: DealOrder, last: &Deal) -> Position {
    let key = match order {
        DealOrder::Newest | DealOrder::Oldest => String::new(),
        DealOrder::LastOpened | DealOrder::FirstOpened => last.opened_on.to_string(),
    };
    Position {
        key,
        id: last.id.uuid(),
    }
}

impl DealRow {
    fn of(scope: &Scope, deal: &Deal) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: deal.id.uuid(),
            external_id: deal.external_id.clone(),
            name: deal.name.clone(),
            account_id: deal.account_id.uuid(),
            program_id: deal.program_id.map(ProgramId::uuid),
            partner_id: deal.partner_id.map(PartnerId::uuid),
            product_family_id: deal.product_family_id.map(ProductFamilyId::uuid),
            stage_id: deal.stage_id.map(PipelineStageId::uuid),
            deal_type: deal.deal_type.as_str().to_owned(),
            status: deal.state.status().as_str().to_owned(),
            amount: deal.amount.amount(),
            currency: deal.amount.currency().code().to_owned(),
            opened_on: deal.opened_on,
            expected_close_on: deal.expected_close_on,
            won_at: deal.state.won_at(),
            lost_at: deal.state.lost_at(),
            lost_reason: deal.state.lost_reason().map(str::to_owned),
            row_version: deal.row_version,
            created_at: deal.created_at,
            updated_at: deal.updated_at,
            hidden_from_parent: deal.hidden_from_parent,
            crm_partner_source: deal.crm_partner_source.clone(),
            crm_partner_influence: deal.crm_partner_influence.clone(),
        }
    }
}

impl TryFrom<DealRow> for Deal {
    type Error = Problem;

    fn try_from(row: DealRow) -> Result<Self, Problem> {
        let status = DealStatus::from_str(&row.status).map_err(Problem::damaged)?;
        let state = match (status, row.won_at, row.lost_at, row.lost_reason) {
            (DealStatus::Open, None, None, None) => DealState::Open,
            (DealStatus::Won, Some(at), None, None) => DealState::Won { at },
            (DealStatus::Lost, None, Some(at), Some(reason)) => DealState::Lost { at, reason },
            _ => return Err(Problem::damaged("a deal's state and its instants disagree")),
        };
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        Ok(Self {
            id: DealId::from_uuid(row.id),
            external_id: row.external_id,
            name: row.name,
            account_id: AccountId::from_uuid(row.account_id),
            program_id: row.program_id.map(ProgramId::from_uuid),
            partner_id: row.partner_id.map(PartnerId::from_uuid),
            product_family_id: row.product_family_id.map(ProductFamilyId::from_uuid),
            stage_id: row.stage_id.map(PipelineStageId::from_uuid),
            deal_type: DealType::from_str(&row.deal_type).map_err(Problem::damaged)?,
            state,
            amount: Money::new(row.amount, currency).map_err(Problem::damaged)?,
            opened_on: row.opened_on,
            expected_close_on: row.expected_close_on,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            hidden_from_parent: row.hidden_from_parent,
            crm_partner_source: row.crm_partner_source,
            crm_partner_influence: row.crm_partner_influence,
        })
    }
}
