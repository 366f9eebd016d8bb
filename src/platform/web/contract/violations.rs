//! What a violation of a schema means, in the words of the problem table.

use crate::kernel::problem::FieldProblem;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// One violation as the problems it means; `base` is put before the pointer.
pub(super) fn describe(error: &ValidationError<'_>, base: &str, problems: &mut Vec<FieldProblem>) {
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
        ValidationErrorKind::Type { kind } => note(at, "wrong_type", expected(kind, error.instance())),
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
        ValidationErrorKind::MaxProperties { limit } => note(
            at,
            "too_many_fields",
            format!("At most {limit} of the fields is taken."),
        ),
        ValidationErrorKind::Enum { options } => {
            note(at, "unknown_value", format!("Known values: {options}."))
        }
        ValidationErrorKind::Pattern { pattern } => note(at, "invalid_format", wanted(pattern)),
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

/// Which type is wanted, and which one came.
fn expected(kind: &TypeKind, instance: &Value) -> String {
    let types: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
    };
    let came = match instance {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let wanted = types.join(" or ");
    match instance {
        Value::Number(number) if types.iter().any(|one| one == "string") => {
            format!("The value must be of type {wanted} and is a number: send it in quotes, \"{number}\".")
        }
        _ => format!("The value must be of type {wanted} and is {came}."),
    }
}

/// A pattern in words, where it is one of those that people meet.
fn wanted(pattern: &str) -> String {
    let id = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix("_[0-9a-z]{10,60}$"));
    if let Some(prefix) = id.filter(|prefix| prefix.bytes().all(|letter| letter.is_ascii_lowercase())) {
        return format!(
            "The value must be an id that begins with {prefix}_, such as {prefix}_01j9zq4y8k7m5n3p2r1s0t6v4w."
        );
    }
    match pattern {
        "^[A-Z]{3}$" => "The value must be an ISO 4217 code, three capital letters such as EUR.".to_owned(),
        "^[A-Z]{2}$" => "The value must be an ISO 3166 code, two capital letters such as DE.".to_owned(),
        r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$" | r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$" => {
            "The value must be a plain decimal, such as \"1250.00\".".to_owned()
        }
        r"^[^\x00]*[^\s\x00][^\x00]*$" | r"^[^\x00]*\S[^\x00]*$" => {
            "The text must not be blank, nor contain NUL.".to_owned()
        }
        r"^(19|[2-9][0-9])[0-9]{2}-" => {
            "The value must be a date of the year 1900 or later, which begins with the year, such as 2026-03-31.".to_owned()
        }
        r"^[^\x00]+$" => "The text must not be empty, nor contain NUL.".to_owned(),
        r"^[^\x00]*$" => "The text must not contain NUL.".to_owned(),
        r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$" => {
            "The value must be a decimal from 0 to 1 with at most six decimals, such as \"0.125\" for 12.5%."
                .to_owned()
        }
        _ => format!("The value must match {pattern}."),
    }
}

/// One fault is told once: a text that has not the form is not also too long or too short.
pub(super) fn tell_once(problems: &mut Vec<FieldProblem>) {
    let formless: Vec<String> = problems
        .iter()
        .filter(|problem| problem.code == "invalid_format")
        .map(|problem| problem.pointer.clone())
        .collect();
    problems.retain(|problem| {
        !(matches!(problem.code.as_str(), "too_long" | "too_short") && formless.contains(&problem.pointer))
    });
}

/// Postgres cannot store NUL, wherever a schema may have let it through.
pub(super) fn refuse_nul(value: &Value, at: &str, problems: &mut Vec<FieldProblem>) {
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
