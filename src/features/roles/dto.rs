//! Roles on the wire.

use super::domain::{NewRole, Role, RolePatch};
use super::store::RoleFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::RoleId;
use crate::kernel::permission::PermissionName;
use crate::kernel::problem::Problem;
use crate::kernel::role::BuiltInRole;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::permissions_of;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A role to make.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccessRoleCreate, examples(json!({"name": "Deal desk", "for_partners": false, "permissions": ["deals:read", "deals:write", "attributions:read"]})))]
#[serde(deny_unknown_fields)]
pub struct NewRoleBody {
    /// Its name; unique in your organization.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Deal desk"
    )]
    pub name: String,
    /// Whether it is for partners' people rather than your own.
    #[serde(default)]
    #[schema(default = false)]
    pub for_partners: bool,
    /// What it holds: permissions that you hold yourself.
    #[schema(min_items = 1, max_items = 100)]
    pub permissions: Vec<PermissionName>,
}

impl NewRoleBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewRole, Problem> {
        Ok(NewRole {
            name: self.name.clone(),
            for_partners: self.for_partners,
            permissions: permissions_of(&self.permissions)?,
        })
    }
}

/// Changes of a role: absent leaves a field as it is.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AccessRoleUpdate, min_properties = 1, examples(json!({"permissions": ["deals:read", "deals:write"]})))]
#[serde(deny_unknown_fields)]
pub struct PatchRoleBody {
    /// Its name; unique in your organization.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Deal desk"
    )]
    pub name: Option<String>,
    /// What it holds from now on.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    pub permissions: Option<Vec<PermissionName>>,
}

impl PatchRoleBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<RolePatch, Problem> {
        Ok(RolePatch {
            name: self.name.clone(),
            permissions: self.permissions.as_deref().map(permissions_of).transpose()?,
        })
    }
}

/// A role: a set of permissions that people hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessRole, examples(json!({"id": "role_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Deal desk", "built_in": null, "for_partners": false, "permissions": ["deals:read", "deals:write"], "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct RoleView {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    #[schema(max_length = 100)]
    pub name: String,
    /// Which of the roles that come with the service it is: admin, partner_manager, sales, finance, analyst,
    /// partner_admin or partner_member; `null` for one of your own. Those of the service never change.
    #[schema(required)]
    pub built_in: Option<BuiltInRole>,
    /// Whether it is for partners' people rather than your own.
    pub for_partners: bool,
    /// What it holds.
    #[schema(max_items = 200)]
    pub permissions: Vec<PermissionName>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            built_in: role.built_in,
            for_partners: role.for_partners,
            permissions: role.permissions.into_iter().map(PermissionName).collect(),
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

page_of!(AccessRolePage, RoleView, "roles");

/// What a list of roles is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RolesQuery {
    /// Only roles for partners' people, or only those for your own.
    pub for_partners: Option<bool>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl RolesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> RoleFilter {
        RoleFilter {
            for_partners: self.for_partners,
        }
    }
}

/// The role that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RolePath {
    /// The role.
    pub role_id: RoleId,
}
