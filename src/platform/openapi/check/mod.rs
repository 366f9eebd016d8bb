//! The rules of the house for a finished document, as a list of what breaks them.

mod examples;
mod schemas;

use std::collections::HashSet;

use serde_json::Value;

use super::operations::is_public;
use super::rights::PERMISSION;
use super::walk::{operations, resolve};

/// Longest summary of an operation, in words.
const LONGEST_SUMMARY: usize = 5;

/// Lists what breaks the rules, as "place: what is wrong". An empty list means that all hold.
///
/// Operations named in `without_permission` (by `operationId`) need a credential but no permission.
pub fn check(document: &Value, without_permission: &[&str]) -> Vec<String> {
    let mut found = super::schemas::dangling(document);
    let all = operations(document, "paths");
    if all.is_empty() {
        found.push("the document has no operations".to_owned());
    }
    let mut names = HashSet::new();
    for (path, method, operation) in all.into_iter().chain(operations(document, "webhooks")) {
        let name = operation
            .get("operationId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let place = if name.is_empty() {
            format!("{method} {path}")
        } else {
            name.to_owned()
        };
        if name.is_empty() || !names.insert(name) {
            found.push(format!("{place}: operationId is missing or taken"));
        }
        found.extend(
            operation_faults(document, operation)
                .into_iter()
                .map(|fault| format!("{place}: {fault}")),
        );
        let needs_permission = !is_public(operation) && !without_permission.contains(&name);
        if needs_permission && !names_permission(operation) {
            found.push(format!("{place}: {PERMISSION} is missing"));
        }
    }
    found.extend(undeclared_tags(document));
    found.extend(schemas::faults(document));
    found.extend(examples::faults(document));
    found
}

fn names_permission(operation: &Value) -> bool {
    match operation.get(PERMISSION) {
        Some(Value::String(only)) => !only.is_empty(),
        Some(Value::Array(several)) => !several.is_empty() && several.iter().all(Value::is_string),
        _ => false,
    }
}

fn is_blank(value: &Value, member: &str) -> bool {
    value
        .get(member)
        .and_then(Value::as_str)
        .is_none_or(|text| text.trim().is_empty())
}

fn operation_faults(document: &Value, operation: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let words = operation
        .get("summary")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .split_whitespace()
        .count();
    if words == 0 || words > LONGEST_SUMMARY {
        found.push(format!(
            "the summary has {words} words, not 1 to {LONGEST_SUMMARY}"
        ));
    }
    if is_blank(operation, "description") {
        found.push("description is missing".to_owned());
    }
    if operation
        .get("tags")
        .and_then(Value::as_array)
        .is_none_or(|tags| tags.len() != 1)
    {
        found.push("an operation has exactly one tag".to_owned());
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    for parameter in parameters.into_iter().flatten().map(|one| resolve(document, one)) {
        if is_blank(parameter, "description") {
            found.push(format!("parameter {} has no description", parameter["name"]));
        }
    }
    let responses = operation.get("responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten() {
        if is_blank(resolve(document, response), "description") {
            found.push(format!("answer {status} has no description"));
        }
        if status.parse::<u16>().is_err() {
            found.push(format!("answer {status} is no single status"));
        }
        if status.starts_with('2') && lacks_example(response) {
            found.push(format!("the JSON of answer {status} has no example"));
        }
    }
    if operation.get("requestBody").is_some_and(lacks_example) {
        found.push("the JSON request body has no example".to_owned());
    }
    found
}

fn lacks_example(body: &Value) -> bool {
    let json = body.pointer("/content/application~1json");
    json.is_some_and(|media| media.get("example").is_none() && media.get("examples").is_none())
}

fn undeclared_tags(document: &Value) -> Vec<String> {
    let declared = document.get("tags").and_then(Value::as_array);
    let described: HashSet<&str> = declared
        .into_iter()
        .flatten()
        .filter(|tag| !is_blank(tag, "description"))
        .filter_map(|tag| tag.get("name")?.as_str())
        .collect();
    let used: HashSet<&str> = operations(document, "paths")
        .into_iter()
        .chain(operations(document, "webhooks"))
        .filter_map(|(_, _, operation)| operation.pointer("/tags/0")?.as_str())
        .collect();
    used.difference(&described)
        .map(|tag| format!("tag {tag} is not declared with a description"))
        .collect()
}
