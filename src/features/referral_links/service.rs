//! The verbs of referral links.

use super::domain::{Click, Conversion, NewReferralLink, ReferralLink, ReportedClick, Tally};
use super::store::{self, ClickFilter, ReferralLinkFilter};
use crate::features::deal_rules::{self, AttributionClick};
use crate::features::{enrollments, partners, programs};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{ProgramId, ReferralId, ReferralLinkId};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::TimeDelta;
use std::collections::HashSet;

/// One link, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ReferralLinkId) -> Result<ReferralLink, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the links that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ReferralLinkFilter,
    page: &PageRequest,
) -> Result<Page<ReferralLink>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// A page of the clicks that the caller may see.
pub fn clicks(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ClickFilter,
    page: &PageRequest,
) -> Result<Page<Click>, Problem> {
    store::clicks(tx, &ctx.scope, filter, page)
}

/// Makes a link. What a partner's caller makes is that partner's.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewReferralLink) -> Result<ReferralLink, Problem> {
    let partner_id = ctx
        .partner_of_new(new.partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner must be named."))?;
    programs::get(tx, ctx, new.program_id)
        .map_err(|problem| problem.or_if_missing(unknown("/program_id")))?;
    partners::get(tx, ctx, partner_id).map_err(|problem| problem.or_if_missing(unknown("/partner_id")))?;
    if !enrollments::takes_part(tx, ctx, partner_id, new.program_id)? {
        let detail = "The partner does not take part in the program: it has no active enrollment in it.";
        return Err(Problem::new(Code::WrongState).because(detail));
    }
    let link = ReferralLink::create(new, partner_id, ctx.now);
    store::insert(tx, &ctx.scope, &link)?;
    let change = Change::created("referral_link.created", subject(link.id), &link);
    tx.record(ctx, change.for_partner(Some(partner_id.uuid())));
    Ok(link)
}

/// Its clicks do not count any more.
pub fn retire(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralLinkId,
    precondition: &Precondition,
) -> Result<ReferralLink, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().retire(ctx.now)?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated("referral_link.retired", subject(id), &before, &after);
    tx.record(ctx, change.for_partner(Some(after.partner_id.uuid())));
    Ok(after)
}

/// Counts the clicks of people; `bots` were reported besides.
pub fn report(tx: &mut Tx<'_>, ctx: &Ctx, people: &[ReportedClick], bots: i64) -> Result<Tally, Problem> {
    let tally = store::record(tx, &ctx.scope, people, ctx.now)?;
    Ok(Tally { bots, ..tally })
}

/// The click to which a visitor's conversion is credited: the first or the last within the program's time, of a partner
/// that still takes part in it.
pub fn credited(tx: &mut Tx<'_>, ctx: &Ctx, program_id: ProgramId, visitor: &str) -> Result<Click, Problem> {
    let rules = deal_rules::of(tx, ctx, program_id)
        .map_err(|problem| problem.or_if_missing(unknown("/program_id")))?;
    if store::has_converted(tx, &ctx.scope, program_id, visitor)? {
        let detail = "The visitor became a referral in this program already.";
        return Err(Problem::new(Code::AlreadyExists).because(detail));
    }
    let since = ctx.now - TimeDelta::days(i64::from(rules.attribution_window_days));
    let is_first = rules.attribution_click == AttributionClick::FirstClick;
    let mut gone = HashSet::new();
    for click in store::candidates(tx, &ctx.scope, program_id, visitor, since, is_first)? {
        if gone.contains(&click.partner_id) {
            continue;
        }
        if enrollments::takes_part(tx, ctx, click.partner_id, program_id)? {
            return Ok(click);
        }
        gone.insert(click.partner_id);
    }
    let message = "The visitor has no click in the program within its attribution window.";
    Err(Problem::field("/visitor", "no_click", message))
}

/// The click became this referral. The referral is made in `flows::visitor_converted`, never without it.
pub fn converted(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    click: &Click,
    referral_id: ReferralId,
) -> Result<Conversion, Problem> {
    store::convert(tx, &ctx.scope, click.id, referral_id)?;
    let conversion = Conversion {
        referral_id,
        referral_link_id: click.referral_link_id,
        click_id: click.id,
        partner_id: click.partner_id,
        program_id: click.program_id,
        clicked_at: click.last_clicked_at,
        converted_at: ctx.now,
    };
    let subject = subject(click.referral_link_id);
    let change = Change::created("referral_link.converted", subject, &conversion);
    tx.record(ctx, change.for_partner(Some(click.partner_id.uuid())));
    Ok(conversion)
}

fn unknown(pointer: &str) -> Problem {
    Problem::field(pointer, "unknown_reference", "There is no such record.")
}

fn subject(id: ReferralLinkId) -> Subject {
    Subject {
        kind: "referral_link",
        id: id.uuid(),
    }
}
