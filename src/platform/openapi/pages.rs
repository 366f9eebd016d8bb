//! Pages of lists look alike, and so do their descriptions, which a macro cannot put into its derive.

use super::walk;
use serde_json::{Value, json};

/// Describes every page and its rows.
pub(super) fn describe(document: &mut Value) {
    let named = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    for (_, schema) in named
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.ends_with("Page"))
    {
        walk::set_missing(schema, "description", json!("One page of a list."));
        if let Some(data) = schema.pointer_mut("/properties/data") {
            walk::set_missing(
                data,
                "description",
                json!("The records on this page, in the order asked for."),
            );
        }
    }
}
