//! Deal rules in Postgres. Every query takes the caller's scope.

use super::domain::DealRules;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::kernel::time::{BusinessHours, ProgramZone, TimeOfDay, Weekday};
use crate::platform::db::schema::deal_rules;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = deal_rules, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct DealRulesRow {
    organization_id: Uuid,
    program_id: Uuid,
    qualification_fields: Value,
    minimum_deal_sizes: Value,
    existing_accounts: String,
    protection_days: i32,
    protection_starts: String,
    extensions_allowed: i32,
    extension_days: i32,
    maximum_open_registrations: Option<i32>,
    countries: Vec<String>,
    excluded_countries: Vec<String>,
    product_family_ids: Vec<Uuid>,
    referral_expiry_days: i32,
    response_business_hours: Option<i32>,
    working_days: Vec<String>,
    opens_at: String,
    closes_at: String,
    holidays: Vec<NaiveDate>,
    second_registrant: String,
    excludes_public_tenders: bool,
    respects_partner_territories: bool,
    reminder_days: Vec<i32>,
    attribution_window_days: i32,
    attribution_click: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The rules of a program in this time zone, if anybody changed the defaults.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ProgramId,
    zone: ProgramZone,
) -> Result<Option<DealRules>, Problem> {
    let row: Option<DealRulesRow> = deal_rules::table
        .filter(deal_rules::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_rules::program_id.eq(id.uuid()))
        .select(DealRulesRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(|row| row.rules(zone)).transpose()
}

/// The rules of a program, written where they were not and locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, defaults: &DealRules) -> Result<DealRules, Problem> {
    let row = DealRulesRow::of(scope, defaults)?;
    let written = diesel::insert_into(deal_rules::table)
        .values(row)
        .on_conflict_do_nothing();
    Prepared(written).execute(tx.connection())?;
    let row: DealRulesRow = deal_rules::table
        .filter(deal_rules::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_rules::program_id.eq(defaults.program_id.uuid()))
        .select(DealRulesRow::as_select())
        .for_no_key_update()
        .first(tx.connection())?;
    row.rules(defaults.hours.zone())
}

/// Writes changed rules.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, rules: &DealRules) -> Result<(), Problem> {
    let row = DealRulesRow::of(scope, rules)?;
    let target = deal_rules::table
        .filter(deal_rules::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_rules::program_id.eq(rules.program_id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// An amount as it is stored.
#[derive(Deserialize)]
struct Stored {
    currency: Currency,
    amount: String,
}

fn written(amount: &Money) -> Value {
    json!({ "currency": amount.currency(), "amount": amount.amount_text() })
}

fn amounts(stored: Value) -> Result<Vec<Money>, Problem> {
    let stored: Vec<Stored> = serde_json::from_value(stored).map_err(Problem::damaged)?;
    stored
        .iter()
        .map(|one| Money::parse(&one.amount, one.currency).map_err(Problem::damaged))
        .collect()
}

/// A word of a vocabulary, as it is stored.
fn word<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    T::from_str(text).map_err(Problem::damaged)
}

impl DealRulesRow {
    fn of(scope: &Scope, rules: &DealRules) -> Result<Self, Problem> {
        let days = rules.hours.working_days().iter();
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            program_id: rules.program_id.uuid(),
            qualification_fields: serde_json::to_value(&rules.qualification_fields)
                .map_err(Problem::damaged)?,
            minimum_deal_sizes: rules.minimum_deal_sizes.iter().map(written).collect(),
            existing_accounts: rules.existing_accounts.as_str().to_owned(),
            protection_days: rules.protection_days,
            protection_starts: rules.protection_starts.as_str().to_owned(),
            extensions_allowed: rules.extensions_allowed,
            extension_days: rules.extension_days,
            maximum_open_registrations: rules.maximum_open_registrations,
            countries: rules.countries.iter().cloned().collect(),
            excluded_countries: rules.excluded_countries.iter().cloned().collect(),
            product_family_ids: rules.product_family_ids.iter().map(|id| id.uuid()).collect(),
            referral_expiry_days: rules.referral_expiry_days,
            response_business_hours: rules.response_business_hours,
            working_days: days.map(|day| day.as_str().to_owned()).collect(),
            opens_at: rules.hours.opens().to_string(),
            closes_at: rules.hours.closes().to_string(),
            holidays: rules.hours.holidays().iter().copied().collect(),
            second_registrant: rules.second_registrant.as_str().to_owned(),
            excludes_public_tenders: rules.excludes_public_tenders,
            respects_partner_territories: rules.respects_partner_territories,
            reminder_days: rules.reminder_days.iter().copied().collect(),
            attribution_window_days: rules.attribution_window_days,
            attribution_click: rules.attribution_click.as_str().to_owned(),
            row_version: rules.row_version,
            created_at: rules.created_at,
            updated_at: rules.updated_at,
        })
    }

    fn hours(&self, zone: ProgramZone) -> Result<BusinessHours, Problem> {
        let days = self.working_days.iter().map(|day| word::<Weekday>(day));
        let days = days.collect::<Result<BTreeSet<_>, _>>()?;
        let opens: TimeOfDay = word(&self.opens_at)?;
        let closes: TimeOfDay = word(&self.closes_at)?;
        let holidays = self.holidays.iter().copied().collect();
        BusinessHours::new(zone, days, opens, closes, holidays).map_err(Problem::damaged)
    }

    fn rules(self, zone: ProgramZone) -> Result<DealRules, Problem> {
        let families = self.product_family_ids.iter().copied();
        Ok(DealRules {
            program_id: ProgramId::from_uuid(self.program_id),
            hours: self.hours(zone)?,
            qualification_fields: serde_json::from_value(self.qualification_fields)
                .map_err(Problem::damaged)?,
            minimum_deal_sizes: amounts(self.minimum_deal_sizes)?,
            existing_accounts: word(&self.existing_accounts)?,
            protection_days: self.protection_days,
            protection_starts: word(&self.protection_starts)?,
            extensions_allowed: self.extensions_allowed,
            extension_days: self.extension_days,
            maximum_open_registrations: self.maximum_open_registrations,
            countries: self.countries.into_iter().collect(),
            excluded_countries: self.excluded_countries.into_iter().collect(),
            product_family_ids: families.map(ProductFamilyId::from_uuid).collect(),
            referral_expiry_days: self.referral_expiry_days,
            response_business_hours: self.response_business_hours,
            second_registrant: word(&self.second_registrant)?,
            excludes_public_tenders: self.excludes_public_tenders,
            respects_partner_territories: self.respects_partner_territories,
            reminder_days: self.reminder_days.into_iter().collect(),
            attribution_window_days: self.attribution_window_days,
            attribution_click: word(&self.attribution_click)?,
            row_version: self.row_version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
