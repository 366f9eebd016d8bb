//! Claims against one another and against time.

use super::rows::RegistrationRow;
use crate::features::deal_registrations::domain::DealRegistration;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::deal_registrations;
use crate::platform::db::{self, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, sql_query};
use uuid::Uuid;

/// How many registrations one round of the worker takes.
const BATCH: i64 = 200;

/// Whether the protection of the claim `r` is over at `$2`: the worker has yet to note it, but it stands in nobody's way.
/// While an answer to a request for more time is late, it is not over.
const OVER: &str = "r.status = 'approved' AND r.protected_until <= $2 AND NOT EXISTS (SELECT FROM registration_extensions e \
     WHERE e.organization_id = r.organization_id AND e.deal_registration_id = r.id \
     AND e.status = 'requested' AND e.respond_by < r.protected_until)";

/// Whether the clock of the protection of the claim `r` stands still at `$2`, because an answer to a request for more time
/// is late.
const PAUSED: &str = "EXISTS (SELECT FROM registration_extensions e WHERE e.organization_id = r.organization_id \
     AND e.deal_registration_id = r.id AND e.status = 'requested' AND e.respond_by <= $2)";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = SqlUuid)]
    place: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The claim of somebody else that stands in the way of one to this account and family: the protected one, or else the
/// one that was submitted first. True until the end of the transaction only when the account is locked.
pub fn incumbent(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    product_family_id: Option<ProductFamilyId>,
    other_than: Option<PartnerId>,
) -> Result<Option<DealRegistration>, Problem> {
    let query = sql_query(format!(
        "SELECT * FROM deal_registrations r WHERE organization_id = $1 AND account_id = $3 \
             AND status IN ('submitted', 'in_review', 'action_required', 'approved') \
             AND uuidrange(product_family_id, product_family_id, '[]') && uuidrange($4, $4, '[]') \
             AND partner_id IS DISTINCT FROM $5 AND NOT ({OVER}) \
         ORDER BY status = 'approved' DESC, submitted_at, id LIMIT 1",
    ))
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<SqlUuid, _>(account_id.uuid())
    .bind::<Nullable<SqlUuid>, _>(product_family_id.map(ProductFamilyId::uuid))
    .bind::<Nullable<SqlUuid>, _>(other_than.map(PartnerId::uuid));
    let row: Option<RegistrationRow> = Prepared(query).get_result(tx.connection()).optional()?;
    row.map(DealRegistration::try_from).transpose()
}

/// Each of these accounts with those of itself and of its likes to which somebody has a live claim.
pub fn claimed(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, AccountId)>, Problem> {
    let asked: Vec<Uuid> = accounts.iter().map(|id| id.uuid()).collect();
    let query = sql_query(format!(
        "SELECT DISTINCT near.place, near.account_id FROM accounts_and_alike($1, $3) near \
         WHERE EXISTS (SELECT FROM deal_registrations r \
             WHERE r.organization_id = $1 AND r.account_id = near.account_id \
             AND r.status IN ('submitted', 'in_review', 'action_required', 'approved') AND NOT ({OVER}))",
    ))
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Array<SqlUuid>, _>(asked);
    let rows: Vec<Claimed> = Prepared(query).load(tx.connection())?;
    let typed = |row: Claimed| {
        (
            AccountId::from_uuid(row.place),
            AccountId::from_uuid(row.account_id),
        )
    };
    Ok(rows.into_iter().map(typed).collect())
}

/// The partner's other live claim to this account and family.
pub fn own_claim(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    registration: &DealRegistration,
) -> Result<Option<DealRegistrationId>, Problem> {
    let query = sql_query(format!(
        "SELECT id FROM deal_registrations r WHERE organization_id = $1 AND account_id = $3 \
             AND status IN ('submitted', 'in_review', 'action_required', 'approved') \
             AND uuidrange(product_family_id, product_family_id, '[]') && uuidrange($4, $4, '[]') \
             AND partner_id = $5 AND id <> $6 AND NOT ({OVER}) LIMIT 1",
    ))
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<SqlUuid, _>(registration.account_id.uuid())
    .bind::<Nullable<SqlUuid>, _>(registration.product_family_id.map(ProductFamilyId::uuid))
    .bind::<SqlUuid, _>(registration.partner_id.uuid())
    .bind::<SqlUuid, _>(registration.id.uuid());
    let found: Option<Found> = Prepared(query).get_result(tx.connection()).optional()?;
    Ok(found.map(|found| DealRegistrationId::from_uuid(found.id)))
}

/// How many live registrations a partner has in a program.
pub fn live_count(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: PartnerId,
    program_id: ProgramId,
) -> Result<i64, Problem> {
    let query = sql_query(format!(
        "SELECT count(*) AS count FROM deal_registrations r WHERE organization_id = $1 AND partner_id = $3 \
             AND program_id = $4 AND status IN ('submitted', 'in_review', 'action_required', 'approved') \
             AND NOT ({OVER})",
    ))
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<SqlUuid, _>(partner_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid());
    let counted: Counted = Prepared(query).get_result(tx.connection())?;
    Ok(counted.count)
}

/// The protected registrations of these deals, locked in the order of their ids.
pub fn lock_of_deals(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deals: &[DealId],
) -> Result<Vec<DealRegistration>, Problem> {
    let ids: Vec<Uuid> = deals.iter().map(|id| id.uuid()).collect();
    let rows: Vec<RegistrationRow> = deal_registrations::table
        .filter(deal_registrations::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_registrations::deal_id.eq_any(ids))
        .filter(deal_registrations::status.eq("approved"))
        .order(deal_registrations::id)
        .select(RegistrationRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    rows.into_iter().map(DealRegistration::try_from).collect()
}

#[derive(QueryableByName)]
struct Meeting {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    other_id: Uuid,
}

/// Two live claims, one to each of the accounts, that meet in product family and time. Of those that are not over each may
/// be protected at this moment, or come to be; of those that are, where that is yet to be noted, the times count.
pub fn meeting(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    other_id: AccountId,
) -> Result<Option<(DealRegistrationId, DealRegistrationId)>, Problem> {
    let query = sql_query(format!(
        "WITH live AS (SELECT r.id, r.account_id, uuidrange(r.product_family_id, r.product_family_id, '[]') AS families, \
                 r.status, tstzrange(r.protected_from, r.protected_until) AS protected, ({OVER}) IS TRUE AS is_over \
             FROM deal_registrations r WHERE r.organization_id = $1 AND r.account_id IN ($3, $4) \
             AND r.status IN ('submitted', 'in_review', 'action_required', 'approved')) \
         SELECT a.id, b.id AS other_id FROM live a JOIN live b ON a.families && b.families \
             AND (NOT a.is_over AND NOT b.is_over \
                 OR a.status = 'approved' AND b.status = 'approved' AND a.protected && b.protected) \
         WHERE a.account_id = $3 AND b.account_id = $4 ORDER BY a.id, b.id LIMIT 1",
    ))
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<SqlUuid, _>(account_id.uuid())
    .bind::<SqlUuid, _>(other_id.uuid());
    let met: Option<Meeting> = Prepared(query).get_result(tx.connection()).optional()?;
    let typed = DealRegistrationId::from_uuid;
    Ok(met.map(|met| (typed(met.id), typed(met.other_id))))
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    deal_id: Option<Uuid>,
}

/// Moves an account's registrations, or those of these that it still has, to another account; which they were, and
/// their deals.
pub fn move_to_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    from: AccountId,
    to: AccountId,
    only: Option<&[Uuid]>,
) -> Result<Vec<(Uuid, Option<DealId>)>, Problem> {
    let query = sql_query(
        "UPDATE deal_registrations SET account_id = $3, row_version = row_version + 1, updated_at = $4 \
         WHERE organization_id = $1 AND account_id = $2 AND ($5 IS NULL OR id = ANY($5)) RETURNING id, deal_id",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<SqlUuid, _>(from.uuid())
    .bind::<SqlUuid, _>(to.uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Nullable<Array<SqlUuid>>, _>(only);
    let rows: Vec<Moved> = query.load(tx.connection())?;
    let typed = |row: &Moved| (row.id, row.deal_id.map(DealId::from_uuid));
    Ok(rows.iter().map(typed).collect())
}

/// What time brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The protection is over. While an answer to a request for more time is late, it is not.
    Ended,
    /// The end is to be announced; not while the clock of the protection stands still.
    Announced,
    /// The organization has not answered in time.
    Late,
}

/// Some of the registrations for which it is time, locked; those that another worker holds are left to it.
pub fn due(
    tx: &mut Tx<'_>,
    scope: &Scope,
    due: Due,
    now: DateTime<Utc>,
) -> Result<Vec<DealRegistration>, Problem> {
    let condition = match due {
        Due::Ended => OVER.to_owned(),
        Due::Announced => format!("status = 'approved' AND remind_at <= $2 AND NOT {PAUSED}"),
        Due::Late => "status IN ('submitted', 'in_review') AND respond_by < $2 \
             AND (sla_breached_at IS NULL OR sla_breached_at < respond_by)"
            .to_owned(),
    };
    let query = sql_query(format!(
        "SELECT * FROM deal_registrations r WHERE organization_id = $1 AND {condition} ORDER BY id LIMIT $3 \
         FOR NO KEY UPDATE SKIP LOCKED"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(BATCH);
    let rows: Vec<RegistrationRow> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(DealRegistration::try_from).collect()
}

/// Writes what time has brought to registrations that are locked, all at once.
pub fn save_timed(tx: &mut Tx<'_>, scope: &Scope, after: &[DealRegistration]) -> Result<(), Problem> {
    fn each<T>(after: &[DealRegistration], of: impl Fn(&DealRegistration) -> T) -> Vec<T> {
        after.iter().map(of).collect()
    }
    let query = sql_query(
        "UPDATE deal_registrations r SET status = v.status, reason_code = v.reason_code, reason = v.reason, \
             sla_breached_at = v.sla_breached_at, remind_at = v.remind_at, closed_at = v.closed_at, \
             row_version = v.row_version, updated_at = v.updated_at \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) AS v (id, status, reason_code, reason, sla_breached_at, \
             remind_at, closed_at, row_version, updated_at) \
         WHERE r.organization_id = $1 AND r.id = v.id",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(each(after, |one| one.id.uuid()))
    .bind::<Array<Text>, _>(each(after, |one| one.status.as_str()))
    .bind::<Array<Nullable<Text>>, _>(each(after, |one| one.reason_code.map(|code| code.as_str())))
    .bind::<Array<Nullable<Text>>, _>(each(after, |one| one.reason.clone()))
    .bind::<Array<Nullable<Timestamptz>>, _>(each(after, |one| one.sla_breached_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(each(after, |one| one.remind_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(each(after, |one| one.closed_at))
    .bind::<Array<BigInt>, _>(each(after, |one| one.row_version))
    .bind::<Array<Timestamptz>, _>(each(after, |one| one.updated_at));
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// The organizations with a registration for which it is time by their own clock. Asked before any scope is known.
pub fn organizations_due(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    db::due(connection, "organizations_with_registrations_due", wall_now)
}

#[derive(QueryableByName)]
struct Asked {
    #[diesel(sql_type = Integer)]
    asked: i32,
}

/// Counts one precheck of a partner in this hour, and tells how many there were. Whoever asks at the same time waits.
pub fn count_precheck(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    hour: DateTime<Utc>,
) -> Result<i32, Problem> {
    let query = sql_query(
        "INSERT INTO registration_prechecks AS p (organization_id, partner_id, hour, asked) VALUES ($1, $2, $3, 1) \
         ON CONFLICT (organization_id, partner_id) DO UPDATE SET hour = excluded.hour, \
             asked = CASE WHEN p.hour = excluded.hour THEN p.asked + 1 ELSE 1 END \
         RETURNING asked",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(partner_id.uuid())
    .bind::<Timestamptz, _>(hour);
    let asked: Asked = Prepared(query).get_result(tx.connection())?;
    Ok(asked.asked)
}
