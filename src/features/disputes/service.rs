//! The verbs of a dispute that touch nothing else. What a dispute is about is found, held up and put right in
//! `flows::dispute`.
//!
//! A partner's caller finds a dispute in its own scope first; what is then changed is changed in house.

use super::domain::{Comment, Dispute, DisputeLine, Evidence, Readers, Report, Review, Stake};
use super::store::{self, CommentFilter, DisputeFilter};
use crate::features::deal_rules;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{CommissionId, DisputeCommentId, DisputeId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

pub use super::store::organizations_with_overdue;

/// Days within which an answer is promised where no program promises one.
const ANSWER_DAYS: i64 = 14;
/// Links that a dispute holds at most.
const MOST_EVIDENCE: usize = 100;
/// Overdue disputes noted in one transaction at most.
const BATCH: i64 = 500;

/// One dispute, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: DisputeId) -> Result<Report, Problem> {
    let dispute = store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let lines = lines(tx, ctx, id)?;
    let review = store::review_of(tx, &ctx.scope, id, currency_of(&dispute))?;
    Ok(Report {
        dispute,
        lines,
        review,
    })
}

/// A page of the disputes that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &DisputeFilter,
    page: &PageRequest,
) -> Result<Page<Report>, Problem> {
    let found = store::list(tx, &ctx.scope, filter, page)?;
    let ids: Vec<DisputeId> = found.rows.iter().map(|dispute| dispute.id).collect();
    let mut lines = store::lines_of(tx, &ctx.scope, &ids)?;
    let currencies: Vec<_> = found
        .rows
        .iter()
        .map(|dispute| (dispute.id, currency_of(dispute)))
        .collect();
    let mut reviews = store::reviews_of(tx, &ctx.scope, &currencies)?;
    Ok(found.map(|dispute| Report {
        lines: lines.remove(&dispute.id).unwrap_or_default(),
        review: reviews.remove(&dispute.id),
        dispute,
    }))
}

/// The commissions that a dispute is about, in their order.
pub fn lines(tx: &mut Tx<'_>, ctx: &Ctx, id: DisputeId) -> Result<Vec<DisputeLine>, Problem> {
    Ok(store::lines_of(tx, &ctx.scope, &[id])?
        .remove(&id)
        .unwrap_or_default())
}

/// One dispute at the version that the caller has seen, locked until the transaction ends; in house.
pub fn lock(
    tx: &mut Tx<'_>,
    house: &Ctx,
    id: DisputeId,
    precondition: &Precondition,
) -> Result<Dispute, Problem> {
    let dispute = store::lock(tx, &house.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(dispute.row_version)?;
    Ok(dispute)
}

/// Lets nobody else dispute the same money until the transaction ends, and refuses it where a living dispute is about it: a
/// commission's where what is missing on its deal is disputed, or the reverse; in house, before commissions are locked.
pub fn hold_stake(tx: &mut Tx<'_>, house: &Ctx, stake: &Stake) -> Result<(), Problem> {
    let scope = &house.scope;
    store::hold_deals(tx, scope, &stake.deals)?;
    let detail = if stake.lines.is_empty() {
        let held = store::disputed_on_deals(tx, scope, stake.partner_id, &stake.deals)?;
        held.map(|id| {
            format!("The commission {id} on the deal is disputed already; both are about the same money.")
        })
    } else {
        let held = store::living_on_deals(tx, scope, stake.partner_id, &stake.deals)?;
        held.map(|id| {
            format!(
                "The dispute {id} is about all that is missing on the deal; both are about the same money."
            )
        })
    };
    match detail {
        None => Ok(()),
        Some(detail) => Err(Problem::new(Code::AlreadyExists).because(detail)),
    }
}

/// The disputes that gave something on these commissions; in house.
pub fn that_gave_on(tx: &mut Tx<'_>, house: &Ctx, lines: &[CommissionId]) -> Result<Vec<DisputeId>, Problem> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    store::that_gave_on(tx, &house.scope, lines)
}

/// Lets one at a time work out what an award is worth, until its transaction ends.
pub fn hold_award(tx: &mut Tx<'_>, id: DisputeId) -> Result<(), Problem> {
    tx.one_at_a_time(id)
}

/// What corrections and earlier disputes have given on the stake; in house.
pub fn given(tx: &mut Tx<'_>, house: &Ctx, stake: &Stake) -> Result<Money, Problem> {
    store::given(tx, &house.scope, stake)
}

/// Writes a new dispute down, with its lines and what the organization alone knows; in house.
pub fn insert(
    tx: &mut Tx<'_>,
    house: &Ctx,
    dispute: &Dispute,
    review: &Review,
    lines: &[DisputeLine],
) -> Result<(), Problem> {
    store::insert(tx, &house.scope, dispute)?;
    store::insert_review(tx, &house.scope, dispute.id, review)?;
    if !lines.is_empty() {
        store::insert_lines(tx, &house.scope, lines)?;
    }
    let change = Change::created("dispute.opened", subject(dispute), dispute);
    let change = change.for_partner(Some(dispute.partner_id.uuid()));
    tx.record(house, change.with_reason(Some(dispute.statement.clone())));
    Ok(())
}

/// Writes a dispute that was locked before, and what happened to it; in house.
pub fn save(
    tx: &mut Tx<'_>,
    house: &Ctx,
    event: &'static str,
    before: &Dispute,
    after: &Dispute,
) -> Result<(), Problem> {
    store::update(tx, &house.scope, after)?;
    let change = Change::updated(event, subject(after), before, after);
    let change = change.for_partner(Some(after.partner_id.uuid()));
    tx.record(house, change.with_reason(after.status_reason.clone()));
    Ok(())
}

/// What the organization alone knows of a dispute that was locked before; in house.
pub fn review_of(tx: &mut Tx<'_>, house: &Ctx, dispute: &Dispute) -> Result<Review, Problem> {
    let found = store::review_of(tx, &house.scope, dispute.id, currency_of(dispute))?;
    found.ok_or_else(|| Problem::damaged("a dispute lacks its review"))
}

/// Writes it anew; in house.
pub fn save_review(tx: &mut Tx<'_>, house: &Ctx, id: DisputeId, review: &Review) -> Result<(), Problem> {
    store::update_review(tx, &house.scope, id, review)
}

/// Freezes lines that were left alone, because they came back from their payouts, so much of each; which lines these are.
pub fn freeze_late(
    tx: &mut Tx<'_>,
    house: &Ctx,
    returned: &[(DisputeId, CommissionId, Money)],
) -> Result<Vec<DisputeLine>, Problem> {
    if returned.is_empty() {
        return Ok(Vec::new());
    }
    let frozen = store::freeze_late(tx, &house.scope, returned)?;
    if frozen.len() == returned.len() {
        Ok(frozen)
    } else {
        Err(Problem::damaged(
            "a disputed commission is no line of its dispute",
        ))
    }
}

/// The partner is asked for something.
pub fn request_information(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DisputeId,
    precondition: &Precondition,
    question: &str,
) -> Result<Report, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().request_information(question.to_owned(), ctx.now)?;
    save(tx, ctx, "dispute.information_requested", &before, &after)?;
    let comment = said(ctx, &after, Readers::Partner, question.to_owned())?;
    write_down(tx, ctx, &comment)?;
    get(tx, ctx, id)
}

/// The partner answers, and adds evidence.
pub fn answer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DisputeId,
    precondition: &Precondition,
    body: String,
    evidence: Vec<Evidence>,
) -> Result<Report, Problem> {
    get(tx, ctx, id)?;
    tx.in_house(ctx, |tx, house| {
        let before = lock(tx, house, id, precondition)?;
        before.require("answer")?;
        if before.evidence.len() + evidence.len() > MOST_EVIDENCE {
            let message = format!("A dispute holds {MOST_EVIDENCE} links at most.");
            return Err(Problem::field("/evidence", "too_many", message));
        }
        let respond_by = promised(tx, house, before.program_id)?;
        let after = before.clone().answer(evidence, respond_by, house.now)?;
        save(tx, house, "dispute.answered", &before, &after)?;
        write_down(tx, house, &said(ctx, &after, Readers::Partner, body)?)
    })?;
    get(tx, ctx, id)
}

/// By when an answer is promised; in house.
pub fn promised(
    tx: &mut Tx<'_>,
    house: &Ctx,
    program_id: Option<ProgramId>,
) -> Result<DateTime<Utc>, Problem> {
    let by_program = match program_id {
        Some(program_id) => deal_rules::of(tx, house, program_id)?.respond_by(house.now),
        None => None,
    };
    Ok(by_program.unwrap_or(house.now + TimeDelta::days(ANSWER_DAYS)))
}

/// A page of what was said about disputes.
pub fn comments(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &CommentFilter,
    page: &PageRequest,
) -> Result<Page<Comment>, Problem> {
    store::list_comments(tx, &ctx.scope, filter, page)
}

/// Says something about a dispute. What is internal is said by the organization, and told to nobody else.
pub fn comment(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DisputeId,
    visibility: Readers,
    body: String,
) -> Result<Comment, Problem> {
    if visibility == Readers::Internal {
        if ctx.scope.partner_id.is_some() {
            let message = "Partners do not write internal comments.";
            return Err(Problem::field("/visibility", "not_for_partners", message));
        }
        ctx.require(Permission::DisputesReview)?;
    }
    let dispute = get(tx, ctx, id)?.dispute;
    let comment = said(ctx, &dispute, visibility, body)?;
    tx.in_house(ctx, |tx, house| write_down(tx, house, &comment))?;
    Ok(comment)
}

fn said(ctx: &Ctx, dispute: &Dispute, visibility: Readers, body: String) -> Result<Comment, Problem> {
    Ok(Comment {
        id: DisputeCommentId::new(ctx.now),
        dispute_id: dispute.id,
        partner_id: dispute.partner_id,
        visibility,
        body,
        created_by: person(ctx)?,
        created_at: ctx.now,
    })
}

fn write_down(tx: &mut Tx<'_>, house: &Ctx, comment: &Comment) -> Result<(), Problem> {
    store::insert_comment(tx, &house.scope, comment)?;
    let about = Subject {
        kind: "dispute_comment",
        id: comment.id.uuid(),
    };
    let told = (comment.visibility == Readers::Partner).then_some(comment.partner_id.uuid());
    let change = Change::created("dispute_comment.added", about, comment);
    tx.record(house, change.for_partner(told));
    Ok(())
}

/// Notes for a batch of disputes that the answer did not come in time; how many they were. It may be ended at any moment
/// and done again.
pub fn look_after(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let overdue = store::lock_overdue(tx, ctx, BATCH)?;
    for before in &overdue {
        let after = before.clone().overdue(ctx.now);
        store::update(tx, &ctx.scope, &after)?;
        let data = json!({
            "id": after.id, "partner_id": after.partner_id, "program_id": after.program_id,
            "respond_by": after.respond_by
        });
        let change = Change::consequence("dispute.response_overdue", subject(&after), data);
        tx.record(ctx, change.for_partner(Some(after.partner_id.uuid())));
    }
    Ok(overdue.len())
}

/// Who answers for it. The service itself disputes and decides nothing.
pub fn person(ctx: &Ctx) -> Result<ActorId, Problem> {
    ctx.responsible().ok_or_else(Problem::internal)
}

fn currency_of(dispute: &Dispute) -> Option<&'static str> {
    dispute.amounts.map(|amounts| amounts.claimed.currency().code())
}

fn subject(dispute: &Dispute) -> Subject {
    Subject {
        kind: "dispute",
        id: dispute.id.uuid(),
    }
}
