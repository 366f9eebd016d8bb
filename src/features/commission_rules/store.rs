//! Commission rules and their versions in Postgres. Every query takes the caller's scope.

use super::domain::{CommissionRuleVersion, RuleVersionStatus, VersionTerms};
use crate::kernel::commission::Component;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::{commission_rule_versions, commission_rules};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = commission_rule_versions, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct VersionRow {
    organization_id: Uuid,
    id: Uuid,
    commission_rule_id: Uuid,
    version: i32,
    status: String,
    formula: Value,
    motions: Vec<String>,
    roles: Vec<String>,
    partner_ids: Vec<Uuid>,
    product_family_ids: Vec<Uuid>,
    currencies: Vec<String>,
    priority: i32,
    hold_days: i32,
    effective_from: DateTime<Utc>,
    effective_to: Option<DateTime<Utc>>,
    terms_hash: String,
    activated_at: Option<DateTime<Utc>>,
    retired_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A version, and of its rule the program and the component.
type JoinedRow = (VersionRow, Uuid, String);

/// Every version of these programs that is no draft, in a fixed order.
pub fn deciding(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_ids: &[ProgramId],
) -> Result<Vec<CommissionRuleVersion>, Problem> {
    let program_ids: Vec<Uuid> = program_ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<JoinedRow> = joined()
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rule_versions::status.ne(RuleVersionStatus::Draft.as_str()))
        .filter(commission_rules::program_id.eq_any(program_ids))
        .order((
            commission_rule_versions::commission_rule_id,
            commission_rule_versions::version,
        ))
        .select((
            VersionRow::as_select(),
            commission_rules::program_id,
            commission_rules::component,
        ))
        .load(tx.connection())?;
    rows.into_iter().map(version_of).collect()
}

/// Versions with their rules.
#[diesel::dsl::auto_type]
fn joined() -> _ {
    commission_rule_versions::table.inner_join(
        commission_rules::table.on(commission_rules::organization_id
            .eq(commission_rule_versions::organization_id)
            .and(commission_rules::id.eq(commission_rule_versions::commission_rule_id))),
    )
}

fn version_of((row, program_id, component): JoinedRow) -> Result<CommissionRuleVersion, Problem> {
    Ok(CommissionRuleVersion {
        id: CommissionRuleVersionId::from_uuid(row.id),
        commission_rule_id: CommissionRuleId::from_uuid(row.commission_rule_id),
        program_id: ProgramId::from_uuid(program_id),
        component: Component::from_str(&component).map_err(Problem::damaged)?,
        version: row.version,
        status: RuleVersionStatus::from_str(&row.status).map_err(Problem::damaged)?,
        terms: VersionTerms {
            formula: serde_json::from_value(row.formula).map_err(Problem::damaged)?,
            motions: words(&row.motions)?,
            roles: words(&row.roles)?,
            partner_ids: row.partner_ids.into_iter().map(PartnerId::from_uuid).collect(),
            product_family_ids: row
                .product_family_ids
                .into_iter()
                .map(ProductFamilyId::from_uuid)
                .collect(),
            currencies: words(&row.currencies)?,
            priority: row.priority,
            hold_days: u32::try_from(row.hold_days).map_err(Problem::damaged)?,
            effective_from: row.effective_from,
            effective_to: row.effective_to,
        },
        terms_hash: row.terms_hash,
        activated_at: row.activated_at,
        retired_at: row.retired_at,
        row_version: row.row_version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn words<T: FromStr>(texts: &[String]) -> Result<Vec<T>, Problem>
where
    T::Err: Display,
{
    texts
        .iter()
        .map(|text| text.parse().map_err(Problem::damaged))
        .collect()
}
