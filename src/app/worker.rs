//! The work in the background: any number of replicas may run it, and each piece is done by one of them.

use crate::flows::imports;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::clock::Clock;
use crate::platform::db::Db;
use diesel::sql_types::{Integer, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use uuid::Uuid;

/// How long the worker rests when there was nothing to do.
const REST: Duration = Duration::from_millis(200);
/// Events numbered in one transaction at most.
const EVENTS_AT_ONCE: i32 = 5_000;

/// The worker's thread; it stops when this is dropped or told to.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the background work.
    pub fn start(db: Db, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                while !told.load(Ordering::Acquire) {
                    let busy = step(&db, clock.as_ref()).unwrap_or_else(|problem| {
                        tracing::warn!(%problem, "background work");
                        false
                    });
                    if !busy {
                        std::thread::park_timeout(REST);
                    }
                }
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Finishes what is in hand and stops.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the worker panicked");
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// One round of everything; whether there was anything to do. Tests drive the worker by this.
pub fn step(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let numbered = number_events(db, clock)?;
    let imported = imports::work(db, clock)?;
    Ok(numbered || imported)
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = Integer)]
    numbered: i32,
}

/// Gives the committed events of every organization their numbers.
fn number_events(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let query = sql_query("SELECT organizations_with_unsequenced_events() AS organization_id");
    let waiting: Vec<Waiting> = db.outside_now(|connection| Ok(query.load(connection)?))?;
    for Waiting { organization_id } in &waiting {
        let ctx = Ctx::system(OrganizationId::from_uuid(*organization_id), clock.now());
        db.write_now(&ctx, |tx| {
            let query =
                sql_query("SELECT sequence_events($1) AS numbered").bind::<Integer, _>(EVENTS_AT_ONCE);
            let done: Numbered = query.get_result(tx.connection())?;
            tracing::debug!(numbered = done.numbered, "events");
            Ok(())
        })?;
    }
    Ok(!waiting.is_empty())
}
