//! A record as it was, found by undoing what the audit trail says became of it since.

use super::prepared::Prepared;
use super::tx::{Subject, Tx};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = Jsonb)]
    changes: Value,
}

const SINCE: &str = "SELECT a.changes FROM audit_events a WHERE a.organization_id = $1 AND a.subject_id = $2 \
        AND a.subject_type = $3 AND a.occurred_at > $4 ORDER BY a.written_order DESC";

/// The record as it was at an instant after its creation, as far as its changes are audited: of `row_version` and
/// `updated_at` the trail keeps nothing. In house, since no partner's caller reads the trail; within one snapshot with the
/// reading of `current`.
pub fn as_it_was<T: Serialize + DeserializeOwned>(
    tx: &mut Tx<'_>,
    house: &Ctx,
    subject: &Subject,
    current: &T,
    instant: DateTime<Utc>,
) -> Result<T, Problem> {
    let query = sql_query(SINCE)
        .bind::<SqlUuid, _>(house.organization_id().uuid())
        .bind::<SqlUuid, _>(subject.id)
        .bind::<Text, _>(subject.kind)
        .bind::<Timestamptz, _>(instant);
    let undone: Vec<Raw> = Prepared(query).load(tx.connection())?;
    let mut record = serde_json::to_value(current).map_err(Problem::damaged)?;
    let Some(fields) = record.as_object_mut() else {
        return Err(Problem::damaged("a record that is no object"));
    };
    for entry in undone {
        let Value::Object(changes) = entry.changes else {
            continue;
        };
        for (name, mut change) in changes {
            match change["before"].take() {
                // There was none; what a record leaves out is left out.
                Value::Null => fields.remove(&name),
                before => fields.insert(name, before),
            };
        }
    }
    serde_json::from_value(record).map_err(Problem::damaged)
}
