use serde_json::{Value, json};

use super::walk::operations;
use super::{check, derive_3_0, finish, scratch};

fn finished() -> Value {
    finish(scratch::document())
}

/// Answers the value at a pointer and says which one is missing.
fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document
        .pointer(pointer)
        .unwrap_or_else(|| panic!("nothing at {pointer}"))
}

#[test]
fn writes_the_document_for_the_linters() {
    if let Ok(folder) = std::env::var("SCRATCH_OPENAPI_FOLDER") {
        let document = finished();
        let write = |name: &str, value: &Value| {
            std::fs::write(
                format!("{folder}/{name}"),
                serde_json::to_string_pretty(value).unwrap(),
            )
            .unwrap();
        };
        write("openapi.json", &document);
        write("openapi-3.0.json", &derive_3_0(&document));
    }
}

#[test]
fn the_finished_document_breaks_no_rule() {
    assert_eq!(check(&finished(), &[]), Vec::<String>::new());
}
