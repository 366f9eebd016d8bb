//! The work in the background: any number of replicas may run it, and each piece is done by one of them.
//!
//! Four threads, so that a long import holds nothing else up: one loads imports, one works back-tests out, one compares
//! accounts with one another, the fourth numbers events, seals the audit trail, releases holds, looks after referrals and
//! disputes, ends protections, reviews tiers, makes the match keys of accounts and forgets Idempotency-Keys that are a
//! day old.

use crate::features::imports::release_all as release_imports;
use crate::features::{
    accounts, audit, backtests, commissions, deal_registrations, disputes, events, referrals, tiers,
};
use crate::flows::{backtest, hold_release, imports, registration};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::clock::Clock;
use crate::platform::db::Db;
use crate::platform::web::forget_answers;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a thread rests when there was nothing to do.
const REST: Duration = Duration::from_millis(200);
/// How long housekeeping rests between two rounds of work: under load small pieces gather to larger ones, instead of
/// one transaction for each handful of events.
const BREATH: Duration = Duration::from_millis(50);

/// One round of work; whether there was anything to do. A long one ends early when it is told to stop.
type Round = fn(&Db, &dyn Clock, &AtomicBool) -> Result<bool, Problem>;

/// The worker's threads; they stop when this is dropped or told to.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts the background work.
    pub fn start(db: &Db, clock: &Arc<dyn Clock>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds: [(&str, Round, Duration); 4] = [
            ("housekeeping", |db, clock, _| keep_house(db, clock), BREATH),
            ("imports", |db, clock, _| load_imports(db, clock), Duration::ZERO),
            ("back-tests", backtest::work, BREATH),
            ("matching", |db, clock, _| compare_accounts(db, clock), BREATH),
        ];
        let threads = rounds.into_iter().map(|(name, round, breath)| {
            let (db, clock, stop) = (db.clone(), Arc::clone(clock), Arc::clone(&stop));
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || repeat(round, breath, &db, clock.as_ref(), &stop))
        });
        Ok(Self {
            stop: Arc::clone(&stop),
            threads: threads.collect::<Result<_, _>>()?,
        })
    }

    /// Takes up what workers of the past left behind, for a database that is known to have no other worker: one that
    /// belongs to this process and has just been started.
    pub fn take_over(db: &Db) -> Result<(), Problem> {
        db.outside_now(release_imports)?;
        db.outside_now(backtests::release_all)
    }

    /// Finishes what is in hand and stops.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a worker panicked");
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

fn repeat(round: Round, breath: Duration, db: &Db, clock: &dyn Clock, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        let busy = round(db, clock, stop).unwrap_or_else(|problem| {
            tracing::warn!(%problem, "background work");
            false
        });
        std::thread::park_timeout(if busy { breath } else { REST });
    }
}

/// One round of everything; whether there was anything to do. Tests drive the worker by this.
pub fn step(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let imported = load_imports(db, clock)?;
    let tested = backtest::work(db, clock, &AtomicBool::new(false))?;
    let compared = compare_accounts(db, clock)?;
    Ok(keep_house(db, clock)? || imported || tested || compared)
}

/// Suggests pairs for accounts that were written since.
fn compare_accounts(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let mut any = false;
    for organization_id in db.outside_now(accounts::organizations_to_compare)? {
        let ctx = Ctx::system(organization_id, clock.now());
        any |= db.write_now(&ctx, |tx| accounts::suggest_pairs(tx, &ctx))? > 0;
    }
    Ok(any)
}

fn load_imports(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    imports::work(db, clock)
}

fn keep_house(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let released = release_holds(db, clock)?;
    let aged = look_after_referrals(db, clock)?;
    let moved = move_registrations(db, clock)?;
    let noted = look_after_disputes(db, clock)?;
    let reviewed = review_tiers(db, clock)?;
    let numbered = number_events(db, clock)?;
    let sealed = seal_audit_trail(db, clock)?;
    let keyed = make_match_keys(db, clock)?;
    forget_answers(db, clock.now())?;
    Ok(released || aged || moved || noted || reviewed || keyed || numbered || sealed)
}

/// Makes the match keys of accounts that want them: all of them once after an upgrade that makes other keys.
fn make_match_keys(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let mut any = false;
    for organization_id in db.outside_now(accounts::organizations_wanting_keys)? {
        let ctx = Ctx::system(organization_id, clock.now());
        any |= db.write_now(&ctx, |tx| accounts::make_match_keys(tx, &ctx))? > 0;
    }
    Ok(any)
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

/// Links the committed entries of every organization's audit trail to its chain. An entry that was taken out before it
/// was sealed stays waiting and is no work.
fn seal_audit_trail(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let mut any = false;
    for organization_id in db.outside_now(audit::organizations_waiting)? {
        let ctx = Ctx::system(organization_id, clock.now());
        let sealed = db.write_now(&ctx, |tx| audit::seal(tx, &ctx))?;
        tracing::debug!(sealed, "audit trail");
        any |= sealed > 0;
    }
    Ok(any)
}

/// Notes the promises of an answer that were broken, and ends referrals that nobody answered for too long.
fn look_after_referrals(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let now = clock.now();
    let mut any = false;
    for ctx in db.outside_now(|connection| referrals::organizations_with_late_referrals(connection, now))? {
        any |= db.write_now(&ctx, |tx| referrals::look_after(tx, &ctx))? > 0;
    }
    Ok(any)
}

/// Notes that answers to disputes are overdue.
fn look_after_disputes(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let now = clock.now();
    let mut any = false;
    for ctx in db.outside_now(|connection| disputes::organizations_with_overdue(connection, now))? {
        any |= db.write_now(&ctx, |tx| disputes::look_after(tx, &ctx))? > 0;
    }
    Ok(any)
}

/// Releases the holds that are over. What belongs to a suspended partner stays held and is no work.
fn release_holds(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let now = clock.now();
    let mut any = false;
    for ctx in db.outside_now(|connection| commissions::organizations_with_holds_over(connection, now))? {
        any |= db.write_now(&ctx, |tx| hold_release::run(tx, &ctx))? > 0;
    }
    Ok(any)
}

/// Ends, announces and notes what time brings to registrations.
fn move_registrations(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let now = clock.now();
    let mut any = false;
    for ctx in db.outside_now(|connection| deal_registrations::organizations_due(connection, now))? {
        any |= db.write_now(&ctx, |tx| registration::clock::run(tx, &ctx))? > 0;
    }
    Ok(any)
}

/// Reviews the tiers of partners whose day has begun, a batch of each organization's.
fn review_tiers(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let now = clock.now();
    let mut any = false;
    for ctx in db.outside_now(|connection| tiers::organizations_due(connection, now))? {
        any |= db.write_now(&ctx, |tx| tiers::review_due(tx, &ctx))? > 0;
    }
    Ok(any)
}
