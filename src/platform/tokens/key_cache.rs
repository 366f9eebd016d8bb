//! The keys of identity providers, as they were last read where the providers publish them.
//!
//! A set that was read is good for minutes, and is read anew behind the back of whoever needs it after that. A token
//! with a key id that is not in it makes the set be read at once, but not more than once a minute, so that nobody can
//! make the service ask a provider all day. When a provider does not answer, what it last said stays good for a day;
//! it is kept in Postgres, so that a restart during the outage locks nobody out.

use super::keys::KeySet;
use crate::kernel::id::{IdentityProviderId, OrganizationId, PartnerId};
use crate::platform::db::{Db, Prepared};
use crate::platform::outbound::{Outbound, OutboundError};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_query;
use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use futures_util::future::{BoxFuture, FutureExt, Shared};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// For how long a set is taken as it is.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// The least time between two attempts to read a provider's set.
const PAUSE: TimeDelta = TimeDelta::seconds(60);
/// The same when somebody asks for it.
const PAUSE_OF_A_PERSON: TimeDelta = TimeDelta::seconds(5);
/// For how long a set is good when no other can be read.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// Providers remembered at most; beyond it the memory starts anew.
const REMEMBERED: usize = 1_000;

/// Where a provider publishes its keys, and what Postgres remembers of them.
#[derive(Debug, Clone)]
pub struct Published {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The provider.
    pub id: IdentityProviderId,
    /// The partner whose provider it is.
    pub partner_id: Option<PartnerId>,
    /// Where.
    pub url: String,
    /// What was last read there, and when.
    pub last: Option<(Value, DateTime<Utc>)>,
}

/// A set of keys and when it was read.
#[derive(Debug, Clone)]
struct Read {
    keys: Arc<KeySet>,
    at: DateTime<Utc>,
}

type Reading = Shared<BoxFuture<'static, Option<Arc<KeySet>>>>;

#[derive(Default)]
struct Known {
    url: String,
    good: Option<Read>,
    tried_at: Option<DateTime<Utc>>,
    reading: Option<Reading>,
}

/// What is known of providers' keys.
#[derive(Clone)]
pub struct KeyCache {
    outbound: Outbound,
    known: Arc<Mutex<HashMap<IdentityProviderId, Known>>>,
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyCache").finish_non_exhaustive()
    }
}

/// What to do for somebody who needs a key.
enum Plan {
    Use(Arc<KeySet>),
    UseAndRead(Arc<KeySet>, Reading),
    Wait(Reading),
    Nothing,
}

impl KeyCache {
    /// Nothing known yet.
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            known: Arc::default(),
        }
    }

    /// The way out that the sets are read by.
    pub fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// The provider's keys among which `is_there` finds the one that is needed, or the last ones without it; `None`
    /// when none could be read.
    pub async fn keys(
        &self,
        db: &Db,
        published: Published,
        now: DateTime<Utc>,
        is_there: impl Fn(&KeySet) -> bool,
    ) -> Option<Arc<KeySet>> {
        match self.plan(db, published, now, is_there) {
            Plan::Use(keys) => Some(keys),
            Plan::UseAndRead(keys, reading) => {
                actix_web::rt::spawn(reading.map(|_| ()));
                Some(keys)
            }
            Plan::Wait(reading) => reading.await,
            Plan::Nothing => None,
        }
    }

    /// Reads the set now, whatever is known; for somebody who connects a provider.
    pub async fn read_now(&self, db: &Db, published: Published, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        let reading = {
            let mut known = self.lock();
            let entry = known.entry(published.id).or_default();
            entry.recall(&published, now);
            let is_recent = |tried_at: DateTime<Utc>| now >= tried_at && now - tried_at < PAUSE_OF_A_PERSON;
            if entry.tried_at.is_some_and(is_recent) && entry.reading.is_none() {
                return entry.good.as_ref().map(|good| Arc::clone(&good.keys));
            }
            entry.begin(self, db, published, now)
        };
        reading.await
    }

    fn plan(
        &self,
        db: &Db,
        published: Published,
        now: DateTime<Utc>,
        is_there: impl Fn(&KeySet) -> bool,
    ) -> Plan {
        let mut known = self.lock();
        if known.len() >= REMEMBERED && !known.contains_key(&published.id) {
            known.clear();
        }
        let entry = known.entry(published.id).or_default();
        entry.recall(&published, now);
        let found = entry.good.as_ref().filter(|good| is_there(&good.keys)).cloned();
        let may_try = entry
            .tried_at
            .is_none_or(|tried_at| now - tried_at >= PAUSE || now < tried_at);
        match (found, entry.reading.clone()) {
            (Some(good), _) if now - good.at < FRESH || !may_try => Plan::Use(good.keys),
            (Some(good), _) => Plan::UseAndRead(good.keys, entry.begin(self, db, published, now)),
            (None, Some(reading)) => Plan::Wait(reading),
            (None, None) if may_try => Plan::Wait(entry.begin(self, db, published, now)),
            (None, None) => entry
                .good
                .as_ref()
                .map_or(Plan::Nothing, |good| Plan::Use(Arc::clone(&good.keys))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IdentityProviderId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the set and remembers it, here and in Postgres; answers what is good afterwards.
    async fn read(self, db: Db, published: Published, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        let owner = (published.organization_id, published.partner_id);
        let answer = self.outbound.get(published.url.clone(), owner).await;
        let was_busy = answer == Err(OutboundError::Busy);
        let read = answer.map_err(|error| error.to_string()).and_then(|bytes| {
            let document: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
            let keys = KeySet::read(&document).filter(|keys| !keys.is_empty());
            keys.map(|keys| (document, Arc::new(keys)))
                .ok_or_else(|| "no usable key in it".to_owned())
        });
        match read {
            Ok((document, keys)) => {
                self.finish(
                    &published,
                    Some(Read {
                        keys: Arc::clone(&keys),
                        at: now,
                    }),
                    false,
                );
                if let Err(problem) = keep(&db, &published, document, now).await {
                    tracing::warn!(%problem, provider = %published.id, "keys are not kept");
                }
                Some(keys)
            }
            Err(error) => {
                tracing::warn!(error, provider = %published.id, "keys of an identity provider cannot be read");
                self.finish(&published, None, was_busy)
            }
        }
    }

    fn finish(&self, published: &Published, read: Option<Read>, was_busy: bool) -> Option<Arc<KeySet>> {
        let mut known = self.lock();
        let entry = known
            .get_mut(&published.id)
            .filter(|entry| entry.url == published.url)?;
        entry.reading = None;
        if was_busy {
            // The provider was not asked at all.
            entry.tried_at = None;
        }
        entry.good = read.or_else(|| entry.good.take());
        entry.good.as_ref().map(|good| Arc::clone(&good.keys))
    }
}

impl Known {
    /// Forgets what is too old or from another address, and takes over what Postgres remembers.
    fn recall(&mut self, published: &Published, now: DateTime<Utc>) {
        if self.url != published.url {
            *self = Self {
                url: published.url.clone(),
                ..Self::default()
            };
        }
        self.good = self.good.take().filter(|good| now - good.at < KEPT);
        if self.good.is_some() {
            return;
        }
        let kept = published.last.as_ref().filter(|(_, at)| now - *at < KEPT);
        self.good = kept.and_then(|(document, at)| {
            let keys = Arc::new(KeySet::read(document)?);
            Some(Read { keys, at: *at })
        });
    }

    /// The reading that is under way, or a new one.
    fn begin(&mut self, cache: &KeyCache, db: &Db, published: Published, now: DateTime<Utc>) -> Reading {
        if let Some(reading) = self.reading.clone().filter(|_| self.url == published.url) {
            return reading;
        }
        self.url.clone_from(&published.url);
        self.tried_at = Some(now);
        let reading = cache.clone().read(db.clone(), published, now).boxed().shared();
        self.reading = Some(reading.clone());
        reading
    }
}

async fn keep(
    db: &Db,
    published: &Published,
    document: Value,
    now: DateTime<Utc>,
) -> Result<(), crate::kernel::problem::Problem> {
    let published = published.clone();
    db.outside(move |connection| {
        let query = sql_query("SELECT keep_fetched_jwks($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(published.organization_id.uuid())
            .bind::<SqlUuid, _>(published.id.uuid())
            .bind::<Text, _>(&published.url)
            .bind::<Jsonb, _>(&document)
            .bind::<Timestamptz, _>(now);
        Ok(Prepared(query).execute(connection)?)
    })
    .await
}
