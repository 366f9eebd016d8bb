//! Refusals of callers who are known, for the login history. Nobody waits for them to be written, so that a refusal
//! takes as long for a key that once was as for one that never was; and whoever knocks all day is noted once a minute.

use super::{Credential, KeyHash, Visit};
use crate::kernel::ctx::Actor;
use crate::kernel::id::{
    ApiKeyId, AuthenticationEventId, IdentityProviderId, OrganizationId, SessionId, UserId,
};
use crate::platform::db::{Db, Prepared};
use crate::platform::tokens::refusal::RefusalReason;
use actix_web::rt::task::JoinHandle;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryResult, sql_query};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// How often the same refusal is noted at most.
const PAUSE: TimeDelta = TimeDelta::seconds(60);
/// Refusals remembered at most; beyond it the memory starts anew.
const REMEMBERED: usize = 10_000;

/// Who was refused.
#[derive(Debug, Clone)]
pub(super) enum Refused {
    /// Who came with a secret that is not good; maybe nobody's.
    Secret(KeyHash),
    /// Who is known.
    Caller(Box<RefusedCaller>),
}

/// A refused caller, by what is known of it.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusedCaller {
    pub(super) organization_id: Option<OrganizationId>,
    pub(super) api_key_id: Option<ApiKeyId>,
    pub(super) session_id: Option<SessionId>,
    pub(super) user_id: Option<UserId>,
    pub(super) identity_provider_id: Option<IdentityProviderId>,
    pub(super) subject: Option<String>,
    /// Without it Postgres finds out what stands in the way.
    pub(super) reason: Option<RefusalReason>,
}

impl Refused {
    pub(super) fn caller(credential: &Credential) -> Self {
        let (api_key_id, user_id) = match credential.actor {
            Actor::ApiKey(id) => (Some(id), None),
            Actor::User(id) => (None, Some(id)),
            Actor::System => (None, None),
        };
        Self::Caller(Box::new(RefusedCaller {
            organization_id: Some(credential.organization_id),
            api_key_id,
            session_id: credential.session_id,
            user_id,
            identity_provider_id: credential.identity_provider_id,
            ..RefusedCaller::default()
        }))
    }

    /// What is noted once a minute: not what a stranger can choose freely. Whom a provider vouches for, it names by a
    /// subject that it has signed.
    fn name(&self) -> String {
        match self {
            Self::Secret(hash) => format!("{:?}", hash.to_vec()),
            Self::Caller(caller) => format!(
                "{:?} {:?} {:?} {:?} {:?} {:?}",
                caller.api_key_id,
                caller.session_id,
                caller.user_id,
                caller.identity_provider_id,
                caller.subject,
                caller.reason
            ),
        }
    }

    fn write(&self, connection: &mut PgConnection, event: Uuid, visit: &Visit) -> QueryResult<()> {
        let address = visit.address.map(|address| address.to_string());
        match self {
            Self::Secret(hash) => {
                let query = sql_query("SELECT note_refused_secret($1, $2, $3, $4, $5)")
                    .bind::<Binary, _>(hash.to_vec())
                    .bind::<SqlUuid, _>(event)
                    .bind::<Nullable<Text>, _>(address)
                    .bind::<SqlUuid, _>(visit.request_id.uuid())
                    .bind::<Timestamptz, _>(visit.now);
                Prepared(query).execute(connection)
            }
            Self::Caller(caller) => {
                let query = sql_query("SELECT note_refusal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                    .bind::<Nullable<SqlUuid>, _>(caller.organization_id.map(OrganizationId::uuid))
                    .bind::<Nullable<SqlUuid>, _>(caller.api_key_id.map(ApiKeyId::uuid))
                    .bind::<Nullable<SqlUuid>, _>(caller.session_id.map(SessionId::uuid))
                    .bind::<Nullable<SqlUuid>, _>(caller.user_id.map(UserId::uuid))
                    .bind::<Nullable<SqlUuid>, _>(caller.identity_provider_id.map(IdentityProviderId::uuid))
                    .bind::<Nullable<Text>, _>(caller.reason.map(RefusalReason::as_str))
                    .bind::<Nullable<Text>, _>(&caller.subject)
                    .bind::<SqlUuid, _>(event)
                    .bind::<Nullable<Text>, _>(address)
                    .bind::<SqlUuid, _>(visit.request_id.uuid())
                    .bind::<Timestamptz, _>(visit.now);
                Prepared(query).execute(connection)
            }
        }
    }
}

/// What was noted lately, and what is being written.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    noted: Mutex<HashMap<String, DateTime<Utc>>>,
    writing: Mutex<Vec<JoinHandle<()>>>,
}

impl Refusals {
    /// Notes a refusal soon.
    pub(super) fn note(&self, db: &Db, refused: Refused, visit: &Visit) {
        if !self.is_new(refused.name(), visit.now) {
            return;
        }
        let (db, visit) = (db.clone(), *visit);
        let event = AuthenticationEventId::new(visit.now).uuid();
        let writing = actix_web::rt::spawn(async move {
            let noted = db.outside(move |connection| Ok(refused.write(connection, event, &visit)?));
            if let Err(problem) = noted.await {
                tracing::warn!(%problem, "a refusal is not noted");
            }
        });
        let mut unfinished = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.retain(|one| !one.is_finished());
        unfinished.push(writing);
    }

    /// Waits until what was noted is written.
    pub(super) async fn settle(&self) {
        let unfinished = std::mem::take(&mut *self.writing.lock().unwrap_or_else(PoisonError::into_inner));
        for one in unfinished {
            if let Err(error) = one.await {
                tracing::warn!(%error, "a refusal is not noted");
            }
        }
    }

    fn is_new(&self, name: String, now: DateTime<Utc>) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= REMEMBERED {
            noted.clear();
        }
        let before = noted.get(&name).copied();
        if before.is_some_and(|before| now >= before && now - before < PAUSE) {
            return false;
        }
        noted.insert(name, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_refusal_is_noted_once_a_minute() {
        let (refusals, start) = (Refusals::default(), DateTime::UNIX_EPOCH);
        let is_new =
            |name: &str, seconds: i64| refusals.is_new(name.to_owned(), start + TimeDelta::seconds(seconds));
        assert!(is_new("a", 0));
        assert!(!is_new("a", 59));
        assert!(is_new("b", 59));
        assert!(is_new("a", 60));
    }
}
