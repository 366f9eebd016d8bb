//! Payout methods: how a partner is paid in a currency.
//!
//! proposed → active → replaced | withdrawn; proposed → refused | withdrawn
//!
//! A method is for one currency and a partner has at most one in force per currency. There is none for all currencies:
//! an account in one currency must not become the destination of another because nobody thought of it.
//!
//! Invariant: where the money goes never changes; a change is another proposal.
//! Invariant: whoever proposed a method does not confirm it, and a partner's callers confirm nothing.
//! Invariant: a confirmed method is usable after the organization's cooling-off time, which is fixed when it is
//! confirmed. Meanwhile the method that it replaced is out of force: a change that nobody noticed holds payment back
//! rather than lets it go either way.
//! Invariant: account numbers, and accounts at Stripe, leave the database for a payment rail alone; whatever is shown,
//! logged, told or kept in the audit trail has their last four characters.
//! Events: `payout_method.proposed`, `payout_method.confirmed`, `payout_method.replaced`, `payout_method.refused`,
//! `payout_method.withdrawn`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{BankAccount, PayoutMethod, PayoutMethodKind, PayoutMethodStatus};
pub use service::{bank_accounts, hold_in_force, stripe_account};
