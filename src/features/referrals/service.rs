//! The verbs of a referral.

use super::domain::{
    MovedBy, NewReferral, Referral, ReferralMove, ReferralPatch, ReferralRoute, ReferralStatus, RejectionCode,
};
use super::store::{self, ReferralFilter};
use crate::features::users::UserStatus;
use crate::features::{
    compliance_documents, deal_rules, enrollments, partners, product_families, programs, users,
};
use crate::kernel::ctx::{Actor, Ctx};
use crate::kernel::id::{DealId, PartnerId, ProductFamilyId, ProgramId, ReferralId, UserId};
use crate::kernel::matching::{Company, Reason, compare};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// How many late referrals are moved in one transaction.
const BATCH: i64 = 100;

/// One referral, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ReferralId) -> Result<Referral, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the referrals that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ReferralFilter,
    page: &PageRequest,
) -> Result<Page<Referral>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Who answers these referrals, as far as the caller may know.
pub fn owners(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[ReferralId],
) -> Result<HashMap<ReferralId, UserId>, Problem> {
    store::owners(tx, &ctx.scope, ids)
}

/// What happened to a referral, oldest first.
pub fn history(tx: &mut Tx<'_>, ctx: &Ctx, id: ReferralId) -> Result<Vec<ReferralMove>, Problem> {
    let referral = get(tx, ctx, id)?;
    store::history(tx, &ctx.scope, &referral)
}

/// A lead is handed over and goes to whoever answers it. What a partner's caller submits is that partner's.
pub fn submit(tx: &mut Tx<'_>, ctx: &Ctx, new: NewReferral) -> Result<Referral, Problem> {
    let partner_id = ctx
        .partner_of_new(new.partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner who refers must be named."))?;
    let unknown = |pointer: &str| Problem::field(pointer, "unknown_reference", "There is no such record.");
    let program = programs::get(tx, ctx, new.program_id)
        .map_err(|problem| problem.or_if_missing(unknown("/program_id")))?;
    let rules = deal_rules::of_program(tx, ctx, &program)?;
    let partner = partners::get(tx, ctx, partner_id)
        .map_err(|problem| problem.or_if_missing(unknown("/partner_id")))?;
    if let Some(family) = new.lead.product_family_id {
        product_families::get(tx, ctx, family)
            .map_err(|problem| problem.or_if_missing(unknown("/product_family_id")))?;
    }
    if !enrollments::takes_part(tx, ctx, partner_id, new.program_id)? {
        let detail = "The partner does not take part in the program: it has no active enrollment in it.";
        return Err(Problem::new(Code::WrongState).because(detail));
    }
    let registering = compliance_documents::Registering {
        partner_id,
        product_family_id: new.lead.product_family_id,
        country: new.lead.country.as_deref(),
    };
    let closed = compliance_documents::gate_problem(tx, ctx, &program, &registering)?;
    let referral = Referral::submit(new, (partner_id, &partner.territories), &rules, closed, ctx.now)?;
    store::insert(tx, &ctx.scope, &referral, mover(ctx))?;
    store::route(tx, referral.id)?;
    let change = Change::created("referral.submitted", subject(&referral), &referral);
    tx.record(ctx, change.for_partner(Some(referral.partner_id.uuid())));
    Ok(referral)
}

/// Changes what may be changed: the key, and who answers it.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
    patch: ReferralPatch,
) -> Result<Referral, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    if let Some(owner_id) = patch.owner_id {
        require_staff(tx, ctx, &[owner_id], "/owner_id")?;
        store::assign(tx, &ctx.scope, id, owner_id, ctx.now)?;
        let data = json!({ "id": id, "owner_id": owner_id });
        let mut change = Change::consequence("referral.assigned", subject(&before), data);
        change.changes = json!({ "owner_id": { "after": owner_id } });
        change.audited = true;
        tx.record(ctx, change);
    }
    let after = before.clone().patched(patch, ctx.now);
    save(tx, ctx, "referral.updated", &before, &after)?;
    Ok(after)
}

/// The organization takes it up.
pub fn accept(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
) -> Result<Referral, Problem> {
    step(tx, ctx, id, precondition, "referral.accepted", |one| {
        one.accept(ctx.now)
    })
}

/// The organization does not take it up.
pub fn reject(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
    code: RejectionCode,
    reason: Option<String>,
) -> Result<Referral, Problem> {
    step(tx, ctx, id, precondition, "referral.rejected", |one| {
        one.reject(code, reason, ctx.now)
    })
}

/// It is the same as another one. The partner learns that it is, and not of which: that may be somebody else's.
pub fn mark_duplicate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
    of: ReferralId,
) -> Result<Referral, Problem> {
    get(tx, ctx, id)?;
    let unknown = Problem::field(
        "/duplicate_of_id",
        "unknown_reference",
        "There is no such record.",
    );
    get(tx, ctx, of).map_err(|problem| problem.or_if_missing(unknown))?;
    step(tx, ctx, id, precondition, "referral.marked_duplicate", |one| {
        one.mark_duplicate(of, ctx.now)
    })
}

/// The partner takes it back.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
    reason: Option<String>,
) -> Result<Referral, Problem> {
    step(tx, ctx, id, precondition, "referral.withdrawn", |one| {
        one.withdraw(reason, ctx.now)
    })
}

/// The first open referral of this company by somebody else; in house.
pub fn open_of_others(
    tx: &mut Tx<'_>,
    house: &Ctx,
    company: &Company,
    family: Option<ProductFamilyId>,
    other_than: Option<PartnerId>,
) -> Result<Option<Referral>, Problem> {
    let found = store::open_of_others(tx, &house.scope, company, family, other_than)?;
    Ok(found.into_iter().find(|referral| {
        let verdict = compare(company, &referral.lead.company());
        verdict.certain || verdict.reasons.contains(&Reason::SameDomain)
    }))
}

/// One referral that can become a deal, locked until the transaction ends.
pub fn for_conversion(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
) -> Result<Referral, Problem> {
    let referral = lock(tx, ctx, id, precondition)?;
    referral.require_convertible()?;
    Ok(referral)
}

/// It became this deal. The deal and its credit are made in `flows::referral_converted`, never without it.
pub fn converted(tx: &mut Tx<'_>, ctx: &Ctx, before: Referral, deal_id: DealId) -> Result<Referral, Problem> {
    let after = before.clone().convert(deal_id, ctx.now)?;
    save(tx, ctx, "referral.converted", &before, &after)?;
    Ok(after)
}

/// What time makes of a batch of referrals; how many they were.
pub fn look_after(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let late = store::lock_late(tx, &ctx.scope, ctx.now, BATCH)?;
    let mut moved = 0;
    for before in late {
        let Some(after) = before.clone().aged(ctx.now) else {
            continue;
        };
        if after.response_breached_at != before.response_breached_at {
            let data = json!({
                "id": after.id, "program_id": after.program_id, "partner_id": after.partner_id,
                "respond_by": after.respond_by
            });
            let change = Change::consequence("referral.response_overdue", subject(&after), data);
            tx.record(ctx, change.for_partner(Some(after.partner_id.uuid())));
        }
        if after.status == before.status {
            store::update(tx, &ctx.scope, &after)?;
        } else {
            save(tx, ctx, "referral.expired", &before, &after)?;
        }
        moved += 1;
    }
    Ok(moved)
}

/// To whom referrals of a program go.
pub fn routes(tx: &mut Tx<'_>, ctx: &Ctx, program_id: ProgramId) -> Result<Vec<ReferralRoute>, Problem> {
    programs::get(tx, ctx, program_id)?;
    store::routes(tx, &ctx.scope, program_id)
}

/// Puts these routes in the place of those before.
pub fn replace_routes(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: ProgramId,
    routes: Vec<ReferralRoute>,
) -> Result<Vec<ReferralRoute>, Problem> {
    programs::get(tx, ctx, program_id)?;
    for (index, route) in routes.iter().enumerate() {
        let families: HashSet<_> = route.product_family_ids.iter().copied().collect();
        if !product_families::unknown(tx, ctx, families)?.is_empty() {
            let pointer = format!("/routes/{index}/product_family_ids");
            return Err(Problem::field(
                pointer,
                "unknown_reference",
                "There is no such record.",
            ));
        }
        require_staff(tx, ctx, &route.owner_ids, &format!("/routes/{index}/owner_ids"))?;
    }
    store::replace_routes(tx, &ctx.scope, program_id, &routes)?;
    let subject = Subject {
        kind: "program",
        id: program_id.uuid(),
    };
    let told: Vec<_> = routes
        .iter()
        .map(|route| json!({ "owner_ids": route.owner_ids }))
        .collect();
    let mut change = Change::consequence("referral_routes.replaced", subject, json!({ "routes": told }));
    change.audited = true;
    tx.record(ctx, change);
    Ok(routes)
}

/// Every one of them is one of the organization's own people.
fn require_staff(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[UserId], pointer: &str) -> Result<(), Problem> {
    let unknown = || Problem::field(pointer, "unknown_reference", "There is no such record.");
    for id in ids {
        let user = users::get(tx, ctx, *id).map_err(|problem| problem.or_if_missing(unknown()))?;
        if user.partner_id.is_some() {
            let message = "Referrals are answered by the organization's own people.";
            return Err(Problem::field(pointer, "not_staff", message));
        }
        if user.status != UserStatus::Active {
            let message = "The user is suspended or gone.";
            return Err(Problem::field(pointer, "not_active", message));
        }
    }
    Ok(())
}

fn mover(ctx: &Ctx) -> MovedBy {
    match (ctx.actor, ctx.scope.partner_id) {
        (Actor::System, _) => MovedBy::Service,
        (_, Some(_)) => MovedBy::Partner,
        (_, None) => MovedBy::Organization,
    }
}

fn lock(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
) -> Result<Referral, Problem> {
    let Some(referral) = store::lock(tx, &ctx.scope, id)? else {
        get(tx, ctx, id)?;
        return Err(Problem::new(Code::PermissionDenied)
            .because("It is another partner's referral; you see it because the partner is below yours."));
    };
    precondition.check(referral.row_version)?;
    Ok(referral)
}

/// One move: lock, check the version, move, save, record.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
    event: &'static str,
    turn: impl FnOnce(Referral) -> Result<Referral, Problem>,
) -> Result<Referral, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = turn(before.clone())?;
    save(tx, ctx, event, &before, &after)?;
    Ok(after)
}

fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &Referral,
    after: &Referral,
) -> Result<(), Problem> {
    store::update(tx, &ctx.scope, after)?;
    if after.status != before.status {
        store::remember(tx, &ctx.scope, after, mover(ctx))?;
    }
    // Whose referral it is the same as is not the partner's business.
    let told = |referral: &Referral| Referral {
        duplicate_of_id: None,
        ..referral.clone()
    };
    let change = Change::updated(event, subject(after), &told(before), &told(after));
    let reason = after
        .status_reason
        .clone()
        .filter(|_| after.status != ReferralStatus::Converted);
    tx.record(
        ctx,
        change
            .for_partner(Some(after.partner_id.uuid()))
            .with_reason(reason),
    );
    Ok(())
}

fn subject(referral: &Referral) -> Subject {
    Subject {
        kind: "referral",
        id: referral.id.uuid(),
    }
}
