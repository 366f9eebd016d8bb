//! Registrations as rows.

use crate::features::deal_registrations::domain::{
    Attachment, DealRegistration, RegistrationReason, RegistrationStatus,
};
use crate::features::deal_rules::{ProtectionStart, Qualification};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::deal_registrations;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = deal_registrations, treat_none_as_null = true, check_for_backend(Pg))]
pub(super) struct RegistrationRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    partner_id: Uuid,
    program_id: Uuid,
    account_id: Uuid,
    product_family_id: Option<Uuid>,
    amount: Decimal,
    currency: String,
    claim: Value,
    hidden_from_parent: bool,
    status: String,
    reason_code: Option<String>,
    reason: Option<String>,
    submitted_at: Option<DateTime<Utc>>,
    respond_by: Option<DateTime<Utc>>,
    sla_breached_at: Option<DateTime<Utc>>,
    decided_at: Option<DateTime<Utc>>,
    protection_days: Option<i32>,
    protection_starts: Option<String>,
    protected_from: Option<DateTime<Utc>>,
    protected_until: Option<DateTime<Utc>>,
    paused_seconds: i64,
    remind_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    deal_id: Option<Uuid>,
    registrar_id: Option<Uuid>,
    created_by: Uuid,
    created_by_type: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What is said of an opportunity, in one column.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claim {
    account_name: String,
    account_domain: Option<String>,
    name: String,
    expected_close_on: Option<NaiveDate>,
    country: Option<String>,
    public_tender: bool,
    qualification: Qualification,
    attachments: Vec<Attachment>,
}

impl RegistrationRow {
    pub(super) fn of(scope: &Scope, one: &DealRegistration) -> Result<Self, Problem> {
        let claim = Claim {
            account_name: one.account_name.clone(),
            account_domain: one.account_domain.clone(),
            name: one.name.clone(),
            expected_close_on: one.expected_close_on,
            country: one.country.clone(),
            public_tender: one.public_tender,
            qualification: one.qualification.clone(),
            attachments: one.attachments.clone(),
        };
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: one.id.uuid(),
            external_id: one.external_id.clone(),
            partner_id: one.partner_id.uuid(),
            program_id: one.program_id.uuid(),
            account_id: one.account_id.uuid(),
            product_family_id: one.product_family_id.map(ProductFamilyId::uuid),
            amount: one.amount.amount(),
            currency: one.amount.currency().code().to_owned(),
            claim: serde_json::to_value(claim).map_err(Problem::damaged)?,
            hidden_from_parent: one.hidden_from_parent,
            status: one.status.as_str().to_owned(),
            reason_code: one.reason_code.map(|code| code.as_str().to_owned()),
            reason: one.reason.clone(),
            submitted_at: one.submitted_at,
            respond_by: one.respond_by,
            sla_breached_at: one.sla_breached_at,
            decided_at: one.decided_at,
            protection_days: one.protection_days,
            protection_starts: one.protection_starts.map(|starts| starts.as_str().to_owned()),
            protected_from: one.protected_from,
            protected_until: one.protected_until,
            paused_seconds: one.paused_seconds,
            remind_at: one.remind_at,
            closed_at: one.closed_at,
            deal_id: one.deal_id.map(DealId::uuid),
            registrar_id: one.registrar_id.map(PartnerId::uuid),
            created_by: one.created_by.uuid(),
            created_by_type: one.created_by.kind().to_owned(),
            row_version: one.row_version,
            created_at: one.created_at,
            updated_at: one.updated_at,
        })
    }
}

impl TryFrom<RegistrationRow> for DealRegistration {
    type Error = Problem;

    fn try_from(row: RegistrationRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let created_by = ActorId::of_columns(Some(&row.created_by_type), Some(row.created_by));
        let claim: Claim = serde_json::from_value(row.claim).map_err(Problem::damaged)?;
        Ok(Self {
            id: DealRegistrationId::from_uuid(row.id),
            external_id: row.external_id,
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            account_id: AccountId::from_uuid(row.account_id),
            account_name: claim.account_name,
            account_domain: claim.account_domain,
            product_family_id: row.product_family_id.map(ProductFamilyId::from_uuid),
            name: claim.name,
            amount: Money::new(row.amount, currency).map_err(Problem::damaged)?,
            expected_close_on: claim.expected_close_on,
            country: claim.country,
            public_tender: claim.public_tender,
            qualification: claim.qualification,
            attachments: claim.attachments,
            hidden_from_parent: row.hidden_from_parent,
            status: RegistrationStatus::from_str(&row.status).map_err(Problem::damaged)?,
            reason_code: word::<RegistrationReason>(row.reason_code.as_deref())?,
            reason: row.reason,
            submitted_at: row.submitted_at,
            respond_by: row.respond_by,
            sla_breached_at: row.sla_breached_at,
            decided_at: row.decided_at,
            protection_days: row.protection_days,
            protection_starts: word::<ProtectionStart>(row.protection_starts.as_deref())?,
            protected_from: row.protected_from,
            protected_until: row.protected_until,
            paused_seconds: row.paused_seconds,
            remind_at: row.remind_at,
            closed_at: row.closed_at,
            deal_id: row.deal_id.map(DealId::from_uuid),
            registrar_id: row.registrar_id.map(PartnerId::from_uuid),
            created_by: created_by.ok_or_else(|| Problem::damaged("a registration lacks its author"))?,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn word<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Problem>
where
    T::Err: std::fmt::Display,
{
    text.map(T::from_str).transpose().map_err(Problem::damaged)
}
