//! What Postgres itself says about a record.

use crate::kernel::ctx::Scope;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Seen {
    #[diesel(sql_type = Bool)]
    seen: bool,
}

/// Whether the caller sees the record; `noun` is one of `kernel::subject::NOUNS`.
pub fn sees(tx: &mut Tx<'_>, scope: &Scope, noun: &str, id: Uuid) -> Result<bool, Problem> {
    if noun == "organization" {
        return Ok(id == scope.organization_id.uuid());
    }
    let table = table_of(noun);
    let query = sql_query(format!(
        "SELECT EXISTS (SELECT FROM {table} WHERE organization_id = $1 AND id = $2) AS seen"
    ));
    let query = query
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(id);
    let found: Seen = query.get_result(tx.connection())?;
    Ok(found.seen)
}

/// From here to the end of the transaction the session is confined to this partner, as its own callers are.
pub fn confine(tx: &mut Tx<'_>, partner_id: PartnerId) -> Result<(), Problem> {
    let query = sql_query("SELECT set_config('copartner.partner_id', $1, true)");
    let query = query.bind::<Text, _>(partner_id.uuid().to_string());
    Ok(Prepared(query).execute(tx.connection())?)
}

/// The table of a noun: its plural; of conflicts, what is shown of them.
fn table_of(noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if noun == "registration_conflict" => "seen_conflicts".to_owned(),
        _ if noun.ends_with("ch") => format!("{noun}es"),
        Some(stem) if !noun.ends_with("key") => format!("{stem}ies"),
        _ if noun.ends_with("terms") => noun.to_owned(),
        _ if noun.ends_with("ch") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}
