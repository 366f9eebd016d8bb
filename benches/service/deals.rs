//! The organization with its deals.

use super::Fault;
use super::stage::Stage;
use copartner::app::bootstrap;
use copartner::platform::clock::{Clock, SystemClock};
use uuid::Uuid;

/// The database of the operations.
pub const DATABASE: &str = "operations";

/// An organization and the secret of its first key.
#[derive(Debug)]
pub struct Tenant {
    /// The organization.
    pub organization_id: Uuid,
    /// The id of its key.
    pub api_key_id: Uuid,
    /// What its key is let in by.
    pub admission_id: Uuid,
    /// Its key.
    pub key: String,
}

/// Founds the organization and gives it this many deals.
pub fn load(stage: &Stage, deals: u64) -> Result<Tenant, Fault> {
    stage.migrated(DATABASE)?;
    let founded = bootstrap::organization(&stage.door(DATABASE), "Bench", SystemClock.now())?;
    let organization_id = founded.organization_id.uuid();
    let sql = include_str!("deals.sql")
        .replace("{organization}", &organization_id.to_string())
        .replace("{deals}", &deals.to_string());
    stage.run(DATABASE, &sql)?;
    stage.run(DATABASE, "VACUUM ANALYZE")?;
    stage.run(DATABASE, "CHECKPOINT")?;
    let of_key = |column: &str| -> Result<Uuid, Fault> {
        let found = stage.texts(DATABASE, &format!("SELECT {column}::text AS value FROM api_keys"))?;
        Ok(found.first().ok_or("no key was made")?.parse()?)
    };
    Ok(Tenant {
        organization_id,
        api_key_id: of_key("id")?,
        admission_id: of_key("admission_id")?,
        key: founded.secret.text,
    })
}
