//! Payout methods in Postgres. Every query takes the caller's scope.

use super::domain::{Details, PayoutMethod, PayoutMethodKind, PayoutMethodStatus};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{PartnerId, PayoutMethodId};
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::payout_methods;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashSet;
use std::str::FromStr;
use uuid::Uuid;

/// Which methods a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct PayoutMethodFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<PayoutMethodStatus>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this currency.
    pub currency: Option<String>,
}

/// Not printable: it holds what must not be logged.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payout_methods, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct PayoutMethodRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Uuid,
    kind: String,
    currency: String,
    status: String,
    status_reason: Option<String>,
    instruction: Option<String>,
    account_holder: Option<String>,
    iban: Option<String>,
    bic: Option<String>,
    created_by: Uuid,
    created_by_type: String,
    confirmed_by: Option<Uuid>,
    confirmed_by_type: Option<String>,
    confirmed_at: Option<DateTime<Utc>>,
    usable_from: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    stripe_account: Option<String>,
}

/// One method.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: PayoutMethodId) -> Result<Option<PayoutMethod>, Problem> {
    let row = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_methods::id.eq(id.uuid()))
        .select(PayoutMethodRow::as_select())
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// One method, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: PayoutMethodId) -> Result<Option<PayoutMethod>, Problem> {
    let row = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_methods::id.eq(id.uuid()))
        .select(PayoutMethodRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// These methods, as far as they are within reach.
pub fn find_all(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[PayoutMethodId],
) -> Result<Vec<PayoutMethod>, Problem> {
    let mut query = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_methods::id.eq_any(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()))
        .select(PayoutMethodRow::as_select())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(payout_methods::partner_id.eq(partner_id.uuid()));
    }
    let rows: Vec<PayoutMethodRow> = query.load(tx.connection())?;
    rows.into_iter().map(PayoutMethod::try_from).collect()
}

/// Which of these methods are in force, locked against change until the transaction ends, in the order of their ids.
pub fn hold_in_force(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[PayoutMethodId],
) -> Result<HashSet<PayoutMethodId>, Problem> {
    let held: Vec<Uuid> = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_methods::id.eq_any(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()))
        .filter(payout_methods::status.eq(PayoutMethodStatus::Active.as_str()))
        .order(payout_methods::id)
        .select(payout_methods::id)
        .for_share()
        .load(tx.connection())?;
    Ok(held.into_iter().map(PayoutMethodId::from_uuid).collect())
}

/// The method that is in force for the partner in the currency, locked until the transaction ends.
pub fn lock_active(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    currency: Currency,
) -> Result<Option<PayoutMethod>, Problem> {
    let row = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_methods::partner_id.eq(partner_id.uuid()))
        .filter(payout_methods::currency.eq(currency.code()))
        .filter(payout_methods::status.eq(PayoutMethodStatus::Active.as_str()))
        .select(PayoutMethodRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// A page of methods, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PayoutMethodFilter,
    page: &PageRequest,
) -> Result<Page<PayoutMethod>, Problem> {
    let mut query = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .select(PayoutMethodRow::as_select())
        .order(payout_methods::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(payout_methods::partner_id.eq(partner_id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(payout_methods::status.eq_any(statuses));
    }
    if let Some(currency) = &filter.currency {
        query = query.filter(payout_methods::currency.eq(currency));
    }
    if let Some(last) = &page.after {
        query = query.filter(payout_methods::id.lt(last.id));
    }
    let rows: Vec<PayoutMethodRow> = page.rows_of(query).load(tx.connection())?;
    let methods = rows
        .into_iter()
        .map(PayoutMethod::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(methods, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new method.
/// `secret_makers` made the secret of the key that proposes it.
pub fn insert(
    tx: &mut Tx<'_>,
    scope: &Scope,
    method: &PayoutMethod,
    secret_makers: Vec<Uuid>,
) -> Result<(), Problem> {
    let row = PayoutMethodRow::of(scope, method);
    let values = (row, payout_methods::author_secret_makers.eq(secret_makers));
    Prepared(diesel::insert_into(payout_methods::table).values(values)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed method.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, method: &PayoutMethod) -> Result<(), Problem> {
    let row = PayoutMethodRow::of(scope, method);
    let target = payout_methods::table
        .filter(payout_methods::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_methods::id.eq(method.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller sees its own methods alone.
fn within(scope: &Scope, row: Option<PayoutMethodRow>) -> Result<Option<PayoutMethod>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(PayoutMethod::try_from).transpose()
}

impl PayoutMethodRow {
    fn of(scope: &Scope, method: &PayoutMethod) -> Self {
        let mut stripe_account = None;
        let (instruction, account_holder, iban, bic) = match method.details.clone() {
            Details::Manual { instruction } => (Some(instruction), None, None, None),
            Details::BankAccount {
                account_holder,
                iban,
                bic,
            } => (None, Some(account_holder), Some(iban.reveal().to_owned()), bic),
            Details::Stripe { account } => {
                stripe_account = Some(account);
                (None, None, None, None)
            }
        };
        Self {
            organization_id: scope.organization_id.uuid(),
            id: method.id.uuid(),
            partner_id: method.partner_id.uuid(),
            kind: method.details.kind().as_str().to_owned(),
            currency: method.currency.code().to_owned(),
            status: method.status.as_str().to_owned(),
            status_reason: method.status_reason.clone(),
            instruction,
            account_holder,
            iban,
            bic,
            created_by: method.created_by.uuid(),
            created_by_type: method.created_by.kind().to_owned(),
            confirmed_by: method.confirmed_by.map(ActorId::uuid),
            confirmed_by_type: method.confirmed_by.map(|by| by.kind().to_owned()),
            confirmed_at: method.confirmed_at,
            usable_from: method.usable_from,
            row_version: method.row_version,
            created_at: method.created_at,
            updated_at: method.updated_at,
            stripe_account,
        }
    }

    fn details(&self) -> Result<Details, Problem> {
        let kept = |field: &Option<String>| {
            let missing = || Problem::damaged("a payout method lacks its details");
            field.clone().ok_or_else(missing)
        };
        match PayoutMethodKind::from_str(&self.kind).map_err(Problem::damaged)? {
            PayoutMethodKind::Manual => Ok(Details::Manual {
                instruction: kept(&self.instruction)?,
            }),
            PayoutMethodKind::BankAccount => Ok(Details::BankAccount {
                account_holder: kept(&self.account_holder)?,
                iban: kept(&self.iban)?.parse().map_err(Problem::damaged)?,
                bic: self.bic.clone(),
            }),
            PayoutMethodKind::Stripe => Ok(Details::Stripe {
                account: kept(&self.stripe_account)?,
            }),
        }
    }
}

impl TryFrom<PayoutMethodRow> for PayoutMethod {
    type Error = Problem;

    fn try_from(row: PayoutMethodRow) -> Result<Self, Problem> {
        let details = row.details()?;
        let created_by = ActorId::of_columns(Some(&row.created_by_type), Some(row.created_by));
        Ok(Self {
            id: PayoutMethodId::from_uuid(row.id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            currency: Currency::from_code(&row.currency).map_err(Problem::damaged)?,
            details,
            status: PayoutMethodStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            created_by: created_by.ok_or_else(|| Problem::damaged("a payout method lacks its author"))?,
            confirmed_by: ActorId::of_columns(row.confirmed_by_type.as_deref(), row.confirmed_by),
            confirmed_at: row.confirmed_at,
            usable_from: row.usable_from,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
