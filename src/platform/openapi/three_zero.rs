//! The same contract in OpenAPI 3.0.3, for generators that do not read 3.1.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::schemas::reference_to;
use super::walk::{each_schema, member, set_missing, take};

/// Keywords of JSON Schema 2020-12 that 3.0 does not know and that need no replacement.
const UNKNOWN: [&str; 9] = [
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "propertyNames",
    "patternProperties",
    "unevaluatedProperties",
    "contains",
    "contentMediaType",
];

/// Writes a finished 3.1 document in OpenAPI 3.0.3. Webhooks, which 3.0 does not know, are left out.
pub fn derive_3_0(document: &Value) -> Value {
    let mut derived = document.clone();
    *member(&mut derived, "openapi") = json!("3.0.3");
    take(&mut derived, "webhooks");
    take(&mut derived, "jsonSchemaDialect");
    take(member(&mut derived, "components"), "pathItems");
    describe_license(&mut derived);
    let types = types_of_components(document);
    each_schema(&mut derived, &mut |schema| rewrite(schema, &types));
    drop_unused(&mut derived);
    derived
}

/// 3.0 names a license by its address only.
fn describe_license(document: &mut Value) {
    let info = member(document, "info");
    take(info, "summary");
    let Some(license) = info.get_mut("license") else {
        return;
    };
    if let Some(Value::String(identifier)) = take(license, "identifier") {
        set_missing(
            license,
            "url",
            json!(format!("https://spdx.org/licenses/{identifier}.html")),
        );
    }
}

/// The type of each named schema, by the reference to it.
fn types_of_components(document: &Value) -> HashMap<String, Value> {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let typed = schemas.into_iter().flatten();
    typed
        .filter_map(|(name, schema)| Some((reference_to(name), schema.get("type")?.clone())))
        .collect()
}

fn rewrite(schema: &mut Value, types: &HashMap<String, Value>) {
    flatten_type(schema);
    drop_null_branch(schema, types);
    replace_keywords(schema);
    replace_bound(schema, "exclusiveMinimum", "minimum");
    replace_bound(schema, "exclusiveMaximum", "maximum");
    wrap_reference(schema);
}

/// A list of types is one type, nullable or not, or a choice.
fn flatten_type(schema: &mut Value) {
    let Some(Value::Array(types)) = schema.get("type").cloned() else {
        return;
    };
    let named: Vec<&Value> = types.iter().filter(|name| **name != "null").collect();
    if named.len() < types.len() {
        *member(schema, "nullable") = json!(true);
    }
    match named.as_slice() {
        [only] => *member(schema, "type") = (*only).clone(),
        [] => drop(take(schema, "type")),
        several => {
            let choices: Vec<Value> = several.iter().map(|name| json!({ "type": name })).collect();
            take(schema, "type");
            *member(schema, "anyOf") = json!(choices);
        }
    }
}

/// `oneOf: [X, null]` is a nullable X.
fn drop_null_branch(schema: &mut Value, types: &HashMap<String, Value>) {
    // Innermost first: the branch `{type: null}` itself was left as it is by the step before.
    let null = json!({ "type": "null" });
    for choice in ["oneOf", "anyOf"] {
        let Some(branches) = schema.get_mut(choice).and_then(Value::as_array_mut) else {
            continue;
        };
        let before = branches.len();
        branches.retain(|branch| *branch != null);
        if branches.len() == before {
            continue;
        }
        if let [only] = branches.as_slice() {
            let only = only.clone();
            take(schema, choice);
            // `nullable` counts only beside a type; unions, which have none, are of objects.
            let named = only
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| types.get(reference));
            set_missing(schema, "type", named.cloned().unwrap_or_else(|| json!("object")));
            *member(schema, "allOf") = json!([only]);
        }
        *member(schema, "nullable") = json!(true);
    }
}

fn replace_keywords(schema: &mut Value) {
    if let Some(constant) = take(schema, "const") {
        *member(schema, "enum") = json!([constant]);
    }
    if let Some(Value::Array(examples)) = take(schema, "examples")
        && let Some(first) = examples.into_iter().next()
    {
        *member(schema, "example") = first;
    }
    if let Some(encoding) = take(schema, "contentEncoding") {
        let format = if encoding == "base64" { "byte" } else { "binary" };
        set_missing(schema, "format", json!(format));
    }
    if let Some(items) = take(schema, "prefixItems") {
        set_missing(schema, "items", json!({ "anyOf": items }));
    }
    for keyword in UNKNOWN {
        take(schema, keyword);
    }
}

/// In 3.0 an exclusive bound is a bound with a flag.
fn replace_bound(schema: &mut Value, exclusive: &str, bound: &str) {
    if schema.get(exclusive).is_some_and(Value::is_number)
        && let Some(limit) = take(schema, exclusive)
    {
        *member(schema, bound) = limit;
        *member(schema, exclusive) = json!(true);
    }
}

/// Beside a reference 3.0 ignores everything, so the reference moves into an `allOf`.
fn wrap_reference(schema: &mut Value) {
    let has_siblings = schema.as_object().is_some_and(|keywords| keywords.len() > 1);
    if has_siblings && let Some(reference) = take(schema, "$ref") {
        *member(schema, "allOf") = json!([{ "$ref": reference }]);
    }
}

/// Removes schemas that only webhooks referred to, and what only those referred to.
fn drop_unused(document: &mut Value) {
    loop {
        let written = document.to_string();
        let schemas = member(member(document, "components"), "schemas");
        let Some(schemas) = schemas.as_object_mut() else {
            return;
        };
        let before: usize = schemas.len();
        let kept: Map<String, Value> = std::mem::take(schemas)
            .into_iter()
            .filter(|(name, _)| written.contains(&format!("\"#/components/schemas/{name}\"")))
            .collect();
        *schemas = kept;
        if schemas.len() == before {
            return;
        }
    }
}
