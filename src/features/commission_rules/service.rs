//! The verbs of a commission rule and its versions.

use super::domain::{
    CommissionRule, CommissionRulePatch, CommissionRuleVersion, NewCommissionRule, RuleVersionStatus,
    VersionTerms,
};
use super::store::{self, CommissionRuleFilter, RuleVersionFilter};
use super::usage_store;
use crate::kernel::commission::{Rule, Tiers, ties};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, ProgramId};
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx, as_it_was};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The versions that decide, or once decided, what is earned in a program; of all instants.
pub fn rules_of_program(tx: &mut Tx<'_>, ctx: &Ctx, program_id: ProgramId) -> Result<Vec<Rule>, Problem> {
    let mut found = rules_of_programs(tx, ctx, &[program_id])?;
    Ok(found.remove(&program_id).unwrap_or_default())
}

/// [`rules_of_program`] of several programs, in one statement. A program without rules has no entry.
pub fn rules_of_programs(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_ids: &[ProgramId],
) -> Result<HashMap<ProgramId, Vec<Rule>>, Problem> {
    let mut rules: HashMap<ProgramId, Vec<Rule>> = HashMap::new();
    for version in store::deciding(tx, &ctx.scope, program_ids)? {
        let rule = version.rule().map_err(Problem::damaged)?;
        rules.entry(version.program_id).or_default().push(rule);
    }
    Ok(rules)
}

/// [`rules_of_program`] with these drafts in the place of what their rules say while they would be in force.
pub fn rules_with_drafts(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: ProgramId,
    drafts: &[CommissionRuleVersionId],
) -> Result<Vec<Rule>, Problem> {
    let mut versions = store::deciding(tx, &ctx.scope, &[program_id])?;
    for (index, id) in drafts.iter().enumerate() {
        let found = store::find_version(tx, &ctx.scope, *id)?;
        let Some(draft) = found.filter(|draft| draft.program_id == program_id) else {
            let pointer = format!("/rule_version_ids/{index}");
            return Err(Problem::field(
                pointer,
                "unknown_reference",
                "There is no such record.",
            ));
        };
        versions
            .retain(|other| other.commission_rule_id != draft.commission_rule_id || !other.overlaps(&draft));
        versions.push(draft);
    }
    versions
        .iter()
        .map(|version| version.rule().map_err(Problem::damaged))
        .collect()
}

/// One rule.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: CommissionRuleId) -> Result<CommissionRule, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of rules.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &CommissionRuleFilter,
    page: &PageRequest,
) -> Result<Page<CommissionRule>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Writes a rule with version 1 as a draft.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewCommissionRule) -> Result<CommissionRule, Problem> {
    let rule = CommissionRule::new(&new, ctx.now);
    let draft = rule.draft(1, new.terms, ctx.now)?;
    refuse_unknown_references(tx, ctx, &draft.terms)?;
    store::insert(tx, &ctx.scope, &rule)?;
    store::insert_version(tx, &ctx.scope, &draft)?;
    tx.record(
        ctx,
        Change::created("commission_rule.created", subject(&rule), &rule),
    );
    record_created(tx, ctx, &draft);
    Ok(rule)
}

/// Changes what may be changed of a rule.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleId,
    precondition: &Precondition,
    patch: CommissionRulePatch,
) -> Result<CommissionRule, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now);
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated("commission_rule.updated", subject(&after), &before, &after);
    tx.record(ctx, change);
    Ok(after)
}

/// One version.
pub fn get_version(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
) -> Result<CommissionRuleVersion, Problem> {
    find_version(tx, ctx, id)?.ok_or_else(Problem::not_found)
}

/// One version as it was known at an instant, found by undoing what the audit trail says became of it since.
pub fn get_version_as_of(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
    instant: DateTime<Utc>,
) -> Result<CommissionRuleVersion, Problem> {
    let current = get_version(tx, ctx, id)?;
    if current.created_at > instant {
        return Err(Problem::not_found());
    }
    if current.updated_at <= instant {
        return Ok(current);
    }
    as_it_was(tx, ctx, &version_subject(&current), &current, instant)
}

/// One version, if there is such.
pub fn find_version(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
) -> Result<Option<CommissionRuleVersion>, Problem> {
    store::find_version(tx, &ctx.scope, id)
}

/// A version and the one that it is compared with: the given one, or else the one numbered before it.
pub fn compared(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
    with: Option<CommissionRuleVersionId>,
) -> Result<(Option<CommissionRuleVersion>, CommissionRuleVersion), Problem> {
    let version = get_version(tx, ctx, id)?;
    let before = match with {
        Some(with) => Some(get_version(tx, ctx, with)?),
        None => store::numbered(tx, &ctx.scope, version.commission_rule_id, version.version - 1)?,
    };
    Ok((before, version))
}

/// A page of versions.
pub fn list_versions(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &RuleVersionFilter,
    page: &PageRequest,
) -> Result<Page<CommissionRuleVersion>, Problem> {
    store::list_versions(tx, &ctx.scope, filter, page)
}

/// Writes the next version of a rule as a draft.
pub fn create_version(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleId,
    terms: VersionTerms,
) -> Result<CommissionRuleVersion, Problem> {
    let rule = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let number = store::next_number(tx, &ctx.scope, id)?;
    let draft = rule.draft(number, terms, ctx.now)?;
    refuse_unknown_references(tx, ctx, &draft.terms)?;
    store::insert_version(tx, &ctx.scope, &draft)?;
    record_created(tx, ctx, &draft);
    Ok(draft)
}

/// Gives a draft other terms.
pub fn update_version(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
    precondition: &Precondition,
    terms: VersionTerms,
) -> Result<CommissionRuleVersion, Problem> {
    let before = store::lock_version(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().rewritten(terms, ctx.now)?;
    refuse_unknown_references(tx, ctx, &after.terms)?;
    save(tx, ctx, "commission_rule_version.updated", &before, &after)?;
    Ok(after)
}

/// Puts a version in force. The version that is open-ended until now ends where this one begins.
pub fn activate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
    precondition: &Precondition,
) -> Result<CommissionRuleVersion, Problem> {
    let program_id = get_version(tx, ctx, id)?.program_id;
    // One activation at a time in a program, and none while commissions of the program are being written: each of
    // them holds on to the program by its foreign key.
    usage_store::lock_program(tx, &ctx.scope, program_id)?;
    let before = store::lock_version(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().activate(ctx.now)?;
    refuse_falling_tiers(&after)?;
    let others = store::deciding(tx, &ctx.scope, &[program_id])?;
    refuse_ties(&after, &others)?;
    refuse_gap(&after, &others)?;
    if let Some(instant) = usage_store::last_computed(tx, &ctx.scope, program_id, after.terms.effective_from)?
    {
        return Err(Problem::new(Code::RuleBackdated).because(format!(
            "A commission of the program was computed under the terms of {}; begin after it. What the version would have paid \
             before is proposed by a recalculation, once it is active.",
            instant.to_rfc3339()
        )));
    }
    let predecessor = others.iter().find(|other| other.ends_with(&after));
    if let Some(predecessor) = predecessor {
        let ended = predecessor.clone().succeeded(&after, ctx.now);
        save(tx, ctx, "commission_rule_version.updated", predecessor, &ended)?;
    }
    let other_siblings = others
        .iter()
        .filter(|other| predecessor.is_none_or(|ended| ended.id != other.id));
    refuse_overlap(&after, other_siblings)?;
    save(tx, ctx, "commission_rule_version.activated", &before, &after)?;
    Ok(after)
}

/// Ends a version for good, now or at the instant given.
pub fn retire(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionRuleVersionId,
    precondition: &Precondition,
    effective_to: Option<DateTime<Utc>>,
) -> Result<CommissionRuleVersion, Problem> {
    let program_id = get_version(tx, ctx, id)?.program_id;
    usage_store::lock_program(tx, &ctx.scope, program_id)?;
    let before = store::lock_version(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let last_use = usage_store::last_use(tx, &ctx.scope, id)?;
    let after = before.clone().retire(effective_to, last_use, ctx.now)?;
    save(tx, ctx, "commission_rule_version.retired", &before, &after)?;
    Ok(after)
}

/// Refuses tiers that rate everything anew and pay less for more: a further sale would take from what was earned.
pub(super) fn refuse_falling_tiers(version: &CommissionRuleVersion) -> Result<(), Problem> {
    match version.terms.formula.tiers().and_then(Tiers::falls_at) {
        Some(bound) => Err(Problem::new(Code::RuleTiersFall).because(format!(
            "At {bound} the table comes to less than just below it; a further sale would take from what was earned."
        ))),
        None => Ok(()),
    }
}

/// Refuses a version after which, or before which, its rule says nothing for a while: an end that was planned in
/// advance leaves a gap only by mistake. A rule that was retired may come back later.
fn refuse_gap(version: &CommissionRuleVersion, others: &[CommissionRuleVersion]) -> Result<(), Problem> {
    let siblings = others
        .iter()
        .filter(|other| other.commission_rule_id == version.commission_rule_id);
    let before = siblings
        .clone()
        .filter(|other| other.status == RuleVersionStatus::Active)
        .filter(|other| other.terms.effective_from < version.terms.effective_from)
        .max_by_key(|other| other.terms.effective_from);
    let next = siblings
        .filter(|other| other.terms.effective_from > version.terms.effective_from)
        .min_by_key(|other| other.terms.effective_from);
    let after_end = before.and_then(|before| before.terms.effective_to);
    let gap = match (after_end, version.terms.effective_to, next) {
        (Some(end), _, _) if end < version.terms.effective_from => Some((end, version.terms.effective_from)),
        (_, Some(end), Some(next)) if end < next.terms.effective_from => {
            Some((end, next.terms.effective_from))
        }
        _ => None,
    };
    match gap {
        Some((from, to)) => Err(Problem::new(Code::RuleVersionsGap).because(format!(
            "No version of the rule is in force from {} to {}.",
            from.to_rfc3339(),
            to.to_rfc3339()
        ))),
        None => Ok(()),
    }
}

/// Refuses a version that would apply beside another rule with equal precedence.
pub(super) fn refuse_ties(
    version: &CommissionRuleVersion,
    others: &[CommissionRuleVersion],
) -> Result<(), Problem> {
    let own = version.engine_terms();
    for other in others
        .iter()
        .filter(|other| other.commission_rule_id != version.commission_rule_id)
    {
        if ties([&own, &other.engine_terms()]).is_some() {
            return Err(Problem::new(Code::RulesTie).because(format!(
                "Version {} of the rule {} would apply with equal precedence; give one of the two another priority, \
                 other conditions or another period.",
                other.version, other.commission_rule_id
            )));
        }
    }
    Ok(())
}

fn refuse_overlap<'a>(
    version: &CommissionRuleVersion,
    others: impl Iterator<Item = &'a CommissionRuleVersion>,
) -> Result<(), Problem> {
    let mut siblings = others.filter(|other| other.commission_rule_id == version.commission_rule_id);
    match siblings.find(|other| version.overlaps(other)) {
        Some(other) => Err(Problem::new(Code::RuleVersionsOverlap).because(format!(
            "Version {} of the rule is in force within this period.",
            other.version
        ))),
        None => Ok(()),
    }
}

/// Refuses conditions on partners or product families that do not exist, all of them at once.
fn refuse_unknown_references(tx: &mut Tx<'_>, ctx: &Ctx, terms: &VersionTerms) -> Result<(), Problem> {
    let partner_ids: Vec<_> = terms.partner_ids.iter().map(|id| id.uuid()).collect();
    let family_ids: Vec<_> = terms.product_family_ids.iter().map(|id| id.uuid()).collect();
    if partner_ids.is_empty() && family_ids.is_empty() {
        return Ok(());
    }
    let known = usage_store::known_references(tx, &ctx.scope, &partner_ids, &family_ids)?;
    let unknown = |list: &'static str, ids: Vec<uuid::Uuid>| {
        let known = &known;
        ids.into_iter()
            .enumerate()
            .filter(move |(_, id)| !known.contains(id))
            .map(move |(index, _)| {
                let pointer = format!("/terms/conditions/{list}/{index}");
                FieldProblem::new(pointer, "unknown_reference", "There is no such record.")
            })
    };
    let problems: Vec<_> = unknown("partner_ids", partner_ids)
        .chain(unknown("product_family_ids", family_ids))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(problems))
    }
}

fn record_created(tx: &mut Tx<'_>, ctx: &Ctx, draft: &CommissionRuleVersion) {
    let change = Change::created("commission_rule_version.created", version_subject(draft), draft);
    tx.record(ctx, change);
}

fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &CommissionRuleVersion,
    after: &CommissionRuleVersion,
) -> Result<(), Problem> {
    store::update_version(tx, &ctx.scope, after)?;
    let change = Change::updated(event, version_subject(after), before, after);
    tx.record(ctx, change);
    Ok(())
}

fn subject(rule: &CommissionRule) -> Subject {
    Subject {
        kind: "commission_rule",
        id: rule.id.uuid(),
    }
}

fn version_subject(version: &CommissionRuleVersion) -> Subject {
    Subject {
        kind: "commission_rule_version",
        id: version.id.uuid(),
    }
}
