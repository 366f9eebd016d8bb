use serde_json::json;

use super::*;
use crate::platform::openapi::check;

#[test]
fn the_finished_document_breaks_no_rule() {
    assert_eq!(check(&finished(), &[]), Vec::<String>::new());
}

#[test]
fn faults_are_found() {
    let spoiled = |pointer: &str, value: Value| {
        let mut document = finished();
        *document
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("nothing at {pointer}")) = value;
        check(&document, &[])
    };
    let cases = [
        (
            "/paths/~1v1~1partners/get/operationId",
            json!("createPartner"),
            "missing or taken",
        ),
        (
            "/paths/~1v1~1partners/get/summary",
            json!("List all partners of this organization"),
            "6 words",
        ),
        (
            "/paths/~1v1~1partners/get/description",
            json!(" "),
            "description is missing",
        ),
        (
            "/paths/~1v1~1partners/get/x-required-permission",
            Value::Null,
            "x-required-permission is missing",
        ),
        (
            "/paths/~1v1~1partners~1{partner_id}/get/responses/200/content/application~1json/example/name",
            json!(5),
            "refused at `/name`",
        ),
        (
            "/paths/~1v1~1partners/get/tags",
            json!(["Others"]),
            "tag Others is not declared",
        ),
        (
            "/components/parameters/Limit/description",
            json!(""),
            "\"limit\" has no description",
        ),
        (
            "/components/schemas/Partner/properties/id",
            json!({ "type": "string" }),
            "no maxLength",
        ),
        (
            "/components/schemas/Partner/properties/id",
            json!({ "type": "integer" }),
            "lacks a bound",
        ),
        (
            "/components/schemas/Partner/properties/id",
            json!({ "type": "array" }),
            "no maxItems",
        ),
        (
            "/components/schemas/Partner/properties/id",
            json!({ "$ref": "#/components/schemas/No" }),
            "leads nowhere",
        ),
        (
            "/components/schemas/Partner/properties/id",
            json!({ "properties": {} }),
            "stands inline",
        ),
        (
            "/components/schemas/Partner/properties/id",
            json!({ "type": "number" }),
            "decimal strings",
        ),
        (
            "/components/schemas/Partner/required",
            json!(["id"]),
            "`name` of an answer is not required",
        ),
        (
            "/components/schemas/Money/examples/0/currency",
            json!("usd"),
            "example is refused at `/currency`",
        ),
        (
            "/components/schemas/Partner/examples/0/created_at",
            json!("today"),
            "refused at `/created_at`",
        ),
        (
            "/paths/~1v1~1partners/post/requestBody/content/application~1json",
            json!({}),
            "no example",
        ),
    ];
    for (pointer, value, expected) in cases {
        let found = spoiled(pointer, value);
        let is_quiet = expected.is_empty();
        assert_eq!(
            found.iter().any(|fault| fault.contains(expected)),
            !is_quiet,
            "{pointer}: {found:?}"
        );
    }
}

#[test]
fn a_secured_operation_names_its_permission_unless_allowed() {
    let mut document = finished();
    let operation = document
        .pointer_mut("/paths/~1v1~1partners/get")
        .and_then(Value::as_object_mut)
        .unwrap();
    operation.shift_remove("x-required-permission");
    assert_eq!(
        check(&document, &[]),
        ["listPartners: x-required-permission is missing"]
    );
    assert_eq!(check(&document, &["listPartners"]), Vec::<String>::new());
}
