//! What is said about a registration, and requests for more time.

use super::{concerning, get_own, lock, person, save};
use crate::features::deal_registrations::domain::{
    Comment, CommentVisibility, DealRegistration, Extension, ExtensionStatus,
};
use crate::features::deal_registrations::store::{self, CommentFilter};
use crate::features::deal_rules;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealRegistrationId, RegistrationCommentId, RegistrationExtensionId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// A page of what was said about registrations.
pub fn comments(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &CommentFilter,
    page: &PageRequest,
) -> Result<Page<Comment>, Problem> {
    store::list_comments(tx, &ctx.scope, filter, page)
}

/// Says something about a registration. What is internal is said by the organization, and told to nobody else.
pub fn comment(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    visibility: CommentVisibility,
    body: String,
) -> Result<Comment, Problem> {
    if visibility == CommentVisibility::Internal {
        let is_partners = ctx.scope.partner_id.is_some();
        if is_partners {
            let message = "Partners do not write internal comments.";
            return Err(Problem::field("/visibility", "not_for_partners", message));
        }
        ctx.require(Permission::DealRegistrationsReview)?;
    }
    let registration = get_own(tx, ctx, id)?;
    let comment = Comment {
        id: RegistrationCommentId::new(ctx.now),
        deal_registration_id: id,
        visibility,
        body,
        created_by: person(ctx)?,
        created_at: ctx.now,
    };
    tx.in_house(ctx, |tx, house| {
        store::insert_comment(tx, &house.scope, &comment)?;
        let about = Subject {
            kind: "registration_comment",
            id: comment.id.uuid(),
        };
        let change = Change::created("registration_comment.added", about, &comment);
        let told = (visibility == CommentVisibility::Partner).then_some(registration.partner_id.uuid());
        tx.record(house, change.for_partner(told));
        Ok(())
    })?;
    Ok(comment)
}

/// A page of the requests for more time.
pub fn extensions(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: Option<DealRegistrationId>,
    page: &PageRequest,
) -> Result<Page<Extension>, Problem> {
    store::list_extensions(tx, &ctx.scope, id, page)
}

/// Asks for more time.
pub fn request_extension(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    evidence: String,
) -> Result<Extension, Problem> {
    get_own(tx, ctx, id)?;
    let author = person(ctx)?;
    tx.in_house(ctx, |tx, house| {
        let registration = lock(tx, house, id)?;
        if registration
            .protected_until
            .is_none_or(|until| until <= house.now)
            || !registration.is_protected()
        {
            return Err(registration.refusal("extend"));
        }
        let rules = deal_rules::of(tx, house, registration.program_id)?;
        let granted = store::count_granted(tx, &house.scope, id)?;
        if granted >= i64::from(rules.extensions_allowed) {
            let detail = format!(
                "The program allows {} extensions, and they are used.",
                rules.extensions_allowed
            );
            return Err(Problem::new(Code::WrongState).because(detail));
        }
        let extension = Extension {
            id: RegistrationExtensionId::new(house.now),
            deal_registration_id: id,
            status: ExtensionStatus::Requested,
            reason: None,
            evidence,
            respond_by: rules.respond_by(house.now),
            decided_at: None,
            created_by: author,
            row_version: 1,
            created_at: house.now,
            updated_at: house.now,
        };
        store::insert_extension(tx, &house.scope, &extension)?;
        let change = Change::created(
            "registration_extension.requested",
            extension_subject(&extension),
            &extension,
        );
        tx.record(house, concerning(change, &registration));
        Ok(extension)
    })
}

/// Answers a request for more time.
pub fn decide_extension(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: RegistrationExtensionId,
    precondition: &Precondition,
    refused: Option<String>,
) -> Result<Extension, Problem> {
    // The registration is locked first, as by whoever ends it.
    let of = store::registration_of_extension(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let registration = lock(tx, ctx, of)?;
    let before = store::lock_extension(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let is_granted = refused.is_none();
    let event = if is_granted {
        "registration_extension.approved"
    } else {
        "registration_extension.refused"
    };
    let after = before.clone().decide(refused, ctx.now)?;
    let rules = deal_rules::of(tx, ctx, registration.program_id)?;
    let extended = registration
        .clone()
        .answered_extension(&before, &rules, is_granted, ctx.now)?;
    save(tx, ctx, "deal_registration.extended", &registration, &extended)?;
    store::update_extension(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, extension_subject(&after), &before, &after);
    let reason = after.reason.clone();
    tx.record(ctx, concerning(change, &registration).with_reason(reason));
    Ok(after)
}

/// Closes the requests for more time of registrations, locked before, whose protection has ended; in house.
pub(super) fn lapse(tx: &mut Tx<'_>, house: &Ctx, ended: &[DealRegistration]) -> Result<(), Problem> {
    if ended.is_empty() {
        return Ok(());
    }
    let ids: Vec<DealRegistrationId> = ended.iter().map(|one| one.id).collect();
    for before in store::lock_requested(tx, &house.scope, &ids)? {
        let after = before.clone().lapse(house.now);
        store::update_extension(tx, &house.scope, &after)?;
        let about = extension_subject(&after);
        let change = Change::updated("registration_extension.lapsed", about, &before, &after);
        let of = ended.iter().find(|one| one.id == after.deal_registration_id);
        tx.record(house, change.for_partner(of.map(|one| one.partner_id.uuid())));
    }
    Ok(())
}

fn extension_subject(extension: &Extension) -> Subject {
    Subject {
        kind: "registration_extension",
        id: extension.id.uuid(),
    }
}
