//! Which of their columns fills which of our fields, and how their words, dates and amounts are read.

use super::targets::{ImportResource, Kind, Target};
use crate::kernel::money::Rounding;
use crate::kernel::permission::Permission;
use crate::kernel::problem::Problem;
use crate::platform::web::Fields;
use chrono::format::{Item, StrftimeItems};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::str::FromStr;

/// The longest text that a mapping may hold.
const TEXT_LIMIT: usize = 1_000;
/// The most translations of one field.
const VALUES_LIMIT: usize = 1_000;
/// What the settings of one field may be.
const SETTINGS: [&str; 7] = [
    "column", "constant", "format", "rounding", "values", "default", "sign",
];
/// The one way in which signs may be turned.
const CREDIT_NOTES_NEGATIVE: &str = "credit_notes_negative";

/// A checked mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// What stands between two cells.
    pub delimiter: u8,
    /// The fields that are filled, in the order of the resource's targets.
    pub fields: Vec<FieldMapping>,
}

/// How one field is filled.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldMapping {
    /// The field.
    pub target: &'static Target,
    /// Where its text comes from.
    pub source: Source,
    /// How a date is written; ISO 8601 otherwise.
    pub format: Option<Vec<Item<'static>>>,
    /// How an amount with too many decimals is rounded; it is refused otherwise.
    pub rounding: Option<Rounding>,
    /// Our words for theirs.
    pub values: HashMap<String, String>,
    /// What an empty cell stands for.
    pub default: Option<String>,
    /// Whether their credit notes are written as negative amounts.
    pub credit_notes_negative: bool,
}

/// Where the text of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The column with this heading.
    Column(String),
    /// The same text in every row.
    Constant(String),
}

impl FieldMapping {
    /// What a person would look for in the file: the column's heading, or our field's name.
    pub fn label(&self) -> &str {
        match &self.source {
            Source::Column(heading) => heading,
            Source::Constant(_) => self.target.name,
        }
    }
}

impl Mapping {
    /// Reads a mapping for this resource; every invalid part is named at once.
    pub fn read(resource: ImportResource, given: &Value) -> Result<Self, Problem> {
        let mut problems = Fields::new();
        let mapping = Reader {
            resource,
            problems: &mut problems,
        }
        .mapping(given);
        problems.finish(mapping)
    }

    /// The rights that the caller needs besides that of importing.
    pub fn permissions(&self, resource: ImportResource) -> Vec<Permission> {
        let mut needed = vec![resource.permission()];
        for field in &self.fields {
            if let Some(permission) = field.target.permission.filter(|right| !needed.contains(right)) {
                needed.push(permission);
            }
        }
        if needed.contains(&Permission::AttributionsReview) {
            needed.push(Permission::AttributionsWrite);
        }
        needed
    }
}

struct Reader<'a> {
    resource: ImportResource,
    problems: &'a mut Fields,
}

impl Reader<'_> {
    fn mapping(&mut self, given: &Value) -> Option<Mapping> {
        let Some(given) = given.as_object() else {
            self.problems
                .refuse("/mapping", "wrong_type", "The mapping is a JSON object.");
            return None;
        };
        for name in given
            .keys()
            .filter(|name| *name != "fields" && *name != "delimiter")
        {
            let pointer = format!("/mapping/{}", escape(name));
            self.problems
                .refuse(pointer, "unknown_field", "A mapping has no such field.");
        }
        let delimiter = self.delimiter(given.get("delimiter"));
        let fields = match given.get("fields") {
            Some(Value::Object(fields)) => self.fields(fields),
            Some(_) => {
                self.problems
                    .refuse("/mapping/fields", "wrong_type", "The fields are a JSON object.");
                return None;
            }
            None => {
                self.problems
                    .refuse("/mapping/fields", "missing", "This field is required.");
                return None;
            }
        };
        Some(Mapping {
            delimiter: delimiter?,
            fields,
        })
    }

    fn delimiter(&mut self, given: Option<&Value>) -> Option<u8> {
        let Some(given) = given else {
            return Some(b',');
        };
        let byte = match given.as_str().map(str::as_bytes) {
            Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Some(*byte),
            _ => None,
        };
        if byte.is_none() {
            let message = "The delimiter is one ASCII character and no quotation mark or line break.";
            self.problems
                .refuse("/mapping/delimiter", "invalid_value", message);
        }
        byte
    }

    fn fields(&mut self, given: &Map<String, Value>) -> Vec<FieldMapping> {
        for name in given.keys().filter(|name| self.resource.target(name).is_none()) {
            let known: Vec<&str> = self.resource.targets().iter().map(|target| target.name).collect();
            let message = format!("{} have the fields {}.", self.resource, known.join(", "));
            self.problems.refuse(
                format!("/mapping/fields/{}", escape(name)),
                "unknown_target",
                message,
            );
        }
        let mut fields = Vec::new();
        for target in self.resource.targets() {
            let pointer = format!("/mapping/fields/{}", target.name);
            match given.get(target.name) {
                Some(Value::Object(settings)) => fields.extend(self.field(target, &pointer, settings)),
                Some(_) => {
                    self.problems
                        .refuse(pointer, "wrong_type", "How a field is filled is a JSON object.")
                }
                None if target.required => {
                    self.problems
                        .refuse(pointer, "missing", "The mapping must fill this field.")
                }
                None => {}
            }
        }
        fields
    }

    fn field(
        &mut self,
        target: &'static Target,
        pointer: &str,
        settings: &Map<String, Value>,
    ) -> Option<FieldMapping> {
        for name in settings.keys().filter(|name| !SETTINGS.contains(&name.as_str())) {
            self.problems.refuse(
                format!("{pointer}/{}", escape(name)),
                "unknown_field",
                "A field of a mapping has no such setting.",
            );
        }
        let source = self.source(pointer, settings);
        let format = self.format(target, pointer, settings);
        let rounding = self.rounding(target, pointer, settings);
        let values = self.values(pointer, settings);
        let default = self.text(pointer, settings, "default");
        let credit_notes_negative = self.sign(target, pointer, settings);
        Some(FieldMapping {
            target,
            source: source?,
            format,
            rounding,
            values,
            default,
            credit_notes_negative,
        })
    }

    fn source(&mut self, pointer: &str, settings: &Map<String, Value>) -> Option<Source> {
        match (settings.contains_key("column"), settings.contains_key("constant")) {
            (true, false) => self.text(pointer, settings, "column").map(Source::Column),
            (false, true) => self.text(pointer, settings, "constant").map(Source::Constant),
            _ => {
                let message = "A field is filled by exactly one of column and constant.";
                self.problems.refuse(pointer, "invalid_value", message);
                None
            }
        }
    }

    /// A setting that is text; absent is no mistake.
    fn text(&mut self, pointer: &str, settings: &Map<String, Value>, name: &str) -> Option<String> {
        let given = settings.get(name)?;
        let text = given
            .as_str()
            .filter(|text| text.chars().count() <= TEXT_LIMIT && !text.contains('\0'));
        if text.is_none() {
            let message = format!("This is text of at most {TEXT_LIMIT} characters.");
            self.problems
                .refuse(format!("{pointer}/{name}"), "invalid_value", message);
        }
        text.map(str::to_owned)
    }

    fn format(
        &mut self,
        target: &Target,
        pointer: &str,
        settings: &Map<String, Value>,
    ) -> Option<Vec<Item<'static>>> {
        let text = self.text(pointer, settings, "format")?;
        let pointer = format!("{pointer}/format");
        if !matches!(target.kind, Kind::Day | Kind::Date | Kind::Instant) {
            let message = "Only days and instants have a format.";
            self.problems.refuse(pointer, "not_applicable", message);
            return None;
        }
        let items: Vec<Item<'_>> = StrftimeItems::new(&text).collect();
        if items.is_empty() || items.contains(&Item::Error) {
            let message = "The format is one of strftime, such as %d.%m.%Y.";
            self.problems.refuse(pointer, "invalid_format", message);
            return None;
        }
        Some(items.into_iter().map(Item::to_owned).collect())
    }

    fn rounding(
        &mut self,
        target: &Target,
        pointer: &str,
        settings: &Map<String, Value>,
    ) -> Option<Rounding> {
        let text = self.text(pointer, settings, "rounding")?;
        let pointer = format!("{pointer}/rounding");
        if target.kind != Kind::Amount {
            self.problems
                .refuse(pointer, "not_applicable", "Only amounts are rounded.");
            return None;
        }
        let rounding = Rounding::from_str(&text).ok();
        if rounding.is_none() {
            self.problems.refuse(
                pointer,
                "unknown_value",
                "Known values: half_up, half_even, down.",
            );
        }
        rounding
    }

    fn values(&mut self, pointer: &str, settings: &Map<String, Value>) -> HashMap<String, String> {
        let Some(given) = settings.get("values") else {
            return HashMap::new();
        };
        let pairs = given.as_object().filter(|pairs| pairs.len() <= VALUES_LIMIT);
        let read = pairs.and_then(|pairs| {
            let pair = |(theirs, ours): (&String, &Value)| {
                let ours = ours.as_str().filter(|text| text.chars().count() <= TEXT_LIMIT)?;
                Some((theirs.clone(), ours.to_owned()))
            };
            pairs.iter().map(pair).collect()
        });
        read.unwrap_or_else(|| {
            let message =
                format!("The values are a JSON object of at most {VALUES_LIMIT} texts: theirs to ours.");
            self.problems
                .refuse(format!("{pointer}/values"), "invalid_value", message);
            HashMap::new()
        })
    }

    fn sign(&mut self, target: &Target, pointer: &str, settings: &Map<String, Value>) -> bool {
        let Some(text) = self.text(pointer, settings, "sign") else {
            return false;
        };
        let pointer = format!("{pointer}/sign");
        if self.resource != ImportResource::Invoices || target.name != "amount" {
            let message = "Only the amount of an invoice has a sign to declare.";
            self.problems.refuse(pointer, "not_applicable", message);
        } else if text != CREDIT_NOTES_NEGATIVE {
            let message = format!("Known values: {CREDIT_NOTES_NEGATIVE}.");
            self.problems.refuse(pointer, "unknown_value", message);
        }
        text == CREDIT_NOTES_NEGATIVE
    }
}

/// A name as a step of an RFC 6901 pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
