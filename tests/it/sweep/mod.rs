//! Isolation, operation by operation: whoever asks with somebody else's id, key or name hears what it would hear of
//! something that does not exist, and no answer holds anything of somebody else.
//!
//! Nothing here knows an operation by name, except for the list of exceptions: a new operation is covered the day the
//! document has it. That the same work is done for a foreign id as for a missing one is not measured.

mod bodies;
mod sessions;
mod sight;
mod stage;
mod work;

use crate::world::{Operation, Reply, operations, resolve};
use serde_json::Value;
use sight::{ids_in, lists, pages, prefix};
use stage::{Principal, Stage, may_call};
use std::collections::BTreeMap;

/// What no test ever made.
const NOTHING: &str = "01j9zq4y8k7m5n3p2r1s0t6v4w";
/// How many values of one kind each parameter of a query is asked for.
const MOST_VALUES: usize = 12;
/// A text that stands nowhere.
const NO_TEXT: &str = "nowhere-to-be-found";

/// The answer without what differs from request to request.
fn essence(reply: &Reply) -> (u16, Value, Vec<(String, String)>) {
    let mut body = reply.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    // Whether the connection is kept depends on how much of the body had come when the answer went out.
    let changing = ["request-id", "ratelimit", "date", "connection"];
    let headers = reply.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !changing.contains(&name.as_str()))
        .collect();
    headers.sort();
    (reply.status, body, headers)
}

/// Fails if the answer holds anything that the caller must not meet.
#[track_caller]
fn holds_nothing_foreign(principal: &Principal, what: &str, reply: &Reply) {
    let mut all = reply.raw().to_owned();
    for (name, value) in &reply.headers {
        all += &format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    for mark in &principal.foreign.marks {
        assert!(
            !all.contains(mark.as_str()),
            "{} meets {mark} in {what}: {all}",
            principal.name
        );
    }
    for id in ids_in(&all) {
        assert!(
            !principal.foreign.ids.contains(id),
            "{} meets {id} in {what}: {all}",
            principal.name
        );
    }
}

/// The answer to something foreign is the answer to nothing, and holds nothing foreign.
#[track_caller]
fn same_as_nothing(principal: &Principal, what: &str, foreign: &Reply, nothing: &Reply) {
    holds_nothing_foreign(principal, what, foreign);
    assert_eq!(
        essence(foreign),
        essence(nothing),
        "{} asks {what}",
        principal.name
    );
}

/// Whether an id of this prefix, of one of these, or of any, is taken.
fn takes(wanted: &str, id: &str) -> bool {
    let mut prefixes = wanted.trim_matches(['(', ')']).split('|');
    wanted == "[a-z]+" || prefixes.any(|one| one == prefix(id))
}

/// An id of nothing that is of this form.
fn nothing_of(wanted: &str) -> String {
    let first = wanted.trim_matches(['(', ')']).split('|').next();
    let first = first.filter(|first| *first != "[a-z]+").unwrap_or("ptn");
    format!("{first}_{NOTHING}")
}

/// The prefix of the ids that a schema takes, if it takes ids; several stand in brackets.
fn taken_prefix(schema: &'static Value) -> Option<&'static str> {
    let schema = resolve(schema);
    let schema = if schema["items"].is_null() {
        schema
    } else {
        resolve(&schema["items"])
    };
    let (prefix, _) = schema["pattern"]
        .as_str()?
        .strip_prefix('^')?
        .split_once("_[0-9a-z]")?;
    Some(prefix)
}

fn foreign_ids<'a>(principal: &'a Principal, wanted: &'a str) -> impl Iterator<Item = &'a String> {
    let ids = principal.foreign.ids.iter();
    ids.filter(move |id| takes(wanted, id))
}

#[test]
fn a_foreign_id_in_a_path_names_nothing() {
    let stage = Stage::new();
    let mut tried = 0;
    for operation in operations()
        .iter()
        // What is public tells everybody the same.
        .filter(|operation| !operation.is_public && !operation.path_names().is_empty())
    {
        let parameters = operation.parameters().into_iter();
        let named = parameters
            .filter(|parameter| parameter["in"] == "path")
            .collect::<Vec<_>>();
        assert_eq!(named.len(), 1, "{} names more than one record", operation.id);
        let wanted = taken_prefix(&named[0]["schema"]).unwrap();
        for principal in &stage.principals {
            let call = |id: &str| {
                let (start, rest) = operation.path.split_once('{').unwrap();
                let (_, end) = rest.split_once('}').unwrap();
                let ask = operation.ask(&principal.actor, &format!("{start}{id}{end}"));
                ask.send()
            };
            let nothing = call(&nothing_of(wanted));
            let nothing = if may_call(principal, &operation.permissions) {
                nothing.refused(404, "not_found")
            } else {
                nothing.refused(403, "permission_denied")
            };
            let ids: Vec<&String> = foreign_ids(principal, wanted).collect();
            assert!(
                !ids.is_empty(),
                "{}: no {wanted} is foreign to {}",
                operation.id,
                principal.name
            );
            for id in ids {
                same_as_nothing(principal, operation.id, &call(id), &nothing);
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000, "only {tried} were tried");
}

/// Parameters that take a text by which a record may be found.
const SEARCHED: [&str; 4] = ["external_id", "q", "domain", "email"];
/// The parameter that takes the id of any record.
const ANY_ID: &str = "subject_id";

/// The foreign values for a parameter of the query, each kind with a value of the same form that stands for nothing.
fn foreign_values(
    principal: &Principal,
    name: &str,
    parameter: &'static Value,
) -> Vec<(String, Vec<String>)> {
    if SEARCHED.contains(&name) {
        let texts = principal.foreign.texts.iter().cloned();
        let fitting = texts.filter(|text| match name {
            "domain" => text.ends_with(".example") && !text.contains('@'),
            "email" => text.contains('@'),
            _ => true,
        });
        let nothing = if name == "email" {
            "nobody@nowhere.example"
        } else {
            NO_TEXT
        };
        return vec![(nothing.to_owned(), fitting.collect())];
    }
    let wanted = taken_prefix(&parameter["schema"]);
    let is_asked = |id: &&String| name == ANY_ID || wanted.is_some_and(|wanted| takes(wanted, id));
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in principal.foreign.ids.iter().filter(is_asked) {
        kinds
            .entry(format!("{}_{NOTHING}", prefix(id)))
            .or_default()
            .push(id.clone());
    }
    kinds.into_iter().collect()
}

/// Some of many values, from the first to the last: they differ by nothing but their owner.
fn spread(values: &[String], most: usize) -> impl Iterator<Item = &String> {
    values.iter().step_by(values.len().div_ceil(most))
}

fn with_query(operation: &Operation, principal: &Principal, name: &str, value: &str) -> Reply {
    let value = value.replace(' ', "%20");
    operation
        .ask(&principal.actor, &format!("{}?{name}={value}", operation.path))
        .send()
}

/// Fails unless the answer is an empty list, or that the caller may not ask, or that no record has ids of this form.
#[track_caller]
fn finds_nothing(principal: &Principal, operation: &Operation, reply: &Reply) {
    if !may_call(principal, &operation.permissions) {
        reply.clone().refused(403, "permission_denied");
    } else if reply.status == 422 {
        reply.clone().pointer("?subject_id", "invalid_id");
    } else {
        let reply = reply.clone().expect(200);
        let mut found = reply
            .body
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_array);
        assert!(found.all(Vec::is_empty), "{}: {}", operation.id, reply.raw());
    }
}

#[test]
fn a_foreign_id_in_a_query_finds_nothing() {
    let stage = Stage::new();
    let mut tried = 0;
    let plain = |operation: &&Operation| operation.path_names().is_empty();
    for operation in operations().iter().filter(plain) {
        for name in operation.query_names() {
            let parameter = operation.query_parameter(name).unwrap();
            assert!(
                !name.ends_with("_id")
                    || SEARCHED.contains(&name)
                    || name == ANY_ID
                    || taken_prefix(&parameter["schema"]).is_some(),
                "{} takes {name}, which is no id",
                operation.id
            );
            for principal in &stage.principals {
                for (nothing, values) in foreign_values(principal, name, parameter) {
                    let nothing = with_query(operation, principal, name, &nothing);
                    finds_nothing(principal, operation, &nothing);
                    let most = if may_call(principal, &operation.permissions) {
                        MOST_VALUES
                    } else {
                        1
                    };
                    for value in spread(&values, most) {
                        let foreign = with_query(operation, principal, name, value);
                        same_as_nothing(
                            principal,
                            &format!("{} ?{name}", operation.id),
                            &foreign,
                            &nothing,
                        );
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 1_000, "only {tried} were tried");
}

#[test]
fn what_a_caller_may_read_holds_nothing_foreign() {
    let stage = Stage::new();
    for principal in &stage.principals {
        for list in lists() {
            if may_call(principal, &list.permissions) {
                let found = pages(&principal.actor, list.path);
                assert!(
                    !found[0].data().is_empty(),
                    "{} reads nothing by {}",
                    principal.name,
                    list.id
                );
                for page in found {
                    holds_nothing_foreign(principal, list.id, &page);
                }
            }
        }
        for operation in operations().iter().filter(|operation| operation.method == "GET") {
            let mut own: Vec<String> = match operation.path_names()[..] {
                [] => vec![operation.path.to_owned()],
                _ => own_paths(principal, operation),
            };
            if principal.is_partner && OWN_ALONE.contains(&operation.id) {
                let (itself, below): (Vec<_>, Vec<_>) =
                    own.into_iter().partition(|path| is_its_own(principal, path));
                for path in below {
                    let reply = operation.ask(&principal.actor, &path).send();
                    reply.refused(404, "not_found");
                }
                own = itself;
            }
            for path in own.iter().filter(|_| may_call(principal, &operation.permissions)) {
                let reply = operation.ask(&principal.actor, path).send();
                // The house pays by hand, and tests/it/money/bank tells what is in a file.
                if operation.id == "getPayoutRunFile" {
                    reply.refused(409, "payout_run_has_no_file");
                    continue;
                }
                holds_nothing_foreign(principal, path, &reply.expect(200));
            }
        }
    }
}

/// What a partner's caller reads of its own partner, and not of those below it that it sees.
const OWN_ALONE: [&str; 5] = [
    "getEnrollmentOnboarding",
    "getPartnerActivity",
    "getTierStanding",
    "listPartnerTimeline",
    "listPaymentExpectations",
];

/// Whether a path names the caller's partner, or an enrollment of it.
fn is_its_own(principal: &Principal, path: &str) -> bool {
    let itself = principal.itself();
    let of_enrollment = ["/onboarding", "/tier-standing"].map(|end| path.strip_suffix(end));
    match of_enrollment.into_iter().flatten().next() {
        Some(enrollment) => principal.actor.get(enrollment).expect(200)["partner_id"] == itself.as_str(),
        None => path.contains(&itself),
    }
}

/// The path with each record of the caller.
fn own_paths(principal: &Principal, operation: &Operation) -> Vec<String> {
    let (start, rest) = operation.path.split_once('{').unwrap();
    let (_, end) = rest.split_once('}').unwrap();
    let parameters = operation.parameters();
    let named = parameters
        .iter()
        .find(|parameter| parameter["in"] == "path")
        .unwrap();
    let wanted = taken_prefix(&named["schema"]).unwrap();
    let own = principal.own.get(wanted).into_iter().flatten();
    own.map(|id| format!("{start}{id}{end}")).collect()
}
