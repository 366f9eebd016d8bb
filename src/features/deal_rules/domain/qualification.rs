//! The fields by which a program qualifies what is submitted, and whether a submission fits them.

use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::FieldProblem;
use crate::kernel::word::word_enum;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What was filled in, by the keys of the fields.
pub type Qualification = Map<String, Value>;

/// The most characters of a text that is filled in.
const LONGEST_TEXT: usize = 2000;

word_enum! {
    /// What is filled in.
    QualificationType, "qualification type" {
        /// Words.
        Text = "text",
        /// A number.
        Number = "number",
        /// An amount with its currency.
        Money = "money",
        /// A day.
        Date = "date",
        /// One of the choices.
        Choice = "choice",
        /// Yes or no.
        YesNo = "yes_no",
    }
}

/// One field of a program's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualificationField {
    /// The name of the field in a submission.
    pub key: String,
    /// What a person reads in front of it.
    pub label: String,
    /// What a person reads who wants to know more.
    pub help: Option<String>,
    /// What is filled in.
    #[serde(rename = "type")]
    pub kind: QualificationType,
    /// Whether a submission must have it.
    pub is_required: bool,
    /// What there is to choose from; empty for other types.
    pub choices: Vec<String>,
}

impl QualificationField {
    /// What is wrong with the value, as code and message.
    fn refusal(&self, value: &Value) -> Option<(&'static str, String)> {
        match (self.kind, value) {
            (QualificationType::Text, Value::String(text)) => refusal_of_text(text),
            (QualificationType::Number, Value::Number(_)) | (QualificationType::YesNo, Value::Bool(_)) => {
                None
            }
            (QualificationType::Date, Value::String(text)) => {
                let is_date = text
                    .parse::<NaiveDate>()
                    .is_ok_and(|date| date.to_string() == *text);
                (!is_date).then(|| ("invalid_format", "Expected a day such as 2026-03-31.".to_owned()))
            }
            (QualificationType::Choice, Value::String(choice)) => {
                let known = self.choices.contains(choice);
                (!known).then(|| {
                    (
                        "unknown_value",
                        format!("Expected one of {}.", self.choices.join(", ")),
                    )
                })
            }
            (QualificationType::Money, Value::Object(amount)) => refusal_of_money(amount),
            (kind, _) => Some(("invalid_type", format!("Expected {}.", expected(kind)))),
        }
    }

    /// The field as JSON Schema.
    fn schema(&self, position: usize) -> Value {
        let mut schema = match self.kind {
            QualificationType::Text => json!({
                "type": "string", "minLength": 1, "maxLength": LONGEST_TEXT,
                "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"
            }),
            QualificationType::Number => json!({ "type": "number" }),
            QualificationType::YesNo => json!({ "type": "boolean" }),
            QualificationType::Date => json!({ "type": "string", "format": "date" }),
            QualificationType::Choice => json!({ "type": "string", "enum": self.choices }),
            QualificationType::Money => json!({
                "type": "object",
                "properties": {
                    "amount": { "type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$" },
                    "currency": { "type": "string", "pattern": "^[A-Z]{3}$" }
                },
                "required": ["amount", "currency"],
                "additionalProperties": false
            }),
        };
        schema["title"] = json!(self.label);
        if let Some(help) = &self.help {
            schema["description"] = json!(help);
        }
        schema["x-field-type"] = json!(self.kind);
        schema["x-position"] = json!(position);
        schema
    }
}

fn expected(kind: QualificationType) -> &'static str {
    match kind {
        QualificationType::Text => "a text",
        QualificationType::Number => "a number",
        QualificationType::Money => "an amount and a currency",
        QualificationType::Date => "a day such as 2026-03-31",
        QualificationType::Choice => "one of the choices as text",
        QualificationType::YesNo => "true or false",
    }
}

fn refusal_of_text(text: &str) -> Option<(&'static str, String)> {
    if text.contains('\0') {
        return Some(("invalid_format", "The text must not contain NUL.".to_owned()));
    }
    if text.trim().is_empty() {
        return Some(("too_short", "The text must not be empty.".to_owned()));
    }
    let is_long = text.chars().count() > LONGEST_TEXT;
    is_long.then(|| {
        (
            "too_long",
            format!("At most {LONGEST_TEXT} characters are taken."),
        )
    })
}

fn refusal_of_money(amount: &Map<String, Value>) -> Option<(&'static str, String)> {
    let text = |name: &str| amount.get(name).and_then(Value::as_str);
    let (Some(number), Some(currency), 2) = (text("amount"), text("currency"), amount.len()) else {
        return Some((
            "invalid_type",
            "Expected `amount` and `currency` as texts.".to_owned(),
        ));
    };
    let currency = match Currency::from_code(currency) {
        Ok(currency) => currency,
        Err(error) => return Some(("unknown_currency", error.to_string())),
    };
    let problem = Money::parse(number, currency).err();
    problem.map(|error| ("invalid_amount", error.to_string()))
}

/// Everything in the submission that does not fit the fields; `base` is the pointer to the submission's object.
pub fn problems(fields: &[QualificationField], submission: &Qualification, base: &str) -> Vec<FieldProblem> {
    let pointer = |key: &str| format!("{base}/{}", key.replace('~', "~0").replace('/', "~1"));
    let of_fields = fields.iter().filter_map(|field| {
        let refusal = match submission.get(&field.key) {
            Some(value) => field.refusal(value),
            None => field
                .is_required
                .then(|| ("missing", format!("The program asks for: {}.", field.label))),
        };
        refusal.map(|(code, message)| FieldProblem::new(pointer(&field.key), code, message))
    });
    let unknown = submission
        .keys()
        .filter(|key| fields.iter().all(|field| field.key != **key))
        .map(|key| {
            FieldProblem::new(
                pointer(key),
                "unknown_field",
                "The program does not ask for this.",
            )
        });
    of_fields.chain(unknown).collect()
}

/// The fields as the properties of a JSON Schema, in their order.
pub fn properties(fields: &[QualificationField]) -> Map<String, Value> {
    let properties = fields.iter().enumerate();
    properties
        .map(|(position, field)| (field.key.clone(), field.schema(position)))
        .collect()
}
