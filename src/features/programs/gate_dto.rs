//! Gates of programs on the wire.

use crate::kernel::gate::{DocumentKind, Gate, GatedStep};
use crate::kernel::id::ProductFamilyId;
use crate::platform::web::{CountryCode, Fields};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A paper that a program asks of its partners before a step.
///
/// It is open when the partner has such a compliance document on file, verified and valid on that day. Registering is
/// looked at when a registration or referral is submitted; accruing as of the program's lock point, when money comes in;
/// paying when a payout run is drafted, and again when it is approved, whatever products or countries a document is for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = ProgramGate, examples(json!({"blocks": "accruing", "requires": "certification", "document_name": "Fleet Expert"}), json!({"blocks": "paying", "requires": "tax_form"})))]
#[serde(deny_unknown_fields)]
pub struct GateBody {
    /// What the partner cannot do without it.
    pub blocks: GatedStep,
    /// What the partner must have.
    pub requires: DocumentKind,
    /// Which one, by its name, in capitals or not; any of the kind where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\s\x00]([^\x00]*[^\s\x00])?$",
        example = "Fleet Expert"
    )]
    pub document_name: Option<String>,
    /// Only for these product families, and for registrations that name none; all when empty. Not for paying, which is for
    /// everything at once.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub product_family_ids: Vec<ProductFamilyId>,
    /// Only for customers in these countries, and for registrations of a customer whose country nobody knows; all when
    /// empty. Not for paying.
    #[serde(default)]
    #[schema(max_items = 250)]
    pub countries: Vec<CountryCode>,
}

impl From<Gate> for GateBody {
    fn from(gate: Gate) -> Self {
        Self {
            blocks: gate.blocks,
            requires: gate.requires,
            document_name: gate.document_name,
            product_family_ids: gate.product_family_ids,
            countries: gate.countries.into_iter().map(CountryCode).collect(),
        }
    }
}

/// The gates as business speaks of them; what is wrong with them is noted.
pub fn gates(fields: &mut Fields, bodies: Option<&[GateBody]>) -> Option<Vec<Gate>> {
    let gate = |(index, body): (usize, &GateBody)| {
        let GateBody {
            blocks,
            requires,
            document_name,
            product_family_ids,
            countries,
        } = body.clone();
        let is_narrow = !product_family_ids.is_empty() || !countries.is_empty();
        fields.require(
            blocks != GatedStep::Paying || !is_narrow,
            &format!("/gates/{index}/blocks"),
            "not_applicable",
            "Everything is paid at once: a gate before paying names no product families and no countries.",
        );
        Gate {
            blocks,
            requires,
            document_name,
            product_family_ids,
            countries: countries.into_iter().map(|country| country.0).collect(),
        }
    };
    Some(bodies?.iter().enumerate().map(gate).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_before_paying_is_for_everything() {
        let body = |text: &str| -> GateBody { serde_json::from_str(text).unwrap() };
        let mut fields = Fields::new();
        let bodies = [
            body(r#"{"blocks": "paying", "requires": "tax_form"}"#),
            body(r#"{"blocks": "paying", "requires": "license", "countries": ["DE"]}"#),
            body(r#"{"blocks": "accruing", "requires": "license", "countries": ["DE"]}"#),
        ];
        let found = gates(&mut fields, Some(&bodies));
        assert_eq!(found.as_ref().map(Vec::len), Some(3));
        let problem = fields.finish(found).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, ["/gates/1/blocks"]);
    }
}
