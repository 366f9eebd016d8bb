//! The work in the background: any number of replicas may run it, and each piece is done by one of them.

use crate::features::events;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::clock::Clock;
use crate::platform::db::Db;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the worker rests when there was nothing to do.
const REST: Duration = Duration::from_millis(200);

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
    Ok(numbered)
}

/// Gives the committed events of every organization their numbers.
fn number_events(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let waiting = db.outside_now(events::organizations_waiting)?;
    for organization_id in &waiting {
        let ctx = Ctx::system(*organization_id, clock.now());
        let numbered = db.write_now(&ctx, events::number)?;
        tracing::debug!(numbered, "events");
    }
    Ok(!waiting.is_empty())
}
