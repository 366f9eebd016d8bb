//! Who may call an operation: the permission that it declares, and the built-in roles that hold it.

use serde_json::{Value, json};

use super::walk::{member, set_missing};
use crate::kernel::permission::Permission;
use crate::kernel::role::BuiltInRole;

/// The extension that names the permission of an operation, or several of which one suffices; a handler writes it.
pub(super) const PERMISSION: &str = "x-required-permission";
/// The extension that names the built-in roles that may call an operation; it follows from the permission.
pub(super) const ROLES: &str = "x-roles";

/// Names the roles of a secured operation, and says in its description what is needed.
pub(super) fn state(operation: &mut Value) {
    let permissions = permissions(operation);
    let roles: Vec<&str> = BuiltInRole::ALL
        .iter()
        .filter(|role| may(**role, &permissions))
        .map(|role| role.as_str())
        .collect();
    let needs = match permissions.as_slice() {
        [] => "Needs no permission".to_owned(),
        [only] => format!("Needs `{only}`"),
        several => format!("Needs one of {}", listed(several)),
    };
    let held = match roles.as_slice() {
        [] => "no built-in role holds it".to_owned(),
        all if all.len() == BuiltInRole::ALL.len() => "every built-in role may call it".to_owned(),
        some => format!("held by {}", listed(some)),
    };
    set_missing(operation, ROLES, json!(roles));
    let described = operation
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let separator = if described.is_empty() { "" } else { "\n\n" };
    *member(operation, "description") = json!(format!("{described}{separator}{needs}; {held}."));
}

fn permissions(operation: &Value) -> Vec<String> {
    match operation.get(PERMISSION) {
        Some(Value::String(only)) => vec![only.clone()],
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn may(role: BuiltInRole, permissions: &[String]) -> bool {
    let mut known = permissions.iter().filter_map(|name| Permission::from_name(name));
    permissions.is_empty() || known.any(|permission| role.holds(permission))
}

fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}
