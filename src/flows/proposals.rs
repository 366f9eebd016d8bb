//! What follows from a decision is proposed as adjustments: a target less what was proposed before. What nobody has decided
//! gives way to one new proposal, because two that only make sense together could be decided differently.

use crate::features::adjustments::{self, Adjustment, NewAdjustment, Proposer};
use crate::features::programs;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money, Rounding, Total};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Whose, in which program and currency.
pub type Place = (PartnerId, ProgramId, Currency);

/// What should have been adjusted, exact.
pub type Targets = BTreeMap<Place, Decimal>;

/// In whose name something is proposed, and who else may not approve it.
#[derive(Debug)]
pub struct Hand {
    /// Its author.
    pub author: ActorId,
    /// Those who may know the author's secret, and those whose proposals give way.
    pub others: Vec<Uuid>,
}

/// What was proposed and nobody has decided, locked.
#[derive(Debug)]
pub struct Undecided<'a> {
    proposer: Proposer<'a>,
    proposals: Vec<Adjustment>,
}

impl<'a> Undecided<'a> {
    /// Locks it. Whoever comes here lets nobody else propose the same.
    pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, proposer: Proposer<'a>) -> Result<Self, Problem> {
        Ok(Self {
            proposer,
            proposals: adjustments::lock_undecided(tx, ctx, proposer)?,
        })
    }

    /// Who proposed it.
    pub fn authors(&self) -> impl Iterator<Item = ActorId> {
        self.proposals.iter().map(|proposal| proposal.created_by)
    }

    /// Proposes what is missing to the targets, each rounded by its program, in place of what is undecided there.
    pub fn replace(
        self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        targets: Targets,
        hand: Hand,
        new: impl Fn(Place, Money) -> NewAdjustment,
    ) -> Result<(), Problem> {
        let mut missing = self.missing(tx, ctx, targets)?;
        let Hand { author, mut others } = hand;
        others.extend(self.authors().map(ActorId::uuid));
        for adjustment in self.proposals {
            let place = (
                adjustment.partner_id,
                adjustment.program_id,
                adjustment.amount.currency(),
            );
            if let Some((gain, _)) = missing.get_mut(&place) {
                *gain += adjustment.amount.amount();
                adjustments::withdraw(tx, ctx, adjustment.id, &Precondition::Any)?;
            }
        }
        let amounts = missing.into_iter().flat_map(|(place, (gain, rounding))| {
            let amounts = Total::rounded(gain, place.2, rounding).amounts().into_iter();
            amounts.map(move |amount| (place, amount))
        });
        let proposals = amounts.map(|(place, amount)| new(place, amount)).collect();
        adjustments::propose_for(tx, ctx, proposals, author, &others)?;
        Ok(())
    }

    /// What was not proposed yet, with the rounding of its program; nothing of what rounds to nothing.
    fn missing(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        mut targets: Targets,
    ) -> Result<BTreeMap<Place, (Decimal, Rounding)>, Problem> {
        for proposed in adjustments::proposed(tx, ctx, self.proposer)? {
            let place = (
                proposed.partner_id,
                proposed.program_id,
                proposed.amount.currency(),
            );
            *targets.entry(place).or_default() -= proposed.amount.amount();
        }
        let mut missing = BTreeMap::new();
        for (place, gain) in targets {
            let rounding = programs::get(tx, ctx, place.1)?.rounding;
            if !Total::rounded(gain, place.2, rounding).is_zero() {
                missing.insert(place, (gain, rounding));
            }
        }
        Ok(missing)
    }
}
