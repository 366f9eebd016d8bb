//! The check of the books: does everything that is stored agree with everything else?
//!
//! It reads one snapshot per organization and changes nothing. Each check names the first row that is broken.

mod explanations;
mod postings;
mod signatures;
mod statements;

use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::platform::db::{Db, Tx};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use std::fmt;
use uuid::Uuid;

/// Every check goes through all there is: what it sorts and compares is better kept in memory.
const WORK_MEMORY: &str = "SET LOCAL work_mem = '64MB'";

/// What the check of one organization found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The organization.
    pub organization_id: OrganizationId,
    /// How many stored explanations were computed again.
    pub recomputed: usize,
    /// The first broken row of every check that failed.
    pub faults: Vec<Fault>,
}

/// A broken row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The check that it broke.
    pub check: &'static str,
    /// The row and what is wrong with it.
    pub row: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.check, self.row)
    }
}

/// A broken row, as the queries of the checks name it.
#[derive(Debug, QueryableByName)]
struct Broken {
    #[diesel(sql_type = Text)]
    noun: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    detail: String,
}

impl Broken {
    fn row(&self) -> String {
        match self.id {
            Some(id) => format!(
                "{} {}: {}",
                self.noun,
                subject::id_text(&self.noun, id),
                self.detail
            ),
            None => format!("{}: {}", self.noun, self.detail),
        }
    }
}

#[derive(QueryableByName)]
struct Organization {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

/// Checks every organization, one after the other.
pub fn all(db: &Db, now: DateTime<Utc>) -> Result<Vec<Finding>, Problem> {
    let found = organizations(db)?.into_iter();
    found
        .map(|organization_id| one(db, organization_id, now))
        .collect()
}

/// Every organization.
pub(super) fn organizations(db: &Db) -> Result<Vec<OrganizationId>, Problem> {
    let query = sql_query("SELECT all_organizations() AS organization_id");
    let found: Vec<Organization> = db.outside_now(|connection| Ok(query.clone().load(connection)?))?;
    let ids = found.into_iter().map(|row| row.organization_id);
    Ok(ids.map(OrganizationId::from_uuid).collect())
}

/// Checks one organization in one snapshot.
pub fn one(db: &Db, organization_id: OrganizationId, now: DateTime<Utc>) -> Result<Finding, Problem> {
    let ctx = Ctx::system(organization_id, now);
    db.snapshot_now(&ctx, |tx| {
        tx.connection().batch_execute(WORK_MEMORY)?;
        tx.without_nested_loops(|tx| {
            let mut faults = Vec::new();
            for (check, sql) in postings::CHECKS.iter().chain(statements::CHECKS) {
                faults.extend(first_broken(tx, organization_id, check, sql)?);
            }
            faults.extend(signatures::first_broken(tx, organization_id)?);
            let (recomputed, broken) = explanations::recompute_all(tx, organization_id)?;
            faults.extend(broken);
            Ok(Finding {
                organization_id,
                recomputed,
                faults,
            })
        })
    })
}

fn first_broken(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    check: &'static str,
    sql: &str,
) -> Result<Option<Fault>, Problem> {
    let query = sql_query(sql).bind::<SqlUuid, _>(organization_id.uuid());
    let broken: Option<Broken> = query.get_result(tx.connection()).optional()?;
    Ok(broken.map(|broken| Fault {
        check,
        row: broken.row(),
    }))
}
