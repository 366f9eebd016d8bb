//! The very first start: an organization and its first key. And the way back for whoever lost every key.

use super::ledger_check::organizations as organizations_of;
use crate::features::{api_keys, organizations, roles};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::credentials::NewSecret;
use crate::platform::db::{Db, step_in};
use chrono::{DateTime, Utc};
use diesel::sql_types::Bool;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use thiserror::Error;

pub use crate::features::organizations::OrganizationMode;

/// What the first start made.
#[derive(Debug)]
pub struct Founded {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its first key, with every permission.
    pub secret: NewSecret,
}

/// Why the service could not begin, or give back a key that was lost.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// The file for the first key.
    #[error("cannot write the first admin key to {path} (COPARTNER_BOOTSTRAP_KEY_FILE): {cause}")]
    KeyFile {
        /// The file, as it was named.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// There is no such organization, or it was not said which.
    #[error("name the organization with --organization, one of: {0}")]
    WhichOrganization(String),
    /// The database.
    #[error(transparent)]
    Problem(#[from] Problem),
}

#[derive(QueryableByName)]
struct Any {
    #[diesel(sql_type = Bool)]
    any: bool,
}

/// Whether there is no organization yet.
pub fn is_first_start(db: &Db) -> Result<bool, Problem> {
    let query = sql_query("SELECT any_organization() AS any");
    let found: Any = db.outside_now(|connection| Ok(query.clone().get_result(connection)?))?;
    Ok(!found.any)
}

/// Opens the file for the first key, which only its owner may read, before there is a key that could be lost.
pub fn key_file(path: &Path) -> Result<File, BootstrapError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|cause| BootstrapError::KeyFile {
            path: path.display().to_string(),
            cause,
        })
}

/// Founds an organization and makes its first key.
pub fn organization(
    db: &Db,
    name: &str,
    mode: OrganizationMode,
    now: DateTime<Utc>,
) -> Result<Founded, Problem> {
    let (ctx, secret) = (Ctx::system(OrganizationId::new(now), now), NewSecret::generate()?);
    db.write_now(&ctx, |tx| {
        organizations::found(tx, &ctx, name, mode)?;
        roles::found(tx, &ctx)?;
        api_keys::create_first(tx, &ctx, "First admin key", &secret)
    })?;
    Ok(Founded {
        organization_id: ctx.organization_id(),
        secret,
    })
}

/// Makes another admin key, for an organization whose keys are lost. Without an id it is for the only one there is.
pub fn admin_key(
    db: &Db,
    organization_id: Option<OrganizationId>,
    now: DateTime<Utc>,
) -> Result<Founded, BootstrapError> {
    let known = organizations_of(db)?;
    let organization_id = match (organization_id, known.as_slice()) {
        (None, [only]) => *only,
        (Some(named), _) if known.contains(&named) => named,
        _ => {
            let ids: Vec<String> = known.iter().map(ToString::to_string).collect();
            return Err(BootstrapError::WhichOrganization(ids.join(", ")));
        }
    };
    let ctx = db.outside_now(|connection| step_in(connection, organization_id, now))?;
    let secret = NewSecret::generate()?;
    db.write_now(&ctx, |tx| {
        api_keys::create_first(tx, &ctx, "Admin key from the command line", &secret)
    })?;
    Ok(Founded {
        organization_id,
        secret,
    })
}
