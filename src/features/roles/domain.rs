//! What a role is.

use crate::kernel::ctx::Ctx;
use crate::kernel::id::RoleId;
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::role::BuiltInRole;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// Which of the service's own roles it is.
    pub built_in: Option<BuiltInRole>,
    /// Whether it is for partners' people rather than the organization's own.
    pub for_partners: bool,
    /// The names of its permissions.
    pub permissions: Vec<String>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new role is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// Whether it is for partners' people.
    pub for_partners: bool,
    /// What it holds.
    pub permissions: Vec<Permission>,
}

/// What may be changed of a role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RolePatch {
    /// Its name.
    pub name: Option<String>,
    /// What it holds.
    pub permissions: Option<Vec<Permission>>,
}

impl Role {
    /// One of the roles that come with the service.
    pub fn built_in(role: BuiltInRole, now: DateTime<Utc>) -> Self {
        Self {
            id: RoleId::new(now),
            name: role.title().to_owned(),
            built_in: Some(role),
            for_partners: role.is_for_partners(),
            permissions: names(&role.permissions()),
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// A role that an organization makes for itself.
    pub fn made(new: NewRole, ctx: &Ctx) -> Result<Self, Problem> {
        check(&new.permissions, new.for_partners, ctx)?;
        Ok(Self {
            id: RoleId::new(ctx.now),
            name: new.name,
            built_in: None,
            for_partners: new.for_partners,
            permissions: names(&new.permissions),
            row_version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        })
    }

    /// The role with the patch applied.
    pub fn patched(mut self, patch: RolePatch, ctx: &Ctx) -> Result<Self, Problem> {
        if self.built_in.is_some() {
            return Err(Problem::new(Code::BuiltInRole));
        }
        if let Some(permissions) = patch.permissions {
            self.check_takeable(&permissions, ctx)?;
            check(&permissions, self.for_partners, ctx)?;
            self.permissions = names(&permissions);
        }
        Ok(Self {
            name: patch.name.unwrap_or(self.name),
            row_version: self.row_version + 1,
            updated_at: ctx.now,
            ..self
        })
    }

    /// Nobody takes a permission away that they could not give: it would put those who hold it within their reach.
    fn check_takeable(&self, left: &[Permission], ctx: &Ctx) -> Result<(), Problem> {
        let had = self
            .permissions
            .iter()
            .filter_map(|name| Permission::from_name(name));
        let mut taken = had.filter(|permission| !left.contains(permission));
        let Some(out_of_reach) = taken.find(|permission| !ctx.holds(*permission)) else {
            return Ok(());
        };
        let name = out_of_reach.name();
        let message = format!("You cannot take a permission away that you do not hold: {name}.");
        Err(Problem::field("/permissions", "not_held", message))
    }

    /// Whether the caller holds everything that the role holds, and so may give it.
    pub fn may_be_given_by(&self, ctx: &Ctx) -> bool {
        let permissions = self.permissions.iter();
        permissions
            .filter_map(|name| Permission::from_name(name))
            .all(|permission| ctx.holds(permission))
    }
}

fn names(permissions: &[Permission]) -> Vec<String> {
    permissions
        .iter()
        .map(|permission| permission.name().to_owned())
        .collect()
}

fn check(permissions: &[Permission], for_partners: bool, ctx: &Ctx) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for (index, permission) in permissions.iter().enumerate() {
        let mut refuse = |code: &str, message: &str| {
            problems.push(FieldProblem::new(format!("/permissions/{index}"), code, message));
        };
        if !ctx.holds(*permission) {
            refuse("not_held", "You cannot give a permission that you do not hold.");
        } else if for_partners && !permission.open_to_partners() {
            refuse(
                "not_for_partners",
                "A role for partners cannot hold this permission.",
            );
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(problems))
    }
}
