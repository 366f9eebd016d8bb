//! Words and ids in place: a schema of plain text is written where it is used, and a request takes known words only.
//!
//! A reference to a text schema makes generators write a class or an alias for every id, and a nullable one a union.
//! Written in place it is a string. A vocabulary may grow, therefore answers leave it open (`x-extensible-enum`); what
//! a request may say is known, therefore requests close it (`enum`).

use super::walk;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Schemas of text by their reference.
type Texts = Map<String, Value>;

/// Writes text schemas in place and closes the vocabularies of requests.
pub(super) fn settle(document: &mut Value) {
    let texts = take_texts(document);
    walk::each_schema(document, &mut |schema| write_in_place(schema, &texts));
    let requests = request_only(document);
    close_parameters_and_bodies(document);
    let named = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    for (_, schema) in named
        .into_iter()
        .flatten()
        .filter(|(name, _)| requests.contains(*name))
    {
        walk::schema_tree(schema, &mut close);
    }
}

/// The components that are plain text, removed from the document.
fn take_texts(document: &mut Value) -> Texts {
    let Some(named) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return Texts::new();
    };
    let names: Vec<String> = named
        .iter()
        .filter(|(_, schema)| schema["type"] == "string")
        .map(|(name, _)| name.clone())
        .collect();
    let taken = names
        .into_iter()
        .filter_map(|name| Some((format!("#/components/schemas/{name}"), named.shift_remove(&name)?)));
    taken.collect()
}

/// A reference to a text schema, alone or beside `null`, becomes that schema; the description that stands with the use
/// wins over the schema's own.
fn write_in_place(schema: &mut Value, texts: &Texts) {
    let text = |one: &Value| {
        one.get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| texts.get(reference))
            .cloned()
    };
    if let Some(found) = text(schema) {
        let own = schema.as_object().cloned().unwrap_or_default();
        *schema = merged(found, own, "$ref");
        return;
    }
    // An inline word with a description of its own comes out of the derive as both at once.
    if let Some([word, own]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        && word["type"] == "string"
        && own.get("properties").is_none()
    {
        let own = own.as_object().cloned().unwrap_or_default();
        *schema = merged(word.clone(), own, "type");
        return;
    }
    // The walk is innermost first, so that the alternative beside `null` is in place already.
    let plain = |one: &Value| (one["type"] == "string").then(|| one.clone());
    let alternatives = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .filter(|one| one.len() == 2);
    let Some(found) = alternatives.and_then(|several| {
        several
            .iter()
            .any(|one| one["type"] == "null")
            .then(|| several.iter().find_map(plain))
            .flatten()
    }) else {
        return;
    };
    let own = schema.as_object().cloned().unwrap_or_default();
    *schema = merged(found, own, "oneOf");
    schema["type"] = json!(["string", "null"]);
}

fn merged(mut text: Value, own: Map<String, Value>, but: &str) -> Value {
    for (key, value) in own.into_iter().filter(|(key, _)| key != but) {
        text[key] = value;
    }
    text
}

/// The components that only requests reach.
fn request_only(document: &Value) -> BTreeSet<String> {
    let (mut asked, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for (_, _, operation) in walk::operations(document, "paths") {
        reach(document, &operation["requestBody"], &mut asked);
        reach(document, &operation["responses"], &mut answered);
    }
    asked.difference(&answered).cloned().collect()
}

fn reach(document: &Value, from: &Value, seen: &mut BTreeSet<String>) {
    walk::each_object(from, "", &mut |_, object| {
        let name = object.get("$ref").and_then(Value::as_str).map(walk::name_of);
        if let Some(name) = name.filter(|name| seen.insert((*name).to_owned())) {
            reach(document, &document["components"]["schemas"][name], seen);
        }
    });
}

fn close_parameters_and_bodies(document: &mut Value) {
    walk::each_operation(document, "paths", &mut |_, _, operation| {
        for part in ["parameters", "requestBody"] {
            if let Some(part) = operation.get_mut(part) {
                walk::schema_roots(part, &mut |root| walk::schema_tree(root, &mut close));
            }
        }
    });
}

fn close(schema: &mut Value) {
    if let Some(mut words) = walk::take(schema, "x-extensible-enum") {
        if let Some(words) = words.as_array_mut().filter(|_| walk::is_type(schema, "null")) {
            words.push(Value::Null);
        }
        schema["enum"] = words;
    }
}
