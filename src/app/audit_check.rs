//! The check of the audit trails: is everything that was sealed as it was?
//!
//! It reads one snapshot per organization and changes nothing.

use super::ledger_check::organizations;
use crate::features::audit::{self, AuditChain};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::db::Db;
use chrono::{DateTime, Utc};
use std::fmt;

/// What the check of one organization found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its chain.
    pub chain: AuditChain,
}

impl Finding {
    /// Whether something is wrong.
    pub fn is_broken(&self) -> bool {
        self.chain.fault.is_some()
    }
}

/// Checks every organization, one after the other.
pub fn all(db: &Db, now: DateTime<Utc>) -> Result<Vec<Finding>, Problem> {
    let found = organizations(db)?.into_iter();
    found
        .map(|organization_id| one(db, organization_id, now))
        .collect()
}

/// Checks one organization in one snapshot.
pub fn one(db: &Db, organization_id: OrganizationId, now: DateTime<Utc>) -> Result<Finding, Problem> {
    let ctx = Ctx::system(organization_id, now);
    let chain = db.snapshot_now(&ctx, |tx| audit::verify(tx, &ctx, None))?;
    Ok(Finding {
        organization_id,
        chain,
    })
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            organization_id,
            chain,
        } = self;
        write!(
            formatter,
            "{organization_id}: {}, {} sealed, {} waiting, head {} {}",
            chain.status(),
            chain.sealed,
            chain.unsealed,
            chain.head.position,
            chain.head.hash
        )?;
        let Some(fault) = &chain.fault else {
            return Ok(());
        };
        write!(formatter, "; BROKEN: {}", fault.kind)?;
        if let Some(position) = fault.position {
            write!(formatter, " at {position}")?;
        }
        fault
            .audit_event_id
            .map_or(Ok(()), |id| write!(formatter, ": {id}"))
    }
}
