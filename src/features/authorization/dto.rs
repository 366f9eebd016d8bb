//! Answers about authorization on the wire.

use super::domain::{Question, Rule};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{OrganizationId, PartnerId, UserId};
use crate::kernel::permission::{Permission, PermissionName};
use crate::kernel::problem::Problem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// Who is calling.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Me, examples(json!({"actor_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "user_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "organization_id": "org_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": null, "permissions": ["deals:read", "deals:write"], "expires_at": "2026-03-01T09:00:00Z"})))]
pub struct MeView {
    /// The key or the user that the service takes you for.
    pub actor_id: ActorId,
    /// The person behind it: the user, or the owner of the key.
    #[schema(required)]
    pub user_id: Option<UserId>,
    /// Your organization.
    pub organization_id: OrganizationId,
    /// The partner to which you are confined.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// What you may do.
    #[schema(max_items = 200)]
    pub permissions: Vec<PermissionName>,
    /// Until when your credential is good; `null` until it is revoked.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
}

impl MeView {
    /// The caller of this request.
    pub fn of(ctx: &Ctx, expires_at: Option<DateTime<Utc>>) -> Result<Self, Problem> {
        Ok(Self {
            actor_id: ctx.actor.record().ok_or_else(Problem::internal)?,
            user_id: ctx.person,
            organization_id: ctx.organization_id(),
            partner_id: ctx.scope.partner_id,
            permissions: ctx
                .rights
                .iter()
                .map(|permission| PermissionName(permission.name().to_owned()))
                .collect(),
            expires_at,
        })
    }
}

/// May this actor do this?
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AuthorizationQuestion, examples(json!({"actor_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "permission": "deals:read", "record_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w"})))]
#[serde(deny_unknown_fields)]
pub struct QuestionBody {
    /// The user or the key.
    pub actor_id: ActorId,
    /// What they would do.
    pub permission: PermissionName,
    /// With which record; without it, with any.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^[a-z]+_[0-9a-z]{26}$",
        example = "deal_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    pub record_id: Option<String>,
}

impl QuestionBody {
    /// The question as business speaks of it.
    pub fn question(&self) -> Result<Question, Problem> {
        let unknown = || {
            Problem::field(
                "/permission",
                "unknown_permission",
                "There is no such permission.",
            )
        };
        Ok(Question {
            actor_id: self.actor_id,
            permission: Permission::from_name(&self.permission.0).ok_or_else(unknown)?,
            record_id: self.record_id.clone(),
        })
    }
}

/// Whether an actor may do something, and by which rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuthorizationAnswer, examples(json!({"actor_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "permission": "deals:read", "record_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "allowed": false, "rule": "record_out_of_reach"})))]
pub struct AnswerView {
    /// The user or the key.
    pub actor_id: ActorId,
    /// What they would do.
    pub permission: PermissionName,
    /// With which record.
    #[schema(required, max_length = 64)]
    pub record_id: Option<String>,
    /// Whether they may.
    pub allowed: bool,
    /// The rule that decides: granted, key_revoked, key_expired, user_not_active, owner_not_active, partner_not_active,
    /// permission_missing, owner_lacks_permission or record_out_of_reach.
    pub rule: Rule,
}

impl AnswerView {
    /// The answer to a question.
    pub fn new(body: &QuestionBody, rule: Rule) -> Self {
        let body = body.clone();
        Self {
            actor_id: body.actor_id,
            permission: body.permission,
            record_id: body.record_id,
            allowed: rule == Rule::Granted,
            rule,
        }
    }
}
