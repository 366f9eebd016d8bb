//! Splitting an amount so that nothing is lost and the order of the list does not matter.

use std::cmp::Reverse;

use super::MoneyError;

/// One party of an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// The share in basis points: 10,000 is the whole.
    pub basis_points: u32,
    /// Who comes first when two remainders are equal: the lower rank.
    pub rank: i32,
}

/// A party whose amount has been cut to whole units and that may still get one more.
struct Claim {
    remainder: i128,
    index: usize,
}

pub(super) fn by_largest_remainder(
    minor_units: i128,
    parts: &[Part],
    total_basis_points: u32,
) -> Result<Vec<i128>, MoneyError> {
    let rest_basis_points = rest_of(parts, total_basis_points)?;
    refuse_duplicate_ranks(parts)?;
    let magnitude = minor_units.abs();
    let whole = i128::from(total_basis_points);
    let cut = |basis_points: u32| {
        let product = magnitude * i128::from(basis_points);
        (product / whole, product % whole)
    };

    let mut amounts = Vec::with_capacity(parts.len());
    let mut claims = Vec::with_capacity(parts.len());
    let (rest_amount, rest_remainder) = cut(rest_basis_points);
    let mut spare = magnitude - rest_amount;
    for (index, part) in parts.iter().enumerate() {
        let (amount, remainder) = cut(part.basis_points);
        spare -= amount;
        amounts.push(amount);
        claims.push(Claim { remainder, index });
    }
    if spare > 0 {
        claims.sort_unstable_by_key(|claim| (Reverse(claim.remainder), parts[claim.index].rank));
        // The rest party takes its spare unit too, after every party with a remainder as large.
        let before_rest = claims.partition_point(|claim| claim.remainder >= rest_remainder);
        let spare = usize::try_from(spare).map_err(|_| MoneyError::OutOfRange)?;
        let given = if spare > before_rest { spare - 1 } else { spare };
        for claim in claims.iter().take(given) {
            amounts[claim.index] += 1;
        }
    }
    if minor_units < 0 {
        amounts.iter_mut().for_each(|amount| *amount = -*amount);
    }
    Ok(amounts)
}

fn rest_of(parts: &[Part], total_basis_points: u32) -> Result<u32, MoneyError> {
    if total_basis_points == 0 {
        return Err(MoneyError::DivisionByZero);
    }
    parts
        .iter()
        .try_fold(total_basis_points, |rest, part| {
            rest.checked_sub(part.basis_points)
        })
        .ok_or(MoneyError::SharesExceedTotal)
}

fn refuse_duplicate_ranks(parts: &[Part]) -> Result<(), MoneyError> {
    let mut ranks: Vec<i32> = parts.iter().map(|part| part.rank).collect();
    ranks.sort_unstable();
    if ranks.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(MoneyError::DuplicateRank);
    }
    Ok(())
}
