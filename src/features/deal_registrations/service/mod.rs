//! The verbs of a registration. What looks at other claims, deals or accounts is told in `flows::registration`.
//!
//! A partner's caller finds a registration in its own scope first; what is then changed is changed in house.

mod threads;

pub use threads::{comment, comments, decide_extension, extensions, request_extension};

use super::domain::{DealRegistration, RegistrationPatch, Why};
use super::store::{self, RegistrationFilter};
use crate::features::deal_rules::{self, DealRules};
use crate::features::programs::Program;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

pub use super::store::{Due, organizations_due};

/// What is told when an answer did not come in time.
pub const RESPONSE_MISSED: &str = "deal_registration.response_missed";

/// One registration, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: DealRegistrationId) -> Result<DealRegistration, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One registration that the caller may act on: a partner's own, or one that it registered for a partner below it.
pub fn get_own(tx: &mut Tx<'_>, ctx: &Ctx, id: DealRegistrationId) -> Result<DealRegistration, Problem> {
    let registration = get(tx, ctx, id)?;
    let is_own = |own: PartnerId| registration.partner_id == own || registration.registrar_id == Some(own);
    if ctx.scope.partner_id.is_none_or(is_own) {
        return Ok(registration);
    }
    Err(Problem::new(Code::PermissionDenied)
        .because("It is another partner's registration; you see it because the partner is below yours."))
}

/// A page of the registrations that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &RegistrationFilter,
    page: &PageRequest,
) -> Result<Page<DealRegistration>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// One registration, locked until the transaction ends; in house.
pub fn lock(tx: &mut Tx<'_>, house: &Ctx, id: DealRegistrationId) -> Result<DealRegistration, Problem> {
    store::lock(tx, &house.scope, id)?.ok_or_else(Problem::not_found)
}

/// Writes a new draft down; in house.
pub fn create(tx: &mut Tx<'_>, house: &Ctx, registration: &DealRegistration) -> Result<(), Problem> {
    store::insert(tx, &house.scope, registration)?;
    let change = Change::created("deal_registration.created", subject(registration), registration);
    tx.record(house, concerning(change, registration));
    Ok(())
}

/// Writes a claim that was submitted as soon as it was drawn up; both are told.
pub fn create_submitted(
    tx: &mut Tx<'_>,
    house: &Ctx,
    draft: &DealRegistration,
    submitted: &DealRegistration,
) -> Result<(), Problem> {
    store::insert(tx, &house.scope, submitted)?;
    let created = Change::created("deal_registration.created", subject(draft), draft);
    tx.record(house, concerning(created, draft));
    let moved = Change::updated("deal_registration.submitted", subject(draft), draft, submitted);
    tx.record(house, concerning(moved, submitted));
    Ok(())
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    patch: RegistrationPatch,
) -> Result<DealRegistration, Problem> {
    get_own(tx, ctx, id)?;
    tx.in_house(ctx, |tx, house| {
        step(
            tx,
            house,
            id,
            precondition,
            "deal_registration.updated",
            |registration| registration.patched(patch, house.now),
        )
    })
}

/// Somebody of the organization looks at it.
pub fn review(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
) -> Result<DealRegistration, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "deal_registration.review_started",
        |registration| registration.review(ctx.now),
    )
}

/// Asks the partner for what is missing.
pub fn request_action(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    missing: String,
) -> Result<DealRegistration, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "deal_registration.action_requested",
        |registration| registration.request_action(missing, ctx.now),
    )
}

/// Does not protect it.
pub fn reject(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    why: Why,
) -> Result<DealRegistration, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "deal_registration.rejected",
        |registration| registration.reject(why, ctx.now),
    )
}

/// Takes the protection away.
pub fn revoke(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    why: Why,
) -> Result<DealRegistration, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "deal_registration.revoked",
        |registration| registration.revoke(why, ctx.now),
    )
}

/// The partner takes its claim back.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
) -> Result<DealRegistration, Problem> {
    get_own(tx, ctx, id)?;
    tx.in_house(ctx, |tx, house| {
        step(
            tx,
            house,
            id,
            precondition,
            "deal_registration.withdrawn",
            |registration| registration.withdraw(house.now),
        )
    })
}

/// One move, in house: lock, check the version, move, save, record.
pub fn step(
    tx: &mut Tx<'_>,
    house: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    event: &'static str,
    turn: impl FnOnce(DealRegistration) -> Result<DealRegistration, Problem>,
) -> Result<DealRegistration, Problem> {
    let before = lock(tx, house, id)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    save(tx, house, event, &before, &after)?;
    Ok(after)
}

/// Writes a registration that was locked before, and what happened to it; in house.
pub fn save(
    tx: &mut Tx<'_>,
    house: &Ctx,
    event: &'static str,
    before: &DealRegistration,
    after: &DealRegistration,
) -> Result<(), Problem> {
    store::update(tx, &house.scope, after)?;
    tell(tx, house, event, before, after);
    if before.is_protected() && !after.is_protected() {
        threads::lapse(tx, house, std::slice::from_ref(after))?;
    }
    Ok(())
}

/// Writes what time has brought to registrations that were locked before, and that it happened to each; in house.
pub fn save_timed(
    tx: &mut Tx<'_>,
    house: &Ctx,
    event: &'static str,
    before: &[DealRegistration],
    after: &[DealRegistration],
) -> Result<(), Problem> {
    if after.is_empty() {
        return Ok(());
    }
    store::save_timed(tx, &house.scope, after)?;
    for (before, after) in before.iter().zip(after) {
        tell(tx, house, event, before, after);
    }
    let ends = |(before, after): &(&DealRegistration, &DealRegistration)| {
        before.is_protected() && !after.is_protected()
    };
    let ended = before.iter().zip(after).filter(ends);
    let ended: Vec<DealRegistration> = ended.map(|(_, after)| after.clone()).collect();
    threads::lapse(tx, house, &ended)
}

fn tell(
    tx: &mut Tx<'_>,
    house: &Ctx,
    event: &'static str,
    before: &DealRegistration,
    after: &DealRegistration,
) {
    let change = Change::updated(event, subject(after), before, after);
    let reason = after.reason.clone().filter(|_| after.status != before.status);
    tx.record(house, concerning(change, after).with_reason(reason));
    // Whoever answers late tells so itself, where the worker did not come first.
    if after.sla_breached_at != before.sla_breached_at && event != RESPONSE_MISSED {
        let data = json!({ "id": after.id, "sla_breached_at": after.sla_breached_at });
        let missed = Change::consequence(RESPONSE_MISSED, subject(after), data);
        tx.record(house, concerning(missed, after));
    }
}

/// The claim of another partner that stands in the way; in house, with the account locked.
pub fn incumbent(
    tx: &mut Tx<'_>,
    house: &Ctx,
    account_id: AccountId,
    product_family_id: Option<ProductFamilyId>,
    other_than: Option<PartnerId>,
) -> Result<Option<DealRegistration>, Problem> {
    store::incumbent(tx, house, account_id, product_family_id, other_than)
}

/// Each of these accounts with those accounts to which somebody has a live claim: itself, or one that it may be; in house.
pub fn claimed(
    tx: &mut Tx<'_>,
    house: &Ctx,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, AccountId)>, Problem> {
    store::claimed(tx, house, accounts)
}

/// The partner's other live claim to the same; in house.
pub fn own_claim(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
) -> Result<Option<DealRegistrationId>, Problem> {
    store::own_claim(tx, house, registration)
}

/// How many live registrations the partner has in the program; in house.
pub fn live_count(
    tx: &mut Tx<'_>,
    house: &Ctx,
    partner_id: PartnerId,
    program_id: ProgramId,
) -> Result<i64, Problem> {
    store::live_count(tx, house, partner_id, program_id)
}

/// The protected registrations of these deals, locked; in house.
pub fn lock_of_deals(
    tx: &mut Tx<'_>,
    house: &Ctx,
    deals: &[DealId],
) -> Result<Vec<DealRegistration>, Problem> {
    store::lock_of_deals(tx, &house.scope, deals)
}

/// Refuses to take two accounts, locked before, for one while live claims to both meet; in house.
pub fn require_apart(
    tx: &mut Tx<'_>,
    house: &Ctx,
    account_id: AccountId,
    other_id: AccountId,
) -> Result<(), Problem> {
    let Some((one, other)) = store::meeting(tx, house, account_id, other_id)? else {
        return Ok(());
    };
    Err(Problem::new(Code::RegistrationConflict).because(format!(
        "The registrations {one} and {other} would claim one account for the same product family and time. Let one of \
         them end first: reject, revoke or withdraw it."
    )))
}

/// Moves an account's registrations, or those of these that it still has, to another account; which they were, and
/// their deals.
pub fn move_to_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    from: AccountId,
    to: AccountId,
    only: Option<&[Uuid]>,
) -> Result<Vec<(Uuid, Option<DealId>)>, Problem> {
    store::move_to_account(tx, ctx, from, to, only)
}

/// Some of the registrations for which it is time, locked.
pub fn due(tx: &mut Tx<'_>, ctx: &Ctx, due: Due) -> Result<Vec<DealRegistration>, Problem> {
    store::due(tx, &ctx.scope, due, ctx.now)
}

/// Counts a precheck of a partner in this hour, and tells how many there were; in house.
pub fn count_precheck(
    tx: &mut Tx<'_>,
    house: &Ctx,
    partner_id: PartnerId,
    hour: DateTime<Utc>,
) -> Result<i32, Problem> {
    store::count_precheck(tx, &house.scope, partner_id, hour)
}

/// The deal rules under which a registration is made.
pub fn rules(tx: &mut Tx<'_>, house: &Ctx, program_id: ProgramId) -> Result<DealRules, Problem> {
    deal_rules::of(tx, house, program_id)
}

/// The deal rules of a program that was read already.
pub fn rules_of(tx: &mut Tx<'_>, house: &Ctx, program: &Program) -> Result<DealRules, Problem> {
    deal_rules::of_program(tx, house, program)
}

/// Who answers for it. The service itself registers and says nothing.
pub fn person(ctx: &Ctx) -> Result<ActorId, Problem> {
    ctx.responsible().ok_or_else(Problem::internal)
}

fn concerning(change: Change, registration: &DealRegistration) -> Change {
    change.for_partner(Some(registration.partner_id.uuid()))
}

fn subject(registration: &DealRegistration) -> Subject {
    Subject {
        kind: "deal_registration",
        id: registration.id.uuid(),
    }
}
