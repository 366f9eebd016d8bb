//! Rule for examples: each is valid by the schema beside it, formats included.

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use crate::platform::openapi::walk::each_object;

/// The address under which the schemas find each other while they are checked.
const ADDRESS: &str = "json-schema:///openapi.json";

/// Examples that their schema refuses, and schemas that cannot be read.
pub(super) fn faults(document: &Value) -> Vec<String> {
    let registry = match Registry::new()
        .add(ADDRESS, document)
        .and_then(|registry| registry.prepare())
    {
        Ok(registry) => registry,
        Err(error) => return vec![format!("the schemas cannot be read: {error}")],
    };
    let mut found = Vec::new();
    for Sample { at, schema, values } in samples(document) {
        let validator = match compile(&registry, &schema) {
            Ok(validator) => validator,
            Err(error) => {
                found.push(format!("{schema}: the schema cannot be read: {error}"));
                continue;
            }
        };
        for value in values {
            found.extend(validator.iter_errors(value).map(|error| {
                format!(
                    "{at}: the example is refused at `{}`: {error}",
                    error.instance_path()
                )
            }));
        }
    }
    found
}

fn compile(registry: &Registry<'_>, pointer: &str) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_registry(registry)
        .should_validate_formats(true)
        .offline()
        .build(&json!({ "$ref": format!("{ADDRESS}#{}", encoded(pointer)) }))
        .map_err(|error| error.to_string())
}

/// A pointer as the fragment of a reference: `%`, `{` and `}` occur in paths and need encoding.
fn encoded(pointer: &str) -> String {
    pointer
        .replace('%', "%25")
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace(' ', "%20")
}

/// Examples of one place and the pointer to their schema.
struct Sample<'a> {
    at: String,
    schema: String,
    values: Vec<&'a Value>,
}

fn samples(document: &Value) -> Vec<Sample<'_>> {
    let mut samples = Vec::new();
    each_object(document, "", &mut |at, object| {
        let is_property_list = at.ends_with("/properties");
        if is_property_list {
            return;
        }
        if object.get("schema").is_some() {
            let values: Vec<&Value> = object
                .get("example")
                .into_iter()
                .chain(named_values(object))
                .collect();
            samples.push(Sample {
                at: at.to_owned(),
                schema: format!("{at}/schema"),
                values,
            });
        } else if let Some(Value::Array(values)) = object.get("examples") {
            samples.push(Sample {
                at: at.to_owned(),
                schema: at.to_owned(),
                values: values.iter().collect(),
            });
        }
        if let Some(default) = object.get("default").filter(|_| object.get("type").is_some()) {
            samples.push(Sample {
                at: at.to_owned(),
                schema: at.to_owned(),
                values: vec![default],
            });
        }
    });
    samples.retain(|sample| !sample.values.is_empty());
    samples
}

/// Values of a map of named examples.
fn named_values(object: &Value) -> impl Iterator<Item = &Value> {
    let named = object.get("examples").and_then(Value::as_object);
    named
        .into_iter()
        .flat_map(|all| all.values())
        .filter_map(|example| example.get("value"))
}
