//! The very first start: an organization and its first key.

use crate::features::{api_keys, organizations, roles};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::credentials::NewSecret;
use crate::platform::db::Db;
use chrono::{DateTime, Utc};
use diesel::sql_types::Bool;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

/// What the first start made.
#[derive(Debug)]
pub struct Founded {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its first key, with every permission.
    pub secret: NewSecret,
}

#[derive(QueryableByName)]
struct Any {
    #[diesel(sql_type = Bool)]
    any: bool,
}

/// Founds an organization when there is none yet.
pub fn if_empty(db: &Db, name: &str, now: DateTime<Utc>) -> Result<Option<Founded>, Problem> {
    let query = sql_query("SELECT any_organization() AS any");
    let found: Any = db.outside_now(|connection| Ok(query.clone().get_result(connection)?))?;
    if found.any {
        Ok(None)
    } else {
        organization(db, name, now).map(Some)
    }
}

/// Founds an organization and makes its first key.
pub fn organization(db: &Db, name: &str, now: DateTime<Utc>) -> Result<Founded, Problem> {
    let (ctx, secret) = (Ctx::system(OrganizationId::new(now), now), NewSecret::generate()?);
    db.write_now(&ctx, |tx| {
        organizations::found(tx, &ctx, name, organizations::OrganizationMode::Live)?;
        roles::found(tx, &ctx)?;
        api_keys::create_first(tx, &ctx, "First admin key", &secret)
    })?;
    Ok(Founded {
        organization_id: ctx.organization_id(),
        secret,
    })
}
