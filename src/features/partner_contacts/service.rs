//! The verbs of partner contacts.

use super::domain::{ContactPatch, NewContact, PartnerContact};
use super::store;
use crate::features::partners;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PartnerContactId, PartnerId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One contact, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: PartnerContactId) -> Result<PartnerContact, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the contacts that the caller may see, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: Option<PartnerId>,
    page: &PageRequest,
) -> Result<Page<PartnerContact>, Problem> {
    store::list(tx, &ctx.scope, partner_id, page)
}

/// Somebody to talk to. What a partner's caller names is at its own company.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewContact) -> Result<PartnerContact, Problem> {
    let partner_id = ctx
        .partner_of_new(new.partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner must be named."))?;
    let unknown = Problem::field("/partner_id", "unknown_reference", "There is no such record.");
    partners::get(tx, ctx, partner_id).map_err(|problem| problem.or_if_missing(unknown))?;
    let contact = PartnerContact::new(new, partner_id, ctx.now);
    store::insert(tx, &ctx.scope, &contact)?;
    let change = Change::created("partner_contact.created", subject(&contact), &contact.told(None));
    tx.record(ctx, change.for_partner(Some(partner_id.uuid())));
    Ok(contact)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerContactId,
    precondition: &Precondition,
    patch: ContactPatch,
) -> Result<PartnerContact, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().patched(patch, ctx.now);
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(
        "partner_contact.updated",
        subject(&after),
        &before.told(None),
        &after.told(Some(&before)),
    );
    tx.record(ctx, change.for_partner(Some(after.partner_id.uuid())));
    Ok(after)
}

/// Forgets the person.
pub fn remove(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerContactId,
    precondition: &Precondition,
) -> Result<PartnerContact, Problem> {
    let contact = lock(tx, ctx, id, precondition)?;
    store::delete(tx, &ctx.scope, &contact)?;
    let told = contact.told(None);
    let change = Change::updated("partner_contact.removed", subject(&contact), &told, &told);
    tx.record(ctx, change.for_partner(Some(contact.partner_id.uuid())));
    Ok(contact)
}

fn lock(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerContactId,
    precondition: &Precondition,
) -> Result<PartnerContact, Problem> {
    let contact = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(contact.row_version)?;
    Ok(contact)
}

fn subject(contact: &PartnerContact) -> Subject {
    Subject {
        kind: "partner_contact",
        id: contact.id.uuid(),
    }
}
