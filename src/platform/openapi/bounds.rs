//! Bounds that a type does not state itself. They tell clients and fuzzers the truth about what is refused.

use serde_json::{Value, json};

use super::walk::{each_schema, is_type, member, set_missing};

/// Everything but NUL, which Postgres cannot store.
const FREE_TEXT: &str = "^[^\\x00]*$";
/// Lower-case words, the form of every extensible vocabulary.
const VOCABULARY: &str = "^[a-z][a-z0-9_.:]*$";
/// Names that a standard writes in its own way, as the only other form.
const STANDARD_NAMES: &str = "^[A-Za-z][A-Za-z0-9]*$";
/// The largest integer that JSON readers of every language keep exactly.
const LARGEST_EXACT: i64 = 9_007_199_254_740_991;
const LONGEST_TEXT: u32 = 2048;
const LARGEST_FILE: u32 = 10_485_760;
const LARGEST_LIST: u32 = 1000;
const LARGEST_PAGE: u32 = 100;
const LARGEST_MAP: u32 = 100;

/// Completes every string, integer, list and map of the document.
pub(super) fn complete(document: &mut Value) {
    each_schema(document, &mut |schema| {
        bound_page(schema);
        if is_type(schema, "string") {
            bound_string(schema);
        }
        if is_type(schema, "integer") {
            bound_integer(schema);
        }
        if is_type(schema, "array") {
            set_missing(schema, "maxItems", json!(LARGEST_LIST));
        }
        if schema
            .get("additionalProperties")
            .is_some_and(|inner| *inner != json!(false))
        {
            set_missing(schema, "maxProperties", json!(LARGEST_MAP));
        }
    });
}

fn has_any(schema: &Value, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| schema.get(keyword).is_some())
}

fn bound_string(schema: &mut Value) {
    if has_any(schema, &["enum", "const"]) {
        return;
    }
    let format = schema.get("format").and_then(Value::as_str);
    let longest = match format {
        Some("date-time") => 40,
        Some("date") => 10,
        Some("uuid") => 36,
        Some("email") => 254,
        Some("binary") => LARGEST_FILE,
        _ if schema.get("x-extensible-enum").is_some() => 64,
        _ => LONGEST_TEXT,
    };
    set_missing(schema, "maxLength", json!(longest));
    if has_any(schema, &["pattern", "format"]) {
        return;
    }
    let words = schema.get("x-extensible-enum").and_then(Value::as_array);
    let is_upper = |word: &Value| {
        let text = word.as_str().unwrap_or_default();
        text.contains(|one: char| one.is_ascii_uppercase())
    };
    let pattern = match words {
        Some(words) if words.iter().any(is_upper) => STANDARD_NAMES,
        Some(_) => VOCABULARY,
        None => FREE_TEXT,
    };
    set_missing(schema, "pattern", json!(pattern));
}

fn bound_integer(schema: &mut Value) {
    if has_any(schema, &["enum", "const"]) {
        return;
    }
    let is_wide = schema.get("format").is_none_or(|format| format != "int32");
    let largest = if is_wide {
        LARGEST_EXACT
    } else {
        i64::from(i32::MAX)
    };
    set_missing(schema, "format", json!("int64"));
    if !has_any(schema, &["minimum", "exclusiveMinimum"]) {
        set_missing(
            schema,
            "minimum",
            json!(if is_wide { -largest } else { i64::from(i32::MIN) }),
        );
    }
    if !has_any(schema, &["maximum", "exclusiveMaximum"]) {
        set_missing(schema, "maximum", json!(largest));
    }
}

/// The list of a page is never longer than the largest `limit`.
fn bound_page(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    if !properties.contains_key("next_cursor") {
        return;
    }
    if let Some(data) = properties.get_mut("data").filter(|data| is_type(data, "array"))
        && data
            .get("maxItems")
            .is_none_or(|given| *given == json!(LARGEST_LIST))
    {
        *member(data, "maxItems") = json!(LARGEST_PAGE);
    }
}
