//! Requests are checked against the very document that is served: what it promises is what is taken.

use crate::kernel::problem::{Code, FieldProblem, Problem};
use actix_web::HttpRequest;
use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use thiserror::Error;

/// The document cannot serve as a contract.
#[derive(Debug, Error)]
#[error("the OpenAPI document is no contract: {0}")]
pub struct ContractError(String);

/// What the document says about each operation.
#[derive(Debug)]
pub struct Contract {
    routes: HashMap<String, Route>,
    document: Arc<Value>,
}

/// A path of the document.
#[derive(Debug)]
struct Route {
    pattern: ResourceDef,
    operations: HashMap<Method, Operation>,
}

/// What one operation takes.
#[derive(Debug)]
pub struct Operation {
    /// Its body, if it takes a JSON one.
    pub body: Option<BodyContract>,
    /// Whether it is refused without an Idempotency-Key.
    pub requires_idempotency_key: bool,
    /// Whether it is refused without If-Match.
    pub requires_if_match: bool,
    query: Vec<Parameter>,
    headers: Vec<Parameter>,
}

/// The body of an operation.
#[derive(Debug)]
pub struct BodyContract {
    /// Whether there must be one.
    pub required: bool,
    schema: Validator,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    required: bool,
    many: bool,
    kind: Kind,
    schema: Validator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Boolean,
}

const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("post", Method::POST),
    ("patch", Method::PATCH),
    ("put", Method::PUT),
    ("delete", Method::DELETE),
];

impl Contract {
    /// Reads the finished document.
    pub fn new(document: Arc<Value>) -> Result<Self, ContractError> {
        let mut routes = HashMap::new();
        for (path, item) in members(&document["paths"]) {
            let mut operations = HashMap::new();
            for (name, method) in METHODS {
                if let Some(operation) = item.get(name) {
                    operations.insert(method, Operation::new(&document, operation)?);
                }
            }
            let pattern = ResourceDef::new(path.as_str());
            routes.insert(path.clone(), Route { pattern, operations });
        }
        Ok(Self { routes, document })
    }

    /// The document itself.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The operation that a request was routed to.
    pub fn operation_of(&self, request: &HttpRequest) -> Option<&Operation> {
        let (_, route) = self.routed(request)?;
        route.operations.get(request.method())
    }

    /// The path of the document that a request was routed to, as the document writes it.
    pub fn route_of(&self, request: &HttpRequest) -> Option<&str> {
        self.routed(request).map(|(path, _)| path)
    }

    /// The methods that some operation serves at this path.
    pub fn methods_at(&self, path: &str) -> Vec<String> {
        let here = self.routes.values().filter(|route| route.pattern.is_match(path));
        let mut methods: Vec<String> = here
            .flat_map(|route| route.operations.keys().map(ToString::to_string))
            .collect();
        methods.sort_unstable();
        methods
    }

    fn routed(&self, request: &HttpRequest) -> Option<(&str, &Route)> {
        let (path, route) = self.routes.get_key_value(&written(request))?;
        Some((path, route))
    }
}

/// The request's path with the names of its parameters in place of their values. The router could tell its pattern, but
/// looks through all of its patterns for it.
fn written(request: &HttpRequest) -> String {
    let (parameters, path) = (request.match_info(), request.match_info().as_str());
    let mut written = String::with_capacity(path.len());
    let mut rest = path;
    for (name, value) in parameters.iter() {
        // A value is a part of the path itself, so that the place of the one in the other is known.
        let before = value.as_ptr().addr().wrapping_sub(rest.as_ptr().addr());
        let after = before.saturating_add(value.len());
        let Some((start, end)) = rest.get(..before).zip(rest.get(after..)) else {
            break;
        };
        written.push_str(start);
        written.push('{');
        written.push_str(name);
        written.push('}');
        rest = end;
    }
    written.push_str(rest);
    written
}

impl Operation {
    fn new(document: &Value, operation: &Value) -> Result<Self, ContractError> {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameters: Vec<&Value> = parameters.iter().map(|one| resolve(document, one)).collect();
        let located = |place: &str| -> Result<Vec<Parameter>, ContractError> {
            let here = parameters.iter().filter(|one| one["in"] == place);
            here.map(|one| Parameter::new(document, one)).collect()
        };
        let demands = |name: &str| {
            parameters
                .iter()
                .any(|one| one["name"] == name && one["required"] == json!(true))
        };
        Ok(Self {
            body: BodyContract::new(document, &operation["requestBody"])?,
            requires_idempotency_key: demands("Idempotency-Key"),
            requires_if_match: demands("If-Match"),
            query: located("query")?,
            headers: located("header")?,
        })
    }

    /// Whether the document allows this value of a header; one that it does not know may be anything.
    pub fn takes_header(&self, name: &str, value: &str) -> bool {
        let known = self.headers.iter().filter(|known| known.name == name);
        known
            .into_iter()
            .all(|known| known.schema.is_valid(&json!(value)))
    }

    /// The query as a JSON object, every parameter checked.
    pub fn check_query(&self, query: &str) -> Result<Value, Problem> {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(query).map_err(|_| {
            Problem::new(Code::MalformedRequest).because("The query string could not be read.")
        })?;
        let mut problems = Vec::new();
        for (name, _) in pairs
            .iter()
            .filter(|(name, _)| !self.query.iter().any(|known| &known.name == name))
        {
            problems.push(FieldProblem::new(
                format!("?{name}"),
                "unknown_parameter",
                "This operation has no such parameter.",
            ));
        }
        let mut object = Map::new();
        for parameter in &self.query {
            let given: Vec<&str> = pairs
                .iter()
                .filter(|(name, _)| *name == parameter.name)
                .map(|(_, value)| value.as_str())
                .collect();
            if let Some(value) = parameter.check(&given, &mut problems) {
                object.insert(parameter.name.clone(), value);
            }
        }
        if problems.is_empty() {
            Ok(Value::Object(object))
        } else {
            Err(Problem::fields(problems))
        }
    }
}

impl BodyContract {
    fn new(document: &Value, body: &Value) -> Result<Option<Self>, ContractError> {
        let body = resolve(document, body);
        let schema = &body["content"]["application/json"]["schema"];
        if schema.is_null() {
            return Ok(None);
        }
        Ok(Some(Self {
            required: body["required"] == json!(true),
            schema: compile(document, schema)?,
        }))
    }

    /// Names every field that the document does not allow.
    pub fn check(&self, body: &Value) -> Result<(), Problem> {
        let mut problems = Vec::new();
        self.schema
            .iter_errors(body)
            .for_each(|error| describe(&error, "", &mut problems));
        if problems.is_empty() {
            refuse_nul(body, "", &mut problems);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(problems))
        }
    }
}

impl Parameter {
    fn new(document: &Value, parameter: &Value) -> Result<Self, ContractError> {
        let schema = resolve(document, &parameter["schema"]);
        let many = schema["type"] == "array";
        let one = if many {
            resolve(document, &schema["items"])
        } else {
            schema
        };
        let kind = match one["type"].as_str() {
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Boolean,
            _ => Kind::Text,
        };
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            name,
            required: parameter["required"] == json!(true),
            many,
            kind,
            schema: compile(document, schema)?,
        })
    }

    fn check(&self, given: &[&str], problems: &mut Vec<FieldProblem>) -> Option<Value> {
        let pointer = format!("?{}", self.name);
        let value = match given {
            [] if self.required => {
                problems.push(FieldProblem::new(
                    pointer,
                    "missing",
                    "This parameter is required.",
                ));
                return None;
            }
            [] => return None,
            several if self.many => Value::Array(several.iter().map(|text| self.read(text)).collect()),
            [one] => self.read(one),
            _ => {
                problems.push(FieldProblem::new(
                    pointer,
                    "repeated",
                    "This parameter takes one value.",
                ));
                return None;
            }
        };
        self.schema
            .iter_errors(&value)
            .for_each(|error| describe(&error, &pointer, problems));
        Some(value)
    }

    /// The text as what the schema says it is; other text stays text, and the schema refuses it.
    fn read(&self, text: &str) -> Value {
        match self.kind {
            Kind::Integer => text
                .parse::<i64>()
                .map_or_else(|_| json!(text), |number| json!(number)),
            Kind::Boolean => text
                .parse::<bool>()
                .map_or_else(|_| json!(text), |flag| json!(flag)),
            Kind::Text => json!(text),
        }
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// The thing itself, where the document only refers to it.
fn resolve<'a>(document: &'a Value, thing: &'a Value) -> &'a Value {
    let reference = thing["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(thing)
}

/// Compiles a schema of the document, with everything it refers to.
fn compile(document: &Value, schema: &Value) -> Result<Validator, ContractError> {
    let mut needed = Map::new();
    gather(document, schema, &mut needed);
    let mut schema = schema.clone();
    narrow(&mut schema);
    let mut schemas = Value::Object(needed);
    narrow(&mut schemas);
    let whole = json!({ "allOf": [schema], "components": { "schemas": schemas } });
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .map_err(|error| ContractError(error.to_string()))
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
/// the member that was meant and not about all of them.
fn narrow(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(narrow);
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
            let branches: Vec<Value> = std::iter::once(known).chain(mapping.iter().map(branch)).collect();
            fields.remove("oneOf");
            fields.insert("allOf".to_owned(), Value::Array(branches));
        }
        Value::Array(items) => items.iter_mut().for_each(narrow),
        _ => {}
    }
}

/// One violation as the problems it means; `base` is put before the pointer.
fn describe(error: &ValidationError<'_>, base: &str, problems: &mut Vec<FieldProblem>) {
    let at = if base.starts_with('?') {
        base.to_owned()
    } else {
        format!("{base}{}", error.instance_path().as_str())
    };
    let mut note = |pointer: String, code: &str, message: String| {
        problems.push(FieldProblem::new(pointer, code, message))
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            note(
                format!("{at}/{}", escape(name)),
                "missing",
                "This field is required.".to_owned(),
            );
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().for_each(|name| {
                note(
                    format!("{at}/{}", escape(name)),
                    "unknown_field",
                    "There is no such field.".to_owned(),
                );
            });
        }
        ValidationErrorKind::Type { .. } => note(at, "wrong_type", error.to_string()),
        ValidationErrorKind::MinLength { limit: 1 } => {
            note(at, "too_short", "The text must not be empty.".to_owned())
        }
        ValidationErrorKind::MinLength { limit } => note(
            at,
            "too_short",
            format!("The text needs at least {limit} characters."),
        ),
        ValidationErrorKind::MaxLength { limit } => note(
            at,
            "too_long",
            format!("The text may have at most {limit} characters."),
        ),
        ValidationErrorKind::Minimum { limit } | ValidationErrorKind::ExclusiveMinimum { limit } => {
            note(at, "too_small", format!("The least value is {limit}."));
        }
        ValidationErrorKind::Maximum { limit } | ValidationErrorKind::ExclusiveMaximum { limit } => {
            note(at, "too_large", format!("The greatest value is {limit}."));
        }
        ValidationErrorKind::MinItems { limit } => {
            note(at, "too_few", format!("At least {limit} items are needed."))
        }
        ValidationErrorKind::MaxItems { limit } => {
            note(at, "too_many", format!("At most {limit} items are taken."))
        }
        ValidationErrorKind::UniqueItems => note(at, "not_unique", "The items must differ.".to_owned()),
        ValidationErrorKind::MinProperties { .. } => {
            note(at, "empty_patch", "At least one field is needed.".to_owned())
        }
        ValidationErrorKind::Enum { options } => {
            note(at, "unknown_value", format!("Known values: {options}."))
        }
        ValidationErrorKind::Pattern { pattern } => {
            note(at, "invalid_format", format!("The value must match {pattern}."))
        }
        ValidationErrorKind::Format { format } => {
            note(at, "invalid_format", format!("The value is not a {format}."))
        }
        _ => note(
            at,
            "invalid_value",
            "The value has none of the allowed forms.".to_owned(),
        ),
    }
}

/// Postgres cannot store NUL, wherever a schema may have let it through.
fn refuse_nul(value: &Value, at: &str, problems: &mut Vec<FieldProblem>) {
    let mut refuse = |at: &str, text: &str| {
        if text.contains('\0') {
            let message = "The text must not contain NUL.";
            problems.push(FieldProblem::new(at, "invalid_format", message));
        }
    };
    match value {
        Value::String(text) => refuse(at, text),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| refuse_nul(item, &format!("{at}/{index}"), problems)),
        Value::Object(fields) => {
            fields.keys().for_each(|name| refuse(at, name));
            fields
                .iter()
                .for_each(|(name, field)| refuse_nul(field, &format!("{at}/{}", escape(name)), problems));
        }
        _ => {}
    }
}

/// A name as a step of an RFC 6901 pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
