//! Stories over several rooms, each in one transaction.

pub mod account_merged;
pub mod accrual;
pub mod adjustment_decided;
pub mod backtest;
pub mod billing_arrival;
pub mod clawback;
pub mod commission_approval;
pub mod credit_note_issued;
pub mod deal_won;
pub mod dispute;
pub mod exchange;
pub mod hold_release;
pub mod identity_arrived;
pub mod imports;
pub mod late_credit;
pub mod partner_terminated;
pub mod payment_recorded;
pub mod payout_run;
pub mod proposals;
pub mod recalculation;
pub mod referral_converted;
pub mod refund_recorded;
pub mod registration;
pub mod stripe_transfers;
pub mod user_terminated;
pub mod visitor_converted;
