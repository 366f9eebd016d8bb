//! Partners from rows, and the enrollments of those that name a program.

use super::batch::Outcome;
use super::batch::{Batch, Refused, Versioned, Writes};
use super::references::References;
use crate::features::imports::rows::Row;
use crate::features::imports::stored::{self, EnrollmentRow, PartnerRow};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EnrollmentId, PartnerId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::HashSet;
use uuid::Uuid;

const APPLIED: &str = "applied";
const APPROVED: &str = "approved";

/// Applies rows that are partners.
pub fn apply(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: &mut Batch<'_>,
    references: &References,
) -> Result<(), Problem> {
    let known = stored::partners_by_key(tx, &ctx.scope, &batch.keys())?;
    let ids: Vec<Uuid> = known.values().map(|partner| partner.id).collect();
    let enrolled = stored::enrollments_of(tx, &ctx.scope, &ids)?;
    let enrolled: HashSet<(Uuid, Uuid)> = enrolled.into_iter().collect();
    let (mut writes, mut named) = (Writes::new(), Vec::new());
    for (index, row) in batch.rows().iter().enumerate() {
        let mut refused = Vec::new();
        let program = references.find(row, "program", &mut refused);
        let before = known.get(row.key("external_id"));
        let after = partner(row, ctx, before, &mut refused);
        // An enrollment that was ended stays so, however often the file comes again.
        let joins = program.filter(|program| !enrolled.contains(&(after.id, *program)));
        if joins.is_some() && after.status != APPROVED {
            let message = format!(
                "The partner is {}, and only an approved partner takes part in a program.",
                after.status
            );
            refused.push(Refused::new("program", "partner_not_approved", message));
        }
        let (id, outcome) = (after.id, settle(batch, ctx, before, after, refused, &mut writes)?);
        if let (Ok(_), Some(program)) = (&outcome, joins) {
            named.push((index, id, program));
        }
        batch.decide(outcome);
    }
    writes.write(tx)?;
    enroll(tx, ctx, batch, &named)
}

fn settle(
    batch: &mut Batch<'_>,
    ctx: &Ctx,
    before: Option<&PartnerRow>,
    mut after: PartnerRow,
    refused: Vec<Refused>,
    writes: &mut Writes<PartnerRow>,
) -> Result<Result<Outcome, Vec<Refused>>, Problem> {
    let concerned = Some(after.id);
    Ok(match before {
        _ if !refused.is_empty() => Err(refused),
        None => {
            batch.happened.created("partner.created", &after, concerned)?;
            writes.created.push(after);
            Ok(Outcome::Created)
        }
        Some(before) if *before == after => Ok(Outcome::Unchanged),
        Some(before) => {
            after.touch(ctx.now);
            let event = if before.status == after.status {
                "partner.updated"
            } else {
                "partner.approved"
            };
            batch.happened.updated(event, before, &after, concerned)?;
            writes.updated.push(after);
            Ok(Outcome::Updated)
        }
    })
}

/// The partner as the row says it is.
fn partner(row: &Row, ctx: &Ctx, known: Option<&PartnerRow>, refused: &mut Vec<Refused>) -> PartnerRow {
    let mut partner = known.cloned().unwrap_or_else(|| applicant(row, ctx));
    partner.name = row.key("name").to_owned();
    row.change("domain").apply_to(&mut partner.domain);
    row.change("country").apply_to(&mut partner.country);
    match row.change("territories") {
        Patch::Absent => {}
        Patch::Clear => partner.territories.clear(),
        Patch::Set(countries) => partner.territories = countries.split(' ').map(str::to_owned).collect(),
    }
    match (partner.status.as_str(), row.text("status")) {
        (_, None) => {}
        (status, Some(wanted)) if status == wanted => {}
        (APPLIED, Some(_)) => {
            partner.status = APPROVED.to_owned();
            partner.approved_at = Some(ctx.now);
        }
        (status, Some(wanted)) => {
            let message = format!("The partner is {status}; an import cannot make it {wanted}.");
            refused.push(Refused::new("status", "wrong_state", message));
        }
    }
    partner
}

fn applicant(row: &Row, ctx: &Ctx) -> PartnerRow {
    PartnerRow {
        organization_id: ctx.organization_id().uuid(),
        id: PartnerId::new(ctx.now).uuid(),
        external_id: Some(row.key("external_id").to_owned()),
        parent_id: None,
        name: String::new(),
        status: APPLIED.to_owned(),
        status_reason_code: None,
        status_reason: None,
        domain: None,
        country: None,
        territories: Vec::new(),
        hidden_from_parent: false,
        payout_currency: None,
        approved_at: None,
        terminated_at: None,
        row_version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    }
}

/// Makes an active enrollment for each partner and the program that it names.
fn enroll(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: &mut Batch<'_>,
    named: &[(usize, Uuid, Uuid)],
) -> Result<(), Problem> {
    let mut enrollments = Vec::new();
    for (index, partner, program) in named {
        let enrollment = enrollment(ctx, *partner, *program);
        batch
            .happened
            .created("enrollment.created", &enrollment, Some(*partner))?;
        batch.also_updated(*index);
        enrollments.push(enrollment);
    }
    stored::insert(tx, &enrollments)
}

fn enrollment(ctx: &Ctx, partner: Uuid, program: Uuid) -> EnrollmentRow {
    EnrollmentRow {
        organization_id: ctx.organization_id().uuid(),
        id: EnrollmentId::new(ctx.now).uuid(),
        external_id: None,
        partner_id: partner,
        program_id: program,
        status: "active".to_owned(),
        status_reason: None,
        tier: None,
        terms_version: None,
        activated_at: Some(ctx.now),
        ended_at: None,
        row_version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    }
}
