//! The verbs of a payout method.

use super::domain::{BankAccount, Details, NewPayoutMethod, PayoutMethod};
use super::store::{self, PayoutMethodFilter};
use crate::features::api_keys;
use crate::features::organizations;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::PayoutMethodId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::TimeDelta;
use std::collections::{HashMap, HashSet};

/// One method, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: PayoutMethodId) -> Result<PayoutMethod, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the methods that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PayoutMethodFilter,
    page: &PageRequest,
) -> Result<Page<PayoutMethod>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Proposes a method. What a partner's caller proposes is for that partner.
pub fn propose(tx: &mut Tx<'_>, ctx: &Ctx, new: NewPayoutMethod) -> Result<PayoutMethod, Problem> {
    organizations::require_second_factor(tx, ctx)?;
    let NewPayoutMethod {
        partner_id,
        currency,
        details,
    } = new;
    let partner_id = ctx
        .partner_of_new(partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner who is paid must be named."))?;
    let method = PayoutMethod::propose(partner_id, currency, details, person(ctx)?, ctx.now);
    let secret_makers = api_keys::secret_makers(tx, ctx)?;
    store::insert(tx, &ctx.scope, &method, secret_makers)?;
    let change = Change::created("payout_method.proposed", subject(&method), &method);
    tx.record(ctx, change.for_partner(Some(method.partner_id.uuid())));
    Ok(method)
}

/// Puts a proposal in force in the place of the method that was.
pub fn confirm(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutMethodId,
    precondition: &Precondition,
) -> Result<PayoutMethod, Problem> {
    organizations::require_second_factor(tx, ctx)?;
    let hours = organizations::get(tx, ctx)?.payout_method_cooling_off_hours;
    let cooling_off = TimeDelta::hours(i64::from(hours));
    let before = lock(tx, ctx, id, precondition)?;
    api_keys::require_other_hand(tx, ctx, before.created_by)?;
    let after = before.clone().confirm(person(ctx)?, cooling_off, ctx.now)?;
    if let Some(active) = store::lock_active(tx, &ctx.scope, before.partner_id, before.currency)? {
        let replaced = active.clone().replace(ctx.now)?;
        save(tx, ctx, "payout_method.replaced", &active, &replaced, None)?;
    }
    save(tx, ctx, "payout_method.confirmed", &before, &after, None)?;
    Ok(after)
}

/// Does not put a proposal in force.
pub fn refuse(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutMethodId,
    precondition: &Precondition,
    reason: &str,
) -> Result<PayoutMethod, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().refuse(reason.to_owned(), ctx.now)?;
    save(tx, ctx, "payout_method.refused", &before, &after, Some(reason))?;
    Ok(after)
}

/// Takes a proposal back, or a method out of force.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutMethodId,
    precondition: &Precondition,
) -> Result<PayoutMethod, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().withdraw(ctx.now)?;
    save(tx, ctx, "payout_method.withdrawn", &before, &after, None)?;
    Ok(after)
}

/// Which of these methods are in force; those stay so until the transaction ends.
pub fn hold_in_force(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[PayoutMethodId],
) -> Result<HashSet<PayoutMethodId>, Problem> {
    store::hold_in_force(tx, &ctx.scope, ids)
}

/// The bank accounts among these methods, in force or not; for payment rails alone.
pub fn bank_accounts(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[PayoutMethodId],
) -> Result<HashMap<PayoutMethodId, BankAccount>, Problem> {
    let account = |method: PayoutMethod| match method.details {
        Details::Manual { .. } | Details::Stripe { .. } => None,
        Details::BankAccount {
            account_holder,
            iban,
            bic,
        } => {
            let holder = account_holder;
            Some((method.id, BankAccount { holder, iban, bic }))
        }
    };
    let methods = store::find_all(tx, &ctx.scope, ids)?;
    Ok(methods.into_iter().filter_map(account).collect())
}

/// The connected account at Stripe that this method is of, in force or not; for payment rails alone.
pub fn stripe_account(tx: &mut Tx<'_>, ctx: &Ctx, id: PayoutMethodId) -> Result<Option<String>, Problem> {
    let method = store::find(tx, &ctx.scope, id)?;
    Ok(method.and_then(|method| match method.details {
        Details::Stripe { account } => Some(account),
        Details::Manual { .. } | Details::BankAccount { .. } => None,
    }))
}

fn lock(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutMethodId,
    precondition: &Precondition,
) -> Result<PayoutMethod, Problem> {
    let method = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(method.row_version)?;
    Ok(method)
}

fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &PayoutMethod,
    after: &PayoutMethod,
    reason: Option<&str>,
) -> Result<(), Problem> {
    store::update(tx, &ctx.scope, after)?;
    let change = Change::updated(event, subject(after), before, after);
    let change = change.for_partner(Some(after.partner_id.uuid()));
    tx.record(ctx, change.with_reason(reason.map(str::to_owned)));
    Ok(())
}

/// Who answers for it. The service itself proposes and confirms nothing.
fn person(ctx: &Ctx) -> Result<ActorId, Problem> {
    ctx.responsible().ok_or_else(Problem::internal)
}

fn subject(method: &PayoutMethod) -> Subject {
    Subject {
        kind: "payout_method",
        id: method.id.uuid(),
    }
}
