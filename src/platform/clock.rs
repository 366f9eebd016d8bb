//! Where `now` comes from. Everything else takes it as an argument.

use chrono::{DateTime, SubsecRound, Utc};
use std::fmt::Debug;
use std::sync::{Arc, PoisonError, RwLock};

/// A source of the present instant.
pub trait Clock: Debug + Send + Sync {
    /// The present instant, in the microseconds that Postgres keeps.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system for the time"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is moved, for the demo and for tests. A sandbox has none of these: its time is that
/// of the machine and `organizations.clock_offset`.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<RwLock<DateTime<Utc>>>);

impl ManualClock {
    /// A clock that shows this instant.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Arc::new(RwLock::new(now)))
    }

    /// Sets the clock.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
