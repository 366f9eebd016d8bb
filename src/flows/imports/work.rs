//! The worker's part: take an import up, do a piece of it, put it down.

use super::batch::{Applied, apply};
use super::reading::{Portion, duplicate, portion};
use crate::features::imports::rows::{FileError, Row};
use crate::features::imports::{self as room, Import, ImportError, ImportStatus};
use crate::kernel::ctx::{Actor, Ctx};
use crate::kernel::id::{ImportId, OrganizationId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::clock::Clock;
use crate::platform::db::{Db, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;

/// A file of this size changes the tables so much that the planner is told at once; a smaller one can wait for Postgres.
const LARGE_FILE_BYTES: i64 = 64 * 1024;
/// How long a worker is trusted to be at an import without saying so again.
const LEASE_SECONDS: i64 = 120;
/// Batches that are done before the import is put down for whoever comes next.
const BATCHES_AT_ONCE: u32 = 4;
/// After this many hours, pieces without an import belong to no upload that still runs.
const CUT_OFF_HOURS: i64 = 24;

/// Does the next piece of the oldest import that waits: a few batches, or all of it when it is atomic. Says whether
/// there was anything to do.
pub fn work(db: &Db, clock: &dyn Clock) -> Result<bool, Problem> {
    let now = clock.now();
    let Some((organization_id, id, clock_offset)) =
        db.outside_once_now(|connection| room::claim(connection, now, LEASE_SECONDS))?
    else {
        return Ok(false);
    };
    let worker = Worker {
        db,
        clock,
        organization_id,
        clock_offset,
        id,
    };
    worker.run()?;
    Ok(true)
}

struct Worker<'a> {
    db: &'a Db,
    clock: &'a dyn Clock,
    organization_id: OrganizationId,
    clock_offset: TimeDelta,
    id: ImportId,
}

/// Where a step left the import.
enum Step {
    /// It goes on from here.
    Further(Box<Import>),
    /// It ended, or somebody else changed it and what was done is undone.
    Over,
}

impl Worker<'_> {
    fn run(&self) -> Result<(), Problem> {
        let ctx = self.service();
        let Some(import) = self
            .db
            .write_now(&ctx, |tx| room::find(tx, &ctx.scope, self.id))?
        else {
            return Ok(());
        };
        let changes_much = !import.dry_run && import.file_bytes >= LARGE_FILE_BYTES;
        let outcome = if import.atomic {
            self.whole(&import)
        } else {
            self.batches(import)
        };
        match outcome {
            Ok(Step::Further(_)) => self.put_down(),
            Ok(Step::Over) => self.clear_up(changes_much),
            Err(problem) => self.give_up(&problem),
        }
    }

    /// A few batches; other work in the background waits no longer than they take.
    fn batches(&self, mut import: Import) -> Result<Step, Problem> {
        for _ in 0..BATCHES_AT_ONCE {
            match self.batch(&import)? {
                Step::Further(further) => import = *further,
                Step::Over => return Ok(Step::Over),
            }
        }
        Ok(Step::Further(Box::new(import)))
    }

    /// The service itself, for what is about the import.
    fn service(&self) -> Ctx {
        Ctx::system(self.organization_id, self.clock.now()).ahead_by(self.clock_offset)
    }

    /// Who asked for the import, for what is about records: once they are out, Postgres refuses the work.
    fn caller(&self, import: &Import) -> Ctx {
        let actor = import.created_by.map_or(Actor::System, Actor::from);
        let person = match actor {
            Actor::User(user_id) => Some(user_id),
            Actor::ApiKey(_) | Actor::System => None,
        };
        Ctx {
            actor,
            person,
            ..self.service()
        }
    }

    fn put_down(&self) -> Result<(), Problem> {
        let ctx = self.service();
        self.db
            .write_now(&ctx, |tx| room::lease(tx, &ctx.scope, self.id, None))
    }

    fn clear_up(&self, changes_much: bool) -> Result<(), Problem> {
        let before = self.clock.now() - TimeDelta::hours(CUT_OFF_HOURS);
        self.db.outside_now(|connection| {
            room::discard_cut_off(connection, before)?;
            if changes_much {
                room::refresh_statistics(connection)
            } else {
                Ok(())
            }
        })
    }

    /// What may pass is tried again by the next worker; anything else ends the import, so that it stands in nobody's
    /// way.
    fn give_up(&self, problem: &Problem) -> Result<(), Problem> {
        let code = match problem.code {
            Code::WriteConflict | Code::ServiceUnavailable => {
                self.put_down()?;
                return Err(problem.clone());
            }
            Code::Unauthorized => "unauthorized",
            _ => "internal_error",
        };
        tracing::error!(%problem, import = %self.id, "an import failed");
        let error = ImportError {
            code: code.to_owned(),
            detail: problem.code.title().to_owned(),
        };
        let ctx = self.service();
        self.db.write_now(&ctx, |tx| {
            // Batches that are done are done: it fails where it stands now.
            let Some(current) = room::find(tx, &ctx.scope, self.id)? else {
                return Ok(());
            };
            if current.status == ImportStatus::Running {
                let failed = current.clone().failed(error.clone(), ctx.now);
                room::finish(tx, &ctx, &current, &failed)?;
            }
            Ok(())
        })
    }

    /// One batch, with its counts and rejections, in one transaction.
    fn batch(&self, import: &Import) -> Result<Step, Problem> {
        let ctx = self.caller(import);
        let portion = match self.db.write_now(&ctx, |tx| portion(tx, &ctx.scope, import))? {
            Ok(portion) => portion,
            Err(error) => return self.fail(import, &error),
        };
        settled(self.db.write_now(&ctx, |tx| {
            let fresh = first_named(tx, &ctx, import, &portion)?;
            room::start_piece(tx)?;
            let done = load(tx, &ctx, import, &portion, &fresh)?;
            if import.dry_run {
                room::take_back(tx)?;
            }
            room::keep_rejections(tx, &ctx.scope, import.id, &done.rejections)?;
            let further = import.clone().advanced(done.counts, portion.next, ctx.now);
            if portion.is_last {
                let ended = further.completed(self.service().now);
                kept(room::finish(tx, &ctx, import, &ended)?)?;
                return Ok(Step::Over);
            }
            kept(room::update(tx, &ctx.scope, import, &further)?)?;
            room::lease(tx, &ctx.scope, import.id, Some(lease_from(ctx.wall_now)))?;
            Ok(Step::Further(Box::new(further)))
        }))
    }

    fn fail(&self, import: &Import, error: &FileError) -> Result<Step, Problem> {
        let ctx = self.service();
        settled(self.db.write_now(&ctx, |tx| {
            let failed = import.clone().failed(error.clone().into(), ctx.now);
            kept(room::finish(tx, &ctx, import, &failed)?)?;
            Ok(Step::Over)
        }))
    }

    /// The whole file in one transaction; how far it is and what was rejected is told on another one meanwhile.
    fn whole(&self, import: &Import) -> Result<Step, Problem> {
        let ctx = self.caller(import);
        settled(self.db.write_now(&ctx, |tx| {
            let mut import = self.rewind()?;
            room::start_piece(tx)?;
            loop {
                let portion = match portion(tx, &ctx.scope, &import)? {
                    Ok(portion) => portion,
                    Err(error) => {
                        room::take_back(tx)?;
                        let failed = import.clone().failed(error.into(), ctx.now);
                        kept(room::finish(tx, &ctx, &import, &failed)?)?;
                        return Ok(Step::Over);
                    }
                };
                let fresh = first_named(tx, &ctx, &import, &portion)?;
                let done = load(tx, &ctx, &import, &portion, &fresh)?;
                import = self.tell(&import, &portion, &done)?;
                if portion.is_last {
                    let ended = import.clone().completed(self.service().now);
                    if import.dry_run || ended.error.is_some() {
                        room::take_back(tx)?;
                    }
                    kept(room::finish(tx, &ctx, &import, &ended)?)?;
                    return Ok(Step::Over);
                }
            }
        }))
    }

    /// The import before its first row: what an earlier worker told of it is not true any more.
    fn rewind(&self) -> Result<Import, Problem> {
        let ctx = self.service();
        self.db.write_now(&ctx, |tx| {
            let import = room::find(tx, &ctx.scope, self.id)?.ok_or_else(Problem::not_found)?;
            kept(import.status == ImportStatus::Running)?;
            let rewound = import.clone().rewound(ctx.now);
            kept(room::update(tx, &ctx.scope, &import, &rewound)?)?;
            room::discard_rejections(tx, &ctx.scope, self.id)?;
            room::discard_keys(tx, &ctx.scope, self.id)?;
            Ok(rewound)
        })
    }

    /// Tells how far an atomic import is, and renews the lease.
    fn tell(&self, import: &Import, portion: &Portion, done: &Applied) -> Result<Import, Problem> {
        let ctx = self.service();
        let further = import.clone().advanced(done.counts, portion.next, ctx.now);
        self.db.write_now(&ctx, |tx| {
            kept(room::update(tx, &ctx.scope, import, &further)?)?;
            room::keep_rejections(tx, &ctx.scope, import.id, &done.rejections)?;
            room::lease(tx, &ctx.scope, import.id, Some(lease_from(ctx.wall_now)))
        })?;
        Ok(further)
    }
}

fn lease_from(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(LEASE_SECONDS)
}

/// Goes on only when the import is as it was read: otherwise it was canceled, or another worker has it, and everything
/// that was done in the transaction is taken back.
fn kept(is_ours: bool) -> Result<(), Problem> {
    if is_ours {
        Ok(())
    } else {
        Err(Problem::new(Code::PreconditionFailed))
    }
}

/// An import that is not ours any more is no failure.
fn settled(outcome: Result<Step, Problem>) -> Result<Step, Problem> {
    match outcome {
        Err(problem) if problem.code == Code::PreconditionFailed => Ok(Step::Over),
        outcome => outcome,
    }
}

/// The keys of the portion that the file had not named before it; `None` when the portion is the whole file.
fn first_named(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    import: &Import,
    portion: &Portion,
) -> Result<Option<HashSet<String>>, Problem> {
    if import.next.line == 0 && portion.is_last {
        return Ok(None);
    }
    let keys: Vec<&str> = portion.rows.iter().map(|row| row.identity()).collect();
    let fresh = room::note_keys(tx, &ctx.scope, import.id, &keys)?;
    Ok(Some(fresh.into_iter().collect()))
}

/// Writes the rows of a portion, with all that follows from them.
fn load(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    import: &Import,
    portion: &Portion,
    fresh: &Option<HashSet<String>>,
) -> Result<Applied, Problem> {
    let is_fresh = |row: &&Row| fresh.as_ref().is_none_or(|keys| keys.contains(row.identity()));
    let (rows, repeated): (Vec<&Row>, Vec<&Row>) = portion.rows.iter().partition(is_fresh);
    let mut done = apply(tx, ctx, import.resource, &portion.layout, &rows)?;
    tx.flush()?;
    done.counts.read = portion.rows_read;
    done.counts.rejected += portion.rows_rejected + i64::try_from(repeated.len()).unwrap_or(i64::MAX);
    done.rejections.extend(portion.rejections.iter().cloned());
    let repeated = repeated.iter().map(|row| duplicate(&portion.layout, row));
    done.rejections.extend(repeated);
    Ok(done)
}
