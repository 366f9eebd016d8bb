//! The work in the background: any number of replicas may run it, and each piece is done by one of them.
//!
//! Five threads, so that a long import holds nothing else up: one loads imports, one settles billing arrivals that waited,
//! one works back-tests out, one compares accounts with one another, the fifth numbers events, seals the audit trail, exchanges lines, releases holds, looks
//! after referrals and disputes, ends protections, reviews tiers, makes the match keys of accounts and forgets
//! Idempotency-Keys that are a day old. Where the service pays by Stripe, a sixth one does, because it waits for answers.

use crate::features::imports::release_all as release_imports;
use crate::features::{
    accounts, audit, backtests, commissions, deal_registrations, disputes, events, referrals, tiers,
};
use crate::flows::{
    backtest, billing_arrival, exchange, hold_release, imports, registration, stripe_transfers,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::clock::Clock;
use crate::platform::db::{Db, Tx, step_in};
use crate::platform::stripe::Stripe;
use crate::platform::web::forget_answers;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a thread rests when there was nothing to do, and a chore that there was nothing of.
const REST: Duration = Duration::from_millis(200);
/// How long housekeeping rests between two rounds of work: under load small pieces gather to larger ones, instead of
/// one transaction for each handful of events.
const BREATH: Duration = Duration::from_millis(50);
/// How long it takes until answers that are a day old are looked for again.
const FORGETTING: Duration = Duration::from_secs(60);
/// How long work that failed for an organization is left alone: whatever is wrong with it holds nobody else up.
const SET_ASIDE: TimeDelta = TimeDelta::minutes(1);

/// The worker's threads; they stop when this is dropped or told to.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts the background work.
    pub fn start(db: &Db, clock: &Arc<dyn Clock>, stripe: Option<&Stripe>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds = [
            ("housekeeping", Rounds::of_chores(HOUSEKEEPING), BREATH),
            ("imports", Rounds::Imports, Duration::ZERO),
            ("arrivals", Rounds::Arrivals, BREATH),
            ("back-tests", Rounds::Backtests, BREATH),
            ("matching", Rounds::of_chores(MATCHING), BREATH),
        ];
        let transfers = stripe.map(|stripe| ("transfers", Rounds::Transfers(stripe.clone()), Duration::ZERO));
        let threads = rounds.into_iter().chain(transfers).map(|(name, rounds, breath)| {
            let (db, clock, stop) = (db.clone(), Arc::clone(clock), Arc::clone(&stop));
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || repeat(rounds, breath, &db, clock.as_ref(), &stop))
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

fn repeat(mut rounds: Rounds, breath: Duration, db: &Db, clock: &dyn Clock, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        let busy = rounds.next(db, clock, stop).unwrap_or_else(|problem| {
            tracing::warn!(%problem, "background work");
            false
        });
        std::thread::park_timeout(if busy { breath } else { REST });
    }
}

/// One round of everything; whether there was anything to do. Tests drive the worker by this.
pub fn step(db: &Db, clock: &dyn Clock, stripe: Option<&Stripe>) -> Result<bool, Problem> {
    let go_on = AtomicBool::new(false);
    let imported = Rounds::Imports.next(db, clock, &go_on)?;
    let settled = Rounds::Arrivals.next(db, clock, &go_on)?;
    let tested = Rounds::Backtests.next(db, clock, &go_on)?;
    let compared = Rounds::of_chores(MATCHING).next(db, clock, &go_on)?;
    let paid = match stripe {
        Some(stripe) => Rounds::Transfers(stripe.clone()).next(db, clock, &go_on)?,
        None => false,
    };
    let kept = Rounds::of_chores(HOUSEKEEPING).next(db, clock, &go_on)?;
    Ok(kept || imported || settled || tested || compared || paid)
}

/// What a thread does again and again.
#[derive(Debug)]
enum Rounds {
    Imports,
    Arrivals,
    Backtests,
    Transfers(Stripe),
    Chores(Chores),
}

impl Rounds {
    fn of_chores(chores: &'static [Chore]) -> Self {
        Self::Chores(Chores {
            chores,
            set_aside: HashMap::new(),
            resting: Resting::default(),
        })
    }

    /// One round; whether there was anything to do. A long round ends early when it is told to stop.
    fn next(&mut self, db: &Db, clock: &dyn Clock, stop: &AtomicBool) -> Result<bool, Problem> {
        match self {
            Self::Imports => imports::work(db, clock),
            Self::Arrivals => billing_arrival::work(db, clock, stop),
            Self::Backtests => backtest::work(db, clock, stop),
            Self::Transfers(stripe) => stripe_transfers::work(db, clock, stripe),
            Self::Chores(chores) => chores.next(db, clock.now()),
        }
    }
}

/// Chores that a thread does by turns.
#[derive(Debug)]
struct Chores {
    chores: &'static [Chore],
    /// What failed is left alone until then, so that it holds nothing else up.
    set_aside: HashMap<(&'static str, OrganizationId), DateTime<Utc>>,
    /// What there was nothing of is not asked for again for a while, however busy the others are.
    resting: Resting,
}

/// What is left alone, from when until when.
#[derive(Debug, Default)]
struct Resting(HashMap<&'static str, (DateTime<Utc>, DateTime<Utc>)>);

impl Resting {
    fn rest(&mut self, name: &'static str, now: DateTime<Utc>, length: Duration) {
        self.0.insert(name, (now, now + length));
    }

    /// A clock that was put back makes nothing rest for longer.
    fn holds(&self, name: &str, now: DateTime<Utc>) -> bool {
        self.0
            .get(name)
            .is_some_and(|(from, until)| *from <= now && now < *until)
    }
}

impl Chores {
    /// One round. What fails for an organization fails the round when all the rest is done.
    fn next(&mut self, db: &Db, now: DateTime<Utc>) -> Result<bool, Problem> {
        self.set_aside.retain(|_, until| *until > now);
        let (mut any, mut failed) = (false, None);
        for chore in self.chores {
            if self.resting.holds(chore.name, now) {
                continue;
            }
            let due = (chore.due)(db, now)?;
            if due.is_empty() {
                self.resting.rest(chore.name, now, REST);
            }
            for ctx in due {
                match self.work(chore, db, &ctx, now) {
                    Ok(done) => any |= done > 0,
                    // Without a database nothing else can be done either.
                    Err(problem) if problem.code == Code::ServiceUnavailable => return Err(problem),
                    Err(problem) => failed = failed.or(Some(problem)),
                }
            }
        }
        if !self.resting.holds("forget answers", now) {
            forget_answers(db, now)?;
            self.resting.rest("forget answers", now, FORGETTING);
        }
        failed.map_or(Ok(any), Err)
    }

    fn work(&mut self, chore: &Chore, db: &Db, ctx: &Ctx, now: DateTime<Utc>) -> Result<usize, Problem> {
        let place = (chore.name, ctx.organization_id());
        if self.set_aside.contains_key(&place) {
            return Ok(0);
        }
        let done = db.write_now(ctx, |tx| (chore.work)(tx, ctx));
        if let Err(problem) = &done
            && problem.code != Code::ServiceUnavailable
        {
            let (chore, organization) = place;
            tracing::error!(%problem, chore, %organization, "background work");
            // Whoever met others at the same work is at it again at once.
            if problem.code == Code::InternalError {
                self.set_aside.insert(place, now + SET_ASIDE);
            }
        }
        done
    }
}

/// Work that organizations have to be done now and then.
#[derive(Debug)]
struct Chore {
    name: &'static str,
    /// For whom it is time.
    due: fn(&Db, DateTime<Utc>) -> Result<Vec<Ctx>, Problem>,
    /// A batch of it, for one organization; how much it was.
    work: fn(&mut Tx<'_>, &Ctx) -> Result<usize, Problem>,
}

/// Suggests pairs for accounts that were written since.
const MATCHING: &[Chore] = &[Chore {
    name: "compare accounts",
    due: |db, now| {
        let organizations = db.outside_now(accounts::organizations_to_compare)?.into_iter();
        organizations
            .map(|id| db.outside_now(|connection| step_in(connection, id, now)))
            .collect()
    },
    work: registration::alike::compare,
}];

const HOUSEKEEPING: &[Chore] = &[
    // Exchanges lines whose rate came after they were earned. Those without a rate wait on and are no work.
    Chore {
        name: "exchange lines",
        due: |db, now| {
            db.outside_now(|connection| commissions::organizations_with_unexchanged_lines(connection, now))
        },
        work: exchange::run,
    },
    // What belongs to a suspended partner stays held and is no work.
    Chore {
        name: "release holds",
        due: |db, now| {
            db.outside_now(|connection| commissions::organizations_with_holds_over(connection, now))
        },
        work: hold_release::run,
    },
    // Notes the promises of an answer that were broken, and ends referrals that nobody answered for too long.
    Chore {
        name: "look after referrals",
        due: |db, now| {
            db.outside_now(|connection| referrals::organizations_with_late_referrals(connection, now))
        },
        work: referrals::look_after,
    },
    // Ends, announces and notes what time brings to registrations.
    Chore {
        name: "move registrations",
        due: |db, now| db.outside_now(|connection| deal_registrations::organizations_due(connection, now)),
        work: registration::clock::run,
    },
    // Notes that answers to disputes are overdue.
    Chore {
        name: "look after disputes",
        due: |db, now| db.outside_now(|connection| disputes::organizations_with_overdue(connection, now)),
        work: disputes::look_after,
    },
    // Reviews the tiers of partners whose day has begun.
    Chore {
        name: "review tiers",
        due: |db, now| db.outside_now(|connection| tiers::organizations_due(connection, now)),
        work: tiers::review_due,
    },
    // Gives committed events their numbers. Those of transactions that are still open are to be looked at again soon.
    Chore {
        name: "number events",
        due: |db, now| Ok(in_houses(db.outside_now(events::organizations_waiting)?, now)),
        work: |tx, _| events::number(tx).map(|numbered| usize::try_from(numbered).unwrap_or(0).max(1)),
    },
    // Links the committed entries of the audit trail to its chain. An entry that was taken out before it was sealed stays
    // waiting and is no work.
    Chore {
        name: "seal the audit trail",
        due: |db, now| Ok(in_houses(db.outside_now(audit::organizations_waiting)?, now)),
        work: |tx, ctx| audit::seal(tx, ctx).map(|sealed| usize::try_from(sealed).unwrap_or(0)),
    },
    // Makes the match keys of accounts that want them: all of them once after an upgrade that makes other keys.
    Chore {
        name: "make match keys",
        due: |db, now| {
            Ok(in_houses(
                db.outside_now(accounts::organizations_wanting_keys)?,
                now,
            ))
        },
        work: accounts::make_match_keys,
    },
];

/// The service itself, for organizations whose own clock does not matter.
fn in_houses(organizations: Vec<OrganizationId>, now: DateTime<Utc>) -> Vec<Ctx> {
    let organizations = organizations.into_iter();
    organizations.map(|id| Ctx::system(id, now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_was_nothing_of_rests_for_a_moment_whatever_the_clock_does() {
        let now: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
        let mut resting = Resting::default();
        assert!(!resting.holds("number events", now));
        resting.rest("number events", now, REST);
        assert!(resting.holds("number events", now));
        assert!(!resting.holds("seal the audit trail", now));
        assert!(resting.holds("number events", now + TimeDelta::milliseconds(199)));
        assert!(!resting.holds("number events", now + REST));
        assert!(!resting.holds("number events", now - TimeDelta::milliseconds(1)));
    }
}
