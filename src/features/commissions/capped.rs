//! What the caps of periods leave of what corrections of credit add. A correction takes of a cap what is proposed or was
//! approved of what it adds, beside what lines post; it leaves that room again when what it takes away is approved, or what
//! it adds is not.

use super::standings::{Key, Row, Use};
use super::store::{self, CreditLine};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, PartnerId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::{BTreeMap, BTreeSet};

/// What a correction means for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain {
    /// In the currency of the invoice.
    pub earned: Decimal,
    /// In the currency in which the line is owed.
    pub owed: Decimal,
}

/// What was proposed to a partner for the corrections of a credit, in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditProposed {
    /// To whom.
    pub partner_id: PartnerId,
    /// In which currency.
    pub currency: Currency,
    /// What was neither refused nor withdrawn.
    pub live: Decimal,
    /// What was approved.
    pub approved: Decimal,
}

/// The caps over the lines of one credit.
#[derive(Debug, Default)]
pub struct Caps {
    /// What others take, beside what this credit's lines posted.
    used: BTreeMap<Row, Decimal>,
    /// What corrections of the credit took before.
    before: BTreeMap<Row, Decimal>,
    /// What they add now, in the currency of the cap, by the currency in which that is owed.
    added: BTreeMap<Row, BTreeMap<Currency, Decimal>>,
    /// What they add to the partner in the currency, under caps or not.
    owed: BTreeMap<(PartnerId, Currency), Decimal>,
}

/// Whether the caps are only read, or locked until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Somebody else may take of them meanwhile.
    Read,
    /// Nobody does.
    Lock,
}

impl Caps {
    /// The caps over these lines of the credit.
    pub fn over(
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        id: AttributionId,
        lines: &[CreditLine],
        access: Access,
    ) -> Result<Self, Problem> {
        let keys: Vec<Key> = lines.iter().filter_map(cap_over).map(|(key, _)| key).collect();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let standings = match access {
            Access::Read => store::standings::read(tx, &ctx.scope, keys)?,
            Access::Lock => store::standings::lock(tx, ctx, keys)?,
        };
        let before = store::standing_corrections::of_credit(tx, &ctx.scope, id)?;
        let of_others = |row: &Row, used: Decimal| used - before.get(row).copied().unwrap_or_default();
        let rows = standings.rows();
        Ok(Self {
            used: rows
                .map(|(row, count)| (row.clone(), of_others(row, count.used())))
                .collect(),
            before,
            added: BTreeMap::new(),
            owed: BTreeMap::new(),
        })
    }

    /// Limits what lines gain to what the caps leave, the oldest first; what others of them lose makes room.
    pub fn limit(&mut self, lines: &[CreditLine], gains: &mut [Gain]) -> Result<(), Problem> {
        for (line, gain) in lines.iter().zip(gains.iter()) {
            if gain.earned.is_sign_negative() {
                self.add(line, *gain);
            }
        }
        for (line, gain) in lines.iter().zip(gains.iter_mut()) {
            if gain.earned > Decimal::ZERO {
                self.limit_one(line, gain)?;
                self.add(line, *gain);
            }
        }
        Ok(())
    }

    fn add(&mut self, line: &CreditLine, gain: Gain) {
        let place = (line.partner_id, line.kept.currency());
        *self.owed.entry(place).or_default() += gain.owed;
        if let Some((key, _)) = cap_over(line) {
            let by_currency = self.added.entry(key.row()).or_default();
            *by_currency.entry(place.1).or_default() += gain.earned;
        }
    }

    /// What a credit note takes less is not held back, as what it takes is not.
    fn limit_one(&self, line: &CreditLine, gain: &mut Gain) -> Result<(), Problem> {
        let Some((key, cap)) = cap_over(line).filter(|_| line.is_accrual()) else {
            return Ok(());
        };
        let used = self.used.get(&key.row()).copied().unwrap_or_default();
        let added = self.added.get(&key.row()).into_iter().flat_map(BTreeMap::values);
        let room = (cap.amount() - used - added.sum::<Decimal>()).max(Decimal::ZERO);
        if gain.earned > room {
            let owed = gain.owed.checked_mul(room);
            gain.owed = owed
                .and_then(|exact| exact.checked_div(gain.earned))
                .ok_or_else(|| Problem::damaged("a gain is beyond an amount"))?;
            gain.earned = room;
        }
        Ok(())
    }

    /// Takes of the caps what stands of what the credit adds, instead of what it took before; they are held.
    pub fn take(
        self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        id: AttributionId,
        proposed: &[CreditProposed],
    ) -> Result<(), Problem> {
        let rows: BTreeSet<&Row> = self.before.keys().chain(self.added.keys()).collect();
        let mut taken = Vec::new();
        for row in rows {
            // Rounded up, and never beyond the room, which is in whole units.
            let units = row.2.exponent();
            let before = self.before.get(row).copied().unwrap_or_default();
            let standing = self.standing(row, before, proposed)?;
            let amount = standing.round_dp_with_strategy(units, RoundingStrategy::AwayFromZero);
            if amount != before {
                taken.push((row.clone(), amount, amount - before));
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        store::standing_corrections::save(tx, ctx, id, &taken)
    }

    /// What stands of what is added to a standing: all of it where as much was proposed and not refused, a part where less
    /// was. What was approved beyond that stands until its reduction is approved.
    fn standing(&self, row: &Row, before: Decimal, proposed: &[CreditProposed]) -> Result<Decimal, Problem> {
        let of_partner = |one: &&CreditProposed| one.partner_id == row.1;
        let mut standing = Decimal::ZERO;
        let mut is_beyond = false;
        for one in proposed.iter().filter(of_partner) {
            let most = one.live.max(one.approved).max(Decimal::ZERO);
            let own = self
                .added
                .get(row)
                .and_then(|by_currency| by_currency.get(&one.currency));
            let target = self.owed.get(&(row.1, one.currency)).copied().unwrap_or_default();
            // What is proposed is rounded.
            let unit = Decimal::new(1, one.currency.exponent());
            is_beyond |= most > target.max(Decimal::ZERO) + unit;
            let part = own.filter(|_| target > Decimal::ZERO).map(|earned| {
                let earned = (*earned).max(Decimal::ZERO);
                if most + unit >= target {
                    return Some(earned);
                }
                earned.checked_mul(most)?.checked_div(target)
            });
            if let Some(part) = part {
                standing += part.ok_or_else(|| Problem::damaged("a gain is beyond an amount"))?;
            }
        }
        Ok(if is_beyond { standing.max(before) } else { standing })
    }
}

/// The cap of a line, where its rule has one, and the standing that keeps it.
fn cap_over(line: &CreditLine) -> Option<(Key, Money)> {
    let (rule_id, period, cap) = line.explanation.period_cap()?;
    let key = Key {
        rule_id,
        partner_id: line.partner_id,
        currency: cap.currency(),
        period: period.to_owned(),
        use_of: Use::Cap,
    };
    Some((key, cap))
}
