//! What a body refers to: a foreign record is refused like a missing one, and a foreign key is as free as any other.

use super::stage::{Principal, Stage, import, may_call};
use super::{NO_TEXT, foreign_ids, holds_nothing_foreign, nothing_of, taken_prefix, takes};
use crate::world::{Operation, Reply, money, operations, resolve, texts};
use chrono::{DateTime, Utc};
use copartner::features::imports::targets::{ImportResource, Kind};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

/// References that are not refused as such, whose they are, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// A place in a body that takes an id, and the prefix of what it takes.
type Place = (String, &'static str);

/// The places of a body that take ids.
fn places(operation: &Operation) -> Vec<Place> {
    let mut found = Vec::new();
    if let Some(schema) = operation.body_schema() {
        collect(schema, String::new(), &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn collect(schema: &'static Value, pointer: String, into: &mut Vec<Place>) {
    let schema = resolve(schema);
    if schema["items"].is_null()
        && let Some(prefix) = taken_prefix(schema)
    {
        into.push((pointer.clone(), prefix));
    }
    for several in ["allOf", "anyOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            collect(one, pointer.clone(), into);
        }
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        collect(field, format!("{pointer}/{name}"), into);
    }
    if !schema["items"].is_null() {
        collect(&schema["items"], format!("{pointer}/0"), into);
    }
}

/// Puts a value where the pointer says, making what is missing on the way.
fn put(body: &mut Value, pointer: &str, value: &str) {
    let mut place = body;
    for step in pointer.split('/').skip(1) {
        place = if step == "0" {
            if !place.is_array() {
                *place = json!([null]);
            }
            &mut place[0]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            &mut place[step]
        };
    }
    *place = json!(value);
}

/// The document's example with records of the caller instead of its ids: as it is, and with every reference there can
/// be; each with every role, since people hold only roles of their kind.
fn own_bodies(principal: &Principal, operation: &Operation) -> Vec<Value> {
    let mut example = operation.example_body().unwrap().clone();
    if example.get("permissions").is_some() {
        example["permissions"] = json!(["deals:read"]);
    }
    let places = places(operation);
    let names_role = places.iter().any(|(_, wanted)| *wanted == "role");
    let roles = if names_role {
        principal.own["role"].len()
    } else {
        1
    };
    let mut bodies = Vec::new();
    for role in 0..roles {
        let (mut plain, mut full) = (example.clone(), example.clone());
        for (pointer, wanted) in &places {
            let mut own = principal.own.values().flatten().filter(|id| takes(wanted, id));
            if let Some(own) = own.nth(if *wanted == "role" { role } else { 0 }) {
                put(&mut full, pointer, own);
                if plain.pointer(pointer).is_some() {
                    put(&mut plain, pointer, own);
                }
            }
        }
        bodies.extend([plain, full]);
    }
    bodies
}

/// The path with each record of the caller; as it is when it names none.
fn own_paths(principal: &Principal, operation: &Operation) -> Vec<String> {
    if operation.path_names().is_empty() {
        return vec![operation.path.to_owned()];
    }
    super::own_paths(principal, operation)
}

/// Sends a body under a key of its own.
fn send(principal: &Principal, operation: &Operation, path: &str, body: &Value) -> Reply {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut body = body.clone();
    if body.get("email").is_some() {
        body["email"] = json!(format!("number-{number}@example.com"));
    }
    let mut ask = principal.actor.ask(&operation.method, path).json(&body);
    if operation.demands_header("Idempotency-Key") {
        ask = ask.header("Idempotency-Key", &format!("sweep-{number}"));
    }
    ask.send()
}

/// A request of which only the reference is wrong, and the answer when it refers to nothing.
struct Probe {
    path: String,
    body: Value,
    nothing: Reply,
    /// Whether the answer names the reference as what is wrong.
    is_refused: bool,
}

fn probe(principal: &Principal, operation: &Operation, (pointer, wanted): &Place) -> Probe {
    let mut any = None;
    for path in own_paths(principal, operation) {
        for mut body in own_bodies(principal, operation) {
            put(&mut body, pointer, &nothing_of(wanted));
            let nothing = send(principal, operation, &path, &body);
            let errors = nothing["errors"].as_array().cloned().unwrap_or_default();
            let is_refused = errors.len() == 1
                && [pointer, pointer.trim_end_matches("/0")]
                    .contains(&errors[0]["pointer"].as_str().unwrap())
                && errors[0]["code"] == "unknown_reference";
            let probe = Probe {
                path: path.clone(),
                body,
                nothing,
                is_refused,
            };
            if is_refused {
                return probe;
            }
            any = Some(probe);
        }
    }
    any.unwrap_or_else(|| panic!("{} has nothing for {}", principal.name, operation.id))
}

/// The answer with the asked id masked: to be told of one's own question gives nothing away.
fn masked(reply: &Reply, asked: &str) -> (u16, String, Value) {
    let body = reply
        .raw()
        .replace(asked, "asked")
        .replace(reply.header("request-id"), "");
    (reply.status, body, reply["errors"].clone())
}

#[test]
fn a_foreign_id_in_a_body_is_an_unknown_reference() {
    let stage = Stage::new();
    let mut excepted = BTreeSet::new();
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.takes_json()) {
        for place in places(operation) {
            let (pointer, wanted) = &place;
            let what = format!("{} {pointer}", operation.id);
            let able = stage
                .principals
                .iter()
                .filter(|one| may_call(one, &operation.permissions));
            for principal in able {
                let probe = probe(principal, operation, &place);
                if !probe.is_refused {
                    let whose = if principal.is_partner {
                        "a partner"
                    } else {
                        "an admin"
                    };
                    excepted.insert((what.clone(), whose));
                    eprintln!("{what}: {} {}", probe.body, probe.nothing.raw());
                }
                for id in foreign_ids(principal, wanted) {
                    let mut body = probe.body.clone();
                    put(&mut body, pointer, id);
                    let foreign = send(principal, operation, &probe.path, &body);
                    assert_eq!(foreign.status, probe.nothing.status, "{what}: {}", foreign.raw());
                    if foreign.status == 201 {
                        // Something was made, of which the foreign id is no part.
                        holds_nothing_foreign(principal, &what, &foreign);
                    } else {
                        let nothing = masked(&probe.nothing, &nothing_of(wanted));
                        assert_eq!(masked(&foreign, id), nothing, "{} asks {what}", principal.name);
                    }
                    tried += 1;
                }
            }
        }
    }
    let listed = EXCEPTIONS
        .iter()
        .map(|(what, whose, _)| ((*what).to_owned(), *whose));
    assert_eq!(excepted, listed.collect());
    assert_eq!(EXCEPTIONS.len(), 0, "the exceptions may only become fewer");
    assert!(tried > 100, "only {tried} were tried");
}

/// What a partner's key may do besides reading: look after the partner's own people, where they come from, keys,
/// contacts, papers, payout methods, referrals and registrations; say what it did for a deal, claim credit for it, dispute what was
/// decided, accept terms, and make links.
const PARTNERS_WRITE: [&str; 48] = [
    "acceptProgramTerms",
    "addConflictEvidence",
    "answerDispute",
    "createApiKey",
    "createAttribution",
    "createComplianceDocument",
    "createDealRegistration",
    "createDispute",
    "createDisputeComment",
    "createIdentityProvider",
    "createPartnerContact",
    "createPayoutMethod",
    "createReferral",
    "createReferralLink",
    "createRegistrationComment",
    "createRegistrationExtension",
    "createSession",
    "createTouchpoint",
    "createUser",
    "explainAuthorization",
    "logOut",
    "matchAccount",
    "precheckDealRegistration",
    "readIdentityProviderKeys",
    "receiveStripeEvent",
    "refreshSession",
    "reinstateIdentityProvider",
    "reinstateUser",
    "removePartnerContact",
    "retireReferralLink",
    "revokeApiKey",
    "revokeSession",
    "rotateApiKey",
    "submitDealRegistration",
    "suspendIdentityProvider",
    "suspendUser",
    "terminateUser",
    "updateApiKey",
    "updateAttribution",
    "updateDealRegistration",
    "updateIdentityProvider",
    "updatePartnerContact",
    "updateUser",
    "voidTouchpoint",
    "withdrawDealRegistration",
    "withdrawDispute",
    "withdrawPayoutMethod",
    "withdrawReferral",
];

#[test]
fn a_partners_key_changes_nothing_but_what_is_its_own() {
    let stage = Stage::new();
    let mut allowed = BTreeSet::new();
    for operation in operations().iter().filter(|operation| operation.method != "GET") {
        for principal in stage.principals.iter().filter(|one| one.is_partner) {
            if may_call(principal, &operation.permissions) {
                allowed.insert(operation.id);
                continue;
            }
            operation
                .ask(&principal.actor, &operation.path_to_nothing())
                .send()
                .refused(403, "permission_denied");
        }
    }
    assert_eq!(allowed, BTreeSet::from(PARTNERS_WRITE));
}

#[test]
fn a_foreign_email_is_free() {
    let stage = Stage::new();
    for principal in stage.principals.iter().filter(|one| !one.is_partner) {
        for email in principal.foreign.texts.iter().filter(|text| text.contains('@')) {
            let body = json!({ "name": "Somebody", "email": email, "role_ids": [] });
            principal.actor.post("/v1/users", body).expect(201);
        }
    }
}

/// Creations that cannot be repeated, whose keys are tried by another operation on records of the kind, and why.
const ONCE: [(&str, &str); 4] = [
    (
        "createDealRegistration",
        "one for each account, partner and family",
    ),
    ("createAttribution", "one for each deal, partner and role"),
    ("createEnrollment", "one for each partner and program"),
    ("createReinstatement", "a refund too, which takes a key but once"),
];

/// The example with a key of the caller's choice, references of its own, and an amount that always fits.
fn keyed(principal: &Principal, operation: &Operation, key: &str, now: DateTime<Utc>) -> Vec<Value> {
    let mut bodies = own_bodies(principal, operation);
    bodies.push(json!({}));
    for body in &mut bodies {
        put(body, "/external_id", key);
        if body.get("amount").is_some() {
            body["amount"] = money("0.01 USD");
        }
        for instant in [
            "paid_at",
            "refunded_at",
            "reinstated_at",
            "issued_at",
            "cut_off_at",
        ] {
            if body.get(instant).is_some() {
                body[instant] = json!(now);
            }
        }
    }
    bodies
}

#[test]
fn a_foreign_key_of_a_record_is_free() {
    let stage = Stage::new();
    let mut tried = 0;
    let takes_key = |operation: &&Operation| {
        let schema = operation.body_schema().map(resolve);
        // Matching asks for a key and gives it to nobody.
        let keeps_it = operation.id != "matchAccount";
        keeps_it
            && operation.takes_json()
            && schema.is_some_and(|schema| !schema["properties"]["external_id"].is_null())
    };
    let mut all: Vec<Operation> = operations()
        .into_iter()
        .filter(|one| takes_key(&one) && ONCE.iter().all(|(id, _)| *id != one.id))
        .collect();
    // Changes first: they give each key back, while what is created keeps it.
    all.sort_by_key(|operation| operation.method == "POST");
    for operation in &all {
        for principal in stage.principals.iter().filter(|one| !one.is_partner) {
            let fresh = format!("never-seen-{}", operation.id);
            let requests = own_paths(principal, operation).into_iter().flat_map(|path| {
                let bodies = keyed(principal, operation, &fresh, stage.world.clock.now());
                bodies.into_iter().map(move |body| (path.clone(), body))
            });
            let done = requests
                .map(|(path, body)| (send(principal, operation, &path, &body), path, body))
                .find(|(reply, _, _)| reply.status < 300);
            let Some((reply, path, body)) = done else {
                panic!("{}: {} never succeeds", principal.name, operation.id);
            };
            let made = reply.id();
            for key in &principal.foreign.keys[super::prefix(&made)] {
                let mut body = body.clone();
                put(&mut body, "/external_id", key);
                if body.get("position").is_some() {
                    body["position"] = json!(100 + tried);
                }
                send(principal, operation, &path, &body).expect(reply.status);
                tried += 1;
            }
            if operation.method == "PATCH" {
                send(principal, operation, &path, &body).expect(200);
            }
        }
    }
    assert!(tried > 50, "only {tried} were tried");
}

/// A row that refers to the caller's own records, with this key in one place.
fn row(principal: &Principal, resource: ImportResource, field: &str, key: &str, line: usize) -> String {
    let own = |prefix: &str| principal.own_keys[prefix].first().unwrap().clone();
    let cell = |name: &str| match name {
        _ if name == field => key.to_owned(),
        "external_id" => format!("row-{field}-{line}"),
        "name" => "A name".to_owned(),
        "account" => own("acc"),
        "deal" => own("deal"),
        "amount" => "1.00".to_owned(),
        "currency" => "USD".to_owned(),
        "issued_on" => "2026-01-06".to_owned(),
        other => panic!("a value for {other}"),
    };
    let cells: Vec<String> = columns(resource, field).into_iter().map(cell).collect();
    cells.join(",")
}

fn columns(resource: ImportResource, field: &str) -> Vec<&'static str> {
    let needed = resource
        .targets()
        .iter()
        .filter(|target| target.required || target.name == field);
    needed.map(|target| target.name).collect()
}

/// The fields of an import that refer to a record, and the prefix of that.
const REFERENCES: [(&str, &str); 9] = [
    ("program", "prg"),
    ("account", "acc"),
    ("partner", "ptn"),
    ("product_family", "pfm"),
    ("sourced_by", "ptn"),
    ("influenced_by", "ptn"),
    ("delivered_by", "ptn"),
    ("deal", "deal"),
    ("external_id", ""),
];

#[test]
fn a_foreign_key_in_a_file_is_an_unknown_reference() {
    let stage = Stage::new();
    for &resource in ImportResource::ALL {
        for target in resource
            .targets()
            .iter()
            .filter(|target| target.kind == Kind::Key)
        {
            let (_, wanted) = REFERENCES.iter().find(|(name, _)| *name == target.name).unwrap();
            for principal in stage
                .principals
                .iter()
                .filter(|one| !one.is_partner && !wanted.is_empty())
            {
                let columns = columns(resource, target.name);
                let mut file = columns.join(",");
                let foreign = principal.foreign.keys[*wanted].iter().map(String::as_str);
                let keys: Vec<&str> = std::iter::once(NO_TEXT).chain(foreign).collect();
                for (line, key) in keys.iter().enumerate() {
                    file += &format!("\n{}", row(principal, resource, target.name, key, line));
                }
                let fields: serde_json::Map<String, Value> = columns
                    .iter()
                    .map(|name| ((*name).to_owned(), json!({ "column": name })))
                    .collect();
                let queued = import(
                    &principal.actor,
                    resource.as_str(),
                    &json!({ "fields": fields }),
                    &file,
                );
                let queued = queued.expect(202);
                stage.world.work();
                let path = format!("/v1/imports/{}/rejections", queued.id());
                let rejected = principal.actor.all(&path);
                assert_eq!(
                    rejected.len(),
                    keys.len(),
                    "{} {}",
                    resource.as_str(),
                    target.name
                );
                for field in ["code", "column"] {
                    let mut said = texts(&rejected, field);
                    said.dedup();
                    assert_eq!(said.len(), 1, "{} {} {said:?}", resource.as_str(), target.name);
                }
                for (record, key) in rejected.iter().zip(&keys) {
                    let message =
                        |record: &Value, key: &str| record["message"].as_str().unwrap().replace(key, "");
                    assert_eq!(message(record, key), message(&rejected[0], NO_TEXT));
                }
            }
        }
    }
}
