//! Disputes on the wire.

use super::domain::{
    Comment, DisputeLine, DisputeOutcome, DisputeReason, DisputeStatus, DisputedId, Effect, Evidence,
    NewDispute, Readers, Report, Review, SubjectType,
};
use super::store::{CommentFilter, DisputeFilter};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AdjustmentId, CommissionId, DisputeCommentId, DisputeId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A document that lies elsewhere and speaks for a dispute.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DisputeEvidence, examples(json!({"name": "Signed order form", "url": "https://files.partner.example/order.pdf"})))]
#[serde(deny_unknown_fields)]
pub struct EvidenceBody {
    /// What it is.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Signed order form"
    )]
    pub name: String,
    /// Where it is; the service never reads it.
    #[schema(
        max_length = 2000,
        pattern = r"^https://[^\s\x00]+$",
        example = "https://files.partner.example/order.pdf"
    )]
    pub url: String,
}

impl From<Evidence> for EvidenceBody {
    fn from(evidence: Evidence) -> Self {
        Self {
            name: evidence.name,
            url: evidence.url,
        }
    }
}

fn evidence_of(bodies: &[EvidenceBody]) -> Vec<Evidence> {
    let evidence = |body: &EvidenceBody| Evidence {
        name: body.name.clone(),
        url: body.url.clone(),
    };
    bodies.iter().map(evidence).collect()
}

/// A dispute to open.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DisputeCreate, examples(json!({"subject_ids": ["com_01j9zq4y8k7m5n3p2r1s0t6v4w"], "reason_code": "amount_too_low", "statement": "The order was 1,500 and not 1,000, so that 10% of it are 150.", "claimed_amount": {"amount": "150.00", "currency": "USD"}})))]
#[serde(deny_unknown_fields)]
pub struct NewDisputeBody {
    /// What is disputed: one deal registration, registration conflict or attribution; commissions of one program and
    /// currency; or a deal on which a commission is missing.
    #[schema(min_items = 1, max_items = 50)]
    pub subject_ids: Vec<DisputedId>,
    /// Why, in a word.
    pub reason_code: DisputeReason,
    /// Why, for a person: the grounds, and for money how it should have been computed.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The order was 1,500 and not 1,000, so that 10% of it are 150."
    )]
    pub statement: String,
    /// What the commissions should come to in all; for money, and needed there.
    #[schema(nullable = false)]
    pub claimed_amount: Option<MoneyBody>,
    /// The share that the credit should have; for attributions, and needed where one counts already.
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub claimed_share_basis_points: Option<i32>,
    /// What speaks for it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<EvidenceBody>,
    /// Whose dispute it is, where you open it for a partner and it does not follow from the subject.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
}

impl NewDisputeBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewDispute, Problem> {
        let mut fields = Fields::new();
        let claimed = self.claimed_amount.as_ref();
        let claimed = claimed.map(|body| fields.money("/claimed_amount", body));
        fields.finish(Some(NewDispute {
            partner_id: self.partner_id,
            subject_ids: self.subject_ids.clone(),
            reason_code: self.reason_code,
            statement: self.statement.clone(),
            evidence: evidence_of(&self.evidence),
            claimed_amount: claimed.flatten(),
            claimed_share_basis_points: self.claimed_share_basis_points,
        }))
    }
}

/// What a reviewer finds.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DisputeReview, examples(json!({"note": "The invoice has a second line that was not matched.", "found_amount": {"amount": "150.00", "currency": "USD"}})))]
#[serde(deny_unknown_fields)]
pub struct ReviewBody {
    /// What is found, for whoever decides; partners do not read it.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The invoice has a second line that was not matched."
    )]
    pub note: Option<String>,
    /// What the commissions should come to in all, where money is disputed. Somebody else decides by it.
    #[schema(nullable = false)]
    pub found_amount: Option<MoneyBody>,
}

impl ReviewBody {
    /// The amount that was found.
    pub fn found(&self) -> Result<Option<Money>, Problem> {
        let mut fields = Fields::new();
        let found = self.found_amount.as_ref();
        let found = found.and_then(|body| fields.money("/found_amount", body));
        fields.finish(Some(found))
    }
}

/// What the partner answers.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DisputeAnswer, examples(json!({"body": "The signed order form is attached.", "evidence": [{"name": "Signed order form", "url": "https://files.partner.example/order.pdf"}]})))]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    /// What is said; it becomes a comment.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The signed order form is attached."
    )]
    pub body: String,
    /// What speaks for the dispute besides what is there.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<EvidenceBody>,
}

impl AnswerBody {
    /// The evidence as business speaks of it.
    pub fn evidence(&self) -> Vec<Evidence> {
        evidence_of(&self.evidence)
    }
}

/// Why a dispute is taken back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DisputeWithdrawal, examples(json!({"reason": "The second line was on the next statement."})))]
#[serde(deny_unknown_fields)]
pub struct WithdrawalBody {
    /// Why; whoever takes it back for the partner has to say.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The second line was on the next statement."
    )]
    pub reason: Option<String>,
}

/// How a dispute is decided.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DisputeDecision, examples(json!({"outcome": "upheld", "reason": "The second line of the invoice had not been matched."})))]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// upheld, partially_upheld or denied.
    pub outcome: DisputeOutcome,
    /// Why; the partner reads it.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The second line of the invoice had not been matched."
    )]
    pub reason: String,
    /// The share that the credit gets, where a dispute of credit is partially upheld.
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub share_basis_points: Option<i32>,
    /// The tier that the partner gets, where a dispute of a move to a lower tier is partially upheld: one between both.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "silver"
    )]
    pub tier: Option<String>,
}

/// A commission that is disputed, with the service's calculation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DisputeLine, examples(json!({"commission_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "100.00", "currency": "USD"}, "explanation": "10% of 1000.00 USD.", "effect": "frozen"})))]
pub struct DisputeLineView {
    /// The commission; its whole explanation is at /v1/commissions/{commission_id}/explanation.
    pub commission_id: CommissionId,
    /// What the service computed, less what was taken back, when the dispute was opened.
    pub amount: MoneyBody,
    /// How the service came to that, as a sentence.
    #[schema(max_length = 20_000)]
    pub explanation: String,
    /// What the dispute does to it: frozen, withheld or left_alone.
    pub effect: Effect,
}

impl From<DisputeLine> for DisputeLineView {
    fn from(line: DisputeLine) -> Self {
        Self {
            commission_id: line.commission_id,
            amount: line.amount.into(),
            explanation: line.explanation,
            effect: line.effect,
        }
    }
}

/// A challenge of a decision or an amount. A partner's caller is not shown who reviews and decides and what they find:
/// these are `null`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Dispute, examples(json!({"id": "dsp_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "subject_type": "commission", "subject_ids": ["com_01j9zq4y8k7m5n3p2r1s0t6v4w"], "status": "in_review", "status_reason": null, "reason_code": "amount_too_low", "statement": "The order was 1,500 and not 1,000, so that 10% of it are 150.", "evidence": [], "computed_amount": {"amount": "100.00", "currency": "USD"}, "claimed_amount": {"amount": "150.00", "currency": "USD"}, "claimed_share_basis_points": null, "lines": [{"commission_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "100.00", "currency": "USD"}, "explanation": "10% of 1000.00 USD.", "effect": "frozen"}], "respond_by": "2026-03-04T09:00:00Z", "overdue_at": null, "decided_at": null, "adjustment_id": null, "reviewed_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "note": null, "found_amount": {"amount": "150.00", "currency": "USD"}, "decided_by": null, "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4x", "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-03T09:00:00Z"})))]
pub struct DisputeView {
    /// Its id.
    pub id: DisputeId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program, where there is one.
    #[schema(required)]
    pub program_id: Option<ProgramId>,
    /// What kind of thing is disputed.
    pub subject_type: SubjectType,
    /// What is disputed.
    #[schema(max_items = 50)]
    pub subject_ids: Vec<DisputedId>,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What the partner is asked for, or why it was decided so or taken back.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// Why it is disputed, in a word.
    pub reason_code: DisputeReason,
    /// Why, for a person: the partner's grounds.
    #[schema(max_length = 4000)]
    pub statement: String,
    /// What speaks for it.
    #[schema(max_items = 100)]
    pub evidence: Vec<EvidenceBody>,
    /// The service's calculation: what the commissions came to when the dispute was opened, with what corrections and
    /// earlier disputes gave on them.
    #[schema(required)]
    pub computed_amount: Option<MoneyBody>,
    /// The partner's calculation: what they should come to.
    #[schema(required)]
    pub claimed_amount: Option<MoneyBody>,
    /// The share that the partner claims.
    #[schema(required, minimum = 1, maximum = 10_000)]
    pub claimed_share_basis_points: Option<i32>,
    /// The disputed commissions, each with the service's calculation.
    #[schema(max_items = 50)]
    pub lines: Vec<DisputeLineView>,
    /// By when an answer is promised.
    pub respond_by: DateTime<Utc>,
    /// When it was noted that the answer did not come in time.
    #[schema(required)]
    pub overdue_at: Option<DateTime<Utc>>,
    /// When it was decided or withdrawn.
    #[schema(required)]
    pub decided_at: Option<DateTime<Utc>>,
    /// The adjustment that its outcome posted.
    #[schema(required)]
    pub adjustment_id: Option<AdjustmentId>,
    /// Who looked into it last.
    #[schema(required)]
    pub reviewed_by: Option<ActorId>,
    /// What the reviewer says.
    #[schema(required, max_length = 4000)]
    pub note: Option<String>,
    /// What the commissions should come to, as the reviewer finds.
    #[schema(required)]
    pub found_amount: Option<MoneyBody>,
    /// Who decided.
    #[schema(required)]
    pub decided_by: Option<ActorId>,
    /// Who opened it.
    pub created_by: ActorId,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Report> for DisputeView {
    fn from(report: Report) -> Self {
        let Report {
            dispute,
            lines,
            review,
        } = report;
        let Review {
            reviewed_by,
            note,
            finding,
            decided_by,
            ..
        } = review.unwrap_or_default();
        let amounts = dispute.amounts;
        Self {
            id: dispute.id,
            partner_id: dispute.partner_id,
            program_id: dispute.program_id,
            subject_type: dispute.subject_type,
            subject_ids: dispute.subject_ids,
            status: dispute.status,
            status_reason: dispute.status_reason,
            reason_code: dispute.reason_code,
            statement: dispute.statement,
            evidence: dispute.evidence.into_iter().map(EvidenceBody::from).collect(),
            computed_amount: amounts.map(|amounts| amounts.computed.into()),
            claimed_amount: amounts.map(|amounts| amounts.claimed.into()),
            claimed_share_basis_points: dispute.claimed_share_basis_points,
            lines: lines.into_iter().map(DisputeLineView::from).collect(),
            respond_by: dispute.respond_by,
            overdue_at: dispute.overdue_at,
            decided_at: dispute.decided_at,
            adjustment_id: dispute.adjustment_id,
            reviewed_by,
            note,
            found_amount: finding.map(|(found, _)| found.into()),
            decided_by,
            created_by: dispute.created_by,
            created_at: dispute.created_at,
            updated_at: dispute.updated_at,
        }
    }
}

page_of!(DisputePage, DisputeView, "disputes");

/// What a list of disputes is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DisputesQuery {
    /// Only disputes in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 7)]
    pub status: Vec<DisputeStatus>,
    /// Only disputes of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only disputes about this.
    pub disputed_id: Option<DisputedId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl DisputesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> DisputeFilter {
        DisputeFilter {
            statuses: self.status.clone(),
            partner_id: self.partner_id,
            subject_id: self.disputed_id,
        }
    }
}

/// The dispute that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DisputePath {
    /// The dispute.
    pub dispute_id: DisputeId,
}

/// A comment to write.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DisputeCommentCreate, examples(json!({"body": "The order form was signed on Monday."})))]
#[serde(deny_unknown_fields)]
pub struct NewCommentBody {
    /// What is said.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The order form was signed on Monday."
    )]
    pub body: String,
    /// Who reads it: the partner too, or the organization alone. The partner too when left out.
    #[schema(nullable = false)]
    pub visibility: Option<Readers>,
}

/// A comment on a dispute.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DisputeComment, examples(json!({"id": "dcm_01j9zq4y8k7m5n3p2r1s0t6v4w", "dispute_id": "dsp_01j9zq4y8k7m5n3p2r1s0t6v4w", "visibility": "partner", "body": "The order form was signed on Monday.", "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-03-02T09:00:00Z"})))]
pub struct CommentView {
    /// Its id.
    pub id: DisputeCommentId,
    /// What it is about.
    pub dispute_id: DisputeId,
    /// Who reads it: partner or internal.
    pub visibility: Readers,
    /// What was said.
    #[schema(max_length = 4000)]
    pub body: String,
    /// Who said it.
    pub created_by: ActorId,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            dispute_id: comment.dispute_id,
            visibility: comment.visibility,
            body: comment.body,
            created_by: comment.created_by,
            created_at: comment.created_at,
        }
    }
}

page_of!(DisputeCommentPage, CommentView, "dispute comments");

/// What a list of comments is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommentsQuery {
    /// Only comments on this dispute.
    pub dispute_id: Option<DisputeId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl CommentsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> CommentFilter {
        CommentFilter {
            dispute_id: self.dispute_id,
        }
    }
}
