//! Pairs and merges of accounts on the wire.

use super::decision_domain::{Merge, MergeStatus, Pair, PairStatus};
use super::decision_store::{MergeFilter, PairFilter};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AccountId, AccountMatchId, AccountMergeId};
use crate::kernel::matching::Reason;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// What a person adds to a decision about two accounts.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccountMatchDecision, examples(json!({"reason": "The register shows one company."})))]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// Why, for whoever asks later.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The register shows one company."
    )]
    pub reason: Option<String>,
}

/// Two accounts that may be one company.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccountMatch, examples(json!({"id": "acm_01j9zq4y8k7m5n3p2r1s0t6v4w", "account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "other_account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4x", "status": "suggested", "status_reason": null, "score": 8334, "reasons": ["similar_name", "similar_spelling"], "decided_by": null, "decided_at": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct PairView {
    /// Its id.
    pub id: AccountMatchId,
    /// The older account.
    pub account_id: AccountId,
    /// The younger one.
    pub other_account_id: AccountId,
    /// Where it stands: suggested, confirmed or rejected.
    pub status: PairStatus,
    /// Why a person decided so.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// How much spoke for it when it was suggested, in ten-thousandths.
    #[schema(minimum = 0, maximum = 10000, example = 8334)]
    pub score: i32,
    /// What spoke for it and against it.
    #[schema(inline, max_items = 12)]
    pub reasons: Vec<Reason>,
    /// Who decided.
    #[schema(required)]
    pub decided_by: Option<ActorId>,
    /// When it was decided.
    #[schema(required)]
    pub decided_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Pair> for PairView {
    fn from(pair: Pair) -> Self {
        Self {
            id: pair.id,
            account_id: pair.account_id,
            other_account_id: pair.other_account_id,
            status: pair.status,
            status_reason: pair.status_reason,
            score: pair.score,
            reasons: pair.reasons,
            decided_by: pair.decided_by,
            decided_at: pair.decided_at,
            created_at: pair.created_at,
            updated_at: pair.updated_at,
        }
    }
}

page_of!(AccountMatchPage, PairView, "account matches");

/// What a list of pairs is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PairsQuery {
    /// Only pairs with this account.
    pub account_id: Option<AccountId>,
    /// Only pairs in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub status: Vec<PairStatus>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PairsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PairFilter {
        PairFilter {
            statuses: self.status.clone(),
            account_id: self.account_id,
        }
    }
}

/// The pair that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PairPath {
    /// The pair.
    pub account_match_id: AccountMatchId,
}

/// A merge of two accounts.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccountMergeCreate, examples(json!({"account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4x", "survivor_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "reason": "Entered twice."})))]
#[serde(deny_unknown_fields)]
pub struct NewMergeBody {
    /// The account that is taken over.
    pub account_id: AccountId,
    /// The account that stands for both from now on.
    pub survivor_id: AccountId,
    /// Why they are one.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Entered twice."
    )]
    pub reason: String,
}

/// A merge of an account into another one, the survivor.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccountMerge, examples(json!({"id": "acg_01j9zq4y8k7m5n3p2r1s0t6v4w", "account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4x", "survivor_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "merged", "reason": "Entered twice.", "undo_reason": null, "moved_deals": 3, "moved_registrations": 1, "moved_accounts": 0, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct MergeView {
    /// Its id.
    pub id: AccountMergeId,
    /// The account that was taken over.
    pub account_id: AccountId,
    /// The account that stands for both.
    pub survivor_id: AccountId,
    /// Where it stands: merged or undone.
    pub status: MergeStatus,
    /// Why they were merged.
    #[schema(max_length = 1000)]
    pub reason: String,
    /// Why that was undone.
    #[schema(required, max_length = 1000)]
    pub undo_reason: Option<String>,
    /// How many deals moved to the survivor.
    #[schema(minimum = 0)]
    pub moved_deals: i64,
    /// How many deal registrations moved to the survivor.
    #[schema(minimum = 0)]
    pub moved_registrations: i64,
    /// How many accounts that were merged into the account lead to the survivor now.
    #[schema(minimum = 0)]
    pub moved_accounts: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Merge> for MergeView {
    fn from(merge: Merge) -> Self {
        Self {
            id: merge.id,
            account_id: merge.account_id,
            survivor_id: merge.survivor_id,
            status: merge.status,
            reason: merge.reason,
            undo_reason: merge.undo_reason,
            moved_deals: merge.moved_deals,
            moved_registrations: merge.moved_registrations,
            moved_accounts: merge.moved_accounts,
            created_at: merge.created_at,
            updated_at: merge.updated_at,
        }
    }
}

page_of!(AccountMergePage, MergeView, "account merges");

/// What a list of merges is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MergesQuery {
    /// Only merges with this account on either side.
    pub account_id: Option<AccountId>,
    /// Only merges in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 2)]
    pub status: Vec<MergeStatus>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl MergesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> MergeFilter {
        MergeFilter {
            statuses: self.status.clone(),
            account_id: self.account_id,
        }
    }
}

/// The merge that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MergePath {
    /// The merge.
    pub account_merge_id: AccountMergeId,
}
