//! Conflicts on the wire.

use super::domain::{ConflictKind, ConflictStatus, Decision, Outcome, Party, RegistrationConflict, Side};
use super::store::ConflictFilter;
use crate::features::deal_rules::SecondRegistrant;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{
    AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ReferralId, RegistrationConflictId,
};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// What is brought forward for a side.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ConflictEvidence, examples(json!({"deal_registration_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "evidence": "We have met the customer every week since January; the minutes are attached to the registration."})))]
#[serde(deny_unknown_fields)]
pub struct EvidenceBody {
    /// Your registration in the conflict.
    pub deal_registration_id: DealRegistrationId,
    /// What speaks for it; replaces what was said before.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "We have met the customer every week since January."
    )]
    pub evidence: String,
}

/// How a conflict ends.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ConflictDecision, examples(json!({"decision": "incumbent_keeps", "reason": "The first registration is worked on."})))]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    /// incumbent_keeps, challenger_wins, co_sell_share or dismissed.
    pub decision: Decision,
    /// The challenger that wins, for challenger_wins alone.
    #[schema(nullable = false)]
    pub winner_registration_id: Option<DealRegistrationId>,
    /// Why; partners do not read it.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The first registration is worked on."
    )]
    pub reason: String,
}

/// A claim in a conflict.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ConflictParty, examples(json!({"deal_registration_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "side": "challenger", "evidence": null, "outcome": null, "joined_at": "2026-03-02T09:00:00Z"})))]
pub struct PartyView {
    /// The claim.
    pub deal_registration_id: DealRegistrationId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Which side it is on: incumbent or challenger.
    pub side: Side,
    /// What was brought forward for it.
    #[schema(required, max_length = 4000)]
    pub evidence: Option<String>,
    /// What the decision means for it: goes_on, ends or shares.
    #[schema(required)]
    pub outcome: Option<Outcome>,
    /// When it became a party.
    pub joined_at: DateTime<Utc>,
}

/// Several claims to one account. A partner's caller is shown its own side: its own parties, where the conflict stands
/// and by when it is decided; the rest is `null`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RegistrationConflict, examples(json!({"id": "cnf_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "open", "respond_by": "2026-03-04T09:00:00Z", "parties": [{"deal_registration_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "side": "challenger", "evidence": null, "outcome": null, "joined_at": "2026-03-02T09:00:00Z"}], "kind": "registration", "policy": "queue", "account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "product_family_id": null, "incumbent_registration_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4x", "deal_id": null, "referral_id": null, "decision": null, "reason": null, "winner_registration_id": null, "decided_by": null, "decided_at": null, "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z"})))]
pub struct RegistrationConflictView {
    /// Its id.
    pub id: RegistrationConflictId,
    /// Where it stands: open or decided.
    pub status: ConflictStatus,
    /// By when a decision is promised.
    pub respond_by: DateTime<Utc>,
    /// The claims: all of them, or the caller's own.
    #[schema(max_items = 100_000)]
    pub parties: Vec<PartyView>,
    /// What the claims meet: registration, deal, referral, existing_customer or similar_account.
    #[schema(required)]
    pub kind: Option<ConflictKind>,
    /// What the program says about whoever comes second.
    #[schema(required)]
    pub policy: Option<SecondRegistrant>,
    /// The account.
    #[schema(required)]
    pub account_id: Option<AccountId>,
    /// The product family; `null` is every one.
    #[schema(required)]
    pub product_family_id: Option<ProductFamilyId>,
    /// The claim that came first.
    #[schema(required)]
    pub incumbent_registration_id: Option<DealRegistrationId>,
    /// The deal that the claims meet.
    #[schema(required)]
    pub deal_id: Option<DealId>,
    /// The referral of another partner that the claim meets.
    #[schema(required)]
    pub referral_id: Option<ReferralId>,
    /// How it ended.
    #[schema(required)]
    pub decision: Option<Decision>,
    /// Why.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// The challenger that won.
    #[schema(required)]
    pub winner_registration_id: Option<DealRegistrationId>,
    /// Who decided; `null` where the program's policy did.
    #[schema(required)]
    pub decided_by: Option<ActorId>,
    /// When.
    #[schema(required)]
    pub decided_at: Option<DateTime<Utc>>,
    /// When it came to be; to a partner's caller, when its own claim became a party.
    pub created_at: DateTime<Utc>,
    /// When it last changed; to a partner's caller, when it was decided or its own claim became a party.
    pub updated_at: DateTime<Utc>,
}

impl RegistrationConflictView {
    /// The conflict as this caller is shown it.
    pub fn to(ctx: &Ctx, conflict: RegistrationConflict, parties: Vec<Party>) -> Self {
        let is_own = ctx.scope.partner_id.is_some();
        let joined_at = parties.iter().map(|party| party.joined_at).min();
        let created_at = joined_at.filter(|_| is_own).unwrap_or(conflict.created_at);
        let decided_at = conflict.decided_at;
        let updated_at = if is_own {
            decided_at.unwrap_or(created_at)
        } else {
            conflict.updated_at
        };
        let whole = |_: &()| !is_own;
        let all = Some(()).filter(whole);
        Self {
            id: conflict.id,
            status: conflict.status,
            respond_by: conflict.respond_by,
            kind: all.map(|()| conflict.kind),
            policy: all.map(|()| conflict.policy),
            account_id: all.map(|()| conflict.account_id),
            product_family_id: all.and(conflict.product_family_id),
            incumbent_registration_id: all.and(conflict.incumbent_registration_id),
            deal_id: all.and(conflict.deal_id),
            referral_id: all.and(conflict.referral_id),
            decision: all.and(conflict.decision),
            reason: all.and(conflict.reason.clone()),
            winner_registration_id: all.and(conflict.winner_registration_id),
            decided_by: all.and(conflict.decided_by),
            decided_at,
            created_at,
            updated_at,
            parties: parties
                .into_iter()
                .map(|party| PartyView::of(&conflict, party))
                .collect(),
        }
    }
}

impl PartyView {
    fn of(conflict: &RegistrationConflict, party: Party) -> Self {
        Self {
            outcome: conflict.outcome(&party),
            deal_registration_id: party.deal_registration_id,
            partner_id: party.partner_id,
            side: party.side,
            evidence: party.evidence,
            joined_at: party.joined_at,
        }
    }
}

page_of!(
    RegistrationConflictPage,
    RegistrationConflictView,
    "registration conflicts"
);

/// What a list of conflicts is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConflictsQuery {
    /// Only conflicts in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 2)]
    pub status: Vec<ConflictStatus>,
    /// Only conflicts in which this registration is a party.
    pub deal_registration_id: Option<DealRegistrationId>,
    /// Only conflicts over this account.
    pub account_id: Option<AccountId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ConflictsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ConflictFilter {
        ConflictFilter {
            statuses: self.status.clone(),
            deal_registration_id: self.deal_registration_id,
            account_id: self.account_id,
        }
    }
}

/// The conflict that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConflictPath {
    /// The conflict.
    pub registration_conflict_id: RegistrationConflictId,
}
