//! Making UUIDv7 values that sort in the order in which one process made them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

const COUNTER_BITS: u32 = 42;
const TAIL_BITS: u32 = 32;
const LAST_MILLISECOND: u64 = (1 << 48) - 1;

/// One counter for the whole process, never reset: instants of several clocks may interleave (a
/// sandbox has its own), and ids of the same millisecond must still sort in the order of making.
/// It starts at random below half of its range, so that it does not wrap within any real lifetime
/// and so that two processes do not count in step.
static COUNTER: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(random_bits() >> (u64::BITS - COUNTER_BITS + 1)));

/// A UUIDv7 of the instant: 48 bits of milliseconds, 42 bits of counter, 32 random bits.
pub(super) fn uuid_at(now: DateTime<Utc>) -> Uuid {
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    uuid_from_parts(now, counter, random_bits())
}

/// The least UUIDv7 of the instant's millisecond; of the last one that fits, for instants behind it.
pub(super) fn least_uuid_at(instant: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(instant.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(milliseconds.min(LAST_MILLISECOND), &[0; 10]).into_uuid()
}

pub(super) fn uuid_from_parts(now: DateTime<Utc>, counter: u64, random: u64) -> Uuid {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    // The version takes no bit of the counter, but the variant stands between its upper twelve
    // bits and the rest: twelve in `rand_a`, thirty in front of the tail in `rand_b`.
    let upper = (counter >> (COUNTER_BITS - 12)) & 0x0fff;
    let lower = (counter & ((1 << (COUNTER_BITS - 12)) - 1)) << TAIL_BITS | (random & u64::from(u32::MAX));
    let mut bytes = [0; 10];
    bytes[..2].copy_from_slice(&(upper as u16).to_be_bytes());
    bytes[2..].copy_from_slice(&lower.to_be_bytes());
    Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid()
}

/// The standard library's keys of a thread are drawn from the operating system once, and differ each time they are
/// asked for. An id needs to be unlike others, not secret, so that this is enough and saves a system call.
fn random_bits() -> u64 {
    RandomState::new().build_hasher().finish()
}
