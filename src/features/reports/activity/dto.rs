//! The activity of partners on the wire.

use super::store::{Activity, Headcount};
use crate::kernel::activity::{ActivityStatus, dormant_from, status};
use crate::kernel::id::PartnerId;
use crate::kernel::motion::Motion;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// When a partner was useful for the first time in a motion.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = MotionActivation)]
pub struct MotionActivationView {
    /// The motion of a program in which the partner is or was.
    pub motion: Motion,
    /// When its first useful action there was; `null` as long as there is none.
    #[schema(required)]
    pub activated_at: Option<DateTime<Utc>>,
}

/// Whether a partner is of use. Computed from what happened, and set by nobody.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PartnerActivity, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "active", "activated_at": "2026-03-04T10:00:00Z", "motions": [{"motion": "agency", "activated_at": "2026-03-04T10:00:00Z"}], "last_action": "touchpoint.recorded", "last_action_at": "2026-05-11T13:00:00Z", "dormant_from": "2026-08-09T13:00:00Z", "dormant_after_days": 90})))]
pub struct PartnerActivityView {
    /// The partner.
    pub partner_id: PartnerId,
    /// Whether its last action lies within the time that the organization set: active or dormant.
    pub status: ActivityStatus,
    /// When it was useful for the first time, in any motion.
    #[schema(required)]
    pub activated_at: Option<DateTime<Utc>>,
    /// The same for each motion of the programs in which it is or was.
    #[schema(max_items = 6)]
    pub motions: Vec<MotionActivationView>,
    /// The type of the event that is its last action.
    #[schema(required, max_length = 100, pattern = r"^[a-z_]+\.[a-z_]+$")]
    pub last_action: Option<String>,
    /// When that was.
    #[schema(required)]
    pub last_action_at: Option<DateTime<Utc>>,
    /// From when on it is dormant if it does nothing more.
    #[schema(required)]
    pub dormant_from: Option<DateTime<Utc>>,
    /// Days without an action after which a partner is dormant.
    #[schema(minimum = 1, maximum = 3650)]
    pub dormant_after_days: i32,
}

impl PartnerActivityView {
    /// The activity as it is now.
    pub fn new(
        partner_id: PartnerId,
        activity: Activity,
        dormant_after_days: i32,
        now: DateTime<Utc>,
    ) -> Self {
        let Activity { motions, last_action } = activity;
        let last_action_at = last_action.as_ref().map(|last| last.at);
        Self {
            partner_id,
            status: status(last_action_at, dormant_after_days, now),
            activated_at: motions.iter().filter_map(|(_, at)| *at).min(),
            motions: motions
                .into_iter()
                .map(|(motion, activated_at)| MotionActivationView { motion, activated_at })
                .collect(),
            last_action: last_action.map(|last| last.name),
            last_action_at,
            dormant_from: dormant_from(last_action_at, dormant_after_days),
            dormant_after_days,
        }
    }
}

/// How the approved partners of the organization stand.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PartnerActivityReport, examples(json!({"generated_at": "2026-05-19T08:00:00Z", "dormant_after_days": 90, "partners": 40, "activated": 26, "activation_basis_points": 6500, "active": 17, "dormant": 23})))]
pub struct HeadcountView {
    /// When the report was made.
    pub generated_at: DateTime<Utc>,
    /// Days without an action after which a partner is dormant.
    #[schema(minimum = 1, maximum = 3650)]
    pub dormant_after_days: i32,
    /// Approved partners.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub partners: i64,
    /// Of them, those that were useful at least once in a motion of theirs.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub activated: i64,
    /// Activated partners of all approved ones in basis points, rounded down; 0 when there are none.
    #[schema(minimum = 0, maximum = 10000)]
    pub activation_basis_points: i64,
    /// Those whose last action lies within the time that the organization set.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub active: i64,
    /// The others.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub dormant: i64,
}

impl HeadcountView {
    /// The report as it goes out.
    pub fn new(count: &Headcount, dormant_after_days: i32, now: DateTime<Utc>) -> Self {
        let rate = count.activated.saturating_mul(10_000).checked_div(count.partners);
        Self {
            generated_at: now,
            dormant_after_days,
            partners: count.partners,
            activated: count.activated,
            activation_basis_points: rate.unwrap_or(0),
            active: count.active,
            dormant: count.partners - count.active,
        }
    }
}

/// The partner that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PartnerPath {
    /// The partner.
    pub partner_id: PartnerId,
}
