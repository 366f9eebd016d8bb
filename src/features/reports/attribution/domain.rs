//! Pools of credit, and what they come to.

use super::super::domain::GroupBy;
use crate::kernel::attribution::{AttributionModel, Touch, shares};
use crate::kernel::id::{AttributionId, DealId, PartnerId};
use crate::kernel::money::{Currency, MoneyError, Part, Total};
use crate::kernel::motion::Role;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

word_enum! {
    /// What credit is for.
    Pool, "credit pool" {
        /// Bringing the deal.
        Sourced = "sourced",
        /// Helping to win it.
        Influenced = "influenced",
        /// Implementing it.
        Delivered = "delivered",
        /// Bringing it or helping to win it, counted once.
        SourcedOrInfluenced = "sourced_or_influenced",
    }
}

impl Pool {
    /// Whether whoever has credit in this role has a part in the pool.
    pub const fn takes(self, role: Role) -> bool {
        matches!(
            (self, role),
            (Self::Sourced | Self::SourcedOrInfluenced, Role::Sourced)
                | (Self::Influenced | Self::SourcedOrInfluenced, Role::Influenced)
                | (Self::Delivered, Role::Delivered)
        )
    }

    /// Whether what happened after the win counts: implementing begins there.
    const fn outlives_the_win(self) -> bool {
        matches!(self, Self::Delivered)
    }
}

/// A confirmed credit, at the instant that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Which.
    pub id: AttributionId,
    /// For which deal.
    pub deal_id: DealId,
    /// Whose.
    pub partner_id: PartnerId,
    /// For what.
    pub role: Role,
    /// The share that money follows.
    pub share_basis_points: i32,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
}

/// A group that a partner belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Group {
    /// What it is: an id, a word or a month; empty where there is none.
    pub key: String,
    /// Its name for a person.
    pub label: String,
}

/// What is known of one deal.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// When it was won.
    pub won_at: Option<DateTime<Utc>>,
    /// Its confirmed credits.
    pub credits: Vec<Credit>,
    /// The touchpoints of its partners that stand.
    pub touches: Vec<Touch>,
    /// The group of each partner, where the rows stand for something of partners.
    pub groups: BTreeMap<PartnerId, Group>,
}

impl Known {
    /// The shares of a pool in basis points.
    pub fn shares(&self, model: AttributionModel, pool: Pool) -> BTreeMap<PartnerId, u32> {
        shares(model, &self.touches_of(pool))
    }

    /// The touches that a pool is shared out by.
    pub fn touches_of(&self, pool: Pool) -> Vec<Touch> {
        let until = self.won_at.filter(|_| !pool.outlives_the_win());
        let credits = self.credits.iter().filter(|credit| pool.takes(credit.role));
        let mut claimed: BTreeMap<PartnerId, Touch> = BTreeMap::new();
        for credit in credits {
            let touch = Touch {
                at: until.map_or(credit.claimed_at, |until| credit.claimed_at.min(until)),
                id: credit.id.uuid(),
                partner_id: credit.partner_id,
            };
            let earliest = claimed.entry(credit.partner_id).or_insert(touch);
            *earliest = touch.min(*earliest);
        }
        let of_pool = self
            .touches
            .iter()
            .filter(|touch| claimed.contains_key(&touch.partner_id));
        let mut touches: Vec<Touch> = of_pool
            .filter(|touch| until.is_none_or(|until| touch.at <= until))
            .copied()
            .collect();
        let seen: BTreeSet<PartnerId> = touches.iter().map(|touch| touch.partner_id).collect();
        touches.extend(
            claimed
                .into_values()
                .filter(|touch| !seen.contains(&touch.partner_id)),
        );
        touches
    }

    /// An amount shared out; the parts add up to it under every model but full credit.
    pub fn parts(
        &self,
        model: AttributionModel,
        pool: Pool,
        amount: Total,
    ) -> Result<Vec<(PartnerId, Total)>, MoneyError> {
        let shares = self.shares(model, pool);
        let partners = shares.keys().copied();
        if model == AttributionModel::FullCredit {
            return Ok(partners.map(|partner_id| (partner_id, amount)).collect());
        }
        let parts: Vec<Part> = shares
            .values()
            .zip(1..)
            .map(|(basis_points, rank)| Part {
                basis_points: *basis_points,
                rank,
            })
            .collect();
        let amounts = amount.allocate(&parts, crate::kernel::attribution::WHOLE)?;
        Ok(partners.zip(amounts).collect())
    }
}

/// What an amount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// The worth of a deal that was opened in the period.
    Pipeline,
    /// Money that came in for it in the period.
    Revenue,
}

/// An amount of one deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Of which deal.
    pub deal_id: DealId,
    /// What it is.
    pub figure: Figure,
    /// The group of the deal, where the rows stand for something of deals.
    pub group: Group,
    /// How much.
    pub money: Total,
}

/// The figures of one group in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credited {
    /// What the row stands for.
    pub group: Group,
    /// Deals opened in the period in which partners of the group have a sourced or influenced part.
    pub deals: i64,
    /// Worth of deals opened in the period: sourced, influenced, either.
    pub pipeline: [Total; 3],
    /// Money that came in in the period: sourced, influenced, either.
    pub revenue: [Total; 3],
}

/// The pools of a report, in the order of its figures.
pub const POOLS: [Pool; 3] = [Pool::Sourced, Pool::Influenced, Pool::SourcedOrInfluenced];

/// How amounts are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adding {
    /// By which model.
    pub model: AttributionModel,
    /// What the rows stand for; none is one row per currency.
    pub group_by: Option<GroupBy>,
    /// Only what this partner has.
    pub partner_id: Option<PartnerId>,
}

impl Adding {
    /// Whether a row stands for something of partners.
    pub const fn is_of_partners(group_by: Option<GroupBy>) -> bool {
        matches!(group_by, Some(GroupBy::Partner | GroupBy::Tier | GroupBy::Region))
    }

    /// Adds the amounts up by group and currency, in that order.
    pub fn up(
        self,
        amounts: &[Amount],
        known: &BTreeMap<DealId, Known>,
    ) -> Result<Vec<Credited>, MoneyError> {
        let mut rows: BTreeMap<(Group, &'static str), Credited> = BTreeMap::new();
        for amount in amounts {
            let Some(known) = known.get(&amount.deal_id) else {
                continue;
            };
            for (place, pool) in POOLS.into_iter().enumerate() {
                for (group, money) in self.of_pool(known, pool, amount)? {
                    let currency = money.currency();
                    let row = rows
                        .entry((group.clone(), currency.code()))
                        .or_insert_with(|| Credited::nothing(group, currency));
                    row.add(amount.figure, place, money)?;
                    row.deals +=
                        i64::from(pool == Pool::SourcedOrInfluenced && amount.figure == Figure::Pipeline);
                }
            }
        }
        Ok(rows.into_values().collect())
    }

    /// What a pool of a deal brings to each group.
    fn of_pool(
        self,
        known: &Known,
        pool: Pool,
        amount: &Amount,
    ) -> Result<BTreeMap<Group, Total>, MoneyError> {
        let mut found: BTreeMap<Group, Total> = BTreeMap::new();
        let parts = known.parts(self.model, pool, amount.money)?;
        let wanted = |partner_id: &PartnerId| self.partner_id.is_none_or(|only| only == *partner_id);
        for (partner_id, money) in parts.into_iter().filter(|(partner_id, _)| wanted(partner_id)) {
            let group = if Self::is_of_partners(self.group_by) {
                known.groups.get(&partner_id).cloned().unwrap_or_default()
            } else {
                amount.group.clone()
            };
            match found.get_mut(&group) {
                None => {
                    found.insert(group, money);
                }
                // In full each partner has the same whole: within a group it counts once.
                Some(_) if self.model == AttributionModel::FullCredit => {}
                Some(sum) => *sum = sum.checked_add(money)?,
            }
        }
        Ok(found)
    }
}

impl Credited {
    fn nothing(group: Group, currency: Currency) -> Self {
        Self {
            group,
            deals: 0,
            pipeline: [Total::zero(currency); 3],
            revenue: [Total::zero(currency); 3],
        }
    }

    fn add(&mut self, figure: Figure, place: usize, money: Total) -> Result<(), MoneyError> {
        let figures = match figure {
            Figure::Pipeline => &mut self.pipeline,
            Figure::Revenue => &mut self.revenue,
        };
        if let Some(sum) = figures.get_mut(place) {
            *sum = sum.checked_add(money)?;
        }
        Ok(())
    }
}
