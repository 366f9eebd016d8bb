//! Touchpoints in Postgres. Every query takes the caller's scope.

use super::domain::{Recorder, Touchpoint, TouchpointKind, TouchpointStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{DealId, PartnerId, TouchpointId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::touchpoints;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::str::FromStr;
use uuid::Uuid;

/// Which touchpoints a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct TouchpointFilter {
    /// For this deal.
    pub deal_id: Option<DealId>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Of any of these kinds; empty is all.
    pub kinds: Vec<TouchpointKind>,
    /// In any of these states; empty is all.
    pub statuses: Vec<TouchpointStatus>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = touchpoints, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct TouchpointRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    deal_id: Uuid,
    partner_id: Uuid,
    kind: String,
    occurred_at: DateTime<Utc>,
    contact: Option<String>,
    note: Option<String>,
    link: Option<String>,
    recorded_by_partner: bool,
    status: String,
    status_reason: Option<String>,
    voided_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One touchpoint.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: TouchpointId) -> Result<Option<Touchpoint>, Problem> {
    let row = touchpoints::table
        .filter(touchpoints::organization_id.eq(scope.organization_id.uuid()))
        .filter(touchpoints::id.eq(id.uuid()))
        .select(TouchpointRow::as_select())
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// One touchpoint, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: TouchpointId) -> Result<Option<Touchpoint>, Problem> {
    let row = touchpoints::table
        .filter(touchpoints::organization_id.eq(scope.organization_id.uuid()))
        .filter(touchpoints::id.eq(id.uuid()))
        .select(TouchpointRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// What stands recorded of the partner for the deal.
pub fn evidence(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deal_id: DealId,
    partner_id: PartnerId,
) -> Result<Vec<TouchpointId>, Problem> {
    if scope.partner_id.is_some_and(|own| own != partner_id) {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = touchpoints::table
        .filter(touchpoints::organization_id.eq(scope.organization_id.uuid()))
        .filter(touchpoints::deal_id.eq(deal_id.uuid()))
        .filter(touchpoints::partner_id.eq(partner_id.uuid()))
        .filter(touchpoints::status.eq(TouchpointStatus::Recorded.as_str()))
        .select(touchpoints::id)
        .load(tx.connection())?;
    Ok(ids.into_iter().map(TouchpointId::from_uuid).collect())
}

/// A page of touchpoints, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &TouchpointFilter,
    page: &PageRequest,
) -> Result<Page<Touchpoint>, Problem> {
    let mut query = touchpoints::table
        .filter(touchpoints::organization_id.eq(scope.organization_id.uuid()))
        .select(TouchpointRow::as_select())
        .order(touchpoints::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(touchpoints::partner_id.eq(partner_id.uuid()));
    }
    if let Some(deal_id) = filter.deal_id {
        query = query.filter(touchpoints::deal_id.eq(deal_id.uuid()));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
        query = query.filter(touchpoints::kind.eq_any(kinds));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(touchpoints::status.eq_any(statuses));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(touchpoints::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(touchpoints::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(touchpoints::updated_at.lt(instant));
    }
    if let Some(last) = &page.after {
        query = query.filter(touchpoints::id.lt(last.id));
    }
    let rows: Vec<TouchpointRow> = page.rows_of(query).load(tx.connection())?;
    let touchpoints = rows
        .into_iter()
        .map(Touchpoint::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(touchpoints, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new touchpoint.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, touchpoint: &Touchpoint) -> Result<(), Problem> {
    let row = TouchpointRow::of(scope, touchpoint);
    Prepared(diesel::insert_into(touchpoints::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed touchpoint.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, touchpoint: &Touchpoint) -> Result<(), Problem> {
    let row = TouchpointRow::of(scope, touchpoint);
    let target = touchpoints::table
        .filter(touchpoints::organization_id.eq(scope.organization_id.uuid()))
        .filter(touchpoints::id.eq(touchpoint.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller meets its own touchpoints alone.
fn within(scope: &Scope, row: Option<TouchpointRow>) -> Result<Option<Touchpoint>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(Touchpoint::try_from).transpose()
}

impl TouchpointRow {
    fn of(scope: &Scope, touchpoint: &Touchpoint) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: touchpoint.id.uuid(),
            external_id: touchpoint.external_id.clone(),
            deal_id: touchpoint.deal_id.uuid(),
            partner_id: touchpoint.partner_id.uuid(),
            kind: touchpoint.kind.as_str().to_owned(),
            occurred_at: touchpoint.occurred_at,
            contact: touchpoint.contact.clone(),
            note: touchpoint.note.clone(),
            link: touchpoint.link.clone(),
            recorded_by_partner: touchpoint.recorded_by == Recorder::Partner,
            status: touchpoint.status.as_str().to_owned(),
            status_reason: touchpoint.status_reason.clone(),
            voided_at: touchpoint.voided_at,
            row_version: touchpoint.row_version,
            created_at: touchpoint.created_at,
            updated_at: touchpoint.updated_at,
        }
    }
}

impl TryFrom<TouchpointRow> for Touchpoint {
    type Error = Problem;

    fn try_from(row: TouchpointRow) -> Result<Self, Problem> {
        Ok(Self {
            id: TouchpointId::from_uuid(row.id),
            external_id: row.external_id,
            deal_id: DealId::from_uuid(row.deal_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            kind: TouchpointKind::from_str(&row.kind).map_err(Problem::damaged)?,
            occurred_at: row.occurred_at,
            contact: row.contact,
            note: row.note,
            link: row.link,
            recorded_by: if row.recorded_by_partner {
                Recorder::Partner
            } else {
                Recorder::Organization
            },
            status: TouchpointStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            voided_at: row.voided_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
