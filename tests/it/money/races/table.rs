//! Every operation that moves money, with what is set up before it, and every other one with the reason why it moves none.

use super::stages::{self, Call};
use crate::world::World;

/// What becomes of the copies that come too late, each under a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// They are refused.
    Refused,
    /// They are done, and find nothing to do.
    Idle,
}

/// One use of an operation that moves money.
#[derive(Debug)]
pub struct Case {
    /// The operation.
    pub operation: &'static str,
    /// What it does here.
    pub what: &'static str,
    /// What is set up before it.
    pub stage: fn(&World) -> Call,
    /// What becomes of further copies.
    pub late: Late,
}

const fn case(operation: &'static str, what: &'static str, stage: fn(&World) -> Call) -> Case {
    Case {
        operation,
        what,
        stage,
        late: Late::Refused,
    }
}

/// Money that comes in and goes back.
pub const CUSTOMERS: &[Case] = &[
    case("createPayment", "of part of an invoice", stages::payment),
    case("createPayment", "under a cap", stages::payment_under_a_cap),
    case("createPayment", "exchanged", stages::payment_that_is_exchanged),
    case("createRefund", "of part of a payment", stages::refund),
    case(
        "createRefund",
        "a chargeback of what was paid out",
        stages::chargeback_of_what_was_paid,
    ),
    case(
        "createRefund",
        "of what was exchanged",
        stages::refund_of_what_was_exchanged,
    ),
    case(
        "createReinstatement",
        "of what was paid out",
        stages::reinstatement_of_what_was_paid,
    ),
    case(
        "createReinstatement",
        "of what was exchanged",
        stages::reinstatement_of_what_was_exchanged,
    ),
    case(
        "createCreditNote",
        "on an invoice",
        stages::credit_note_on_an_invoice,
    ),
    case(
        "createCreditNote",
        "on a deal alone",
        stages::credit_note_on_a_deal,
    ),
    case("winDeal", "of what was paid before", stages::win),
    Case {
        late: Late::Idle,
        ..case("createBillingArrival", "of a payment", stages::billing_arrival)
    },
    case("retryBillingArrival", "of a payment", stages::retry_of_an_arrival),
];

/// What people decide about money.
pub const DECISIONS: &[Case] = &[
    case(
        "correctAttribution",
        "a claim that earns",
        stages::correction_of_a_claim,
    ),
    case(
        "correctAttribution",
        "a share that earned",
        stages::correction_of_a_share,
    ),
    case("approveCommission", "of one line", stages::approval),
    Case {
        late: Late::Idle,
        ..case(
            "approveDueCommissions",
            "of three lines",
            stages::approval_of_what_is_due,
        )
    },
    Case {
        late: Late::Idle,
        ..case(
            "approveProposedAdjustments",
            "of a recalculation",
            stages::approval_of_a_recalculation,
        )
    },
    case("createDispute", "freezing a line", stages::dispute),
    case(
        "withdrawDispute",
        "thawing a line",
        stages::withdrawal_of_a_dispute,
    ),
    case(
        "decideDispute",
        "upholding the claim",
        stages::decision_of_a_dispute,
    ),
];

/// What people give and take by hand.
pub const BY_HAND: &[Case] = &[
    case("createAdjustment", "under an own key", stages::adjustment),
    case("approveAdjustment", "giving", stages::approval_of_a_gift),
    case("approveAdjustment", "taking", stages::approval_of_a_penalty),
    case(
        "approveAdjustment",
        "writing off",
        stages::approval_of_a_write_off,
    ),
    case("refuseAdjustment", "a gift", stages::refusal_of_an_adjustment),
    case(
        "withdrawAdjustment",
        "a gift",
        stages::withdrawal_of_an_adjustment,
    ),
];

/// What goes to the partners.
pub const PAYOUTS: &[Case] = &[
    case("createPayoutRun", "under an own key", stages::draft),
    case("approvePayoutRun", "reserving lines", stages::approval_of_a_run),
    case(
        "approvePayoutRun",
        "exchanging lines",
        stages::approval_of_a_run_that_exchanges,
    ),
    case("processPayoutRun", "of an approved run", stages::processing),
    case("confirmPayoutRun", "paying all", stages::confirmation_of_a_run),
    case("cancelPayoutRun", "giving lines back", stages::cancellation),
    case("confirmPayout", "paying", stages::confirmation),
    case("failPayout", "giving lines back", stages::failure),
    case("returnPayout", "taking it back", stages::return_of_a_payout),
];

/// All of them.
pub const ALL: [&[Case]; 4] = [CUSTOMERS, DECISIONS, BY_HAND, PAYOUTS];

/// Operations that are raced elsewhere, with the test.
pub const ELSEWHERE: &[(&str, &str)] = &[(
    "receiveStripeEvent",
    "stripe::told: an event has its own id and no key of ours",
)];

/// Where money is spoken of: whatever is posted under these tags is in one of the lists.
pub const TAGS: &[&str] = &[
    "Deals",
    "Attributions",
    "Billing Arrivals",
    "Invoices",
    "Credit Notes",
    "Exchange Rates",
    "Commission Rules",
    "Commissions",
    "Adjustments",
    "Payout Methods",
    "Payout Runs",
    "Payouts",
    "Disputes",
    "Statements",
];

/// What is posted under these tags and moves no money, with the reason.
pub const MOVES_NONE: &[(&str, &str)] = &[
    ("createDeal", "a deal earns when it is won"),
    ("loseDeal", "only what is won earns, and what is won is not lost"),
    ("reopenDeal", "only what was lost is opened again"),
    (
        "createAttribution",
        "no credit comes to a deal that is won, but by a correction",
    ),
    ("confirmAttribution", "the same"),
    ("rejectAttribution", "a claim has earned nothing"),
    ("createInvoice", "an invoice earns when it is paid"),
    (
        "withdrawBillingArrival",
        "only what was not applied is taken back",
    ),
    ("voidInvoice", "refused as soon as anything was paid"),
    ("recordExchangeRate", "the worker exchanges, one line at a time"),
    ("createCommissionRule", "drafts terms"),
    ("createCommissionRuleVersion", "drafts terms"),
    (
        "activateCommissionRuleVersion",
        "terms count for what comes later",
    ),
    ("retireCommissionRuleVersion", "terms count for what comes later"),
    ("previewCommissions", "reads"),
    ("createBacktest", "reads"),
    (
        "createRecalculation",
        "proposes, one at a time, what counts for nothing before it is approved",
    ),
    ("createPayoutMethod", "says where money goes, and sends none"),
    ("confirmPayoutMethod", "the same"),
    ("refusePayoutMethod", "the same"),
    ("withdrawPayoutMethod", "the same"),
    ("reviewDispute", "finds what a decision posts"),
    ("requestDisputeInformation", "asks"),
    ("answerDispute", "says"),
    ("createDisputeComment", "says"),
    ("issueStatements", "tells what moved"),
];
