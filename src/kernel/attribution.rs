//! Models of attribution: how the credit for one deal is shared out among the partners that touched it.
//!
//! Pure and exact: whole numbers only, so that the same touches always give the same shares, which add up to the whole.
//! Money never follows a model; it follows the confirmed shares. A model is a way to look.

use super::id::PartnerId;
use super::word::word_enum;
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The whole of a credit, in basis points.
pub const WHOLE: u32 = 10_000;
/// Days after which a touch counts half as much as the last one. Sales that partners take part in run over months; the
/// week that advertising uses would leave nearly all credit to whoever came last.
pub const HALF_LIFE_DAYS: i64 = 30;
/// What the first and the last touch have each in the position-based model, in basis points; what is left is shared by
/// those between. 40, 20 and 40 percent is what the field means by that name.
pub const END_BASIS_POINTS: u32 = 4_000;

const HALF_LIFE_SECONDS: u128 = HALF_LIFE_DAYS.unsigned_abs() as u128 * 86_400;
/// One, as a weight: a fixed point of 60 binary places.
const ONE: u128 = 1 << WEIGHT_BITS;
const WEIGHT_BITS: u32 = 60;
/// Into how many steps a half-life is cut, as a power of two: steps of 40 seconds.
const STEP_BITS: u32 = 16;

word_enum! {
    /// How credit is shared out.
    AttributionModel, "attribution model" {
        /// Everybody who has a part has all of it; the sum over partners exceeds the whole.
        FullCredit = "full_credit",
        /// All of it to whoever touched the deal first.
        FirstTouch = "first_touch",
        /// All of it to whoever touched the deal last.
        LastTouch = "last_touch",
        /// As much to each touch.
        Linear = "linear",
        /// Half as much to a touch for each half-life that it lies before the last one.
        TimeDecay = "time_decay",
        /// Most to the first and the last touch.
        PositionBased = "position_based",
    }
}

/// One touch of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// When.
    pub at: DateTime<Utc>,
    /// Decides which of two touches of the same instant came first.
    pub id: Uuid,
    /// Whose.
    pub partner_id: PartnerId,
}

/// The share of each partner in basis points. But for full credit, the shares of any touches add up to [`WHOLE`]; of no
/// touches there are none. The order of the list does not matter.
pub fn shares(model: AttributionModel, touches: &[Touch]) -> BTreeMap<PartnerId, u32> {
    let mut touches = touches.to_vec();
    touches.sort_unstable();
    if model == AttributionModel::FullCredit {
        return touches.iter().map(|touch| (touch.partner_id, WHOLE)).collect();
    }
    // Partners in the order of their first touch, which settles ties.
    let mut weights: Vec<(PartnerId, u128)> = Vec::new();
    for (position, touch) in touches.iter().enumerate() {
        let weight = weight(model, &touches, position);
        match weights
            .iter_mut()
            .find(|(partner, _)| *partner == touch.partner_id)
        {
            Some((_, sum)) => *sum += weight,
            None => weights.push((touch.partner_id, weight)),
        }
    }
    by_largest_remainder(&weights)
}

fn weight(model: AttributionModel, touches: &[Touch], position: usize) -> u128 {
    let (is_first, is_last) = (position == 0, position + 1 == touches.len());
    match model {
        AttributionModel::FullCredit | AttributionModel::Linear => 1,
        AttributionModel::FirstTouch => u128::from(is_first),
        AttributionModel::LastTouch => u128::from(is_last),
        AttributionModel::TimeDecay => match (touches.get(position), touches.last()) {
            (Some(touch), Some(last)) => decayed((last.at - touch.at).num_seconds()),
            _ => 0,
        },
        AttributionModel::PositionBased => {
            let between = touches.len().saturating_sub(2) as u128;
            match (between, is_first || is_last) {
                (0, _) => 1,
                (_, true) => u128::from(END_BASIS_POINTS) * between,
                (_, false) => u128::from(WHOLE - 2 * END_BASIS_POINTS),
            }
        }
    }
}

/// Two to the power of minus the age in half-lives. A fraction of a half-life is a product of roots of a half.
fn decayed(age_seconds: i64) -> u128 {
    let age = u128::from(age_seconds.max(0).unsigned_abs());
    let steps = ((age % HALF_LIFE_SECONDS) << STEP_BITS) / HALF_LIFE_SECONDS;
    let (mut weight, mut root) = (ONE, ONE / 2);
    for bit in (0..STEP_BITS).rev() {
        root = (root << WEIGHT_BITS).isqrt();
        if steps >> bit & 1 == 1 {
            weight = (weight * root) >> WEIGHT_BITS;
        }
    }
    let halvings = u32::try_from(age / HALF_LIFE_SECONDS).unwrap_or(u32::MAX);
    weight.checked_shr(halvings).unwrap_or(0)
}

/// The whole cut by weight; what is left goes to the largest remainders, and of equal ones to whoever stands first.
fn by_largest_remainder(weights: &[(PartnerId, u128)]) -> BTreeMap<PartnerId, u32> {
    let total: u128 = weights.iter().map(|(_, weight)| weight).sum();
    if total == 0 {
        return BTreeMap::new();
    }
    let cut = |weight: u128| {
        let product = weight * u128::from(WHOLE);
        (u32::try_from(product / total).unwrap_or(WHOLE), product % total)
    };
    let mut shares: BTreeMap<PartnerId, u32> = BTreeMap::new();
    let mut remainders = Vec::with_capacity(weights.len());
    let mut spare = WHOLE;
    for (position, (partner_id, weight)) in weights.iter().enumerate() {
        let (share, remainder) = cut(*weight);
        shares.insert(*partner_id, share);
        remainders.push((Reverse(remainder), position, *partner_id));
        spare -= share;
    }
    remainders.sort_unstable();
    for (_, _, partner_id) in remainders.into_iter().take(spare as usize) {
        *shares.entry(partner_id).or_default() += 1;
    }
    shares.retain(|_, share| *share > 0);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const MODELS: [AttributionModel; 5] = [
        AttributionModel::FirstTouch,
        AttributionModel::LastTouch,
        AttributionModel::Linear,
        AttributionModel::TimeDecay,
        AttributionModel::PositionBased,
    ];

    fn partner(number: u8) -> PartnerId {
        PartnerId::from_uuid(Uuid::from_u128(u128::from(number)))
    }

    /// Touches of these partners on these days.
    fn touches(of: &[(u8, i64)]) -> Vec<Touch> {
        let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        of.iter()
            .enumerate()
            .map(|(position, (number, day))| Touch {
                at: start + TimeDelta::days(*day),
                id: Uuid::from_u128(position as u128),
                partner_id: partner(*number),
            })
            .collect()
    }

    fn shared(model: AttributionModel, of: &[(u8, i64)]) -> Vec<(u8, u32)> {
        let found = shares(model, &touches(of));
        let number = |id: &PartnerId| u8::try_from(id.uuid().as_u128()).unwrap();
        found.iter().map(|(id, share)| (number(id), *share)).collect()
    }

    #[test]
    fn each_model_by_hand() {
        use AttributionModel::{FirstTouch, FullCredit, LastTouch, Linear, PositionBased, TimeDecay};
        let three = [(1, 0), (2, 30), (3, 60)];
        for (model, of, expected) in [
            (
                FullCredit,
                &three[..],
                vec![(1, 10_000), (2, 10_000), (3, 10_000)],
            ),
            (FirstTouch, &three, vec![(1, 10_000)]),
            (LastTouch, &three, vec![(3, 10_000)]),
            // The spare basis point goes to whoever was there first.
            (Linear, &three, vec![(1, 3_334), (2, 3_333), (3, 3_333)]),
            // One, two and four parts of seven.
            (TimeDecay, &three, vec![(1, 1_429), (2, 2_857), (3, 5_714)]),
            (PositionBased, &three, vec![(1, 4_000), (2, 2_000), (3, 4_000)]),
            (PositionBased, &three[..2], vec![(1, 5_000), (2, 5_000)]),
            (PositionBased, &three[..1], vec![(1, 10_000)]),
            (
                PositionBased,
                &[(1, 0), (2, 1), (1, 2), (3, 3)],
                vec![(1, 5_000), (2, 1_000), (3, 4_000)],
            ),
            (Linear, &[(2, 5), (1, 1), (2, 9)], vec![(1, 3_333), (2, 6_667)]),
            (Linear, &[], vec![]),
        ] {
            assert_eq!(shared(model, of), expected, "{model}");
        }
    }

    #[test]
    fn a_half_life_is_a_half_exactly() {
        let half_life = HALF_LIFE_DAYS * 86_400;
        assert_eq!(decayed(0), ONE);
        assert_eq!(decayed(half_life), ONE / 2);
        assert_eq!(decayed(3 * half_life), ONE / 8);
        assert_eq!(decayed(i64::MAX), 0);
        let root = decayed(half_life / 2);
        assert!(root * root <= ONE * ONE / 2 && (root + 2) * (root + 2) > ONE * ONE / 2);
    }

    proptest! {
        #[test]
        fn parts_always_sum_to_the_whole(of in prop::collection::vec((0u8..6, 0i64..4_000), 1..40)) {
            for model in MODELS {
                let found = shares(model, &touches(&of));
                prop_assert_eq!(found.values().sum::<u32>(), WHOLE, "{}", model);
            }
        }

        #[test]
        fn the_order_of_the_list_does_not_matter(
            (of, mixed) in prop::collection::vec((0u8..6, 0i64..400), 1..20)
                .prop_flat_map(|of| { let listed = touches(&of); (Just(listed.clone()), Just(listed).prop_shuffle()) })
        ) {
            for model in MODELS {
                prop_assert_eq!(shares(model, &of), shares(model, &mixed));
            }
        }

        #[test]
        fn older_never_weighs_more(age in 0i64..400_000_000, more in 0i64..10_000_000) {
            prop_assert!(decayed(age) >= decayed(age + more));
        }

        #[test]
        fn each_share_is_within_one_of_exact(of in prop::collection::vec((0u8..6, 0i64..400), 1..20)) {
            let found = shares(AttributionModel::Linear, &touches(&of));
            for number in 0..6 {
                let own = of.iter().filter(|(one, _)| *one == number).count() as u32;
                let share = found.get(&partner(number)).copied().unwrap_or(0);
                let exact = own * WHOLE / of.len() as u32;
                prop_assert!(share == exact || share == exact + 1);
            }
        }

        #[test]
        fn another_touch_of_ones_own_never_costs_linear_credit(
            of in prop::collection::vec((0u8..4, 0i64..400), 1..20), day in 0i64..400
        ) {
            let before = shares(AttributionModel::Linear, &touches(&of));
            let mut more = of.clone();
            more.push((0, day));
            let after = shares(AttributionModel::Linear, &touches(&more));
            let own = |shares: &BTreeMap<PartnerId, u32>| shares.get(&partner(0)).copied().unwrap_or(0);
            prop_assert!(own(&after) + 1 >= own(&before));
        }
    }
}
