//! The rules of a program as if other versions had been in force over a period.

use super::domain::{CommissionRuleVersion, VersionTerms};
use super::service::{refuse_falling_tiers, refuse_ties};
use super::store;
use crate::kernel::commission::Rule;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProgramId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Period;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// A rule, and since when the service has known it.
#[derive(Debug, Clone)]
pub struct KnownRule {
    /// The rule.
    pub rule: Rule,
    /// When it was put in force; what was computed before could not go by it. None of the one that is assumed.
    pub since: Option<DateTime<Utc>>,
}

/// Versions of a program's rules in force over periods, in the place of what their rules said then; everything else as it
/// is. The periods of one rule do not meet.
///
/// # Errors
/// What activating them would be refused for: `rule_tiers_fall`, `rules_tie`.
pub fn rules_assuming(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    versions: &[(CommissionRuleVersion, Period)],
) -> Result<Vec<KnownRule>, Problem> {
    let programs: Vec<ProgramId> = versions.iter().map(|(version, _)| version.program_id).collect();
    let mut others = Vec::new();
    for other in store::deciding(tx, &ctx.scope, &programs)? {
        let mut pieces = vec![other];
        for (version, period) in versions {
            if pieces
                .first()
                .is_some_and(|piece| piece.commission_rule_id == version.commission_rule_id)
            {
                pieces = pieces.iter().flat_map(|piece| outside(piece, period)).collect();
            }
        }
        others.extend(pieces);
    }
    let mut rules = Vec::with_capacity(others.len() + versions.len());
    for other in &others {
        rules.push(KnownRule {
            rule: other.rule().map_err(Problem::damaged)?,
            since: other.activated_at,
        });
    }
    for (version, period) in versions {
        let assumed = lasting(version, period.from, Some(period.to));
        refuse_falling_tiers(&assumed)?;
        refuse_ties(&assumed, &others)?;
        rules.push(KnownRule {
            rule: assumed.rule().map_err(Problem::damaged)?,
            since: None,
        });
        others.push(assumed);
    }
    Ok(rules)
}

/// What a period leaves of a version: a piece before it and a piece after it.
fn outside(version: &CommissionRuleVersion, period: &Period) -> Vec<CommissionRuleVersion> {
    let (from, to) = (version.terms.effective_from, version.terms.effective_to);
    let before = (from < period.from).then(|| {
        let end = to.map_or(period.from, |to| to.min(period.from));
        lasting(version, from, Some(end))
    });
    let after = to
        .is_none_or(|to| to > period.to)
        .then(|| lasting(version, from.max(period.to), to));
    before.into_iter().chain(after).collect()
}

fn lasting(
    version: &CommissionRuleVersion,
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
) -> CommissionRuleVersion {
    CommissionRuleVersion {
        terms: VersionTerms {
            effective_from: from,
            effective_to: to,
            ..version.terms.clone()
        },
        ..version.clone()
    }
}
