//! Permissions in a body.

use super::fields::Fields;
use crate::kernel::permission::{Permission, PermissionName};
use crate::kernel::problem::Problem;

/// The permissions of these names in `/permissions`, each once.
pub fn permissions_of(names: &[PermissionName]) -> Result<Vec<Permission>, Problem> {
    let mut fields = Fields::new();
    let mut permissions = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match Permission::from_name(&name.0) {
            Some(permission) if permissions.contains(&permission) => {}
            Some(permission) => permissions.push(permission),
            None => fields.refuse(
                format!("/permissions/{index}"),
                "unknown_permission",
                "There is no such permission.",
            ),
        }
    }
    fields.finish(Some(permissions))
}
