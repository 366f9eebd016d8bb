//! Pools, threads, transactions, retries.

use super::connection::{ScopedConnection, SessionScope, Sessions};
use super::error::{is_retryable, problem_of};
use super::tx::Tx;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::{Code, Problem};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{Pool, PooledConnection};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tracing::Span;

/// How many times a write is tried when Postgres says that another transaction came in between.
const ATTEMPTS: u32 = 4;

/// The longest that a statement keeps the thread that answers, in milliseconds.
const BRIEF_MS: u32 = 25;

/// How the door is built.
#[derive(Debug, Clone)]
pub struct DbSettings {
    /// Where writes go.
    pub url: String,
    /// Where reads go when a streaming replica is named.
    pub read_url: Option<String>,
    /// Connections for writes.
    pub write_connections: u32,
    /// Connections for reads.
    pub read_connections: u32,
    /// How long a request waits for a free connection before it is answered `503`.
    pub wait: Duration,
    /// The longest a statement may run, in milliseconds.
    pub statement_timeout_ms: u32,
}

impl DbSettings {
    /// Whether the reads go to a Postgres on this machine, by a socket in the file system: then nothing lies in between
    /// that could keep a thread waiting.
    fn reads_are_near(&self) -> bool {
        let url = self.read_url.as_deref().unwrap_or(&self.url);
        url.contains("host=/") || url.contains("host=%2F") || url.contains("@%2F") || url.contains("//%2F")
    }
}

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    writes: Pool<Sessions>,
    reads: Pool<Sessions>,
    /// For reads on the very thread that answers, which spares the way to another one and back. There is none where
    /// Postgres is far.
    brief: Option<Pool<Sessions>>,
    /// Apart from the reads, so that reports, which take long, keep nobody else waiting.
    snapshots: Pool<Sessions>,
}

impl fmt::Debug for Db {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Db").finish_non_exhaustive()
    }
}

impl Db {
    /// Builds the pools. Connections are opened when they are first needed.
    pub fn new(settings: &DbSettings) -> Self {
        let pool = |url: &str, read_only: bool, plan_once: bool, size: u32, timeout_ms: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                .test_on_check_out(false)
                .connection_timeout(settings.wait)
                .error_handler(Box::new(QuietErrors))
                .build_unchecked(Sessions {
                    url: url.to_owned(),
                    read_only,
                    plan_once,
                    statement_timeout_ms: timeout_ms,
                })
        };
        let patient = settings.statement_timeout_ms;
        let read_url = settings.read_url.as_deref().unwrap_or(&settings.url);
        Self {
            writes: pool(&settings.url, false, false, settings.write_connections, patient),
            reads: pool(read_url, true, true, settings.read_connections, patient),
            brief: settings
                .reads_are_near()
                .then(|| pool(read_url, true, true, settings.read_connections, BRIEF_MS)),
            snapshots: pool(
                read_url,
                true,
                false,
                settings.read_connections.div_ceil(4),
                patient,
            ),
        }
    }

    /// Reads in the caller's scope; each statement sees what is committed when it starts.
    pub async fn read<T, F>(&self, ctx: &Ctx, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        if let Some(outcome) = self.read_here(ctx, &work) {
            return outcome;
        }
        let (db, ctx) = (self.clone(), ctx.clone());
        blocking(move || db.read_now(&ctx, work)).await
    }

    /// Reads on this thread, if a connection is at hand and it takes but a moment. What takes longer, or fails for want
    /// of a database, is left to those who may wait.
    fn read_here<T>(
        &self,
        ctx: &Ctx,
        work: &impl Fn(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Option<Result<T, Problem>> {
        let mut held = self.brief.as_ref()?.get_timeout(Duration::ZERO).ok()?;
        let read = || work(&mut Tx::new(held.enter(&SessionScope::of(ctx))?));
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Err(problem)) if problem.code == Code::ServiceUnavailable => {
                held.examine();
                None
            }
            Ok(outcome) => Some(outcome),
            Err(_) => Some(Err(Problem::internal())),
        }
    }

    /// Reads several statements from one snapshot.
    pub async fn snapshot<T, F>(&self, ctx: &Ctx, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let (db, ctx) = (self.clone(), ctx.clone());
        blocking(move || db.snapshot_now(&ctx, work)).await
    }

    /// Changes something: one transaction, with what happened written in it. Serialization failures and deadlocks
    /// are tried again, therefore `work` may run more than once and must not act outside the database.
    pub async fn write<T, F>(&self, ctx: &Ctx, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let (db, ctx) = (self.clone(), ctx.clone());
        blocking(move || db.write_now(&ctx, work)).await
    }

    /// Asks something before any scope is known.
    pub async fn outside<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> Result<T, Problem> + Send + 'static,
    {
        let db = self.clone();
        blocking(move || db.outside_now(work)).await
    }

    /// [`Db::outside`] for callers that may block. On a connection that died the work is done again, so that it must
    /// bear being done twice.
    pub fn outside_now<T>(
        &self,
        work: impl Fn(&mut PgConnection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (_, value) = live(&self.writes, |held| work(held.outside()?))?;
        Ok(value)
    }

    /// [`Db::outside_now`] for work that must not be done twice: it starts on a connection that has just answered, and
    /// is not repeated when that one dies.
    pub fn outside_once_now<T>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (mut held, ()) = live(&self.writes, |held| {
            Ok(held.outside()?.batch_execute("SELECT 1")?)
        })?;
        work(held.outside()?)
    }

    /// [`Db::read`] for callers that may block.
    pub fn read_now<T>(
        &self,
        ctx: &Ctx,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let scope = SessionScope::of(ctx);
        let (_, value) = live(&self.reads, |held| work(&mut Tx::new(held.enter(&scope)?)))?;
        Ok(value)
    }

    /// [`Db::snapshot`] for callers that may block.
    pub fn snapshot_now<T>(
        &self,
        ctx: &Ctx,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let scope = SessionScope::of(ctx);
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let (mut held, ()) = live(&self.snapshots, |held| {
            Ok(held.enter(&scope)?.batch_execute(begin)?)
        })?;
        finish(held.enter(&scope)?, work)
    }

    /// [`Db::write`] for callers that may block.
    pub fn write_now<T>(
        &self,
        ctx: &Ctx,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let scope = SessionScope::of(ctx);
        let mut attempt = 1;
        loop {
            let (mut held, ()) = live(&self.writes, |held| {
                Ok(held.enter(&scope)?.batch_execute("BEGIN")?)
            })?;
            match finish(held.enter(&scope)?, &work) {
                Err(problem) if attempt < ATTEMPTS && is_retryable(&problem) => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// Whether Postgres answers.
    pub async fn is_reachable(&self) -> bool {
        self.outside(|connection| connection.batch_execute("SELECT 1").map_err(problem_of))
            .await
            .is_ok()
    }

    /// Whether reads may happen on the thread that answers, and keep it waiting for Postgres meanwhile.
    pub fn reads_on_answering_threads(&self) -> bool {
        self.brief.is_some()
    }

    /// Connections of the write pool: (open, idle).
    pub fn write_connections(&self) -> (u32, u32) {
        let state = self.writes.state();
        (state.connections, state.idle_connections)
    }
}

/// Runs `work` in the transaction that has begun, writes what happened, and commits.
fn finish<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut tx = Tx::new(connection);
        let value = work(&mut tx)?;
        tx.flush()?;
        Ok(value)
    }))
    .unwrap_or_else(|_| Err(Problem::internal()));
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.batch_execute(end).map_err(problem_of);
    let value = outcome?;
    ended.map(|()| value)
}

/// A connection on which `first` succeeded, and what it gave. A connection that died while it was idle is no failure:
/// `first` changes nothing, so that it is tried on the next one, as often as the pool may hold dead ones.
fn live<T>(
    pool: &Pool<Sessions>,
    first: impl Fn(&mut ScopedConnection) -> Result<T, Problem>,
) -> Result<(PooledConnection<Sessions>, T), Problem> {
    let mut tries_left = pool.max_size();
    loop {
        let mut held = take(pool)?;
        match first(&mut held) {
            Ok(value) => return Ok((held, value)),
            Err(problem) => {
                if problem.code == Code::ServiceUnavailable {
                    held.examine();
                }
                if tries_left == 0 || !held.is_broken() {
                    return Err(problem);
                }
                tries_left -= 1;
            }
        }
    }
}

/// A connection, or `503` when none is free in time.
fn take(pool: &Pool<Sessions>) -> Result<PooledConnection<Sessions>, Problem> {
    pool.get().map_err(|error| {
        tracing::warn!(%error, "no database connection");
        Problem::unavailable()
    })
}

/// Runs blocking work on the blocking pool within the caller's span; a panic becomes a `500`.
async fn blocking<T, F>(work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Problem> + Send + 'static,
{
    let span = Span::current();
    actix_web::web::block(move || {
        span.in_scope(|| catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Problem::internal())))
    })
    .await
    .unwrap_or_else(|_| Err(Problem::unavailable()))
}

/// Connection failures are answered by [`take`]; the pool's own repetition of them is only a trace.
#[derive(Debug)]
struct QuietErrors;

impl<E: std::error::Error> diesel::r2d2::HandleError<E> for QuietErrors {
    fn handle_error(&self, error: E) {
        tracing::debug!(%error, "database connection");
    }
}
