//! The schemas of the document, compiled.

use super::ContractError;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// How a date or an instant from 1900 on begins.
const OF_OUR_TIMES: &str = "^(19|[2-9][0-9])[0-9]{2}-";

pub(super) fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// The thing itself, where the document only refers to it.
pub(super) fn resolve<'a>(document: &'a Value, thing: &'a Value) -> &'a Value {
    let reference = thing["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(thing)
}

/// Compiles schemas of a document, each once, wherever it stands: the parameters of most operations are the same ones.
pub(super) struct Compiler<'a> {
    pub(super) document: &'a Value,
    compiled: HashMap<String, Arc<Validator>>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self {
            document,
            compiled: HashMap::new(),
        }
    }

    pub(super) fn compile(&mut self, schema: &Value) -> Result<Arc<Validator>, ContractError> {
        let text = schema.to_string();
        if let Some(known) = self.compiled.get(&text) {
            return Ok(Arc::clone(known));
        }
        let compiled = Arc::new(compile(self.document, schema)?);
        self.compiled.insert(text, Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// Compiles a schema of the document, with everything it refers to.
fn compile(document: &Value, schema: &Value) -> Result<Validator, ContractError> {
    let mut needed = Map::new();
    gather(document, schema, &mut needed);
    let mut schema = schema.clone();
    narrow(&mut schema, &needed);
    let mut schemas = Value::Object(needed.clone());
    narrow(&mut schemas, &needed);
    let mut whole = json!({ "allOf": [schema], "components": { "schemas": schemas } });
    keep_to_our_times(&mut whole);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .map_err(|error| ContractError(error.to_string()))
}

/// Dates are taken from 1900 on: an earlier one is a slip, such as a year of two digits. The document says so in words: a
/// pattern beside a format is more than generators of requests understand.
fn keep_to_our_times(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(keep_to_our_times);
            let format = fields.get("format").and_then(Value::as_str);
            if matches!(format, Some("date" | "date-time")) {
                fields.insert("pattern".to_owned(), json!(OF_OUR_TIMES));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(keep_to_our_times),
        _ => {}
    }
}

/// The component schemas that this one needs.
fn gather(document: &Value, schema: &Value, needed: &mut Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|one| one.strip_prefix("#/components/schemas/"))
                && !needed.contains_key(name)
            {
                let component = &document["components"]["schemas"][name];
                needed.insert(name.to_owned(), component.clone());
                gather(document, component, needed);
            }
            fields.values().for_each(|value| gather(document, value, needed));
        }
        Value::Array(items) => items.iter().for_each(|value| gather(document, value, needed)),
        _ => {}
    }
}

/// A union with a discriminator becomes "if it says that it is one, it must be that one", so that an error is about
/// the member that was meant and not about all of them. What says of none that it is one has no field that none of them
/// has.
fn narrow(schema: &mut Value, components: &Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| narrow(field, components));
            let Some(discriminator) = fields.get("discriminator").cloned() else {
                return;
            };
            let tag = discriminator["propertyName"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let mapping: Vec<(String, Value)> = members(&discriminator["mapping"])
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let words: Vec<&String> = mapping.iter().map(|(word, _)| word).collect();
            let known =
                json!({ "type": "object", "required": [&tag], "properties": { &tag: { "enum": words } } });
            let branch = |(word, reference): &(String, Value)| {
                json!({
                    "if": { "type": "object", "required": [&tag], "properties": { &tag: { "const": word } } },
                    "then": { "$ref": reference },
                })
            };
            let strange = json!({ "if": known, "else": fields_of_any(&mapping, components) });
            let branches = mapping.iter().map(branch);
            let branches: Vec<Value> = [known.clone(), strange].into_iter().chain(branches).collect();
            fields.remove("oneOf");
            fields.insert("allOf".to_owned(), Value::Array(branches));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| narrow(item, components)),
        _ => {}
    }
}

/// Takes the fields that any member has, whatever their values, and, where no member takes others, no others.
fn fields_of_any(mapping: &[(String, Value)], components: &Map<String, Value>) -> Value {
    let members_of_union = mapping.iter().filter_map(|(_, reference)| {
        let name = reference.as_str()?.strip_prefix("#/components/schemas/")?;
        components.get(name)
    });
    let (mut names, mut closed) = (Map::new(), true);
    for member in members_of_union {
        closed &= member["additionalProperties"] == json!(false);
        names.extend(members(&member["properties"]).map(|(name, _)| (name.clone(), json!(true))));
    }
    if closed {
        json!({ "properties": names, "additionalProperties": false })
    } else {
        json!({})
    }
}
