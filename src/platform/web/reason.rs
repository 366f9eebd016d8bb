//! The body of a move that needs a reason.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

/// Why the move is made; kept in the audit trail and shown with the record.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = Reason, examples(json!({"reason": "No reply to three requests for documents."})))]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// The reason, for a person.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "No reply to three requests for documents."
    )]
    pub reason: String,
}
