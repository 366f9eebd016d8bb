//! Requests are checked against the very document that is served: what it promises is what is taken.

mod paths;
mod schemas;
mod violations;

use self::paths::{shape_of, written};
use self::schemas::{Compiler, members, resolve};
use self::violations::{describe, refuse_nul, tell_once};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::subject;
use actix_web::HttpRequest;
use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::web::Bytes;
use jsonschema::Validator;
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
    /// The paths by their shape, with every parameter as `{}`.
    shapes: HashMap<String, String>,
    document: Bytes,
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
    permissions: Vec<Permission>,
    query: Vec<Parameter>,
    headers: Vec<Parameter>,
}

/// The body of an operation.
#[derive(Debug)]
pub struct BodyContract {
    /// Whether there must be one.
    pub required: bool,
    schema: Arc<Validator>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    required: bool,
    many: bool,
    kind: Kind,
    schema: Arc<Validator>,
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
    pub fn new(document: &Value) -> Result<Self, ContractError> {
        let mut routes = HashMap::new();
        let mut compiler = Compiler::new(document);
        for (path, item) in members(&document["paths"]) {
            let mut operations = HashMap::new();
            for (name, method) in METHODS {
                if let Some(operation) = item.get(name) {
                    operations.insert(method, Operation::new(&mut compiler, operation)?);
                }
            }
            let pattern = ResourceDef::new(path.as_str());
            routes.insert(path.clone(), Route { pattern, operations });
        }
        let shapes = routes
            .keys()
            .map(|path| (shape_of(path, |segment| segment.starts_with('{')), path.clone()));
        Ok(Self {
            shapes: shapes.collect(),
            routes,
            document: document.to_string().into(),
        })
    }

    /// The document itself, as JSON: taken apart it would fill several times the memory.
    pub fn document(&self) -> &Bytes {
        &self.document
    }

    /// The operation that a request was routed to.
    pub fn operation_of(&self, request: &HttpRequest) -> Option<&Operation> {
        let (_, route) = self.routed(request)?;
        route.operations.get(request.method())
    }

    /// The permissions of which a request needs one, told from its path before it is routed. Nothing for a path that is
    /// not served, or whose ids are none.
    pub fn permissions_at(&self, method: &Method, path: &str) -> &[Permission] {
        let shape = shape_of(path, |segment| subject::parse_id(segment).is_some());
        let path = self.shapes.get(&shape);
        let operation = path.and_then(|path| self.routes.get(path)?.operations.get(method));
        operation.map_or(&[], |operation| &operation.permissions)
    }

    /// The path of the document that a request was routed to, as the document writes it.
    pub fn route_of(&self, request: &HttpRequest) -> Option<&str> {
        self.routed(request).map(|(path, _)| path)
    }

    /// The methods that some operation serves at this path; at one that the document writes word for word, by its
    /// operations alone, although its last word stands where others have an id.
    pub fn methods_at(&self, path: &str) -> Vec<String> {
        let written = self.routes.get(path);
        let matching = self.routes.values().filter(|route| route.pattern.is_match(path));
        let here = written.into_iter().chain(matching.filter(|_| written.is_none()));
        let mut methods: Vec<String> = here
            .flat_map(|route| route.operations.keys().map(ToString::to_string))
            .collect();
        methods.sort_unstable();
        methods
    }

    /// Whether the document writes this path word for word, and without this method.
    pub fn knows_only_others(&self, method: &Method, path: &str) -> bool {
        let served = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let written = self.routes.get(path);
        written.is_some_and(|route| !route.operations.contains_key(served))
    }

    fn routed(&self, request: &HttpRequest) -> Option<(&str, &Route)> {
        let (path, route) = self.routes.get_key_value(&written(request))?;
        Some((path, route))
    }
}

impl Operation {
    fn new(compiler: &mut Compiler<'_>, operation: &Value) -> Result<Self, ContractError> {
        let document = compiler.document;
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameters: Vec<&Value> = parameters.iter().map(|one| resolve(document, one)).collect();
        let mut located = |place: &str| -> Result<Vec<Parameter>, ContractError> {
            let here = parameters.iter().filter(|one| one["in"] == place);
            here.map(|one| Parameter::new(compiler, one)).collect()
        };
        let (query, headers) = (located("query")?, located("header")?);
        let demands = |name: &str| {
            parameters
                .iter()
                .any(|one| one["name"] == name && one["required"] == json!(true))
        };
        Ok(Self {
            body: BodyContract::new(compiler, &operation["requestBody"])?,
            requires_idempotency_key: demands("Idempotency-Key"),
            requires_if_match: demands("If-Match"),
            permissions: permissions(&operation["x-required-permission"]),
            query,
            headers,
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
        tell_once(&mut problems);
        if problems.is_empty() {
            Ok(Value::Object(object))
        } else {
            Err(Problem::fields(problems))
        }
    }
}

/// One permission, or several of which one suffices.
fn permissions(named: &Value) -> Vec<Permission> {
    let several = named
        .as_array()
        .map_or(std::slice::from_ref(named), Vec::as_slice);
    let names = several.iter().filter_map(Value::as_str);
    names.filter_map(Permission::from_name).collect()
}

impl BodyContract {
    fn new(compiler: &mut Compiler<'_>, body: &Value) -> Result<Option<Self>, ContractError> {
        let body = resolve(compiler.document, body);
        let schema = &body["content"]["application/json"]["schema"];
        if schema.is_null() {
            return Ok(None);
        }
        Ok(Some(Self {
            required: body["required"] == json!(true),
            schema: compiler.compile(schema)?,
        }))
    }

    /// Names every field that the document does not allow.
    pub fn check(&self, body: &Value) -> Result<(), Problem> {
        let mut problems = Vec::new();
        self.schema
            .iter_errors(body)
            .for_each(|error| describe(&error, "", &mut problems));
        tell_once(&mut problems);
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
    fn new(compiler: &mut Compiler<'_>, parameter: &Value) -> Result<Self, ContractError> {
        let document = compiler.document;
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
            schema: compiler.compile(schema)?,
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
