//! Short texts on the wire that stand in lists of several rooms.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A country, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct CountryCode(pub String);

/// A gate that is closed: the kind of the document that would open it and, where the gate says which, its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 300, example = "certification: Fleet Expert")]
pub struct ClosedGate(pub String);
