//! The worker's part: what waited for something that is there by now is applied, each in a transaction of its own.

use super::settle;
use crate::features::billing_arrivals::{self as room, ArrivalStatus, BillingArrival, Ready, Reference};
use crate::kernel::ctx::{Actor, Ctx};
use crate::kernel::id::BillingArrivalId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::clock::Clock;
use crate::platform::db::Db;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Arrivals of one organization that are settled before it is another one's turn.
const MOST_AT_ONCE: usize = 100;

/// Settles what can be settled, of all organizations; says whether there was anything. A long round ends early when it is
/// told to stop.
pub fn work(db: &Db, clock: &dyn Clock, stop: &AtomicBool) -> Result<bool, Problem> {
    let mut any = false;
    for service in db.outside_now(|connection| room::organizations_with_met(connection, clock.now()))? {
        let ready = db.write_now(&service, |tx| room::ready(tx, &service, MOST_AT_ONCE))?;
        let mut waiting: BTreeSet<Ready> = ready.into_iter().collect();
        for _ in 0..MOST_AT_ONCE {
            let Some(next) = waiting.pop_first().filter(|_| !stop.load(Ordering::Acquire)) else {
                break;
            };
            let Some(settled) = one(db, &service, next.id)? else {
                continue;
            };
            any = true;
            waiting.extend(woken(db, &service, &settled)?);
        }
    }
    Ok(any)
}

/// What awaited the record that this one made.
fn woken(db: &Db, service: &Ctx, settled: &BillingArrival) -> Result<Vec<Ready>, Problem> {
    let Some(resource) = settled
        .fact
        .makes()
        .filter(|_| settled.status == ArrivalStatus::Applied)
    else {
        return Ok(Vec::new());
    };
    let made = Reference {
        resource,
        external_id: settled.external_id.clone(),
    };
    db.write_now(service, |tx| room::awaiting(tx, service, &made))
}

/// Settles one as whoever told of it. What business refuses is kept with the refusal and nothing else of it; nothing is
/// answered where somebody else settled it, or is at it.
fn one(db: &Db, service: &Ctx, id: BillingArrivalId) -> Result<Option<BillingArrival>, Problem> {
    let found = db.write_now(service, |tx| room::lock(tx, service, id))?;
    let teller = teller(service, &found);
    let outcome = db.write_now(&teller, |tx| {
        let arrival = room::lock(tx, &teller, id)?;
        if arrival.status != ArrivalStatus::Parked {
            return Ok(None);
        }
        settle(tx, &teller, arrival).map(Some)
    });
    match outcome {
        Ok(settled) => Ok(settled),
        Err(problem) if problem.code == Code::ServiceUnavailable => Err(problem),
        // Somebody else is at the same records; the next round tries again.
        Err(problem) if problem.code == Code::WriteConflict => Ok(None),
        Err(problem) => {
            if problem.code == Code::InternalError {
                tracing::error!(%problem, arrival = %id, "a billing arrival failed");
            }
            db.write_now(service, |tx| {
                room::becomes_refused(tx, service, id, problem.clone())
            })?;
            Ok(Some(found))
        }
    }
}

/// Whoever told of the fact: once they are out, Postgres refuses the work.
fn teller(service: &Ctx, arrival: &BillingArrival) -> Ctx {
    let actor = arrival.created_by.map_or(Actor::System, Actor::from);
    let person = match actor {
        Actor::User(user_id) => Some(user_id),
        Actor::ApiKey(_) | Actor::System => None,
    };
    Ctx {
        actor,
        person,
        ..service.clone()
    }
}
