//! The verbs of program terms.

use super::domain::{NewTerms, ProgramTerms, TermsAcceptance};
use super::store;
use crate::features::enrollments::{self, EnrollmentStatus};
use crate::features::programs;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EnrollmentId, ProgramId, ProgramTermsId, TermsAcceptanceId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One version, if the caller sees its program.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramTermsId) -> Result<ProgramTerms, Problem> {
    let terms = store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    programs::get(tx, ctx, terms.program_id)?;
    Ok(terms)
}

/// A page of the versions of one program, or of all that the caller may see, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: Option<ProgramId>,
    page: &PageRequest,
) -> Result<Page<ProgramTerms>, Problem> {
    let filter = store::TermsFilter {
        program_id,
        confined_to: programs::confined_to(tx, ctx)?,
    };
    store::list(tx, &ctx.scope, &filter, page)
}

/// A page of the acceptances that the caller may see, newest first.
pub fn acceptances(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &store::AcceptanceFilter,
    page: &PageRequest,
) -> Result<Page<TermsAcceptance>, Problem> {
    store::acceptances(tx, &ctx.scope, filter, page)
}

/// Publishes the next version.
pub fn publish(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: ProgramId,
    new: NewTerms,
) -> Result<ProgramTerms, Problem> {
    programs::get(tx, ctx, program_id)?;
    let number = store::newest(tx, &ctx.scope, program_id)? + 1;
    let terms = ProgramTerms {
        id: ProgramTermsId::new(ctx.now),
        program_id,
        number,
        version: new.version,
        document_url: new.document_url,
        summary: new.summary,
        created_at: ctx.now,
    };
    store::insert(tx, &ctx.scope, &terms)?;
    tx.record(
        ctx,
        Change::created("program_terms.published", subject(terms.id), &terms),
    );
    Ok(terms)
}

/// Accepts the newest version for an enrollment. A partner's caller accepts for its own.
pub fn accept(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ProgramTermsId,
    enrollment_id: EnrollmentId,
) -> Result<TermsAcceptance, Problem> {
    let terms = get(tx, ctx, id)?;
    let unknown = || Problem::field("/enrollment_id", "unknown_reference", "There is no such record.");
    let enrollment =
        enrollments::get(tx, ctx, enrollment_id).map_err(|problem| problem.or_if_missing(unknown()))?;
    // A partner sees the enrollments of those below it, and accepts for nobody but itself.
    if ctx
        .scope
        .partner_id
        .is_some_and(|own| own != enrollment.partner_id)
    {
        return Err(unknown());
    }
    if enrollment.program_id != terms.program_id {
        let message = "The enrollment is in another program.";
        return Err(Problem::field("/enrollment_id", "other_program", message));
    }
    if enrollment.status == EnrollmentStatus::Ended {
        return Err(Problem::new(Code::WrongState).because("The enrollment has ended."));
    }
    if store::newest(tx, &ctx.scope, terms.program_id)? != terms.number {
        let detail = "A newer version was published; accept that one.";
        return Err(Problem::new(Code::WrongState).because(detail));
    }
    let acceptance = TermsAcceptance {
        id: TermsAcceptanceId::new(ctx.now),
        program_terms_id: id,
        enrollment_id,
        partner_id: enrollment.partner_id,
        accepted_by: ctx.responsible().ok_or_else(Problem::internal)?,
        created_at: ctx.now,
    };
    store::insert_acceptance(tx, &ctx.scope, &acceptance)?;
    let change = Change::created("program_terms.accepted", subject(id), &acceptance);
    tx.record(ctx, change.for_partner(Some(acceptance.partner_id.uuid())));
    Ok(acceptance)
}

fn subject(id: ProgramTermsId) -> Subject {
    Subject {
        kind: "program_terms",
        id: id.uuid(),
    }
}
