//! What a batch did, written as events and audit entries in one statement.
//!
//! The same entries as `Tx::record` writes; but a batch has thousands of them, so that the changed fields are found by
//! Postgres and the records travel as text.

use super::stored::Stored;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AuditEventId, EventId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use diesel::sql_query;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// What happened to the records of a batch, in the order in which it did.
#[derive(Debug, Default)]
pub struct Happened {
    events: Vec<&'static str>,
    subject_types: Vec<&'static str>,
    subject_ids: Vec<Uuid>,
    partner_ids: Vec<Option<Uuid>>,
    before: Vec<String>,
    after: Vec<String>,
}

const WRITE: &str = "WITH happened AS MATERIALIZED (\
         SELECT event_id, audit_id, type, subject_type, subject_id, partner_id, before::jsonb, after::jsonb \
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10) \
         AS h (event_id, audit_id, type, subject_type, subject_id, partner_id, before, after)), \
     written AS (\
         INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, occurred_at) \
         SELECT $1, event_id, type, subject_type, subject_id, partner_id, after - ARRAY['row_version', 'allocation_rank', 'crm_partner_source', 'crm_partner_influence'], $2 FROM happened) \
     INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, actor_id, changes, \
         request_id, occurred_at) \
     SELECT $1, audit_id, type, subject_type, subject_id, $11, $12, changes, $13, $2 \
     FROM happened CROSS JOIN LATERAL (\
         SELECT coalesce(jsonb_object_agg(field.key, jsonb_build_object(\
             'before', coalesce(before -> field.key, 'null'), 'after', field.value)), '{}') AS changes \
         FROM jsonb_each(after) AS field \
         WHERE field.key NOT IN ('updated_at', 'row_version') \
             AND field.value <> coalesce(before -> field.key, 'null')) AS differing";

impl Happened {
    /// A record came to be.
    pub fn created<S: Stored>(
        &mut self,
        event: &'static str,
        row: &S,
        partner_id: Option<Uuid>,
    ) -> Result<(), Problem> {
        self.note(event, row, "{}".to_owned(), partner_id)
    }

    /// A record changed.
    pub fn updated<S: Stored>(
        &mut self,
        event: &'static str,
        before: &S,
        after: &S,
        partner_id: Option<Uuid>,
    ) -> Result<(), Problem> {
        self.note(event, after, before.told()?, partner_id)
    }

    fn note<S: Stored>(
        &mut self,
        event: &'static str,
        row: &S,
        before: String,
        partner_id: Option<Uuid>,
    ) -> Result<(), Problem> {
        self.events.push(event);
        self.subject_types.push(S::NOUN);
        self.subject_ids.push(row.id());
        self.partner_ids.push(partner_id);
        self.before.push(before);
        self.after.push(row.told()?);
        Ok(())
    }

    /// Writes all of it.
    pub fn write(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Problem> {
        if self.events.is_empty() {
            return Ok(());
        }
        let event_ids: Vec<Uuid> = self.events.iter().map(|_| EventId::new(ctx.now).uuid()).collect();
        let audit_ids: Vec<Uuid> = self
            .events
            .iter()
            .map(|_| AuditEventId::new(ctx.now).uuid())
            .collect();
        let statement = sql_query(WRITE)
            .bind::<SqlUuid, _>(ctx.organization_id().uuid())
            .bind::<Timestamptz, _>(ctx.now)
            .bind::<Array<SqlUuid>, _>(event_ids)
            .bind::<Array<SqlUuid>, _>(audit_ids)
            .bind::<Array<Text>, _>(&self.events)
            .bind::<Array<Text>, _>(&self.subject_types)
            .bind::<Array<SqlUuid>, _>(&self.subject_ids)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.partner_ids)
            .bind::<Array<Text>, _>(&self.before)
            .bind::<Array<Text>, _>(&self.after)
            .bind::<Text, _>(ctx.actor.kind())
            .bind::<Nullable<SqlUuid>, _>(ctx.actor.id())
            .bind::<SqlUuid, _>(ctx.request_id.uuid());
        Prepared(statement).execute(tx.connection())?;
        Ok(())
    }
}
