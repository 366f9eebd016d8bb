//! One pool: the parties of one role on one invoice line and payment, or on one credit note.

use super::super::domain::{CommissionKind, CommissionStatus, Earned, Origin};
use super::super::standings::{Key, Standings};
use super::super::store::accrual::{
    Before, CreditRow, Detail, Details, Holder, PaymentRow, PoolParty, ProgramTerms,
};
use crate::kernel::commission::{
    Accrual, CommissionError, Component, CreditInput, Facts, Goods, HoldStart, IneligibleReason, LineInput,
    Party, Rule, Selection, Service, Standing, accrue_line, credit_note_lines, select,
};
use crate::kernel::id::CommissionId;
use crate::kernel::money::Money;
use crate::kernel::time::{local_date, release_after_month_end, release_at};
use chrono::{DateTime, Utc};

/// The parties of one role on one piece of money.
pub(crate) struct Pool<'a> {
    program: &'a ProgramTerms,
    what: What<'a>,
    members: Vec<Member<'a>>,
    now: DateTime<Utc>,
}

/// The piece of money.
#[derive(Clone, Copy)]
enum What<'a> {
    Payment(&'a PaymentRow),
    Credit(&'a CreditRow),
}

/// A party, with what the rules decide for it and for the distributor above it.
struct Member<'a> {
    party: &'a PoolParty,
    detail: Option<&'a Detail>,
    eligible: Result<(), IneligibleReason>,
    closed_gates: &'a [String],
    before: &'a [Before],
    is_new: bool,
    own: Selection<'a>,
    above: Option<Selection<'a>>,
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
            Member {
                before: &row.before,
                ..member
            }
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
                    let lines = self.lines(component, standings, &earlier)?;
                    self.keep(
                        component,
                        lines.into_iter().enumerate().skip(index).take(1),
                        standings,
                        earned,
                        &mut earlier,
                    )?;
                }
            } else {
                let lines = self.lines(component, standings, &earlier)?;
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
            What::Credit(row) => credit_note_lines(&CreditInput {
                component,
                credit: row.credit,
                service: self.service(),
                rounding: self.program.rounding,
                parties: parties(true),
            }),
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

impl What<'_> {
    fn base(self) -> Money {
        match self {
            Self::Payment(row) => row.net,
            Self::Credit(row) => row.credit,
        }
    }

    /// When the money moved.
    fn at(self) -> DateTime<Utc> {
        match self {
            Self::Payment(row) => row.paid_at,
            Self::Credit(row) => row.issued_at,
        }
    }

    fn won_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Payment(row) => row.won_at,
            Self::Credit(row) => row.won_at,
        }
    }
}

impl<'a> Member<'a> {
    fn new(
        program: &ProgramTerms,
        rules: &'a [Rule],
        what: What<'_>,
        (party, detail): (&'a PoolParty, Option<&'a Detail>),
        eligible: Result<(), IneligibleReason>,
        is_new: bool,
    ) -> Self {
        let lock_at = program.lock_point(what.won_at(), what.at());
        let (product_family_id, deal_type) = match what {
            What::Payment(row) => (row.product_family_id, row.deal_type),
            What::Credit(row) => (row.product_family_id, row.deal_type),
        };
        let facts = |partner_id, holder: Option<&'a Holder>| Facts {
            program_id: program.id,
            motion: program.motion,
            role: party.role,
            partner_id,
            product_family_id,
            currency: what.base().currency(),
            tier: holder.and_then(|holder| holder.tier.as_deref()),
            deal_type,
            country: detail.and_then(|detail| detail.country.as_deref()),
            net: what.base(),
        };
        let own = facts(party.partner_id, detail.map(|detail| &detail.holder));
        let above = detail.and_then(|detail| detail.distributor.as_ref());
        let above = above.map(|above| select(rules, &facts(above.partner_id, Some(&above.holder)), lock_at));
        Self {
            party,
            detail,
            eligible,
            closed_gates: detail.map_or(&[], |detail| &detail.closed_gates),
            before: &[],
            is_new,
            own: select(rules, &own, lock_at),
            above,
        }
    }

    /// An override is decided for the distributor, everything else for the partner itself.
    fn selection(&self, component: Component) -> Option<&Selection<'a>> {
        match component {
            Component::Override => self.above.as_ref(),
            Component::Base | Component::Bonus => Some(&self.own),
        }
    }

    fn rule(&self, component: Component) -> Option<&'a Rule> {
        self.selection(component)?.chosen(component)
    }

    fn party(&self, component: Component, earlier: Money, standing: Standing) -> Party<'a> {
        let distributor = self.detail.and_then(|detail| detail.distributor.as_ref());
        let (partner_id, eligible, closed_gates) = match (component, distributor) {
            (Component::Override, Some(above)) => {
                (above.partner_id, above.eligible(), &above.closed_gates[..])
            }
            _ => (self.party.partner_id, self.eligible, self.closed_gates),
        };
        let mut past = self.before.iter();
        let past = past.find(|past| (past.component, past.partner_id) == (component, partner_id));
        // What was earned is taken back whatever became of the partner, and never more than is left where some money came
        // in while it could not earn; who never earned has nothing to give back.
        let (eligible, closed_gates) = match past {
            Some(past) if past.has_earned => (Ok(()), &[][..]),
            _ => (eligible, closed_gates),
        };
        let at_most = past.filter(|past| past.was_barred).map(|past| past.kept);
        Party {
            attribution_id: self.party.attribution_id,
            partner_id,
            basis_points: self.party.basis_points,
            rank: self.party.rank,
            rule: self.rule(component),
            considered: self
                .selection(component)
                .map(Selection::considered)
                .unwrap_or_default(),
            eligible: eligible.and(through(closed_gates)),
            closed_gates,
            at_most: at_most.map(|kept| {
                if kept.is_negative() {
                    Money::zero(kept.currency())
                } else {
                    kept
                }
            }),
            already_posted: Money::zero(earlier.currency()),
            earlier,
            standing,
        }
    }

    /// Where the standing is kept that a component reads and changes: of its tiers, and of its cap.
    fn keys(&self, component: Component, program: &ProgramTerms, what: What<'_>) -> Vec<Key> {
        let Some(rule) = self.rule(component).filter(|rule| rule.accumulates()) else {
            return Vec::new();
        };
        let distributor = self.detail.and_then(|detail| detail.distributor.as_ref());
        let (partner_id, holder) = match (component, distributor) {
            (Component::Override, Some(above)) => (above.partner_id, Some(&above.holder)),
            _ => (self.party.partner_id, self.detail.map(|detail| &detail.holder)),
        };
        let enrolled_at = holder.and_then(|holder| holder.enrolled_at);
        let anniversary = enrolled_at.map(|instant| local_date(instant, program.zone));
        let day = local_date(what.at(), program.zone);
        let terms = rule.terms();
        let tiers = terms.formula.tiers().filter(|tiers| tiers.accumulates());
        let tier_period = tiers.map(|tiers| tiers.tier_scope.period(day, anniversary));
        let cap = terms.clauses.period_cap.as_ref();
        let cap_period = cap.map(|cap| cap.period.period(day, anniversary));
        Key::of(
            terms.rule_id,
            partner_id,
            what.base().currency(),
            tier_period,
            cap_period,
        )
    }
}

fn through(closed_gates: &[String]) -> Result<(), IneligibleReason> {
    if closed_gates.is_empty() {
        Ok(())
    } else {
        Err(IneligibleReason::GateClosed)
    }
}

/// A bonus that no rule gives, or no longer, is not worth a line.
fn is_wanted(component: Component, line: &Accrual<'_>) -> bool {
    component == Component::Base
        || line.rule.is_some() && line.ineligible != Some(IneligibleReason::RecurrenceOver)
}
