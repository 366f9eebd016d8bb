//! Gates: papers that a partner must have before it registers, earns or is paid.

use crate::kernel::id::ProductFamilyId;
use crate::kernel::word::word_enum;
use serde::Serialize;

word_enum! {
    /// What a partner can have on file.
    DocumentKind, "document kind" {
        /// A signed agreement.
        Agreement = "agreement",
        /// A certification of its people.
        Certification = "certification",
        /// A license to sell a product somewhere.
        License = "license",
        /// A form that the tax office asks for.
        TaxForm = "tax_form",
    }
}

word_enum! {
    /// What a gate blocks while it is closed.
    GatedStep, "gated step" {
        /// Registering deals and submitting referrals; looked at when something is submitted.
        Registering = "registering",
        /// Earning; looked at as of the program's lock point, when money comes in.
        Accruing = "accruing",
        /// Being paid; looked at when a payout run is drafted and again when it is approved.
        Paying = "paying",
    }
}

/// A paper that a program asks of its partners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// What it blocks while the partner does not have it.
    pub blocks: GatedStep,
    /// What the partner must have.
    pub requires: DocumentKind,
    /// Which one; any of the kind where it is not said.
    pub document_name: Option<String>,
    /// Only for these product families; empty is for all.
    pub product_family_ids: Vec<ProductFamilyId>,
    /// Only for customers in these countries, ISO 3166-1 alpha-2; empty is for all.
    pub countries: Vec<String>,
}

/// What a closed gate blocks and what would open it, in a sentence. `closed` are gates as Postgres names them: a kind, or
/// a kind and a name.
pub fn closed_sentence(step: GatedStep, closed: &[String]) -> String {
    let before = match step {
        GatedStep::Registering => "Before anything is registered",
        GatedStep::Accruing => "Before anything is earned",
        GatedStep::Paying => "Before anything is paid",
    };
    format!(
        "{before} the program asks for what is not on file, verified and valid: {}.",
        closed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_every_closed_gate() {
        let closed = ["tax_form".to_owned(), "certification: Fleet Expert".to_owned()];
        assert_eq!(
            closed_sentence(GatedStep::Paying, &closed),
            "Before anything is paid the program asks for what is not on file, verified and valid: tax_form, \
             certification: Fleet Expert."
        );
    }
}
