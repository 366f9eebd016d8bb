//! Earning: from what the store knows of payments and credit notes to new lines.

use super::domain::{CommissionKind, CommissionStatus, Earned, Origin};
use super::store::accrual::{CreditRow, Inputs, PaymentRow, PoolParty, ProgramTerms};
use super::store::{self};
use crate::features::commission_rules;
use crate::kernel::commission::{
    Accrual, CommissionError, Component, CreditInput, Facts, IneligibleReason, LineInput, Party, Rule,
    Selection, accrue_line, credit_note_lines, select,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, CreditNoteId, DealId, PaymentId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::time::release_at;
use crate::platform::db::{Change, Subject, Tx};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;

/// What to accrue.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// These payments.
    Payments(&'a [PaymentId]),
    /// Every payment of these deals.
    Deals(&'a [DealId]),
    /// These credit notes, which name a deal and no invoice.
    CreditNotes(&'a [CreditNoteId]),
}

/// Works out, writes and returns the lines that the source earned and that were not written before.
pub fn accrue(tx: &mut Tx<'_>, ctx: &Ctx, source: Source<'_>) -> Result<Vec<Earned>, Problem> {
    let inputs = store::accrual::inputs(tx, &ctx.scope, source)?;
    if inputs.payments.is_empty() && inputs.credits.is_empty() {
        return Ok(Vec::new());
    }
    let programs: Vec<ProgramId> = inputs.programs.keys().copied().collect();
    let rules = commission_rules::rules_of_programs(tx, ctx, &programs)?;
    let earned = work_out(&inputs, &rules, ctx.now)?;
    store::accrual::insert(tx, ctx, &earned)?;
    record(tx, ctx, &earned);
    Ok(earned)
}

/// The lines of all inputs; pure.
fn work_out(
    inputs: &Inputs,
    rules: &HashMap<ProgramId, Vec<Rule>>,
    now: DateTime<Utc>,
) -> Result<Vec<Earned>, Problem> {
    let mut earned = Vec::with_capacity(inputs.payments.len() + inputs.credits.len());
    let no_rules = Vec::new();
    for pool in inputs.payments.chunk_by(PaymentRow::same_pool) {
        let Some(first) = pool.first() else { continue };
        let program = inputs.program(first.program_id)?;
        let rules = rules.get(&first.program_id).unwrap_or(&no_rules);
        let pool = PaymentPool {
            program,
            first,
            parties: pool,
            rules,
            now,
        };
        pool.accrue(&mut earned).map_err(Problem::damaged)?;
    }
    for pool in inputs.credits.chunk_by(CreditRow::same_pool) {
        let Some(first) = pool.first() else { continue };
        let program = inputs.program(first.program_id)?;
        let rules = rules.get(&first.program_id).unwrap_or(&no_rules);
        let pool = CreditPool {
            program,
            first,
            parties: pool,
            rules,
            now,
        };
        pool.credit(&mut earned).map_err(Problem::damaged)?;
    }
    Ok(earned)
}

/// The parties of one role on one invoice line and payment.
struct PaymentPool<'a> {
    program: &'a ProgramTerms,
    first: &'a PaymentRow,
    parties: &'a [PaymentRow],
    rules: &'a [Rule],
    now: DateTime<Utc>,
}

impl PaymentPool<'_> {
    fn accrue(&self, earned: &mut Vec<Earned>) -> Result<(), CommissionError> {
        let lock_at = if self.program.locks_when_paid {
            self.first.paid_at
        } else {
            self.first.won_at.unwrap_or(self.first.paid_at)
        };
        let selections = selections(
            self.program,
            self.parties.iter().map(|row| &row.party),
            self.rules,
            self.first.facts_of_line(),
            lock_at,
        );
        for component in components(&selections) {
            let parties = self.parties(&selections, component);
            let mut input = self.input(component, parties);
            if input.paid_before.is_positive() {
                input.parties = self.with_posted(&input)?;
            }
            let lines = accrue_line(&input)?;
            earned.extend(
                self.parties
                    .iter()
                    .zip(lines)
                    .filter(|(row, line)| row.is_new && is_wanted(component, line))
                    .map(|(row, line)| self.line(row, line)),
            );
        }
        Ok(())
    }

    fn parties<'s>(&self, selections: &[Selection<'s>], component: Component) -> Vec<Party<'s>> {
        let zero = Money::zero(self.first.net.currency());
        let party = |(row, selection): (&PaymentRow, &Selection<'s>)| {
            row.party.party(selection, component, zero, row.party.eligible())
        };
        self.parties.iter().zip(selections).map(party).collect()
    }

    fn input<'s>(&self, component: Component, parties: Vec<Party<'s>>) -> LineInput<'s> {
        let PaymentRow {
            net,
            invoice_total,
            paid_before,
            paid_after,
            ..
        } = *self.first;
        LineInput {
            component,
            net,
            invoice_total,
            paid_before,
            paid_after,
            rounding: self.program.rounding,
            parties,
        }
    }

    /// What the terms had come to before this payment: the cumulative target, so that money which came in while a
    /// partner was not eligible, or under an older version, is not made up for later.
    fn with_posted<'s>(&self, input: &LineInput<'s>) -> Result<Vec<Party<'s>>, CommissionError> {
        let zero = Money::zero(input.net.currency());
        let before = LineInput {
            paid_before: zero,
            paid_after: input.paid_before,
            ..input.clone()
        };
        let posted = accrue_line(&before)?;
        let parties = input.parties.iter().zip(posted);
        Ok(parties
            .map(|(party, line)| Party {
                already_posted: line.amount,
                ..party.clone()
            })
            .collect())
    }

    fn line(&self, row: &PaymentRow, line: Accrual<'_>) -> Earned {
        let hold_days = line.rule.map_or(0, |rule| rule.terms().hold_days);
        let release_at = release_at(row.paid_at, hold_days, self.program.zone);
        let status = match line.ineligible {
            Some(_) => CommissionStatus::Ineligible,
            None if release_at > self.now => CommissionStatus::Pending,
            None if self.program.approves_by_itself => CommissionStatus::Approved,
            None => CommissionStatus::Due,
        };
        let origin = Origin {
            program_id: row.program_id,
            deal_id: row.deal_id,
            paid: Some((row.invoice_id, row.invoice_line_id, row.payment_id)),
            credit_note_id: None,
        };
        let times = (row.paid_at, release_at);
        finished(
            CommissionKind::Accrual,
            origin,
            &row.party,
            self.first.net,
            status,
            times,
            line,
            self.now,
        )
    }
}

/// The parties of one role on one credit note.
struct CreditPool<'a> {
    program: &'a ProgramTerms,
    first: &'a CreditRow,
    parties: &'a [CreditRow],
    rules: &'a [Rule],
    now: DateTime<Utc>,
}

impl CreditPool<'_> {
    fn credit(&self, earned: &mut Vec<Earned>) -> Result<(), CommissionError> {
        let lock_at = if self.program.locks_when_paid {
            self.first.issued_at
        } else {
            self.first.won_at.unwrap_or(self.first.issued_at)
        };
        let selections = selections(
            self.program,
            self.parties.iter().map(|row| &row.party),
            self.rules,
            (self.first.product_family_id, self.first.credit.currency()),
            lock_at,
        );
        let zero = Money::zero(self.first.credit.currency());
        for component in components(&selections) {
            let party = |(row, selection): (&CreditRow, &_)| {
                row.party.party(selection, component, zero, row.eligible())
            };
            let parties = self.parties.iter().zip(&selections).map(party).collect();
            let input = CreditInput {
                component,
                credit: self.first.credit,
                rounding: self.program.rounding,
                parties,
            };
            let lines = credit_note_lines(&input)?;
            earned.extend(
                self.parties
                    .iter()
                    .zip(lines)
                    .filter(|(row, line)| row.is_new && is_wanted(component, line))
                    .map(|(row, line)| self.line(row, line)),
            );
        }
        Ok(())
    }

    fn line(&self, row: &CreditRow, line: Accrual<'_>) -> Earned {
        let status = match line.ineligible {
            Some(_) => CommissionStatus::Ineligible,
            None => CommissionStatus::Approved,
        };
        let origin = Origin {
            program_id: row.program_id,
            deal_id: row.deal_id,
            paid: None,
            credit_note_id: Some(row.credit_note_id),
        };
        let times = (row.issued_at, row.issued_at);
        finished(
            CommissionKind::CreditNote,
            origin,
            &row.party,
            self.first.credit,
            status,
            times,
            line,
            self.now,
        )
    }
}

/// The decision of the rules for each party.
fn selections<'a, 'r>(
    program: &ProgramTerms,
    parties: impl Iterator<Item = &'a PoolParty>,
    rules: &'r [Rule],
    (product_family_id, currency): (
        Option<crate::kernel::id::ProductFamilyId>,
        crate::kernel::money::Currency,
    ),
    lock_at: DateTime<Utc>,
) -> Vec<Selection<'r>> {
    let facts = |party: &PoolParty| Facts {
        program_id: program.id,
        motion: program.motion,
        role: party.role,
        partner_id: party.partner_id,
        product_family_id,
        currency,
    };
    parties
        .map(|party| select(rules, &facts(party), lock_at))
        .collect()
}

/// The components to work out: the base always, so that whoever earns nothing learns why.
fn components(selections: &[Selection<'_>]) -> impl Iterator<Item = Component> {
    let chosen = |component: &Component| {
        *component == Component::Base
            || selections
                .iter()
                .any(|selection| selection.chosen(*component).is_some())
    };
    Component::ALL.iter().copied().filter(chosen)
}

/// A bonus that no rule gives is not worth a line.
fn is_wanted(component: Component, line: &Accrual<'_>) -> bool {
    component == Component::Base || line.rule.is_some()
}

impl PoolParty {
    fn party<'r>(
        &self,
        selection: &Selection<'r>,
        component: Component,
        zero: Money,
        eligible: Result<(), IneligibleReason>,
    ) -> Party<'r> {
        Party {
            attribution_id: self.attribution_id,
            partner_id: self.partner_id,
            basis_points: self.basis_points,
            rank: self.rank,
            rule: selection.chosen(component),
            considered: selection.considered(),
            eligible,
            already_posted: zero,
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a line is made of all of these, once for each kind"
)]
fn finished(
    kind: CommissionKind,
    origin: Origin,
    party: &PoolParty,
    base: Money,
    status: CommissionStatus,
    (earned_at, release_at): (DateTime<Utc>, DateTime<Utc>),
    line: Accrual<'_>,
    now: DateTime<Utc>,
) -> Earned {
    Earned {
        id: CommissionId::new(now),
        kind,
        origin,
        partner_id: party.partner_id,
        attribution_id: party.attribution_id,
        role: party.role,
        component: line.component,
        rule_version_id: line.rule.map(|rule| rule.terms().version_id),
        status,
        ineligible_reason: line.ineligible,
        base,
        amount: line.amount,
        earned_at,
        release_at,
        explanation: line.explanation,
    }
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, earned: &[Earned]) {
    for line in earned {
        let data = json!({
            "deal_id": line.origin.deal_id,
            "program_id": line.origin.program_id,
            "status": line.status,
            "ineligible_reason": line.ineligible_reason,
            "partner_id": line.partner_id,
            "amount": line.amount,
        });
        let subject = Subject {
            kind: "commission",
            id: line.id.uuid(),
        };
        let change = Change::consequence("commission.accrued", subject, data);
        tx.record(ctx, change.for_partner(Some(line.partner_id.uuid())));
    }
}
