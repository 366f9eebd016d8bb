//! Runs, payouts and their lines in Postgres. Every query takes the caller's scope.

mod lines;
mod payouts;
mod proposal;
mod runs;
mod transfers;

pub use lines::{
    CarryForwardFilter, PayoutItemFilter, lines_of, list_carry_forwards, list_items, release_items,
    reserve_items,
};
pub use payouts::{PayoutFilter, count_open, find, list, lock, lock_of_run, sent_of_run, update_all};
pub use proposal::{Quotes, closed_before_paying, differences, minimum_payout, payable, propose};
pub use runs::{
    PayoutRunFilter, figures_of, find_run, insert_run, list_runs, lock_run, lock_run_of, update_run,
};
pub use transfers::{
    close_transfers, insert_transfers, lock_due_transfer, lock_transfer, lock_transfers, update_transfer,
};

use crate::kernel::id::PartnerId;
use uuid::Uuid;

/// Partners as the database knows them.
fn uuids(partners: &[PartnerId]) -> Vec<Uuid> {
    partners.iter().map(|id| id.uuid()).collect()
}

/// The order of a list. Ids are made from the time, so that their order is that of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// Orders by id and continues after the last row of the page before.
macro_rules! by_id {
    ($query:expr, $id:expr, $order:expr, $page:expr) => {
        match ($order, $page.after.as_ref().map(|last| last.id)) {
            (Order::Newest, None) => $query.order($id.desc()),
            (Order::Newest, Some(last)) => $query.filter($id.lt(last)).order($id.desc()),
            (Order::Oldest, None) => $query.order($id.asc()),
            (Order::Oldest, Some(last)) => $query.filter($id.gt(last)).order($id.asc()),
        }
    };
}
use by_id;
