//! Ask twice, happen once: the key is settled in the same transaction as the work.

use super::answer::Answer;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Db, Prepared, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Bool, Bytea, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use uuid::Uuid;

/// Hours for which an answer is kept.
const KEPT_HOURS: i64 = 24;

/// A caller's key, for one route, with a fingerprint of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestKey {
    pub(super) key: String,
    pub(super) route: String,
    pub(super) hash: Vec<u8>,
}

#[derive(QueryableByName)]
struct Lock {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Bytea)]
    request_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<Integer>)]
    answer_status: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    answer_headers: Option<Value>,
    #[diesel(sql_type = Nullable<Bytea>)]
    answer_body: Option<Vec<u8>>,
}

/// Does the work, or gives the first answer again. A refusal is not kept: nothing happened.
pub(super) fn once(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    key: &RequestKey,
    work: impl FnOnce(&mut Tx<'_>) -> Result<Answer, Problem>,
) -> Result<Answer, Problem> {
    lock(tx, ctx, key)?;
    match find(tx, ctx, key)? {
        Some(stored) if stored.request_hash != key.hash => Err(Problem::new(Code::IdempotencyKeyReused)),
        Some(stored) => replay(stored),
        None => {
            let answer = work(tx)?;
            keep(tx, ctx, key, &answer)?;
            Ok(answer)
        }
    }
}

/// One request per key at a time; a second one is told to come back rather than made to wait.
fn lock(tx: &mut Tx<'_>, ctx: &Ctx, key: &RequestKey) -> Result<(), Problem> {
    let name = format!(
        "{} {:?} {:?} {} {}",
        ctx.organization_id(),
        ctx.actor.id(),
        ctx.scope.partner_id,
        key.route,
        key.key
    );
    let query =
        sql_query("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken").bind::<Text, _>(name);
    let lock: Lock = Prepared(query).get_result(tx.connection())?;
    if lock.taken {
        return Ok(());
    }
    Err(Problem {
        retry_after_seconds: Some(1),
        ..Problem::new(Code::IdempotencyKeyInUse)
    })
}

fn find(tx: &mut Tx<'_>, ctx: &Ctx, key: &RequestKey) -> Result<Option<Stored>, Problem> {
    let query = sql_query(
        "SELECT request_hash, answer_status, answer_headers, answer_body FROM idempotency_keys \
         WHERE organization_id = $1 AND actor_id = $2 AND confined_to = $3 AND route = $4 AND key = $5",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Nullable<SqlUuid>, _>(ctx.actor.id())
    .bind::<SqlUuid, _>(confined_to(ctx))
    .bind::<Text, _>(&key.route)
    .bind::<Text, _>(&key.key);
    Ok(Prepared(query).get_result(tx.connection()).optional()?)
}

fn keep(tx: &mut Tx<'_>, ctx: &Ctx, key: &RequestKey, answer: &Answer) -> Result<(), Problem> {
    let query = sql_query(
        "INSERT INTO idempotency_keys (organization_id, actor_id, confined_to, route, key, request_hash, \
             answer_status, answer_headers, answer_body, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Nullable<SqlUuid>, _>(ctx.actor.id())
    .bind::<SqlUuid, _>(confined_to(ctx))
    .bind::<Text, _>(&key.route)
    .bind::<Text, _>(&key.key)
    .bind::<Bytea, _>(&key.hash)
    .bind::<Integer, _>(i32::from(answer.status))
    .bind::<Jsonb, _>(json!({ "content_type": answer.content_type, "headers": answer.headers }))
    .bind::<Bytea, _>(answer.kept_body.as_ref().unwrap_or(&answer.body))
    .bind::<Timestamptz, _>(ctx.wall_now);
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// The same key is another caller when it is confined to a partner; nil where it is not.
fn confined_to(ctx: &Ctx) -> Uuid {
    ctx.scope.partner_id.map(PartnerId::uuid).unwrap_or_default()
}

fn replay(stored: Stored) -> Result<Answer, Problem> {
    let headers = stored.answer_headers.unwrap_or_default();
    let content_type = headers["content_type"]
        .as_str()
        .unwrap_or("application/json")
        .to_owned();
    let headers = serde_json::from_value(headers["headers"].clone()).unwrap_or_default();
    let status = stored
        .answer_status
        .and_then(|status| u16::try_from(status).ok())
        .ok_or_else(Problem::internal)?;
    Ok(Answer {
        status,
        headers,
        body: stored.answer_body.unwrap_or_default(),
        content_type,
        replayed: true,
        kept_body: None,
    })
}

#[derive(QueryableByName)]
struct Forgotten {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    forgotten: i64,
}

/// Forgets answers that are a day old; how many they were.
pub fn forget_answers(db: &Db, now: DateTime<Utc>) -> Result<i64, Problem> {
    let before = now - TimeDelta::hours(KEPT_HOURS);
    let query = sql_query("SELECT forget_answers($1) AS forgotten").bind::<Timestamptz, _>(before);
    let done: Forgotten = db.outside_now(|connection| Ok(Prepared(query.clone()).get_result(connection)?))?;
    Ok(done.forgotten)
}
