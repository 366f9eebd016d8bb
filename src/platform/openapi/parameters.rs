//! Parameters: never null (nor are bodies), and written once when several operations share them.

use serde_json::{Map, Value, json};

use super::walk::{each_operation, member, operations, pascal, take};

/// A parameter or a body is absent or has a value; the derive makes an optional one nullable.
pub(super) fn never_null(document: &mut Value) {
    for section in ["paths", "webhooks"] {
        each_operation(document, section, &mut |_, _, operation| {
            let list = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in list.into_iter().flatten() {
                if let Some(schema) = parameter.get_mut("schema") {
                    strip_null(schema);
                }
            }
            let body = operation.pointer_mut("/requestBody/content");
            for media in body.and_then(Value::as_object_mut).into_iter().flatten() {
                if let Some(schema) = media.1.get_mut("schema") {
                    strip_null(schema);
                }
            }
        });
    }
}

fn strip_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            *member(schema, "type") = only;
        }
    }
    let null = json!({ "type": "null" });
    let branches = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    if let Some(branches) = branches
        && branches.contains(&null)
    {
        branches.retain(|branch| *branch != null);
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            take(schema, "oneOf");
            only.into_iter()
                .for_each(|(keyword, value)| *member(schema, &keyword) = value);
        }
    }
}

/// A parameter that several operations have becomes a component.
pub(super) fn share(document: &mut Value) {
    let shared = shared_by_several(document);
    each_operation(document, "paths", &mut |_, _, operation| {
        let list = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in list.into_iter().flatten() {
            if let Some((name, _)) = shared.iter().find(|(_, known)| *known == parameter) {
                *parameter = json!({ "$ref": format!("#/components/parameters/{name}") });
            }
        }
    });
    let components = member(document, "components");
    for (name, parameter) in shared {
        *member(member(components, "parameters"), &name) = parameter;
    }
}

fn shared_by_several(document: &Value) -> Map<String, Value> {
    let mut seen: Vec<(&Value, usize)> = Vec::new();
    for (_, _, operation) in operations(document, "paths") {
        let list = operation.get("parameters").and_then(Value::as_array);
        for parameter in list.into_iter().flatten().filter(|one| one.get("$ref").is_none()) {
            match seen.iter_mut().find(|(known, _)| *known == parameter) {
                Some((_, count)) => *count += 1,
                None => seen.push((parameter, 1)),
            }
        }
    }
    let mut shared = Map::new();
    for (parameter, _) in seen.into_iter().filter(|(_, count)| *count > 1) {
        shared.insert(free_name(&shared, parameter), parameter.clone());
    }
    shared
}

/// The parameter's name in PascalCase, numbered when several shared ones have it.
fn free_name(taken: &Map<String, Value>, parameter: &Value) -> String {
    let base = pascal(
        parameter
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("Parameter"),
    );
    let base = if parameter["required"] == json!(true) && parameter["in"] == "header" {
        format!("Required{base}")
    } else {
        base
    };
    let numbered = (2..).map(|number| format!("{base}{number}"));
    std::iter::once(base.clone())
        .chain(numbered)
        .find(|name| !taken.contains_key(name))
        .unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_body_is_absent_and_never_null() {
        let reference = json!({ "$ref": "#/components/schemas/DealWin" });
        let body = json!({ "content": { "application/json": {
            "schema": { "oneOf": [{ "type": "null" }, reference] } } } });
        let mut document = json!({ "paths": { "/v1/deals": { "post": { "requestBody": body } } } });
        never_null(&mut document);
        let schema = document.pointer("/paths/~1v1~1deals/post/requestBody/content/application~1json/schema");
        assert_eq!(schema, Some(&reference));
    }
}
