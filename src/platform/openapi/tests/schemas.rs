use serde_json::json;

use super::*;
use crate::platform::openapi::{bounds, examples, schemas};

#[test]
fn generics_and_unions_become_named_schemas() {
    let document = finished();
    let names = keys(at(&document, "/components/schemas"));
    assert!(
        names.contains("DealPage") && !names.iter().any(|name| name.contains('_')),
        "{names:?}"
    );
    assert_eq!(
        at(&document, "/components/schemas/DealPage/properties/data/items"),
        &json!({ "$ref": "#/components/schemas/Deal" })
    );
    let rate = at(&document, "/components/schemas/Rate");
    assert_eq!(rate["discriminator"]["propertyName"], "type");
    assert_eq!(
        rate["discriminator"]["mapping"]["percent"],
        "#/components/schemas/RatePercent"
    );
    assert_eq!(rate["oneOf"].as_array().unwrap().len(), 3);
    assert_eq!(
        at(
            &document,
            "/components/schemas/RateByVolume/properties/type/const"
        ),
        "volume"
    );
}

#[test]
fn a_struct_under_two_tags_gets_a_copy() {
    let branch = |tag: &str| {
        json!({ "allOf": [{ "$ref": "#/components/schemas/Sum" }, { "type": "object", "required": ["kind"],
            "properties": { "kind": { "type": "string", "enum": [tag] } } }] })
    };
    let mut document = json!({ "components": { "schemas": {
        "Cost": { "oneOf": [branch("fixed"), branch("upper_limit")] },
        "Sum": { "type": "object", "required": ["amount"], "properties": { "amount": { "type": "string" } } }
    } } });
    schemas::repair(&mut document);
    let mapping = at(&document, "/components/schemas/Cost/discriminator/mapping");
    assert_eq!(mapping["fixed"], "#/components/schemas/Sum");
    assert_eq!(mapping["upper_limit"], "#/components/schemas/CostUpperLimit");
    assert_eq!(
        at(&document, "/components/schemas/Sum/properties/kind/const"),
        "fixed"
    );
    assert_eq!(
        at(
            &document,
            "/components/schemas/CostUpperLimit/properties/kind/const"
        ),
        "upper_limit"
    );
}

#[test]
fn parameters_are_never_null_and_shared_when_repeated() {
    let document = finished();
    assert_eq!(
        at(&document, "/components/parameters/PartnerId/schema/type"),
        "string"
    );
    assert_eq!(
        header_parameter(&document, "getPartner", "If-None-Match").unwrap()["schema"]["type"],
        "string"
    );
    assert_eq!(
        header_parameter(&document, "listPartners", "status").unwrap()["schema"]["type"],
        "array"
    );
    let limit = at(operation(&document, "listDeals"), "/parameters/0");
    assert_eq!(limit, &json!({ "$ref": "#/components/parameters/Limit" }));
}

#[test]
fn bounds_are_set_in_schemas_and_never_in_examples() {
    let example = json!({ "type": "string", "properties": { "a": { "type": "integer" } } });
    let mut document = json!({ "components": { "schemas": { "Field": {
        "type": "object",
        "properties": {
            "example": { "type": ["string", "null"] },
            "count": { "type": "integer", "format": "int32", "minimum": 0 },
            "tags": { "type": "array", "items": { "type": "string", "enum": ["a"] } }
        },
        "examples": [example]
    } } }, "paths": { "/fields": { "get": { "example": { "schema": example } } } } });
    bounds::complete(&mut document);
    assert_eq!(at(&document, "/paths/~1fields/get/example/schema"), &example);
    let field = at(&document, "/components/schemas/Field");
    assert_eq!(field["examples"], json!([example]));
    assert_eq!(at(field, "/properties/example/pattern"), "^[^\\x00]*$");
    assert_eq!(at(field, "/properties/count/maximum"), &json!(i32::MAX));
    assert_eq!(at(field, "/properties/count/minimum"), &json!(0));
    assert_eq!(at(field, "/properties/tags/maxItems"), &json!(1000));
    assert!(at(field, "/properties/tags/items").get("maxLength").is_none());
}

#[test]
fn a_whole_is_only_composed_when_its_required_parts_are_known() {
    let mut document = json!({ "components": { "schemas": {
        "Known": { "type": "object", "required": ["a"], "properties": { "a": { "type": "boolean" } } },
        "Unknown": { "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } }
    } } });
    examples::complete(&mut document);
    assert_eq!(
        at(&document, "/components/schemas/Known/examples"),
        &json!([{ "a": false }])
    );
    assert_eq!(at(&document, "/components/schemas/Unknown").get("examples"), None);
}
