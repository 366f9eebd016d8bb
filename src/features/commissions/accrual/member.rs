//! A party of a pool, and what the rules decide for it and for the distributor above it.

use super::super::standings::Key;
use super::super::store::accrual::{Before, CreditRow, Detail, Holder, PaymentRow, PoolParty, ProgramTerms};
use crate::kernel::commission::{
    Component, Facts, IneligibleReason, Party, Rule, Selection, Standing, select,
};
use crate::kernel::money::Money;
use crate::kernel::time::local_date;
use chrono::{DateTime, Utc};

/// The piece of money.
#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    Payment(&'a PaymentRow),
    Credit(&'a CreditRow),
}

/// A party, with what the rules decide for it and for the distributor above it.
pub(super) struct Member<'a> {
    pub(super) party: &'a PoolParty,
    pub(super) detail: Option<&'a Detail>,
    eligible: Result<(), IneligibleReason>,
    closed_gates: &'a [String],
    before: &'a [Before],
    pub(super) is_new: bool,
    own: Selection<'a>,
    above: Option<Selection<'a>>,
}

impl What<'_> {
    pub(super) fn base(self) -> Money {
        match self {
            Self::Payment(row) => row.net,
            Self::Credit(row) => row.credit,
        }
    }

    /// When the money moved.
    pub(super) fn at(self) -> DateTime<Utc> {
        match self {
            Self::Payment(row) => row.paid_at,
            Self::Credit(row) => row.issued_at,
        }
    }

    pub(super) fn won_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Payment(row) => row.won_at,
            Self::Credit(row) => row.won_at,
        }
    }
}

impl<'a> Member<'a> {
    pub(super) fn new(
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

    /// The same, with what it got for earlier money of the deal.
    pub(super) fn with_past(self, before: &'a [Before]) -> Self {
        Self { before, ..self }
    }

    /// An override is decided for the distributor, everything else for the partner itself.
    pub(super) fn selection(&self, component: Component) -> Option<&Selection<'a>> {
        match component {
            Component::Override => self.above.as_ref(),
            Component::Base | Component::Bonus => Some(&self.own),
        }
    }

    pub(super) fn rule(&self, component: Component) -> Option<&'a Rule> {
        self.selection(component)?.chosen(component)
    }

    pub(super) fn party(&self, component: Component, earlier: Money, standing: Standing) -> Party<'a> {
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
            at_most: past.filter(|past| past.was_barred).map(|past| past.kept),
            already_posted: Money::zero(earlier.currency()),
            earlier,
            standing,
        }
    }

    /// Where the standing is kept that a component reads and changes: of its tiers, and of its cap.
    pub(super) fn keys(&self, component: Component, program: &ProgramTerms, what: What<'_>) -> Vec<Key> {
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
