//! A partner asks how an account stands, before it registers it.

use super::account::{self, Named};
use super::standing;
use super::submission::{claimant, require_known};
use crate::features::deal_registrations::{self, AccountStanding, Question};
use crate::features::deal_rules::ExistingAccounts;
use crate::features::programs::Program;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::Tx;
use chrono::{DurationRound, TimeDelta};

/// How often a partner's callers may ask in an hour: enough for a day's work, too little to go through a list.
const MOST_AN_HOUR: i32 = 30;

/// Whether it is counted who asks: partners are. For anybody else nothing is left behind, so that it may be asked of what
/// is only read.
pub fn is_counted(ctx: &Ctx) -> bool {
    ctx.scope.partner_id.is_some()
}

/// Answers in a word, and leaves nothing behind but that it was asked.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, question: &Question) -> Result<AccountStanding, Problem> {
    let partner = claimant(tx, ctx, question.partner_id)?;
    let family = question.product_family_id;
    let program = require_known(tx, ctx, question.program_id, question.account_id, family)?;
    let asker = ctx.scope.partner_id;
    tx.in_house(ctx, |tx, house| {
        if let Some(asker) = asker {
            count(tx, house, asker)?;
        }
        let named = Named {
            id: question.account_id,
            name: None,
            domain: question.account_domain.as_deref(),
            country: None,
        };
        let Some(account) = account::find(tx, house, named)? else {
            return Ok(AccountStanding::Clear);
        };
        let standing = standing::of_known(tx, house, &account, family, partner.id)?;
        Ok(if standing.is_customer && minds_customers(tx, house, &program)? {
            AccountStanding::ExistingCustomer
        } else if standing.is_contested() {
            AccountStanding::Contested
        } else {
            AccountStanding::Clear
        })
    })
}

fn minds_customers(tx: &mut Tx<'_>, house: &Ctx, program: &Program) -> Result<bool, Problem> {
    let rules = deal_registrations::rules_of(tx, house, program)?;
    Ok(rules.existing_accounts != ExistingAccounts::Allow)
}

fn count(tx: &mut Tx<'_>, house: &Ctx, asker: PartnerId) -> Result<(), Problem> {
    let hour = house
        .now
        .duration_trunc(TimeDelta::hours(1))
        .map_err(Problem::damaged)?;
    if deal_registrations::count_precheck(tx, house, asker, hour)? <= MOST_AN_HOUR {
        return Ok(());
    }
    let wait = (hour + TimeDelta::hours(1) - house.now).num_seconds().max(1);
    Err(Problem {
        retry_after_seconds: u32::try_from(wait).ok(),
        ..Problem::new(Code::TooManyRequests).because(format!(
            "A partner asks {MOST_AN_HOUR} times in an hour at most how accounts stand."
        ))
    })
}
