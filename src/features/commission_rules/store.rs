//! Commission rules and their versions in Postgres. Every query takes the caller's scope.

use super::domain::{CommissionRule, CommissionRuleVersion, RuleVersionStatus, VersionTerms};
use crate::kernel::commission::Component;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{commission_rule_versions, commission_rules};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;
use uuid::Uuid;

/// Which rules a list shows, by age.
#[derive(Debug, Clone, Default)]
pub struct CommissionRuleFilter {
    /// Of this program.
    pub program_id: Option<ProgramId>,
    /// That pay this.
    pub component: Option<Component>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// Oldest first rather than newest.
    pub oldest_first: bool,
}

/// Which versions a list shows, by age.
#[derive(Debug, Clone, Default)]
pub struct RuleVersionFilter {
    /// Of this rule.
    pub commission_rule_id: Option<CommissionRuleId>,
    /// Of rules of this program.
    pub program_id: Option<ProgramId>,
    /// Any of these states; empty is all.
    pub statuses: Vec<RuleVersionStatus>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// Oldest first rather than newest.
    pub oldest_first: bool,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = commission_rules, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct RuleRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    program_id: Uuid,
    name: String,
    component: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

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
    clauses: Value,
}

/// A rule and its version 1.
type KnownRow = (RuleRow, Option<Uuid>);

/// A version, and of its rule the program and the component.
type JoinedRow = (VersionRow, Uuid, String);

/// One rule.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: CommissionRuleId) -> Result<Option<CommissionRule>, Problem> {
    let row: Option<KnownRow> = commission_rules::table
        .filter(commission_rules::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rules::id.eq(id.uuid()))
        .select((RuleRow::as_select(), first_version_id()))
        .first(tx.connection())
        .optional()?;
    row.map(rule_of).transpose()
}

/// One rule, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: CommissionRuleId) -> Result<Option<CommissionRule>, Problem> {
    let row: Option<KnownRow> = commission_rules::table
        .filter(commission_rules::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rules::id.eq(id.uuid()))
        .select((RuleRow::as_select(), first_version_id()))
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(rule_of).transpose()
}

/// A page of rules.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &CommissionRuleFilter,
    page: &PageRequest,
) -> Result<Page<CommissionRule>, Problem> {
    let mut query = commission_rules::table
        .filter(commission_rules::organization_id.eq(scope.organization_id.uuid()))
        .select((RuleRow::as_select(), first_version_id()))
        .into_boxed();
    if let Some(program_id) = filter.program_id {
        query = query.filter(commission_rules::program_id.eq(program_id.uuid()));
    }
    if let Some(component) = filter.component {
        query = query.filter(commission_rules::component.eq(component.as_str()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(commission_rules::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(commission_rules::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(commission_rules::updated_at.lt(instant));
    }
    let id = commission_rules::id;
    query = match (filter.oldest_first, &page.after) {
        (false, None) => query.order(id.desc()),
        (false, Some(last)) => query.filter(id.lt(last.id)).order(id.desc()),
        (true, None) => query.order(id.asc()),
        (true, Some(last)) => query.filter(id.gt(last.id)).order(id.asc()),
    };
    let rows: Vec<KnownRow> = page.rows_of(query).load(tx.connection())?;
    let rules: Vec<CommissionRule> = rows.into_iter().map(rule_of).collect::<Result<_, _>>()?;
    Ok(page.page(rules, |last| by_age(last.id.uuid())))
}

/// Writes a new rule.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, rule: &CommissionRule) -> Result<(), Problem> {
    let row = RuleRow::of(scope, rule);
    Prepared(diesel::insert_into(commission_rules::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed rule.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, rule: &CommissionRule) -> Result<(), Problem> {
    let row = RuleRow::of(scope, rule);
    let target = commission_rules::table
        .filter(commission_rules::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rules::id.eq(rule.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// One version.
pub fn find_version(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: CommissionRuleVersionId,
) -> Result<Option<CommissionRuleVersion>, Problem> {
    let row: Option<JoinedRow> = joined()
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rule_versions::id.eq(id.uuid()))
        .select((
            VersionRow::as_select(),
            commission_rules::program_id,
            commission_rules::component,
        ))
        .first(tx.connection())
        .optional()?;
    row.map(version_of).transpose()
}

/// The version of a rule with this number.
pub fn numbered(
    tx: &mut Tx<'_>,
    scope: &Scope,
    rule_id: CommissionRuleId,
    number: i32,
) -> Result<Option<CommissionRuleVersion>, Problem> {
    let row: Option<JoinedRow> = joined()
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rule_versions::commission_rule_id.eq(rule_id.uuid()))
        .filter(commission_rule_versions::version.eq(number))
        .select((
            VersionRow::as_select(),
            commission_rules::program_id,
            commission_rules::component,
        ))
        .first(tx.connection())
        .optional()?;
    row.map(version_of).transpose()
}

/// One version, locked with its rule until the transaction ends.
pub fn lock_version(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: CommissionRuleVersionId,
) -> Result<Option<CommissionRuleVersion>, Problem> {
    let row: Option<JoinedRow> = joined()
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rule_versions::id.eq(id.uuid()))
        .select((
            VersionRow::as_select(),
            commission_rules::program_id,
            commission_rules::component,
        ))
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(version_of).transpose()
}

/// A page of versions.
pub fn list_versions(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &RuleVersionFilter,
    page: &PageRequest,
) -> Result<Page<CommissionRuleVersion>, Problem> {
    let mut query = joined()
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .select((
            VersionRow::as_select(),
            commission_rules::program_id,
            commission_rules::component,
        ))
        .into_boxed();
    if let Some(rule_id) = filter.commission_rule_id {
        query = query.filter(commission_rule_versions::commission_rule_id.eq(rule_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(commission_rules::program_id.eq(program_id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(commission_rule_versions::status.eq_any(statuses));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(commission_rule_versions::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(commission_rule_versions::updated_at.lt(instant));
    }
    let id = commission_rule_versions::id;
    query = match (filter.oldest_first, &page.after) {
        (false, None) => query.order(id.desc()),
        (false, Some(last)) => query.filter(id.lt(last.id)).order(id.desc()),
        (true, None) => query.order(id.asc()),
        (true, Some(last)) => query.filter(id.gt(last.id)).order(id.asc()),
    };
    let rows: Vec<JoinedRow> = page.rows_of(query).load(tx.connection())?;
    let versions: Vec<CommissionRuleVersion> = rows.into_iter().map(version_of).collect::<Result<_, _>>()?;
    Ok(page.page(versions, |last| by_age(last.id.uuid())))
}

/// The number of the next version of a rule; call it with the rule locked.
pub fn next_number(tx: &mut Tx<'_>, scope: &Scope, id: CommissionRuleId) -> Result<i32, Problem> {
    let last: Option<i32> = commission_rule_versions::table
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rule_versions::commission_rule_id.eq(id.uuid()))
        .select(max(commission_rule_versions::version))
        .first(tx.connection())?;
    Ok(last.unwrap_or(0) + 1)
}

/// Writes a new version.
pub fn insert_version(
    tx: &mut Tx<'_>,
    scope: &Scope,
    version: &CommissionRuleVersion,
) -> Result<(), Problem> {
    let row = VersionRow::of(scope, version)?;
    Prepared(diesel::insert_into(commission_rule_versions::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed version.
pub fn update_version(
    tx: &mut Tx<'_>,
    scope: &Scope,
    version: &CommissionRuleVersion,
) -> Result<(), Problem> {
    let row = VersionRow::of(scope, version)?;
    let target = commission_rule_versions::table
        .filter(commission_rule_versions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commission_rule_versions::id.eq(version.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Ids are made from the time, so that their order is that of creation.
fn by_age(id: Uuid) -> Position {
    Position {
        key: String::new(),
        id,
    }
}

impl RuleRow {
    fn of(scope: &Scope, rule: &CommissionRule) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: rule.id.uuid(),
            external_id: rule.external_id.clone(),
            program_id: rule.program_id.uuid(),
            name: rule.name.clone(),
            component: rule.component.as_str().to_owned(),
            row_version: rule.row_version,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

fn rule_of((row, first_version_id): KnownRow) -> Result<CommissionRule, Problem> {
    let first = first_version_id.ok_or_else(|| Problem::damaged("a rule lacks its version 1"))?;
    Ok(CommissionRule {
        id: CommissionRuleId::from_uuid(row.id),
        external_id: row.external_id,
        program_id: ProgramId::from_uuid(row.program_id),
        name: row.name,
        component: Component::from_str(&row.component).map_err(Problem::damaged)?,
        first_version_id: CommissionRuleVersionId::from_uuid(first),
        row_version: row.row_version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

impl VersionRow {
    fn of(scope: &Scope, version: &CommissionRuleVersion) -> Result<Self, Problem> {
        let terms = &version.terms;
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: version.id.uuid(),
            commission_rule_id: version.commission_rule_id.uuid(),
            version: version.version,
            status: version.status.as_str().to_owned(),
            formula: serde_json::to_value(&terms.formula).map_err(Problem::damaged)?,
            motions: texts(&terms.motions),
            roles: texts(&terms.roles),
            partner_ids: terms.partner_ids.iter().map(|id| id.uuid()).collect(),
            product_family_ids: terms.product_family_ids.iter().map(|id| id.uuid()).collect(),
            currencies: texts(&terms.currencies),
            priority: terms.priority,
            hold_days: i32::try_from(terms.hold_days).map_err(Problem::damaged)?,
            effective_from: terms.effective_from,
            effective_to: terms.effective_to,
            terms_hash: version.terms_hash.clone(),
            activated_at: version.activated_at,
            retired_at: version.retired_at,
            row_version: version.row_version,
            created_at: version.created_at,
            updated_at: version.updated_at,
            clauses: serde_json::to_value(&terms.clauses).map_err(Problem::damaged)?,
        })
    }
}

fn texts<T: Display>(words: &[T]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

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

/// The id of a rule's version 1.
#[diesel::dsl::auto_type]
fn first_version_id() -> _ {
    commission_rule_versions::table
        .filter(commission_rule_versions::organization_id.eq(commission_rules::organization_id))
        .filter(commission_rule_versions::commission_rule_id.eq(commission_rules::id))
        .filter(commission_rule_versions::version.eq(1_i32))
        .select(commission_rule_versions::id)
        .single_value()
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
            clauses: serde_json::from_value(row.clauses).map_err(Problem::damaged)?,
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
