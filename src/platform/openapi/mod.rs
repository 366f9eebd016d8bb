//! The OpenAPI document: what the derive macros leave undone, and what every operation has by rule.
//!
//! Handlers declare only what is their own: summary, description, permission, parameters, body and
//! their 2xx answers. [`finish`] adds the problem answers, headers, write parameters, links, bounds
//! and examples. [`derive_3_0`] writes the same contract for readers of OpenAPI 3.0. [`check`] lists
//! what breaks the rules of the house, so that a test can refuse it.

mod bodies;
mod bounds;
mod check;
mod examples;
mod headers;
mod links;
mod operations;
mod pages;
mod parameters;
mod problem_schemas;
mod problems;
mod rights;
mod schemas;
mod three_zero;
mod vocabularies;
mod walk;

#[cfg(test)]
mod scratch;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use check::check;
pub use three_zero::derive_3_0;

/// The finished document (OpenAPI 3.1) of what the derive macros collected.
///
/// Extensions of operations that steer it: `x-required-permission` (a permission, or a list of which
/// one suffices), `x-requires-if-match`, `x-without-if-match` (a change that no version matters to),
/// `x-requires-idempotency-key`, `x-carries-credential` (in the body), `x-depends-on-state` (a read that may be `409`) and
/// `x-unversioned`. All but the first are removed; `x-roles`, the built-in roles that hold the permission, is added. A
/// document that cannot be written as JSON answers `null`, which [`check`] refuses.
pub fn finish(document: utoipa::openapi::OpenApi) -> Value {
    let Ok(mut document) = serde_json::to_value(document) else {
        return Value::Null;
    };
    schemas::repair(&mut document);
    bodies::separate(&mut document);
    vocabularies::settle(&mut document);
    pages::describe(&mut document);
    parameters::never_null(&mut document);
    operations::complete(&mut document);
    headers::complete(&mut document);
    links::complete(&mut document);
    bounds::complete(&mut document);
    parameters::share(&mut document);
    examples::complete(&mut document);
    state_audience(&mut document);
    sort_tags(&mut document);
    document
}

/// The document is public, and so are the servers in it; the macros have no words for that.
fn state_audience(document: &mut Value) {
    walk::set_missing(
        walk::member(document, "info"),
        "x-audience",
        json!("external-public"),
    );
    let servers = document.get_mut("servers").and_then(Value::as_array_mut);
    for server in servers.into_iter().flatten() {
        walk::set_missing(server, "x-internal", json!(false));
    }
}

fn sort_tags(document: &mut Value) {
    if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
        tags.sort_by_cached_key(|tag| tag["name"].as_str().map(str::to_lowercase));
    }
}
