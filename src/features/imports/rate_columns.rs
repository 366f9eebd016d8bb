//! Files of rates: a row for each day, and a column for each currency, as the European Central Bank publishes them.

use super::mapping::{FieldMapping, Mapping};
use super::rows::is_upper;
use super::targets::Kind;
use crate::kernel::money::plain_decimal;
use rust_decimal::Decimal;

/// How the ECB writes that there was no rate.
const NO_RATE: &str = "N/A";
/// The currency for one of which the ECB says how much there is of each other.
const RATE_BASE: &str = "EUR";
/// The most decimals of a rate.
const RATE_DECIMALS: u32 = 10;
/// Rates are below this.
const RATE_LIMIT: u32 = 100_000_000;

/// In a file of rates, the columns that no field takes and that a currency heads.
pub(super) fn rate_columns(mapping: &Mapping, headings: &[String], taken: &[Option<usize>]) -> Vec<usize> {
    let is_wide = |field: &FieldMapping| field.target.kind == Kind::Day;
    if !mapping.fields.iter().any(is_wide) {
        return Vec::new();
    }
    let of_currencies = headings.iter().enumerate().filter(|(index, heading)| {
        is_upper(heading, 3) && heading.as_str() != RATE_BASE && !taken.contains(&Some(*index))
    });
    of_currencies.map(|(index, _)| index).collect()
}

/// A rate of a day; none where there was none.
pub(super) fn rate(text: &str) -> Result<Option<Decimal>, &'static str> {
    if text.is_empty() || text == NO_RATE {
        return Ok(None);
    }
    let rate = plain_decimal(text).map(|rate| rate.normalize());
    let good = rate.filter(|rate| {
        *rate > Decimal::ZERO && *rate < Decimal::from(RATE_LIMIT) && rate.scale() <= RATE_DECIMALS
    });
    good.map(Some)
        .ok_or("Write a plain decimal above zero with at most ten decimals, or N/A.")
}
