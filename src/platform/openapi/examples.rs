//! Examples, composed from those of the properties wherever the author gave none for the whole.

use serde_json::{Map, Value, json};

use super::walk::{member, resolve};

/// How deep a type may be inside another before it is taken to contain itself.
const DEEPEST: usize = 8;

/// Gives every named object an example, and every JSON body.
pub(super) fn complete(document: &mut Value) {
    let known = document.clone();
    if let Some(schemas) = member(member(document, "components"), "schemas").as_object_mut() {
        for schema in schemas
            .values_mut()
            .filter(|schema| schema.get("properties").is_some())
        {
            if schema.get("examples").is_none()
                && let Some(example) = compose(&known, schema, 0)
            {
                *member(schema, "examples") = json!([example]);
            }
        }
    }
    media_types(document, &mut |media, name| {
        if name != "application/json" || media.get("example").is_some() || media.get("examples").is_some() {
            return;
        }
        if let Some(example) = media.get("schema").and_then(|schema| compose(&known, schema, 0)) {
            *member(media, "example") = example;
        }
    });
}

/// Calls `visit` with every media type object and its name.
fn media_types(value: &mut Value, visit: &mut impl FnMut(&mut Value, &str)) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                match (key.as_str(), inner) {
                    ("content", Value::Object(media)) => {
                        media.iter_mut().for_each(|(name, one)| visit(one, name));
                    }
                    ("schemas" | "schema" | "example" | "examples", _) => {}
                    (_, inner) => media_types(inner, visit),
                }
            }
        }
        Value::Array(several) => several.iter_mut().for_each(|one| media_types(one, visit)),
        _ => {}
    }
}

/// A value of the schema, or nothing when the schema alone does not say what one looks like.
fn compose(document: &Value, schema: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let given = schema
        .get("const")
        .or_else(|| schema.get("example"))
        .or_else(|| schema.pointer("/examples/0"));
    let given = given
        .or_else(|| schema.pointer("/enum/0"))
        .or_else(|| schema.pointer("/x-extensible-enum/0"));
    if let Some(given) = given {
        return Some(given.clone());
    }
    if schema.get("$ref").is_some() {
        let target = resolve(document, schema);
        return if std::ptr::eq(target, schema) {
            None
        } else {
            compose(document, target, depth + 1)
        };
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        return compose_object(document, schema, properties, depth);
    }
    if let Some(branches) = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Value::as_array)
    {
        let null = json!({ "type": "null" });
        let composed = branches
            .iter()
            .filter(|one| **one != null)
            .find_map(|one| compose(document, one, depth));
        return composed.or_else(|| branches.contains(&null).then_some(Value::Null));
    }
    plain(document, schema, depth)
}

/// All properties that have a value; nothing when a required one has none.
fn compose_object(
    document: &Value,
    schema: &Value,
    properties: &Map<String, Value>,
    depth: usize,
) -> Option<Value> {
    let required = schema.get("required").and_then(Value::as_array);
    let mut example = Map::new();
    for (name, property) in properties {
        match compose(document, property, depth + 1) {
            Some(value) => drop(example.insert(name.clone(), value)),
            None if required.is_some_and(|names| names.contains(&json!(name))) => return None,
            None => {}
        }
    }
    Some(Value::Object(example))
}

fn plain(document: &Value, schema: &Value, depth: usize) -> Option<Value> {
    let types = match schema.get("type") {
        Some(Value::Array(several)) => several.clone(),
        Some(only) => vec![only.clone()],
        None => return None,
    };
    let composed = types
        .iter()
        .filter_map(Value::as_str)
        .find_map(|name| match name {
            "boolean" => Some(json!(false)),
            "integer" => Some(
                schema
                    .get("default")
                    .or_else(|| schema.get("minimum"))
                    .cloned()
                    .unwrap_or(json!(0)),
            ),
            "array" => compose(document, schema.get("items")?, depth + 1).map(|item| json!([item])),
            "object" => Some(json!({})),
            "string" => match schema.get("format").and_then(Value::as_str)? {
                "date-time" => Some(json!("2026-01-15T09:30:00Z")),
                "date" => Some(json!("2026-01-15")),
                "uuid" => Some(json!("0191f7a6-3c2e-7c31-9b2d-5f0e8a1d4c77")),
                "binary" => Some(json!("(content of the file)")),
                _ => None,
            },
            _ => None,
        });
    composed.or_else(|| types.contains(&json!("null")).then_some(Value::Null))
}
