//! Is every statement signed, by a key that is known, over the text that it has?

use super::Fault;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::platform::db::{Prepared, Tx};
use crate::platform::tokens::seals::is_signed;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

/// Texts read at once; few, because one may be long.
const BATCH: i64 = 100;
const CHECK: &str = "statements are signed";

/// What was issued before statements were signed has no `previous_hash` in its text, and may wait for its signature.
const SIGNED: &str = "\
    SELECT s.id, s.document, s.document::jsonb ? 'previous_hash' AS must_be_signed, g.signature, k.public_key \
    FROM statements s \
    LEFT JOIN statement_signatures g ON g.organization_id = $1 AND g.statement_id = s.id \
    LEFT JOIN statement_keys k ON k.organization_id = $1 AND k.key_id = g.key_id \
    WHERE s.organization_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3";

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = Bool)]
    must_be_signed: bool,
    #[diesel(sql_type = Nullable<Text>)]
    signature: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    public_key: Option<Value>,
}

impl Stored {
    /// What is wrong with it, if anything.
    fn fault(&self) -> Option<&'static str> {
        match (&self.signature, &self.public_key) {
            (None, _) => self.must_be_signed.then_some("is not signed"),
            (Some(signature), Some(key)) if is_signed(self.document.as_bytes(), signature, key) => None,
            _ => Some("has a text that its signature is not over"),
        }
    }
}

/// The first statement whose signature is not that of its text.
pub(super) fn first_broken(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
) -> Result<Option<Fault>, Problem> {
    let mut last = Uuid::nil();
    loop {
        let query = sql_query(SIGNED)
            .bind::<SqlUuid, _>(organization_id.uuid())
            .bind::<SqlUuid, _>(last)
            .bind::<BigInt, _>(BATCH);
        let batch: Vec<Stored> = Prepared(query).load(tx.connection())?;
        let Some(end) = batch.last() else {
            return Ok(None);
        };
        last = end.id;
        for stored in batch {
            if let Some(fault) = stored.fault() {
                let row = format!("statement {}: {fault}", subject::id_text("statement", stored.id));
                return Ok(Some(Fault { check: CHECK, row }));
            }
        }
    }
}
