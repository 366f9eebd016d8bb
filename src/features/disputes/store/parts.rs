//! What hangs on a dispute: its lines, what the organization alone knows, and comments.

use super::rows::money;
use crate::features::disputes::domain::{Comment, DisputeLine, Effect, Readers, Review};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{CommissionId, DisputeCommentId, DisputeId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{dispute_comments, dispute_lines, dispute_reviews};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Which comments a list shows, oldest first.
#[derive(Debug, Clone, Default)]
pub struct CommentFilter {
    /// About this dispute.
    pub dispute_id: Option<DisputeId>,
}

#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = dispute_lines, check_for_backend(diesel::pg::Pg))]
struct LineRow {
    organization_id: Uuid,
    dispute_id: Uuid,
    position: i32,
    commission_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    currency: String,
    amount: Decimal,
    explanation: String,
    effect: String,
    frozen_amount: Decimal,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = dispute_reviews, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct ReviewRow {
    organization_id: Uuid,
    dispute_id: Uuid,
    contested_by: Option<Uuid>,
    contested_by_type: Option<String>,
    reviewed_by: Option<Uuid>,
    reviewed_by_type: Option<String>,
    reviewer_secret_makers: Vec<Uuid>,
    note: Option<String>,
    found_amount: Option<Decimal>,
    reviewed_amount: Option<Decimal>,
    kept_amount: Option<Decimal>,
    decided_by: Option<Uuid>,
    decided_by_type: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dispute_comments, check_for_backend(diesel::pg::Pg))]
struct CommentRow {
    organization_id: Uuid,
    id: Uuid,
    dispute_id: Uuid,
    partner_id: Uuid,
    visibility: String,
    body: String,
    created_by: Uuid,
    created_by_type: String,
    created_at: DateTime<Utc>,
}

/// Writes the lines of a new dispute.
pub fn insert_lines(tx: &mut Tx<'_>, scope: &Scope, lines: &[DisputeLine]) -> Result<(), Problem> {
    let row = |line: &DisputeLine| LineRow {
        organization_id: scope.organization_id.uuid(),
        dispute_id: line.dispute_id.uuid(),
        position: line.position,
        commission_id: line.commission_id.uuid(),
        partner_id: line.partner_id.uuid(),
        program_id: line.program_id.uuid(),
        currency: line.amount.currency().code().to_owned(),
        amount: line.amount.amount(),
        explanation: line.explanation.clone(),
        effect: line.effect.as_str().to_owned(),
        frozen_amount: line.frozen.amount(),
    };
    let rows: Vec<LineRow> = lines.iter().map(row).collect();
    diesel::insert_into(dispute_lines::table)
        .values(rows)
        .execute(tx.connection())?;
    Ok(())
}

/// The lines of disputes, by dispute, in their order; to a partner's caller its own.
pub fn lines_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[DisputeId],
) -> Result<HashMap<DisputeId, Vec<DisputeLine>>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut query = dispute_lines::table
        .filter(dispute_lines::organization_id.eq(scope.organization_id.uuid()))
        .filter(dispute_lines::dispute_id.eq_any(ids))
        .order((dispute_lines::dispute_id, dispute_lines::position))
        .select(LineRow::as_select())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        query = query.filter(dispute_lines::partner_id.eq(own.uuid()));
    }
    let rows: Vec<LineRow> = query.load(tx.connection())?;
    let mut found: HashMap<DisputeId, Vec<DisputeLine>> = HashMap::new();
    for row in rows {
        let line = DisputeLine::try_from(row)?;
        found.entry(line.dispute_id).or_default().push(line);
    }
    Ok(found)
}

/// Notes that lines which were left alone are frozen now, so much of each; as they are then.
pub fn freeze_late(
    tx: &mut Tx<'_>,
    scope: &Scope,
    returned: &[(DisputeId, CommissionId, Money)],
) -> Result<Vec<DisputeLine>, Problem> {
    let query = sql_query(
        "UPDATE dispute_lines l SET effect = 'frozen', frozen_amount = v.frozen \
         FROM unnest($2, $3, $4) AS v (dispute_id, commission_id, frozen) \
         WHERE l.organization_id = $1 AND l.dispute_id = v.dispute_id AND l.commission_id = v.commission_id \
         RETURNING l.*",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(returned.iter().map(|(id, ..)| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(returned.iter().map(|(_, id, _)| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(
        returned
            .iter()
            .map(|(.., frozen)| frozen.amount())
            .collect::<Vec<_>>(),
    );
    let rows: Vec<LineRow> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(DisputeLine::try_from).collect()
}

/// Writes what the organization alone knows of a new dispute.
pub fn insert_review(tx: &mut Tx<'_>, scope: &Scope, id: DisputeId, review: &Review) -> Result<(), Problem> {
    let row = ReviewRow::of(scope, id, review);
    Prepared(diesel::insert_into(dispute_reviews::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes it anew.
pub fn update_review(tx: &mut Tx<'_>, scope: &Scope, id: DisputeId, review: &Review) -> Result<(), Problem> {
    let row = ReviewRow::of(scope, id, review);
    let target = dispute_reviews::table
        .filter(dispute_reviews::organization_id.eq(scope.organization_id.uuid()))
        .filter(dispute_reviews::dispute_id.eq(id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// What the organization alone knows of disputes, with the currency of what was found; nothing for a partner's caller.
pub fn reviews_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[(DisputeId, Option<&str>)],
) -> Result<HashMap<DisputeId, Review>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(HashMap::new());
    }
    let uuids: Vec<Uuid> = ids.iter().map(|(id, _)| id.uuid()).collect();
    let currencies: HashMap<DisputeId, &str> = ids
        .iter()
        .filter_map(|(id, currency)| currency.map(|currency| (*id, currency)))
        .collect();
    let rows: Vec<ReviewRow> = dispute_reviews::table
        .filter(dispute_reviews::organization_id.eq(scope.organization_id.uuid()))
        .filter(dispute_reviews::dispute_id.eq_any(uuids))
        .select(ReviewRow::as_select())
        .load(tx.connection())?;
    let mut found = HashMap::new();
    for row in rows {
        let id = DisputeId::from_uuid(row.dispute_id);
        found.insert(id, row.review(currencies.get(&id).copied())?);
    }
    Ok(found)
}

/// What the organization alone knows of one dispute.
pub fn review_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: DisputeId,
    currency: Option<&str>,
) -> Result<Option<Review>, Problem> {
    Ok(reviews_of(tx, scope, &[(id, currency)])?.remove(&id))
}

/// Writes a comment.
pub fn insert_comment(tx: &mut Tx<'_>, scope: &Scope, comment: &Comment) -> Result<(), Problem> {
    let row = CommentRow {
        organization_id: scope.organization_id.uuid(),
        id: comment.id.uuid(),
        dispute_id: comment.dispute_id.uuid(),
        partner_id: comment.partner_id.uuid(),
        visibility: comment.visibility.as_str().to_owned(),
        body: comment.body.clone(),
        created_by: comment.created_by.uuid(),
        created_by_type: comment.created_by.kind().to_owned(),
        created_at: comment.created_at,
    };
    Prepared(diesel::insert_into(dispute_comments::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// A page of comments, oldest first. A partner's caller reads what partners read, on its own disputes.
pub fn list_comments(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &CommentFilter,
    page: &PageRequest,
) -> Result<Page<Comment>, Problem> {
    let mut query = dispute_comments::table
        .filter(dispute_comments::organization_id.eq(scope.organization_id.uuid()))
        .select(CommentRow::as_select())
        .order(dispute_comments::id.asc())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        query = query
            .filter(dispute_comments::partner_id.eq(own.uuid()))
            .filter(dispute_comments::visibility.eq(Readers::Partner.as_str()));
    }
    if let Some(id) = filter.dispute_id {
        query = query.filter(dispute_comments::dispute_id.eq(id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(dispute_comments::id.gt(last.id));
    }
    let rows: Vec<CommentRow> = page.rows_of(query).load(tx.connection())?;
    let comments = rows
        .into_iter()
        .map(Comment::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(comments, |last: &Comment| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl ReviewRow {
    fn of(scope: &Scope, id: DisputeId, review: &Review) -> Self {
        let columns = |actor: Option<ActorId>| {
            let pair = actor.map(|actor| (actor.uuid(), actor.kind().to_owned()));
            pair.unzip()
        };
        let (contested_by, contested_by_type) = columns(review.contested_by);
        let (reviewed_by, reviewed_by_type) = columns(review.reviewed_by);
        let (decided_by, decided_by_type) = columns(review.decided_by);
        let (found, reviewed) = review.finding.unzip();
        Self {
            organization_id: scope.organization_id.uuid(),
            dispute_id: id.uuid(),
            contested_by,
            contested_by_type,
            reviewed_by,
            reviewed_by_type,
            reviewer_secret_makers: review.reviewer_secret_makers.clone(),
            note: review.note.clone(),
            found_amount: found.map(Money::amount),
            reviewed_amount: reviewed.map(Money::amount),
            kept_amount: review.kept.map(Money::amount),
            decided_by,
            decided_by_type,
        }
    }

    fn review(self, currency: Option<&str>) -> Result<Review, Problem> {
        let actor = |id, kind: &Option<String>| ActorId::of_columns(kind.as_deref(), id);
        let finding = match (self.found_amount, self.reviewed_amount, currency) {
            (Some(found), Some(reviewed), Some(currency)) => {
                Some((money(found, currency)?, money(reviewed, currency)?))
            }
            _ => None,
        };
        let kept = self
            .kept_amount
            .zip(currency)
            .map(|(kept, currency)| money(kept, currency));
        Ok(Review {
            contested_by: actor(self.contested_by, &self.contested_by_type),
            reviewed_by: actor(self.reviewed_by, &self.reviewed_by_type),
            reviewer_secret_makers: self.reviewer_secret_makers,
            note: self.note,
            finding,
            kept: kept.transpose()?,
            decided_by: actor(self.decided_by, &self.decided_by_type),
        })
    }
}

impl TryFrom<LineRow> for DisputeLine {
    type Error = Problem;

    fn try_from(row: LineRow) -> Result<Self, Problem> {
        Ok(Self {
            dispute_id: DisputeId::from_uuid(row.dispute_id),
            position: row.position,
            commission_id: CommissionId::from_uuid(row.commission_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            amount: money(row.amount, &row.currency)?,
            explanation: row.explanation,
            effect: Effect::from_str(&row.effect).map_err(Problem::damaged)?,
            frozen: money(row.frozen_amount, &row.currency)?,
        })
    }
}

impl TryFrom<CommentRow> for Comment {
    type Error = Problem;

    fn try_from(row: CommentRow) -> Result<Self, Problem> {
        let author = ActorId::of_columns(Some(&row.created_by_type), Some(row.created_by));
        Ok(Self {
            id: DisputeCommentId::from_uuid(row.id),
            dispute_id: DisputeId::from_uuid(row.dispute_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            visibility: Readers::from_str(&row.visibility).map_err(Problem::damaged)?,
            body: row.body,
            created_by: author.ok_or_else(|| Problem::damaged("a comment lacks its author"))?,
            created_at: row.created_at,
        })
    }
}
