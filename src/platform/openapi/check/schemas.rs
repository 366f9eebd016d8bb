//! Rules for schemas: everything is described and bounded, answers are complete, nothing is inline.

use std::collections::HashSet;

use serde_json::Value;

use super::is_blank;
use crate::platform::openapi::walk::{each_object, is_type, name_of, operations, resolve};

/// What is wrong with the schemas of the document.
pub(super) fn faults(document: &Value) -> Vec<String> {
    let answered = answered_schemas(document);
    let mut found = Vec::new();
    each_object(document, "", &mut |at, object| {
        if is_schema(at) {
            found.extend(
                schema_faults(at, object, &answered)
                    .into_iter()
                    .map(|fault| format!("{at}: {fault}")),
            );
        }
    });
    found
}

/// Whether the pointer leads to a schema, by the keyword that holds it.
fn is_schema(at: &str) -> bool {
    let mut steps = at.rsplit('/');
    let (last, holder) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
    matches!(holder, "schemas" | "properties" | "oneOf" | "anyOf" | "allOf")
        || (matches!(last, "schema" | "items" | "additionalProperties") && holder != "properties")
}

fn schema_faults(at: &str, schema: &Value, answered: &HashSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let has = |keyword: &str| schema.get(keyword).is_some();
    let has_any = |keywords: &[&str]| keywords.iter().any(|keyword| has(keyword));
    if at.rsplit('/').nth(1) == Some("properties") && is_blank(schema, "description") {
        found.push("the property has no description".to_owned());
    }
    if is_type(schema, "string") && !has_any(&["enum", "const"]) {
        if !has("maxLength") {
            found.push("the string has no maxLength".to_owned());
        }
        if !has_any(&["pattern", "format"]) {
            found.push("the string has no pattern, format, enum or const".to_owned());
        }
    }
    let has_lower = has_any(&["minimum", "exclusiveMinimum", "enum", "const"]);
    let has_upper = has_any(&["maximum", "exclusiveMaximum", "enum", "const"]);
    if is_type(schema, "integer") && !(has_lower && has_upper) {
        found.push("the integer lacks a bound".to_owned());
    }
    if is_type(schema, "number") {
        found.push("numbers with a fraction are decimal strings".to_owned());
    }
    if is_type(schema, "array") && !has("maxItems") {
        found.push("the array has no maxItems".to_owned());
    }
    if has("properties") {
        found.extend(object_faults(at, schema, answered));
    }
    found
}

fn object_faults(at: &str, schema: &Value, answered: &HashSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let component = at
        .strip_prefix("/components/schemas/")
        .filter(|name| !name.contains('/'));
    let Some(component) = component else {
        return vec!["an object stands inline; give it a name".to_owned()];
    };
    if schema.get("examples").is_none() {
        found.push("the object has no example (give each required property one)".to_owned());
    }
    if is_blank(schema, "description") {
        found.push("the object has no description".to_owned());
    }
    if answered.contains(component) {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &String| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = schema.get("properties").and_then(Value::as_object);
        let optional = properties
            .into_iter()
            .flat_map(|all| all.keys())
            .filter(|name| !is_required(name));
        found.extend(optional.map(|name| format!("`{name}` of an answer is not required")));
    }
    found
}

/// Names of the schemas of answers alone: what a request may leave out may be missing when it is given back.
fn answered_schemas(document: &Value) -> HashSet<&str> {
    let asked = reached(document, |operation| {
        operation.get("requestBody").into_iter().collect()
    });
    let answered = reached(document, |operation| {
        let responses = operation.get("responses").and_then(Value::as_object);
        responses.into_iter().flat_map(|all| all.values()).collect()
    });
    answered.difference(&asked).copied().collect()
}

/// Names of the schemas that a part of the operations refers to, directly or through other schemas.
fn reached<'a>(document: &'a Value, part: impl Fn(&'a Value) -> Vec<&'a Value>) -> HashSet<&'a str> {
    let mut names = HashSet::new();
    let mut waiting: Vec<&Value> = operations(document, "paths")
        .into_iter()
        .flat_map(|(_, _, operation)| part(operation))
        .map(|value| resolve(document, value))
        .collect();
    while let Some(value) = waiting.pop() {
        each_object(value, "", &mut |_, object| {
            let Some(reference) = object.get("$ref").and_then(Value::as_str) else {
                return;
            };
            if reference.starts_with("#/components/schemas/") && names.insert(name_of(reference)) {
                waiting.push(resolve(document, object));
            }
        });
    }
    names
}
