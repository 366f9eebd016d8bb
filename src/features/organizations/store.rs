//! Organizations in Postgres.

use super::domain::{Debtor, Organization, OrganizationMode};
use crate::kernel::ctx::Scope;
use crate::kernel::id::OrganizationId;
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{event_counters, organizations};
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use std::str::FromStr;
use uuid::Uuid;

/// Not printable: it holds what must not be logged.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organizations, primary_key(organization_id), treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct OrganizationRow {
    organization_id: Uuid,
    name: String,
    mode: String,
    time_zone: String,
    default_currency: String,
    dormant_after_days: i32,
    second_factor_for_payouts: bool,
    payout_method_cooling_off_hours: i32,
    payout_debtor_name: Option<String>,
    payout_debtor_iban: Option<String>,
    payout_debtor_bic: Option<String>,
    clock_offset: TimeDelta,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The organization of the scope.
pub fn find(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<Organization>, Problem> {
    let row = organizations::table
        .filter(organizations::organization_id.eq(scope.organization_id.uuid()))
        .select(OrganizationRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Organization::try_from).transpose()
}

/// The organization of the scope, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<Organization>, Problem> {
    let row = organizations::table
        .filter(organizations::organization_id.eq(scope.organization_id.uuid()))
        .select(OrganizationRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Organization::try_from).transpose()
}

/// Writes a new organization and the counter of its events.
pub fn insert(tx: &mut Tx<'_>, organization: &Organization) -> Result<(), Problem> {
    let row = OrganizationRow::from(organization);
    Prepared(diesel::insert_into(organizations::table).values(row)).execute(tx.connection())?;
    let counter = (
        event_counters::organization_id.eq(organization.id.uuid()),
        event_counters::last_sequence.eq(0_i64),
    );
    Prepared(diesel::insert_into(event_counters::table).values(counter)).execute(tx.connection())?;
    Ok(())
}

/// Writes changed settings.
pub fn update(tx: &mut Tx<'_>, organization: &Organization) -> Result<(), Problem> {
    let target = organizations::table.filter(organizations::organization_id.eq(organization.id.uuid()));
    Prepared(diesel::update(target).set(OrganizationRow::from(organization))).execute(tx.connection())?;
    Ok(())
}

impl From<&Organization> for OrganizationRow {
    fn from(organization: &Organization) -> Self {
        Self {
            organization_id: organization.id.uuid(),
            name: organization.name.clone(),
            mode: organization.mode.as_str().to_owned(),
            time_zone: organization.time_zone.name().to_owned(),
            default_currency: organization.default_currency.code().to_owned(),
            dormant_after_days: organization.dormant_after_days,
            second_factor_for_payouts: organization.second_factor_for_payouts,
            payout_method_cooling_off_hours: organization.payout_method_cooling_off_hours,
            payout_debtor_name: organization
                .payout_debtor
                .as_ref()
                .map(|debtor| debtor.name.clone()),
            payout_debtor_iban: organization
                .payout_debtor
                .as_ref()
                .map(|debtor| debtor.iban.reveal().to_owned()),
            payout_debtor_bic: organization
                .payout_debtor
                .as_ref()
                .and_then(|debtor| debtor.bic.clone()),
            clock_offset: organization.clock_offset,
            row_version: organization.row_version,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = Problem;

    fn try_from(row: OrganizationRow) -> Result<Self, Problem> {
        Ok(Self {
            id: OrganizationId::from_uuid(row.organization_id),
            name: row.name,
            mode: OrganizationMode::from_str(&row.mode).map_err(Problem::damaged)?,
            time_zone: row.time_zone.parse().map_err(Problem::damaged)?,
            default_currency: Currency::from_code(&row.default_currency).map_err(Problem::damaged)?,
            dormant_after_days: row.dormant_after_days,
            second_factor_for_payouts: row.second_factor_for_payouts,
            payout_method_cooling_off_hours: row.payout_method_cooling_off_hours,
            payout_debtor: Debtor::of_columns(
                row.payout_debtor_name,
                row.payout_debtor_iban,
                row.payout_debtor_bic,
            )?,
            clock_offset: row.clock_offset,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
