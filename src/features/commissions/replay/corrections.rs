//! Credit that was corrected since: what its lines came to counts with the share that counts now, as the correction has it.

use super::EarnedBefore;
use crate::features::commissions::corrected::{CreditGain, gains_of_credit};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, CommissionId, PartnerId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Adds what corrections mean for these lines to what was kept of them.
pub fn apply(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: &[EarnedBefore],
    kept: &mut HashMap<CommissionId, Vec<(PartnerId, Money)>>,
) -> Result<(), Problem> {
    let mut known: HashMap<AttributionId, Vec<CreditGain>> = HashMap::new();
    for line in lines {
        let Some(share) = line.corrected_share else {
            continue;
        };
        let gains = match known.entry(line.attribution_id) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => place.insert(gains_of_credit(tx, ctx, line.attribution_id, share)?),
        };
        let of_line = gains.iter().filter(|gain| gain.money == line.place());
        for (partner_id, money) in kept.entry(line.id).or_default() {
            let own = of_line.clone().filter(|gain| gain.partner_id == *partner_id);
            let exact = corrected(*money, own);
            *money =
                Money::rounded(exact, money.currency(), line.program.rounding).map_err(Problem::damaged)?;
        }
    }
    Ok(())
}

/// What was kept by the instant of the replay, in the proportion of what the correction makes of it now: what went back or
/// was exchanged since changes both alike.
fn corrected<'a>(kept: Money, gains: impl Iterator<Item = &'a CreditGain> + Clone) -> Decimal {
    let add = |(now, sum), line: &CreditGain| (now + line.kept, sum + line.gain);
    let (now, gain) = gains.clone().fold((Decimal::ZERO, Decimal::ZERO), add);
    let scaled = (now + gain)
        .checked_mul(kept.amount())
        .and_then(|exact| exact.checked_div(now));
    // Of nothing there is no proportion.
    let alike = gains.filter(|line| line.currency == kept.currency());
    scaled.unwrap_or_else(|| kept.amount() + alike.map(|line| line.gain).sum::<Decimal>())
}
