//! Repairs of what the derive macros make of Rust types: generics, unions, copies, nullable references.

use serde_json::{Map, Value, json};

use super::walk::{
    each_object, each_schema, member, name_of, pascal, schema_roots, schema_tree, set_missing, take,
};

/// All repairs, in the order in which they build on each other.
pub(super) fn repair(document: &mut Value) {
    rename_generics(document);
    tag_unions(document);
    collapse_copies(document);
    each_schema(document, &mut hoist_description);
    each_schema(document, &mut list_examples);
}

/// `#/components/schemas/{name}`
pub(super) fn reference_to(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

fn schemas(document: &Value) -> Map<String, Value> {
    document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn schema_mut<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    member(member(member(document, "components"), "schemas"), name)
}

/// `Page_Partner` becomes `PartnerPage`: generators turn an underscore into all sorts of names.
fn rename_generics(document: &mut Value) {
    let known = schemas(document);
    for old in known.keys().filter(|name| name.contains(['_', '.'])) {
        let new: String = old.split(['_', '.']).rev().map(pascal).collect();
        if known.contains_key(&new) {
            continue;
        }
        let renamed = take(member(member(document, "components"), "schemas"), old);
        *schema_mut(document, &new) = renamed.unwrap_or_default();
        point_elsewhere(document, &reference_to(old), &reference_to(&new));
    }
}

fn point_elsewhere(document: &mut Value, from: &str, to: &str) {
    each_schema(document, &mut |schema| {
        if schema.get("$ref").is_some_and(|reference| reference == from) {
            *member(schema, "$ref") = json!(to);
        }
    });
}

/// One member of an internally tagged enum, as serde writes it and the derive documents it.
struct Variant {
    tag: String,
    value: String,
    /// The schema of the payload: a reference, or an object of its own.
    payload: Value,
}

/// An internally tagged enum becomes named members, each with its tag as a constant, and a discriminator.
fn tag_unions(document: &mut Value) {
    for (union, schema) in schemas(document) {
        let Some(branches) = schema.get("oneOf").and_then(Value::as_array) else {
            continue;
        };
        let Some(variants) = branches.iter().map(variant_of).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let Some(tag) = variants.first().map(|variant| variant.tag.clone()) else {
            continue;
        };
        let mapping: Map<String, Value> = variants
            .into_iter()
            .map(|variant| {
                (
                    variant.value.clone(),
                    json!(name_member(document, &union, variant)),
                )
            })
            .collect();
        let schema = schema_mut(document, &union);
        *member(schema, "oneOf") = mapping.values().map(|target| json!({ "$ref": target })).collect();
        *member(schema, "discriminator") = json!({ "propertyName": tag, "mapping": mapping });
    }
}

fn variant_of(branch: &Value) -> Option<Variant> {
    let parts = branch.get("allOf").and_then(Value::as_array);
    let (tagged, payload) = match parts.map(Vec::as_slice) {
        Some([payload, tagged]) => (tagged, payload.clone()),
        Some(_) => return None,
        None => (branch, branch.clone()),
    };
    let properties = tagged.get("properties")?.as_object()?;
    let (tag, value) = properties
        .iter()
        .find_map(|(name, schema)| Some((name, only_value(schema)?)))?;
    Some(Variant {
        tag: tag.clone(),
        value,
        payload,
    })
}

/// The value of a schema that allows exactly one string.
fn only_value(schema: &Value) -> Option<String> {
    match schema.get("enum")?.as_array()?.as_slice() {
        [Value::String(only)] => Some(only.clone()),
        _ => None,
    }
}

/// Puts the tag into the member's component, making one where it has none, and answers the reference.
fn name_member(document: &mut Value, union: &str, variant: Variant) -> String {
    let Variant { tag, value, payload } = variant;
    let named = payload
        .get("$ref")
        .and_then(Value::as_str)
        .map(|reference| name_of(reference).to_owned());
    let inline = if named.is_none() { Some(payload) } else { None };
    let own_name = format!("{union}{}", pascal(&value));
    let source = named
        .clone()
        .and_then(|name| schemas(document).get(&name).cloned());
    let carries_another = |schema: &Value| {
        schema
            .pointer(&format!("/properties/{tag}/const"))
            .is_some_and(|constant| *constant != value)
    };
    let (name, mut schema) = match (named, source, inline) {
        // A struct under two tags needs a copy for the second one.
        (Some(_), Some(schema), _) if carries_another(&schema) => (own_name, schema),
        (Some(name), Some(schema), _) => (name, schema),
        (_, _, inline) => (own_name, inline.unwrap_or_default()),
    };
    let constant = json!({ "type": "string", "const": value, "description": "Tells the kinds apart." });
    *member(member(&mut schema, "properties"), &tag) = constant;
    set_missing(&mut schema, "required", json!([]));
    if let Some(required) = member(&mut schema, "required").as_array_mut()
        && !required.contains(&json!(tag))
    {
        required.insert(0, json!(tag));
    }
    *schema_mut(document, &name) = schema;
    reference_to(&name)
}

/// An inline object that equals a component becomes a reference (generics inline their argument).
fn collapse_copies(document: &mut Value) {
    let named: Vec<(Value, Value)> = schemas(document)
        .into_iter()
        .filter(|(_, schema)| schema.get("properties").is_some())
        .map(|(name, schema)| (schema, json!({ "$ref": reference_to(&name) })))
        .collect();
    let mut replace = |schema: &mut Value| {
        if let Some((_, reference)) = named.iter().find(|(known, _)| known == schema) {
            *schema = reference.clone();
        }
    };
    schema_roots(document, &mut |root| {
        if named.iter().any(|(known, _)| known == root) {
            return;
        }
        schema_tree(root, &mut replace);
    });
    inside_components(document, &mut replace);
}

/// Components themselves are not replaced, what is inside them is.
fn inside_components(document: &mut Value, replace: &mut impl FnMut(&mut Value)) {
    let components = member(member(document, "components"), "schemas");
    for schema in components
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for property in properties.into_iter().flat_map(|all| all.values_mut()) {
            schema_tree(property, replace);
        }
    }
}

/// The description of a nullable reference belongs to the property, not to one branch of it.
fn hoist_description(schema: &mut Value) {
    let Some(branches) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else {
        return;
    };
    if branches.len() != 2 || !branches.iter().any(|branch| *branch == json!({ "type": "null" })) {
        return;
    }
    let inner = branches.iter_mut().find(|branch| branch.get("$ref").is_some());
    if let Some(description) = inner.and_then(|branch| take(branch, "description")) {
        *member(schema, "description") = description;
    }
}

/// JSON Schema knows `examples`, a list; `example` is the word of OpenAPI 3.0.
fn list_examples(schema: &mut Value) {
    if let Some(example) = take(schema, "example") {
        set_missing(schema, "examples", json!([example]));
    }
}

/// References that lead nowhere, as "pointer: reference".
pub(super) fn dangling(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each_object(document, "", &mut |at, object| {
        let Some(reference) = object.get("$ref").and_then(Value::as_str) else {
            return;
        };
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| document.pointer(pointer));
        if target.is_none() {
            found.push(format!("{at}: {reference} leads nowhere"));
        }
    });
    found
}
