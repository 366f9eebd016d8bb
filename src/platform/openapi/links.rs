//! Links: what was created can be read, changed, acted upon and deleted next.

use serde_json::{Map, Value, json};

use super::headers::body_of;
use super::operations::{has_parameter, is_verb};
use super::walk::{member, operations, pascal, set_missing};

/// Adds to each 201 the links that the paths of the document call for.
pub(super) fn complete(document: &mut Value) {
    let creations: Vec<(String, Map<String, Value>)> = operations(document, "paths")
        .into_iter()
        .filter(|(_, method, operation)| *method == "post" && creates_resource(document, operation))
        .map(|(path, _, _)| (path.to_owned(), links_after(document, path)))
        .collect();
    for (path, links) in creations.into_iter().filter(|(_, links)| !links.is_empty()) {
        let operation = member(member(member(document, "paths"), &path), "post");
        let created = member(member(operation, "responses"), "201");
        set_missing(created, "links", Value::Object(links));
    }
}

fn creates_resource(document: &Value, operation: &Value) -> bool {
    let created = operation.pointer("/responses/201").unwrap_or(&Value::Null);
    body_of(document, created).pointer("/properties/id").is_some()
}

/// Links to the operations on `{collection}/{id}` and `{collection}/{id}/verb`.
fn links_after(document: &Value, collection: &str) -> Map<String, Value> {
    let mut links = Map::new();
    for (path, method, operation) in operations(document, "paths") {
        let Some(rest) = path
            .strip_prefix(collection)
            .and_then(|rest| rest.strip_prefix("/{"))
        else {
            continue;
        };
        let Some((id, tail)) = rest.split_once('}') else {
            continue;
        };
        let is_action = tail.matches('/').count() == 1 && is_verb(path, method, operation);
        let Some(name) = operation.get("operationId").and_then(Value::as_str) else {
            continue;
        };
        if tail.is_empty() || is_action {
            links.insert(pascal(name), link(document, collection, id, operation));
        }
    }
    links
}

fn link(document: &Value, collection: &str, id: &str, operation: &Value) -> Value {
    let mut parameters = Map::new();
    let outer = collection
        .split('/')
        .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'));
    for name in outer {
        parameters.insert(format!("path.{name}"), json!(format!("$request.path.{name}")));
    }
    parameters.insert(format!("path.{id}"), json!("$response.body#/id"));
    if has_parameter(document, operation, "If-Match") {
        parameters.insert("header.If-Match".to_owned(), json!("$response.header.ETag"));
    }
    json!({ "operationId": operation.get("operationId"), "parameters": parameters })
}
