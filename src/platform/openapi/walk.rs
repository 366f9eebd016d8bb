//! Walking a document: its operations and its schemas, and never the examples inside them.

use serde_json::{Value, json};

/// The methods that an operation of ours may have.
pub(super) const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The member `key` of an object, made when it is missing (as `null`).
pub(super) fn member<'a>(object: &'a mut Value, key: &str) -> &'a mut Value {
    if !object.is_object() {
        *object = json!({});
    }
    &mut object[key]
}

/// Sets the member `key` unless the object has one already.
pub(super) fn set_missing(object: &mut Value, key: &str, value: Value) {
    if object.get(key).is_none() {
        *member(object, key) = value;
    }
}

/// Removes a member and answers what it was.
pub(super) fn take(object: &mut Value, key: &str) -> Option<Value> {
    object.as_object_mut()?.shift_remove(key)
}

/// The last part of a reference, which is the name of the component.
pub(super) fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// `partner_created` and `Idempotency-Key` in PascalCase.
pub(super) fn pascal(words: &str) -> String {
    words
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter_map(|word| word.split_at_checked(1))
        .map(|(first, rest)| first.to_ascii_uppercase() + rest)
        .collect()
}

/// Whether a schema allows values of this type, alone or among others.
pub(super) fn is_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

/// What a value refers to inside the document; the value itself when it is no reference.
pub(super) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => document.pointer(pointer).unwrap_or(value),
        None => value,
    }
}

/// Calls `visit` with path, method and operation of everything under `section` (`paths`, `webhooks`).
pub(super) fn each_operation(
    document: &mut Value,
    section: &str,
    visit: &mut impl FnMut(&str, &str, &mut Value),
) {
    let Some(items) = document.get_mut(section).and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in items {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                visit(path, method, operation);
            }
        }
    }
}

/// Every operation of a section as (path, method, operation).
pub(super) fn operations<'a>(document: &'a Value, section: &str) -> Vec<(&'a str, &'static str, &'a Value)> {
    let items = document.get(section).and_then(Value::as_object);
    items
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| {
            METHODS
                .iter()
                .filter_map(move |method| Some((path.as_str(), *method, item.get(method)?)))
        })
        .collect()
}

/// What the value of a schema keyword holds.
enum Holds {
    Schema,
    List,
    Named,
    Nothing,
}

fn holds(keyword: &str) -> Holds {
    match keyword {
        "items" | "additionalProperties" | "not" | "propertyNames" | "contains" => Holds::Schema,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Holds::List,
        "properties" | "patternProperties" | "$defs" => Holds::Named,
        _ => Holds::Nothing,
    }
}

/// Outside schemas these members hold data of the author, in which nothing is to be found or changed.
fn is_opaque(key: &str) -> bool {
    matches!(
        key,
        "example" | "examples" | "default" | "enum" | "const" | "mapping"
    ) || key.starts_with("x-")
}

/// Calls `visit` on a schema and all schemas inside it, innermost first.
pub(super) fn schema_tree(schema: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    if let Some(keywords) = schema.as_object_mut() {
        for (keyword, value) in keywords {
            match (holds(keyword), value) {
                (Holds::Schema, inner) => schema_tree(inner, visit),
                (Holds::List, Value::Array(inner)) => {
                    inner.iter_mut().for_each(|one| schema_tree(one, visit));
                }
                (Holds::Named, Value::Object(inner)) => {
                    inner.values_mut().for_each(|one| schema_tree(one, visit));
                }
                _ => {}
            }
        }
    }
    visit(schema);
}

/// Calls `visit` on every outermost schema: components, bodies, parameters and headers.
pub(super) fn schema_roots(document: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match document {
        Value::Array(several) => several.iter_mut().for_each(|one| schema_roots(one, visit)),
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("schema", schema) => visit(schema),
                    ("schemas", Value::Object(named)) => named.values_mut().for_each(&mut *visit),
                    (key, value) if !is_opaque(key) => schema_roots(value, visit),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Calls `visit` on every schema of the document, innermost first.
pub(super) fn each_schema(document: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    schema_roots(document, &mut |root| schema_tree(root, visit));
}

/// Calls `visit` with the pointer and value of every object that is not inside an example.
pub(super) fn each_object<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    match value {
        Value::Array(several) => {
            for (index, one) in several.iter().enumerate() {
                each_object(one, &format!("{at}/{index}"), visit);
            }
        }
        Value::Object(members) => {
            visit(at, value);
            // A property may have the name of a keyword, so names are followed where names stand.
            let named = at.ends_with("/properties");
            for (key, inner) in members.iter().filter(|(key, _)| named || !is_opaque(key)) {
                each_object(inner, &format!("{at}/{}", escaped(key)), visit);
            }
        }
        _ => {}
    }
}

/// A name as one step of an RFC 6901 pointer.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
