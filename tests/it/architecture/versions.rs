//! An operation that says that it takes `If-Match` looks at it.

use super::sources;
use crate::world::document::document;
use serde_json::Value;
use std::collections::HashMap;

/// What each handler does, by its operation id: the text from there to the end of the function.
fn handlers() -> HashMap<String, String> {
    let mark = "operation_id = \"";
    let mut found = HashMap::new();
    for (_, text) in sources("src/features") {
        for (place, _) in text.match_indices(mark) {
            let rest = &text[place + mark.len()..];
            let (id, body) = rest.split_once('"').unwrap();
            let end = body.find("\n}\n").unwrap_or(body.len());
            found.insert(id.to_owned(), body[..end].to_owned());
        }
    }
    found
}

fn takes_a_version(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array();
    parameters.is_some_and(|list| {
        list.iter().any(|one| {
            one["name"] == "If-Match"
                || one["$ref"]
                    .as_str()
                    .is_some_and(|name| name.ends_with("/IfMatch"))
        })
    })
}

#[test]
fn whatever_documents_a_version_looks_at_it() {
    let handlers = handlers();
    let paths = document()["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    let versioned: Vec<&str> = operations
        .filter(|operation| takes_a_version(operation))
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    assert!(versioned.len() > 50, "{}", versioned.len());
    for id in versioned {
        assert!(
            handlers[id].contains("precondition"),
            "{id} documents If-Match and ignores it"
        );
    }
}
