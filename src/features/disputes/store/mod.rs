//! Disputes in Postgres. Every query takes the caller's scope.

mod parts;
mod rows;
mod stakes;

pub use parts::{
    CommentFilter, freeze_late, insert_comment, insert_lines, insert_review, lines_of, list_comments,
    review_of, reviews_of, update_review,
};
pub use stakes::{disputed_on_deals, given, hold_deals, living_on_deals, that_gave_on};

use super::domain::{Dispute, DisputeStatus, DisputedId};
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{DisputeId, PartnerId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::disputes;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx, due};
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::prelude::*;
use rows::DisputeRow;

/// Which disputes a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct DisputeFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<DisputeStatus>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// About this.
    pub subject_id: Option<DisputedId>,
}

/// One dispute; a partner's caller sees its own.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: DisputeId) -> Result<Option<Dispute>, Problem> {
    let row: Option<DisputeRow> = disputes::table
        .filter(disputes::organization_id.eq(scope.organization_id.uuid()))
        .filter(disputes::id.eq(id.uuid()))
        .select(DisputeRow::as_select())
        .first(tx.connection())
        .optional()?;
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(Dispute::try_from).transpose()
}

/// One dispute, locked until the transaction ends. Partners' callers lock in house, once they have found it.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: DisputeId) -> Result<Option<Dispute>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row: Option<DisputeRow> = disputes::table
        .filter(disputes::organization_id.eq(scope.organization_id.uuid()))
        .filter(disputes::id.eq(id.uuid()))
        .select(DisputeRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Dispute::try_from).transpose()
}

/// A page of disputes, newest first; to a partner's caller its own.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &DisputeFilter,
    page: &PageRequest,
) -> Result<Page<Dispute>, Problem> {
    let mut query = disputes::table
        .filter(disputes::organization_id.eq(scope.organization_id.uuid()))
        .select(DisputeRow::as_select())
        .order(disputes::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(disputes::partner_id.eq(partner_id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(disputes::status.eq_any(statuses));
    }
    if let Some(subject) = filter.subject_id {
        query = query
            .filter(disputes::subject_type.eq(subject.subject_type.as_str()))
            .filter(disputes::subject_ids.contains(vec![subject.id]));
    }
    if let Some(last) = &page.after {
        query = query.filter(disputes::id.lt(last.id));
    }
    let rows: Vec<DisputeRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Dispute::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new dispute.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, dispute: &Dispute) -> Result<(), Problem> {
    let row = DisputeRow::of(scope, dispute)?;
    Prepared(diesel::insert_into(disputes::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed dispute.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, dispute: &Dispute) -> Result<(), Problem> {
    let row = DisputeRow::of(scope, dispute)?;
    let target = disputes::table
        .filter(disputes::organization_id.eq(scope.organization_id.uuid()))
        .filter(disputes::id.eq(dispute.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Some of the disputes whose answer is overdue, locked; those that somebody else has in hand are left to them.
pub fn lock_overdue(tx: &mut Tx<'_>, ctx: &Ctx, most: i64) -> Result<Vec<Dispute>, Problem> {
    let waiting = [DisputeStatus::Open.as_str(), DisputeStatus::InReview.as_str()];
    let rows: Vec<DisputeRow> = disputes::table
        .filter(disputes::organization_id.eq(ctx.organization_id().uuid()))
        .filter(disputes::status.eq_any(waiting))
        .filter(disputes::overdue_at.is_null())
        .filter(disputes::respond_by.le(ctx.now))
        .select(DisputeRow::as_select())
        .order(disputes::id.asc())
        .limit(most)
        .for_no_key_update()
        .skip_locked()
        .load(tx.connection())?;
    rows.into_iter().map(Dispute::try_from).collect()
}

/// The organizations that owe an answer, each at its own clock; asked outside of any scope.
pub fn organizations_with_overdue(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    due(connection, "organizations_with_overdue_disputes", wall_now)
}
