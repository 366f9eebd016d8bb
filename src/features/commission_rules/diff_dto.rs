//! The difference of two versions on the wire.

use super::domain::CommissionRuleVersion;
use super::terms_dto::TermsView;
use crate::kernel::id::CommissionRuleVersionId;
use crate::kernel::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// With which version another one is compared.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DifferencesQuery {
    /// The version to compare with; absent is the one numbered before.
    pub compare_with: Option<CommissionRuleVersionId>,
}

/// What is different between two versions of terms.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionRuleVersionDifferences, examples(json!({"from_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "to_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4x", "from_sentence": "10% of net money received on deals of any partner, for each role in full, paid without a hold, from 1 January 2026.", "to_sentence": "12% of net money received on deals of any partner, for each role in full, paid without a hold, from 1 January 2027.", "differences": [{"pointer": "/formula/rate", "before": "0.1000", "after": "0.1200"}]})))]
pub struct DifferencesView {
    /// The version that is compared with; `null` when there is none before.
    #[schema(required)]
    pub from_id: Option<CommissionRuleVersionId>,
    /// The version.
    pub to_id: CommissionRuleVersionId,
    /// The terms before as an English sentence.
    #[schema(required, max_length = 4000)]
    pub from_sentence: Option<String>,
    /// The terms as an English sentence.
    #[schema(max_length = 4000)]
    pub to_sentence: String,
    /// Each field that differs, in order.
    #[schema(max_items = 10000)]
    pub differences: Vec<DifferenceView>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CommissionTermsDifference, examples(json!({"pointer": "/formula/rate", "before": "0.1000", "after": "0.1200"})))]
pub struct DifferenceView {
    /// The field, as a JSON pointer into the terms.
    #[schema(max_length = 500, example = "/formula/rate")]
    pub pointer: String,
    /// Its value before, a text as it is and anything else as JSON; `null` where there was none.
    #[schema(required, max_length = 100000)]
    pub before: Option<String>,
    /// Its value now; `null` where there is none.
    #[schema(required, max_length = 100000)]
    pub after: Option<String>,
}

impl DifferencesView {
    /// Compares two versions; without one before, everything is new.
    pub fn new(before: Option<CommissionRuleVersion>, after: CommissionRuleVersion) -> Result<Self, Problem> {
        let terms = |version: &CommissionRuleVersion| {
            serde_json::to_value(TermsView::from(version.terms.clone())).map_err(Problem::damaged)
        };
        let earlier = before.as_ref().map(terms).transpose()?;
        let mut differences = Vec::new();
        compare("", earlier.as_ref(), Some(&terms(&after)?), &mut differences);
        Ok(Self {
            from_id: before.as_ref().map(|version| version.id),
            to_id: after.id,
            from_sentence: before.as_ref().map(CommissionRuleVersion::sentence),
            to_sentence: after.sentence(),
            differences,
        })
    }
}

/// Walks both values and notes the leaves that differ.
fn compare(pointer: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<DifferenceView>) {
    if before == after {
        return;
    }
    let is_object = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if is_object(before) && is_object(after) {
        let keys = |value: Option<&Value>| -> BTreeSet<String> {
            let fields = value.and_then(Value::as_object);
            fields
                .map(|fields| fields.keys().cloned().collect())
                .unwrap_or_default()
        };
        for key in keys(before).union(&keys(after)) {
            let field = |value: Option<&Value>| value.and_then(|value| value.get(key)).cloned();
            let (before, after) = (field(before), field(after));
            compare(
                &format!("{pointer}/{key}"),
                before.as_ref(),
                after.as_ref(),
                found,
            );
        }
        return;
    }
    let text = |value: Option<&Value>| match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    found.push(DifferenceView {
        pointer: pointer.to_owned(),
        before: text(before),
        after: text(after),
    });
}
