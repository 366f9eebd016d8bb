//! A partner's start in a program, in one statement.

use super::super::activity::first_useful;
use super::domain::Start;
use crate::kernel::activity;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Bool)]
    has_terms: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    terms_accepted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    contact_given_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    payout_method_confirmed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_useful_action_at: Option<DateTime<Utc>>,
}

/// What is known of the start of this enrollment.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: EnrollmentId) -> Result<Option<Start>, Problem> {
    let (names, motions): (Vec<_>, Vec<_>) = activity::activations()
        .iter()
        .map(|(name, motion)| (*name, motion.as_str()))
        .unzip();
    let first = first_useful("n.partner_id", "g.motion", "$3, $4");
    let text = format!(
        "SELECT n.partner_id, n.program_id, t.id IS NOT NULL AS has_terms, \
             (SELECT y.created_at FROM terms_acceptances y WHERE y.organization_id = $1 AND y.enrollment_id = n.id \
                 AND y.program_terms_id = t.id) AS terms_accepted_at, \
             (SELECT min(c.created_at) FROM partner_contacts c WHERE c.organization_id = $1 \
                 AND c.partner_id = n.partner_id) AS contact_given_at, \
             (SELECT min(m.confirmed_at) FROM payout_methods m WHERE m.organization_id = $1 \
                 AND m.partner_id = n.partner_id AND m.status = 'active') AS payout_method_confirmed_at, \
             ({first}) AS first_useful_action_at \
         FROM enrollments n JOIN programs g ON g.organization_id = $1 AND g.id = n.program_id \
         LEFT JOIN LATERAL (SELECT t.id FROM program_terms t WHERE t.organization_id = $1 \
             AND t.program_id = n.program_id ORDER BY t.number DESC LIMIT 1) t ON true \
         WHERE n.organization_id = $1 AND n.id = $2"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Text>, _>(motions);
    let row: Option<Row> = Prepared(query).get_result(tx.connection()).optional()?;
    Ok(row.map(|row| Start {
        enrollment_id: id,
        partner_id: PartnerId::from_uuid(row.partner_id),
        program_id: ProgramId::from_uuid(row.program_id),
        has_terms: row.has_terms,
        terms_accepted_at: row.terms_accepted_at,
        contact_given_at: row.contact_given_at,
        payout_method_confirmed_at: row.payout_method_confirmed_at,
        first_useful_action_at: row.first_useful_action_at,
    }))
}
