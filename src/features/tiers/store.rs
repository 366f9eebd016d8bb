//! Ladders, standings and moves in Postgres. Every query takes the caller's scope.

use super::domain::{
    Criterion, SpanFigures, Tier, TierLadder, TierMove, TierMoveCause, TierPeriod, TierStanding,
};
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, TierMoveId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{tier_ladders, tier_moves, tier_standings, tiers};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx, due};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, sql_query};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Which moves a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct MoveFilter {
    /// Of this enrollment.
    pub enrollment_id: Option<EnrollmentId>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this program.
    pub program_id: Option<ProgramId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tier_ladders, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct LadderRow {
    organization_id: Uuid,
    program_id: Uuid,
    period: String,
    period_months: Option<i32>,
    grace_days: i32,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = tiers, check_for_backend(diesel::pg::Pg))]
struct TierRow {
    organization_id: Uuid,
    program_id: Uuid,
    code: String,
    rank: i32,
    name: String,
    external_id: Option<String>,
    criteria: Value,
}

#[derive(Debug, Clone, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = tier_standings, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct StandingRow {
    enrollment_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    pinned_until: Option<DateTime<Utc>>,
    pin_reason: Option<String>,
    falls_at: Option<DateTime<Utc>>,
    reviewed_at: Option<DateTime<Utc>>,
    review_at: Option<DateTime<Utc>>,
    row_version: i64,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = tier_moves, check_for_backend(diesel::pg::Pg))]
struct MoveRow {
    organization_id: Uuid,
    id: Uuid,
    enrollment_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    from_tier: Option<String>,
    to_tier: Option<String>,
    cause: String,
    reason: String,
    moved_by: Option<Uuid>,
    moved_by_type: Option<String>,
    figures: Value,
    moved_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Carried {
    #[diesel(sql_type = Text)]
    tier: String,
}

/// The organizations in which enrollments are to be reviewed, each as a step at its own clock.
pub fn organizations_due(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    due(connection, "organizations_with_tiers_due", wall_now)
}

/// The ladder of a program; whether the caller sees the program is asked elsewhere.
pub fn ladder(tx: &mut Tx<'_>, scope: &Scope, id: ProgramId) -> Result<Option<TierLadder>, Problem> {
    let row: Option<LadderRow> = tier_ladders::table
        .filter(tier_ladders::organization_id.eq(scope.organization_id.uuid()))
        .filter(tier_ladders::program_id.eq(id.uuid()))
        .select(LadderRow::as_select())
        .first(tx.connection())
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let steps: Vec<TierRow> = tiers::table
        .filter(tiers::organization_id.eq(scope.organization_id.uuid()))
        .filter(tiers::program_id.eq(id.uuid()))
        .select(TierRow::as_select())
        .order(tiers::rank.asc())
        .load(tx.connection())?;
    row.ladder(steps).map(Some)
}

/// Locks a program against new enrollments and moves until the transaction ends: both take its key share.
pub fn lock_program(tx: &mut Tx<'_>, scope: &Scope, id: ProgramId) -> Result<(), Problem> {
    let query = sql_query("SELECT id FROM programs WHERE organization_id = $1 AND id = $2 FOR UPDATE")
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(id.uuid());
    let _: Vec<Found> = Prepared(query).load(tx.connection())?;
    Ok(())
}

/// Those of these tiers that enrollments of the program are in.
pub fn carried(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ProgramId,
    codes: &[String],
) -> Result<Vec<String>, Problem> {
    let query = sql_query(
        "SELECT DISTINCT tier FROM enrollments WHERE organization_id = $1 AND program_id = $2 AND status <> 'ended' \
         AND tier = ANY($3) ORDER BY 1",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Array<Text>, _>(codes);
    let rows: Vec<Carried> = Prepared(query).load(tx.connection())?;
    Ok(rows.into_iter().map(|row| row.tier).collect())
}

/// Writes a ladder in place of the one before.
pub fn save_ladder(tx: &mut Tx<'_>, scope: &Scope, ladder: &TierLadder) -> Result<(), Problem> {
    let row = LadderRow::of(scope, ladder);
    let written = diesel::insert_into(tier_ladders::table)
        .values(row.clone())
        .on_conflict((tier_ladders::organization_id, tier_ladders::program_id))
        .do_update()
        .set(row);
    Prepared(written).execute(tx.connection())?;
    let before = tiers::table
        .filter(tiers::organization_id.eq(scope.organization_id.uuid()))
        .filter(tiers::program_id.eq(ladder.program_id.uuid()));
    Prepared(diesel::delete(before)).execute(tx.connection())?;
    let rows = TierRow::all(scope, ladder)?;
    diesel::insert_into(tiers::table)
        .values(rows)
        .execute(tx.connection())?;
    Ok(())
}

/// Has the enrollments of a program reviewed from this instant on that were not before.
pub fn begin_standings(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ProgramId,
    review_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let query = sql_query(
        "INSERT INTO tier_standings (organization_id, enrollment_id, partner_id, program_id, review_at, row_version) \
         SELECT e.organization_id, e.id, e.partner_id, e.program_id, $3, 1 FROM enrollments e \
         WHERE e.organization_id = $1 AND e.program_id = $2 AND e.status <> 'ended' \
         ON CONFLICT (organization_id, enrollment_id) DO UPDATE SET review_at = EXCLUDED.review_at \
         WHERE tier_standings.review_at IS NULL",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(review_at);
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// Locks a batch of enrollments that are to be reviewed; what another worker holds is left to it.
pub fn lock_due(
    tx: &mut Tx<'_>,
    scope: &Scope,
    now: DateTime<Utc>,
    most: i64,
) -> Result<Vec<EnrollmentId>, Problem> {
    let query = sql_query(
        "SELECT e.id FROM tier_standings s \
         JOIN enrollments e ON e.organization_id = $1 AND e.id = s.enrollment_id \
         WHERE s.organization_id = $1 AND s.review_at <= $2 ORDER BY s.review_at LIMIT $3 \
         FOR NO KEY UPDATE OF e SKIP LOCKED",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most);
    let rows: Vec<Found> = Prepared(query).load(tx.connection())?;
    Ok(rows.iter().map(|row| EnrollmentId::from_uuid(row.id)).collect())
}

/// The next active enrollments of a program in the order of their ids; a partner's caller finds its own. They are locked
/// until the transaction ends where they are to be changed.
pub fn members(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ProgramId,
    after: Option<Uuid>,
    most: i64,
    is_locked: bool,
) -> Result<Vec<EnrollmentId>, Problem> {
    let lock = if is_locked { "FOR NO KEY UPDATE OF e" } else { "" };
    let query = sql_query(format!(
        "SELECT e.id FROM enrollments e WHERE e.organization_id = $1 AND e.program_id = $2 AND e.status = 'active' \
         AND ($3 IS NULL OR e.id > $3) AND ($4 IS NULL OR e.partner_id = $4) ORDER BY e.id LIMIT $5 {lock}"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
    .bind::<BigInt, _>(most);
    let rows: Vec<Found> = Prepared(query).load(tx.connection())?;
    Ok(rows.iter().map(|row| EnrollmentId::from_uuid(row.id)).collect())
}

/// What is known of these enrollments.
pub fn standings(tx: &mut Tx<'_>, scope: &Scope, ids: &[EnrollmentId]) -> Result<Vec<TierStanding>, Problem> {
    let mut query = tier_standings::table
        .filter(tier_standings::organization_id.eq(scope.organization_id.uuid()))
        .filter(tier_standings::enrollment_id.eq_any(uuids(ids)))
        .select(StandingRow::as_select())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(tier_standings::partner_id.eq(partner_id.uuid()));
    }
    let rows: Vec<StandingRow> = query.load(tx.connection())?;
    Ok(rows.into_iter().map(TierStanding::from).collect())
}

/// Writes what a person did.
pub fn save_standing(tx: &mut Tx<'_>, scope: &Scope, standing: &TierStanding) -> Result<(), Problem> {
    let target = tier_standings::table
        .filter(tier_standings::organization_id.eq(scope.organization_id.uuid()))
        .filter(tier_standings::enrollment_id.eq(standing.enrollment_id.uuid()));
    Prepared(diesel::update(target).set(StandingRow::of(standing))).execute(tx.connection())?;
    Ok(())
}

/// Writes what a review found: when each of these enrollments falls. Pins that are over go.
pub fn save_reviewed(
    tx: &mut Tx<'_>,
    scope: &Scope,
    falls: &[(EnrollmentId, Option<DateTime<Utc>>)],
    now: DateTime<Utc>,
    review_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = falls.iter().map(|(id, _)| id.uuid()).collect();
    let at: Vec<Option<DateTime<Utc>>> = falls.iter().map(|(_, at)| *at).collect();
    let query = sql_query(
        "UPDATE tier_standings s SET falls_at = f.at, reviewed_at = $4, review_at = $5, \
             pinned_until = CASE WHEN s.pinned_until > $4 THEN s.pinned_until END, \
             pin_reason = CASE WHEN s.pinned_until > $4 THEN s.pin_reason END \
         FROM unnest($2, $3) AS f (id, at) WHERE s.organization_id = $1 AND s.enrollment_id = f.id",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Nullable<Timestamptz>>, _>(at)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(review_at);
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// Has these enrollments reviewed no more, until they are active again.
pub fn rest(tx: &mut Tx<'_>, scope: &Scope, ids: &[EnrollmentId]) -> Result<(), Problem> {
    let target = tier_standings::table
        .filter(tier_standings::organization_id.eq(scope.organization_id.uuid()))
        .filter(tier_standings::enrollment_id.eq_any(uuids(ids)));
    let none: Option<DateTime<Utc>> = None;
    diesel::update(target)
        .set(tier_standings::review_at.eq(none))
        .execute(tx.connection())?;
    Ok(())
}

/// Writes moves; each enrollment carries its new tier from then on.
pub fn insert_moves(tx: &mut Tx<'_>, scope: &Scope, moves: &[TierMove]) -> Result<(), Problem> {
    if moves.is_empty() {
        return Ok(());
    }
    let rows = moves
        .iter()
        .map(|one| MoveRow::of(scope, one))
        .collect::<Result<Vec<_>, _>>()?;
    diesel::insert_into(tier_moves::table)
        .values(rows)
        .execute(tx.connection())?;
    Ok(())
}

/// One move; a partner's caller finds its own.
pub fn find_move(tx: &mut Tx<'_>, scope: &Scope, id: TierMoveId) -> Result<Option<TierMove>, Problem> {
    let row: Option<MoveRow> = tier_moves::table
        .filter(tier_moves::organization_id.eq(scope.organization_id.uuid()))
        .filter(tier_moves::id.eq(id.uuid()))
        .select(MoveRow::as_select())
        .first(tx.connection())
        .optional()?;
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(TierMove::try_from).transpose()
}

/// A page of moves, newest first; a partner's caller finds its own.
pub fn moves(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &MoveFilter,
    page: &PageRequest,
) -> Result<Page<TierMove>, Problem> {
    let mut query = tier_moves::table
        .filter(tier_moves::organization_id.eq(scope.organization_id.uuid()))
        .select(MoveRow::as_select())
        .order(tier_moves::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(tier_moves::partner_id.eq(partner_id.uuid()));
    }
    if let Some(enrollment_id) = filter.enrollment_id {
        query = query.filter(tier_moves::enrollment_id.eq(enrollment_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(tier_moves::program_id.eq(program_id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(tier_moves::id.lt(last.id));
    }
    let rows: Vec<MoveRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(TierMove::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

fn uuids(ids: &[EnrollmentId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

impl LadderRow {
    fn of(scope: &Scope, ladder: &TierLadder) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            program_id: ladder.program_id.uuid(),
            period: ladder.period.as_str().to_owned(),
            period_months: ladder.period_months,
            grace_days: ladder.grace_days,
            row_version: ladder.row_version,
            created_at: ladder.created_at,
            updated_at: ladder.updated_at,
        }
    }

    fn ladder(self, steps: Vec<TierRow>) -> Result<TierLadder, Problem> {
        Ok(TierLadder {
            program_id: ProgramId::from_uuid(self.program_id),
            period: TierPeriod::from_str(&self.period).map_err(Problem::damaged)?,
            period_months: self.period_months,
            grace_days: self.grace_days,
            tiers: steps.into_iter().map(Tier::try_from).collect::<Result<_, _>>()?,
            row_version: self.row_version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl TierRow {
    fn all(scope: &Scope, ladder: &TierLadder) -> Result<Vec<Self>, Problem> {
        let of = |(rank, tier): (i32, &Tier)| {
            Ok(Self {
                organization_id: scope.organization_id.uuid(),
                program_id: ladder.program_id.uuid(),
                code: tier.code.clone(),
                rank,
                name: tier.name.clone(),
                external_id: tier.external_id.clone(),
                criteria: serde_json::to_value(&tier.criteria).map_err(Problem::damaged)?,
            })
        };
        (1..).zip(&ladder.tiers).map(of).collect()
    }
}

impl TryFrom<TierRow> for Tier {
    type Error = Problem;

    fn try_from(row: TierRow) -> Result<Self, Problem> {
        let criteria: Vec<Criterion> = serde_json::from_value(row.criteria).map_err(Problem::damaged)?;
        Ok(Self {
            code: row.code,
            name: row.name,
            external_id: row.external_id,
            criteria,
        })
    }
}

impl StandingRow {
    fn of(standing: &TierStanding) -> Self {
        Self {
            enrollment_id: standing.enrollment_id.uuid(),
            partner_id: standing.partner_id.uuid(),
            program_id: standing.program_id.uuid(),
            pinned_until: standing.pinned_until,
            pin_reason: standing.pin_reason.clone(),
            falls_at: standing.falls_at,
            reviewed_at: standing.reviewed_at,
            review_at: standing.review_at,
            row_version: standing.row_version,
        }
    }
}

impl From<StandingRow> for TierStanding {
    fn from(row: StandingRow) -> Self {
        Self {
            enrollment_id: EnrollmentId::from_uuid(row.enrollment_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            pinned_until: row.pinned_until,
            pin_reason: row.pin_reason,
            falls_at: row.falls_at,
            reviewed_at: row.reviewed_at,
            review_at: row.review_at,
            row_version: row.row_version,
        }
    }
}

impl MoveRow {
    fn of(scope: &Scope, one: &TierMove) -> Result<Self, Problem> {
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: one.id.uuid(),
            enrollment_id: one.enrollment_id.uuid(),
            partner_id: one.partner_id.uuid(),
            program_id: one.program_id.uuid(),
            from_tier: one.from_tier.clone(),
            to_tier: one.to_tier.clone(),
            cause: one.cause.as_str().to_owned(),
            reason: one.reason.clone(),
            moved_by: one.moved_by.map(ActorId::uuid),
            moved_by_type: one.moved_by.map(|by| by.kind().to_owned()),
            figures: serde_json::to_value(&one.figures).map_err(Problem::damaged)?,
            moved_at: one.moved_at,
        })
    }
}

impl TryFrom<MoveRow> for TierMove {
    type Error = Problem;

    fn try_from(row: MoveRow) -> Result<Self, Problem> {
        let figures: Vec<SpanFigures> = serde_json::from_value(row.figures).map_err(Problem::damaged)?;
        Ok(Self {
            id: TierMoveId::from_uuid(row.id),
            enrollment_id: EnrollmentId::from_uuid(row.enrollment_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            from_tier: row.from_tier,
            to_tier: row.to_tier,
            cause: TierMoveCause::from_str(&row.cause).map_err(Problem::damaged)?,
            reason: row.reason,
            moved_by: ActorId::of_columns(row.moved_by_type.as_deref(), row.moved_by),
            figures,
            moved_at: row.moved_at,
        })
    }
}
