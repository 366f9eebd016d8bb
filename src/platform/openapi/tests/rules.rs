use serde_json::json;

use super::*;
use crate::platform::openapi::derive_3_0;

/// With `SCRATCH_OPENAPI_FOLDER` set, the linters of the gate can be tried on this document.
#[test]
fn both_documents_can_be_written() {
    let document = finished();
    for (name, value) in [
        ("openapi.json", &document),
        ("openapi-3.0.json", &derive_3_0(&document)),
    ] {
        let text = serde_json::to_string_pretty(value).unwrap();
        assert!(text.len() > 10_000);
        if let Ok(folder) = std::env::var("SCRATCH_OPENAPI_FOLDER") {
            std::fs::write(format!("{folder}/{name}"), text).unwrap();
        }
    }
}

#[test]
fn problem_answers_follow_from_what_an_operation_is() {
    let document = finished();
    assert_eq!(
        statuses(&document, "listPartners"),
        "200 400 401 403 422 429 500 503"
    );
    assert_eq!(
        statuses(&document, "createPartner"),
        "201 400 401 403 408 409 413 415 422 429 500 503"
    );
    assert_eq!(
        statuses(&document, "getPartner"),
        "200 304 400 401 403 404 429 500 503"
    );
    assert_eq!(
        statuses(&document, "updatePartner"),
        "200 400 401 403 404 408 409 412 413 415 422 429 500 503"
    );
    assert_eq!(
        statuses(&document, "deletePartner"),
        "204 400 401 403 404 409 412 422 429 500 503"
    );
    assert_eq!(
        statuses(&document, "terminatePartner"),
        "200 400 401 403 404 408 409 412 413 415 422 428 429 500 503"
    );
    assert_eq!(statuses(&document, "getHealth"), "200 400 429 500 503");
}

#[test]
fn an_error_of_the_handler_keeps_its_description_and_gets_the_problem_body() {
    let document = finished();
    let conflict = at(operation(&document, "deletePartner"), "/responses/409");
    assert_eq!(conflict["description"], "The partner has deals.");
    assert_eq!(
        conflict["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
}

#[test]
fn writes_take_a_key_and_changes_of_one_resource_a_version() {
    let document = finished();
    let required = |name: &str, header: &str| {
        header_parameter(&document, name, header).map(|one| one["required"].clone())
    };
    assert_eq!(required("createPartner", "Idempotency-Key"), Some(json!(false)));
    assert_eq!(required("createDeal", "Idempotency-Key"), Some(json!(true)));
    assert_eq!(required("createPartner", "If-Match"), None);
    assert_eq!(required("updatePartner", "If-Match"), Some(json!(false)));
    assert_eq!(required("deletePartner", "If-Match"), Some(json!(false)));
    assert_eq!(required("terminatePartner", "If-Match"), Some(json!(true)));
    assert_eq!(required("listPartners", "Idempotency-Key"), None);
    assert_eq!(required("updatePartner", "Idempotency-Key"), None);
}

#[test]
fn steering_extensions_are_removed_and_the_permission_is_told() {
    let document = finished();
    assert!(!document.to_string().contains("x-requires-"));
    assert!(!document.to_string().contains("x-unversioned"));
    let described = |name: &str| {
        operation(&document, name)["description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(
        described("listPartners").ends_with("\n\nNeeds `partners:read`; every built-in role may call it.")
    );
    assert!(described("createDeal").ends_with(
        "Needs one of `deals:write`, `deals:admin`; held by `admin`, `partner_manager`, `sales`."
    ));
}

#[test]
fn every_answer_says_its_request_and_quota() {
    let document = finished();
    for (path, method, operation) in operations(&document, "paths") {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let headers = keys(&resolve(&document, answer)["headers"]);
            for name in ["Request-Id", "RateLimit", "RateLimit-Policy"] {
                assert!(headers.contains(name), "{method} {path} {status} lacks {name}");
            }
        }
    }
    assert_eq!(
        at(&document, "/components/headers/Request-Id/required"),
        &json!(true)
    );
    assert_eq!(
        at(
            &document,
            "/components/headers/Access-Control-Allow-Origin/required"
        ),
        &json!(false)
    );
    assert!(
        at(&document, "/components/responses/Unauthorized/headers")
            .get("WWW-Authenticate")
            .is_some()
    );
    assert!(
        at(&document, "/components/responses/TooManyRequests/headers")
            .get("Retry-After")
            .is_some()
    );
}

#[test]
fn versions_places_and_pages_are_in_headers() {
    let document = finished();
    let has = |name: &str, status: &str, header: &str| {
        operation(&document, name)["responses"][status]["headers"]
            .get(header)
            .is_some()
    };
    assert!(has("createPartner", "201", "Location") && has("createPartner", "201", "ETag"));
    assert!(has("getPartner", "200", "ETag") && has("getPartner", "304", "ETag"));
    assert!(has("updatePartner", "200", "ETag") && has("terminatePartner", "200", "ETag"));
    assert!(!has("getDeal", "200", "ETag"), "x-unversioned");
    assert!(!has("listPartners", "200", "ETag") && has("listPartners", "200", "Link"));
    assert!(has("importPartners", "202", "Location"));
    assert!(has("createPartner", "201", "Idempotency-Replayed"));
    assert!(!has("updatePartner", "200", "Idempotency-Replayed"));
    assert!(!has("getPartner", "200", "Idempotency-Replayed"));
}

#[test]
fn what_was_created_links_to_what_can_be_done_with_it() {
    let document = finished();
    let links = at(operation(&document, "createPartner"), "/responses/201/links");
    let expected = ["DeletePartner", "GetPartner", "TerminatePartner", "UpdatePartner"];
    assert_eq!(keys(links), BTreeSet::from(expected));
    assert_eq!(
        links["UpdatePartner"]["parameters"],
        json!({ "path.partner_id": "$response.body#/id", "header.If-Match": "$response.header.ETag" })
    );
    assert_eq!(
        keys(at(operation(&document, "createDeal"), "/responses/201/links")),
        BTreeSet::from(["GetDeal"])
    );
}

#[test]
fn one_scheme_secures_all_but_public_operations() {
    let document = finished();
    assert_eq!(document["security"], json!([{ "bearerAuth": [] }]));
    assert_eq!(operation(&document, "getHealth")["security"], json!([]));
    assert_eq!(operation(&document, "getPartner").get("security"), None);
    assert_eq!(at(&document, "/webhooks/deal.created/post/security"), &json!([]));
    let signed = at(&document, "/webhooks/deal.created/post/parameters")
        .as_array()
        .unwrap();
    assert_eq!(signed.len(), 3);
}

#[test]
fn tags_stand_in_order() {
    let document = finished();
    let names: Vec<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    assert_eq!(names, ["Deals", "Partners", "Reports", "Service"]);
}
