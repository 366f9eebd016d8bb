//! A body of its own for every operation that takes one.
//!
//! Rust may share a type between moves (a reason is a reason), the contract must not: bodies under one name cannot grow
//! apart, and a client that reads one would have to know about all.

use super::walk;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Gives each operation its own copy of a body schema that several use: `declinePartner` takes a `PartnerDecline`.
pub(super) fn separate(document: &mut Value) {
    let shared = shared(document);
    let mut copies = Vec::new();
    walk::each_operation(document, "paths", &mut |_, _, operation| {
        let Some(name) = operation["operationId"].as_str().map(body_name) else {
            return;
        };
        if let Some(schema) = operation.pointer_mut(SCHEMA)
            && let Some(original) = referred(schema).filter(|one| shared.contains_key(one))
        {
            *schema = json!({ "$ref": format!("{COMPONENTS}{name}") });
            copies.push((name, original));
        }
    });
    for (name, original) in copies {
        if let Some(schema) = shared.get(&original) {
            document["components"]["schemas"][name] = schema.clone();
        }
    }
    if let Some(named) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        named.retain(|name, _| !shared.contains_key(name));
        named.sort_keys();
    }
}

const SCHEMA: &str = "/requestBody/content/application~1json/schema";
const COMPONENTS: &str = "#/components/schemas/";

fn referred(schema: &Value) -> Option<String> {
    schema["$ref"]
        .as_str()?
        .strip_prefix(COMPONENTS)
        .map(str::to_owned)
}

/// The body schemas that more than one operation uses.
fn shared(document: &Value) -> BTreeMap<String, Value> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for (_, _, operation) in walk::operations(document, "paths") {
        if let Some(name) = operation.pointer(SCHEMA).and_then(referred) {
            *uses.entry(name).or_default() += 1;
        }
    }
    uses.into_iter()
        .filter(|(_, count)| *count > 1)
        .filter_map(|(name, _)| {
            let schema = document["components"]["schemas"].get(&name)?.clone();
            Some((name, schema))
        })
        .collect()
}

/// `declinePartner` as `PartnerDecline`, the way of `PartnerCreate` and `PartnerUpdate`.
fn body_name(operation_id: &str) -> String {
    let split = operation_id
        .find(|letter: char| letter.is_ascii_uppercase())
        .unwrap_or(operation_id.len());
    let (verb, noun) = operation_id.split_at(split);
    format!("{noun}{}", walk::pascal(verb))
}
