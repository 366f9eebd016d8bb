//! Payment expectations on the wire.

use super::domain::{Blocker, BlockerKind, Expectation, Purse};
use crate::features::commissions::CommissionStatus;
use crate::kernel::id::{CommissionId, PartnerId, ProgramId};
use crate::platform::web::TotalBody;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The commission that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommissionExpectationPath {
    /// The commission.
    pub commission_id: CommissionId,
}

/// The partner that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PartnerExpectationsPath {
    /// The partner.
    pub partner_id: PartnerId,
}

/// Something in the way of a payment, or worth to know about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaymentBlocker, examples(json!({"kind": "hold", "message": "The hold ends on 2026-04-30.", "is_blocking": true, "expected_on": "2026-04-30", "amount": null, "subject_id": null})))]
pub struct BlockerView {
    /// What it is.
    pub kind: BlockerKind,
    /// What it is, in a sentence.
    #[schema(max_length = 2000)]
    pub message: String,
    /// Whether nothing is paid before it is out of the way; else it is only worth to know.
    pub is_blocking: bool,
    /// The day on which it is expected to be out of the way, where that is known.
    #[schema(required)]
    pub expected_on: Option<NaiveDate>,
    /// How much it is about: what is missing, waits, or is not paid.
    #[schema(required)]
    pub amount: Option<TotalBody>,
    /// The dispute, payout or invoice that it is about.
    #[schema(required, max_length = 64)]
    pub subject_id: Option<String>,
}

impl From<Blocker> for BlockerView {
    fn from(blocker: Blocker) -> Self {
        Self {
            kind: blocker.kind,
            message: blocker.message,
            is_blocking: blocker.is_blocking,
            expected_on: blocker.expected_on,
            amount: blocker.amount.map(TotalBody::from),
            subject_id: blocker.subject_id,
        }
    }
}

fn views(blockers: Vec<Blocker>) -> Vec<BlockerView> {
    blockers.into_iter().map(BlockerView::from).collect()
}

/// When a commission will be paid.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaymentExpectation, examples(json!({"commission_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "pending", "expected_on": "2026-04-30", "blockers": [{"kind": "hold", "message": "The hold ends on 2026-04-30.", "is_blocking": true, "expected_on": "2026-04-30", "amount": null, "subject_id": null}]})))]
pub struct CommissionExpectationView {
    /// The commission.
    pub commission_id: CommissionId,
    /// Where it stands.
    pub status: CommissionStatus,
    /// The earliest day on which a payout can pay it; `null` while something without a date is in the way, and for what
    /// is paid or is never paid.
    #[schema(required)]
    pub expected_on: Option<NaiveDate>,
    /// Everything in the way.
    #[schema(max_items = 12)]
    pub blockers: Vec<BlockerView>,
}

impl From<(CommissionId, CommissionStatus, Expectation)> for CommissionExpectationView {
    fn from((commission_id, status, expectation): (CommissionId, CommissionStatus, Expectation)) -> Self {
        Self {
            commission_id,
            status,
            expected_on: expectation.expected_on,
            blockers: views(expectation.blockers),
        }
    }
}

/// What a partner has coming in a program and a currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProgramExpectation, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "pending": {"amount": "0.00", "currency": "USD"}, "due": {"amount": "0.00", "currency": "USD"}, "approved": {"amount": "80.00", "currency": "USD"}, "in_payout": {"amount": "0.00", "currency": "USD"}, "disputed": {"amount": "0.00", "currency": "USD"}, "expected_on": null, "blockers": [{"kind": "below_minimum", "message": "80.00 USD is payable and the program pays from 100.00 USD on: 20.00 USD is missing.", "is_blocking": true, "expected_on": null, "amount": {"amount": "20.00", "currency": "USD"}, "subject_id": null}]})))]
pub struct ProgramExpectationView {
    /// The program.
    pub program_id: ProgramId,
    /// Commissions within the hold, and what disputes gave on them.
    pub pending: TotalBody,
    /// Commissions that wait for approval, and what disputes gave on them.
    pub due: TotalBody,
    /// What the next payout run would find: approved commissions and adjustments, less what was taken back; nothing that
    /// is disputed.
    pub approved: TotalBody,
    /// What payouts come to that are set aside and not paid yet: commissions and adjustments, less what was taken back.
    pub in_payout: TotalBody,
    /// Of all commissions that are not paid yet, what disputes hold up.
    pub disputed: TotalBody,
    /// The next day on which a payout can be made; `null` where nothing known leads to one.
    #[schema(required)]
    pub expected_on: Option<NaiveDate>,
    /// Everything in the way.
    #[schema(max_items = 12)]
    pub blockers: Vec<BlockerView>,
}

/// What a partner has coming, by program and currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaymentExpectations, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "expectations": [{"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "pending": {"amount": "120.00", "currency": "USD"}, "due": {"amount": "0.00", "currency": "USD"}, "approved": {"amount": "0.00", "currency": "USD"}, "in_payout": {"amount": "0.00", "currency": "USD"}, "disputed": {"amount": "0.00", "currency": "USD"}, "expected_on": "2026-04-30", "blockers": []}]})))]
pub struct PartnerExpectationsView {
    /// The partner.
    pub partner_id: PartnerId,
    /// By program and currency; empty where nothing is coming.
    #[schema(max_items = 10000)]
    pub expectations: Vec<ProgramExpectationView>,
}

impl PartnerExpectationsView {
    /// What this partner has coming.
    pub fn new(partner_id: PartnerId, found: Vec<(Purse, Expectation)>) -> Self {
        let view = |(purse, expectation): (Purse, Expectation)| ProgramExpectationView {
            program_id: purse.program_id,
            pending: purse.pending.into(),
            due: purse.due.into(),
            approved: purse.approved.into(),
            in_payout: purse.in_payout.into(),
            disputed: purse.disputed.into(),
            expected_on: expectation.expected_on,
            blockers: views(expectation.blockers),
        };
        Self {
            partner_id,
            expectations: found.into_iter().map(view).collect(),
        }
    }
}
