//! The OpenAPI document as the tests walk it, so that a new operation is covered the day it is added.

use super::actor::{Actor, Ask};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// One operation of the document.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub id: &'static str,
    /// Its method in upper case.
    pub method: String,
    /// Its path with the names of its parameters.
    pub path: &'static str,
    /// The permissions of which one suffices; empty for a public operation.
    pub permissions: Vec<&'static str>,
    /// Whether it may be called without a credential.
    pub is_public: bool,
    /// The operation as the document has it.
    pub described: &'static Value,
}

/// The document, OpenAPI 3.1.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(copartner::app::document)
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let paths = document()["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, item) in paths {
        let methods = item.as_object().unwrap().iter();
        for (method, described) in methods.filter(|(_, described)| !described["operationId"].is_null()) {
            found.push(Operation::new(path, method, described));
        }
    }
    found
}

impl Operation {
    fn new(path: &'static str, method: &str, described: &'static Value) -> Self {
        let permissions = match &described["x-required-permission"] {
            Value::String(only) => vec![only.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        Self {
            id: described["operationId"].as_str().unwrap(),
            method: method.to_uppercase(),
            path,
            permissions,
            is_public: described["security"] == json!([]),
            described,
        }
    }

    /// The parameters, each in its own words.
    pub fn parameters(&self) -> Vec<&'static Value> {
        let list = self.described["parameters"].as_array();
        list.into_iter().flatten().map(resolve).collect()
    }

    /// The names of the parameters in the query.
    pub fn query_names(&self) -> Vec<&'static str> {
        self.names_in("query")
    }

    /// The names of the parameters in the path.
    pub fn path_names(&self) -> Vec<&'static str> {
        self.names_in("path")
    }

    fn names_in(&self, place: &str) -> Vec<&'static str> {
        let all = self.parameters().into_iter();
        let here = all.filter(|parameter| parameter["in"] == place);
        here.map(|parameter| parameter["name"].as_str().unwrap())
            .collect()
    }

    /// A parameter of the query.
    pub fn query_parameter(&self, name: &str) -> Option<&'static Value> {
        let mut all = self.parameters().into_iter();
        all.find(|parameter| parameter["in"] == "query" && parameter["name"] == name)
    }

    /// The path with a well-formed id of nothing in each place.
    pub fn path_to_nothing(&self) -> String {
        let mut path = self.path.to_owned();
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{name}}}"), &example_of(parameter));
            }
        }
        path
    }

    /// The body of the document's own example, if the operation takes JSON.
    pub fn example_body(&self) -> Option<&'static Value> {
        resolve(&self.described["requestBody"]).pointer("/content/application~1json/example")
    }

    /// The schema of the JSON body, if the operation takes one.
    pub fn body_schema(&self) -> Option<&'static Value> {
        resolve(&self.described["requestBody"]).pointer("/content/application~1json/schema")
    }

    /// Whether the operation takes a JSON body, and the document says everything that may be in it. What somebody else
    /// signs is theirs to fill.
    pub fn takes_json(&self) -> bool {
        let body = resolve(&self.described["requestBody"]);
        !body["content"]["application/json"].is_null() && !self.demands_header("Stripe-Signature")
    }

    /// Whether the operation cannot do without a JSON body.
    pub fn requires_json(&self) -> bool {
        self.takes_json() && resolve(&self.described["requestBody"])["required"] == json!(true)
    }

    /// Whether the operation cannot do without this header.
    pub fn demands_header(&self, name: &str) -> bool {
        let mut all = self.parameters().into_iter();
        all.any(|parameter| parameter["name"] == name && parameter["required"] == json!(true))
    }

    /// Whether the document knows this answer.
    pub fn documents(&self, status: u16) -> bool {
        !self.described["responses"][status.to_string()].is_null()
    }

    /// A request to this path with everything that the document demands.
    pub fn ask<'a>(&self, actor: &'a Actor, path: &str) -> Ask<'a> {
        let mut query = Vec::new();
        let mut headers = Vec::new();
        let all = self.parameters().into_iter();
        for parameter in all.filter(|parameter| parameter["required"] == json!(true)) {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str() {
                Some("header") => headers.push((name, example_of(parameter))),
                Some("query") => query.push(format!("{name}={}", example_of(parameter))),
                _ => {}
            }
        }
        let whole = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", query.join("&"))
        };
        let mut ask = actor.ask(&self.method, &whole);
        for (name, value) in headers {
            ask = ask.header(name, &value);
        }
        match self.example_body() {
            Some(body) => ask.json(body),
            None => ask,
        }
    }
}

/// The thing itself, where the document only refers to it.
pub fn resolve(thing: &'static Value) -> &'static Value {
    let reference = thing["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    reference
        .and_then(|pointer| document().pointer(pointer))
        .unwrap_or(thing)
}

/// A value that the parameter's schema allows.
fn example_of(parameter: &'static Value) -> String {
    let schema = resolve(&parameter["schema"]);
    let given = [
        &parameter["example"],
        &schema["examples"][0],
        &schema["example"],
        &schema["enum"][0],
        &schema["minimum"],
    ];
    match given.into_iter().find(|value| !value.is_null()) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => panic!("parameter {} has no example", parameter["name"]),
    }
}

/// What a problem document has that the document does not promise.
pub fn problem_faults(problem: &Value) -> Vec<String> {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let schema = json!({
            "$ref": "#/components/schemas/Problem",
            "components": { "schemas": {
                "Problem": document()["components"]["schemas"]["Problem"],
                "FieldError": document()["components"]["schemas"]["FieldError"],
            } },
        });
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .build(&schema)
            .unwrap()
    });
    schema
        .iter_errors(problem)
        .map(|error| format!("{} {error}", error.instance_path().as_str()))
        .collect()
}
