//! Users on the wire.

use super::domain::{NewUser, User, UserPatch, UserStatus};
use super::store::UserFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PartnerId, RoleId, UserId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A person to let in.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = UserCreate, examples(json!({"name": "Ada Okafor", "email": "ada@nordlicht.example", "role_ids": ["role_01j9zq4y8k7m5n3p2r1s0t6v4w"]})))]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    /// Your own key for the user; unique among your users.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "hr-4711"
    )]
    pub external_id: Option<String>,
    /// The partner whose user this is; without it, one of your own people.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// The e-mail address; kept in lower case.
    #[schema(
        min_length = 3,
        max_length = 254,
        pattern = r"^[^@\s\x00]+@[^@\s\x00]+$",
        example = "ada@nordlicht.example"
    )]
    pub email: String,
    /// The name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Ada Okafor"
    )]
    pub name: String,
    /// The roles: what the user may do.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub role_ids: Vec<RoleId>,
}

impl NewUserBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewUser {
        let body = self.clone();
        NewUser {
            partner_id: body.partner_id,
            external_id: body.external_id,
            email: body.email.to_lowercase(),
            name: body.name,
            role_ids: body.role_ids,
        }
    }
}

/// Changes of a user: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = UserUpdate, min_properties = 1, examples(json!({"name": "Ada Okafor-Lind", "role_ids": ["role_01j9zq4y8k7m5n3p2r1s0t6v4w"]})))]
#[serde(deny_unknown_fields)]
pub struct PatchUserBody {
    /// Your own key for the user.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "hr-4711")]
    pub external_id: Patch<String>,
    /// The e-mail address; kept in lower case.
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 254,
        pattern = r"^[^@\s\x00]+@[^@\s\x00]+$",
        example = "ada@nordlicht.example"
    )]
    pub email: Option<String>,
    /// The name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Ada Okafor"
    )]
    pub name: Option<String>,
    /// All the roles that the user holds from now on.
    #[schema(nullable = false, max_items = 20)]
    pub role_ids: Option<Vec<RoleId>>,
}

impl PatchUserBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> UserPatch {
        let body = self.clone();
        UserPatch {
            external_id: body.external_id,
            email: body.email.map(|email| email.to_lowercase()),
            name: body.name,
            role_ids: body.role_ids,
        }
    }
}

/// A user: one person of the organization or of a partner.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = User, examples(json!({"id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": null, "external_id": null, "email": "ada@nordlicht.example", "name": "Ada Okafor", "role_ids": ["role_01j9zq4y8k7m5n3p2r1s0t6v4w"], "status": "active", "status_reason": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct UserView {
    /// Its id.
    pub id: UserId,
    /// The partner whose user it is; `null` for your own people.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The e-mail address.
    #[schema(max_length = 254)]
    pub email: String,
    /// The name.
    #[schema(max_length = 255)]
    pub name: String,
    /// The roles that it holds.
    #[schema(max_items = 100)]
    pub role_ids: Vec<RoleId>,
    /// Where it stands: active, suspended or terminated.
    pub status: UserStatus,
    /// Why it was suspended or terminated.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            partner_id: user.partner_id,
            external_id: user.external_id,
            email: user.email,
            name: user.name,
            role_ids: user.role_ids,
            status: user.status,
            status_reason: user.status_reason,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

page_of!(UserPage, UserView, "users");

/// What a list of users is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// Only users in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub status: Vec<UserStatus>,
    /// Only the user with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only users with this e-mail address, in any case.
    #[param(min_length = 3, max_length = 254, pattern = r"^[^@\s\x00]+@[^@\s\x00]+$")]
    pub email: Option<String>,
    /// Only this partner's people.
    pub partner_id: Option<PartnerId>,
    /// Only users who hold this role.
    pub role_id: Option<RoleId>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl UsersQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> UserFilter {
        UserFilter {
            statuses: self.status.clone(),
            external_id: self.external_id.clone(),
            email: self.email.clone(),
            partner_id: self.partner_id,
            role_id: self.role_id,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
        }
    }
}

/// The user that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user.
    pub user_id: UserId,
}
