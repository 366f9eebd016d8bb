//! What partners did, from their events.

use crate::kernel::activity;
use crate::kernel::ctx::Scope;
use crate::kernel::id::PartnerId;
use crate::kernel::motion::Motion;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use std::str::FromStr;

/// What a partner did last.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct LastAction {
    /// The type of the event.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

/// What a partner did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The motions of the programs in which it is or was, each with its first useful action there.
    pub motions: Vec<(Motion, Option<DateTime<Utc>>)>,
    /// What it did last.
    pub last_action: Option<LastAction>,
}

/// How partners stand.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Headcount {
    /// Approved partners.
    #[diesel(sql_type = BigInt)]
    pub partners: i64,
    /// Of them, those that were useful at least once.
    #[diesel(sql_type = BigInt)]
    pub activated: i64,
    /// Of them, those whose last action lies within the time that the organization set.
    #[diesel(sql_type = BigInt)]
    pub active: i64,
}

#[derive(QueryableByName)]
struct RawMotion {
    #[diesel(sql_type = Text)]
    motion: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

/// When a partner was useful for the first time in a motion: the first of its events of these types, each with its motion. An
/// agency has to have held a certification, too.
pub fn first_useful(partner: &str, motion: &str, types: &str) -> String {
    format!(
        "SELECT greatest(first.at, held.at) FROM (\
             SELECT e.occurred_at AS at FROM events e JOIN unnest({types}) AS v (type, motion) \
                 ON v.type = e.type AND v.motion = {motion} \
             WHERE e.organization_id = $1 AND e.partner_id = {partner} AND e.sequence IS NOT NULL \
             ORDER BY e.sequence LIMIT 1) first \
         LEFT JOIN LATERAL (SELECT min(c.verified_at) AS at FROM compliance_documents c \
             WHERE c.organization_id = $1 AND c.partner_id = {partner} AND c.kind = 'certification' \
                 AND c.valid_from <= (c.verified_at AT TIME ZONE 'UTC')::date \
                 AND (c.valid_until IS NULL OR c.valid_until >= (c.verified_at AT TIME ZONE 'UTC')::date)) held \
             ON {motion} = 'agency' \
         WHERE {motion} <> 'agency' OR held.at IS NOT NULL"
    )
}

fn activations() -> (Vec<&'static str>, Vec<&'static str>) {
    let all = activity::activations().iter();
    all.map(|(name, motion)| (*name, motion.as_str())).unzip()
}

/// What a partner did.
pub fn of_partner(tx: &mut Tx<'_>, scope: &Scope, id: PartnerId) -> Result<Activity, Problem> {
    let (names, motions) = activations();
    let first = first_useful("p.id", "m.motion", "$2, $3");
    let text = format!(
        "SELECT m.motion, ({first}) AS at FROM partners p CROSS JOIN LATERAL (SELECT DISTINCT g.motion \
             FROM enrollments n JOIN programs g ON g.organization_id = $1 AND g.id = n.program_id \
             WHERE n.organization_id = $1 AND n.partner_id = p.id) m \
         WHERE p.organization_id = $1 AND p.id = $4 ORDER BY m.motion"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Text>, _>(motions)
        .bind::<SqlUuid, _>(id.uuid());
    let motions: Vec<RawMotion> = Prepared(query).load(tx.connection())?;
    let last = sql_query(
        "SELECT e.type AS name, e.occurred_at AS at FROM events e WHERE e.organization_id = $1 AND e.partner_id = $2 \
             AND e.sequence IS NOT NULL AND e.type = ANY ($3) ORDER BY e.sequence DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Array<Text>, _>(activity::actions());
    let last_action: Option<LastAction> = Prepared(last).get_result(tx.connection()).optional()?;
    let motions = motions.into_iter().map(|raw| {
        let motion = Motion::from_str(&raw.motion).map_err(Problem::damaged)?;
        Ok((motion, raw.at))
    });
    Ok(Activity {
        motions: motions.collect::<Result<_, Problem>>()?,
        last_action,
    })
}

/// How the approved partners stand.
pub fn headcount(
    tx: &mut Tx<'_>,
    scope: &Scope,
    dormant_after_days: i32,
    now: DateTime<Utc>,
) -> Result<Headcount, Problem> {
    let (names, motions) = activations();
    let first = first_useful("p.id", "m.motion", "$2, $3");
    let text = format!(
        "SELECT count(*) AS partners, count(*) FILTER (WHERE EXISTS (SELECT FROM enrollments n \
             JOIN programs m ON m.organization_id = $1 AND m.id = n.program_id \
             WHERE n.organization_id = $1 AND n.partner_id = p.id AND EXISTS ({first}))) AS activated, \
         count(*) FILTER (WHERE (SELECT e.occurred_at FROM events e WHERE e.organization_id = $1 \
             AND e.partner_id = p.id AND e.sequence IS NOT NULL AND e.type = ANY ($4) ORDER BY e.sequence DESC LIMIT 1) \
             > $5 - make_interval(days => $6)) AS active \
         FROM partners p WHERE p.organization_id = $1 AND p.status = 'approved'"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Text>, _>(motions)
        .bind::<Array<Text>, _>(activity::actions())
        .bind::<Timestamptz, _>(now)
        .bind::<Integer, _>(dormant_after_days);
    Ok(Prepared(query).get_result(tx.connection())?)
}
