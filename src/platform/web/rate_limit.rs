//! How often a credential, or an address without one, may ask.

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// After so many requests callers who have not asked for a while are forgotten, so that the memory stays small.
const FORGET_EVERY: u64 = 10_000;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A known key.
    Credential(Uuid),
    /// Everybody else at this address.
    Address(String),
}

/// What is left after one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests that may still follow at once.
    pub remaining: u32,
    /// Seconds after which a refused caller may ask again; zero when not refused.
    pub wait_seconds: u32,
    /// Whether this request is refused.
    pub refused: bool,
}

type Limiter = RateLimiter<Caller, DefaultKeyedStateStore<Caller>, DefaultClock, StateInformationMiddleware>;

/// A quota per minute for each caller, filled up continuously (GCRA).
pub struct RateLimit {
    per_minute: u32,
    limiter: Limiter,
    clock: DefaultClock,
    counted: AtomicU64,
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RateLimit")
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
}

impl RateLimit {
    /// This many requests a minute for each caller.
    pub fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::dashmap(Quota::per_minute(per_minute)).with_middleware();
        Self {
            per_minute: per_minute.get(),
            limiter,
            clock: DefaultClock::default(),
            counted: AtomicU64::new(0),
        }
    }

    /// Requests a minute.
    pub fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Counts one request.
    pub fn count(&self, caller: &Caller) -> Standing {
        if self.counted.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(caller) {
            Ok(state) => Standing {
                remaining: state.remaining_burst_capacity(),
                wait_seconds: 0,
                refused: false,
            },
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX - 1) + 1;
                Standing {
                    remaining: 0,
                    wait_seconds: seconds,
                    refused: true,
                }
            }
        }
    }
}
