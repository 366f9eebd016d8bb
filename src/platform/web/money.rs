//! Money on the wire.

use crate::kernel::money::{Money, Total};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount of money: a decimal string, never a JSON number, and the currency it is in. At most as many decimals as
/// the currency has go in; exactly as many come out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Money, examples(json!({"amount": "1250.00", "currency": "USD"})))]
#[serde(deny_unknown_fields)]
pub struct MoneyBody {
    /// The amount as a plain decimal.
    #[schema(
        pattern = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        max_length = 32,
        example = "1250.00"
    )]
    pub amount: String,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$", max_length = 3, example = "USD")]
    pub currency: String,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount_text(),
            currency: money.currency().code().to_owned(),
        }
    }
}

/// A sum of amounts of money: a decimal string with exactly as many decimals as the currency has. It may be larger than a
/// single amount can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MoneyTotal, examples(json!({"amount": "1250.00", "currency": "USD"})))]
pub struct TotalBody {
    /// The sum as a plain decimal.
    #[schema(
        pattern = r"^-?(0|[1-9][0-9]{0,27})(\.[0-9]{1,4})?$",
        max_length = 34,
        example = "1250.00"
    )]
    pub amount: String,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$", max_length = 3, example = "USD")]
    pub currency: String,
}

impl From<Total> for TotalBody {
    fn from(total: Total) -> Self {
        Self {
            amount: total.amount_text(),
            currency: total.currency().code().to_owned(),
        }
    }
}
