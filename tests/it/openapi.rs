//! The published documents are what the code says, and keep the rules of the house.

use crate::world::{World, document};
use copartner::kernel::permission::Permission;
use copartner::kernel::problem::Code;
use copartner::kernel::subject;
use copartner::platform::openapi;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_published_document_is_the_generated_one() {
    assert_published("openapi.json", document(), "cargo run -- openapi");
}

#[test]
fn the_published_3_0_document_is_the_generated_one() {
    let generated = copartner::app::document_3_0();
    assert_published(
        "openapi-3.0.json",
        &generated,
        "cargo run -- openapi --format 3.0",
    );
}

#[track_caller]
fn assert_published(name: &str, generated: &Value, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name);
    let published = std::fs::read_to_string(path).unwrap_or_default();
    let generated = format!("{}\n", serde_json::to_string_pretty(generated).unwrap());
    // Not `assert_eq`: nobody wants to read two whole documents.
    let place = published
        .lines()
        .zip(generated.lines())
        .position(|(one, other)| one != other);
    assert!(
        published == generated,
        "openapi/{name} is not what the code generates (first difference: line {:?}); run\n    {command} > openapi/{name}",
        place.map(|index| index + 1)
    );
}

/// Operations that ask for a credential and for no permission.
const FOR_ANYBODY: &[&str] = &["getMe", "createSession", "logOut"];

#[test]
fn the_document_keeps_the_rules() {
    assert_eq!(openapi::check(document(), FOR_ANYBODY), Vec::<String>::new());
}

/// The codes that examples of problems show, each with its status and title.
fn shown_problems(value: &Value, found: &mut Vec<(String, u64, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| shown_problems(item, found)),
        Value::Object(members) => {
            if let (Some(code), Some(status), Some(title)) = (
                members.get("code").and_then(Value::as_str),
                members.get("status").and_then(Value::as_u64),
                members.get("title").and_then(Value::as_str),
            ) {
                found.push((code.to_owned(), status, title.to_owned()));
            }
            members.values().for_each(|member| shown_problems(member, found));
        }
        _ => {}
    }
}

#[test]
fn every_problem_that_the_document_shows_is_in_the_table() {
    let mut shown = Vec::new();
    shown_problems(document(), &mut shown);
    assert!(!shown.is_empty(), "the document shows no problem");
    for (code, status, title) in shown {
        let known = Code::ALL.iter().find(|known| known.name() == code);
        let known = known.unwrap_or_else(|| panic!("the table has no {code}"));
        assert_eq!(u64::from(known.status()), status, "{code}");
        assert_eq!(known.title(), title, "{code}");
    }
}

/// Every pattern of the document.
fn patterns<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
        Value::Object(members) => {
            found.extend(members.get("pattern").and_then(Value::as_str));
            members.values().for_each(|member| patterns(member, found));
        }
        _ => {}
    }
}

#[test]
fn no_pattern_lets_nul_through() {
    let mut all = BTreeSet::new();
    patterns(document(), &mut all);
    assert!(all.len() > 10, "{all:?}");
    // `\S` matches NUL too: this one looks right and is not.
    all.insert(r"^[^\x00]*\S[^\x00]*$");
    let lets_through = |pattern: &&str| {
        let schema = serde_json::json!({ "type": "string", "pattern": pattern });
        let schema = jsonschema::validator_for(&schema).unwrap();
        ["\0", "a\0b", "a\0", "\0b"]
            .iter()
            .any(|text| schema.is_valid(&Value::from(*text)))
    };
    let found: Vec<&str> = all.into_iter().filter(lets_through).collect();
    assert_eq!(found, [r"^[^\x00]*\S[^\x00]*$"]);
}

#[test]
fn codes_are_unique_and_well_formed() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for name in names {
        assert!(
            name.chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '_'),
            "{name}"
        );
    }
}

#[test]
fn the_check_sees_a_broken_rule() {
    let mut broken = document().clone();
    broken["paths"]["/v1/partners"]["get"]["summary"] = "Much too many words for a summary".into();
    broken["paths"]["/v1/partners"]["post"]
        .as_object_mut()
        .unwrap()
        .remove("x-required-permission");
    let found = openapi::check(&broken, FOR_ANYBODY);
    assert_eq!(found.len(), 2, "{found:?}");
}

/// Two types of one name would be one schema, and the first of them lost: a page then holds something else.
#[test]
fn every_page_holds_records_of_its_own() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let pages: Vec<(&str, &Value)> = schemas
        .iter()
        .filter_map(|(name, schema)| Some((name.strip_suffix("Page")?, schema)))
        .collect();
    assert!(pages.len() > 20, "{} pages", pages.len());
    for (page, schema) in pages {
        let record = schema["properties"]["data"]["items"]["$ref"].as_str();
        let record = record.and_then(|place| place.strip_prefix("#/components/schemas/"));
        let record = record.unwrap_or_else(|| panic!("{page}Page holds no records"));
        assert_eq!(schemas[record]["type"], "object", "{record}");
    }
}

/// What a reader looks up: what is named in one place is listed in another.
#[test]
fn codes_permissions_and_event_types_are_listed() {
    let described = document()["info"]["description"].as_str().unwrap();
    let codes = Code::ALL.iter().map(|code| code.name());
    let permissions = Permission::ALL.iter().map(|permission| permission.name());
    let events = recorded_events();
    assert!(events.len() > 60, "{events:?}");
    for name in codes.chain(permissions).chain(events.iter().map(String::as_str)) {
        assert!(
            described.contains(&format!("`{name}`")),
            "`{name}` is not listed in the document: see src/app/reference.rs"
        );
    }
    let listed = described.split("## Event types").nth(1).unwrap();
    for name in listed.split('`').filter(|text| is_event(text)) {
        assert!(
            events.contains(name),
            "{name} is listed and no such event is recorded"
        );
    }
}

/// The names of events in the code: quoted, a noun that there is and what happened to it.
fn recorded_events() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut names = BTreeSet::new();
    let mut folders = vec![root.join("features"), root.join("flows")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            names.extend(text.split('"').filter(|name| is_event(name)).map(str::to_owned));
        }
    }
    names
}

fn is_event(name: &str) -> bool {
    name.split_once('.').is_some_and(|(noun, verb)| {
        subject::NOUNS.contains(&noun)
            && !verb.is_empty()
            && verb.chars().all(|one| one == '_' || one.is_ascii_lowercase())
    })
}

#[test]
fn every_problem_leads_to_a_page_that_explains_it() {
    let world = World::new();
    let refused = world.nobody().get("/v1/partners").refused(401, "unauthorized");
    let page = world.nobody().get(refused.text("/type")).expect(200);
    assert!(page.raw().contains("Authorization: Bearer"), "{}", page.raw());
    let all = world.nobody().get("/problems/").expect(200);
    for code in Code::ALL {
        assert!(all.raw().contains(code.name()), "{}", code.name());
        let page = world
            .nobody()
            .get(&format!("/problems/{}", code.name()))
            .expect(200);
        assert!(page.raw().contains(code.title()), "{}", code.name());
        assert!(page.header("content-type").starts_with("text/html"));
    }
    world.nobody().get("/problems/nonsense").refused(404, "not_found");
}

/// Pages may ask their own address only, so that the document must name it for its operations to be tried out.
#[test]
fn the_documents_server_is_the_one_that_serves_it() {
    assert_eq!(document()["servers"][0]["url"], "/");
}

#[test]
fn the_example_of_a_bad_request_is_what_broken_json_gets() {
    let content = &document()["components"]["responses"]["BadRequest"]["content"];
    assert_eq!(
        content["application/problem+json"]["example"]["code"],
        "malformed_json"
    );
}
