use serde_json::json;

use super::*;
use crate::platform::openapi::{derive_3_0, schemas};

#[test]
fn nothing_of_3_1_is_left_in_3_0() {
    let derived = derive_3_0(&finished());
    assert_eq!(derived["openapi"], "3.0.3");
    assert_eq!(derived.get("webhooks"), None);
    assert_eq!(
        at(&derived, "/info/license/url"),
        "https://spdx.org/licenses/Apache-2.0.html"
    );
    assert_eq!(derived["info"]["license"].get("identifier"), None);
    let schemas = at(&derived, "/components/schemas");
    assert_eq!(schemas.get("DealCreatedEvent"), None, "only a webhook used it");
    let written = schemas.to_string();
    for keyword in [
        "\"const\"",
        "\"examples\"",
        "\"contentMediaType\"",
        "\"null\"",
        "\"type\":[",
    ] {
        assert!(!written.contains(keyword), "{keyword} is left");
    }
    assert_eq!(
        at(schemas, "/RatePercent/properties/type/enum"),
        &json!(["percent"])
    );
    assert_eq!(
        at(schemas, "/PartnerPage/properties/next_cursor/nullable"),
        &json!(true)
    );
    assert_eq!(
        at(schemas, "/SalesReportRow/properties/sold/allOf/0/$ref"),
        "#/components/schemas/Money"
    );
    assert_eq!(
        at(schemas, "/SalesReportRow/properties/sold/nullable"),
        &json!(true)
    );
    assert_eq!(schemas::dangling(&derived), Vec::<String>::new());
}

#[test]
fn bounds_and_choices_are_written_the_old_way() {
    let derived = derive_3_0(&json!({ "components": { "schemas": { "Used": {
        "type": "object",
        "properties": {
            "self": { "$ref": "#/components/schemas/Used", "description": "Itself." },
            "rate": { "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10 },
            "either": { "type": ["string", "integer", "null"] }
        }
    } } } }));
    let properties = at(&derived, "/components/schemas/Used/properties");
    assert_eq!(
        properties["self"],
        json!({ "description": "Itself.", "allOf": [{ "$ref": "#/components/schemas/Used" }] })
    );
    let bounded = json!({ "type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 10, "exclusiveMaximum": true });
    assert_eq!(properties["rate"], bounded);
    assert_eq!(
        properties["either"],
        json!({ "nullable": true, "anyOf": [{ "type": "string" }, { "type": "integer" }] })
    );
}
