//! Commissions in Postgres. Every query takes the caller's scope.

pub mod accrual;
pub mod clawback;
mod credit;
mod deals;
pub mod exchange;
mod explained;
mod known;
mod list;
mod moves;
pub mod standing_corrections;
pub mod standings;

pub use credit::{CreditLine, credits_of, credits_of_refunds, lines_of_credit, lock_lines_of_credit};
pub use explained::{explanation, explanations};
pub use known::known_at;
pub use list::{
    Clawback, ClawbackFilter, CommissionFilter, find, find_clawback, kept_on_deal, list, list_clawbacks,
    lock, lock_several, set_dispute, several,
};
pub use moves::{ApprovalScope, approve, lock_released, organizations_with_holds_over, release};

use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use rust_decimal::Decimal;

/// A stored amount as money.
fn money(amount: Decimal, currency: &str) -> Result<Money, Problem> {
    let currency = Currency::from_code(currency).map_err(Problem::damaged)?;
    Money::new(amount, currency).map_err(Problem::damaged)
}
