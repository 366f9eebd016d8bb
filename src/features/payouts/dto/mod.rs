//! Runs and payouts on the wire.

mod payouts;
mod rails;
mod runs;

pub use payouts::{
    ConfirmPayoutBody, PayoutItemPage, PayoutItemView, PayoutItemsQuery, PayoutPage, PayoutPath, PayoutView,
    PayoutsQuery, ReturnPayoutBody,
};
pub use rails::{NoticeTakenView, StripeEventBody};
pub use runs::{
    CarryForwardView, CarryForwardsQuery, NewPayoutRunBody, PayoutCarryForwardPage, PayoutRunPage,
    PayoutRunPath, PayoutRunView, PayoutRunsQuery,
};

use super::store::Order;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PayoutSort)]
pub enum Sort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Newest => Self::Newest,
            Sort::Oldest => Self::Oldest,
        }
    }
}
