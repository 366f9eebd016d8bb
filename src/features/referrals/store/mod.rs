//! Referrals in Postgres. Every query takes the caller's scope.

mod late;
mod rivals;
mod routes;

pub use late::{lock_late, organizations_with_late_referrals};
pub use rivals::open_of_others;
pub use routes::{replace_routes, route, routes};

use super::domain::{Lead, MovedBy, Referral, ReferralMove, ReferralStatus};
use crate::features::deal_rules::Qualification;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{DealId, PartnerId, ProductFamilyId, ProgramId, ReferralId, UserId};
use crate::kernel::matching::CompanyName;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{deals, referral_assignments, referral_moves, referrals};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Which referrals a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ReferralFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<ReferralStatus>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this program.
    pub program_id: Option<ProgramId>,
    /// That this person answers.
    pub owner_id: Option<UserId>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Oldest first rather than newest first.
    pub oldest_first: bool,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = referrals, treat_none_as_null = true, check_for_backend(Pg))]
struct ReferralRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    partner_id: Uuid,
    program_id: Uuid,
    status: String,
    status_reason: Option<String>,
    rejection_code: Option<String>,
    company_name: String,
    company_domain: Option<String>,
    country: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    product_family_id: Option<Uuid>,
    amount: Option<Decimal>,
    currency: Option<String>,
    is_public_tender: bool,
    qualification: Value,
    note: Option<String>,
    respond_by: Option<DateTime<Utc>>,
    first_response_at: Option<DateTime<Utc>>,
    response_breached_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    duplicate_of_id: Option<Uuid>,
    deal_id: Option<Uuid>,
    domain_key: Option<String>,
    name_key: Option<String>,
    hidden_from_parent: bool,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = referral_moves, check_for_backend(Pg))]
struct MoveRow {
    organization_id: Uuid,
    referral_id: Uuid,
    number: i64,
    partner_id: Uuid,
    status: String,
    moved_by: String,
    reason_code: Option<String>,
    reason: Option<String>,
    moved_at: DateTime<Utc>,
}

/// One referral.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ReferralId) -> Result<Option<Referral>, Problem> {
    let query = referrals::table
        .filter(referrals::organization_id.eq(scope.organization_id.uuid()))
        .filter(referrals::id.eq(id.uuid()))
        .select(ReferralRow::as_select());
    let row = match scope.partner_id {
        None => query.first(tx.connection()),
        Some(own) => query.filter(concerns(scope, own)).first(tx.connection()),
    };
    row.optional()?.map(Referral::try_from).transpose()
}

/// One referral, locked until the transaction ends. What a partner's caller sees of others is not to be moved.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: ReferralId) -> Result<Option<Referral>, Problem> {
    let row = referrals::table
        .filter(referrals::organization_id.eq(scope.organization_id.uuid()))
        .filter(referrals::id.eq(id.uuid()))
        .select(ReferralRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// A page of referrals.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ReferralFilter,
    page: &PageRequest,
) -> Result<Page<Referral>, Problem> {
    let mut query = referrals::table
        .filter(referrals::organization_id.eq(scope.organization_id.uuid()))
        .select(ReferralRow::as_select())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        query = query.filter(concerns(scope, own));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(referrals::partner_id.eq(partner_id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(referrals::status.eq_any(statuses));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(referrals::program_id.eq(program_id.uuid()));
    }
    if let Some(owner_id) = filter.owner_id {
        let assigned = referral_assignments::table
            .filter(referral_assignments::organization_id.eq(referrals::organization_id))
            .filter(referral_assignments::referral_id.eq(referrals::id))
            .filter(referral_assignments::owner_id.eq(owner_id.uuid()));
        query = query.filter(exists(assigned));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(referrals::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(referrals::updated_at.ge(instant));
    }
    query = match (filter.oldest_first, &page.after) {
        (false, None) => query.order(referrals::id.desc()),
        (false, Some(last)) => query
            .filter(referrals::id.lt(last.id))
            .order(referrals::id.desc()),
        (true, None) => query.order(referrals::id.asc()),
        (true, Some(last)) => query.filter(referrals::id.gt(last.id)).order(referrals::id.asc()),
    };
    let rows: Vec<ReferralRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Referral::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new referral and the first step of its history.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, referral: &Referral, moved_by: MovedBy) -> Result<(), Problem> {
    let row = ReferralRow::of(scope, referral)?;
    Prepared(diesel::insert_into(referrals::table).values(row)).execute(tx.connection())?;
    remember(tx, scope, referral, moved_by)
}

/// Writes a changed referral.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, referral: &Referral) -> Result<(), Problem> {
    let row = ReferralRow::of(scope, referral)?;
    let target = referrals::table
        .filter(referrals::organization_id.eq(scope.organization_id.uuid()))
        .filter(referrals::id.eq(referral.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes where a referral stands now as a step of its history.
pub fn remember(
    tx: &mut Tx<'_>,
    scope: &Scope,
    referral: &Referral,
    moved_by: MovedBy,
) -> Result<(), Problem> {
    let row = MoveRow {
        organization_id: scope.organization_id.uuid(),
        referral_id: referral.id.uuid(),
        number: referral.row_version,
        partner_id: referral.partner_id.uuid(),
        status: referral.status.as_str().to_owned(),
        moved_by: moved_by.as_str().to_owned(),
        reason_code: referral.rejection_code.map(|code| code.as_str().to_owned()),
        reason: referral.status_reason.clone(),
        moved_at: referral.updated_at,
    };
    Prepared(diesel::insert_into(referral_moves::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// The history of a referral, oldest first.
pub fn history(tx: &mut Tx<'_>, scope: &Scope, referral: &Referral) -> Result<Vec<ReferralMove>, Problem> {
    let rows: Vec<MoveRow> = referral_moves::table
        .filter(referral_moves::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_moves::referral_id.eq(referral.id.uuid()))
        .filter(referral_moves::partner_id.eq(referral.partner_id.uuid()))
        .select(MoveRow::as_select())
        .order(referral_moves::number.asc())
        .load(tx.connection())?;
    rows.into_iter().map(ReferralMove::try_from).collect()
}

/// Who answers these referrals; a partner's caller is told of nobody.
pub fn owners(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[ReferralId],
) -> Result<HashMap<ReferralId, UserId>, Problem> {
    if scope.partner_id.is_some() || ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, Uuid)> = referral_assignments::table
        .filter(referral_assignments::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_assignments::referral_id.eq_any(ids))
        .select((referral_assignments::referral_id, referral_assignments::owner_id))
        .load(tx.connection())?;
    let typed = |(referral, owner)| (ReferralId::from_uuid(referral), UserId::from_uuid(owner));
    Ok(rows.into_iter().map(typed).collect())
}

/// Makes this person the one who answers the referral.
pub fn assign(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ReferralId,
    owner_id: UserId,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let owner = referral_assignments::owner_id.eq(owner_id.uuid());
    let since = referral_assignments::assigned_at.eq(now);
    let written = diesel::insert_into(referral_assignments::table)
        .values((
            referral_assignments::organization_id.eq(scope.organization_id.uuid()),
            referral_assignments::referral_id.eq(id.uuid()),
            owner,
            since,
        ))
        .on_conflict((
            referral_assignments::organization_id,
            referral_assignments::referral_id,
        ))
        .do_update()
        .set((owner, since));
    Prepared(written).execute(tx.connection())?;
    Ok(())
}

type Condition = Box<dyn BoxableExpression<referrals::table, Pg, SqlType = Bool>>;

/// What a partner sees: its own referrals, and those of the partners below it that are not hidden and did not become a
/// deal that is.
fn concerns(scope: &Scope, own: PartnerId) -> Condition {
    // Asked this way around, since the policies may not even show the deal.
    let shown_deal = deals::table
        .filter(deals::organization_id.eq(referrals::organization_id))
        .filter(deals::id.nullable().eq(referrals::deal_id))
        .filter(deals::hidden_from_parent.eq(false));
    let is_own = referrals::partner_id.eq(own.uuid());
    let is_shown = referrals::hidden_from_parent
        .eq(false)
        .and(referrals::deal_id.is_null().or(exists(shown_deal)));
    Box::new(Seen::by(scope, own, referrals::partner_id).and(is_own.or(is_shown)))
}

/// A partner's caller moves its own referrals and no other.
fn own(scope: &Scope, row: Option<ReferralRow>) -> Result<Option<Referral>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(Referral::try_from).transpose()
}

/// A word of a vocabulary, as it is stored.
fn word<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    T::from_str(text).map_err(Problem::damaged)
}

fn money(amount: Option<Decimal>, currency: Option<&str>) -> Result<Option<Money>, Problem> {
    let (Some(amount), Some(currency)) = (amount, currency) else {
        return Ok(None);
    };
    let currency = Currency::from_code(currency).map_err(Problem::damaged)?;
    Money::new(amount, currency).map(Some).map_err(Problem::damaged)
}

impl ReferralRow {
    fn of(scope: &Scope, referral: &Referral) -> Result<Self, Problem> {
        let lead = referral.lead.clone();
        let company = lead.company();
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: referral.id.uuid(),
            external_id: referral.external_id.clone(),
            partner_id: referral.partner_id.uuid(),
            program_id: referral.program_id.uuid(),
            status: referral.status.as_str().to_owned(),
            status_reason: referral.status_reason.clone(),
            rejection_code: referral.rejection_code.map(|code| code.as_str().to_owned()),
            company_name: lead.company_name,
            company_domain: lead.company_domain,
            country: lead.country,
            contact_name: lead.contact_name,
            contact_email: lead.contact_email,
            product_family_id: lead.product_family_id.map(ProductFamilyId::uuid),
            amount: lead.amount.map(Money::amount),
            currency: lead.amount.map(|amount| amount.currency().code().to_owned()),
            is_public_tender: lead.is_public_tender,
            qualification: Value::Object(lead.qualification),
            note: lead.note,
            respond_by: referral.respond_by,
            first_response_at: referral.first_response_at,
            response_breached_at: referral.response_breached_at,
            expires_at: referral.expires_at,
            duplicate_of_id: referral.duplicate_of_id.map(ReferralId::uuid),
            deal_id: referral.deal_id.map(DealId::uuid),
            domain_key: company.domain,
            name_key: company.names.first().map(CompanyName::key),
            hidden_from_parent: referral.hidden_from_parent,
            row_version: referral.row_version,
            created_at: referral.created_at,
            updated_at: referral.updated_at,
        })
    }

    fn qualification(value: Value) -> Result<Qualification, Problem> {
        match value {
            Value::Object(fields) => Ok(fields),
            _ => Err(Problem::damaged("a qualification is no object")),
        }
    }
}

impl TryFrom<ReferralRow> for Referral {
    type Error = Problem;

    fn try_from(row: ReferralRow) -> Result<Self, Problem> {
        Ok(Self {
            id: ReferralId::from_uuid(row.id),
            external_id: row.external_id,
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            status: word(&row.status)?,
            status_reason: row.status_reason,
            rejection_code: row.rejection_code.as_deref().map(word).transpose()?,
            lead: Lead {
                company_name: row.company_name,
                company_domain: row.company_domain,
                country: row.country,
                contact_name: row.contact_name,
                contact_email: row.contact_email,
                product_family_id: row.product_family_id.map(ProductFamilyId::from_uuid),
                amount: money(row.amount, row.currency.as_deref())?,
                is_public_tender: row.is_public_tender,
                qualification: ReferralRow::qualification(row.qualification)?,
                note: row.note,
            },
            respond_by: row.respond_by,
            first_response_at: row.first_response_at,
            response_breached_at: row.response_breached_at,
            expires_at: row.expires_at,
            duplicate_of_id: row.duplicate_of_id.map(ReferralId::from_uuid),
            deal_id: row.deal_id.map(DealId::from_uuid),
            hidden_from_parent: row.hidden_from_parent,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl TryFrom<MoveRow> for ReferralMove {
    type Error = Problem;

    fn try_from(row: MoveRow) -> Result<Self, Problem> {
        Ok(Self {
            status: word(&row.status)?,
            moved_by: word(&row.moved_by)?,
            reason_code: row.reason_code.as_deref().map(word).transpose()?,
            reason: row.reason,
            moved_at: row.moved_at,
        })
    }
}
