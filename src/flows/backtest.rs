//! The worker's part of a back-test: take one up, work it out batch by batch, keep what was found.
//!
//! All reading is done in sessions that cannot write. What was worked out lives in memory, so that a back-test whose
//! worker is gone is begun anew by another.

use super::recalculation;
use crate::features::backtests::{self, Backtest, BacktestError, Gathering};
use crate::features::commission_rules::{self, CommissionRuleVersion};
use crate::features::commissions::Replay;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{BacktestId, OrganizationId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::clock::Clock;
use crate::platform::db::Db;
use chrono::TimeDelta;
use std::sync::atomic::{AtomicBool, Ordering};

/// How long a worker is trusted to be at a back-test without saying so again.
const LEASE_SECONDS: i64 = 120;

/// Works out the oldest back-test that waits. Says whether there was one.
pub fn work(db: &Db, clock: &dyn Clock, stop: &AtomicBool) -> Result<bool, Problem> {
    let now = clock.now();
    let Some((organization_id, id, clock_offset)) =
        db.outside_once_now(|connection| backtests::claim(connection, now, LEASE_SECONDS))?
    else {
        return Ok(false);
    };
    let worker = Worker {
        db,
        clock,
        stop,
        organization_id,
        clock_offset,
    };
    worker.run(id)?;
    Ok(true)
}

struct Worker<'a> {
    db: &'a Db,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    organization_id: OrganizationId,
    clock_offset: TimeDelta,
}

impl Worker<'_> {
    fn service(&self) -> Ctx {
        Ctx::system(self.organization_id, self.clock.now()).ahead_by(self.clock_offset)
    }

    fn run(&self, id: BacktestId) -> Result<(), Problem> {
        let ctx = self.service();
        let found = self
            .db
            .write_now(&ctx, |tx| backtests::find(tx, &ctx.scope, id))?;
        let Some(mut backtest) = found else { return Ok(()) };
        match self.work_out(&mut backtest) {
            Ok(()) => Ok(()),
            Err(problem) => self.give_up(&backtest, &problem),
        }
    }

    /// Works it out to its end, unless it is told to stop or another worker took it up.
    fn work_out(&self, backtest: &mut Backtest) -> Result<(), Problem> {
        let Some(mut replay) = self.begin(backtest)? else {
            let ctx = self.service();
            let changed = BacktestError::TermsChanged;
            return self
                .db
                .write_now(&ctx, |tx| backtests::fail(tx, &ctx, backtest, changed));
        };
        let mut gathering = Gathering::default();
        loop {
            let ctx = self.service();
            if self.stop.load(Ordering::Acquire) {
                return self
                    .db
                    .write_now(&ctx, |tx| backtests::put_down(tx, &ctx, backtest));
            }
            let Some(batch) = self.db.read_now(&ctx, |tx| replay.next(tx, &ctx))? else {
                break;
            };
            let (lines, compared) = replay.take(batch, ctx.now)?;
            for one in compared {
                gathering.take(one).map_err(Problem::damaged)?;
            }
            let lines = i64::try_from(lines).unwrap_or(i64::MAX);
            let until = ctx.wall_now + TimeDelta::seconds(LEASE_SECONDS);
            let further = self
                .db
                .write_now(&ctx, |tx| backtests::further(tx, &ctx, backtest, lines, until))?;
            match further {
                Some(further) => *backtest = further,
                None => return Ok(()),
            }
        }
        let findings = gathering.findings().map_err(Problem::damaged)?;
        let ctx = self.service();
        self.db.write_now(&ctx, |tx| {
            let proposals = recalculation::proposals(tx, &ctx, backtest, &gathering)?;
            if backtests::succeed(tx, &ctx, backtest, findings.clone(), proposals.len())? {
                recalculation::propose(tx, &ctx, backtest, proposals)?;
            }
            Ok(())
        })
    }

    /// The replay at its start; none when the draft has other terms by now.
    fn begin(&self, backtest: &Backtest) -> Result<Option<Replay>, Problem> {
        let ctx = self.service();
        self.db.read_now(&ctx, |tx| {
            let versions = recalculation::versions(tx, &ctx, backtest)?;
            let is_own = |version: &CommissionRuleVersion| {
                version.id == backtest.rule_version_id && version.terms_hash == backtest.terms_hash
            };
            if !versions.iter().any(|(version, _)| is_own(version)) {
                return Ok(None);
            }
            let rules = commission_rules::rules_assuming(tx, &ctx, &versions)?;
            let (program_id, as_of) = (backtest.program_id, backtest.created_at);
            Replay::new(tx, &ctx, program_id, rules, backtest.period, as_of).map(Some)
        })
    }

    /// What may pass is tried again by the next worker; anything else ends the back-test, so that it stands in nobody's
    /// way.
    fn give_up(&self, backtest: &Backtest, problem: &Problem) -> Result<(), Problem> {
        let ctx = self.service();
        let error = match problem.code {
            Code::WriteConflict | Code::ServiceUnavailable => {
                self.db
                    .write_now(&ctx, |tx| backtests::put_down(tx, &ctx, backtest))?;
                return Err(problem.clone());
            }
            Code::RulesTie => BacktestError::RulesTie,
            _ => BacktestError::InternalError,
        };
        tracing::error!(%problem, backtest = %backtest.id, "a back-test failed");
        self.db
            .write_now(&ctx, |tx| backtests::fail(tx, &ctx, backtest, error))
    }
}
