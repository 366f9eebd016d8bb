//! Commissions and clawbacks on the wire.

mod explanation;
mod preview;

pub use explanation::{ExplanationView, VerificationView};
pub use preview::{PreviewBody, PreviewView};

use super::domain::{
    ClawbackKind, ClawbackStatus, Commission, CommissionKind, CommissionStatus, Moved, TakenFrom, ZeroReason,
};
use super::store::{ApprovalScope, Clawback, ClawbackFilter, CommissionFilter};
use crate::kernel::commission::{Component, IneligibleReason, sentence};
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::FxPolicy;
use crate::kernel::id::{
    AttributionId, ClawbackId, CommissionId, CommissionRuleVersionId, CreditNoteId, DealId, DisputeId,
    InvoiceId, InvoiceLineId, PartnerId, PaymentId, ProgramId, RefundId,
};
use crate::kernel::money::Total;
use crate::kernel::motion::Role;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{MoneyBody, TotalBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// An earned line: one payment × one invoice line × one component × one credit. A credit note without an invoice
/// makes a negative line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Commission)]
pub struct CommissionView {
    /// Its id.
    pub id: CommissionId,
    /// What it comes from: `accrual` or `credit_note`.
    pub kind: CommissionKind,
    /// Who earns it.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// On which deal.
    pub deal_id: DealId,
    /// For which credit.
    pub attribution_id: AttributionId,
    /// In which role.
    pub role: Role,
    /// Which part of the compensation.
    pub component: Component,
    /// The invoice, for an accrual.
    #[schema(required)]
    pub invoice_id: Option<InvoiceId>,
    /// The invoice's line, for an accrual.
    #[schema(required)]
    pub invoice_line_id: Option<InvoiceLineId>,
    /// The payment, for an accrual.
    #[schema(required)]
    pub payment_id: Option<PaymentId>,
    /// The credit note, for a negative line.
    #[schema(required)]
    pub credit_note_id: Option<CreditNoteId>,
    /// The version of the rule that decided it; `null` when no rule did.
    #[schema(required)]
    pub commission_rule_version_id: Option<CommissionRuleVersionId>,
    /// Where it stands.
    pub status: CommissionStatus,
    /// Why it earns nothing, when it is `ineligible`.
    #[schema(required)]
    pub ineligible_reason: Option<IneligibleReason>,
    /// The net amount of the invoice line, or of the credit note, that it was earned on.
    pub base: MoneyBody,
    /// What was earned.
    pub amount: MoneyBody,
    /// What was taken back of it in all.
    pub reversed: MoneyBody,
    /// What is left of it.
    pub net: MoneyBody,
    /// What is left of it as it is owed: once it was exchanged, in the currency that the partner is paid in; the same as
    /// `net` until then.
    pub owed: MoneyBody,
    /// The currency that the partner is paid in, where it is another one.
    #[schema(required, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub payout_currency: Option<String>,
    /// When it is exchanged into that: when it is earned, or when it is paid. `null` where nothing is exchanged.
    #[schema(required)]
    pub fx_policy: Option<FxPolicy>,
    /// When it was exchanged. Until then it waits: for the payout, or for a rate.
    #[schema(required)]
    pub exchanged_at: Option<DateTime<Utc>>,
    /// The open dispute about it, which holds up what was earned; what a credit note takes is set off all the same.
    #[schema(required)]
    pub dispute_id: Option<DisputeId>,
    /// When the money came in.
    pub earned_at: DateTime<Utc>,
    /// When the hold is over.
    pub release_at: DateTime<Utc>,
    /// When it was approved.
    #[schema(required)]
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was paid.
    #[schema(required)]
    pub paid_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl CommissionView {
    /// The line as it goes out.
    pub fn new(line: Commission) -> Result<Self, Problem> {
        let left = line.net();
        let owed = line.kept();
        Ok(Self {
            id: line.id,
            kind: line.kind,
            partner_id: line.partner_id,
            program_id: line.program_id,
            deal_id: line.deal_id,
            attribution_id: line.attribution_id,
            role: line.role,
            component: line.component,
            invoice_id: line.invoice_id,
            invoice_line_id: line.invoice_line_id,
            payment_id: line.payment_id,
            credit_note_id: line.credit_note_id,
            commission_rule_version_id: line.rule_version_id,
            status: line.status,
            ineligible_reason: line.ineligible_reason,
            base: line.base.into(),
            amount: line.amount.into(),
            reversed: line.reversed.into(),
            net: left.map_err(Problem::damaged)?.into(),
            owed: owed.map_err(Problem::damaged)?.into(),
            payout_currency: line.paid_in.map(|(currency, _)| currency.code().to_owned()),
            fx_policy: line.paid_in.map(|(_, policy)| policy),
            exchanged_at: line.owed.exchanged_at,
            dispute_id: line.dispute_id,
            earned_at: line.earned_at,
            release_at: line.release_at,
            approved_at: line.approved_at,
            paid_at: line.paid_at,
            created_at: line.created_at,
            updated_at: line.updated_at,
        })
    }
}

page_of!(CommissionPage, CommissionView, "commissions");

/// What was taken back from one commission because of one refund, or given back because money came in again.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Clawback)]
pub struct ClawbackView {
    /// Its id.
    pub id: ClawbackId,
    /// Whether it takes or gives back: `clawback` or `reinstatement`.
    pub kind: ClawbackKind,
    /// The commission.
    pub commission_id: CommissionId,
    /// The refund that caused it.
    pub refund_id: RefundId,
    /// From whom.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// Where it stands: `netted` with its commission, or a line of the next payout, negative unless it gives back.
    pub status: ClawbackStatus,
    /// How much was taken; below zero what was given back; zero with a reason.
    pub amount: MoneyBody,
    /// The same as it is owed: once the commission was exchanged, in the currency that the partner is paid in.
    pub owed: MoneyBody,
    /// The account that it was taken from, or given back to; `null` when nothing was.
    #[schema(required)]
    pub taken_from: Option<TakenFrom>,
    /// Why nothing was taken or given back.
    #[schema(required)]
    pub zero_reason: Option<ZeroReason>,
    /// How the amount came about, in plain English with all its figures.
    #[schema(
        max_length = 2000,
        example = "400.00 of the 1200.00 EUR paid has been refunded, so 40.00 of the 120.00 EUR earned is due back; 0.00 EUR was taken back before, so this line takes back 40.00 EUR."
    )]
    pub sentence: String,
    /// When the money went back to the customer.
    pub occurred_at: DateTime<Utc>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
}

/// How much is taken back and why, or why nothing is.
fn why_taken(clawback: &Clawback) -> String {
    if clawback.zero_reason == Some(ZeroReason::WindowPassed) {
        let told = match clawback.kind() {
            ClawbackKind::Clawback => "The program takes nothing back so long after the payment.",
            ClawbackKind::Reinstatement => {
                "Nothing was taken back so long after the payment, so nothing is given back."
            }
        };
        return told.to_owned();
    }
    let worked_out = [Some(&clawback.explanation), clawback.exchange.as_ref()];
    let sentences: Vec<String> = worked_out.into_iter().flatten().map(sentence).collect();
    sentences.join(" ")
}

impl From<Clawback> for ClawbackView {
    fn from(clawback: Clawback) -> Self {
        Self {
            sentence: why_taken(&clawback),
            id: clawback.id,
            kind: clawback.kind(),
            commission_id: clawback.commission_id,
            refund_id: clawback.refund_id,
            partner_id: clawback.partner_id,
            program_id: clawback.program_id,
            status: clawback.status,
            amount: clawback.amount.into(),
            owed: clawback.owed.into(),
            taken_from: clawback.taken_from,
            zero_reason: clawback.zero_reason,
            occurred_at: clawback.occurred_at,
            created_at: clawback.created_at,
        }
    }
}

page_of!(ClawbackPage, ClawbackView, "clawbacks");

/// Which due commissions to approve; absent fields do not narrow.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DueApproval, examples(json!({"released_until": "2026-03-31T23:59:59Z"})))]
#[serde(deny_unknown_fields)]
pub struct ApproveDueBody {
    /// Of this program.
    #[schema(nullable = false)]
    pub program_id: Option<ProgramId>,
    /// Of this partner.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// Released at or before this instant.
    #[schema(nullable = false)]
    pub released_until: Option<DateTime<Utc>>,
}

impl ApproveDueBody {
    /// The scope as the store knows it.
    pub fn scope(&self) -> ApprovalScope {
        ApprovalScope {
            program_id: self.program_id,
            partner_id: self.partner_id,
            released_until: self.released_until,
        }
    }
}

/// What a bulk approval approved.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DueApprovalResult)]
pub struct ApprovedView {
    /// How many commissions were approved.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub approved: i64,
    /// Their sum, in each currency.
    #[schema(max_items = 200)]
    pub totals: Vec<TotalBody>,
}

impl ApprovedView {
    /// Counts and adds up what moved.
    pub fn new(moved: &[Moved]) -> Result<Self, Problem> {
        let amounts = moved.iter().map(|line| line.amount);
        let totals = Total::by_currency(amounts).map_err(Problem::damaged)?;
        Ok(Self {
            approved: i64::try_from(moved.len()).map_err(Problem::damaged)?,
            totals: totals.into_iter().map(TotalBody::from).collect(),
        })
    }
}

/// The order of a list of commissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum CommissionSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of commissions is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommissionsQuery {
    /// Only of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only under this program.
    pub program_id: Option<ProgramId>,
    /// Only on this deal.
    pub deal_id: Option<DealId>,
    /// Only from this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Only from this payment.
    pub payment_id: Option<PaymentId>,
    /// Only from this credit note.
    pub credit_note_id: Option<CreditNoteId>,
    /// Only in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 7)]
    pub status: Vec<CommissionStatus>,
    /// Only what was earned at or after this instant.
    pub earned_at_gte: Option<DateTime<Utc>>,
    /// Only what was earned before this instant.
    pub earned_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: CommissionSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl CommissionsQuery {
    /// The page that is asked for.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> CommissionFilter {
        CommissionFilter {
            partner_id: self.partner_id,
            program_id: self.program_id,
            deal_id: self.deal_id,
            invoice_id: self.invoice_id,
            payment_id: self.payment_id,
            credit_note_id: self.credit_note_id,
            statuses: self.status.clone(),
            earned_at_gte: self.earned_at_gte,
            earned_at_lt: self.earned_at_lt,
            oldest_first: self.sort == CommissionSort::Oldest,
        }
    }
}

/// What a list of clawbacks is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClawbacksQuery {
    /// Only from this partner.
    pub partner_id: Option<PartnerId>,
    /// Only of this commission.
    pub commission_id: Option<CommissionId>,
    /// Only those that this refund caused.
    pub refund_id: Option<RefundId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ClawbacksQuery {
    /// The page that is asked for.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ClawbackFilter {
        let Self {
            partner_id,
            commission_id,
            refund_id,
            ..
        } = *self;
        ClawbackFilter {
            partner_id,
            commission_id,
            refund_id,
        }
    }
}

/// The commission that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommissionPath {
    /// The commission.
    pub commission_id: CommissionId,
}

/// The clawback that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ClawbackPath {
    /// The clawback.
    pub clawback_id: ClawbackId,
}
