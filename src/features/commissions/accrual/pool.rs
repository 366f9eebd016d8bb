//! One pool: the parties of one role on one invoice line and payment, or on one credit note.

use super::super::domain::{CommissionKind, CommissionStatus, Earned, Origin};
use super::super::standings::{Key, Standings};
use super::super::store::accrual::{CreditRow, Detail, Details, PaymentRow, ProgramTerms};
use super::member::{Member, What};
use crate::kernel::commission::{
    Accrual, CommissionError, Component, CreditInput, Goods, HoldStart, IneligibleReason, LineInput, Party,
    Rule, Service, Standing, accrue_line, credit_note_lines,
};
use crate::kernel::id::CommissionId;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::time::{local_date, release_after_month_end, release_at};
use chrono::{DateTime, Utc};

/// The parties of one role on one piece of money.
pub(crate) struct Pool<'a> {
    program: &'a ProgramTerms,
    what: What<'a>,
    members: Vec<Member<'a>>,
    now: DateTime<Utc>,
}

impl<'a> Pool<'a> {
    pub(crate) fn of_payment(
        program: &'a ProgramTerms,
        rules: &'a [Rule],
        first: &'a PaymentRow,
        rows: &'a [PaymentRow],
        details: &'a Details,
        now: DateTime<Utc>,
    ) -> Self {
        let what = What::Payment(first);
        let line = (first.payment_id.uuid(), first.invoice_line_id.uuid());
        let member = |row: &'a PaymentRow| {
            let detail = details.get(line, row.party.attribution_id);
            Member::new(
                program,
                rules,
                what,
                (&row.party, detail),
                row.party.eligible(),
                row.is_new,
            )
        };
        Self {
            program,
            what,
            members: rows.iter().map(member).collect(),
            now,
        }
    }

    pub(crate) fn of_credit(
        program: &'a ProgramTerms,
        rules: &'a [Rule],
        first: &'a CreditRow,
        rows: &'a [CreditRow],
        details: &'a Details,
        now: DateTime<Utc>,
    ) -> Self {
        let what = What::Credit(first);
        let note = first.credit_note_id.uuid();
        let member = |row: &'a CreditRow| {
            let detail = details.get((note, note), row.party.attribution_id);
            let member = Member::new(
                program,
                rules,
                what,
                (&row.party, detail),
                row.party.eligible(),
                row.is_new,
            );
            member.with_past(&row.before)
        };
        Self {
            program,
            what,
            members: rows.iter().map(member).collect(),
            now,
        }
    }

    /// Where the parties' standings are kept that this pool reads and changes.
    pub(crate) fn standings(&self) -> impl Iterator<Item = Key> {
        let of_member = move |member: &'_ Member<'a>| {
            let of_component = |component: &Component| member.keys(*component, self.program, self.what);
            Component::ALL.iter().flat_map(of_component).collect::<Vec<_>>()
        };
        self.members
            .iter()
            .filter(|member| member.is_new)
            .flat_map(of_member)
    }

    /// Works out the lines, component by component; each party's later components stay within what the earlier ones
    /// leave of its base.
    pub(crate) fn earn(
        &self,
        standings: &mut Standings,
        earned: &mut Vec<Earned>,
    ) -> Result<(), CommissionError> {
        let mut earlier = vec![Money::zero(self.what.base().currency()); self.members.len()];
        for component in self.components() {
            let counts = |member: &Member<'_>| member.rule(component).is_some_and(Rule::accumulates);
            if self.members.iter().any(counts) {
                // Two parties may have one distributor: each is worked out where the one before left it.
                for index in 0..self.members.len() {
                    let lines = self.lines(component, standings, &earlier, earned)?;
                    self.keep(
                        component,
                        lines.into_iter().enumerate().skip(index).take(1),
                        standings,
                        earned,
                        &mut earlier,
                    )?;
                }
            } else {
                let lines = self.lines(component, standings, &earlier, earned)?;
                self.keep(
                    component,
                    lines.into_iter().enumerate(),
                    standings,
                    earned,
                    &mut earlier,
                )?;
            }
        }
        Ok(())
    }

    fn keep<'l>(
        &self,
        component: Component,
        lines: impl Iterator<Item = (usize, Accrual<'l>)>,
        standings: &mut Standings,
        earned: &mut Vec<Earned>,
        earlier: &mut [Money],
    ) -> Result<(), CommissionError> {
        for (index, line) in lines {
            let member = &self.members[index];
            earlier[index] = earlier[index].checked_add(line.entitled.abs())?;
            if !member.is_new || !is_wanted(component, &line) {
                continue;
            }
            standings.add(
                &member.keys(component, self.program, self.what),
                line.growth,
                line.amount,
            )?;
            earned.push(self.line(member, line));
        }
        Ok(())
    }

    /// The components to work out: the base always, so that whoever earns nothing learns why.
    fn components(&self) -> impl Iterator<Item = Component> {
        let decided =
            |component: Component| self.members.iter().any(|member| member.rule(component).is_some());
        Component::ALL
            .iter()
            .copied()
            .filter(move |component| *component == Component::Base || decided(*component))
    }

    fn lines(
        &self,
        component: Component,
        standings: &Standings,
        earlier: &[Money],
        earned: &[Earned],
    ) -> Result<Vec<Accrual<'a>>, CommissionError> {
        let parties = |with_standing: bool| -> Vec<Party<'a>> {
            let members = self.members.iter().zip(earlier);
            members
                .map(|(member, earlier)| {
                    let standing = if with_standing {
                        standings.of(&member.keys(component, self.program, self.what))
                    } else {
                        Standing::default()
                    };
                    member.party(component, *earlier, standing)
                })
                .collect()
        };
        match self.what {
            What::Payment(row) => {
                let mut input = self.line_input(row, component, parties(true));
                if input.paid_before.is_positive() {
                    let before = LineInput {
                        paid_before: Money::zero(row.net.currency()),
                        paid_after: input.paid_before,
                        parties: parties(false),
                        ..input.clone()
                    };
                    // What the terms had come to before this payment: the cumulative target, so that money which came
                    // in while a partner was not eligible, or under an older version, is not made up for later.
                    for (party, line) in input.parties.iter_mut().zip(accrue_line(&before)?) {
                        party.already_posted = line.uncapped;
                    }
                }
                accrue_line(&input)
            }
            What::Credit(row) => {
                let mut parties = parties(true);
                for party in &mut parties {
                    let rest = party.at_most.map(|kept| rest_of(kept, party, component, earned));
                    party.at_most = rest.transpose()?;
                }
                credit_note_lines(&CreditInput {
                    component,
                    credit: row.credit,
                    service: self.service(),
                    rounding: self.program.rounding,
                    parties,
                })
            }
        }
    }

    fn line_input(&self, row: &PaymentRow, component: Component, parties: Vec<Party<'a>>) -> LineInput<'a> {
        LineInput {
            component,
            net: row.net,
            goods: self.detail().map_or_else(Goods::default, |detail| detail.goods),
            service: self.service(),
            invoice_total: row.invoice_total,
            paid_before: row.paid_before,
            paid_after: row.paid_after,
            rounding: self.program.rounding,
            parties,
        }
    }

    fn detail(&self) -> Option<&'a Detail> {
        self.members.first().and_then(|member| member.detail)
    }

    /// Where the line stands in the life of the deal, which begins on the day of the win.
    fn service(&self) -> Option<Service> {
        let detail = self.detail()?;
        let starts_on = detail
            .starts_on
            .unwrap_or_else(|| local_date(self.what.at(), self.program.zone));
        Some(Service {
            anchor: self
                .what
                .won_at()
                .map_or(starts_on, |won_at| local_date(won_at, self.program.zone)),
            starts_on,
            is_first_invoice: detail.is_first_invoice,
        })
    }

    fn line(&self, member: &Member<'_>, line: Accrual<'_>) -> Earned {
        let (kind, origin, release_at) = match self.what {
            What::Payment(row) => {
                let origin = Origin {
                    program_id: row.program_id,
                    deal_id: row.deal_id,
                    paid: Some((row.invoice_id, row.invoice_line_id, row.payment_id)),
                    credit_note_id: None,
                };
                (
                    CommissionKind::Accrual,
                    origin,
                    self.release_at(row.paid_at, line.rule),
                )
            }
            What::Credit(row) => {
                let origin = Origin {
                    program_id: row.program_id,
                    deal_id: row.deal_id,
                    paid: None,
                    credit_note_id: Some(row.credit_note_id),
                };
                (CommissionKind::CreditNote, origin, row.issued_at)
            }
        };
        let status = match (line.ineligible, self.what) {
            (Some(_), _) => CommissionStatus::Ineligible,
            (None, What::Credit(_)) => CommissionStatus::Approved,
            (None, What::Payment(_)) if release_at > self.now => CommissionStatus::Pending,
            (None, What::Payment(_)) if self.program.approves_by_itself => CommissionStatus::Approved,
            (None, What::Payment(_)) => CommissionStatus::Due,
        };
        Earned {
            id: CommissionId::new(self.now),
            kind,
            origin,
            partner_id: line.partner_id,
            attribution_id: member.party.attribution_id,
            role: member.party.role,
            component: line.component,
            rule_version_id: line.rule.map(|rule| rule.terms().version_id),
            status,
            ineligible_reason: line.ineligible,
            base: self.what.base(),
            amount: line.amount,
            earned_at: self.what.at(),
            release_at,
            explanation: line.explanation,
        }
    }

    fn release_at(&self, paid_at: DateTime<Utc>, rule: Option<&Rule>) -> DateTime<Utc> {
        let zone = self.program.zone;
        let Some(terms) = rule.map(Rule::terms) else {
            return paid_at;
        };
        match terms.clauses.hold_start {
            HoldStart::Payment => release_at(paid_at, terms.hold_days, zone),
            HoldStart::EndOfMonth => release_after_month_end(paid_at, terms.hold_days, zone),
        }
    }
}

/// What is left of what somebody kept after the lines that were worked out before this one; nothing at least.
fn rest_of(
    kept: Money,
    party: &Party<'_>,
    component: Component,
    earned: &[Earned],
) -> Result<Money, MoneyError> {
    let wanted = (party.attribution_id, party.partner_id, component, kept.currency());
    let of_party = |line: &&Earned| {
        (
            line.attribution_id,
            line.partner_id,
            line.component,
            line.amount.currency(),
        ) == wanted
    };
    let mut lines = earned.iter().filter(of_party);
    let rest = lines.try_fold(kept, |rest, line| rest.checked_add(line.amount))?;
    rest.max(Money::zero(kept.currency()))
}

/// A bonus that no rule gives, or no longer, is not worth a line.
fn is_wanted(component: Component, line: &Accrual<'_>) -> bool {
    component == Component::Base
        || line.rule.is_some() && line.ineligible != Some(IneligibleReason::RecurrenceOver)
}
