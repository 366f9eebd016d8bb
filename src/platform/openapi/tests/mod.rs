//! Tests on the scratch document, by what they are about.

mod checks;
mod rules;
mod schemas;
mod three_zero;

use std::collections::BTreeSet;

use serde_json::Value;

use super::walk::{operations, resolve};
use super::{finish, scratch};

fn finished() -> Value {
    finish(scratch::document())
}

/// Answers the value at a pointer and says which one is missing.
fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document
        .pointer(pointer)
        .unwrap_or_else(|| panic!("nothing at {pointer}"))
}

fn operation<'a>(document: &'a Value, name: &str) -> &'a Value {
    let found = operations(document, "paths")
        .into_iter()
        .find(|(_, _, one)| one["operationId"] == name);
    found.unwrap_or_else(|| panic!("no operation {name}")).2
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn statuses(document: &Value, name: &str) -> String {
    keys(&operation(document, name)["responses"])
        .into_iter()
        .collect::<Vec<_>>()
        .join(" ")
}

fn header_parameter(document: &Value, name: &str, header: &str) -> Option<Value> {
    let list = operation(document, name)["parameters"].as_array()?;
    let resolved = list.iter().map(|one| resolve(document, one));
    resolved.into_iter().find(|one| one["name"] == header).cloned()
}
