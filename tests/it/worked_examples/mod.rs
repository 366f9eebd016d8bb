//! Published worked examples of commission arithmetic, each expressed through the rule model: by its kind, never by its id.
//!
//! `table.json` has the inputs and the figures. `cargo test --test it worked_examples -- --nocapture` prints those that the
//! model cannot express, with the reason.

mod draws;
mod express;
mod model;
mod refunds;
mod rules;

use rust_decimal::Decimal;
use serde_json::Value;
use std::io::Write;

/// Examples that the model cannot express, by their kind, with the reason: none.
const INEXPRESSIBLE: &[(&str, &str)] = &[];

/// Whether what was worked out is what was published, where numbers may be written as texts.
fn agree(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| agree(found, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(one, other)| agree(one, other))
        }
        (found, expected) => match (number(found), number(expected)) {
            (Some(found), Some(expected)) => found == expected,
            _ => found == expected,
        },
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[test]
fn every_published_example_comes_out_as_published() {
    let table: Vec<Value> = serde_json::from_str(include_str!("table.json")).unwrap();
    assert_eq!(table.len(), 124);
    let (mut wrong, mut missing) = (Vec::new(), Vec::new());
    for example in &table {
        let (id, kind) = (example["id"].as_str().unwrap(), example["kind"].as_str().unwrap());
        match express::express(kind, &example["given"]) {
            Some(found) if agree(&found, &example["expected"]) => {}
            Some(found) => wrong.push(format!("{id}: {found} instead of {}", example["expected"])),
            None => missing.push((id, kind)),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let reason = |kind: &str| INEXPRESSIBLE.iter().find(|(known, _)| *known == kind);
    let unexplained: Vec<_> = missing
        .iter()
        .filter(|(_, kind)| reason(kind).is_none())
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
    let (expressed, all) = (table.len() - missing.len(), table.len());
    let mut out = std::io::stderr();
    writeln!(out, "{expressed} of {all} examples are expressed").unwrap();
    for (id, kind) in &missing {
        writeln!(out, "not expressed: {id}: {}", reason(kind).unwrap().1).unwrap();
    }
    assert!(
        missing.is_empty(),
        "the model can express every published example"
    );
}
